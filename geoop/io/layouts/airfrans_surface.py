"""Surface pressure of AirfRANS sections in one npz (from sankalpjena/airfoilGNN, data ODbL-1.0): RANS beside a panel method.

Arrays: ``names`` (n), ``ptr`` (n + 1), ``xy`` (N, 2), ``cp`` (N), ``cp_inviscid`` (N), ``Rex`` (N), ``Re``, ``U`` [m/s], ``aoa`` [deg] (n). The chord is 1;
the nodes of a section are a closed ring; their coordinates are turned by -aoa, so that the free stream runs along +x. Here they are turned back,
so that geometry and operating point say the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import DatasetError, NonFiniteError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ..collecting.choices import Choices
from ..collecting.collection import Collection
from ..collecting.splitting import Splits
from .layout import Layout, Published, collection_of, constant
from .npz import archives, read_arrays

#: What the panel method says, known before any flow is solved.
INVISCID = Quantity("inviscid_pressure_coefficient", "Cp_inviscid")
#: Splits: case k of the file is in fold k mod 5.
FOLDS = 5
#: Density [kg/m^3] where nothing is said: that of the publication, air at 298.15 K.
DENSITY = 1.184
_ARRAYS = ("names", "ptr", "xy", "cp", "cp_inviscid", "Re", "U", "aoa")


def recognise(root: Path) -> bool:
    """Whether the folder holds such an archive."""
    return bool(archives(root, _ARRAYS))


def survey(root: Path, choices: Choices) -> Collection:
    """All sections of the first archive, in five folds.

    Raises:
        UnreadableFileError: the file is damaged. DatasetError: arrays of lengths that do not fit.
    """
    path = archives(root, _ARRAYS)[0]
    arrays = read_arrays(path, _ARRAYS)
    _check(arrays, path)
    names = [_plain(str(name)) for name in arrays["names"]]
    if len(set(names)) < len(names):
        raise DatasetError("two sections have one name", where=str(path), remedy="download the file again")
    number = {name: k for k, name in enumerate(names)}
    folds = {f"fold-{k}": tuple(names[k::FOLDS]) for k in range(min(FOLDS, len(names)))}
    parameters = {
        name: {"speed": float(arrays["U"][k]), "alpha": float(arrays["aoa"][k]), "reynolds": float(arrays["Re"][k])} for name, k in number.items()
    }
    found = Published(
        "airfrans_surface",
        Splits(folds, {}, (f"{len(folds)} folds: case k of the file is in fold k mod {FOLDS}; train on four, report the fifth",)),
        lambda name: load(arrays, number[name], name, choices),
        {},
        parameters,
        licence="data ODbL-1.0 (AirfRANS), file AGPL-3.0",
        about="Surface pressure of NACA sections, RANS (k-omega SST), Re 2e6..6e6, alpha -5..15 degrees, beside that of a panel method.",
        facts={"chord": 1.0, "citation": "Bonnet et al., arXiv 2212.07564; Jena et al., arXiv 2503.18638"},
        notes=(
            "coordinates are turned back by the angle of attack: the chord lies along x",
            "surface pressure only: no friction, so no drag",
            f"density {DENSITY:g} kg/m^3 unless stated; the viscosity follows from the Reynolds number",
        ),
        takes=("density",),
        files=[path],
    )
    return collection_of(found, root, choices)


def load(arrays: dict[str, np.ndarray], k: int, name: str, choices: Choices) -> Case:
    """One section: its ring in the order of the file, with both pressures at its points."""
    own = slice(int(arrays["ptr"][k]), int(arrays["ptr"][k + 1]))
    alpha = np.radians(float(arrays["aoa"][k]))
    turn = np.array([[np.cos(alpha), -np.sin(alpha)], [np.sin(alpha), np.cos(alpha)]])
    points = np.asarray(arrays["xy"][own], dtype=np.float64) @ turn.T
    index = np.arange(len(points))
    lines = Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))
    fields = {}
    for quantity, key in ((QUANTITIES["pressure_coefficient"], "cp"), (INVISCID, "cp_inviscid")):
        values = np.asarray(arrays[key][own], dtype=np.float64)
        if not np.isfinite(values).all():
            raise NonFiniteError(f"'{key}' has NaN or infinite values", where=name, remedy="leave the case out")
        fields[quantity.name] = Field(quantity, values)
    density = constant(choices, "density", DENSITY) or DENSITY
    speed = float(arrays["U"][k])
    point = OperatingPoint(speed, float(arrays["aoa"][k]), density=density, viscosity=density * speed / float(arrays["Re"][k]), reference_length=1.0)
    return Case(Mesh(points, lines, {"wall": lines}, name=name), point, fields, wall=("wall",), name=name)


def _plain(name: str) -> str:
    """A name that is also one of a file: signs that are none become underscores."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)


def _check(arrays: dict[str, np.ndarray], path: Path) -> None:
    n, ptr = len(arrays["names"]), arrays["ptr"]
    nodes = len(arrays["xy"])
    lengths = {key: len(arrays[key]) for key in ("Re", "U", "aoa")} | {"ptr": len(ptr) - 1}
    wrong = [f"{key} {length}" for key, length in lengths.items() if length != n]
    wrong += [f"{key} {len(arrays[key])}" for key in ("cp", "cp_inviscid") if len(arrays[key]) != nodes]
    if wrong or arrays["xy"].shape != (nodes, 2) or not n or (np.diff(ptr) < 4).any() or ptr[0] != 0 or ptr[-1] != nodes:
        raise DatasetError(
            f"{n} names, {nodes} nodes, and arrays that do not fit: {', '.join(wrong) or 'ptr or xy'}",
            where=str(path),
            remedy="download the file again",
        )


LAYOUT = Layout(
    "airfrans_surface",
    "surface pressure of AirfRANS sections in one npz, RANS beside a panel method",
    "NAME.npz with arrays names, ptr, xy, cp, cp_inviscid, Re, U, aoa",
    recognise,
    survey,
)
