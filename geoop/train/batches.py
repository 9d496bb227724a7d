"""Random subsets of query points in batches, through PyG's ``Data`` and ``DataLoader``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..graph.geometry import Queries
from ..graph.pointset import Inputs, PointSet
from .samples import Sample

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data
    from torch_geometric.loader import DataLoader


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """What an objective sees of b cases.

    Attributes:
        cases: (b,) int64 numbers of the samples, for what was prepared per geometry.
        inputs: conditions and functions.
        queries: points, field before wall within every case.
        target: standardised fields there.
        weight: (n,) quadrature weights.
        region_ptr: (2b+1,) start of every case's field points and wall points.
        reference: (2b, c) denominators of the relative errors, field and wall in turn.
    """

    cases: Tensor
    inputs: Inputs
    queries: Queries
    target: PointSet
    weight: Tensor
    region_ptr: Tensor
    reference: Tensor


class SubsetDataset(torch.utils.data.Dataset):
    """Samples as PyG ``Data``, in every epoch with another random subset of their points.

    The subset of sample i in epoch e depends on (seed, e, i) alone, so that a resumed run draws what the uninterrupted
    one would have drawn.

    Args:
        samples: the cases.
        n_field, n_wall: points drawn from each region; where a case has fewer, all of them, and more of the other.
        seed: of the draws.
        epoch: number of the epoch.
    """

    def __init__(self, samples: Sequence[Sample], n_field: int, n_wall: int, seed: int = 0, epoch: int = 0) -> None:
        self.samples, self.n_field, self.n_wall, self.seed, self.epoch = samples, n_field, n_wall, seed, epoch

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, i: int) -> Data:
        sample = self.samples[i]
        generator = torch.Generator().manual_seed(hash((self.seed, self.epoch, i)) % 2**63)
        n = len(sample.queries)
        # what a region is short of is drawn from the other one: a case without a wall gives as many points as one with
        spare_wall, spare_field = max(0, self.n_wall - (n - sample.n_field)), max(0, self.n_field - sample.n_field)
        field = _subset(0, sample.n_field, self.n_field + spare_wall, generator)
        wall = _subset(sample.n_field, n, self.n_wall + spare_field, generator)
        return to_data(sample, i, torch.cat([field, wall]), len(field))


def _subset(start: int, stop: int, count: int, generator: torch.Generator) -> Tensor:
    """``count`` different numbers out of start..stop, ascending; all of them where there are fewer."""
    total = stop - start
    if count >= total:
        return torch.arange(start, stop)
    if 4 * count < total:  # drawing with replacement and dropping the few doubles is much cheaper than a permutation
        drawn = torch.unique(torch.randint(start, stop, (count + count // 4 + 8,), generator=generator))
        if len(drawn) >= count:
            return drawn[torch.randperm(len(drawn), generator=generator)[:count]].sort().values
    return start + torch.randperm(total, generator=generator)[:count].sort().values


def to_data(sample: Sample, number: int, index: Tensor, n_field: int) -> Data:
    """Some points of a sample as a PyG ``Data``; names hold no ``index``, which PyG would shift when batching."""
    from torch_geometric.data import Data

    points = sample.queries.points
    return Data(
        pos=points.pos[index],
        query_scalars=points.scalars[index],
        query_vectors=points.vectors[index],
        anchor=sample.queries.anchor[index],
        share=sample.queries.share[index],
        target_scalars=sample.target.scalars[index],
        target_vectors=sample.target.vectors[index],
        weight=sample.weight[index],
        regions=torch.tensor([[n_field, len(index) - n_field]]),
        reference=sample.reference[None],
        case=torch.tensor([number]),
        vertices=torch.tensor([len(sample.geometry.surface)]),
    )


def from_batch(batch: Batch, samples: Sequence[Sample]) -> TrainingBatch:
    """The border back from PyG: offsets are taken from sizes that we stored, not from attribute names.

    Args:
        batch: of the loader, on the device of the training.
        samples: what it was drawn from, on the CPU; conditions and functions are taken whole.
    """
    counts = batch.regions
    ptr = torch.cat([counts.new_zeros(1), counts.sum(dim=1).cumsum(0)])
    region_ptr = torch.cat([counts.new_zeros(1), counts.reshape(-1).cumsum(0)])
    shift = torch.cat([batch.vertices.new_zeros(1), batch.vertices.cumsum(0)[:-1]])
    anchor = batch.anchor + torch.repeat_interleave(shift, ptr.diff(), output_size=len(batch.pos))[:, None]
    points = PointSet(batch.pos, batch.query_scalars, batch.query_vectors, None, ptr)
    return TrainingBatch(
        cases=batch.case,
        inputs=Inputs.concatenate([samples[i].inputs for i in batch.case.tolist()]).to(batch.pos.device),
        queries=Queries(points, anchor, batch.share),
        target=points.with_features(batch.target_scalars, batch.target_vectors),
        weight=batch.weight,
        region_ptr=region_ptr,
        reference=batch.reference.flatten(0, 1),
    )


class EpochOrder(torch.utils.data.Sampler):
    """The order of an epoch: a permutation that depends on (seed, epoch) alone."""

    def __init__(self, dataset: SubsetDataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(hash((self.dataset.seed, self.dataset.epoch)) % 2**63)
        return iter(torch.randperm(len(self), generator=generator).tolist())


def loader(dataset: SubsetDataset, batch_size: int, *, shuffle: bool) -> DataLoader:
    """PyG's loader over one epoch; shuffled, the last incomplete batch is left out, if there are others."""
    from torch_geometric.loader import DataLoader

    sampler = EpochOrder(dataset) if shuffle else None
    return DataLoader(dataset, batch_size=batch_size, sampler=sampler, drop_last=shuffle and len(dataset) > batch_size)  # type: ignore[arg-type]
