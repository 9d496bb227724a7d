"""What a file seems to be, judged by its first bytes and not by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Guess:
    """A format recognised by its content.

    Attributes:
        name: as people call it, as in "its content seems to be a ...".
        format: its name in :data:`geoop.io.formats.table.FORMATS`; empty when geoop does not read it.
        suffix: last suffix that a compressed file needs; empty otherwise.
        remedy: what to do about a file that geoop does not read; empty when renaming is enough.
    """

    name: str
    format: str = ""
    suffix: str = ""
    remedy: str = ""


_EXPORT = "export it as .vtu (ParaView: File > Save Data) and read that"
_UNPACK = "unpack it first and read the file inside"
_AGAIN = "this is not a mesh; download or export the file again"

#: Leading bytes -> what the file is. The first match counts.
_LEADING: tuple[tuple[bytes, Guess], ...] = (
    (b"\x1f\x8b", Guess("gzip archive", suffix=".gz")),
    (b"BZh", Guess("bzip2 archive", suffix=".bz2")),
    (b"PK\x03\x04", Guess("zip archive", suffix=".zip")),
    (b"\xfd7zXZ", Guess("xz archive", remedy=_UNPACK)),
    (b"7z\xbc\xaf", Guess("7-zip archive", remedy=_UNPACK)),
    (b"\x89HDF", Guess("HDF5 file (CGNS, VTKHDF, Fluent CFF, Exodus)", remedy=_EXPORT)),
    (b"CDF\x01", Guess("NetCDF file (Exodus)", remedy=_EXPORT)),
    (b"CDF\x02", Guess("NetCDF file (Exodus)", remedy=_EXPORT)),
    (b"\x93NUMPY", Guess("NumPy array", "NumPy point cloud")),
    (b"# vtk DataFile", Guess("legacy VTK file", "legacy VTK")),
    (b"$MeshFormat", Guess("Gmsh mesh", "Gmsh")),
    (b"glTF", Guess("binary glTF", "glTF")),
    (b"ply\n", Guess("PLY file", "PLY")),
    (b"ply\r", Guess("PLY file", "PLY")),
    (b"ISO-10303-21", Guess("STEP CAD file", remedy="export a surface mesh (STL with its unit) from the CAD system")),
    (b"#!TDV", Guess("Tecplot binary file", remedy=_EXPORT)),
    (
        b"\xec\x2b\x08\x00",
        Guess("SU2 binary restart file: fields without a mesh", remedy="read the .su2 mesh; geoop does not read this solution file"),
    ),
    (b"\x89PNG", Guess("PNG picture", remedy=_AGAIN)),
    (b"\xff\xd8\xff", Guess("JPEG picture", remedy=_AGAIN)),
    (b"%PDF", Guess("PDF document", remedy=_AGAIN)),
    (b"version https://git-lfs", Guess("Git LFS pointer, not the file itself", remedy="fetch the file with `git lfs pull`")),
)
_XML = {
    b"UnstructuredGrid": Guess("VTK XML unstructured grid", "VTK unstructured grid"),
    b"PolyData": Guess("VTK XML polygonal data", "VTK polygonal data"),
    b"StructuredGrid": Guess("VTK XML structured grid", "VTK structured grid"),
    b"RectilinearGrid": Guess("VTK XML rectilinear grid", "VTK rectilinear grid"),
    b"ImageData": Guess("VTK XML image data", "VTK image data"),
    b"Collection": Guess("ParaView collection (PVD)", remedy="read one of the files that it lists"),
}
#: Patterns in the first 4096 bytes -> what the file is. The first match counts.
_PATTERNS: tuple[tuple[re.Pattern[bytes], Guess], ...] = (
    (re.compile(rb"^.{257}ustar", re.S), Guess("tar archive", remedy=_UNPACK)),
    (re.compile(rb"^.{4}ADF ", re.S), Guess("CGNS file (ADF)", remedy=_EXPORT)),
    (
        re.compile(rb"^\s*<(!doctype html|html|head)", re.I),
        Guess("HTML page: probably a failed download", remedy="download the file again, in raw form"),
    ),
    (re.compile(rb"^\s*(ST|C|N|4|n)*OFF\b"), Guess("OFF file", "OFF")),
    (re.compile(rb"^\s*solid\b[^\n]*\s+(facet\b|endsolid\b)", re.I), Guess("STL text file", "STL")),
    (re.compile(rb"(^|\n)\s*(NDIME|NELEM|NZONE)\s*="), Guess("SU2 mesh", "SU2")),
    (re.compile(rb"(^|\n)\s*FoamFile\s*\{"), Guess("OpenFOAM file", remedy="convert the case with `foamToVTK` and read the .vtu file")),
    (re.compile(rb"(^|\n)\s*(TITLE|VARIABLES)\s*=", re.I), Guess("Tecplot text file", remedy=_EXPORT)),
    (re.compile(rb"(^|\n)\s*\"asset\"|^\s*\{[^}]*\"(asset|scene|accessors)\""), Guess("glTF text file", "glTF")),
    (re.compile(rb"(^|\n)v\s+[-+.\d]+\S*\s+[-+.\d]+\S*\s+[-+.\d]"), Guess("Wavefront OBJ file", "Wavefront OBJ")),
    (re.compile(rb"^.{72}S\s{0,6}\d", re.S), Guess("IGES CAD file", remedy="export a surface mesh (STL with its unit) from the CAD system")),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def recognised(head: bytes, size: int | None = None) -> Guess | None:
    """The format that the leading bytes belong to, or None.

    Args:
        head: the first 4096 bytes or the whole file, decompressed.
        size: number of bytes of the whole file where known; a binary STL is recognised by it alone.
    """
    if size is not None and size >= 84 and size == 84 + 50 * int.from_bytes(head[80:84], "little"):
        return Guess("binary STL file", "STL")
    for start, guess in _LEADING:
        if head.startswith(start):
            return guess
    if head.lstrip().startswith((b"<?xml", b"<VTKFile")):
        kind = re.search(rb"<VTKFile[^>]*\btype=[\"'](\w+)[\"']", head)
        return (
            _XML.get(kind.group(1), Guess(f"VTK XML file of type {kind.group(1).decode()}", remedy=_EXPORT))
            if kind
            else Guess("XML file", remedy=_AGAIN)
        )
    return next((guess for pattern, guess in _PATTERNS if pattern.search(head)), None)


def is_binary(head: bytes) -> bool:
    """Whether bytes occur among the first ones that no text file has."""
    return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and _CONTROL.search(head[:4096]) is not None
