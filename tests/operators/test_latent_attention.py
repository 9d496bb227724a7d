"""Latents that talk: to their neighbours with poses, to all others through slices."""

import pytest
import torch

from geoop.graph.pointset import PointSet
from geoop.layers.bi_invariants import Components
from geoop.layers.pose_attention import PoseSpace
from geoop.operators.latent_attention import LatentAttention


def row(count: int, width: int = 8) -> PointSet:
    """Latents on a line, one window apart."""
    pos = torch.stack([torch.arange(count, dtype=torch.float64), torch.zeros(count, dtype=torch.float64)], dim=1)
    turn = torch.Generator().manual_seed(0)
    scalars = torch.randn(count, width, generator=turn, dtype=torch.float64)
    normals = torch.tensor([[[0.0, 1.0]]], dtype=torch.float64).expand(count, 1, 2)
    return PointSet(pos, scalars, normals, weight=torch.ones(count, dtype=torch.float64))


@pytest.mark.parametrize("slices", [0, 5])
def test_a_word_crosses_the_body_in_one_block_through_slices_only(slices):
    torch.manual_seed(0)
    block = LatentAttention(8, PoseSpace(Components(), 2, 1, nearest=4), 2, slices=slices).double()
    latents = row(40)
    graph = block.connect(latents, latents)
    changed = latents.with_features(
        scalars=latents.scalars + 3.0 * torch.nn.functional.one_hot(torch.tensor(0), 40)[:, None] * latents.scalars.flip(1)
    )
    difference = (block(changed, changed, graph).scalars - block(latents, latents, graph).scalars).abs().amax(dim=1)
    assert difference[1] > 0
    assert (difference[10:] > 1e-6).all() if slices else not difference[10:].any()


def test_latents_of_another_sample_are_not_heard():
    torch.manual_seed(0)
    block = LatentAttention(8, PoseSpace(Components(), 2, 1, nearest=4), 2, slices=5).double()
    one, other = row(12), row(7)
    both = PointSet.concatenate([one, other])
    alone, together = (block(part, part, block.connect(part, part)).scalars for part in (one, both))
    torch.testing.assert_close(together[:12], alone, rtol=0, atol=1e-12)
