"""The study of forecasts: its controls, its data, and what it says of itself."""

import benchmark_enf_time as study
import numpy as np
import pytest


def test_help_is_there(capsys):
    with pytest.raises(SystemExit):
        study.main(["-h"])
    assert "enf-time" in capsys.readouterr().out


def test_the_linear_control_finds_a_linear_map():
    rng = np.random.default_rng(0)
    matrix, start = np.linalg.qr(rng.normal(size=(6, 6)))[0], rng.normal(size=(40, 6))
    frames = [start]
    for _ in range(8):
        frames.append(frames[-1] @ matrix.T)
    exact = np.stack(frames, axis=1)
    found = study.linear_map(exact[:30, :4], exact[30:35, :4], 8)(exact[35:, 0])
    assert study.relative(found, exact[35:, 1:]) < 1e-4  # per cent


def test_moved_solutions_are_the_same_ones_elsewhere():
    x = np.random.default_rng(1).uniform(0, 1, (20, 1))
    t = float(study.TIMES_BURGERS[4])
    assert np.abs(study.burgers(3, 0.37)(x + 0.37, t) - study.burgers(3)(x, t)).max() < 1e-6
    here, there = study.gaussians(5), study.gaussians(5, turn=True)
    assert np.abs(np.linalg.norm(here.centres, axis=1) - np.linalg.norm(there.centres, axis=1)).max() < 1e-12
    assert here.centres[:, 0].min() >= 0 and there.centres[:, 0].mean() < 0


@pytest.mark.slow
def test_a_small_study_goes_on_where_it_was(capsys, tmp_path):
    how = ["--tasks", "torus", "--cpu-minutes", "0.05", "--train", "4", "--test", "2", "--only", "0", "--out", str(tmp_path)]
    study.main(how)
    first = capsys.readouterr().out
    study.main(how)  # the training has ended: the same figures, at once
    assert capsys.readouterr().out == first and first.count("\n|") == 5
    assert (tmp_path / "torus.png").exists()
