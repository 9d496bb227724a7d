"""``judge``: whether what a calibrated predictor says of itself is true, case by case, on a split that it was not calibrated on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ConfigurationError, DatasetError
from ...interfaces.verdict import Level
from ...io.dataset import Dataset
from ..surrogate import Surrogate, load_predictor
from ..trained import TrainedPredictor
from .calibrating import CaseErrors, errors_of
from .calibration import Calibration
from .conformal import coverage_interval, largest_share
from .ensemble import Ensemble

#: A case is bad whose error is so many times the error that 95 % of the cases of the training's kind stay below; good, whose error is not above that.
BAD, USUAL = 2.0, 0.95


@dataclass(frozen=True)
class JudgedCase:
    """What a predictor said of one case, and what was true.

    Attributes:
        name: of the case.
        level, reason: of its verdict.
        errors: quantity or coefficient -> error, dimensionless, see :class:`~geoop.results.confidence.calibrating.CaseErrors`.
        expected: the same names -> bound that it stated.
        covered: the same names, and ``QUANTITY_band SURFACE`` -> whether the bound, or the band on its share of the region, held.
    """

    name: str
    level: Level
    reason: str
    errors: Mapping[str, float]
    expected: Mapping[str, float]
    covered: Mapping[str, bool]


@dataclass(frozen=True)
class Judgement:
    """All cases of a split; ``print`` it for a table.

    Attributes:
        cases: in the order of the split.
        calibration: what was judged.
        title: predictor, data set, split.
    """

    cases: tuple[JudgedCase, ...]
    calibration: Calibration
    title: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Quantities and coefficients with errors."""
        return tuple(self.cases[0].errors)

    def errors(self, name: str) -> np.ndarray:
        """(n,) actual errors, dimensionless."""
        return np.array([case.errors[name] for case in self.cases])

    def expected(self, name: str) -> np.ndarray:
        """(n,) stated bounds on them."""
        return np.array([case.expected[name] for case in self.cases])

    def coverage(self) -> dict[str, float]:
        """Share of the cases in which each bound or band held."""
        return {name: float(np.mean([case.covered[name] for case in self.cases])) for name in self.cases[0].covered}

    def rank_correlation(self, name: str) -> float:
        """Spearman's, of stated and actual errors over the cases; NaN where all bounds are equal."""
        from scipy.stats import spearmanr

        stated = self.expected(name)
        return float(spearmanr(stated, self.errors(name)).statistic) if np.ptp(stated) > 0 else float("nan")

    def risk_coverage(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Shares of the cases that are kept (n,), those of least stated error first, and the mean error of these (n,) (Geifman & El-Yaniv 2017)."""
        return risk_coverage(self.expected(name), self.errors(name))

    def levels(self) -> dict[str, int]:
        """Number of cases per level."""
        return {level: sum(case.level == level for case in self.cases) for level in ("inside", "edge", "outside")}

    def flags(self, name: str, usual: Judgement | None = None) -> dict[str, float | int | None]:
        """Which cases the verdict flags, beside how large their errors are.

        Args:
            name: of a quantity or coefficient.
            usual: a judgement of cases of the training's kind, whose errors are the measure; None takes these.

        Returns:
            numbers of ``bad`` and ``good`` cases, and shares of each that were called outside, or not inside; None where there is no such case.
        """
        limit = float(np.quantile((usual or self).errors(name), USUAL))
        errors = self.errors(name)
        found: dict[str, float | int | None] = {"limit": limit}
        for word, kind in (("bad", errors > BAD * limit), ("good", errors <= limit)):
            members = [case.level for case, own in zip(self.cases, kind, strict=True) if own]
            found[word] = len(members)
            found[f"{word} outside"] = float(np.mean([level == "outside" for level in members])) if members else None
            found[f"{word} not inside"] = float(np.mean([level != "inside" for level in members])) if members else None
        return found

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        rows = {}
        for name in self.names:
            share, risk = self.risk_coverage(name)
            rows[name] = {
                "rank_correlation": _or_none(self.rank_correlation(name)),
                "area_under_risk_coverage": float(risk.mean()),
                "mean_error": float(self.errors(name).mean()),
                "mean_bound": _or_none(float(self.expected(name).mean())),
                "flags": self.flags(name),
                "risk_coverage": {"share": share.tolist(), "risk": risk.tolist()},
            }
        cases = [{"name": case.name, "level": case.level, "reason": case.reason, "errors": dict(case.errors)} for case in self.cases]
        nominal = {"nominal": self.calibration.coverage, "calibration_cases": self.calibration.cases, "coverage": self.coverage()}
        return {"title": self.title, **nominal, "levels": self.levels(), "errors": rows, "cases": cases}

    def __str__(self) -> str:
        calibration, count = self.calibration, len(self.cases)
        low, high = coverage_interval(calibration.cases, calibration.coverage, tests=count)
        lines = [
            self.title,
            f"  {100 * calibration.coverage:g} % nominal, {calibration.cases} calibration cases: 98 % of such measurements lie in "
            f"{100 * low:.0f}..{100 * high:.0f} % for cases of the same kind",
            *(f"  covered  {name:<40}{100 * share:6.1f} %" for name, share in self.coverage().items()),
            f"  verdicts {', '.join(f'{number} {level}' for level, number in self.levels().items())}",
        ]
        for name in self.names:
            risk = self.risk_coverage(name)[1]
            half = float(risk[(len(risk) - 1) // 2])
            lines.append(
                f"  error of {name}: mean {self.errors(name).mean():.3g}, of the half that is trusted most {half:.3g}; "
                f"rank correlation with the stated one {self.rank_correlation(name):.2f}"
            )
        return "\n".join(lines)


def judge(
    predictor: TrainedPredictor | str | Path,
    data: Dataset | str | Path,
    split: str = "test",
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Judgement:
    """Predict every case of a split and compare what is stated of the errors with what they are.

    Args:
        predictor: calibrated, or its file.
        data: a data set, or its folder.
        split: its name; not the one of the calibration.
        progress: called as (done, total).

    Raises:
        ConfigurationError: the predictor was never calibrated. DatasetError: no such split, or it was calibrated on.
    """
    found = load_predictor(predictor) if isinstance(predictor, str | Path) else predictor
    if not isinstance(found, Surrogate | Ensemble) or found.calibration is None:
        raise ConfigurationError(
            "the predictor is not calibrated", where="judge", remedy="geoop calibrate model.safetensors data -o calibrated.safetensors"
        )
    dataset = data if isinstance(data, Dataset) else Dataset.open(data)
    source, names = found.calibration.source, dataset.splits.get(split, ())
    if not names or (source.get("split") == split and source.get("dataset_hash") == dataset.hash):
        problem = f"the predictor was calibrated on the split '{split}'" if names else f"no cases in split '{split}'"
        others = sorted(k for k, v in dataset.splits.items() if v and k not in (source.get("split"), "train"))
        raise DatasetError(problem, where=dataset.name, remedy=f"judge it on one of {others}")
    cases = []
    for name in names:
        case = dataset.case(name)
        result, evidence = found.weighed([found.placed(case, surface_only=True)])[0]
        verdict = found.calibration.judged(result, evidence).verdict
        cases.append(judged(found.calibration, errors_of(result, evidence, case), verdict.level, verdict.reason))
        if progress is not None:
            progress(len(cases), len(names))
    return Judgement(tuple(cases), found.calibration, f"{dataset.name}, split {split}, {len(cases)} cases")


def judged(calibration: Calibration, record: CaseErrors, level: Level, reason: str) -> JudgedCase:
    """One case, from its errors and its verdict."""
    signals = calibration.signals(record.code, record.signals)
    expected = {name: bound.of(signals) for name, bound in calibration.errors.items() if name in record.errors}
    covered = {name: bool(record.errors[name] <= value) for name, value in expected.items()}
    for (name, region), band in calibration.bands.items():
        if (name, region) in record.points:
            error, size, spread, weight = record.points[name, region]
            covered[f"{name}_band {region}"] = largest_share(error / band.half_width(signals, size, spread), weight, band.share) <= 1.0
    return JudgedCase(record.name, level, reason, {name: record.errors[name] for name in expected}, expected, covered)


def risk_coverage(stated: Sequence[float] | np.ndarray, actual: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares kept (n,) and mean error of these (n,), those of least stated error first; of equal ones the mean over all orders.

    The mean of the second is the area under the curve: what a perfect ranking makes least, and a useless one the mean error.

    Raises:
        ConfigurationError: no cases, or unequal numbers.
    """
    stated, actual = np.asarray(stated, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if stated.shape != actual.shape or stated.ndim != 1 or not len(stated):
        raise ConfigurationError(f"{stated.shape} stated and {actual.shape} actual errors", where="risk_coverage", remedy="one of each per case")
    _, group, counts = np.unique(stated, return_inverse=True, return_counts=True)
    level = np.bincount(group, weights=actual) / counts
    order = np.argsort(stated, kind="stable")
    kept = np.arange(1, len(stated) + 1)
    return kept / len(stated), np.cumsum(level[group][order]) / kept


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
