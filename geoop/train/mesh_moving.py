"""Training of a mesh mover: by the Monge-Ampere equation alone, or by the places where another mover put the points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigurationError, ShapeError
from ..graph.pointset import PointSet
from ..models.cosine_potential import sampled
from ..models.mesh_mover import AbstractMeshMover, UnrolledMover
from .loop import Loop, LoopSettings

#: Determinants and traces below this count as folded.
FOLDED = 0.05


@dataclass(frozen=True)
class MovingSettings(LoopSettings):
    """How a mover is trained; a sample is a monitor, and ``points`` are the places of the square where the equation is asked for.

    Attributes:
        cloud: points of the clouds on which the branch is given monitors, at least; up to four times as many are drawn.
        folding: weight of the penalty on folded places.
    """

    batch: int = 6
    points: int = 1024
    rate: float = 2e-3
    muon_rate: float = 4e-3
    cloud: int = 1000
    folding: float = 10.0

    def __post_init__(self) -> None:
        if not self.sound() or min(self.cloud, self.folding) <= 0:
            raise ConfigurationError(f"{self}", where="MovingSettings", remedy="exactly one positive budget, e.g. cpu_minutes=6, and positive sizes")


def monge_ampere_residual(model: AbstractMeshMover, latent: Tensor, log_monitor: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of the Monge-Ampere equation at places of the unit square, and how far they are folded.

    Args:
        model: that moves.
        latent: (b, ...) of :meth:`AbstractMeshMover.encode`.
        log_monitor: (b, m, m) log m at the cell-centred nodes of a lattice.
        points: (b, q, 2) places, or (1, q, 2) the same for all.

    Returns:
        (b, q) log(m det(I + H phi)/integral of m), and (b, q) by how much determinant or trace fall short of :data:`FOLDED`; both of them, since two
        negative eigenvalues have a positive product.
    """
    x = points + model.displacement(latent, points)
    jacobian = model.hessian(latent, points) + torch.eye(2, dtype=points.dtype, device=points.device)
    determinant, trace = torch.linalg.det(jacobian), jacobian.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    total = log_monitor.exp().mean(dim=(1, 2)).log()
    residual = sampled(log_monitor, x) + determinant.clamp_min(FOLDED).log() - total[:, None]
    return residual, (FOLDED - determinant).clamp_min(0) + (FOLDED - 0.5 * trace).clamp_min(0)


def fit_mover(
    model: AbstractMeshMover,
    log_monitors: np.ndarray,
    settings: MovingSettings,
    *,
    targets: np.ndarray | None = None,
    state: Path | None = None,
    progress: bool = True,
) -> list[tuple[float, float]]:
    """Train a mover, in place. Ends with an average of the weights.

    Without targets the loss is the mean square of log(m det(I + H phi)/integral of m) at random places, data-free as in Hu et al. 2024 (arXiv
    2312.05583), whose quotient is replaced by its logarithm: a place where det is twice too large counts as one where it is half. With targets it is UM2N's
    (Zhang et al. 2024, arXiv 2407.00382): distances between nodes and relative differences of the areas between them. Monitors are mirrored and turned
    at random, and given to the branch on random clouds, or on their lattice where the model has one.

    Args:
        model: that is trained.
        log_monitors: (count, m, m) log m at cell-centred nodes of the unit square, such as :func:`geoop.train.monitor_family.drawn_monitors`.
        settings: budget and rates.
        targets: (count, n, n, 2) places of the nodes (i/(n-1), j/(n-1)), from a classical mover for the same monitors.
        state: file from which an interrupted training goes on, and where it keeps itself; None keeps nothing.
        progress: show a bar.

    Returns:
        (share of the budget, loss) of every twentieth step.

    Raises:
        ShapeError: monitors are no square lattices, or there is not a target for each.
        NonFiniteError: the loss became NaN or infinite.
        CheckpointError: the state on disk is damaged, of another model or of other settings.
    """
    monitors = torch.from_numpy(np.asarray(log_monitors, dtype=np.float32))
    square = monitors.ndim == 3 and monitors.shape[1] == monitors.shape[2] and len(monitors)
    places = None if targets is None else torch.from_numpy(np.asarray(targets, dtype=np.float32))
    fits = places is None or (places.ndim == 4 and len(places) == len(monitors) and places.shape[1] == places.shape[2] and places.shape[3] == 2)
    if not square or not fits or not bool(torch.isfinite(monitors).all()):
        raise ShapeError(
            f"monitors {tuple(monitors.shape)}, targets {None if places is None else tuple(places.shape)}",
            where="fit_mover",
            remedy="give finite (count, m, m) values of log m, and (count, n, n, 2) places or none",
        )
    return _Moving(model, monitors, places, settings).run(state, progress=progress)


class _Moving(Loop):
    words = "mesh mover"

    def __init__(self, model: AbstractMeshMover, monitors: Tensor, targets: Tensor | None, settings: MovingSettings) -> None:
        super().__init__(model, settings, ("factors", "lift", "reading", "layers.0", "layers.4"))
        self.mover, self.monitors, self.targets, self.how = model, monitors, targets, settings

    def identity(self) -> dict[str, Any]:
        return {"model": self.mover.arguments, "monitors": list(self.monitors.shape), "targets": self.targets is not None}

    def loss(self, draw: torch.Generator) -> Tensor:
        s = self.how
        rows = torch.randint(len(self.monitors), (s.batch,), generator=draw)
        turn = int(torch.randint(8, (), generator=draw))
        monitors = _turned(self.monitors[rows], turn)
        latent, missed = self._encoded(monitors, draw)
        if self.targets is not None:
            return _away(self.mover, latent, _turned_places(self.targets[rows], turn)) + missed
        points = torch.rand(1, s.points, 2, generator=draw)  # the same places for all samples
        residual, folded = monge_ampere_residual(self.mover, latent, monitors, points)
        return residual.square().mean() + s.folding * folded.mean() + missed

    def _encoded(self, monitors: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents, and the mean square by which log m was misread from a cloud, where it is read onto a lattice."""
        b = len(monitors)
        if not isinstance(self.mover, UnrolledMover):
            counts = torch.randint(self.how.cloud, 2 * self.how.cloud, (b,), generator=draw)
            return self.mover.encode(
                PointSet.concatenate([_weighed_cloud(m, int(n), draw) for m, n in zip(monitors, counts, strict=True)])
            ), monitors.new_zeros(())
        n = int(torch.randint(self.how.cloud, 4 * self.how.cloud, (), generator=draw))
        read = self.mover.on_lattice(_cloud(monitors[0], n, draw))
        nodes = self.mover.monitor_nodes
        places = (torch.arange(nodes) + 0.5) / nodes
        lattice = torch.stack(torch.meshgrid(places, places, indexing="ij"), dim=-1)
        return self.mover.solve(monitors), (read - sampled(monitors[:1], lattice[None])).square().mean()


def _weighed_cloud(log_monitor: Tensor, count: int, draw: torch.Generator) -> PointSet:
    """About ``count`` points with log m, one in each cell of a lattice that is denser here and sparser there, and the areas of the cells as weights.

    What sums over the points of a mesh with its own quadrature weights sees meshes that are graded and irregular, and errors of a quadrature rule, not those
    of random numbers, which are larger by the root of their number.
    """
    n = max(2, round(count**0.5 * 2 ** float(torch.rand((), generator=draw) - 0.5)))
    shape = (n, max(2, round(count / n)))
    lines = []
    for size in shape:
        bend, phase = 0.8 * torch.rand((), generator=draw), torch.rand((), generator=draw).round()
        share = torch.linspace(0, 1, size + 1)
        lines.append(share + (bend * (2 * phase - 1)) * torch.sin(2 * torch.pi * share) / (2 * torch.pi))  # increasing, from 0 to 1
    sides = [line.diff() for line in lines]
    jitter = torch.rand(*shape, 2, generator=draw)
    x = lines[0][:-1, None] + jitter[..., 0] * sides[0][:, None]
    y = lines[1][None, :-1] + jitter[..., 1] * sides[1][None]
    pos, weight = torch.stack([x, y], dim=-1).reshape(-1, 2), torch.outer(*sides).reshape(-1)
    return PointSet(pos, sampled(log_monitor[None], pos[None])[0][:, None], weight=weight)


def _cloud(log_monitor: Tensor, count: int, draw: torch.Generator) -> PointSet:
    """Random points with log m, each standing for an equal share of the square."""
    pos = torch.rand(count, 2, generator=draw)
    return PointSet(pos, sampled(log_monitor[None], pos[None])[0][:, None], weight=torch.full((count,), 1.0 / count))


def _turned(values: Tensor, turn: int) -> Tensor:
    """(b, n, n, ...) in one of the eight positions of the square: mirrored in x, in y, and in the diagonal."""
    values = values.flip(1) if turn & 1 else values
    values = values.flip(2) if turn & 2 else values
    return values.transpose(1, 2) if turn & 4 else values


def _turned_places(places: Tensor, turn: int) -> Tensor:
    """(b, n, n, 2): nodes and their coordinates in another position of the square."""
    flipped = torch.stack([1 - places[..., k] if turn & (1 << k) else places[..., k] for k in (0, 1)], dim=-1)
    return _turned(flipped.flip(-1) if turn & 4 else flipped, turn)


def _away(model: AbstractMeshMover, latent: Tensor, targets: Tensor) -> Tensor:
    """Mean square distance from the targets, in spacings, and mean square of the relative difference of areas."""
    b, n = targets.shape[:2]
    place = torch.linspace(0, 1, n)
    points = torch.stack(torch.meshgrid(place, place, indexing="ij"), dim=-1).reshape(1, -1, 2).expand(b, -1, -1)
    found = (points + model.displacement(latent, points)).reshape(targets.shape)
    areas, wanted = _areas(found), _areas(targets)
    return ((found - targets) * (n - 1)).square().sum(dim=-1).mean() + ((areas - wanted) / wanted.clamp_min(0.05 / (n - 1) ** 2)).square().mean()


def _areas(places: Tensor) -> Tensor:
    """(b, n - 1, n - 1) signed areas of the quads between nodes (b, n, n, 2)."""
    one, other = places[:, 1:, 1:] - places[:, :-1, :-1], places[:, :-1, 1:] - places[:, 1:, :-1]
    return 0.5 * (one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])
