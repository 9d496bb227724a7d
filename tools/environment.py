"""Makes ``.venv``: geoop, editable, with the pinned versions of tools/constraints.txt. Standard library only.

Called by tools/demo and tools/test through tools/environment.sh; a second call finds the stamp and returns at once.
A machine without an NVIDIA GPU never downloads CUDA packages: there torch is pinned to ``+cpu``, a version that only CPU
builds have, it is installed before everything else, and any sign of a CUDA package stops the installation.

Environment variables:
    GEOOP_PYTHON          the Python (3.11 or newer) that makes .venv
    GEOOP_TORCH_INDEX     package index that offers CPU builds of torch; asked last, after what is kept locally
    GEOOP_SCATTER_LIMIT   seconds that building torch-scatter may take (1500)
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import scatter_wheel
from command import CommandError, Runner, say

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(".venv")
CONSTRAINTS = Path("tools/constraints.txt")
STAMP = VENV / "geoop-environment.json"
UNFINISHED = VENV / "geoop-unfinished"
TORCH_PIN = VENV / "geoop-torch.txt"
LOG = VENV / "geoop-install.log"
LOCK = Path(".venv.lock")

# compiled once here: where PYTHONDONTWRITEBYTECODE is set, as in many containers, every later start would compile again
PIP_INSTALL = ("-m", "pip", "install", "--compile")

DEFAULT_TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
IMPORTS = "import numpy, scipy, torch, torch_geometric, sklearn, pyvista, trimesh, meshio, warp, lightning, geoop"
CUDA_PACKAGE = re.compile(r"(nvidia|cuda)[-_]", re.IGNORECASE)
CUDA_DOWNLOAD = re.compile(r"^\s*(?:Collecting|Downloading|Using cached|Installing)\s+\S*?\b((?:nvidia|cuda)[-_][\w.-]+)", re.IGNORECASE)
NO_NETWORK = re.compile(
    "name resolution|name or service not known|dns error|newconnectionerror|network is unreachable|"
    "connection (refused|reset|aborted)|timed out|proxyerror|sslerror"
)


class SetupError(Exception):
    """The environment cannot be made; the message says why and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"error: {message}\n  remedy: {remedy}")


@dataclass(frozen=True)
class Machine:
    """What decides which torch is installed: system name, NVIDIA GPU, path of uv (or None), index of CPU builds."""

    system: str
    gpu: bool
    uv: str | None
    torch_index: str

    @property
    def cpu_only(self) -> bool:
        """Whether torch must be the CPU build by name: Linux is where the plain name means a CUDA build."""
        return self.system == "Linux" and not self.gpu


@dataclass(frozen=True)
class Attempt:
    """One way to get torch: where it is looked for, and the command."""

    source: str
    command: tuple[str, ...]


def detect_machine() -> Machine:
    """Describe the machine this runs on."""
    index = os.environ.get("GEOOP_TORCH_INDEX") or DEFAULT_TORCH_INDEX
    return Machine(platform.system(), has_nvidia_gpu(), shutil.which("uv"), index)


def has_nvidia_gpu() -> bool:
    """Whether nvidia-smi runs and lists a GPU (the program alone may be left over from another machine)."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        answer = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU " in answer.stdout


def torch_attempts(machine: Machine, python: str, version: str, installed: str | None) -> list[Attempt]:
    """The ways to get torch, in the order in which they are tried; empty when the installed one will do.

    torch comes without its dependencies: those are pinned, and come from the usual place, in the next step.
    """
    if installed is not None:
        public, _, build = installed.partition("+")
        if public == version and not (machine.cpu_only and build not in ("", "cpu")):
            return []
    pip = (python, *PIP_INSTALL, "--no-deps")
    if not machine.cpu_only:
        return [Attempt("the default index", (*pip, f"torch=={version}"))]
    torch = f"torch=={version}+cpu"
    attempts = [Attempt("what pip finds with its own configuration", (*pip, torch))]
    if machine.uv is not None:
        uv = (machine.uv, "pip", "install", "--python", python, "--no-deps", "--compile-bytecode", "--torch-backend=auto", torch)
        attempts.append(Attempt("uv, which looks at the machine", uv))
    attempts.append(Attempt(f"GEOOP_TORCH_INDEX={machine.torch_index}", (*pip, "--index-url", machine.torch_index, torch)))
    return attempts


def cuda_packages(names: list[str]) -> list[str]:
    """The packages among ``names`` that belong to CUDA."""
    return sorted(name for name in names if CUDA_PACKAGE.match(name))


def refused_on_cpu(line: str) -> str | None:
    """Why this line of an installer's output must stop it on a machine without a GPU, or None."""
    found = CUDA_DOWNLOAD.match(line)
    return f"the installer was about to fetch the CUDA package {found.group(1)} on a machine without a GPU" if found else None


def remedy_for(output: list[str]) -> str:
    """What to do about a failed installation, judged by the end of its output."""
    text = "\n".join(output).lower()
    if "no space left" in text:
        return "free about 4 GB on this disk, then run the same command again"
    if NO_NETWORK.search(text):
        return "check the network or the proxy (pip reads its own configuration: pip config list), then run the same command again"
    if "no matching distribution" in text or "could not find a version" in text:
        return (
            "the index that pip uses has no such version for this Python and system: use Python 3.11 to 3.13 (GEOOP_PYTHON=...), or an index or a "
            "folder that has it (pip config list; for CPU builds of torch: GEOOP_TORCH_INDEX=...)"
        )
    return f"read {LOG}, then run the same command again; it continues where it stopped"


def pinned(name: str, constraints: str) -> str:
    """The version that the text of a constraints file pins for ``name``."""
    found = re.search(rf"^{re.escape(name)}==(\S+)\s*$", constraints, re.MULTILINE | re.IGNORECASE)
    if found is None:
        raise SetupError(f"{CONSTRAINTS} does not pin {name}", f"add a line {name}==<version> to {CONSTRAINTS}")
    return found.group(1)


def stamp_key(root: Path) -> str:
    """Changes with everything an environment is made of: where it lies, its Python, the requirements and the pins."""
    digest = hashlib.sha256(str(root).encode())
    for path in (VENV / "pyvenv.cfg", Path("pyproject.toml"), CONSTRAINTS):
        digest.update(b"\0" + (root / path).read_bytes())
    return digest.hexdigest()


def remove_half_installed(packages: Path) -> list[str]:
    """Forget packages whose installation was cut off, so that pip installs them again.

    pip writes INSTALLER and RECORD last; without them it would still believe the package to be there.
    """
    forgotten = []
    for folder in packages.iterdir():
        cut_off = folder.suffix == ".dist-info" and not ((folder / "INSTALLER").exists() and (folder / "RECORD").exists())
        if cut_off or folder.name.startswith("~"):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
            forgotten.append(folder.name)
    return sorted(forgotten)


class Environment:
    """The virtual environment of one checkout."""

    def __init__(self, root: Path, runner: Runner) -> None:
        self.root = root
        self.runner = runner
        self.constraints = (root / CONSTRAINTS).read_text(encoding="utf-8")

    @functools.cached_property
    def machine(self) -> Machine:
        """The machine, looked at only when something must be installed."""
        return detect_machine()

    @property
    def python(self) -> str:
        """The interpreter of the environment, relative to the root."""
        return str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))

    def is_complete(self) -> bool:
        """Whether a stamp says that exactly this environment was finished, and its interpreter is still there."""
        if not (self.root / VENV / "pyvenv.cfg").exists() or not (self.root / self.python).exists():
            return False
        return self._stamp().get("key") == stamp_key(self.root)

    def install(self) -> None:
        """Make the environment, continuing whatever an interrupted call left."""
        self._make_venv()
        (self.root / UNFINISHED).touch()
        (self.root / STAMP).unlink(missing_ok=True)
        for name in remove_half_installed(self._packages_folder()):
            say(f"cleaned up after an interrupted installation: {name}")
        pip = [self.python, *PIP_INSTALL, "-c", str(CONSTRAINTS)]
        self._run([*pip, "setuptools"], "[2/5] build tool")
        self._install_torch()
        # torch may not change any more: whatever another package asks for, this exact build stays
        (self.root / TORCH_PIN).write_text(f"torch=={self.installed()['torch']}\n", encoding="utf-8")
        self._run([*pip, "-c", str(TORCH_PIN), "--no-build-isolation", "-e", ".[dev]"], "[4/5] geoop and its packages")
        self._check()
        (self.root / STAMP).write_text(json.dumps({"key": stamp_key(self.root), "root": str(self.root)}), encoding="utf-8")
        (self.root / UNFINISHED).unlink()

    def add_scatter(self) -> None:
        """Install torch-scatter, building it if need be; a failure is a warning, since everything runs without it."""
        torch = self.installed()["torch"]
        if self._stamp().get("scatter") == torch:
            return
        pins = {name: pinned(name, self.constraints) for name in ("torch-scatter", "setuptools", "wheel", "ninja")}
        try:
            scatter_wheel.install(self.root / self.python, self.runner, pins, torch)
        except (CommandError, scatter_wheel.BuildError, OSError) as error:
            for line in getattr(error, "tail", []):
                say(f"    {line}")
            say(f"warning: torch-scatter is not available ({error}). Tests and programs run without it, on torch alone.")
            return
        (self.root / STAMP).write_text(json.dumps({**self._stamp(), "scatter": torch}), encoding="utf-8")

    def installed(self) -> dict[str, str]:
        """Version of every package in the environment by lower-case name."""
        code = (
            "import importlib.metadata as m, json;"
            "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions() if d.metadata['Name']}))"
        )
        return json.loads(self._ask(code))

    def _make_venv(self) -> None:
        folder = self.root / VENV
        if (folder / "pyvenv.cfg").exists() and not self._was_made_elsewhere() and self._runs("import sys; sys.exit(sys.version_info < (3, 11))"):
            if self._runs("import pip") or self._runs("import ensurepip, sys; ensurepip.bootstrap(upgrade=True)"):
                return
        folder.mkdir(exist_ok=True)
        try:
            self._run([sys.executable, "-m", "venv", "--clear", str(VENV)], "[1/5] virtual environment")
        except SetupError as error:
            if self.machine.uv is not None:
                self._run([self.machine.uv, "venv", "--clear", "--seed", "--python", sys.executable, str(VENV)], "[1/5] virtual environment by uv")
                return
            remedy = "install the module venv of this Python (Debian, Ubuntu: apt-get install python3-venv), or uv, and run the same command again"
            raise SetupError(f"{sys.executable} cannot make a virtual environment", remedy) from error

    def _install_torch(self) -> None:
        version = pinned("torch", self.constraints)
        attempts = torch_attempts(self.machine, self.python, version, self.installed().get("torch"))
        failures: list[str] = []
        for attempt in attempts:
            try:
                self._run(list(attempt.command), f"[3/5] torch {version} from {attempt.source}")
                break
            except SetupError:
                failures.append(attempt.source)
                say(f"    not there: {attempt.source}")
        else:
            if attempts:
                raise SetupError(f"torch {version} was not found ({'; '.join(failures)})", remedy_for(self.runner.tail))
        build = self.installed()["torch"]
        if self.machine.gpu and build.endswith("+cpu"):
            say(f"note: torch {build} is a CPU build although this machine has a GPU; to replace it: {self.python} -m pip uninstall torch, and again")

    def _check(self) -> None:
        packages = self.installed()
        if self.machine.cpu_only and (found := cuda_packages(list(packages))):
            raise SetupError(
                f"CUDA packages in {VENV} on a machine without a GPU: {', '.join(found)}",
                f"remove {VENV} and run the same command again; if they come back, something in pyproject.toml asks for them",
            )
        self._run([self.python, "-m", "pip", "check"], "[5/5] check versions")
        self._run([self.python, "-c", IMPORTS], "[5/5] check imports")

    def _run(self, command: list[str], label: str) -> None:
        try:
            environment = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off", "PYTHONPATH": ""}
            self.runner.run(command, label, environment=environment, refuse=refused_on_cpu if self.machine.cpu_only else lambda line: None)
        except CommandError as error:
            tail = "".join(f"    {line}\n" for line in error.tail)
            raise SetupError(f"{error}\n{tail}".rstrip(), remedy_for(error.tail)) from error

    def _ask(self, code: str) -> str:
        answer = subprocess.run([self.python, "-I", "-c", code], cwd=self.root, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise SetupError(f"{self.python} does not run: {answer.stderr.strip()}", f"remove {VENV} and run the same command again")
        return answer.stdout

    def _runs(self, code: str) -> bool:
        try:
            return subprocess.run([self.python, "-I", "-c", code], cwd=self.root, capture_output=True, check=False).returncode == 0
        except OSError:  # its base interpreter was removed
            return False

    def _packages_folder(self) -> Path:
        return Path(self._ask("import sysconfig; print(sysconfig.get_path('purelib'))").strip())

    def _was_made_elsewhere(self) -> bool:
        """Whether the environment was copied or moved along with the checkout: its scripts then point to the old place."""
        made_in = self._stamp().get("root")
        return made_in is not None and made_in != str(self.root)

    def _stamp(self) -> dict[str, str]:
        try:
            return json.loads((self.root / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}


@contextlib.contextmanager
def locked(path: Path) -> Iterator[tuple[int, ...]]:
    """Hold a lock file, so that tools/demo and tools/test started together do not install over each other."""
    try:
        import fcntl
    except ImportError:  # Windows: no lock
        yield ()
        return
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another installation is running in this checkout, waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield (handle.fileno(),)


def main() -> int:
    """Make the environment; 0 when it is ready, 1 when it cannot be made."""
    parser = argparse.ArgumentParser(description="Makes .venv with geoop in it.")
    parser.add_argument("--with-scatter", action="store_true", help="build torch-scatter too (needs a C++ compiler)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with locked(ROOT / LOCK) as inherit:
            environment = Environment(ROOT, Runner(ROOT, ROOT / LOG, inherit))
            if not environment.is_complete():
                environment.install()
            if options.with_scatter:
                environment.add_scatter()
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted; the same command continues where it stopped")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
