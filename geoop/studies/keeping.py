"""The folder of a study between attempts: what is done, whose it is, one writer at a time."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ConfigurationError, DatasetError, GeoopError, UnwritableFileError
from ..io.atomic import replacing
from ..io.dataset_lock import sole_writer
from ..version import __version__
from .running import CASES, FAILED, ROWS, StudyJob, recorded

#: What the rows in the folder belong to, part by part.
PLAN = "plan.json"
#: What a study writes: no other file is ever removed.
_OWN = (PLAN, "study.json", "table.csv", "table.parquet", "report.html", "open.py")


@contextmanager
def prepared(folder: Path, job: StudyJob, *, resume: bool, overwrite: bool) -> Iterator[dict[str, list[int]]]:
    """Hold the folder of a study and say what is left to compute: geometry -> numbers of conditions.

    Args:
        folder: of the study, made where it is missing.
        job: the study.
        resume: a study must be there; its failed cases are left to compute.
        overwrite: replace another study.

    Raises:
        ConfigurationError: another study is there (says what differs), none is there to resume, or somebody is writing it.
        UnwritableFileError: no permission, or the disk is full.
    """
    held = False
    try:
        with sole_writer(folder):
            _claim(folder, job, resume, overwrite)
            held = True
            yield _left(folder, job, resume)
    except DatasetError as error:
        if held:
            raise
        raise ConfigurationError(error.message.replace("data set", "study"), where=error.where, remedy=error.remedy) from error
    except GeoopError:
        raise
    except OSError as error:
        raise UnwritableFileError(
            f"cannot be written: {error.strerror or error}",
            where=str(error.filename or folder),
            remedy="check permissions and free disk space, then run it again: what is done is kept",
        ) from error


def parts(job: StudyJob) -> dict[str, str]:
    """What the numbers of a study depend on, part by part, each as SHA-256 or text."""
    shapes = [
        (item.name, item.mesh.content_hash, item.length, item.point, item.area, item.wall, sorted(item.parameters.items())) for item in job.geometries
    ]
    settings = {key: value for key, value in vars(job.settings).items() if key not in ("accept", "seed", "report")}
    texts = {
        "model": job.model.fingerprint,
        "geometries": repr(shapes),
        "conditions": repr(job.conditions),
        "settings": repr(sorted(settings.items(), key=str)),
        "geoop": __version__,
    }
    return {key: hashlib.sha256(text.encode()).hexdigest()[:20] for key, text in texts.items()}


def _claim(folder: Path, job: StudyJob, resume: bool, overwrite: bool) -> None:
    """Make the folder this study's, or refuse."""
    note, own = folder / PLAN, parts(job)
    if note.is_file():
        try:
            before = json.loads(note.read_text(encoding="utf-8"))
        except ValueError:
            before = {}
        different = [key for key in own if before.get(key) != own[key]]
        if different and not overwrite:
            raise ConfigurationError(
                f"the folder holds another study: {', '.join(different)} differ",
                where=str(folder),
                remedy="choose another folder, restore the study as it was, or replace the old one: overwrite=True, --overwrite",
            )
        if overwrite:
            _clear(folder)
    elif resume:
        raise ConfigurationError("there is no study to resume", where=str(folder), remedy="check the folder, or leave resume out")
    elif folder.is_dir() and any(folder.iterdir()):
        raise ConfigurationError(
            "the folder is not empty and holds no study", where=str(folder), remedy="choose a new folder: nothing of yours is overwritten"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(note) as beside:
        beside.write_text(json.dumps(own, indent=1), encoding="utf-8")


def _clear(folder: Path) -> None:
    """Remove what the old study wrote."""
    for name in (CASES, ROWS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in [
        *(folder / name for name in _OWN),
        *folder.glob("*.pvd"),
        *folder.glob("polars*.png"),
        *folder.glob("cp_*.png"),
        *folder.glob("field_*.png"),
        *folder.glob("map*.png"),
    ]:
        path.unlink(missing_ok=True)


def _left(folder: Path, job: StudyJob, again: bool) -> dict[str, list[int]]:
    """Cases without a row, or whose files are gone; failed ones too where they are tried again."""
    found = {}
    for geometry in job.geometries:
        rows = recorded(folder, geometry.name)
        left = []
        for number in range(len(job.conditions)):
            row = rows.get(job.name(geometry.name, number))
            wall = job.files(geometry.name, number).get("wall")
            if row is None or (row["outcome"] == FAILED and again) or (row["outcome"] != FAILED and wall and not (folder / wall).is_file()):
                left.append(number)
        if left:
            found[geometry.name] = left
    return found
