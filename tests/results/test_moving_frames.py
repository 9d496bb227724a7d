"""What an interrupted series leaves behind: damaged parts are made anew, nobody else's files are touched, a full disk costs nothing."""

import numpy as np
import pytest

import geoop
from geoop.errors import UnwritableFileError
from geoop.mesh.case import Case
from geoop.mesh.generate.grid import grid
from geoop.results.moving_frames import write_frames
from geoop.solve.deformers.motions import Oscillating
from geoop.solve.deformers.radial_basis import RadialBasis

TIMES = np.linspace(0.0, 1.0, 5)


def made(path, progress=None):
    mesh = grid((4, 4))
    case, motion = Case(mesh, None, {}, name="box"), {"x_max": Oscillating((0.2, 0.0), 1.0)}
    return write_frames(case, motion, TIMES, RadialBasis(slide=("y_min", "y_max")), path, progress=progress)


def interrupted(path):
    def progress(step, _):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(path, progress)
    return sorted(path.with_suffix(".frames").iterdir())


def test_a_damaged_part_is_made_anew(tmp_path):
    made(tmp_path / "whole.pvd")
    out = tmp_path / "box.pvd"
    parts = interrupted(out)
    zeros, flipped, cut = (bytearray(part.read_bytes()) for part in parts)
    zeros[32:] = bytes(len(zeros) - 32)  # what a file system leaves of a file whose data were lost: of the right size
    flipped[-1] ^= 1
    for part, content in zip(parts, (zeros, flipped, cut[:-8]), strict=True):
        part.write_bytes(content)
    assert made(out).kept == 0
    for one, two in zip(geoop.read_series(out).cases, geoop.read_series(tmp_path / "whole.pvd").cases, strict=True):
        np.testing.assert_array_equal(one.mesh.points, two.mesh.points)


def test_files_of_others_in_the_folder_stay(tmp_path):
    (tmp_path / "box.frames").mkdir()
    (tmp_path / "box.frames" / "notes.txt").write_text("mine")
    interrupted(tmp_path / "box.pvd")
    assert made(tmp_path / "box.pvd").kept == 3
    assert [item.name for item in (tmp_path / "box.frames").iterdir()] == ["notes.txt"]


def test_parts_are_kept_where_only_the_writing_failed(tmp_path):
    out = tmp_path / "box.pvd"
    out.mkdir()
    with pytest.raises(UnwritableFileError):
        made(out)
    out.rmdir()
    assert made(out).kept == 5 and not out.with_suffix(".frames").exists()
