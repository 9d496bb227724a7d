"""Training of fields that represent shapes: the first stage of a model whose latents stand for a geometry."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, ConfigurationError, NonFiniteError
from ..io.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from ..models.shape_field import PreparedShape, ShapeField
from .muon import MuonAdamW
from .progress import Budget, tracked
from .task import Schedule

if TYPE_CHECKING:
    from ..models.model import ShapeStage
    from .fit import FitSettings


#: The state of the first stage in the folder of a run.
SHAPES = "shapes.safetensors"


@dataclass(frozen=True)
class ShapeSettings:
    """How a field learns to represent shapes.

    Attributes:
        steps, minutes, cpu_minutes: the budget, one of them.
        batch: shapes per step.
        points: samples of each shape and step, drawn anew; as many again for the steps of a meta-learned encoder.
        rate, muon_rate: peak rates, see :class:`~geoop.train.task.Schedule`.
        near: distance, in the standard deviation of the distances, below which errors count fully; beyond they count less, as near/|d|.
        keep_every: seconds between states on disk.
        seed: of the order of shapes and the draws.
    """

    steps: int | None = None
    minutes: float | None = None
    cpu_minutes: float | None = None
    batch: int = 8
    points: int = 512
    rate: float = 2e-3
    muon_rate: float = 1.5e-2
    near: float = 0.2
    keep_every: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        given = [value for value in (self.steps, self.minutes, self.cpu_minutes) if value is not None]
        if len(given) != 1 or min(*given, self.batch, self.points, self.rate, self.muon_rate, self.near) <= 0:
            raise ConfigurationError(f"{self}", where="ShapeSettings", remedy="exactly one positive budget, e.g. cpu_minutes=6, and positive sizes")


def fit_shapes(
    field: ShapeField,
    shapes: Sequence[PreparedShape],
    settings: ShapeSettings,
    *,
    state: Path | None = None,
    progress: bool = True,
) -> list[tuple[float, float]]:
    """Train a field, in place, so that few numbers per shape give its signed distance. Ends with an average of the weights.

    Args:
        field: with any of its encoders.
        shapes: prepared training shapes, with samples.
        settings: budget and rates.
        state: file from which an interrupted training goes on, and where it keeps itself; None keeps nothing.
        progress: show a bar.

    Returns:
        (share of the budget, loss) of every twentieth step.

    Raises:
        NonFiniteError: the loss became NaN or infinite.
        CheckpointError: the state on disk is damaged or of another field.
    """
    field.fit_shapes(shapes)
    run = _Run(field, shapes, settings)
    if state is not None and state.exists():
        run.restore(read_checkpoint(state), state)
    kept = time.monotonic()
    with Budget("shapes", progress) as bar:
        while run.progress < 1.0:
            run.step()
            bar.update(run.progress, f"loss {run.history[-1][1]:.2e}")
            if state is not None and time.monotonic() - kept > settings.keep_every:
                write_checkpoint(state, run.state())
                kept = time.monotonic()
    field.load_state_dict(run.average.state_dict())
    if state is not None:
        write_checkpoint(state, run.state())
    return run.history


def first_stage(
    stage: ShapeStage | None, geometries: dict[str, list[Any]], settings: FitSettings, state: Path, progress: bool
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Train the field of the shapes of a model of two stages, freeze it, and prepare all geometries anew.

    Args:
        stage: of the model; None for a model of one stage, or one that goes on from trained weights: nothing is done.
        geometries: prepared, under ``train`` and others.
        settings: of the whole training; ``shape_share`` of its budget is spent here.
        state: file from which an interrupted stage goes on.
        progress: show a bar.

    Returns:
        the geometries as the second stage needs them, and what the stage came to, for people.
    """
    if stage is None:
        return geometries, {}
    share, shapes = settings.shape_share, [stage.shape_of(item) for item in geometries["train"]]
    if settings.epochs is not None:
        budget: dict[str, Any] = {"steps": max(1, math.ceil(share * settings.epochs * len(shapes) / settings.batch))}
    else:
        name = "minutes" if settings.minutes is not None else "cpu_minutes"
        budget = {name: share * getattr(settings, name)}
    how = ShapeSettings(**budget, batch=settings.batch, rate=settings.rate, muon_rate=settings.muon_rate, seed=settings.seed)
    history = fit_shapes(stage.field_of_shapes, shapes, how, state=state, progress=progress)
    stage.settle(geometries["train"])
    fresh = {part: [stage.refreshed(item) for item in tracked(items, f"contexts, {part}", progress)] for part, items in geometries.items()}
    return fresh, {**budget, "loss": history[-1][1] if history else None}


class _Run:
    """A training: weights, their average, the table of contexts where there is one, the optimiser, the clock."""

    def __init__(self, field: ShapeField, shapes: Sequence[PreparedShape], settings: ShapeSettings) -> None:
        self.field, self.shapes, self.settings = field, shapes, settings
        self.average = copy.deepcopy(field).requires_grad_(False)
        self.table = None
        if field.tabled:
            self.table = nn.Parameter(torch.zeros(len(shapes), field.count, field.encoder.context))
        self.schedule = Schedule(settings.steps, settings.minutes, settings.cpu_minutes, settings.rate, settings.muon_rate)
        self.optimizer = MuonAdamW(_Trained(field, self.table), settings.rate, settings.muon_rate, 0.0, exclude=("head", "table", "rate"))
        self.number, self.elapsed, self.clock = 0, 0.0, self._now()
        self.history: list[tuple[float, float]] = []

    @property
    def progress(self) -> float:
        s = self.settings
        return self.number / s.steps if s.steps is not None else self.elapsed / (60.0 * (s.minutes or s.cpu_minutes or 1.0))

    def step(self) -> None:
        s, draw = self.settings, torch.Generator().manual_seed(hash((self.settings.seed, self.number)) % 2**63)
        chosen = torch.randperm(len(self.shapes), generator=draw)[: s.batch].tolist()
        batch = PreparedShape.concatenate([self.shapes[i] for i in chosen])
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * self.schedule.factor(self.progress)
        self.optimizer.zero_grad()
        loss = self.loss(batch, chosen, draw)
        if not torch.isfinite(loss):
            raise NonFiniteError(f"the loss is {float(loss)} at step {self.number}", where="fit_shapes", remedy="lower rate and muon_rate")
        loss.backward()
        nn.utils.clip_grad_norm_(self.field.parameters(), 1.0)
        self.optimizer.step()
        decay = min(self.schedule.averaging, (1.0 + self.number) / (10.0 + self.number))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.field.parameters()), 1.0 - decay)
        if self.number % 20 == 0:
            self.history.append((self.progress, float(loss.detach())))
        now = self._now()
        self.elapsed, self.clock, self.number = self.elapsed + now - self.clock, now, self.number + 1

    def loss(self, batch: PreparedShape, chosen: list[int], draw: torch.Generator) -> Tensor:
        """Mean square of the error over the scale, at other samples than those the contexts were fitted to."""
        s, field = self.settings, self.field
        asked = batch.observed.drawn(s.points, draw).samples
        assert asked is not None
        if self.table is not None:
            latents = field.posed(batch).with_features(scalars=self.table[chosen].flatten(0, 1))
        else:
            seen = batch.observed.drawn(s.points, draw) if field.encoder.needs_samples else batch.observed
            latents = field.encode(PreparedShape(batch.poses, seen))
        target = asked.scalars / field.scale
        weight = s.near / (target.abs() + s.near)
        error = (field.unscaled(latents, asked) - target) * weight
        penalty = 1e-6 * latents.scalars.square().mean() if self.table is not None else 0.0
        return error.square().mean() + penalty

    def state(self) -> Checkpoint:
        arrays: dict[str, Tensor] = {f"field.{k}": v for k, v in self.field.state_dict().items()}
        arrays |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        if self.table is not None:
            arrays["table.contexts"] = self.table.detach()
        moments = self.optimizer.state_dict()["state"]
        arrays |= {f"moments.{i}.{k}": v for i, row in moments.items() for k, v in row.items() if isinstance(v, Tensor)}
        plain = {str(i): {k: v for k, v in row.items() if not isinstance(v, Tensor)} for i, row in moments.items()}
        header: dict[str, Any] = {"number": self.number, "elapsed": self.elapsed, "moments": plain, "history": self.history}
        return Checkpoint(header, {k: v.contiguous().clone() for k, v in arrays.items()})

    def restore(self, found: Checkpoint, path: Path) -> None:
        try:
            self.field.load_state_dict(found.part("field"))
            self.average.load_state_dict(found.part("average"))
            if self.table is not None:
                self.table.data.copy_(found.part("table")["contexts"])
        except (RuntimeError, KeyError) as error:  # torch's own words name every tensor of both
            raise CheckpointError(
                "the state on disk is that of another field or of other shapes", where=str(path), remedy="delete the file, or train in another folder"
            ) from error
        state: dict[int, dict[str, Any]] = {int(i): dict(row) for i, row in found.header["moments"].items()}
        for key, value in found.part("moments").items():
            number, name = key.split(".", 1)
            state.setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.number, self.elapsed = int(found.header["number"]), float(found.header["elapsed"])
        self.history = [(float(a), float(b)) for a, b in found.header["history"]]
        self.clock = self._now()

    def _now(self) -> float:
        return time.process_time() if self.settings.cpu_minutes is not None else time.perf_counter()


class _Trained(nn.Module):
    """What the optimiser sees."""

    def __init__(self, field: ShapeField, table: nn.Parameter | None) -> None:
        super().__init__()
        self.field = field
        self.table = table
