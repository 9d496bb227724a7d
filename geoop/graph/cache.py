"""A small store of what was computed from a geometry, found again by content.

Equal point counts are not equal clouds: a key is the hash of every byte, never a shape or an address.
"""

from __future__ import annotations

import hashlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigurationError

T = TypeVar("T")


def content_key(*items: Any) -> str:
    """SHA-256 over the bytes, shapes and types of everything given.

    Args:
        items: tensors, arrays, numbers, strings, None, and tuples, lists, mappings or dataclasses of these.

    Raises:
        ConfigurationError: an item has no content that could be hashed, e.g. a function.
    """
    digest = hashlib.sha256()
    for item in items:
        _feed(digest, item)
    return digest.hexdigest()


class ContentCache:
    """Results by content, the least recently used dropped first when they would take more than ``max_bytes``.

    What is stored is handed out again as it is, so store what nobody changes: :class:`PointSet`, :class:`Graph`, tensors left alone.
    A result larger than the whole cache is returned and not kept. Threads may share one cache.

    Args:
        max_bytes: bound on the tensors and arrays held.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self.max_bytes = max_bytes
        self._items: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def fetch(self, compute: Callable[[], T], *content: Any) -> T:
        """The stored result for this content, or ``compute()``, which is stored.

        Args:
            compute: makes the result; its name is not part of the key.
            content: everything the result depends on, what is computed among it: ``cache.fetch(make, "knn", points.pos, points.ptr, k)``.
        """
        key = content_key(*content)
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key][0]
        value = compute()  # outside the lock: two threads may compute the same, none waits for another's geometry
        size = _size(value)
        if size <= self.max_bytes:
            with self._lock:
                self._drop(key)
                self._items[key] = (value, size)
                self._bytes += size
                while self._bytes > self.max_bytes:
                    self._drop(next(iter(self._items)))
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._bytes = 0

    def __reduce__(self) -> tuple[type[ContentCache], tuple[int]]:
        """A copy, or one sent to another process, begins empty: a lock does not travel."""
        return ContentCache, (self.max_bytes,)

    @property
    def bytes(self) -> int:
        """Bytes of the tensors and arrays held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._items)

    def _drop(self, key: str) -> None:
        if key in self._items:
            self._bytes -= self._items.pop(key)[1]


def _feed(digest: Any, item: Any) -> None:
    """Add one item; every kind starts with its own letter and length, so that different items never run together."""
    if isinstance(item, np.generic):
        item = item.item()
    if isinstance(item, Tensor):
        item = item.detach().cpu().contiguous()
        # numpy has no bfloat16: the bytes themselves are taken
        head, raw = f"t{item.dtype}{tuple(item.shape)}", item.flatten().view(torch.uint8).numpy().tobytes() if item.numel() else b""
    elif isinstance(item, np.ndarray) and not item.dtype.hasobject:
        head, raw = f"a{item.dtype}{item.shape}", np.ascontiguousarray(item).tobytes()
    elif item is None or isinstance(item, bool | int | float | complex | str | bytes):
        head, raw = type(item).__name__, repr(item).encode()
    elif isinstance(item, tuple | list):
        digest.update(f"s{len(item)};".encode())
        for part in item:
            _feed(digest, part)
        return
    elif isinstance(item, Mapping):
        digest.update(f"m{len(item)};".encode())
        for key in sorted(item, key=repr):
            _feed(digest, key)
            _feed(digest, item[key])
        return
    elif is_dataclass(item) and not isinstance(item, type):
        digest.update(f"d{type(item).__qualname__};".encode())
        for part in fields(item):
            _feed(digest, getattr(item, part.name))
        return
    else:
        raise ConfigurationError(
            f"a {type(item).__name__} has no content that could be a key", where="content_key", remedy="pass tensors, arrays, numbers or strings"
        )
    digest.update(f"{head};{len(raw)};".encode())
    digest.update(raw)


def _size(value: Any) -> int:
    """Bytes of all tensors and arrays inside."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(_size(part) for part in value.values())
    if isinstance(value, tuple | list):
        return sum(_size(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return sum(_size(getattr(value, part.name)) for part in fields(value))
    return sys.getsizeof(value)
