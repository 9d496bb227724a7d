"""The Lightning module: a model, an objective, a schedule, and an average of the weights."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import lightning as L
import torch
from torch import Tensor

from ..errors import NonFiniteError
from ..models.model import AbstractModel
from .batches import from_batch
from .muon import MuonAdamW
from .objectives import Supervised
from .samples import Sample

if TYPE_CHECKING:
    from torch_geometric.loader import DataLoader


@dataclass(frozen=True)
class Schedule:
    """How long to train and how fast.

    Attributes:
        epochs: number of passes over the training cases; exclusive with the other two.
        minutes: wall-clock budget; the rate falls with the time used, so the run ends fully annealed whatever the machine.
        cpu_minutes: the same in computing time of the process, summed over its threads.
        rate: peak rate of AdamW.
        muon_rate: peak rate of Muon on hidden matrices.
        warm_up: share of the run in which the rate rises.
        averaging: decay per step of the exponential moving average that is validated and saved.
        weight_decay: decoupled.
    """

    epochs: int | None = None
    minutes: float | None = None
    cpu_minutes: float | None = None
    rate: float = 2e-3
    muon_rate: float = 1.5e-2
    warm_up: float = 0.03
    averaging: float = 0.998
    weight_decay: float = 0.0

    def factor(self, progress: float) -> float:
        """Linear warm-up, then cosine to zero."""
        return 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0))) * min(1.0, max(progress, 1e-3) / self.warm_up if self.warm_up else 1.0)


class FieldTask(L.LightningModule):
    """Training of one model on samples whose geometry is prepared once.

    Args:
        model: what is trained.
        prepared: what the model prepared of every geometry, under ``train`` and ``validation``; batches name cases by number.
        samples: the cases themselves, under the same names.
        objective: what is minimised.
        schedule: budget and rates.
        epoch_loader: number of an epoch -> its batches of ``train``.
        seed: of what a model draws in a step, such as masks.
    """

    def __init__(
        self,
        model: AbstractModel,
        prepared: dict[str, list[Any]],
        samples: dict[str, list[Sample]],
        objective: Supervised,
        schedule: Schedule,
        epoch_loader: Callable[[int], DataLoader],
        seed: int = 0,
    ) -> None:
        super().__init__()
        self._epoch_loader = epoch_loader
        self.model = model
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.objective, self.schedule, self.seed = objective, schedule, seed
        self.prepared, self.samples = prepared, samples
        self.elapsed = 0.0
        self.steps_per_epoch = 1
        self._clock = 0.0

    @property
    def progress(self) -> float:
        """0..1 of the budget."""
        minutes = self.schedule.minutes or self.schedule.cpu_minutes
        if minutes is not None:
            return self.elapsed / (60.0 * minutes)
        return self.global_step / max((self.schedule.epochs or 1) * self.steps_per_epoch, 1)

    def train_dataloader(self) -> DataLoader:
        """Batches of the current epoch; the trainer asks again in every epoch."""
        return self._epoch_loader(self.current_epoch)

    def configure_optimizers(self) -> MuonAdamW:
        s = self.schedule
        return MuonAdamW(self.model, s.rate, s.muon_rate, s.weight_decay, exclude=("head", "product", "bias."))

    def on_train_start(self) -> None:
        self.steps_per_epoch = int(self.trainer.num_training_batches)
        self._clock = self._now()

    def _now(self) -> float:
        return time.process_time() if self.schedule.cpu_minutes is not None else time.perf_counter()

    def on_train_batch_start(self, batch, batch_idx: int) -> None:
        now = self._now()
        self.elapsed += now - self._clock
        self._clock = now
        if self.trainer.world_size > 1:  # all processes must agree on when the budget ends
            self.elapsed = self.trainer.strategy.broadcast(self.elapsed)
        for group in self.optimizers().param_groups:
            group["lr"] = group["peak_lr"] * self.schedule.factor(self.progress)

    def training_step(self, batch, batch_idx: int) -> Tensor:
        # a resumed run draws in a step what the uninterrupted one would have drawn
        torch.manual_seed(hash((self.seed, self.global_step, self.global_rank)) % 2**63)
        batch = from_batch(batch, self.samples["train"])
        prepared = self.model.concatenate([self.prepared["train"][i] for i in batch.cases.tolist()]).to(self.device)
        loss = self.objective.loss(self.model, prepared, batch)
        if not torch.isfinite(loss):
            raise NonFiniteError(
                f"the loss is {float(loss.detach())} at step {self.global_step}",
                where=f"cases {batch.cases.tolist()}",
                remedy="lower Schedule.rate and muon_rate, or check these cases with `geoop inspect`; resume from last.ckpt",
            )
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.cases))
        return loss

    def on_train_batch_end(self, outputs, batch, batch_idx: int) -> None:
        decay = min(self.schedule.averaging, (1.0 + self.global_step) / (10.0 + self.global_step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay)
        if self.progress >= 1.0 and self.schedule.epochs is None:
            self.trainer.should_stop = True

    def validation_step(self, batch, batch_idx: int) -> None:
        batch = from_batch(batch, self.samples["validation"])
        prepared = self.average.concatenate([self.prepared["validation"][i] for i in batch.cases.tolist()]).to(self.device)
        prediction = self.average(prepared, batch.inputs, batch.queries)
        errors = self.objective.errors(prediction, batch).mean(dim=(0, 2))
        count = len(batch.cases)
        self.log("val_field", errors[0], batch_size=count, sync_dist=True)
        self.log("val_wall", errors[1], batch_size=count, sync_dist=True)
        self.log("val_loss", errors[0] + self.objective.wall * errors[1], batch_size=count, sync_dist=True)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["elapsed"] = self.elapsed

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.elapsed = checkpoint["elapsed"]
