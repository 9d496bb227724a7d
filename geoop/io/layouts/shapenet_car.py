"""ShapeNet-Car (Umetani and Bickel, SIGGRAPH 2018): ``param0`` .. ``param8``, a folder per car with two VTK files.

Checked: ``quadpress_smpl.vtk`` (quads, one scalar per point: pressure) and ``hexvelo_smpl.vtk`` (hexahedra, one vector per point: velocity),
``press.npy``, ``velo.npy``, ``cd.txt``; the fold ``param0`` as test and the others as training set (thuml/Transolver,
``Car-Design-ShapeNetCar/dataset``); points of the surface file that no quad uses are to be left out (ml-jku/UPT, preprocessing);
speed 72 km/h along z (Transolver, ``utils/drag_coefficient.py``). The density is not in the files, and the publications use
different ones, so it is asked for. From memory: lengths in m and pressures in Pa.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import FieldError, UnreadableFileError
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field
from ..collecting.choices import Choices, Question
from ..collecting.collection import Collection
from ..collecting.folder import natural
from ..collecting.splitting import Splits, with_validation
from ..collecting.walls import patch_of
from ..reading import read_case
from .layout import Layout, Published, collection_of, constant, variant_of

SURFACE, VOLUME = "quadpress_smpl.vtk", "hexvelo_smpl.vtk"
VARIANTS = ("surface", "volume")
SPEED = 20.0
#: Published axes (free stream along z, y up, x to the side) in the order of geoop's (free stream along x, z up): a turn, no mirror.
_AXES = (2, 0, 1)


def _folds(root: Path) -> Path:
    """The folder that holds ``param0`` ...: the one given, or ``training_data`` in it."""
    return next((item for item in (root, root / "training_data", root / "mlcfd_data" / "training_data") if next(item.glob("param[0-9]"), None)), root)


def recognise(root: Path) -> bool:
    """Whether the folder holds cars in folds ``param0`` .. ``param8``."""
    return next(_folds(root).glob(f"param[0-9]/*/{SURFACE}"), None) is not None


def survey(root: Path, choices: Choices) -> Collection:
    """Cars with ``param0`` as test split; ``--variant surface`` (pressure on the body) or ``volume`` (velocity, body as a patch).

    Raises:
        ConfigurationError: an unknown variant.
    """
    variant = variant_of(choices, VARIANTS, str(root))
    home = _folds(root)
    folders = sorted((item for item in home.glob("param[0-9]/*") if item.is_dir()), key=lambda item: natural(item.as_posix()))
    needed = SURFACE if variant == "surface" else VOLUME
    there = [item for item in folders if (item / SURFACE).is_file() and (item / needed).is_file()]
    lost = [item.name for item in folders if item not in there]
    names = {f"{item.parent.name}_{item.name}": item for item in there}
    test = tuple(name for name in names if name.startswith("param0_"))
    parts = {"train": tuple(name for name in names if name not in set(test)), "test": test}
    if not parts["train"]:
        parts = {"train": test}
    notes = ["fold param0 is 'test', the others are 'train', as Transolver has it"] if test else []
    if lost:
        notes.append(f"{len(lost)} folders have no {needed} and are left out: {', '.join(lost[:4])}")
    questions = [] if "density" in choices.constants else [
        Question("density in kg/m^3: the files do not say it, publications use 1.18 and 0.3", "--density ", "1.184")
    ]  # fmt: skip
    found = Published(
        "shapenet-car",
        with_validation(Splits(parts, {}, ()), choices.seed),
        lambda name: load(names[name], variant, choices),
        {"pressure": "pressure:Pa", "velocity": "velocity:m/s"},
        {name: {"fold": item.parent.name, "shape": item.name} for name, item in names.items()},
        licence="not stated in the download; research use, see the authors' page",
        about=f"ShapeNet-Car ({variant}): RANS of cars of ShapeNet at 20 m/s.",
        facts={"velocity": SPEED, "citation": "Umetani and Bickel, ACM TOG 37(4), 2018"},
        notes=(*notes, "axes are turned: published z (free stream) is x, y (up) is z; lengths are taken in m, pressures in Pa"),
        takes=("density", "viscosity"),
        files=[item / needed for item in there],
        questions=questions,
    )
    return collection_of(found, root, choices)


def load(folder: Path, variant: str, choices: Choices) -> Case:
    """One car: its surface with pressure at points, or the air round it with velocity at points and pressure on the patch ``car``.

    Raises:
        UnreadableFileError: a file is missing or damaged.
        FieldError: a file does not hold the one array that is expected.
    """
    surface = _turned(read_case(folder / SURFACE))
    pressure = _only(surface, 0)
    used = np.unique(surface.mesh.cells.connectivity)
    body = surface.mesh.submesh(surface.mesh.cells, name=folder.name)
    notes = (
        (f"{len(surface.mesh.points) - len(used)} points of {SURFACE} belong to no quad and are left out",)
        if len(used) < len(surface.mesh.points)
        else ()
    )
    density = constant(choices, "density", 1.0) or 1.0
    point = OperatingPoint(SPEED, density=density, viscosity=constant(choices, "viscosity", None))
    results = {}
    if (folder / "cd.txt").is_file():
        results["drag_coefficient"] = Field(QUANTITIES["drag_coefficient"], np.array(_number(folder / "cd.txt")), "global")
    if variant == "surface":
        fields = {"pressure": Field(QUANTITIES["pressure"], pressure[used]), **results}
        return Case(replace(body, notes=(*body.notes, *notes)), point, fields, name=folder.name)
    volume = _turned(read_case(folder / VOLUME))
    velocity = Field(QUANTITIES["velocity"], _only(volume, 1))
    part = patch_of(volume.mesh, body)
    index = np.unique(part.connectivity)
    order = np.empty(len(volume.mesh.points))
    order[part.connectivity] = pressure[used][body.cells.connectivity]
    mesh = replace(volume.mesh, patches={"car": part}, notes=(*volume.mesh.notes, *notes))
    boundary = {"car": {"pressure": Field(QUANTITIES["pressure"], order[index])}}
    return Case(mesh, point, {"velocity": velocity, **results}, boundary, ("car",), name=folder.name)


def _turned(case: Case) -> Case:
    fields = {
        key: Field(item.quantity, item.values[..., _AXES] if item.quantity.rank else item.values, item.location) for key, item in case.fields.items()
    }
    return replace(case, mesh=case.mesh.moved(case.mesh.points[:, _AXES]), fields=fields)


def _only(case: Case, rank: int) -> np.ndarray:
    """Values of the only array of a rank at points."""
    found = [item for item in case.fields.values() if item.location == "point" and item.quantity.rank == rank]
    if len(found) != 1:
        raise FieldError(
            f"{len(found)} {'vectors' if rank else 'scalars'} at points, expected one: {', '.join(case.fields)}",
            where=case.name,
            remedy="use the published file",
        )
    return np.asarray(found[0].values)


def _number(path: Path) -> float:
    try:
        return float(path.read_text().split()[0])
    except (ValueError, IndexError):
        raise UnreadableFileError("holds no number", where=str(path), remedy="download it again") from None


LAYOUT = Layout(
    "shapenet-car",
    "ShapeNet-Car: pressure on cars, or velocity round them (--variant volume)",
    f"param0 .. param8 with a folder per car, {SURFACE} in it",
    recognise,
    survey,
)
