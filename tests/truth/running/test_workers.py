"""Jobs in worker processes: all answers, errors that cost one case, workers that die."""

import os
from functools import partial
from pathlib import Path

import pytest

from geoop.errors import ConvergenceError
from geoop.truth.running import workers
from geoop.truth.running.workers import in_processes

SOURCE = """
import os, pathlib, resource, sys, time
from geoop.errors import InvalidMeshError

def job(folder, name):
    print("noise on standard output")
    marker = pathlib.Path(folder, name)
    if name == "refused":
        raise InvalidMeshError("a bad shape", remedy="another one")
    if name == "broken":
        return 1 / 0
    if name == "hanging":
        time.sleep(1000)
    if name == "greedy":
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, resource.RLIM_INFINITY))
        return len(bytearray(8 << 30))
    if name == "killed":
        os.kill(os.getpid(), 9)
    if name == "killed once" and not marker.exists():
        marker.touch()
        os._exit(3)
    return name.upper(), os.getpid(), os.environ["OMP_NUM_THREADS"]
"""


@pytest.fixture
def job(tmp_path, monkeypatch):
    (tmp_path / "job_of_a_test.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    import job_of_a_test

    yield partial(job_of_a_test.job, tmp_path)
    import sys

    del sys.modules["job_of_a_test"]


def test_every_case_has_one_answer(job):
    names = [f"case {k}" for k in range(7)] + ["refused", "broken", "killed", "killed once"]
    found = list(in_processes(job, [names[:3], *([name] for name in names[3:])], workers=2))
    assert sorted(name for name, _ in found) == sorted(names)
    answers = dict(found)
    assert answers["case 3"][0] == "CASE 3" and answers["case 3"][2] == "1"
    assert answers["killed once"][0] == "KILLED ONCE"
    assert answers["refused"].message == "a bad shape" and answers["refused"].remedy == "another one"
    assert "ZeroDivisionError" in answers["broken"].message
    assert isinstance(answers["killed"], ConvergenceError) and "signal 9" in answers["killed"].message
    assert os.getpid() not in {answer[1] for answer in answers.values() if isinstance(answer, tuple)}


def test_giving_up_early_ends_the_workers(job, monkeypatch):
    started = []
    original = workers._started
    monkeypatch.setattr(workers, "_started", lambda payload: started.append(original(payload)) or started[-1])
    answers = in_processes(job, [[f"case {k}"] for k in range(50)], workers=2)
    next(answers)
    answers.close()
    assert started and all(worker.poll() is not None for worker in started)


def test_names_of_a_group_stay_in_one_process(job):
    groups = [[f"{letter}{k}" for k in range(6)] for letter in "abcd"]
    answers = dict(in_processes(job, groups, workers=3))
    assert set(answers) == {name for group in groups for name in group}
    for group in groups:
        assert len({answers[name][1] for name in group}) == 1


def test_nothing_to_do(job):
    assert list(in_processes(job, [], workers=2)) == []


def test_a_script_needs_no_main_guard(tmp_path):
    """A worker imports geoop, never the user's script."""
    import subprocess
    import sys

    script = tmp_path / "script.py"
    script.write_text("import geoop.truth.generate as g\nprint(g.generate('kt-airfoils', 'data', 4, workers=2).hash)\n")
    root = str(Path(workers.__file__).parents[3])
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 1


def test_a_case_that_takes_too_long_is_given_up_and_the_others_go_on(job):
    answers = dict(in_processes(job, [["a", "hanging", "b"]], workers=1, time_limit=1.0))
    assert answers["hanging"].message == "not done after 1 s" and "--time-limit" in answers["hanging"].remedy
    assert answers["a"][0] == "A" and answers["b"][0] == "B" and answers["a"][1] != answers["b"][1]


def test_too_much_memory_costs_one_case(job):
    answers = dict(in_processes(job, [["greedy", "b"]], workers=1))
    assert answers["greedy"].message == "out of memory" and answers["b"][0] == "B"


def test_workers_that_cannot_start_are_no_case_s_fault(job, monkeypatch):
    """One error at once, not two attempts at every case."""
    monkeypatch.setattr(workers, "_START", "raise SystemExit(7)")
    with pytest.raises(ConvergenceError, match=r"no worker process can be started \(exit code 7\)"):
        list(in_processes(job, [[f"case {k}"] for k in range(1000)], workers=2))
