"""Named-axis checks: one line at the top of a function that says which shapes it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import ShapeError


def check(sizes: Mapping[str, int] | None = None, /, **arrays: tuple[Any, str]) -> dict[str, int]:
    """Check arrays against named axes and return the size of every name.

    Each keyword is ``name=(array, "axis axis ...")``. An axis is a name (equal names must have equal sizes), a number
    (the size must be that number), a name plus a number such as ``b+1``, or ``...`` first for any leading axes.
    All mismatches are reported in one error.

    >>> import numpy as np
    >>> check(points=(np.zeros((5, 2)), "n d"), weights=(np.zeros(5), "n"))
    {'n': 5, 'd': 2}

    Raises:
        ShapeError: an array has another number of axes, or sizes disagree.
    """
    known: dict[str, int] = dict(sizes or {})
    problems: list[str] = []
    for name, (array, spec) in arrays.items():
        shape = tuple(array.shape)
        axes = spec.split()
        if axes and axes[0] == "...":
            axes = axes[1:]
            shape = shape[len(shape) - len(axes) :] if len(shape) >= len(axes) else shape
        if len(shape) != len(axes):
            problems.append(f"{name} has shape {tuple(array.shape)}, expected axes ({spec})")
            continue
        for axis, size in zip(axes, shape, strict=True):
            if axis.isdigit():
                if int(axis) != size:
                    problems.append(f"{name} has shape {tuple(array.shape)}, axis of size {axis} is {size}")
                continue
            key, _, extra = axis.partition("+")
            value = size - int(extra or 0)
            if known.setdefault(key, value) != value:
                problems.append(f"{name} has shape {tuple(array.shape)}: {axis} is {size}, expected {known[key] + int(extra or 0)}")
    if problems:
        raise ShapeError("; ".join(problems), remedy="pass arrays with the axes named in the docstring of this function")
    return known
