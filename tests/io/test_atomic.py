"""Writing beside and renaming."""

from __future__ import annotations

import os

import pytest

from geoop.errors import GeoopError, UnwritableFileError
from geoop.io.atomic import replacing


def test_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with replacing(target) as beside:
        beside.write_text("whole")
        assert beside.parent == target.parent and beside.suffix == ".txt" and not target.exists()
    assert target.read_text() == "whole" and os.listdir(target.parent) == ["a.txt"]
    assert target.stat().st_mode & 0o777 == (0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_interruption_leaves_the_old_file(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o640)

    def interrupted():
        with replacing(target) as beside:
            beside.write_text("half")
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert target.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]
    with replacing(target) as beside:
        beside.write_text("new")
    assert target.read_text() == "new" and target.stat().st_mode & 0o777 == 0o640


def test_impossible_targets(tmp_path):
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file" / "a.txt", tmp_path):
        with pytest.raises(UnwritableFileError) as caught, replacing(target):
            pass
        assert isinstance(caught.value, OSError) and isinstance(caught.value, GeoopError) and str(target) in str(caught.value)


def test_full_disk_inside_the_block(tmp_path):
    with pytest.raises(UnwritableFileError, match="No space left on device"), replacing(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert not os.listdir(tmp_path)
