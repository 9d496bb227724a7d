"""The learned kernel of a kernel integral, one gain per edge and channel."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..graph.graph import Graph
from ..graph.pointset import PointSet
from ..graph.segment import take_source, take_target
from .fourier import FourierFeatures
from .mlp import MLP
from .neighborhood import Pairs
from .operator import Symmetry


class PairKernel(nn.Module):
    """k(x, y) as a perceptron of the relative position, and of the features at both ends where asked for.

        k = D_1 gelu( ... D_(depth-1) gelu( A (y - x)/r + B a(y) + C a(x) ))

    B and C act on points, not on edges, so conditioning costs one gather per edge.

    Args:
        dimension: of space.
        width: gains per edge.
        hidden: width of the perceptron.
        depth: its hidden layers; every one costs two passes over edges x hidden numbers.
        octaves: number of log-spaced Fourier frequencies of the relative position; 0 for none.
        radial: see only the distance: the kernel, and what is built on it, is invariant under rotation and reflection too.
        source_channels: number of scalars a(y) of the source points that the kernel depends on; 0 for none.
        target_channels: number of scalars a(x) of the target points that it depends on; 0 for none.
    """

    def __init__(
        self,
        dimension: int,
        width: int = 64,
        *,
        hidden: int = 64,
        depth: int = 2,
        octaves: int = 0,
        radial: bool = False,
        source_channels: int = 0,
        target_channels: int = 0,
    ) -> None:
        super().__init__()
        self.width, self.radial = width, radial
        self.waves = FourierFeatures.log_spaced(1 if radial else dimension, octaves)
        self.geometry = nn.Linear(self.waves.width, hidden)
        self.source = nn.Linear(source_channels, hidden, bias=False) if source_channels else None
        self.target = nn.Linear(target_channels, hidden, bias=False) if target_channels else None
        self.gain = MLP([hidden] * depth + [width])

    @property
    def symmetry(self) -> Symmetry:
        """The transformations of both points that leave the kernel as it is."""
        return Symmetry.E if self.radial else Symmetry.TRANSLATION

    def forward(self, pairs: Pairs, source: PointSet, target: PointSet, graph: Graph) -> Tensor:
        """(e, width) gains."""
        place = pairs.squared[:, None] if self.radial else pairs.offset
        hidden = self.geometry(self.waves(place) if len(self.waves.frequencies) else place)
        if self.source is not None:  # in place: what a linear map returns is kept by nobody
            hidden.add_(take_source(self.source(source.scalars), graph))
        if self.target is not None:
            hidden.add_(take_target(self.target(target.scalars), graph))
        return self.gain(F.gelu(hidden))
