"""What a case ends with: its result, an error that costs it alone, or a full disk, which ends the run."""

import errno

import pytest

from geoop.errors import ConvergenceError, InvalidMeshError, UnwritableFileError
from geoop.truth.running.answers import answer


def raising(error):
    def job(name):
        raise error

    return answer(job, "a")


def test_results_and_own_errors_come_back_as_they_are():
    assert answer(str.upper, "a") == "A"
    own = InvalidMeshError("bad", remedy="good")
    assert raising(own) is own


@pytest.mark.parametrize("error", [ZeroDivisionError("division"), FileNotFoundError(errno.ENOENT, "gone", "x"), PermissionError(errno.EACCES, "no")])
def test_foreign_errors_cost_their_case(error):
    found = raising(error)
    assert type(found) is ConvergenceError and type(error).__name__ in found.message and found.where == "a"


def test_memory():
    assert raising(MemoryError()).message == "out of memory"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EFBIG])
def test_a_full_disk_is_one_whatever_wrote(code):
    found = raising(OSError(code, "No space left on device", "scratch/mesh.msh"))
    assert type(found) is UnwritableFileError and "No space left" in found.message and found.where == "scratch/mesh.msh"
