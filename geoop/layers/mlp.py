"""Multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class MLP(nn.Module):
    """Linear layers with GELU between them: (..., widths[0]) -> (..., widths[-1]).

    Smooth on purpose: fields and kernels built from it have derivatives of every order.

    Args:
        widths: features in, of every hidden layer, out; at least two numbers.
        norm: LayerNorm over the features of every hidden layer, before its GELU.
        zero: start with the zero map, so that a residual block starts as the identity.
    """

    def __init__(self, widths: Sequence[int], *, norm: bool = False, zero: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(widths[0], widths[1])]
        for width_in, width_out in pairwise(widths[1:]):
            layers += [nn.LayerNorm(width_in)] if norm else []
            layers += [nn.GELU(), nn.Linear(width_in, width_out)]
        self.layers = nn.Sequential(*layers)
        if zero:
            nn.init.zeros_(layers[-1].weight)  # type: ignore[arg-type]
            nn.init.zeros_(layers[-1].bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
