"""What an HDF5 file holds: many formats live in this container, and its first bytes look the same in all of them."""

from __future__ import annotations

from pathlib import Path

#: Names in the root of the file -> format in :data:`geoop.io.formats.table.FORMATS`.
_ROOTS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"VTKHDF"}), "VTKHDF"),
    (frozenset({"meshes"}), "Fluent CFF"),
    (frozenset({"CGNSLibraryVersion"}), "CGNS"),
    (frozenset({"num_nodes", "num_dim"}), "Exodus II"),
    (frozenset({"coordx"}), "Exodus II"),
)
#: Names in the root of files that geoop does not read -> what they are, and what to do.
_FOREIGN: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        frozenset({"ENS_MAA"}),
        "MED file (SALOME, Gmsh, code_aster)",
        "export it as .msh 4.1 from SALOME or Gmsh: gmsh FILE.med -save -format msh41 -o NEW.msh",
    ),
    (frozenset({"INFOS_GENERALES"}), "MED file without a mesh", "export the mesh as .msh 4.1 from SALOME or Gmsh"),
    (frozenset({"PartType0"}), "Gadget snapshot", "export the particles as .csv or .npy"),
)
_UNKNOWN = "export it as .vtu or .cgns from the program that wrote it, and read that"


def foreign_hdf5(path: Path) -> tuple[str, str, bool]:
    """What an HDF5 file without a reader is, what to do about it, and whether that is sure.

    Args:
        path: a plain file on disk, for which :func:`hdf5_format` knows no format.
    """
    names = _root(path)
    if names is None:
        return "damaged HDF5 file", "download or export it again", False
    shown = f"HDF5 file of a kind that geoop does not know (it holds {', '.join(sorted(names)[:6]) or 'nothing'})"
    return next(((kind, remedy, True) for roots, kind, remedy in _FOREIGN if roots <= names), (shown, _UNKNOWN, False))


def hdf5_format(path: Path) -> str:
    """The format that the root of an HDF5 file shows; empty if none is known, or if the file is damaged.

    Args:
        path: a plain file on disk.
    """
    names = _root(path) or set()
    return next((form for roots, form in _ROOTS if roots <= names), "")


def _root(path: Path) -> set[str] | None:
    """Names in the root; None of a damaged file. The root of a CGNS file is known by its attribute alone."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            names = set(map(str, file))
            return {"CGNSLibraryVersion"} if not names and "label" in file.attrs else names
    except (OSError, RuntimeError, ValueError, KeyError):
        return None
