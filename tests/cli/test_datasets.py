"""`geoop generate` and `geoop describe`: what they print, and what they say about failed cases."""

import json

import pytest

from geoop.cli.app import main
from geoop.cli.datasets import TimeLeft
from geoop.errors import ConvergenceError
from geoop.truth.datasets import kt_airfoils
from geoop.truth.datasets.named import NamedDataset
from geoop.truth.datasets.table import DATASETS


def test_list_names_every_data_set(capsys):
    assert main(["generate", "--list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == list(DATASETS)
    assert all(item["summary"] and item["cases"] >= 4 for item in found.values())


def test_generate_then_describe(tmp_path, capsys):
    folder = tmp_path / "kt"
    assert main(["generate", "kt-airfoils", "-n", "4", "-o", str(folder), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["splits"] == {"train": 2, "val": 1, "test": 1, "ood": 1} and made["failed"] == {}
    assert main(["describe", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# kt-airfoils") and made["hash"] in shown
    assert (folder / "README.md").is_file() and (folder / "cases.png").is_file()


def _case(seed, name):
    if name == "kt_0002":
        raise ConvergenceError("no steady solution", remedy="a lower Reynolds number")
    return kt_airfoils.case(seed, name)


def test_failed_cases_are_listed_with_their_reason(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("geoop.truth.generate.named_dataset", lambda name: NamedDataset("", kt_airfoils.plan, _case, 4))
    assert main(["generate", "kt-airfoils", "-n", "4", "-o", str(tmp_path / "x"), "--workers", "1"]) == 0
    shown = capsys.readouterr().out
    assert "1 cases failed" in shown and "kt_0002: no steady solution" in shown
    assert main(["describe", str(tmp_path / "x")]) == 0
    assert "kt_0002: no steady solution" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "text"), [([], "no data set is named"), (["kt-airfoil"], "did you mean 'kt-airfoils'")])
def test_bad_input(arguments, text, capsys):
    assert main(["generate", *arguments]) == 2
    assert text in capsys.readouterr().err.replace("\n", " ").replace("│", "").replace("  ", " ")


def test_time_left_is_that_of_the_mean_speed():
    """Ten frames of a series come at once after 40 s: three more series take 120 s, not the moment that the last frames took."""
    now = [0.0]
    left = TimeLeft(lambda: now[0])
    assert str(left) == "-:--:--"
    now[0] = 40.0
    for done in range(1, 11):
        left.update(done, 40)
    assert str(left) == "0:02:00"
    now[0] = 70.0  # nothing came since: it counts down, and stops at zero
    assert str(left) == "0:01:30"
    now[0] = 1e3
    assert str(left) == "0:00:00"


def test_time_left_does_not_count_what_an_earlier_attempt_has_done():
    now = [0.0]
    left = TimeLeft(lambda: now[0])
    left.update(300, 500)
    assert str(left) == "-:--:--"
    now[0] = 10.0
    left.update(310, 500)
    assert str(left) == "0:03:10"
