"""Enf2Enf beyond the claims of all models on clouds: whole predictions turn, move and mirror with the body and the free stream."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.pointset import PointSet
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4, torus, wing
from geoop.mesh.transform import mirrored
from geoop.models.body_field import BodyField
from geoop.models.enf2enf import Enf2Enf
from geoop.models.ports import Ports
from geoop.scaling.casting import OUTLINE_ODD
from geoop.scaling.framing import Framing

SECTION = Ports(vectors_out=1, vectors_in=1, surface_scalars=10, surface_odd=OUTLINE_ODD, body=True)


def framed(case: Case, frame: str = "auto") -> tuple[Framing, object]:
    framing = Framing.fit([case], frame=frame, surface_points=120, domain_points=300)
    framing = replace(framing, domain="around", reach=1.5)
    return framing, framing.of(case)


def answer(model, case: Case, points: np.ndarray, frame: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Scalars, and vectors in the axes of the case, at points [m]."""
    framing, own = framed(case, frame)
    with torch.no_grad():
        prepared = model.prepare(own.geometry.to(torch.float64))
        latent = model.encode(prepared, framing.inputs(case, own).to(torch.float64))
        found = model.field(latent, own.queries(points).to(torch.float64))
    return found.scalars.numpy(), own.frame.vectors_out(found.vectors.numpy())


def built(ports: Ports, seed: int = 0, **sizes) -> Enf2Enf:
    torch.manual_seed(seed)
    return Enf2Enf(ports, 16, latents=20, depth=1, **sizes).double().eval()


def turned(case: Case, matrix: np.ndarray, shift: np.ndarray) -> Case:
    """The body and the free stream together."""
    point = case.operating_point
    assert point is not None
    d = case.mesh.dimension
    direction = matrix @ point.direction(d)
    alpha = np.degrees(np.arctan2(direction[-1], direction[0]))
    beta = 0.0 if d == 2 else np.degrees(np.arcsin(np.clip(-direction[1], -1, 1)))
    other = OperatingPoint(velocity=point.velocity, alpha=float(alpha), beta=float(beta))
    if not np.allclose(other.direction(d), direction, atol=1e-12):
        other = OperatingPoint(velocity=point.velocity, alpha=float(alpha), beta=-float(beta))
    assert np.allclose(other.direction(d), direction, atol=1e-12)
    return replace(case, mesh=case.mesh.moved(case.mesh.points @ matrix.T + shift), operating_point=other)


def two_bodies() -> Mesh:
    first, second = naca4("2412", 120), naca4("0012", 120, chord=0.4)
    points = np.concatenate([first.points, second.points @ [[0.9, -0.43], [0.43, 0.9]] + [1.02, -0.06]])
    lines = [first.cells, second.cells.renumbered(np.arange(120) + 120)]
    return Mesh(points, Cells.concatenate(lines), {"main": lines[0], "flap": lines[1]})


ANGLE = 0.7
ROTATION = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
CASES = {
    "a section": (lambda: Case(naca4("4412", 160), OperatingPoint(velocity=30.0, alpha=5.0)), SECTION, "body"),
    "two bodies": (
        lambda: Case(two_bodies(), OperatingPoint(velocity=30.0, alpha=5.0)),
        Ports(vectors_out=1, vectors_in=1, surface_scalars=4),
        "bodies",
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", ["turned and moved", "mirrored", "turned by itself"])
def test_a_whole_prediction_moves_with_the_body_and_the_stream(name, how):
    make, ports, frame = CASES[name]
    case, model = make(), built(ports)
    points = np.random.default_rng(0).uniform([-0.4, -0.8], [1.9, 0.7], (200, 2))
    scalars, vectors = answer(model, case, points, frame)
    matrix, shift = (np.diag([1.0, -1.0]), np.zeros(2)) if how == "mirrored" else (ROTATION, np.array([3.0, -1.0]))
    other = mirrored(case) if how == "mirrored" else turned(case, matrix, shift)
    if how == "turned by itself":
        other = replace(other, operating_point=case.operating_point)
    other_scalars, other_vectors = answer(model, other, points @ matrix.T + shift, frame)
    error = np.abs(other_scalars - scalars).max() / np.abs(scalars).max()
    difference = np.abs(other_vectors - vectors @ matrix.T).max() / np.abs(vectors).max()
    if how == "turned by itself":  # another flow
        assert error > 1e-2 and difference > 1e-2
    else:
        assert error < 1e-5 and difference < 1e-5


def test_a_model_that_sees_components_is_not_equivariant_in_a_mirror():
    """The control: BodyField learns the mirror from mirrored cases and does not have it built in."""
    case = CASES["a section"][0]()
    torch.manual_seed(0)
    model = BodyField(SECTION, 32, depth=1, densities=4, surface_points=120).double().eval()
    points = np.random.default_rng(0).uniform([-0.4, -0.8], [1.9, 0.7], (50, 2))
    scalars, _ = answer(model, case, points)
    other, _ = answer(model, mirrored(case), points * [1.0, -1.0])
    assert np.abs(other - scalars).max() / np.abs(scalars).max() > 1e-3


@pytest.mark.parametrize("body", [torus(24, 12), wing(naca4("2412", 40), 3.0, n_span=8)], ids=["torus", "wing"])
def test_bodies_in_space_turn_with_the_stream(body):
    case = Case(body, OperatingPoint(velocity=30.0, alpha=8.0, beta=5.0))
    told = framed(case, "bodies")[1].geometry.surface.scalars.shape[1]
    model = built(Ports(3, vectors_out=1, vectors_in=1, surface_scalars=told))
    skew = np.array([[0.0, -0.5, 0.3], [0.5, 0.0, -0.7], [-0.3, 0.7, 0.0]])
    matrix = torch.linalg.matrix_exp(torch.from_numpy(skew)).numpy()
    direction = np.random.default_rng(1).normal(size=(60, 3))
    points = body.points.mean(axis=0) + 2.0 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    scalars, vectors = answer(model, case, points, "bodies")
    other_scalars, other_vectors = answer(model, turned(case, matrix, np.array([1.0, 2.0, 3.0])), points @ matrix.T + [1.0, 2.0, 3.0], "bodies")
    assert np.abs(other_scalars - scalars).max() < 1e-5 * np.abs(scalars).max()
    assert np.abs(other_vectors - vectors @ matrix.T).max() < 1e-5 * np.abs(vectors).max()


def test_derivatives_of_the_field_are_those_of_its_values():
    case = CASES["a section"][0]()
    framing, own = framed(case)
    model = built(SECTION)
    prepared = model.prepare(own.geometry.to(torch.float64))
    latent = model.encode(prepared, framing.inputs(case, own).to(torch.float64))
    local = np.random.default_rng(0).uniform([-0.3, 0.2], [0.8, 0.6], (20, 2))
    queries = own.local_queries(local).to(torch.float64)
    pos = torch.from_numpy(local).requires_grad_()
    out = model.field(latent, queries.following(pos, own.geometry.surface.pos.double()))
    (slope,) = torch.autograd.grad(out.scalars.sum(), pos)
    step, direction = 1e-5, np.array([0.6, 0.8])
    ahead, behind = (
        model.field(latent, queries.following(torch.from_numpy(local + sign * step * direction), own.geometry.surface.pos.double())).scalars
        for sign in (1, -1)
    )
    by_difference = ((ahead - behind) / (2 * step)).detach().numpy()[:, 0]
    assert np.allclose(slope.numpy() @ direction, by_difference, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("ablation", ["latents", "distance"])
def test_what_an_ablation_leaves_out_has_no_effect(ablation):
    case = CASES["a section"][0]()
    framing, own = framed(case)
    model = built(SECTION, ablation=ablation, densities=0)
    prepared = model.prepare(own.geometry.to(torch.float64))
    latent = model.encode(prepared, framing.inputs(case, own).to(torch.float64))
    queries = own.local_queries(np.random.default_rng(0).uniform([-0.3, 0.2], [0.8, 0.6], (20, 2))).to(torch.float64)
    expected = model.field(latent, queries).scalars
    if ablation == "latents":
        other = replace(latent, latents=latent.latents.with_features(scalars=latent.latents.scalars + 1.0))
        assert torch.equal(model.field(other, queries).scalars, expected)
    else:
        for parameter in model.ask.parameters():
            parameter.data.mul_(2.0)
        assert torch.equal(model.field(latent, queries).scalars, expected)


@pytest.mark.parametrize("poses", ["grid", "body"])
@pytest.mark.parametrize("encoder", ["meta", "auto"])
def test_fitted_contexts_are_frozen_and_kept(poses, encoder):
    """A geometry prepared before the first stage and refreshed after it is what would be prepared then."""
    case = CASES["a section"][0]()
    framing, own = framed(case)
    torch.manual_seed(0)
    shape = {"poses": poses, "samples": 300, "width": 16}
    model = Enf2Enf(SECTION, 16, latents=7, depth=1, encoder=encoder, shape=shape, densities=0)
    stage = model.shape_stage
    assert stage is not None
    before = model.prepare(own.geometry)
    stage.field_of_shapes.fit_shapes([stage.shape_of(before)])
    stage.settle([before])
    assert not any(p.requires_grad for p in stage.field_of_shapes.parameters())
    fresh, again = stage.refreshed(before), model.prepare(own.geometry)
    inputs = framing.inputs(case, own)
    queries = own.local_queries(np.random.default_rng(0).uniform([-0.3, 0.2], [0.8, 0.6], (20, 2)))
    with torch.no_grad():
        expected = model.field(model.encode(fresh, inputs), queries)
        assert torch.equal(model.field(model.encode(again, inputs), queries).scalars, expected.scalars)
        other = Enf2Enf(**model.arguments)
        other.load_state_dict(model.state_dict())
        assert torch.equal(other.field(other.encode(other.prepare(own.geometry), inputs), queries).scalars, expected.scalars)
    with torch.inference_mode():  # the steps of the fit need derivatives and switch them on
        assert torch.allclose(model.field(model.encode(before, inputs), queries).scalars, expected.scalars, atol=1e-5)


def test_bad_sizes_are_named():
    with pytest.raises(ConfigurationError, match="densities"):
        Enf2Enf(Ports(3, vectors_in=1, surface_scalars=3), 16, densities=4)
    with pytest.raises(ConfigurationError, match="ablation"):
        Enf2Enf(SECTION, 16, ablation="everything")
    model = built(SECTION)
    surface = PointSet(torch.zeros(4, 2), torch.zeros(4, 3))
    _, own = framed(CASES["a section"][0]())
    with pytest.raises(ShapeError, match="3 scalars"):
        model.prepare(replace(own.geometry, surface=surface))
