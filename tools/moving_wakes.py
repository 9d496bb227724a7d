"""Vortex streets of ``cylinder-wake`` on its own or on coarser meshes, frames at one interval: what steppers are trained and judged on in minutes.

The frames of the named data set are a sixteenth of a period apart, whatever the period: a stepper that goes from frame to frame is told the period that it
is asked for. Here the interval is the same for every body and Reynolds number, and series begin at any phase.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.truth.datasets import cylinder_wake as wake
from geoop.truth.datasets.draws import cases_of, split_geometries
from geoop.truth.navier_stokes.forces import ForceGauge
from geoop.truth.running.one_process import in_this_process

#: Frames of a series, and the time between two of them [s]: twelve to eighteen make a period.
FRAMES, INTERVAL = 48, 0.4
#: What divides the lengths of edges of the named data set.
COARSE, FINE = 0.4, 1.0
STROUHAL = Quantity("strouhal_number", "St")
_DESCRIPTION = (
    f"Bodies, Reynolds numbers and solver of cylinder-wake, edges divided by {{finer}}; {FRAMES} frames of the established wake, {INTERVAL} s apart."
)


def wakes(directory: Path, series: int = 22, seed: int = 0, *, finer: float = COARSE) -> Dataset:
    """The data set, made where it is not there yet: about 20 s of computing time per series on coarse meshes, a minute on those of the named set."""
    splits, geometry = cases_of(split_geometries("wake", series, where="wakes", outside={}), FRAMES)
    drawn = {name: wake.drawn(seed, name) for name in dict.fromkeys(geometry.values())}
    parameters = {name: drawn[body] for name, body in geometry.items()}
    generator = {"source": "geoop.truth.datasets.cylinder_wake", "finer": finer, "interval": INTERVAL, "frames": FRAMES}
    plan = DatasetPlan(
        "wakes", _DESCRIPTION.format(finer=finer), splits, generator, parameters, geometry, dict(geometry), seed=seed, licence="CC0-1.0"
    )
    return write_dataset(
        directory, plan, partial(_case, seed, finer), run=lambda store, folder, groups: in_this_process(partial(store, folder), groups)
    )


def _case(seed: int, finer: float, name: str) -> Case:
    body, number = name.rsplit("_", 1)
    return _series(seed, finer, body)[int(number) - 1]


@lru_cache(maxsize=1)
def _series(seed: int, finer: float, body: str) -> tuple[Case, ...]:
    """All frames behind one body."""
    values = wake.drawn(seed, body)
    problem = wake.problem_of(values, body, finer=finer)
    flow, state = wake.periodic_flow(problem)
    gauge = ForceGauge(problem.space, "body")
    steps = int(np.ceil(INTERVAL / flow.step))
    flow.set_step(INTERVAL / steps)
    condition = OperatingPoint(wake.SPEED, density=wake.DENSITY, viscosity=wake.DENSITY * problem.viscosity, reference_length=wake.BODY)
    found = []
    for k in range(FRAMES):
        for _ in range(steps):
            solution = flow.advance()
        forces = gauge(solution)
        fields = dict(solution.fields())
        for key, value in (("drag_coefficient", forces.drag_coefficient), ("lift_coefficient", forces.lift_coefficient)):
            fields[key] = Field(QUANTITIES[key], np.array(value), "global")
        fields[STROUHAL.name] = Field(STROUHAL, np.array(state.strouhal), "global")
        found.append(Case(problem.space.domain.mesh, condition, fields, wall=("body",), time=k * INTERVAL, name=f"{body}_{k + 1:02d}"))
    return tuple(found)
