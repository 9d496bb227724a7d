"""The operator family on the same cases, points, batches and budgets, beside their controls. Resumable: a row that was measured is not measured again."""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import kept_rows
import numpy as np
import torch
from benchmark_operators_tables import report, summary
from field_errors import errors, trained_on

import geoop
from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.mesh.symmetric_images import seen_cases
from geoop.models.named import model_classes
from geoop.models.presets import PRESETS
from geoop.scaling.framing import Frame
from geoop.train.fit import fit
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.samples import Sample
from geoop.train.settings import FitSettings

ROOT = Path(__file__).resolve().parent.parent
#: Rows measured on the machine that the README names, kept with the project so that a table can be finished later.
MEASURED = Path(__file__).resolve().parent / "measured" / "operators.json"
OUTPUT = ROOT / "out" / "operators"


@dataclass(frozen=True)
class Task:
    """A data set and what is learned on it.

    Attributes:
        quantities, inputs: what is predicted, what is known.
        frame, domain_points: see :class:`Preparation`.
        options: of ``geoop.generate``.
        data: name of the data set, where the task has another.
        shapes: modes of the geometry that the controls see, where another number was better on validation cases.
        splits: what is reported; nothing is chosen on them.
        share: of every training case's points, the only ones that training sees.
        images: of every training case, see :func:`geoop.mesh.symmetric_images.seen_cases`; the controls see them, too.
    """

    quantities: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    frame: Frame = "auto"
    domain_points: int = 512
    options: Mapping[str, Any] = field(default_factory=dict)
    data: str | None = None
    shapes: int | None = None
    splits: tuple[str, ...] = ("test",)
    share: float = 1.0
    images: int = 1

    def preparation(self, vary_points: float = 1.0, domain_points: int | None = None) -> Preparation:
        """How its cases are made ready; clouds of equal size unless told otherwise."""
        return Preparation(frame=self.frame, domain_points=domain_points or self.domain_points, vary_points=vary_points, images=self.images)


FLOW = ("velocity", "pressure_coefficient")
#: What is known of a Poisson problem where the integral of its source over Green's function of free space may be taken, too.
POISSON = ("source", "newton potential of source")
TASKS = {
    "kt-airfoils": Task(FLOW, splits=("test", "ood")),
    "uiuc-panel": Task(FLOW, splits=("test", "ood"), shapes=24),
    "void-elasticity": Task(("von_mises_stress",), options={"n": 1430}, splits=("test", "ood")),
    "nonlinear-poisson": Task(("solution",), ("source",)),
    "nonlinear-poisson-potential-alone": Task(("solution",), POISSON[1:], data="nonlinear-poisson"),
    "nonlinear-poisson+potential": Task(("solution",), POISSON, data="nonlinear-poisson"),
    "nonlinear-poisson, 8 images": Task(("solution",), ("source",), data="nonlinear-poisson", images=8),
    "poisson-gauss": Task(("solution",), ("source",)),
    "poisson-gauss+potential": Task(("solution",), POISSON, data="poisson-gauss"),
    "bluff-channel": Task(("velocity", "pressure"), frame="region"),
    "kt-airfoils, 150 shapes": Task(FLOW, options={"n": 214}, data="kt-airfoils", splits=("test", "ood")),
    "kt-airfoils, 10 % of the points": Task(FLOW, data="kt-airfoils", splits=("train", "test"), share=0.1),
    "two-element": Task(FLOW, options={"n": 900}, frame="bodies", splits=("test", "ood")),
    "bodies-3d": Task(FLOW, options={"n": 400}, frame="bodies", splits=("test", "ood")),
}
#: Models with other arguments than their preset's, for ablations: name in the table -> class and what is put over the preset.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "GAOT of two scales": ("GAOT", {"scales": [0.5, 1.0], "neighbours": [4, 12]}),
    "Transolver with exact boundary values": (
        "ExactDirichlet",
        {"width": 48, "inner": "Transolver", "sizes": {"slices": 16, "depth": 3}, "fields": None},  # zero, as in all sets of Poisson problems
    ),
    "Enf2Enf without latents": ("Enf2Enf", {"ablation": "latents"}),
    "Enf2Enf without distance": ("Enf2Enf", {"ablation": "distance"}),
    "Enf2Enf without layer potentials": ("Enf2Enf", {"densities": 0}),
    "Enf2Enf without latents and layer potentials": ("Enf2Enf", {"ablation": "latents", "densities": 0}),
    "Enf2Enf without slices": ("Enf2Enf", {"slices": 0}),
    "Enf2Enf, meta-learned on a grid": ("Enf2Enf", {"encoder": "meta", "latents": 9, "densities": 0, "shape": {"poses": "grid", "samples": 1024}}),
    "Enf2Enf, meta-learned on the body": (
        "Enf2Enf",
        {"encoder": "meta", "latents": 24, "densities": 0, "shape": {"poses": "body", "nearest": 4, "samples": 1024}},
    ),
}
SCREENING = ("kt-airfoils", "uiuc-panel", "void-elasticity")


#: The same for every model: cases per step, and random points per case (field, wall).
BATCH, POINTS = 4, (384, 128)


@dataclass(frozen=True)
class Run:
    """One training: everything a row of the table depends on. A trial is only asked for its validation loss."""

    task: str
    model: str
    cpu_minutes: float
    seed: int = 0
    rate: float = 1.0
    preset: str = "small"
    vary_points: float = 1.0
    trial: bool = False

    @property
    def key(self) -> str:
        varied = "" if self.vary_points == 1 else f"/vary{self.vary_points:g}"
        return f"{'trial/' * self.trial}{self.task}/{self.model}/{self.preset}/cpu{self.cpu_minutes:g}/rate{self.rate:g}/seed{self.seed}{varied}"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark operators", description=__doc__)
    parser.add_argument("--tasks", nargs="*", default=list(SCREENING), choices=list(TASKS), help="data sets")
    parser.add_argument("--models", nargs="*", help="classes of geoop.models; all by default, none where nothing follows")
    parser.add_argument("--preset", default="small", choices=("small", "medium", "large"))
    parser.add_argument("--cpu-minutes", type=float, default=6.0, help="computing time of each training: 6 are 3 minutes on two cores")
    parser.add_argument(
        "--rates", type=float, nargs="*", default=[1.0], help="factors on the default learning rates; the best by validation loss counts"
    )
    parser.add_argument(
        "--search-minutes", type=float, help="choose among the rates by trials of so many minutes; only the best is trained for --cpu-minutes"
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--vary-points", type=float, default=1.0, help="factor by which the sizes of training clouds vary; 1 for equal clouds")
    parser.add_argument("--controls", action="store_true", help="the classical baselines, too")
    parser.add_argument("--report", action="store_true", help="only print the tables of what was measured")
    given = parser.parse_args(arguments)
    if not given.report:
        for name in given.tasks:
            models = sorted(set(model_classes()) & set(PRESETS)) if given.models is None else given.models
            runs = [
                Run(name, model, given.cpu_minutes, seed, rate, given.preset, given.vary_points)
                for seed in given.seeds
                for model in models
                for rate in given.rates
            ]
            measure(name, runs, given.controls, given.search_minutes)
    splits, found = {name: TASKS[name].splits for name in given.tasks}, list(rows().values())
    for name in given.tasks:
        report(name, splits[name], found)
    summary(splits, given.cpu_minutes, found)


def rows() -> dict[str, dict[str, Any]]:
    """Everything measured so far, by key."""
    return kept_rows.rows(MEASURED, OUTPUT / "rows")


def keep(row: Mapping[str, Any]) -> None:
    kept_rows.keep(OUTPUT / "rows", row)


def dataset(name: str) -> Dataset:
    """The data set, generated where it is missing."""
    data = TASKS[name].data or name
    folder = data + "".join(f"-{value}" for value in TASKS[name].options.values() if TASKS[name].data)
    return geoop.generate(data, OUTPUT / "data" / folder, **TASKS[name].options)


def measure(name: str, runs: Sequence[Run], with_controls: bool, search_minutes: float | None = None) -> None:
    """Every run that has no row yet. The cases are prepared once; each training is a process of its own, on one thread.

    With ``search_minutes`` every model first tries its rates that long, with the first seed; the runs at the others are left out.
    """
    torch.set_num_threads(1)
    done = rows()
    data = dataset(name)
    shared = None
    for model in dict.fromkeys(run.model for run in runs):
        mine = [run for run in runs if run.model == model]
        trials = [replace(run, cpu_minutes=search_minutes, trial=True) for run in mine if run.seed == mine[0].seed] if search_minutes else []
        for group in (trials, mine):
            if trials and group is mine:
                losses = {row["rate"]: row["validation"] for run in trials if (row := rows().get(run.key))}
                group = [run for run in mine if losses and run.rate == min(losses, key=losses.__getitem__)]
            for run in group:
                if run.key not in done:
                    shared = shared or _prepared(data, run)
                    apart(_train_row, run, shared)
    for control in controls(TASKS[name]) if with_controls else ():
        if f"{name}/{control}" not in done:
            apart(_control_row, name, control, data)


def _prepared(data: Dataset, run: Run) -> TrainingData:
    task = TASKS[run.task]
    shared = TrainingData.of(data, task.quantities, task.inputs, task.preparation(run.vary_points))
    if task.share == 1:
        return shared
    count = len(data.splits["train"])  # the mirror images behind the cases keep the same points: else a symmetric model would see twice as many
    return replace(shared, train=[_sparse(sample, task.share, k % count) for k, sample in enumerate(shared.train)])


def _sparse(sample: Sample, share: float, seed: int) -> Sample:
    """A training sample with a random part of its points, field and wall alike."""
    draw = np.random.default_rng(seed)
    n, cut = len(sample.queries), sample.n_field
    parts = [np.sort(draw.choice(np.arange(a, b), max(1, round(share * (b - a))), replace=False)) for a, b in ((0, cut), (cut, n)) if b > a]
    index = torch.from_numpy(np.concatenate(parts))
    taken = {name: getattr(sample, name).take(index) for name in ("queries", "target")}
    return replace(sample, **taken, weight=sample.weight[index], n_field=len(parts[0]) if cut else 0)


def apart(function: Callable[..., dict[str, Any]], *arguments: Any) -> None:
    """Call in a forked process, which shares the prepared cases and has a peak memory of its own; a failure is said and the others go on."""

    def work() -> None:
        keep(function(*arguments))

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    if process.exitcode:
        print(f"FAILED with {process.exitcode}: {[a for a in arguments if isinstance(a, Run | str)]}", file=sys.stderr)


def _train_row(run: Run, shared: TrainingData) -> dict[str, Any]:
    name, over = VARIANTS.get(run.model, (run.model, {}))
    make = partial(model_classes()[name], **{**PRESETS[name][run.preset], **over})
    budget = {"cpu_minutes": run.cpu_minutes, "batch": BATCH, "field_points": POINTS[0], "wall_points": POINTS[1]}
    settings = FitSettings(seed=run.seed, rate=2e-3 * run.rate, muon_rate=1.5e-2 * run.rate, **budget)
    folder = OUTPUT / "runs" / run.key
    if (folder / "best.safetensors").exists() and geoop.load(folder / "best.safetensors").expected_errors:
        surrogate = geoop.load(folder / "best.safetensors")
    else:
        resume = (folder / "last.ckpt").exists()
        if not resume and (folder / "run.json").exists():
            (folder / "run.json").unlink()
        surrogate = fit(shared, folder, model=make, settings=settings, resume=resume, progress=False)
    about = surrogate.about
    row = {
        "key": run.key,
        "task": run.task,
        "name": run.model,
        "kind": "trial" if run.trial else "model",
        "cpu_minutes": run.cpu_minutes,
        "seed": run.seed,
        "rate": run.rate,
        "preset": run.preset,
        "vary_points": run.vary_points,
        "data_hash": shared.dataset.hash,
        "parameters": sum(p.numel() for p in surrogate.model.parameters()),
        "epochs": about["epochs"],
        "seconds": about["training_seconds"],
        "cases_per_second": round(about["steps"] * settings.batch / max(about["training_seconds"], 1e-9), 2),
        "preparation_seconds": about["preparation_seconds"],
        "validation": validation_loss(folder),
        "decode_points_per_second": decoding(surrogate, shared),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }

    if run.trial:
        return row

    def predict(case: Case) -> Mapping[str, np.ndarray]:
        result = surrogate.predict(case, surface_only=True)
        return {name: item.values for name, item in result.fields.items()}

    task = TASKS[run.task]
    found = {split: errors(shared.dataset, split, task.quantities, predict) for split in task.splits}
    if task.share < 1:
        for part, seen in (("train, seen points", True), ("train, unseen points", False)):
            found[part] = errors(shared.dataset, "train", task.quantities, predict, trained_on(surrogate.framing, shared, seen))
    return row | {"errors": found}


def validation_loss(folder: Path) -> float:
    """Smallest validation loss of a run."""
    import csv

    found = []
    for path in (folder / "curves").glob("metrics*.csv"):
        with path.open() as lines:
            found += [float(line["val_loss"]) for line in csv.DictReader(lines) if line.get("val_loss")]
    return min(found)


def decoding(surrogate, shared: TrainingData, count: int = 50_000) -> float:
    """Points per second of decoding alone, in this process."""
    sample = shared.validation[0]
    index = torch.arange(len(sample.queries)).repeat(count // len(sample.queries) + 1)[:count]
    with torch.no_grad():
        latent = surrogate.model.encode(surrogate.model.prepare(sample.geometry), sample.inputs)
        surrogate.model.decode(latent, sample.queries)
        queries = sample.queries.take(index)
        started = time.process_time()
        surrogate.model.decode(latent, queries)
    return round(count / (time.process_time() - started))


def _controls() -> dict[str, Callable[[], Any]]:
    from geoop.baselines.gaussian_process_modes import GaussianProcessModes
    from geoop.baselines.kernel_ridge import KernelRidge
    from geoop.baselines.mean_field import MeanField
    from geoop.baselines.nearest_shape import NearestShape
    from geoop.baselines.ridge import Ridge

    return {
        "mean field": MeanField,
        "nearest neighbour": NearestShape,
        "ridge": Ridge,
        "kernel ridge": KernelRidge,
        "Gaussian process on modes": GaussianProcessModes,
    }


CONTROLS = ("mean field", "nearest neighbour", "ridge", "kernel ridge", "Gaussian process on modes")
#: Behind the name of a control that predicts velocities of an inviscid flow alone: they are nearly linear in the angle, their squares are not.
BERNOULLI = ", Cp by Bernoulli"


def controls(task: Task) -> tuple[str, ...]:
    """Names of the controls: where velocity and pressure coefficient are asked for, the regressions also with Cp = 1 - |u|^2/V^2."""
    return CONTROLS + tuple(name + BERNOULLI for name in CONTROLS[-2:] if task.quantities == FLOW)


def _control_row(name: str, control: str, data: Dataset) -> dict[str, Any]:
    task, started = TASKS[name], time.process_time()
    inviscid = control.endswith(BERNOULLI)
    fitted = _controls()[control.removesuffix(BERNOULLI)](inputs=task.inputs, shapes=task.shapes)
    fitted.fit(seen_cases(data.cases("train"), False, task.images), ("velocity",) if inviscid else task.quantities)
    row = {"key": f"{name}/{control}", "task": name, "name": control, "kind": "control", "data_hash": data.hash}
    row["seconds"] = round(time.process_time() - started, 1)

    def predict(case: Case) -> Mapping[str, np.ndarray]:
        # a few points that lie within rounding of a thin trailing edge count as inside for a control: it predicts nothing there
        found = {key: np.nan_to_num(item.values) for key, item in fitted.predict(case).items()}
        if inviscid:
            assert case.operating_point is not None
            found["pressure_coefficient"] = 1 - (found["velocity"] ** 2).sum(axis=1) / case.operating_point.velocity**2
        return found

    row["errors"] = {split: errors(data, split, task.quantities, predict) for split in task.splits}
    row["peak_megabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return row


if __name__ == "__main__":
    main(sys.argv[1:])
