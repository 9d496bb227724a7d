"""Matrices per sample of ragged batches against one sample at a time."""

from __future__ import annotations

import pytest
import torch

from geoop.layers.tiles import ROWS, Tiles


@pytest.mark.parametrize("rows", [4, ROWS])
@pytest.mark.parametrize("sizes", [(5, 5, 5), (3, 0, 20, 7), (3, 2 * ROWS + 7, 1, ROWS), (0, 4, 0), (0, 4), (4, 0), (0, 0), (9,), ()])
def test_products_equal_one_sample_at_a_time(sizes, rows):
    generator = torch.Generator().manual_seed(1)
    ptr = torch.tensor([0, *sizes]).cumsum(0)
    n = int(ptr[-1])
    left, right = (torch.randn(n, k, generator=generator, dtype=torch.float64, requires_grad=True) for k in (3, 4))
    table = torch.randn(len(sizes), 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    tiles = Tiles.of(ptr, rows)
    assert torch.equal(tiles.join(tiles.cut(left)), left) and torch.equal(tiles.join(tiles.masked(left)), left)
    samples = [slice(a, b) for a, b in zip(ptr.tolist(), ptr.tolist()[1:], strict=False)]
    gram = torch.stack([left[s].T @ right[s] for s in samples]) if samples else torch.zeros(0, 3, 4).double()
    torch.testing.assert_close(tiles.gram(left, right), gram, rtol=0, atol=1e-11)
    applied = torch.cat([left[:0] @ right[:0].new_zeros(3, 4), *(left[s] @ table[i] for i, s in enumerate(samples))])
    torch.testing.assert_close(tiles.apply(left, table), applied, rtol=0, atol=1e-11)
    if n < 40:
        assert torch.autograd.gradcheck(tiles.gram, (left, right))
        assert torch.autograd.gradcheck(tiles.apply, (left, table))


def test_samples_of_one_size_are_not_moved():
    x = torch.randn(12, 2)
    tiles = Tiles.of(torch.tensor([0, 4, 8, 12]))
    assert tiles.one_each and tiles.cut(x).shape == (3, 4, 2) and tiles.cut(x).data_ptr() == x.data_ptr()


def test_the_waste_is_less_than_a_tile_per_sample():
    sizes = (700, 3, 0, 300, 256)
    tiles = Tiles.of(torch.tensor([0, *sizes]).cumsum(0))
    assert tiles.filled is not None and int((~tiles.filled).sum()) < tiles.rows * len(sizes)
