"""Rollouts of steppers that are exact: what they may see, which states they go on from, and when they are called off."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from geoop.errors import ConfigurationError, FieldError
from geoop.interfaces.stepping import Stepper
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.solve.rollout import DriftGuard, rollout

POINTS = np.stack([np.linspace(0, 1, 21), np.zeros(21)], axis=1)
MESH = Mesh(POINTS, Cells.of(line=np.stack([np.arange(20), np.arange(1, 21)], axis=1)))
RATE, SPEED = 0.3, 1.7


def state(time: float, noise: float = 0.0) -> Case:
    """A decaying wave T = e^(-RATE t) cos(4 x - SPEED t)."""
    values = np.exp(-RATE * time) * np.cos(4 * POINTS[:, 0] - SPEED * time) + noise
    return Case(MESH, fields={"temperature": Field(QUANTITIES["temperature"], values)}, time=time)


@dataclass
class Decay:
    """Exact for any dt from two states: the two amplitudes of the wave follow from them. Keeps what it was given."""

    history: int = 2
    interval: float | None = 0.25
    longest: float | None = 3.0
    ranges: dict = field(default_factory=lambda: {"temperature": (-1.0, 1.0)})
    quantities: tuple[str, ...] = ("temperature",)
    growth: float = 0.0
    seen: list = field(default_factory=list)
    prepared: int = 0

    def prepare(self, case):
        self.prepared += 1

        def advance(states, dt):
            self.seen.append(([s.time for s in states], dt))
            a, b = (s.fields["temperature"].values for s in states)
            step = states[1].time - states[0].time
            # about the last state: e^(-RATE s) (b cos(SPEED s) + q sin(SPEED s)), which is a one step before
            q = (b * np.cos(SPEED * step) - a * np.exp(-RATE * step)) / np.sin(SPEED * step)
            values = np.exp((self.growth - RATE) * dt) * (b * np.cos(SPEED * dt) + q * np.sin(SPEED * dt))
            return replace(case, fields={"temperature": Field(QUANTITIES["temperature"], values)}, time=None)

        return advance


TIMES = 0.25 * np.arange(2, 14)


def error(found):
    return max(np.abs(c.fields["temperature"].values - state(c.time).fields["temperature"].values).max() for c in found.series.cases)


@pytest.mark.parametrize("restart", [1, 3, 5, None])
def test_an_exact_stepper_is_exact_however_it_is_restarted(restart):
    stepper = Decay()
    assert isinstance(stepper, Stepper)
    found = rollout(stepper, [state(0.0), state(0.25)], TIMES, restart=restart)
    assert found.outcome.ok and found.given == 2 and stepper.prepared == 1 and found.diverged_at is None
    assert np.allclose(found.series.times, [0.0, 0.25, *TIMES]) and len(found.predicted) == len(TIMES)
    assert error(found) < 1e-9
    last = [times[-1] for times, _ in stepper.seen]
    every = len(TIMES) if restart is None else restart
    expected = [np.concatenate([[0.25], TIMES])[k - k % every] for k in range(len(TIMES))]
    assert np.allclose(last, expected)
    assert np.allclose([a + dt for a, (_, dt) in zip(last, stepper.seen, strict=True)], TIMES)


def test_one_jump_takes_any_times():
    found = rollout(Decay(), [state(0.0), state(0.25)], [0.3, 1.0, 2.9], restart=None)
    assert error(found) < 1e-9


def test_nothing_of_a_later_state_can_come_in():
    """The stepper is handed the given states and its own answers, stripped of every other point field, and nothing else exists to be handed."""
    leak = Field(QUANTITIES["density"], np.full(21, np.nan))
    first = [replace(state(t), fields={**state(t).fields, "density": leak}) for t in (0.0, 0.25)]
    given = []

    class Watched(Decay):
        def prepare(self, case):
            inner = super().prepare(case)

            def advance(states, dt):
                given.extend(states)
                return inner(states, dt)

            return advance

    stepper = Watched()
    rollout(stepper, first, TIMES, restart=1)
    own = {id(case) for case in given[2:]}
    assert all(set(case.fields) == {"temperature"} for case in given) and len(own) > 1
    assert max(times[-1] + dt for times, dt in stepper.seen) == TIMES[-1]
    assert all(max(times) < when for (times, _), when in zip(stepper.seen, TIMES, strict=True))


def test_numbers_of_the_whole_case_are_carried_along():
    first = [
        replace(state(t), fields={**state(t).fields, "mach_number": Field(QUANTITIES["mach_number"], np.array(0.2), "global")}) for t in (0.0, 0.25)
    ]
    found = rollout(Decay(), first, TIMES)
    assert all(float(case.fields["mach_number"].values) == 0.2 for case in found.series.cases)


def test_results_of_given_frames_are_not_those_of_later_ones():
    """A viscosity holds, a drag coefficient or what varies among the given states does not; what a step computes is kept."""

    def given(time, **numbers):
        items = {key: Field(Quantity(key, key, unit), np.array(value), "global") for key, (value, unit) in numbers.items()}
        return replace(state(time), fields={**state(time).fields, **items})

    class Weighing(Decay):
        def prepare(self, case):
            step = super().prepare(case)

            def advance(states, dt):
                made = step(states, dt)
                weight = Field(Quantity("weight", "w", "kg"), np.array(float(made.fields["temperature"].values.sum())), "global")
                return case.with_fields(made.fields["temperature"], weight)  # with all that was given, as steppers do

            return advance

    first = [
        given(t, viscosity=(0.1, "Pa s"), lift_coefficient=(0.3, "1"), load=(2.0, "N/m"), flap=(t, "deg"), CL_main=(0.3, "1")) for t in (0.0, 0.25)
    ]
    found = rollout(Weighing(), first, TIMES)
    for case in found.predicted.cases:
        assert {"viscosity", "weight", "temperature"} <= set(case.fields) and not {"lift_coefficient", "load", "flap", "CL_main"} & set(case.fields)
        assert float(case.fields["weight"].values) == pytest.approx(case.fields["temperature"].values.sum())
    assert "lift_coefficient" in found.series.cases[1].fields and error(found) < 1e-9


def test_drift_is_found_and_the_frame_left_out():
    found = rollout(Decay(growth=2.0), [state(0.0), state(0.25)], 0.25 * np.arange(2, 60))
    assert found.outcome.status == "diverged" and not found.outcome.ok
    assert len(found.series) == 2 + found.diverged_at - 1 and f"step {found.diverged_at} of 58" in found.outcome.detail
    inside = [np.abs(case.fields["temperature"].values).max() for case in found.series.cases]
    assert max(inside) < 3.0 and len(found.excess) == found.diverged_at and np.isfinite(found.excess).all()
    free = rollout(Decay(growth=2.0, ranges={}), [state(0.0), state(0.25)], 0.25 * np.arange(2, 30))
    assert free.outcome.ok and np.isnan(free.excess).all()  # without a range nothing can be said but whether values are finite
    slow = rollout(Decay(growth=0.6), [state(0.0), state(0.25)], 0.25 * np.arange(2, 60), guard=DriftGuard(tolerance=0.01, limit=50.0, growing=2))
    assert slow.outcome.status == "diverged" and "farther in each of 2 frames" in slow.outcome.detail


def test_a_bounded_excess_is_no_drift():
    """values a little beyond the range for ever, without growth"""
    steady = Decay(ranges={"temperature": (-0.9, 0.9)}, growth=RATE)
    found = rollout(steady, [state(0.0), state(0.25)], TIMES, guard=DriftGuard(tolerance=0.2))
    assert found.outcome.ok and 0 < max(found.excess) < 0.2


def test_values_that_are_not_finite_end_a_rollout():
    class Broken(Decay):
        def prepare(self, case):
            inner = super().prepare(case)
            return lambda states, dt: (
                inner(states, dt)
                if states[-1].time < 1.0
                else replace(case, fields={"temperature": Field(QUANTITIES["temperature"], np.full(21, np.nan))})
            )

    found = rollout(Broken(), [state(0.0), state(0.25)], TIMES)
    assert found.outcome.status == "diverged" and "not finite" in found.outcome.detail and found.series.times[-1] == 1.0


def test_bad_input_is_named_at_once():
    stepper = Decay()
    with pytest.raises(ConfigurationError, match="1 given states, the stepper takes 2.*not one increasing row"):
        rollout(stepper, state(0.25), [0.5, 0.4])
    with pytest.raises(ConfigurationError, match="trained up to 3"):
        rollout(stepper, [state(0.0), state(0.25)], [0.5, 9.0], restart=None)
    with pytest.raises(ConfigurationError, match="its own answers become its history"):
        rollout(stepper, [state(0.0), state(0.25)], [0.5, 0.9, 1.2])
    with pytest.raises(ConfigurationError, match="apart, the stepper was trained on"):
        rollout(stepper, [state(0.0), state(0.3)], [0.55])
    with pytest.raises(ConfigurationError, match="restart is 0"):
        rollout(stepper, [state(0.0), state(0.25)], TIMES, restart=0)
    with pytest.raises(FieldError, match="state 2 of 2 has no 'temperature'.*|not finite"):
        rollout(stepper, [state(0.0, np.nan), Case(MESH, time=0.25)], TIMES)
    with pytest.raises(ConfigurationError, match="DriftGuard"):
        DriftGuard(tolerance=2.0)
