"""Perceptrons that share the work by place: a soft domain decomposition."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .bounded import bounded
from .mlp import MLP
from .sizes import check_sizes


class GatedExperts(nn.Module):
    """Geometric gating of GNOT (Hao et al. 2023, arXiv 2302.14376, section 3.3): perceptrons weighted by a partition of unity of space,

        y_i = sum_e p_e(x_i) F_e(u_i),      p = softmax(MLP(x_i / sqrt(1 + |x_i|^2))),      F_e(u) = B_e gelu(A_e u + a_e) + b_e

    The partition sees the position alone, so it is a function of space and every p_e > 0 overlaps with its neighbours: nothing jumps where one
    expert hands over to the next. All experts are one wide perceptron whose hidden features are scaled by p, hence two matrix products whatever
    their number.

    Args:
        width: features in and out.
        dimension: of space.
        experts: number of perceptrons; one is a plain perceptron, without gate.
        hidden: hidden features of every expert.
        gate: hidden features of the gate.

    Shapes: (n, width), (n, dimension) -> (n, width).
    """

    def __init__(self, width: int, dimension: int, *, experts: int = 3, hidden: int | None = None, gate: int = 16) -> None:
        super().__init__()
        check_sizes("GatedExperts", {"width": width, "experts": experts, "gate": gate})
        self.hidden = width if hidden is None else hidden
        self.inner = nn.Linear(width, experts * self.hidden)
        self.outer = nn.Linear(experts * self.hidden, width, bias=False)
        self.shift = nn.Parameter(torch.zeros(experts, width))
        self.gate = MLP([dimension, gate, experts]) if experts > 1 else None

    def partition(self, pos: Tensor) -> Tensor:
        """(n, experts) share of every expert at positions (n, d); rows add up to 1."""
        if self.gate is None:
            return pos.new_ones(len(pos), 1)
        return torch.softmax(self.gate(bounded(pos)), dim=1)

    def forward(self, x: Tensor, pos: Tensor) -> Tensor:
        hidden = nn.functional.gelu(self.inner(x))
        if self.gate is None:
            return self.outer(hidden) + self.shift
        share = self.partition(pos).to(hidden.dtype)
        hidden = (hidden.unflatten(1, (-1, self.hidden)) * share[:, :, None]).flatten(1)
        return self.outer(hidden) + share @ self.shift
