"""PLAID folders (Casenave et al., 2025): ``dataset/samples/sample_000000000/meshes/mesh_000000000.cgns`` with ``scalars.csv`` and a split.

Checked in the documentation of PLAID-lib/plaid ("On-disk format") and its sources: names of folders and files, several meshes are steps in time,
``problem_definition/split.json`` (``split.csv`` up to 0.1.7: a name and its sample numbers per line), ``problem_infos.yaml`` with inputs and outputs; newer
versions write ``data/SPLIT/sample_.../meshes`` instead. From memory: the layout of ``split.json`` as name -> numbers, and that the time of a mesh is in
its CGNS file. Units are not part of the format: arrays keep ``?`` unless ``--map`` says them.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DatasetError, GeoopError
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import Field, Quantity
from ..collecting.choices import CONSTANTS, Choices
from ..collecting.collection import Collection
from ..collecting.folder import natural
from ..collecting.splitting import Splits, random_splits, with_validation
from ..collecting.table import as_number, read_table
from ..reading import read_case
from .layout import Layout, Published, collection_of

_SAMPLE = re.compile(r"sample_(\d+)$")


def recognise(root: Path) -> bool:
    """Whether the folder holds PLAID samples."""
    return bool(_samples(root))


def survey(root: Path, choices: Choices) -> Collection:
    """Samples with their split; scalars that the problem lists as outputs become results of the whole case, the others parameters.

    Raises:
        DatasetError: the split cannot be read.
    """
    folders = _samples(root)
    notes = ["units are not part of the format: arrays have the unit ? unless --map says it"]
    scalars = {name: _scalars(folder, notes) for name, folder in folders.items()}
    outputs = _outputs(root)
    cases: dict[str, tuple[str, Path]] = {}
    series: dict[str, str] = {}
    for name, folder in folders.items():
        meshes = sorted((folder / "meshes").glob("*.cgns"), key=lambda item: natural(item.name))
        if not meshes:
            notes.append(f"{name} has no mesh and is left out")
            continue
        steps = meshes if choices.times == "all" else meshes[-1:]
        for number, path in enumerate(steps):
            case = f"{name}_t{number:04d}" if len(steps) > 1 else name
            cases[case] = (name, path)
            if len(steps) > 1:
                series[case] = name
    groups = {case: name for case, (name, _) in cases.items()}
    splits = _stated(root, groups, notes)
    splits = with_validation(splits, choices.seed) if splits is not None else random_splits(groups, choices.seed, "sample")
    found = Published(
        "plaid",
        splits,
        lambda case: load(cases[case][1], scalars[cases[case][0]], outputs, choices),
        {},
        {case: {key: value for key, value in scalars[name].items() if key not in outputs} for case, (name, _) in cases.items()},
        series,
        licence="see infos.yaml of the download",
        about="A PLAID data set.",
        facts={"citation": "Casenave et al., arXiv 2505.02974", "outputs": sorted(outputs)},
        notes=notes,
        takes=tuple(CONSTANTS) if "velocity" in choices.constants else ("velocity",),
        files=[path for _, path in cases.values()],
    )
    return collection_of(found, root, choices)


def load(path: Path, scalars: dict[str, Any], outputs: set[str], choices: Choices) -> Case:
    """One mesh with its fields and the scalars that are outputs."""
    case = read_case(path)
    results = [
        Field(Quantity(key, key, "?"), np.array(value), "global") for key, value in scalars.items() if key in outputs and isinstance(value, float)
    ]
    free = [item for item in results if item.name not in case.fields]
    point = None
    if "velocity" in choices.constants:
        known = {key: value for key, value in choices.constants.items() if key != "velocity"}
        point = OperatingPoint(choices.constants["velocity"], **known)
    return replace(case.with_fields(*free), operating_point=point or case.operating_point)


def _samples(root: Path) -> dict[str, Path]:
    """Name -> folder of every sample, in order of their numbers."""
    places = (root / "dataset" / "samples", root / "samples", *(sorted((root / "data").glob("*")) if (root / "data").is_dir() else ()))
    found = {}
    for place in places:
        for item in sorted(place.glob("sample_*"), key=lambda item: natural(item.name)) if place.is_dir() else ():
            if _SAMPLE.fullmatch(item.name) and (item / "meshes").is_dir():
                found[item.name if place.name == "samples" else f"{place.name}_{item.name}"] = item
    return found


def _scalars(folder: Path, notes: list[str]) -> dict[str, Any]:
    path = folder / "scalars.csv"
    if not path.is_file():
        return {}
    try:
        table = read_table(path)
    except GeoopError as error:
        notes.append(f"{folder.name}: scalars.csv is left out: {' '.join(error.message.split())}")
        return {}
    found: dict[str, Any] = {}
    for header, text in zip(table.headers, table.rows[0], strict=True):
        value = as_number(text)
        found[header.strip()] = text if value is None else value
    return found


def _outputs(root: Path) -> set[str]:
    """Names of the scalars that a problem lists as outputs, out of its YAML."""
    path = root / "problem_definition" / "problem_infos.yaml"
    found: set[str] = set()
    inside = False
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        if re.match(r"\S", line) and not line.startswith("-"):
            inside = bool(re.match(r"output(_scalars|s)\s*:", line))
            inline = re.match(r"output(?:_scalars|s)\s*:\s*\[(.*)\]", line)
            found |= {word.strip(" '\"") for word in inline[1].split(",") if word.strip()} if inline else set()
        elif inside and (match := re.match(r"\s*-\s*(?:-\s*)?['\"]?([\w. -]+?)['\"]?\s*$", line)) and match[1] not in ("scalar", "field"):
            found.add(match[1])
    return found


def _stated(root: Path, groups: dict[str, str], notes: list[str]) -> Splits | None:
    """The split of the problem, or that of the folders of newer versions."""
    folder = root / "problem_definition"
    numbers: dict[str, list[int]] = {}
    try:
        if (folder / "split.json").is_file():
            data = json.loads((folder / "split.json").read_text(encoding="utf-8"))
            numbers = {key: [int(k) for k in own] for key, own in data.items() if isinstance(own, list)}
        elif (folder / "split.csv").is_file():
            with open(folder / "split.csv", newline="", encoding="utf-8") as handle:
                numbers = {row[0]: [int(k) for k in row[1:] if k.strip()] for row in csv.reader(handle) if row}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DatasetError(f"the split cannot be read: {error}", where=str(folder), remedy="download it again") from error
    if numbers:
        chosen, used = {}, set()
        for key in sorted(numbers, key=lambda key: (key not in ("train", "test", "val", "validation"), len(numbers[key]))):
            own = {k for k in numbers[key] if k not in used}
            if len(own) < len(numbers[key]):
                notes.append(f"split '{key}' overlaps with another and is left out")
                continue
            used |= own
            chosen[key] = own
        parts = {key: tuple(case for case, name in groups.items() if int(_number(name)) in own) for key, own in chosen.items()}
        idle = len(groups) - sum(map(len, parts.values()))
        if idle:
            notes.append(f"{idle} cases are in no split and left out")
        return Splits({_spelled(key): own for key, own in parts.items() if own}, dict(groups), ("splits as problem_definition says",))
    words = {name: name.rsplit("_sample_", 1)[0] for name in groups.values() if "_sample_" in name}
    if not words:
        return None
    parts = {word: tuple(case for case, name in groups.items() if words.get(name) == word) for word in dict.fromkeys(words.values())}
    return Splits({_spelled(word): own for word, own in parts.items()}, dict(groups), ("splits as the folders of data/ say",))


def _number(name: str) -> str:
    match = re.search(r"(\d+)$", name)
    return match[1] if match else "-1"


def _spelled(key: str) -> str:
    word = re.sub(r"[^A-Za-z0-9_]+", "_", key)
    return {"validation": "val", "valid": "val", "training": "train"}.get(word.lower(), word)


LAYOUT = Layout("plaid", "PLAID folders of CGNS meshes", "dataset/samples/sample_000000000/meshes/*.cgns", recognise, survey)
