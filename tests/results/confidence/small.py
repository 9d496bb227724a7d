"""A small data set and small surrogates that were never trained: what confidence promises must hold for any predictor."""

from __future__ import annotations

from pathlib import Path

import torch

import geoop
from geoop.io.dataset import Dataset
from geoop.mesh.quantity import QUANTITIES
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser


def dataset(folder: Path, count: int = 140) -> Dataset:
    """Karman-Trefftz sections; of their points only the wall and every fiftieth in the field, so that predictions are quick."""
    from dataclasses import replace

    import numpy as np

    from geoop.io.dataset_writing import write_dataset
    from geoop.mesh.cells import Cells
    from geoop.mesh.mesh import Mesh
    from geoop.mesh.quantity import Field
    from geoop.truth.datasets import kt_airfoils

    def thin(name: str) -> geoop.Case:
        case = kt_airfoils.case(0, name)
        kept = np.r_[0:200, 200:5200:50]
        walls = case.mesh.patches["wall"]
        vertices = Cells.of(vertex=np.arange(200, len(kept))[:, None])
        mesh = Mesh(case.mesh.points[kept], Cells.concatenate([walls, vertices]), {"wall": walls}, name=name)
        return replace(case, mesh=mesh, fields={key: Field(item.quantity, item.values[kept]) for key, item in case.fields.items()})

    return write_dataset(folder, kt_airfoils.plan(count, 0), thin)


def surrogate(data: Dataset, seed: int = 0) -> Surrogate:
    """With random weights."""
    torch.manual_seed(seed)
    cases = [data.case(name) for name in data.splits["train"][:20]]
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    model = BodyField(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), width=16, depth=1, densities=2)
    return Surrogate(model, normaliser, TrainingEnvelope.fit(cases))
