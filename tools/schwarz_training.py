"""Local operators for ``tools/benchmark schwarz``: data set, training, error on unseen polygons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from schwarz_problems import PROBLEMS

import geoop
from geoop.io.dataset import Dataset
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.model import AbstractModel
from geoop.models.named import model_classes
from geoop.models.ports import Ports
from geoop.models.presets import PRESETS
from geoop.results.metrics import relative_l2
from geoop.results.surrogate import Surrogate
from geoop.train.fit import fit
from geoop.train.settings import FitSettings

#: Other equations begin with what was learned of this one, wherever names and shapes of the weights agree.
FIRST = "laplace"
BATCH = 8


def dataset(name: str, output: Path) -> Dataset:
    """The local problems of an equation, made once."""
    problem = PROBLEMS[name]
    folder = output / "data" / f"{problem.dataset}-{problem.n}"
    return Dataset.open(folder) if (folder / "dataset.toml").exists() else geoop.generate(problem.dataset, folder, n=problem.n)


def trained(name: str, output: Path, cpu_minutes: float, kind: str = "BoundaryKernel") -> Surrogate:
    """The local operator of an equation; loaded where it was trained before.

    Args:
        name: of the equation.
        output: folder of all runs.
        cpu_minutes: computing time of the training.
        kind: class of the model; its small preset is taken.
    """
    folder = output / "runs" / f"{name}-{kind}-cpu{cpu_minutes:g}"
    if (folder / "done").exists():
        return geoop.load(folder / "best.safetensors")
    problem, first = PROBLEMS[name], output / "runs" / f"{FIRST}-{kind}-cpu{cpu_minutes:g}" / "best.safetensors"
    sizes = {**PRESETS[kind]["small"], **(problem.sizes if kind == "BoundaryKernel" else {})}

    def make(ports: Ports) -> AbstractModel:
        model = model_classes()[kind](ports, **sizes)
        if kind == "BoundaryKernel" and name != FIRST and first.exists():
            _begin(model, geoop.load(first).model.state_dict())
        return model

    torch.set_num_threads(1)
    whole = kind == "BoundaryKernel"  # sources and coefficients at all points of the mesh
    settings = FitSettings(cpu_minutes=cpu_minutes, batch=BATCH, domain_points=4000 if whole else 256, vary_points=1.0 if whole else 2.0)
    surrogate = fit(dataset(name, output), folder, quantities=problem.quantities, inputs=problem.inputs, model=make, settings=settings)
    (folder / "done").touch()
    return surrogate


def local_errors(name: str, surrogate: Surrogate, output: Path, limit: int = 300) -> dict[str, Any]:
    """Mean relative L2 [%] on unseen polygons, all kinds of boundary data together and white ones alone; the mean of the boundary values beside."""
    data, quantity = dataset(name, output), PROBLEMS[name].quantities[0]
    names = list(data.splits["test"])
    found: dict[str, list[float]] = {"all": [], "white": [], "mean of the boundary": []}
    for case_name in names[:: max(1, len(names) // limit)]:
        case = data.case(case_name)
        truth = case.field(quantity).values
        off = 100 * float(relative_l2(surrogate.predict(case)[quantity], truth))
        found["all"].append(off)
        if _kind(data, case_name) == "white":
            found["white"].append(off)
        given = np.concatenate([item[quantity].values for item in case.boundary.values() if quantity in item])
        guess = np.broadcast_to(given.mean(axis=0), truth.shape).copy()
        held = np.unique(np.concatenate([case.mesh.patch_points(patch) for patch, item in case.boundary.items() if quantity in item]))
        guess[held] = truth[held]
        found["mean of the boundary"].append(100 * float(relative_l2(guess, truth)))
    return {key: {"mean": float(np.mean(item)), "cases": len(item)} for key, item in found.items() if item}


def _kind(data: Dataset, name: str) -> str:
    drawn: Mapping[str, Any] = data.manifest.cases[name].parameters or {}
    return str(drawn.get("boundary", ""))


def _begin(model: AbstractModel, weights: Mapping[str, torch.Tensor]) -> None:
    assert isinstance(model, BoundaryKernel)
    own = model.state_dict()
    model.load_state_dict({**own, **{key: value for key, value in weights.items() if key in own and own[key].shape == value.shape}})
