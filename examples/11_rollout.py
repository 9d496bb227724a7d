"""Steps in time: train a stepper on series, roll it out from its first states alone, and see what that is worth.

The flow has an exact solution: vortices of Taylor and Green that drift with the stream. Every series has vortices of another size, so that every one
swings with another frequency, which the stepper has to see from the first states.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import geoop
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.cells import Cells
from geoop.mesh.quantity import QUANTITIES
from geoop.results.rollout_diagnostics import diagnose, spectrum
from geoop.studies.plots.rollout import diagnosis_plot, rollout_movie
from geoop.train.stepping import SteppingSettings, fit_stepper
from geoop.truth.exact.taylor_green import TaylorGreen

FRAMES, INTERVAL, SPEED, HISTORY = 20, 0.1, 1.0, 4
PROBE = (1.0, 0.5)


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    data = vortices(out / ("vortices-small" if quick else "vortices"), 8 if quick else 24)
    settings = SteppingSettings(
        steps=430 if quick else None,  # not a time: what comes out does not depend on what else the machine does
        cpu_minutes=None if quick else 4.0,
        history=HISTORY,
        leads=4,
        frame="region",
        domain_points=128 if quick else 512,
        points=128 if quick else 384,
    )
    stepper = fit_stepper(data, out / ("run-vortices-small" if quick else "run-vortices"), settings=settings, progress=not quick)
    truth = data.series("test_00")
    numbers: dict[str, float] = {}
    found = {}
    for name, restart in (("step by step", 1), ("in jumps", 4)):
        # of the series the first four frames are given; nothing can see the others
        rolled = geoop.rollout(stepper, truth.cases[:HISTORY], truth.times[HISTORY - 1] + INTERVAL * np.arange(1, 61), restart=restart)
        print(f"{name}: {rolled.outcome}")
        found[name] = diagnose(rolled.series, truth, given=rolled.given, probes=[PROBE])
        probe = found[name].probes[0]
        numbers |= {name: found[name].error.mean(), f"{name}, Strouhal over the exact one": probe.strouhal * 2 * np.pi / wave_number("test_00")}
        numbers |= {f"{name}, phase at the end": probe.phase_error_at(truth.times[-1])}
    one = found["in jumps"]
    numbers |= {"standing still": one.persistence.mean(), "the true frame before": one.identity.mean()}
    numbers |= {"divergence": one.divergence.mean(), "divergence of the truth": one.reference_divergence.mean()}
    waves, energy = spectrum(rolled.predicted.cases[15], "velocity", np.array([[0.0, 0.0], [2.0, 1.0]]))
    numbers["length of the strongest wave"] = 1.0 / waves[energy.argmax()] if energy.argmax() else np.inf
    print("written:", geoop.write(rolled.series, out / "rollout.pvd"))
    print("written:", diagnosis_plot(found, out / "rollout.png", title="drifting vortices"))
    print("written:", rollout_movie({"prediction": rolled.series, "truth": truth}, out / "rollout.gif"))
    for what, value in numbers.items():
        print(f"{what}: {value:.3g}")
    return numbers


def vortices(directory: Path, count: int) -> geoop.Dataset:
    """Series of exact solutions as a data set: a function from the name of a frame to its case is all that it takes."""
    series = {"train": [f"train_{k:02d}" for k in range(count)], "val": ["val_00"], "test": ["test_00"]}
    splits = {split: tuple(f"{name}_t{k:02d}" for name in names for k in range(FRAMES)) for split, names in series.items()}
    owner = {case: case.rsplit("_t", 1)[0] for cases in splits.values() for case in cases}
    plan = DatasetPlan("drifting-vortices", "Vortices of Taylor and Green in a stream, exact.", splits, geometry=owner, series=owner, seed=0)
    mesh = box()
    return write_dataset(directory, plan, lambda case: frame(mesh, owner[case], INTERVAL * int(case.rsplit("_t", 1)[1])))


def wave_number(name: str) -> float:
    """Of the vortices of a series [1/m]: spread over 4 to 9, the one to be tested in between."""
    return 6.1 if name == "test_00" else 4.0 + 5.0 * ((0.618034 * (1 + int(name[-2:]) + 3 * name.startswith("val"))) % 1.0)


def frame(mesh: geoop.Mesh, name: str, time: float) -> geoop.Case:
    flow = TaylorGreen(viscosity=1e-3, amplitude=0.4, wave_number=wave_number(name))
    velocity = flow.velocity(mesh.points - [SPEED * time, 0.0], time) + [SPEED, 0.0]
    condition = geoop.OperatingPoint(SPEED, density=1.0, viscosity=1e-3, reference_length=1.0)
    return geoop.Case(mesh, condition, {"velocity": geoop.Field(QUANTITIES["velocity"], velocity)}, wall=(), time=time)


def box(n: int = 12) -> geoop.Mesh:
    """(0, 2) x (0, 1) as triangles."""
    points = np.stack(np.meshgrid(np.linspace(0, 2, 2 * n + 1), np.linspace(0, 1, n + 1), indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(len(points)).reshape(2 * n + 1, n + 1)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    sides = {"inlet": number[0, ::-1], "outlet": number[-1], "bottom": number[:, 0], "top": number[::-1, -1]}
    patches = {key: Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)) for key, row in sides.items()}
    return geoop.Mesh(points, Cells.of(triangle=np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])), patches, name="box")


if __name__ == "__main__":
    main()
