"""What a residual block of kernel integrals adds to its features."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class GatedUpdate(nn.Module):
    """u -> A norm( silu(a) * b ), a and b the halves of u: the gated unit of Shazeer 2020 (arXiv 2002.05202), normalised before the matrix.

    u is a kernel integral of normalised features whose kernel is learned, too: of high degree in the features together with the gate, so that
    nothing but the norm bounds what a block adds where training never was. Without it low-rank networks had hidden values of 1e5 and answered
    one section in a hundred of an unseen family with errors of 28000 %, and multipole networks had three times the error on known ones.

    Args:
        width: features out; ``u`` has twice as many.

    Shapes: (..., 2 width) -> (..., width), at most sqrt(width) times the gains of the norm in size before A.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.outer = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, u: Tensor) -> Tensor:
        gate, value = u.chunk(2, dim=-1)
        return self.outer(self.norm(F.silu(gate) * value))
