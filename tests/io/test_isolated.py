"""A reader in a child process: contents come back whole, and whatever ends the child is an error of the file."""

from __future__ import annotations

import json
import signal
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConfigurationError, UnreadableFileError
from geoop.io import isolated
from geoop.io.contents import Array, Contents
from geoop.mesh.cells import Cells

WHOLE = Contents(
    np.arange(12.0).reshape(4, 3),
    Cells.concatenate([Cells.of(tetra=np.array([[0, 1, 2, 3]])), Cells.polyhedra([0, 4], [0, 3, 6, 9, 12], [0, 2, 1, 0, 1, 3, 1, 2, 3, 2, 0, 3])]),
    {"wall": Cells.of(triangle=np.array([[0, 1, 2]]))},
    {"all": np.array([0, 1])},
    (Array("p", np.arange(4.0)), Array("n", np.array([3, 4]), "cell")),
    ("a note",),
    boundary={"wall": (Array("q", np.array([1.5]), "facet"),)},
    time=0.5,
    times=(0.0, 0.5),
)


def test_contents_survive_the_way_through_files(tmp_path):
    said, arrays = isolated._encoded(WHOLE)
    np.savez(tmp_path / "arrays.npz", **arrays)
    with np.load(tmp_path / "arrays.npz") as stored:
        back = isolated._decoded(json.loads(json.dumps(said)), stored)
    assert np.array_equal(back.points, WHOLE.points) and back.cells.names == ["tetra", "polyhedron"]
    assert np.array_equal(back.cells.faces.connectivity, WHOLE.cells.faces.connectivity)
    assert back.patches["wall"].connectivity.tolist() == [0, 1, 2] and back.zones["all"].tolist() == [0, 1]
    assert [(a.label, a.values.tolist(), a.values.dtype.kind, a.location) for a in back.arrays] == [
        ("p", [0, 1, 2, 3], "f", "point"),
        ("n", [3, 4], "i", "cell"),
    ]
    assert (back.notes, back.time, back.times) == (WHOLE.notes, 0.5, (0.0, 0.5)) and back.boundary["wall"][0].location == "facet"


def _child(monkeypatch, code):
    """Let the child run other code in place of the reader."""
    monkeypatch.setattr(isolated, "_CHILD", code)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed \\(SIGSEGV\\)"),
        ("raise SystemExit(3)", "exit status 3"),
        ("import sys; open(sys.argv[1] + '/answer.json', 'w').write('{}')", "torn"),
    ],
    ids=["crash", "exit", "torn"],
)
def test_a_child_that_dies_is_an_error_of_the_file(tmp_path, monkeypatch, code, message):
    (tmp_path / "a.exo").write_bytes(b"x")
    _child(monkeypatch, code)
    with pytest.raises(UnreadableFileError, match=message):
        isolated.read_isolated("exodus:file_contents", tmp_path / "a.exo", None, "a.exo")


def test_a_child_that_hangs_is_stopped(tmp_path, monkeypatch):
    _child(monkeypatch, "import time; time.sleep(60)")
    assert isolated._run(str(tmp_path), 0.3) is None


def test_errors_of_the_reader_keep_their_type(tmp_path, monkeypatch):
    module = types.ModuleType("geoop.io.formats.made_up")

    def reader(path, time, where):
        raise ConfigurationError(f"no step at {time}", where=where, remedy="another one")

    module.reader = reader
    monkeypatch.setitem(sys.modules, "geoop.io.formats.made_up", module)
    monkeypatch.setattr(isolated, "_limit_memory", lambda count: None)

    def here(folder, seconds):
        isolated.serve(folder)
        return 0

    monkeypatch.setattr(isolated, "_run", here)
    (tmp_path / "a.exo").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match="no step at 0.25") as caught:
        isolated.read_isolated("made_up:reader", tmp_path / "a.exo", 0.25, "the file")
    assert caught.value.where == "the file" and caught.value.remedy == "another one"


def test_the_memory_of_a_child_is_bounded(tmp_path, monkeypatch):
    pytest.importorskip("resource")
    _child(monkeypatch, "import sys; from geoop.io import isolated; isolated._limit_memory(1 << 30); bytearray(4 << 30)")
    assert isolated._run(str(tmp_path), 60.0) not in (0, None, -signal.SIGKILL)
    assert Path(isolated.__file__).exists()
