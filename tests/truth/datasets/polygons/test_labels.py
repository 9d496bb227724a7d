"""Labels against closed forms and finer solves, equation by equation."""

import numpy as np
import pytest

from geoop.fem.diffusion import Diffusion
from geoop.fem.evaluation import evaluate
from geoop.truth.datasets.draws import random_of
from geoop.truth.datasets.polygons import darcy, elasticity, heat, laplace, mixed, nonlinear, poisson, traces
from geoop.truth.datasets.polygons.family import BOUNDARY, geometry_of
from geoop.truth.exact.harmonic import from_kirchhoff, to_kirchhoff

pytest.importorskip("gmsh")


def _of_kind(module, kind, count, seed=0, n=400):
    """The first cases of training with a kind of boundary data, one per geometry."""
    found = {}
    for name in module.plan(n, seed).splits["train"]:
        if module.parameters(seed, name)["boundary"] == kind:
            found.setdefault(geometry_of(name), name)
        if len(found) == count:
            break
    return list(found.values())


def _rms(values):
    return float(np.sqrt(np.mean(np.asarray(values) ** 2)))


def test_laplace_with_harmonic_data_is_the_harmonic_function():
    errors = []
    for name in _of_kind(laplace, traces.HARMONIC, 12):
        case, trace = laplace.case(0, name), laplace.trace_of(0, name)
        errors.append(_rms(case.fields["solution"].values - trace.function(case.mesh.points)) / np.ptp(trace.values))
    assert np.median(errors) < 1e-3 and max(errors) < 4e-3  # what the card says, with room for other draws


def test_laplace_with_a_process_against_a_finer_mesh():
    from geoop.mesh.generate.triangles import mesh_inside

    errors = []
    for name in _of_kind(laplace, traces.PROCESS, 5):
        case, trace = laplace.case(0, name), laplace.trace_of(0, name)
        fine = Diffusion(mesh_inside(laplace.FAMILY.outline(0, geometry_of(name))[0], size=0.025), degree=2, dirichlet=("wall",))
        u = evaluate(fine.space, fine.solve(dirichlet={"wall": trace.function}), case.mesh.points)
        errors.append(_rms(case.fields["solution"].values - u) / np.ptp(trace.values))
    assert np.median(errors) < 2e-3


def test_laplace_obeys_the_maximum_principle_and_the_data_their_range():
    for name in laplace.plan(40, 3).names[:30]:
        case = laplace.case(3, name)
        g, u = case.boundary["dirichlet"]["solution"].values, case.fields["solution"].values
        assert 0.0 <= g.min() and g.max() <= 1.0 and g.min() - 0.02 <= u.min() and u.max() <= g.max() + 0.02


def test_nonlinear_with_harmonic_data_of_kirchhoff():
    """The transform of a harmonic function solves the equation: its own nodal values as boundary data give it back."""
    name = _of_kind(nonlinear, traces.HARMONIC, 1)[0]
    problem = nonlinear.problem_of(0, geometry_of(name))
    mesh = problem.space.mesh
    function = traces.harmonic(random_of(0, name, BOUNDARY), traces.Extent())
    exact = from_kirchhoff(2.0 * function(mesh.points) / np.abs(function(mesh.points)).max())
    u, _ = problem.solve(dirichlet={"dirichlet": exact[mesh.patch_points("dirichlet")]})
    assert _rms(problem.space.at_mesh_points(u) - exact) < 5e-3 * np.ptp(exact)


def test_nonlinear_labels_are_those_of_the_linear_problem_after_the_transform():
    """Up to discretisation; and the nonlinearity matters: harmonic continuation of u itself is far off."""
    gap, plain = [], []
    for name in _of_kind(nonlinear, traces.PROCESS, 8):
        case = nonlinear.case(0, name)
        g, u = case.boundary["dirichlet"]["solution"].values, case.fields["solution"].values
        linear = Diffusion(case.mesh, degree=1, dirichlet=("dirichlet",))
        gap.append(_rms(u - from_kirchhoff(linear.solve(dirichlet={"dirichlet": to_kirchhoff(g)}))) / np.ptp(g))
        plain.append(_rms(u - linear.solve(dirichlet={"dirichlet": g})) / np.ptp(g))
    assert np.median(gap) < 3e-3 and max(plain) > 0.05


def test_poisson_and_mixed_balance_their_sources_and_fluxes():
    """What flows through the Dirichlet patch is what sources and the Neumann patch bring."""
    for module in (poisson, mixed):
        for name in module.plan(8, 4).splits["train"][:4]:
            case = module.case(4, name)
            problem = module.problem_of(4, geometry_of(name))
            source = case.fields["source"].values if "source" in case.fields else 0.0
            flux = {"neumann": case.boundary["neumann"]["boundary_flux"].values} if "neumann" in case.mesh.patches else {}
            right = problem.load(source, neumann=flux)
            reaction = problem.reactions(case.fields["solution"].values, right)
            assert np.abs(reaction[problem.free]).max() < 1e-12 * max(1.0, np.abs(reaction).max())
            assert reaction.sum() == pytest.approx(-right.sum(), abs=1e-11)


def test_mixed_flux_of_a_linear_function():
    """u = x has the flux n_x into the region: given that, and x on the rest, the solution is x."""
    for k in range(1, 20):
        problem = mixed.problem_of(1, f"mixed_{k:04d}")
        mesh = problem.space.mesh
        if "neumann" in mesh.patches:
            break
    lines = mesh.patches["neumann"].connectivity.reshape(-1, 2)
    along = mesh.points[lines[:, 1]] - mesh.points[lines[:, 0]]
    right = np.zeros(problem.space.n)  # integral of n_x v, exactly: half of dy to each end
    np.add.at(right, lines.ravel(), np.repeat(0.5 * along[:, 1], 2))
    x = mesh.points[:, 0]
    reaction = problem.reactions(x, right)
    assert np.abs(reaction[problem.free]).max() < 1e-13


def test_darcy_solves_its_equations_with_its_own_fields():
    for name in darcy.plan(8, 4).splits["train"][:4]:
        case = darcy.case(4, name)
        a = case.fields["conductivity"].values
        assert 0.05 <= a.min() and a.max() <= 1.0
        problem = Diffusion(case.mesh, conductivity=a, degree=1, dirichlet=("dirichlet",))
        g = case.boundary["dirichlet"]["solution"].values
        u = problem.solve(case.fields["source"].values, dirichlet={"dirichlet": g})
        np.testing.assert_allclose(case.fields["solution"].values, u, atol=1e-13)


def test_elasticity_with_equilibrium_data_is_the_equilibrium():
    """On the boundary the closed form, inside the closed form up to the mesh: order 2 says so on the same polygon."""
    from geoop.fem.elastic_laws import LinearElastic
    from geoop.truth.elasticity.linear import LinearElasticity
    from geoop.truth.elasticity.loads import Loads

    name = _of_kind(elasticity, traces.HARMONIC, 1)[0]
    case = elasticity.case(0, name)
    exact = elasticity.equilibrium(random_of(0, name, BOUNDARY), traces.Extent.of(case.mesh.points))
    rim = case.mesh.patch_points("dirichlet")
    scale = case.fields["displacement"].values[rim[0], 0] / exact.displacement(case.mesh.points[rim[:1]])[0, 0]
    wanted = scale * exact.displacement(case.mesh.points)
    assert _rms(case.fields["displacement"].values - wanted) < 5e-3 * np.abs(wanted).max()
    fine = LinearElasticity(case.mesh, LinearElastic(1.0, 0.3, "plane strain"), degree=2)
    better = fine.solve(Loads({"dirichlet": lambda x: scale * exact.displacement(x)})).fields()["displacement"].values
    assert _rms(better - wanted) < 0.2 * _rms(case.fields["displacement"].values - wanted)


def test_heat_frames_are_implicit_euler_steps_of_their_own_boundary_values():
    plan = heat.plan(44, 2)
    frames = [name for name in plan.splits["train"] if plan.series[name] == plan.series[plan.splits["train"][0]]]
    cases = [heat.case(2, name) for name in frames]
    np.testing.assert_allclose([case.time for case in cases], 0.01 * np.arange(11))
    alpha = float(cases[0].fields["diffusivity"].values)
    assert 0.1 <= alpha <= 1.0 and all(case.mesh is cases[0].mesh for case in cases)
    step = Diffusion(cases[0].mesh, conductivity=alpha, reaction=100.0, degree=1, dirichlet=("dirichlet",))
    for before, after in zip(cases[:-1], cases[1:], strict=True):
        g = after.boundary["dirichlet"]["solution"].values
        u = step.solve(100.0 * before.fields["solution"].values, dirichlet={"dirichlet": g})
        np.testing.assert_allclose(after.fields["solution"].values, u, atol=1e-12)
    assert heat.diffusivity(2, "heat_target-a_0001") == 1.0 and len(plan.splits["target-a"]) == 51
