"""The scalar conditions of a case that a model is told: Reynolds and Mach number, and the room around a body that is not in free air."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import CheckpointError, ConditionError
from ..mesh.body import body, wall_patches
from ..mesh.case import Case
from ..mesh.quantity import Quantity
from .body_frame import BodyFrame
from .region_frame import RegionFrame

#: From the last state to what is asked for, a number of the whole case of one step in time.
LEAD_TIME = Quantity("lead_time", "tau", "s")

#: Patches that stand for an unbounded flow: their place is no condition.
FAR = re.compile(r"far|free.?stream", re.I)
#: Below this share of 1 or of the value itself a condition counts as constant over the training cases.
_CONSTANT = 1e-6


def scalar_conditions(case: Case, frame: BodyFrame | RegionFrame | None = None) -> dict[str, float]:
    """Dimensionless scalar conditions of a case by name, as far as it states them.

    ``mach [1]`` and ``log10_reynolds [1]``, whose length is that of the body; in the plane, where the mesh has boundaries beside
    the body and none of them is a far field, ``room_ahead [1]``, ``room_behind``, ``room_above`` and ``room_below``: how far these
    boundaries reach from the middle of the body, in body lengths, against and along the free stream and to its sides. ``lead_time`` of a step in
    time, in seconds where there is no stream, else in the time in which the stream passes the length of the frame.

    Args:
        case: a case with a body, or a region.
        frame: the frame of the body or region, where it is known already. A region knows its own boundaries: their place is no condition.
    """
    point, lead = case.operating_point, case.fields.get(LEAD_TIME.name)
    if point is None:
        return {} if lead is None else {"lead_time [s]": float(lead.values)}
    frame = frame or BodyFrame.of(body(case.mesh, case.wall))
    found = {} if lead is None else {"lead_time [1]": float(lead.values) * point.velocity / frame.length}
    if point.mach is not None:
        found["mach [1]"] = point.mach
    if point.viscosity is not None:
        found["log10_reynolds [1]"] = math.log10(point.density * point.velocity * frame.length / point.viscosity)
    return {**found, **(_room(case, frame) if isinstance(frame, BodyFrame) else {})}


def _room(case: Case, frame: BodyFrame) -> dict[str, float]:
    mesh, point = case.mesh, case.operating_point
    if mesh.dimension != 2 or mesh.is_surface or point is None:
        return {}
    walls = case.wall if case.wall is not None else wall_patches(mesh)
    others = [name for name in mesh.patches if name not in walls]
    if not others or any(FAR.search(name) for name in others):
        return {}
    used = np.unique(np.concatenate([mesh.patches[name].connectivity for name in others]))
    along = point.direction(2)
    local = (mesh.points[used] - frame.origin) / frame.length
    x, y = local @ along, local @ np.array([-along[1], along[0]])
    return {
        "room_ahead [1]": float(-x.min()),
        "room_behind [1]": float(x.max()),
        "room_above [1]": float(y.max()),
        "room_below [1]": float(-y.min()),
    }


@dataclass(frozen=True)
class Conditions:
    """The scalar conditions that varied in training, standardised.

    Attributes:
        names: of :func:`scalar_conditions`.
        mean: over the training cases.
        deviation: standard deviation over them, never 0.
    """

    names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @classmethod
    def fit(cls, cases: Sequence[Case], frames: Sequence[BodyFrame | RegionFrame] | None = None) -> Conditions:
        """Those that every training case states and that vary; ``frames`` of the cases, where they are known already."""
        rows = [scalar_conditions(case, frame) for case, frame in zip(cases, frames or [None] * len(cases), strict=True)]
        names = [name for name in rows[0] if all(name in row for row in rows)] if rows else []
        values = np.array([[row[name] for name in names] for row in rows]).reshape(len(rows), len(names))
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        varies = deviation > _CONSTANT * np.maximum(1.0, np.abs(values).max(axis=0))
        kept = [k for k in range(len(names)) if varies[k]]
        return cls(tuple(names[k] for k in kept), tuple(float(mean[k]) for k in kept), tuple(float(deviation[k]) for k in kept))

    def of(self, case: Case, frame: BodyFrame | RegionFrame | None = None) -> np.ndarray:
        """(s,) standardised conditions of a case.

        Raises:
            ConditionError: the case does not state what varied in training.
        """
        if not self.names:
            return np.zeros(0)
        found = scalar_conditions(case, frame)
        missing = [name for name in self.names if name not in found]
        if missing:
            raise ConditionError(
                f"{', '.join(missing)} varied in training and cannot be told from this case",
                where=case.name,
                remedy="state viscosity (or Mach number) in the OperatingPoint; for a body in a channel pass the channel's mesh with its patches",
            )
        return (np.array([found[name] for name in self.names]) - self.mean) / np.array(self.deviation)

    def to_dict(self) -> dict[str, list[float]]:
        """JSON data for the checkpoint header: name -> mean and deviation."""
        return {name: [mean, deviation] for name, mean, deviation in zip(self.names, self.mean, self.deviation, strict=True)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Conditions:
        """Inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: the header is damaged.
        """
        try:
            rows = [(str(name), float(mean), float(deviation)) for name, (mean, deviation) in data.items()]
        except (TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"the conditions in the header are damaged: {error!r}", remedy="train again") from error
        names, mean, deviation = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(tuple(names), tuple(mean), tuple(deviation))
