"""Lists of numbers: what is encoded is decoded, and damaged lists are refused before memory is spent on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoop.errors import UnreadableFileError
from geoop.io.openfoam.lists import COMPONENTS, Layout, decode, encode, skip

LAYOUTS = {
    "text": Layout(),
    "binary": Layout(binary=True),
    "big-endian": Layout(binary=True, order=">"),
    "label64": Layout(binary=True, label=8),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", COMPONENTS)
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_round_trip(layout, kind, count):
    rng = np.random.default_rng(count)
    width = COMPONENTS[kind]
    if kind in ("label", "bool"):
        values = rng.integers(0, 2 if kind == "bool" else 2**31, count)
    else:
        values = rng.normal(size=(count, width) if width > 1 else count) * 10.0 ** rng.integers(-300, 300, (count, width) if width > 1 else count)
    data = b"junk " + encode(values, kind, LAYOUTS[layout]) + b"; more ) ("
    found, stop = decode(data, 5, kind, LAYOUTS[layout], "file", count)
    assert found.shape == values.shape and np.array_equal(found, values) and data[stop:].startswith(b";")
    if count:
        assert skip(data, 5, kind, LAYOUTS[layout], "file") == stop


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(sorted(COMPONENTS)), st.sampled_from(sorted(LAYOUTS)))
def test_any_bytes_are_a_list_or_an_error(data, kind, layout):
    for text in (data, b"3(" + data, b"999999999999(" + data, b"7{" + data + b"}"):
        try:
            values, stop = decode(text, 0, kind, LAYOUTS[layout], "file")
        except UnreadableFileError:
            continue
        assert values.nbytes <= 80 * (len(text) + 1) and stop <= len(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"3(1 2)", "says it has 3 scalars, it holds 2"),
        (b"2(1 2 3)", "says it has 2 scalars, it holds 3"),
        (b"2(1 two)", "'two' is not a number"),
        (b"2(1 2", "closing bracket is missing"),
        (b"(1 2)", "must begin with its length"),
        (b"900000000000{1}", "cut off or too long"),
        (b"0(1)", "says it is empty"),
        (b"4", "has no content"),
    ],
)
def test_damaged_text(text, message):
    with pytest.raises(UnreadableFileError, match=message):
        decode(text, 0, "scalar", Layout(), "file")


def test_what_else_may_stand_in_a_list():
    assert decode(b"4{2.5}", 0, "scalar", Layout(), "f", 4)[0].tolist() == [2.5] * 4
    assert decode(b"2{(1 2 3)}", 0, "vector", Layout(), "f", 2)[0].tolist() == [[1, 2, 3]] * 2
    assert decode(b"2\n(\n1 // one\n/* two */ 2\n)", 0, "label", Layout(), "f")[0].tolist() == [1, 2]
    with pytest.raises(UnreadableFileError, match="3 are expected"):
        decode(b"4{2.5}", 0, "scalar", Layout(), "f", 3)
    with pytest.raises(UnreadableFileError, match="whole number"):
        decode(b"2(1 2.5)", 0, "label", Layout(), "f")


def test_sizes_that_the_header_does_not_say_are_told_by_the_bracket():
    wide = encode(np.array([1, 2, 3]), "label", Layout(binary=True, label=8))
    assert decode(wide, 0, "label", Layout(binary=True), "f")[0].tolist() == [1, 2, 3]
    narrow = encode(np.array([0.5, 0.25]), "scalar", Layout(binary=True, scalar=4))
    assert decode(narrow, 0, "scalar", Layout(binary=True), "f")[0].tolist() == [0.5, 0.25]
    with pytest.raises(UnreadableFileError, match="does not end with its bracket"):
        decode(wide[:-3], 0, "label", Layout(binary=True), "f")


@pytest.mark.parametrize("gap", [b" // two (\n", b"/* { */", b"\n// a\n// b\n\n", b" /* a */ // b\n"])
def test_comments_around_the_count(gap):
    for data, kind in ((b"2%b(1 2)", "label"), (b"%b2%b(\n1\n2)", "scalar"), (b"2%b((1 2 3) (4 5 6))", "vector"), (b"2%b{7}", "scalar")):
        text = data.replace(b"%b", gap)
        values, stop = decode(text, 0, kind, Layout(), "f", 2)
        assert len(values) == 2 and stop == len(text)
        if b"{" not in data:
            assert skip(text, 0, kind, Layout(), "f") == len(text)
    binary = b"2" + gap + b"(" + np.array([5, 6], "<i4").tobytes() + b")"
    assert decode(binary, 0, "label", Layout(binary=True), "f")[0].tolist() == [5, 6]


def test_a_long_gap_behind_a_count_takes_no_long_time():
    assert decode(b"0" + b"\n" * 20000 + b"x", 0, "label", Layout(), "f")[1] == 1
