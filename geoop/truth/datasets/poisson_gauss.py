"""The data set ``poisson-gauss``: Poisson's equation on the unit square under a random sum of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...fem.diffusion import Diffusion
from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ..diffusion.cases import diffusion_case
from .draws import random_of, split_geometries, split_of
from .named import NamedDataset

NAME, PREFIX = "poisson-gauss", "pgauss"
#: Cells along a side: of the stored mesh, and of the quadratic elements that the labels come from.
STORED, SOLVED = 64, 128
#: Limits of the standard deviation of a Gaussian [m], by split; number of Gaussians: 1 + geometric, at most MOST.
WIDTHS = {"": (0.025, 0.1), "ood": (0.1, 0.2)}
STOP, MOST = 0.4, 20

_DESCRIPTION = """-laplace(u) = f in the unit square, u = 0 on its boundary; f is a sum of one or more Gaussians of height 1 with random centres and \
widths. All cases share one domain and its 65 x 65 points, so splits are disjoint by source, not by geometry. The problem is linear. \
Split 'ood' has wider Gaussians than the others."""


@dataclass(frozen=True, eq=False)
class Gaussians:
    """f = sum_k exp(-|x - c_k|^2/(2 s_k^2)).

    Attributes:
        centers: (k, 2) [m].
        widths: (k,) s [m].
    """

    centers: np.ndarray
    widths: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(n,) values at points (n, 2)."""
        answer = np.zeros(len(points))
        for center, width in zip(self.centers, self.widths, strict=True):
            answer += np.exp(-0.5 * ((points - center) ** 2).sum(axis=1) / width**2)
        return answer


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, val and test together, 7 : 1 : 2; n/5 more are out of distribution.
        seed: of all draws; case k is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 4 cases.
    """
    splits = split_geometries(PREFIX, n, where=NAME)
    parameters = {}
    for name in (name for names in splits.values() for name in names):
        widths = source(seed, name).widths
        parameters[name] = {"gaussians": len(widths), "smallest_width": float(widths.min()), "largest_width": float(widths.max())}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with ``source`` and ``solution`` at its points; the same for the same seed and name."""
    mesh, problem = _square(STORED), _problem()
    f = source(seed, name)
    values = problem.space.at_mesh_points(problem.solve(f)).reshape(SOLVED + 1, SOLVED + 1)
    step = SOLVED // STORED
    return diffusion_case(mesh, values[::step, ::step].reshape(-1), source=f(mesh.points), dirichlet={"boundary": 0.0}, name=name)


def source(seed: int, name: str) -> Gaussians:
    """The Gaussians of a case: their number is 1 + a geometric variable (stop with probability .4), centres uniform in the square,
    widths uniform between the limits of the split."""
    random = random_of(seed, name)
    number = min(int(random.geometric(STOP)), MOST)
    low, high = WIDTHS[split_of(name, PREFIX)]
    return Gaussians(random.random((number, 2)), low + (high - low) * random.random(number))


def _square(n: int) -> Mesh:
    """The unit square as n x n quads, points row by row of constant x; patch ``boundary`` has the square on its left."""
    x = np.linspace(0.0, 1.0, n + 1)
    i = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], axis=-1).reshape(-1, 4)
    rim = np.concatenate([i[:-1, 0], i[-1, :-1], i[:0:-1, -1], i[0, :0:-1]])
    lines = Cells.of(line=np.stack([rim, np.roll(rim, -1)], axis=1))
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    return Mesh(points, Cells.of(quad=quads), {"boundary": lines}, name="square")


@lru_cache(maxsize=1)
def _problem() -> Diffusion:
    """The square, assembled and factorised once per process."""
    return Diffusion(_square(SOLVED), degree=2, dirichlet=("boundary",))


def _generator() -> dict:
    return {
        "source": "finite elements: geoop.fem.diffusion",
        "revision": 1,
        "equation": "-laplace(u) = f in the unit square [m], u = 0 on its boundary",
        "source_law": "f = sum_k exp(-|x - c_k|^2/(2 s_k^2)); c_k uniform in the square, s_k uniform between the limits of its width",
        "number_law": f"geometric from 1 with stopping probability {STOP}, at most {MOST}: 2.5 on average",
        "width": list(WIDTHS[""]),
        "width_ood": list(WIDTHS["ood"]),
        "points": (STORED + 1) ** 2,
        "point_law": f"{STORED} x {STORED} equal quads",
        "elements": f"biquadratic, {SOLVED} x {SOLVED}, 66049 unknowns; values at every second corner are stored",
        "label_error": "relative L2 against the sine series: below 1e-5",
        "geometry": "one domain for all cases",
    }


DATASET = NamedDataset("Poisson's equation on the unit square under random Gaussians", plan, case, 600, 40)
