"""Cases as VTKHDF: one HDF5 file for large unstructured grids, polyhedra included, which ParaView opens.

The layout is version 2.5 of the specification of VTK, "VTKHDF format specification"; without polyhedra it is that of version 2.0,
so that older programs read it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FieldError, UnsupportedFormatError, UnwritableFileError
from ...mesh.case import Case
from .. import annotations
from ..atomic import replacing
from ..fields import padded
from ..formats.vtk.hdf import SLASH
from ..patch_cells import patch_numbers


def write_vtkhdf(case: Case, path: str | os.PathLike[str], *, compress: bool = False, annotate: bool = True) -> Path:
    """Write a case as VTKHDF.

    Arrays are called ``velocity [m/s]`` as ParaView users read them; since HDF5 takes ``/`` for a folder, a division slash (U+2215)
    stands there. Vectors of a plane get a zero third component. Patches, zones, operating point, boundary values, time and notes go
    into field data, and :func:`geoop.io.reading.read_case` brings all of it back.

    Args:
        case: mesh and fields; fields on facets are refused.
        path: ``.vtkhdf``; a path without suffix gets it.
        compress: deflate level 4; smaller, and several times slower.
        annotate: write the field data described above.

    Returns:
        The path that was written.

    Raises:
        UnsupportedFormatError: another suffix.
        FieldError: a field lives on facets.
        UnwritableFileError: the file cannot be written; what was there before still is.
    """
    import h5py

    target = Path(path).expanduser()
    target = target if target.suffix else target.with_suffix(".vtkhdf")
    if target.suffix.lower() not in (".vtkhdf", ".hdf"):
        raise UnsupportedFormatError(
            f"VTKHDF is written as .vtkhdf, not '{target.suffix}'", where=str(target), remedy=f"write to '{target.stem}.vtkhdf'"
        )
    facets = [key for key, field in case.fields.items() if field.location == "facet"]
    if facets:
        raise FieldError(
            f"fields on facets cannot be written: {', '.join(facets)}", where=str(target), remedy="bring them to cells or points of the surface first"
        )
    options: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True} if compress else {}
    with replacing(target) as beside:
        try:
            with h5py.File(beside, "w") as file:
                _write_grid(file.create_group("VTKHDF", track_order=True), case, options)
                if annotate:
                    _write_field_data(file["VTKHDF"], annotations.pack(case))
        except RuntimeError as error:  # how h5py says that the disk is full while it closes the file
            raise UnwritableFileError(f"cannot be written: {error}", where=str(target), remedy="check the free disk space") from error
    return target


def _write_grid(root: Any, case: Case, options: dict[str, Any]) -> None:
    mesh, cells = case.mesh, case.mesh.cells
    kind = b"UnstructuredGrid"
    root.attrs["Version"] = np.array([2, 5] if cells.faces is not None else [2, 0], dtype=np.int64)
    root.attrs["Type"] = np.bytes_(kind)
    places = np.zeros((len(mesh.points), 3))
    places[:, : mesh.dimension] = mesh.points
    arrays = {"Points": places, "Types": cells.types, "Offsets": cells.offsets, "Connectivity": cells.connectivity}
    counts = {"NumberOfPoints": len(places), "NumberOfCells": len(cells), "NumberOfConnectivityIds": len(cells.connectivity)}
    if cells.faces is not None:
        faces = cells.faces
        number = len(faces.offsets) - 1
        arrays |= {"FaceConnectivity": faces.connectivity, "FaceOffsets": faces.offsets}
        arrays |= {"PolyhedronToFaces": np.arange(number), "PolyhedronOffsets": faces.cell_offsets}
        counts |= {"NumberOfFaces": number, "NumberOfFaceConnectivityIds": len(faces.connectivity), "NumberOfPolyhedronToFaceIds": number}
    for name, values in arrays.items():
        root.create_dataset(name, data=values, **(options if len(values) else {}))
    for name, count in counts.items():
        root.create_dataset(name, data=np.array([count], dtype=np.int64))
    stores = {"point": root.create_group("PointData"), "cell": root.create_group("CellData")}
    for field in case.fields.values():
        if field.location in stores:
            values = _plain(padded(field))
            stores[field.location].create_dataset(_label(field.quantity.label), data=values, **(options if len(values) else {}))
    numbers = patch_numbers(mesh)
    if numbers is not None:
        stores["cell"].create_dataset(annotations.PATCH_ARRAY, data=numbers, **options)


def _write_field_data(root: Any, values: Mapping[str, np.ndarray | list[str]]) -> None:
    import h5py

    store = root.create_group("FieldData")
    for name, value in values.items():
        if isinstance(value, list):  # bytes of UTF-8 declared as ASCII: VTK reads no other strings
            rows = np.array([str(item).encode() for item in value], dtype=object)
            store.create_dataset(_label(name), data=rows, shape=(len(rows),), dtype=h5py.string_dtype("ascii"))
        else:
            store.create_dataset(_label(name), data=_plain(np.asarray(value)))


def _label(name: str) -> str:
    return name.replace("/", SLASH)


def _plain(values: np.ndarray) -> np.ndarray:
    """Numbers of a kind that VTK has."""
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    return values.astype(np.float32) if values.dtype == np.float16 else values
