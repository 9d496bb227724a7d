"""A look at the head of a classic NetCDF file before a library reads it: what is missing at its end would be read as zeros.

Layout: Unidata, "NetCDF Classic Format Specification" (CDF-1, CDF-2 with 64-bit offsets, CDF-5 with 64-bit sizes).
"""

from __future__ import annotations

from pathlib import Path

from ....errors import UnreadableFileError

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_MOST_HEAD = 1 << 26


class _Head:
    """The head of a file, read from the front."""

    def __init__(self, data: bytes, version: int) -> None:
        self.data, self.at = data, 4
        self.size_width, self.offset_width = (8 if version == 5 else 4), (4 if version == 1 else 8)

    def number(self, width: int) -> int:
        if self.at + width > len(self.data):
            raise ValueError("the head ends too early")
        self.at += width
        return int.from_bytes(self.data[self.at - width : self.at], "big")

    def size(self) -> int:
        return self.number(self.size_width)

    def skip(self, count: int) -> None:
        self.at += -(-count // 4) * 4
        if self.at > len(self.data):
            raise ValueError("the head ends too early")

    def listed(self, tag: int) -> int:
        """Number of entries of a list of that kind."""
        found, count = self.number(4), self.size()
        if found not in (0, tag) or count > len(self.data):
            raise ValueError(f"a list of kind {found} where {tag} is due")
        return count if found else 0

    def attributes(self) -> None:
        for _ in range(self.listed(_ATTRIBUTES)):
            self.skip(self.size())
            kind = self.number(4)
            self.skip(self.size() * _BYTES[kind])


def check_netcdf(path: Path, where: str) -> None:
    """Raise if a classic NetCDF file is shorter than its head says; other files are passed over.

    Raises:
        UnreadableFileError: truncated, or the head is damaged.
    """
    with open(path, "rb") as handle:
        data = handle.read(_MOST_HEAD)
    if data[:3] != b"CDF" or data[3:4] not in (b"\x01", b"\x02", b"\x05"):
        return
    try:
        needed = _needed(_Head(data, data[3]))
    except (KeyError, ValueError) as error:
        raise UnreadableFileError(f"the NetCDF head is damaged: {error}", where=where, remedy="export or download it again") from error
    size = path.stat().st_size
    if needed > size:
        raise UnreadableFileError(
            f"truncated: the NetCDF head describes {needed} bytes, {size} are there", where=where, remedy="export or download it again"
        )


def _needed(head: _Head) -> int:
    """Bytes that the variables reach to."""
    records = head.size()
    unknown = records == (1 << 8 * head.size_width) - 1  # a stream: the number of records follows from the size
    sizes = []
    for _ in range(head.listed(_DIMENSIONS)):
        head.skip(head.size())
        sizes.append(head.size())
    head.attributes()
    fixed, per_record = [], []
    for _ in range(head.listed(_VARIABLES)):
        head.skip(head.size())
        axes = [head.size() for _ in range(head.size())]
        if any(axis >= len(sizes) for axis in axes):
            raise ValueError("a variable over a dimension that is not there")
        head.attributes()
        width = _BYTES[head.number(4)]
        head.size()  # the size of the variable: too small for large ones, computed here
        start = head.number(head.offset_width)
        count = width
        for axis in axes:
            count *= sizes[axis] or 1
        (per_record if axes and not sizes[axes[0]] else fixed).append((start, count))
    ends = [start + count for start, count in fixed]
    if records and not unknown:
        stride = per_record[0][1] if len(per_record) == 1 else sum(-(-count // 4) * 4 for _, count in per_record)
        ends += [start + (records - 1) * stride + count for start, count in per_record]
    return max(ends, default=0)
