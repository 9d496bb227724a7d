"""The table of formats: from the suffix of a file, and a look inside it, to its reader."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ...errors import UnreadableFileError, UnsupportedFormatError
from ..cad import read_cad
from ..contents import Contents
from ..openfoam.reading import read_openfoam
from ..recognise import Guess, is_binary, recognised
from ..source import COMPRESSIONS, Source
from .airfoil import read_airfoil
from .cgns.reading import read_cgns
from .clouds import read_npy, read_table
from .ensight.reading import read_ensight
from .exodus.reading import read_exodus
from .fluent.cff import read_fluent_cff
from .fluent.reading import read_fluent
from .gltf import read_gltf
from .gmsh.reading import read_msh
from .hdf5_kind import foreign_hdf5, hdf5_format
from .obj import read_obj
from .off import read_off
from .plot3d.reading import read_plot3d
from .ply import read_ply
from .stl import read_stl
from .su2.reading import read_su2
from .su2.solution import read_su2_solution
from .tecplot.reading import read_tecplot
from .through_meshio import read_through_meshio
from .unv import read_unv
from .vtk.files import read_vtk
from .vtk.hdf import read_vtkhdf
from .vtk.multiblock import read_parallel, read_vtm
from .vtk.pvd import read_pvd


@dataclass(frozen=True)
class Format:
    """How one kind of file is read.

    Attributes:
        name: as people call it; the same as in :mod:`geoop.io.recognise` where the content can be told.
        suffixes: lower-case; a suffix that several formats have is decided by the content, the first of them otherwise.
        reader: file -> contents in the file's own unit.
        length: ``unit`` if the user must say the unit; ``metres`` for solver formats, unless the user says another; ``stated`` if the format
            knows it and readers convert; ``chord`` for sections on a chord of 1.
        cloud: whether bare points without cells are expected.
    """

    name: str
    suffixes: tuple[str, ...]
    reader: Callable[[Source], Contents]
    length: Literal["unit", "metres", "stated", "chord"]
    cloud: bool = False


FORMATS: tuple[Format, ...] = (
    Format("STL", (".stl",), read_stl, "unit"),
    Format("Wavefront OBJ", (".obj",), read_obj, "unit"),
    Format("PLY", (".ply",), read_ply, "unit", cloud=True),
    Format("OFF", (".off",), read_off, "unit"),
    Format("glTF", (".glb", ".gltf"), read_gltf, "unit"),
    Format("CSV point cloud", (".csv", ".txt", ".xyz"), read_table, "unit", cloud=True),
    Format("NumPy point cloud", (".npy",), read_npy, "unit", cloud=True),
    Format("VTK unstructured grid", (".vtu",), read_vtk, "metres", cloud=True),
    Format("VTK polygonal data", (".vtp",), read_vtk, "metres", cloud=True),
    Format("legacy VTK", (".vtk",), read_vtk, "metres", cloud=True),
    Format("VTK structured grid", (".vts",), read_vtk, "metres"),
    Format("VTK rectilinear grid", (".vtr",), read_vtk, "metres"),
    Format("VTK image data", (".vti",), read_vtk, "metres"),
    Format("VTK parallel files", (".pvtu", ".pvtp", ".pvts", ".pvtr", ".pvti"), read_parallel, "metres", cloud=True),
    Format("VTK multi-block", (".vtm", ".vtmb", ".vtpc"), read_vtm, "metres", cloud=True),
    Format("PVD", (".pvd",), read_pvd, "metres", cloud=True),
    Format("VTKHDF", (".vtkhdf", ".hdf"), read_vtkhdf, "metres", cloud=True),
    Format("Gmsh", (".msh",), read_msh, "metres"),
    Format("SU2", (".su2",), read_su2, "metres"),
    Format("CGNS", (".cgns",), read_cgns, "metres"),
    Format("Abaqus", (".inp",), read_through_meshio, "unit"),
    Format("AVS-UCD", (".inp", ".avs", ".ucd"), read_through_meshio, "unit"),
    Format("EnSight", (".case", ".encas"), read_ensight, "metres"),
    Format("Fluent", (".cas", ".msh"), read_fluent, "metres"),
    Format("Fluent CFF", (".h5",), read_fluent_cff, "metres"),
    Format("PLOT3D", (".p3d", ".x", ".g", ".xyz", ".grd"), read_plot3d, "metres"),
    Format("Exodus II", (".e", ".exo", ".ex2", ".exii", ".g", ".gen"), read_exodus, "metres"),
    Format("UNV", (".unv", ".uff"), read_unv, "metres"),
    Format("Nastran", (".bdf", ".nas"), read_through_meshio, "unit"),
    Format("Medit", (".mesh",), read_through_meshio, "unit"),
    Format("OpenFOAM case", (".foam",), read_openfoam, "stated"),
    Format("STEP", (".step", ".stp"), read_cad, "stated"),
    Format("IGES", (".iges", ".igs"), read_cad, "stated"),
    Format("aerofoil coordinates", (".dat",), read_airfoil, "chord"),
    Format("Tecplot", (".tec", ".tp", ".dat", ".plt"), read_tecplot, "metres"),
    Format("SU2 solution", (".dat", ".csv", ".txt"), read_su2_solution, "metres", cloud=True),
)

#: Every suffix that geoop reads, in the order of the table.
SUFFIXES: tuple[str, ...] = tuple(dict.fromkeys(suffix for form in FORMATS for suffix in form.suffixes))


#: Suffixes of HDF5 files that say nothing about what is inside.
_CONTAINERS = (".h5", ".hdf5", ".hdf")


def format_of(source: Source) -> Format:
    """The way to read a file by its suffix, after a look at what is inside.

    Raises:
        UnreadableFileError: the content is of another format than the name says.
        UnsupportedFormatError: no reader for the suffix.
    """
    head = source.head()
    guess = recognised(head, source.path.stat().st_size if not source.compression and head else None)
    candidates = [form for form in FORMATS if source.suffix in form.suffixes]
    if guess is not None and len(guess.formats) > 1 and (source.suffix in _CONTAINERS or not any(form.name in guess.formats for form in candidates)):
        guess = _inside_hdf5(source, guess)
        candidates = (
            [form for form in FORMATS if form.name in guess.formats] if source.suffix in _CONTAINERS and len(guess.formats) == 1 else candidates
        )
    if not candidates:
        raise _unsupported(source, guess)
    if guess is None:
        form = _text_or_binary(candidates, head)
    else:
        known = [form for form in candidates if form.name in guess.formats]
        if not known:
            raise _misnamed(source, guess)
        form = known[0]
    if form.length == "chord" and is_binary(head):
        raise UnreadableFileError(
            "holds binary data, expected text with x and y per line", where=source.where, remedy="give the file its true suffix"
        )
    return form


def _inside_hdf5(source: Source, guess: Guess) -> Guess:
    """What the root of an HDF5 file shows it to be; the guess as it was where the reader of the suffix knows better."""
    with source.file() as path:
        inside = hdf5_format(path)
        if inside:
            return replace(guess, name=f"{inside} file", formats=(inside,))
        name, remedy, sure = foreign_hdf5(path)
    if not sure and any(form.name in guess.formats for form in FORMATS if source.suffix in form.suffixes):
        return guess
    return Guess(name, remedy=remedy)


def _text_or_binary(candidates: list[Format], head: bytes) -> Format:
    """The first format of a suffix; of PLOT3D and point clouds the one that may be binary, if the file is."""
    return next((form for form in candidates if form.name == "PLOT3D" and is_binary(head)), candidates[0])


def _misnamed(source: Source, guess: Guess) -> UnreadableFileError:
    return UnreadableFileError(
        f"is named '{source.suffix}' but its content seems to be a {guess.name}", where=source.where, remedy=_rename(source, guess) or guess.remedy
    )


def _rename(source: Source, guess: Guess) -> str:
    """What to call the file; empty if geoop reads no such format."""
    if guess.suffix in COMPRESSIONS:
        return f"rename it to '{source.path.name}{guess.suffix}' and read that"
    suffixes = [form.suffixes[0] for form in FORMATS if form.name in guess.formats]
    return f"rename it to {' or '.join(repr(source.stem + suffix) for suffix in suffixes)} and read that" if suffixes else ""


#: Suffixes of files that belong to another one, or hold no mesh: what to do instead.
_INSTEAD = {
    ".npz": "it holds arrays without a mesh: load it with numpy and build geoop.Mesh(points, Cells.of(triangle=...)), or save the points alone as .npy",
    **dict.fromkeys((".geo", ".scl", ".scl1", ".scl2", ".vel"), "if it is a part of an EnSight case, read the .case file beside it"),
    ".mtl": "it holds materials: read the .obj file beside it",
    ".xdmf": "open it in ParaView and save it as .vtu (File > Save Data)",
}


def _unsupported(source: Source, guess: Guess | None) -> UnsupportedFormatError:
    known = "export it as .vtu, .stl or .su2; every suffix that is read: python -c 'from geoop.io.formats.table import SUFFIXES; print(SUFFIXES)'"
    near = difflib.get_close_matches(source.suffix, SUFFIXES, n=1, cutoff=0.8)
    advice = f"did you mean '{near[0]}'? Otherwise {known}" if near else known
    foreign = guess is None or (source.suffix in _INSTEAD and not guess.formats)
    inside = f"; its content seems to be a {guess.name}" if guess and not foreign else ""
    remedy = _INSTEAD.get(source.suffix, advice) if guess is None or foreign else _rename(source, guess) or guess.remedy
    return UnsupportedFormatError(f"no reader for '{source.suffix or 'a file without suffix'}'{inside}", where=source.where, remedy=remedy)
