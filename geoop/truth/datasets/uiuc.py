"""The sections of the UIUC airfoil coordinate database (M. Selig, University of Illinois): where they are, families, which can be used.

The coordinates are not part of geoop. They are read from the first of these that exists:

1. the folder of .dat files, or the .tar.gz or .zip archive, that the environment variable GEOOP_UIUC names;
2. the folder ``airfoil_database`` of the package aerosandbox, if it is installed (it is found, not imported);
3. ``shared/data/geometry/uiuc_airfoils.tar.gz`` beside the working directory or beside one of the folders above it.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import re
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...errors import GeoopError, InvalidMeshError, MissingDependencyError, UnreadableFileError
from ...io.reading import read
from ...mesh.mesh import Mesh
from ...mesh.primitives import ring
from ..panels.repanel import cosine_parameters
from ..panels.section_curve import SectionCurve, refuse_thin_edge, section_curve
from .circle_plane import CirclePlane

VARIABLE = "GEOOP_UIUC"
_ARCHIVE = Path("shared", "data", "geometry", "uiuc_airfoils.tar.gz")
#: Part of the chord over which a blunt trailing edge is closed.
CLOSING = 0.05
#: Points of a section handed to the panels; its own points, often 60, are joined by the spline of the panel method.
POINTS = 400
#: Fewest points of a file: with less the spline, not the file, draws the nose.
FEWEST_POINTS = 20
#: Families that are the same sections under other names.
_SAME_FAMILY = {"n": "naca", "nacam": "naca", "nacak": "naca", "fxs": "fx", "midh": "mid", "midw": "mid"}


def location() -> Path:
    """The folder or archive with the sections.

    Raises:
        MissingDependencyError: nothing was found; says where to put it.
        UnreadableFileError: the environment variable names something that does not exist.
    """
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.exists():
            raise UnreadableFileError(f"{VARIABLE} names it, but it does not exist", where=named, remedy=f"correct or unset {VARIABLE}")
        return path
    package = importlib.util.find_spec("aerosandbox")
    for root in (package.submodule_search_locations or ()) if package else ():
        folder = Path(root, "geometry", "airfoil", "airfoil_database")
        if folder.is_dir():
            return folder
    here = Path.cwd()
    for parent in (here, *here.parents):
        if (parent / _ARCHIVE).exists():
            return parent / _ARCHIVE
    raise MissingDependencyError(
        "the coordinates of the UIUC sections are not on this machine; geoop does not ship them",
        where="uiuc",
        remedy=f"pip install aerosandbox, which brings them; or set {VARIABLE} to a folder of .dat files or an archive of one,"
        " e.g. the coordinate database of m-selig.ae.illinois.edu",
    )


def texts(folder: Path | None = None) -> Mapping[str, bytes]:
    """Section name (file name in lower case without suffix; a hyphen for what is no letter, digit, dot or underscore) -> content.

    Args:
        folder: of .dat files, or an archive of one; None for :func:`location`.

    Raises:
        MissingDependencyError: see :func:`location`.
        UnreadableFileError: a damaged archive, or no .dat file in it.
    """
    path = folder or location()
    return _texts(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _texts(path: Path, changed: int) -> dict[str, bytes]:
    del changed  # part of the key: an edited archive is read again
    try:
        found = dict(_members(path))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise UnreadableFileError(f"cannot be read: {error}", where=str(path), remedy="download it again") from error
    if not found:
        raise UnreadableFileError("no .dat file in it", where=str(path), remedy=f"set {VARIABLE} to a folder of section files (.dat)")
    return dict(sorted(found.items()))


def _members(path: Path):
    """(section name, bytes) of every .dat file of a folder or archive."""
    if path.is_dir():
        yield from ((_name(item.name), item.read_bytes()) for item in path.rglob("*.dat"))
    elif path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            yield from ((_name(name), archive.read(name)) for name in archive.namelist() if name.lower().endswith(".dat"))
    else:
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() and member.name.lower().endswith(".dat") else None
                if content is not None:
                    yield _name(member.name), content.read()


def _name(path: str) -> str:
    """Section name of a file: a plain file name in lower case."""
    return re.sub(r"[^a-z0-9._-]+", "-", Path(path).stem.lower())


def family(name: str) -> str:
    """What stands before the first digit or hyphen, other names of one family joined: ``e205`` -> ``e``, ``n0012`` -> ``naca``."""
    letters = re.split(r"[\d_-]", name, maxsplit=1)[0] or name
    return _SAME_FAMILY.get(letters, letters)


def section(name: str) -> Mesh:
    """A section as the data sets use it: 400 points on a spline through the file's, chord 1, a blunt edge closed.

    Raises:
        GeoopError: no such section, its file cannot be read, or the section cannot be used; see :func:`usable`.
    """
    known = texts()
    if name not in known:
        raise UnreadableFileError(
            f"no section '{name}' among {len(known)}", where=str(location()), remedy="list them: geoop.truth.datasets.uiuc.texts()"
        )
    return _section_of(name, known[name])


def content(name: str) -> bytes:
    """The file of a section, empty if there is none: what keeps its answers from those of another file of that name."""
    return texts().get(name, b"")


@functools.lru_cache(maxsize=4)
def _section_of(name: str, coordinates: bytes) -> Mesh:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "section.dat")
        path.write_bytes(coordinates)
        try:
            outline = read(path, chord=1.0)
        except GeoopError as error:
            raise UnreadableFileError(error.message, where=f"{name}.dat", remedy=error.remedy) from error
    return usable(Mesh(outline.points, outline.cells, outline.patches, name=name))


def usable(outline: Mesh) -> Mesh:
    """The closed section on 400 points, if panels can be trusted on it.

    Raises:
        InvalidMeshError: too few points, crossing itself, a trailing edge below 5 degrees or rounded, or not star-shaped in the
            plane of the circle, where the field points are drawn.
    """
    if len(outline.points) < FEWEST_POINTS:
        raise InvalidMeshError(
            f"only {len(outline.points)} points, at least {FEWEST_POINTS} are needed", where=outline.name, remedy="take finer coordinates"
        )
    curve = section_curve(closed_edge(section_curve(outline)))
    refuse_thin_edge(curve, 5.0)
    if curve.smooth:
        raise InvalidMeshError("the trailing edge is round: no Kutta condition", where=outline.name, remedy="give the section a trailing edge")
    CirclePlane.of(curve)
    z = curve.ring[:-1]
    return ring(np.stack([z.real, z.imag], axis=1), outline.name)


def closed_edge(curve: SectionCurve) -> Mesh:
    """A section with a sharp trailing edge on 400 points: both sides of a blunt one meet in the middle of the base.

    They are moved by half the gap times ((x - 0.95)/0.05)^2 over the last 5 % of the chord: no corner where it begins.
    """
    s = cosine_parameters(curve, POINTS)
    z = curve.points(s)
    if curve.gap > 0.0:
        nose = complex(curve.points(np.array([curve.nose]))[0])
        x = ((z - nose) / (curve.edge - nose)).real
        share = np.clip((x - (1.0 - CLOSING)) / CLOSING, 0.0, None) ** 2
        upper = s < curve.nose
        z = z + np.where(upper, curve.edge - curve.ring[0], curve.edge - curve.ring[-1]) * np.minimum(share, 1.0)
        z[0] = z[-1] = curve.edge
    z = z[:-1] if z[0] == z[-1] else z
    return ring(np.stack([z.real, z.imag], axis=1), curve.name)


@functools.cache
def excluded() -> dict[str, str]:
    """Section name -> why it is left out, as :func:`census` found it in the database of AeroSandbox 4.2.10 (2174 files)."""
    table = tomllib.loads(Path(__file__).with_name("uiuc_excluded.toml").read_text(encoding="utf-8"))
    return {name: reason for reason, names in table.items() for name in names}


def candidates() -> list[str]:
    """Names of the sections that are on this machine and not known to be unusable, sorted."""
    out = excluded()
    return [name for name in texts() if name not in out]


def census(names: Sequence[str]) -> dict[str, str]:
    """Section name -> reason for every section that cannot be used, or whose shape another family has already.

    Two sections are one shape if their sides differ nowhere by more than 1e-3 chords; of two in different families the later name
    is left out, so that no shape is in two splits.
    """
    reasons: dict[str, str] = {}
    kept: list[tuple[str, np.ndarray]] = []
    for name in sorted(names):
        try:
            sides = _sides(section(name))
        except GeoopError as error:
            reasons[name] = _reason(error)
            continue
        twin = next((other for other, known in kept if family(other) != family(name) and np.abs(known - sides).max() < 1e-3), None)
        if twin is not None:
            reasons[name] = "shape of another family"
        else:
            kept.append((name, sides))
    return reasons


def _sides(outline: Mesh) -> np.ndarray:
    """(40,) heights of both sides at 20 stations."""
    x, y = outline.points.T
    nose = int(np.argmin(x))
    stations = x.min() + np.ptp(x) * 0.5 * (1.0 - np.cos(np.pi * (np.arange(20) + 0.5) / 20.0))
    return np.concatenate([np.interp(stations, x[nose::-1], y[nose::-1]), np.interp(stations, x[nose:], y[nose:])])


def _reason(error: GeoopError) -> str:
    """The kind of an error, in the words of the table."""
    words = {
        "trailing-edge angle": "trailing edge below 5 degrees",
        "crosses itself": "outline crosses itself",
        "star-shaped": "not star-shaped",
        "round": "round trailing edge",
        "points, at least": "too few points",
    }
    return next((kind for word, kind in words.items() if word in error.message), "file not readable as one section")
