"""All pictures of a study, drawn into its folder, with what each shows in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import DatasetError, GeoopError
from ..report.study_folder import StudyFolder, failed, number, parted
from ..sweep.table import Row
from .fields import body_view, field_view
from .polars import CROWD, comparison_plot, map_inputs, map_plot, polar_plot
from .pressure import chosen_rows, pressure_picture
from .style import value_label

#: Geometries that get pictures of their own; a study of a thousand sections has its comparison and its table.
DETAILED = 8
#: Up to so many geometries each gets two field pictures, above one.
_FEW = 3


@dataclass(frozen=True)
class StudyPicture:
    """A picture of a study.

    Attributes:
        path: of the file.
        geometry: that it belongs to; empty for those of the whole study.
        kind: ``comparison``, ``map``, ``polars``, ``pressure``, ``field`` or ``body``.
        caption: what it shows, one or two sentences: also what is read out to those who cannot see it.
    """

    path: Path
    geometry: str
    kind: str
    caption: str


def draw_study(study: StudyFolder) -> tuple[list[StudyPicture], list[str]]:
    """Draw what a study has values for.

    Args:
        study: an open study.

    Returns:
        The pictures, and a sentence for each that could not be drawn.

    Raises:
        UnwritableFileError: the folder cannot be written.
    """
    found: list[StudyPicture] = []
    missing: list[str] = []
    for kind, geometry, file, caption, draw in _wanted(study):
        try:
            found.append(StudyPicture(draw(study.path / file), geometry, kind, caption))
        except OSError:
            raise
        except GeoopError as error:
            missing.append(f"{file} is not drawn: {error.message}")
    return found, missing


def file_stems(names: tuple[str, ...]) -> dict[str, str]:
    """Geometry -> a file name of its own, without characters that file systems or addresses mind."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9._+-]+", "_", name).strip("_.")[:60] or "geometry"
        unique, count = stem, 2
        while unique.lower() in taken:
            unique, count = f"{stem}_{count}", count + 1
        taken.add(unique.lower())
        found[name] = unique
    return found


_Job = tuple[str, str, str, str, Callable[[Path], Path]]


def _wanted(study: StudyFolder) -> Iterator[_Job]:
    """Kind, geometry, file, caption and how to draw it."""
    solved = [name for name in study.geometries if any(_coefficients(row) for row in study.of(name))]
    stems = file_stems(study.geometries)
    if len(solved) > 1:
        said = f"Polars of {len(solved)} geometries in one picture. " + (
            _legend(study.rows) if len(solved) <= CROWD else "A thin line each; the thick one is their median."
        )
        yield "comparison", "", "polars.png", said, lambda path: comparison_plot(study, path)
        if map_inputs(study, study.rows) is not None:
            yield "map", "", "map.png", _map_caption(study, None), lambda path: map_plot(study, None, path)
    for name in solved[:DETAILED]:
        yield from _of_geometry(study, name, stems[name], "polars.png" if len(solved) == 1 else f"polars_{stems[name]}.png", len(solved) <= _FEW)


def _of_geometry(study: StudyFolder, name: str, stem: str, polars: str, few: bool) -> Iterator[_Job]:
    rows = study.of(name)
    if len([row for row in rows if _coefficients(row)]) > 1:
        yield "polars", name, polars, f"Polars of {name}. {_legend(rows)}".strip(), lambda path: polar_plot(study, name, path)
    if map_inputs(study, rows) is not None:
        yield "map", name, f"map_{stem}.png", _map_caption(study, name), lambda path: map_plot(study, name, path)
    over, chosen = chosen_rows(study, name, 3)
    walls = [(row, wall) for row in chosen if (wall := study.wall(row)) is not None]
    if any(wall.mesh.dimension == 2 for _, wall in walls):
        said = f"Pressure coefficient over the chord of {name}, suction upwards; beneath, the section with its stagnation points."
        yield "pressure", name, f"cp_{stem}.png", said, lambda path: pressure_picture(study, name, path)
    for row, wall in walls[-2:] if few else walls[-1:]:
        at = re.sub(r"[$\\{}]", "", value_label(over, number(row, over))).replace("alpha", "α")
        file = f"field_{stem}_{rows.index(row)}.png"
        if wall.mesh.dimension == 3:
            said = f"Pressure coefficient on {name} at {at}: blue is suction, red is pressure."
            yield "body", name, file, said, lambda path, wall=wall: body_view(wall, path)
        elif (whole := study.file(row, ".vtu")) is not None and whole.is_file():
            said = f"Flow around {name} at {at}: streamlines over the pressure coefficient, blue is suction, red is pressure."
            yield "field", name, file, said, lambda path, row=row: _field(study, row, path)


def _field(study: StudyFolder, row, path: Path) -> Path:
    case = study.field(row)
    if case is None:
        raise DatasetError("its file cannot be read", remedy="run the study again", where=str(path))
    return field_view(case, path)


def _legend(rows: Sequence[Row]) -> str:
    """What the marks of a polar mean, as far as these rows have them."""
    levels = {row.get("level") for row in rows}
    said = ["shaded is the expected error"] if any(number(row, "CL error") is not None for row in rows) else []
    said += ["open diamonds are at the edge of the training"] if "edge" in levels else []
    said += ["crosses outside of it"] if "outside" in levels else []
    said += ["dashed is the panel method"] if any(number(row, "CL panels") is not None for row in rows) else []
    text = "; ".join(said)
    return text[:1].upper() + text[1:] + "." if text else ""


def _map_caption(study: StudyFolder, geometry: str | None) -> str:
    inputs = map_inputs(study, study.rows if geometry is None else study.of(geometry)) or ("", "")
    return f"Lift coefficient over {parted(inputs[0])[0]} and {parted(inputs[1])[0]}; points are cases."


def _coefficients(row) -> bool:
    return not failed(row) and any(number(row, name) is not None for name in ("CL", "CM", "Cp min"))
