"""The data set ``poisson-c-sines``: Poisson's equation on a disk under random sine series."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.generate.disk import star
from ..diffusion.cases import diffusion_case
from .draws import split_geometries, split_of
from .named import NamedDataset
from .sine_sources import SineProblem, random_series

NAME, PREFIX = "poisson-c-sines", "csines"
CENTER, RINGS = (0.5, 0.5), 72
#: Waves along each axis, by split.
WAVES = {"": 16, "ood": 24}

_DESCRIPTION = """-laplace(u) = f in the disk of radius 1 round (0.5, 0.5), u = 0 on its boundary; f is a random series of 16 x 16 sines with \
the amplitudes of the Poisson-C-Sines benchmark (GAOT, arXiv 2505.18781). All cases share one domain and its 15769 points, so splits are \
disjoint by source, not by geometry. The problem is linear with 256 degrees of freedom: ridge regression solves it from 256 \
samples on, and any claim on this set must print that line. Split 'ood' has 24 x 24 sines: waves that training never saw."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, val and test together, 7 : 1 : 2; n/5 more are out of distribution.
        seed: of all draws; case k is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 4 cases.
    """
    splits = split_geometries(PREFIX, n, where=NAME)
    parameters = {name: {"waves": WAVES[split_of(name, PREFIX)]} for names in splits.values() for name in names}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with ``source`` and ``solution`` at its points; the same for the same seed and name."""
    problem = disk_problem(RINGS)
    series = random_series(seed, name, WAVES[split_of(name, PREFIX)])
    return diffusion_case(problem.mesh, problem.solve(series), source=series(problem.mesh.points), dirichlet={"boundary": 0.0}, name=name)


@lru_cache(maxsize=2)
def disk_problem(rings: int) -> SineProblem:
    """The disk, assembled and factorised once per process."""
    return SineProblem.on(star(rings, np.ones_like, center=CENTER))


def _generator() -> dict:
    return {
        "source": "finite elements: geoop.fem.diffusion",
        "revision": 1,
        "equation": "-laplace(u) = f in the disk of radius 1 m round (0.5, 0.5) m, u = 0 on its boundary",
        "source_law": "f = pi/K^2 sum_ij a_ij (i^2 + j^2)^(1/2) sin(pi i x) sin(pi j y), i, j = 1 .. K; a_ij independent, uniform in [-1, 1]",
        "waves": WAVES[""],
        "waves_ood": WAVES["ood"],
        "points": 1 + 3 * RINGS * (RINGS + 1),
        "point_law": f"{RINGS} equidistant circles of 6, 12, 18, ... points round the centre",
        "elements": "isoparametric quadratic triangles, 62641 unknowns; values at their corners are stored",
        "label_error": "relative L2 against twice as many rings: 2e-4 with 16 waves, 1e-3 with 24",
        "geometry": "one domain for all cases",
    }


DATASET = NamedDataset("Poisson's equation on a disk under random sine series (linear: ridge regression solves it)", plan, case, 400, 40)
