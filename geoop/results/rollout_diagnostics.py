"""What a rollout is worth, whatever made it: error, energy and divergence over time, phases and Strouhal numbers at probes, beside the truth and beside
predictors that do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ConfigurationError, FieldError, InvalidMeshError
from ..fem.evaluation import Places, evaluate, locate
from ..fem.space import Space
from ..mesh.case import Case, Series
from ..mesh.mesh import Mesh
from ..mesh.series_frames import require_frames
from .periodic_signals import frequency, phase_error

#: Share of the interval by which a frame of the truth may lie beside a predicted one.
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class FieldMeasure:
    """Integrals of fields on a mesh by finite elements, of the degree of the cells' geometry.

    Attributes:
        mesh: cells that fill a plane region or a solid.
    """

    mesh: Mesh

    @cached_property
    def space(self) -> Space:
        """The elements; quadratic where the cells are."""
        curved = any(name[-1].isdigit() for name in self.mesh.cells.names)
        return Space.of(self.mesh, 2 if curved else 1)

    def _unknowns(self, values: np.ndarray) -> np.ndarray:
        """(n, c) of values at the points of the mesh."""
        rows = np.asarray(values, dtype=np.float64).reshape(len(self.mesh.points), -1)
        return self.space.from_mesh_points @ rows

    def norm(self, values: np.ndarray) -> float:
        """L2 norm over the region of values (n,) or (n, d) at the points of the mesh."""
        parts = [self.space.at_quadrature(column) for column in self._unknowns(values).T]
        return float(np.sqrt(sum((self.space.quadrature_weights * part**2).sum() for part in parts)))

    def energy(self, velocity: np.ndarray) -> float:
        """1/2 int |u|^2 [m^(2+d)/s^2] of a velocity (n, d)."""
        return 0.5 * self.norm(velocity) ** 2

    def divergence(self, velocity: np.ndarray) -> float:
        """L2 norm over the region of div u of a velocity (n, d) [m^(d/2)/s]."""
        columns = self._unknowns(velocity).T
        total = sum(self.space.gradient_at_quadrature(column)[:, k] for k, column in enumerate(columns))
        return float(np.sqrt((self.space.quadrature_weights * total**2).sum()))

    def places(self, points: np.ndarray) -> Places:
        """Where points (k, d) [m] lie in the cells."""
        return locate(self.space.domain, np.atleast_2d(points))

    def at(self, values: np.ndarray, places: Places) -> np.ndarray:
        """(k, c) values there; NaN outside of the region."""
        return evaluate(self.space, self._unknowns(values), places)


@dataclass(frozen=True, eq=False)
class Probe:
    """A field's component at one point over time.

    Attributes:
        point: (d,) [m].
        strouhal: Strouhal number of the prediction, of all its frames; NaN where it does not swing.
        reference_strouhal: of the truth.
        times: (t,) of all frames of the prediction [s].
        phase_error: (t,) by how many periods of the truth the prediction is ahead then, NaN in the first and the last half period.
    """

    point: np.ndarray
    strouhal: float
    reference_strouhal: float
    times: np.ndarray
    phase_error: np.ndarray

    def phase_error_at(self, time: float) -> float:
        """In periods, between frames by a straight line; NaN where it is not known."""
        known = np.isfinite(self.phase_error)
        inside = known.any() and self.times[known][0] <= time <= self.times[known][-1]
        return float(np.interp(time, self.times[known], self.phase_error[known])) if inside else np.nan


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """A predicted series beside the truth.

    Attributes:
        quantity: name of the field.
        times: (t,) of the predicted frames that the truth has, too [s].
        error: (t,) L2 error over the L2 norm of the truth.
        change_error: (t,) over the norm of what changes in the truth: its deviation from its mean in time.
        persistence: (t,) relative error of standing still: the last given state for ever.
        identity: (t,) relative error of answering with the true frame one interval before, which a rollout never sees: what one step must beat.
        energy, reference_energy: (t,) of a velocity; empty for other fields.
        divergence, reference_divergence: (t,) L2 norms of the divergence, by the same elements; empty for other fields.
        probes: see :class:`Probe`.
    """

    quantity: str
    times: np.ndarray
    error: np.ndarray
    change_error: np.ndarray
    persistence: np.ndarray
    identity: np.ndarray
    energy: np.ndarray
    reference_energy: np.ndarray
    divergence: np.ndarray
    reference_divergence: np.ndarray
    probes: tuple[Probe, ...] = ()

    def rows(self) -> list[dict[str, float]]:
        """One row per frame, for tables and ``--json``."""
        names = ["error", "change_error", "persistence", "identity", "energy", "reference_energy", "divergence", "reference_divergence"]
        columns = {"time": self.times} | {name: getattr(self, name) for name in names if len(getattr(self, name))}
        columns |= {f"phase_error_{k}": np.array([probe.phase_error_at(t) for t in self.times]) for k, probe in enumerate(self.probes, start=1)}
        return [{key: float(column[k]) for key, column in columns.items()} for k in range(len(self.times))]


def diagnose(
    predicted: Series,
    reference: Series,
    quantity: str = "velocity",
    *,
    given: int = 0,
    probes: np.ndarray | Sequence[Sequence[float]] = (),
    component: int = -1,
    length: float | None = None,
) -> Diagnosis:
    """Compare a predicted series with the true one, frame by frame.

    Args:
        predicted: frames on one mesh; those beyond the truth's last count for the probes alone.
        reference: the truth on the same mesh: all frames from the last given one to the last that is compared.
        quantity: name of a point field.
        given: number of frames at the front of ``predicted`` that were given and not predicted.
        probes: (k, d) points [m], inside of the mesh.
        component: of a vector at the probes; the last one is across the stream in the plane.
        length: [m] of the Strouhal number; None takes that of the operating point, or 1.

    Raises:
        FieldError: a frame of the truth is missing for a predicted time, times are not equally spaced, a field is missing.
        InvalidMeshError: the connectivity changes, or the two series are on different meshes.
        ConfigurationError: probes outside of the mesh.
    """
    require_frames(predicted, "the prediction", quantities=(quantity,))
    require_frames(reference, "the truth", quantities=(quantity,))
    measure = FieldMeasure(predicted.cases[0].mesh)
    own, true, before = _pairs(predicted, reference, given)
    _same_mesh(own + true)
    values, truth = ([case.fields[quantity].values for case in cases] for cases in (own, true))
    vector = values[0].ndim == 2
    mean = np.mean([case.fields[quantity].values for case in reference.cases], axis=0)
    start = reference.cases[int(np.abs(reference.times - predicted.times[given - 1]).argmin())] if given else before[0]
    still, last = start.fields[quantity].values, [case.fields[quantity].values for case in before]
    sizes = np.array([measure.norm(v) for v in truth])
    swings = np.array([measure.norm(v - mean) for v in truth])

    def errors(rows: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([measure.norm(a - b) for a, b in zip(rows, truth, strict=True)])

    found = errors(values)
    flow: dict[str, Any] = {name: np.zeros(0) for name in ("energy", "reference_energy", "divergence", "reference_divergence")}
    if vector and values[0].shape[1] == measure.mesh.dimension:
        for prefix, rows in (("", values), ("reference_", truth)):
            flow[f"{prefix}energy"] = np.array([measure.energy(v) for v in rows])
            flow[f"{prefix}divergence"] = np.array([measure.divergence(v) for v in rows])
    times = np.array([case.time for case in own])
    least = 1e-300
    return Diagnosis(
        quantity,
        times,
        found / np.maximum(sizes, least),
        found / np.maximum(swings, least),
        errors([still] * len(truth)) / np.maximum(sizes, least),
        errors(last) / np.maximum(sizes, least),
        **flow,
        probes=_probes(measure, predicted, reference, quantity, np.asarray(probes, dtype=np.float64), component, length),
    )


def probe_signal(series: Series, quantity: str, points: np.ndarray, component: int = -1) -> np.ndarray:
    """(t, k) values of a field, of a vector one component, at points (k, d) [m] over time, by the shape functions of the cells.

    Raises:
        ConfigurationError: a point outside of the mesh.
        FieldError, InvalidMeshError: see :func:`~geoop.mesh.series_frames.require_frames`.
    """
    require_frames(series, quantities=(quantity,))
    return _signals(FieldMeasure(series.cases[0].mesh), series, quantity, np.atleast_2d(points), component)


def spectrum(case: Case, quantity: str, box: np.ndarray, resolution: int = 64, mean: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(k,) wave numbers [1/m] and (k,) energy per unit of wave number of a field in a box, resampled on a lattice.

    The lattice's values times a Hann window along every axis (whose loss of energy is made up for) are transformed; 1/2 |u^|^2 is summed over shells of
    equal |k|. What the box holds of the body counts as the mean. The integral over k is 1/2 the mean square of the field's deviation from its mean.

    Args:
        case: with the field at points.
        quantity: name.
        box: (2, d) lower and upper corner [m].
        resolution: nodes along the longest side.
        mean: (n,) or (n, d) at the points of the mesh, such as a mean in time, that is taken off; None takes off the mean over the box.

    Raises:
        ConfigurationError: a box without extent or beyond the mesh's bounds, or fewer than 8 nodes.
    """
    box, mesh = np.asarray(box, dtype=np.float64), case.mesh
    extent = np.ptp(box, axis=0) if box.shape == (2, mesh.dimension) else np.zeros(1)
    low, high = mesh.bounds
    if not (extent > 0).all() or resolution < 8 or (box[0] < low - 1e-9).any() or (box[1] > high + 1e-9).any():
        raise ConfigurationError(
            f"box {box.tolist()} with {resolution} nodes",
            where="spectrum",
            remedy=f"a box inside of {low.tolist()} to {high.tolist()}, 8 nodes or more",
        )
    counts = np.maximum(8, np.round(resolution * extent / extent.max()).astype(int))
    axes = [a + (np.arange(n) + 0.5) / n * width for a, n, width in zip(box[0], counts, extent, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, mesh.dimension)
    measure = FieldMeasure(mesh)
    item = np.asarray(case.field(quantity).values, dtype=np.float64)
    values = measure.at(item if mean is None else item - mean, measure.places(nodes))
    values = np.where(np.isfinite(values), values, np.nan)
    values = np.nan_to_num(values - np.nanmean(values, axis=0)) if mean is None else np.nan_to_num(values)
    grid = values.reshape(*counts, -1)
    for axis, n in enumerate(counts):
        window = np.hanning(n + 1)[:-1]
        shape = [1] * grid.ndim
        shape[axis] = n
        grid = grid * (window / np.sqrt((window**2).mean())).reshape(shape)
    power = 0.5 * (np.abs(np.fft.fftn(grid, axes=range(mesh.dimension)) / np.prod(counts)) ** 2).sum(axis=-1)
    waves = np.meshgrid(*[np.fft.fftfreq(n, width / n) for n, width in zip(counts, extent, strict=True)], indexing="ij")
    size, step = np.sqrt(sum(w**2 for w in waves)), 1.0 / extent.max()
    shell = np.round(size / step).astype(int).ravel()
    energy = np.bincount(shell, weights=power.ravel()) / step
    return step * np.arange(len(energy)), energy


def _pairs(predicted: Series, reference: Series, given: int) -> tuple[list[Case], list[Case], list[Case]]:
    """Predicted frames that the truth covers, the true ones, and the true ones one frame before."""
    times, interval = reference.times, float(np.diff(reference.times).mean()) if len(reference) > 1 else 1.0
    own, true, before, lost = [], [], [], []
    for when, case in zip(predicted.times[given:], predicted.cases[given:], strict=True):
        if when > times[-1] + _TOLERANCE * interval:
            continue
        k = int(np.abs(times - when).argmin())
        if abs(times[k] - when) > _TOLERANCE * interval or k == 0:
            lost.append(f"{when:.6g}")
            continue
        own.append(case)
        true.append(reference.cases[k])
        before.append(reference.cases[k - 1])
    if lost or not own:
        text = f"the truth has no frame (or none before it) at {', '.join(lost[:5])} s" if lost else "no predicted frame lies within the truth"
        raise FieldError(text, where="diagnose", remedy="give all frames of the truth from the last given one on, or at_times(reference, times)")
    return own, true, before


def _same_mesh(cases: Sequence[Case]) -> None:
    first = cases[0].mesh
    for case in cases:
        if case.mesh is not first and not np.array_equal(case.mesh.points, first.points):
            raise InvalidMeshError(
                f"frames at {cases[0].time:.6g} and {case.time or 0.0:.6g} s are on different points",
                where="diagnose",
                remedy="bring both series to one mesh first, e.g. result.at(mesh.points)",
            )


def _signals(measure: FieldMeasure, series: Series, quantity: str, points: np.ndarray, component: int) -> np.ndarray:
    places = measure.places(points)
    outside = np.flatnonzero(places.cells < 0)
    if len(outside):
        raise ConfigurationError(
            f"probes {points[outside].tolist()} lie outside of the mesh",
            where=measure.mesh.name,
            remedy="place probes in the fluid, e.g. in the wake",
        )
    rows = [measure.at(case.fields[quantity].values, places) for case in series.cases]
    return np.stack([row[:, component] if row.shape[1] > 1 else row[:, 0] for row in rows])


def _probes(
    measure: FieldMeasure, predicted: Series, reference: Series, quantity: str, points: np.ndarray, component: int, length: float | None
) -> tuple[Probe, ...]:
    if not points.size:
        return ()
    point = predicted.cases[0].operating_point
    span = length if length is not None else point.reference_length if point is not None and point.reference_length else 1.0
    scale = span / (1.0 if point is None else point.velocity)
    own, true = (_signals(measure, series, quantity, np.atleast_2d(points), component) for series in (predicted, reference))
    found = []
    for k, place in enumerate(np.atleast_2d(points)):
        f = frequency(reference.times, true[:, k], "harmonic")
        ahead = np.full(len(predicted), np.nan)
        if np.isfinite(f) and (reference.times[-1] - reference.times[0]) * f >= 1.0:
            ahead = phase_error(predicted.times, own[:, k], reference.times, true[:, k], predicted.times, frequency_of=f)
        found.append(Probe(place, frequency(predicted.times, own[:, k]) * scale, f * scale, predicted.times, ahead))
    return tuple(found)
