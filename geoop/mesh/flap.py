"""A plain flap: the rear of a section turned about a hinge on its camber line, bent smoothly so that there is no gap and no fold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..errors import ConfigurationError, InvalidMeshError
from .chord import chord_line
from .crossings import crossing_segments
from .loops import signed_area
from .mesh import Mesh
from .resample import closed_ring, resample

#: Points on which a section is bent before it gets those that are asked for.
_DENSE = 4000


def deflected(outline: Mesh, deflection: float, *, hinge: float = 0.75, blend: float = 0.05, n_points: int = 240) -> Mesh:
    """A section with its rear part turned down about a hinge.

    With u the distance behind the hinge along the chord, every point turns about the hinge by deflection * S(u), S = 0 ahead of
    -blend, 1 behind +blend and 3 t^2 - 2 t^3 between: the nose stays, the rear turns as a rigid body, and the skin between is bent
    without gap or corner. The map has the determinant 1 - S' v, v the height above the hinge, so it folds nowhere while
    deflection [rad] < 4 blend / (3 v), and the area changes by the integral of S' (v_lower^2 - v_upper^2)/2 only: the mesh's last note says by how much.

    Args:
        outline: one closed loop of line cells in 2-D.
        deflection: [deg], trailing edge down positive.
        hinge: x/c of the hinge, on the camber line.
        blend: half of the length over which the skin bends [chords].
        n_points: of the new outline, which goes through the old points on a spline.

    Returns:
        closed outline of ``n_points`` line cells, patch ``wall``, name ``NAME_flap+10``.

    Raises:
        ConfigurationError: a hinge off the chord, a blend that leaves it, a deflection beyond 60 degrees: all in one error.
        InvalidMeshError: several loops, open, or the bend would fold the skin; the message says how long a blend is needed.
    """
    problems = [] if abs(deflection) <= 60 else [f"a deflection of {deflection:g} degrees"]
    problems += [] if 0 < hinge < 1 else [f"a hinge at x/c = {hinge:g}"]
    problems += (
        [] if blend > 0 and hinge - blend > 0 and hinge + blend < 1 else [f"a blend of {blend:g} chords either side of the hinge at {hinge:g}"]
    )
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where=outline.name, remedy="give a deflection within 60 degrees and 0 < hinge - blend, hinge + blend < 1"
        )
    chord = chord_line(outline)
    axis = (chord.trailing_edge - chord.leading_edge) / chord.length
    frame = np.stack([axis, [-axis[1], axis[0]]], axis=1)
    ring = (closed_ring(resample(outline, _DENSE)) - chord.leading_edge) @ frame / chord.length
    centre = np.array([hinge, _camber_at(ring, hinge, outline.name)])
    angle = -math.radians(deflection)
    u, v = (ring - centre).T
    _refuse_folds(u, v, angle, blend, outline.name)
    share = np.clip(0.5 * (u / blend + 1.0), 0.0, 1.0)
    turn = angle * share**2 * (3.0 - 2.0 * share)
    bent = centre + np.stack([u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)], axis=1)
    if len(crossing_segments(bent, np.roll(bent, -1, axis=0))):
        raise InvalidMeshError(
            "the turned flap runs into the section", where=outline.name, remedy="take a smaller deflection or a hinge farther back"
        )
    change = signed_area(bent) / signed_area(ring) - 1.0
    dense = _as_mesh(chord.leading_edge + chord.length * bent @ frame.T, outline)
    new = resample(dense, n_points)
    note = f"flap: hinge at x/c = {hinge:g}, {deflection:+g} deg (down positive), bent over {2 * blend:g} chords; area {100 * change:+.3f} %"
    return replace(new, name=f"{outline.name}_flap{deflection:+g}", notes=(*outline.notes, note))


def _as_mesh(points: np.ndarray, outline: Mesh) -> Mesh:
    from .primitives import ring

    return replace(ring(points, outline.name), notes=outline.notes)


def _camber_at(ring: np.ndarray, x: float, where: str) -> float:
    """Height of the middle between upper and lower side at x/c."""
    after = np.roll(ring, -1, axis=0)
    cut = (ring[:, 0] <= x) != (after[:, 0] <= x)
    share = (x - ring[cut, 0]) / (after[cut, 0] - ring[cut, 0])
    heights = ring[cut, 1] + share * (after[cut, 1] - ring[cut, 1])
    if len(heights) != 2:
        raise InvalidMeshError(
            f"a line across the section at x/c = {x:g} meets its outline {len(heights)} times, a flap needs two",
            where=where,
            remedy="choose another hinge",
        )
    return float(heights.mean())


def _refuse_folds(u: np.ndarray, v: np.ndarray, angle: float, blend: float, where: str) -> None:
    """The skin folds where the determinant 1 - turn' v is not positive; the steepest turn' is 3 angle / (4 blend)."""
    near = np.abs(u) < blend
    highest = float(np.abs(v[near]).max()) if near.any() else 0.0
    least = 0.75 * abs(angle) * highest
    if least >= blend:
        raise InvalidMeshError(
            f"a turn by {math.degrees(abs(angle)):g} degrees over a blend of {blend:g} chords folds a skin {highest:.3g} chords from the hinge",
            where=where,
            remedy=f"give a blend above {least:.3g} chords, or a smaller deflection",
        )
