"""Dictionaries from Python, read back by geoop's own reader."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.io.openfoam.dictionary import Dictionary, load
from geoop.io.openfoam.dictionary_writing import uniform, value_text, write_dictionary


def test_entries_come_back_with_all_their_digits(tmp_path):
    path = tmp_path / "system" / "fvSolution"
    entries = {
        "a": 0.1 + 0.2,
        "switch": True,
        "count": 3,
        "word": "Gauss linear",
        "solvers": {"(U|k)": {"tolerance": 1e-300}, "p": {"list": [1, 2.5, "x"]}},
    }
    write_dictionary(path, entries)
    file = load(path)
    found = Dictionary.of(file)
    assert file.kind == "dictionary"
    assert float(found.word("a")) == 0.1 + 0.2
    assert (found.word("switch"), found.word("count"), found.word("word")) == ("yes", "3", "Gauss linear")
    solvers = found.sub("solvers")
    assert float(solvers.matching("k").word("tolerance")) == 1e-300  # a keyword with brackets and bars is a pattern
    assert solvers.sub("p").word("list") == "(1 2.5 x)"


def test_values_of_faces_are_lists_and_the_rest_uniform():
    assert uniform(np.array([1.0, 0.0, -2.5])) == "uniform (1.0 0.0 -2.5)"
    assert value_text(np.array([0.1, 0.2])).split() == ["nonuniform", "List<scalar>", "2", "(", "0.1", "0.2", ")"]
    assert "List<vector>" in value_text(np.zeros((4, 3)))


@pytest.mark.parametrize("value", [np.nan, float("inf"), None, np.zeros((2, 2)), np.array([1.0, np.nan])], ids=str)
def test_what_has_no_text_is_refused(value):
    with pytest.raises(ConfigurationError, match="'x'"):
        value_text(value, "x")
