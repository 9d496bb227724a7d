"""A case in named numbers: its conditions, and the shape of its dimensionless body. Names carry units as field labels do."""

from __future__ import annotations

import numpy as np

from ..errors import InvalidMeshError
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.distance.kept import Kept
from ..mesh.measure import area_vectors, cell_fluxes, cell_measures, point_weights
from ..mesh.mesh import Mesh
from ..mesh.outline import ChordLine, chord_line, loops, oriented
from ..mesh.topology import cell_components, sides, welded
from .conditions import scalar_conditions
from .extent import largest_extent


def describe(case: Case) -> dict[str, float]:
    """Descriptors of any plane section or surface in space; none depends on the unit of length, the speed or the density.

    Conditions: in the plane ``alpha_to_chord [deg]``, as predictors see the flow in the frame of the chord; in space ``alpha [deg]``
    and ``beta [deg]``; and :func:`~geoop.scaling.conditions.scalar_conditions`.
    Shapes: see :func:`describe_section` and :func:`describe_surface`. A section has the same descriptors however it is turned.

    Raises:
        InvalidMeshError: the body is a bare point cloud, or has no extent.
    """
    surface = body(case.mesh, case.wall)
    point = case.operating_point
    if surface.dimension == 2:
        chord = chord_line(surface)
        angle = (point.alpha if point else 0.0) + chord.angle
        # a section that points forward has a chord near 180 degrees: its angles of attack go round
        angles = {"alpha_to_chord [deg]": angle if abs(angle) <= 180.0 else float((angle + 180.0) % 360.0 - 180.0)}
        shape = _sections(surface)
    else:
        angles = {"alpha [deg]": point.alpha, "beta [deg]": point.beta} if point else {}
        shape = describe_surface(surface)
    return {**angles, **scalar_conditions(case), **shape}


def describe_section(outline: Mesh, chord: ChordLine | None = None) -> dict[str, float]:
    """Shape of one or several loops in the plane, lengths in chords.

    ``thickness`` and ``camber`` are those of the envelope above the chord line; ``nose_radius`` is that of the parabola with
    the thickness at 1 % chord; ``bodies`` counts loops and ``open_ends`` the ends of loops that are not closed.
    """
    chord = chord or chord_line(outline)
    axis = (chord.trailing_edge - chord.leading_edge) / chord.length
    relative = (outline.points - chord.leading_edge) / chord.length
    # turned into the chord line: x from nose to tail, y towards the upper side
    points = np.stack([relative @ axis, relative @ np.array([-axis[1], axis[0]])], axis=1)
    found = loops(outline)
    segments = [
        np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)[: None if loop.closed else -1] for loop in found for ring in [points[loop.points]]
    ]
    stations = np.concatenate([[0.01], np.linspace(0.02, 0.98, 97)])
    lower, upper = _envelope(np.concatenate(segments), stations)
    thickness, camber = upper - lower, 0.5 * (upper + lower)
    thickest = int(np.argmax(thickness))
    turned = oriented(outline.moved(relative))
    return {
        "thickness [1]": float(thickness[thickest]),
        "thickness_position [1]": float(stations[thickest]),
        "front_camber [1]": float(np.interp(0.25, stations, camber)),
        "mid_camber [1]": float(np.interp(0.5, stations, camber)),
        "aft_camber [1]": float(np.interp(0.75, stations, camber)),
        "trailing_edge_angle [deg]": chord.trailing_edge_angle,
        "nose_radius [1]": float(thickness[0] ** 2 / (8 * stations[0])),
        "area [1]": float(cell_fluxes(turned).sum()),
        "perimeter [1]": float(cell_measures(turned)[turned.cells.dimensions == 1].sum()),
        "bodies [1]": float(len(found)),
        "open_ends [1]": float(2 * sum(not loop.closed for loop in found)),
    }


#: A section is described anew for every condition that it is asked at.
_sections = Kept(describe_section, size=64)


def _envelope(segments: np.ndarray, stations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest crossing of segments (m, 2, 2) with vertical lines at x = stations; interpolated where there is none."""
    a, b = segments[:, 0], segments[:, 1]
    run = np.where(a[:, 0] == b[:, 0], 1.0, b[:, 0] - a[:, 0])
    x = stations[:, None]
    cut = (np.minimum(a[:, 0], b[:, 0]) <= x) & (np.maximum(a[:, 0], b[:, 0]) >= x)
    y = a[:, 1] + np.clip((x - a[:, 0]) / run, 0, 1) * (b[:, 1] - a[:, 1])
    low, high = np.where(cut, y, np.inf).min(axis=1), np.where(cut, y, -np.inf).max(axis=1)
    hit = np.isfinite(low)
    return np.interp(stations, stations[hit], low[hit]), np.interp(stations, stations[hit], high[hit])


def describe_surface(surface: Mesh) -> dict[str, float]:
    """Shape of a surface in space, lengths in largest extents.

    ``length_x``, ``width_y`` and ``height_z`` say how it lies in the axes of the flow; ``frontal_area``, ``side_area`` and
    ``plan_area`` are half the sums of the facets projected along x, y and z; ``second_axis`` and ``third_axis`` the radii of inertia
    of the surface relative to the largest one; ``centroid_x`` and ``centroid_z`` where its centroid lies from the middle of its box;
    ``bodies`` counts connected parts; ``open_area`` is the share of area that is missing to close it.
    """
    if not surface.is_surface:
        raise InvalidMeshError("descriptors need a surface, this is a point cloud", where=surface.name, remedy="reconstruct a surface first")
    length = largest_extent(surface.points)
    scaled = oriented(surface.moved((surface.points - surface.points.mean(axis=0)) / length))
    vectors, measures = area_vectors(scaled), cell_measures(scaled)
    facets = scaled.cells.dimensions == 2
    total = measures[facets].sum()
    if not total > 0:
        raise InvalidMeshError("the surface has no area", where=surface.name, remedy="look at it with `geoop inspect FILE`")
    weights = point_weights(scaled)[:, None] / total
    middle = (weights * scaled.points).sum(axis=0)
    offset = scaled.points - middle
    inertia = np.sqrt(np.maximum(np.linalg.eigvalsh((weights * offset).T @ offset)[::-1], 0.0))
    box = np.ptp(scaled.points, axis=0)
    projected = 0.5 * np.abs(vectors).sum(axis=0)
    corners = scaled.points.min(axis=0) + 0.5 * box
    parts = cell_components(sides(scaled, welded(scaled.points)), len(scaled.cells))[facets]
    return {
        "length_x [1]": float(box[0]),
        "width_y [1]": float(box[1]),
        "height_z [1]": float(box[2]),
        "frontal_area [1]": float(projected[0]),
        "side_area [1]": float(projected[1]),
        "plan_area [1]": float(projected[2]),
        "area [1]": float(total),
        "volume [1]": float(cell_fluxes(scaled).sum()),
        "radius_of_inertia [1]": float(inertia[0]),
        "second_axis [1]": float(inertia[1] / inertia[0]),
        "third_axis [1]": float(inertia[2] / inertia[0]),
        "centroid_x [1]": float(middle[0] - corners[0]),
        "centroid_z [1]": float(middle[2] - corners[2]),
        "bodies [1]": float(len(np.unique(parts))),
        "open_area [1]": float(np.linalg.norm(vectors.sum(axis=0)) / total),
    }
