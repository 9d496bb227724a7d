"""What is in a file, and what to repair, said without any assumption about its unit."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..mesh.case import Case
from ..mesh.cell_quality import QualitySummary
from ..mesh.findings import number_of
from ..mesh.measure import cell_measures
from ..mesh.mesh import Mesh
from ..mesh.quality import MeshReport, mesh_report
from ..mesh.quantity import Field
from .formats.table import Format, format_of
from .loading import load, takes_unit
from .reading import build
from .source import Source
from .units import extent_text, length_text, metres_per, missing_unit

_MOST_ROWS = 30
_MOST_HOLES = 10
_MEASURES = {1: "length", 2: "area", 3: "volume"}


@dataclass(frozen=True)
class PatchSummary:
    """A patch: number of facets and their total length or area, in the unit of the inspection."""

    name: str
    facets: int
    measure: float


@dataclass(frozen=True)
class FieldSummary:
    """A field: where it lives (``point``, ``cell``, ``facet``, ``global`` or ``patch 'name'``) and what it reaches from and to; of vectors and tensors the magnitude counts."""

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
        unit: the unit that was said for a file that has none, else None.
        dimension: of space, 2 or 3.
        report: the counts of :func:`geoop.mesh.quality.mesh_report`.
        patches: in the order of the file.
        zones: zone name -> number of cells.
        fields: arrays of the file.
        condition: stated values of the operating point, if the file carries one.
        time: [s], if the file carries one.
        times: [s] of all steps of the file; ``time`` is the one that is inspected.
        notes: what the reader assumed, changed or left out.
    """

    path: str
    format: str
    size: int
    length_unit: str
    unit_statement: str
    unit: str | None
    dimension: int
    report: MeshReport
    patches: tuple[PatchSummary, ...]
    zones: dict[str, int]
    fields: tuple[FieldSummary, ...]
    condition: dict[str, float]
    time: float | None
    times: tuple[float, ...]
    notes: tuple[str, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, a sentence each, with its remedy; empty for a sound mesh."""
        broken = tuple(
            f"Field '{item.name}' has {number_of(item.non_finite, 'value that is', 'values that are')} NaN or infinite: "
            f"remove or repair {'it' if item.non_finite == 1 else 'them'} before training."
            for item in self.fields
            if item.non_finite
        )
        file = shlex.quote(self.path) + (f" --unit {self.unit}" if self.unit else "")  # lengths in a remedy are in the unit of the answer
        return (*(text.replace("inspect FILE", f"inspect {file}") for text in self.report.findings), *broken)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {**asdict(self), "report": self.report.to_dict(), "findings": list(self.findings)}

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def inspect(path: str | os.PathLike[str], *, unit: str | None = None, thorough: bool | None = None) -> Inspection:
    """Look into any file that :func:`geoop.read` reads; a missing unit is no error here, lengths are then in the file's own unit.

    Args:
        path: the file.
        unit: length unit of a file that does not say it; everything is then in metres.
        thorough: whether to count self-intersections of a surface; up to a million facets unless said otherwise.

    Raises:
        UnreadableFileError, UnsupportedFormatError, InvalidMeshError: as :func:`geoop.read`.
        UnitError: the unit is unknown.
    """
    source = Source.find(path)
    form = format_of(source)
    factor = 1.0 if unit is None else metres_per(unit, source.where)
    contents = load(source, form)
    used = unit if takes_unit(form, contents) else None
    case = build(contents, 1.0 if used is None else factor, (), source)
    length_unit, statement = _unit_of(form, unit, used, contents.points, source)
    condition = case.operating_point.to_dict() if case.operating_point is not None else {}
    return Inspection(
        source.where,
        f"{form.name}{f' ({source.compression})' if source.compression else ''}",
        source.size,
        length_unit,
        statement,
        used,
        case.mesh.dimension,
        mesh_report(case.mesh, intersections=thorough),
        tuple(PatchSummary(name, len(part), _measure(case.mesh, name)) for name, part in case.mesh.patches.items()),
        {name: len(index) for name, index in case.mesh.zones.items()},
        (*(_summary(field, field.location) for field in case.fields.values()), *_on_patches(case)),
        condition,
        case.time,
        contents.times,
        case.mesh.notes,
    )


def _unit_of(form: Format, unit: str | None, used: str | None, points: np.ndarray, source: Source) -> tuple[str, str]:
    ignored = f"; the unit '{unit}' is not used" if unit is not None and used is None and (form.length == "chord" or metres_per(unit) != 1.0) else ""
    if form.length == "stated":
        return "m", f"SI metres, by the unit that the file states{ignored}"
    if form.length == "metres" and (used is None or metres_per(used) == 1.0):
        return "m", f"SI metres (solver format){ignored}"
    if form.length == "chord":
        return "m", f"chord-normalised: one unit is one chord; read with chord= in metres, otherwise the chord is 1 m{ignored}"
    if unit is not None:
        return "m", f"{unit}, as given"
    return "file unit", missing_unit(form.name, points, source.where).message


def _measure(mesh: Mesh, name: str) -> float:
    return float(cell_measures(mesh.patch(name)).sum()) if len(mesh.patches[name]) else 0.0


def _on_patches(case: Case) -> Iterator[FieldSummary]:
    for patch, values in case.boundary.items():
        for field in values.values():
            yield _summary(field, f"patch '{patch}'")


def _summary(field: Field, location: str) -> FieldSummary:
    values = np.asarray(field.values, dtype=np.float64)
    magnitude = values
    if field.quantity.rank:
        axes = tuple(range(values.ndim - field.quantity.rank, values.ndim))
        with np.errstate(over="ignore", invalid="ignore"):
            magnitude = np.sqrt((values**2).sum(axis=axes))
    finite = np.isfinite(magnitude)
    low, high = (float(magnitude[finite].min()), float(magnitude[finite].max())) if finite.any() else (None, None)
    return FieldSummary(field.name, field.quantity.unit, location, field.quantity.rank, low, high, int((~np.isfinite(values)).sum()))


def _lines(found: Inspection):
    report, unit = found.report, found.length_unit
    yield f"{found.path}: {found.format}, {found.size / 1e6:.3g} MB"
    yield f"  length unit   {found.unit_statement}"
    cells = ", ".join(f"{count} {name}" for name, count in report.n_cells.items()) or "no cells"
    yield f"  mesh          {report.kind} in {found.dimension}-D: {number_of(report.n_points, 'point', 'points')}, {cells}" + (
        f", {report.components} parts" if report.components > 1 else ""
    )
    corners = np.array(report.bounds)
    size = f"{extent_text(corners)} {unit}" if unit != "m" else " x ".join(length_text(length) for length in np.ptp(corners, axis=0))
    spans = ", ".join(f"{axis} {low + 0.0:.6g} .. {high + 0.0:.6g}" for axis, low, high in zip("xyz", *corners, strict=False))
    yield f"  bounding box  {spans} {unit}; size {size}"
    yield from _measure_lines(report, found.dimension, unit)
    yield from _health_lines(report, unit)
    if found.condition:
        yield f"  condition     {', '.join(f'{key} {value:g}' for key, value in found.condition.items())}"
    if found.time is not None:
        steps = f", one of {len(found.times)} steps from {found.times[0]:g} to {found.times[-1]:g} s" if len(found.times) > 1 else ""
        yield f"  time          {found.time:g} s{steps}"
    yield from _table(
        "patches",
        [
            f"{item.name}: {number_of(item.facets, 'facet', 'facets')}, {item.measure:.6g} {_power(unit, found.dimension - 1)}"
            for item in found.patches
        ],
    )
    yield from _table("zones", [f"{name}: {number_of(count, 'cell', 'cells')}" for name, count in found.zones.items()])
    yield from _table("quality", [_quality_line(item) for item in report.quality])
    yield from _table("fields", [_field_line(item) for item in found.fields])
    yield from _table("notes", list(found.notes))
    yield from _table("to repair", list(found.findings)) if found.findings else ["  nothing to repair was found"]


def _measure_lines(report: MeshReport, dimension: int, unit: str):
    topological = {"outline": 1, "surface": 2, "plane mesh": 2, "volume mesh": 3}.get(report.kind)
    if topological is not None:
        yield f"  {_MEASURES[topological]:<13} {report.measure:.6g} {_power(unit, topological)}"
    if report.closed is not None:
        outline = report.kind == "outline"
        state = (
            "yes"
            if report.closed
            else f"no, {number_of(report.open_edges, *(('open end', 'open ends') if outline else ('open edge', 'open edges')))}"
        )
        at = number_of(report.non_manifold_edges, *(("point", "points") if outline else ("edge", "edges")))
        manifold = "" if report.manifold else f", not manifold at {at}"
        inside = f", encloses {report.enclosed:.6g} {_power(unit, dimension)}" if report.enclosed is not None else ""
        yield f"  closed        {state}{manifold}{inside}"
    if report.baffle_facets:
        yield f"  baffles       {report.baffle_facets} facets are the front or back of sheets without thickness; both sides carry forces"


def _health_lines(report: MeshReport, unit: str):
    """Where it is open, which way it faces, whether it cuts itself, and what is superfluous."""
    shown = [
        f"{hole.size:.4g} {unit} across ({hole.share:.1%} of its part), {number_of(hole.points, 'point', 'points')}, at ({', '.join(f'{x:.5g}' for x in hole.center)})"
        for hole in report.holes[:_MOST_HOLES]
    ]
    more = len(report.holes) - len(shown)
    yield from _table("openings", [*shown, *([f"... and {more} smaller (all of them with --json)"] if more else [])])
    if report.closed is not None:
        inward = number_of(report.inward_facets, "facet faces", "facets face") + " the wrong way" if report.inward_facets else ""
        edges = number_of(report.inconsistent_edges, *(("end", "ends") if report.kind == "outline" else ("edge", "edges")))
        state = inward or ("out of the body" if report.enclosed is not None else "neighbours agree")
        yield f"  orientation   {state if report.oriented else f'neighbours disagree at {edges}'}"
        things = "segments" if report.kind == "outline" else "facets"
        crossings = (
            f"{number_of(report.self_intersections, 'pair', 'pairs')} of {things}"
            if report.self_intersections is not None
            else "not counted; --thorough counts them"
        )
        yield f"  cuts itself   {crossings}"
    elif report.kind != "point cloud":
        inverted = number_of(report.inverted_cells, "cell", "cells")
        yield f"  orientation   {'all cells positive' if report.oriented else f'{inverted} inside out'}"
    yield f"  superfluous   points: {report.duplicate_points} duplicate, {report.unused_points} without a cell" + (
        f"; cells: {report.degenerate_cells} degenerate, {report.repeated_cells} repeated" if report.kind != "point cloud" else ""
    )


def _quality_line(item: QualitySummary) -> str:
    if item.minimum is None:
        return f"{item.cells}, {item.measure}: not defined for any of {item.count}"
    values = f"{item.minimum:.4g} .. {item.maximum:.4g}, 1 % {item.p1:.4g}, median {item.median:.4g}, 99 % {item.p99:.4g}"
    return f"{item.cells}, {item.measure}: {values}" + (f", not defined for {item.undefined}" if item.undefined else "")


def _power(unit: str, exponent: int) -> str:
    return unit if exponent == 1 else f"{unit}^{exponent}" if unit == "m" else f"({unit})^{exponent}"


def _field_line(item: FieldSummary) -> str:
    kind = ("", "vector, magnitude ", "tensor, magnitude ")[min(item.rank, 2)]
    place = (
        "for the whole case" if item.location == "global" else f"on {item.location}" if item.location.startswith("patch ") else f"at {item.location}s"
    )
    reach = f"{item.minimum:.6g} .. {item.maximum:.6g}" if item.minimum is not None else "no finite value"
    reach = f"{item.minimum:.6g}" if item.minimum is not None and item.minimum == item.maximum else reach
    return f"{item.name} [{item.unit}] {place}: {kind}{reach}" + (f", {item.non_finite} NaN or infinite" if item.non_finite else "")


def _table(title: str, rows: list[str]):
    for i, row in enumerate(rows[:_MOST_ROWS]):
        yield f"  {title if i == 0 else '':<13} {row}"
    if len(rows) > _MOST_ROWS:
        yield f"  {'':<13} ... and {len(rows) - _MOST_ROWS} more (all of them with --json)"
