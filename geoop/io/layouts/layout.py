"""A published layout: how it is recognised and surveyed, and what all layouts do alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, GeoopError, UnreadableFileError
from ...mesh.case import Case
from ..collecting.arrays import Meaning, guess_arrays, prepared, summaries, with_meanings
from ..collecting.choices import Choices, Question, check_used, reason
from ..collecting.collection import Collection
from ..collecting.report import Report
from ..collecting.splitting import Splits
from ..collecting.to_points import with_points
from ..dataset_writing import DatasetPlan


@dataclass(frozen=True)
class Layout:
    """A published layout.

    Attributes:
        name: on the command line.
        summary: one line: what it is, who published it.
        looks_like: what a folder of it holds, for messages.
        recognise: whether a folder is of it; looks at names only.
        survey: folder and choices -> collection; reads one case.
    """

    name: str
    summary: str
    looks_like: str
    recognise: Callable[[Path], bool]
    survey: Callable[[Path, Choices], Collection]


@dataclass(frozen=True, eq=False)
class Published:
    """What a layout's module knows of a folder before any case is read.

    Attributes:
        layout: its name.
        splits: names by split, shapes and notes.
        load: case name -> case as it is in the files, in metres, with operating point, walls and coefficients.
        meanings: array of the files -> ``quantity:unit``, as published; the user's ``--map`` wins.
        parameters: case name -> design parameters.
        series: case name -> series in time.
        licence: of the publication.
        about: sentence on what it is and where it comes from.
        facts: units, constants and conventions for the card.
        notes: what was assumed or left out.
        files: of the cases, for the fingerprint of the inputs.
        questions: what the user must say.
        takes: conditions that the user may say; what is published needs no other.
    """

    layout: str
    splits: Splits
    load: Callable[[str], Case]
    meanings: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    series: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    about: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    files: Sequence[Path] = ()
    questions: Sequence[Question] = ()
    takes: Sequence[str] = ()


def collection_of(found: Published, root: Path, choices: Choices) -> Collection:
    """The collection of a published set: one case is read for the report.

    Raises:
        UnreadableFileError: there is no case, or none of the first five can be read.
        ConfigurationError: ``--map`` names no array; options that only own runs have.
    """
    _refuse_idle(choices, found, root)
    names = [name for own in found.splits.splits.values() for name in own]
    if not names:
        raise UnreadableFileError(f"there is no case of the layout {found.layout}", where=str(root), remedy="give the folder that was downloaded")
    first, origins = _first_case(found, names, root, choices)
    arrays = summaries(first, origins)
    check_used(choices.names, list(arrays), str(root))
    told = {name: text for name, text in found.meanings.items() if name in arrays}
    meanings, questions = guess_arrays(arrays, replace(choices, names={**told, **choices.names}))
    meanings = {name: _attributed(meaning, name, told, choices) for name, meaning in meanings.items()}
    notes = [*found.notes, *found.splits.notes, *first.mesh.notes]
    if any(item.location == "cell" for item in arrays.values()) and not any(item.location == "point" for item in arrays.values()):
        at_cells = "values at cells are brought to points: means weighted with cell sizes" if choices.to_points else ""
        notes.append(at_cells or "all values are at cells and stay there; training needs them at points: add --points (to_points=True)")
    plan = DatasetPlan(
        name=choices.name or found.layout,
        description=choices.description or found.about,
        splits=found.splits.splits,
        generator=_card(found, meanings, choices, notes),
        parameters={name: {**dict(found.parameters.get(name, {}))} for name in names if found.parameters.get(name)},
        geometry={name: shape for name, shape in found.splits.geometry.items() if name in set(names)},
        series={name: own for name, own in found.series.items() if name in set(names)},
        licence=choices.licence or found.licence,
    )
    rows = [("array", "quantity", "unit", "at", "from", "to", "why")]
    for name, item in arrays.items():
        meaning = meanings[name]
        target = meaning.quantity.name if meaning.quantity is not None else "(left out)"
        rows.append((name, target, meaning.unit or "-", item.location, f"{item.low:.4g}", f"{item.high:.4g}", meaning.why))
    tables: dict[str, list[tuple[str, ...]]] = {f"arrays of '{first.name}'": [*rows]} if len(rows) > 1 else {}
    point = first.operating_point
    if point is not None:
        tables[f"condition of '{first.name}'"] = [("condition", "value"), *((key, f"{value:.6g}") for key, value in point.to_dict().items())]
    if first.mesh.patches:
        body = first.wall if first.wall is not None else tuple(first.mesh.patches)
        tables["patches"] = [("patch", "is"), *((name, "wall" if name in body else "no wall") for name in first.mesh.patches)]
    sizes = {split: len(own) for split, own in found.splits.splits.items()}
    title = f"{len(names)} cases of the layout {found.layout} in '{root.name}'"
    report = Report(title, tables, sizes, tuple(dict.fromkeys(notes)), {}, (*found.questions, *questions))

    def read(name: str) -> Case:
        case = with_meanings(prepared(found.load(name), {**found.meanings, **choices.names})[0], meanings)
        return replace(with_points(case) if choices.to_points else case, name=name)

    return Collection(plan, read, report)


def constant(choices: Choices, key: str, published: float | None) -> float | None:
    """What the user says of a condition, else what is published."""
    return choices.constants.get(key, published)


def variant_of(choices: Choices, known: Sequence[str], where: str) -> str:
    """The chosen variant; the first one unless said.

    Raises:
        ConfigurationError: there is no such variant.
    """
    if choices.variant and choices.variant not in known:
        raise ConfigurationError(
            f"there is no variant '{choices.variant}'", where=where, remedy=f"choose one of {', '.join(known)}: --variant {known[0]}"
        )
    return choices.variant or known[0]


def _refuse_idle(choices: Choices, found: Published, root: Path) -> None:
    """Options of own runs that a published set has no use for are refused, not ignored."""
    idle = {"--split-by": choices.split_by, "--file": choices.file, "--ood": choices.ood, "--match": choices.match if choices.match != "names" else None,
            "--wall": choices.wall, "--unit": choices.unit}  # fmt: skip
    idle |= {"--inviscid": choices.inviscid, **{f"--{key.replace('_', '-')}": key not in found.takes for key in choices.constants}}
    given = [option for option, value in idle.items() if value]
    if given:
        free = f"; it takes {', '.join('--' + key.replace('_', '-') for key in found.takes)}" if found.takes else ""
        raise ConfigurationError(
            f"{', '.join(given)} mean nothing for the layout {found.layout}, where this is published{free}",
            where=str(root),
            remedy="leave them out, or say --layout own",
        )


def _first_case(found: Published, names: Sequence[str], root: Path, choices: Choices) -> tuple[Case, dict[str, str]]:
    errors: list[GeoopError] = []
    for name in names[:5]:
        try:
            case, origins = prepared(found.load(name), {**found.meanings, **choices.names})
            return replace(case, name=name), origins
        except GeoopError as error:
            errors.append(error)
    raise UnreadableFileError(
        f"none of the first {len(errors)} cases can be read; '{names[0]}': {reason(errors[0])}", where=str(root), remedy=errors[0].remedy
    ) from errors[0]


def _attributed(meaning: Meaning, name: str, told: Mapping[str, str], choices: Choices) -> Meaning:
    return replace(meaning, why="as published") if name in told and name not in choices.names else meaning


def _card(found: Published, meanings: Mapping[str, Meaning], choices: Choices, notes: Iterable[str]) -> dict[str, Any]:
    digest = hashlib.sha256()
    for path in found.files:
        digest.update(f"{path.name}|{path.stat().st_size if path.is_file() else 0}|".encode())
    return {
        "source": f"published files, layout {found.layout}",
        "revision": 1,
        "inputs": digest.hexdigest(),
        **dict(found.facts),
        **({"variant": choices.variant} if choices.variant else {}),
        **({"stated": dict(choices.constants)} if choices.constants else {}),
        "times": choices.times,
        "arrays": {m.name: m.quantity.label if m.quantity is not None else "left out" for m in meanings.values()},
        "location": "cells brought to points" if choices.to_points else "as in the files",
        "seed_of_splits": choices.seed,
        "label_error": "that of the publication, not known here",
        "notes": list(dict.fromkeys(notes)),
    }
