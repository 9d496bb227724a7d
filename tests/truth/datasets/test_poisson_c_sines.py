"""poisson-c-sines: the published recipe, labels against twice as many rings, linearity, and waves outside."""

import numpy as np
from scipy.spatial import KDTree

from geoop.fem.evaluation import evaluate
from geoop.mesh.generate.disk import star
from geoop.truth.datasets import poisson_c_sines
from geoop.truth.datasets.sine_sources import SineProblem, random_series
from geoop.truth.exact.poisson import SineSeries


def test_label_error_and_order():
    """At the rings of the data set 2e-4 is said; here on half as many and a quarter, against 96: order 3 or better."""
    series = random_series(0, "csines_0001", 16)
    fine = SineProblem.on(star(96, np.ones_like, center=poisson_c_sines.CENTER))
    series_waves = SineSeries.waves(fine.problem.space.quadrature_points, 16)
    reference = fine.problem.solve(series.on(series_waves))
    error = []
    for rings in (18, 36):
        coarse = SineProblem.on(star(rings, np.ones_like, center=poisson_c_sines.CENTER))
        exact = evaluate(fine.problem.space, reference, coarse.mesh.points, tolerance=0.01)
        error.append(np.linalg.norm(coarse.solve(series) - exact) / np.linalg.norm(exact))
    assert error[1] < 4e-3 and np.log2(error[0] / error[1]) > 2.9  # so 72 rings: below 5e-4


def test_case_is_the_published_problem():
    case = poisson_c_sines.case(0, "csines_0001")
    points, source = case.mesh.points, case.fields["source"].values
    assert len(points) == 15769 and np.linalg.norm(points - 0.5, axis=1).max() < 1 + 1e-12
    assert np.array_equal(source, random_series(0, "csines_0001", 16)(points))
    u = case.fields["solution"].values
    assert np.abs(u[case.mesh.patch_points("boundary")]).max() == 0.0
    assert 4e-4 < u.std() < 9e-4  # published over all samples: 6.49e-4
    assert float(case.boundary["boundary"]["solution"].values) == 0.0


def test_the_map_is_linear():
    problem = poisson_c_sines.disk_problem(poisson_c_sines.RINGS)
    a, b = (random_series(0, name, 16) for name in ("csines_0001", "csines_0002"))
    together = problem.solve(SineSeries(2.0 * a.coefficients - b.coefficients))
    assert np.allclose(together, 2.0 * problem.solve(a) - problem.solve(b), atol=1e-15)


def test_waves_outside():
    plan = poisson_c_sines.plan(20, 0)
    assert {plan.parameters[name]["waves"] for name in plan.splits["ood"]} == {24}
    assert {plan.parameters[name]["waves"] for split in ("train", "val", "test") for name in plan.splits[split]} == {16}
    high = random_series(0, plan.splits["ood"][0], 24).coefficients.copy()
    high[:16, :16] = 0.0
    assert np.abs(high).max() > 0.1


def test_label_error_is_what_the_card_says():
    """All 72 rings against 144: points of the coarse rings are points of the fine ones, at every second place."""
    coarse, fine = poisson_c_sines.disk_problem(72), SineProblem.on(star(144, np.ones_like, center=poisson_c_sines.CENTER))
    distance, there = KDTree(fine.mesh.points).query(coarse.mesh.points)
    assert distance.max() < 1e-14
    for waves, limit in ((16, 2.5e-4), (24, 1e-3)):
        series = random_series(0, f"csines_{waves}", waves)
        exact = fine.solve(series)[there]
        assert np.linalg.norm(coarse.solve(series) - exact) < limit * np.linalg.norm(exact)
    assert f"{coarse.problem.space.n} unknowns" in poisson_c_sines.plan(20, 0).generator["elements"]
