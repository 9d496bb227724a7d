"""The last layer of a model, which may have nothing to say of a kind."""

from __future__ import annotations

from torch import nn


class Head(nn.Linear):
    """``nn.Linear`` for so many outputs of a kind as a model has, none included: torch warns of every layer without outputs."""

    def reset_parameters(self) -> None:
        if self.out_features:
            super().reset_parameters()
