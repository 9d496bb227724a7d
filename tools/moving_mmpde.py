"""MM-PDE on Burgers' equation: what a moved mesh gains a time stepper, each time beside the same network on meshes that stay.

Truth is the solver's own grid of 240 x 240 points, sampled by splines at any points. Rates, monitors and strengths were chosen on validation series.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from moving_neural import square
from scipy.interpolate import CloughTocher2DInterpolator
from scipy.ndimage import map_coordinates, spline_filter
from scipy.sparse import csr_matrix

from geoop.fem.interpolant import Interpolant
from geoop.mesh.measure import point_weights
from geoop.mesh.mesh import Mesh
from geoop.models.moving_mesh_stepper import Gate, MovingMeshStepper, two_meshes
from geoop.solve.monitors import arc_length_monitor, gradient_monitor, hessian_monitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.train.moving_steps import PairSettings, StepSample, fit_pairs, one_step_error
from geoop.truth.datasets import burgers
from geoop.truth.transport.burgers_periodic import PeriodicBurgers

#: Series in train, validation and test together; of each every so many-th state is taken with the next one.
SERIES, EVERY = 20, {"train": 2, "val": 3, "test": 3}
#: Seeds of every training; rates of AdamW and Muon, chosen on the validation series among six pairs, for both kinds of meshes together.
SEEDS, RATES = 3, (2e-3, 1e-2)
MONITORS = {"Hessian": hessian_monitor, "gradient": gradient_monitor, "arc length": arc_length_monitor}
SPLINE = 5


@dataclass(frozen=True)
class Design:
    """What a stepper is given.

    Attributes:
        second: mesh of the second branch: ``moved``, ``unmoved``, or ``staggered`` (nodes at the centres of the squares: as much told by as many nodes).
        informed: whether the state is sampled at the second mesh's points, too; else it is interpolated.
        carried: whether the state lives on the second mesh, which then is the first one as well.
        cells: of the square of 1 m, per side.
        ghost: cells beyond each side, with the periodic solution; nothing is judged there. 0: the published set-up, which knows nothing of the other side.
        monitor, strength: of the move.
        denser: nodes per side of the second mesh over those of the first.
        gate: of the second branch.
    """

    second: str
    informed: bool = False
    carried: bool = False
    cells: int = 48
    ghost: int = 0
    monitor: str = "Hessian"
    strength: float = 5.0
    denser: float = 1.0
    gate: Gate = "global"


#: Meshes on which fronts are 0.2 to 2 cells wide, where resolution is lacking.
COARSE: dict[str, Any] = {"cells": 24, "ghost": 3}
#: Table -> row -> (design, CPU-minutes of a training). The control of every row stands beside it.
DESIGNS: dict[str, dict[str, tuple[Design, float]]] = {
    "state on its mesh, 24 cells": {
        "unmoved": (Design("unmoved", carried=True, **COARSE), 0.75),
        "moved": (Design("moved", carried=True, **COARSE), 0.75),
        "unmoved, 36 cells": (Design("unmoved", carried=True, cells=36, ghost=4), 0.75),
    },
    "state on its mesh, 24 cells, longer": {
        "unmoved": (Design("unmoved", carried=True, **COARSE), 2.0),
        "moved": (Design("moved", carried=True, **COARSE), 2.0),
    },
    "published form, 48 cells": {"unmoved": (Design("unmoved"), 1.0), "moved": (Design("moved"), 1.0)},
    "state known on both meshes, 24 cells": {
        "staggered": (Design("staggered", informed=True, **COARSE), 0.75),
        "moved": (Design("moved", informed=True, **COARSE), 0.75),
    },
    "published form, 24 cells": {
        "unmoved": (Design("unmoved", **COARSE), 0.75),
        "moved": (Design("moved", **COARSE), 0.75),
        "unmoved, gate by place": (Design("unmoved", gate="place", **COARSE), 0.75),
        "moved, gate by place": (Design("moved", gate="place", **COARSE), 0.75),
        "unmoved, 1.4 times as dense": (Design("unmoved", denser=1.4, **COARSE), 0.75),
        "moved, 1.4 times as dense": (Design("moved", denser=1.4, **COARSE), 0.75),
    },
    "state on its mesh, 48 cells": {
        "unmoved": (Design("unmoved", carried=True, ghost=3), 1.0),
        "moved": (Design("moved", carried=True, ghost=3), 1.0),
    },
}


def measure(output: Path, once: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]) -> None:
    """What states lose on meshes; trainings of every design over the seeds. ``once(key, make)`` makes and keeps a row unless there is one."""
    torch.set_num_threads(1)
    folder = output / "burgers-fine"
    for cells in (24, 32, 48):
        once(f"mm-pde/cost of a step/{cells} cells", lambda c=cells: cost(Design("moved", carried=True, cells=c, ghost=3), folder))
        once(f"mm-pde/error of states, {cells} cells/unmoved", lambda c=cells: diagnosis(Design("unmoved", cells=c, ghost=3), folder))
        for monitor, strength in (("Hessian", 5.0), ("Hessian", 20.0), ("gradient", 5.0), ("arc length", 5.0)):
            moved = Design("moved", cells=cells, ghost=3, monitor=monitor, strength=strength)
            once(f"mm-pde/error of states, {cells} cells/moved, {monitor} {strength:g}", lambda d=moved: diagnosis(d, folder))
    for table, rows in DESIGNS.items():
        for name, (design, minutes) in rows.items():
            sets: dict[str, list[JudgedSample]] = {}
            for seed in range(SEEDS):
                once(
                    f"mm-pde/{table}/{name}, seed {seed}",
                    lambda d=design, m=minutes, s=seed, kept=sets: tested_row(d, folder, kept, s, m),
                )


def tested_row(design: Design, folder: Path, sets: dict[str, list[JudgedSample]], seed: int, minutes: float) -> dict[str, Any]:
    """A row of a training, judged on the series of test; ``sets`` keeps the samples of a design for its other seeds."""
    if not sets:
        sets.update(train=samples(design, "train", folder), judged=samples(design, "test", folder, fine=True))
    model, row = trained_row(design, sets, seed, RATES, minutes)
    return row | (rolled(model, design, folder) if design.carried and design.ghost else {})


@dataclass(frozen=True, eq=False)
class JudgedSample:
    """A pair of states with the fine truth that the answer is judged by.

    Attributes:
        step: the pair.
        at: matrix from values at the original nodes to those of their linear interpolant at the fine points in the square.
        truth: (q, 2) the state after at the fine points [m/s].
    """

    step: StepSample
    at: csr_matrix
    truth: np.ndarray

    def fine_error(self, values: np.ndarray) -> float:
        """Mean square, over the square, of what the linear interpolant of values at the nodes misses."""
        return float(((self.at @ values - self.truth) ** 2).mean())

    def smooth_error(self, values: np.ndarray) -> float:
        """The same of a cubic interpolant with continuous slopes (Clough and Tocher's) between the nodes: kinder to smooth states."""
        nodes = self.step.meshes.original.pos.double().numpy()
        return float(((CloughTocher2DInterpolator(nodes, values)(_fine_points()) - self.truth) ** 2).mean())


class FineSeries:
    """A series of the set on the solver's grid, at any points and frames; kept on disk."""

    def __init__(self, folder: Path, name: str, seed: int = 0) -> None:
        file, self.name = folder / f"{name}.npy", name
        self.viscosity = burgers.drawn(seed, name)["viscosity"]
        if not file.exists():
            size = burgers.FINE_OUTSIDE if "_ood_" in name else burgers.FINE
            solver = PeriodicBurgers(size, viscosity=self.viscosity, length=burgers.LENGTH)
            start = burgers.initial(seed, name, solver.points).T.reshape(2, size, size)
            folder.mkdir(parents=True, exist_ok=True)
            np.save(file, solver.solve(start, burgers.INTERVAL * np.arange(burgers.FRAMES)).astype(np.float32))
        self.values = np.load(file, mmap_mode="r")

    def at(self, frame: int, points: np.ndarray) -> np.ndarray:
        """(n, 2) velocities [m/s] at points (n, 2) [m] anywhere in the periodic plane."""
        size = self.values.shape[-1]
        places = points.T * size
        return np.stack([map_coordinates(part, places, order=SPLINE, mode="grid-wrap", prefilter=False) for part in self._splines(frame)], axis=1)

    @lru_cache(maxsize=2)  # noqa: B019  a series is short-lived
    def _splines(self, frame: int) -> list[np.ndarray]:
        return [spline_filter(np.asarray(part, dtype=np.float64), order=SPLINE, mode="grid-wrap") for part in self.values[frame]]


def names(split: str) -> list[str]:
    """Series of a split of the set."""
    plan = burgers.plan(SERIES * burgers.FRAMES, 0)
    return sorted({frame.rsplit("_t", 1)[0] for frame in plan.splits[split]})


def base_mesh(design: Design, factor: float = 1.0) -> Mesh:
    """The mesh that stays: squares cut into triangles, with ghost cells round the square of 1 m."""
    cells = round(factor * (design.cells + 2 * design.ghost))
    beyond = design.ghost / design.cells
    mesh = square(cells + 1, length=1.0 + 2.0 * beyond)
    return mesh.moved(mesh.points - beyond)


def staggered_mesh(design: Design) -> Mesh:
    """Nodes at the centres of the squares of the base mesh, and on its sides."""
    base = base_mesh(design)
    low, high = base.bounds
    count = design.cells + 2 * design.ghost
    place = np.concatenate([[0.0], (np.arange(count) + 0.5) / count, [1.0]])
    mesh = square(count + 2)
    number = np.round(mesh.points * (count + 1)).astype(int)
    return mesh.moved(low + (high - low) * place[number])


def moved_mesh(design: Design, base: Mesh, mesh: Mesh, values: np.ndarray) -> Mesh:
    """The base mesh moved for values at the points of a mesh."""
    return MongeAmpere().move(base, MONITORS[design.monitor](mesh, values, strength=design.strength)).mesh


def second_mesh(design: Design, mesh: Mesh, values: np.ndarray) -> Mesh:
    """Mesh of the second branch, for values at the points of a mesh."""
    if design.second == "staggered":
        return staggered_mesh(design)
    base = base_mesh(design, design.denser)
    return moved_mesh(design, base, mesh, values) if design.second == "moved" else base


def told(viscosity: float) -> torch.Tensor:
    """The condition of a series."""
    return torch.tensor([np.log(viscosity / 0.0055) / 0.35], dtype=torch.float32)


def samples(design: Design, split: str, folder: Path, *, fine: bool = False) -> list[JudgedSample]:
    """Pairs of states of a split; ``fine`` keeps the fine truth beside them."""
    found, base = [], base_mesh(design)
    grid = _fine_points()
    for name in names(split):
        series = FineSeries(folder, name)
        for k in range(0, burgers.FRAMES - 1, EVERY[split]):
            second = second_mesh(design, base, series.at(k, base.points))
            mesh = second if design.carried else base
            before, after = series.at(k, mesh.points), series.at(k + 1, mesh.points)
            known = _single(series.at(k, second.points)) if design.informed else None
            judged = _single(_inside(mesh)) if design.ghost else None
            step = StepSample(
                _single(before), _single(after), told(series.viscosity), two_meshes(MovingMeshStepper(2, 1), mesh, second), known, judged
            )
            at = _evaluation(mesh, grid) if fine else csr_matrix((0, 0))
            found.append(JudgedSample(step, at, series.at(k + 1, grid) if fine else grid[:0]))
    return found


def trained_row(
    design: Design, sets: dict[str, list[JudgedSample]], seed: int, rates: tuple[float, float], minutes: float
) -> tuple[MovingMeshStepper, dict[str, Any]]:
    """One training of a stepper, and its row: errors on the split ``judged`` of ``sets`` beside those of a state that stays as it is."""
    train, judged = [s.step for s in sets["train"]], sets["judged"]
    change = float(np.mean([float(s.mean_square(s.after - s.before)) for s in train]))
    torch.manual_seed(seed)
    model = MovingMeshStepper(2, 1, width=32, edge_width=16, depth=2, scale=change**0.5, gate=design.gate)
    begun = time.process_time()
    how = PairSettings(cpu_minutes=minutes, batch=1, seed=seed, rate=rates[0], muon_rate=rates[1])
    history = fit_pairs(model, train, how, progress=False)
    spent = time.process_time() - begun
    row: dict[str, Any] = {"mse": one_step_error(model, [s.step for s in judged])}
    row["persistence"] = float(np.mean([float(s.step.mean_square(s.step.after - s.step.before)) for s in judged]))
    with torch.no_grad():
        answers = [model(s.step.before, s.step.conditions[None], s.step.meshes, s.step.known).double().numpy() for s in judged]
    row["fine_mse"] = float(np.mean([s.fine_error(a) for s, a in zip(judged, answers, strict=True)]))
    row["fine_mse_of_truth_at_nodes"] = float(np.mean([s.fine_error(s.step.after.double().numpy()) for s in judged]))
    row["smooth_mse"] = float(np.mean([s.smooth_error(a) for s, a in zip(judged, answers, strict=True)]))
    row["smooth_mse_of_truth_at_nodes"] = float(np.mean([s.smooth_error(s.step.after.double().numpy()) for s in judged]))
    meshes = judged[0].step.meshes
    row |= {"nodes": len(meshes.original), "second_nodes": len(meshes.moved), "parameters": sum(p.numel() for p in model.parameters())}
    row["gate"] = float(model.gate.detach()) if design.gate == "global" else None
    return model, row | {"steps": 20 * len(history), "cpu_seconds": spent}


def rollout(model: MovingMeshStepper, design: Design, series: FineSeries, start: int, steps: int, cubic: bool = False) -> list[float]:
    """(steps,) mean square errors in the fine truth of a stepper whose state lives on its mesh and is carried to the next one, linearly or by cubics.

    It is given the state at the start alone; every mesh is moved for the stepper's own state.
    """
    base, grid, errors = base_mesh(design), _fine_points(), []
    mesh = second_mesh(design, base, series.at(start, base.points))
    values = series.at(start, mesh.points)
    for k in range(1, steps + 1):
        with torch.no_grad():
            values = model(_single(values), told(series.viscosity)[None], two_meshes(model, mesh, mesh)).double().numpy()
        errors.append(float(((_evaluation(mesh, grid) @ values - series.at(start + k, grid)) ** 2).mean()))
        following = second_mesh(design, mesh, values)
        # beyond the square the state is that of the other side; nothing else is known of it there
        places = following.points - np.floor(following.points) * ((following.points < -1e-9) | (following.points > 1 + 1e-9))
        values = CloughTocher2DInterpolator(mesh.points, values)(places) if cubic else Interpolant.of(mesh).at(values, places)
        mesh = following
    return errors


def rolled(model: MovingMeshStepper, design: Design, folder: Path, split: str = "test") -> dict[str, float]:
    """Mean square errors after 1, 5 and 10 steps from frames 5 and 15 of every series of a split, and of states that stay as they are."""
    grid, found, smooth, stays = _fine_points(), [], [], []
    for name in names(split):
        series = FineSeries(folder, name)
        for start in (5, 15):
            found.append(rollout(model, design, series, start, 10))
            smooth += [rollout(model, design, series, start, 10, cubic=True)] if design.second == "moved" else []
            stays.append(float(((series.at(start + 10, grid) - series.at(start, grid)) ** 2).mean()))
    row = {f"rollout, {k}": float(np.mean(found, axis=0)[k - 1]) for k in (1, 5, 10)}
    row |= {f"rollout carried by cubics, {k}": float(np.mean(smooth, axis=0)[k - 1]) for k in (1, 5, 10) if smooth}
    return row | {"persistence, 10": float(np.mean(stays))}


def diagnosis(design: Design, folder: Path) -> dict[str, Any]:
    """What linear interpolation loses of validation states on a mesh that was moved for them, and of the states that a second branch is told."""
    base, grid, rows = base_mesh(design), _fine_points(), []
    for name in names("val"):
        series = FineSeries(folder, name)
        for k in range(3, burgers.FRAMES - 1, 6):
            before = series.at(k, base.points)
            mesh = second_mesh(design, base, before)
            at, now, then = _evaluation(mesh, grid), series.at(k, grid), series.at(k + 1, grid)
            pairs = ((at @ series.at(k, mesh.points), now), (at @ series.at(k + 1, mesh.points), then))
            interpolated = at @ Interpolant.of(base).at(before, mesh.points)
            rows.append([float(((a - b) ** 2).mean()) for a, b in (*pairs, (interpolated, now), (now, then))])
    same, following, told_it, change = np.mean(rows, axis=0).tolist()
    return {"nodes": len(base.points), "state": same, "state after": following, "state interpolated from the unmoved": told_it, "change": change}


def cost(design: Design, folder: Path) -> dict[str, Any]:
    """CPU-seconds of a move, of what is made ready for two meshes, and of the networks' step; the least of five, for a validation state with fronts."""
    series, base, spent = FineSeries(folder, names("val")[0]), base_mesh(design), []
    values, model = series.at(15, base.points), MovingMeshStepper(2, 1, width=32, edge_width=16, depth=2)
    for _ in range(5):
        times = [time.process_time()]
        mesh = second_mesh(design, base, values)
        times.append(time.process_time())
        ready = two_meshes(model, mesh, mesh)
        times.append(time.process_time())
        with torch.no_grad():
            model(_single(values), told(series.viscosity)[None], ready)
        spent.append(np.diff([*times, time.process_time()]))
    move, prepare, step = np.min(spent, axis=0).tolist()
    return {"nodes": len(base.points), "move": move, "prepare": prepare, "networks": step}


def _fine_points() -> np.ndarray:
    """(120^2, 2) points of the square, at none of its lines of symmetry."""
    place = (np.arange(120) + 0.25) / 120
    return np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1).reshape(-1, 2)


def _single(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _inside(mesh: Mesh) -> np.ndarray:
    """(n,) area of every point that lies in the square of 1 m, 0 for those beyond."""
    inside = ((mesh.points > -1e-9) & (mesh.points < 1 + 1e-9)).all(axis=1)
    return point_weights(mesh) * inside


def _evaluation(mesh: Mesh, points: np.ndarray) -> csr_matrix:
    """Matrix from values at the nodes to those of the linear interpolant at points."""
    linear = Interpolant.of(mesh)
    cell, share = linear.locate(points)
    rows = np.repeat(np.arange(len(points)), share.shape[1])
    return csr_matrix((share.ravel(), (rows, linear.cells[cell].ravel())), shape=(len(points), len(mesh.points)))
