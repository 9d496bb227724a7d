"""Families are held out whole, whatever the number of cases is."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.truth.datasets.families import HELD_OUT, cases_per_geometry, census_of_table, held_out_families, pools, seven_one_two
from geoop.truth.datasets.uiuc import family

NAMES = sorted(
    f"{word}{k}" for word, count in (("e", 60), ("goe", 90), ("fx", 30), ("s", 25), ("mh", 20), ("ag", 15), ("sd", 10)) for k in range(count)
)


@pytest.mark.parametrize("seed", range(6))
def test_held_out_share(seed):
    out = held_out_families(NAMES, seed)
    share = np.mean([family(name) in out for name in NAMES])
    assert HELD_OUT[0] <= share <= HELD_OUT[1]
    assert held_out_families(NAMES[::-1], seed) == out
    inside, outside = pools(NAMES, seed)
    assert sorted(inside + outside) == NAMES and {family(name) for name in outside} == set(out)
    assert not {family(name) for name in inside} & set(out)


def test_seeds_hold_out_different_families():
    assert len({tuple(held_out_families(NAMES, seed)) for seed in range(6)}) > 1


def test_parts():
    splits = seven_one_two(NAMES[:50], NAMES[50:60], "here")
    assert {key: len(names) for key, names in splits.items()} == {"train": 35, "val": 5, "test": 10, "ood": 10}
    assert [name for key in ("train", "val", "test") for name in splits[key]] == NAMES[:50]
    with pytest.raises(ConfigurationError, match="3 geometries"):
        seven_one_two(NAMES[:3], [], "here")


def test_cases_per_geometry():
    assert [cases_per_geometry(100, 2, n, "here") for n in (10, 200, 201, 1000)] == [2, 2, 3, 10]
    with pytest.raises(ConfigurationError, match="at most 5000"):
        cases_per_geometry(100, 2, 6000, "here")


def test_counts_of_what_is_left_out():
    assert census_of_table({"a": "thin", "b": "thin", "c": "open"}, ["a", "c", "d"]) == {"open": 1, "thin": 1}
