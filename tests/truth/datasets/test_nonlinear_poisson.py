"""nonlinear-poisson: labels against Newton's method and more rings, regions of the law, spread, and what is outside."""

import numpy as np
import pytest

from geoop.fem.evaluation import evaluate
from geoop.fem.nonlinear_diffusion import NonlinearDiffusion
from geoop.mesh.generate.disk import star
from geoop.mesh.measure import signed_measures
from geoop.truth.datasets import nonlinear_poisson as stars
from geoop.truth.datasets import nonlinear_poisson_disk as one_disk
from geoop.truth.datasets.sine_sources import SineProblem, random_series
from geoop.truth.exact.harmonic import from_kirchhoff, to_kirchhoff


def test_closed_form_is_what_newton_finds():
    """The same elements, the other way round: Newton on u, no transform. They differ as the interpolations of u and of w do: less on finer rings."""
    series, gap = random_series(0, "nlp_0001_01", stars.WAVES, stars.SCALE), []
    for rings in (12, 24):
        region = star(rings, stars.boundary(0, "nlp_0001"), center=stars.CENTER)
        stored = SineProblem.on(region)
        u = from_kirchhoff(stored.solve(series))
        found, _ = NonlinearDiffusion(region, lambda v: 1 + v**2, lambda v: 2 * v).solve(series)
        gap.append(np.linalg.norm((stored.problem.space.at_mesh_points(found))[: len(u)] - u) / np.linalg.norm(u))
    assert gap[1] < 0.02 and gap[1] < gap[0] / 4


@pytest.mark.parametrize(("geometry", "limit"), [("nlp_0001", 1e-3), pytest.param("nlp_ood_0001", 4e-3, marks=pytest.mark.slow)])
def test_label_error(geometry, limit):
    """What the card says."""
    series = random_series(0, f"{geometry}_01", stars.WAVES, stars.SCALE)
    stored = stars._problem(0, geometry)
    fine = star(2 * stars.RINGS, stars.boundary(0, geometry), center=stars.CENTER)
    fine_problem = SineProblem.on(fine)
    values = fine_problem.problem.solve(series(fine_problem.problem.space.quadrature_points))
    exact = from_kirchhoff(evaluate(fine_problem.problem.space, values, stored.mesh.points, tolerance=0.02))
    u = from_kirchhoff(stored.solve(series))
    assert np.linalg.norm(u - exact) < limit * np.linalg.norm(exact)


def test_regions_follow_their_law():
    plan = stars.plan(200, 0)
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    for split, names in plan.splits.items():
        for geometry in {plan.geometry[name] for name in names}:
            r = stars.boundary(0, geometry)(angle)
            said = next(plan.parameters[name]["roughness"] for name in names if plan.geometry[name] == geometry)
            low, high = stars.ROUGHNESS.get(split, stars.ROUGHNESS[""])
            assert low <= said <= high and np.log(r).std() == pytest.approx(said, abs=1e-9) and r.max() == pytest.approx(1.0, abs=1e-5)
    assert stars.ROUGHNESS["ood"][0] > stars.ROUGHNESS[""][1]


def test_solution_is_of_order_one_on_the_disk():
    """Standard deviation about .52 at s = 1000, which is what makes the map non-linear."""
    values = np.concatenate([one_disk.case(0, f"npdisk_{k:04d}").fields["solution"].values for k in range(1, 9)])
    assert 0.45 < values.std() < 0.6
    strong = one_disk.case(0, "npdisk_ood_0001").fields["solution"].values
    assert strong.std() > 1.2 * values.std()
    plan = one_disk.plan(20, 0)
    assert min(plan.parameters[name]["scale"] for name in plan.splits["ood"]) >= 2000.0


def test_the_map_is_not_linear():
    problem = one_disk.disk_problem(one_disk.RINGS)
    w = problem.solve(random_series(0, "npdisk_0001", 16, 1000.0))
    u, half = from_kirchhoff(w), from_kirchhoff(0.5 * w)
    assert np.linalg.norm(u - 2 * half) > 0.05 * np.linalg.norm(u)
    assert np.allclose(to_kirchhoff(u), w, atol=1e-12)


@pytest.mark.parametrize("geometry", ["nlp_ood_0024", "nlp_ood_0031", "nlp_ood_0002", "nlp_0001"])
def test_rough_regions_are_meshed(geometry):
    """Rings that are all similar to the boundary fold round the centre in one of ten regions of split 'ood': the roughest would be lost."""
    mesh = star(stars.RINGS, stars.boundary(0, geometry), center=stars.CENTER)
    assert len(mesh.cells) == 6 * stars.RINGS**2 and signed_measures(mesh).min() > 0


def test_the_card_says_what_is_solved():
    assert f"{stars._problem(0, 'nlp_0001').problem.space.n} unknowns" in stars.plan(40, 0).generator["elements"]
    assert f"{one_disk.disk_problem(one_disk.RINGS).problem.space.n} unknowns" in one_disk.plan(40, 0).generator["elements"]
