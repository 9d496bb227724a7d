"""Bi-invariants: what a query point and a posed latent know of each other, whatever happens to both of them together."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..errors import ConfigurationError
from .operator import Symmetry


class BiInvariant(ABC):
    """inv(x, p) with inv(g x, g p) = inv(x, p) for every g of a group (Wessels et al. 2024, arXiv 2406.05753, sec. 3.2).

    A pose p is a position and some vectors that turn with it: a surface normal, the free stream, the axes of a frame. A field that sees x and p only
    through such quantities is steerable: f(g^-1 x; z) = f(x; g z).

    Attributes:
        symmetry: the group.
    """

    symmetry: ClassVar[Symmetry]

    @abstractmethod
    def width(self, dimension: int, vectors: int) -> int:
        """Number of invariants.

        Args:
            dimension: of space.
            vectors: that every pose carries.
        """

    @abstractmethod
    def of(self, x: Tensor, position: Tensor, vectors: Tensor) -> Tensor:
        """(..., width) invariants of points x (..., d), positions (..., d) and the vectors (..., k, d) of the poses."""


class Absolute(BiInvariant):
    """(x, p) themselves: no symmetry. The control that an equivariant field is held against."""

    symmetry = Symmetry.NONE

    def width(self, dimension: int, vectors: int) -> int:
        return 2 * dimension

    def of(self, x: Tensor, position: Tensor, vectors: Tensor) -> Tensor:
        return torch.cat(torch.broadcast_tensors(x, position), dim=-1)


class Offset(BiInvariant):
    """x - p: translations; the one of enf2enf (arXiv 2504.18591)."""

    symmetry = Symmetry.TRANSLATION

    def width(self, dimension: int, vectors: int) -> int:
        return dimension

    def of(self, x: Tensor, position: Tensor, vectors: Tensor) -> Tensor:
        return x - position


class Distance(BiInvariant):
    """|x - p|: all motions, of poses that are positions only."""

    symmetry = Symmetry.E

    def width(self, dimension: int, vectors: int) -> int:
        return 1

    def of(self, x: Tensor, position: Tensor, vectors: Tensor) -> Tensor:
        return _length(x - position)


class Components(BiInvariant):
    """(x - p) . v for every vector v of the pose, and |x - p|: all motions, of poses whose vectors turn along with them.

    With at least d - 1 independent vectors of unit length nothing is lost but the side of a mirror plane that all of them lie in; a field
    that is equivariant under reflection must not know that side. In the plane with one vector n these are (x - p) . n and |(x - p) . n_perp|.
    """

    symmetry = Symmetry.E

    def width(self, dimension: int, vectors: int) -> int:
        return vectors + 1

    def of(self, x: Tensor, position: Tensor, vectors: Tensor) -> Tensor:
        offset = x - position
        return torch.cat([(offset[..., None, :] * vectors).sum(dim=-1), _length(offset)], dim=-1)


class Oriented(BiInvariant):
    """Components of x - p in the right-handed frame that the first d - 1 vectors of the pose span: SE(2), SE(3).

    In the plane ((x - p) . n, (x - p) . n_perp) with n = (cos a, sin a): ENF for partial differential equations (arXiv 2406.06660).
    """

    symmetry = Symmetry.SE

    def width(self, dimension: int, vectors: int) -> int:
        if vectors < dimension - 1:
            raise ConfigurationError(
                f"{vectors} vectors make no frame in {dimension}-D",
                where="Oriented",
                remedy=f"give every pose {dimension - 1} independent vectors, or use Components",
            )
        return dimension

    def of(self, x: Tensor, position: Tensor, vectors: Tensor) -> Tensor:
        frame = right_handed(vectors[..., : x.shape[-1] - 1, :])
        return ((x - position)[..., None, :] * frame).sum(dim=-1)


@dataclass(frozen=True)
class Periodic(BiInvariant):
    """sin and cos of 2 pi (x - p)/length along every axis: translations of a periodic box.

    Attributes:
        lengths: of the box, one per axis, in the unit of the positions.
    """

    lengths: Sequence[float]
    symmetry: ClassVar[Symmetry] = Symmetry.TRANSLATION

    def __post_init__(self) -> None:
        if not self.lengths or min(self.lengths) <= 0:
            raise ConfigurationError(f"lengths {self.lengths}", where="Periodic", remedy="give the positive period along every axis")

    def width(self, dimension: int, vectors: int) -> int:
        if dimension != len(self.lengths):
            raise ConfigurationError(f"{len(self.lengths)} periods in {dimension}-D", where="Periodic", remedy="give one period per axis")
        return 2 * dimension

    def of(self, x: Tensor, position: Tensor, vectors: Tensor) -> Tensor:
        phase = 2 * math.pi * (x - position) / x.new_tensor(list(self.lengths))
        return torch.cat([phase.sin(), phase.cos()], dim=-1)

    def squared_distance(self, x: Tensor, position: Tensor) -> Tensor:
        """(...) squared distance to the nearest image, made smooth: (length/pi sin(pi offset/length))^2 summed over the axes."""
        lengths = x.new_tensor(list(self.lengths))
        return ((lengths / math.pi) * torch.sin(math.pi * (x - position) / lengths)).square().sum(dim=-1)


def right_handed(vectors: Tensor) -> Tensor:
    """(..., d, d) orthonormal frames, rows are axes: from (..., d-1, d) independent vectors by Gram and Schmidt, the last axis by handedness."""
    first = torch.nn.functional.normalize(vectors[..., 0, :], dim=-1)
    if vectors.shape[-1] == 2:
        return torch.stack([first, torch.stack([-first[..., 1], first[..., 0]], dim=-1)], dim=-2)
    second = vectors[..., 1, :] - (vectors[..., 1, :] * first).sum(dim=-1, keepdim=True) * first
    second = torch.nn.functional.normalize(second, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-2)


#: By the name that constructor arguments (and so checkpoints) use; ``periodic`` also needs lengths and is made by its own class.
BI_INVARIANTS: dict[str, type[BiInvariant]] = {
    "absolute": Absolute,
    "offset": Offset,
    "distance": Distance,
    "components": Components,
    "oriented": Oriented,
}


def bi_invariant(name: str, lengths: Sequence[float] = ()) -> BiInvariant:
    """The bi-invariant of that name; ``periodic`` with the lengths of its box.

    Raises:
        ConfigurationError: an unknown name.
    """
    if name == "periodic":
        return Periodic(tuple(lengths))
    if name not in BI_INVARIANTS:
        raise ConfigurationError(f"no bi-invariant '{name}'", where="bi_invariant", remedy=f"choose one of {sorted([*BI_INVARIANTS, 'periodic'])}")
    return BI_INVARIANTS[name]()


def _length(offset: Tensor) -> Tensor:
    """(..., 1); the tiny constant keeps the root differentiable where a point meets a pose."""
    return (offset.square().sum(dim=-1, keepdim=True) + 1e-12).sqrt()
