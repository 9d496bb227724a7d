"""The geometries of a study: files, names of sections, ranges of parameters, and flaps on any section of these."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigurationError, GeoopError
from ...io.reading import read
from ...io.settings import check_keys
from ...mesh.body import body
from ...mesh.flap import deflected
from ...mesh.mesh import Mesh
from ...mesh.naca import naca, naca_between
from ...mesh.outline import chord_line
from .named_sections import uiuc_sections
from .ranges import grid, rows_of, varied
from .shape_families import FAMILIES, shape

#: Ways to name shapes; a table of geometries has exactly one of them.
SOURCES = ("file", "files", "naca", "uiuc", "mesh", *FAMILIES)
#: Other keys of a table, for every way.
_COMMON = {"name", "chord", "unit", "wall", "points", "flap", "folder", "count", "reference_area", "reference_length"}
_FLAP = {"hinge", "deflection", "blend"}
_POINTS = 240


@dataclass(frozen=True, eq=False)
class Geometry:
    """One shape of a study.

    Attributes:
        name: in the table and in file names.
        mesh: in metres.
        source: where it comes from, in words.
        parameters: what was varied to make it, by column of the table.
        length: reference length [m]; None for a body in space where nobody stated one.
        point: (d,) [m] of the moments: quarter chord of a section, the origin in space.
        area: reference area [m^2], in space.
        usual_length: [m] that is taken where nobody states a length: the chord that the section was made with, the mean chord of a wing.
        usual_area: [m^2], likewise: the planform of a wing.
        wall: names of the patches that are the body; None lets them be found.
    """

    name: str
    mesh: Mesh
    source: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    length: float | None = None
    point: tuple[float, ...] = ()
    area: float | None = None
    usual_length: float | None = None
    usual_area: float | None = None
    wall: tuple[str, ...] | None = None


def geometries_of(tables: Sequence[Mapping[str, Any]], folder: Path, seed: int) -> tuple[list[Geometry], list[GeoopError]]:
    """All shapes of a study, and everything that is wrong with those that cannot be made.

    Args:
        tables: of the study file, see :data:`geoop.studies.sweep.template.TEMPLATE`.
        folder: that paths are relative to.
        seed: of Latin hypercubes.
    """
    found: list[Geometry] = []
    errors: list[GeoopError] = []
    for number, table in enumerate(tables, start=1):
        where = f"geometry {number}" if len(tables) > 1 else "geometry"
        try:
            _check(table, where)
            for item in _of_table(table, folder, seed + number - 1, where):
                errors.append(item) if isinstance(item, GeoopError) else found.append(item)
        except GeoopError as error:
            errors.append(error)
    return _unique(found), errors


def referenced(geometry: Geometry, length: float | None = None, area: float | None = None) -> Geometry:
    """The geometry with its reference values: its own, else those stated for the study, else the usual ones, else the chord of its outline.

    Moments are about the quarter chord of a section, and about the origin in space.

    Raises:
        InvalidMeshError: the mesh has no body, or its section no area.
    """
    length, area = geometry.length or length or geometry.usual_length, geometry.area or area or geometry.usual_area
    if geometry.mesh.dimension == 3:
        return replace(geometry, length=length, area=area, point=geometry.point or (0.0, 0.0, 0.0))
    chord = chord_line(body(geometry.mesh, geometry.wall))
    nose, tail = np.asarray(chord.leading_edge), np.asarray(chord.trailing_edge)
    point = geometry.point or tuple(float(x) for x in nose + 0.25 * (tail - nose))
    return replace(geometry, length=length or float(chord.length), point=point)


def _check(table: Mapping[str, Any], where: str) -> None:
    check_keys(table, {*SOURCES, *_COMMON}, where)
    ways = [key for key in SOURCES if key in table]
    if len(ways) != 1:
        raise ConfigurationError(
            f"{' and '.join(ways) or 'nothing'} says what the shapes are",
            where=where,
            remedy=f"give one of {', '.join(SOURCES)} in every [[geometry]]",
        )


def _of_table(table: Mapping[str, Any], folder: Path, seed: int, where: str) -> Iterator[Geometry | GeoopError]:
    """The shapes of one table, each turned into one per flap setting."""
    way = next(key for key in SOURCES if key in table)
    area, length = (_positive(table, key, where) for key in ("reference_area", "reference_length"))
    wall = _names(table["wall"], f"{where} wall") if "wall" in table else None
    flaps = list(_flaps(table["flap"], f"{where} flap")) if "flap" in table else [None]
    made: Iterable[Geometry | GeoopError]
    if way in ("file", "files"):
        made = _files(table, folder, where)
    elif way == "mesh":
        made = [Geometry(table.get("name") or table["mesh"].name, table["mesh"], "mesh")]
    elif way == "uiuc":
        chord = _positive(table, "chord", where) or 1.0
        made = (
            item if isinstance(item, GeoopError) else Geometry(item.name, item, "UIUC coordinate file", usual_length=chord)
            for item in uiuc_sections(_names(table["uiuc"], f"{where} uiuc"), folder, table.get("folder"), chord, where)
        )
    elif way == "naca":
        made = _nacas(table, seed, where)
    else:
        made = (
            Geometry(name, mesh, way, parameters, usual_area=own_area, usual_length=own_length)
            for name, mesh, parameters, own_area, own_length in shape(way, table[way], table.get("count"), seed, f"{where} {way}")
        )
    for item in made:
        if isinstance(item, GeoopError):
            yield item
            continue
        item = replace(item, area=area, length=length, wall=wall)
        for flap in flaps:
            yield item if flap is None else _flapped(item, flap)


def _files(table: Mapping[str, Any], folder: Path, where: str) -> Iterator[Geometry | GeoopError]:
    patterns = _names(table.get("file", table.get("files")), f"{where} file")
    for pattern in patterns:
        paths = (
            sorted(glob.glob(str(folder / Path(pattern).expanduser()), recursive=True))
            if glob.has_magic(pattern)
            else [str(folder / Path(pattern).expanduser())]
        )
        if not paths:
            yield ConfigurationError(f"no file matches '{pattern}'", where=where, remedy=f"check the pattern; it is relative to {folder.absolute()}")
        for path in paths:
            section = path.lower().endswith((".dat", ".dat.gz"))
            try:
                mesh = read(path, unit=None if section else table.get("unit"), chord=_positive(table, "chord", where) if section else None)
            except GeoopError as error:
                yield error
                continue
            name = table.get("name") if len(patterns) == len(paths) == 1 else None
            yield Geometry(name or Path(path).name.split(".")[0], mesh, str(path))


def _nacas(table: Mapping[str, Any], seed: int, where: str) -> Iterator[Geometry | GeoopError]:
    """Sections by their digits, or by ranges of camber, position and thickness."""
    chord, points, entry = _positive(table, "chord", where) or 1.0, int(_positive(table, "points", where) or _POINTS), table["naca"]
    if not isinstance(entry, Mapping):
        for code in _names(entry, f"{where} naca"):
            try:
                yield Geometry(f"naca{code}", naca(code.removeprefix("naca"), points, chord=chord), "NACA digits", usual_length=chord)
            except GeoopError as error:
                yield error
        return
    check_keys(entry, {"camber", "position", "thickness"}, f"{where} naca")
    choices = {key: varied(entry.get(key, usual), f"{where} naca {key}") for key, usual in (("camber", 0.0), ("position", 40.0), ("thickness", 12.0))}
    for row in rows_of(choices, table.get("count"), seed, f"{where} naca"):
        mesh = naca_between(row["camber"], row["position"], row["thickness"], points, chord=chord)
        columns = {f"{key} [%]": value for key, value in row.items()}
        yield Geometry(
            f"naca_{row['camber']:.4g}_{row['position']:.4g}_{row['thickness']:.4g}", mesh, "NACA four-digit family", columns, length=chord
        )


def _flaps(table: Any, where: str) -> Iterator[tuple[float, float, float]]:
    """(hinge, deflection, blend) of every setting."""
    if not isinstance(table, Mapping) or "deflection" not in table:
        raise ConfigurationError(f"flap = {table!r}", where=where, remedy="flap = {hinge = 0.75, deflection = [-10, 0, 10]}")
    check_keys(table, _FLAP, where)
    choices = {key: varied(table.get(key, usual), f"{where} {key}") for key, usual in (("hinge", 0.75), ("blend", 0.05), ("deflection", 0.0))}
    for row in grid(choices):
        yield row["hinge"], row["deflection"], row["blend"]


def _flapped(geometry: Geometry, flap: tuple[float, float, float]) -> Geometry | GeoopError:
    """The section with a flap; coefficients keep the chord and the moments' point of the section as it was."""
    hinge, deflection, blend = flap
    try:
        whole = referenced(geometry)
        base = replace(geometry, point=whole.point, usual_length=geometry.usual_length or whole.length)
        mesh = deflected(body(geometry.mesh, geometry.wall), deflection, hinge=hinge, blend=blend)
    except GeoopError as error:
        return error
    name = f"{geometry.name}_flap{deflection:+g}" + ("" if hinge == 0.75 else f"_at{hinge:g}") + ("" if blend == 0.05 else f"_over{blend:g}")
    columns = {**geometry.parameters, "flap deflection [deg]": deflection, "flap hinge [1]": hinge}
    return replace(base, name=name, mesh=replace(mesh, name=name), parameters=columns, wall=None)


def _unique(found: list[Geometry]) -> list[Geometry]:
    """File names tell shapes apart only if they differ: the second ``a`` is ``a-2``; beside others no shape takes the name of a series of all."""
    taken = {"study", "surface"} if len(found) > 1 else set()
    kept = []
    for item in found:
        stem = "".join(letter if letter.isalnum() or letter in "._+-" else "-" for letter in item.name) or "shape"
        name, number = stem, 2
        while name.lower() in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.lower())
        kept.append(replace(item, name=name))
    return kept


def _names(entry: Any, where: str) -> tuple[str, ...]:
    names = (entry,) if isinstance(entry, str | Path) else entry
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str | Path) for name in names):
        raise ConfigurationError(f"{entry!r} is no name and no list of names", where=where, remedy='give text in quotes: "2412", or a list of it')
    return tuple(str(name) for name in names)


def _positive(table: Mapping[str, Any], key: str, where: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise ConfigurationError(f"{key} = {value!r}", where=where, remedy=f"give {key} as a positive number (lengths in metres)")
    return float(value)
