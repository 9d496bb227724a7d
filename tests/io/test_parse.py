"""Numbers out of text."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import UnreadableFileError
from geoop.io.parse import floats, integers, lines, token_counts


def test_numbers():
    assert floats(b" 1 2.5\n-3e2\t.5 ", "f", "x").tolist() == [1, 2.5, -300, 0.5]
    assert floats(b"1.0D-3 2d0 np.float64(4.5)", "f", "x").tolist() == [1e-3, 2, 4.5]
    assert floats(b"", "f", "x").size == 0 and np.isnan(floats(b"nan inf", "f", "x")[0])


@pytest.mark.parametrize("text", [b"1 two 3", b"1 2e", b"1,2", b"1_000", b"0x10"])
def test_what_is_no_number_is_shown(text):
    with pytest.raises(UnreadableFileError, match="is not a number") as caught:
        floats(text, "file.obj", "vertices")
    assert "vertices" in str(caught.value) and "file.obj" in str(caught.value)


def test_whole_numbers():
    assert integers(np.array([0.0, -3.0]), "f", "x").tolist() == [0, -3]
    for value in (0.5, np.nan, np.inf, 1e30):
        with pytest.raises(UnreadableFileError, match="not a whole number"):
            integers(np.array([1.0, value]), "f", "x")


def test_lines_and_counts():
    rows = lines(b"a b % c\r\n\n % only a comment\n d\n", b"%")
    assert [row.split() for row in rows] == [[b"a", b"b"], [b"d"]] and token_counts(rows).tolist() == [2, 1]
