"""A solver's output, line by line."""

from __future__ import annotations

import numpy as np

from geoop.truth.openfoam.log import History
from tests.truth.openfoam.fake_programs import log_of


def taken(text: str) -> History:
    history = History()
    for line in text.splitlines():
        history.take(line)
    return history


def test_first_residual_of_every_step_and_the_coefficients_are_kept():
    history = taken(log_of(np.array([1.5, 1.25]), np.array([0.1, 0.01]), np.array([0.0, -2e-3])))
    assert history.times == [1.0, 2.0]
    assert history.residuals == [{"Ux": 0.1, "p": 0.1}, {"Ux": 0.01, "p": 0.01}]  # not those of the second pressure correction
    assert history.coefficients[1] == {"Cd": 1.25, "Cl": -2e-3}
    assert not history.fatal


def test_a_step_is_reported_when_the_next_one_begins():
    history = History()
    reported = [len(history.times) for line in log_of(np.ones(3), np.ones(3)).splitlines() if history.take(line)]
    assert reported == [2, 3]


def test_what_the_solver_died_of_is_kept_with_the_lines_behind_it():
    history = taken("Time = 1\n--> FOAM FATAL IO ERROR:\nkeyword div(phi,U) is undefined\n\nfile: system/fvSchemes\n")
    assert history.fatal == ["--> FOAM FATAL IO ERROR:", "keyword div(phi,U) is undefined", "file: system/fvSchemes"]


def test_not_finite_numbers_are_found():
    history = taken(log_of(np.array([1.0, np.nan]), np.array([0.1, 0.1])))
    assert history.first_not_finite() == "Cd is nan at time 2"
    assert "Ux is inf" in taken(log_of(np.array([1.0]), np.array([np.inf]))).first_not_finite()
