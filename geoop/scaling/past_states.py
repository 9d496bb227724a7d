"""Past states as input functions, and the lead time as a condition: how one step in time is a case like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from .conditions import LEAD_TIME
from .functions import PREVIOUS


def past_name(quantity: str, back: int = 1) -> str:
    """Name of the input function that is a quantity ``back`` states before the end of a step: previous_velocity, previous_velocity_2, ..."""
    return f"{PREVIOUS}{quantity}" + (f"_{back}" if back > 1 else "")


def with_past(states: Sequence[Case], quantities: Sequence[str], lead: float) -> Case:
    """The case of one step: the last state's mesh and condition, what makes the past states as fields, and the lead time as a number of the whole case.

    Args:
        states: oldest first, on meshes with the same points in the same order.
        quantities: names of the point fields that make a state.
        lead: [s] from the last state to what is asked for.
    """
    last = states[-1]
    fields = {key: item for key, item in last.fields.items() if item.location == "global"}
    for back, state in enumerate(reversed(states), start=1):
        for name in quantities:
            item = state.field(name)
            kind = Quantity(past_name(name, back), f"{item.quantity.symbol}{back}", item.quantity.unit, item.quantity.rank)
            fields[kind.name] = Field(kind, item.values)
    fields[LEAD_TIME.name] = Field(LEAD_TIME, np.array(float(lead)), "global")
    return replace(last, fields=fields)
