"""Builds torch-scatter against the installed torch, and keeps the wheel for the next environment. Standard library only.

torch-scatter ships as source: it has to be compiled for every version of torch and Python, which takes minutes. The wheel is
kept under ``${XDG_CACHE_HOME:-~/.cache}/geoop/wheels/<Python, system, torch>/``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from command import CommandError, Runner, say

DEFAULT_LIMIT = 1500.0
LABEL = "torch-scatter"
PROBE = (
    "import torch, torch_scatter;"
    "sums = torch_scatter.segment_csr(torch.tensor([1., 2., 4.]), torch.tensor([0, 1, 3]));"
    "assert sums.tolist() == [1., 6.], sums"
)
DESCRIBE = "import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), sysconfig.get_path('include'), sep='\\n')"


class BuildError(Exception):
    """torch-scatter cannot be built here; the message says what is missing."""


def install(python: Path, runner: Runner, pins: dict[str, str], torch: str) -> None:
    """Install torch-scatter into the environment of ``python``: from the kept wheel, else by building it.

    Args:
        python: interpreter of the environment, in which torch is installed.
        runner: runs the commands.
        pins: versions of torch-scatter, setuptools, wheel and ninja.
        torch: the installed version of torch, which the wheel is kept under.

    Raises:
        CommandError: the build failed or passed its limit.
        BuildError: no compiler, or no headers of Python.
    """
    limit = build_limit(os.environ)
    tag, platform, include = subprocess.run([python, "-I", "-c", DESCRIBE], capture_output=True, text=True, check=True).stdout.split("\n")[:3]
    kept = cache_folder(os.environ) / f"{tag}-{platform}-torch-{torch}"
    wheel = next(kept.glob(f"torch_scatter-{pins['torch-scatter']}-*.whl"), None)
    if wheel is not None:
        try:
            _install_wheel(python, runner, wheel, f"{LABEL} from the wheel kept in {kept}")
            return
        except CommandError:
            say(f"the wheel kept in {kept} does not work here, building another")
            wheel.unlink()
    check_compiler(include)
    with tempfile.TemporaryDirectory(prefix="geoop-scatter-") as folder:
        built = _build(python, runner, pins, Path(folder), limit)
        _install_wheel(python, runner, built, f"{LABEL}: install")
        try:
            keep(built, kept)
        except OSError as error:
            say(f"note: the wheel could not be kept in {kept} ({error}); the next environment builds it again")


def build_limit(environment: os._Environ[str] | dict[str, str]) -> float:
    """Seconds that the build may take: GEOOP_SCATTER_LIMIT, else 1500.

    Raises:
        BuildError: the variable is not a positive number.
    """
    text = environment.get("GEOOP_SCATTER_LIMIT") or str(DEFAULT_LIMIT)
    with contextlib.suppress(ValueError):
        limit = float(text)
        if limit > 0:
            return limit
    raise BuildError(f"GEOOP_SCATTER_LIMIT={text} is not a positive number of seconds")


def build_jobs(environment: os._Environ[str] | dict[str, str], cores: int | None) -> int:
    """Compilers to run at once: MAX_JOBS where it is set, else one per core up to four (each takes about 1.5 GB)."""
    asked = environment.get("MAX_JOBS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else min(cores or 1, 4)


def cache_folder(environment: os._Environ[str] | dict[str, str]) -> Path:
    """Where built wheels are kept."""
    cache = environment.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "geoop" / "wheels"


def check_compiler(include: str) -> None:
    """Check that a C++ compiler and the headers of Python are here.

    Raises:
        BuildError: one of them is missing.
    """
    compilers = [os.environ.get("CXX") or "", "c++", "g++", "clang++", "cl"]
    if not any(name and shutil.which(name.split()[0]) for name in compilers):
        raise BuildError("no C++ compiler found; Debian, Ubuntu: apt-get install g++")
    if not (Path(include) / "Python.h").exists():
        raise BuildError(f"the headers of Python are missing in {include}; Debian, Ubuntu: apt-get install python3-dev")


def keep(wheel: Path, folder: Path) -> None:
    """Copy ``wheel`` into ``folder``; an interruption leaves no half a wheel under the final name."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{wheel.name}.{os.getpid()}.partial"
    shutil.copyfile(wheel, beside)
    os.replace(beside, folder / wheel.name)


def _build(python: Path, runner: Runner, pins: dict[str, str], folder: Path, limit: float) -> Path:
    tools = [f"{name}=={pins[name]}" for name in ("setuptools", "wheel", "ninja")]
    runner.run([str(python), "-m", "pip", "install", *tools], f"{LABEL}: build tools")
    # its setup compiles one file after the other; distutils itself can build the four extensions side by side
    settings = folder / "build.cfg"
    settings.write_text(f"[build_ext]\nparallel = {build_jobs(os.environ, os.cpu_count())}\n", encoding="utf-8")
    name = f"torch-scatter=={pins['torch-scatter']}"
    command = [str(python), "-m", "pip", "wheel", "-v", "--no-build-isolation", "--no-deps", "--no-binary", "torch-scatter"]
    # pip's own cache is keyed by the source alone: it would hand out a wheel that was built for another torch
    command += ["--no-cache-dir", "-w", str(folder), name]
    environment = {"DIST_EXTRA_CONFIG": str(settings), "PIP_NO_INPUT": "1", "PYTHONPATH": ""}
    runner.run(command, f"{LABEL}: building (limit {limit:.0f} s)", environment=environment, limit=limit)
    return next(folder.glob("torch_scatter-*.whl"))


def _install_wheel(python: Path, runner: Runner, wheel: Path, label: str) -> None:
    """Install the wheel and compute with it; one that does not work is removed again."""
    runner.run([str(python), "-m", "pip", "install", "--no-deps", "--no-index", "--force-reinstall", str(wheel)], label)
    try:
        runner.run([str(python), "-c", PROBE], f"{LABEL}: check")
    except CommandError:
        runner.run([str(python), "-m", "pip", "uninstall", "-y", "torch-scatter"], f"{LABEL}: remove")
        raise
