"""A peer beside geoop's models: the GINO of the package neuraloperator on the same cases, points, batch and computing time, in the same table.

The package is no dependency of geoop; ``--install`` adds it to this environment without what it asks for beyond its GINO (loggers, configuration).
Rates are chosen by validation loss. Rows stand in the tables of `tools/benchmark operators --report`.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import benchmark_operators as operators
import torch
from benchmark_operators_tables import report
from benchmark_peer_model import PeerGINO
from field_errors import errors
from torch import Tensor, nn

from geoop.graph.pointset import PointSet
from geoop.results.surrogate import Surrogate
from geoop.train.batches import SubsetDataset, TrainingBatch, from_batch, loader
from geoop.train.objectives import Supervised
from geoop.train.preparing import TrainingData
from geoop.train.samples import Sample
from geoop.train.task import Schedule

NAME = "GINO of neuraloperator"
#: Tested together; without dependencies, as the package asks for loggers and test tools that its GINO does not use.
PACKAGES = ("neuraloperator==2.0.0", "tensorly==0.10.0", "tensorly-torch==0.5.0", "opt_einsum==3.4.0")
#: Rate and weight decay of the package's own recipe for cars; the factors of ``--rates`` multiply the rate.
RATE, DECAY = 1e-3, 1e-4
#: As in geoop's own training: largest norm of the gradient, epochs between validations, and their points beside those of a step.
CLIP, VALIDATE_EVERY, MORE_POINTS = 1.0, 5, 4
LOSSES = ("regions", "lp")


@dataclass(frozen=True)
class Trial:
    """One training of the peer.

    Attributes:
        loss: ``regions`` is the loss of geoop's own models, ``lp`` the package's relative L2 over all points of a case.
    """

    task: str
    cpu_minutes: float
    rate: float = 1.0
    seed: int = 0
    loss: str = "regions"

    @property
    def key(self) -> str:
        other = "" if self.loss == "regions" else f"/{self.loss}"
        return f"{self.task}/{NAME}/small/cpu{self.cpu_minutes:g}/rate{self.rate:g}/seed{self.seed}{other}"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark peer", description=str(__doc__).split("\n")[0])
    parser.add_argument("--tasks", nargs="*", default=["kt-airfoils", "uiuc-panel"], choices=list(operators.TASKS), help="data sets")
    parser.add_argument("--cpu-minutes", type=float, default=6.0, help="computing time of each training, as for geoop's models")
    parser.add_argument(
        "--rates", type=float, nargs="*", default=[2.0, 4.0, 8.0], help=f"factors on the rate {RATE:g}; the best by validation counts"
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--loss", default="regions", choices=LOSSES)
    parser.add_argument(
        "--try", nargs="*", dest="variants", metavar="KEY=VALUE", help="train once with other sizes, print the validation loss, keep no row"
    )
    parser.add_argument("--install", action="store_true", help="install the package and what its GINO needs, with pip and without dependencies")
    given = parser.parse_args(arguments)
    if given.install:
        install()
    if not present():
        parser.error(f"the package neuraloperator is not here: --install adds it, or: pip install --no-deps {' '.join(PACKAGES)}")
    torch.set_num_threads(1)
    for name in given.tasks:
        trials = [Trial(name, given.cpu_minutes, rate, seed, given.loss) for seed in given.seeds for rate in given.rates]
        if given.variants is not None:
            explore(trials[0], given.variants)
            continue
        measure(name, trials)
        report(name, operators.TASKS[name].splits, list(operators.rows().values()))


def present() -> bool:
    """Whether the package, what its GINO imports and the fast sums over neighbourhoods are here."""
    return all(importlib.util.find_spec(name) for name in ("neuralop", "tensorly", "tltorch", "opt_einsum", "torch_scatter"))


def install() -> None:
    """With pip, so that torch and everything else stay as they are; raises where that fails."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--no-deps", *PACKAGES], check=True)


def measure(name: str, trials: Sequence[Trial]) -> None:
    """Every trial that has no row yet, each in a process of its own."""
    done = operators.rows()
    missing = [trial for trial in trials if trial.key not in done]
    if missing:
        shared = prepared(name)
        for trial in missing:
            operators.apart(row, trial, shared)


def prepared(name: str) -> TrainingData:
    """What geoop's models are trained on."""
    task = operators.TASKS[name]
    return TrainingData.of(operators.dataset(name), task.quantities, task.inputs, task.preparation(), progress=False)


def explore(trial: Trial, variants: Sequence[str]) -> None:
    """Validation losses of one training per variant: ``reach=3,chart=false`` names arguments of :class:`PeerGINO`, ``loss=lp`` the loss."""
    shared = prepared(trial.task)
    print("| variant | parameters | steps | validation |\n| --- | --- | --- | --- |", flush=True)
    for text in variants:
        options = arguments_of(text)
        loss = str(options.pop("loss", trial.loss))
        found = train(Trial(trial.task, trial.cpu_minutes, float(options.pop("rate", trial.rate)), trial.seed, loss), shared, options)
        count = sum(p.numel() for p in found.model.parameters())
        print(f"| {text} | {count} | {found.steps} | {found.validation:.4f} |", flush=True)


def arguments_of(text: str) -> dict[str, Any]:
    """``a=1,b=true,c=x`` -> values as JSON has them, words as strings."""
    import json

    out: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, value = part.split("=")
        try:
            out[key] = json.loads(value)
        except json.JSONDecodeError:
            out[key] = value
    return out


@dataclass(frozen=True)
class Trained:
    """The averaged weights with the smallest validation loss, and what it took."""

    model: PeerGINO
    validation: float
    steps: int
    epochs: int
    seconds: float
    preparation: float


def train(trial: Trial, shared: TrainingData, options: Mapping[str, Any] | None = None) -> Trained:
    """AdamW with geoop's schedule, averaging of weights and clipping; the budget counts computing time of training and validation."""
    torch.manual_seed(trial.seed)
    began = time.process_time()
    model = PeerGINO(shared.ports, **(options or {}))
    graphs = [model.prepare(sample.geometry) for sample in shared.train]
    looked_at = Looking(shared, [model.prepare(sample.geometry) for sample in shared.validation])
    schedule = Schedule(cpu_minutes=trial.cpu_minutes, rate=RATE * trial.rate)
    average = copy.deepcopy(model).requires_grad_(False)
    optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.rate, weight_decay=DECAY)
    best, kept, steps, epoch, progress = float("inf"), average, 0, 0, 0.0
    started = time.process_time()
    while progress < 1.0:
        subsets = SubsetDataset(shared.train, *operators.POINTS, trial.seed, epoch)
        for raw in loader(subsets, operators.BATCH, shuffle=True):
            progress = (time.process_time() - started) / (60.0 * trial.cpu_minutes)
            if progress >= 1.0:
                break
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate * schedule.factor(progress)
            batch = from_batch(raw, shared.train)
            loss = measured(trial.loss, model(model.concatenate([graphs[i] for i in batch.cases.tolist()]), batch.inputs, batch.queries), batch)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimiser.step()
            steps += 1
            follow(average, model, min(schedule.averaging, (1.0 + steps) / (10.0 + steps)))
        epoch += 1
        if epoch % VALIDATE_EVERY == 0 or progress >= 1.0:
            value = looked_at.loss(average)
            if value < best:
                best, kept = value, copy.deepcopy(average)
    return Trained(kept, best, steps, epoch, time.process_time() - started, started - began)


def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """One step of the moving average of the weights."""
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
            slow.lerp_(fast, 1.0 - decay)


def measured(loss: str, prediction: PointSet, batch: TrainingBatch) -> Tensor:
    """The loss of geoop's models, or the package's relative L2 norm of every case over all its points and channels."""
    if loss == "regions":
        share = torch.tensor([1.0, Supervised().wall])
        return (Supervised().errors(prediction, batch) * share[None, :, None]).sum(dim=1).mean()
    from neuralop.losses import LpLoss

    norm, ptr = LpLoss(d=2, p=2, reduction="mean"), batch.queries.points.ptr.tolist()
    fields = [torch.cat([part.scalars, part.vectors.flatten(1)], dim=1) for part in (prediction, batch.target)]
    pairs = [(fields[0][a:b], fields[1][a:b]) for a, b in zip(ptr[:-1], ptr[1:], strict=True)]
    return torch.stack([norm(found[None], truth[None]) for found, truth in pairs]).mean()


class Looking:
    """The validation loss of geoop's training, on the same points."""

    def __init__(self, shared: TrainingData, prepared: list[Any]) -> None:
        self.samples: list[Sample] = shared.validation
        self.prepared = prepared
        points = (MORE_POINTS * count for count in operators.POINTS)
        self.batches = list(loader(SubsetDataset(self.samples, *points), operators.BATCH, shuffle=False))

    @torch.no_grad()
    def loss(self, model: PeerGINO) -> float:
        total, count = 0.0, 0
        for raw in self.batches:
            batch = from_batch(raw, self.samples)
            prediction = model(model.concatenate([self.prepared[i] for i in batch.cases.tolist()]), batch.inputs, batch.queries)
            total += len(batch.cases) * float(measured("regions", prediction, batch))
            count += len(batch.cases)
        return total / count


def row(trial: Trial, shared: TrainingData) -> dict[str, Any]:
    """A row as `tools/benchmark operators` keeps it."""
    task = operators.TASKS[trial.task]
    found = train(trial, shared)
    surrogate = Surrogate(found.model, shared.normaliser, shared.envelope, shared.framing)

    def predict(case):
        return {name: item.values for name, item in surrogate.predict(case, surface_only=True).fields.items()}

    out: dict[str, Any] = {
        "key": trial.key,
        "task": trial.task,
        "name": NAME,
        "kind": "peer",
        "cpu_minutes": trial.cpu_minutes,
        "seed": trial.seed,
        "rate": trial.rate,
        "preset": "small",
        "loss": trial.loss,
        "data_hash": shared.dataset.hash,
        "parameters": sum(p.numel() * (2 if p.is_complex() else 1) for p in found.model.parameters()),
        "epochs": found.epochs,
        "steps": found.steps,
        "seconds": round(found.seconds, 1),
        "cases_per_second": round(found.steps * operators.BATCH / found.seconds, 2),
        "preparation_seconds": round(shared.about["preparation_seconds"] + found.preparation, 1),
        "validation": found.validation,
        "decode_points_per_second": operators.decoding(surrogate, shared),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    return out | {"errors": {split: errors(shared.dataset, split, task.quantities, predict) for split in task.splits}}


if __name__ == "__main__":
    main(sys.argv[1:])
