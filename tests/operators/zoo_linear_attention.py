"""Zoo entries of linear attention."""

from __future__ import annotations

from geoop.operators.linear_attention import LinearAttention

from .zoo import Cloud, Entry

ENTRIES: dict[str, Entry] = {
    "linear attention": Entry(lambda: LinearAttention(4, source_channels=(3,), heads=2), target=Cloud(scalars=4, sizes=(5, 1, 8))),
    "linear attention to two functions": Entry(lambda: LinearAttention(4, source_channels=(3, 3), heads=2), target=Cloud(scalars=4, sizes=(5, 1, 8))),
    "linear self-attention, 3-D": Entry(lambda: LinearAttention(4, heads=1), source=Cloud(scalars=4, dimension=3)),
    "galerkin attention": Entry(lambda: LinearAttention(6, source_channels=(3,), heads=2, kind="galerkin"), target=Cloud(scalars=6, sizes=(5, 1, 8))),
}
