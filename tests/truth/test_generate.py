"""Named data sets: bit-equal whatever the workers, and clear words for wrong arguments."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, DatasetError
from geoop.io.dataset import Dataset
from geoop.truth.datasets import kt_airfoils
from geoop.truth.generate import generate


def test_generated_files_are_bit_equal_whatever_the_workers(tmp_path):
    seen = []
    one = generate("kt-airfoils", tmp_path / "one", 5, seed=7, workers=1, progress=lambda done, total: seen.append((done, total)))
    two = generate("kt-airfoils", tmp_path / "two", 5, seed=7, workers=2)
    assert seen == [(k, 6) for k in range(1, 7)]
    assert one.hash == two.hash
    for name in one.manifest.cases:
        file = one.manifest.cases[name].file
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (tmp_path / "one" / "dataset.toml").read_bytes() == (tmp_path / "two" / "dataset.toml").read_bytes()
    assert generate("kt-airfoils", tmp_path / "other", 4, seed=8).hash != one.hash


def test_a_case_comes_back_as_it_was_made(tmp_path):
    dataset = generate("kt-airfoils", tmp_path / "data", 4, seed=1)
    made, read = kt_airfoils.case(1, "kt_0002"), Dataset.open(tmp_path / "data").case("kt_0002")
    assert read.mesh.content_hash == made.mesh.content_hash
    assert read.operating_point == made.operating_point and read.wall == made.wall and read.name == "kt_0002"
    for name, item in made.fields.items():
        assert np.array_equal(read.field(name).values, item.values) and read.field(name).quantity.label == item.quantity.label
    assert dataset.manifest.cases["kt_0002"].parameters == kt_airfoils.drawn(1, "kt_0002")
    assert dataset.units["velocity"] == "m/s" and dataset.manifest.seed == 1


def test_generating_again_opens_and_other_requests_are_refused(tmp_path):
    first = generate("kt-airfoils", tmp_path / "data", 4)
    file = tmp_path / "data" / first.manifest.cases["kt_0001"].file
    written = file.stat().st_mtime_ns
    assert generate("kt-airfoils", tmp_path / "data", 4).hash == first.hash and file.stat().st_mtime_ns == written
    with pytest.raises(DatasetError, match=r"another data set is there: 'kt-airfoils' with 5 cases and seed 0"):
        generate("kt-airfoils", tmp_path / "data", 4, seed=2)
    second = generate("kt-airfoils", tmp_path / "data", 4, seed=2, overwrite=True)
    assert second.hash != first.hash and sorted(p.name for p in tmp_path.iterdir()) == ["data"]


def test_wrong_arguments_in_one_error(tmp_path):
    with pytest.raises(ConfigurationError, match=r"did you mean 'kt-airfoils'\?.*n is 0.*seed is -1") as caught:
        generate("kt-airfoil", tmp_path / "data", 0, seed=-1)
    assert "kt-airfoils" in caught.value.remedy and not (tmp_path / "data").exists()


def test_a_time_limit_is_positive_and_not_for_a_scheduler(tmp_path):
    with pytest.raises(ConfigurationError, match=r"time_limit is 0, expected seconds > 0"):
        generate("kt-airfoils", tmp_path / "x", 4, time_limit=0)
    with pytest.raises(ConfigurationError, match=r"not those of a Dask scheduler"):
        generate("kt-airfoils", tmp_path / "x", 4, time_limit=5.0, dask="tcp://127.0.0.1:9")


def test_a_time_limit_takes_cases_into_a_process_of_their_own(tmp_path):
    """A limit that every case keeps changes no file; one that none can keep loses all, with a reason."""
    free = generate("kt-airfoils", tmp_path / "free", 4, workers=1)
    assert generate("kt-airfoils", tmp_path / "limited", 4, workers=1, time_limit=100.0).hash == free.hash
    with pytest.raises(DatasetError, match=r"none of 5 cases could be computed; 'kt_\w+': not done after 1e-05 s"):
        generate("kt-airfoils", tmp_path / "none", 4, workers=1, time_limit=1e-5)
