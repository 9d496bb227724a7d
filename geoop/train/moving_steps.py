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
    """

    before: Tensor
    after: Tensor
    conditions: Tensor
    meshes: TwoMeshes


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
        ShapeError: no samples, or states that never change.
        NonFiniteError: the loss became NaN or infinite.
        CheckpointError: the state on disk is damaged, of another model or of other settings.
    """
    change = sum(float((s.after - s.before).square().mean()) for s in samples) / max(len(samples), 1)
    if not change > 0:
        raise ShapeError(f"{len(samples)} samples, nothing changes in them", where="fit_stepper", remedy="give pairs of states that differ")
    return _Stepping(model, samples, change, settings).run(state, progress=progress)


def one_step_error(model: MovingMeshStepper, samples: Sequence[StepSample]) -> float:
    """Mean square error of one step over all samples."""
    with torch.no_grad():
        errors = [float((model(s.before, s.conditions[None], s.meshes) - s.after).square().mean()) for s in samples]
    return sum(errors) / len(errors)


class _Stepping(Loop):
    words = "stepper"

    def __init__(self, model: MovingMeshStepper, samples: Sequence[StepSample], change: float, settings: PairSettings) -> None:
        super().__init__(model, settings, ("lift", "lower", "there", "back", "embed"))
        self.stepper, self.samples, self.change = model, samples, change

    def identity(self) -> dict[str, Any]:
        return {"model": self.stepper.arguments, "samples": len(self.samples)}

    def loss(self, draw: torch.Generator) -> Tensor:
        drawn = [self.samples[int(k)] for k in torch.randint(len(self.samples), (self.settings.batch,), generator=draw)]
        meshes = TwoMeshes.concatenate([s.meshes for s in drawn])
        before, after = (torch.cat([getattr(s, name) for s in drawn]) for name in ("before", "after"))
        found = self.stepper(before, torch.stack([s.conditions for s in drawn]), meshes)
        return (found - after).square().mean() / self.change
