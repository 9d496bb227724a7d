"""What the neural movers gain, against a converged mover on the same fields, on fields and meshes that they were never shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from moving_fields import FIELDS as KNOWN

from geoop.interfaces.moving import Mover
from geoop.mesh.cells import Cells
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.models.branch_trunk_mover import BranchTrunkMover
from geoop.models.mesh_mover import AbstractMeshMover, UnrolledMover
from geoop.results.neural_mover import NeuralMover
from geoop.results.surrogate import load
from geoop.solve.monitors import hessian_monitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.train.mesh_moving import MovingSettings, fit_mover
from geoop.train.monitor_family import LayeredField, drawn_monitors

Function = Callable[[np.ndarray], np.ndarray]
#: The five fields of the issue.
FIELDS: dict[str, Function] = {{"front": "front .05", "Gaussian": "Gaussian .05"}.get(name, name): field for name, field in KNOWN.items()}
#: Fields to be tested on, per family; monitors to be trained on.
CASES, MONITORS = 24, 512
#: CPU-minutes of training of a mover.
MINUTES = 6.0


def measure(output: Path, once: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]) -> None:
    """Trainings, gains and costs of the movers. ``once(key, make)`` makes and keeps a row unless there is one."""
    torch.set_num_threads(1)
    movers: dict[str, Mover] = {"Monge-Ampere by finite elements": MongeAmpere()}
    for name, model in models().items():
        if name.startswith("iteration"):
            movers[name] = NeuralMover(model)
            continue
        file = output / "movers" / f"{name.replace(' ', '-')}.safetensors"

        def train(model: AbstractMeshMover = model, file: Path = file) -> dict[str, Any]:
            file.parent.mkdir(parents=True, exist_ok=True)
            made, about = trained(model, MINUTES, folder=file.parent / file.stem)
            made.save(file)
            return about

        once(f"neural/training/{name}", train)
        if file.exists():
            movers[name] = load(file)
    for mesh in (square(48), unstructured(0.02)):
        for row in compared(movers, hessian_monitor, mesh):
            once(f"neural/{mesh.name or 'unstructured'}, {row['fields']}/{row['mover']}", lambda row=row: row)
    for field in ("ring .05", "ring .02"):
        for row in cost(movers, hessian_monitor, (48, 142, 317), field):
            once(f"neural/cost, {field}, {row['points']} points/{row['mover']}", lambda row=row: row)


def waving_front(random: np.random.Generator) -> Function:
    """A front along a sine curve: curvature of both signs, no term of the family has it."""
    y0, a, k, phase = random.uniform(0.35, 0.65), random.uniform(0.05, 0.2), random.integers(1, 4), random.uniform(0, 2 * np.pi)
    width, turned = 0.02 * 4 ** random.random(), random.random() < 0.5
    x, y = (1, 0) if turned else (0, 1)
    return lambda p: np.tanh((p[..., y] - y0 - a * np.sin(2 * np.pi * k * p[..., x] + phase)) / width)


def two_scales(random: np.random.Generator) -> Function:
    """A slow wave of the whole square under ripples inside one spot."""
    centre, size, k = random.uniform(0.3, 0.7, size=2), random.uniform(0.08, 0.15), random.uniform(15, 30)
    angle, ratio = random.uniform(0, np.pi), random.uniform(0.1, 0.5)
    n = np.array([np.cos(angle), np.sin(angle)])

    def value(p: np.ndarray) -> np.ndarray:
        spot = np.exp(-0.5 * ((p - centre) ** 2).sum(axis=-1) / size**2)
        return np.sin(np.pi * p[..., 0]) * np.cos(np.pi * p[..., 1]) + ratio * spot * np.sin(k * (p @ n))

    return value


def family(random: np.random.Generator) -> Function:
    """A field of the training family."""
    return LayeredField.drawn(random).value


FAMILIES: dict[str, Callable[[np.random.Generator], Function]] = {"family": family, "waving front": waving_front, "two scales": two_scales}


def square(n: int, *, length: float = 1.0) -> Mesh:
    """(n, n) points, squares cut along alternating diagonals, with sides left, right, bottom, top."""
    x = length * np.linspace(0, 1, n)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(n * n).reshape(n, n)
    a, b, c, d = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    even = (np.add.outer(np.arange(n - 1), np.arange(n - 1)) % 2 == 0)[..., None]
    first = np.where(even, np.stack([a, b, c], axis=-1), np.stack([a, b, d], axis=-1))
    second = np.where(even, np.stack([a, c, d], axis=-1), np.stack([b, c, d], axis=-1))
    sides = {"left": number[0, ::-1], "right": number[-1], "bottom": number[:, 0], "top": number[::-1, -1]}
    patches = {key: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for key, row in sides.items()}
    return Mesh(points, Cells.of(triangle=np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)])), patches, name=f"square-{n}")


def unstructured(size: float) -> Mesh:
    """Triangles of gmsh in the unit square."""
    corners = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    ring = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    outline = Mesh(corners, Cells.of(line=ring), {name: Cells.of(line=ring[k : k + 1]) for k, name in enumerate(("bottom", "right", "top", "left"))})
    return mesh_inside(outline, size=size, wall_size=size)


def interpolation_error(mesh: Mesh, function: Function, cuts: int = 6) -> float:
    """L2 norm of what linear interpolation on the triangles misses of a function; midpoints of cuts^2 smaller triangles in each."""
    thirds = [((i + k) / cuts, (j + k) / cuts) for k in (1 / 3, 2 / 3) for i in range(cuts) for j in range(cuts - i - (k > 0.5))]
    first = np.array(thirds)
    weight = np.column_stack([1 - first.sum(axis=1), first])
    cells = mesh.cells.block("triangle")
    area, corners = np.abs(signed_measures(mesh)), function(mesh.points)[cells]
    total = np.zeros(len(cells))
    for w in weight:
        total += (function(np.einsum("k,tkd->td", w, mesh.points[cells])) - corners @ w) ** 2
    return float(np.sqrt((total / len(weight) * area).sum()))


def gains(mover: Mover, monitor_of: Callable[[Mesh, np.ndarray], Any], mesh: Mesh, functions: Mapping[str, Function]) -> dict[str, dict[str, float]]:
    """Per function: error unmoved over error moved, inverted cells, seconds of the move (without the monitor's making), share of the way."""
    found = {}
    for name, function in functions.items():
        monitor = monitor_of(mesh, function(mesh.points))
        begun = time.perf_counter()
        moved = mover.move(mesh, monitor)
        seconds = time.perf_counter() - begun
        inverted = int((signed_measures(moved.mesh) * signed_measures(mesh) <= 0).sum())
        gain = interpolation_error(mesh, function) / interpolation_error(moved.mesh, function)
        found[name] = {"gain": gain, "inverted": inverted, "seconds": seconds, "whole": float(moved.outcome.status == "converged")}
    return found


def compared(
    movers: Mapping[str, Mover], monitor_of: Callable[[Mesh, np.ndarray], Any], mesh: Mesh, *, cases: int = CASES, seed: int = 77
) -> list[dict[str, Any]]:
    """Rows (mover, fields): median and worst share of the first mover's gain, over random fields of every family and the five fields of the issue."""
    random, rows = np.random.default_rng(seed), []
    sets = {name: {str(k): draw(random) for k in range(cases)} for name, draw in FAMILIES.items()} | {name: {name: f} for name, f in FIELDS.items()}
    for fields, functions in sets.items():
        reference: np.ndarray | None = None
        for name, mover in movers.items():
            found = list(gains(mover, monitor_of, mesh, functions).values())
            gain = np.array([row["gain"] for row in found])
            reference = gain if reference is None else reference
            rows.append(
                {
                    "mover": name,
                    "fields": fields,
                    "cases": len(found),
                    "mesh": mesh.name,
                    "points": len(mesh.points),
                    "gain": float(np.median(gain)),
                    "share": float(np.median(gain / reference)),
                    "share_of_means": float(gain.mean() / reference.mean()),
                    "worst_share": float((gain / reference).min()),
                    "worst_gain": float(gain.min()),
                    "inverted": int(sum(row["inverted"] for row in found)),
                    "whole_way": float(np.mean([row["whole"] for row in found])),
                    "seconds": float(np.median([row["seconds"] for row in found])),
                }
            )
    return rows


def trained(
    model: AbstractMeshMover, minutes: float, *, seed: int = 0, folder: Path | None = None, **settings: Any
) -> tuple[NeuralMover, dict[str, Any]]:
    """A mover trained without data on the family, and a row about it."""
    begun = time.process_time()
    how = MovingSettings(cpu_minutes=minutes, seed=seed, **settings)
    history = fit_mover(
        model, drawn_monitors(MONITORS, 96, seed), how, state=None if folder is None else folder / "training.safetensors", progress=False
    )
    parameters = sum(p.numel() for p in model.parameters())
    about = {
        "family": "LayeredField",
        "monitors": MONITORS,
        "cpu_seconds": time.process_time() - begun,
        "parameters": parameters,
        "steps": 20 * len(history),
    }
    return NeuralMover(model, about), {**about, "model": type(model).__name__, "loss": float(np.mean([v for _, v in history[-10:]]))}


def models() -> dict[str, AbstractMeshMover]:
    """What is trained, and the iteration that nothing was trained of, at as many steps and converged."""
    return {
        "unrolled": UnrolledMover(),
        "branch and trunk": BranchTrunkMover(),
        "iteration, 6 steps": UnrolledMover(width=0, learned=False),
        "iteration, 60 steps": UnrolledMover(steps=60, width=0, learned=False),
    }


def cost(
    movers: Mapping[str, Mover], monitor_of: Callable[[Mesh, np.ndarray], Any], sides: Sequence[int] = (48, 142), field: str = "ring .05"
) -> list[dict[str, Any]]:
    """Rows (mover, points): computing and wall seconds of a move on squares of (n, n) points, the better of two, and its gain."""
    rows = []
    for n in sides:
        mesh = square(n)
        monitor, before = monitor_of(mesh, FIELDS[field](mesh.points)), interpolation_error(mesh, FIELDS[field])
        for name, mover in movers.items():
            tries = []
            for _ in range(2):
                wall, busy = time.perf_counter(), time.process_time()
                moved = mover.move(mesh, monitor)
                tries.append((time.process_time() - busy, time.perf_counter() - wall))
            gain = before / interpolation_error(moved.mesh, FIELDS[field])
            rows.append({"mover": name, "points": n * n, "cpu_seconds": min(t[0] for t in tries), "seconds": min(t[1] for t in tries), "gain": gain})
    return rows


def picture(mesh: Mesh, moved: Mapping[str, Mesh], path: Path) -> Path:
    """The mesh before and after several moves, side by side."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 1 + len(moved), figsize=(4.2 * (1 + len(moved)), 4.4), constrained_layout=True)
    for axis, (name, item) in zip(axes, {"before": mesh, **moved}.items(), strict=True):
        axis.triplot(*item.points.T, item.cells.block("triangle"), lw=0.35, color="black")
        axis.set_aspect("equal")
        axis.set_title(name)
        axis.axis("off")
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path
