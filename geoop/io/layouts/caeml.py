"""DrivAerML and AhmedML (Ashton et al., 2024): ``run_N/boundary_N.vtp``, ``volume_N.vtu``, tables of geometry and forces.

Checked in the file listings of huggingface.co/datasets/neashton/drivaerml and .../ahmedml and in AhmedML's README: names of files and
folders, ``geo_parameters_N.csv``, ``force_mom_N.csv``, ``force_mom_constref_N.csv`` (DrivAerML) and ``force_mom_varref_N.csv`` (AhmedML): the file
with the constant reference area has the suffix in one set and none in the other; DrivAerML's volume comes in parts ``.00.part``.
Checked in third-party loaders that quote arXiv 2408.11969 and 2407.20801: arrays ``pMeanTrim``, ``CpMeanTrim``, ``wallShearStressMeanTrim`` and
``pMean``, ``static(p)_coeffMean``, ``wallShearStressMean``, at cells, p / Cp = U^2 / 2, so that p is divided by the density; speeds 38.889 and
1 m/s, kinematic viscosities 1.507e-5 and 3.75e-7 m^2/s; columns ``Cd``/``cd``. From memory: names of the arrays in the volume files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...errors import GeoopError, UnreadableFileError
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field
from ..collecting.choices import Choices
from ..collecting.collection import Collection
from ..collecting.folder import natural
from ..collecting.splitting import random_splits
from ..collecting.table import as_number, read_table
from ..reading import read_case
from .layout import Layout, Published, collection_of, constant, variant_of

VARIANTS = ("boundary", "volume")


@dataclass(frozen=True)
class _Set:
    """What differs between the sets."""

    name: str
    stl: str
    speed: float
    viscosity: float
    forces: str
    length: str
    citation: str


_SETS = (
    _Set("drivaerml", "drivaer_*.stl", 38.889, 1.507e-5, "force_mom_constref_{}.csv", "", "Ashton et al., arXiv 2408.11969"),
    _Set("ahmedml", "ahmed_*.stl", 1.0, 3.75e-7, "force_mom_{}.csv", "", "Ashton et al., arXiv 2407.20801"),
)
_MEANINGS = {
    **dict.fromkeys(("pMeanTrim", "pMean", "p"), "kinematic_pressure:m^2/s^2"),
    **dict.fromkeys(("CpMeanTrim", "static(p)_coeffMean", "CpMean"), "pressure_coefficient:1"),
    **dict.fromkeys(("CptMeanTrim", "total(p)_coeffMean"), "total_pressure_coefficient:1"),
    **dict.fromkeys(("wallShearStressMeanTrim", "wallShearStressMean", "wallShearStress"), "kinematic_wall_shear_stress:m^2/s^2"),
    **dict.fromkeys(("UMeanTrim", "UMean", "U"), "velocity:m/s"),
    **dict.fromkeys(("nutMeanTrim", "nutMean", "nut"), "turbulent_viscosity:m^2/s"),
    **dict.fromkeys(("kMeanTrim", "kMean", "k"), "turbulent_kinetic_energy:m^2/s^2"),
    **dict.fromkeys(("pPrime2MeanTrim", "pPrime2Mean"), "pressure_variance:m^4/s^4"),
}
_MEANINGS = {name: text for name, text in _MEANINGS.items() if not text.endswith("m^4/s^4")}  # of a unit that SI has no name for: kept as it is


def recognise(root: Path) -> bool:
    """Whether the folder holds ``run_N`` with ``boundary_N.vtp`` or ``volume_N.vtu``."""
    return next(root.glob("run_*/boundary_*.vtp"), None) is not None or next(root.glob("run_*/volume_*.vtu*"), None) is not None


def survey(root: Path, choices: Choices) -> Collection:
    """All runs, each its own geometry, split 70 : 10 : 20; ``--variant boundary`` (surface) or ``volume``.

    Raises:
        ConfigurationError: an unknown variant.
        UnreadableFileError: the set cannot be told, or no run has the file of the variant.
    """
    variant = variant_of(choices, VARIANTS, str(root))
    runs = {item.name: item for item in sorted(root.glob("run_*"), key=lambda item: natural(item.name)) if item.is_dir() and item.name[4:].isdigit()}
    own = _which(root, choices)
    there = {name: item for name, item in runs.items() if _file(item, variant).is_file()}
    notes = []
    parts = [name for name, item in runs.items() if name not in there and variant == "volume" and next(item.glob("volume_*.part"), None)]
    if parts:
        notes.append(
            f"{len(parts)} runs have their volume in parts: join them first, `cat volume_N.vtu.*.part > volume_N.vtu` in {', '.join(parts[:3])}"
        )
    lost = [name for name in runs if name not in there and name not in parts]
    if lost:
        notes.append(f"{len(lost)} runs have no {variant} file and are left out: {', '.join(lost[:5])}")
    if not there:
        raise UnreadableFileError(
            f"no run has a {variant} file" + (f"; {notes[0]}" if notes else ""),
            where=str(root),
            remedy=f"--variant {VARIANTS[variant == 'boundary']}",
        )
    tables = {name: _parameters(item, notes) for name, item in there.items()}
    found = Published(
        own.name,
        random_splits({name: name for name in there}, choices.seed, "geometry"),
        lambda name: load(there[name], variant, own, choices),
        _MEANINGS,
        tables,
        licence="CC-BY-SA-4.0",
        about=f"{own.name} ({variant}): time-averaged scale-resolving simulations of parametric bodies.",
        facts={"velocity": own.speed, "kinematic_viscosity": own.viscosity, "citation": own.citation, "forces": own.forces.format("N")},
        notes=(
            *notes,
            f"free stream {own.speed:g} m/s, kinematic viscosity {own.viscosity:g} m^2/s as the paper says; solver pressures are divided by the density, 1 kg/m^3",
            "the publication prescribes no split here: random by geometry",
        ),
        takes=("velocity", "density", "viscosity", "reference_length"),
        files=[_file(item, variant) for item in there.values()],
    )
    return collection_of(found, root, choices)


def load(folder: Path, variant: str, own: _Set, choices: Choices) -> Case:
    """One run with its condition and its coefficients (constant reference area)."""
    case = read_case(_file(folder, variant))
    density = constant(choices, "density", 1.0) or 1.0
    speed = constant(choices, "velocity", own.speed) or own.speed
    viscosity = constant(choices, "viscosity", density * own.viscosity)
    point = OperatingPoint(speed, density=density, viscosity=viscosity, reference_length=constant(choices, "reference_length", None))
    results = []
    path = folder / own.forces.format(folder.name[4:])
    if path.is_file():
        table = read_table(path)
        for header, text in zip(table.headers, table.rows[0], strict=True):
            name = {"cd": "drag_coefficient", "cl": "lift_coefficient"}.get(header.strip().lower())
            value = as_number(text)
            if name and value is not None:
                results.append(Field(QUANTITIES[name], np.array(value), "global"))
    return replace(case.with_fields(*results), operating_point=point, name=folder.name)


def _which(root: Path, choices: Choices) -> _Set:
    for own in _SETS:
        if next(root.glob(f"run_*/{own.stl}"), None) is not None:
            return own
    if next(root.glob("run_*/force_mom_constref_*.csv"), None) is not None:
        return _SETS[0]
    if next(root.glob("run_*/force_mom_varref_*.csv"), None) is not None:
        return _SETS[1]
    known = [own.name for own in _SETS]
    if choices.name in known:
        return _SETS[known.index(choices.name)]
    raise UnreadableFileError(
        "neither drivaer_N.stl nor ahmed_N.stl nor a table of forces says which set this is",
        where=str(root),
        remedy=f"say it: --name {' or --name '.join(known)}; or --layout own for your own runs",
    )


def _file(folder: Path, variant: str) -> Path:
    number = folder.name[4:]
    return folder / (f"boundary_{number}.vtp" if variant == "boundary" else f"volume_{number}.vtu")


def _parameters(folder: Path, notes: list[str]) -> dict[str, float | str]:
    """Geometry of a run; reference area and length too where there is a file of them."""
    found: dict[str, float | str] = {}
    for stem in ("geo_parameters", "geo_ref"):
        path = folder / f"{stem}_{folder.name[4:]}.csv"
        if not path.is_file():
            continue
        try:
            table = read_table(path)
        except GeoopError as error:
            notes.append(f"{folder.name}: {path.name} is left out: {' '.join(error.message.split())}")
            continue
        for header, text in zip(table.headers, table.rows[0], strict=True):
            value = as_number(text)
            found[header.strip()] = text if value is None else value
    return found


LAYOUT = Layout(
    "caeml", "DrivAerML and AhmedML: surfaces, or volumes (--variant volume)", "run_N with boundary_N.vtp or volume_N.vtu", recognise, survey
)
