"""A CGNS file as its tree of nodes, whichever of the two containers it lies in: the old ADF or HDF5.

VTK's reader gives meshes and solutions but passes over boundary conditions that it has no name for (far field, symmetry planes,
walls with heat flux); the tree has them all. Layouts: CGNS, "ADF File Format" and "HDF5 File Mapping" of the SIDS documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ....errors import UnreadableFileError

_BLOCK = 4096
_NODE, _NODE_SIZE = b"NoDe", 246
_TYPES = {"I4": "i4", "I8": "i8", "U4": "u4", "U8": "u8", "R4": "f4", "R8": "f8", "C1": "S1", "B1": "u1"}
_MOST_DEPTH = 64


@dataclass(frozen=True, eq=False)
class Node:
    """One node of the tree.

    Attributes:
        name: unique among its siblings.
        label: SIDS type, such as ``Zone_t``.
        children: in the order of the file.
        load: the data when it is asked for.
    """

    name: str
    label: str
    children: tuple[Node, ...] = ()
    load: Callable[[], np.ndarray | None] = field(default=lambda: None, repr=False)

    @property
    def value(self) -> np.ndarray | None:
        """Data in Fortran's order of axes (i, j, k), as the standard words it; None for a node without."""
        return self.load()

    @property
    def text(self) -> str:
        """Data of a character node, without the blanks that fill it up."""
        data = self.load()
        return "" if data is None or data.dtype.kind != "S" else data.T.tobytes().decode("utf-8", "replace").strip(" \0")

    def of(self, label: str) -> list[Node]:
        """Children of one SIDS type."""
        return [child for child in self.children if child.label == label]

    def get(self, name: str) -> Node | None:
        """The child of that name."""
        return next((child for child in self.children if child.name == name), None)

    def walk(self) -> Iterator[Node]:
        """The node and everything under it."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_tree(path: Path, where: str) -> Node:
    """The root of a CGNS file.

    Args:
        path: a plain file on disk.
        where: what to call it in errors.

    Raises:
        UnreadableFileError: neither ADF nor HDF5, damaged or truncated.
    """
    head = path.read_bytes()[:4096] if path.stat().st_size < _BLOCK else _first(path)
    try:
        if head[4:8] == b"ADF ":
            return _AdfFile(path.read_bytes(), where).root()
        if head.startswith(b"\x89HDF"):
            return _of_hdf5(path)
    except (LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise UnreadableFileError(f"the CGNS tree is damaged: {error}", where=where, remedy="download or export it again") from error
    raise UnreadableFileError("neither an ADF nor an HDF5 file", where=where, remedy="give the file its true suffix")


def _first(path: Path) -> bytes:
    with open(path, "rb") as handle:
        return handle.read(_BLOCK)


class _AdfFile:
    """Nodes by their address in the bytes of an ADF file. Every address, size and count is checked against the file."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.where = data, where
        self.left = len(data) // _NODE_SIZE + 1  # a tree cannot have more nodes: stops cycles
        order = data[data.index(b"AdF2") + 4 : data.index(b"AdF2") + 5]
        if order not in (b"L", b"B"):
            raise self._damaged(f"numbers in the format {order!r}")
        self.byte_order: Literal["<", ">"] = "<" if order == b"L" else ">"

    def root(self) -> Node:
        return self._node(self._pointer(self.data.index(b"AdF4", 0, 512) + 4), 0)

    def _node(self, at: int, depth: int) -> Node:
        self.left -= 1
        if self.data[at : at + 4] != _NODE or self.data[at + 242 : at + 246] != b"TaiL" or depth > _MOST_DEPTH or self.left < 0:
            raise self._damaged(f"no node at byte {at}")
        name, label = (self.data[at + k : at + k + 32].decode("utf-8", "replace").rstrip(" \0") for k in (4, 36))
        count = self._hexadecimal(at + 68, 8)
        table = self._pointer(at + 84)
        children = tuple(self._node(child, depth + 1) for child in self._children(table, count)) if count else ()
        return Node(name, label, children, lambda: self._value(at))

    def _children(self, table: int, count: int) -> list[int]:
        if self.data[table : table + 4] != b"SNTb" or table + 16 + 44 * count > len(self.data):
            raise self._damaged(f"no table of children at byte {table}")
        return [self._pointer(table + 16 + 44 * k + 32) for k in range(count)]

    def _value(self, at: int) -> np.ndarray | None:
        kind = self.data[at + 96 : at + 128].decode("latin-1").strip(" \0").upper()
        if kind == "LK":
            raise UnreadableFileError(
                "a node is a link into another file",
                where=self.where,
                remedy="merge the files first (cgnslib: cgnsconvert -l), or read the file it points to",
            )
        if kind in ("MT", ""):
            return None
        if kind not in _TYPES:
            raise self._damaged(f"data of type '{kind}'")
        dtype = np.dtype(_TYPES[kind]).newbyteorder(self.byte_order)
        axes = self._hexadecimal(at + 128, 2)
        shape = [self._hexadecimal(at + 130 + 8 * k, 8) for k in range(min(axes, 12))]
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        raw = self._chunks(self._hexadecimal(at + 226, 4), self._pointer(at + 230), size)
        native = np.frombuffer(raw, dtype=dtype, count=size // dtype.itemsize).reshape(shape, order="F")
        return native.astype(dtype.newbyteorder("="))

    def _chunks(self, count: int, at: int, size: int) -> bytes:
        if size > len(self.data):
            raise self._damaged(f"an array of {size} bytes in a file of {len(self.data)}")
        if count == 1:
            return self._chunk(at, size)
        if self.data[at : at + 4] != b"DCtb":
            raise self._damaged(f"no table of data at byte {at}")
        parts, total = [], 0
        for k in range(count):
            start, end = (self._pointer(at + 16 + 24 * k + 12 * j) for j in range(2))
            part = self._chunk(start, min(end - start - 16, size - total))
            parts.append(part)
            total += len(part)
        if total < size:
            raise self._damaged(f"{total} of {size} bytes of an array are there")
        return b"".join(parts)

    def _chunk(self, at: int, size: int) -> bytes:
        if self.data[at : at + 4] != b"DaTa" or size < 0 or at + 16 + size > len(self.data):
            raise self._damaged(f"no data of {size} bytes at byte {at}")
        return self.data[at + 16 : at + 16 + size]

    def _pointer(self, at: int) -> int:
        return self._hexadecimal(at, 8) * _BLOCK + self._hexadecimal(at + 8, 4)

    def _hexadecimal(self, at: int, count: int) -> int:
        return int(self.data[at : at + count], 16)

    def _damaged(self, what: str) -> UnreadableFileError:
        return UnreadableFileError(f"the ADF file is damaged: {what}", where=self.where, remedy="download or export it again")


def _of_hdf5(path: Path) -> Node:
    import h5py

    met: set[int] = set()

    def node(group: Any, depth: int) -> Node:
        met.add(h5py.h5o.get_info(group.id).addr)
        name = _attribute(group, "name") or group.name.rsplit("/", 1)[-1]
        inner = [group[key] for key in _keys(group) if not key.startswith(" ")]
        new = [child for child in inner if isinstance(child, h5py.Group) and h5py.h5o.get_info(child.id).addr not in met]  # a cycle never ends
        children = tuple(node(child, depth + 1) for child in new) if depth < _MOST_DEPTH else ()
        place = group.name
        return Node(name, _attribute(group, "label"), children, lambda: _dataset(path, place))

    with h5py.File(path, "r") as handle:
        return node(handle["/"], 0)


def _keys(group: Any) -> list[str]:
    """Names of the members, in the order in which they were written where the file has kept it."""
    import h5py

    if not group.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED:
        return list(group)
    names: list[str] = []
    group.id.links.iterate(lambda name: names.append(name.decode("utf-8", "replace")), idx_type=h5py.h5.INDEX_CRT_ORDER)
    return names


def _attribute(group: Any, key: str) -> str:
    value = group.attrs.get(key, b"")
    value = value.tobytes() if isinstance(value, np.ndarray) else value
    return (value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")).strip(" \0")


def _dataset(path: Path, place: str) -> np.ndarray | None:
    import h5py

    with h5py.File(path, "r") as handle:
        group: Any = handle[place]
        if " data" not in group:
            return None
        values = np.asarray(group[" data"][()]).T  # HDF5 has the axes the other way round
        return values.view("S1") if _attribute(group, "type") == "C1" and values.dtype.itemsize == 1 else values
