"""CGNS files in both containers, written byte by byte from a tree: (name, label, data, children)."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

_TYPES = {"i4": "I4", "i8": "I8", "f4": "R4", "f8": "R8", "S1": "C1", "u1": "B1"}


def text(value: str) -> np.ndarray:
    return np.frombuffer(value.encode(), dtype="S1")


def texts(values: list[str], width: int = 32) -> np.ndarray:
    """Several names of fixed width, one per column."""
    return np.stack([np.frombuffer(value.ljust(width).encode(), dtype="S1") for value in values], axis=1)


def numbers(*values) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def tree(name: str, label: str, data: np.ndarray | None = None, *children) -> tuple:
    return (name, label, data, children)


def base(*zones, cell_dimension: int = 3, dimension: int = 3, extra: tuple = ()) -> tuple:
    """A root with one base."""
    inner = (*extra, *zones)
    return tree("root", "", None, tree("Base", "CGNSBase_t", numbers(cell_dimension, dimension), *inner))


def structured(name: str, points: np.ndarray, *children) -> tuple:
    """A structured zone from points (ni, nj, nk, 3)."""
    shape = points.shape[:-1]
    size = np.array([[n, n - 1, 0] for n in shape], dtype=np.int32)
    return tree(name, "Zone_t", size, tree("ZoneType", "ZoneType_t", text("Structured")), grid(*np.moveaxis(points, -1, 0)), *children)


def unstructured(name: str, points: np.ndarray, n_cells: int, *children) -> tuple:
    """An unstructured zone from points (n, 3)."""
    size = np.array([[len(points), n_cells, 0]], dtype=np.int32)
    return tree(name, "Zone_t", size, tree("ZoneType", "ZoneType_t", text("Unstructured")), grid(*points.T), *children)


def grid(*axes: np.ndarray) -> tuple:
    return tree(
        "GridCoordinates",
        "GridCoordinates_t",
        None,
        *(tree(f"Coordinate{axis}", "DataArray_t", np.asarray(x, float)) for axis, x in zip("XYZ", axes, strict=False)),
    )


def section(name: str, kind: int, first: int, last: int, flat, offsets=None, *children) -> tuple:
    more = [] if offsets is None else [tree("ElementStartOffset", "DataArray_t", np.asarray(offsets, np.int32))]
    connectivity = tree("ElementConnectivity", "DataArray_t", np.asarray(flat, np.int32))
    return tree(name, "Elements_t", numbers(kind, 0), tree("ElementRange", "IndexRange_t", numbers(first, last)), connectivity, *more, *children)


def boundary(*conditions) -> tuple:
    return tree("ZoneBC", "ZoneBC_t", None, *conditions)


def condition(name: str, kind: str, *children) -> tuple:
    return tree(name, "BC_t", text(kind), *children)


def write_hdf5(path: Path, root: tuple) -> Path:
    """The HDF5 mapping: a group per node with attributes name, label and type, data under ' data' with the axes reversed."""

    def write(group: h5py.Group, node: tuple) -> None:
        name, label, data, children = node
        kind = "MT" if data is None else _TYPES[data.dtype.str[1:]]
        for key, value in (("name", name), ("label", label), ("type", kind)):
            group.attrs[key] = np.bytes_(value)
        if data is not None:
            group[" data"] = np.asarray(data).view("i1").T if kind == "C1" else np.asarray(data).T
        for child in children:
            write(group.create_group(child[0], track_order=True), child)

    with h5py.File(path, "w", track_order=True) as handle:
        write(handle["/"], root)
    return path


def write_adf(path: Path, root: tuple, order: str = "<", chunks: int = 1) -> Path:
    """The ADF layout: node headers of 246 bytes, tables of children, chunks of data, addresses as hexadecimal text."""
    out = bytearray(266)

    def pointer(at: int) -> bytes:
        return f"{at // 4096:08X}{at % 4096:04X}".encode()

    def add(data: bytes) -> int:
        at = len(out)
        out.extend(data)
        return at

    def chunk(data: bytes) -> tuple[int, int]:
        at = add(b"DaTa" + pointer(len(out) + 16 + len(data)) + data)
        return at, add(b"dEnD")

    def write(node: tuple) -> int:
        name, label, data, children = node
        places = [write(child) for child in children]
        table = 0
        if children:
            rows = b"".join(child[0].encode().ljust(32) + pointer(place) for child, place in zip(children, places, strict=True))
            table = add(b"SNTb" + pointer(len(out) + 16 + len(rows)) + rows + b"snTE")
        kind, shape, at, count = b"MT", (), 0, 0
        if data is not None:
            kind, shape = _TYPES[data.dtype.str[1:]].encode(), data.shape
            raw = np.asarray(data).astype(data.dtype.newbyteorder(order)).tobytes(order="F")
            step = len(raw) // chunks + 1
            pieces = [raw[i : i + step] for i in range(0, len(raw), step)]
            spots = [chunk(piece) for piece in pieces]
            count, at = len(spots), spots[0][0]
            if count > 1:
                rows = b"".join(pointer(a) + pointer(b) for a, b in spots)
                at = add(b"DCtb" + pointer(len(out) + 16 + len(rows)) + rows + b"dcTE")
        sizes = b"".join(f"{n:08X}".encode() for n in (*shape, *[0] * (12 - len(shape))))
        header = b"NoDe" + name.encode().ljust(32) + label.encode().ljust(32) + f"{len(children):08X}{len(children):08X}".encode() + pointer(table)
        header += kind.ljust(32) + f"{len(shape):02X}".encode() + sizes + f"{count:04X}".encode() + pointer(at) + b"TaiL"
        assert len(header) == 246
        return add(header)

    place = write(root)
    head = b"\xc0\xa8\xa3\xa9ADF Database Version A02011>" + b"AdF0" + b" " * 28 + b"AdF1" + b" " * 28
    head += b"AdF2" + (b"L" if order == "<" else b"B") + b"B" + b"AdF3" + b"010204080408080808080808" + b"AdF4" + pointer(place)
    out[: len(head)] = head
    path.write_bytes(bytes(out))
    return path
