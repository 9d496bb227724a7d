"""Training of forecasts whose latents obey an ordinary differential equation: first the field alone, then the equation with it."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, ConfigurationError, NonFiniteError
from ..graph.pointset import PointSet
from ..io.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from ..models.enf_forecast import EnfForecast
from ..models.trajectory import Trajectory
from .muon import MuonAdamW
from .progress import Budget
from .task import Schedule


@dataclass(frozen=True)
class ForecastSettings:
    """How a forecast is trained.

    Attributes:
        steps, minutes, cpu_minutes: the budget, one of them.
        field_share: of the budget that fits the field to single frames only, before the equation joins; 0 <= share < 1.
        batch: trajectories per step; in the first part as many single frames.
        points: of every frame and step, drawn anew; the inner steps get as many others.
        frames: later frames that one step compares, drawn from those within the horizon; the initial frame is compared too.
        horizon: later frames up to which a forecast is trained; None for all.
        any_start: whether any frame may be the initial one, which an autonomous equation allows, or the first alone, as published.
        rate, muon_rate: peak rates, see :class:`~geoop.train.task.Schedule`.
        keep_every: seconds between states on disk.
        seed: of all draws.

    Raises:
        ConfigurationError: no budget or several, sizes out of range.
    """

    steps: int | None = None
    minutes: float | None = None
    cpu_minutes: float | None = None
    field_share: float = 0.25
    batch: int = 8
    points: int = 128
    frames: int = 3
    horizon: int | None = None
    any_start: bool = True
    rate: float = 4e-3
    muon_rate: float = 2e-2
    keep_every: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        given = [value for value in (self.steps, self.minutes, self.cpu_minutes) if value is not None]
        sizes = (self.batch, self.points, self.frames, self.rate, self.muon_rate, 1 if self.horizon is None else self.horizon)
        if len(given) != 1 or min(*given, *sizes) <= 0 or not 0 <= self.field_share < 1:
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
    run = _Run(model, [t for t in trajectories if len(t.frames) > 1], settings)
    if state is not None and state.exists():
        run.restore(read_checkpoint(state), state)
    kept = time.monotonic()
    with Budget("forecast", progress) as bar:
        while run.progress < 1.0:
            run.step()
            if state is not None and time.monotonic() - kept >= settings.keep_every:
                write_checkpoint(state, run.state())
                kept = time.monotonic()
            bar.update(run.progress, f"loss {run.last:.2e}")
    if state is not None:
        write_checkpoint(state, run.state())
    model.load_state_dict(run.average.state_dict())
    return run.history


class _Run:
    """A training: weights, their average, the optimiser, the clock."""

    def __init__(self, model: EnfForecast, trajectories: Sequence[Trajectory], settings: ForecastSettings) -> None:
        self.model, self.trajectories, self.settings = model, trajectories, settings
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.schedule = Schedule(settings.steps, settings.minutes, settings.cpu_minutes, settings.rate, settings.muon_rate)
        self.optimizer = MuonAdamW(model, settings.rate, settings.muon_rate, 0.0, exclude=("head", "rate", "drift"))
        self.number, self.elapsed, self.clock, self.last = 0, 0.0, self._now(), float("nan")
        self.history: list[tuple[float, float]] = []
        self.starts: dict[tuple[int, int], PointSet] = {}

    @property
    def progress(self) -> float:
        s = self.settings
        return self.number / s.steps if s.steps is not None else self.elapsed / (60.0 * (s.minutes or s.cpu_minutes or 1.0))

    def step(self) -> None:
        s = self.settings
        # every step draws from a generator of its own, so that a resumed training draws what the uninterrupted one would have
        draw = torch.Generator().manual_seed((s.seed * 1_000_003 + self.number) % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * self.schedule.factor(self.progress)
        self.optimizer.zero_grad()
        loss = self._field_loss(draw) if self.progress < s.field_share else self._forecast_loss(draw)
        self.last = float(loss.detach())
        if not torch.isfinite(loss):
            raise NonFiniteError(f"the loss is {self.last} at step {self.number}", where="fit_forecast", remedy="lower rate and muon_rate")
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        decay = min(self.schedule.averaging, (1.0 + self.number) / (10.0 + self.number))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay)
        if self.number % 20 == 0:
            self.history.append((self.progress, self.last))
        now = self._now()
        self.elapsed, self.clock, self.number = self.elapsed + now - self.clock, now, self.number + 1

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
        latents = self.model.encode(PointSet.concatenate(seen), PointSet.concatenate(starts))
        return self._error(latents, PointSet.concatenate(asked))

    def _forecast_loss(self, draw: torch.Generator) -> Tensor:
        """The initial frame and some later ones; the forecast sees the initial one alone."""
        s, seen, asked, leads, starts = self.settings, [], [], [], []
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
        latents = self.model.encode(PointSet.concatenate(seen), PointSet.concatenate(starts))
        later = self.model.trace(latents, torch.tensor(leads, dtype=torch.float64))
        frames = PointSet.concatenate([sample[k] for k in range(s.frames + 1) for sample in asked])
        return self._error(PointSet.concatenate([latents, *later]), frames)

    def _start(self, trajectory: int, frame: int) -> PointSet:
        """Start poses of a whole frame, once: from the few points of a step the field's centre and axes would shake."""
        key = (trajectory, frame)
        if key not in self.starts:
            self.starts[key] = self.model.poses(self.trajectories[trajectory].frames[frame])
        return self.starts[key]

    def _error(self, latents: PointSet, frames: PointSet) -> Tensor:
        """Mean squared error in units of the variance; every frame counts alike, its points by their weights."""
        target = (frames.scalars - self.model.mean) / self.model.scale
        squared = (self.model.unscaled(latents, frames) - target).square().mean(dim=1)
        total = frames.weight.new_zeros(frames.batch_size).index_add(0, frames.batch, frames.weight)
        return (squared * frames.weight / total[frames.batch]).sum() / frames.batch_size

    def _halves(self, frame: PointSet, draw: torch.Generator) -> tuple[PointSet, PointSet]:
        """Points to fit to, and others to compare at; the same ones as far as the frame has too few."""
        order, count = torch.randperm(len(frame), generator=draw), self.settings.points
        return frame.take(order[:count]), frame.take(order[-count:])

    def state(self) -> Checkpoint:
        arrays: dict[str, Tensor] = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        arrays |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        moments = self.optimizer.state_dict()["state"]
        arrays |= {f"moments.{i}.{k}": v for i, row in moments.items() for k, v in row.items() if isinstance(v, Tensor)}
        plain = {str(i): {k: v for k, v in row.items() if not isinstance(v, Tensor)} for i, row in moments.items()}
        header: dict[str, Any] = {"number": self.number, "elapsed": self.elapsed, "moments": plain, "history": self.history}
        return Checkpoint(header | self._identity(), {k: v.contiguous().clone() for k, v in arrays.items()})

    def restore(self, found: Checkpoint, path: Path) -> None:
        """Go on from a state.

        Raises:
            CheckpointError: it belongs to another model or to other settings.
        """
        for key, own in self._identity().items():
            if found.header.get(key) != own:
                raise CheckpointError(
                    f"it is a training with {key} {found.header.get(key)}, not {own}",
                    where=str(path),
                    remedy="give the settings and sizes it was begun with, or another file",
                )
        self.model.load_state_dict(found.part("model"))
        self.average.load_state_dict(found.part("average"))
        state: dict[int, dict[str, Any]] = {int(i): dict(row) for i, row in found.header["moments"].items()}
        for key, value in found.part("moments").items():
            number, name = key.split(".", 1)
            state.setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.number, self.elapsed = int(found.header["number"]), float(found.header["elapsed"])
        self.history = [(float(a), float(b)) for a, b in found.header["history"]]
        self.clock = self._now()

    def _identity(self) -> dict[str, Any]:
        """What a state must agree with: the model's sizes, the settings but for how often they are kept, and the number of trajectories."""
        settings = {k: v for k, v in asdict(self.settings).items() if k != "keep_every"}
        return {"arguments": self.model.arguments, "settings": settings, "trajectories": len(self.trajectories)}

    def _now(self) -> float:
        return time.process_time() if self.settings.cpu_minutes is not None else time.perf_counter()


def _number(count: int, draw: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=draw))


def _drawn(frame: PointSet, count: int, draw: torch.Generator) -> PointSet:
    return frame.take(torch.randperm(len(frame), generator=draw)[:count])
