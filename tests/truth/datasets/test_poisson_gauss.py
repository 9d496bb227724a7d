"""poisson-gauss: labels against a sine series, the laws of the sources, widths outside."""

import numpy as np
from scipy.fft import dstn, idstn

from geoop.truth.datasets import poisson_gauss


def by_sine_series(f, n=512):
    """u at the inner points of an n x n grid by the discrete sine transform: spectral for sources that vanish smoothly at the boundary,
    of second order in the grid where they do not."""
    x = np.arange(1, n) / n
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)
    values = f(grid.reshape(-1, 2)).reshape(n - 1, n - 1)
    k = np.pi * np.arange(1, n)
    return idstn(dstn(values, type=1) / (k[:, None] ** 2 + k**2), type=1)


def test_labels():
    """A narrow Gaussian in the middle: 1e-5, the smallest width there is."""
    f = poisson_gauss.Gaussians(np.array([[0.4, 0.55]]), np.array([poisson_gauss.WIDTHS[""][0]]))
    problem = poisson_gauss._problem()
    u = problem.space.at_mesh_points(problem.solve(f)).reshape(129, 129)[1:-1, 1:-1]
    exact = by_sine_series(f)[3::4, 3::4]
    assert np.linalg.norm(u - exact) < 1e-5 * np.linalg.norm(exact)


def test_case_is_what_its_card_says():
    plan = poisson_gauss.plan(40, 0)
    for name in (*plan.splits["train"][:5], plan.splits["ood"][0]):
        case, f = poisson_gauss.case(0, name), poisson_gauss.source(0, name)
        assert len(case.mesh.points) == plan.generator["points"] == 65**2
        assert np.array_equal(case.fields["source"].values, f(case.mesh.points))
        assert plan.parameters[name]["gaussians"] == len(f.widths)
        inner = by_sine_series(f, 256)[3::4, 3::4]
        u = case.fields["solution"].values.reshape(65, 65)
        assert np.abs(u[1:-1, 1:-1] - inner).max() < 2e-3 * inner.max()  # sources cut off by the boundary: the series is the less exact one
        assert u[0].max() == u[:, -1].max() == 0.0 and u.min() > -1e-12  # maximum principle


def test_laws():
    plan = poisson_gauss.plan(2000, 0)
    inside = [poisson_gauss.source(0, name) for split in ("train", "val", "test") for name in plan.splits[split]]
    number = np.array([len(item.widths) for item in inside])
    assert abs(number.mean() - 2.5) < 0.15 and number.min() == 1 and number.max() <= 20
    widths = np.concatenate([item.widths for item in inside])
    centers = np.concatenate([item.centers for item in inside])
    assert 0.025 <= widths.min() and widths.max() <= 0.1 and abs(widths.mean() - 0.0625) < 1e-3
    assert 0 <= centers.min() and centers.max() <= 1 and np.abs(centers.mean(axis=0) - 0.5).max() < 0.02
    outside = np.concatenate([poisson_gauss.source(0, name).widths for name in plan.splits["ood"]])
    assert outside.min() > widths.max()
