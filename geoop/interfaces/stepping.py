"""Time: what a stepper is. A neural operator, a finite-element scheme or an exact solution: a rollout knows nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from ..mesh.case import Case

#: The last states, oldest first, and a time [s] > 0 -> the state that much after the last of them, on its mesh or on one that has moved.
Advance = Callable[[Sequence[Case], float], Case]


@runtime_checkable
class Stepper(Protocol):
    """Advances the state of a case, its fields at points, in time."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the fields that make a state; a step returns all of them."""
        ...

    @property
    def history(self) -> int:
        """Number of past states that a step is given, 1 at least."""
        ...

    @property
    def interval(self) -> float | None:
        """Time [s] between two states of its history, and of a single step; None takes any."""
        ...

    @property
    def longest(self) -> float | None:
        """Longest time [s] of one step; None where there is no limit."""
        ...

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Quantity -> least and largest value (of a vector: magnitude) that it was trained on; empty where nothing is known."""
        ...

    def prepare(self, case: Case) -> Advance:
        """Whatever depends on the mesh and the condition alone, once per rollout.

        Args:
            case: a state; its fields need not be looked at.
        """
        ...
