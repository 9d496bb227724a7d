"""AirfRANS (Bonnet et al., NeurIPS 2022): RANS of NACA sections, ``airFoil2D_SST_U_ALPHA_DIGITS/..._internal.vtu``.

Checked in Extrality/airfrans_lib (``simulation.py``, ``dataset.py``, ``docs/source/notes/dataset.rst``): names of folders and files,
speed and angle in fields 2 and 3 of the name (m/s, degrees), arrays ``U``, ``p``, ``nut``, ``implicit_distance``, formulas of density and
viscosity of air at 298.15 K, ``p`` divided by the density, keys of ``manifest.json`` (the task scarce is tested on ``full_test``), lengths
in m, chord 1 m, free stream turned by alpha and the section at rest. From memory: that ``freestream.vtp`` holds the outer boundary.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import DatasetError, UnreadableFileError
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ..collecting.choices import Choices
from ..collecting.collection import Collection
from ..collecting.splitting import Splits, apart, with_validation
from ..collecting.walls import patch_of
from ..reading import read, read_case
from .layout import Layout, Published, collection_of, constant, variant_of

TASKS = ("full", "scarce", "reynolds", "aoa")
_PREFIX = "airFoil2D_SST_"
_T = 298.15
#: Density [kg/m^3] and kinematic viscosity [m^2/s] of air at 298.15 K, by the formulas of the publication's library.
DENSITY = 1.01325e5 * 28.965338e-3 / (8.3144621 * _T)
VISCOSITY = -3.400747e-6 + 3.452139e-8 * _T + 1.00881778e-10 * _T**2 - 1.363528e-14 * _T**3
_MEANINGS = {
    "U": "velocity:m/s",
    "velocity": "velocity:m/s",
    "p": "kinematic_pressure:m^2/s^2",
    "nut": "turbulent_viscosity:m^2/s",
    "turbulent_viscosity": "turbulent_viscosity:m^2/s",
    "implicit_distance": "implicit_distance:m",
}


def recognise(root: Path) -> bool:
    """Whether the folder holds AirfRANS simulations."""
    return next(root.glob(f"{_PREFIX}*"), None) is not None


def survey(root: Path, choices: Choices) -> Collection:
    """The splits of a task (``--variant full``, ``scarce``, ``reynolds``, ``aoa``); 10 % of its training sections become ``val``.

    Raises:
        DatasetError: the manifest names no case that is there, or cannot be read.
        ConfigurationError: an unknown task.
    """
    task = variant_of(choices, TASKS, str(root))
    there = sorted(item.name for item in root.glob(f"{_PREFIX}*") if item.is_dir())
    notes = []
    if (root / "manifest.json").is_file():
        stated = _manifest(root, task)
        lost = [name for own in stated.values() for name in own if name not in set(there)]
        if lost:
            notes.append(f"{len(lost)} cases of the task '{task}' are in the manifest but not in the folder, e.g. {lost[0]}")
        parts = {split: tuple(name for name in own if name not in set(lost)) for split, own in stated.items()}
        idle = len(set(there)) - sum(map(len, parts.values()))
        if idle:
            notes.append(f"{idle} cases in the folder are not part of the task '{task}' and left out")
    else:
        parts = {"train": tuple(there)}
        notes.append("there is no manifest.json: all cases are 'train' but for the validation split")
    if not any(parts.values()):
        raise DatasetError(f"none of the cases of the task '{task}' is in the folder", where=str(root), remedy="download the whole data set")
    names = [name for own in parts.values() for name in own]
    wrong = [name for name in names if len(name.split("_")) < 5]
    if wrong:
        raise DatasetError(f"'{wrong[0]}' does not say speed, angle and section", where=str(root), remedy="keep the folder names of the publication")
    shapes = {name: "naca_" + "_".join(name.split("_")[4:]) for name in names}
    splits = with_validation(apart(Splits(parts, shapes, ()), "the publication puts"), choices.seed)
    found = Published(
        "airfrans",
        splits,
        lambda name: load(root, name, choices),
        _MEANINGS,
        {name: {"speed": float(name.split("_")[2]), "alpha": float(name.split("_")[3]), "section": shapes[name]} for name in names},
        licence="ODbL-1.0",
        about=f"AirfRANS, task '{task}': steady incompressible RANS (k-omega SST) of NACA sections of four and five digits, Re 2e6..6e6, alpha -5..15 degrees.",
        facts={"task": task, "density": DENSITY, "kinematic_viscosity": VISCOSITY, "chord": 1.0, "citation": "Bonnet et al., arXiv 2212.07564"},
        notes=(
            *notes,
            f"air at 298.15 K: density {DENSITY:.5g} kg/m^3, kinematic viscosity {VISCOSITY:.5g} m^2/s, as the publication's library has it",
        ),
        takes=("density", "viscosity"),
        files=[root / name / f"{name}_internal.vtu" for name in names],
    )
    return collection_of(found, root, choices)


def load(root: Path, name: str, choices: Choices) -> Case:
    """One simulation: the internal mesh with the patches ``aerofoil`` and ``freestream``.

    Raises:
        UnreadableFileError: a file is missing or damaged.
    """
    folder = root / name
    case = read_case(folder / f"{name}_internal.vtu")
    mesh = case.mesh
    if mesh.dimension == 3:
        raise UnreadableFileError("is not a plane mesh", where=f"{name}_internal.vtu", remedy="use the pre-processed files (Dataset.zip)")
    patches = {}
    for part in ("aerofoil", "freestream"):
        path = folder / f"{name}_{part}.vtp"
        if part == "aerofoil" or path.is_file():
            patches[part] = patch_of(mesh, read(path))
    words = name.split("_")
    density = constant(choices, "density", DENSITY) or DENSITY
    viscosity = constant(choices, "viscosity", density * VISCOSITY)
    point = OperatingPoint(float(words[2]), float(words[3]), density=density, viscosity=viscosity, reference_length=1.0)
    fields = {key: item for key, item in case.fields.items() if np.ndim(item.values) > 0}
    return replace(case, mesh=replace(mesh, patches=patches), operating_point=point, wall=("aerofoil",), fields=fields)


def _manifest(root: Path, task: str) -> dict[str, tuple[str, ...]]:
    path = root / "manifest.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        test = "full_test" if task == "scarce" else f"{task}_test"
        return {"train": tuple(data[f"{task}_train"]), "test": tuple(data[test])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"the manifest cannot be used: {error}", where=str(path), remedy="download it again") from error


LAYOUT = Layout(
    "airfrans",
    "AirfRANS: RANS of NACA sections, tasks full, scarce, reynolds, aoa",
    f"folders {_PREFIX}... with _internal.vtu and _aerofoil.vtp",
    recognise,
    survey,
)
