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


def hdf5_format(path: Path) -> str:
    """The format that the root of an HDF5 file shows; empty if none is known, or if the file is damaged.

    Args:
        path: a plain file on disk.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            names = set(file)
            if not names and "label" in file.attrs:
                return "CGNS"
    except (OSError, RuntimeError, ValueError, KeyError):
        return ""
    return next((form for roots, form in _ROOTS if roots <= names), "")
