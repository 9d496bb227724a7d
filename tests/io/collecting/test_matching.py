"""Rows and runs: matched whatever their order is called, never silently by order."""

from pathlib import Path

import pytest

from geoop.errors import ConfigurationError
from geoop.io.collecting.choices import Choices
from geoop.io.collecting.columns import guess_columns
from geoop.io.collecting.folder import Run
from geoop.io.collecting.matching import match_rows
from geoop.io.collecting.table import Table


def matched(keys, names, header="case", match="names"):
    table = Table(
        Path("runs.csv"), (header, "U [m/s]"), tuple((name, str(k)) for k, name in enumerate(names)), tuple(range(2, 2 + len(names))), ("", "")
    )
    columns, _ = guess_columns(table, Choices())
    return match_rows(table, columns, tuple(Run(key, Path(key)) for key in keys), Choices(match=match))


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["a.vtu", "b.vtu"], ["b", "a"]),
        (["a.vtu", "b.vtu"], ["b.vtu", "a.vtu"]),
        (["a.vtu", "b.vtu"], ["B", "A"]),
        (["x/a.vtu", "x/b.vtu"], ["./x/b.vtu", "x\\a.vtu"]),
        (["a.vtu", "b.vtu"], ["/archive/runs/b.vtu", "/archive/runs/a.vtu"][::1]),
        (["a/result.vtu", "b/result.vtu"], ["b", "a"]),
        (["wing-a v2.vtu", "wing-b v2.vtu"], ["wing b", "Wing_A"]),
        (["case_001.vtu", "case_002.vtu"], ["2", "1"]),
        (["run10/out.cgns", "run9/out.cgns"], ["9", "10"]),
        (["run_alpha2.5.vtu", "run_alpha5.vtu"], ["run_alpha5", "run_alpha2.5"]),
    ],
    ids=["stem", "file", "capitals", "path", "other-path", "folder", "words", "number", "folder-number", "dots"],
)
def test_rows_find_their_runs_whatever_the_order(keys, names):
    found = matched(keys, names)
    assert found.problems == {} and found.question is None
    assert [found.rows[key] for key in keys] == [1, 0]


def test_a_column_that_is_not_called_case_is_found():
    assert matched(["a.vtu", "b.vtu"], ["b", "a"], header="Versuch").rows == {"a.vtu": 1, "b.vtu": 0}


def test_order_is_asked_for_and_taken_when_said():
    found = matched(["a.vtu", "b.vtu"], ["x", "y"])
    assert found.question is not None and found.question.option == "--match "
    assert "'a.vtu' would be line 2" in found.question.text
    assert matched(["a.vtu", "b.vtu"], ["x", "y"], match="order").rows == {"a.vtu": 0, "b.vtu": 1}


def test_nothing_fits():
    with pytest.raises(ConfigurationError, match="no row names a run: the runs are 'a.vtu', 'b.vtu'") as caught:
        matched(["a.vtu", "b.vtu"], ["x", "y", "z"])
    assert "column 'case'" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="3 rows cannot belong to 2 runs"):
        matched(["a.vtu", "b.vtu"], ["x", "y", "z"], match="order")


def test_one_row_holds_for_all():
    assert matched(["a.vtu", "b.vtu"], ["whatever"]).rows == {"a.vtu": 0, "b.vtu": 0}
