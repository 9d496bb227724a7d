"""Cases on a Dask cluster: equal files, workers that are killed, schedulers that are not there."""

import os

import pytest

from geoop.errors import ConfigurationError
from geoop.truth.generate import generate

distributed = pytest.importorskip("distributed", reason="pip install geoop[dask]")

SOURCE = """
import os, pathlib, signal
from geoop.io.dataset_writing import DatasetPlan
from geoop.truth.datasets import kt_airfoils
from geoop.truth.datasets.named import NamedDataset

MARKS = pathlib.Path({marks!r})

def plan(n, seed):
    return kt_airfoils.plan(n, seed)

def case(seed, name):
    if name == "kt_0003" or (name == "kt_0005" and not (MARKS / name).exists()):
        (MARKS / name).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return kt_airfoils.case(seed, name)

DATASET = NamedDataset("for a test", plan, case, 10)
"""


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="module")
def cluster(marks):
    """Two worker processes that also find the module of the killing data set."""
    (marks / "killing_dataset.py").write_text(SOURCE.format(marks=str(marks)))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(marks), os.getcwd(), before]))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50) as found,
        distributed.Client(found) as client,
    ):
        client.run(lambda path: __import__("sys").path.insert(0, path), str(marks))
        yield found
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def killing(marks, monkeypatch):
    monkeypatch.syspath_prepend(marks)
    import killing_dataset

    monkeypatch.setattr("geoop.truth.generate.named_dataset", lambda name: killing_dataset.DATASET)


def test_files_are_those_of_this_process(cluster, tmp_path):
    here = generate("kt-airfoils", tmp_path / "here", 6, 3, workers=1)
    there = generate("kt-airfoils", tmp_path / "there", 6, 3, dask=cluster.scheduler_address)
    assert here.hash == there.hash
    there.verify()


def test_a_killed_worker_loses_only_its_case(cluster, killing, tmp_path):
    """One case ends every worker that tries it, one only the first: the former is listed with its reason, the others are as ever."""
    found = generate("kt-airfoils", tmp_path / "killed", 10, 0, dask=cluster.scheduler_address)
    assert set(found.manifest.failed) == {"kt_0003"} and "died" in found.manifest.failed["kt_0003"]
    assert len(found) == 11 and "kt_0005" in found.manifest.cases
    found.verify()


def test_no_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr("geoop.truth.running.dask_cluster.PATIENCE", 0.5)
    with pytest.raises(ConfigurationError, match="no Dask scheduler answers") as caught:
        generate("kt-airfoils", tmp_path / "x", 4, dask="tcp://127.0.0.1:9")
    assert "dask worker" in caught.value.remedy


def test_workers_and_a_scheduler_exclude_each_other(tmp_path):
    with pytest.raises(ConfigurationError, match="exclude each other"):
        generate("kt-airfoils", tmp_path / "x", 4, dask="tcp://127.0.0.1:9", workers=2)
