"""Forecasts by equivariant neural fields on exact solutions: planar diffusion and Burgers on a torus, beside their controls. Resumable.

Relative L2 over all values of the frames of a span, mean over unseen trajectories. Controls see what the model sees: the first frame repeated, and the
best linear map from frame to frame (ridge on frames as vectors, its penalty chosen on validation trajectories), which knows the common grid. From and
to other points they go by thin-plate splines. Planar diffusion is linear, so on the common grid nothing can beat the linear map; Burgers is not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator

from geoop.graph.pointset import PointSet
from geoop.models.enf_forecast import EnfForecast
from geoop.models.trajectory import Trajectory
from geoop.train.forecasting import ForecastSettings, fit_forecast
from geoop.truth.exact.evolving_fields import SpreadingGaussians, at_points
from geoop.truth.transport.burgers_periodic import PeriodicBurgers

#: Points (n, d), time -> (n,) values of one solution.
Solution = Callable[[np.ndarray, float], np.ndarray]
#: Half the side of the square of the plane that is looked at [m].
_HALF = 1.5


@dataclass(frozen=True)
class Task:
    """A family of solutions.

    Attributes:
        draw: number of a solution -> the solution.
        moved: the same in a place or turned as in no training; None where there is no such.
        grid: (n, d) common points.
        scattered: generator, count -> (count, d) points anywhere.
        times: of the frames [s]; the first ``inside`` of them are the training horizon.
        models: name -> arguments of :class:`EnfForecast`.
    """

    draw: Callable[[int], Solution]
    moved: Callable[[int], Solution]
    grid: np.ndarray
    scattered: Callable[[np.random.Generator, int], np.ndarray]
    times: np.ndarray
    inside: int
    models: dict[str, dict]


def gaussians(number: int, turn: bool = False) -> SpreadingGaussians:
    """Two or three Gaussians in the right half of the square; turned: by a half turn and up to a quarter more or less, so in the left half."""
    rng = np.random.default_rng([7, number])
    k = int(rng.integers(2, 4))
    centres = np.stack([rng.uniform(0.0, 0.7, k), rng.uniform(-0.6, 0.6, k)], axis=1)
    found = SpreadingGaussians(centres, rng.uniform(0.15, 0.35, k), rng.uniform(0.5, 1.5, k), 0.04)
    angle = np.pi + rng.uniform(-0.5, 0.5) * np.pi
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return found.moved(matrix, np.zeros(2)) if turn else found


def burgers(number: int, shift: float = 0.0) -> Solution:
    """Three random waves and a mean flow, on the circle of length 1 m."""
    rng = np.random.default_rng([11, number])
    solver = PeriodicBurgers(256, viscosity=0.01, dimension=1)
    x, k = solver.points[:, 0] - shift, np.arange(1, 4)
    initial = rng.uniform(-0.3, 0.3) + np.cos(2 * np.pi * x[:, None] * k + rng.uniform(0, 2 * np.pi, 3)) @ (rng.normal(size=3) * 0.3 / k)
    frames = solver.solve(initial[None], TIMES_BURGERS)[:, 0]
    return lambda points, time: at_points(frames[int(np.argmin(np.abs(TIMES_BURGERS - time)))], points)


TIMES_BURGERS = np.linspace(0.0, 1.0, 21)
_CELLS = (np.arange(32) + 0.5) / 32

TASKS = {
    "plane": Task(
        draw=gaussians,
        moved=partial(gaussians, turn=True),
        grid=_HALF * (2 * np.stack(np.meshgrid(_CELLS, _CELLS, indexing="ij"), axis=-1).reshape(-1, 2) - 1),
        scattered=lambda rng, n: rng.uniform(-_HALF, _HALF, (n, 2)),
        times=np.linspace(0.0, 2.0, 21),
        inside=11,
        models={
            "oriented poses about the field's axes": {"start": "axes"},
            "oriented poses on a grid (as published)": {},
            "absolute positions (no symmetry)": {"invariant": "absolute"},
        },
    ),
    "torus": Task(
        draw=burgers,
        moved=partial(burgers, shift=0.37),
        grid=np.arange(64)[:, None] / 64,
        scattered=lambda rng, n: rng.uniform(0.0, 1.0, (n, 1)),
        times=TIMES_BURGERS,
        inside=11,
        models={
            "periodic": {"dimension": 1, "lengths": (1.0,), "latents": 8},
            "absolute positions (no symmetry)": {"dimension": 1, "lengths": (1.0,), "latents": 8, "invariant": "absolute"},
        },
    ),
}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark enf-time", description=str(__doc__).split("\n")[0])
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--cpu-minutes", type=float, default=5.0, help="computing time of each training")
    parser.add_argument("--train", type=int, default=64, help="training trajectories")
    parser.add_argument("--test", type=int, default=32, help="unseen trajectories")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the models of a task; all by default")
    parser.add_argument("--out", type=Path, default=Path("out/enf_time"), help="folder of states, results and pictures")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for name in given.tasks:
        report(name, given.cpu_minutes, given.train, given.test, given.out, given.only)


def report(name: str, minutes: float, train: int, test: int, out: Path, only: Sequence[int] | None = None) -> list[dict]:
    """One table of a task, and a picture of one unseen trajectory."""
    task = TASKS[name]
    learned = frames_of(task, [task.draw(k) for k in range(train)], task.times[: task.inside])
    unseen = [task.draw(100_000 + k) for k in range(test)]
    cases = {"unseen": unseen, "moved": [task.moved(100_000 + k) for k in range(test)]}
    exact = {key: frames_of(task, solutions, task.times) for key, solutions in cases.items()}
    held = frames_of(task, [task.draw(200_000 + k) for k in range(16)], task.times[: task.inside])
    controls = {
        "first frame repeated": lambda start: np.repeat(start[:, None], len(task.times) - 1, axis=1),
        "best linear map (ridge)": linear_map(learned, held, len(task.times) - 1),
    }
    rows = [
        row(label, task, exact, control) | scattered_error(partial(by_splines, control, task), task, unseen) for label, control in controls.items()
    ]
    pictured = {}
    for number, (label, how) in enumerate(task.models.items()):
        if only is None or number in only:
            model, steps = trained(name, number, how, task, learned, minutes, out)
            rows.append(
                row(label, task, exact, partial(forecast, model, task))
                | scattered_error(partial(forecast, model, task), task, unseen)
                | {"steps": steps}
            )
            pictured[label] = forecast(model, task, exact["unseen"][:1, 0], first=0)[0]
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(rows, indent=1))
    heads = ["unseen, inside", "unseen, beyond", "moved, inside", "moved, beyond", "other points, inside"]
    print(f"\n{name}: {train} training and {test} unseen trajectories, {minutes:g} CPU-min per model; relative L2 in per cent\n")
    print("| | " + " | ".join(heads) + " | steps |\n" + "| --- " * (len(heads) + 2) + "|")
    for found in rows:
        values = " | ".join(f"{found[head]:.3g}" if head in found else "-" for head in heads)
        print(f"| {found['name']} | {values} | {found.get('steps', '-')} |", flush=True)
    picture(name, task, exact["unseen"][0], pictured, out)
    return rows


def frames_of(task: Task, solutions: Sequence[Solution], times: np.ndarray) -> np.ndarray:
    """(solutions, times, points) exact values on the common grid."""
    return np.stack([np.stack([solution(task.grid, float(t)) for t in times]) for solution in solutions])


def relative(found: np.ndarray, exact: np.ndarray) -> float:
    """Per cent, over all frames of a trajectory at once, mean over trajectories."""
    axes = tuple(range(1, exact.ndim))
    return 100 * float(np.mean(np.sqrt(((found - exact) ** 2).sum(axis=axes) / (exact**2).sum(axis=axes))))


def row(name: str, task: Task, exact: dict[str, np.ndarray], predict: Callable[[np.ndarray], np.ndarray]) -> dict:
    """Errors of a predictor: (b, n) first frames -> (b, t, n) later ones."""
    found: dict = {"name": name}
    for key, frames in exact.items():
        guess, later = predict(frames[:, 0]), frames[:, 1:]
        found[f"{key}, inside"] = relative(guess[:, : task.inside - 1], later[:, : task.inside - 1])
        found[f"{key}, beyond"] = relative(guess[:, task.inside - 1 :], later[:, task.inside - 1 :])
    return found


def linear_map(learned: np.ndarray, held: np.ndarray, steps: int) -> Callable[[np.ndarray], np.ndarray]:
    """Dynamic mode decomposition by ridge: the map from one frame to the next, applied again and again. Nothing but numbers on common points."""
    before, after = learned[:, :-1].reshape(-1, learned.shape[2]), learned[:, 1:].reshape(-1, learned.shape[2])
    here, there = before.mean(axis=0), after.mean(axis=0)
    left, singular, right = np.linalg.svd(before - here, full_matrices=False)
    target = left.T @ (after - there)

    def predictor(penalty: float, start: np.ndarray, count: int) -> np.ndarray:
        shrunk = (singular / (singular**2 + penalty * singular[0] ** 2))[:, None] * target
        frames, now = [], start
        for _ in range(count):
            now = there + ((now - here) @ right.T) @ shrunk
            frames.append(now)
        return np.stack(frames, axis=1)

    penalties = 10.0 ** np.arange(-14.0, 0.0)
    best = min(penalties, key=lambda p: np.nan_to_num(relative(predictor(p, held[:, 0], held.shape[1] - 1), held[:, 1:]), nan=np.inf))
    return lambda start: predictor(best, start, steps)


def trained(name: str, number: int, how: dict, task: Task, learned: np.ndarray, minutes: float, out: Path) -> tuple[EnfForecast, int]:
    """A model after its training, which goes on from the state on disk."""
    torch.manual_seed(0)
    model = EnfForecast(**{"dimension": 2, "latents": 9, "context": 16, "width": 32, **how})
    times = tuple(float(t) for t in task.times[: task.inside])
    data = [Trajectory(times, tuple(points(task.grid, frame) for frame in frames)) for frames in learned]
    settings = ForecastSettings(cpu_minutes=minutes, batch=8, points=min(128, len(task.grid) // 2), frames=3)
    history = fit_forecast(model, data, settings, state=out / f"{name}_{number}_{minutes:g}.safetensors", progress=False)
    return model, 20 * len(history)


def points(where: np.ndarray, values: np.ndarray) -> PointSet:
    return PointSet(torch.from_numpy(where).float(), torch.from_numpy(values[:, None]).float())


@torch.no_grad()
def forecast(
    model: EnfForecast, task: Task, start: np.ndarray, where: np.ndarray | None = None, asked: np.ndarray | None = None, first: int = 1
) -> np.ndarray:
    """(b, t, n) frames from number ``first`` on, from (b, n) first ones; given and asked on the grid if nowhere else."""
    given = PointSet.concatenate([points(task.grid if where is None else where, values) for values in start])
    target = task.grid if asked is None else asked
    queries = PointSet.concatenate([PointSet(torch.from_numpy(target).float())] * len(start))
    found = model.rollout(given, [float(t) for t in task.times[first:]], queries)
    return found.view(-1, len(start), len(target)).transpose(0, 1).double().numpy()


def by_splines(control: Callable[[np.ndarray], np.ndarray], task: Task, start: np.ndarray, where: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(b, t, n) what a control on the common grid says from and to other points."""

    def between(given: np.ndarray, values: np.ndarray, to: np.ndarray) -> np.ndarray:
        if given.shape[1] == 1:  # the torus of length 1: with an image on either side
            given, values = np.concatenate([given - 1, given, given + 1]), np.concatenate([values] * 3, axis=1)
        return RBFInterpolator(given, values.T)(to).T

    later = control(between(where, start, task.grid))
    return between(task.grid, later.reshape(-1, len(task.grid)), asked).reshape(*later.shape[:2], len(asked))


def scattered_error(predict: Callable[..., np.ndarray], task: Task, solutions: Sequence[Solution]) -> dict:
    """From half as many points as the grid has, anywhere, to others anywhere: no training frame had them."""
    rng = np.random.default_rng(5)
    where, asked = (task.scattered(rng, len(task.grid) // 2) for _ in range(2))
    start = np.stack([solution(where, 0.0) for solution in solutions])
    times = task.times[1 : task.inside]
    exact = np.stack([np.stack([solution(asked, float(t)) for t in times]) for solution in solutions])
    return {"other points, inside": relative(predict(start, where, asked)[:, : len(times)], exact)}


def picture(name: str, task: Task, exact: np.ndarray, found: dict[str, np.ndarray], out: Path) -> None:
    """True and predicted frames of the first unseen trajectory."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shown = [0, task.inside // 2, task.inside - 1, len(task.times) - 1]
    lines = {"exact": exact, **found}
    flat = task.grid.shape[1] == 1
    figure, axes = plt.subplots(1 if flat else len(lines), len(shown), figsize=(3.2 * len(shown), 3 if flat else 2.9 * len(lines)), squeeze=False)
    for column, k in enumerate(shown):
        for number, (label, frames) in enumerate(lines.items()):
            axis = axes[0 if flat else number, column]
            axis.set_title(f"{'' if flat else label + ', '}t = {task.times[k]:.2f} s", fontsize=8)
            if flat:
                axis.plot(task.grid[:, 0], frames[k], "k-" if label == "exact" else "--", label=label)
            else:
                side = round(len(task.grid) ** 0.5)
                axis.imshow(frames[k].reshape(side, side).T, origin="lower", vmin=0, vmax=exact[k].max(), extent=(-_HALF, _HALF, -_HALF, _HALF))
        if flat and column == 0:
            axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(out / f"{name}.png", dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
