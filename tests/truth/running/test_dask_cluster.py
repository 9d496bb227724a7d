"""Cases on a Dask cluster: equal files, workers that are killed, schedulers that are not there."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from geoop.errors import ConfigurationError, ConvergenceError
from geoop.truth.generate import generate

distributed = pytest.importorskip("distributed", reason="pip install geoop[dask]")
dask = pytest.importorskip("dask")
open_port = distributed.utils.open_port

SOURCE = """
import os, pathlib, signal, time
from distributed import get_worker
from distributed.protocol.pickle import dumps
from distributed.utils import sync
from geoop.io.dataset_writing import DatasetPlan
from geoop.truth.datasets import kt_airfoils
from geoop.truth.datasets.named import NamedDataset

MARKS = pathlib.Path({marks!r})

def plan(n, seed):
    return kt_airfoils.plan(n, seed)

def await_nanny():
    # Dask does not replace a worker that dies before its nanny knows that it has started, which takes long on a busy machine
    worker = get_worker()

    async def status():
        answer = await worker.rpc(worker.nanny).run(function=dumps(lambda dask_worker: dask_worker.status.name))
        return answer["result"]

    while sync(worker.loop, status) != "running":
        time.sleep(0.05)

def case(seed, name):
    if name == "kt_0003" or (name == "kt_0005" and not (MARKS / name).exists()):
        (MARKS / name).touch()
        await_nanny()
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
        # a local cluster closes a worker for good that is away 15 s after it died: on a busy machine that is the second time it is started
        dask.config.set({"distributed.deploy.lost-worker-timeout": "10 minutes"}),
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


def test_groups_in_one_process_wait_for_each_other():
    """Neither the mesher nor the limit on the threads of numerical libraries is made for several at once."""
    import threading
    import time

    from geoop.truth.running.dask_cluster import _group
    from geoop.version import __version__

    under_way, most = [], []

    def store(folder, name):
        under_way.append(name)
        most.append(len(under_way))
        time.sleep(0.02)
        under_way.remove(name)
        raise ConvergenceError("not today", remedy="tomorrow")

    threads = [threading.Thread(target=_group, args=(store, [f"{letter}1", f"{letter}2"], __version__)) for letter in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6


def test_a_worker_with_several_threads_gives_equal_files(tmp_path):
    """`dask worker` takes a thread per core unless told otherwise: meshing is done outside the main thread, several groups are under way."""
    here = generate("polygons-laplace", tmp_path / "here", 4, workers=1)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=3, processes=False, dashboard_address=None, silence_logs=50) as threaded:
        there = generate("polygons-laplace", tmp_path / "there", 4, dask=threaded.scheduler_address)
    assert there.hash == here.hash and not there.manifest.failed


def test_workers_with_another_geoop_are_named_at_once(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("geoop.truth.running.dask_cluster.__version__", "99.0")
    with pytest.raises(ConfigurationError, match=r"(\d) of \1 workers have another geoop than 99\.0: tcp://\S+ \(") as caught:
        generate("kt-airfoils", tmp_path / "x", 4, dask=cluster.scheduler_address)
    assert "geoop[dask]==99.0" in caught.value.remedy


def test_a_scheduler_without_workers(tmp_path, monkeypatch):
    monkeypatch.setattr("geoop.truth.running.dask_cluster.PATIENCE", 1.0)
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty:
        with pytest.raises(ConfigurationError, match="the Dask scheduler has no workers") as caught:
            generate("kt-airfoils", tmp_path / "x", 4, dask=empty.scheduler_address)
    assert "dask worker" in caught.value.remedy


def test_workers_without_geoop_are_named_at_once(tmp_path):
    import subprocess
    import sys
    import time

    (tmp_path / "geoop").mkdir()
    (tmp_path / "geoop" / "__init__.py").write_text("raise ImportError('not here')")
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", empty.scheduler_address, "--no-dashboard", "--nthreads", "1"]
        worker = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60.0
            while not empty.scheduler.workers and time.monotonic() < end:
                time.sleep(0.1)
            with pytest.raises(ConfigurationError, match="1 of 1 workers cannot import geoop"):
                generate("kt-airfoils", tmp_path / "x", 4, dask=empty.scheduler_address)
        finally:
            worker.terminate()
            worker.wait()


@contextmanager
def processes(folder, *options):
    """A scheduler and a worker as processes of their own: their address and both of them."""
    address = f"tcp://127.0.0.1:{open_port()}"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", address.rsplit(":")[-1], "--no-dashboard"]
    started = [subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)]
    try:
        with distributed.Client(address, timeout=60, set_as_default=False) as client:
            command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-dashboard", "--nthreads", "1", *options]
            environment = {**os.environ, "PYTHONPATH": os.getcwd()}
            started.append(subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL))
            client.wait_for_workers(1, timeout=60)
        yield address, *started
    finally:
        for process in started:
            process.kill()
            process.wait()


def kept_and_continued(folder) -> int:
    """How many of 36 cases an interrupted run had kept; it is gone on with and ends as one without interruption."""
    kept = len((folder / "data.partial" / "journal.jsonl").read_text().splitlines())
    seen = []
    straight = generate("kt-airfoils", folder / "straight", 30, workers=1)
    assert generate("kt-airfoils", folder / "data", 30, workers=1, progress=lambda *at: seen.append(at)).hash == straight.hash
    assert seen[0][0] in (kept, kept + 1)
    return kept


def test_a_scheduler_that_dies_is_one_error_and_what_is_done_is_kept(tmp_path):
    with (
        processes(tmp_path, "--death-timeout", "5") as (address, scheduler, _),
        pytest.raises(ConvergenceError, match="the Dask scheduler went away"),
    ):
        generate("kt-airfoils", tmp_path / "data", 30, dask=address, progress=lambda done, total: scheduler.kill())
    assert 1 <= kept_and_continued(tmp_path) < 36


def test_a_cluster_whose_workers_are_gone_for_good_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("geoop.truth.running.dask_cluster.LONELY", 2.0)
    with (
        processes(tmp_path, "--no-nanny") as (address, _, worker),
        pytest.raises(ConvergenceError, match="no workers for 2 seconds; the cases that had come back are kept"),
    ):
        generate("kt-airfoils", tmp_path / "data", 30, dask=address, progress=lambda done, total: worker.kill())
    assert 1 <= kept_and_continued(tmp_path) < 36


@pytest.mark.parametrize("reason", [ConnectionResetError(104, "Connection reset by peer"), RuntimeError("IOLoop is closed")])
def test_a_connection_that_breaks_while_results_are_fetched_is_the_scheduler(reason):
    """Between the word that a group is finished and its bytes: it was taken for a disk that cannot be written."""
    from geoop.truth.running.dask_cluster import _fetched

    class Future:
        def result(self):
            raise reason

    with pytest.raises(ConvergenceError, match="went away") as caught:
        _fetched(Future(), "tcp://127.0.0.1:9")
    assert caught.value.__cause__ is reason


def test_no_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr("geoop.truth.running.dask_cluster.PATIENCE", 0.5)
    with pytest.raises(ConfigurationError, match="no Dask scheduler answers") as caught:
        generate("kt-airfoils", tmp_path / "x", 4, dask="tcp://127.0.0.1:9")
    assert "dask worker" in caught.value.remedy


def test_workers_and_a_scheduler_exclude_each_other(tmp_path):
    with pytest.raises(ConfigurationError, match="exclude each other"):
        generate("kt-airfoils", tmp_path / "x", 4, dask="tcp://127.0.0.1:9", workers=2)
