"""What every model on clouds must keep, measured. A new model is one line in a table ``ENTRIES`` of a file ``zoo_*.py`` beside this one.

Symmetries and the order of edges are in test_symmetry.py, gradients by position in test_position_gradients.py. In float64 unless a test says otherwise.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from geoop.errors import ConfigurationError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.models.model import AbstractModel
from geoop.models.named import model_classes
from geoop.models.ports import Ports
from geoop.models.presets import PRESETS
from geoop.references import bibtex

from .zoo import BARE, PORTS, Entry, ask, far, geometry, inputs, lattice

EXACT = 1e-9
#: Models on clouds that are measured elsewhere, and why.
ELSEWHERE = {"BoundaryKernel": "is nothing without the imposed values of what it predicts, and knows no free stream: test_boundary_kernel.py"}
ZOO: dict[str, Entry] = {}
for _path in sorted(Path(__file__).parent.glob("zoo_*.py")):
    ZOO |= importlib.import_module(f"{__package__}.{_path.stem}").ENTRIES


def zoo(keep: Callable[[Entry], bool] = lambda entry: True):
    """Parametrise over the zoo, or over a part of it."""
    return pytest.mark.parametrize("entry", [pytest.param(entry, id=name) for name, entry in ZOO.items() if keep(entry)])


def build(entry: Entry, ports: Ports = PORTS, seed: int = 0) -> AbstractModel:
    torch.manual_seed(seed)
    return entry.make(ports).double().eval()


def run(model: AbstractModel, given: Geometry, conditions: Inputs, queries: Queries) -> PointSet:
    with torch.no_grad():
        return model(model.prepare(given), conditions, queries)


def difference(a: PointSet, b: PointSet) -> float:
    """Largest difference of the fields, in units of their size."""
    pairs = [(x, y) for x, y in ((a.scalars, b.scalars), (a.vectors, b.vectors)) if x.numel()]
    return max(float((x - y).abs().max() / (1e-3 + y.abs().max())) for x, y in pairs)


def sample(n: int, seed: int, ports: Ports = PORTS) -> tuple[Geometry, Inputs, Queries]:
    given = geometry(n, seed)
    return given, inputs(given, ports, seed), ask(given, 7, seed)


def together(samples: list[tuple[Geometry, Inputs, Queries]]) -> tuple[Geometry, Inputs, Queries]:
    vertices = [len(s[0].surface) for s in samples]
    return (
        Geometry.concatenate([s[0] for s in samples]),
        Inputs.concatenate([s[1] for s in samples]),
        Queries.concatenate([s[2] for s in samples], vertices),
    )


@zoo()
def test_a_batch_equals_its_samples(entry):
    model = build(entry)
    samples = [sample(60, 1), sample(95, 2), sample(40, 3)]
    parts = PointSet.concatenate([run(model, *s) for s in samples])
    assert difference(run(model, *together(samples)), parts) < EXACT
    prepared = model.concatenate([model.prepare(s[0]) for s in samples])
    _, conditions, queries = together(samples)
    with torch.no_grad():
        assert difference(model(prepared, conditions, queries), parts) < EXACT


@zoo(lambda entry: entry.permutable)
def test_the_order_of_points_does_not_matter(entry):
    model, (given, conditions, queries) = build(entry), sample(80, 1)
    expected = run(model, given, conditions, queries)
    assert given.domain is not None
    order = torch.randperm(len(given.domain), generator=torch.Generator().manual_seed(1))
    shuffled = replace(given, domain=given.domain.take(order))
    functions = {name: f if name == "boundary" else f.take(order) for name, f in conditions.functions.items()}
    assert difference(run(model, shuffled, replace(conditions, functions=functions), queries), expected) < EXACT


@zoo()
def test_every_query_is_decoded_by_itself_and_chunks_change_nothing(entry):
    model, (given, conditions, queries) = build(entry), sample(80, 1)
    whole = run(model, given, conditions, queries)
    with torch.no_grad():
        state = model.encode(model.prepare(given), conditions)
        assert difference(model.decode(state, queries, chunk=3), whole) < EXACT
        one = torch.tensor([4])
        assert difference(model.field(state, queries.take(one)), whole.take(one)) < EXACT
        at_domain = model.field(state, given.domain)  # the points of the domain are queries like any other
    assert torch.isfinite(at_domain.scalars).all() and len(at_domain) == len(given.domain)


@zoo()
def test_conditions_functions_and_geometry_all_matter(entry):
    model, (given, conditions, queries) = build(entry), sample(80, 1)
    expected = run(model, given, conditions, queries)
    changes = {
        "scalars": replace(conditions, scalars=conditions.scalars + 1),
        "vectors": replace(conditions, vectors=-conditions.vectors),
        **{
            name: replace(conditions, functions={**conditions.functions, name: replace(f, scalars=f.scalars + 1)})
            for name, f in conditions.functions.items()
        },
    }
    for what, changed in changes.items():
        assert difference(run(model, given, changed, queries), expected) > 1e-6, what
    assert given.domain is not None
    far = replace(given.domain.points, scalars=given.domain.points.scalars * 2)
    moved = replace(given, domain=replace(given.domain, points=far))
    assert difference(run(model, moved, conditions, queries), expected) > 1e-6, "what the domain knows has no effect on other points"


@zoo()
def test_a_far_point_of_a_function_is_felt(entry):
    """Information crosses the region: the answer at one end depends on the source at the other."""
    model, (given, conditions, _) = build(entry), sample(80, 1)
    queries = ask(given, 40, 1)
    source = conditions.functions["source"]
    x = source.pos[:, 0]
    right = (x > 0.2)[:, None]
    left = queries.take((queries.points.pos[:, 0] < -0.05).nonzero()[:, 0])
    assert len(left) > 0
    other = replace(conditions, functions={**conditions.functions, "source": replace(source, scalars=source.scalars + right * 1.0)})
    assert difference(run(model, given, other, left), run(model, given, conditions, left)) > 1e-7


@zoo(lambda entry: entry.any_size)
def test_tiny_clouds(entry):
    model = build(entry)
    for count in (1, 2, 3):
        given, conditions, queries = sample(30, 1)
        index = torch.arange(24, 24 + count)
        assert given.domain is not None
        tiny = replace(given, domain=given.domain.take(index))
        functions = {name: f if name == "boundary" else f.take(index) for name, f in conditions.functions.items()}
        result = run(model, tiny, replace(conditions, functions=functions), queries)
        assert torch.isfinite(result.scalars).all() and torch.isfinite(result.vectors).all()


@zoo(lambda entry: entry.converges)
def test_refinement_converges_with_weights_and_drifts_without(entry):
    model = build(entry, BARE)
    queries, conditions = ask(lattice(2), 9, 1), inputs(lattice(2), BARE, 1)
    results = [run(model, lattice(n), conditions, queries) for n in entry.lattices]
    errors = [difference(r, results[-1]) for r in results[:-1]]
    assert errors[-1] < 0.5 * errors[0], f"errors {errors}"
    if entry.order is not None:  # error against the finest of h, h/2, h/4: (4^p - 1) : (2^p - 1)
        measured = torch.log2(torch.tensor(errors[-2] / errors[-1] - 1))
        assert measured > entry.order - 0.3, f"order {float(measured):.2f}, claimed {entry.order}, errors {errors}"
    drift = difference(run(model, unweighted(lattice(entry.lattices[-2])), conditions, queries), results[-1])
    assert drift > 1.5 * errors[-1], f"without weights {drift:.1e}, with {errors[-1]:.1e}"


def unweighted(given: Geometry) -> Geometry:
    assert given.domain is not None
    weight = given.domain.points.weight
    even = replace(given.domain.points, weight=torch.full_like(weight, float(weight.mean())))
    return replace(given, domain=replace(given.domain, points=even))


@zoo()
def test_answers_hardly_change_at_half_and_twice_the_resolution(entry):
    """What a model has learned at one number of points holds at others: the domain is part of the question, not of the weights."""
    model, results = build(entry, BARE), []
    for n in (300, 600, 1200):
        given = geometry(n, 1, vertices=48)
        results.append(run(model, given, inputs(given, BARE, 1), ask(given, 12, 1)))
    changes = difference(results[0], results[1]), difference(results[2], results[1])
    assert max(changes) < entry.transfer, f"half and twice the points: {changes[0]:.1e} and {changes[1]:.1e}, stated {entry.transfer}"


@zoo()
def test_far_queries_are_answered_from_what_is_nearest(entry):
    """No ball is empty: far outside of the cloud answers are finite, differ from place to place, and still depend on the functions in the domain."""
    model, (given, conditions, _) = build(entry), sample(80, 1)
    queries = far(given, 6)
    found = run(model, given, conditions, queries)
    values = torch.cat([found.scalars, found.vectors.flatten(1)], 1)
    assert torch.isfinite(values).all()
    assert (values.std(dim=0) > 1e-6 * values.abs().max()).all(), "constant"
    source = conditions.functions["source"]
    other = replace(conditions, functions={**conditions.functions, "source": replace(source, scalars=source.scalars + 1)})
    assert difference(run(model, given, other, queries), found) > 1e-6


@zoo(lambda entry: not (entry.converges and entry.compiles and entry.permutable and entry.any_size and entry.overfits))
def test_a_claim_that_is_not_made_has_its_reason(entry):
    assert len(entry.why.split()) > 3


@zoo()
def test_every_parameter_is_used_and_has_a_finite_gradient(entry):
    model, (given, conditions, queries) = build(entry).train(), sample(80, 1)
    out = model(model.prepare(given), conditions, queries)
    (out.scalars.square().sum() + out.vectors.square().sum()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


@zoo()
def test_gradients_by_the_inputs(entry):
    model, (given, conditions, queries) = build(entry), sample(30, 1)
    prepared = model.prepare(given)
    values = conditions.functions["source"].scalars[:4].clone()

    def fields(scalars, vectors, rows):
        source = conditions.functions["source"]
        changed = replace(source, scalars=torch.cat([rows, source.scalars[4:]]))
        out = model(prepared, Inputs(scalars, vectors, {**conditions.functions, "source": changed}), queries)
        return torch.cat([out.scalars.flatten(), out.vectors.flatten()])

    at = [t.clone().requires_grad_() for t in (conditions.scalars, conditions.vectors, values)]
    assert torch.autograd.gradcheck(fields, at, fast_mode=True)


@zoo()
def test_saved_and_loaded_bit_by_bit(entry):
    model, case = build(entry), sample(60, 1)
    expected = run(model, *case)
    other = type(model)(**json.loads(json.dumps(model.arguments))).double().eval()
    other.load_state_dict(load(save(model.state_dict())))
    result = run(other, *case)
    assert torch.equal(result.scalars, expected.scalars) and torch.equal(result.vectors, expected.vectors)


@zoo()
def test_bfloat16_stays_within_a_few_per_cent(entry):
    model, (given, conditions, queries) = build(entry).float(), sample(60, 1)
    given, conditions, queries = given.to(torch.float32), conditions.to(torch.float32), queries.to(torch.float32)
    expected = run(model, given, conditions, queries)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = run(model, given, conditions, queries)
    assert difference(replace(result, scalars=result.scalars.float(), vectors=result.vectors.float()), expected) < 0.1


@pytest.mark.slow
@zoo(lambda entry: entry.overfits)
def test_it_overfits_one_sample(entry):
    """Relative L2 below 1 % on one sample: what cannot learn one case cannot learn many (METHODS.md D.5, trap 8)."""
    torch.manual_seed(0)
    model = entry.make(PORTS).train()
    given, conditions, _ = sample(150, 1)
    given, conditions = given.to(torch.float32), conditions.to(torch.float32)
    queries, prepared = given.domain, model.prepare(given)
    assert queries is not None
    pos = queries.points.pos
    truth = torch.stack([torch.sin(5 * pos[:, 0]) * torch.cos(4 * pos[:, 1]), pos[:, 0] * pos[:, 1] * 4, pos[:, 0], pos[:, 1] ** 2], 1)
    optimiser = torch.optim.Adam(model.parameters(), lr=entry.rate)
    error, started = 1.0, time.monotonic()
    for step in range(entry.steps):
        for group in optimiser.param_groups:
            group["lr"] = entry.rate * (1 - step / entry.steps)
        out = model(prepared, conditions, queries)
        found = torch.cat([out.scalars, out.vectors.flatten(1)], 1)
        loss = ((found - truth).square().sum() / truth.square().sum()).sqrt()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        error = float(loss.detach())
        if error < 0.008:
            break
    assert error < 0.01, f"{100 * error:.2f} % after {entry.steps} steps, {time.monotonic() - started:.0f} s"


@pytest.mark.slow
@zoo(lambda entry: entry.compiles)
def test_compiled_equals_eager(entry):
    import shutil

    if shutil.which("c++") is None and shutil.which("g++") is None:
        pytest.skip("torch.compile needs a C++ compiler: apt-get install g++")
    model, (given, conditions, queries) = build(entry), sample(60, 1)
    prepared = model.prepare(given)
    with torch.no_grad():
        expected = model(prepared, conditions, queries)
        result = torch.compile(model)(prepared, conditions, queries)
    assert difference(result, expected) < 1e-7


@zoo()
def test_torch_scatter_gives_the_same(entry, monkeypatch):
    pytest.importorskip("torch_scatter", reason="torch-scatter is not installed: tools/test --with-scatter")
    from geoop.graph import segment

    model, case = build(entry), sample(60, 1)
    expected = run(model, *case)
    monkeypatch.setattr(segment, "_choose", lambda backend, values: "scatter")
    assert difference(run(model, *case), expected) < EXACT


@pytest.mark.gpu
@zoo()
def test_the_gpu_gives_the_same(entry):
    model, (given, conditions, queries) = build(entry), sample(60, 1)
    expected = run(model, given, conditions, queries)
    on_gpu = model.cuda()
    with torch.no_grad():
        result = on_gpu(on_gpu.prepare(given).to("cuda"), conditions.to("cuda"), queries.to("cuda"))
    assert difference(result.to("cpu"), expected) < 1e-7


def test_every_model_on_clouds_is_in_the_zoo_names_its_paper_and_has_presets():
    tested = {type(build(entry)) for entry in ZOO.values()}
    package = importlib.import_module("geoop.models")
    found = set()
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            own = isinstance(value, type) and issubclass(value, AbstractModel) and value.__module__ == module.name
            if own and value.on_clouds and not inspect.isabstract(value):
                found.add(value)
                assert value in tested or value.__name__ in ELSEWHERE, f"{value.__name__} is not in the zoo: add one line to ENTRIES of a zoo_*.py"
                assert set(PRESETS[value.__name__]) == {"small", "medium", "large"}, value.__name__
                assert bibtex(value.reference).count("@") == len(value.reference)
    assert tested == {value for value in found if value.__name__ not in ELSEWHERE}
    assert set(ELSEWHERE) <= {value.__name__ for value in found}


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("outputs", [{"scalars_out": 0, "vectors_out": 1}, {"scalars_out": 1, "vectors_out": 0}], ids=["vectors", "scalars"])
@zoo()
def test_no_outputs_of_a_kind_are_no_matter_for_a_warning(entry, outputs):
    try:
        build(entry, replace(PORTS, **outputs))
    except ConfigurationError:
        pytest.skip("needs both kinds")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_build(name):
    if name in ("BodyField", "Superposition"):
        pytest.skip(f"{name} has tests of its own")
    with torch.device("meta"):  # sizes are all that is asked for
        models = [model_classes()[name](PORTS, **PRESETS[name][size]) for size in ("small", "medium", "large")]
    counts = [sum(p.numel() for p in model.parameters()) for model in models]
    assert counts == sorted(counts) and counts[0] < 500_000
