"""The benchmark of the operator family: rates are chosen by trials, rows are not measured twice, tables show what was chosen."""

from types import SimpleNamespace

import benchmark_operators as operators
import pytest
from benchmark_operators_tables import chosen, report, summary


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """Trainings that take no time: their validation loss is the distance of the rate from 2."""
    measured = []

    def apart(function, run, *_):
        measured.append(run)
        row = {"key": run.key, "task": run.task, "name": run.model, "kind": "trial" if run.trial else "model", "rate": run.rate, "seed": run.seed}
        row |= {"cpu_minutes": run.cpu_minutes, "preset": run.preset, "validation": abs(run.rate - 2.0), "data_hash": "0" * 12}
        operators.keep(row if run.trial else row | {"errors": {"test": {"primary": run.rate, "u mean": run.rate}}})

    monkeypatch.setattr(operators, "OUTPUT", tmp_path)
    monkeypatch.setattr(operators, "MEASURED", tmp_path / "none.json")
    monkeypatch.setattr(operators, "apart", apart)
    monkeypatch.setattr(operators, "dataset", lambda name: SimpleNamespace(hash="0"))
    monkeypatch.setattr(operators, "_prepared", lambda data, run: data)
    return measured


def runs(seeds=(0, 1), minutes=20.0):
    return [operators.Run("kt-airfoils", "GINO", minutes, seed, rate) for seed in seeds for rate in (0.5, 1.0, 2.0, 4.0)]


def test_rates_are_tried_once_and_the_best_is_trained_with_every_seed(kept):
    operators.measure("kt-airfoils", runs(), False, 1.5)
    assert [(run.rate, run.seed, run.cpu_minutes) for run in kept] == [(r, 0, 1.5) for r in (0.5, 1.0, 2.0, 4.0)] + [(2.0, 0, 20.0), (2.0, 1, 20.0)]
    operators.measure("kt-airfoils", runs(), False, 1.5)
    assert len(kept) == 6, "what was measured is not measured again"


def test_without_trials_every_rate_is_trained(kept):
    operators.measure("kt-airfoils", runs(seeds=(0,)), False)
    assert [run.rate for run in kept] == [0.5, 1.0, 2.0, 4.0] and not any(run.trial for run in kept)


def test_tables_show_what_validation_chose_and_how_many_rates_were_tried(kept, capsys):
    operators.measure("kt-airfoils", runs(), False, 1.5)
    rows = list(operators.rows().values())
    assert [(row["rate"], row["rates"]) for row in chosen(rows)] == [(2.0, 4), (2.0, 4)]
    lonely = next(row for row in rows if row["kind"] != "trial") | {
        "seed": 2,
        "rate": 1.0,
        "validation": 0.0,
    }  # of one seed: no part of a deviation over seeds
    assert [(row["rate"], row["seed"]) for row in chosen([*rows, lonely])] == [(2.0, 0), (2.0, 1)]
    report("kt-airfoils", ("test",), rows)
    summary({"kt-airfoils": ("test",)}, 20.0, rows)
    printed = capsys.readouterr().out
    assert printed.count("| GINO |") == 3 and "| GINO | - | 2 ± 0 (2) |" in printed  # both seeds took the rate 2
