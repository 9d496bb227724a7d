"""Interrupted studies go on, failed cases are listed, other studies are left alone, workers compute the same numbers."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, ConvergenceError, InvalidMeshError, UnwritableFileError
from geoop.interfaces.outcome import Outcome
from geoop.studies.sweep import running
from geoop.studies.sweep.running import recorded
from geoop.truth.panels.predictor import PanelPredictor

SWEEP = {"geometry": ["naca2412", "naca0012"], "alpha": [-4.0, 0.0, 4.0], "velocity": 60.0, "settings": {"report": False, "surface_only": True}}


class Counting:
    """The panel method one case at a time, with a list of what it was asked; cases named in ``wrong`` fail."""

    def __init__(self, wrong=(), interrupt=None):
        self.panels, self.wrong, self.interrupt, self.asked = PanelPredictor(), wrong, interrupt, []

    def predict(self, case):
        key = (case.name, case.operating_point.alpha)
        self.asked.append(key)
        if key == self.interrupt:
            raise KeyboardInterrupt
        if key in self.wrong:
            raise ValueError("the network has a bad day")
        return self.panels.predict(case, surface_only=True)


def test_a_study_that_is_called_again_computes_nothing(tmp_path):
    model = Counting()
    first = geoop.study(model=model, **SWEEP, output=tmp_path / "s")
    again = geoop.study(model=model, **SWEEP, output=tmp_path / "s")
    assert len(model.asked) == 6 and again.rows == first.rows


def test_an_interrupted_study_goes_on_where_it_stopped(tmp_path):
    first = Counting(interrupt=("naca0012", 0.0))
    with pytest.raises(KeyboardInterrupt):
        geoop.study(model=first, **SWEEP, output=tmp_path / "s")
    second = Counting()
    done = geoop.study(model=second, **SWEEP, output=tmp_path / "s")
    assert len(first.asked) == 5 and second.asked == [("naca0012", 0.0), ("naca0012", 4.0)]
    whole = geoop.study(model=Counting(), **SWEEP, output=tmp_path / "whole")
    assert np.array_equal(done.column("CL"), whole.column("CL"))


_SLOW = """
import sys, time
import geoop
from geoop.truth.panels.predictor import PanelPredictor

class Slow:
    panels = PanelPredictor()
    def predict(self, case):
        with open(sys.argv[2], "a") as log:
            log.write(f"{case.operating_point.alpha}\\n")
        time.sleep(float(sys.argv[3]))
        return self.panels.predict(case, surface_only=True)

geoop.study(model=Slow(), geometry="naca2412", alpha="0:9:1", velocity=60, output=sys.argv[1], settings={"report": False, "surface_only": True})
"""


def test_a_killed_study_loses_at_most_the_case_in_flight(tmp_path):
    folder, log = tmp_path / "s", tmp_path / "log"
    run = [sys.executable, "-c", _SLOW, str(folder), str(log)]
    first = subprocess.Popen([*run, "0.3"])
    while len(recorded(folder, "naca2412")) < 3 and first.poll() is None:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = len(log.read_text().splitlines())
    kept = len(recorded(folder, "naca2412"))
    assert 3 <= kept < 10 and before - kept <= 1
    subprocess.run([*run, "0"], check=True, env=os.environ)
    assert len(log.read_text().splitlines()) == before + 10 - kept
    rows = (folder / "table.csv").read_text().splitlines()
    assert len(rows) == 11 and not any(
        path.name.startswith(".") for path in (folder / "cases").iterdir() if path.suffix == ".vtp" and path.stat().st_size == 0
    )


def test_a_record_that_was_cut_off_is_computed_again(tmp_path):
    done = geoop.study(model=Counting(), **SWEEP, output=tmp_path / "s")
    record = done.folder / "rows" / "naca2412.jsonl"
    record.write_text(record.read_text()[:-40])
    model = Counting()
    again = geoop.study(model=model, **SWEEP, output=tmp_path / "s")
    assert np.array_equal(again.column("CL"), done.column("CL"))
    assert model.asked == [("naca2412", 4.0)]


def test_a_record_that_a_crash_left_with_foreign_bytes_is_read_as_far_as_it_goes(tmp_path):
    done = geoop.study(model=Counting(), **SWEEP, output=tmp_path / "s")
    with (done.folder / "rows" / "naca2412.jsonl").open("ab") as record:
        record.write(b"\xff\xfe\x00 of another file")
    model = Counting()
    again = geoop.study(model=model, **SWEEP, output=tmp_path / "s")
    assert again.rows == done.rows and not model.asked


def test_a_case_whose_file_is_gone_is_computed_again(tmp_path):
    done = geoop.study(model=Counting(), **SWEEP, output=tmp_path / "s")
    (done.folder / "cases" / "naca0012_0001.vtp").unlink()
    model = Counting()
    geoop.study(model=model, **SWEEP, output=tmp_path / "s")
    assert model.asked == [("naca0012", 0.0)] and (done.folder / "cases" / "naca0012_0001.vtp").is_file()


def test_one_reason_is_said_once(tmp_path):
    done = geoop.study(model=Counting(wrong={("naca2412", alpha) for alpha in (-4.0, 0.0, 4.0)}), **SWEEP, output=tmp_path / "s")
    assert len(done.failed) == 3 and str(done).count("bad day") == 1 and "failed naca2412_0000 and 2 more" in str(done)


def test_a_failed_case_is_listed_and_the_rest_go_on(tmp_path):
    bad = Counting(wrong={("naca2412", 0.0)})
    done = geoop.study(model=bad, **SWEEP, output=tmp_path / "s")
    assert list(done.failed) == ["naca2412_0001"] and "bad day" in done.failed["naca2412_0001"]
    assert np.isfinite(done.column("CL")).sum() == 5 and "failed naca2412_0001" in str(done)
    assert any("1 of 6 cases failed" in text for text in done.warnings)
    untouched = Counting()
    geoop.study(model=untouched, **SWEEP, output=tmp_path / "s")
    assert untouched.asked == []
    healed = geoop.study(model=Counting(), **SWEEP, output=tmp_path / "s", resume=True)
    assert not healed.failed and np.isfinite(healed.column("CL")).all()


def test_of_cases_predicted_together_only_the_bad_one_fails(tmp_path):
    class Together(PanelPredictor):
        def predict_many(self, mesh, points, *, surface_only=False):
            if any(point.alpha == 4.0 for point in points):
                raise InvalidMeshError("no", where="there", remedy="try")
            return super().predict_many(mesh, points, surface_only=surface_only)

    done = geoop.study(
        model=Together(), geometry="naca0012", alpha="0:9:1", velocity=1, output=tmp_path / "s", settings={"report": False, "files": "none"}
    )
    assert list(done.failed) == ["naca0012_0004"] and np.isfinite(done.column("CL")).sum() == 9


def test_an_outcome_that_did_not_converge_is_said(tmp_path):
    class Tired(PanelPredictor):
        def predict_many(self, mesh, points, *, surface_only=False):
            found = super().predict_many(mesh, points, surface_only=surface_only)
            return [replace(result, outcome=Outcome("stagnated", "residual 1e-3")) for result in found]

    done = geoop.study(model=Tired(), geometry="naca0012", alpha=2, velocity=1, output=tmp_path / "s", settings={"report": False, "files": "none"})
    assert done.rows[0]["outcome"] == "stagnated" and "residual 1e-3" in done.rows[0]["message"]


def test_another_study_is_refused_and_replaced_only_on_demand(tmp_path):
    done = geoop.study(model="panels", **SWEEP, output=tmp_path / "s")
    (done.folder / "my notes.txt").write_text("keep")
    other = {**SWEEP, "alpha": [1.0]}
    with pytest.raises(ConfigurationError, match="another study: conditions differ"):
        geoop.study(model="panels", **other, output=tmp_path / "s")
    replaced = geoop.study(model="panels", **other, output=tmp_path / "s", overwrite=True)
    assert len(replaced.rows) == 2 and len(list((done.folder / "cases").iterdir())) == 2
    assert (done.folder / "my notes.txt").read_text() == "keep"


def test_folders_with_something_else_are_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ConfigurationError, match="not empty"):
        geoop.study(model="panels", **SWEEP, output=tmp_path)
    with pytest.raises(ConfigurationError, match="no study to resume"):
        geoop.study(model="panels", **SWEEP, output=tmp_path / "new", resume=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.tex"]


def test_worker_processes_compute_what_this_one_does(tmp_path, surrogate):
    sweep = {**SWEEP, "model": surrogate, "settings": {"report": False, "surface_only": True, "compare": "panels"}}
    seen = []
    here = geoop.study(**sweep, output=tmp_path / "here")
    there = geoop.study(**sweep, output=tmp_path / "there", workers=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6) and seen[-1] == (6, 6)
    for mine, theirs in zip(here.rows, there.rows, strict=True):
        assert mine["case"] == theirs["case"] and mine["level"] == theirs["level"] and mine["reason"] == theirs["reason"]
        for name in ("CL", "CM", "Cp min", "CL panels", "Cp L2 panels [%]"):
            assert mine[name] == pytest.approx(theirs[name], rel=1e-5, abs=1e-6)
    assert sorted(p.name for p in (here.folder / "cases").iterdir()) == sorted(p.name for p in (there.folder / "cases").iterdir())


def test_a_case_that_ends_its_worker_costs_that_case(tmp_path, monkeypatch):
    """Condition 1 of every geometry kills the process: what is left of its unit is tried case by case."""

    def mortal(job, groups, workers):
        for (unit,) in groups:
            geometry, numbers = running._of_unit(unit)
            before = [number for number in numbers if number < 1] if 1 in numbers else numbers
            found = job(running._unit(geometry, before)) if before else 0
            yield unit, ConvergenceError("the worker died", where=unit, remedy="more memory") if 1 in numbers else found

    monkeypatch.setattr(running, "in_processes", mortal)
    done = geoop.study(model="panels", **SWEEP, output=tmp_path / "s", workers=2)
    assert list(done.failed) == ["naca2412_0001", "naca0012_0001"] and "the worker died" in done.failed["naca0012_0001"]
    assert np.isfinite(done.column("CL")).sum() == 4


def test_one_geometry_is_shared_out_among_workers_and_failed_cases_heal_there(tmp_path, monkeypatch):
    def fake(job, groups, workers):
        units.extend(unit for (unit,) in groups)
        for (unit,) in groups:
            yield unit, job(unit)

    units = []
    monkeypatch.setattr(running, "in_processes", fake)
    sweep = {"geometry": "naca2412", "alpha": "0:9:1", "velocity": 1, "settings": {"report": False, "surface_only": True}, "workers": 4}
    done = geoop.study(model=Counting(wrong={("naca2412", 3.0)}), **sweep, output=tmp_path / "s")
    assert [unit.split("|")[1] for unit in units] == ["0,1,2", "3,4,5", "6,7,8", "9"] and list(done.failed) == ["naca2412_0003"]
    healed = geoop.study(model=Counting(), **sweep, output=tmp_path / "s", resume=True)
    assert not healed.failed and len(healed.rows) == 10 and np.isfinite(healed.column("CL")).all()


def test_a_full_disk_ends_the_study_and_what_is_done_stays(tmp_path, monkeypatch):
    original = running._finished
    left = [3]

    def limited(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device", "table.vtp")
        return original(*arguments)

    monkeypatch.setattr(running, "_finished", limited)
    with pytest.raises(UnwritableFileError, match="No space left"):
        geoop.study(model="panels", **SWEEP, output=tmp_path / "s")
    monkeypatch.undo()
    model = PanelPredictor()
    done = geoop.study(model=model, **SWEEP, output=tmp_path / "s")
    assert len(done.rows) == 6 and not done.failed


def test_many_files_are_not_all_named(tmp_path):
    done = geoop.study(
        model="panels",
        geometry={"naca": {"camber": "0:4", "thickness": "9:15"}, "count": 14},
        velocity=1,
        output=tmp_path / "s",
        settings={"report": False, "surface_only": True},
    )
    tables = len(list(done.folder.glob("table.*")))  # Parquet where pyarrow is installed
    assert len(list(done.folder.glob("*.pvd"))) == 15 and "and 14 .pvd of single geometries" in str(done)
    assert str(done).count("written") == 1 + tables


def test_a_dask_cluster_computes_what_this_process_does(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    here = geoop.study(model="panels", **SWEEP, output=tmp_path / "here")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=False) as cluster:
        there = geoop.study(model="panels", **SWEEP, output=tmp_path / "there", dask=cluster.scheduler_address)
    assert np.allclose(here.column("CL"), there.column("CL"), atol=1e-9)
    assert sorted(p.name for p in (here.folder / "cases").iterdir()) == sorted(p.name for p in (there.folder / "cases").iterdir())
    assert sorted(p.name for p in there.folder.iterdir() if p.suffix == ".zip") == []


def test_workers_must_make_sense(tmp_path):
    with pytest.raises(ConfigurationError, match="workers is 0"):
        geoop.study(model="panels", **SWEEP, output=tmp_path / "s", workers=0)
    with pytest.raises(ConfigurationError, match="exclude each other"):
        geoop.study(model="panels", **SWEEP, output=tmp_path / "s", workers=2, dask="tcp://localhost:1")
    with pytest.raises(ConfigurationError, match="no folder"):
        geoop.study(model="panels", **SWEEP)


def test_the_plan_is_beside_the_rows(tmp_path):
    done = geoop.study(model="panels", **SWEEP, output=tmp_path / "s")
    assert set(json.loads((done.folder / "plan.json").read_text())) == {"model", "geometries", "conditions", "settings", "geoop"}
