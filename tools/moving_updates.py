"""Monitors that are found again on the moved mesh, for ``tools/benchmark moving``: what ``geoop.adapt(..., updates=n)`` gains and loses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from moving_fields import FIELDS, interpolation_error
from moving_meshes import square

from geoop.mesh.case import Case
from geoop.mesh.quantity import Field, Quantity
from geoop.results.adapting import adapt

#: Numbers of updates that are compared, and nodes per side: the coarse one does not resolve the narrow ring.
UPDATES, SIDES = (0, 1, 3), (25, 48)
_FIELD = Quantity("field", "u")


def measure(output: Path, once: Callable[[str, Callable[[], dict[str, Any]]], None]) -> None:
    """All rows of this file; ``once(key, measure)`` measures a row unless it is there. Nothing is written to ``output``."""
    for side in SIDES:
        for name in FIELDS:
            once(f"movers/updates/{name}, {side} x {side}", lambda n=name, s=side: updates_row(n, s))


def updates_row(name: str, side: int) -> dict[str, Any]:
    """Gain of the L2 error of linear interpolation by the Monge-Ampere mover, of the field that was carried along and of its formula."""
    mesh, function = square(side), FIELDS[name]
    case = Case(mesh).with_fields(Field(_FIELD, function(mesh.points)))
    before = interpolation_error(mesh, function)
    found: dict[str, Any] = {"points": len(mesh.points), "updates": list(UPDATES)}
    solves: dict[str, Callable[[Case], Case] | None] = {
        "carried": None,
        "formula": lambda there: there.with_fields(Field(_FIELD, function(there.mesh.points))),
    }
    for how, solve in solves.items():
        moves = [adapt(case, "hessian:field", updates=count, solve=solve) for count in UPDATES]
        found[how] = [before / interpolation_error(item.case.mesh, function) for item in moves]
        found[f"outcome, {how}"] = [item.moved.outcome.status for item in moves]
    return found
