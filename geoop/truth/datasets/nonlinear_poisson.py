"""The data set ``nonlinear-poisson``: non-linear diffusion on random star-shaped regions, with a closed form through one linear solve."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.generate.disk import star
from ..diffusion.cases import diffusion_case
from ..exact.harmonic import from_kirchhoff
from .draws import cases_of, random_of, split_geometries, split_of
from .named import NamedDataset
from .sine_sources import SineProblem, random_series

NAME, PREFIX = "nonlinear-poisson", "nlp"
CENTER, RINGS, WAVES, SCALE, PER_GEOMETRY = (0.5, 0.5), 48, 16, 1000.0, 8
#: Fourier modes of the boundary and standard deviation of the logarithm of its radius, by split.
MODES, ROUGHNESS = (2, 3, 4, 5, 6), {"": (0.05, 0.25), "ood": (0.35, 0.45), "disk": (0.0, 0.0)}

_DESCRIPTION = """-div((1 + u^2) grad u) = s f in random star-shaped regions round (0.5, 0.5) of largest radius 1, u = 0 on the boundary; f is \
the sine series of poisson-c-sines, s = 1000. With w = u + u^3/3 the problem is -laplace(w) = s f, so one linear solve and a closed \
form give u. Eight sources per region; splits are disjoint by region. Split 'ood' has rougher boundaries than the others, split \
'disk' is the disk itself. The same problem on the disk alone, where ridge regression can be compared: nonlinear-poisson-disk."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, val and test together; every region has 8 of them, so n is rounded up to regions.
        seed: of all draws; case k is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 4 regions.
    """
    regions = split_geometries(PREFIX, -(-n // PER_GEOMETRY), where=NAME, outside={"ood": 0.2}, per_geometry=PER_GEOMETRY)
    regions["disk"] = (f"{PREFIX}_disk_0001",)
    splits, geometry = cases_of(regions, PER_GEOMETRY)
    drawn = {name: roughness(seed, name) for names in regions.values() for name in names}
    parameters = {case: {"roughness": drawn[name], "scale": SCALE} for case, name in geometry.items()}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, geometry, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with ``source`` (s f) and ``solution`` at its points; the same for the same seed and name."""
    problem = _problem(seed, name.rsplit("_", 1)[0])
    series = random_series(seed, name, WAVES, SCALE)
    solution = from_kirchhoff(problem.solve(series))
    return diffusion_case(problem.mesh, solution, source=series(problem.mesh.points), dirichlet={"boundary": 0.0}, name=name)


def roughness(seed: int, geometry: str) -> float:
    """Standard deviation of log r of a region, uniform between the limits of its split."""
    low, high = ROUGHNESS[split_of(geometry, PREFIX)]
    return low + (high - low) * float(random_of(seed, geometry).random())


def boundary(seed: int, geometry: str) -> Callable[[np.ndarray], np.ndarray]:
    """(k,) angles -> (k,) distances of a region's boundary from its centre [m]; the largest is 1 to 1e-5.

    r = exp(g)/max exp(g), g = c sum_k (a_k cos k t + b_k sin k t), a_k and b_k normal with variance k^-3, c so that the standard deviation
    of g over the angle is the region's roughness exactly.
    """
    k = np.array(MODES)
    a, b = random_of(seed, geometry, part=1).standard_normal((2, len(k))) * k**-1.5
    size = roughness(seed, geometry) / np.sqrt(0.5 * (a**2 + b**2).sum())

    def log_radius(angle: np.ndarray) -> np.ndarray:
        return size * (np.cos(np.outer(angle, k)) @ a + np.sin(np.outer(angle, k)) @ b)

    highest = log_radius(np.linspace(0.0, 2.0 * np.pi, 4096)).max()
    return lambda angle: np.exp(log_radius(angle) - highest)


@lru_cache(maxsize=2)
def _problem(seed: int, geometry: str) -> SineProblem:
    return SineProblem.on(star(RINGS, boundary(seed, geometry), center=CENTER))


def _generator() -> dict:
    return {
        "source": "finite elements and Kirchhoff's transform: geoop.fem.diffusion, geoop.truth.exact.harmonic",
        "revision": 1,
        "equation": "-div((1 + u^2) grad u) = s f, u = 0 on the boundary",
        "transform": "w = u + u^3/3 solves -laplace(w) = s f; u = 2 sinh(asinh(3 w/2)/3)",
        "source_law": "f = pi/K^2 sum_ij a_ij (i^2 + j^2)^(1/2) sin(pi i x) sin(pi j y), i, j = 1 .. K; a_ij independent, uniform in [-1, 1]",
        "waves": WAVES,
        "scale": SCALE,
        "boundary_law": "log r = g - max g, g a Fourier series of modes 2 .. 6 with normal coefficients of variance k^-3, scaled to its roughness",
        "roughness": {split or "train, val, test": list(limits) for split, limits in ROUGHNESS.items()},
        "cases_per_geometry": PER_GEOMETRY,
        "points": 1 + 3 * RINGS * (RINGS + 1),
        "elements": "isoparametric quadratic triangles, 27937 unknowns; values at their corners are stored",
        "label_error": "relative L2 of u against twice as many rings: 5e-4 to 1e-3, in split ood up to 4e-3, in rare rough regions 1e-2",
    }


DATASET = NamedDataset("nonlinear diffusion on random star-shaped regions", plan, case, 800, 32)
