"""The bodies of a panel system: closed loops of an outline, each with its own panels, none overlapping another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import GeoopError, InvalidMeshError
from ...mesh.body import body
from ...mesh.crossings import crossing_segments
from ...mesh.mesh import Mesh
from ...mesh.outline import loops
from .repanel import cosine_parameters
from .section_curve import SectionCurve, refuse_thin_edge, section_curve

#: Bodies nearer to each other than this part of the longest chord touch: no panel resolves such a slot.
TOUCHING = 1e-4


@dataclass(frozen=True, eq=False)
class BodyPanels:
    """The panels of one body.

    Attributes:
        curve: the section.
        parameters: (n+1,) curve parameters of the nodes.
        nodes: (n+1,) complex [m], counter-clockwise from the upper to the lower trailing edge.
        tangents: (n, 2) complex unit tangents of the curved wall at both ends of every panel.
        arc_length: (n,) length of every curved panel [m].
    """

    curve: SectionCurve
    parameters: np.ndarray
    nodes: np.ndarray
    tangents: np.ndarray
    arc_length: np.ndarray

    @classmethod
    def of(cls, curve: SectionCurve, n_panels: int | None) -> BodyPanels:
        """Cosine-clustered panels on a curve; None takes the outline's own points as nodes.

        Raises:
            ConfigurationError: too few panels.
        """
        s = curve.length if n_panels is None else cosine_parameters(curve, n_panels)
        nodes = curve.points(s)
        nodes[0], nodes[-1] = curve.ring[0], curve.ring[-1]
        tangents = np.stack([curve.tangents(s[:-1], side=1), curve.tangents(s[1:], side=-1)], axis=1)
        return cls(curve, s, nodes, tangents, _arc_lengths(curve, s))

    @property
    def blunt(self) -> bool:
        """Whether the trailing edge is a base through which fluid leaves."""
        return self.curve.gap > 0.0

    @property
    def downstream(self) -> complex:
        """Unit direction of the bisector of the trailing edge."""
        direction = self.tangents[-1, 1] - self.tangents[0, 0]
        return complex(direction / abs(direction))

    @property
    def middles(self) -> np.ndarray:
        """(n,) complex middle of every curved panel, by the cubic through its ends and tangents [m]."""
        bend = 0.125 * self.arc_length * (self.tangents[:, 0] - self.tangents[:, 1])
        return 0.5 * (self.nodes[:-1] + self.nodes[1:]) + bend

    @property
    def ring(self) -> np.ndarray:
        """(m,) complex nodes of the closed polygon, a sharp edge once."""
        return self.nodes if self.blunt else self.nodes[:-1]


def bodies_of(outline: Mesh, n_panels: int | None, smallest_edge_angle: float) -> tuple[BodyPanels, ...]:
    """Panels for every closed loop of an outline, in the order of its cells (or of its patches, where each is one loop).

    Args:
        outline: closed loops of line cells in 2-D, or a mesh whose wall patches form them.
        n_panels: per body.
        smallest_edge_angle: thinner trailing edges are refused [deg].

    Raises:
        InvalidMeshError: 3-D; loops that are open, cross themselves or have too thin an edge (all of them in one error); bodies that
            overlap, touch or contain each other.
        ConfigurationError: too few panels.
    """
    if outline.dimension != 2:
        raise InvalidMeshError("a section lies in the plane", where=outline.name, remedy="cut the 3-D body, or use the 3-D method")
    lines_only = len(outline.cells) > 0 and bool((outline.cells.dimensions == 1).all())
    outline = outline if lines_only else body(outline)
    curves, errors = [], []
    for part in _elements(outline):
        try:
            curve = section_curve(part)
            refuse_thin_edge(curve, smallest_edge_angle)
            curves.append(curve)
        except GeoopError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        found = "; ".join(f"{error.where}: {error.message}" for error in errors)
        raise InvalidMeshError(found, where=outline.name, remedy=errors[0].remedy)
    panels = tuple(BodyPanels.of(curve, n_panels) for curve in curves)
    refuse_overlaps([item.ring for item in panels], [item.curve.name for item in panels], outline.name)
    return panels


def _elements(outline: Mesh) -> list[Mesh]:
    """One mesh per loop, named after its patch, in the order of the cells."""
    found = sorted(loops(outline), key=lambda loop: int(loop.cells.min()))
    if len(found) == 1:
        return [outline]
    own = {name: np.unique(cells.connectivity) for name, cells in outline.patches.items()}
    parts = []
    for number, loop in enumerate(found, start=1):
        cells = outline.cells.take(np.sort(loop.cells))
        used = np.unique(cells.connectivity)
        name = next((key for key, points in own.items() if len(points) == len(used) and (points == used).all()), f"loop {number}")
        parts.append(outline.submesh(cells, name=f"{outline.name}, {name}" if outline.name else name, patches={}))
    return parts


def refuse_overlaps(rings: Sequence[np.ndarray], names: Sequence[str], where: str) -> None:
    """Raise if two closed polygons cross, touch or contain each other.

    Args:
        rings: (n_k,) complex vertices of every polygon [m].
        names: of the bodies.
        where: for the error.

    Raises:
        InvalidMeshError: says which bodies, how and where.
    """
    limit = TOUCHING * max(float(np.ptp(ring.real) + np.ptp(ring.imag)) for ring in rings)
    problems = []
    for j in range(1, len(rings)):
        for i in range(j):
            problem = _meeting(rings[i], rings[j], limit)
            if problem:
                problems.append(f"'{names[i]}' and '{names[j]}' {problem}")
    if problems:
        raise InvalidMeshError(
            "; ".join(problems), where=where, remedy="move the bodies apart: potential flow needs a slot between them that panels can resolve"
        )


def _meeting(a: np.ndarray, b: np.ndarray, limit: float) -> str:
    """How two polygons meet, in words; empty if they keep their distance [m]."""
    ends = [(ring, np.roll(ring, -1)) for ring in (a, b)]
    start, end = (np.concatenate([side[k] for side in ends]) for k in range(2))
    pairs = crossing_segments(*(np.stack([z.real, z.imag], axis=1) for z in (start, end)))
    pairs = pairs[(pairs[:, 0] < len(a)) & (pairs[:, 1] >= len(a))]
    if len(pairs):
        place = start[pairs[0, 0]]
        return f"overlap: their outlines cross {len(pairs)} times, first near ({place.real:.4g}, {place.imag:.4g}) m"
    if _winds_around(a, b[0]) or _winds_around(b, a[0]):
        return "lie one inside the other"
    gap = min(_clearance(a, *ends[1]), _clearance(b, *ends[0]))
    return f"touch: the slot between them is {gap:.3g} m wide" if gap < limit else ""


def _winds_around(ring: np.ndarray, point: complex) -> bool:
    turns = np.angle((np.roll(ring, -1) - point) / np.where(ring == point, 1.0, ring - point)).sum()
    return bool(abs(turns) > np.pi)


def _clearance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Shortest distance from points to segments [m]."""
    span = end - start
    u = points[:, None] - start
    share = np.clip((u * np.conj(span)).real / np.abs(span) ** 2, 0.0, 1.0)
    return float(np.abs(u - share * span).min())


def _arc_lengths(curve: SectionCurve, s: np.ndarray) -> np.ndarray:
    """(n,) length of the curve between successive parameters, by Gauss points between all knots and parameters."""
    knots = np.unique(np.concatenate([s, curve.length]))
    nodes, weights = np.polynomial.legendre.leggauss(4)
    where = knots[:-1, None] + np.diff(knots)[:, None] * 0.5 * (nodes + 1.0)
    speed = np.abs(curve.derivatives(where, side=1))
    cumulative = np.concatenate([[0.0], np.cumsum(np.diff(knots) * 0.5 * (speed @ weights))])
    return np.diff(cumulative[np.searchsorted(knots, s)])
