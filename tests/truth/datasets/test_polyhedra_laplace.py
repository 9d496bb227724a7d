"""polyhedra-laplace: shapes of their law, boundary data of theirs, labels against finer elements and closed forms."""

import numpy as np
import pytest

from geoop.fem.diffusion import Diffusion
from geoop.fem.evaluation import evaluate
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.quality import mesh_report
from geoop.truth.datasets import polyhedra_laplace as poly
from geoop.truth.datasets.polyhedra import TARGETS, random_polyhedron

pytest.importorskip("gmsh")


def halved(mesh):
    """Every tetrahedron in eight, every triangle of the boundary in four."""
    fine = quadratic(mesh)
    t = fine.cells.block("tetra10")
    cut = [[0, 4, 6, 7], [4, 1, 5, 8], [6, 5, 2, 9], [7, 8, 9, 3], [4, 5, 6, 7], [4, 5, 7, 8], [5, 6, 7, 9], [5, 7, 8, 9]]
    patches = {
        k: Cells.of(triangle=p.block("triangle6")[:, [[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]]].reshape(-1, 3)) for k, p in fine.patches.items()
    }
    return Mesh(fine.points, Cells.of(tetra=t[:, cut].reshape(-1, 4)), patches)


@pytest.mark.parametrize(("case", "limit"), [(1, 1.5e-3), (3, 2.5e-2)], ids=["gaussian", "white"])
def test_label_error(case, limit):
    """The same piecewise linear boundary values on tetrahedra cut in eight: what remains is the error inside."""
    name = f"polyhedron_0001_{case:02d}"
    made = poly.case(0, name)
    fine = halved(made.mesh)
    assert np.abs(signed_measures(fine)).sum() == pytest.approx(signed_measures(made.mesh).sum(), rel=1e-12)
    problem = Diffusion(fine, dirichlet=("wall",))
    coarse = poly._problem(0, "polyhedron_0001")
    trace = coarse.space.patch_values("wall", made.boundary["wall"]["solution"].values)
    whole = np.zeros(coarse.space.n)
    whole[coarse.space.on("wall")] = trace
    where = problem.space.mesh.points[problem.space.patch_points("wall")]
    u = problem.solve(dirichlet={"wall": evaluate(coarse.space, whole, where, tolerance=1e-4)})
    exact = problem.space.at_mesh_points(u)[: len(made.mesh.points)]
    inner = np.setdiff1d(np.arange(len(exact)), made.mesh.patch_points("wall"))
    assert np.linalg.norm((made.fields["solution"].values - exact)[inner]) < limit * np.linalg.norm(exact[inner])


def test_harmonic_quadratics_are_exact():
    """x^2 + y^2 - 2 z^2 solves Laplace's equation and lies in the space, on every target shape."""
    harmonic = lambda p: p[:, 0] ** 2 + p[:, 1] ** 2 - 2.0 * p[:, 2] ** 2  # noqa: E731
    for k in range(1, len(TARGETS) + 1):
        problem = poly._problem(0, f"polyhedron_target_{k:04d}")
        u = problem.solve(dirichlet={"wall": harmonic})
        assert np.abs(u - harmonic(problem.space.points)).max() < 1e-10


def test_solutions_obey_the_boundary_and_nearly_the_maximum_principle():
    plan = poly.plan(40, 0)
    for name in (plan.splits["train"][0], plan.splits["train"][2], plan.splits["ood"][0], plan.splits["target"][0]):
        case = poly.case(0, name)
        values = case.boundary["wall"]["solution"].values
        u = case.fields["solution"].values
        assert np.allclose(u[case.mesh.patch_points("wall")], values, atol=1e-14)
        assert u.min() > -0.05 and u.max() < 1.05
        assert 0.0 <= values.min() and values.max() <= 1.0


@pytest.mark.parametrize("law", [poly.CONVEX, poly.DENTED, poly.OUTSIDE], ids=["convex", "dented", "ood"])
def test_polyhedra_are_closed_and_of_their_law(law):
    for k in range(10):
        surface = random_polyhedron(np.random.default_rng(k), *law)
        assert np.ptp(surface.points, axis=0).max() == pytest.approx(1.0) and np.abs(surface.points).max() < 0.5 + 1e-12
        report = mesh_report(surface, intersections=True)
        assert report.self_intersections == 0
        low, high = law[0]
        assert len(surface.points) <= high and (law is poly.CONVEX or len(surface.points) >= low)


def test_boundary_data():
    plan = poly.plan(200, 0)
    laws = [plan.parameters[name]["boundary"] for name in plan.splits["train"]]
    assert laws.count("white") == 3 * len(laws) // 10
    points = np.random.default_rng(0).random((300, 3))
    white, smooth = (poly.boundary_values(0, f"polyhedron_0001_{k:02d}", points) for k in (3, 1))
    near = points + 1e-4
    assert np.abs(poly.boundary_values(0, "polyhedron_0001_01", near) - smooth).max() < 0.01
    assert smooth.min() == 0.0 and smooth.max() == 1.0 and 0.2 < white.std() < 0.35
    shapes = {plan.parameters[name]["shape"] for name in plan.splits["train"]}
    assert shapes == {"convex", "dented"} and {plan.parameters[n]["shape"] for n in plan.splits["target"]} == set(TARGETS)
