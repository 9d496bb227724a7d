"""Training of forecasts whose latents obey an ordinary differential equation: first the field alone, then the equation with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.pointset import PointSet
from ..models.enf_forecast import EnfForecast
from ..models.trajectory import Trajectory
from .loop import Loop, LoopSettings


@dataclass(frozen=True)
class ForecastSettings(LoopSettings):
    """How a forecast is trained; a sample is a trajectory, in the first part a single frame; the inner steps get as many other ``points``.

    Attributes:
        field_share: of the budget that fits the field to single frames only, before the equation joins; 0 <= share < 1.
        frames: later frames that one step compares, drawn from those within the horizon; the initial frame is compared too.
        horizon: later frames up to which a forecast is trained; None for all.
        any_start: whether any frame may be the initial one, which an autonomous equation allows, or the first alone, as published.

    Raises:
        ConfigurationError: no budget or several, sizes out of range.
    """

    points: int = 128
    rate: float = 4e-3
    muon_rate: float = 2e-2
    field_share: float = 0.25
    frames: int = 3
    horizon: int | None = None
    any_start: bool = True

    def __post_init__(self) -> None:
        sizes = (self.frames, 1 if self.horizon is None else self.horizon)
        if not self.sound() or min(sizes) <= 0 or not 0 <= self.field_share < 1:
            raise ConfigurationError(
                f"{self}",
                where="ForecastSettings",
                remedy="exactly one positive budget, e.g. cpu_minutes=6, positive sizes, and a field_share in [0, 1)",
            )


def fit_forecast(
    model: EnfForecast,
    trajectories: Sequence[Trajectory],
    settings: ForecastSettings,
    *,
    state: Path | None = None,
    progress: bool = True,
) -> list[tuple[float, float]]:
    """Train a forecast, in place. Ends with an average of the weights.

    Args:
        model: new, or the one whose training was interrupted.
        trajectories: for training; every frame with points of its own.
        settings: budget, rates, draws.
        state: file from which an interrupted training goes on, and where it keeps itself; None keeps nothing. With a budget in steps the result is that
            of the uninterrupted training bit by bit.
        progress: show a bar.

    Returns:
        (share of the budget, mean squared error in units of the variance) of every twentieth step.

    Raises:
        ConfigurationError: no trajectory, or a single frame in each.
        NonFiniteError: the loss became NaN or infinite.
        CheckpointError: the state on disk is damaged, of another model or of other settings.
    """
    if not any(len(t.frames) > 1 for t in trajectories):
        raise ConfigurationError("no trajectory of two frames", where="fit_forecast", remedy="give trajectories with at least one later frame")
    model.fit_frames(trajectories)
    return _Forecasts(model, [t for t in trajectories if len(t.frames) > 1], settings).run(state, progress=progress)


class _Forecasts(Loop):
    """The field alone, then the equation with it."""

    words = "forecast"

    def __init__(self, model: EnfForecast, trajectories: Sequence[Trajectory], settings: ForecastSettings) -> None:
        super().__init__(model, settings, ("head", "rate", "drift"))
        self.forecast, self.trajectories, self.how = model, trajectories, settings
        self.starts: dict[tuple[int, int], PointSet] = {}

    def loss(self, draw: torch.Generator) -> Tensor:
        return self._field_loss(draw) if self.progress < self.how.field_share else self._forecast_loss(draw)

    def identity(self) -> dict[str, Any]:
        return {"arguments": self.forecast.arguments, "trajectories": len(self.trajectories)}

    def _field_loss(self, draw: torch.Generator) -> Tensor:
        """Single frames, at other points than those the latents were fitted to where the frame has enough."""
        seen, asked, starts = [], [], []
        for _ in range(self.settings.batch):
            i = _number(len(self.trajectories), draw)
            k = _number(len(self.trajectories[i].frames), draw)
            given, other = self._halves(self.trajectories[i].frames[k], draw)
            seen.append(given)
            asked.append(other)
            starts.append(self._start(i, k))
        latents = self.forecast.encode(PointSet.concatenate(seen), PointSet.concatenate(starts))
        return self._error(latents, PointSet.concatenate(asked))

    def _forecast_loss(self, draw: torch.Generator) -> Tensor:
        """The initial frame and some later ones; the forecast sees the initial one alone."""
        s, seen, asked, leads, starts = self.how, [], [], [], []
        for _ in range(s.batch):
            i = _number(len(self.trajectories), draw)
            t = self.trajectories[i]
            first = _number(len(t.frames) - 1, draw) if s.any_start else 0
            last = len(t.frames) - 1 if s.horizon is None else min(first + s.horizon, len(t.frames) - 1)
            chosen = first + 1 + torch.randint(last - first, (s.frames,), generator=draw).sort().values
            given, other = self._halves(t.frames[first], draw)
            seen.append(given)
            starts.append(self._start(i, first))
            asked.append([other, *(_drawn(t.frames[k], s.points, draw) for k in chosen.tolist())])
            leads.append([t.times[k] - t.times[first] for k in chosen.tolist()])
        latents = self.forecast.encode(PointSet.concatenate(seen), PointSet.concatenate(starts))
        later = self.forecast.trace(latents, torch.tensor(leads, dtype=torch.float64))
        frames = PointSet.concatenate([sample[k] for k in range(s.frames + 1) for sample in asked])
        return self._error(PointSet.concatenate([latents, *later]), frames)

    def _start(self, trajectory: int, frame: int) -> PointSet:
        """Start poses of a whole frame, once: from the few points of a step the field's centre and axes would shake."""
        key = (trajectory, frame)
        if key not in self.starts:
            self.starts[key] = self.forecast.poses(self.trajectories[trajectory].frames[frame])
        return self.starts[key]

    def _error(self, latents: PointSet, frames: PointSet) -> Tensor:
        """Mean squared error in units of the variance; every frame counts alike, its points by their weights."""
        target = (frames.scalars - self.forecast.mean) / self.forecast.scale
        squared = (self.forecast.unscaled(latents, frames) - target).square().mean(dim=1)
        total = frames.weight.new_zeros(frames.batch_size).index_add(0, frames.batch, frames.weight)
        return (squared * frames.weight / total[frames.batch]).sum() / frames.batch_size

    def _halves(self, frame: PointSet, draw: torch.Generator) -> tuple[PointSet, PointSet]:
        """Points to fit to, and others to compare at; the same ones as far as the frame has too few."""
        order, count = torch.randperm(len(frame), generator=draw), self.settings.points
        return frame.take(order[:count]), frame.take(order[-count:])


def _number(count: int, draw: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=draw))


def _drawn(frame: PointSet, count: int, draw: torch.Generator) -> PointSet:
    return frame.take(torch.randperm(len(frame), generator=draw)[:count])
