"""What all tests share: threads, seeds, the data beside the repository, and reasons for skipping what needs a real component."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

# One thread each: there is a test process per core. These are read when numpy and torch are imported, hence up here.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np  # noqa: E402
import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def _lacks_gpu() -> str | None:
    import torch

    return None if torch.cuda.is_available() else "needs an NVIDIA GPU and a CUDA build of torch"


def _lacks_paraview() -> str | None:
    missing = [program for program in ("pvpython", "xvfb-run") if shutil.which(program) is None]
    return f"{', '.join(missing)} missing: apt-get install --no-install-recommends python3-paraview xvfb xauth" if missing else None


def _lacks_openfoam() -> str | None:
    missing = [program for program in ("blockMesh", "simpleFoam") if shutil.which(program) is None]
    return f"{', '.join(missing)} missing: apt-get install openfoam (and source its bashrc)" if missing else None


def _lacks_chromium() -> str | None:
    found = any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome", "chrome"))
    return None if found else "no Chromium: apt-get install --no-install-recommends chromium"


# marker -> why its tests cannot run here, or None
REQUIREMENTS: dict[str, Callable[[], str | None]] = {
    "gpu": _lacks_gpu,
    "paraview": _lacks_paraview,
    "openfoam": _lacks_openfoam,
    "chromium": _lacks_chromium,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The examples first: they are the longest file, and whoever begins it last is waited for by all others."""
    items.sort(key=lambda item: item.path.name != "test_examples.py")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose marker names a component that is not here, and say how it is installed."""
    for marker, lacks in REQUIREMENTS.items():
        if item.get_closest_marker(marker) is not None and (reason := lacks()):
            pytest.skip(reason)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers in every test, whichever ran before it. torch is seeded only where a test has imported it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - third-party code draws from it
    if "torch" in sys.modules:
        import torch

        torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files beside the repository (../shared/data); tests that need it are skipped without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real files not found: no folder {folder.relative_to(ROOT.parent)} beside the repository")
    return folder
