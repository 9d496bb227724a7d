"""One shape as a field: latents on its skin, whose contexts and network are fitted to its signed distance."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn

from ..errors import ConfigurationError, NonFiniteError
from ..graph.pointset import PointSet
from ..io.reading import read_case
from ..mesh.body import body
from ..mesh.cloud_skin import CloudSkin
from ..mesh.facet_points import spread_out
from ..mesh.mesh import Mesh
from ..mesh.skin import Skin, SurfaceSkin
from ..models.local_shape_field import LocalShapeField
from ..results.encoded_shape import EncodedShape, ShapeFrame
from ..results.shape_deviation import ShapeDeviation, measure
from .muon import MuonAdamW
from .progress import Budget
from .task import Schedule

#: Shares of the samples along the normal and in any direction, and their distances from the skin, in its length: log-uniform between these.
_ALONG, _ALONG_RANGE, _AROUND_RANGE = 0.75, (1e-4, 0.1), (0.02, 0.6)
#: Samples that are drawn in one go, and that are kept at most.
_DRAWN, _KEPT = 4096, 400_000
#: Of the time: for exact distances of new samples.
_SAMPLING = 0.2
#: The ball in which the field is fitted reaches this much beyond the body, in its length.
_MARGIN = 0.4
#: Candidates for latents per latent.
_CANDIDATES = 12


@dataclass(frozen=True)
class EncodeSettings:
    """How one shape is fitted.

    Attributes:
        minutes, steps: the budget, one of them; the schedule is a share of it.
        latents: number; None chooses by the number of facets or points.
        context, width, nearest: sizes of the field, see :class:`~geoop.models.local_shape_field.LocalShapeField`.
        points: samples per step.
        rate, muon_rate, context_rate: peak rates of the network's vectors, its matrices, and the contexts.
        near: distance, over the length, below which errors count fully; beyond they count less, as near/|d|.
        seed: of weights and samples.
        checked, resolution: points, and cells along the longest side, by which the deviation is measured, see :func:`~geoop.results.shape_deviation.measure`.
    """

    minutes: float | None = None
    steps: int | None = None
    latents: int | None = None
    context: int = 16
    width: int = 48
    nearest: int = 6
    points: int = 2048
    rate: float = 2e-3
    muon_rate: float = 1.5e-2
    context_rate: float = 1e-2
    near: float = 5e-3
    seed: int = 0
    checked: int = 4096
    resolution: int | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.minutes, self.steps) if value is not None]
        sizes = (self.context, self.width, self.nearest, self.points, self.rate, self.muon_rate, self.context_rate, self.near)
        if len(given) != 1 or not min(*given, *sizes) > 0 or (self.latents is not None and self.latents < 2):
            raise ConfigurationError(f"{self}", where="geoop.encode", remedy="a positive budget, minutes=3 or steps=2000; two latents at least")


def encode(
    shape: Mesh | str | os.PathLike[str],
    *,
    normals: np.ndarray | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    latents: int | None = None,
    context: int = 16,
    thickness: float = 5e-3,
    unit: str | None = None,
    chord: float | None = None,
    seed: int = 0,
    progress: bool = False,
) -> EncodedShape:
    """Fit the signed distance of one shape as an equivariant neural field.

    Args:
        shape: outline, surface, volume mesh (its walls), or point cloud with normals; or the path of a file.
        normals: (n, d) outward normals of a point cloud; unless given those of its file (a vector field called normals).
        minutes: of the fit, 2 unless given; steps: in its place, for results that can be repeated to the last bit.
        latents: number; chosen by the size of the file unless given.
        context: channels of each latent.
        thickness: of sheets, which have the outside on both sides, over the length of the shape; 0 leaves them out.
        unit, chord: of the file, as for :func:`geoop.read`.
        seed: of weights and samples.
        progress: show a bar.

    Raises:
        InvalidMeshError: no surface, no area, or a cloud without normals.
        ConfigurationError: sizes or budgets that are not positive.
        NonFiniteError: the loss became NaN or infinite.
        The errors of :func:`geoop.read` for a path.
    """
    settings = EncodeSettings(2.0 if minutes is None and steps is None else minutes, steps, latents, context, seed=seed)
    source = "" if isinstance(shape, Mesh) else str(shape)
    skin, patches = _skin_of(shape, normals, thickness, unit, chord)
    return fit_skin(skin, settings, {"source": source, "unit": unit or "m", "patches": patches}, progress=progress)


def fit_skin(skin: Skin, settings: EncodeSettings, about: Mapping[str, Any] | None = None, *, progress: bool = False) -> EncodedShape:
    """Fit the signed distance to a skin, and measure how far it is off, before and after.

    Args:
        skin: of the body.
        settings: sizes, budget, rates.
        about: what the file is to say beside what is found here; plain data.
        progress: show a bar.
    """
    run = _Run(skin, settings)
    known = dict(about or {}) | {"name": skin.name, "verdict": skin.verdict, "findings": dict(skin.findings), "settings": asdict(settings)}
    control = run.deviation()
    with Budget(f"encoding {skin.name}", progress) as bar:
        while run.progress < 1.0:
            run.step()
            bar.update(run.progress, f"error {run.error * skin.length:.2e} m")
    known |= {"seconds": run.elapsed, "steps": run.number, "samples": run.drawn, "latents": len(run.poses), "control": control.to_dict()}
    known |= {"parameters": sum(p.numel() for p in run.field.parameters()) + run.table.numel()}
    return run.shape(known | {"deviation": run.deviation().to_dict()})


class _Run:
    """The fit of one shape: field, contexts, optimisers, samples, clock."""

    def __init__(self, skin: Skin, settings: EncodeSettings) -> None:
        self.skin, self.settings = skin, settings
        self.rng = np.random.default_rng(settings.seed)
        count = settings.latents or _latents(skin)
        self.poses, self.frame = _poses(skin, count, self.rng)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.field = LocalShapeField(skin.dimension, settings.context, width=settings.width, nearest=settings.nearest)
            self.table = nn.Parameter(0.01 * torch.randn(len(self.poses), settings.context))
        self.schedule = Schedule(settings.steps, settings.minutes, None, settings.rate, settings.muon_rate)
        self.optimizers = [
            MuonAdamW(self.field, settings.rate, settings.muon_rate, 0.0, exclude=("head.layers.4",)),
            MuonAdamW(nn.ParameterList([self.table]), settings.context_rate, exclude=("",)),
        ]
        self.x, self.target, self.drawn, self.sampling = torch.zeros(0, skin.dimension), torch.zeros(0, 1), 0, 0.0
        self.number, self.elapsed, self.clock, self.error = 0, 0.0, time.perf_counter(), 0.0

    @property
    def progress(self) -> float:
        s = self.settings
        return self.number / s.steps if s.steps is not None else self.elapsed / (60.0 * (s.minutes or 1.0))

    def shape(self, about: Mapping[str, Any]) -> EncodedShape:
        """The field as it is now."""
        latents = self.poses.with_features(scalars=self.table.detach().clone())
        return EncodedShape(copy.deepcopy(self.field), latents, self.frame, about)

    def deviation(self) -> ShapeDeviation:
        """How far the field is off now."""
        return measure(self.shape({}), self.skin, resolution=self.settings.resolution, count=self.settings.checked)

    def step(self) -> None:
        s = self.settings
        if self.number == 0:
            self.clock = time.perf_counter()
        due = self.number % 20 == 0 if s.steps is not None else self.sampling <= _SAMPLING * self.elapsed
        if self.drawn < 2 * _DRAWN or due:
            self.draw()
        rows = torch.from_numpy(self.rng.integers(0, len(self.x), s.points))
        for optimizer in self.optimizers:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * self.schedule.factor(self.progress)
        loss = self.loss(self.x[rows], self.target[rows])
        if not torch.isfinite(loss):
            raise NonFiniteError(f"the loss is {float(loss)} at step {self.number}", where=self.skin.name, remedy="another seed, or lower rates")
        loss.backward()
        nn.utils.clip_grad_norm_(self.field.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        now = time.perf_counter()
        self.elapsed, self.clock, self.number = self.elapsed + now - self.clock, now, self.number + 1

    def loss(self, x: Tensor, target: Tensor) -> Tensor:
        """Mean error over the distance, which near the skin is the error itself."""
        near = self.settings.near
        latents = self.poses.with_features(scalars=self.table)
        weight = near / (target.abs() + near)
        error = (self.field(latents, PointSet(x)) - target) * weight
        self.error = 0.98 * self.error + 0.02 * float(error.detach().abs().mean()) if self.number else float(error.detach().abs().mean())
        # absolute beyond a fiftieth of `near`, square below: kinks of the distance do not drown the rest, and the fit comes to rest
        small = 0.02 * near
        return ((error.square() + small**2).sqrt() - small).mean() / near + 1e-6 * self.table.square().mean()

    def draw(self) -> None:
        """New samples with exact distances, in place of the oldest where there are many."""
        start, rng, skin = time.perf_counter(), self.rng, self.skin
        found = skin.sample(_DRAWN, rng)
        along = rng.random(_DRAWN) < _ALONG
        (a, b), (c, d) = np.log(_ALONG_RANGE), np.log(_AROUND_RANGE)
        away = np.exp(np.where(along, rng.uniform(a, b, _DRAWN), rng.uniform(c, d, _DRAWN)))
        turn = rng.standard_normal((_DRAWN, skin.dimension))
        turn = np.where(along[:, None], np.eye(skin.dimension)[0] * np.sign(turn[:, :1]), turn / np.linalg.norm(turn, axis=1, keepdims=True))
        axes = np.concatenate([found.normals[:, None], found.tangents], axis=1)
        # directions in axes of the sample's own, so that samples turn and move with the body
        points = found.points + (away * skin.length)[:, None] * np.einsum("nk,nkd->nd", turn, axes)
        x = torch.from_numpy(self.frame.into(points).astype(np.float32))
        target = torch.from_numpy((skin.distance(points) / skin.length).astype(np.float32))[:, None]
        kept = slice(max(0, len(self.x) + _DRAWN - _KEPT), None)
        self.x, self.target = torch.cat([self.x[kept], x]), torch.cat([self.target[kept], target])
        self.drawn += _DRAWN
        self.sampling += time.perf_counter() - start


def _latents(skin: Skin) -> int:
    """More for larger files."""
    size = len(skin.skin.cells) if isinstance(skin, SurfaceSkin) else len(skin.points) if isinstance(skin, CloudSkin) else 1024
    if skin.dimension == 2:
        return int(np.clip(size // 2, 32, 256))
    return int(np.clip(256 * 2 ** round(np.log2(max(size, 1) / 500) / 2), 256, 4096))


def _poses(skin: Skin, count: int, rng: np.random.Generator) -> tuple[PointSet, ShapeFrame]:
    """Latents that are far apart in place and direction: both faces of a thin part get theirs, and a sharp edge gets more than a flat.

    Distances are |x - y|^2 + (s |n - m|)^2 with s the spacing that the area allows."""
    found = skin.sample(_CANDIDATES * count, rng)
    spacing = (skin.area / count) ** (1.0 / (skin.dimension - 1))
    place = np.concatenate([found.points - skin.origin, spacing * found.normals], axis=1) / skin.length
    chosen = spread_out(place, count)
    near = cKDTree(place[chosen]).query(place[chosen], k=min(3, count))[0][:, 1:].mean(axis=1)
    window = np.maximum(near, 1e-3 * spacing / skin.length) ** skin.dimension
    x = (found.points - skin.origin) / skin.length
    frame = ShapeFrame(
        tuple(skin.origin.tolist()), skin.length, tuple(x.min(axis=0).tolist()), tuple(x.max(axis=0).tolist()),
        float(np.linalg.norm(x, axis=1).max()) + _MARGIN,
    )  # fmt: skip
    pos, vectors, weight = (torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)) for v in (x[chosen], found.normals[chosen][:, None], window))
    return PointSet(pos, vectors=vectors, weight=weight), frame


def _skin_of(
    shape: Mesh | str | os.PathLike[str], normals: np.ndarray | None, thickness: float, unit: str | None, chord: float | None
) -> tuple[Skin, list[str]]:
    """The skin of a mesh or file, and the names of its patches."""
    if isinstance(shape, Mesh):
        mesh = shape
    else:
        case = read_case(shape, unit=unit, chord=chord)
        mesh = case.mesh
        if normals is None and mesh.is_cloud:
            own = [f.values for name, f in case.fields.items() if name.lower() in ("normal", "normals") and f.values.shape == mesh.points.shape]
            normals = own[0] if own else None
    if mesh.is_cloud and normals is not None:
        return CloudSkin(mesh.points, normals, mesh.name), []
    surface = mesh if mesh.is_surface or mesh.is_cloud else body(mesh)
    return SurfaceSkin(surface, thickness), sorted(surface.patches)
