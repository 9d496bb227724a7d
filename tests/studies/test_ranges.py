"""How many values, which ones, and that a Latin hypercube is one."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.studies.sweep.conditions import conditions_of
from geoop.studies.sweep.ranges import Interval, grid, latin_hypercube, side_by_side, varied


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        (3, (3.0,)),
        ([1, 2.5], (1.0, 2.5)),
        ("-4:12:8", (-4.0, 4.0, 12.0)),
        ("4:-4:-4", (4.0, 0.0, -4.0)),
        ("0:1:0.4", (0.0, 0.4, 0.8)),
        ("7", (7.0,)),
        ({"from": 0, "to": 1, "count": 3}, (0.0, 0.5, 1.0)),
        ({"from": 1, "to": 100, "count": 3, "log": True}, (1.0, 10.0, 100.0)),
        ("2:3", Interval(2.0, 3.0)),
        ({"from": 2, "to": 3}, Interval(2.0, 3.0)),
    ],
)
def test_entries(entry, values):
    found = varied(entry, "x")
    assert found == values if isinstance(values, Interval) else found == pytest.approx(values)


def test_both_ends_of_a_range_are_taken_in_spite_of_rounding():
    assert len(varied("0:0.3:0.1", "x")) == 4 and len(varied("-10:20:0.1", "x")) == 301


@pytest.mark.parametrize(
    "entry",
    ["a:b", "1:2:3:4", "0:1:-1", "0:1:0", "5:2", [], ["x"], True, [1, float("nan")], {"from": 0, "til": 1}, {"from": 0, "to": 1, "count": 1.5}, None],
)
def test_what_is_no_range_is_refused(entry):
    with pytest.raises(ConfigurationError):
        varied(entry, "x")


def test_a_grid_has_every_combination_and_the_last_name_runs_fastest():
    rows = grid({"a": (1.0, 2.0), "b": (5.0, 6.0, 7.0)})
    assert (
        len(rows) == 6
        and [row["b"] for row in rows[:3]] == [5.0, 6.0, 7.0]
        and {tuple(row.values()) for row in rows} == {(a, b) for a in (1.0, 2.0) for b in (5.0, 6.0, 7.0)}
    )
    with pytest.raises(ConfigurationError, match="interval"):
        grid({"a": Interval(0.0, 1.0)})


def test_a_latin_hypercube_has_one_draw_in_every_share_of_every_range():
    count = 37
    rows = latin_hypercube({"a": Interval(-4.0, 12.0), "b": Interval(1e5, 1e7, True), "c": (3.0,), "d": (1.0, 2.0, 3.0)}, count, seed=5)
    a, b, d = (np.array([row[key] for row in rows]) for key in "abd")
    assert sorted(np.floor((a + 4) / 16 * count).astype(int)) == list(range(count))
    assert sorted(np.floor(np.log(b / 1e5) / np.log(100) * count).astype(int)) == list(range(count))
    assert {row["c"] for row in rows} == {3.0}
    assert np.ptp([np.sum(d == value) for value in (1.0, 2.0, 3.0)]) <= 1
    assert rows == latin_hypercube({"a": Interval(-4.0, 12.0), "b": Interval(1e5, 1e7, True), "c": (3.0,), "d": (1.0, 2.0, 3.0)}, count, seed=5)
    assert rows != latin_hypercube({"a": Interval(-4.0, 12.0), "b": Interval(1e5, 1e7, True), "c": (3.0,), "d": (1.0, 2.0, 3.0)}, count, seed=6)


def test_a_list_takes_values_side_by_side():
    assert side_by_side({"a": (1.0, 2.0), "b": (5.0,)}) == [{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 5.0}]
    with pytest.raises(ConfigurationError, match="one length"):
        side_by_side({"a": (1.0, 2.0), "b": (5.0, 6.0, 7.0)})


def test_reynolds_number_gives_what_is_not_stated():
    (with_speed,) = conditions_of({"velocity": 60, "reynolds": 3e6}, 0, "c")
    point = with_speed.operating_point(0.5)
    assert point.reynolds == pytest.approx(3e6) and point.velocity == 60.0 and point.viscosity == pytest.approx(1.225 * 60 * 0.5 / 3e6)
    (with_viscosity,) = conditions_of({"viscosity": 1.8e-5, "reynolds": 3e6}, 0, "c")
    point = with_viscosity.operating_point(0.5)
    assert point.reynolds == pytest.approx(3e6) and point.viscosity == 1.8e-5


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"alpha": 1}, "no speed"),
        ({"velocity": 1, "reynolds": 1e6, "viscosity": 1e-5}, "any two"),
        ({"velocity": 1, "alfa": 1}, "did you mean 'alpha'"),
        ({"velocity": 1, "sampling": "random"}, "none of"),
        ({"velocity": 1, "sampling": "latin hypercube"}, "number of draws"),
        ({"velocity": 1, "count": 3}, "number of draws"),
        ({"velocity": 1, "alpha": "0:4"}, "interval"),
    ],
)
def test_bad_conditions(table, said):
    with pytest.raises(ConfigurationError, match=said):
        conditions_of(table, 0, "conditions")


def test_all_that_is_wrong_with_the_conditions_is_one_error():
    with pytest.raises(ConfigurationError) as caught:
        conditions_of({"alpha": "x", "beta": [], "sampling": "random"}, 0, "conditions")
    assert all(word in caught.value.message for word in ("alpha", "beta", "sampling", "no speed"))
