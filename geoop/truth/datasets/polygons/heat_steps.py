"""The data set ``polygons-heat-steps``: single steps of the trajectories of ``polygons-heat`` as cases, what a local operator in time learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....fem.heat import Heat, HeatData
from ....io.dataset_writing import DatasetPlan
from ....mesh.case import Case
from ....mesh.quantity import Field, Quantity
from ...diffusion.cases import diffusion_case
from ..draws import random_of
from ..named import NamedDataset
from . import traces
from .family import BOUNDARY, INSIDE, PARAMETERS, Family, geometry_of
from .heat import DIFFUSIVITY, STEP

DEFAULT_SIZE = 3600
#: Diffusivity of a part in the unit box: a part of half that size sees four times the diffusivity of the whole.
ALPHA = (0.05, 1.5)
#: Steps of which the last is the case: the first forgets a rough start, later ones see smooth states.
STEPS = (1, 2, 4, 10)
PREVIOUS = Quantity("previous_solution", "u0", "1")
FAMILY = Family(
    "polygons-heat-steps",
    "step",
    "u - dt alpha laplace(u) = u0, u given on the whole boundary",
    {
        "time_step": f"one implicit Euler step of {STEP} s, the last of {list(STEPS)} steps from a start that fills [0, 1]",
        "diffusivity": f"log-uniform in {list(ALPHA)} m^2/s, one per case",
        "boundary_in_time": "p + w(t) (q - p) as in polygons-heat",
        "label_error": "the label is the discrete step itself",
    },
)


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and the kinds of data of every case; see :meth:`Family.plan`."""
    return FAMILY.plan(n, seed, parameters)


def parameters(seed: int, name: str) -> dict[str, Any]:
    """Kinds of the data, diffusivity, number of steps and the frequency at the boundary."""
    random, mixture = random_of(seed, name, PARAMETERS), FAMILY.mixture(name)
    kinds = {"boundary": traces.kind_of(random, mixture), "start": traces.kind_of(random, traces.INSIDE)}
    alpha = ALPHA[0] * (ALPHA[1] / ALPHA[0]) ** random.random()
    return {**kinds, "diffusivity": alpha, "steps": int(random.choice(STEPS)), "frequency": 60.0 * random.random() * (random.random() < 0.6)}


def case(seed: int, name: str) -> Case:
    """One step: ``solution``, ``previous_solution`` and the global ``diffusivity``.

    Raises:
        ConvergenceError, InvalidMeshError: the mesher gave up on its shape.
    """
    drawn, mesh = parameters(seed, name), FAMILY.mesh(seed, geometry_of(name))
    heat = Heat(mesh, STEP, conductivity=drawn["diffusivity"], degree=1, dirichlet=("dirichlet",), scheme="implicit_euler")
    extent, rim = traces.Extent.of(mesh.points), mesh.patch_points("dirichlet")
    random = random_of(seed, name, BOUNDARY)
    p, q = (traces.boundary_trace(random, drawn["boundary"], mesh.points[rim], extent).values for _ in range(2))

    def boundary(time: float) -> np.ndarray:
        return p + 0.5 * (1.0 - np.cos(drawn["frequency"] * time)) * (q - p)

    start = traces.unit_trace(random_of(seed, name, INSIDE), drawn["start"], mesh.points, extent).values
    start[rim] = boundary(0.0)
    states = list(heat.march(start, drawn["steps"], lambda time: HeatData(dirichlet={"dirichlet": boundary(time)})))
    before, after = (heat.space.at_mesh_points(u) for u in states[-2:])
    made = diffusion_case(mesh, after, dirichlet={"dirichlet": boundary(drawn["steps"] * STEP)}, name=name)
    return replace(made.with_fields(Field(PREVIOUS, before), Field(DIFFUSIVITY, np.array(drawn["diffusivity"]), "global")), time=None)


DATASET = NamedDataset("single steps of local heat conduction on random polygons, and target shapes", plan, case, DEFAULT_SIZE, cases_per_worker=200)
