"""study.toml, or the same tables as a mapping, as a validated plan: model, shapes, conditions, settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from ...errors import ConfigurationError, GeoopError
from ...interfaces.protocols import Predictor
from ...io.settings import build, check_keys, read_toml
from ...mesh.mesh import Mesh
from ...truth.panels.section_curve import SMALLEST_EDGE_ANGLE
from .conditions import Condition, conditions_of
from .findings import Finding, refuse
from .geometries import Geometry, geometries_of

T = TypeVar("T")

#: What a user may say yes to, because it is usually a slip: see :mod:`geoop.studies.sweep.checking`.
ACCEPTABLE = ("unit", "angles", "open")


@dataclass(frozen=True)
class StudySettings:
    """What a study does with every case.

    Attributes:
        surface_only: predict on the surface of the body only, without a field around it.
        files: ``all`` (wall and field of every case), ``surface`` or ``none`` (the table only).
        compare: ``panels`` adds columns of the panel method to sections, as a control; empty for none.
        drag: ``boundary layer`` adds the drag of an integral boundary layer where the fields are inviscid and Re is known; or ``none``.
        smallest_edge_angle: sections with a thinner trailing edge are refused by the panel method [deg], because rounded coordinates decide on their
            lift; exact ones may have less.
        reference_area: [m^2] of coefficients in space, where a geometry has none of its own.
        reference_length: [m] of coefficients, where a geometry has none of its own; the chord of every section unless given.
        accept: things that are asked about and meant: ``unit``, ``angles``, ``open``.
        seed: of Latin hypercubes.
        report: whether pictures, ParaView script and report.html are made at the end.

    Raises:
        ConfigurationError: values out of range; all of them in one error.
    """

    surface_only: bool = False
    files: str = "all"
    compare: str = ""
    drag: str = "none"
    smallest_edge_angle: float = SMALLEST_EDGE_ANGLE
    reference_area: float | None = None
    reference_length: float | None = None
    accept: Sequence[str] = ()
    seed: int = 0
    report: bool = True

    def __post_init__(self) -> None:
        problems = []
        for name, known in (("files", ("all", "surface", "none")), ("compare", ("", "panels")), ("drag", ("none", "boundary layer"))):
            if getattr(self, name) not in known:
                problems.append(f"{name} = {getattr(self, name)!r} is none of {', '.join(repr(word) for word in known)}")
        object.__setattr__(self, "accept", (self.accept,) if isinstance(self.accept, str) else tuple(self.accept))
        problems += [f"accept names {word!r}, which is none of {', '.join(ACCEPTABLE)}" for word in self.accept if word not in ACCEPTABLE]
        for name in ("reference_area", "reference_length"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                problems.append(f"{name} = {value!r} is not positive")
        if not 0 <= self.smallest_edge_angle < 180:
            problems.append(f"smallest_edge_angle = {self.smallest_edge_angle!r} is not an angle from 0 to 180 degrees")
        problems += [f"seed = {self.seed} is negative"] if self.seed < 0 else []
        if problems:
            raise ConfigurationError("; ".join(problems), where="study", remedy="correct these keys; `geoop study --template` shows all of them")

    @property
    def wall_files(self) -> bool:
        """Whether the wall of every case is written."""
        return self.files != "none"

    @property
    def field_files(self) -> bool:
        """Whether the field around the body is computed and written."""
        return self.files == "all" and not self.surface_only


@dataclass(frozen=True, eq=False)
class StudySpec:
    """A study as it was asked for.

    Attributes:
        model: name of a shipped model, path of a checkpoint, ``panels``, or a predictor.
        geometries: the shapes that could be made.
        conditions: the conditions, each taken by every geometry.
        settings: what is done with every case.
        output: folder of the study, where the file says one.
        errors: what is wrong with the rest.
        where: the file, for messages.
    """

    model: str | Predictor
    geometries: tuple[Geometry, ...]
    conditions: tuple[Condition, ...]
    settings: StudySettings
    output: Path | None
    errors: tuple[GeoopError, ...]
    where: str


def read_study(source: str | Path | Mapping[str, Any]) -> StudySpec:
    """A study from study.toml (paths in it are relative to the file) or from a mapping of the same keys (relative to the current folder).

    In a mapping ``model`` may be a predictor, and ``geometry`` a mesh, the name of a section, a path, or a list of these and of tables.

    Raises:
        ConfigurationError: the file cannot be read, or lacks model, geometry or conditions. Whatever else is wrong is collected in
            ``errors``, to be said at once by :func:`geoop.studies.sweep.checking.check`.
    """
    folder, where = Path(), "study"
    if isinstance(source, Mapping):
        table = dict(source)
    else:
        path = Path(source).expanduser()
        table, folder, where = read_toml(path), path.parent, str(path)
    own = {item.name for item in fields(StudySettings)}
    errors: list[GeoopError] = []

    def tried(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except GeoopError as error:
            errors.append(error)
            return otherwise

    tried(lambda: check_keys(table, {"model", "output", "geometry", "conditions", *own}, where), None)
    settings = tried(lambda: build(StudySettings, {key: value for key, value in table.items() if key in own}, where), StudySettings())
    listed = [tried(lambda item=item: [geometry_table(item, folder)], []) for item in _listed(table.get("geometry") or [])]
    shapes, wrong = geometries_of([item for found in listed for item in found], folder, settings.seed)
    conditions = tried(lambda: _conditions(table.get("conditions") or {}, settings.seed, where), []) if _there(table.get("conditions")) else []
    errors += wrong
    missing = [key for key in ("model", "geometry", "conditions") if not _there(table.get(key))]
    if missing:
        remedy = "`geoop study --template` prints a commented study file"
        errors.append(ConfigurationError(f"missing: {', '.join(missing)}", where=where, remedy=remedy))
        refuse([Finding.of(error, where) for error in errors], where)
    output, model = table.get("output"), table["model"]
    if isinstance(model, Path) or (isinstance(model, str) and model.endswith(".safetensors")):
        model = str(folder / Path(model).expanduser())
    return StudySpec(model, tuple(shapes), tuple(conditions), settings, None if output is None else folder / output, tuple(errors), where)


def _conditions(table: Any, seed: int, where: str) -> list[Condition]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"conditions = {table!r} is no table", where=where, remedy='[conditions] with alpha = "-4:12:1" and velocity = 60')
    return conditions_of(table, seed, "conditions")


def _there(value: Any) -> bool:
    return value is not None and not (isinstance(value, str | Sequence | Mapping) and len(value) == 0)


def _listed(entry: Any) -> list[Any]:
    return list(entry) if isinstance(entry, Sequence) and not isinstance(entry, str) else [entry]


def geometry_table(entry: Any, folder: Path = Path()) -> Mapping[str, Any]:
    """A table from what people write in its place: a mesh, ``naca2412``, ``uiuc:e387``, a path or a pattern.

    Args:
        entry: any of these, or a table, which is returned.
        folder: that paths are relative to: a file called ``2412`` is a file.

    Raises:
        ConfigurationError: none of these.
    """
    if isinstance(entry, Mapping):
        return entry
    if isinstance(entry, Mesh):
        return {"mesh": entry}
    if isinstance(entry, str | Path):
        text = str(entry)
        digits = text.lower().removeprefix("naca").strip(" -")
        if len(digits) in (4, 5) and digits.isdigit() and not (folder / text).exists():
            return {"naca": digits}
        return {"uiuc": text[5:]} if text.lower().startswith("uiuc:") else {"file": text}
    raise ConfigurationError(
        f"{entry!r} is no geometry", where="geometry", remedy="give a table, a mesh, a path, a pattern, or a name such as naca2412 or uiuc:e387"
    )


def with_overrides(path: str | Path, given: Mapping[str, Any], conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a study file with other values for some keys; its paths are made absolute, those given stay relative to the current folder.

    Args:
        path: of the file.
        given: key -> value; None and empty ones change nothing.
        conditions: keys of [conditions], likewise.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    path = Path(path).expanduser()
    table = read_toml(path)
    folder = path.parent.absolute()
    if isinstance(table.get("output"), str):
        table["output"] = str(folder / table["output"])
    if isinstance(table.get("model"), str) and table["model"].endswith(".safetensors"):
        table["model"] = str(folder / Path(table["model"]).expanduser())
    if "geometry" in table:
        table["geometry"] = [_moved(geometry_table(item, folder), folder) for item in _listed(table["geometry"])]
    if conditions and isinstance(table.get("conditions", {}), Mapping):
        table["conditions"] = {**table.get("conditions", {}), **conditions}
    return {**table, **{key: value for key, value in given.items() if _there(value)}}


def _moved(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A table of geometries whose paths begin at the root."""
    found = dict(table)
    for key in ("file", "files", "folder"):
        value = found.get(key)
        if isinstance(value, str):
            found[key] = str(folder / Path(value).expanduser())
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            found[key] = [str(folder / Path(item).expanduser()) for item in value]
    return found
