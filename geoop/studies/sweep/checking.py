"""Everything that is wrong with a study, said at once and before anything is computed; and what is probably a slip, asked about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...errors import GeoopError
from ...io.units import length_text
from ...mesh.body import body
from ...mesh.crossings import crossing_segments
from ...mesh.mesh import Mesh
from ...mesh.outline import chord_line, loops
from ...mesh.quality import mesh_report
from .conditions import Condition
from .findings import Finding, refuse
from .geometries import Geometry, referenced
from .study_file import StudySpec
from .study_model import StudyModel

#: Bodies and chords outside these lengths are asked about [m].
USUAL = (5e-3, 200.0)
#: A sweep whose largest angle is below this looks like radians [deg].
_RADIANS = 0.6
#: At most so many shapes are judged before the study, at one condition.
_JUDGED = 400


@dataclass(frozen=True)
class Checked:
    """A study that can be computed.

    Attributes:
        geometries: with reference values.
        warnings: sentences that its reader should know.
    """

    geometries: tuple[Geometry, ...]
    warnings: tuple[str, ...]


def check(spec: StudySpec, model: StudyModel) -> Checked:
    """Refuse what cannot be computed and what is probably a slip; warn of what the model has not seen.

    Raises:
        ConfigurationError: every finding, one per line.
    """
    findings = [Finding.of(error, spec.where) for error in spec.errors]
    shapes: list[Geometry] = []
    for item in spec.geometries:
        found, whole = _geometry(item, spec, model)
        findings += found
        shapes += [whole] if whole is not None else []
    findings += list(_conditions(spec, model, shapes))
    accepted = [item for item in findings if item.accept and item.accept in spec.settings.accept]
    open_questions = [item for item in findings if item not in accepted]
    if not spec.geometries and not open_questions:
        open_questions = [Finding(spec.where, "no geometry", "give at least one [[geometry]]")]
    refuse(open_questions, spec.where)
    return Checked(tuple(shapes), (*(f"accepted: {item.where}: {item.message}" for item in accepted), *_warnings(spec, model, shapes)))


def _geometry(item: Geometry, spec: StudySpec, model: StudyModel) -> tuple[list[Finding], Geometry | None]:
    """What is wrong with a shape, and the shape with its reference values."""
    try:
        if model.dimension is not None and item.mesh.dimension != model.dimension:
            wanted = "sections" if model.dimension == 2 else "bodies in space"
            return [
                Finding(item.name, f"a {item.mesh.dimension}-D mesh; the model '{model.name}' takes {wanted}", "give another geometry or model")
            ], None
        outline = body(item.mesh, item.wall)
        findings = list(_section(outline, item.name) if item.mesh.dimension == 2 else _surface(outline, item.name))
        whole = referenced(item, spec.settings.reference_length, spec.settings.reference_area)
    except GeoopError as error:
        return [Finding(error.where or item.name, error.message, error.remedy)], None
    size = float(np.ptp(outline.points, axis=0).max())
    if not USUAL[0] <= size <= USUAL[1]:
        what = "a chord" if item.mesh.dimension == 2 else "a body"
        findings.append(
            Finding(item.name, f"{what} of {length_text(size)}: is the unit right?", "give unit = 'mm' (STL, OBJ) or chord = 0.25 [m] (.dat)", "unit")
        )
    return findings, whole


def _section(outline: Mesh, name: str) -> Iterator[Finding]:
    found = loops(outline)
    ends = [outline.points[loop.points[[0, -1]]] for loop in found if not loop.closed]
    if ends:
        gap = max(float(np.linalg.norm(pair[1] - pair[0])) for pair in ends)
        yield Finding(
            name,
            f"the section is open: {len(ends)} of {len(found)} loops, a gap of {length_text(gap)}",
            "close it, at the trailing edge by a short line",
        )
    rings = [outline.points[loop.points] for loop in found]
    start = np.concatenate([ring if loop.closed else ring[:-1] for ring, loop in zip(rings, found, strict=True)])
    end = np.concatenate([np.roll(ring, -1, axis=0) if loop.closed else ring[1:] for ring, loop in zip(rings, found, strict=True)])
    pairs = crossing_segments(start, end)
    if len(pairs):
        x, y = start[pairs[0, 0]]
        yield Finding(
            name, f"the section crosses itself {len(pairs)} times, first near ({x:.4g}, {y:.4g}) m", "check the order of its points: one closed loop"
        )


def _surface(surface: Mesh, name: str) -> Iterator[Finding]:
    report = mesh_report(surface, intersections=False)
    if report.open_edges:
        yield Finding(
            name,
            f"the surface is open: {report.open_edges} free edges",
            "look with `geoop inspect FILE`, close it with `geoop inspect FILE --repair OUT`",
            "open",
        )


def _conditions(spec: StudySpec, model: StudyModel, shapes: list[Geometry]) -> Iterator[Finding]:
    """What is wrong with the conditions: by themselves, for the model, and for each shape."""
    conditions = spec.conditions
    if not conditions:
        return
    largest = max(max(abs(c.alpha), abs(c.beta)) for c in conditions)
    if 0 < largest <= _RADIANS:
        yield Finding("conditions", f"the largest angle is {largest:g} degrees: are these radians?", "give alpha and beta in degrees", "angles")
    if not model.flow:
        yield Finding("conditions", f"the model '{model.name}' was trained without a free stream", "use a model of flows")
    if model.conditions is not None and any(c.mach is not None for c in conditions) and "mach" not in model.conditions:
        yield Finding(
            "conditions mach",
            f"the model '{model.name}' knows no Mach number: its flows are incompressible",
            "leave mach out, or take a model that has it",
        )
    if model.conditions is not None and "mach" in model.conditions and any(c.mach is None for c in conditions):
        yield Finding("conditions mach", f"the model '{model.name}' needs a Mach number", "state mach")
    if model.dimension == 2 and any(c.beta for c in conditions):
        yield Finding("conditions beta", "sideslip of a section", "leave beta out")
    needs = model.conditions is not None and "reynolds" in model.conditions
    if needs and any(c.reynolds is None and c.viscosity is None for c in conditions):
        yield Finding("conditions", f"the model '{model.name}' needs a Reynolds number", "state reynolds, or viscosity [Pa s]")
    if spec.settings.drag == "boundary layer" and any(c.reynolds is None and c.viscosity is None for c in conditions):
        yield Finding("drag", "a boundary layer needs a Reynolds number", 'state reynolds or viscosity, or drag = "none"')
    said = set()
    for shape in shapes:
        for condition in conditions:
            try:
                condition.operating_point(shape.length)
            except GeoopError as error:
                if error.message not in said:
                    said.add(error.message)
                    yield Finding(f"conditions, for {shape.name}", error.message, error.remedy)
    bare = [shape.name for shape in shapes if shape.mesh.dimension == 3 and shape.area is None]
    if bare and (model.quantities is None or {"pressure", "pressure_coefficient"} & set(model.quantities)):
        names = ", ".join(bare[:3]) + (f" and {len(bare) - 3} more" if len(bare) > 3 else "")
        yield Finding(names, "coefficients in space need a reference area, and none is customary for every body", "give reference_area [m^2]")


def _warnings(spec: StudySpec, model: StudyModel, shapes: list[Geometry]) -> Iterator[str]:
    """What the model has not seen, and what it cannot say."""
    if model.quantities is not None and not {"pressure", "pressure_coefficient"} & set(model.quantities):
        yield f"the model '{model.name}' predicts {', '.join(model.quantities)} and no pressure: no forces"
    known = model.conditions
    if known is not None and "reynolds" not in known and any(c.reynolds is not None or c.viscosity is not None for c in spec.conditions):
        why = "" if spec.settings.drag != "boundary layer" else "; it is used for the drag of the boundary layer only"
        yield f"the model '{model.name}' knows no Reynolds number: it does not change its fields{why}"
    if not shapes or not spec.conditions:
        return
    turned = chord_line(body(shapes[0].mesh, shapes[0].wall)).angle if shapes[0].mesh.dimension == 2 else 0.0
    far = [text for c in spec.conditions if (text := model.beyond(c.operating_point(shapes[0].length), turned))]
    if far:
        yield f"{len(far)} of {len(spec.conditions)} conditions lie outside of what the model was trained on, such as {far[0]}"
    yield from _unseen(shapes, min(spec.conditions, key=lambda c: abs(c.alpha)), model)


def _unseen(shapes: list[Geometry], condition: Condition, model: StudyModel) -> Iterator[str]:
    """One sentence on the shapes that the model refuses, and one on those outside of what it was trained on. The other cases are worth computing."""
    outside, refused, judged = [], [], 0
    for shape in shapes[:: max(1, -(-len(shapes) // _JUDGED))]:
        try:
            verdict = model.judge(shape, condition.operating_point(shape.length))
        except GeoopError as error:
            judged += 1
            refused.append((shape.name, error))
            continue
        judged += verdict is not None
        if verdict is not None and verdict.level == "outside":
            outside.append((shape.name, verdict.reason))
    if refused:
        name, error = refused[0]
        yield f"{len(refused)} of {judged} geometries are refused by the model, such as {name}: {error.message}. remedy: {error.remedy}"
    if outside:
        yield f"{len(outside)} of {judged} geometries lie outside of what the model was trained on, such as {outside[0][0]}: {outside[0][1]}"
