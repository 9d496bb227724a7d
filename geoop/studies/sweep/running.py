"""The cases of a study, computed: geometry by geometry, in this process, in worker processes or on a Dask cluster, each recorded when done."""

from __future__ import annotations

import glob
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ...errors import ConvergenceError, GeoopError, InvalidMeshError, UnwritableFileError
from ...interfaces.protocols import ManyPredictor
from ...interfaces.result import Result
from ...io.paraview import write_step
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...truth.panels.predictor import PanelPredictor
from ...truth.running.answers import answer
from ...truth.running.workers import in_processes
from .case_row import control, inputs, outputs, wall_case
from .conditions import Condition
from .geometries import Geometry
from .near_field import near_field
from .study_file import StudySettings
from .study_model import StudyModel
from .table import FAILED, finite

#: Folders of a study: files of the cases, and one record per geometry with a line per finished case.
CASES, ROWS = "cases", "rows"
#: Cases are predicted together as far as that takes no longer than this [s]: so much work an interruption may cost, or one case.
BLOCK_SECONDS, LARGEST_BLOCK = 2.0, 64
#: Units of work on a Dask cluster, whose number of workers may change.
DASK_UNITS = 16
#: Called as (cases done, cases in all).
Progress = Callable[[int, int], None]


@dataclass
class Pace:
    """How fast this process is, learnt from the block before.

    Attributes:
        seconds: per case and point of its geometry; None before the first block.
    """

    seconds: float | None = None

    def block(self, points: int) -> int:
        """How many cases of a geometry with so many points go together; the very first goes alone."""
        if self.seconds is None:
            return 1
        return max(1, min(LARGEST_BLOCK, int(BLOCK_SECONDS / max(self.seconds * points, 1e-6))))


@dataclass(frozen=True)
class StudyJob:
    """Everything that a worker needs to compute any case of a study.

    Attributes:
        model: that predicts.
        geometries: with reference values.
        conditions: taken by every geometry.
        settings: of the study.
    """

    model: StudyModel
    geometries: tuple[Geometry, ...]
    conditions: tuple[Condition, ...]
    settings: StudySettings

    @cached_property
    def shapes(self) -> dict[str, Geometry]:
        """Geometries by name."""
        return {item.name: item for item in self.geometries}

    @cached_property
    def panels(self) -> PanelPredictor:
        """The control method."""
        return PanelPredictor(smallest_edge_angle=self.settings.smallest_edge_angle)

    @cached_property
    def pace(self) -> Pace:
        """Of this process."""
        return Pace()

    @property
    def size(self) -> int:
        """Number of cases."""
        return len(self.geometries) * len(self.conditions)

    def name(self, geometry: str, number: int) -> str:
        """Name of a case, that of its files too."""
        return f"{geometry}_{number:0{max(4, len(str(len(self.conditions) - 1)))}d}"

    @cached_property
    def steps(self) -> tuple[str, tuple[float, ...]]:
        """What a series over the conditions of one geometry runs over: the angle of attack where it tells them apart, else their number."""
        angles = tuple(condition.alpha for condition in self.conditions)
        return ("alpha [deg]", angles) if len(set(angles)) == len(angles) else ("condition [1]", tuple(map(float, range(len(angles)))))

    def files(self, geometry: str, number: int) -> dict[str, str]:
        """``wall`` and ``field`` -> file of a case relative to the folder of the study; not every case has a field."""
        name = self.name(geometry, number)
        found = {"wall": f"{CASES}/{name}.vtp"} if self.settings.wall_files else {}
        if self.settings.field_files:
            found["field"] = f"{CASES}/{name}.vtu"
        return found


@dataclass(frozen=True)
class Parcel:
    """A file that a Dask worker sends back; ``entry`` because that is where the runner looks.

    Attributes:
        file: relative to the folder of the worker, and then of the study.
    """

    file: str

    @property
    def entry(self) -> Parcel:
        return self


def recorded(folder: Path, geometry: str) -> dict[str, dict[str, Any]]:
    """Case name -> row of the cases of one geometry that are done; a line that was cut off by an interruption is none.

    Of several rows of a case one without failure counts, else the last.
    """
    rows: dict[str, dict[str, Any]] = {}
    for path in (folder / ROWS / f"{geometry}.jsonl", *sorted((folder / ROWS).glob(f"{glob.escape(geometry)}@*.jsonl"))):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
            try:
                row = json.loads(line)
                if row["outcome"] != FAILED or rows.get(row["case"], row)["outcome"] == FAILED:
                    rows[row["case"]] = row
            except (ValueError, KeyError, TypeError):
                continue
    return rows


def compute(job: StudyJob, folder: Path, todo: Mapping[str, Sequence[int]], workers: int, dask: str | None, progress: Progress | None) -> None:
    """Compute cases and record them; a case that fails is recorded with its reason.

    Args:
        job: the study.
        folder: of the study.
        todo: geometry -> numbers of the conditions that are left.
        workers: 1 stays in this process.
        dask: address of a scheduler, whose workers compute instead.
        progress: called after every case; with workers after every geometry.

    Raises:
        UnwritableFileError: the disk is full or refuses; what is recorded stays.
        ConvergenceError: no worker can be started, or the Dask scheduler went away.
    """
    (folder / ROWS).mkdir(parents=True, exist_ok=True)
    done = job.size - sum(map(len, todo.values()))
    if progress:
        progress(done, job.size)
    if workers == 1 and dask is None:
        for geometry, numbers in todo.items():
            for _ in cases(job, folder, geometry, numbers):
                done += 1
                if progress:
                    progress(done, job.size)
        return
    for unit, found in _elsewhere(job, folder, _units(todo, workers if dask is None else DASK_UNITS), workers, dask):
        geometry, numbers = _of_unit(unit)
        _given_up(job, folder, geometry, numbers, found, workers, dask)
        done += len(numbers)
        if progress:
            progress(done, job.size)


def cases(job: StudyJob, folder: Path, geometry: str, numbers: Sequence[int], record: str = "") -> Iterator[str]:
    """Compute and record cases of one geometry in blocks; yields their names.

    Args:
        job: the study.
        folder: of the study.
        geometry: its name.
        numbers: of the conditions.
        record: name of the file of rows; that of the geometry unless several processes share one.
    """
    shape = job.shapes[geometry]
    left, placed, points = list(numbers), None, len(shape.mesh.points)
    many = isinstance(job.model.predictor, ManyPredictor)
    with (folder / ROWS / f"{record or geometry}.jsonl").open("a", encoding="utf-8") as rows:
        rows.write("\n")  # what an interruption cut off ends here
        while left:
            size = job.pace.block(points) if many else 1
            block, left = left[:size], left[size:]
            start = time.perf_counter()
            for number, found in _block(job, shape, block, placed):
                placed = placed if isinstance(found, GeoopError) else found.case
                row = _row(job, folder, shape, number, found, (time.perf_counter() - start) / len(block))
                rows.write(json.dumps(row) + "\n")
                rows.flush()
                yield row["case"]
            job.pace.seconds = (time.perf_counter() - start) / len(block) / points


def _block(job: StudyJob, shape: Geometry, numbers: Sequence[int], placed: Case | None) -> Iterator[tuple[int, Result | GeoopError]]:
    """Predictions of a block; where one of it fails, of its cases one by one, so that only that one is lost.

    Where no grid can be made around a section (a slot, a deep cavity) its wall is predicted alone, and the outcome says why there is no field.
    """
    points = [job.conditions[number].operating_point(shape.length) for number in numbers]
    found = _answers(job, shape, points, not job.settings.field_files, placed)
    if isinstance(found, InvalidMeshError) and job.settings.field_files and isinstance(job.model.predictor, ManyPredictor):
        why, found = f"no field: {found.message}", _answers(job, shape, points, True, placed)
        found = found if isinstance(found, GeoopError) else [_noted(result, why) for result in found]
    if isinstance(found, GeoopError) and len(numbers) > 1:
        for number in numbers:
            yield from _block(job, shape, [number], placed)
    elif isinstance(found, GeoopError):
        yield numbers[0], found
    else:
        yield from zip(numbers, found, strict=True)


def _answers(job: StudyJob, shape: Geometry, points: list[OperatingPoint], surface_only: bool, placed: Case | None) -> list[Result] | GeoopError:
    return answer(lambda _: list(job.model.results(shape, points, surface_only, placed)), shape.name)


def _noted(result: Result, text: str) -> Result:
    """The result with a sentence about how it was come by."""
    detail = "; ".join(part for part in (result.outcome.detail, text) if part)
    return replace(result, outcome=replace(result.outcome, detail=detail))


def _row(job: StudyJob, folder: Path, shape: Geometry, number: int, found: Result | GeoopError, seconds: float) -> dict[str, Any]:
    """The row of a case, its files written; a failed one says why.

    Raises:
        UnwritableFileError: the files cannot be written.
    """
    name, point = job.name(shape.name, number), job.conditions[number].operating_point(shape.length)
    known = inputs(name, shape, point)
    done = found if isinstance(found, GeoopError) else answer(lambda _: _finished(job, folder, shape, number, point, found, seconds), name)
    if isinstance(done, UnwritableFileError):
        raise done
    return {**known, **(_failure(done) if isinstance(done, GeoopError) else done)}


def _failure(error: GeoopError) -> dict[str, Any]:
    return {"outcome": FAILED, "message": f"{error.message}; {error.remedy}"}


def _finished(job: StudyJob, folder: Path, shape: Geometry, number: int, point: OperatingPoint, result: Result, seconds: float) -> dict[str, Any]:
    """The outputs of a case, with its files on the disk."""
    whole = replace(result, case=replace(result.case, operating_point=point, name=job.name(shape.name, number)))
    wall = wall_case(whole.case)
    row = outputs(whole, shape, point, job.settings, seconds)
    if job.settings.compare and shape.mesh.dimension == 2:
        row |= _controlled(job, wall, shape, point, row)
    parameter, values = job.steps
    files = job.files(shape.name, number)
    field = None if "field" not in files else near_field(whole) if whole.case.mesh.is_surface else whole.case
    for part, kind in ((field, "field"), (wall, "wall")):
        if part is not None and kind in files:
            write_step(part, folder / files[kind], parameter, values[number])
    return row


def _controlled(job: StudyJob, wall: Case, shape: Geometry, point: OperatingPoint, row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the control; where it refuses the section, the reason beside the prediction."""
    try:
        return control(job.panels, wall, shape, point)
    except GeoopError as error:
        return finite({"message": "; ".join(text for text in (row["message"], f"no panels: {error.message}") if text)}.items())


def _elsewhere(job: StudyJob, folder: Path, units: list[str], workers: int, dask: str | None) -> Iterator[tuple[str, int | GeoopError]]:
    """Units of cases in worker processes or on a cluster, with how many cases are recorded, or the error that ended the unit."""
    if dask is None:
        yield from in_processes(partial(_unit_here, job, folder), [[unit] for unit in units], workers)
        return
    from ...truth.running.dask_cluster import on_dask

    share = max(1, -(-len(units) // 64))  # every group carries the job once
    groups = [units[k : k + share] for k in range(0, len(units), share)]
    for unit, found in on_dask(partial(_unit_there, job), folder, groups, address=dask):  # type: ignore[arg-type]
        yield unit, found if isinstance(found, GeoopError) else _unpacked(folder, folder / found.file)  # type: ignore[attr-defined]


def _given_up(job: StudyJob, folder: Path, geometry: str, numbers: Sequence[int], found: int | GeoopError, workers: int, dask: str | None) -> None:
    """What a unit that ended early left undone: case by case once more, each in its own process, so that only the fatal one is lost."""
    if isinstance(found, UnwritableFileError):
        raise found
    done = recorded(folder, geometry)
    left = [number for number in numbers if job.name(geometry, number) not in done]
    if not left:
        return
    if len(left) > 1:
        for unit, again in _elsewhere(job, folder, [_unit(geometry, [number]) for number in left], workers, dask):
            _given_up(job, folder, geometry, _of_unit(unit)[1], again, workers, dask)
        return
    lost = ConvergenceError("no row came back", where=geometry, remedy="run the study again with resume")
    shape, error = job.shapes[geometry], found if isinstance(found, GeoopError) else lost
    known = inputs(job.name(geometry, left[0]), shape, job.conditions[left[0]].operating_point(shape.length))
    with (folder / ROWS / f"{geometry}.jsonl").open("a", encoding="utf-8") as record:
        record.write("\n" + json.dumps({**known, **_failure(error)}) + "\n")


def _units(todo: Mapping[str, Sequence[int]], processes: int) -> list[str]:
    """A unit per geometry; fewer geometries than processes are shared out, at least two conditions to a unit."""
    parts = max(1, processes // max(1, len(todo)))
    found = []
    for geometry, numbers in todo.items():
        size = max(2, -(-len(numbers) // parts))
        found += [_unit(geometry, numbers[k : k + size]) for k in range(0, len(numbers), size)]
    return found


def _unit(geometry: str, numbers: Sequence[int]) -> str:
    return f"{geometry}|{','.join(map(str, numbers))}"


def _of_unit(unit: str) -> tuple[str, list[int]]:
    geometry, _, numbers = unit.rpartition("|")
    return geometry, [int(number) for number in numbers.split(",")]


def _unit_here(job: StudyJob, folder: Path, unit: str) -> int:
    """In a worker process: the cases of a unit that are not recorded yet, for a worker that died may have done some."""
    geometry, numbers = _of_unit(unit)
    done = recorded(folder, geometry)
    left = [n for n in numbers if job.name(geometry, n) not in done or done[job.name(geometry, n)]["outcome"] == FAILED]
    return sum(1 for _ in cases(job, folder, geometry, left, f"{geometry}@{numbers[0]}"))


def _unit_there(job: StudyJob, scratch: Path, unit: str) -> Parcel:
    """On a Dask worker: the cases of a unit and their rows in one archive."""
    geometry, numbers = _of_unit(unit)
    work = scratch / f"unit-{numbers[0]}-{geometry}"
    (work / ROWS).mkdir(parents=True)
    for _ in cases(job, work, geometry, numbers):
        pass
    parcel = Parcel(f"{work.name}.zip")
    with zipfile.ZipFile(scratch / parcel.file, "w") as archive:
        for path in sorted(work.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(work).as_posix())
    return parcel


def _unpacked(folder: Path, parcel: Path) -> int:
    """Put what came back where it would have been written here: files first, then the rows that say that they are there."""
    count = 0
    with zipfile.ZipFile(parcel) as archive:
        names = archive.namelist()
        for name in (name for name in names if name.startswith(f"{CASES}/")):
            archive.extract(name, folder)
        for name in (name for name in names if name.startswith(f"{ROWS}/")):
            text = archive.read(name).decode()
            with (folder / name).open("a", encoding="utf-8") as record:
                record.write(text)
            count += sum(1 for line in text.splitlines() if line.strip())
    parcel.unlink()
    return count
