"""One run, read and looked at: the case with patches and known names, and the facts that all runs are compared by."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...errors import GeoopError, UnitError
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...mesh.planar import flattened, is_one_layer
from ..formats.table import format_of
from ..loading import load
from ..reading import read_case
from ..source import Source
from .arrays import ArraySummary, prepared, summaries
from .choices import Choices, Question, reason
from .conditions import openfoam_conditions
from .folder import Run
from .shapes import Shape, shape_of
from .walls import guess_wall, with_patches


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen of a run.

    Attributes:
        run: the run.
        error: why it cannot be read, else None.
        arrays: of its last step.
        patches: patch -> why it is a wall or not.
        wall: patches that are the body, None where the mesh is.
        shape: of the wall.
        own: operating point in its file.
        solver: what the solver's input says.
        times: [s] of all steps.
        questions: what has to be asked about its unit and its walls.
        notes: of reader and mesh.
        points, cells, size: number of points and cells, extent of the wall or the mesh [m].
        digest: of points and values: equal for equal results.
    """

    run: Run
    error: GeoopError | None = None
    arrays: dict[str, ArraySummary] = field(default_factory=dict)
    patches: dict[str, str] = field(default_factory=dict)
    wall: tuple[str, ...] | None = None
    shape: Shape | None = None
    own: OperatingPoint | None = None
    solver: dict[str, tuple[float, str]] = field(default_factory=dict)
    times: tuple[float, ...] = ()
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    points: int = 0
    cells: int = 0
    size: tuple[float, ...] = ()
    digest: str = ""


def load_run(run: Run, choices: Choices, time: float | None = None, frame: Path | None = None) -> tuple[Case, dict[str, str]]:
    """A run as a case in metres, with patches and the array names that mean the same in every solver; units are not decided yet.

    Args:
        run: the run.
        choices: its ``unit``, and the arrays that it names.
        time: [s] of a step of a file with several.
        frame: of a series of files.

    Returns:
        the case, and array -> how it came to its name or unit.

    Raises:
        GeoopError: as :func:`geoop.read_case`.
    """
    path = frame or run.path
    case = read_case(path, unit=choices.unit, time=time, solution=run.solution)
    case, flat = in_plane(case)
    case, origins = prepared(case, choices.names)
    case, said = with_patches(case, run.beside, choices.unit)
    notes = [note for note in case.mesh.notes if not (flat and note.startswith("a two-dimensional case"))]
    return replace(case, mesh=replace(case.mesh, notes=tuple(dict.fromkeys((*notes, *([flat] if flat else []), *said))))), origins


def in_plane(case: Case) -> tuple[Case, str]:
    """A case one cell thick as the plane case that it is, and a note; a case that says it is plane and is not stays, and the note says so."""
    if is_one_layer(case.mesh):
        flat = flattened(case)
        return flat, flat.mesh.notes[-1]
    said = any(note.startswith("patch types:") and re.search(r" empty\b", note) for note in case.mesh.notes)
    return case, "stays three-dimensional: it has empty sides, but is not one cell thick" if said else ""


def look_at(run: Run, choices: Choices) -> Look:
    """Read a run and note what matters; an error is kept, not raised."""
    try:
        case, origins = load_run(run, choices)
        wall, reasons, question = guess_wall(case, choices)
        case = replace(case, wall=wall)
        extent = np.ptp(case.mesh.points[_wall_points(case)], axis=0)
        return Look(
            run,
            arrays=summaries(case, origins),
            patches=reasons,
            wall=wall,
            shape=shape_of(case),
            own=case.operating_point,
            solver=openfoam_conditions(run.path if run.path.is_dir() else run.path.parent),
            times=_times(run, case),
            questions=(question,) if question else (),
            notes=case.mesh.notes,
            points=len(case.mesh.points),
            cells=len(case.mesh.cells),
            size=tuple(float(length) for length in extent),
            digest=_digest(case),
        )
    except UnitError as error:
        if choices.unit is None and "unit" in error.remedy:
            return Look(run, questions=(Question(reason(error), "--unit ", "mm"),), error=error)
        return Look(run, error=error)
    except GeoopError as error:
        return Look(run, error=error)


def _wall_points(case: Case) -> np.ndarray | slice:
    if not case.wall:
        return slice(None)
    return np.unique(np.concatenate([case.mesh.patches[name].connectivity for name in case.wall]))


def _times(run: Run, case: Case) -> tuple[float, ...]:
    """Steps of the run; of a series of files none, because they are counted as files."""
    if run.frames or run.solution is not None:
        return ()
    source = Source.find(run.path)
    if source.suffix == ".foam" or source.suffix in (".pvd", ".vtkhdf", ".hdf", ".case", ".encas", ".cgns", ".e", ".exo", ".ex2", ".exii"):
        return load(source, format_of(source)).times
    return () if case.time is None else (case.time,)


def _digest(case: Case) -> str:
    digest = hashlib.sha256(case.mesh.points.tobytes())
    for name, item in sorted(case.fields.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(item.values).tobytes())
    return digest.hexdigest()
