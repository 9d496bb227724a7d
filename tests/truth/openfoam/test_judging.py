"""Runs with a known fate are judged by it."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.truth.openfoam.judging import Tolerances, judge, signal
from geoop.truth.openfoam.log import History

N = 1000
T = np.linspace(0, 100, N)


def history(drag: np.ndarray, lift: np.ndarray | None = None, residual: np.ndarray | float = 1e-6) -> History:
    lift = np.zeros(N) if lift is None else lift
    sizes = np.broadcast_to(residual, N)
    return History(
        T.tolist(), [{"p": float(size)} for size in sizes], [{"Cd": float(cd), "Cl": float(cl)} for cd, cl in zip(drag, lift, strict=True)]
    )


def test_a_decayed_run_has_converged_and_says_its_drag():
    found = judge(history(1.3 + np.exp(-T / 5), residual=np.maximum(10.0 ** (-T / 5), 1e-7)), steady=True)
    assert found.outcome.status == "converged"
    assert found.signals["Cd"].mean == pytest.approx(1.3, abs=1e-6)


@pytest.mark.parametrize(
    ("drag", "residual", "status"),
    [
        (1.3 + 0.002 * T, 1e-6, "stagnated"),
        (1.3 + 0.1 * np.sin(T), 1e-6, "stagnated"),
        (np.full(N, 1.3), 1e-2, "max_sweeps_reached"),
        (np.full(N, 1.3), 10.0 ** (-9 + 4 * np.clip(T - 80, 0, None) / 20), "max_sweeps_reached"),
        (np.where(T > 50, np.nan, 1.3), 1e-6, "diverged"),
        (np.full(N, 1.3), np.where(T > 99, np.inf, 1e-6), "diverged"),
    ],
    ids=["drifts", "swings", "loose", "residual-grows", "nan", "infinite"],
)
def test_steady_runs_that_must_be_refused(drag, residual, status):
    found = judge(history(drag, residual=residual), steady=True)
    assert found.outcome.status == status
    assert found.reasons


def test_periodic_flow_is_judged_by_mean_and_amplitude():
    lift, drag = 0.35 * np.sin(2 * np.pi * 0.165 * T * 2), 1.34 + 0.009 * np.sin(2 * np.pi * 0.33 * T * 2)
    found = judge(history(drag, lift, residual=1e-3), steady=False)
    assert found.outcome.ok
    swing = found.signals["Cl"]
    assert swing.periodic
    assert swing.frequency == pytest.approx(0.33, rel=2e-3)
    assert swing.amplitude == pytest.approx(0.35, rel=5e-3)
    assert abs(swing.mean) < 2e-3
    assert found.signals["Cd"].mean == pytest.approx(1.34, rel=1e-4)


@pytest.mark.parametrize(
    "lift",
    [
        0.35 * np.exp(T / 40) * np.sin(2 * np.pi * 0.33 * T),
        0.01 * T + 0.35 * np.sin(2 * np.pi * 0.33 * T),
        0.35 * np.sin(2 * np.pi * 0.05 * T),
        0.35 * np.sin(2 * np.pi * 0.33 * T) * np.sin(2 * np.pi * 0.031 * T),
    ],
    ids=["grows", "drifts", "too-few-periods", "beats"],
)
def test_flows_that_have_not_settled_in_time_are_refused(lift):
    found = judge(history(np.full(N, 1.3), lift), steady=False)
    assert found.outcome.status == "stagnated"
    assert "Cl" in found.reasons[0]


def test_too_few_steps_cannot_be_judged():
    few = History([1.0, 2.0], [{"p": 1e-9}] * 2, [{"Cd": 1.0}] * 2)
    assert judge(few, steady=True).outcome.status == "stagnated"


def test_a_run_in_time_without_coefficients_shows_nothing():
    bare = History(T.tolist(), [{"p": 1e-9}] * N, [{}] * N)
    assert not judge(bare, steady=False).outcome.ok
    assert judge(bare, steady=True).outcome.ok


def test_frequency_does_not_depend_on_even_steps():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 100, 5000))
    found = signal(times, 2 + np.sin(0.8 * times + 1), 0.01)
    assert found.frequency == pytest.approx(0.8 / (2 * np.pi), rel=1e-3)
    assert found.mean == pytest.approx(2, abs=3e-3)


def test_tolerances_move_the_verdict():
    wobble = history(1.3 + 0.01 * np.sin(T))
    assert not judge(wobble, steady=True).outcome.ok
    assert judge(wobble, steady=True, tolerances=Tolerances(coefficient=0.02)).outcome.ok
