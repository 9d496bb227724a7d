"""A training within a budget, outside of Lightning: rates, clipping, an average of the weights, and a state on disk from which it goes on bit by bit."""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, NonFiniteError
from ..io.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from .muon import MuonAdamW
from .progress import Budget
from .task import Schedule


@dataclass(frozen=True)
class LoopSettings:
    """What every such training is told.

    Attributes:
        steps, minutes, cpu_minutes: the budget, one of them; cpu_minutes is computing time of the process.
        batch: samples per step.
        points: of each sample and step, drawn anew.
        rate, muon_rate: peak rates, see :class:`~geoop.train.task.Schedule`.
        keep_every: seconds between states on disk.
        seed: of all draws.
    """

    steps: int | None = None
    minutes: float | None = None
    cpu_minutes: float | None = None
    batch: int = 8
    points: int = 512
    rate: float = 2e-3
    muon_rate: float = 1.5e-2
    keep_every: float = 60.0
    seed: int = 0

    def sound(self) -> bool:
        """Whether there is exactly one budget, and everything is positive."""
        given = [value for value in (self.steps, self.minutes, self.cpu_minutes) if value is not None]
        return len(given) == 1 and min(*given, self.batch, self.points, self.rate, self.muon_rate) > 0


class Loop(ABC):
    """A training: weights, their average, the optimiser, the clock.

    Args:
        model: what is trained and, in the end, gets the average of its weights.
        settings: budget and rates.
        plain: words in names of matrices that AdamW is to train, see :class:`~geoop.train.muon.MuonAdamW`.
        extra: a parameter that is trained beside the model and not averaged, such as a table of latents.
    """

    #: of the bar
    words: str

    def __init__(self, model: nn.Module, settings: LoopSettings, plain: tuple[str, ...], extra: nn.Parameter | None = None) -> None:
        self.model, self.settings, self.extra = model, settings, extra
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.schedule = Schedule(settings.steps, settings.minutes, settings.cpu_minutes, settings.rate, settings.muon_rate)
        trained = nn.ModuleDict({"model": model})
        if extra is not None:
            trained.register_parameter("extra", extra)
        self.optimizer = MuonAdamW(trained, settings.rate, settings.muon_rate, 0.0, exclude=(*plain, "extra"))
        self.number, self.elapsed, self.clock = 0, 0.0, self._now()
        self.history: list[tuple[float, float]] = []

    @abstractmethod
    def loss(self, draw: torch.Generator) -> Tensor:
        """Of one step, whose draws all come from ``draw``."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Plain data that a state on disk must agree with beside the settings: sizes of the model, number of samples."""

    @property
    def progress(self) -> float:
        """0..1 of the budget."""
        s = self.settings
        return self.number / s.steps if s.steps is not None else self.elapsed / (60.0 * (s.minutes or s.cpu_minutes or 1.0))

    def run(self, state: Path | None = None, *, progress: bool = True) -> list[tuple[float, float]]:
        """Train to the end of the budget, from the state on disk where there is one.

        Args:
            state: file from which an interrupted training goes on, and where it keeps itself; None keeps nothing.
            progress: show a bar.

        Returns:
            (share of the budget, loss) of every twentieth step.

        Raises:
            NonFiniteError: the loss became NaN or infinite.
            CheckpointError: the state on disk is damaged, of another model or of other settings.
        """
        if state is not None and state.exists():
            self.restore(read_checkpoint(state), state)
        kept = time.monotonic()
        with Budget(self.words, progress) as bar:
            while self.progress < 1.0:
                self.step()
                if state is not None and time.monotonic() - kept >= self.settings.keep_every:
                    write_checkpoint(state, self.state())
                    kept = time.monotonic()
                bar.update(self.progress, f"loss {self.history[-1][1]:.2e}")
        if state is not None:
            write_checkpoint(state, self.state())
        self.model.load_state_dict(self.average.state_dict())
        return self.history

    def step(self) -> None:
        """One step; its draws depend on the seed and its number alone, so that a resumed training draws what the uninterrupted one would have."""
        number = (self.settings.seed * 1_000_003 + self.number) % 2**63
        draw = torch.Generator().manual_seed(number)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * self.schedule.factor(self.progress)
        self.optimizer.zero_grad()
        with torch.random.fork_rng(devices=[]):  # what a model draws by itself, such as masks, comes from the global generator
            torch.manual_seed(number)
            loss = self.loss(draw)
        value = float(loss.detach())
        if not torch.isfinite(loss):
            raise NonFiniteError(f"the loss is {value} at step {self.number}", where=self.words, remedy="lower rate and muon_rate")
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        decay = min(self.schedule.averaging, (1.0 + self.number) / (10.0 + self.number))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay)
        if self.number % 20 == 0:
            self.history.append((self.progress, value))
        now = self._now()
        self.elapsed, self.clock, self.number = self.elapsed + now - self.clock, now, self.number + 1

    def state(self) -> Checkpoint:
        """Everything that :meth:`restore` needs."""
        arrays: dict[str, Tensor] = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        arrays |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        if self.extra is not None:
            arrays["extra.values"] = self.extra.detach()
        moments = self.optimizer.state_dict()["state"]
        arrays |= {f"moments.{i}.{k}": v for i, row in moments.items() for k, v in row.items() if isinstance(v, Tensor)}
        plain = {str(i): {k: v for k, v in row.items() if not isinstance(v, Tensor)} for i, row in moments.items()}
        header: dict[str, Any] = {"number": self.number, "elapsed": self.elapsed, "moments": plain, "history": self.history}
        return Checkpoint(header | self._whole_identity(), {k: v.contiguous().clone() for k, v in arrays.items()})

    def restore(self, found: Checkpoint, path: Path) -> None:
        """Go on from a state.

        Raises:
            CheckpointError: it belongs to another model or to other settings.
        """
        for key, own in self._whole_identity().items():
            if found.header.get(key) != own:
                raise CheckpointError(
                    f"it is a training with {key} {found.header.get(key)}, not {own}",
                    where=str(path),
                    remedy="give the settings and sizes it was begun with, or another file",
                )
        self.model.load_state_dict(found.part("model"))
        self.average.load_state_dict(found.part("average"))
        if self.extra is not None:
            self.extra.data.copy_(found.part("extra")["values"])
        state: dict[int, dict[str, Any]] = {int(i): dict(row) for i, row in found.header["moments"].items()}
        for key, value in found.part("moments").items():
            number, name = key.split(".", 1)
            state.setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.number, self.elapsed = int(found.header["number"]), float(found.header["elapsed"])
        self.history = [(float(a), float(b)) for a, b in found.header["history"]]
        self.clock = self._now()

    def _whole_identity(self) -> dict[str, Any]:
        """With the settings but for how often states are kept."""
        return {"settings": {k: v for k, v in asdict(self.settings).items() if k != "keep_every"}, **self.identity()}

    def _now(self) -> float:
        return time.process_time() if self.settings.cpu_minutes is not None else time.perf_counter()
