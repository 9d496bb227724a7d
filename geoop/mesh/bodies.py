"""Smooth closed bodies in space that are formulas: superellipsoids, car-like bodies, lofted wings. None of them can cut itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConfigurationError
from .cells import Cells
from .mesh import Mesh
from .primitives import naca4


def cube_sphere(n: int = 16) -> Mesh:
    """A unit sphere of 6 n^2 quads, outward: the faces of a cube cut by equal angles (Ronchi, Iacono and Paolucci 1996) [m].

    Raises:
        ConfigurationError: n < 1.
    """
    _require(n >= 1, f"n is {n}", "n >= 1")
    t = np.tan(np.linspace(-np.pi / 4, np.pi / 4, n + 1))
    u, v = (g.ravel() for g in np.meshgrid(t, t, indexing="ij"))
    index = np.arange(len(u)).reshape(n + 1, -1)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1).reshape(-1, 4)
    points, faces = [], []
    for axis in range(3):
        for end in (-1.0, 1.0):
            side = np.empty((len(u), 3))
            side[:, axis], side[:, (axis + 1) % 3], side[:, (axis + 2) % 3] = end, u, v
            faces.append((quads if end > 0 else quads[:, ::-1]) + len(points) * len(u))
            points.append(side)
    # the faces share their rims; rounding keeps equal coordinates from being equal bits, so they are matched to 1e-9
    _, first, number = np.unique(np.round(np.concatenate(points), 9), axis=0, return_index=True, return_inverse=True)
    directions = np.concatenate(points)[first]
    cells = Cells.of(quad=number.reshape(-1)[np.concatenate(faces)])
    return Mesh(directions / np.linalg.norm(directions, axis=1, keepdims=True), cells, {"wall": cells}, name="sphere")


def superellipsoid(axes: tuple[float, float, float], east: float = 1.0, north: float = 1.0, n: int = 16) -> Mesh:
    """A superellipsoid (A. Barr, IEEE Computer Graphics and Applications 1, 1981) of 6 n^2 quads, outward [m].

    (|x/a|^(2/e) + |y/b|^(2/e))^(e/k) + |z/c|^(2/k) = 1 with e = east, k = north: 1 is an ellipsoid, towards 0 a box; 2 has ridges.

    Args:
        axes: semi-axes along x, y, z [m].
        east: exponent in the x-y plane.
        north: exponent along z.
        n: quads per edge of the cube that is blown up.

    Raises:
        ConfigurationError: axes or exponents that are not positive, or exponents above 2.
    """
    scale = np.asarray(axes, dtype=np.float64)
    _require(
        scale.shape == (3,) and bool((scale > 0).all()) and bool(np.isfinite(scale).all()), f"axes are {axes}", "three positive lengths in metres"
    )
    _require(0 < east <= 2 and 0 < north <= 2, f"exponents are {east}, {north}", "exponents between 0 and 2")
    sphere = cube_sphere(n)
    x, y, z = np.abs(sphere.points).T
    level = (x ** (2 / east) + y ** (2 / east)) ** (east / north) + z ** (2 / north)
    return Mesh(sphere.points * level[:, None] ** (-north / 2) * scale, sphere.cells, sphere.patches, name="superellipsoid")


@dataclass(frozen=True)
class CarShape:
    """A body like that of a car, in free air; x backward, nose at -length/2, z up from the floor at 0.

    Attributes:
        length, width: [m].
        height: of the lower body [m].
        cabin: height of the cabin above it [m].
        cabin_center: of the cabin along x, in lengths from the middle.
        cabin_length: half of the cabin's extent, in lengths; its slopes are those of cos^2.
        tumblehome: share by which the cabin's roof is narrower.
        edge: exponent of the edges, see :func:`superellipsoid`.
    """

    length: float
    width: float
    height: float
    cabin: float
    cabin_center: float
    cabin_length: float
    tumblehome: float
    edge: float


def car_body(shape: CarShape, n: int = 16) -> Mesh:
    """A rounded box whose upper side is lifted to a cabin, of 6 n^2 quads, outward [m].

    The lift grows with height, so that no two points change places: the body cannot cut itself.

    Raises:
        ConfigurationError: a length that is not positive, a negative cabin, or a tumblehome outside 0..0.9.
    """
    _require(
        min(shape.length, shape.width, shape.height, shape.cabin_length) > 0 and shape.cabin >= 0 and 0 <= shape.tumblehome <= 0.9,
        f"{shape}",
        "positive lengths, a cabin >= 0, a tumblehome in 0..0.9",
    )
    box = superellipsoid((0.5 * shape.length, 0.5 * shape.width, 0.5 * shape.height), shape.edge, shape.edge, n)
    x, y, z = box.points.T
    up = np.clip(z / shape.height + 0.5, 0.0, 1.0)
    share = up * up * (3.0 - 2.0 * up)
    along = np.clip((x / shape.length - shape.cabin_center) / shape.cabin_length, -1.0, 1.0)
    bump = np.cos(0.5 * np.pi * along) ** 2 * share
    points = np.stack([x, y * (1.0 - shape.tumblehome * bump), z + 0.5 * shape.height + shape.cabin * bump], axis=1)
    return Mesh(points, box.cells, box.patches, name="car")


@dataclass(frozen=True)
class WingShape:
    """A wing, symmetric about y = 0; the root's quarter-chord point is the origin.

    Attributes:
        span: tip to tip [m].
        root_chord: [m].
        taper: tip chord over root chord before the tips are rounded.
        sweep: of the quarter-chord line, backward [deg].
        dihedral: tips up [deg].
        twist: angle of the tip section against the root, nose up, growing with the distance from the root [deg].
        section: four digits of NACA.
        roundness: exponent m of the tips: the chord is multiplied by sqrt(1 - |eta|^m); 2 with taper 1 is an elliptic wing.
    """

    span: float
    root_chord: float
    taper: float = 1.0
    sweep: float = 0.0
    dihedral: float = 0.0
    twist: float = 0.0
    section: str = "0012"
    roundness: float = 2.0

    def chord(self, eta: np.ndarray) -> np.ndarray:
        """Chord [m] at eta = 2 y/span in [-1, 1]."""
        eta = np.abs(eta)
        return self.root_chord * (1.0 - (1.0 - self.taper) * eta) * np.sqrt(np.maximum(1.0 - eta**self.roundness, 0.0))

    @property
    def area(self) -> float:
        """Planform area [m^2], integrated with the substitution eta = sin t."""
        node, weight = np.polynomial.legendre.leggauss(64)
        t = 0.25 * np.pi * (node + 1.0)
        return float(0.5 * self.span * 2.0 * (weight * 0.25 * np.pi * np.cos(t) * self.chord(np.sin(t))).sum())


def wing_body(shape: WingShape, n_around: int = 40, n_span: int = 38) -> tuple[Mesh, np.ndarray]:
    """A closed wing of quads, of triangles at the two points in which its rounded tips end, outward, and its trailing edge.

    Sections lie in planes of constant y, so that none meets another.

    Args:
        shape: the wing.
        n_around: points round a section, even.
        n_span: strips from tip to tip, finer towards the tips.

    Returns:
        The mesh with the patch ``wall``, and (n_span, 2) pairs of points along the trailing edge from the tip at -y.

    Raises:
        ConfigurationError: lengths, taper or roundness that are not positive, angles beyond 60 degrees, or too few points.
    """
    _require(
        min(shape.span, shape.root_chord, shape.taper) > 0 and shape.roundness >= 1 and max(abs(shape.sweep), abs(shape.dihedral)) <= 60,
        f"{shape}",
        "positive lengths and taper, a roundness >= 1, sweep and dihedral within 60 degrees",
    )
    _require(n_around >= 8 and n_around % 2 == 0 and n_span >= 4, f"{n_around} by {n_span} points", "n_around >= 8 and even, n_span >= 4")
    profile = naca4(shape.section, n_around).points - [0.25, 0.0]
    eta = -np.cos(np.pi * np.arange(n_span + 1) / n_span)
    eta[[0, -1]] = -1.0, 1.0
    y = 0.5 * shape.span * eta
    chord, twist = shape.chord(eta)[:, None], np.radians(shape.twist * np.abs(eta))[:, None]
    px, pz = profile.T
    x = chord * (px * np.cos(twist) + pz * np.sin(twist)) + np.abs(y)[:, None] * np.tan(np.radians(shape.sweep))
    z = chord * (pz * np.cos(twist) - px * np.sin(twist)) + np.abs(y)[:, None] * np.tan(np.radians(shape.dihedral))
    rows = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], axis=2)
    count = (n_span - 1) * n_around
    points = np.concatenate([rows[1:-1].reshape(-1, 3), rows[0, :1], rows[-1, :1]])
    i, j = (g.ravel() for g in np.meshgrid(np.arange(n_span - 2), np.arange(n_around), indexing="ij"))
    after = (j + 1) % n_around
    quads = np.stack([i * n_around + j, (i + 1) * n_around + j, (i + 1) * n_around + after, i * n_around + after], axis=1)
    at, last = np.arange(n_around), count - n_around
    after = (at + 1) % n_around
    first_tip, last_tip = np.full(n_around, count), np.full(n_around, count + 1)
    tips = np.concatenate([np.stack([first_tip, at, after], axis=1), np.stack([last + at, last_tip, last + after], axis=1)])
    cells = Cells.of(quad=quads, triangle=tips)
    line = np.concatenate([[count], np.arange(n_span - 1) * n_around, [count + 1]])
    return Mesh(points, cells, {"wall": cells}, name="wing"), np.stack([line[:-1], line[1:]], axis=1)


def _require(sound: bool, found: str, remedy: str) -> None:
    if not sound:
        raise ConfigurationError(f"{found} does not describe a body", where="geoop.mesh.bodies", remedy=f"give {remedy}")
