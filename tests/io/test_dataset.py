"""The data-set folder: comes back equal, names everything that is wrong with it, survives interruptions."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import geoop.io.dataset_writing as writing
from geoop.errors import ConvergenceError, DatasetError, PatchError, UnwritableFileError
from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle
from geoop.mesh.quantity import QUANTITIES, Field

PLAN = DatasetPlan(
    "rings",
    "circles of three sizes",
    {"train": ("a", "b", "c"), "test": ("d",)},
    generator={"law": "by hand"},
    parameters={"a": {"radius": 1.0}},
    geometry={"a": "small", "b": "small"},
    seed=3,
    licence="CC0-1.0",
)
NAMES = ("a", "b", "c", "d")


def make(name):
    mesh = circle(5 + NAMES.index(name[0]), 1.0 + NAMES.index(name[0]))
    velocity = Field(QUANTITIES["velocity"], mesh.points * 2.0)
    pressure = Field(QUANTITIES["pressure_coefficient"], mesh.points[:, 0])
    return Case(mesh, OperatingPoint(60.0, alpha=0.1 * len(name)), {f.name: f for f in (velocity, pressure)}, wall=("wall",), time=0.5, name=name)


@pytest.fixture
def folder(tmp_path):
    write_dataset(tmp_path / "data", PLAN, make)
    return tmp_path / "data"


def edited(folder, old, new):
    path = folder / "dataset.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_everything_comes_back(folder):
    dataset = Dataset.open(folder)
    assert dataset.name == "rings" and len(dataset) == 4 and dataset.splits == {"train": ["a", "b", "c"], "test": ["d"]}
    assert dataset.units == {"velocity": "m/s", "pressure_coefficient": "1"}
    assert dataset.manifest.seed == 3 and dataset.manifest.generator == {"law": "by hand"} and dataset.manifest.licence == "CC0-1.0"
    assert dataset.manifest.cases["a"].parameters == {"radius": 1.0} and dataset.manifest.cases["b"].geometry == "small"
    dataset.verify()
    for case in dataset.cases("train"):
        made = make(case.name)
        assert case.mesh.content_hash == made.mesh.content_hash and case.operating_point == made.operating_point
        assert case.wall == ("wall",) and case.time == 0.5
        assert all(np.array_equal(case.field(n).values, made.field(n).values) for n in made.fields)
    assert dataset.operating_point("d") == make("d").operating_point


def test_equal_content_has_an_equal_hash(folder, tmp_path):
    again = write_dataset(tmp_path / "again", PLAN, make)
    assert again.hash == Dataset.open(folder).hash
    other = write_dataset(tmp_path / "other", PLAN, lambda name: replace(make(name), operating_point=OperatingPoint(61.0)))
    assert other.hash != again.hash


def test_names_that_do_not_exist(folder):
    dataset = Dataset.open(folder)
    with pytest.raises(PatchError, match="no case 'x'"):
        dataset.case("x")
    with pytest.raises(PatchError, match=r"no split 'validation'.*\n.*'test', 'train'"):
        dataset.cases("validation")


def test_missing_case_files_are_named_together(folder):
    (folder / "cases" / "b.vtu").unlink()
    (folder / "cases" / "d.vtu").unlink()
    with pytest.raises(DatasetError, match="2 of 4 case files are missing: b, d") as caught:
        Dataset.open(folder)
    assert "geoop generate rings" in caught.value.remedy


def test_changed_file_is_found_when_read(folder):
    path = folder / "cases" / "b.vtu"
    path.write_bytes(path.read_bytes().replace(b"VTKFile", b"VTKfile", 1))
    dataset = Dataset.open(folder)
    dataset.case("a")
    with pytest.raises(DatasetError, match="case 'b': the file was changed"):
        dataset.case("b")
    with pytest.raises(DatasetError, match=r"1 of 4 case files are not what was written: b \("):
        dataset.verify()


def test_edited_manifest_is_found(folder):
    edited(folder, "alpha = 0.1", "alpha = 0.2")
    with pytest.raises(DatasetError, match="content hash does not fit"):
        Dataset.open(folder)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("seed = 3", "seeed = 3", "unknown key 'seeed' in the manifest, did you mean 'seed'?"),
        ("points = 5", "pionts = 5", "case 'a': unknown key 'pionts' in a case, did you mean 'points'?; case 'a': key 'points' is missing"),
        ("density =", "densty =", "unknown key 'densty' in operating_point, did you mean 'density'?"),
        ('test = ["d"]', 'test = ["d", "a"]', "splits 'train' and 'test' share 1 cases, e.g. a"),
        ('test = ["d"]', 'test = ["d", "e"]', "split 'test' names 1 cases that are not listed, e.g. e"),
        ('"a", "b", "c"]\ntest = ["d"]', '"b", "c"]\ntest = ["d", "a"]', "splits 'train' and 'test' share 1 geometries, e.g. small"),
        ('test = ["d"]', 'test = "d"', "splits ['test'] are not lists"),
        ('file = "cases/a.vtu"', 'file = "../a.vtu"', "file '../a.vtu' is not a path inside the folder"),
        ("velocity = 60.0", "velocity = -1.0", "velocity is -1.0, must be positive"),
        ("velocity = 60.0, ", "", "operating_point: velocity is missing"),
        ('name = "rings"', "name = 4", "key 'name' is a int, expected str"),
        ('sha256 = "', 'sha256 = "x', "is not a SHA-256 hash"),
        ("[units]", "[unit]", "key 'units' is missing"),
    ],
)
def test_bad_manifests_say_what_is_wrong(folder, old, new, found):
    edited(folder, old, new)
    with pytest.raises(DatasetError) as caught:
        Dataset.open(folder)
    assert found in str(caught.value)


def test_all_problems_of_a_manifest_in_one_error(folder):
    edited(folder, "seed = 3", "sead = 3")
    edited(folder, 'test = ["d"]', 'test = ["d", "a", "zz"]')
    with pytest.raises(DatasetError, match=r"'sead'.*'zz'|'sead'.*zz.*share 1 cases"):
        Dataset.open(folder)


def test_newer_format_broken_text_and_no_folder(folder, tmp_path):
    edited(folder, "format = 1", "format = 2")
    with pytest.raises(DatasetError, match=r"format 2 by geoop .*; this geoop reads format 1") as caught:
        Dataset.open(folder)
    assert "update geoop" in caught.value.remedy
    (folder / "dataset.toml").write_text("name = ")
    with pytest.raises(DatasetError, match="cannot be read as TOML"):
        Dataset.open(folder)
    (folder / "dataset.toml").unlink()
    with pytest.raises(DatasetError, match=r"no dataset\.toml"):
        Dataset.open(folder)
    with pytest.raises(DatasetError, match="no such folder"):
        Dataset.open(tmp_path / "nowhere")


def test_file_that_does_not_hold_what_the_manifest_says(folder):
    """A consistent manifest around another file: sizes and units are compared, too."""
    manifest = Dataset.open(folder).manifest
    cases = {**manifest.cases, "a": replace(manifest.cases["a"], points=99)}
    units = {**manifest.units, "velocity": "km/h", "temperature": "K"}
    (folder / "dataset.toml").write_text(replace(manifest, cases=cases, units=units).to_text())
    with pytest.raises(DatasetError, match=r"5 points, the manifest says 99; .*in m/s, the manifest says km/h; field 'temperature' is missing"):
        Dataset.open(folder).case("a")


def test_an_interrupted_generation_is_not_a_data_set_and_continues(tmp_path):
    calls = []

    def interrupted(name):
        calls.append(name)
        if name == "c":
            raise KeyboardInterrupt
        return make(name)

    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "data", PLAN, interrupted)
    assert not (tmp_path / "data").exists()
    with pytest.raises(DatasetError, match=r"interrupted generation beside it: data\.partial"):
        Dataset.open(tmp_path / "data")
    with pytest.raises(DatasetError):
        Dataset.open(tmp_path / "data.partial")
    (tmp_path / "data.partial" / "cases" / "b.vtu").write_bytes(b"cut off")  # as after a power failure
    with (tmp_path / "data.partial" / "journal.jsonl").open("a") as journal:
        journal.write('{"name": "c", "ent')
    calls.clear()
    dataset = write_dataset(tmp_path / "data", PLAN, lambda name: calls.append(name) or make(name))
    assert calls == ["b", "c", "d"]
    assert dataset.hash == write_dataset(tmp_path / "straight", PLAN, make).hash
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "straight"]
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["cases", "dataset.toml"]


def test_a_killed_process_leaves_nothing_that_opens(tmp_path):
    """SIGKILL in the middle of the third case; a second process continues."""
    script = (
        f"import os, sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom test_dataset_for_kill import PLAN, make, write_dataset\n"
        "def dying(name):\n    if name == 'c' and sys.argv[1] == 'die':\n        os.kill(os.getpid(), 9)\n    return make(name)\n"
        "write_dataset('data', PLAN, dying)\n"
    )
    (tmp_path / "test_dataset_for_kill.py").write_text(Path(__file__).read_text())
    (tmp_path / "script.py").write_text(script)
    env = {**os.environ, "PYTHONPATH": str(Path(writing.__file__).parents[2])}
    run = partial(subprocess.run, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert run([sys.executable, "script.py", "die"]).returncode == -9
    assert not (tmp_path / "data").exists() and len(list((tmp_path / "data.partial" / "cases").iterdir())) == 2
    done = run([sys.executable, "script.py", "live"])
    assert done.returncode == 0, done.stderr
    Dataset.open(tmp_path / "data").verify()
    assert not (tmp_path / "data.partial").exists()


def test_another_plan_starts_afresh(tmp_path):
    def stop(name):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "data", replace(PLAN, seed=4), lambda name: make(name) if name == "a" else stop(name))
    calls = []
    write_dataset(tmp_path / "data", PLAN, lambda name: calls.append(name) or make(name))
    assert calls == list(NAMES)


def test_a_complete_data_set_is_kept(folder):
    calls, seen = [], []
    dataset = write_dataset(folder, PLAN, calls.append, progress=lambda done, total: seen.append((done, total)))
    assert not calls and seen == [(4, 4)] and len(dataset) == 4


def test_another_data_set_is_replaced_only_on_request(folder):
    other = replace(PLAN, splits={"train": ("a", "b"), "test": ("d",)}, name="fewer")
    with pytest.raises(DatasetError, match="another data set is there: 'rings' with 4 cases and seed 3"):
        write_dataset(folder, other, make)
    assert len(Dataset.open(folder)) == 4
    assert write_dataset(folder, other, make, overwrite=True).name == "fewer"
    assert sorted(p.name for p in (folder / "cases").iterdir()) == ["a.vtu", "b.vtu", "d.vtu"]
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_overwrite_repairs_a_changed_file(folder):
    (folder / "cases" / "b.vtu").write_bytes(b"")
    write_dataset(folder, PLAN, make)  # opens: files are checked when they are read
    write_dataset(folder, PLAN, make, overwrite=True).verify()


def test_the_old_data_set_stays_until_the_new_one_is_complete(folder):
    def stop(name):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_dataset(folder, replace(PLAN, seed=9), stop, overwrite=True)
    Dataset.open(folder).verify()


@pytest.mark.parametrize("overwrite", [False, True])
def test_folders_with_other_things_are_never_replaced(folder, tmp_path, overwrite):
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(DatasetError, match=r"holds other things than a data set, e\.g\. thesis\.tex"):
        write_dataset(folder, replace(PLAN, seed=4), make, overwrite=overwrite)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").touch()
    with pytest.raises(DatasetError, match=r"other things"):
        write_dataset(tmp_path / "notes", PLAN, make, overwrite=overwrite)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DatasetError, match="is a file, and a data set is a folder"):
        write_dataset(tmp_path / "file", PLAN, make, overwrite=overwrite)
    (tmp_path / "new.partial").mkdir()
    (tmp_path / "new.partial" / "mine").touch()
    with pytest.raises(DatasetError, match="something else"):
        write_dataset(tmp_path / "new", PLAN, make, overwrite=overwrite)
    assert (folder / "thesis.tex").exists() and (tmp_path / "new.partial" / "mine").exists()


def test_an_empty_folder_is_a_free_place(tmp_path):
    (tmp_path / "data").mkdir()
    assert len(write_dataset(tmp_path / "data", PLAN, make)) == 4


def test_failed_cases_are_left_out_and_listed(tmp_path):
    def sometimes(name):
        if name == "b":
            raise ConvergenceError("residual stays at 0.1", remedy="smaller steps")
        return make(name)

    dataset = write_dataset(tmp_path / "data", PLAN, sometimes)
    assert dataset.splits == {"train": ["a", "c"], "test": ["d"]}
    assert dataset.manifest.failed == {"b": "residual stays at 0.1"}
    assert Dataset.open(tmp_path / "data").manifest.failed == dataset.manifest.failed

    def never(name):
        raise ConvergenceError("no luck", remedy="smaller steps")

    with pytest.raises(DatasetError, match="none of 4 cases could be computed; 'a': no luck"):
        write_dataset(tmp_path / "none", PLAN, never)


def test_a_full_disk_ends_the_run_and_keeps_what_is_done(tmp_path, monkeypatch):
    original = writing.write_case

    def full(case, path):
        if case.name == "c":
            raise UnwritableFileError("cannot be written: No space left on device", where=str(path), remedy="make room")
        return original(case, path)

    monkeypatch.setattr(writing, "write_case", full)
    with pytest.raises(UnwritableFileError, match="No space left"):
        write_dataset(tmp_path / "data", PLAN, make)
    monkeypatch.setattr(writing, "write_case", original)
    calls = []
    write_dataset(tmp_path / "data", PLAN, lambda name: calls.append(name) or make(name))
    assert calls == ["c", "d"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UnwritableFileError):
        write_dataset(tmp_path / "locked" / "data", PLAN, make)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"splits": {"train": ("a", "b"), "test": ("b",)}}, "share 1 cases"),
        ({"splits": {"train": ("../a",)}}, "not plain file names"),
        ({"splits": {"train": ()}}, "there is no case"),
        ({"geometry": {"a": "one", "d": "one"}}, "share 1 geometries"),
        ({"parameters": {"zz": {}}}, "in no split, e.g. zz"),
    ],
)
def test_plans_that_contradict_themselves(tmp_path, change, found):
    with pytest.raises(DatasetError, match=found):
        write_dataset(tmp_path / "data", replace(PLAN, **{"parameters": {}, "geometry": {}, **change}), make)
    assert not list(tmp_path.iterdir())


def test_cases_in_different_units_do_not_make_a_data_set(tmp_path):
    def mixed(name):
        case = make(name)
        unit = "m/s" if name == "a" else "km/h"
        return case.with_fields(Field(replace(QUANTITIES["velocity"], unit=unit), case.field("velocity").values))

    with pytest.raises(DatasetError, match=r"several units: .*velocity.*km/h.*m/s"):
        write_dataset(tmp_path / "data", PLAN, mixed)


def test_the_journal_is_readable_by_others(tmp_path):
    def stop_at_b(name):
        if name == "b":
            raise KeyboardInterrupt
        return make(name)

    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "data", PLAN, stop_at_b)
    (line,) = (tmp_path / "data.partial" / "journal.jsonl").read_text().splitlines()
    assert json.loads(line)["entry"]["points"] == 5


def test_a_folder_of_raw_runs_is_shown_the_way(tmp_path, folder):
    (tmp_path / "runs").mkdir()
    with pytest.raises(DatasetError, match=r"no dataset.toml") as caught:
        Dataset.open(tmp_path / "runs")
    assert f"geoop collect {tmp_path / 'runs'} -o data/" in caught.value.remedy
    (folder / "dataset.toml").write_text("format = ")
    with pytest.raises(DatasetError) as caught:
        Dataset.open(folder)
    assert "collect" not in caught.value.remedy


def test_other_splits_of_the_same_files(folder):
    dataset = Dataset.open(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    other = dataset.with_splits({"train": ["d", "c"], "val": ["a", "b"]})
    assert other.splits == {"train": ["d", "c"], "val": ["a", "b"]} and len(other) == 4
    assert [case.name for case in other.cases("val")] == ["a", "b"]
    assert other.hash != dataset.hash and dataset.splits == {"train": ["a", "b", "c"], "test": ["d"]}
    assert dataset.with_splits(dataset.splits).hash == dataset.hash
    assert other.with_splits({"train": ["d", "c"], "val": ["b", "a"]}).hash != other.hash
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    fewer = dataset.with_splits({"train": ["c"]})
    assert fewer.case("d").name == "d"
    with pytest.raises(PatchError, match="no split 'test'"):
        fewer.cases("test")


def test_splits_that_cannot_be_are_said_together(folder):
    """Cases a and b share a geometry: one to train on and one to test on would be a leak."""
    with pytest.raises(DatasetError, match="names 1 cases that are not there: x.*names a case twice.*share 1 geometries, e.g. small"):
        Dataset.open(folder).with_splits({"train": ["a", "x"], "val": ["c", "c"], "test": ["b"]})
