"""Sizes of layers that are refused where the layer is built."""

import pytest

from geoop.errors import ConfigurationError
from geoop.layers.gated_experts import GatedExperts
from geoop.layers.sizes import check_heads, check_sizes
from geoop.operators.low_rank import Basis
from geoop.operators.slice_attention import SliceAttention
from geoop.operators.spectral import Spectral


def test_all_sizes_that_are_too_small_are_named_with_the_smallest():
    with pytest.raises(ConfigurationError) as found:
        check_sizes("layer", {"width": 0, "depth": -1, "heads": 4, "modes": 2.5}, zero=("depth",))
    assert found.value.where == "layer" and found.value.message.endswith("width=0, depth=-1, modes=2.5")
    assert found.value.remedy.endswith("width >= 1, depth >= 0, modes >= 1")
    check_sizes("layer", {"width": 1, "depth": 0}, zero=("depth",))
    with pytest.raises(ConfigurationError, match="width=1"):
        check_sizes("layer", {"width": 1}, least=2)


@pytest.mark.parametrize(("width", "heads"), [(8, 3), (8, 0), (8, -2), (0, 4)])
def test_heads_share_the_width(width, heads):
    with pytest.raises(ConfigurationError, match=f"{width} does not divide among {heads} heads"):
        check_heads("layer", width, heads)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Spectral(4, 4, (8, 8), modes=2, rank=0), "rank=0"),
        (lambda: Spectral(0, 4, (8, 8), modes=2), "in_channels=0"),
        (lambda: GatedExperts(8, 2, experts=0), "experts=0"),
        (lambda: SliceAttention(8, slices=0), "slices=0"),
        (lambda: Basis(4, 0, 8), "count=0"),
    ],
)
def test_layers_of_nothing_are_refused(make, name):
    with pytest.raises(ConfigurationError, match=name):
        make()
