"""What was learned on validation cases about the errors of a predictor, and what it says of a new prediction: bands, expected errors, a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ...errors import CheckpointError
from ...interfaces.result import Result
from ...interfaces.verdict import LEVELS, Level, Verdict
from ...mesh.case import Case
from ...mesh.quantity import Field, Quantity
from ..metrics import regions_of
from .difficulty import Band, Bound
from .latent_distance import LatentCloud

#: Added to the name of a quantity: the half-width of its band.
BAND = "_band"
#: Added to the name of a quantity: the spread of the members of an ensemble.
SPREAD = "_spread"
#: Added to the name of a quantity or coefficient: the bound on its error over the case, a global field.
EXPECTED = "_expected_error"
#: Global field of a judged case: number of its level.
LEVEL = Quantity("verdict_level", "verdict")
#: Signal -> words for a reader.
_WORDS = {
    "latent": "the state that the model makes of this case lies {ratio} from those of the training cases as {share:g} % of cases of their kind",
    "spread": "the members of the ensemble differ {ratio} as in {share:g} % of cases of the training's kind",
}
#: What an engineer must know of the numbers beside such a verdict.
_NOT_HERE = "bands and expected errors are those of cases of the training's kind and may be too small here"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a prediction beside its fields.

    Attributes:
        code: (k,) latent code, see :func:`~geoop.results.confidence.latent_code.latent_code`.
        scales: quantity name -> what one unit of the dimensionless quantity is in SI.
        signals: further positive numbers that grow with the error, by name: ``spread`` of an ensemble, dimensionless.
        spread: quantity name -> (n,) spread of an ensemble at the points, in the quantity's unit.
    """

    code: np.ndarray
    scales: Mapping[str, float]
    signals: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Conformal bounds and limits, fitted on validation cases; stored in the checkpoint.

    Every bound holds for a case of the validation's kind with probability ``coverage`` or more, over calibration and case together. Cases of another
    kind have no such guarantee: for them there is the verdict.

    Attributes:
        coverage: nominal.
        cases: number of cases that the conformal quantiles rest on.
        errors: quantity -> bound on its root mean square error over the wall and over the field, dimensionless; ``CL``, ``CM``, ``CD`` -> bound on the
            absolute error.
        bands: (quantity, region) -> band, dimensionless; regions are ``surface`` and ``field``.
        limits: signal -> values up to which a case is inside and at the edge.
        shares: of cases of the training's kind that lie below these two.
        latent: codes of the training cases.
        source: data set, hash, split, for people.
    """

    coverage: float
    cases: int
    errors: Mapping[str, Bound]
    bands: Mapping[tuple[str, str], Band]
    limits: Mapping[str, tuple[float, float]]
    shares: tuple[float, float]
    latent: LatentCloud
    source: Mapping[str, Any] = field(default_factory=dict)

    def signals(self, code: np.ndarray, further: Mapping[str, float]) -> dict[str, float]:
        """All signals of a case by name: of its latent code (k,), and the others."""
        return {"latent": self.latent.distance(code), **further}

    def judged(self, result: Result, evidence: Evidence) -> Result:
        """The result with the verdict of all that is known, and with fields for ParaView: bands ``QUANTITY_band`` [its unit] at points, and of the whole
        case ``verdict_level`` (0 inside, 1 edge, 2 outside), ``QUANTITY_expected_error`` [its unit] and ``CL_expected_error``. ``Result.at`` gives
        bands, too."""
        signals = self.signals(evidence.code, evidence.signals)
        verdict = result.verdict
        for name in self.limits:
            verdict = _both(verdict, self._by(name, signals[name]))
        errors = {name: bound.of(signals) * evidence.scales.get(name, 1.0) for name, bound in self.errors.items()}
        reason = f"{verdict.reason}; {_NOT_HERE}" if verdict.level == "outside" else verdict.reason
        verdict = Verdict(verdict.level, reason, {name: value for name, value in errors.items() if np.isfinite(value)})
        case = result.case.with_fields(*self._half_widths(result.case, evidence, signals))
        return stated(replace(result, case=case, verdict=verdict, evaluate=partial(self._anywhere, result, evidence, signals)))

    def _anywhere(self, result: Result, evidence: Evidence, signals: Mapping[str, float], points: np.ndarray) -> dict[str, Field]:
        """Fields and bands at any points, by what is known of the field around bodies."""
        found = dict(result.evaluate(points))
        for name in dict.fromkeys(name for name, _ in self.bands):
            spread = found[name + SPREAD].values if name + SPREAD in found else None
            found[name + BAND] = self._widths(result.case, found[name], evidence.scales[name], spread, {"field": np.arange(len(points))}, signals)
        return found

    def _by(self, name: str, value: float) -> Verdict:
        """The verdict of one signal."""
        inside, edge = self.limits[name]
        if value <= inside:
            return Verdict("inside", f"'{name}' is usual")
        level: Level = "edge" if value <= edge else "outside"
        limit, share = (inside, self.shares[0]) if level == "edge" else (edge, self.shares[1])
        ratio = value / limit if limit > 0 else np.inf
        words = "times as far" if name == "latent" else "times as much"
        many = f"{ratio:.2g}" if ratio < 100 else "more than a hundred"
        return Verdict(level, _WORDS[name].format(ratio=f"{many} {words}", share=100 * share))

    def _half_widths(self, case: Case, evidence: Evidence, signals: Mapping[str, float]) -> list[Field]:
        regions, names = regions_of(case), dict.fromkeys(name for name, _ in self.bands)
        return [self._widths(case, case.fields[name], evidence.scales[name], evidence.spread.get(name), regions, signals) for name in names]

    def _widths(
        self, case: Case, item: Field, scale: float, spread: np.ndarray | None, regions: Mapping[str, np.ndarray], signals: Mapping[str, float]
    ) -> Field:
        """Half-widths of the band of a field of a case, whose points lie in the regions."""
        quantity, size = item.quantity, magnitude(case, item, scale)
        values = np.full(len(size), np.nan)  # where no truth was seen nothing is claimed
        for region, index in regions.items():
            band = self.bands.get((quantity.name, region))
            if band is not None and len(index):
                values[index] = band.half_width(signals, size[index], None if spread is None else spread[index] / scale) * scale
        return Field(Quantity(quantity.name + BAND, f"band of {quantity.symbol}", quantity.unit), values)

    def to_dict(self) -> dict[str, Any]:
        """JSON data for a checkpoint's header; the latent codes are in :meth:`arrays`."""
        return {
            "coverage": self.coverage,
            "cases": self.cases,
            "errors": {name: bound.to_dict() for name, bound in self.errors.items()},
            "bands": [{"quantity": name, "region": region, **band.to_dict()} for (name, region), band in self.bands.items()],
            "limits": {name: list(pair) for name, pair in self.limits.items()},
            "shares": list(self.shares),
            "latent": {"metric": self.latent.metric, "neighbours": self.latent.neighbours},
            "source": dict(self.source),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays for a checkpoint."""
        return self.latent.arrays()

    @classmethod
    def of(cls, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Calibration:
        """From a checkpoint, as :meth:`to_dict` and :meth:`arrays` wrote it.

        Raises:
            CheckpointError: something is missing or damaged.
        """
        try:
            return cls(
                float(data["coverage"]),
                int(data["cases"]),
                {name: Bound.from_dict(item) for name, item in data["errors"].items()},
                {(item["quantity"], item["region"]): Band.from_dict(item) for item in data["bands"]},
                {name: (float(pair[0]), float(pair[1])) for name, pair in data["limits"].items()},
                (float(data["shares"][0]), float(data["shares"][1])),
                LatentCloud.from_arrays(arrays, data["latent"]["metric"], int(data["latent"]["neighbours"])),
                dict(data["source"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"the calibration in the header is damaged: {error!r}", remedy="calibrate again: geoop calibrate") from error


def stated(result: Result) -> Result:
    """The result with its verdict as fields for ParaView: of the whole case ``verdict_level`` (0 inside, 1 edge, 2 outside), and of all that has an
    expected error ``QUANTITY_expected_error`` [its unit]."""
    verdict = result.verdict
    whole = [Field(LEVEL, np.array(float(LEVELS.index(verdict.level))), "global")]
    for name, value in verdict.expected_errors.items():
        unit = result.fields[name].quantity.unit if name in result.fields else "1"
        whole.append(Field(Quantity(name + EXPECTED, f"expected error of {name}", unit), np.array(value), "global"))
    return replace(result, case=result.case.with_fields(*whole))


def _both(known: Verdict, other: Verdict) -> Verdict:
    """The worse of two verdicts; what else is unusual is said, too."""
    found = known.worse(other)
    rest = known if found.reason == other.reason else other
    return found if "inside" in (found.level, rest.level) else Verdict(found.level, f"{found.reason}; {rest.reason}")


def magnitude(case: Case, item: Field, scale: float) -> np.ndarray:
    """(n,) size of a field at points, dimensionless; of a velocity in a free stream that of its perturbation."""
    values = np.asarray(item.values, dtype=np.float64)
    if item.quantity.unit == "m/s" and item.quantity.rank == 1 and case.operating_point is not None:
        values = values - case.operating_point.velocity * case.operating_point.direction(case.mesh.dimension)
    return sizes(values) / scale


def sizes(values: np.ndarray) -> np.ndarray:
    """(n,) absolute values of scalars, lengths of vectors."""
    return np.abs(values) if values.ndim == 1 else np.linalg.norm(values.reshape(len(values), -1), axis=1)
