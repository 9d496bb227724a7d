"""Choices that geometry makes by comparing numbers (who is nearest, which points are kept), made once and held while points move.

A function of the points of a body is differentiable only between two changes of such a choice. :class:`Choices` records them, in the order in which
they are made, and gives the same ones back when the function is evaluated again at other points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from ..errors import ShapeError

T = TypeVar("T")


class Choices:
    """What was chosen, in order. Within :meth:`held` the first pass records, every later one repeats.

    One function with one flow of control: it must ask for the same choices in the same order at every evaluation.

    Args:
        neighbours: hold who is whose neighbour, too; else neighbours are found anew, as where a smooth window makes their change harmless.
    """

    def __init__(self, *, neighbours: bool = True) -> None:
        self.neighbours = neighbours
        self._made: list[Any] | None = None
        self._next = 0

    @contextmanager
    def held(self) -> Iterator[Choices]:
        """Evaluate inside of this block; of nested blocks the innermost counts."""
        first = self._made is None
        made: list[Any] = [] if self._made is None else self._made
        self._made, self._next = made, 0
        token = _ACTIVE.set((self, first))
        try:
            yield self
        except BaseException:
            self._made = None if first else made
            raise
        finally:
            _ACTIVE.reset(token)

    def _take(self, make: Callable[[], Any], record: bool) -> Any:
        assert self._made is not None
        if record:
            token = _ACTIVE.set(None)  # what a choice is made from is no choice of its own
            try:
                self._made.append(make())
            finally:
                _ACTIVE.reset(token)
            return self._made[-1]
        if self._next >= len(self._made):
            raise ShapeError("more choices are asked for than were recorded", where="Choices", remedy="hold the choices of one function only")
        self._next += 1
        return self._made[self._next - 1]


_ACTIVE: ContextVar[tuple[Choices, bool] | None] = ContextVar("geoop_choices", default=None)


def choice(make: Callable[[], T], *, neighbours: bool = False) -> T:
    """What ``make`` returns; within :meth:`Choices.held` what it returned the first time.

    Args:
        make: the choice. neighbours: whether it is about neighbours.
    """
    active = _ACTIVE.get()
    if active is None or (neighbours and not active[0].neighbours):
        return make()
    return active[0]._take(make, active[1])
