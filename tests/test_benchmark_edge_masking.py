"""The study of edge masking: its arithmetic, and what it says of itself."""

import benchmark_edge_masking as study
import pytest

import geoop


def test_help_is_there(capsys):
    with pytest.raises(SystemExit):
        study.main(["-h"])
    assert "edge-masking" in capsys.readouterr().out


@pytest.mark.slow
def test_a_small_study_prints_a_row_per_training(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "dataset", lambda name: geoop.generate(name, tmp_path / name, n=30))
    rows = study.main(["--cases", "8", "--validation", "3", "--cpu-minutes", "0.05", "--points", "128", "--transfer", "64", "--members", "3"])
    assert [row["mask"] for row in rows] == [0.0, 0.5] and all(-1 <= row["rank correlation over cases"] <= 1 for row in rows)
    assert capsys.readouterr().out.count("\n|") == 4
