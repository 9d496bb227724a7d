"""A mesh adapted to a field that it carries: monitor, mover, and the fields on the moved points.

A monitor is a function of position that is found once, on the mesh that is given. Where that mesh does not resolve the field, finding it
again on the moved mesh (``updates``) gains, most where the field can be found there as well (``solve``); where it does, that loses:
derivatives on stretched cells are rougher. Gain in the L2 error of linear interpolation on 25 x 25 nodes by 0, 1 and 3 updates of the
carried field (of its formula), ``tools/benchmark moving``: ring of width .02: 2.9, 2.9, 2.9 (2.9, 3.5, 3.4); front .05: 4.3, 4.8, 4.9
(4.3, 5.1, 5.2); ring .05: 2.0, 2.0, 2.0 (2.0, 2.0, 2.0); Gaussian .05: 2.8, 2.2, 2.1 (2.8, 2.3, 2.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError, FieldError, InvalidMeshError
from ..interfaces.moving import Monitor, Moved, Mover
from ..io.writing import Written, write
from ..mesh.case import Case
from ..mesh.measure import cell_centers, cell_measures
from ..mesh.mesh import Mesh
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
from ..solve.transfer.carry import transfer
from .neural_mover import NeuralMover

#: Monitors of a field by name; ``wall`` is the one that needs none.
MONITORS: Mapping[str, Callable[..., PointMonitor]] = {
    "hessian": hessian_monitor,
    "gradient": gradient_monitor,
    "arc-length": arc_length_monitor,
    "error": error_monitor,
}
#: A monitor whose values differ by less, relative to the largest, is the same everywhere.
_EVEN = 1e-9
#: Classical movers by name.
MOVERS: Mapping[str, Callable[..., Mover]] = {"monge-ampere": MongeAmpere, "variational": Variational}


@dataclass(frozen=True, eq=False)
class Adapted:
    """A case on its adapted mesh.

    Attributes:
        case: the moved mesh with the fields there; boundary values that are one number per patch. The one that was given where the
            outcome is ``tangled``.
        moved: how the last move went; steps and seconds are those of all.
        imbalance: standard deviation over mean of the monitor's integral over the cells, relative to their measure in the mesh that was
            given, before and after: 0 would be shared evenly.
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
    steps: int | None = None,
    updates: int = 0,
    solve: Callable[[Case], Case] | None = None,
) -> Adapted:
    """Move the points of a mesh to where a field of it asks for them, with the same cells and patches, and bring its fields along.

    Fields are carried by :func:`geoop.solve.transfer.carry.transfer`: at points as the finite-element function, in cells as a function that
    is linear in every cell; a slit parts them. The case does not change::

        adapted = geoop.adapt(geoop.read_case("field.vtu"), "hessian:temperature")
        adapted.write("adapted.vtu")

    Args:
        case: a mesh with fields.
        monitor: ``KIND:QUANTITY`` with KIND one of hessian, gradient, arc-length, error, and a field at the points; the quantity may be left out where there
            is one such field. ``wall`` or ``wall:PATCH,PATCH`` gathers points at walls. Or any :class:`~geoop.interfaces.moving.Monitor`.
        mover: ``monge-ampere`` (convex regions), ``variational`` (any region), the path of a trained mover (boxes), or any
            :class:`~geoop.interfaces.moving.Mover`.
        strength, cap, smoothing: of a monitor by name, see :func:`geoop.solve.monitors.hessian_monitor`.
        steps: most that a mover by name takes; None: its own.
        updates: times that a monitor by name is found again on the moved mesh (see the head of this module); every move starts from the
            mesh that is given.
        solve: gives the fields on a moved mesh, from a case on it with the fields carried there: a solver, or a formula. Asked for every
            update and for the answer. None: carried fields are all there is.

    Raises:
        ConfigurationError: no such monitor or mover; steps or updates that it has not.
        FieldError: a field that is not there, lives elsewhere, or is not finite.
        InvalidMeshError, PatchError: a mesh that the mover cannot move; fields of ``solve`` on another mesh.
        CheckpointError: the path is no mover.
    """
    _require_updates(monitor, updates)
    way = _mover(mover, steps)
    asked = _monitor(case, monitor, (strength, cap, smoothing)) if isinstance(monitor, str) else monitor
    even = _evenness(case.mesh, asked, monitor)
    moved = way.move(case.mesh, asked)
    notes: list[str] = []
    for _ in range(0 if even or moved.outcome.status == "tangled" else updates):
        there, notes = _on(case, moved.mesh, solve)
        renewed = _monitor(there, str(monitor), (strength, cap, smoothing))
        again = way.move(case.mesh, renewed)
        again = replace(again, steps=moved.steps + again.steps, seconds=moved.seconds + again.seconds)
        if again.outcome.status == "tangled":
            notes = [*notes, f"the move after an update of the monitor is given up ({again.outcome}): that before it is kept"]
            break
        asked, moved = renewed, again
    found, lost = (case, []) if moved.mesh is case.mesh else _on(case, moved.mesh, solve)
    shares = imbalance(case.mesh, asked, case.mesh), imbalance(moved.mesh, asked, case.mesh)
    return Adapted(found, moved, shares, tuple(dict.fromkeys([*even, *notes, *lost])))


def imbalance(mesh: Mesh, monitor: Monitor, given: Mesh | None = None) -> float:
    """Standard deviation over mean of the monitor at the centre of each cell times the cell's measure.

    Args:
        mesh: the cells.
        monitor: their density.
        given: the same cells before the move: large ones there shall have large shares, as layers at a wall stay layers where nothing is
            wanted. None: every cell shall have the same share.
    """
    rows = np.flatnonzero(mesh.cells.dimensions == mesh.dimension)
    wanted = np.ones(len(rows)) if given is None else cell_measures(given)[rows]
    load = cell_measures(mesh)[rows] * monitor.at(cell_centers(mesh)[rows]) / wanted
    mean = np.average(load, weights=wanted)
    return float(np.sqrt(np.average((load - mean) ** 2, weights=wanted)) / mean)


def _require_updates(monitor: str | Monitor, updates: int) -> None:
    problems = []
    if updates < 0:
        problems.append(f"updates is {updates}")
    if updates > 0 and (not isinstance(monitor, str) or monitor.partition(":")[0] == "wall"):
        problems.append(f"updates of a monitor that is no field's ({monitor if isinstance(monitor, str) else type(monitor).__name__})")
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="adapt", remedy="0, or more for KIND:QUANTITY: other monitors answer wherever points have moved to"
        )


def _evenness(mesh: Mesh, asked: Monitor, said: str | Monitor) -> list[str]:
    """A sentence where a monitor asks for nothing, for a reader who wonders why no point has moved."""
    values = asked.at(cell_centers(mesh)[mesh.cells.dimensions == mesh.dimension])
    if not len(values) or np.ptp(values) > _EVEN * np.abs(values).max():
        return []
    what = f"'{said}'" if isinstance(said, str) else f"the {type(said).__name__}"
    flat = " (a field that is constant, or linear as far as its digits tell, asks for nothing)" if isinstance(said, str) else ""
    return [f"the monitor {what} is the same everywhere{flat}: the mesh is as even as before"]


def _mover(mover: str | Path | Mover, steps: int | None) -> Mover:
    if isinstance(mover, str) and mover in MOVERS:
        return MOVERS[mover]() if steps is None else MOVERS[mover](max_steps=steps)
    if steps is not None:
        raise ConfigurationError(
            f"{steps} steps of a mover that has its own", where="adapt", remedy=f"leave steps out, or name a mover: {', '.join(MOVERS)}"
        )
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
    at_points = sorted(key for key, item in case.fields.items() if item.location == "point")
    if kind not in MONITORS:
        meant = f"hessian:{said}" if said in at_points else f"KIND:QUANTITY with one of {', '.join(MONITORS)}; or wall, wall:PATCH,PATCH"
        raise ConfigurationError(f"no monitor '{kind}'" + (", which is a field" if said in at_points else ""), where="adapt", remedy=meant)
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


def _on(case: Case, mesh: Mesh, solve: Callable[[Case], Case] | None) -> tuple[Case, list[str]]:
    """The case on the moved mesh, and what was left out."""
    gaps = [name for name, item in case.fields.items() if item.values.dtype.kind == "f" and not np.isfinite(item.values).all()]
    facets = [name for name, item in case.fields.items() if item.location == "facet"]
    kept = {name: item for name, item in case.fields.items() if name not in (*gaps, *facets)}
    whole = {patch: {name: item for name, item in data.items() if item.location == "global"} for patch, data in case.boundary.items()}
    along = sorted(f"{name} on {patch}" for patch, data in case.boundary.items() for name in data if name not in whole[patch])
    lost = {"fields on facets": facets, "fields with values that are not finite": gaps, "boundary values that vary along their patch": along}
    notes = [f"{what} are left out: {', '.join(sorted(names))}" for what, names in lost.items() if names]
    found = transfer(replace(case, fields=kept, boundary=whole), mesh)
    if solve is None:
        return found, notes
    solved = solve(found)
    if not np.array_equal(solved.mesh.points, mesh.points):
        raise InvalidMeshError("the fields of solve are on another mesh", where="adapt", remedy="solve on the mesh of the case that is given")
    return solved, notes
