"""Steps in time: what past states are to a model, and the recurrence by which a wave continues."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.models.past import Past
from geoop.models.ports import Ports
from geoop.models.time_deeponet import TimeDeepONet
from geoop.models.time_increment import TimeIncrement

from .zoo import PORTS, SURFACE_SCALARS, ask, geometry, inputs

NAMES = ("previous_u", "previous_u_2")
WAVE = Ports(scalars_out=0, vectors_out=1, vectors_in=1, surface_scalars=SURFACE_SCALARS, functions=tuple((name, 2) for name in NAMES))
PAST = Past(tuple(((name, 0),) for name in NAMES), ((0, 0.5),))


def given(states: list[torch.Tensor] | None = None):
    """A geometry, its inputs with past states (n, 2) per function at its points, and queries that are these points."""
    place = geometry(60, 1)
    told = inputs(place, WAVE, 1)
    for name, values in zip(NAMES, states or [], strict=False):
        told.functions[name] = place.domain.points.with_features(scalars=values, vectors=place.domain.points.vectors[:, :0])
    return place, told, place.domain


def test_past_states_lose_the_stream_as_outputs_do():
    """Functions are velocities over a deviation, outputs are perturbations: they differ by the stream over that deviation."""
    place, told, queries = given()
    model = TimeDeepONet(WAVE, 16, past=PAST, modes=4, tokens=2).double()
    known = model._known(model._placed(queries, place.surface), told)
    found = PAST.outputs(WAVE, known, told, queries.points.batch)
    for k, name in enumerate(NAMES):
        assert torch.allclose(found[:, k], told.functions[name].scalars - 0.5 * told.vectors[0, 0])


def test_a_wave_of_any_length_continues_by_two_past_states():
    """u(t + tau) = 2 cos(omega tau) u(t) - u(t - tau): weights that the branch can say, exact for every x."""
    omega, tau = 1.3, 0.4
    place = geometry(60, 1)
    phase = (place.domain.points.pos @ torch.tensor([3.0, 1.0], dtype=torch.float64))[:, None] + torch.tensor([0.0, 0.7])
    stream = inputs(place, WAVE, 1).vectors[0, 0]

    def state(t):
        return torch.cos(phase - omega * t)

    place, told, queries = given([state(0.0) + 0.5 * stream, state(-tau) + 0.5 * stream])
    model = TimeDeepONet(WAVE, 16, past=PAST, modes=4, gates=0, tokens=2).double()
    model.combine.weight.data.zero_()
    model.combine.bias.data.zero_()
    last = [m for m in model.branch.out.modules() if isinstance(m, torch.nn.Linear)][-1]
    last.weight.data.zero_()
    last.bias.data = torch.tensor([0.0] * 4 + [2 * torch.cos(torch.tensor(omega * tau)).item() - 1, -1.0], dtype=torch.float64)
    with torch.no_grad():
        found = model(model.prepare(place), told, queries)
    assert (found.vectors[:, 0] - state(tau)).abs().max() < 1e-6


def test_as_published_there_is_no_sum_over_past_states():
    model = TimeDeepONet(WAVE, 16, past=PAST, gates=None, modes=4, tokens=2)
    assert model.frames == 0 and model.branch.out is not None
    plain = TimeDeepONet(WAVE, 16, past=PAST, gates=2, modes=4, tokens=2)
    assert sum(p.numel() for p in model.parameters()) < sum(p.numel() for p in plain.parameters())


@pytest.mark.parametrize("lead", [0.25, 1.0, 2.0])
def test_increments_are_proportional_to_the_lead_time(lead):
    """u(t + tau) - u(t) = tau N: with everything else equal it grows with tau, in the unit of the root mean square lead time."""
    ports = Ports(scalars_out=1, scalars_in=1, surface_scalars=SURFACE_SCALARS, functions=(("previous_u", 1),))
    place = geometry(40, 1)
    told, queries = inputs(place, ports, 1), ask(place, 6, 1)
    torch.manual_seed(0)
    model = TimeIncrement(
        ports, 16, past={"frames": [[["previous_u", 0]]], "stream": []}, inner="DeepONet", sizes={"modes": 4}, lead_time=(0, 1.0, 0.5)
    )
    model.double().eval()
    with torch.no_grad():
        state = model.encode(model.prepare(place), told)
        whole = model.field(state, queries).scalars
        known = model._known(model._placed(queries, place.surface), told, queries)
        before = model.past.outputs(ports, known, told, queries.points.batch)[:, 0]
        inner = (whole - before) / ((1.0 + 0.5 * told.scalars[0, 0]) / 1.25**0.5)
        told.scalars[0, 0] = (lead - 1.0) / 0.5
        # the latents stay: only the factor changes
        assert torch.allclose(model.field(state, queries).scalars - before, inner * lead / 1.25**0.5, atol=1e-9)


def test_a_past_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match="previous_w"):
        TimeDeepONet(WAVE, past={"frames": [[["previous_w", 0]]], "stream": []})
    with pytest.raises(ConfigurationError, match="stream at 5"):
        TimeIncrement(PORTS, past={"frames": [], "stream": [[5, 1.0]]}, inner="DeepONet")
    with pytest.raises(ConfigurationError, match="lead_time"):
        TimeIncrement(PORTS, inner="DeepONet", lead_time=(3, 0.0, 1.0))
    with pytest.raises(ConfigurationError, match="modes=0"):
        TimeDeepONet(WAVE, modes=0)
