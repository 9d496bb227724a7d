"""Programs are watched, ended in time with their children, and nothing else is."""

from __future__ import annotations

import os
import time

import pytest

from geoop.errors import MissingDependencyError
from geoop.truth.openfoam.installation import environment, program
from geoop.truth.openfoam.processes import run_program
from tests.truth.openfoam.fake_programs import install


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split()[2] != "Z"


def gone(pid: int) -> bool:
    """Within a second or so."""
    return any(not alive(pid) or time.sleep(0.05) for _ in range(40))


def test_lines_arrive_and_are_logged(tmp_path, monkeypatch):
    install(tmp_path / "bin", monkeypatch, talker="echo one; echo two >&2; exit 3")
    lines: list[str] = []
    ended = run_program(["talker"], tmp_path, "log", line=lines.append)
    assert sorted(lines) == ["one\n", "two\n"]
    assert sorted(ended.log.read_text().split()) == ["one", "two"]
    assert (ended.code, ended.timed_out, ended.killed) == (3, False, False)


def test_a_program_out_of_time_is_ended_with_its_children(tmp_path, monkeypatch):
    install(tmp_path / "bin", monkeypatch, slow="sleep 60 & echo $!; echo $$; wait")
    ended = run_program(["slow"], tmp_path, "log", seconds=0.5)
    assert ended.timed_out
    assert not ended.killed
    assert ended.seconds < 20
    assert all(gone(int(pid)) for pid in ended.log.read_text().split())


def test_what_the_caller_raises_ends_the_program(tmp_path, monkeypatch):
    install(tmp_path / "bin", monkeypatch, endless="echo $$; sleep 60")
    pids: list[int] = []

    def stop(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_program(["endless"], tmp_path, "log", line=stop)
    assert gone(pids[0])


def test_a_killed_program_says_its_signal(tmp_path, monkeypatch):
    install(tmp_path / "bin", monkeypatch, victim="kill -9 $$")
    ended = run_program(["victim"], tmp_path, "log")
    assert ended.killed
    assert ended.code == -9


def test_missing_programs_come_with_the_line_that_installs_them(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="apt-get install --no-install-recommends openfoam"):
        program("simpleFoam")
    with pytest.raises(MissingDependencyError, match="openmpi-bin"):
        program("mpirun")


def test_the_project_folder_of_the_user_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("WM_PROJECT_DIR", str(tmp_path))
    found = environment()
    assert found["WM_PROJECT_DIR"] == str(tmp_path)
    assert found["OMP_NUM_THREADS"] == "1"
