"""Gated two-layer perceptron."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class GatedMLP(nn.Module):
    """y = B (silu(A1 x) * A2 x): the gated linear unit of Shazeer 2020 (SwiGLU), arXiv 2002.05202.

    Args:
        width_in: features in.
        hidden: features between.
        width_out: features out.
        zero: start with y = 0, so that a residual block starts as the identity.

    Shapes: (..., width_in) -> (..., width_out).
    """

    def __init__(self, width_in: int, hidden: int, width_out: int, *, zero: bool = False) -> None:
        super().__init__()
        self.inner = nn.Linear(width_in, 2 * hidden)
        self.outer = nn.Linear(hidden, width_out)
        if zero:
            nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.inner(x).chunk(2, dim=-1)
        return self.outer(F.silu(gate) * value)
