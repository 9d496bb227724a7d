"""What was prepared for a body is found again by the body's content, in a bounded store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ..mesh import Mesh

Value = TypeVar("Value")
_hashes: WeakKeyDictionary[Mesh, str] = WeakKeyDictionary()  # a mesh is immutable: its content is hashed once
_hashes_lock = Lock()


def _hash(mesh: Mesh) -> str:
    with _hashes_lock:
        known = _hashes.get(mesh)
    if known is None:
        known = mesh.content_hash  # outside the lock: other threads need not wait for it
        with _hashes_lock:
            _hashes[mesh] = known
    return known


class Kept(Generic[Value]):
    """The values made last, by the content of a mesh and further keys; the one not used for longest goes first.

    Args:
        make: what makes the value from the mesh and the keys; what it raises is not kept.
        size: largest number of values held.
    """

    def __init__(self, make: Callable[..., Value], size: int) -> None:
        self._make, self._size = make, size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def __call__(self, mesh: Mesh, *keys: Hashable) -> Value:
        """The value for a mesh of this content, made now if it is not there."""
        key = (_hash(mesh), *keys)
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = self._make(mesh, *keys)
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._values)
