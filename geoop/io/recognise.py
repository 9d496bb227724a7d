"""What a file seems to be, judged by its first bytes and not by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Guess:
    """A format recognised by its content.

    Attributes:
        name: as people call it, as in "its content seems to be a ...".
        formats: its names in :data:`geoop.io.formats.table.FORMATS`: several for a container that many formats use, where the
            suffix decides; empty when geoop does not read it.
        suffix: last suffix that a compressed file needs; empty otherwise.
        remedy: what to do about a file that geoop does not read; empty when renaming is enough.
    """

    name: str
    formats: tuple[str, ...] = ()
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
    (b"\x89HDF", Guess("HDF5 file (CGNS, VTKHDF, Fluent CFF, Exodus)", ("CGNS", "VTKHDF", "Fluent CFF", "Exodus II"))),
    (b"CDF\x01", Guess("NetCDF file (Exodus)", ("Exodus II",))),
    (b"CDF\x02", Guess("NetCDF file (Exodus)", ("Exodus II",))),
    (b"CDF\x05", Guess("NetCDF file (Exodus)", ("Exodus II",))),
    (b"\x93NUMPY", Guess("NumPy array", ("NumPy point cloud",))),
    (b"# vtk DataFile", Guess("legacy VTK file", ("legacy VTK",))),
    (b"$MeshFormat", Guess("Gmsh mesh", ("Gmsh",))),
    (b"$NOD\n", Guess("Gmsh mesh of format 1", ("Gmsh",))),
    (b"$NOD\r", Guess("Gmsh mesh of format 1", ("Gmsh",))),
    (b"glTF", Guess("binary glTF", ("glTF",))),
    (b"ply\n", Guess("PLY file", ("PLY",))),
    (b"ply\r", Guess("PLY file", ("PLY",))),
    (b"ISO-10303-21", Guess("STEP CAD file", ("STEP",))),
    (b"#!TDV", Guess("Tecplot binary file", remedy=_EXPORT)),
    (b"\xec\x2b\x08\x00", Guess("SU2 binary restart file", ("SU2 solution",))),
    (b"\x00\x08\x2b\xec", Guess("SU2 binary restart file", ("SU2 solution",))),
    (b"\x89PNG", Guess("PNG picture", remedy=_AGAIN)),
    (b"\xff\xd8\xff", Guess("JPEG picture", remedy=_AGAIN)),
    (b"%PDF", Guess("PDF document", remedy=_AGAIN)),
    (b"version https://git-lfs", Guess("Git LFS pointer, not the file itself", remedy="fetch the file with `git lfs pull`")),
)
_XML = {
    b"UnstructuredGrid": Guess("VTK XML unstructured grid", ("VTK unstructured grid",)),
    b"PolyData": Guess("VTK XML polygonal data", ("VTK polygonal data",)),
    b"StructuredGrid": Guess("VTK XML structured grid", ("VTK structured grid",)),
    b"RectilinearGrid": Guess("VTK XML rectilinear grid", ("VTK rectilinear grid",)),
    b"ImageData": Guess("VTK XML image data", ("VTK image data",)),
    b"Collection": Guess("ParaView collection (PVD)", ("PVD",)),
    **{f"vtk{kind}".encode(): Guess("VTK multi-block file", ("VTK multi-block",)) for kind in ("MultiBlockDataSet", "PartitionedDataSetCollection")},
    **{
        f"P{kind}".encode(): Guess("VTK parallel file", ("VTK parallel files",))
        for kind in ("UnstructuredGrid", "PolyData", "StructuredGrid", "RectilinearGrid", "ImageData")
    },
}
#: Patterns in the first 4096 bytes -> what the file is. The first match counts.
_PATTERNS: tuple[tuple[re.Pattern[bytes], Guess], ...] = (
    (re.compile(rb"^.{257}ustar", re.S), Guess("tar archive", remedy=_UNPACK)),
    (re.compile(rb"^.{4}ADF ", re.S), Guess("CGNS file (ADF)", ("CGNS",))),
    (
        re.compile(rb"^\s*<(!doctype html|html|head)", re.I),
        Guess("HTML page: probably a failed download", remedy="download the file again, in raw form"),
    ),
    (re.compile(rb"^\s*(ST|C|N|4|n)*OFF\b"), Guess("OFF file", ("OFF",))),
    (re.compile(rb"^\s*solid\b[^\n]*\s+(facet\b|endsolid\b)", re.I), Guess("STL text file", ("STL",))),
    (re.compile(rb"(^|\n)\s*(NDIME|NELEM|NZONE)\s*="), Guess("SU2 mesh", ("SU2",))),
    (re.compile(rb"^\s*\"?PointID\"?\s*[,;\t ]"), Guess("SU2 text solution file", ("SU2 solution",))),
    (
        re.compile(rb"(^|\n)\s*FoamFile\s*\{"),
        Guess("single file of an OpenFOAM case", remedy="give the folder of the case, the one that holds constant/ and system/"),
    ),
    (re.compile(rb"(^|\n)\s*(TITLE|VARIABLES)\s*=", re.I), Guess("Tecplot text file", ("Tecplot",))),
    (re.compile(rb"(^|\n)\s*\"asset\"|^\s*\{[^}]*\"(asset|scene|accessors)\""), Guess("glTF text file", ("glTF",))),
    (re.compile(rb"(^|\n)v\s+[-+.\d]+\S*\s+[-+.\d]+\S*\s+[-+.\d]"), Guess("Wavefront OBJ file", ("Wavefront OBJ",))),
    (re.compile(rb"^\s*\(\s*(?:[0124]|1[0-3]|3[789]|45)\s"), Guess("Fluent mesh or case", ("Fluent",))),
    (re.compile(rb"^\s*-1\s*\r?\n\s*(15|151|164|78[01]|24\d\d)\s*\r?\n"), Guess("universal file", ("UNV",))),
    (re.compile(rb"^\s*type\s*:\s*ensight", re.I | re.M), Guess("EnSight case", ("EnSight",))),
    (re.compile(rb"^(?P<m>\x04\0\0\0|\0\0\0\x04).{4}(?P=m)", re.S), Guess("PLOT3D file", ("PLOT3D",))),
    (
        re.compile(rb"^(?:(?P<l>[\x08\x0c]\0\0\0)(?:.{8}|.{12})(?P=l)|(?P<b>\0\0\0[\x08\x0c])(?:.{8}|.{12})(?P=b))", re.S),
        Guess("PLOT3D file", ("PLOT3D",)),
    ),
    (re.compile(rb"^(?:\s*#[^\n]*\n)*\s*\d+\s+\d+\s+\d+\s+\d+\s+\d+\s*\n\s*\d+(?:\s+[-+.\deE]+){3}\s*\n"), Guess("AVS-UCD file", ("AVS-UCD",))),
    (re.compile(rb"^.{72}S\s{0,6}\d", re.S), Guess("IGES CAD file", ("IGES",))),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def recognised(head: bytes, size: int | None = None) -> Guess | None:
    """The format that the leading bytes belong to, or None.

    Args:
        head: the first 4096 bytes or the whole file, decompressed.
        size: number of bytes of the whole file where known; a binary STL is recognised by it alone.
    """
    if size is not None and size >= 84 and size == 84 + 50 * int.from_bytes(head[80:84], "little"):
        return Guess("binary STL file", ("STL",))
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
    if _is_plot3d_text(head):
        return Guess("PLOT3D text file", ("PLOT3D",))
    return next((guess for pattern, guess in _PATTERNS if pattern.search(head)), None)


def _is_plot3d_text(head: bytes) -> bool:
    """Whether a number of grids comes first, then two or three whole numbers for each of them, and then numbers with a point."""
    match = re.match(rb"\s*(\d{1,6})\s*\n((?:\s*\d+(?=\s))+)\s+[-+]?\d*\.", head)
    return match is not None and len(match.group(2).split()) in (2 * int(match.group(1)), 3 * int(match.group(1)))


def is_binary(head: bytes) -> bool:
    """Whether bytes occur among the first ones that no text file has."""
    return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and _CONTROL.search(head[:4096]) is not None
