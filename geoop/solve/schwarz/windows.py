"""Windows in time, one after the other: each is solved by Schwarz iterations and starts where the last one ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ...interfaces.local import LocalSolver
from ...mesh.case import Case
from ...mesh.quantity import Field
from ..equations import HeatWindow
from .iteration import Schwarz
from .result import SchwarzResult
from .settings import SchwarzSettings

#: Number of a window -> patch -> quantity name -> values in it.
BoundaryInTime = Callable[[int], Mapping[str, Mapping[str, Field]]]


def march(
    case: Case,
    equation: HeatWindow,
    windows: int,
    solver: LocalSolver | None = None,
    settings: SchwarzSettings | None = None,
    *,
    boundary: BoundaryInTime | None = None,
) -> Iterator[SchwarzResult]:
    """Solve window after window; the parts are prepared once.

    Args:
        case: with the state to start from (``initial``) and the boundary values of the first window.
        equation: of one window.
        windows: how many.
        solver: of the parts; None solves them exactly.
        settings: of the iterations.
        boundary: values of the later windows; None keeps those of the first.

    Yields:
        the result of every window: ``result[equation.quantity.name]`` is the state at its end, ``result.u`` (n steps,) all of its steps.
    """
    iteration = Schwarz(case, equation, solver, settings)
    for window in range(windows):
        given = case if boundary is None or window == 0 else replace(case, boundary=dict(boundary(window)))
        result = iteration.solve(given)
        yield result
        case = following(given, equation, iteration.problem.nodes, result.u)


def following(case: Case, equation: HeatWindow, nodes: np.ndarray, u: np.ndarray) -> Case:
    """The case of the next window: u (n steps,) at the (n,) points ``nodes`` ends where it starts."""
    before = case.field(equation.source)
    state = np.array(before.values, dtype=np.float64)
    state[nodes] = u.reshape(-1, equation.steps)[:, -1]
    return case.with_fields(Field(before.quantity, state))
