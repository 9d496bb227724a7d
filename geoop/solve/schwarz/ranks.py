"""Parts on several processes: every rank solves its own parts, and all of them know the whole iterate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Ranks:
    """The processes that ``torchrun`` started, or this one alone.

    ``torch.distributed`` must have been initialised (``torch.distributed.init_process_group("gloo")``) for there to be more than one.
    """

    def __init__(self) -> None:
        import torch.distributed as dist

        self._dist = dist if dist.is_available() and dist.is_initialized() else None
        self.rank = self._dist.get_rank() if self._dist else 0
        self.count = self._dist.get_world_size() if self._dist else 1

    def own(self, which: Sequence[int]) -> list[int]:
        """Those of the parts that this rank solves: every ``count``-th."""
        return list(which)[self.rank :: self.count]

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum of an array over all ranks; the array itself where there is one."""
        if self._dist is None or self.count == 1:
            return values
        import torch

        on = torch.device("cuda") if self._dist.get_backend() == "nccl" else torch.device("cpu")
        tensor = torch.from_numpy(np.array(values, dtype=np.float64)).to(on)
        self._dist.all_reduce(tensor)
        return tensor.cpu().numpy()
