"""Cases on a mesh that moves in time, the velocity of its points, and the volume that its sides sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...errors import ConfigurationError, ConvergenceError, InvalidMeshError
from ...interfaces.moving import Deformer
from ...mesh.case import Case, Series
from ...mesh.cells import Cells
from ...mesh.measure import signed_measures
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field, Quantity
from ...mesh.topology import sides
from .motions import Motion

MESH_VELOCITY = Quantity("mesh_velocity", "w", "m/s", 1)

#: Called with (step, steps) as a series is made.
Progress = Callable[[int, int], None]


def moving_series(
    case: Case, motion: Mapping[str, Motion], times: Sequence[float] | np.ndarray, deformer: Deformer, *, progress: Progress | None = None
) -> Series:
    """A case at several times on the mesh that follows its moving patches, with the field ``mesh_velocity`` [m/s] at the points.

    Every mesh is deformed from the case's own, the one at rest: nothing drifts, and a motion that comes back brings back the mesh.
    The velocity between two times is that of straight lines, w = (x_new - x_old)/dt, which keeps the geometric conservation law:
    :func:`swept_measures` add up to the change of every cell (Thomas and Lombard, AIAA J. 17 (1979) 1030). Each case has the velocity
    of the interval that ends there, the first one that of the interval that begins.

    Args:
        case: mesh at rest, and what is the same at all times; its fields are kept.
        motion: patch -> what its points do.
        times: [s], increasing, two or more.
        deformer: that carries the inside along.
        progress: told of every step.

    Raises:
        ConfigurationError: times that do not increase, or fewer than two.
        ConvergenceError: the mesh tangles at one of the times, which is named.
        The errors of :func:`geoop.solve.deformers.stepping.carried`.
    """
    moments = np.asarray(times, dtype=np.float64)
    if moments.ndim != 1 or len(moments) < 2 or not np.isfinite(moments).all() or not (np.diff(moments) > 0).all():
        raise ConfigurationError(f"{len(moments)} times that do not increase", where="moving_series", remedy="give two or more increasing times [s]")
    rest, places = case.mesh, []
    for step, time in enumerate(moments):
        shift = {patch: item.displacement(rest.points[rest.patch_points(patch)], float(time)) for patch, item in motion.items()}
        moved = deformer.deform(rest, shift)
        if not moved.outcome.ok:
            raise ConvergenceError(
                f"at time {time:.6g} s: {moved.outcome.status} ({moved.outcome.detail})", where=rest.name, remedy=moved.outcome.remedy
            )
        places.append(moved.mesh)
        if progress is not None:
            progress(step + 1, len(moments))
    speeds = [(after.points - before.points) / dt for before, after, dt in zip(places[:-1], places[1:], np.diff(moments), strict=True)]
    cases = [
        replace(case, mesh=mesh, time=float(time)).with_fields(Field(MESH_VELOCITY, speed))
        for mesh, time, speed in zip(places, moments, [speeds[0], *speeds], strict=True)
    ]
    return Series(moments, tuple(cases))


def swept_measures(before: Mesh, after: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """What every side of every cell sweeps as its points go straight from one mesh to the other, outward positive.

    The sum over the sides of a cell is the change of its measure, to rounding: the geometric conservation law. Divided by the time
    it is the flux of the mesh velocity through the side that a finite-volume scheme on a moving mesh must subtract.

    Returns:
        (s,) measures [m^d], in the order of :func:`geoop.mesh.topology.sides` of the mesh before, and (s,) the cell of each.

    Raises:
        InvalidMeshError: meshes of different cells, or cells that do not fill the space or have polygonal faces.
    """
    if not before.same_cells(after):
        raise InvalidMeshError("the meshes have different points or cells", where=after.name, remedy="give one mesh at two times")
    if before.cell_dimension != before.dimension or before.cells.faces is not None:
        raise InvalidMeshError(f"{before.cells.names} sweep nothing", where=before.name, remedy="give cells that fill the space, no polyhedra")
    listed = sides(before, np.arange(len(before.points)))
    n, rows = len(before.points), listed.corners
    both = np.concatenate([before.points, after.points])
    swept = np.zeros(len(rows))
    for size, kind in {2: {2: "quad"}, 3: {3: "wedge", 4: "hexahedron"}}[before.dimension].items():
        index = np.flatnonzero((rows >= 0).sum(axis=1) == size)
        if not len(index):
            continue
        start = rows[index, :size]
        ring = np.concatenate([start, start[:, ::-1] + n if size == 2 else start + n], axis=1)
        swept[index] = signed_measures(Mesh(both, Cells.of({kind: ring})))
    # an edge of a counter-clockwise cell has the inside on its left: the quad (a, b, b', a') is positive where it moves in
    return (-swept if before.dimension == 2 else swept) * _outward(before, listed.owner), listed.owner


def _outward(mesh: Mesh, owner: np.ndarray) -> np.ndarray:
    """(s,) 1 where the sides of a cell run round it as those of a positive one, -1 for cells that are turned over."""
    return np.where(signed_measures(mesh)[owner] < 0, -1.0, 1.0)
