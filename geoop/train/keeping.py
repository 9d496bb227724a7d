"""What a run keeps on disk: a resumable state, the best and the last surrogate, all written atomically."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback

from ..errors import CheckpointError
from ..io.atomic import replacing
from ..models.model import AbstractModel

STATE = "last.ckpt"


class AtomicState(TorchCheckpointIO):
    """Lightning's resumable state, written beside and renamed: a kill in the middle leaves the previous state whole."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with replacing(Path(path)) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Plain tensors and numbers only: no code in the file is run.

        Raises:
            CheckpointError: truncated, or holding anything else.
        """
        try:
            return torch.load(path, map_location=map_location or "cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise CheckpointError(
                f"the state of the run cannot be read: {error}",
                where=str(path),
                remedy="start the run again in another folder; best.safetensors is still good",
            ) from error


class Keeper(Callback):
    """After every validation: ``last.safetensors``, and ``best.safetensors`` when the validation loss fell.

    Args:
        directory: of the run.
        save: writes a model as a surrogate to a path.
    """

    def __init__(self, directory: Path, save: Callable[[AbstractModel, Path], Any]) -> None:
        self.directory, self.save = directory, save
        self.best = float("inf")

    def on_validation_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        loss = float(trainer.callback_metrics["val_loss"])
        self.save(pl_module.average, self.directory / "last.safetensors")
        if loss < self.best:
            self.best = loss
            self.save(pl_module.average, self.directory / "best.safetensors")

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        trainer.save_checkpoint(self.directory / STATE)

    def state_dict(self) -> dict[str, float]:
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.best = state["best"]
