"""DrivAerNet and DrivAerNet++ (Elrefaie et al., 2024): a VTK surface per design, lists of designs, a table of coefficients.

Checked in Mohamedelrefaie/DrivAerNet: ``train_design_ids.txt``, ``val_...``, ``test_...`` with a design per line, point array ``p`` in ``DESIGN.vtk``
(``RegDGCNN_SurfaceFields/data_loader.py``), columns ``Design`` and ``Average Cd`` (``DeepSurrogates/DrivAerNetDataset.py``); p is divided by the
density, 1.2 kg/m^3, speed 30 m/s (issue 2, answer of the author). From memory: name and folder of the array of wall shear stress.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import DatasetError
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field
from ..collecting.choices import Choices
from ..collecting.collection import Collection, plain_names
from ..collecting.folder import natural
from ..collecting.splitting import Splits, random_splits
from ..collecting.table import Table, as_number, read_table
from ..reading import read_case
from .layout import Layout, Published, collection_of, constant

SPEED, DENSITY, VISCOSITY = 30.0, 1.2, None
_LISTS = {"train": "train_design_ids.txt", "val": "val_design_ids.txt", "test": "test_design_ids.txt"}
_DESIGN = re.compile(r"(DrivAer_)?[FEN]_[SD]_[A-Z]+_[A-Z]+_\d+|DrivAer_\w+_\d+")
_RESULTS = {"cd": "drag_coefficient", "cl": "lift_coefficient", "cm": "moment_coefficient"}
_MEANINGS = {
    "p": "kinematic_pressure:m^2/s^2",
    "wallShearStress": "kinematic_wall_shear_stress:m^2/s^2",
    "U": "velocity:m/s",
}


def recognise(root: Path) -> bool:
    """Whether the folder holds lists of designs, or VTK files named after designs of the set."""
    if any(_found(root, name) for name in _LISTS.values()):
        return bool(_surfaces(root))
    return any(_DESIGN.fullmatch(item.stem) for item in _surfaces(root)[:50])


def survey(root: Path, choices: Choices) -> Collection:
    """Designs with the published lists as splits; without lists 70 : 10 : 20.

    Raises:
        DatasetError: no listed design has a file.
    """
    names = plain_names([item.stem for item in _surfaces(root)])
    files = {names[item.stem]: item for item in _surfaces(root)}
    notes: list[str] = []
    lists = {split: path for split, name in _LISTS.items() if (path := _found(root, name))}
    if lists:
        listed = {split: [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()] for split, path in lists.items()}
        parts = {split: tuple(name for name in own if name in files) for split, own in listed.items()}
        lost = sum(len(own) for own in listed.values()) - sum(map(len, parts.values()))
        if lost:
            notes.append(f"{lost} designs of the lists have no VTK file here and are left out")
        idle = sorted(set(files) - {name for own in parts.values() for name in own}, key=natural)
        if idle:
            notes.append(f"{len(idle)} VTK files are in no list and left out: {', '.join(idle[:4])}")
        if not any(parts.values()):
            raise DatasetError(
                "no design of the lists has a VTK file here", where=str(root), remedy="give the folder that holds both, or put the files there"
            )
        splits = Splits({split: own for split, own in parts.items() if own}, {}, ("splits as the published lists of designs say",))
    else:
        splits = random_splits({name: name for name in files}, choices.seed, "design")
        notes.append("there are no lists of designs (train_design_ids.txt, ...): random splits, not the published ones")
    table = _coefficients(root, notes)
    found = Published(
        "drivaernet",
        splits,
        lambda name: load(files[name], table.get(files[name].stem, {}), choices),
        _MEANINGS,
        {name: {key: value for key, value in table.get(path.stem, {}).items() if key not in _RESULTS.values()} for name, path in files.items()},
        licence="CC-BY-NC-4.0",
        about="DrivAerNet / DrivAerNet++: incompressible RANS of parametric cars, pressure on the surface.",
        facts={"velocity": SPEED, "density": DENSITY, "citation": "Elrefaie et al., arXiv 2403.08055 and 2406.09624"},
        notes=(*notes, "speed 30 m/s and density 1.2 kg/m^3 as the author says; the viscosity is not published there: none unless --viscosity says it",
               "p is divided by the density; the coefficients are means over iterations, so that integrals of p differ a little"),
        takes=("velocity", "density", "viscosity", "reference_length"),
        files=[files[name] for own in splits.splits.values() for name in own],
    )  # fmt: skip
    return collection_of(found, root, choices)


def load(path: Path, known: dict[str, float | str], choices: Choices) -> Case:
    """One design: its surface, its condition, its coefficients."""
    case = read_case(path)
    point = OperatingPoint(
        constant(choices, "velocity", SPEED) or SPEED,
        density=constant(choices, "density", DENSITY) or DENSITY,
        viscosity=constant(choices, "viscosity", VISCOSITY),
        reference_length=constant(choices, "reference_length", None),
    )
    results = [Field(QUANTITIES[key], np.array(known[key]), "global") for key in _RESULTS.values() if isinstance(known.get(key), float)]
    return replace(case.with_fields(*results), operating_point=point)


def _surfaces(root: Path) -> list[Path]:
    """VTK and VTP files in the folder and one or two below, in natural order; a design of several folders once, pressure first."""
    found: dict[str, Path] = {}
    for pattern in ("*.vt[kp]", "*/*.vt[kp]", "*/*/*.vt[kp]"):
        for item in sorted(root.glob(pattern), key=lambda item: ("pressure" not in item.parent.name.lower(), natural(item.as_posix()))):
            found.setdefault(item.stem, item)
    return sorted(found.values(), key=lambda item: natural(item.stem))


def _found(root: Path, name: str) -> Path | None:
    return next((item for pattern in (name, f"*/{name}", f"*/*/{name}") for item in sorted(root.glob(pattern))), None)


def _coefficients(root: Path, notes: list[str]) -> dict[str, dict[str, float | str]]:
    """Design -> coefficients and parameters out of all tables that have a column ``Design`` or ``Experiment``."""
    found: dict[str, dict[str, float | str]] = {}
    for path in sorted({*root.glob("*.csv"), *root.glob("*/*.csv")}):
        table: Table = read_table(path)
        key = next((header for header in table.headers if header.strip().lower() in ("design", "experiment", "design_id", "id")), None)
        if key is None:
            notes.append(f"'{path.name}' has no column Design and is left out")
            continue
        for row in table.rows:
            own = found.setdefault(row[table.headers.index(key)].strip(), {})
            for header, text in zip(table.headers, row, strict=True):
                word = re.sub(r"^average\s+|^avg[_ ]", "", header.strip().lower())
                value = as_number(text)
                if header != key and text:
                    own.setdefault(_RESULTS.get(word, header.strip()), text if value is None else value)
    if not found:
        notes.append("no table of coefficients is there: cases have none")
    return found


LAYOUT = Layout(
    "drivaernet",
    "DrivAerNet and DrivAerNet++: pressure on cars, published splits",
    "a VTK file per design and train_design_ids.txt, val_..., test_...",
    recognise,
    survey,
)
