"""Rows of ``tools/moving_updates.py``: what finding a monitor again gains."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
import moving_updates as study


def test_every_row_is_asked_for_once(tmp_path):
    keys = []
    study.measure(tmp_path, lambda key, make: keys.append(key))
    assert len(keys) == len(set(keys)) == 10


def test_without_updates_the_formula_is_not_asked_for_the_monitor():
    row = study.updates_row("ring .02", 25)
    assert row["points"] == 625 and row["updates"] == [0, 1, 3]
    assert row["carried"][0] == pytest.approx(row["formula"][0], rel=1e-12) and row["carried"][0] > 2.0
    assert row["formula"][1] > 1.15 * row["formula"][0] and row["formula"][1] > 1.1 * row["carried"][1]
