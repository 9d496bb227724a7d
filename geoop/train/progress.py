"""Bars over long work, and lines beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import lightning as L
from lightning.pytorch.callbacks import Callback

T = TypeVar("T")


def tracked(items: Sequence[T], words: str, shown: bool) -> Iterator[T]:
    """The items, with a bar that goes away when they are done."""
    from rich.progress import track

    yield from track(items, words, transient=True) if shown else items


def note(words: str, shown: bool) -> None:
    """One line that stays, on the error stream, so that answers stay clean."""
    if shown:
        sys.stderr.write(f"note: {words}\n")


class Budget:
    """One bar over a share of something from 0 to 1, with a number beside it; a context manager."""

    def __init__(self, words: str, shown: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = TextColumn(words), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn()
        self._bar = Progress(*columns, disable=not shown)
        self._task = self._bar.add_task("", total=1.0)

    def __enter__(self) -> Budget:
        self._bar.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._bar.stop()

    def update(self, share: float, words: str) -> None:
        """Where it stands."""
        self._bar.update(self._task, completed=min(share, 1.0), description=words)


class ProgressLine(Callback):
    """One bar over the whole budget, with the losses and the time left."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        if trainer.is_global_zero:
            self._bar = Progress(TextColumn("training"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn())
            self._bar.start()
            self._task = self._bar.add_task("", total=1.0)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self._bar is not None and batch_idx % 5 == 0:
            found = {name: float(trainer.callback_metrics.get(f"val_{name}", 0.0)) for name in ("field", "wall")}
            errors = ", ".join(f"{name} {100 * error:.2f} %" for name, error in found.items() if error >= 5e-5)  # next to 0 without such points
            seen = f", validation: {errors}" if errors else ""
            self._bar.update(self._task, completed=min(pl_module.progress, 1.0), description=f"epoch {trainer.current_epoch}{seen}")

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def on_train_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        self._stop()

    def on_exception(self, trainer: L.Trainer, pl_module: Any, exception: BaseException) -> None:
        self._stop()
