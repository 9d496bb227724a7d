"""What is written is what tomllib reads."""

import tomllib

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.io.toml_text import toml_text

DATA = {
    "name": 'quotes " and \\ back',
    "text": "two\nlines\ttab \x00\x1f \x7f é 翼 \U0001f680 \u2028",
    "number": 3,
    "small": 1e-300,
    "third": 1 / 3,
    "whole float": 2.0,
    "infinite": float("inf"),
    "yes": True,
    "empty": [],
    "list": [1, 2, 3],
    "long": [f"case_{k:04d}" for k in range(60)],
    "table": {"a": 1, "b c": [0.1, -2.5e-7], "nested": {"x": {"y": "z"}}, "none": {}},
    "other": {"key with = and ]": "v"},
}


def test_round_trip():
    text = toml_text(DATA, comment="first line\n\nthird line")
    assert tomllib.loads(text) == DATA
    assert text.startswith("# first line\n#\n# third line\n")
    assert max(len(line) for line in text.splitlines()) < 140


def test_numpy_values_and_none():
    text = toml_text({"a": np.float64(0.1), "b": np.int64(4), "c": np.array([1.0, 2.0]), "d": None, "e": np.bool_(False), "t": {"n": None, "m": 1}})
    assert tomllib.loads(text) == {"a": 0.1, "b": 4, "c": [1.0, 2.0], "e": False, "t": {"m": 1}}


def test_scalars_never_land_in_a_section():
    assert tomllib.loads(toml_text({"t": {"x": 1}, "after": 2})) == {"t": {"x": 1}, "after": 2}


def test_what_toml_cannot_say_is_refused():
    with pytest.raises(ConfigurationError, match="'bad' is a object"):
        toml_text({"bad": object()})
