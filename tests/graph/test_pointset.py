"""Point sets in ragged batches."""

from __future__ import annotations

import pytest
import torch

from geoop.errors import ShapeError
from geoop.graph.pointset import Inputs, PointSet


def cloud(n, seed=0):
    g = torch.Generator().manual_seed(seed)
    return PointSet(*(torch.rand(n, *s, generator=g) for s in ((2,), (3,), (1, 2), ())))


def equal(a, b):
    return all(torch.equal(getattr(a, k), getattr(b, k)) for k in ("pos", "scalars", "vectors", "weight", "ptr"))


def test_a_batch_of_different_sizes_comes_apart_as_it_was():
    parts = [cloud(n, seed=n) for n in (3, 1, 0, 5)]
    batch = PointSet.concatenate(parts)
    assert batch.ptr.tolist() == [0, 3, 4, 4, 9] and batch.batch.tolist() == [0, 0, 0, 1, 3, 3, 3, 3, 3] and batch.batch_size == 4
    assert all(equal(a, b) for a, b in zip(batch.split(), parts, strict=True))
    assert equal(PointSet.concatenate([PointSet.concatenate(parts[:2]), PointSet.concatenate(parts[2:])]), batch)


def test_what_is_not_given_is_filled_in():
    points = PointSet(torch.zeros(4, 3))
    assert (
        points.scalars.shape == (4, 0) and points.vectors.shape == (4, 0, 3) and points.weight.tolist() == [1.0] * 4 and points.ptr.tolist() == [0, 4]
    )
    assert len(points) == 4 and points.dimension == 3
    changed = points.with_features(scalars=torch.ones(4, 2))
    assert changed.scalars.shape == (4, 2) and changed.vectors is points.vectors


def test_taking_points_keeps_samples_apart():
    batch = PointSet.concatenate([cloud(3), cloud(4, 1)])
    taken = batch.take(torch.tensor([2, 0, 5]))
    assert taken.ptr.tolist() == [0, 2, 3] and torch.equal(taken.pos, batch.pos[[2, 0, 5]])
    with pytest.raises(ShapeError, match="ordered by sample"):
        batch.take(torch.tensor([5, 0]))


def test_to_changes_the_type_of_all_but_ptr():
    points = cloud(3).to(torch.float64)
    assert points.weight.dtype == torch.float64 and points.ptr.dtype == torch.int64


def test_inputs_of_a_batch():
    items = [Inputs(torch.rand(1, 2), torch.rand(1, 1, 2), {"inlet": cloud(n)}) for n in (2, 3)]
    batch = Inputs.concatenate(items)
    assert batch.scalars.shape == (2, 2) and batch.vectors.shape == (2, 1, 2) and batch.functions["inlet"].ptr.tolist() == [0, 2, 5]
    assert batch.to(torch.float64).functions["inlet"].pos.dtype == torch.float64


def test_bad_input_is_named():
    with pytest.raises(ShapeError):
        PointSet(torch.zeros(4, 2), scalars=torch.zeros(3, 1))
    for ptr in ([0, 3], [1, 4], [0, 3, 2, 4]):
        with pytest.raises(ShapeError, match="ascend"):
            PointSet(torch.zeros(4, 2), ptr=torch.tensor(ptr))
