"""What layers exchange: points with invariant scalars, equivariant vectors and quadrature weights, in ragged batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from ..axes import check
from ..errors import ShapeError

#: What the name of an input function begins with that is known on the boundary alone: ``boundary solution`` is whatever patches impose on ``solution``.
BOUNDARY = "boundary "


@dataclass(frozen=True, eq=False)
class PointSet:
    """Points of one or several samples, one after the other; sample i owns rows ``ptr[i]:ptr[i+1]``.

    Attributes:
        pos: (n, d) positions.
        scalars: (n, c) features that do not change under rotation.
        vectors: (n, k, d) features that rotate with the points.
        weight: (n,) quadrature weights: sums over points approximate integrals.
        ptr: (b+1,) int64 start of every sample.
    """

    pos: Tensor
    scalars: Tensor = None  # type: ignore[assignment]  # filled in below with zero channels
    vectors: Tensor = None  # type: ignore[assignment]
    weight: Tensor = None  # type: ignore[assignment]
    ptr: Tensor = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        n, d = self.pos.shape
        empty = {
            "scalars": lambda: self.pos.new_zeros(n, 0),
            "vectors": lambda: self.pos.new_zeros(n, 0, d),
            "weight": lambda: self.pos.new_ones(n),
            "ptr": lambda: torch.tensor([0, n], device=self.pos.device),
        }
        for name, make in empty.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, make())
        check(
            pos=(self.pos, "n d"),
            scalars=(self.scalars, "n c"),
            vectors=(self.vectors, "n k d"),
            weight=(self.weight, "n"),
            ptr=(self.ptr, "b+1"),
        )
        if not torch.compiler.is_compiling():
            bounds = self.ptr.tolist()
            if bounds[:1] != [0] or bounds[-1] != n or bounds != sorted(bounds):
                raise ShapeError(
                    f"ptr {bounds} does not ascend from 0 to {n}", where="PointSet", remedy="start ptr at 0 and end it at the number of points"
                )

    def __len__(self) -> int:
        return self.pos.shape[0]

    @property
    def dimension(self) -> int:
        return self.pos.shape[1]

    @property
    def batch_size(self) -> int:
        return self.ptr.shape[0] - 1

    @property
    def batch(self) -> Tensor:
        """(n,) int64 number of the sample that each point belongs to."""
        return torch.repeat_interleave(torch.arange(self.batch_size, device=self.ptr.device), self.ptr.diff(), output_size=len(self))

    def with_features(self, scalars: Tensor | None = None, vectors: Tensor | None = None) -> PointSet:
        """The same points with other features; what is None is kept."""
        return replace(self, scalars=self.scalars if scalars is None else scalars, vectors=self.vectors if vectors is None else vectors)

    def to(self, *args, **kwargs) -> PointSet:
        """As ``Tensor.to``; the dtype applies to everything but ``ptr``."""
        moved = {f.name: getattr(self, f.name).to(*args, **kwargs) for f in fields(self) if f.name != "ptr"}
        return PointSet(**moved, ptr=self.ptr.to(moved["pos"].device))

    def take(self, index: Tensor) -> PointSet:
        """Points of the given (k,) indices; they must be ordered by sample. ``ptr`` is recomputed, weights are kept as they are.

        Raises:
            ShapeError: the indices are not ordered by sample.
        """
        sample = self.batch[index]
        if not torch.compiler.is_compiling() and bool((sample[1:] < sample[:-1]).any()):
            raise ShapeError("indices are not ordered by sample", where="PointSet.take", remedy="sort the indices by sample, or take from split()")
        counts = torch.bincount(sample, minlength=self.batch_size)
        ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return PointSet(self.pos[index], self.scalars[index], self.vectors[index], self.weight[index], ptr)

    def split(self) -> list[PointSet]:
        """One point set per sample."""
        bounds = self.ptr.tolist()
        return [PointSet(self.pos[a:b], self.scalars[a:b], self.vectors[a:b], self.weight[a:b]) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]

    @staticmethod
    def concatenate(sets: Sequence[PointSet]) -> PointSet:
        """Samples of several point sets as one batch."""
        starts = [0]
        for item in sets:
            starts.append(starts[-1] + len(item))
        ptr = torch.cat([sets[0].ptr[:1]] + [item.ptr[1:] + start for item, start in zip(sets, starts[:-1], strict=True)])
        return PointSet(
            torch.cat([s.pos for s in sets]),
            torch.cat([s.scalars for s in sets]),
            torch.cat([s.vectors for s in sets]),
            torch.cat([s.weight for s in sets]),
            ptr,
        )


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a geometry is asked about: conditions and functions on it.

    Attributes:
        scalars: (b, s) global scalars, e.g. log Reynolds number.
        vectors: (b, v, d) global vectors, e.g. the free stream: they rotate with the geometry.
        functions: name -> point set carrying boundary values (:data:`BOUNDARY`), coefficients or a past frame.
    """

    scalars: Tensor
    vectors: Tensor
    functions: dict[str, PointSet] = field(default_factory=dict)

    def to(self, *args, **kwargs) -> Inputs:
        moved = {name: points.to(*args, **kwargs) for name, points in self.functions.items()}
        return Inputs(self.scalars.to(*args, **kwargs), self.vectors.to(*args, **kwargs), moved)

    @staticmethod
    def concatenate(items: Sequence[Inputs]) -> Inputs:
        """Conditions of several samples as one batch; all carry the same named functions."""
        names = items[0].functions
        return Inputs(
            torch.cat([i.scalars for i in items]),
            torch.cat([i.vectors for i in items]),
            {name: PointSet.concatenate([i.functions[name] for i in items]) for name in names},
        )
