"""From what was seen of all runs to the plan of a data set, the way to read its cases, and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConditionError, ConfigurationError
from ...mesh.case import Case
from ...mesh.quantity import QUANTITIES, Field
from ..dataset_writing import DatasetPlan
from .arrays import ArraySummary, Meaning, with_meanings
from .choices import Choices, Question
from .coefficients import openfoam_coefficients
from .collection import Collection, plain_names
from .columns import CONDITIONS, Column
from .conditions import Condition
from .folder import Run, inputs_hash, stem_of
from .looking import Look, load_run
from .report import Report
from .shapes import shape_names
from .splitting import Splits, apart, out_of_distribution, random_splits, stated_splits, with_ood
from .table import Table
from .to_points import with_points
from .walls import guess_wall


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything that was seen and guessed of a folder of runs; keys are keys of runs."""

    root: Path
    table: Table | None
    columns: list[Column]
    looks: list[Look]
    arrays: Mapping[str, ArraySummary]
    meanings: dict[str, Meaning]
    conditions: Mapping[str, Condition]
    failing: Mapping[str, str]
    notes: tuple[str, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Job:
    """How one case is read: its run, and the step or file of it."""

    run: Run
    time: float | None = None
    frame: Path | None = None


def planned(seen: Evidence, choices: Choices) -> Collection:
    """The plan, the reader and the report of what was seen.

    Raises:
        ConfigurationError: ``split_by`` names no column, or the condition of ``ood`` fits no run or all.
    """
    jobs, series = _jobs(seen, choices)
    sound = [look.run.key for look in seen.looks if look.run.key not in seen.failing]
    splits = _splits(seen, sound, choices)
    names_of_run: dict[str, list[str]] = {}
    for name, job in jobs.items():
        names_of_run.setdefault(job.run.key, []).append(name)
    failing = [look.run.key for look in seen.looks if look.run.key in seen.failing]
    rows = {split: tuple(name for key in keys for name in names_of_run[key]) for split, keys in splits.splits.items()}
    first = next(iter(rows), "train")
    rows[first] = (*rows.get(first, ()), *(name for key in failing for name in names_of_run[key]))
    notes = tuple(dict.fromkeys((*seen.notes, *splits.notes, *_remarks(seen, choices))))
    plan = DatasetPlan(
        name=choices.name or _dataset_name(seen.root),
        description=choices.description or _description(seen, choices),
        splits=rows,
        generator=_card(seen, choices, notes, apart=bool(splits.geometry)),
        parameters={name: _parameters(job, seen) for name, job in jobs.items()},
        geometry={name: splits.geometry[job.run.key] for name, job in jobs.items() if job.run.key in splits.geometry},
        series=series,
        seed=None,
        licence=choices.licence,
    )
    report = Report(
        _title(seen, jobs),
        _tables(seen, choices),
        {split: sum(len(names_of_run[key]) for key in keys) for split, keys in splits.splits.items()},
        notes,
        dict(seen.failing),
        seen.questions,
    )
    return Collection(plan, _reader(seen, jobs, choices), report)


def _jobs(seen: Evidence, choices: Choices) -> tuple[dict[str, Job], dict[str, str]]:
    """Case name -> how it is read, and case name -> series."""
    keys = _shown([look.run for look in seen.looks])
    names = plain_names(keys.values())
    jobs, series = {}, {}
    for look in seen.looks:
        name = names[keys[look.run.key]]
        steps: list[Job] = [Job(look.run, time=time) for time in look.times] or [Job(look.run, frame=path) for path in look.run.frames]
        if choices.times == "all" and len(steps) > 1:
            digits = max(4, len(str(len(steps))))
            for number, job in enumerate(steps):
                jobs[f"{name}_t{number:0{digits}d}"] = job
                series[f"{name}_t{number:0{digits}d}"] = name
        else:
            jobs[name] = Job(look.run)
    return jobs, series


def _shown(runs: list[Run]) -> dict[str, str]:
    """Key of a run -> what its case is called after: the path without suffix; the folder where every folder holds a file of that name."""
    paths = {run.key: Path(run.key).with_name(stem_of(Path(run.key))) for run in runs}
    if len(paths) > 1 and len({path.name for path in paths.values()}) == 1 and len({path.parent for path in paths.values()}) == len(paths):
        return {key: path.parent.as_posix() for key, path in paths.items()}
    found = {key: path.as_posix() for key, path in paths.items()}
    return found if len(set(found.values())) == len(found) else {key: key for key in found}


def _splits(seen: Evidence, sound: list[str], choices: Choices) -> Splits:
    if not sound:
        return Splits({"train": ()}, {}, ())
    shapes = {look.run.key: look.shape for look in seen.looks if look.run.key in set(sound) and look.shape is not None}
    groups = {**{key: key for key in sound}, **shape_names(shapes)}
    stated = {key: seen.conditions[key].labels["geometry"] for key in sound if "geometry" in seen.conditions[key].labels}
    if stated:
        groups |= stated
    outside: set[str] = set()
    if choices.ood:
        outside = out_of_distribution(choices.ood, {key: _numbers(seen, key) for key in sound})
    inside = {key: group for key, group in groups.items() if key not in outside}
    labels = {key: seen.conditions[key].labels["split"] for key in inside if "split" in seen.conditions[key].labels}
    if choices.split_by is not None:
        by_value = random_splits(_values(seen, list(inside), choices.split_by), choices.seed, f"value of '{choices.split_by}'")
        found = apart(replace(by_value, geometry=inside), "--split-by")
    elif labels:
        lost = [key for key in inside if key not in labels]
        found = stated_splits({**labels, **dict.fromkeys(lost, "train")}, inside, "the column")
        if lost:
            found = replace(found, notes=(*found.notes, f"{len(lost)} runs have no split stated and go to 'train': {', '.join(lost[:5])}"))
    else:
        found = random_splits(inside, choices.seed, "shape")
    if not outside:
        return found
    known = {**found.geometry, **{key: groups[key] for key in outside}} if found.geometry else {}
    return with_ood(replace(found, geometry=known), [key for key in sound if key in outside], choices.ood or "")


def _values(seen: Evidence, keys: list[str], column: str) -> dict[str, str]:
    """Run -> value of a column, as text."""
    found = {}
    for key in keys:
        condition = seen.conditions[key]
        known = {**condition.parameters, **condition.values, **condition.labels}
        header = next((c for c in seen.columns if c.header == column), None)
        name = column if column in known else (header.name or header.role) if header is not None else column
        if name not in known:
            there = sorted({*known, *(c.header for c in seen.columns)})
            raise ConfigurationError(
                f"'{key}' has no value of '{column}'", where="--split-by", remedy=f"choose one of {', '.join(there) or 'none: there is no table'}"
            )
        found[key] = str(known[name])
    return found


def _numbers(seen: Evidence, key: str) -> dict[str, float]:
    condition = seen.conditions[key]
    extra = {name: value for name, value in condition.parameters.items() if isinstance(value, float)}
    headers = {c.header: condition.values[c.role] for c in seen.columns if c.role in condition.values}
    return {**extra, **headers, **condition.values, **condition.results}


def _reader(seen: Evidence, jobs: Mapping[str, Job], choices: Choices) -> Callable[[str], Case]:
    """The function that reads a case by its name."""

    def read(name: str) -> Case:
        job = jobs[name]
        key = job.run.key
        if key in seen.failing:
            raise ConditionError(seen.failing[key], where=key, remedy="correct the file or its row, then collect again")
        case, _ = load_run(job.run, choices, job.time, job.frame)
        case = replace(case, wall=guess_wall(case, choices)[0])
        case = with_meanings(case, seen.meanings)
        if choices.to_points:
            case = with_points(case)
        condition = seen.conditions[key]
        results = {name: Field(QUANTITIES[name], np.array(value), "global") for name, value in condition.results.items()}
        if job.run.path.is_dir():
            results = {**openfoam_coefficients(job.run.path, case.time)[0], **results}
        point = condition.operating_point(choices.inviscid)
        return replace(case.with_fields(*results.values()), operating_point=point, name=name, wall=case.wall or None if case.wall != () else ())

    return read


def _parameters(job: Job, seen: Evidence) -> dict[str, Any]:
    condition = seen.conditions[job.run.key]
    known = {"source": job.run.key, **({"frame": job.frame.name} if job.frame else {})}
    extra = {f"{key}_number": value for key, value in condition.values.items() if key == "reynolds"}
    return {**known, **condition.parameters, **extra}


def _remarks(seen: Evidence, choices: Choices) -> list[str]:
    """What somebody who trains on this must know."""
    looks = [look for look in seen.looks if look.error is None]
    notes = []
    partial = [f"'{name}' ({item.runs} of {len(looks)})" for name, item in seen.arrays.items() if item.runs < len(looks)]
    if partial:
        first = next(name for name, item in seen.arrays.items() if item.runs < len(looks))
        lacking = [look.run.key for look in looks if first not in look.arrays]
        notes.append(f"arrays that not all runs have: {', '.join(partial[:12])}; '{first}' is not in {', '.join(lacking[:5])}")
    at_points = [name for name, item in seen.arrays.items() if item.location == "point"]
    at_cells = [name for name, item in seen.arrays.items() if item.location == "cell"]
    if at_cells and choices.to_points:
        notes.append(
            "values at cells are brought to points: means weighted with cell sizes; wall points take the values that the file has on the wall"
        )
    elif at_cells and not at_points:
        notes.append("all values are at cells and stay there; training needs them at points: add --points (to_points=True)")
    twins = [own for own in _by(looks, lambda look: look.digest).values() if len(own) > 1]
    notes += [f"equal results in {', '.join(look.run.key for look in own[:6])}: the same file copied?" for own in twins[:5]]
    steps = [len(look.times) or len(look.run.frames) for look in looks]
    if max(steps, default=0) > 1:
        taken = "all are taken, as series" if choices.times == "all" else "the last is taken; all of them with --times all"
        notes.append(f"runs have up to {max(steps)} steps in time: {taken}")
    if looks and looks[0].size:
        size = " x ".join(f"{length:.4g}" for length in looks[0].size)
        odd = max(looks[0].size) > 150 or max(looks[0].size) < 1e-3
        notes.append(
            f"the body of '{looks[0].run.key}' is {size} m" + (": if that is not so, say the unit of the files, e.g. --unit mm" if odd else "")
        )
    for look in looks[:400]:
        if look.run.path.is_dir():
            notes += [f"{look.run.key}: {note}" for note in openfoam_coefficients(look.run.path, None)[1]]
    counted = Counter(note for look in looks for note in look.notes)
    notes += [f"{note}" + (f" ({count} of {len(looks)} runs)" if count < len(looks) else "") for note, count in counted.most_common(12)]
    return notes


def _by(looks: list[Look], key: Callable[[Look], str]) -> dict[str, list[Look]]:
    found: dict[str, list[Look]] = {}
    for look in looks:
        found.setdefault(key(look), []).append(look)
    return found


def _title(seen: Evidence, jobs: Mapping[str, Job]) -> str:
    looks = [look for look in seen.looks if look.error is None]
    points = [look.points for look in looks]
    reach = f", {min(points)} .. {max(points)} points" if points else ""
    return f"{len(seen.looks)} run{'s' if len(seen.looks) != 1 else ''} in '{seen.root.name}' ({len(jobs)} cases{reach})"


def _dataset_name(root: Path) -> str:
    return next(iter(plain_names([root.resolve().name]).values()))


def _description(seen: Evidence, choices: Choices) -> str:
    source = f" with conditions from '{seen.table.path.name}'" if seen.table is not None else ""
    return f"Runs collected from the folder '{seen.root.resolve().name}'{source}."


def _tables(seen: Evidence, choices: Choices) -> dict[str, list[tuple[str, ...]]]:
    tables: dict[str, list[tuple[str, ...]]] = {}
    if seen.table is not None:
        rows = [("column", "is", "unit", "why")]
        rows += [(c.header, c.role if c.role != "parameter" else f"parameter {c.name}", c.unit or "-", c.why) for c in seen.columns]
        tables[f"columns of {seen.table.path.name}"] = rows
    rows = [("condition", "unit", "from", "to", "source")]
    for role, unit in CONDITIONS.items():
        if choices.inviscid and role.endswith("viscosity"):
            continue
        values = [c.values[role] for c in seen.conditions.values() if role in c.values]
        if values:
            sources = Counter(c.sources[role] for c in seen.conditions.values() if role in c.sources)
            rows.append((role, unit, f"{min(values):.6g}", f"{max(values):.6g}", ", ".join(sources)))
    speeds = any("velocity" in c.values for c in seen.conditions.values())
    if speeds and not any("alpha" in c.values for c in seen.conditions.values()):
        rows.append(("alpha", "deg", "0", "0", "nobody says one: 0 is taken (--alpha says another)"))
    if len(rows) > 1:
        tables["conditions"] = rows
    rows = [("array", "quantity", "unit", "at", "from", "to", "runs", "why")]
    for name, item in seen.arrays.items():
        meaning = seen.meanings[name]
        target = meaning.quantity.name if meaning.quantity is not None else "(left out)"
        rows.append((name, target, meaning.unit or "-", item.location, f"{item.low:.4g}", f"{item.high:.4g}", str(item.runs), meaning.why))
    if len(rows) > 1:
        tables["arrays"] = rows
    found: dict[tuple[str, str], int] = {}
    for look in seen.looks:
        for patch, why in look.patches.items():
            found[patch, why] = found.get((patch, why), 0) + 1
    if found:
        tables["patches"] = [("patch", "is", "runs"), *((patch, why, str(count)) for (patch, why), count in found.items())]
    return tables


def _card(seen: Evidence, choices: Choices, notes: tuple[str, ...], *, apart: bool) -> dict[str, Any]:
    """What the manifest says of how the data came about."""
    sources = Counter(f"{role} from {source}" for c in seen.conditions.values() for role, source in c.sources.items())
    return {
        "source": f"files of a solver, collected from '{seen.root.resolve().name}'",
        "revision": 1,
        "inputs": inputs_hash([look.run for look in seen.looks]),
        "columns": {c.header: f"{c.role} [{c.unit}]" if c.unit else c.role for c in seen.columns},
        "arrays": {m.name: m.quantity.label if m.quantity is not None else "left out" for m in seen.meanings.values()},
        "conditions": sorted(sources),
        "viscosity": "inviscid, as said" if choices.inviscid else "as stated per run",
        "times": choices.times,
        "location": "cells brought to points" if choices.to_points else "as in the files",
        "shapes": f"runs are of one shape if their wall points are equal up to a rigid motion; {'no shape is in two splits' if apart else 'splits share shapes'}; "
        "the same shape meshed differently counts as another",
        "seed_of_splits": choices.seed,
        "label_error": "the solver's own, not known here",
        "notes": list(notes),
    }
