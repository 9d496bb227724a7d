"""What every model refuses by name: sizes that cannot be built, inputs and queries that are not those of its ports or not those of the geometry."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from geoop.errors import ConfigurationError, NonFiniteError, ShapeError
from geoop.graph.geometry import Geometry, Queries
from geoop.graph.pointset import Inputs, PointSet
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.models.body_field import BodyField
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.mesh_graph_net import MeshGraphNet
from geoop.models.model import AbstractModel
from geoop.models.named import model_classes
from geoop.models.ports import Ports
from geoop.models.potential_field import PotentialField
from geoop.models.superposition import Superposition
from geoop.scaling.casting import FramedBody

from .local_problems import framing_of, kernel, problem, tensors
from .test_claims import ZOO, build, sample
from .zoo import BARE, PORTS
from .zoo_time import past

Made = tuple[AbstractModel, Geometry, Inputs, Queries]
BODY = Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True)


def body_field(kind: type[AbstractModel]) -> Made:
    """A model of flow around a section, float32."""
    sizes = {"width": 16, "depth": 1, "densities": 4, "surface_points": 60}
    case = Case(naca4("2412", n_points=80), OperatingPoint(30.0, 3.0))
    framed = FramedBody.of(case, 60)
    model = kind(BODY, **sizes) if kind is BodyField else kind(BODY, inner="BodyField", sizes=sizes)
    return model.eval(), framed.geometry, framed.inputs(case), framed.queries(case.mesh.points[::9] + [0.0, 0.3])


def boundary_kernel() -> Made:
    """Poisson's equation in a polygon, with a source."""
    case = problem("poisson")
    framing, _ = framing_of([case], "poisson")
    return kernel("poisson", framing), *tensors(case, framing)


def on_cloud(name: str) -> Made:
    """The first zoo entry of a class."""
    entry = next(entry for entry in ZOO.values() if type(build(entry)).__name__ == name)
    return build(entry), *sample(40, 1)


OTHERS: dict[str, Callable[[], Made]] = {
    "BodyField": lambda: body_field(BodyField),
    "Superposition": lambda: body_field(Superposition),
    "BoundaryKernel": boundary_kernel,
}


@pytest.fixture(scope="module", params=sorted(model_classes()))
def made(request) -> Made:
    """A small model of every class with a geometry, inputs and queries that it answers."""
    return OTHERS[request.param]() if request.param in OTHERS else on_cloud(request.param)


@torch.no_grad()
def ask(made: Made, **changes) -> PointSet:
    model, geometry, inputs, queries = made
    given = {"geometry": geometry, "inputs": inputs, "queries": queries} | changes
    return model(model.prepare(given["geometry"]), given["inputs"], given["queries"])


def test_everything_wrong_with_the_inputs_is_named_at_once(made: Made) -> None:
    inputs = made[2]
    other = replace(inputs, scalars=torch.zeros(1, 7).to(inputs.scalars), vectors=torch.zeros(1, 5, 2).to(inputs.vectors), functions={})
    with pytest.raises(ShapeError) as found:
        ask(made, inputs=other)
    for name in ("global scalars of shape (1, 7)", "global vectors of shape (1, 5, 2)", *(f"no function '{name}'" for name in inputs.functions)):
        assert name in str(found.value)


def test_a_function_has_as_many_channels_as_the_ports_say(made: Made) -> None:
    inputs = made[2]
    for name, function in inputs.functions.items():
        wider = function.with_features(torch.cat([function.scalars, function.scalars], dim=1))
        with pytest.raises(ShapeError, match=f"function '{name}' has"):
            ask(made, inputs=replace(inputs, functions={**inputs.functions, name: wider}))


def test_there_are_as_many_inputs_as_geometries(made: Made) -> None:
    _, geometry, inputs, queries = made
    geometries = Geometry.concatenate([geometry, geometry])
    both = Queries.concatenate([queries, queries], [len(geometry.surface)] * 2)
    with pytest.raises(ShapeError, match="global scalars of shape"):
        ask(made, geometry=geometries, queries=both)
    with pytest.raises(ShapeError, match="global scalars of shape"):
        ask(made, inputs=Inputs.concatenate([inputs, inputs]))


def test_queries_are_of_the_geometries_that_were_encoded(made: Made) -> None:
    _, geometry, inputs, queries = made
    with pytest.raises(ShapeError, match="were encoded"):
        ask(made, queries=Queries.concatenate([queries, queries], [len(geometry.surface)] * 2))
    with pytest.raises(ShapeError, match="were encoded"):
        ask(made, geometry=Geometry.concatenate([geometry, geometry]), inputs=Inputs.concatenate([inputs, inputs]))
    distance = queries.points.scalars[:, :1]
    with pytest.raises(ShapeError, match="37 scalars"):
        ask(made, queries=replace(queries, points=queries.points.with_features(distance.expand(-1, 37))))


def test_chunks_hold_queries(made: Made) -> None:
    model, geometry, inputs, queries = made
    with torch.no_grad():
        state = model.encode(model.prepare(geometry), inputs)
    for chunk in (0, -1):
        with pytest.raises(ConfigurationError, match=f"chunks of {chunk} queries"):
            model.decode(state, queries, chunk=chunk)
    assert len(model.decode(state, queries, chunk=1)) == len(queries)


def test_what_is_not_finite_is_named(made: Made) -> None:
    inputs = made[2]
    for name, function in inputs.functions.items():
        values = function.scalars.clone()
        values[-1, -1] = torch.nan
        with pytest.raises(NonFiniteError, match=f"function '{name}'"):
            ask(made, inputs=replace(inputs, functions={**inputs.functions, name: function.with_features(values)}))
    if inputs.vectors.numel():
        with pytest.raises(NonFiniteError, match="global vectors"):
            ask(made, inputs=replace(inputs, vectors=torch.full_like(inputs.vectors, torch.inf)))


def test_functions_beside_those_of_the_ports_are_nobodys_business(made: Made) -> None:
    inputs = made[2]
    other = PointSet(torch.full((3, 2), torch.nan).to(inputs.vectors))
    found = ask(made, inputs=replace(inputs, functions={**inputs.functions, "zzz": other}))
    assert torch.equal(found.scalars, ask(made).scalars) and torch.equal(found.vectors, ask(made).vectors)


def whole_numbers() -> list[tuple[type[AbstractModel], str]]:
    """Every size of every model that stands in a constructor."""
    found = []
    for kind in model_classes().values():
        for name, parameter in inspect.signature(kind).parameters.items():
            optional = name in ("rank", "points", "latents", "gates")
            if optional or (isinstance(parameter.default, int) and not isinstance(parameter.default, bool)):
                found.append((kind, name))
    return found


@pytest.mark.parametrize(("kind", "name"), [pytest.param(*item, id=f"{item[0].__name__}-{item[1]}") for item in whole_numbers()])
def test_sizes_are_refused_by_name(kind: type[AbstractModel], name: str) -> None:
    ports = BODY if kind is BodyField else BARE if kind is BoundaryKernel else PORTS
    more = {"past": past(PORTS)} if "past" in inspect.signature(kind).parameters else {}
    with pytest.raises(ConfigurationError, match=name):
        kind(ports, **more, **{name: -1})
    if kind is not BodyField and name not in MAY_BE_ZERO.get(kind.__name__, getattr(kind, "may_be_zero", ())):
        with pytest.raises(ConfigurationError, match=f"{name}=0"):
            kind(ports, **more, **{name: 0})


#: of models that are not on clouds
MAY_BE_ZERO = {"Enf2Enf": ("depth", "slices"), "BoundaryKernel": ("depth", "rounds")}


def test_sizes_that_exclude_each_other_and_a_remedy_that_helps() -> None:
    with pytest.raises(ConfigurationError, match="no message passes"):
        MeshGraphNet(PORTS, 16, fine=0, coarse=0)
    with pytest.raises(ConfigurationError, match="resolution=1"):
        model_classes()["GINO"](PORTS, 16, resolution=1)
    with pytest.raises(ConfigurationError, match=r"scales\[1\]=0"):
        model_classes()["GraphNeuralOperator"](PORTS, 16, scales=(8, 0))
    with pytest.raises(ConfigurationError, match="width=4.5"):
        model_classes()["Transolver"](PORTS, 4.5)
    with pytest.raises(ConfigurationError) as found:
        PotentialField(Ports(dimension=3), 16)
    assert "in 3-D" in found.value.message and "Transolver" in found.value.remedy and "at least" not in found.value.remedy
