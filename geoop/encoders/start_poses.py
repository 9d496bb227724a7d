"""Where latents stand before they are fitted to a field: on a grid in a box, about the field's own centre, along its own axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..graph.pointset import PointSet
from .latent_poses import spread

#: In a box that stays; in a box about the field's own centre; in one that is also turned to the field's own axes.
Start = Literal["box", "centre", "axes"]

#: A box about a field reaches so many of its root mean square radii to every side.
_REACH = 1.5


def start_box(frames: Sequence[PointSet], start: Start, scale: Tensor) -> Tensor:
    """(2, d) lower and upper corner of the box of latents: that of all points, or one about 0 that is as large as the fields are in the mean.

    Args:
        frames: samples of fields.
        start: see :data:`Start`.
        scale: (c,) of the channels.
    """
    if start == "box":
        low, high = (torch.stack([getattr(f.pos, how)(dim=0).values for f in frames]) for how in ("min", "max"))
        return torch.stack([low.amin(dim=0), high.amax(dim=0)])
    second = torch.cat([field_moments(f, scale)[1] for f in frames])
    # along its axes a field is longest along the first
    spreads = torch.linalg.eigvalsh(second).flip(-1) if start == "axes" else second.diagonal(dim1=1, dim2=2)
    radius = _REACH * spreads.clamp_min(1e-12).sqrt().mean(dim=0)
    return torch.stack([-radius, radius])


def start_poses(frame: PointSet, box: Tensor, count: int, vectors: int, start: Start, scale: Tensor) -> PointSet:
    """(b count) poses for the samples of a frame: positions, ``vectors`` the first axes of the grid, ``weight`` the share of the box.

    Args:
        frame: fields, with quadrature weights.
        box: (2, d) from :func:`start_box`.
        count: latents per sample, any number.
        vectors: of every pose.
        start: see :data:`Start`.
        scale: (c,) of the channels.
    """
    grid = torch.from_numpy(_spread(box.detach().cpu().double().numpy(), count)).to(box)
    batch, d = frame.batch_size, frame.dimension
    weight = ((box[1] - box[0]).prod() / count).expand(batch * count)
    pos, axes = grid.expand(batch, -1, -1), torch.eye(d).to(grid).expand(batch, d, d)
    if start != "box":
        centre, second, away, mass = field_moments(frame, scale)
        if start == "axes":
            axes = _principal(second, away, mass, frame)
            pos = pos @ axes
        pos = pos + centre[:, None]
    turned = axes[:, None, :vectors].expand(batch, count, vectors, d)
    return PointSet(pos.flatten(0, 1), vectors=turned.flatten(0, 1), weight=weight, ptr=count * torch.arange(batch + 1, device=grid.device))


def field_moments(frame: PointSet, scale: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Moments of the squared deviations of fields from their median: centre (b, d), second moments (b, d, d), offsets (n, d) from the centre, and the
    masses (n,) of the points, which add up to 1 in every sample.

    The median is the level that a field falls to away from where something happens, on most of the points; it moves with no motion.
    """
    level = torch.stack([part.scalars.median(dim=0).values for part in frame.split()]).to(scale)
    mass = frame.weight * ((frame.scalars - level[frame.batch]) / scale).square().sum(dim=1)
    tiny = torch.finfo(mass.dtype).tiny
    mass = torch.where(_summed(mass, frame)[frame.batch] > tiny, mass, frame.weight)  # a constant field is everywhere alike
    mass = mass / _summed(mass, frame).clamp_min(tiny)[frame.batch]
    centre = _summed(mass[:, None] * frame.pos, frame)
    away = frame.pos - centre[frame.batch]
    return centre, _summed(mass[:, None, None] * away[:, :, None] * away[:, None, :], frame), away, mass


def _principal(second: Tensor, away: Tensor, mass: Tensor, frame: PointSet) -> Tensor:
    """(b, d, d) right-handed principal axes as rows, the longest first, each to the side of the larger third moment."""
    axes = torch.linalg.eigh(second.double()).eigenvectors.flip(-1).mT.to(second)
    along = torch.einsum("nd,nkd->nk", away, axes[frame.batch])
    skew = _summed(mass[:, None] * along**3, frame)
    axes = axes * torch.where(skew < 0, -1.0, 1.0).to(axes)[:, :, None]
    handed = torch.linalg.det(axes).sign() if axes.shape[1] > 1 else axes.new_ones(len(axes))  # on a line there is nothing but the side
    return torch.cat([axes[:, :-1], axes[:, -1:] * handed[:, None, None]], dim=1)


def _summed(values: Tensor, frame: PointSet) -> Tensor:
    return values.new_zeros(frame.batch_size, *values.shape[1:]).index_add(0, frame.batch, values)


def _spread(box: np.ndarray, count: int) -> np.ndarray:
    """(count, d) points that fill a box evenly, on a line too."""
    if box.shape[1] > 1:
        return spread(box, count)
    return box[0] + (np.arange(count)[:, None] + 0.5) / count * (box[1] - box[0])
