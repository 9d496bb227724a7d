"""The trunk of a DeepONet: functions of the place alone."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..layers.mlp import MLP


class SiteTrunk(nn.Module):
    """Modes t_k of a place: (n, features) -> (n, modes), of which only the first ``site`` features are read.

    Those are what :class:`geoop.layers.sites.Sites` knows, the signed distance among it on every scale. Conditions and input functions that stand
    behind them in the same array are left to the branch: a trunk that saw them would no longer be a basis.

    ``activation="sine"`` (Sitzmann et al. 2020, arXiv 2006.09661): t = W sin(... sin(A x + a)), with their initial weights and the frequency of the first
    layer multiplied into A, so that all layers learn at one rate.

    Args:
        site: features of the place.
        width: hidden features.
        modes: functions.
        depth: hidden layers.
        activation: "sine" or "gelu".
        frequency: of the first layer of sines, in radians per unit of a feature.
    """

    def __init__(
        self, site: int, width: int, modes: int, *, depth: int = 3, activation: Literal["sine", "gelu"] = "sine", frequency: float = 6.0
    ) -> None:
        super().__init__()
        if activation not in ("sine", "gelu"):
            raise ConfigurationError(f"unknown activation '{activation}'", where="activation", remedy="use 'sine' or 'gelu'")
        self.site, self.activation = site, activation
        sizes = [site] + [width] * depth + [modes]
        if activation == "gelu":
            self.layers = MLP(sizes, norm=True)
            return
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True)])
        with torch.no_grad():
            for number, layer in enumerate(self.layers):
                bound = math.sqrt(6 / layer.in_features) * (frequency / math.sqrt(layer.in_features) if number == 0 else 1)
                layer.weight.uniform_(-bound, bound)
                layer.bias.uniform_(-math.pi, math.pi) if number < depth else layer.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, : self.site]
        if self.activation == "gelu":
            return self.layers(x)
        for layer in self.layers[:-1]:
            x = torch.sin(layer(x))
        return self.layers[-1](x)
