"""Forecasts of fields as moving clouds of posed latents: an equivariant neural field whose latents obey an ordinary differential equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..decoders.equivariant_field import EquivariantField
from ..encoders.posed_initial_state import PosedInitialState, orthonormal
from ..encoders.start_poses import Start, start_box, start_poses
from ..errors import ConfigurationError, NonFiniteError, ShapeError
from ..graph.pointset import PointSet
from ..layers.bi_invariants import Oriented, Periodic, bi_invariant
from ..layers.pose_attention import PairNetwork, PoseSpace
from ..layers.time_steps import State, check_method, integrate
from ..operators.latent_dynamics import LatentDynamics
from .trajectory import Trajectory

#: Steps of the equation over the training horizon, at least; there is at least one between two times that are asked for.
_STEPS = 5


class EnfForecast(nn.Module):
    """u(x, t) = f(x; z(t)), dz/dt = F(z), z(0) fitted to the initial frame (Knigge et al. 2024, arXiv 2406.06660, sec. 3).

    Frames are given at scattered points, different ones at every time if need be, and answered at any points: the number of points is nowhere a size.
    A forecast sees the initial frame and nothing later.

    Symmetry. Field, dynamics and the fit of the latents are equivariant for the group of the bi-invariant, so a forecast from latents that are moved is the
    moved forecast. For whole forecasts the start poses must move along: with ``start="box"``, as published, they stand where they stand, and equivariance
    holds if the caller moves them (argument ``start`` of :meth:`encode`). With ``centre`` they are placed about the field's own centre of squared
    deviations and whole forecasts commute with translations; with ``axes`` also turned to its principal axes, whose sense the third moments decide, and
    forecasts commute with rotations too. Axes jump where two principal moments are equal, or a third moment vanishes.

    Args:
        dimension: of space, 1 to 3.
        channels: of the field, scalars.
        latents: number, any.
        context: channels of each.
        width: of the field and of the dynamics.
        invariant: name of a bi-invariant; None takes ``periodic`` on a torus, ``oriented`` in space and ``components`` on the line.
        lengths: periods of the torus [m], one per axis; empty in free space.
        inner_steps: of the fit of the latents to the initial frame.
        layers: of message passing in the dynamics.
        method: of integration, see :func:`geoop.layers.time_steps.integrate`.
        second_order: whether training differentiates through the inner steps.
        start: where latents stand before the inner steps.

    Raises:
        ConfigurationError: sizes or names out of range; all problems in one error.
        MissingDependencyError: an adaptive method without torchdiffeq.
    """

    def __init__(
        self,
        dimension: int = 2,
        channels: int = 1,
        latents: int = 9,
        context: int = 16,
        width: int = 48,
        *,
        invariant: str | None = None,
        lengths: Sequence[float] = (),
        inner_steps: int = 3,
        layers: int = 3,
        method: str = "rk4",
        second_order: bool = True,
        start: Start = "box",
    ) -> None:
        super().__init__()
        chosen = invariant or ("periodic" if lengths else "oriented" if dimension > 1 else "components")
        self.arguments: dict[str, Any] = {"dimension": dimension, "channels": channels, "latents": latents, "context": context, "width": width}
        self.arguments |= {"invariant": chosen, "lengths": list(lengths), "inner_steps": inner_steps, "layers": layers}
        self.arguments |= {"method": method, "second_order": second_order, "start": start}
        _check(self.arguments)
        check_method(method)
        self.dimension, self.channels, self.count, self.lengths = dimension, channels, latents, tuple(float(x) for x in lengths)
        self.method = method
        self.start: Start = start
        inv = bi_invariant(chosen, self.lengths)
        vectors = dimension - 1 if isinstance(inv, Oriented) else dimension
        # on a torus invariants lie between -1 and 1 over a whole period, in space they are offsets in windows
        pairs = PairNetwork(frequencies=(0.3, 0.3) if self.lengths else (0.15, 0.15), hidden=width)
        space = PoseSpace(inv, dimension, vectors)
        self.decoder = EquivariantField(context, channels, space, width, pairs=pairs)
        self.encoder = PosedInitialState(context, space, steps=inner_steps, second_order=second_order)
        self.dynamics = LatentDynamics(context, space, width, layers, pairs=pairs)
        self.box: Tensor
        self.mean: Tensor
        self.scale: Tensor
        self.horizon: Tensor
        self.time_step: Tensor
        self.register_buffer("box", torch.tensor([[-0.5] * dimension, [0.5] * dimension]))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        self.register_buffer("horizon", torch.ones(()))
        self.register_buffer("time_step", torch.full((), 0.1))

    @torch.no_grad()
    def fit_frames(self, trajectories: Sequence[Trajectory]) -> None:
        """Box of the latents, mean and scale of the values, unit of time and step, from the training trajectories.

        Raises:
            ConfigurationError: no trajectory.
        """
        if not trajectories:
            raise ConfigurationError("no trajectory", where="EnfForecast.fit_frames", remedy="give at least one")
        frames = [_suited(f, self.dimension, self.channels) for t in trajectories for f in t.frames]
        values = torch.cat([f.scalars for f in frames]).double()
        self.mean.copy_(values.mean(dim=0))
        self.scale.copy_(values.std(dim=0).clamp_min(1e-12))
        self.horizon.copy_(torch.tensor(max(max(t.times[-1] - t.times[0] for t in trajectories), 1e-12)))
        self.time_step.copy_(self.horizon / _STEPS)
        if self.lengths:
            self.box.copy_(torch.tensor([[0.0] * self.dimension, self.lengths]))
        else:
            self.box.copy_(start_box(frames if self.start == "box" else [t.frames[0] for t in trajectories], self.start, self.scale))

    @torch.no_grad()
    def poses(self, frame: PointSet) -> PointSet:
        """(b L) start poses for the samples of a frame, see :data:`~geoop.encoders.start_poses.Start`: positions [m], vectors, weights."""
        return start_poses(frame, self.box, self.count, self.decoder.attention.space.vectors, self.start, self.scale)

    def encode(self, frame: PointSet, start: PointSet | None = None) -> PointSet:
        """(b L) latents z(0) of initial frames.

        Args:
            frame: points [m], ``scalars`` (n, c) values, ``weight`` quadrature weights; any number of samples and points.
            start: start poses; None takes :meth:`poses`.

        Raises:
            ShapeError: another dimension or number of channels. NonFiniteError: a value is NaN or infinite.
        """
        frame = _suited(frame, self.dimension, self.channels)
        scaled = frame.with_features(scalars=(frame.scalars - self.mean) / self.scale)
        return self.encoder(self.poses(frame) if start is None else start, scaled, self.unscaled)

    def advance(self, latents: PointSet, dt: float | Tensor, steps: int = 1) -> PointSet:
        """Latents after ``steps`` steps of ``dt`` [s], one for all samples or (b,) one for each. On a torus positions come back into the box.

        Raises:
            NonFiniteError: the equation ran away.
        """
        graph = self.dynamics.connect(latents, latents)
        shape = latents.vectors.shape

        def now(state: State) -> PointSet:
            return replace(latents, scalars=state[0], pos=state[1], vectors=state[2].view(shape) if len(state) > 2 else latents.vectors)

        def rate(state: State) -> State:
            found = self.dynamics(now(state), now(state), graph)
            rates = found.scalars, found.vectors[:, 0], found.vectors[:, 1:].flatten(1)
            return tuple(r / self.horizon for r in rates[: len(state)])

        def settle(state: State) -> State:
            return state[0], self._wrapped(state[1]), *(orthonormal(v.view(shape)).flatten(1) for v in state[2:])

        if isinstance(dt, Tensor) and dt.ndim:
            dt = dt.to(latents.pos)[latents.batch][:, None]
        turning = (latents.vectors.flatten(1),) if self.dynamics.spins else ()
        later = now(integrate(rate, (latents.scalars, latents.pos, *turning), dt, steps, self.method, settle))
        if not (torch.isfinite(later.scalars).all() and torch.isfinite(later.pos).all()):
            raise NonFiniteError(
                f"latents ran away within {steps} steps",
                where="EnfForecast.advance",
                remedy="forecast a shorter time or in shorter steps (times in between); in training lower rate and muon_rate",
            )
        return later

    def trace(self, latents: PointSet, times: Sequence[float] | Tensor) -> list[PointSet]:
        """Latents at times [s] after those given, in steps no longer than :attr:`time_step`.

        Args:
            latents: of b samples.
            times: (t,) not decreasing, 0 or later, for all samples; or (b, t) for each its own.

        Raises:
            ConfigurationError: other times.
        """
        found = []
        for gap in _gaps(times, latents.batch_size).T:
            steps = int(np.ceil(float(gap.max()) / float(self.time_step) * (1 - 1e-6)))
            same = bool((gap == gap[0]).all())
            latents = self.advance(latents, float(gap[0]) / steps if same else gap / steps, steps) if steps else latents
            found.append(latents)
        return found

    def field(self, latents: PointSet, points: PointSet, chunk: int | None = None) -> Tensor:
        """(n, c) values at any points, of as many samples as latents; in chunks of so many points, which bounds the memory and changes nothing else."""
        points = _suited(points, self.dimension)
        if chunk is not None and chunk < 1:
            raise ConfigurationError(f"chunks of {chunk} points", where="EnfForecast.field", remedy="at least one point, or chunk=None")
        size = chunk or max(len(points), 1)
        parts = [points.take(torch.arange(k, min(k + size, len(points)), device=points.pos.device)) for k in range(0, len(points), size)]
        if not parts:
            return points.pos.new_zeros(0, self.channels)
        return torch.cat([self.unscaled(latents, part) for part in parts]) * self.scale + self.mean

    def unscaled(self, latents: PointSet, points: PointSet) -> Tensor:
        """(n, c) values less :attr:`mean`, over :attr:`scale`."""
        bare = points.with_features(scalars=points.scalars[:, :0])
        return self.decoder(latents, bare, self.decoder.connect(latents, bare)).scalars

    def rollout(self, frame: PointSet, times: Sequence[float], queries: PointSet, chunk: int | None = None, start: PointSet | None = None) -> Tensor:
        """(t, n, c) values at times [s] after the frame and at any points; no later frame is seen.

        Args:
            frame: initial values, see :meth:`encode`.
            times: (t,) 0 or later, not decreasing.
            queries: points of as many samples as the frame.
            chunk: points decoded at once.
            start: start poses, see :meth:`encode`.
        """
        return torch.stack([self.field(latents, queries, chunk) for latents in self.trace(self.encode(frame, start), times)])

    def _wrapped(self, pos: Tensor) -> Tensor:
        # without an invariant that knows the torus a position must not jump by a period
        periodic = isinstance(self.decoder.attention.space.invariant, Periodic)
        return torch.remainder(pos, pos.new_tensor(self.lengths)) if periodic else pos


def _gaps(times: Sequence[float] | Tensor, batch: int) -> Tensor:
    """(b, t) from 0 and from each time to the next, of times (t,) or (b, t)."""
    given = torch.as_tensor(times, dtype=torch.float64)
    given = given.expand(batch, -1) if given.ndim == 1 else given
    if given.ndim != 2 or len(given) != batch:
        raise ConfigurationError(f"times {tuple(given.shape)} for {batch} samples", where="EnfForecast.trace", remedy="give times (t,) or (b, t)")
    gaps = given.diff(dim=1, prepend=torch.zeros(batch, 1, dtype=torch.float64))
    if not torch.isfinite(gaps).all() or bool((gaps < 0).any()):
        raise ConfigurationError(f"times {given.tolist()}", where="EnfForecast.trace", remedy="times of 0 or later that do not decrease")
    return gaps


def _suited(points: PointSet, dimension: int, channels: int | None = None) -> PointSet:
    """The points if they suit the model.

    Raises:
        ShapeError: another dimension or number of channels.
        NonFiniteError: a value is NaN or infinite.
    """
    if points.dimension != dimension or (channels is not None and points.scalars.shape[1] != channels):
        raise ShapeError(
            f"points in {points.dimension}-D with {points.scalars.shape[1]} channels for a model of {channels or 'any'} channels in {dimension}-D",
            where="EnfForecast",
            remedy="make the model for these frames: EnfForecast(dimension, channels)",
        )
    if not (torch.isfinite(points.pos).all() and torch.isfinite(points.scalars).all()):
        raise NonFiniteError("a frame holds NaN or infinite numbers", where="EnfForecast", remedy="leave out the points without a value")
    return points


def _check(arguments: dict[str, Any]) -> None:
    """All problems of the constructor's arguments in one error."""
    d, lengths = arguments["dimension"], arguments["lengths"]
    problems = [f"dimension {d}, not 1, 2 or 3"] if d not in (1, 2, 3) else []
    problems += [
        f"{name} {arguments[name]}, not positive" for name in ("channels", "latents", "context", "inner_steps", "layers") if arguments[name] < 1
    ]
    if arguments["width"] < 2 or arguments["width"] % 2:
        problems.append(f"width {arguments['width']}, not even")
    if arguments["start"] not in ("box", "centre", "axes"):
        problems.append(f"start '{arguments['start']}', not box, centre or axes")
    if lengths and (len(lengths) != d or min(lengths) <= 0 or arguments["start"] != "box"):
        problems.append(f"lengths {lengths} with start '{arguments['start']}': a torus has one positive period per axis, and no centre")
    if (arguments["invariant"] == "periodic") > bool(lengths):
        problems.append("a periodic field without lengths")
    if lengths and arguments["invariant"] not in ("periodic", "absolute"):
        problems.append(f"invariant '{arguments['invariant']}' does not know the torus")
    if d == 1 and arguments["invariant"] == "oriented":
        problems.append("oriented poses on a line")
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="EnfForecast", remedy="e.g. EnfForecast(2, 1, latents=9) or EnfForecast(1, 1, lengths=(1.0,))"
        )
