"""What is in a file, and what to repair, said without any assumption about its unit."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..mesh.measure import cell_measures
from ..mesh.mesh import Mesh
from ..mesh.quality import MeshReport, mesh_report
from ..mesh.quantity import Field
from .formats.table import Format, format_of
from .reading import build, load
from .source import Source
from .units import extent_text, length_text, metres_per, missing_unit

_MOST_ROWS = 30
_MEASURES = {1: "length", 2: "area", 3: "volume"}


@dataclass(frozen=True)
class PatchSummary:
    """A patch: number of facets and their total length or area, in the unit of the inspection."""

    name: str
    facets: int
    measure: float


@dataclass(frozen=True)
class FieldSummary:
    """A field: where it lives and what it reaches from and to; of vectors and tensors the magnitude counts."""

    name: str
    unit: str
    location: str
    rank: int
    minimum: float | None
    maximum: float | None
    non_finite: int


@dataclass(frozen=True)
class Inspection:
    """The answer of :func:`inspect`.

    Attributes:
        path: the file.
        format: as people call it.
        size: bytes on disk.
        length_unit: what all lengths below are in: ``m``, or ``file unit`` where the file does not say it and nobody did.
        unit_statement: where the unit comes from, or that it is missing.
        dimension: of space, 2 or 3.
        report: the counts of :func:`geoop.mesh.quality.mesh_report`.
        patches: in the order of the file.
        zones: zone name -> number of cells.
        fields: arrays of the file.
        condition: stated values of the operating point, if the file carries one.
        time: [s], if the file carries one.
        notes: what the reader assumed, changed or left out.
    """

    path: str
    format: str
    size: int
    length_unit: str
    unit_statement: str
    dimension: int
    report: MeshReport
    patches: tuple[PatchSummary, ...]
    zones: dict[str, int]
    fields: tuple[FieldSummary, ...]
    condition: dict[str, float]
    time: float | None
    notes: tuple[str, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each, with its remedy; empty for a sound mesh."""
        broken = tuple(
            f"Field '{item.name}' has {item.non_finite} values that are NaN or infinite: remove or repair them before training."
            for item in self.fields
            if item.non_finite
        )
        return (*self.report.findings, *broken)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {**asdict(self), "report": self.report.to_dict(), "findings": list(self.findings)}

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def inspect(path: str | os.PathLike[str], *, unit: str | None = None) -> Inspection:
    """Look into any file that :func:`geoop.read` reads; a missing unit is no error here, lengths are then in the file's own unit.

    Args:
        path: the file.
        unit: length unit of a file that does not say it; everything is then in metres.

    Raises:
        UnreadableFileError, UnsupportedFormatError, InvalidMeshError: as :func:`geoop.read`.
        UnitError: the unit is unknown.
    """
    source = Source.find(path)
    form = format_of(source)
    factor = metres_per(unit, source.where) if unit is not None and form.length == "unit" else 1.0
    contents = load(source, form)
    case = build(contents, factor, (), source)
    length_unit, statement = _unit_of(form, unit, contents.points, source)
    condition = case.operating_point.to_dict() if case.operating_point is not None else {}
    return Inspection(
        source.where,
        f"{form.name}{f' ({source.compression})' if source.compression else ''}",
        source.size,
        length_unit,
        statement,
        case.mesh.dimension,
        mesh_report(case.mesh),
        tuple(PatchSummary(name, len(part), _measure(case.mesh, name)) for name, part in case.mesh.patches.items()),
        {name: len(index) for name, index in case.mesh.zones.items()},
        tuple(_summary(field) for field in case.fields.values()),
        condition,
        case.time,
        case.mesh.notes,
    )


def _unit_of(form: Format, unit: str | None, points: np.ndarray, source: Source) -> tuple[str, str]:
    ignored = f"; the unit '{unit}' is not used" if unit is not None and (form.length == "chord" or metres_per(unit, source.where) != 1.0) else ""
    if form.length == "metres":
        return "m", f"SI metres (solver format){ignored}"
    if form.length == "chord":
        return "m", f"chord-normalised: one unit is one chord; read with chord= in metres, otherwise the chord is 1 m{ignored}"
    if unit is not None:
        return "m", f"{unit}, as given"
    return "file unit", missing_unit(form.name, points, source.where).message


def _measure(mesh: Mesh, name: str) -> float:
    return float(cell_measures(mesh.patch(name)).sum())


def _summary(field: Field) -> FieldSummary:
    values = np.asarray(field.values, dtype=np.float64)
    magnitude = values
    if field.quantity.rank:
        axes = tuple(range(values.ndim - field.quantity.rank, values.ndim))
        with np.errstate(over="ignore", invalid="ignore"):
            magnitude = np.sqrt((values**2).sum(axis=axes))
    finite = np.isfinite(magnitude)
    low, high = (float(magnitude[finite].min()), float(magnitude[finite].max())) if finite.any() else (None, None)
    return FieldSummary(field.name, field.quantity.unit, field.location, field.quantity.rank, low, high, int((~np.isfinite(values)).sum()))


def _lines(found: Inspection):
    report, unit = found.report, found.length_unit
    yield f"{found.path}: {found.format}, {found.size / 1e6:.3g} MB"
    yield f"  length unit   {found.unit_statement}"
    cells = ", ".join(f"{count} {name}" for name, count in report.n_cells.items()) or "no cells"
    yield f"  mesh          {report.kind} in {found.dimension}-D: {report.n_points} points, {cells}" + (
        f", {report.components} parts" if report.components > 1 else ""
    )
    corners = np.array(report.bounds)
    size = f"{extent_text(corners)} {unit}" if unit != "m" else " x ".join(length_text(length) for length in np.ptp(corners, axis=0))
    spans = ", ".join(f"{axis} {low:.6g} .. {high:.6g}" for axis, low, high in zip("xyz", *corners, strict=False))
    yield f"  bounding box  {spans} {unit}; size {size}"
    yield from _measure_lines(report, found.dimension, unit)
    if found.condition:
        yield f"  condition     {', '.join(f'{key} {value:g}' for key, value in found.condition.items())}"
    if found.time is not None:
        yield f"  time          {found.time:g} s"
    yield from _table(
        "patches", [f"{item.name}: {item.facets} facets, {item.measure:.6g} {_power(unit, found.dimension - 1)}" for item in found.patches]
    )
    yield from _table("zones", [f"{name}: {count} cells" for name, count in found.zones.items()])
    yield from _table("fields", [_field_line(item) for item in found.fields])
    yield from _table("notes", list(found.notes))
    yield from _table("to repair", list(found.findings)) if found.findings else ["  nothing to repair was found"]


def _measure_lines(report: MeshReport, dimension: int, unit: str):
    topological = {"outline": 1, "surface": 2, "plane mesh": 2, "volume mesh": 3}.get(report.kind)
    if topological is not None:
        yield f"  {_MEASURES[topological]:<13} {report.measure:.6g} {_power(unit, topological)}"
    if report.closed is not None:
        state = "yes" if report.closed else f"no, {report.open_edges} open {'ends' if report.kind == 'outline' else 'edges'}"
        manifold = "" if report.manifold else f", not manifold at {report.non_manifold_edges} {'points' if report.kind == 'outline' else 'edges'}"
        inside = f", encloses {report.enclosed:.6g} {_power(unit, dimension)}" if report.enclosed is not None else ""
        yield f"  closed        {state}{manifold}{inside}"


def _power(unit: str, exponent: int) -> str:
    return unit if exponent == 1 else f"{unit}^{exponent}" if unit == "m" else f"({unit})^{exponent}"


def _field_line(item: FieldSummary) -> str:
    kind = ("", "vector, magnitude ", "tensor, magnitude ")[min(item.rank, 2)]
    place = "for the whole case" if item.location == "global" else f"at {item.location}s"
    reach = f"{item.minimum:.6g} .. {item.maximum:.6g}" if item.minimum is not None else "no finite value"
    reach = f"{item.minimum:.6g}" if item.minimum is not None and item.minimum == item.maximum else reach
    return f"{item.name} [{item.unit}] {place}: {kind}{reach}" + (f", {item.non_finite} NaN or infinite" if item.non_finite else "")


def _table(title: str, rows: list[str]):
    for i, row in enumerate(rows[:_MOST_ROWS]):
        yield f"  {title if i == 0 else '':<13} {row}"
    if len(rows) > _MOST_ROWS:
        yield f"  {'':<13} ... and {len(rows) - _MOST_ROWS} more (all of them with --json)"
