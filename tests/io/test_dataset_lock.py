"""One writer at a time: a second is refused with the name of the first, a killed one keeps nobody out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import geoop
from geoop.errors import DatasetError
from geoop.io.dataset_lock import sole_writer

HOLDING = """
import sys
from pathlib import Path
from geoop.io.dataset_lock import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def holder(folder):
    root = str(Path(geoop.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root}
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_until_the_first_is_done(tmp_path):
    process = holder(tmp_path / "data")
    with pytest.raises(DatasetError, match=f"being written by process {process.pid}"), sole_writer(tmp_path / "data"):
        pass
    with sole_writer(tmp_path / "other"):  # another folder is nobody's
        pass
    process.communicate("\n")
    with sole_writer(tmp_path / "data"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_killed_holder_keeps_nobody_out(tmp_path):
    process = holder(tmp_path / "data")
    process.kill()
    process.communicate()
    assert [item.name for item in tmp_path.iterdir()] == ["data.lock"]
    with sole_writer(tmp_path / "data"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_second_thread_is_refused(tmp_path):
    folder = tmp_path / "new" / "data"
    with sole_writer(folder), pytest.raises(DatasetError, match=f"process {os.getpid()}"), sole_writer(folder):
        pass


def test_an_error_lets_go(tmp_path):
    def failing():
        with sole_writer(tmp_path / "data"):
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            failing()
