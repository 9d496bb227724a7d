"""What every data set of scalar problems keeps: repetition, splits, units, a place outside."""

import importlib

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.io.manifest import split_problems
from geoop.truth.datasets.table import DATASETS, named_dataset

SETS = ("poisson-c-sines", "poisson-gauss", "nonlinear-poisson", "nonlinear-poisson-disk", "polyhedra-laplace")


def forget(name):
    """Drop what the module keeps between cases: meshes and factors."""
    module = importlib.import_module(f"geoop.truth.datasets.{DATASETS[name]}")
    for item in ("_problem", "disk_problem"):
        if hasattr(getattr(module, item, None), "cache_clear"):
            getattr(module, item).cache_clear()


@pytest.mark.parametrize("name", SETS)
def test_plan(name):
    made = named_dataset(name)
    plan, again, other = made.plan(200, 0), made.plan(200, 0), made.plan(200, 1)
    assert plan.fingerprint == again.fingerprint != other.fingerprint
    assert not list(split_problems(plan.splits, plan.geometry))
    assert {"train", "val", "test", "ood"} <= set(plan.splits) and sum(len(plan.splits[k]) for k in ("train", "val", "test")) == 200
    assert plan.parameters.keys() == set(plan.names) and plan.licence == "CC0-1.0" and plan.seed == 0
    larger = made.plan(400, 0)
    assert all(larger.parameters[case] == plan.parameters[case] for case in plan.names if case in larger.parameters)
    for geometry in set(plan.geometry.values()):
        assert len([case for case in plan.names if plan.geometry[case] == geometry]) >= 8
    with pytest.raises(ConfigurationError, match="cannot be split"):
        made.plan(3, 0)


@pytest.mark.parametrize("name", SETS)
def test_cases_are_bit_equal_whatever_came_before(name):
    pytest.importorskip("gmsh") if name == "polyhedra-laplace" else None
    made = named_dataset(name)
    plan = made.plan(40, 3)
    chosen = [plan.splits["train"][0], plan.splits["test"][-1], plan.splits["ood"][0]]
    first = [made.case(3, case) for case in chosen]
    forget(name)
    second = [made.case(3, case) for case in reversed(chosen)][::-1]
    for a, b in zip(first, second, strict=True):
        assert a.mesh.content_hash == b.mesh.content_hash and a.name == b.name
        assert a.fields.keys() == b.fields.keys() >= {"solution"}
        assert all(np.array_equal(a.fields[key].values, b.fields[key].values) for key in a.fields)
        assert np.isfinite(a.fields["solution"].values).all() and a.fields["solution"].quantity.unit == "1"
        assert "solution" in next(iter(a.boundary.values()))
    assert not np.array_equal(first[0].fields["solution"].values, made.case(4, chosen[0]).fields["solution"].values)
