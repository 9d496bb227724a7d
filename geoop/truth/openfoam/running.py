"""An OpenFOAM case run from the mesh check to the verdict; what does not pass is refused with its reasons."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ConfigurationError, ConvergenceError, InvalidMeshError, UnreadableFileError
from ...io.openfoam.dictionary import Dictionary, find_file, load
from ...io.openfoam.dictionary_writing import write_dictionary
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from .coefficient_files import read_coefficients
from .dictionaries import decomposition
from .finished import finished_case
from .judging import Judgement, Tolerances, judge
from .log import History, Progress
from .processes import Ended, run_program

Watch = Callable[[Progress], None]
_FAILED = re.compile(r"^\s*\*\*\*(.*)")
_STEADY = re.compile(r"(simple|rhoSimple|potential|laplacian|porousSimple|SRFSimple|buoyantSimple|overSimple)\w*Foam")
_FULL = re.compile(r"No space left on device", re.I)


@dataclass(frozen=True)
class Limits:
    """What a run may cost.

    Attributes:
        processors: 1 runs serially; more decompose the case and need ``mpirun``.
        seconds: of wall time for the solver; None waits.
        tolerances: what counts as converged.
    """

    processors: int = 1
    seconds: float | None = None
    tolerances: Tolerances = field(default_factory=Tolerances)

    def __post_init__(self) -> None:
        problems = []
        if self.processors < 1 or self.processors != int(self.processors):
            problems.append(f"processors is {self.processors}, give a whole number >= 1")
        if self.seconds is not None and not self.seconds > 0:
            problems.append(f"seconds is {self.seconds}, give a positive number or None")
        if problems:
            raise ConfigurationError("; ".join(problems), where="Limits", remedy="Limits(processors=1, seconds=600)")


@dataclass(frozen=True, eq=False)
class Run:
    """A run that has ended.

    Attributes:
        folder: of the case.
        case: the fields of its last time on the mesh, with patches, wall shear and coefficients, see :func:`finished_case`.
        judgement: the verdict and its numbers.
        history: residuals and coefficients of every step.
        seconds: wall time of the solver.
    """

    folder: Path
    case: Case
    judgement: Judgement
    history: History
    seconds: float


def run(
    folder: str | os.PathLike[str],
    operating_point: OperatingPoint | None = None,
    *,
    limits: Limits = Limits(),
    watch: Watch | None = None,
    accept: bool = False,
) -> Run:
    """Check the mesh of a case, run its solver, judge the run and read it back.

    The solver is the ``application`` of system/controlDict. The coefficients are those that a ``forceCoeffs`` function logs or writes.
    Output goes to ``log.checkMesh``, ``log.<solver>`` and the like in the folder.

    Args:
        folder: of an OpenFOAM case, for example of :meth:`FoamCase.write`.
        operating_point: goes into the case that is read back; its density turns p into Pa.
        limits: processors, time, tolerances.
        watch: called after every iteration or time step; what it raises ends the run and is raised here.
        accept: return runs that did not converge instead of raising, to look at them; ``run.judgement`` says so.

    Raises:
        MissingDependencyError: OpenFOAM (or mpirun, when decomposed) is not installed; the message has the command.
        UnreadableFileError: no case, or it names no solver.
        InvalidMeshError: ``checkMesh`` does not say that the mesh is OK; with its reasons.
        ConvergenceError: stopped by an error (with what the solver said), killed, out of time, NaN, or not converged by the judge.
    """
    root = Path(folder).expanduser()
    solver, steady, end = _told(root)
    check_mesh(root)
    history = History()
    started = time.monotonic()

    def line(text: str) -> None:
        if history.take(text) and watch is not None:
            watch(history.step(-2, end, time.monotonic() - started))

    ended = _solve(root, solver, limits, line)
    if watch is not None and history.times:
        watch(history.step(-1, end, ended.seconds))
    _refuse_broken(ended, history, root, limits)
    read_coefficients(root, history)
    judgement = judge(history, steady=steady, tolerances=limits.tolerances)
    if judgement.outcome.status == "diverged" or not (judgement.outcome.ok or accept):
        raise ConvergenceError(f"{judgement.outcome.status}: {judgement.outcome.detail}", where=str(root), remedy=judgement.outcome.remedy)
    _wall_shear(root, solver)
    return Run(root, finished_case(root, operating_point, judgement), judgement, history, ended.seconds)


def check_mesh(folder: Path) -> None:
    """Run ``checkMesh`` on a case.

    Raises:
        InvalidMeshError: it does not say ``Mesh OK``; with every check that failed.
    """
    ended = run_program(["checkMesh", "-constant", "-noFunctionObjects"], folder, "log.checkMesh")
    text = ended.log.read_text(errors="replace")
    if re.search(r"^Mesh OK", text, re.M) and ended.code == 0:
        return
    failed = [found[1].strip() for found in map(_FAILED.match, text.splitlines()) if found]
    history = History()
    for line in text.splitlines():
        history.take(line)
    reasons = "; ".join(failed) or " ".join(history.fatal) or f"it ended with status {ended.code}"
    raise InvalidMeshError(f"checkMesh refuses the mesh: {reasons}", where=str(folder), remedy=f"repair the mesh; all of it is in {ended.log}")


def _told(root: Path) -> tuple[str, bool, float]:
    """Solver, whether it is a steady one, and where it ends."""
    path = find_file(root / "system", "controlDict")
    if path is None:
        raise UnreadableFileError("there is no system/controlDict", where=str(root), remedy="give the folder of an OpenFOAM case")
    control = Dictionary.of(load(path), root)
    solver, end = control.word("application"), control.word("endTime", "0")
    if not re.fullmatch(r"\w+", solver):
        raise UnreadableFileError("names no application", where=str(path), remedy="add a line such as 'application simpleFoam;'")
    path = find_file(root / "system", "fvSchemes")
    time_scheme = Dictionary.of(load(path), root).sub("ddtSchemes") if path else None
    steady = bool(_STEADY.fullmatch(solver)) or (time_scheme is not None and "steadyState" in time_scheme.word("default"))
    return solver, steady, float(end) if re.fullmatch(r"[-+.\deE]+", end) else 0.0


def _solve(root: Path, solver: str, limits: Limits, line: Callable[[str], None]) -> Ended:
    if limits.processors == 1:
        return run_program([solver], root, f"log.{solver}", seconds=limits.seconds, line=line)
    own = find_file(root / "system", "decomposeParDict")
    if own is None or Dictionary.of(load(own), root).word("numberOfSubdomains") != str(limits.processors):
        write_dictionary(root / "system" / "decomposeParDict", decomposition(limits.processors))
    _must(["decomposePar", "-force"], root)
    command = ["mpirun", "-np", str(limits.processors), solver, "-parallel"]
    ended = run_program(command, root, f"log.{solver}", seconds=limits.seconds, line=line)
    if ended.code == 0 and not ended.timed_out:
        _must(["reconstructPar", "-latestTime"], root)
    return ended


def _must(command: list[str], root: Path, log: str = "") -> None:
    """Run one of the small programs round a solver.

    Raises:
        ConvergenceError: it failed; with what it said.
    """
    ended = run_program(command, root, log or f"log.{command[0]}")
    if ended.code != 0:
        raise ConvergenceError(f"{command[0]} failed: {_said(ended)}", where=str(root), remedy=f"read {ended.log}")


def _said(ended: Ended) -> str:
    history = History()
    lines = ended.log.read_text(errors="replace").splitlines()
    for text in lines:
        history.take(text)
    return " ".join(history.fatal or [text.strip() for text in lines if text.strip()][-3:]) or f"status {ended.code}, no output"


def _refuse_broken(ended: Ended, history: History, root: Path, limits: Limits) -> None:
    last = f"after {len(history.times)} steps (time {history.times[-1]:g})" if history.times else "before the first step"
    if ended.timed_out:
        text, remedy = f"stopped {last}: its {limits.seconds:g} s of wall time were over", "allow more seconds, or ask for fewer steps or cells"
    elif history.fatal or history.first_not_finite():
        said = " ".join(history.fatal)
        if "sigFpe" in said:  # the rest is a list of functions
            said = "floating point exception, numbers grew beyond all bounds"
        text = f"diverged or failed {last}: {'; '.join(item for item in (history.first_not_finite(), said) if item)}"
        remedy = "start from a converged case (start=), lower the relaxation or the time step, or improve the mesh"
        if _FULL.search(said):
            remedy = "free disk space"
    elif ended.killed:
        text, remedy = (
            f"was ended by signal {-ended.code if ended.code < 0 else ended.code - 128} {last}",
            "look for an out-of-memory killer, run it again",
        )
    elif ended.code != 0:
        text, remedy = f"ended with status {ended.code} {last}: {_said(ended)}", f"read {ended.log}"
    else:
        return
    raise ConvergenceError(f"the solver {text}", where=str(root), remedy=remedy)


def _wall_shear(root: Path, solver: str) -> None:
    """The field wallShearStress of the last time; icoFoam has no model of its own to compute it with."""
    program = "pimpleFoam" if solver == "icoFoam" else solver
    _must([program, "-postProcess", "-func", "wallShearStress", "-latestTime"], root, "log.wallShearStress")
