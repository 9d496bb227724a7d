"""Failed cases once more, labels that are not finite, and replacements that were interrupted."""

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConvergenceError, DatasetError
from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.primitives import circle
from geoop.mesh.quantity import QUANTITIES, Field

PLAN = DatasetPlan("rings", "circles", {"train": ("a", "b", "c"), "test": ("d",)}, seed=3)


def make(name):
    mesh = circle(5 + "abcd".index(name))
    fields = (Field(QUANTITIES["pressure_coefficient"], mesh.points[:, 0]), Field(QUANTITIES["drag_coefficient"], np.array(0.5), "global"))
    return Case(mesh, fields={item.name: item for item in fields}, wall=("wall",), name=name)


def failing(name):
    if name in "bd":
        raise ConvergenceError("the worker process ended", remedy="again")
    return make(name)


def test_failed_cases_are_tried_again_on_request_and_only_they(tmp_path):
    first = write_dataset(tmp_path / "data", PLAN, failing)
    assert set(first.manifest.failed) == {"b", "d"}
    calls, seen = [], []
    assert write_dataset(tmp_path / "data", PLAN, calls.append).hash == first.hash and not calls  # not without being asked
    again = write_dataset(
        tmp_path / "data", PLAN, lambda name: calls.append(name) or make(name), overwrite=True, progress=lambda *at: seen.append(at)
    )
    assert calls == ["b", "d"] and seen == [(2, 4), (3, 4), (4, 4)] and not again.manifest.failed
    again.verify()
    assert again.hash == write_dataset(tmp_path / "straight", PLAN, make).hash
    assert (tmp_path / "data" / "dataset.toml").read_bytes() == (tmp_path / "straight" / "dataset.toml").read_bytes()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["data", "straight"]


def test_changed_files_are_not_taken_over_by_a_second_try(tmp_path):
    write_dataset(tmp_path / "data", PLAN, failing)
    (tmp_path / "data" / "cases" / "a.vtu").write_bytes(b"changed")
    calls = []
    write_dataset(tmp_path / "data", PLAN, lambda name: calls.append(name) or make(name), overwrite=True).verify()
    assert calls == ["a", "b", "c", "d"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["point", "global", "time"])
def test_a_label_that_is_not_finite_is_never_written(tmp_path, value, where):
    def broken(name):
        case = make(name)
        if name != "c":
            return case
        if where == "time":
            return replace(case, time=value)
        item = case.fields["pressure_coefficient" if where == "point" else "drag_coefficient"]
        values = np.array(item.values)
        values.flat[0] = value
        return replace(case, fields={**case.fields, item.name: replace(item, values=values)})

    found = write_dataset(tmp_path / "data", PLAN, broken)
    expected = {"point": "1 of 7 values of 'pressure_coefficient'", "global": "1 of 1 values of 'drag_coefficient'", "time": "the time"}
    assert found.manifest.failed == {"c": f"NaN or infinite: {expected[where]}"}
    assert not (tmp_path / "data" / "cases" / "c.vtu").exists()


def test_an_interrupted_replacement_is_said_before_the_work(tmp_path):
    write_dataset(tmp_path / "data", PLAN, make)
    (tmp_path / "data.old").mkdir()
    calls = []
    with pytest.raises(DatasetError, match="an earlier replacement was interrupted"):
        write_dataset(tmp_path / "data", replace(PLAN, seed=4), calls.append, overwrite=True)
    assert not calls
    Dataset.open(tmp_path / "data").verify()
