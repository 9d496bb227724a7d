"""Positions of unbounded regions as bounded features."""

from __future__ import annotations

from torch import Tensor


def bounded(pos: Tensor) -> Tensor:
    """x / sqrt(1 + |x|^2), (n, d) -> (n, d): space drawn smoothly into the unit ball. Around a body clouds reach many body lengths."""
    return pos / (1 + pos.square().sum(dim=1, keepdim=True)).sqrt()
