"""A mesh adapted to a field that it carries: monitor, mover, and the fields on the moved points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ..errors import ConfigurationError, FieldError
from ..fem.interpolant import Interpolant
from ..fem.simplices import corner_simplices
from ..interfaces.moving import Monitor, Moved, Mover
from ..io.writing import Written, write
from ..mesh.case import Case
from ..mesh.measure import cell_centers, cell_measures
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field
from ..solve.monitors import (
    CAP,
    SMOOTHING,
    STRENGTH,
    PointMonitor,
    arc_length_monitor,
    error_monitor,
    gradient_monitor,
    hessian_monitor,
    wall_monitor,
)
from ..solve.movers.monge_ampere import MongeAmpere
from ..solve.movers.variational import Variational
from .neural_mover import NeuralMover

#: Monitors of a field by name; ``wall`` is the one that needs none.
MONITORS: Mapping[str, Callable[..., PointMonitor]] = {
    "hessian": hessian_monitor,
    "gradient": gradient_monitor,
    "arc-length": arc_length_monitor,
    "error": error_monitor,
}
#: Classical movers by name.
MOVERS: Mapping[str, Callable[[], Mover]] = {"monge-ampere": MongeAmpere, "variational": Variational}


@dataclass(frozen=True, eq=False)
class Adapted:
    """A case on its adapted mesh.

    Attributes:
        case: the moved mesh with the fields there; boundary values that are one number per patch.
        moved: how the move went.
        imbalance: standard deviation over mean of the monitor's integral over the cells, before and after: 0 would be shared evenly.
        notes: what was not carried over, in sentences.
    """

    case: Case
    moved: Moved
    imbalance: tuple[float, float]
    notes: tuple[str, ...] = ()

    def write(self, path: str | Path) -> Written:
        """Write the case: any file of :func:`geoop.io.writing.write`."""
        return write(self.case, path)

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        keys = {"steps": self.moved.steps, "seconds": self.moved.seconds, "inverted": self.moved.inverted}
        return {"outcome": self.moved.outcome.to_dict(), **keys, "imbalance": list(self.imbalance), "notes": list(self.notes)}


def adapt(
    case: Case,
    monitor: str | Monitor = "hessian",
    mover: str | Path | Mover = "monge-ampere",
    *,
    strength: float = STRENGTH,
    cap: float = CAP,
    smoothing: float = SMOOTHING,
) -> Adapted:
    """Move the points of a mesh to where a field of it asks for them, with the same cells and patches, and bring its fields along.

    Fields at points are interpolated linearly on the old mesh; fields of cells are taken from the old cell at the new centre. The case does not change::

        adapted = geoop.adapt(geoop.read_case("field.vtu"), "hessian:temperature")
        adapted.write("adapted.vtu")

    Args:
        case: a mesh with fields.
        monitor: ``KIND:QUANTITY`` with KIND one of hessian, gradient, arc-length, error, and a field at the points; the quantity may be left out where there
            is one such field. ``wall`` or ``wall:PATCH,PATCH`` gathers points at walls. Or any :class:`~geoop.interfaces.moving.Monitor`.
        mover: ``monge-ampere`` (convex regions), ``variational`` (any region), the path of a trained mover (boxes), or any
            :class:`~geoop.interfaces.moving.Mover`.
        strength, cap, smoothing: of a monitor by name, see :func:`geoop.solve.monitors.hessian_monitor`.

    Raises:
        ConfigurationError: no such monitor or mover.
        FieldError: a field that is not there, lives elsewhere, or is not finite.
        InvalidMeshError, PatchError: a mesh that the mover cannot move.
        CheckpointError: the path is no mover.
    """
    asked = _monitor(case, monitor, (strength, cap, smoothing)) if isinstance(monitor, str) else monitor
    moved = _mover(mover).move(case.mesh, asked)
    fields, notes = _carried(case, moved.mesh)
    boundary = {patch: {name: item for name, item in data.items() if item.location == "global"} for patch, data in case.boundary.items()}
    lost = sorted({f"{name} on {patch}" for patch, data in case.boundary.items() for name in data if name not in boundary[patch]})
    notes += [f"boundary values that vary along their patch are left out: {', '.join(lost)}"] if lost else []
    found = replace(case, mesh=moved.mesh, fields=fields, boundary=boundary)
    return Adapted(found, moved, (imbalance(case.mesh, asked), imbalance(moved.mesh, asked)), tuple(notes))


def imbalance(mesh: Mesh, monitor: Monitor) -> float:
    """Standard deviation over mean of the monitor at the centre of each cell times its measure."""
    rows = np.flatnonzero(mesh.cells.dimensions == mesh.dimension)
    load = cell_measures(mesh)[rows] * monitor.at(cell_centers(mesh)[rows])
    return float(load.std() / load.mean())


def _mover(mover: str | Path | Mover) -> Mover:
    if isinstance(mover, str) and mover in MOVERS:
        return MOVERS[mover]()
    if isinstance(mover, str | Path):
        if Path(mover).suffix != ".safetensors":
            raise ConfigurationError(
                f"no mover '{mover}'", where="adapt", remedy=f"one of {', '.join(MOVERS)}, or a trained mover, MODEL.safetensors"
            )
        return NeuralMover.load(mover)
    if not isinstance(mover, Mover):
        raise ConfigurationError(f"a {type(mover).__name__} moves no mesh", where="adapt", remedy=f"one of {', '.join(MOVERS)}, or geoop.load(...)")
    return mover


def _monitor(case: Case, said: str, settings: tuple[float, float, float]) -> Monitor:
    """What KIND:QUANTITY means for a case."""
    kind, _, name = said.partition(":")
    strength, cap, smoothing = settings
    if kind == "wall":
        return wall_monitor(case.mesh, tuple(name.split(",")) if name else None, strength=strength, cap=cap)
    if kind not in MONITORS:
        raise ConfigurationError(
            f"no monitor '{kind}'", where="adapt", remedy=f"KIND:QUANTITY with one of {', '.join(MONITORS)}; or wall, wall:PATCH,PATCH"
        )
    at_points = sorted(key for key, item in case.fields.items() if item.location == "point")
    if not name and len(at_points) == 1:
        name = at_points[0]
    if name not in at_points:
        elsewhere = f" (it lives at {case.fields[name].location}s)" if name in case.fields else ""
        found = f"no field '{name}' at the points{elsewhere}" if name else f"{len(at_points)} fields at the points, and none is named"
        raise FieldError(
            found,
            where=case.name,
            remedy=f"{kind}:QUANTITY with one of {', '.join(at_points)}" if at_points else "give a file with a field at its points",
        )
    values = case.fields[name].values
    return MONITORS[kind](case.mesh, values.reshape(len(values), -1), strength=strength, cap=cap, smoothing=smoothing)


def _carried(case: Case, mesh: Mesh) -> tuple[dict[str, Field], list[str]]:
    """The fields on the moved mesh, and what was left out."""
    before = Interpolant.of(case.mesh)
    kept = {name: item for name, item in case.fields.items() if item.location == "global"}
    at_points = {name: item for name, item in case.fields.items() if item.location == "point"}
    if at_points:
        flat = {name: item.values.reshape(len(item.values), -1) for name, item in at_points.items()}
        found = before.at(np.concatenate(list(flat.values()), axis=1), mesh.points)
        starts = np.cumsum([0, *(values.shape[1] for values in flat.values())])
        for (name, item), a, b in zip(at_points.items(), starts, starts[1:], strict=False):
            kept[name] = replace(item, values=found[:, a:b].reshape(item.values.shape))
        counted = {name: item for name, item in at_points.items() if item.values.dtype.kind in "biu"}
        if counted:  # numbers of zones and the like have no values between them
            nearest = cKDTree(case.mesh.points).query(mesh.points)[1]
            kept |= {name: replace(item, values=item.values[nearest]) for name, item in counted.items()}
    in_cells = {name: item for name, item in case.fields.items() if item.location == "cell"}
    if in_cells:
        simplex = before.locate(cell_centers(mesh))[0]
        cell = corner_simplices(case.mesh)[1][simplex]  # of which each simplex is a part
        kept |= {name: replace(item, values=item.values[cell]) for name, item in in_cells.items()}
    lost = sorted(set(case.fields) - set(kept))
    return {name: kept[name] for name in case.fields if name in kept}, [f"fields on facets are left out: {', '.join(lost)}"] if lost else []
