"""What a learned boundary kernel keeps whatever its weights are, for every kind of problem; and that it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs
from geoop.mesh.cells import Cells
from geoop.mesh.generate.tetrahedra import mesh_solid
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.ports import Ports

from .local_problems import INPUTS, framing_of, kernel, polygon, ports_of, problem, tensors

KINDS = sorted(INPUTS)
LINEAR = [kind for kind in KINDS if kind != "nonlinear"]
SCALAR = [kind for kind in KINDS if kind != "elasticity"]


def built(kind, shapes=(0,), seed=0):
    cases = [problem(kind, shape, seed) for shape in shapes]
    framing, normaliser = framing_of(cases, kind)
    return cases, framing, normaliser, kernel(kind, framing)


@torch.no_grad()
def answer(model, geometry, inputs, queries):
    out = model(model.prepare(geometry), inputs, queries)
    return torch.cat([out.scalars, out.vectors.flatten(1)], dim=1)


def with_data(inputs, change):
    """Inputs whose functions ``change`` (name -> new scalars) gives."""
    functions = {name: replace(f, scalars=change.get(name, lambda x: x)(f.scalars)) for name, f in inputs.functions.items()}
    return Inputs(inputs.scalars, inputs.vectors, functions)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_equals_its_samples_and_chunks_change_nothing(kind):
    cases, framing, _, model = built(kind, (0, 1, 2))
    parts = [tensors(case, framing) for case in cases]
    apart = torch.cat([answer(model, *part) for part in parts])
    geometry, inputs = Geometry.concatenate([p[0] for p in parts]), Inputs.concatenate([p[1] for p in parts])
    queries = Queries.concatenate([p[2] for p in parts], [len(p[0].surface) for p in parts])
    torch.testing.assert_close(answer(model, geometry, inputs, queries), apart, rtol=0, atol=1e-10)
    prepared = model.concatenate([model.prepare(p[0]) for p in parts])
    with torch.no_grad():
        together = model(prepared, inputs, queries)
        state = model.encode(model.prepare(parts[0][0]), parts[0][1])
        pieces = model.decode(state, parts[0][2], chunk=7)
    torch.testing.assert_close(torch.cat([together.scalars, together.vectors.flatten(1)], dim=1), apart, rtol=0, atol=1e-10)
    torch.testing.assert_close(torch.cat([pieces.scalars, pieces.vectors.flatten(1)], dim=1), apart[: len(pieces)], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_constants_are_reproduced(kind):
    cases, framing, _, model = built(kind)
    geometry, inputs, queries = tensors(cases[0], framing)
    values = {name for name in INPUTS[kind] if name in ("boundary solution", "previous_solution", "boundary displacement")}
    nothing = dict.fromkeys(("source", "boundary boundary_flux"), torch.zeros_like)
    found = answer(model, geometry, with_data(inputs, nothing | {name: lambda x: torch.full_like(x, 3.7) for name in values}), queries)
    torch.testing.assert_close(found, torch.full_like(found, 3.7), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", SCALAR)
def test_maximum_principle_and_positive_answers_to_positive_data(kind):
    cases, framing, _, model = built(kind)
    geometry, inputs, queries = tensors(cases[0], framing)
    nothing = dict.fromkeys(("source", "boundary boundary_flux"), torch.zeros_like)
    found = answer(model, geometry, with_data(inputs, nothing), queries)
    data = torch.cat([inputs.functions[name].scalars for name in ("boundary solution", "previous_solution") if name in inputs.functions])
    assert data.min() - 1e-12 <= found.min() and found.max() <= data.max() + 1e-12
    assert found.max() - found.min() > 0.05 * (data.max() - data.min())
    if kind in ("poisson", "darcy", "mixed"):
        zero = dict.fromkeys(("boundary solution",), torch.zeros_like)
        driven = dict.fromkeys(("source", "boundary boundary_flux"), torch.ones_like)
        pushed = answer(model, geometry, with_data(inputs, zero | driven), queries)
        assert pushed.min() >= 0.0 and pushed.max() > 1e-3


@pytest.mark.parametrize("kind", SCALAR)
def test_where_values_are_imposed_they_are_taken(kind):
    cases, framing, _, model = built(kind)
    case = cases[0]
    geometry, inputs, queries = tensors(case, framing)
    rim = torch.from_numpy(case.mesh.patch_points("dirichlet"))
    # weights of heads that say anything may outweigh a distance of a millionth, and no more
    torch.testing.assert_close(answer(model, geometry, inputs, queries)[rim], inputs.functions["boundary solution"].scalars, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", LINEAR)
def test_superposition_and_the_kernels_are_the_map(kind):
    cases, framing, _, model = built(kind)
    geometry, inputs, queries = tensors(cases[0], framing)
    linear = [name for name in INPUTS[kind] if name not in ("conductivity", "diffusivity")]
    random = torch.Generator().manual_seed(5)
    other = with_data(inputs, {name: lambda x: torch.randn(x.shape, generator=random, dtype=x.dtype) for name in linear})
    both = with_data(inputs, {name: (lambda x, name=name: 2 * x - 3 * other.functions[name].scalars) for name in linear})
    expected = 2 * answer(model, geometry, inputs, queries) - 3 * answer(model, geometry, other, queries)
    torch.testing.assert_close(answer(model, geometry, both, queries), expected, rtol=0, atol=1e-10)
    with torch.no_grad():
        state = model.encode(model.prepare(geometry), other)
        terms = model.kernels(state, queries)
        total = sum(term.of(inputs.functions[model.roles[name]].scalars) for name, term in terms.items())
    torch.testing.assert_close(total, answer(model, geometry, inputs, queries), rtol=0, atol=1e-10)
    if kind != "elasticity":
        assert all(bool((term.weight >= 0).all()) for term in terms.values())


def test_the_map_does_not_expand_in_the_maximum_norm_and_the_nonlinear_one_is_not_linear():
    for kind in ("laplace", "nonlinear"):
        cases, framing, _, model = built(kind)
        geometry, inputs, queries = tensors(cases[0], framing)
        twice = answer(model, geometry, with_data(inputs, {"boundary solution": lambda x: 2 * x}), queries)
        once = answer(model, geometry, inputs, queries)
        assert ((twice - 2 * once).abs().max() < 1e-12) == (kind == "laplace")
    shifts = [torch.randn(inputs.functions["boundary solution"].scalars.shape, dtype=torch.float64) for _ in range(5)]
    cases, framing, _, model = built("laplace")
    for shift in shifts:
        moved = answer(model, geometry, with_data(inputs, {"boundary solution": lambda x, s=shift: x + s}), queries)
        assert (moved - answer(model, geometry, inputs, queries)).abs().max() <= shift.abs().max() + 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_rotation_reflection_and_translation_of_the_whole_problem(kind, mirror):
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s], [s, c]]) @ np.diag([mirror, 1.0])
    case = problem(kind)
    moved_mesh = case.mesh.moved(case.mesh.points @ turn.T + [3.0, -2.0])
    fields, boundary = dict(case.fields), dict(case.boundary)
    if kind == "elasticity":
        fields = {k: replace(f, values=f.values @ turn.T) for k, f in fields.items()}
        boundary = {p: {k: replace(f, values=f.values @ turn.T) for k, f in items.items()} for p, items in boundary.items()}
    moved = replace(case, mesh=moved_mesh, fields=fields, boundary=boundary)
    framing, _ = framing_of([case], kind)
    framing = replace(framing, box=np.array([[-0.5, -0.5], [0.5, 0.5]]))
    model = kernel(kind, framing)
    one, other = answer(model, *tensors(case, framing)), answer(model, *tensors(moved, framing))
    one = one @ torch.from_numpy(turn).T if kind == "elasticity" else one
    torch.testing.assert_close(other, one, rtol=0, atol=1e-5 * float(one.abs().max()) + 1e-5)


@pytest.mark.parametrize("kind", ["laplace", "poisson", "mixed"])
def test_in_another_unit_sources_scale_with_its_square_and_fluxes_with_it(kind):
    case, factor = problem(kind), 3.0
    framing, _ = framing_of([case], kind)
    framing, model = replace(framing, box=np.array([[-0.5, -0.5], [0.5, 0.5]])), None
    model = kernel(kind, framing)
    geometry, inputs, queries = tensors(case, framing)
    large = tensors(replace(case, mesh=case.mesh.moved(factor * case.mesh.points)), framing)
    powers = {"source": factor**-2, "boundary boundary_flux": 1 / factor}
    given = with_data(large[1], {name: (lambda x, p=p: x * p) for name, p in powers.items()})
    torch.testing.assert_close(answer(model, large[0], given, large[2]), answer(model, geometry, inputs, queries), rtol=0, atol=2e-5)


def test_regions_with_and_without_a_free_boundary_in_one_batch():
    cases = [problem("mixed"), problem("mixed", mesh=polygon(1))]
    framing, _ = framing_of(cases, "mixed")
    model, parts = kernel("mixed", framing), [tensors(case, framing) for case in cases]
    assert len(parts[1][1].functions["boundary boundary_flux"]) == 0
    geometry, inputs = Geometry.concatenate([p[0] for p in parts]), Inputs.concatenate([p[1] for p in parts])
    queries = Queries.concatenate([p[2] for p in parts], [len(p[0].surface) for p in parts])
    apart = torch.cat([answer(model, *part) for part in parts])
    torch.testing.assert_close(answer(model, geometry, inputs, queries), apart, rtol=0, atol=1e-10)


def test_gradients_by_weights_are_those_of_finite_differences():
    cases, framing, _, model = built("darcy")
    geometry, inputs, queries = tensors(cases[0], framing)
    queries = queries.take(torch.arange(3, 9))
    parameter = model.scores["source_score"].head.weight

    def at(weight):
        state = torch.func.functional_call(model, {"scores.source_score.head.weight": weight}, (model.prepare(geometry), inputs, queries))
        return state.scalars

    assert torch.autograd.gradcheck(at, (parameter.detach().requires_grad_(),), atol=1e-6)


def test_untrained_it_is_near_a_harmonic_function_and_it_overfits_one_polygon():
    case = problem("laplace", seed=1)
    framing, normaliser = framing_of([case], "laplace")
    torch.manual_seed(0)
    model = BoundaryKernel(ports_of("laplace", framing), 16, hidden=16, depth=1).double()
    geometry, inputs, queries = tensors(case, framing)
    mean, deviation = normaliser.mean[0], normaliser.deviation[0]
    target = torch.from_numpy((case.fields["solution"].values - mean) / deviation)[:, None]
    rim, everywhere = case.mesh.patch_points("dirichlet"), np.arange(len(target))
    inside = torch.from_numpy(np.setdiff1d(everywhere, rim))
    flat = (target[inside] - target[torch.from_numpy(rim)].mean()).norm()
    first = (answer(model, geometry, inputs, queries) - target)[inside].norm()
    assert first < 0.6 * flat
    optimiser, prepared = torch.optim.Adam(model.parameters(), 5e-3), model.prepare(geometry)
    for _ in range(150):
        loss = (model(prepared, inputs, queries).scalars - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (answer(model, geometry, inputs, queries) - target)[inside].norm() < 0.02 * flat


def test_in_space():
    surface = icosphere(1)
    solid = mesh_solid(Mesh(0.5 * surface.points, surface.cells))
    triangles = np.asarray(solid.patches["wall"].connectivity).reshape(-1, 3)
    mesh = Mesh(solid.points, solid.cells, {"dirichlet": Cells.of(triangle=triangles)})
    for kind in ("laplace", "heat", "elasticity"):
        case = problem(kind, mesh=mesh)
        framing, _ = framing_of([case], kind)
        model = kernel(kind, framing, dimension=3)
        geometry, inputs, queries = tensors(case, framing)
        values = [name for name in INPUTS[kind] if name != "diffusivity"]
        found = answer(model, geometry, with_data(inputs, {name: lambda x: torch.full_like(x, -1.3) for name in values}), queries)
        torch.testing.assert_close(found, torch.full_like(found, -1.3), rtol=0, atol=1e-12)


def test_what_it_cannot_do_is_said():
    case = problem("laplace")
    framing, _ = framing_of([case], "laplace")
    geometry, inputs, _ = tensors(case, framing)
    model = kernel("laplace", framing)
    with pytest.raises(ShapeError, match="without points"):
        model.prepare(replace(geometry, domain=None))
    with pytest.raises(ConfigurationError, match="roles"):
        BoundaryKernel(ports_of("laplace", framing), roles={"velocity": "boundary solution"})
    with pytest.raises(ConfigurationError, match="nonlinear problem with"):
        BoundaryKernel(Ports(surface_scalars=3, functions=(("boundary solution", 1), ("source", 1))), nonlinear=True)
    for ports in (Ports(surface_scalars=3), Ports(surface_scalars=3, vectors_in=1, functions=(("boundary solution", 1),))):
        deaf = BoundaryKernel(ports).double()
        with pytest.raises(ConfigurationError, match="boundary solution"):
            deaf.encode(deaf.prepare(geometry), inputs)


@pytest.mark.parametrize("kind", ["laplace", "poisson", "heat", "elasticity"])
def test_linear_functions_are_reproduced_whatever_was_learned(kind):
    """At points inside of the hull of the boundary; without the condition they are missed by much more."""
    cases, framing, _, model = built(kind)
    case = cases[0]
    geometry, inputs, queries = tensors(case, framing)
    d = 2 if kind == "elasticity" else 1
    slope = torch.tensor([[0.7, -0.4], [0.3, 0.9]], dtype=torch.float64)[:, :d]
    nothing = dict.fromkeys(("source",), torch.zeros_like)
    driven = with_data(inputs, nothing)
    for name in ("boundary solution", "previous_solution", "boundary displacement"):
        if name in driven.functions:
            function = driven.functions[name]
            driven.functions[name] = replace(function, scalars=function.pos @ slope)
    inner = np.setdiff1d(np.arange(len(case.mesh.points)), case.mesh.patch_points("dirichlet"))
    missed = {}
    for moments in (True, False):
        model.moments = moments
        missed[moments] = float((answer(model, geometry, driven, queries) - queries.points.pos @ slope)[inner].abs().max())
    assert missed[True] < 1e-5 and missed[False] > 1e-3
