"""What a place near a body knows of itself in numbers that no motion changes, and the vectors that move with it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .sites import SCALES, Sites


@dataclass(frozen=True, eq=False)
class InvariantSites:
    """Places near a body, seen by dot products alone.

    Attributes:
        scalars: (n, f) invariants: logarithms and shares of the distances to the wall, to the middle and to the ends of the body, what the surface says of
            itself at the closest point, and the products of all pairs of :attr:`vectors`.
        vectors: (n, k, d) gradient of the distance, normal at the closest point, the way from the middle of the body and from there to the closest point,
            the ways from the ends, and the given directions: they turn, and mirror, with everything else, and span what a vector field is made of.
    """

    scalars: Tensor
    vectors: Tensor

    @classmethod
    def of(cls, site: Sites, middle: Tensor, directions: Tensor, *, ends: bool) -> InvariantSites:
        """From what is known of places.

        Args:
            site: the places; ``site.scalars`` must not change in a mirror.
            middle: (n, d) middle of the body that each place belongs to.
            directions: (n, m, d) global vectors, such as the free stream and the axes of the body.
            ends: the body has ends at (-1/2, 0, ..) and (1/2, 0, ..).
        """
        d = site.distance.abs()[:, None]
        wall = [torch.log(d / 3e-4 + 1) / 2 - 1, torch.log(d + 1e-5) / 4 + 1.5, *(site.distance[:, None] / (d + scale) for scale in SCALES)]
        away, inward = site.pos - middle, site.closest - middle
        radius = away.norm(dim=1, keepdim=True)
        vectors = [site.gradient, site.normal, away / (1 + radius.square()).sqrt(), inward]
        for sign in (-0.5, 0.5) if ends else ():
            offset = site.pos - sign * torch.eye(site.pos.shape[1], dtype=site.pos.dtype, device=site.pos.device)[0]
            length = (offset.square().sum(dim=1, keepdim=True) + 1e-14).sqrt()
            vectors += [offset / (length + 0.03), offset / (length + 1e-6)]
            wall += [(torch.log(length + 1e-3) + 2) / 2, (torch.log(length + 1e-6) + 6) / 4]
        stacked = torch.cat([torch.stack(vectors, dim=1), directions], dim=1)
        gram = stacked @ stacked.mT
        i, j = torch.triu_indices(gram.shape[1], gram.shape[1], 1, device=gram.device)
        return cls(torch.cat([*wall, 1 / (1 + radius), inward.norm(dim=1, keepdim=True), gram[:, i, j], site.scalars], dim=1), stacked)

    @staticmethod
    def counts(directions: int, scalars: int, *, ends: bool) -> tuple[int, int]:
        """Numbers of invariants and of vectors."""
        vectors = 4 + 4 * ends + directions
        return 2 + len(SCALES) + 4 * ends + 2 + vectors * (vectors - 1) // 2 + scalars, vectors
