"""body-potential: surface pressure and near field of closed bodies in space, source panels corrected by a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import geoop
from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import write_dataset
from geoop.mesh.case import Case
from geoop.models.enf2enf import Enf2Enf
from geoop.results.panel_correction import INPUTS, LEARNED, PanelCorrection, with_corrections
from geoop.results.panel_scene import PanelScene
from geoop.results.surrogate import Surrogate
from geoop.train.fit import fit
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.samples import Sample
from geoop.train.settings import FitSettings
from geoop.truth.datasets import bodies_3d

NAME = "body-potential"
CASES, SEED = 400, 0
#: No mirror images: the network answers a mirrored body by the mirrored flow.
SETTINGS = FitSettings(cpu_minutes=13, batch=4, field_points=256, wall_points=256, wall_weight=1.5, reflect=False, validate_every=3)
PREPARATION = Preparation(frame="bodies", vary_points=1.0, reflect=False, domain_points=64)


def build(folder: Path) -> Path:
    """Data, the panels' flows and the training, as far as they are missing; the path of the model."""
    best = folder / "body-potential.safetensors"
    if not best.exists():
        data = TrainingData.of(panels(folder), LEARNED, INPUTS, PREPARATION)
        surrogate = fit(against_the_flow(data), folder / "run", model=Enf2Enf, settings=SETTINGS, resume=(folder / "run" / "last.ckpt").exists())
        PanelCorrection(surrogate).save(best)
    return best


def panels(folder: Path) -> Dataset:
    """bodies-3d with what source panels on the bodies' own faces say of every case, and by how much they are off."""
    data = geoop.generate("bodies-3d", folder / "data", n=CASES, seed=SEED)
    plan = replace(bodies_3d.plan(CASES, SEED), name="bodies-3d-panels")
    return write_dataset(folder / "panels", plan, _maker(data))


def _maker(data: Dataset) -> Callable[[str], Case]:
    """Cases with their corrections; the panels of a geometry are solved once for the cases that follow each other."""
    kept: dict[str, PanelScene] = {}

    def make(name: str) -> Case:
        shape, case = name.rsplit("_", 1)[0], data.case(name)
        if shape not in kept:
            kept.clear()
            kept[shape] = PanelScene.exactly(case)
        return with_corrections(case, kept[shape])

    return make


def against_the_flow(data: TrainingData) -> TrainingData:
    """Samples whose errors count relative to the pressure and the disturbance of the whole flow, not to the correction that is learned."""
    deviation = {q.name: value for q, value in zip(data.normaliser.quantities, data.normaliser.deviation, strict=True)}
    scale = np.array([deviation[LEARNED[1]], *[deviation[LEARNED[0]]] * 3])

    def fixed(sample: Sample) -> Sample:
        return replace(sample, reference=torch.tensor(_sizes(data.dataset.case(sample.name)) / scale, dtype=torch.float32))

    return replace(data, train=[fixed(s) for s in data.train], validation=[fixed(s) for s in data.validation])


def _sizes(case: Case) -> np.ndarray:
    """(2, 4) root mean squares of the pressure, and of a component of the disturbance, in the field and on the wall."""
    point = case.operating_point
    assert point is not None
    wall = np.zeros(len(case.mesh.points), dtype=bool)
    wall[np.unique(case.mesh.patches["wall"].connectivity)] = True
    disturbance = np.linalg.norm(case.field("velocity").values / point.velocity - point.direction(3), axis=1) / np.sqrt(3.0)
    sizes = [(case.field("pressure_coefficient").values, disturbance)]
    return np.array([[np.sqrt((values[part] ** 2).mean()) for values in (sizes[0][0], *[sizes[0][1]] * 3)] for part in (~wall, wall)])


def inner(model: Surrogate | PanelCorrection) -> Surrogate:
    """The network alone."""
    return model.surrogate if isinstance(model, PanelCorrection) else model
