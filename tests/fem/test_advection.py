"""Stabilised forms: limits without flow, consistency, balance."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.fem.advection import StreamlineForms
from geoop.fem.scalar_forms import mass, stiffness
from geoop.fem.space import Space
from geoop.mesh.generate.disk import disk


@pytest.fixture(scope="module")
def space():
    return Space.of(disk(6), 1)


def test_without_flow_they_are_the_plain_forms(space):
    forms = StreamlineForms(space, np.zeros_like, 0.3)
    assert np.abs(forms.stiffness - 0.3 * stiffness(space, 1.0)).max() < 1e-14
    assert np.abs(forms.mass - mass(space, 1.0)).max() < 1e-15
    assert forms.load(lambda p: np.ones(len(p))).sum() == pytest.approx(space.quadrature_weights.sum(), rel=1e-13)


@pytest.mark.parametrize("diffusivity", [1.0, 1e-9])
def test_constants_are_not_carried_and_linear_functions_satisfy_the_equations(space, diffusivity):
    flow = lambda p: np.stack([1 + p[:, 1], 2 - p[:, 0]], axis=1)  # noqa: E731
    forms = StreamlineForms(space, flow, diffusivity)
    assert np.abs(forms.stiffness @ np.ones(space.n)).max() < 1e-14
    inside = np.setdiff1d(np.arange(space.n), space.on("boundary"))
    rest = forms.stiffness @ space.points[:, 0] - forms.load(lambda p: flow(p)[:, 0])
    assert np.abs(rest[inside]).max() < 1e-14


def test_stabilisation_adds_diffusion_along_the_flow_only(space):
    """For a function that is constant along the flow it does nothing; across it, nothing either."""
    forms = StreamlineForms(space, lambda p: np.broadcast_to([1.0, 0.0], p.shape), 1e-6)
    x, y = space.points.T
    plain = 1e-6 * stiffness(space, 1.0)
    assert y @ forms.stiffness @ y == pytest.approx(y @ plain @ y, rel=1e-9)
    assert x @ (forms.stiffness - forms.stiffness.T) @ x == pytest.approx(0.0, abs=1e-13)
    added = 0.5 * (forms.stiffness + forms.stiffness.T) - plain
    assert x @ added @ x > 100 * (x @ plain @ x)


def test_bad_input(space):
    with pytest.raises(ConfigurationError, match="degree 2 with diffusivity 1"):
        StreamlineForms(Space.of(disk(2), 2), np.zeros_like, 1.0)
    with pytest.raises(ConfigurationError, match="diffusivity -1"):
        StreamlineForms(space, np.zeros_like, -1.0)
