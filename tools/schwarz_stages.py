"""What else ``tools/benchmark schwarz`` trains: other networks with the same time, and the online stage beside the same time on old data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from schwarz_problems import PROBLEMS, imposed, values
from schwarz_training import BATCH, dataset, local_errors, trained

from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.results.local_surrogate import LocalSurrogate
from geoop.results.surrogate import Surrogate
from geoop.solve.schwarz.iteration import Schwarz
from geoop.solve.schwarz.settings import SchwarzSettings
from geoop.train.fit import fit
from geoop.train.online import online, random_regions
from geoop.train.settings import FitSettings

#: Models that the kernel is held against.
CONTROLS = ("BoundaryKernel", "GNOT", "Transolver")
REGIONS, UNSEEN, ROUNDS = 20, 24, 2


def control(kind: str, output: Path, cpu_minutes: float) -> dict[str, Any]:
    """A model trained on Laplace for a time of its own: errors on unseen polygons."""
    surrogate = trained("laplace", output, cpu_minutes, kind)
    parameters = sum(p.numel() for p in surrogate.model.parameters())
    found = {"problem": kind, "parameters": parameters, "cpu_minutes": cpu_minutes, "epochs": surrogate.about["epochs"]}
    return {"section": "controls", **found, "errors": local_errors("laplace", surrogate, output)}


def stages(output: Path, start: Surrogate, cpu_minutes: float) -> dict[str, Any]:
    """The operator of Laplace, trained on with what its iterations meet on random regions, and as long on old data: stitched errors on regions of neither."""
    torch.set_num_threads(1)
    problem, data, random = PROBLEMS["laplace"], dataset("laplace", output), np.random.default_rng(7)
    regions = [_white(random, mesh) for mesh in random_regions(random, REGIONS)]
    unseen = [_white(random, mesh) for mesh in random_regions(random, UNSEEN)]
    rates: dict[str, Any] = {"rate": 5e-4, "muon_rate": 4e-3, "vary_points": 1.0, "batch": BATCH, "domain_points": 4000}
    folder = output / "runs" / f"online-cpu{cpu_minutes:g}"
    settings = FitSettings(cpu_minutes=cpu_minutes / ROUNDS, **rates)
    further = online(data, folder, start=start, equation=problem.equation, shapes=regions, settings=settings, rounds=ROUNDS)
    settings = FitSettings(cpu_minutes=cpu_minutes, **rates)
    old = fit(data, folder / "old", quantities=problem.quantities, inputs=problem.inputs, settings=settings, start=start)
    models = {"before": start, "online": further, "as long on old data": old}
    return {"section": "online", "cpu_minutes": cpu_minutes, "regions": UNSEEN, **{name: _stitched(model, unseen) for name, model in models.items()}}


def _white(random: np.random.Generator, mesh: Mesh) -> Case:
    return Case(mesh, None, {}, imposed(mesh, "wall", values(random, mesh.points[mesh.patch_points("wall")], "white")))


def _stitched(surrogate: Surrogate, cases: list[Case]) -> float:
    """Mean relative L2 error [%]."""
    found, equation = [], PROBLEMS["laplace"].equation
    for case in cases:
        truth = equation.discrete(case).solve()
        off = Schwarz(case, equation, LocalSurrogate(surrogate), SchwarzSettings(12, 2)).solve().u - truth
        found.append(100 * float(np.linalg.norm(off) / np.linalg.norm(truth)))
    return float(np.mean(found))
