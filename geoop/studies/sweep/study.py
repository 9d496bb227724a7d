"""``geoop.study``: geometries by conditions, in one call: a table, ParaView files and a report, restartable."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError, GeoopError
from ...interfaces.protocols import Predictor
from ...io.atomic import replacing
from ...io.paraview import write_collection
from ...mesh.mesh import Mesh
from ...version import __version__
from .checking import Checked, check
from .findings import Finding, refuse
from .keeping import prepared
from .running import FAILED, Progress, StudyJob, compute, recorded
from .study_file import StudySpec, read_study
from .study_model import StudyModel
from .table import write_table


@dataclass(frozen=True, eq=False)
class Study:
    """A study that was computed.

    Attributes:
        folder: with table.csv, cases/, .pvd and study.json.
        rows: one per case: column -> text, number or None.
        files: table, .pvd and report.
        warnings: sentences that a reader should know.
        seconds: of this call.
    """

    folder: Path
    rows: tuple[Mapping[str, Any], ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    seconds: float

    @property
    def failed(self) -> dict[str, str]:
        """Case name -> why it failed and what to do."""
        return {row["case"]: str(row["message"]) for row in self.rows if row["outcome"] == FAILED}

    def column(self, name: str, geometry: str | None = None) -> np.ndarray:
        """(n,) values of one column of numbers, NaN where there is none; of one geometry only where it is named.

        Raises:
            ConfigurationError: no such column, or no such geometry.
        """
        chosen = [row for row in self.rows if geometry is None or row["geometry"] == geometry]
        if not chosen or not any(name in row for row in self.rows):
            known = sorted({row["geometry"] for row in self.rows}) if not chosen else sorted({key for row in self.rows for key in row})
            raise ConfigurationError(f"no '{geometry if not chosen else name}' in the study", where=str(self.folder), remedy=f"choose one of {known}")
        values = [row.get(name) for row in chosen]
        return np.array([np.nan if value is None or isinstance(value, str) else float(value) for value in values])

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` output."""
        return {
            "folder": str(self.folder),
            "files": [str(path) for path in self.files],
            "rows": [dict(row) for row in self.rows],
            "failed": self.failed,
            "warnings": list(self.warnings),
            "seconds": self.seconds,
        }

    def __repr__(self) -> str:
        return f"Study('{self.folder}', {len(self.rows)} cases, {len(self.failed)} failed)"

    def __str__(self) -> str:
        levels = [row.get("level") for row in self.rows if row["outcome"] != FAILED]
        said = ", ".join(f"{levels.count(level)} {level}" for level in ("inside", "edge", "outside") if level in levels)
        lines = [f"{len(self.rows)} cases in {self.folder}" + (f"; verdict: {said}" if said else "")]
        reasons: dict[str, list[str]] = {}
        for name, message in self.failed.items():
            reasons.setdefault(message, []).append(name)
        for message, names in list(reasons.items())[:10]:  # one geometry often fails alike at every condition
            lines.append(f"  failed {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {message}")
        lines += [f"  and for {len(reasons) - 10} more reasons, see table.csv"] if len(reasons) > 10 else []
        lines += [f"  note: {text}" for text in self.warnings]
        shown = self.files if len(self.files) <= 12 else [path for path in self.files if path.suffix != ".pvd" or path.stem in ("study", "surface")]
        lines += [f"  written: {path}" for path in shown]
        return "\n".join([*lines, *([f"  and {len(self.files) - len(shown)} .pvd of single geometries"] if len(shown) < len(self.files) else [])])


def study(
    source: str | Path | Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    *,
    model: str | Path | Predictor | None = None,
    geometry: str | Path | Mesh | Mapping[str, Any] | Sequence[Any] | None = None,
    alpha: Any = None,
    velocity: Any = None,
    conditions: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    workers: int = 1,
    dask: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    said: Callable[[str], None] | None = None,
) -> Study:
    """Predict every geometry at every condition; write table, ParaView files and report into a folder.

        geoop.study("study.toml")
        geoop.study(model="airfoil-potential", geometry=["naca2412", "wings/*.dat"], alpha="-4:12:1", velocity=60, output="polar")

    A study that was interrupted goes on when it is called again; at most the case in flight is computed again (of cases that take
    less than two seconds, the block of those two seconds; on a Dask cluster the geometries in flight). Everything that is wrong with
    a study is said before anything is computed; a case that fails is listed with its reason and the others go on.

    Args:
        source: study.toml (``geoop study --template`` prints a commented one), or a mapping of the same keys.
        output: folder to make; that of the file unless given.
        model: name of a shipped model, path of a checkpoint, ``"panels"``, or any predictor; instead of that of the source.
        geometry: what stands under ``geometry``, or a mesh, a name such as ``naca2412``, a path, a pattern, or a list of these.
        alpha: angles of attack [deg]: a number, a list, ``"start:stop:step"``.
        velocity: [m/s], likewise.
        conditions: other conditions: beta, reynolds, mach, density, viscosity, sampling, count.
        settings: other keys of the file: surface_only, files, compare, drag, smallest_edge_angle, reference_area,
            reference_length, accept, seed, report.
        workers: processes; 1 stays in this one.
        dask: address of a Dask scheduler whose workers compute instead, ``tcp://host:8786``.
        resume: expect an interrupted or finished study in the folder, and try its failed cases again.
        overwrite: replace another study in the folder.
        progress: called as (cases done, cases in all).
        said: called with every warning before anything is computed.

    Raises:
        ConfigurationError: whatever is wrong with the study, all of it in one error; another study in the folder; workers < 1.
        CheckpointError: the model cannot be loaded.
        UnwritableFileError: no permission, or the disk is full; what is done stays.
    """
    start = time.perf_counter()
    spec = read_study(_merged(source, model, geometry, alpha, velocity, conditions, settings))
    folder = _folder(spec, output, workers, dask)
    job, checked = plan(spec)
    if said:
        for text in checked.warnings:
            said(text)
    with prepared(folder, job, resume=resume, overwrite=overwrite) as left:
        _note(folder, job, checked.warnings, None)
        compute(job, folder, left, workers, dask, progress)
        return _finished(folder, job, checked.warnings, start)


def _finished(folder: Path, job: StudyJob, known: Sequence[str], start: float) -> Study:
    """Table, series, notes and report from the records of the cases."""
    rows = _rows(folder, job)
    files, note = write_table(rows, folder)
    warnings = (*known, *((note,) if note else ()), *_about(rows))
    files += _series(folder, job)
    seconds = time.perf_counter() - start
    _note(folder, job, warnings, seconds)
    return Study(folder, tuple(rows), (*files, *(_report(folder) if job.settings.report else [])), warnings, seconds)


def plan(spec: StudySpec) -> tuple[StudyJob, Checked]:
    """The checked cases of a study, and what its reader should know.

    Raises:
        ConfigurationError: what is wrong with the study.
        CheckpointError: the model cannot be loaded.
    """
    try:
        model = StudyModel.of(spec.model, spec.settings.smallest_edge_angle)
    except GeoopError as error:
        if spec.errors:
            refuse([Finding.of(item, spec.where) for item in (error, *spec.errors)], spec.where)
        raise
    checked = check(spec, model)
    return StudyJob(model, checked.geometries, spec.conditions, spec.settings), checked


def _merged(source: Any, model: Any, geometry: Any, alpha: Any, velocity: Any, conditions: Any, settings: Any) -> Any:
    """The source with what was given besides; a file that nothing is given besides stays a path, which its own paths are relative to."""
    given = {key: value for key, value in (("model", model), ("geometry", geometry)) if value is not None}
    own = {key: value for key, value in (("alpha", alpha), ("velocity", velocity)) if value is not None} | dict(conditions or {})
    if not given and not own and not settings:
        return {} if source is None else source
    if source is not None and not isinstance(source, Mapping):
        raise ConfigurationError(
            f"a study file, and {', '.join([*given, *own, *(settings or {})])} besides",
            where=str(source),
            remedy="write them into the file, or give everything without one",
        )
    table = dict(source or {})
    merged = {**dict(table.get("conditions", {})), **own}
    return {**table, **given, **({"conditions": merged} if merged else {}), **dict(settings or {})}


def _folder(spec: StudySpec, output: str | Path | None, workers: int, dask: str | None) -> Path:
    """Where the study goes.

    Raises:
        ConfigurationError: nobody said where, or contradictory workers.
    """
    problems = []
    if output is None and spec.output is None:
        problems.append("no folder for the study")
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        problems.append(f"workers is {workers!r}")
    elif workers > 1 and dask is not None:
        problems.append("workers and a Dask scheduler exclude each other: the scheduler knows its workers")
    if problems:
        raise ConfigurationError("; ".join(problems), where=spec.where, remedy="give output=FOLDER, and workers >= 1 or dask=ADDRESS")
    return Path(output if output is not None else spec.output).expanduser().absolute()  # type: ignore[arg-type]


def _rows(folder: Path, job: StudyJob) -> list[dict[str, Any]]:
    """All rows in the order of the study."""
    rows = []
    for geometry in job.geometries:
        done = recorded(folder, geometry.name)
        rows += [done[name] for number in range(len(job.conditions)) if (name := job.name(geometry.name, number)) in done]
    return rows


def _about(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences about the table as a whole."""
    said = []
    outside = sum(row.get("level") == "outside" for row in rows)
    failed = sum(row["outcome"] == FAILED for row in rows)
    said += [f"{outside} of {len(rows)} cases are outside of what the model was trained on: do not rely on them"] if outside else []
    said += [f"{failed} of {len(rows)} cases failed; their rows say why"] if failed else []
    return said


def _series(folder: Path, job: StudyJob) -> list[Path]:
    """The .pvd files: walls, fields, and where there are several geometries one for each."""
    parameter, values = job.steps
    order = sorted(range(len(values)), key=values.__getitem__)
    walls: list[tuple[float, str]] = []
    fields: list[tuple[float, str]] = []
    found = []
    for geometry in job.geometries:
        own: dict[str, list[tuple[float, str]]] = {"wall": [], "field": []}
        for number in order:
            for kind, file in job.files(geometry.name, number).items():
                if (folder / file).is_file():
                    own[kind].append((values[number], file))
        walls += own["wall"]
        fields += own["field"]
        if len(job.geometries) > 1 and (own["field"] or own["wall"]):
            found.append(write_collection(folder / f"{geometry.name}.pvd", own["field"] or own["wall"], parameter))
    if len(job.geometries) > 1:  # one after the other
        parameter = "case [1]"
        walls, fields = ([(float(k), file) for k, (_, file) in enumerate(steps)] for steps in (walls, fields))
    whole = [write_collection(folder / name, steps, parameter) for name, steps in (("study.pvd", fields), ("surface.pvd", walls)) if steps]
    return [*whole, *found]


def _note(folder: Path, job: StudyJob, warnings: Sequence[str], seconds: float | None) -> None:
    """study.json: everything that the numbers depend on; ``seconds`` is null while it runs."""
    geometries = [
        {
            "name": item.name,
            "file": item.source,
            "parameters": dict(item.parameters),
            "dimension": item.mesh.dimension,
            "points": len(item.mesh.points),
            "reference_length": item.length,
            "reference_area": item.area,
            "moment_point": list(item.point),
            "notes": list(item.mesh.notes),
            **({"chord": item.length} if item.mesh.dimension == 2 else {}),
            "unit": "m",
        }
        for item in job.geometries
    ]
    data = {
        "geoop": __version__,
        "name": folder.resolve().name,
        "command": _command(),
        "model": job.model.card(),
        "settings": {**vars(job.settings), "accept": list(job.settings.accept)},
        "geometries": geometries,
        "conditions": [condition.stated() for condition in job.conditions],
        "cases": job.size,
        "series": job.steps[0],
        "warnings": list(warnings),
        "seconds": seconds,
    }
    with replacing(folder / "study.json") as beside:
        beside.write_text(json.dumps(data, indent=1, default=str), encoding="utf-8")


def _command() -> str | None:
    """The words that this program was started with, as a shell takes them; None at a prompt and in a notebook, where they say nothing."""
    program = Path(sys.argv[0] if sys.argv else "")
    if program.name == "__main__.py":
        words = ["python", "-m", program.parent.name]
    elif program.suffix == ".py" and program.stem != "ipykernel_launcher":
        words = ["python", program.name]
    elif program.stem == "geoop":
        words = ["geoop"]
    else:
        return None
    return shlex.join([*words, *sys.argv[1:]])


def _report(folder: Path) -> list[Path]:
    """Pictures, ParaView script and report, all made from the folder."""
    try:
        from ..report.page import write_report
    except ImportError:
        return []
    return [write_report(folder)]
