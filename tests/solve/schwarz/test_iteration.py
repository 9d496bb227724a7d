"""Schwarz iterations: contraction in one dimension, the global finite-element solution, a dense reference, outcomes, bad input."""

from dataclasses import replace

import numpy as np
import pytest
from fem_shapes import square
from schwarz_cases import CASES, Wrapped, clamped, darcy, dirichlet, given, laplace, strip

from geoop.errors import ConfigurationError, NonFiniteError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field
from geoop.solve.equations import SOLUTION, Diffusion, Elasticity, NonlinearDiffusion
from geoop.solve.schwarz.iteration import Schwarz, schwarz
from geoop.solve.schwarz.local_exact import FiniteElementSolver
from geoop.solve.schwarz.local_predicted import PredictorSolver
from geoop.solve.schwarz.settings import SchwarzSettings


def error(result, problem):
    truth = problem.solve()
    return np.abs(result.u - truth).max() / np.abs(truth).max()


@pytest.mark.parametrize(("a", "b"), [(0.4, 0.6), (0.45, 0.55), (0.3, 0.7)])
def test_two_intervals_contract_as_the_closed_form_says(a, b):
    """(a/b)(1 - b)/(1 - a) per sweep over (0, b) and (a, 1); 4/9 at 0.4 and 0.6 (H. A. Schwarz, 1870)."""
    case = Case(strip(20), None, {}, dirichlet(strip(20)))
    iteration = Schwarz(case, Diffusion(), None, SchwarzSettings(parts=2, distance=0.45 - a + 1e-9, rule="multiplicative", coarse=None))
    truth, u, errors = iteration.problem.solve(), iteration.problem.start(), []
    for _ in range(6):
        u = iteration.sweep(u)
        errors.append(np.abs(u - truth).max())
    np.testing.assert_allclose(np.array(errors[1:]) / errors[:-1], (a / b) * (1 - b) / (1 - a), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("rule", ["restricted", "multiplicative"])
def test_exact_parts_give_the_global_solution(name, rule):
    equation, case = CASES[name]
    iteration = Schwarz(case(), equation, None, SchwarzSettings(parts=6, rule=rule, tolerance=1e-11 if equation.linear else 1e-10, sweeps=400))
    result = iteration.solve()
    assert result.outcome.ok, result.outcome
    assert error(result, iteration.problem) < 1e-8


@pytest.mark.parametrize("name", [name for name in CASES if name != "nonlinear"])
def test_rows_of_the_matrix_and_finite_elements_on_the_parts_are_the_same_solver(name):
    equation, case = CASES[name]
    settings = SchwarzSettings(parts=5, overlap=1)
    by_rows, by_parts = Schwarz(case(), equation, None, settings), Schwarz(case(), equation, FiniteElementSolver(equation), settings)
    u = by_rows.problem.start(np.random.default_rng(0).standard_normal(by_rows.problem.n))
    np.testing.assert_allclose(by_rows.sweep(u), by_parts.sweep(u), atol=1e-10 * np.abs(u).max())


@pytest.mark.parametrize("rule", ["additive", "restricted", "multiplicative"])
@pytest.mark.parametrize("blend", ["average", "owner", "distance"])
def test_sweeps_equal_a_dense_reference(rule, blend):
    iteration = Schwarz(darcy(square(9, "triangle", 5)), Diffusion(), None, SchwarzSettings(parts=5, overlap=2, rule=rule, blend=blend, coarse=None))
    problem, parts = iteration.problem, iteration.decomposition
    a, b = problem.matrix.toarray(), problem.load
    u = v = problem.start(np.random.default_rng(1).standard_normal(problem.n))
    weights = parts.weights(blend)

    def solved(u, dofs):
        rest = np.setdiff1d(np.arange(problem.n), dofs)
        return np.linalg.solve(a[np.ix_(dofs, dofs)], b[dofs] - a[np.ix_(dofs, rest)] @ u[rest])

    for _ in range(3):
        if rule == "multiplicative":
            for colour in parts.partition.colours:
                for k in colour:
                    v = v.copy()
                    v[parts.dofs[k]] = solved(v, parts.dofs[k])
        else:
            change = np.zeros_like(v)
            for dofs, weight in zip(parts.dofs, weights, strict=True):
                change[dofs] += (1.0 if rule == "additive" else weight) * (solved(v, dofs) - v[dofs])
            v = v + 0.3 * change if rule == "additive" else v + change
        u = iteration.sweep(u, 0.3 if rule == "additive" else 1.0)
        np.testing.assert_allclose(u, v, atol=1e-11)


def test_one_part_is_the_plain_solution_and_constants_are_reproduced():
    case = laplace(square(6))
    iteration = Schwarz(case, Diffusion(), None, SchwarzSettings(parts=1))
    result = iteration.solve()
    assert result.sweeps == 1 and error(result, iteration.problem) < 1e-12
    flat = Case(case.mesh, None, {}, {name: {"solution": Field(SOLUTION, np.array(3.7), "global")} for name in case.mesh.patches})
    constant = schwarz(flat, Diffusion(), Wrapped(Diffusion()), SchwarzSettings(parts=4))
    np.testing.assert_allclose(constant.u, 3.7, rtol=1e-12)
    assert constant.sweeps <= 4


@pytest.mark.parametrize("acceleration", ["anderson", "gmres"])
def test_acceleration_saves_sweeps_and_ends_at_the_same_field(acceleration):
    case = laplace(square(24))
    plain = schwarz(case, Diffusion(), None, SchwarzSettings(coarse=None, overlap=1, sweeps=2000))
    fast = schwarz(case, Diffusion(), None, SchwarzSettings(coarse=None, overlap=1, acceleration=acceleration))
    assert fast.sweeps < 0.5 * plain.sweeps
    np.testing.assert_allclose(fast.u, plain.u, atol=1e-6)


def test_robin_conditions_need_fewer_sweeps_than_values():
    case = laplace(square(30))
    settings = SchwarzSettings(parts=9, overlap=1, coarse=None, sweeps=1000)
    values, robin = (Schwarz(case, Diffusion(), None, replace(settings, transmission=kind)) for kind in ("dirichlet", "robin"))
    one, other = values.solve(), robin.solve()
    assert other.sweeps < 0.4 * one.sweeps
    assert error(other, robin.problem) < 1e-6


def test_other_data_on_a_prepared_geometry():
    mesh = square(10)
    iteration = Schwarz(laplace(mesh, 0), Diffusion(), None, SchwarzSettings(parts=4))
    iteration.solve()
    again, fresh = iteration.solve(laplace(mesh, 1)), schwarz(laplace(mesh, 1), Diffusion(), None, SchwarzSettings(parts=4))
    np.testing.assert_allclose(again.u, fresh.u, atol=1e-12)


def test_memory_bounded_by_the_part_changes_nothing():
    case = darcy(square(12))
    for solver in (None, Wrapped(Diffusion())):
        kept, streamed = (schwarz(case, Diffusion(), solver, SchwarzSettings(parts=6, keep=keep, sweeps=5)) for keep in (None, 1))
        np.testing.assert_allclose(kept.u, streamed.u, atol=1e-12)


def test_a_solution_up_to_a_constant_says_so():
    mesh = square(12)
    source = given("source", np.cos(np.pi * mesh.points[:, 0]))
    iteration = Schwarz(Case(mesh, None, {"source": source}), Diffusion(), None, SchwarzSettings(parts=5))
    result = iteration.solve()
    assert result.outcome.ok and "up to a constant" in result.outcome.remedy
    assert abs(result.u.mean()) < 1e-10 and error(result, iteration.problem) < 1e-6


def test_fluxes_that_do_not_balance_are_refused():
    mesh = square(6)
    with pytest.raises(ConfigurationError, match="sum to zero"):
        Schwarz(Case(mesh, None, {"source": given("source", np.ones(len(mesh.points)))}), Diffusion())


def test_settings_name_all_that_is_wrong():
    with pytest.raises(ConfigurationError) as caught:
        SchwarzSettings(parts=0, overlap=0, rule="jacobi", tolerance=-1.0)
    assert all(word in str(caught.value) for word in ("parts", "overlap", "jacobi", "tolerance", "do not overlap"))


def test_a_learned_operator_that_fails_in_one_part_is_replaced_there():
    """Answers that are worthless (here: noise as large as the data) or not finite."""
    case = laplace(square(20, "triangle", 3))
    sizes = [len(cells) for cells in Schwarz(case, Diffusion(), None, SchwarzSettings(parts=6)).decomposition.partition.points]
    sick = next(size for size in sizes if sizes.count(size) == 1)  # the part is known by its size
    number = sizes.index(sick)
    for bad in (np.nan, 5.0):
        noise = np.random.default_rng(0)

        def change(answer, data, part, bad=bad, noise=noise):
            if len(answer) != sick:
                return answer
            return answer * np.nan if np.isnan(bad) else answer + bad * noise.standard_normal(answer.shape)

        for shift in (0.0, 1000.0):
            boundary = {name: {"solution": Field(SOLUTION, shift + item["solution"].values)} for name, item in case.boundary.items()}
            iteration = Schwarz(Case(case.mesh, None, {}, boundary), Diffusion(), Wrapped(Diffusion(), change), SchwarzSettings(parts=6))
            result = iteration.solve()
            assert result.outcome.status == "repaired" and result.repaired == (number,) and str(number) in result.outcome.detail
            assert np.abs(result.u - iteration.problem.solve()).max() < 1e-2


def test_without_fall_back_answers_that_are_not_finite_are_an_error():
    solver = Wrapped(Diffusion(), lambda answer, data, part: answer * (np.nan if part == 1 else 1.0))
    with pytest.raises(NonFiniteError, match=r"parts \[1\]"):
        schwarz(laplace(square(12)), Diffusion(), solver, SchwarzSettings(parts=4, fallback=False))


def test_parts_named_exact_are_solved_exactly():
    solver = Wrapped(Diffusion(), lambda answer, data, part: answer * 1.05)
    settings = SchwarzSettings(parts=4, fallback=False)
    learned = Schwarz(laplace(square(12)), Diffusion(), solver, settings)
    mixture = Schwarz(laplace(square(12)), Diffusion(), solver, settings, exact=range(4))
    assert error(mixture.solve(), mixture.problem) < 1e-6 < error(learned.solve(), learned.problem)


def test_a_predictor_that_ignores_boundary_values_is_refused():
    solver = Wrapped(Diffusion(), lambda answer, data, part: np.full_like(answer, 0.5))
    with pytest.raises(ConfigurationError, match="ignores boundary values"):
        Schwarz(laplace(square(8)), Diffusion(), solver)


def test_repairs_are_of_one_solve_and_names_of_exact_parts_are_checked():
    solver = Wrapped(Diffusion(), lambda answer, data, part: answer)
    iteration = Schwarz(laplace(square(12)), Diffusion(), solver, SchwarzSettings(parts=4), exact=(1,))
    iteration.parts.repaired.add(0)
    assert iteration.solve().repaired == ()
    with pytest.raises(ConfigurationError, match="no parts"):
        Schwarz(laplace(square(12)), Diffusion(), solver, SchwarzSettings(parts=4), exact=(9,))


def test_other_geometries_and_coefficients_are_refused():
    iteration = Schwarz(darcy(square(8)), Diffusion(), None, SchwarzSettings(parts=3))
    with pytest.raises(ConfigurationError, match="another conductivity"):
        iteration.solve(darcy(square(8), 5))
    with pytest.raises(ConfigurationError, match="another mesh"):
        iteration.solve(Case(square(8, "triangle", 1), None, dict(darcy(square(8)).fields), dict(darcy(square(8)).boundary)))


def test_a_worthless_operator_is_repaired_however_the_iteration_ends():
    """By GMRES, and when sweeps run out."""
    sizes = [
        len(points)
        for points in Schwarz(laplace(square(16, "triangle", 3)), Diffusion(), None, SchwarzSettings(parts=5)).decomposition.partition.points
    ]
    wrong = np.random.default_rng(0).standard_normal(max(sizes))
    solver = Wrapped(Diffusion(), lambda answer, data, part: answer + (5.0 * wrong[: len(answer)] if len(answer) == sizes[1] else 0.0))
    for settings in (SchwarzSettings(parts=5, acceleration="gmres"), SchwarzSettings(parts=5, sweeps=12)):
        iteration = Schwarz(laplace(square(16, "triangle", 3)), Diffusion(), solver, settings)
        result = iteration.solve()
        assert 1 in result.repaired and error(result, iteration.problem) < 0.02


def test_a_slow_iteration_is_not_taken_for_a_converged_one():
    """A long insulated strip without a coarse space: two updates say nothing of the slowest difference."""
    mesh = strip(400)
    solver = Wrapped(Diffusion())
    case = Case(mesh, None, {}, {"left": {"solution": given("solution", np.zeros(2))}, "right": {"solution": given("solution", np.ones(2))}})
    iteration = Schwarz(case, Diffusion(), solver, SchwarzSettings(parts=8, coarse=None, size=None, sweeps=3000))
    result = iteration.solve()
    assert result.sweeps > 20 and (not result.outcome.ok or error(result, iteration.problem) < 0.02)


def test_a_reaction_is_scaled_with_the_part_and_conductivities_are_brought_into_range():
    random = np.random.default_rng(0)
    mesh = square(14, "triangle", 1)
    held = dirichlet(mesh)
    for equation, conductivity in ((Diffusion(reaction=50.0), 1.0), (Diffusion(), 400.0)):
        fields = {
            "conductivity": given("conductivity", conductivity * (0.2 + random.random(len(mesh.points)))),
            "source": given("source", conductivity * random.standard_normal(len(mesh.points))),
        }
        fields = fields if conductivity > 1 else {"source": fields["source"]}
        iteration = Schwarz(Case(mesh, None, fields, held), equation, Wrapped(equation), SchwarzSettings(parts=5, tolerance=1e-10))
        assert error(iteration.solve(), iteration.problem) < 1e-6


def test_conditions_that_a_solver_does_not_accept_are_refused():
    with pytest.raises(ConfigurationError, match="neumann"):
        Schwarz(darcy(square(8)), Diffusion(), Wrapped(Diffusion(), accepts=frozenset(("dirichlet",))))


def test_divergence_is_seen_within_a_few_sweeps():
    """A map with a slope beyond one: every answer overshoots. Damped enough it would converge; told not to damp, it stops early."""
    solver = Wrapped(Diffusion(), lambda answer, data, part: 3.0 * answer - 2.0 * data.rim.mean())
    result = schwarz(laplace(square(16)), Diffusion(), solver, SchwarzSettings(overlap=1, coarse=None, relaxation=1.0, fallback=False))
    assert result.outcome.status == "diverged" and result.sweeps <= 12 and np.isfinite(result.u).all()


def test_gmres_finds_the_fixed_point_of_a_sweep_that_diverges():
    """Answers of the wrong sign and too large: slopes of both signs beyond one, so that no relaxation helps."""
    equation = Diffusion(reaction=1e-6)  # a reaction forbids shifts, so that the map below is linear
    solver = Wrapped(equation, lambda answer, data, part: -2.5 * answer)
    case, settings = laplace(square(16)), SchwarzSettings(parts=2, coarse=None, fallback=False, sweeps=300)
    wild = schwarz(case, equation, solver, settings)
    assert not wild.outcome.ok and wild.contraction.factor > 1.0
    iteration = Schwarz(case, equation, solver, replace(settings, acceleration="gmres", tolerance=1e-9))
    found = iteration.solve()
    assert found.outcome.ok
    np.testing.assert_allclose(iteration.sweep(found.u), found.u, atol=1e-7)


def test_parts_of_a_colour_are_solved_in_one_batch():
    solver = Wrapped(Diffusion())
    iteration = Schwarz(laplace(square(16)), Diffusion(), solver, SchwarzSettings(parts=6, rule="multiplicative", coarse=None))
    iteration.sweep(iteration.problem.start())
    colours = [len(colour) for colour in iteration.decomposition.partition.colours]
    assert solver.batches[1:] == colours and len(colours) < 6


def test_local_data_are_brought_into_the_range_of_training_and_back():
    """Whatever the size and the values: boxes of side 1 round the origin, values in [0, 1]; the answer does not change."""
    mesh = square(16)
    for scale, shift, length in ((1.0, 0.0, 1.0), (1e5, -3e6, 250.0), (1e-4, 7.0, 1e-3)):
        case = laplace(Mesh(mesh.points * length, mesh.cells, mesh.patches))
        moved = {n: {"solution": Field(SOLUTION, shift + scale * item["solution"].values)} for n, item in case.boundary.items()}
        solver = Wrapped(Diffusion())
        result = schwarz(Case(case.mesh, None, {}, moved), Diffusion(), solver, SchwarzSettings(parts=5, tolerance=1e-9))
        rims = np.concatenate([data.rim for data in solver.seen[-1]])
        assert rims.min() >= -1e-9 and rims.max() <= 1 + 1e-9
        plain = schwarz(laplace(mesh), Diffusion(), Wrapped(Diffusion()), SchwarzSettings(parts=5, tolerance=1e-9))
        np.testing.assert_allclose((result.u - shift) / scale, plain.u, atol=1e-6)


def test_sources_and_fluxes_scale_with_the_size_of_the_part():
    """The scaled local problems have the solution of those in metres: sources times L^2, fluxes times L. Fluxes at points of the rim spread over facets."""
    mesh = square(16)
    random = np.random.default_rng(3)
    case = Case(mesh, None, {"source": given("source", random.standard_normal(len(mesh.points)))}, dirichlet(mesh))
    for equation in (Diffusion(),):
        scaled = Schwarz(case, equation, Wrapped(equation), SchwarzSettings(parts=5, tolerance=1e-10))
        assert error(scaled.solve(), scaled.problem) < 1e-6
    bent = Schwarz(clamped(mesh), Elasticity(), Wrapped(Elasticity()), SchwarzSettings(parts=4, tolerance=1e-9, sweeps=400))
    assert error(bent.solve(), bent.problem) < 0.1


def test_a_nonlinear_equation_keeps_its_values():
    case = laplace(square(10))
    solver = Wrapped(NonlinearDiffusion())
    boundary = {n: {"solution": Field(SOLUTION, 4.0 * item["solution"].values)} for n, item in case.boundary.items()}
    schwarz(Case(case.mesh, None, {}, boundary), NonlinearDiffusion(), solver, SchwarzSettings(parts=3, sweeps=3))
    assert max(data.rim.max() for data in solver.seen[-1]) > 2.0


def test_noise_of_local_answers_is_not_amplified():
    """Independent noise of a share c of the local range leaves a plateau between c and 2 c, averaged or added (METHODS B.6: 1.2 to 1.7 c)."""
    mesh, plateau = square(24, "triangle", 1), {}
    for rule, sweeps in (("additive", 300), ("restricted", 120)):
        for c in (0.01, 0.05):
            random = np.random.default_rng(7)
            solver = Wrapped(Diffusion(), lambda answer, data, part, c=c, random=random: answer + c * random.standard_normal(answer.shape))
            settings = SchwarzSettings(parts=10, overlap=1, rule=rule, coarse=None, fallback=False, relaxation=0.25 if rule == "additive" else 1.0)
            iteration = Schwarz(laplace(mesh), Diffusion(), solver, settings)
            truth, u, errors = iteration.problem.solve(), iteration.problem.start(), []
            for k in range(sweeps):
                u = iteration.sweep(u, settings.relaxation)
                if k > 0.6 * sweeps:
                    errors.append(np.linalg.norm(u - truth) / np.linalg.norm(truth))
            plateau[rule, c] = np.mean(errors) / c
    assert all(value < 2.0 for value in plateau.values()) and plateau["restricted", 0.01] > 1.0, plateau
    assert plateau["restricted", 0.01] == pytest.approx(plateau["restricted", 0.05], rel=0.2)


@pytest.mark.parametrize("make", [laplace, darcy])
def test_any_predictor_of_cases_solves_parts(make):
    """It is given the part as a case with its boundary values, as data sets of local problems hold them."""
    equation, kinds = Diffusion(), set()

    class Predictor:
        def predict(self, case):
            kinds.update(case.boundary)
            return schwarz(case, equation, None, SchwarzSettings(parts=1)).result

    mesh = square(10, "triangle", 1)
    case = make(mesh) if make is laplace else Case(mesh, None, {"source": darcy(mesh).field("source")}, dirichlet(mesh))
    iteration = Schwarz(case, equation, PredictorSolver(Predictor(), equation), SchwarzSettings(parts=4, tolerance=1e-9))
    assert error(iteration.solve(), iteration.problem) < 1e-6 and kinds == {"dirichlet"}


def test_points_that_belong_to_no_cell_are_left_out():
    mesh = square(8)
    case = laplace(Mesh(np.concatenate([mesh.points, [[5.0, 5.0]]]), mesh.cells, mesh.patches))
    iteration = Schwarz(case, Diffusion(), Wrapped(Diffusion()), SchwarzSettings(parts=3, tolerance=1e-9))
    result = iteration.solve()
    assert np.isnan(result["solution"][-1]) and np.isfinite(result["solution"][:-1]).all() and error(result, iteration.problem) < 1e-6


def test_a_patch_cannot_impose_two_things():
    mesh = square(4)
    both = {"left": {"solution": given("solution", np.array(1.0), 0, "global"), "boundary_flux": given("boundary_flux", np.array(1.0), 0, "global")}}
    with pytest.raises(ConfigurationError, match="'left' imposes"):
        Schwarz(Case(mesh, None, {}, both), Diffusion())


def test_cells_of_second_order_are_solved_by_their_corners_and_say_so():
    mesh = quadratic(square(8, "triangle", 1))
    case = Case(mesh, None, {}, {name: {"solution": Field(SOLUTION, mesh.points[mesh.patch_points(name), 0])} for name in mesh.patches})
    result = schwarz(case, Diffusion(), None, SchwarzSettings(parts=3, tolerance=1e-12))
    np.testing.assert_allclose(result["solution"], result.case.mesh.points[:, 0], atol=1e-9)
    assert len(result.case.mesh.points) == 81 and any("corners" in note for note in result.case.mesh.notes)


def test_a_case_without_any_data_is_refused():
    with pytest.raises(ConfigurationError, match="nothing is imposed"):
        Schwarz(Case(square(4)), Diffusion())


def test_what_paraview_gets(tmp_path):
    import geoop

    result = schwarz(laplace(square(8)), Diffusion(), None, SchwarzSettings(parts=4))
    back = geoop.read_case(result.write(tmp_path / "a.vtu"))
    assert set(back.fields) >= {"solution", "part", "part_residual"}
    assert sorted(set(back.field("part").values)) == list(range(len(result.part_residuals)))
    inside = np.array([[0.31, 0.42], [0.77, 0.13]])
    assert np.isfinite(result.result.at(inside)["solution"]).all() and result.result.verdict.trusted
    assert Cells.empty() is not None and result.to_dict()["outcome"]["status"] == "converged"
