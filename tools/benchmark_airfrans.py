"""Geoop's models on real surface pressure (AirfRANS sections) in five folds, beside the controls. Resumable: a row that was measured is not measured again.

Folds and metric are those of the data's own description. Weights are kept by the loss on some cases of the four training folds, other ones for every
member of an ensemble. The class, sizes and rates of the models were compared on an inner division of the cases outside fold 0 and then left alone: fold 0
took no part in that, and in the other folds some cases did: the column "fold 0" stands for itself. The MEAN rows were put together when the single rows
were known; read them as what averaging gives, not as a method that was fixed beforehand.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import kept_rows
import numpy as np
import torch
from benchmark_real_sets import CP, FOLDS, INVISCID, OVER, control
from naca_panel_flows import naca_panel_flows

import geoop
from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.kernel_ridge import KernelRidge
from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.models.named import model_classes
from geoop.results.surface_pressure import PressureScores, pressure_scores
from geoop.results.surrogate import Surrogate
from geoop.train.fit import fit
from geoop.train.settings import FitSettings

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "out" / "airfrans"
#: Of the training cases in order of their angle every so many-th is for validation; every seed takes other ones.
HELD = 12
GAUSSIAN = "Gaussian process on modes, geometry only"
CONTROLS: dict[str, Callable[[], Any]] = {
    GAUSSIAN: GaussianProcessModes,
    "kernel ridge over and of the panel method": partial(KernelRidge, **OVER, inputs=(INVISCID,)),
}
#: Means of the answers of everything whose name begins so: all members that were trained, with one seed or several.
MEANS = {
    "MEAN of all pre-trained members, geometry only": ("geometry only, pre-trained", "geometry only, over and of"),
    "MEAN of all members given panel Cp as input and prior": ("panel Cp as input and prior",),
    "MEAN of all members given panel Cp as input and prior, and of kernel ridge": ("panel Cp as input and prior", "kernel ridge over and of"),
}
#: What a surrogate that learned panel flows alone says, as a field of the cases: known from the geometry.
LEARNED = replace(QUANTITIES[CP], name="learned_inviscid_pressure_coefficient", symbol="Cp_learned")
SETTINGS = FitSettings(
    cpu_minutes=1.0,
    batch=4,
    wall_points=200,
    field_points=8,
    loss="square",
    wall_weight=1.0,
    validate_every=10,
    frame="body",
    domain_points=256,
    vary_points=1.0,
)
SIZES: dict[str, dict[str, Any]] = {
    "Transolver": {"width": 48, "slices": 16, "depth": 3},
    "LowRankOperator": {"width": 48, "layers": 4, "rank": 8, "heads": 4, "hidden": 24},
    "Enf2Enf": {"width": 48, "depth": 2},
}
#: What panel flows are learned by: there are more of them, and they cost nothing.
PANEL_SIZES = {"Transolver": {"width": 48, "slices": 16, "depth": 4}, "Enf2Enf": SIZES["Enf2Enf"]}


@dataclass(frozen=True)
class Variant:
    """What a model is given and where it starts.

    Attributes:
        inputs, prior: names of fields at the points that are given, or that the difference is learned from.
        model: class of geoop.models.
        pretrained: begin with the weights of the surrogate of panel flows.
        settings: other than :data:`SETTINGS`.
    """

    inputs: tuple[str, ...] = ()
    prior: str = ""
    model: str = "Transolver"
    pretrained: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


VARIANTS = {
    "geometry only": Variant(),
    "geometry only, pre-trained on panel flows": Variant(pretrained=True, settings={"rate": 1e-3, "muon_rate": 5e-3}),
    "geometry only, over and of what was learned of panel flows": Variant((LEARNED.name,), LEARNED.name),
    "panel Cp as input": Variant((INVISCID,)),
    "panel Cp as prior": Variant((), INVISCID),
    "panel Cp as input and prior": Variant((INVISCID,), INVISCID),
    "panel Cp as input and prior, low rank": Variant((INVISCID,), INVISCID, "LowRankOperator", settings={"rate": 1e-3, "muon_rate": 5e-3}),
    "geometry only, Enf2Enf pre-trained on panel flows": Variant(model="Enf2Enf", pretrained=True, settings={"rate": 1e-3, "muon_rate": 5e-3}),
    "geometry only, Enf2Enf": Variant(model="Enf2Enf"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmark airfrans", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with airfrans_surface")
    parser.add_argument("--variants", nargs="*", type=int, default=list(range(len(VARIANTS))), help="numbers of the rows: " + numbered())
    parser.add_argument("--cpu-minutes", type=float, default=1.0, help="computing time of each training on four folds")
    parser.add_argument("--pretraining", type=float, default=5.0, help="computing minutes on panel flows, once for all folds")
    parser.add_argument("--sections", type=int, default=400, help="sections of the panel flows, two flows each")
    parser.add_argument("--vary-points", type=float, default=1.0, help="factor by which the sizes of training clouds vary; 1 for equal clouds")
    parser.add_argument("--folds", type=int, nargs="*", default=list(range(FOLDS)))
    parser.add_argument("--seeds", type=int, nargs="*", default=[0], help="members of the ensembles")
    parser.add_argument("--report", action="store_true", help="only print the table of what was measured")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    bench = Bench(given.data, given.cpu_minutes, given.pretraining, given.sections, given.vary_points)
    if not given.report:
        for fold in given.folds:
            for name in CONTROLS:
                kept(f"{name}/fold{fold}", partial(bench.control, name, fold))
        for number in given.variants:
            for seed in given.seeds:
                for fold in given.folds:
                    name = list(VARIANTS)[number]
                    kept(f"{name}/{bench.budget(name)}/seed{seed}/fold{fold}", partial(bench.train, name, fold, seed))
    report(bench)


def numbered() -> str:
    return "; ".join(f"{k} {name}" for k, name in enumerate(VARIANTS))


def rows() -> dict[str, dict[str, Any]]:
    """Everything that this machine measured, by key; with their answers, rows are too large to be kept with the project."""
    return kept_rows.rows(None, OUTPUT / "rows")


def kept(key: str, measure: Callable[[], dict[str, Any]]) -> None:
    """Measure a row and keep it, unless there is one."""
    if key not in rows():
        print(key, file=sys.stderr, flush=True)
        kept_rows.keep(OUTPUT / "rows", {"key": key, **measure()})


@dataclass(frozen=True)
class Bench:
    """Budgets and places of one table.

    Attributes:
        data: the folder with airfrans_surface.
        cpu_minutes: of every training on a fold.
        pretraining: computing minutes of the training on panel flows.
        sections: how many sections those have.
        vary_points: by what factor the sizes of training clouds vary.
    """

    data: Path
    cpu_minutes: float
    pretraining: float
    sections: int
    vary_points: float = 1.0

    def budget(self, name: str) -> str:
        """What was spent on a row, in words that can stand in a file name."""
        variant = VARIANTS[name]
        before = f" after {self.pretraining:g} min on {self.sections} sections" if variant.pretrained or LEARNED.name in variant.inputs else ""
        varied = "" if self.vary_points == 1 else f", clouds varied by {self.vary_points:g}"
        return f"{self.cpu_minutes:g} min{before}{varied}"

    def cases(self) -> Dataset:
        return geoop.collect(self.data / "airfrans_surface", OUTPUT / "data") if not (OUTPUT / "data").exists() else Dataset.open(OUTPUT / "data")

    def surrogate(self, model: str = "Transolver") -> Surrogate:
        """What a model learned of panel flows alone; trained where it is missing."""
        folder = OUTPUT / f"panels-{self.sections}-cpu{self.pretraining:g}{'' if model == 'Transolver' else f'-{model}'}"
        if not finished(folder):
            flows = naca_panel_flows(OUTPUT / f"panels-{self.sections}", self.sections)
            settings = replace(SETTINGS, cpu_minutes=self.pretraining, batch=8, loss="l2")
            fit(
                flows,
                folder,
                quantities=(CP,),
                model=partial(model_classes()[model], **PANEL_SIZES[model]),
                settings=settings,
                resume=begun(folder),
                progress=False,
            )
        return geoop.load(folder / "best.safetensors")

    def with_learned(self) -> Dataset:
        """The cases with what that surrogate says of them as another field."""
        folder, plain = OUTPUT / f"data-learned-{self.sections}-cpu{self.pretraining:g}", self.cases()
        if folder.exists():
            return Dataset.open(folder)
        surrogate = self.surrogate()

        def make(name: str) -> Case:
            case = plain.case(name)
            return case.with_fields(Field(LEARNED, surrogate.predict(case, surface_only=True)[CP]))

        splits = {key: tuple(names) for key, names in plain.splits.items()}
        return write_dataset(
            folder, DatasetPlan("airfrans_surface-learned", plain.manifest.description, splits, licence=plain.manifest.licence), make
        )

    def control(self, name: str, fold: int) -> dict[str, Any]:
        """A classical baseline, fitted on all cases of four folds."""
        data, started = self.cases(), process_time()
        train = [data.case(case) for k in range(FOLDS) if k != fold for case in data.splits[f"fold-{k}"]]
        predict = control(CONTROLS[name], CP)(train)
        answers = {case.name: predict(case).tolist() for case in data.cases(f"fold-{fold}")}
        return {"name": name, "fold": fold, "hash": data.hash, "seconds": process_time() - started, "answers": answers}

    def train(self, name: str, fold: int, seed: int) -> dict[str, Any]:
        """One training on four folds and its answers on the fifth."""
        variant = VARIANTS[name]
        data = self.with_learned() if LEARNED.name in variant.inputs else self.cases()
        division, started = divided(data, fold, seed), process_time()
        folder = OUTPUT / "runs" / f"{list(VARIANTS).index(name)}-{self.budget(name).replace(' ', '-')}-seed{seed}-fold{fold}"
        settings = replace(
            SETTINGS,
            cpu_minutes=self.cpu_minutes,
            vary_points=self.vary_points,
            seed=seed,
            beyond={CP: variant.prior} if variant.prior else {},
            **variant.settings,
        )
        surrogate = fit(
            division,
            folder,
            quantities=(CP,),
            inputs=variant.inputs,
            model=None if variant.pretrained else partial(model_classes()[variant.model], **SIZES[variant.model]),
            settings=settings,
            start=self.surrogate(variant.model) if variant.pretrained else None,
            resume=begun(folder),
            progress=False,
        )
        answers = {case.name: surrogate.predict(case, surface_only=True)[CP].tolist() for case in division.cases("test")}
        about = {"parameters": sum(p.numel() for p in surrogate.model.parameters()), "steps": surrogate.about["steps"]}
        about |= {
            "training_seconds": surrogate.about["training_seconds"],
            "seconds": process_time() - started,
            "settings": surrogate.about["settings"],
        }
        return {"name": name, "fold": fold, "seed": seed, "budget": self.budget(name), "hash": division.hash, **about, "answers": answers}


def finished(folder: Path) -> bool:
    """Whether a training in that folder came to its end."""
    best = folder / "best.safetensors"
    return best.exists() and bool(geoop.load(best).expected_errors)


def begun(folder: Path) -> bool:
    """Whether a training can be resumed; what cannot is cleared away."""
    if (folder / "last.ckpt").exists():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False


def divided(data: Dataset, fold: int, seed: int) -> Dataset:
    """Four folds to train on, some of their cases for validation, evenly spread over the angle of attack; the fifth fold as ``test``."""
    own = [name for k in range(FOLDS) if k != fold for name in data.splits[f"fold-{k}"]]
    order = sorted(own, key=lambda name: data.operating_point(name).alpha)
    # the ends of the range stay with the training, whatever the seed
    held = order[1 + seed % (HELD - 2) : -1 : HELD]
    return data.with_splits({"train": [name for name in own if name not in held], "val": held, "test": data.splits[f"fold-{fold}"]})


def report(bench: Bench) -> None:
    """The table: every row that has all folds, and the mean of the answers of all members of every model."""
    data = bench.cases()
    cases = [data.case(data.splits[f"fold-{k % FOLDS}"][k // FOLDS]) for k in range(len(data))]
    members: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows().values():
        label = f"{row['name']}, {row['budget']}" if "seed" in row else row["name"]
        members.setdefault(label, {}).setdefault(f"seed {row.get('seed', '-')}", []).append(row)
    table = {}
    for label, seeds in members.items():
        whole = {seed: own for seed, own in seeds.items() if sum(len(row["answers"]) for row in own) == len(cases)}
        for seed, own in whole.items():
            table[label if seed == "seed -" else f"{label}, {seed}"] = [own]
        if len(whole) > 1:
            table[f"{label}, mean of {len(whole)}"] = list(whole.values())
    found = {label: scored(cases, own) for label, own in table.items()}
    for label, parts in MEANS.items():
        own = [row[0] for name, row in table.items() if name.startswith(parts) and "mean of" not in name]
        if len(own) > 1:
            table[label], found[label] = own, scored(cases, own)
    print(f"airfrans_surface: {len(cases)} sections, {FOLDS} folds, data {data.hash[:12]}; wins: cases better than the {GAUSSIAN}\n")
    heads = [
        "predictor",
        "CPU-minutes",
        "parameters",
        "steps, at least",
        "mean (95 %)",
        "median",
        "worst case",
        "worst five",
        "Cp RMSE by length",
        "fold 0",
        "wins",
    ]
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for label, scores in sorted(found.items(), key=lambda item: -item[1].mean):
        print(line(label, [row for own in table[label] for row in own], scores, found.get(GAUSSIAN)))
    for path in sorted(OUTPUT.glob("panels-*-cpu*/best.safetensors")):
        about = geoop.load(path).about
        minutes = (about.get("training_seconds", 0.0) + about["preparation_seconds"]) / 60
        print(f"\nbeside these, once for all folds: {path.parent.name}, {minutes:.1f} minutes with preparation, {about.get('steps', '?')} steps")


def scored(cases: Sequence[Case], members: Sequence[Sequence[dict[str, Any]]]) -> PressureScores:
    """Scores of the mean of the answers of all members, each of which has a row per fold."""
    answers = [{name: np.array(values) for row in own for name, values in row["answers"].items()} for own in members]
    return pressure_scores(cases, [np.mean([own[case.name] for own in answers], axis=0) for case in cases])


def line(label: str, found: Sequence[dict[str, Any]], scores: PressureScores, gaussian: PressureScores | None) -> str:
    row = scores.row()
    wins = "-" if gaussian is None else str(int((scores.per_case < gaussian.per_case).sum()))
    first = (scores.per_case * scores.nodes)[::FOLDS].sum() / scores.nodes[::FOLDS].sum()
    known = [" + ".join(str(value) for value in sorted({item[key] for item in found if key in item})) or "-" for key in ("parameters", "steps")]
    cells = [label, f"{sum(item['seconds'] for item in found) / 60:.1f}", known[0], known[1].split(" + ")[0]]
    cells += [f"{row['mean']:.2e} ({row['low']:.1e} to {row['high']:.1e})", f"{row['median']:.2e}", f"{row['worst']:.1e}"]
    cells += [f"{100 * row['share_of_worst']:.0f} %", f"{row['rmse']:.4f}", f"{first:.2e}", wins]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
