"""Parts of a problem: who solves for what, and partitions of unity."""

import numpy as np
import pytest
from fem_shapes import cube, square
from schwarz_cases import CASES, laplace

from geoop.errors import ConfigurationError
from geoop.graph.partition import partition
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.solve.equations import Diffusion, NonlinearDiffusion
from geoop.solve.schwarz.decomposition import Decomposition
from geoop.solve.schwarz.iteration import Schwarz, schwarz
from geoop.solve.schwarz.local_exact import FiniteElementSolver
from geoop.solve.schwarz.part_case import Cutter, straight
from geoop.solve.schwarz.settings import SchwarzSettings


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("blend", ["average", "owner", "distance"])
def test_weights_add_up_to_one_at_every_free_unknown(name, blend):
    equation, case = CASES[name]
    problem = equation.discrete(case())
    parts = Decomposition.of(problem, partition(problem.mesh, 5, overlap=2))
    total = np.zeros(problem.n)
    for dofs, weight in zip(parts.dofs, parts.weights(blend), strict=True):
        assert (weight >= 0).all()
        total[dofs] += weight
    np.testing.assert_allclose(total, problem.free.astype(float), atol=1e-14)


def test_a_part_solves_for_the_nodes_whose_cells_it_has():
    """By brute force over the cells of every node."""
    problem = Diffusion().discrete(laplace(square(9, "mixed", 3)))
    parts = Decomposition.of(problem, partition(problem.mesh, 4, overlap=1))
    around = [set() for _ in problem.nodes]
    for k, cell in enumerate(problem.mesh.cells):
        for point in cell:
            around[point].add(k)
    for part, dofs in zip(parts.parts, parts.dofs, strict=True):
        mine = set(part.cells.tolist())
        assert dofs.tolist() == [a for a, cells in enumerate(around) if cells <= mine and problem.free[a]]


def test_weights_by_distance_fall_towards_the_interface():
    problem = Diffusion().discrete(laplace(square(20)))
    parts = Decomposition.of(problem, partition(problem.mesh, 2, overlap=4))
    x = problem.mesh.points[:, 0]
    for dofs, weight in zip(parts.dofs, parts.weights("distance"), strict=True):
        shared = parts.cover[dofs] == 2
        order = np.argsort(x[dofs][shared])
        along = weight[shared][order]
        assert (np.diff(along) <= 1e-12).all() or (np.diff(along) >= -1e-12).all()
        assert along.min() < 0.3 < 0.7 < along.max()


def test_cells_with_mid_side_points_are_cut_as_straight_ones():
    mesh = quadratic(square(8, "triangle", 1))
    case = laplace(mesh)
    by_rows, by_parts = (schwarz(case, Diffusion(), solver, SchwarzSettings(parts=4)) for solver in (None, FiniteElementSolver(Diffusion())))
    np.testing.assert_allclose(by_parts.u, by_rows.u, atol=1e-7)
    both = Cells.concatenate([Cells.of(triangle=[[0, 1, 2]]), Cells.of(triangle6=[[3, 4, 5, 6, 7, 8]]), Cells.of(line3=[[0, 2, 1]])])
    assert [list(cell) for cell in straight(both)] == [[0, 1, 2], [3, 4, 5], [0, 2]] and straight(both).names == ["line", "triangle"]


@pytest.mark.parametrize("mesh", [square(8, "mixed", 2), cube(4, "mixed"), cube(4, "wedge")], ids=["plane", "space", "wedges"])
@pytest.mark.parametrize("equation", [Diffusion(), NonlinearDiffusion()])
def test_parts_of_several_kinds_of_cells_have_the_elements_of_the_whole(mesh, equation):
    case = laplace(mesh)
    iteration = Schwarz(case, equation, FiniteElementSolver(equation), SchwarzSettings(parts=4, tolerance=1e-9))
    result = iteration.solve()
    assert result.outcome.ok
    np.testing.assert_allclose(result.u, iteration.problem.solve(), atol=1e-7)


def test_parts_without_overlap_are_refused():
    problem = Diffusion().discrete(laplace(square(8)))
    with pytest.raises(ConfigurationError, match="do not overlap"):
        Decomposition.of(problem, partition(problem.mesh, 4, overlap=0))


@pytest.mark.parametrize("mesh", [square(10, "mixed", 1), cube(5)])
def test_the_rim_of_a_part_is_what_its_inner_nodes_do_not_reach(mesh):
    """All facets of a part are on the Dirichlet boundary, on the free one, or towards other parts; interface facets lie inside of the region."""
    case = laplace(mesh)
    cutter, cut = Cutter(case, Diffusion()), partition(mesh, 5, overlap=1)
    for cells in cut.cells:
        part = cutter.cut(cells)
        problem = cutter.local_problem(cells).problem
        side = np.ptp(problem.case.mesh.points, axis=0)
        assert side.max() == pytest.approx(1.0) and np.abs(problem.case.mesh.bounds.mean(axis=0)).max() < 1e-12
        low, high = mesh.bounds
        on_box = (np.isclose(part.mesh.points, low) | np.isclose(part.mesh.points, high)).any(axis=1)
        interface = {tuple(sorted(row)) for row in part.interface}
        assert all(not on_box[list(row)].all() or mesh.dimension == 3 for row in interface)
        assert len(part.dirichlet) + len(part.neumann) + len(part.interface) == len(interface) + len(part.dirichlet) + len(part.neumann)
        np.testing.assert_array_equal(problem.rim, np.unique(np.concatenate([part.dirichlet.connectivity, part.interface.connectivity])))
