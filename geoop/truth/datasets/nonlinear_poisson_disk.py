"""The data set ``nonlinear-poisson-disk``: Poisson-C-Sines made non-linear, on the one disk, where a linear regression can be compared."""

from __future__ import annotations

from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ..diffusion.cases import diffusion_case
from ..exact.harmonic import from_kirchhoff
from .draws import random_of, split_geometries, split_of, uniform
from .named import NamedDataset
from .poisson_c_sines import RINGS, disk_problem
from .sine_sources import random_series

NAME, PREFIX, WAVES = "nonlinear-poisson-disk", "npdisk", 16
#: Scale s of the source; at 1000 the solution's standard deviation is .52.
SCALE, SCALE_OUTSIDE = 1000.0, {"scale": (2000.0, 4000.0)}

_DESCRIPTION = """-div((1 + u^2) grad u) = s f in the disk of radius 1 round (0.5, 0.5), u = 0 on its boundary; f as in poisson-c-sines, \
s = 1000. With w = u + u^3/3 the problem is -laplace(w) = s f, so one linear solve and a closed form give u. All cases share one \
domain: splits are disjoint by source. The map is not linear: ridge regression keeps a median relative L1 \
error of 27 % with 300 and 10 % with 2048 samples. Split 'ood' has sources two to four \
times as strong."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters; as :func:`geoop.truth.datasets.poisson_c_sines.plan`.

    Raises:
        ConfigurationError: fewer than 4 cases.
    """
    splits = split_geometries(PREFIX, n, where=NAME)
    parameters = {name: {"waves": WAVES, "scale": _scale(seed, name)} for names in splits.values() for name in names}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with ``source`` (s f) and ``solution`` at its points; the same for the same seed and name."""
    problem = disk_problem(RINGS)
    series = random_series(seed, name, WAVES, _scale(seed, name))
    solution = from_kirchhoff(problem.solve(series))
    return diffusion_case(problem.mesh, solution, source=series(problem.mesh.points), dirichlet={"boundary": 0.0}, name=name)


def _scale(seed: int, name: str) -> float:
    if not split_of(name, PREFIX):
        return SCALE
    return uniform(random_of(seed, name), SCALE_OUTSIDE)["scale"]


def _generator() -> dict:
    return {
        "source": "finite elements and Kirchhoff's transform: geoop.fem.diffusion, geoop.truth.exact.harmonic",
        "revision": 1,
        "equation": "-div((1 + u^2) grad u) = s f in the disk of radius 1 m round (0.5, 0.5) m, u = 0 on its boundary",
        "transform": "w = u + u^3/3 solves -laplace(w) = s f; u = 2 sinh(asinh(3 w/2)/3)",
        "source_law": "f = pi/K^2 sum_ij a_ij (i^2 + j^2)^(1/2) sin(pi i x) sin(pi j y), i, j = 1 .. K; a_ij independent, uniform in [-1, 1]",
        "waves": WAVES,
        "scale": SCALE,
        "scale_ood": list(SCALE_OUTSIDE["scale"]),
        "points": 1 + 3 * RINGS * (RINGS + 1),
        "elements": "isoparametric quadratic triangles, 62641 unknowns; values at their corners are stored",
        "label_error": "relative L2 of u against twice as many rings: 2e-4 to 3e-4",
        "geometry": "one domain for all cases",
    }


DATASET = NamedDataset("nonlinear diffusion on a disk under random sine series (defeats ridge regression)", plan, case, 400, 40)
