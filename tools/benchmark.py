"""Measure what the README states: errors beside their controls, and the speed and memory of decoding. Resumable."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

import geoop
from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.mean_field import MeanField
from geoop.baselines.nearest_shape import NearestShape
from geoop.baselines.ridge import Ridge
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.result import Result
from geoop.interfaces.verdict import Verdict
from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.mesh.primitives import naca4
from geoop.mesh.resample import resample
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.evaluation import Evaluation, evaluate
from geoop.results.metrics import relative_l2
from geoop.results.surrogate import Surrogate
from geoop.train.settings import FitSettings
from geoop.truth.panels.system import panel_flow

ROOT = Path(__file__).resolve().parent.parent
console = Console()
#: Sub-commands that are scripts of their own: file and what they measure.
MORE = {
    "distance": ("benchmark_distance", "signed distance to 81 920 triangles: seconds beside trimesh, errors, signs with holes"),
    "curvature": ("benchmark_curvature", "curvature of point clouds against the exact one, without and with noise"),
    "grids": ("benchmark_grids", "O- and C-grids around every section of the UIUC collection"),
    "enf": ("benchmark_enf", "equivariant neural fields: shapes from few numbers beside their controls; speed of decoding; resumable"),
    "schwarz": ("benchmark_schwarz", "Schwarz stitching: exact and learned local operators on shapes that nobody trained on; resumable"),
    "moving": ("benchmark_moving", "moving meshes and time: movers, deformers, transfer, rollouts, each beside its control; resumable"),
    "studies": ("benchmark_studies", "studies: shipped models, confidence, sweeps, forces, gradients, each beside its control; resumable"),
    "labels": ("benchmark_labels", "labels of bodies-3d against four times as many panels: what no model can be shown to beat"),
    "enf-time": ("benchmark_enf_time", "forecasts by equivariant neural fields on exact solutions: planar diffusion, Burgers on a torus; resumable"),
    "operators": ("benchmark_operators", "the operator family beside its controls: accuracy at equal computing time, speed, memory; resumable"),
    "peer": ("benchmark_peer", "the GINO of the package neuraloperator beside geoop's models: same cases, points, batch and computing time"),
    "layers": ("benchmark_layers", "layers beside plain sums and PyTorch Geometric's layers, as ratios in one run"),
    "transfer": ("benchmark_transfer", "resolution transfer: trained models on clouds of N/2, 2N and 4N points, with and without quadrature weights"),
    "memory": ("benchmark_memory", "peak memory of encoding up to 1e6 points and of decoding up to 1e6 queries"),
    "operators-scaling": ("benchmark_operators_scaling", "multipole kernel: seconds and memory from 1e4 to 1e6 points"),
    "real-sets": ("benchmark_real_sets", "controls on real data of others: pressure of AirfRANS sections, Poisson with holes"),
    "airfrans": ("benchmark_airfrans", "models on real surface pressure in five folds, with and without pre-training and a panel method; resumable"),
    "rank-bound": ("benchmark_rank_bound", "tail energy of fields beyond so many modes, beside the error of a DeepONet of so many"),
    "edge-masking": ("benchmark_edge_masking", "RIGNO with and without edges left out in training, and as an ensemble"),
    "averaging": ("benchmark_averaging", "what thinned clouds keep of a source: samples beside means"),
    "walks": ("benchmark_walks", "walk on spheres: error against the number of walks, beside finite elements"),
    "truth": ("benchmark_truth", "named data sets: seconds and cases per second per core; second use of a mesh and a factorisation"),
    "own-runs": ("benchmark_own_runs", "what examples/06_own_runs.py learned, beside controls and the solver"),
    "reading": ("benchmark_reading", "reading large VTU and STL files beside VTK and pyvista: seconds and memory"),
}
QUANTITIES = ("velocity", "pressure_coefficient")
#: (quantity, region) -> heading of the table
COLUMNS = {
    ("velocity_x", "field"): "u",
    ("velocity_y", "field"): "v",
    ("velocity perturbation", "field"): "u - U",
    ("pressure_coefficient", "field"): "Cp",
    ("velocity perturbation", "surface"): "surface u - U",
    ("pressure_coefficient", "surface"): "surface Cp",
}


class Control:
    """A baseline in the clothes of a predictor, so that it is evaluated by the same lines as the model."""

    def __init__(self, baseline) -> None:
        self.baseline = baseline

    def predict(self, case: Case) -> Result:
        fields = self.baseline.predict(case)
        known = case.with_fields(*fields.values())
        return Result(known, Outcome("converged"), Verdict("inside", "not judged: a control"), lambda points: {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    accuracy_ = what.add_parser("accuracy", help="kt-airfoils: the default model, an ablation, controls and an oracle")
    accuracy_.add_argument("--minutes", type=float, default=10.0, help="training budget of each model")
    accuracy_.add_argument("--ablation", action="store_true", help="also train without layer potentials, for as long")
    accuracy_.add_argument("--output", type=Path, default=ROOT / "out" / "benchmark")
    sections_ = what.add_parser(
        "sections", help="the trained model and two controls on sections outside the training family, against the panel method"
    )
    sections_.add_argument("checkpoint", type=Path, nargs="?", default=ROOT / "out" / "benchmark" / "run-10" / "best.safetensors")
    decode_ = what.add_parser("decode", help="seconds and peak memory of decoding around one section on one core")
    decode_.add_argument("--points", type=int, nargs="*", default=[100_000, 1_000_000])
    decode_.add_argument("--chunk", type=int, default=8192)
    one = what.add_parser("decode-one", help="one decode, in this process")
    one.add_argument("points", type=int)
    one.add_argument("chunk", type=int)
    for name, (_, about) in MORE.items():
        what.add_parser(name, help=about, add_help=False)
    arguments, rest = parser.parse_known_args()
    if arguments.what in MORE:
        importlib.import_module(MORE[arguments.what][0]).main(rest)
        return
    if rest:
        parser.error(f"unrecognised arguments: {' '.join(rest)}")
    if arguments.what == "accuracy":
        accuracy(arguments.output, arguments.minutes, arguments.ablation)
    elif arguments.what == "sections":
        sections(arguments.checkpoint)
    elif arguments.what == "decode":
        decode(arguments.points, arguments.chunk)
    else:
        decode_one(arguments.points, arguments.chunk)


def accuracy(output: Path, minutes: float, ablation: bool) -> None:
    output.mkdir(parents=True, exist_ok=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("kt-airfoils", total=None)
        data = geoop.generate("kt-airfoils", output / "kt-airfoils", progress=lambda done, total: bar.update(task, completed=done, total=total))
    rows = [model_row(f"geoop BodyField, {minutes:g} min", output / f"run-{minutes:g}", data, minutes, BodyField)]
    if ablation:
        without = partial(BodyField, densities=0)
        rows.append(model_row(f"BodyField without layer potentials, {minutes:g} min", output / f"run-{minutes:g}-plain", data, minutes, without))
    train = data.cases("train")
    controls: dict[str, Callable] = {
        "mean field": MeanField,
        "nearest shape": NearestShape,
        "ridge": Ridge,
        "Gaussian process on modes of the coordinates": GaussianProcessModes,
        "ORACLE: Gaussian process on the 4 hidden parameters": partial(GaussianProcessModes, hidden(data)),
    }
    for name, make in controls.items():
        path = output / f"{name.split(':')[0].replace(' ', '-')}-{data.hash[:12]}.json"
        rows.append(kept(path, name, lambda make=make: control_row(make, train, data)))
    report(rows, data)
    (output / "accuracy.json").write_text(json.dumps(rows, indent=2))


def hidden(data: Dataset) -> dict[str, list[float]]:
    """The generator's own parameters of every case: what no model sees."""
    return {name: [float(v) for v in entry.parameters.values()] for name, entry in data.manifest.cases.items()}


def model_row(name: str, directory: Path, data: Dataset, minutes: float, model: Callable) -> dict:
    checkpoint = directory / "best.safetensors"
    finished = checkpoint.exists() and geoop.load(checkpoint).expected_errors
    if not finished:
        resume = (directory / "last.ckpt").exists()
        geoop.fit(data, directory, model=model, settings=FitSettings(minutes=minutes), resume=resume)
    surrogate = geoop.load(checkpoint)
    about = surrogate.about
    return {
        "name": name,
        "parameters": sum(p.numel() for p in surrogate.model.parameters()),
        "epochs": about["epochs"],
        "seconds": about["training_seconds"],
        "preparation_seconds": about["preparation_seconds"],
        **{split: scores(evaluate(surrogate, data, split)) for split in ("test", "ood")},
    }


def control_row(make: Callable, train: list[Case], data: Dataset) -> dict:
    started = time.perf_counter()
    control = Control(make().fit(train, QUANTITIES))
    seconds = time.perf_counter() - started
    return {"seconds": round(seconds, 1), **{split: scores(evaluate(control, data, split)) for split in ("test", "ood")}}


def kept(path: Path, name: str, measure: Callable[[], dict]) -> dict:
    """A row that was measured before, or now."""
    if not path.exists():
        console.print(f"control: {name}")
        path.write_text(json.dumps(measure()))
    return {"name": name, **json.loads(path.read_text())}


def scores(found: Evaluation) -> dict:
    values = {heading: 100 * float(found.scores.row(*key).l2.mean()) for key, heading in COLUMNS.items()}
    medians = {heading + " median": 100 * float(np.median(found.scores.row(*key).l2)) for key, heading in COLUMNS.items()}
    return {**values, **medians, "dCL": found.lift_error}


def report(rows: list[dict], data: Dataset) -> None:
    print(f"\n{machine()}\nkt-airfoils, hash {data.hash[:12]}, mean relative L2 [%] over the points of a case, mean over cases (median)\n")
    for split in ("test", "ood"):
        print(f"split {split}: {len(data.splits[split])} cases of {len(data.case(data.splits[split][0]).mesh.points)} points\n")
        print("| predictor | parameters | seconds | " + " | ".join(COLUMNS.values()) + " | mean abs dCL |")
        print("| --- " * (len(COLUMNS) + 4) + "|")
        for row in rows:
            cells = [f"{row[split][h]:.2f} ({row[split][h + ' median']:.2f})" for h in COLUMNS.values()]
            print(f"| {row['name']} | {row.get('parameters', '-')} | {row['seconds']:.0f} | " + " | ".join(cells) + f" | {row[split]['dCL']:.4f} |")
        print()


def sections(checkpoint: Path) -> None:
    """Surface pressure and lift on NACA sections, which are no Karman-Trefftz sections, at three angles each."""
    data = Dataset.open(checkpoint.parent.parent / "kt-airfoils")
    train = data.cases("train")
    predictors = {"geoop BodyField": geoop.load(checkpoint)}
    for name, make in (("nearest shape", NearestShape), ("Gaussian process on modes of the coordinates", GaussianProcessModes)):
        predictors[name] = Control(make().fit(train, QUANTITIES))
    codes = ("0009", "0012", "0015", "1410", "2412", "2415", "4412", "4415", "6412", "1412")
    errors: dict[str, list[tuple[float, float]]] = {name: [] for name in predictors}
    levels: list[str] = []
    for code in codes:
        for alpha in (0.0, 4.0, 8.0):
            case = Case(resample(naca4(code), 200), geoop.OperatingPoint(60.0, alpha, reference_length=1.0), name=f"NACA {code}")
            truth = panel_flow(case.mesh, case.operating_point).solve_case(case)
            for name, predictor in predictors.items():
                result = predictor.predict(case, surface_only=True) if isinstance(predictor, Surrogate) else predictor.predict(case)
                cp = relative_l2(result["pressure_coefficient"], truth.field("pressure_coefficient").values)
                errors[name].append((cp, abs(geoop.forces(result).CL - geoop.forces(truth).CL)))
                if isinstance(predictor, Surrogate):
                    levels.append(result.verdict.level)
    print(f"{machine()}\n{len(levels)} cases: NACA {', '.join(codes)} at 0, 4, 8 deg; truth: 200 panels; verdicts {dict(Counter(levels))}\n")
    print("| predictor | surface Cp, mean (median) relative L2 [%] | mean abs dCL |\n| --- | --- | --- |")
    for name, rows in errors.items():
        cp, lift = np.array(rows).T
        print(f"| {name} | {100 * cp.mean():.1f} ({100 * np.median(cp):.1f}) | {lift.mean():.4f} |")


def decode(points: list[int], chunk: int) -> None:
    """Each size in a process of its own, on one thread: peak memory is of that size alone."""
    import os

    print(f"{machine()}\n| points | chunk | seconds | microseconds per point | peak memory: of the decode, of the process [MB] |")
    print("| --- " * 5 + "|")
    for count in points:
        env = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, __file__, "decode-one", str(count), str(chunk)], capture_output=True, text=True, env=env, check=True)
        found = json.loads(done.stdout)
        memory = f"{found['megabytes']:.0f}, {found['peak']:.0f}"
        print(f"| {count} | {chunk} | {found['seconds']:.2f} | {1e6 * found['seconds'] / count:.1f} | {memory} |")


def decode_one(count: int, chunk: int) -> None:
    import torch

    from geoop.mesh.quantity import QUANTITIES as KNOWN
    from geoop.scaling.envelope import TrainingEnvelope
    from geoop.scaling.normaliser import Normaliser

    torch.set_num_threads(1)
    section, point = naca4("2412"), geoop.OperatingPoint(60.0, 4.0)
    cases = [Case(naca4(name), geoop.OperatingPoint(60.0, a)) for name in ("0012", "2412", "4412") for a in (-4.0, 0.0, 4.0)]
    # the cost of a decode does not depend on the values of the weights
    normaliser = Normaliser(tuple(KNOWN[q] for q in QUANTITIES), (0.0, 0.0), (1.0, 1.0))
    ports = Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True)
    surrogate = Surrogate(BodyField(ports), normaliser, TrainingEnvelope.fit(cases))
    result = surrogate.predict(Case(section, point), chunk=chunk)
    where = np.random.default_rng(0).uniform((-1.0, 0.2), (2.0, 1.5), (count, 2))
    result.at(where[:1000])
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    result.at(where)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "megabytes": (peak - idle) / 1024, "peak": peak / 1024}))


def machine() -> str:
    import torch

    return f"{platform.machine()}, {torch.get_num_threads()} threads, Python {platform.python_version()}, torch {torch.__version__}"


if __name__ == "__main__":
    main()
