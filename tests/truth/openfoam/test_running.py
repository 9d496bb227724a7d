"""Runs with programs that only pretend: everything that must be refused is, with its reason; what is good comes back."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ConvergenceError, InvalidMeshError, MissingDependencyError, UnreadableFileError
from geoop.truth.openfoam.log import Progress
from geoop.truth.openfoam.running import Limits, run
from tests.truth.openfoam.fake_programs import GOOD_MESH, POINT, install, log_of, steady_case

STEPS = np.arange(100)
FLAT = log_of(1.5 + np.exp(-STEPS / 4.0), np.maximum(0.5**STEPS, 1e-8))


@pytest.fixture
def root(tmp_path):
    return steady_case(tmp_path / "run")


def pretend(tmp_path, monkeypatch, log: str, then: str = "", mesh: str = GOOD_MESH) -> None:
    """checkMesh and a simpleFoam that prints a log; -postProcess prints nothing."""
    (tmp_path / "said").write_text(log)
    solver = f'if [ "$1" = -postProcess ]; then exit 0; fi\ncat {tmp_path / "said"}\n{then}'
    install(tmp_path / "bin", monkeypatch, checkMesh=mesh, simpleFoam=solver)


def test_a_good_run_comes_back_with_its_coefficients(tmp_path, monkeypatch, root):
    pretend(tmp_path, monkeypatch, FLAT)
    steps: list[Progress] = []
    ended = run(root, POINT, watch=steps.append)
    assert ended.judgement.outcome.status == "converged"
    assert float(ended.case.field("drag_coefficient").values) == pytest.approx(1.5, abs=1e-6)
    assert [step.time for step in steps] == list(range(1, 101))
    assert steps[-1].end == 100
    assert steps[9].residuals["p"] == pytest.approx(0.5**9)
    assert ended.case.operating_point == POINT


def test_a_bad_mesh_stops_before_the_solver(tmp_path, monkeypatch, root):
    pretend(tmp_path, monkeypatch, FLAT, mesh="echo ' ***High aspect ratio cells found, Max aspect ratio: 2e7'; echo 'Failed 1 mesh checks.'")
    with pytest.raises(InvalidMeshError, match="High aspect ratio cells found, Max aspect ratio: 2e7"):
        run(root)
    assert not (root / "log.simpleFoam").exists()


@pytest.mark.parametrize(
    ("log", "then", "says"),
    [
        (log_of(np.ones(9), np.full(9, 1e-3)) + "--> FOAM FATAL ERROR:\ncannot find patch lid\n", "exit 1", "cannot find patch lid"),
        (log_of(np.where(STEPS > 50, np.nan, 1.0), np.full(100, 1e-3)), "", "Cd is nan at time 52"),
        (
            log_of(np.ones(30), np.full(30, 1e-3)) + "#0  Foam::error::printStack(Foam::Ostream&)\n#1  Foam::sigFpe::sigHandler(int)\n",
            "exit 136",
            "floating point",
        ),
        (log_of(np.ones(30), np.full(30, 1e-3)), "kill -9 $$", r"signal 9 after 30 steps"),
        ("", "echo bad luck; exit 7", "status 7 before the first step: bad luck"),
        (log_of(1 + 0.01 * STEPS, np.full(100, 1e-7)), "", "Cd moves by"),
        (log_of(np.ones(100), np.full(100, 1e-2)), "", "residual of Ux is up to 0.01"),
    ],
    ids=["fatal", "nan", "signal-fpe", "killed", "status", "not-flat", "residual"],
)
def test_what_must_be_refused_says_why(tmp_path, monkeypatch, root, log, then, says):
    pretend(tmp_path, monkeypatch, log, then)
    with pytest.raises(ConvergenceError, match=says):
        run(root)


def test_time_is_limited(tmp_path, monkeypatch, root):
    pretend(tmp_path, monkeypatch, log_of(np.ones(5), np.ones(5)), "sleep 30")
    with pytest.raises(ConvergenceError, match=r"after 5 steps.*its 0.5 s of wall time were over"):
        run(root, limits=Limits(seconds=0.5))


def test_a_run_that_has_not_settled_can_be_looked_at_on_request(tmp_path, monkeypatch, root):
    pretend(tmp_path, monkeypatch, log_of(1 + 0.01 * STEPS, np.full(100, 1e-7)))
    ended = run(root, accept=True)
    assert ended.judgement.outcome.status == "stagnated"
    assert len(ended.history.times) == 100


def test_coefficients_are_found_in_files_where_the_log_has_none(tmp_path, monkeypatch, root):
    quiet = "\n".join(line for line in FLAT.splitlines() if " : " not in line)
    pretend(tmp_path, monkeypatch, quiet)
    folder = root / "postProcessing" / "coefficients" / "0"
    folder.mkdir(parents=True)
    rows = "\n".join(f"{step + 1}\t{1.25}\t0.5\t-0.1" for step in STEPS)
    (folder / "coefficient.dat").write_text(f"# Force coefficients\n# Time  Cd  Cl  CmPitch\n{rows}\n101\t9.")
    case = run(root).case
    assert [float(case.field(name).values) for name in ("drag_coefficient", "lift_coefficient", "moment_coefficient")] == pytest.approx(
        [1.25, 0.5, -0.1]
    )


def test_parallel_runs_need_mpirun(tmp_path, monkeypatch, root):
    install(tmp_path / "bin", monkeypatch, checkMesh=GOOD_MESH, decomposePar="exit 0", simpleFoam="exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # without what is installed on this machine
    with pytest.raises(MissingDependencyError, match="openmpi-bin"):
        run(root, limits=Limits(processors=2))


def test_folders_that_are_no_case_are_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="controlDict"):
        run(tmp_path)
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "controlDict").write_text("endTime 3;\n")
    with pytest.raises(UnreadableFileError, match="no application"):
        run(tmp_path)


def test_impossible_limits_are_one_error():
    with pytest.raises(ConfigurationError, match=r"processors is 0.*seconds is -1"):
        Limits(processors=0, seconds=-1)
