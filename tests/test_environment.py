"""The set-up: which commands a described machine gets, what stops them, what a cut-off installation leaves. Nothing is downloaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import command
import environment
import pytest
import scatter_wheel
from command import CommandError, Runner
from environment import Environment, Machine, SetupError
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
INDEX = "https://index.example/cpu"
posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")


def machine(system: str = "Linux", *, gpu: bool = False, uv: str | None = None) -> Machine:
    return Machine(system, gpu, uv, INDEX)


def wanted(attempt: environment.Attempt) -> str:
    return attempt.command[-1]


def test_linux_without_gpu_looks_at_home_first_and_takes_cpu_builds_only():
    attempts = environment.torch_attempts(machine(uv="uv"), "python", "2.13.0", None)
    assert [wanted(attempt) for attempt in attempts] == ["torch==2.13.0+cpu"] * 3
    by_pip, by_uv, by_index = (attempt.command for attempt in attempts)
    assert "--index-url" not in by_pip
    assert by_uv[:3] == ("uv", "pip", "install")
    assert "--torch-backend=auto" in by_uv
    assert by_index[by_index.index("--index-url") + 1] == INDEX
    assert all("--no-deps" in attempt.command for attempt in attempts)  # what torch depends on is pinned, and comes later


def test_uv_is_asked_only_where_it_is():
    assert len(environment.torch_attempts(machine(), "python", "2.13.0", None)) == 2


@pytest.mark.parametrize(("described"), [machine(gpu=True), machine(gpu=True, uv="uv"), machine("Darwin"), machine("Windows")])
def test_elsewhere_the_plain_version_is_taken(described):
    (attempt,) = environment.torch_attempts(described, "python", "2.13.0", None)
    assert wanted(attempt) == "torch==2.13.0"
    assert "--index-url" not in attempt.command


@pytest.mark.parametrize(
    ("described", "installed", "stays"),
    [
        (machine(), "2.13.0+cpu", True),
        (machine(), "2.13.0", True),
        (machine(), "2.13.0+cu130", False),
        (machine(), "2.12.1+cpu", False),
        (machine(gpu=True), "2.13.0+cu130", True),
        (machine(gpu=True), "2.13.0+cpu", True),
        (machine("Darwin"), "2.13.0", True),
        (machine("Darwin"), "2.12.0", False),
    ],
)
def test_installed_torch_stays_when_it_fits(described, installed, stays):
    assert (environment.torch_attempts(described, "python", "2.13.0", installed) == []) is stays


@pytest.mark.parametrize(
    "line",
    [
        "Collecting nvidia-cublas-cu12==12.8.4.1",
        "  Downloading nvidia_cudnn_cu12-9.10.2.21-py3-none-manylinux_2_27_x86_64.whl (706.8 MB)",
        "Using cached nvidia_nccl_cu12-2.27.3-py3-none-manylinux2014_x86_64.whl",
        "Collecting cuda-bindings<14,>=13.0.3",
        "  Downloading https://files.example/packages/aa/nvidia_curand-10.4-py3-none-any.whl",
    ],
)
def test_cuda_package_stops_a_machine_without_gpu(line):
    assert "CUDA package" in (environment.refused_on_cpu(line) or "")


@pytest.mark.parametrize(
    "line", ["Collecting warp-lang==1.19.0", "  Downloading torch-2.13.0+cpu.whl", "Collecting pyvista", "nvidia-smi not found", ""]
)
def test_other_lines_do_not(line):
    assert environment.refused_on_cpu(line) is None


def test_cuda_packages_are_recognised_by_name():
    names = ["torch", "nvidia-cudnn-cu12", "NVIDIA_nccl", "cuda-bindings", "cudatext", "warp-lang"]
    assert environment.cuda_packages(names) == ["NVIDIA_nccl", "cuda-bindings", "nvidia-cudnn-cu12"]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("OSError: [Errno 28] No space left on device", "free about"),
        ("NewConnectionError: Temporary failure in name resolution", "network"),
        ("ERROR: No matching distribution found for torch==2.13.0+cpu", "GEOOP_TORCH_INDEX"),
        ("something else", "geoop-install.log"),
    ],
)
def test_failure_has_a_remedy(line, word):
    assert word in environment.remedy_for(["first", line])


@posix
@pytest.mark.parametrize(
    ("script", "found"), [("echo 'GPU 0: A (UUID: b)'", True), ("echo 'No devices were found'", False), ("exit 9", False), (None, False)]
)
def test_gpu_is_believed_only_when_listed(tmp_path, monkeypatch, script, found):
    if script is not None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.has_nvidia_gpu() is found


def test_index_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("GEOOP_TORCH_INDEX", INDEX)
    assert environment.detect_machine().torch_index == INDEX
    monkeypatch.delenv("GEOOP_TORCH_INDEX")
    assert environment.detect_machine().torch_index == environment.DEFAULT_TORCH_INDEX


# --- the pins -------------------------------------------------------------------------------------------------------------


def pins() -> dict[str, str]:
    lines = (ROOT / environment.CONSTRAINTS).read_text(encoding="utf-8").splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if line and not line.startswith("#"))


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [project["project"]["dependencies"], project["build-system"]["requires"], *project["project"]["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def test_every_requirement_is_pinned_to_a_version_that_it_allows():
    known = pins()
    for requirement in requirements():
        assert requirement.name in known, f"{requirement.name} is not pinned in {environment.CONSTRAINTS}"
        assert known[requirement.name] in requirement.specifier


def test_pins_are_exact_and_hold_on_any_machine():
    for name, version in pins().items():
        assert Version(version).local is None, f"{name}=={version} names a build that other machines do not have"
        assert not environment.cuda_packages([name])


def test_missing_pin_is_said():
    assert environment.pinned("torch", "numpy==2.0\ntorch==2.13.0\n") == "2.13.0"
    with pytest.raises(SetupError, match="does not pin torch"):
        environment.pinned("torch", "torch-geometric==2.8.1\n")


# --- the environment, with pip replaced by a record of what it was asked -------------------------------------------------


class RecordedEnvironment(Environment):
    """Writes down the commands; those with a word of ``failing`` fail. ``packages`` is what is found installed."""

    machine = machine()

    def __init__(self, root: Path, packages: dict[str, str], failing: tuple[str, ...] = ()) -> None:
        super().__init__(root, Runner(root, root / "log"))
        self.packages = packages
        self.failing = failing
        self.asked: list[list[str]] = []

    def _run(self, command, label):
        self.asked.append(command)
        if any(word in command for word in self.failing):
            raise SetupError(f"{label} failed", "none")
        if "torch==2.13.0+cpu" in command:
            self.packages["torch"] = "2.13.0+cpu"
        if "venv" in command:
            (self.root / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
            (self.root / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7\n", encoding="utf-8")
            (self.root / self.python).parent.mkdir(exist_ok=True)
            (self.root / self.python).touch()

    def _runs(self, code):
        return True

    def _packages_folder(self):
        folder = self.root / ".venv" / "packages"
        folder.mkdir(exist_ok=True)
        return folder

    def installed(self):
        return self.packages


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A folder with the files that an environment is made of."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    text = "torch==2.13.0\ntorch-scatter==2.1.2\nsetuptools==84.2.1\nwheel==0.48.0\nninja==1.13.2\n"
    (tmp_path / environment.CONSTRAINTS).write_text(text, encoding="utf-8")
    return tmp_path


def test_install_pins_torch_before_everything_else(checkout):
    made = RecordedEnvironment(checkout, {})
    assert not made.is_complete()
    made.install()
    assert made.is_complete()
    torch_at = next(i for i, asked in enumerate(made.asked) if asked[-1].startswith("torch=="))
    geoop_at = next(i for i, asked in enumerate(made.asked) if "-e" in asked)
    assert torch_at < geoop_at
    assert str(environment.TORCH_PIN) in made.asked[geoop_at]
    assert (checkout / environment.TORCH_PIN).read_text(encoding="utf-8") == "torch==2.13.0+cpu\n"
    assert not (checkout / environment.UNFINISHED).exists()


def test_second_source_is_asked_when_the_first_has_nothing(checkout, capsys):
    class FirstEmpty(RecordedEnvironment):
        def _run(self, command, label):
            super()._run(command, label)
            if command[-1] == "torch==2.13.0+cpu" and "--index-url" not in command:
                self.packages.pop("torch")
                raise SetupError("no matching distribution", "none")

    made = FirstEmpty(checkout, {})
    made.install()
    assert INDEX in made.asked[[command[-1] for command in made.asked].index("torch==2.13.0+cpu") + 1]
    assert "not there: what pip finds" in capsys.readouterr().err


def test_no_source_at_all_is_one_error(checkout):
    with pytest.raises(SetupError, match=r"torch 2\.13\.0 was not found") as caught:
        RecordedEnvironment(checkout, {}, failing=("torch==2.13.0+cpu",)).install()
    assert "remedy" in str(caught.value)
    assert not (checkout / environment.STAMP).exists()


def test_cuda_package_without_gpu_fails_loudly(checkout):
    made = RecordedEnvironment(checkout, {"nvidia-cudnn-cu12": "9"})
    with pytest.raises(SetupError, match="CUDA packages .* nvidia-cudnn-cu12"):
        made.install()
    assert not made.is_complete()
    assert (checkout / environment.UNFINISHED).exists()


@pytest.mark.parametrize("changed", ["pyproject.toml", "tools/constraints.txt", ".venv/pyvenv.cfg"])
def test_change_of_the_recipe_is_noticed(checkout, changed):
    made = RecordedEnvironment(checkout, {})
    made.install()
    assert made.is_complete()
    with (checkout / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert not made.is_complete()


def test_moved_checkout_is_noticed(checkout, tmp_path_factory):
    RecordedEnvironment(checkout, {}).install()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(checkout, elsewhere)
    moved = RecordedEnvironment(elsewhere, {})
    assert not moved.is_complete()
    moved.install()
    assert any("--clear" in asked for asked in moved.asked)  # its scripts point to the old place
    assert moved.is_complete()


def test_cut_off_packages_are_forgotten(tmp_path):
    whole, cut = ("INSTALLER", "RECORD"), ("METADATA", "RECORD")
    for name, files in {"good-1.0.dist-info": whole, "cut-1.0.dist-info": cut, "~orch": ("x",), "good": ("x",)}.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    assert environment.remove_half_installed(tmp_path) == ["cut-1.0.dist-info", "~orch"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "good-1.0.dist-info"]


def test_scatter_that_cannot_be_built_is_a_warning(checkout, monkeypatch, capsys):
    def fail(*_):
        raise scatter_wheel.BuildError("no C++ compiler found")

    monkeypatch.setattr(scatter_wheel, "install", fail)
    made = RecordedEnvironment(checkout, {})
    made.install()
    made.add_scatter()
    assert "warning: torch-scatter is not available (no C++ compiler found)" in capsys.readouterr().err
    assert made.is_complete()


def test_scatter_is_added_once_per_torch(checkout, monkeypatch):
    calls = []
    monkeypatch.setattr(scatter_wheel, "install", lambda *arguments: calls.append(arguments[-1]))
    made = RecordedEnvironment(checkout, {})
    made.install()
    made.add_scatter()
    made.add_scatter()
    assert calls == ["2.13.0+cpu"]
    made.packages["torch"] = "2.14.0+cpu"
    made.add_scatter()
    assert calls == ["2.13.0+cpu", "2.14.0+cpu"]
    assert made.is_complete()


@posix
def test_one_installation_at_a_time(tmp_path):
    lock = tmp_path / "lock"
    script = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    with environment.locked(lock):
        assert subprocess.run([sys.executable, "-c", script, lock], capture_output=True, check=False).returncode != 0
    assert subprocess.run([sys.executable, "-c", script, lock], capture_output=True, check=False).returncode == 0


# --- building torch-scatter -----------------------------------------------------------------------------------------------


def test_build_limit():
    assert scatter_wheel.build_limit({}) == 1500
    assert scatter_wheel.build_limit({"GEOOP_SCATTER_LIMIT": "60"}) == 60
    for text in ("soon", "0", "-1", "nan"):
        with pytest.raises(scatter_wheel.BuildError, match="not a positive number"):
            scatter_wheel.build_limit({"GEOOP_SCATTER_LIMIT": text})


def test_build_jobs():
    assert scatter_wheel.build_jobs({"MAX_JOBS": "1"}, 8) == 1
    assert scatter_wheel.build_jobs({}, 2) == 2
    assert scatter_wheel.build_jobs({}, 64) == 4
    assert scatter_wheel.build_jobs({"MAX_JOBS": "many"}, None) == 1


def test_wheels_are_kept_in_the_users_cache(tmp_path):
    assert scatter_wheel.cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "geoop" / "wheels"
    assert scatter_wheel.cache_folder({}) == Path.home() / ".cache" / "geoop" / "wheels"
    wheel = tmp_path / "torch_scatter-2.1.2-cp311.whl"
    wheel.write_bytes(b"wheel")
    scatter_wheel.keep(wheel, tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [wheel.name]


def test_missing_compiler_and_headers_are_said(tmp_path, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(scatter_wheel.BuildError, match=r"no C\+\+ compiler"):
        scatter_wheel.check_compiler(str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: name)
    with pytest.raises(scatter_wheel.BuildError, match="headers of Python"):
        scatter_wheel.check_compiler(str(tmp_path))
    (tmp_path / "Python.h").touch()
    scatter_wheel.check_compiler(str(tmp_path))


# --- running commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def runner(tmp_path) -> Runner:
    return Runner(tmp_path, tmp_path / "log")


def test_command_is_logged_and_timed(runner, capsys):
    seconds = runner.run([sys.executable, "-c", "print('one'); print('two')"], "counting")
    assert 0 <= seconds < 60
    assert runner.log.read_text(encoding="utf-8") == "one\ntwo\n"
    assert re.fullmatch(r"counting \.\.\.\ncounting: done in \d+ s\n", capsys.readouterr().err)


def test_failing_command_shows_its_last_lines(runner):
    with pytest.raises(CommandError, match="counting: exit code 3") as caught:
        runner.run([sys.executable, "-c", "import sys; [print(i) for i in range(100)]; sys.exit(3)"], "counting")
    assert caught.value.tail[-1] == "99"
    assert len(caught.value.tail) == command.TAIL


def test_refused_line_stops_the_command(runner):
    script = "import time; print('Collecting nvidia-cudnn-cu12', flush=True); time.sleep(60)"
    started = time.monotonic()
    with pytest.raises(CommandError, match="nvidia-cudnn-cu12 on a machine without a GPU"):
        runner.run([sys.executable, "-c", script], "pip", refuse=environment.refused_on_cpu)
    assert time.monotonic() - started < 50


@posix
def test_limit_ends_the_command_and_its_children(runner, tmp_path):
    beat = tmp_path / "beat"
    script = f"(while :; do date +%s%N > {beat}; sleep 0.1; done) & sleep 600"
    with pytest.raises(CommandError, match="stopped after the limit of 1 s"):
        runner.run(["sh", "-c", script], "building", limit=1.0)
    last = beat.read_text(encoding="utf-8") if beat.exists() else ""
    time.sleep(0.5)
    assert (beat.read_text(encoding="utf-8") if beat.exists() else "") == last


def test_compiler_line_is_shortened():
    line = "[3/9] g++ -MMD -Wsign-compare -O3 -I/usr/include/python3.11 -c csrc/cpu/segment_csr_cpu.cpp -o build/segment_csr_cpu.o -std=c++17"
    assert command.shorten(line) == "compiling segment_csr_cpu.cpp"
    assert command.shorten("  Downloading   x ") == "Downloading x"
    assert len(command.shorten("y" * 500)) == 90


# --- the shell scripts ----------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("script", ["tools/demo", "tools/test", ".ci/run"])
def test_script_is_executable_and_parses(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@posix
@pytest.mark.parametrize(
    ("variables", "message"), [({}, "no Python 3.11 or newer found"), ({"GEOOP_PYTHON": "no-such-python"}, "does not run, or is older")]
)
def test_missing_python_is_one_clear_error(tmp_path, variables, message):
    script = f'source "{ROOT}/tools/environment.sh"; find_python'
    answer = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script], env={"PATH": str(tmp_path), **variables}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert message in answer.stderr
    assert "remedy" in answer.stderr
