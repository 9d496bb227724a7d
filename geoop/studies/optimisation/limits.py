"""What a section must keep while it is improved: thickness, area, nose radius, edge angle, and its place within what a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...errors import ConfigurationError
from ...interfaces.verdict import Level
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.section_shapes import ChordwiseRing
from ...results.surrogate import Surrogate
from ...scaling.envelope import QUANTILES, TrainingEnvelope

_STATIONS = np.concatenate([[0.005, 0.01, 0.02], np.linspace(0.05, 0.95, 31), [0.98]])
#: Share of the start's own thickness that is kept everywhere, so that the sides never meet.
LEAST_SHARE = 0.3
_EDGE = 0.02
_USUAL_EDGE = 5.5


@dataclass(frozen=True, eq=False)
class SectionMeasures:
    """Thickness and camber along the chord of one section.

    Attributes:
        upper, lower: (k,) heights of both sides over the chord at fixed stations.
        gap: width of the base over the chord. area: over the square of the chord. chord: [m].
    """

    upper: np.ndarray
    lower: np.ndarray
    gap: float
    area: float
    chord: float

    @classmethod
    def of(cls, section: Mesh) -> SectionMeasures:
        """Measure a section.

        Raises:
            InvalidMeshError: not one closed outline.
        """
        ring = ChordwiseRing.of(section)
        order = np.argsort(ring.along, kind="stable")
        sides = []
        for side in (1, -1):
            mine = order[(ring.side[order] == side) | (ring.side[order] == 0)]
            if side > 0:  # at the base each side has its own end
                mine = mine[(ring.side[mine] != 0) | (ring.along[mine] < 0.5) | (ring.height[mine] >= 0)]
            else:
                mine = mine[(ring.side[mine] != 0) | (ring.along[mine] < 0.5) | (ring.height[mine] <= 0)]
            sides.append(np.interp(_STATIONS, ring.along[mine], ring.height[mine]))
        ends = ring.height[(ring.side == 0) & (ring.along > 0.5)]
        x, y = ring.points.T / ring.chord
        area = 0.5 * float(np.sum((x - x[0]) * (np.roll(y, -1) - y[0]) - np.roll(x - x[0], -1) * (y - y[0])))
        return cls(sides[0], sides[1], float(np.ptp(ends)) if len(ends) else 0.0, area, ring.chord)

    @property
    def thickness(self) -> np.ndarray:
        """(k,) at the stations, over the chord."""
        return self.upper - self.lower

    @property
    def thickest(self) -> float:
        """Largest thickness over the chord, by a smooth mean of the largest ones."""
        t = self.thickness
        share = np.exp((t - t.max()) / 2e-4)
        return float((share * t).sum() / share.sum())

    @property
    def camber(self) -> tuple[float, float]:
        """Largest camber, and where."""
        middle = 0.5 * (self.upper + self.lower)
        k = int(np.argmax(middle))
        return float(middle[k]), float(_STATIONS[k])

    @property
    def nose_radius(self) -> float:
        """Of the parabola through the thickness at 1 % of the chord, over the chord."""
        return float(np.interp(0.01, _STATIONS, self.thickness) ** 2 / 0.08)

    @property
    def edge_angle(self) -> float:
        """Between the sides over the last 2 % of the chord [deg]."""
        return float(np.degrees(2 * np.arctan(0.5 * (self.thickness[-1] - self.gap) / _EDGE)))

    def at(self, station: float) -> float:
        """Thickness at x/c, over the chord."""
        return float(np.interp(station, _STATIONS, self.thickness))


@dataclass(frozen=True, eq=False)
class GeometryLimits:
    """Bounds on a section; margins are positive where they hold, of the order of one where they are far from binding.

    Attributes:
        start: measures of the first section.
        thickness: (x/c, least t/c) pairs. max_thickness, area, nose_radius, edge_angle: least values, None for none.
    """

    start: SectionMeasures
    thickness: tuple[tuple[float, float], ...] = ()
    max_thickness: float | None = None
    area: float | None = None
    nose_radius: float | None = None
    edge_angle: float | None = None

    @property
    def least_edge(self) -> float:
        """[deg] what is asked of the trailing edge."""
        return min(_USUAL_EDGE, self.start.edge_angle) if self.edge_angle is None else self.edge_angle

    def margins(self, section: Mesh) -> dict[str, float]:
        """Name of every bound -> its margin."""
        found = SectionMeasures.of(section)
        rows = {f"thickness at {x:g}": (found.at(x) - least) / least for x, least in self.thickness}
        if self.max_thickness is not None:
            rows["largest thickness"] = (found.thickest - self.max_thickness) / self.max_thickness
        if self.area is not None:
            rows["area"] = (found.area - self.area) / self.area
        if self.nose_radius is not None:
            rows["nose radius"] = (found.nose_radius - self.nose_radius) / self.nose_radius
        rows["trailing-edge angle"] = (found.edge_angle - self.least_edge) / 10.0
        kept = (found.thickness - LEAST_SHARE * self.start.thickness) / np.maximum(self.start.thickness, 1e-3)
        return rows | {f"sides apart at {x:.3g}": float(value) for x, value in zip(_STATIONS[3::4], kept[3::4], strict=True)}


@dataclass(frozen=True, eq=False)
class TrainedRange:
    """Margins of a case within what a model was trained on: every named range, and the distance to the nearest training case as a smooth number.

    Attributes:
        surrogate: whose envelope it is.
        level: ``inside`` keeps the ranges and the limit of 95 % of the training cases, ``edge`` widens both as the verdict does.
    """

    surrogate: Surrogate
    level: Level

    @classmethod
    def of(cls, surrogate: Surrogate, confidence: str) -> TrainedRange | None:
        """None where nothing is asked.

        Raises:
            ConfigurationError: an unknown level.
        """
        if confidence == "none":
            return None
        if confidence not in ("inside", "edge"):
            raise ConfigurationError(f"confidence = {confidence!r}", where="[constraints]", remedy="'inside', 'edge' or 'none'")
        return cls(surrogate, confidence)  # type: ignore[arg-type]

    def margins(self, section: Mesh, point: OperatingPoint) -> dict[str, float]:
        """Name -> margin over the span of the training cases, or over the limit of the distance."""
        envelope = self.surrogate.envelope
        row = self.surrogate.framing.describe(Case(section, point))
        return self._ranges(envelope, row) | {"distance to training cases": self._near(envelope, row)}

    def _ranges(self, envelope: TrainingEnvelope, row: Mapping[str, float]) -> dict[str, float]:
        low, high = envelope.rows.min(axis=0), envelope.rows.max(axis=0)
        found = {}
        for k, name in enumerate(envelope.names):
            span = high[k] - low[k]
            if span <= 1e-3 * max(1.0, abs(low[k]), abs(high[k])):
                continue  # it does not vary: the verdict knows no edge of it
            slack = envelope.margin * span if self.level == "edge" else 0.0
            found[f"{name} not less"] = (row[name] - low[k] + slack) / span
            found[f"{name} not more"] = (high[k] - row[name] + slack) / span
        return found

    def _near(self, envelope: TrainingEnvelope, row: Mapping[str, float]) -> float:
        """By a mean over the nearest training cases that is never below the least distance."""
        deviation = np.maximum(envelope.rows.std(axis=0), 1e-3 * np.maximum(1.0, np.abs(envelope.rows).max(axis=0)))
        scaled = envelope.rows / deviation
        size = np.sqrt(len(envelope.names))
        own = cKDTree(scaled).query(scaled, k=2)[0][:, 1] / size
        limit = max(float(np.quantile(own, QUANTILES[0 if self.level == "inside" else 1])), 1e-6)
        value = np.array([row[name] for name in envelope.names])
        distance = np.sqrt((((value / deviation) - scaled) ** 2).mean(axis=1))
        share = np.exp(-(distance - distance.min()) / (0.05 * limit))
        return float((limit - (share * distance).sum() / share.sum()) / limit)
