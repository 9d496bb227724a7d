"""One thread for libraries that are there and for those that the first case loads; afterwards as many as before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import geoop
from geoop.truth.running.one_thread import VARIABLES, one_thread

LATE = """
import json, os, sys
from threadpoolctl import threadpool_info
from geoop.truth.running.one_thread import one_thread

numbers = lambda: {item["filepath"]: item["num_threads"] for item in threadpool_info()}
early = numbers()
with one_thread():
    import scipy.linalg
    inside = numbers()
print(json.dumps([early, inside, numbers(), {key: os.environ.get(key) for key in %r}]))
"""


@pytest.mark.parametrize("said", [None, "3"])
def test_a_library_that_is_loaded_inside(said):
    import json

    env = {key: value for key, value in os.environ.items() if key not in VARIABLES} | {"PYTHONPATH": str(Path(geoop.__file__).parents[1])}
    env |= {} if said is None else {"OMP_NUM_THREADS": said}
    done = subprocess.run([sys.executable, "-c", LATE % (VARIABLES,)], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    early, inside, after, variables = json.loads(done.stdout)
    if set(inside) == set(early):
        pytest.skip("scipy brings no library of its own here")
    expected = len(os.sched_getaffinity(0)) if said is None else 3
    assert set(inside.values()) == {1}
    assert all(after[key] == early.get(key, expected) for key in after)
    assert variables == {"OMP_NUM_THREADS": said, "OPENBLAS_NUM_THREADS": None, "MKL_NUM_THREADS": None}


def test_an_error_gives_the_environment_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)

    def failing():
        with one_thread():
            assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert os.environ["OMP_NUM_THREADS"] == "2" and "MKL_NUM_THREADS" not in os.environ
