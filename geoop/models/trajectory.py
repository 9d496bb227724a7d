"""One solution at several times: what forecasts are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch

from ..errors import ConfigurationError, NonFiniteError, ShapeError
from ..graph.pointset import PointSet


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One solution at several times.

    Attributes:
        times: (t,) increasing [s].
        frames: per time, one sample of points [m] with values (n, c) as ``scalars`` and quadrature weights; the points may differ from frame to frame.

    Raises:
        ConfigurationError: times that do not increase, or another number of frames.
        ShapeError: frames that differ in dimension or channels, or are no single samples.
        NonFiniteError: a value is NaN or infinite.
    """

    times: tuple[float, ...]
    frames: tuple[PointSet, ...]

    def __post_init__(self) -> None:
        if not self.frames or len(self.times) != len(self.frames) or any(b <= a for a, b in pairwise(self.times)):
            raise ConfigurationError(
                f"{len(self.times)} times, {len(self.frames)} frames", where="Trajectory", remedy="give one time per frame, in increasing order"
            )
        kinds = {(f.dimension, f.scalars.shape[1], f.batch_size) for f in self.frames}
        if len(kinds) > 1 or self.frames[0].batch_size != 1 or min(len(f) for f in self.frames) == 0:
            raise ShapeError(
                f"frames of (dimension, channels, samples) {sorted(kinds)}", where="Trajectory", remedy="one sample with points per frame, all alike"
            )
        bad = [k for k, f in enumerate(self.frames) if not (torch.isfinite(f.scalars).all() and torch.isfinite(f.pos).all())]
        if bad:
            raise NonFiniteError(f"frames {bad} hold NaN or infinite numbers", where="Trajectory", remedy="leave these frames or points out")
