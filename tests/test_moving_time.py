"""The sections ``time`` and ``bodies`` of ``tools/benchmark moving``: what they compare is what they say, and small runs go through."""

from types import SimpleNamespace

import moving_bodies
import moving_time
import numpy as np
import pytest

from geoop.solve.movers.monge_ampere import MongeAmpere


@pytest.mark.parametrize("name", ["front .05", "front .02", "hill .05"])
def test_the_exact_solutions_solve_their_equations(name):
    problem, h = moving_time.PROBLEMS[name], 1e-4
    random = np.random.default_rng(0)
    near = {"hill .05": ([0.5, 0.75], 0.01)}.get(name, ([0.4, 0.4], 0.2))  # where the hill is, or the front goes through
    x, t = near[0] + 0.08 * random.normal(size=(200, 2)), near[1]
    c = problem.exact(x, t)
    steps = h * np.eye(2)
    slope = np.stack([(problem.exact(x + e, t) - problem.exact(x - e, t)) / (2 * h) for e in steps], axis=1)
    bend = sum(problem.exact(x + e, t) - 2 * c + problem.exact(x - e, t) for e in steps) / h**2
    rate = (problem.exact(x, t + h) - problem.exact(x, t - h)) / (2 * h)
    left = rate + (problem.velocity(x, t, c) * slope).sum(axis=1) - problem.diffusivity * bend
    assert np.abs(left).max() < 1e-3 * np.abs(rate).max()


def test_a_run_moves_its_mesh_and_counts_its_seconds():
    problem = moving_time.PROBLEMS["front .05"]
    still, moving = moving_time.run(problem, 16, 8), moving_time.run(problem, 16, 8, mover=MongeAmpere(), every=2)
    assert moving["moves"] == 4 and still["moves"] == 0 and moving["frames with inverted cells"] == 0
    assert 0 < moving["of these moving"] < moving["cpu seconds"] and moving["error"] < still["error"]
    assert moving_time.factored(moving_time.PROBLEMS["hill .05"], 32, 100)["error"] < 0.03  # no hill at all: 0.087


def test_the_comparison_takes_the_best_of_each_kind_within_the_budget():
    rows = [
        {"key": "a", "mover": "none", "nodes": 10, "cpu seconds": 1.0, "error": 8.0},
        {"key": "b", "mover": "none", "nodes": 10, "cpu seconds": 3.0, "error": 4.0},
        {"key": "c", "mover": "none", "nodes": 40, "cpu seconds": 3.5, "error": 1.0},
        {"key": "time/p/M every 4, x", "mover": "M", "nodes": 10, "cpu seconds": 2.5, "error": 2.0},
        {"key": "time/p/M every 1, x", "mover": "M", "nodes": 10, "cpu seconds": 6.0, "error": 0.5},
        {"key": "time/p/other every 1, x", "mover": "O", "nodes": 10, "cpu seconds": 0.1, "error": 0.1},
    ]
    found = moving_time.compared(rows, "M")
    assert found["at equal nodes"] == 4.0 / 0.5
    assert found["at 4 s"] == 1.0 / 2.0 and found["at 8 s"] == 1.0 / 0.5
    assert "at 2 s" not in found  # the mover has no run as short as that
    rows.append({"key": "d", "mover": "none", "nodes": 90, "cpu seconds": 9.0, "error": 0.002})
    rows.append({"key": "time/p/M every 4, y", "mover": "M", "nodes": 90, "cpu seconds": 3.0, "error": 0.001})
    found = moving_time.compared(rows, "M")
    assert found["seconds to 0.003"] == 9.0 / 3.0 and "seconds to 0.001" not in found  # no mesh that stays comes as far


def test_morisons_coefficients_are_found_again():
    f, count = 0.2, 50
    times = np.arange(1, count + 1) / (f * count)
    velocity, change = -np.cos(2 * np.pi * f * times), 2 * np.pi * f * np.sin(2 * np.pi * f * times)
    force = -0.5 * 2.1 * velocity * np.abs(velocity) - 0.25 * np.pi * 1.4 * change
    drag, inertia, misfit = moving_bodies._morison([(t, SimpleNamespace(x=x)) for t, x in zip(times, force, strict=True)], f)
    assert (drag, inertia) == pytest.approx((2.1, 1.4)) and misfit < 1e-12
