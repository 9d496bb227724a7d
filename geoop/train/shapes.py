"""Training of fields that represent shapes: the first stage of a model whose latents stand for a geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..models.shape_field import PreparedShape, ShapeField
from .loop import Loop, LoopSettings
from .progress import tracked

if TYPE_CHECKING:
    from ..models.model import ShapeStage
    from .settings import FitSettings

#: The state of the first stage in the folder of a run.
SHAPES = "shapes.safetensors"


@dataclass(frozen=True)
class ShapeSettings(LoopSettings):
    """How a field learns to represent shapes; a sample is a shape, and ``points`` as many again for the steps of a meta-learned encoder.

    Attributes:
        near: distance, in the standard deviation of the distances, below which errors count fully; beyond they count less, as near/|d|.
    """

    near: float = 0.2

    def __post_init__(self) -> None:
        if not self.sound() or self.near <= 0:
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
        CheckpointError: the state on disk is damaged, of another field or of other settings.
    """
    field.fit_shapes(shapes)
    return _Shapes(field, shapes, settings).run(state, progress=progress)


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


class _Shapes(Loop):
    """With a table of the contexts of all shapes where these are trained together with the field."""

    words = "shapes"

    def __init__(self, field: ShapeField, shapes: Sequence[PreparedShape], settings: ShapeSettings) -> None:
        table = nn.Parameter(torch.zeros(len(shapes), field.count, field.encoder.context)) if field.tabled else None
        super().__init__(field, settings, ("head", "rate"), table)
        self.field, self.shapes, self.near = field, shapes, settings.near

    def loss(self, draw: torch.Generator) -> Tensor:
        """Mean square of the error over the scale, at other samples than those the contexts were fitted to."""
        s, field = self.settings, self.field
        chosen = torch.randperm(len(self.shapes), generator=draw)[: s.batch].tolist()
        batch = PreparedShape.concatenate([self.shapes[i] for i in chosen])
        asked = batch.observed.drawn(s.points, draw).samples
        assert asked is not None
        if self.extra is not None:
            latents = field.posed(batch).with_features(scalars=self.extra[chosen].flatten(0, 1))
        else:
            seen = batch.observed.drawn(s.points, draw) if field.encoder.needs_samples else batch.observed
            latents = field.encode(PreparedShape(batch.poses, seen))
        target = asked.scalars / field.scale
        error = (field.unscaled(latents, asked) - target) * self.near / (target.abs() + self.near)
        penalty = 1e-6 * latents.scalars.square().mean() if self.extra is not None else 0.0
        return error.square().mean() + penalty

    def identity(self) -> dict[str, Any]:
        return {"arguments": self.field.arguments, "shapes": len(self.shapes)}
