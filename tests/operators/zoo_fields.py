"""Zoo entries of equivariant neural fields: the field, the latents' self-attention, the kernel from a surface to latents."""

from __future__ import annotations

from geoop.decoders.equivariant_field import EquivariantField
from geoop.encoders.equivariant_field import SurfaceKernel
from geoop.layers.bi_invariants import Absolute, BiInvariant, Components, Distance, Offset, Oriented, Periodic
from geoop.layers.pose_attention import PairNetwork, PoseSpace
from geoop.operators.latent_attention import LatentAttention
from geoop.operators.latent_dynamics import LatentDynamics

from .zoo import QUERIES, Cloud, Entry

LATENTS = Cloud(scalars=4, vectors=2)


SMALL = PairNetwork(waves=4, hidden=8)


def field(invariant: BiInvariant, nearest: int | None = None, **how) -> EquivariantField:
    return EquivariantField(4, 3, PoseSpace(invariant, 2, 2, nearest), 8, scalars=1, pairs=SMALL, **how)


def talk(invariant: BiInvariant, nearest: int | None = None, slices: int = 0) -> LatentAttention:
    return LatentAttention(8, PoseSpace(invariant, 2, 2, nearest), 2, slices=slices, pairs=SMALL)


def moving(invariant: BiInvariant, nearest: int | None = None, dimension: int = 2) -> LatentDynamics:
    return LatentDynamics(4, PoseSpace(invariant, dimension, 2, nearest), 8, 2, pairs=SMALL)


ENTRIES: dict[str, Entry] = {
    "equivariant field, translations": Entry(lambda: field(Offset()), source=LATENTS, target=QUERIES),
    "equivariant field, all motions": Entry(lambda: field(Components(), stem=2), source=LATENTS, target=QUERIES),
    "equivariant field, distances, nearest": Entry(lambda: field(Distance(), nearest=4), source=LATENTS, target=QUERIES),
    "equivariant field, oriented poses": Entry(lambda: field(Oriented()), source=LATENTS, target=QUERIES),
    "equivariant field, periodic": Entry(lambda: field(Periodic((2.0, 3.0))), source=LATENTS, target=QUERIES),
    "equivariant field, no symmetry": Entry(lambda: field(Absolute()), source=LATENTS, target=QUERIES),
    "equivariant field, 3-D, oriented poses, nearest": Entry(
        lambda: EquivariantField(4, 3, PoseSpace(Oriented(), 3, 2, nearest=5), 8, pairs=SMALL),
        source=Cloud(scalars=4, vectors=2, dimension=3),
        target=Cloud(scalars=0, dimension=3, sizes=(5, 1, 8)),
    ),
    "latent attention": Entry(lambda: talk(Components()), source=Cloud(scalars=8, vectors=2)),
    "latent attention, oriented, nearest": Entry(lambda: talk(Oriented(), nearest=4), source=Cloud(scalars=8, vectors=2)),
    "latent attention, nearest and slices": Entry(lambda: talk(Components(), nearest=4, slices=3), source=Cloud(scalars=8, vectors=2)),
    "latent dynamics, all motions": Entry(lambda: moving(Components()), source=LATENTS),
    "latent dynamics, oriented": Entry(lambda: moving(Oriented()), source=LATENTS),
    "latent dynamics, distances, nearest": Entry(lambda: moving(Distance(), nearest=4), source=LATENTS),
    "latent dynamics, translations": Entry(lambda: moving(Offset()), source=LATENTS),
    "latent dynamics, periodic": Entry(lambda: moving(Periodic((2.0, 3.0))), source=LATENTS),
    "latent dynamics, no symmetry": Entry(lambda: moving(Absolute()), source=LATENTS),
    "latent dynamics, 3-D, oriented": Entry(lambda: moving(Oriented(), dimension=3), source=Cloud(scalars=4, vectors=2, dimension=3)),
    "surface kernel": Entry(
        lambda: SurfaceKernel(3, 2, 5, width=8, heads=2),
        source=Cloud(scalars=3, vectors=1),
        target=Cloud(scalars=0, vectors=2, sizes=(5, 1, 8)),
    ),
    "surface kernel, nearest, 3-D": Entry(
        lambda: SurfaceKernel(3, 1, 5, width=8, heads=2, nearest=4),
        source=Cloud(scalars=3, vectors=1, dimension=3),
        target=Cloud(scalars=0, vectors=1, dimension=3, sizes=(5, 1, 8)),
    ),
}
