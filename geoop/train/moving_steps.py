"""Training of a time stepper on two meshes: one step ahead, mean square error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigurationError, ShapeError
from ..models.moving_mesh_stepper import MovingMeshStepper, TwoMeshes
from .loop import Loop, LoopSettings


@dataclass(frozen=True, eq=False)
class StepSample:
    """A state and the next one.

    Attributes:
        before, after: (n, channels) at the points of the original mesh.
        conditions: (k,) global numbers.
        meshes: the original mesh and the one moved for the state before.
        known: (m, channels) the state before at the moved points, where it is known there; None: the model interpolates.
        judged: (n,) >= 0 weight of every original point in the error; None: all alike.
    """

    before: Tensor
    after: Tensor
    conditions: Tensor
    meshes: TwoMeshes
    known: Tensor | None = None
    judged: Tensor | None = None

    def mean_square(self, error: Tensor) -> Tensor:
        """Of (n, channels) errors at the original points, each with its weight."""
        squares = error.square().mean(dim=1)
        return squares.mean() if self.judged is None else (self.judged * squares).sum() / self.judged.sum()


@dataclass(frozen=True)
class PairSettings(LoopSettings):
    """How a stepper is trained; a sample is a state and the next one, with all of its points."""

    batch: int = 2

    def __post_init__(self) -> None:
        if not self.sound():
            raise ConfigurationError(f"{self}", where="PairSettings", remedy="exactly one positive budget, e.g. cpu_minutes=3, and positive sizes")


def fit_pairs(
    model: MovingMeshStepper, samples: Sequence[StepSample], settings: PairSettings, *, state: Path | None = None, progress: bool = True
) -> list[tuple[float, float]]:
    """Train a stepper, in place, on the mean square of its error over the mean square of the changes. Ends with an average of the weights.

    Args:
        model: that is trained.
        samples: pairs of states; their magnitude should be of order one.
        settings: budget and rates.
        state: file from which an interrupted training goes on, and where it keeps itself; None keeps nothing.
        progress: show a bar.

    Returns:
        (share of the budget, loss) of every twentieth step.

    Raises:
        ShapeError: no samples, states that never change or are not finite, or states at the moved points for some of them only.
        NonFiniteError: the loss became NaN or infinite.
        CheckpointError: the state on disk is damaged, of another model or of other settings.
    """
    change = sum(float(s.mean_square(s.after - s.before)) for s in samples) / max(len(samples), 1)
    if not change > 0 or len({s.known is None for s in samples}) > 1:
        raise ShapeError(
            f"{len(samples)} samples with a mean square change of {change}, {sum(s.known is not None for s in samples)} with states at moved points",
            where="fit_pairs",
            remedy="give pairs of finite states that differ, with states at moved points for all of them or for none",
        )
    return _Stepping(model, samples, change, settings).run(state, progress=progress)


def one_step_error(model: MovingMeshStepper, samples: Sequence[StepSample]) -> float:
    """Mean square error of one step over all samples.

    Raises:
        ShapeError: no samples.
    """
    if not samples:
        raise ShapeError("no samples", where="one_step_error", remedy="give pairs of states")
    with torch.no_grad():
        errors = [float(s.mean_square(model(s.before, s.conditions[None], s.meshes, s.known) - s.after)) for s in samples]
    return sum(errors) / len(errors)


class _Stepping(Loop):
    words = "stepper"

    def __init__(self, model: MovingMeshStepper, samples: Sequence[StepSample], change: float, settings: PairSettings) -> None:
        super().__init__(model, settings, ("lift", "lower", "there", "back", "embed", "gate"))
        self.stepper, self.samples, self.change = model, samples, change

    def identity(self) -> dict[str, Any]:
        return {"model": self.stepper.arguments, "samples": len(self.samples)}

    def loss(self, draw: torch.Generator) -> Tensor:
        drawn = [self.samples[int(k)] for k in torch.randint(len(self.samples), (self.settings.batch,), generator=draw)]
        meshes = TwoMeshes.concatenate([s.meshes for s in drawn])
        before = torch.cat([s.before for s in drawn])
        known = None if drawn[0].known is None else torch.cat([s.known for s in drawn if s.known is not None])
        found = self.stepper(before, torch.stack([s.conditions for s in drawn]), meshes, known)
        parts = found.split([len(s.before) for s in drawn])
        errors = [s.mean_square(part - s.after) for s, part in zip(drawn, parts, strict=True)]
        return torch.stack(errors).mean() / self.change
