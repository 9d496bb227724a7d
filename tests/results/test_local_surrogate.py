"""A surrogate as the solver of local problems: as its own predictions, in batches, as matrices, in steps; and what it refuses."""

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.interfaces.local import LocalData, LocalProblem, LocalSolver
from geoop.mesh.case import Case
from geoop.models.gnot import GNOT
from geoop.results.local_surrogate import LocalSurrogate
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope

from ..models.local_problems import INPUTS, framing_of, kernel, polygon, ports_of, problem

BOX = np.array([[-0.5, -0.5], [0.5, 0.5]])


def surrogate(kind, generic=False):
    cases = [problem(kind, shape) for shape in (0, 1, 2)]
    framing, normaliser = framing_of(cases, kind)
    framing = replace(framing, box=BOX)
    torch.manual_seed(0)
    model = GNOT(ports_of(kind, framing), 16, depth=1, heads=2, experts=2) if generic else kernel(kind, framing).float()
    return Surrogate(model, normaliser, TrainingEnvelope.of_descriptors([framing.describe(case) for case in cases]), framing), cases


def local(case):
    """A case as a local problem and its data."""
    quantity = "displacement" if "displacement" in case.fields else "solution"
    kept = {name: item for name, item in case.fields.items() if name in ("conductivity", "diffusivity")}
    mesh = case.mesh
    source = next((case.fields[name].values for name in ("source", "previous_solution") if name in case.fields), None)
    flux = case.boundary["neumann"]["boundary_flux"].values if "neumann" in case.boundary else None
    made = LocalProblem(Case(mesh, None, kept, name=case.name), quantity, mesh.patch_points("dirichlet"))
    return made, LocalData(case.boundary["dirichlet"][quantity].values, source, flux)


def predicted(model, case):
    quantity = model.normaliser.quantities[0].name
    values = np.array(model.predict(case)[quantity])
    values[case.mesh.patch_points("dirichlet")] = case.boundary["dirichlet"][quantity].values
    return values


@pytest.mark.parametrize(
    ("kind", "generic"), [*((kind, False) for kind in sorted(INPUTS)), ("laplace", True), ("darcy", True), ("mixed", True), ("heat", True)]
)
def test_its_answers_are_the_surrogates_and_a_batch_is_its_parts(kind, generic):
    model, cases = surrogate(kind, generic)
    # parts come moved to the middle of the box
    cases = [replace(case, mesh=case.mesh.moved(case.mesh.points - case.mesh.bounds.mean(axis=0))) for case in cases]
    solver = LocalSurrogate(model)
    assert isinstance(solver, LocalSolver) and not solver.exact and solver.accepts == ({"dirichlet", "neumann"} if kind == "mixed" else {"dirichlet"})
    problems, data = zip(*(local(case) for case in cases), strict=True)
    together = solver.prepare(problems)(data)
    for case, part, item, found in zip(cases, problems, data, together, strict=True):
        np.testing.assert_allclose(found, predicted(model, case), atol=3e-6 * max(1.0, np.abs(found).max()), rtol=0)
        (alone,) = solver.prepare([part])([item])
        np.testing.assert_allclose(alone, found, atol=3e-6 * max(1.0, np.abs(found).max()), rtol=0)
        np.testing.assert_array_equal(found[part.rim], item.rim)


def test_it_does_not_matter_where_a_part_lies():
    model, cases = surrogate("laplace", generic=True)
    part, data = local(cases[0])
    far = replace(part, case=replace(part.case, mesh=part.case.mesh.moved(part.case.mesh.points + [40.0, -7.0])))
    one, other = LocalSurrogate(model).prepare([part, far])([data, data])
    np.testing.assert_allclose(one, other, atol=2e-5)


@pytest.mark.parametrize("generic", [False, True])
def test_bounded_memory_changes_nothing(generic):
    model, cases = surrogate("nonlinear" if generic else "poisson")
    problems, data = zip(*(local(case) for case in cases), strict=True)
    whole = LocalSurrogate(model).prepare(problems)(data)
    pieces = LocalSurrogate(model, pairs=500).prepare(problems)(data)
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("kind", ["mixed", "elasticity"])
def test_matrices_in_files_answer_alike_and_are_gone_with_their_solver(kind, tmp_path):
    model, cases = surrogate(kind)
    problems, data = zip(*(local(case) for case in cases), strict=True)
    kept = LocalSurrogate(model).prepare(problems)(data)
    solve = LocalSurrogate(model, store=tmp_path / "shelf").prepare(problems)
    for one, other in zip(kept, solve(data), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(list(tmp_path.rglob("*.npz"))) == len(problems)
    del solve
    gc.collect()
    assert not list(tmp_path.rglob("*.npz"))


@pytest.mark.parametrize("kind", ["laplace", "mixed", "poisson", "heat", "elasticity"])
def test_a_linear_kernel_reproduces_constants_to_rounding_and_is_linear_in_si_units(kind):
    model, cases = surrogate(kind)
    problems, data = zip(*(local(case) for case in cases), strict=True)
    solve = LocalSurrogate(model).prepare(problems)

    def constant(item):
        start = np.full_like(item.source, 31.0) if kind == "heat" else None
        return LocalData(np.full_like(item.rim, 31.0), start, None)

    for found in solve([constant(item) for item in data]):
        np.testing.assert_allclose(found, 31.0, atol=1e-11)

    def times(item, factor):
        return LocalData(factor * item.rim, *(None if part is None else factor * part for part in (item.source, item.flux)))

    for one, other in zip(solve(data), solve([times(item, -2.5) for item in data]), strict=True):
        np.testing.assert_allclose(other, -2.5 * one, atol=1e-10)


def test_steps_in_time_are_made_one_after_the_other():
    model, cases = surrogate("heat")
    part, data = local(cases[0])
    solve = LocalSurrogate(model).prepare([part])
    rims = np.stack([data.rim, 0.5 * data.rim, data.rim**2], axis=1)
    (marched,) = solve([LocalData(rims, data.source)])
    state = data.source
    for k in range(3):
        (state,) = solve([LocalData(rims[:, k], state)])
        np.testing.assert_array_equal(marched[:, k], state)
    assert marched.shape == (len(state), 3)


@pytest.mark.parametrize("kind", ["laplace", "nonlinear"])
def test_a_sweep_that_has_diverged_is_answered_by_nan_and_the_others_are_not_touched(kind):
    model, cases = surrogate(kind)
    problems, data = zip(*(local(case) for case in cases), strict=True)
    solve = LocalSurrogate(model).prepare(problems)
    bad = [replace(data[0], rim=data[0].rim * np.nan), *data[1:]]
    found, expected = solve(bad), solve(data)
    assert np.isnan(found[0]).all()
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_no_parts_give_no_answers():
    assert LocalSurrogate(surrogate("laplace")[0]).prepare([])([]) == []
    assert LocalSurrogate(surrogate("nonlinear")[0]).prepare([])([]) == []


def test_what_it_was_not_trained_for_is_refused():
    model, cases = surrogate("laplace")
    part, data = local(cases[0])
    solver = LocalSurrogate(model)
    with pytest.raises(ConfigurationError, match="predicts 'solution'"):
        solver.prepare([replace(part, quantity="displacement")])
    free = polygon(0, free=True)
    with pytest.raises(ConfigurationError, match="'neumann'"):
        solver.prepare([LocalProblem(Case(free), "solution", free.patch_points("dirichlet"))])
    for wrong, message in (
        (LocalData(data.rim[:-1]), "values of the rim"),
        (LocalData(data.rim, np.ones(len(part.case.mesh.points))), "has a source"),
        (LocalData(data.rim, load=np.ones(len(part.case.mesh.points))), "has a load"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            solver.prepare([part])([wrong])
    with pytest.raises(ConfigurationError, match="1 parts for 2"):
        solver.prepare([part, part])([data])
    darcy, cases = surrogate("darcy")
    bare = local(cases[0])[0]
    with pytest.raises(ConfigurationError, match="none of them is a field"):
        LocalSurrogate(darcy).prepare([replace(bare, case=replace(bare.case, fields={}))])


def test_a_surrogate_without_boundary_values_is_no_local_solver():
    model, _ = surrogate("laplace")
    deaf = replace(model, framing=replace(model.framing, functions=()))
    with pytest.raises(ConfigurationError, match="boundary solution"):
        LocalSurrogate(deaf)
