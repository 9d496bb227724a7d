"""``calibrate``: how far a predictor is off on cases that it was not trained on, kept with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...errors import ConfigurationError, DatasetError, GeoopError
from ...interfaces.result import Result
from ...io.dataset import Dataset
from ...mesh.case import Case
from ...mesh.symmetric_images import seen_cases
from ...scaling.derived import base
from ..forces import forces
from ..metrics import regions_of, weights_of
from ..surrogate import Surrogate
from .calibration import Calibration, Evidence, magnitude, sizes
from .conformal import conformal_quantile, largest_share, least_count
from .difficulty import Band, Bound, Difficulty, Profile
from .ensemble import Ensemble
from .latent_code import latent_code
from .latent_distance import KEPT, LatentCloud, Metric

P = TypeVar("P", Surrogate, Ensemble)
Key = TypeVar("Key")
#: Of the validation cases every so many tunes the scales; the others make the conformal quantiles, so that their guarantee is exact.
TUNED = 4
#: From so many tuning cases on errors are made to depend on the signals of a case.
_ENOUGH = 10
#: Nominal coverage unless another one is asked for.
COVERAGE = 0.9
#: Shares of cases of the training's kind below the limits of ``inside`` and ``edge``.
SHARES = (0.95, 0.99)
#: Points of a case that tune a profile, most.
_POINTS = 1000


@dataclass(frozen=True, eq=False)
class CaseErrors:
    """How far a prediction is off.

    Attributes:
        name: of the case.
        signals: of the case, without that of the latent code.
        code: its latent code.
        errors: quantity -> root mean square error, the larger of wall and field, dimensionless; coefficient -> absolute error.
        points: (quantity, region) -> errors, magnitude, spread (or None) and weight at its points, each (n,), the first three dimensionless.
    """

    name: str
    signals: Mapping[str, float]
    code: np.ndarray
    errors: Mapping[str, float]
    points: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]] = field(repr=False)


def calibrate(
    predictor: P,
    data: Dataset | str | Path,
    split: str = "val",
    *,
    coverage: float = COVERAGE,
    share: float = 0.99,
    metric: Metric = "neighbours",
    progress: Callable[[int, int], None] | None = None,
) -> P:
    """A predictor that knows how far it is off: with conformal bands, bounds on coefficients, and limits of its verdict.

    Split-conformal prediction with one score per case (Lei et al. 2018) of errors over scales that are fitted on every fourth case (Papadopoulos et al.
    2002; Romano et al. 2019): of a field the least factor by which its scales must be multiplied to contain the error on ``share`` of the wall's
    length, or of the field's points by their quadrature weight. So a band covers a whole case with the stated probability, not a share of pooled points.

    Args:
        predictor: a surrogate or an ensemble; what it knew before about its errors is replaced.
        data: a data set, or its folder, with cases that the predictor was not trained on, and the training cases for their latent codes.
        split: of the cases to calibrate on. Of the same kind as the cases to come: neighbours of training cases would promise too much.
        coverage: nominal.
        share: of the wall, and of the field, on which a band holds simultaneously.
        metric: of the distance between latent codes.
        progress: called as (done, total).

    Raises:
        DatasetError: too few cases for this coverage, no training cases, or fields that are missing.
        ConfigurationError: coverage or share out of range.
    """
    dataset = data if isinstance(data, Dataset) else Dataset.open(data)
    names, train = _checked(dataset, split, coverage, share)
    total = len(train) + len(names)
    codes, records = [], []
    for code in _codes(predictor, [dataset.case(name) for name in train]):
        codes.append(code)
        if progress is not None:
            progress(min(len(codes), len(train)), total)
    for name in names:
        records.append(case_errors(predictor, dataset.case(name)))
        if progress is not None:
            progress(len(train) + len(records), total)
    source = {"dataset": dataset.name, "dataset_hash": dataset.hash, "split": split}
    return replace(
        predictor, calibration=fitted(records, LatentCloud.fit(codes, metric, cases=len(train)), coverage=coverage, share=share, source=source)
    )


def case_errors(predictor: Surrogate | Ensemble, case: Case) -> CaseErrors:
    """Errors of one prediction, with what is known of it.

    Raises:
        DatasetError: the case has none of the predicted fields.
    """
    result, evidence = predictor.weighed([predictor.placed(case, surface_only=True)])[0]
    return errors_of(result, evidence, case)


def errors_of(result: Result, evidence: Evidence, case: Case) -> CaseErrors:
    """Errors of a prediction at the points of a case with the true fields."""
    names = [name for name in evidence.scales if name in case.fields and name in result.fields]
    if not names:
        raise DatasetError(
            f"no field of {sorted(evidence.scales)}", where=case.name, remedy="calibrate on cases with the fields that the predictor was trained on"
        )
    points, errors = {}, {}
    for region, index in regions_of(case).items():
        weight = weights_of(case, region, index) if len(index) else None
        weight = np.ones(len(index)) if weight is None or not (weight > 0).any() else weight
        for name in names if len(index) else ():
            scale, item = evidence.scales[name], result.fields[name]
            error = sizes(np.asarray(item.values - case.field(name).values, dtype=np.float64))[index] / scale
            spread = evidence.spread[name][index] / scale if name in evidence.spread else None
            points[name, region] = (error, magnitude(result.case, item, scale)[index], spread, weight)
            errors[name] = max(errors.get(name, 0.0), float(np.sqrt(np.average(error**2, weights=weight))))
    # of coefficients by the length of the body: what is stated later is for any reference length
    coefficients = {name: error / evidence.scales.get(name, 1.0) for name, error in coefficient_errors(result, case).items()}
    return CaseErrors(case.name, dict(evidence.signals), evidence.code, errors | coefficients, points)


def coefficient_errors(result: Result, case: Case) -> dict[str, float]:
    """|dCL|, |dCM| and, where both have friction, |dCD|, of a section in a free stream; empty without pressure, without a chord,
    or in space, where no area is stated."""
    pressure = {"pressure", "pressure_coefficient"}
    if case.operating_point is None or case.mesh.dimension == 3 or not (pressure & set(case.fields) and pressure & set(result.fields)):
        return {}
    try:
        own, true = forces(result), forces(case)
    except GeoopError:  # a body without chord, or none at all
        return {}
    names = ["CL", "CM"] + ["CD"] * bool(own.total.friction.any() and true.total.friction.any())
    pairs = {name: (getattr(own, name), getattr(true, name)) for name in names}
    return {name: abs(a - b) for name, (a, b) in pairs.items() if a is not None and b is not None}


def fitted(
    records: Sequence[CaseErrors], latent: LatentCloud, *, coverage: float = COVERAGE, share: float = 0.99, source: Mapping[str, object] | None = None
) -> Calibration:
    """The calibration of cases whose errors are known.

    Raises:
        DatasetError: fewer cases than the coverage needs, or codes of another length than the training's.
    """
    need = least_count(coverage)
    if len(records) < need:
        raise DatasetError(
            f"{len(records)} cases, a finite band of {100 * coverage:g} % needs {need} at least",
            where="calibrate",
            remedy=f"give {need} cases or more, or ask for {100 * len(records) / (len(records) + 1):.3g} % or less",
        )
    signals = [{"latent": latent.distance(record.code), **record.signals} for record in records]
    strange = [record.name for record, row in zip(records, signals, strict=True) if not np.isfinite(list(row.values())).all()]
    if strange:  # with limits at infinity nothing would ever be called outside
        raise DatasetError(
            f"the latent codes of {len(strange)} cases, such as {strange[0]}, do not compare with those of the training cases, or are not finite",
            where="calibrate",
            remedy="give codes of the same model, and cases that it answers",
        )
    tuned = np.arange(len(records)) % TUNED == 0 if len(records) >= TUNED * max(_ENOUGH, need) else np.zeros(len(records), dtype=bool)
    tuning, rest = np.flatnonzero(tuned), np.flatnonzero(~tuned)
    errors = {}
    for name in _shared([record.errors for record in records]):
        known = np.array([record.errors[name] for record in records])
        difficulty = Difficulty.fit([signals[k] for k in tuning], known[tuning])
        errors[name] = Bound(conformal_quantile([known[k] / difficulty.of(signals[k]) for k in rest], coverage), difficulty)
    bands = {key: _band(key, records, signals, (tuning, rest), coverage, share) for key in _shared([record.points for record in records])}
    limits = {}
    for name in signals[0]:
        values = np.array([row[name] for row in signals])
        values = np.concatenate([values, latent.left_out]) if name == "latent" else values
        inside, edge = (float(np.quantile(values, p)) for p in SHARES)
        limits[name] = (inside, max(edge, inside))
    return Calibration(coverage, len(rest), errors, bands, limits, SHARES, latent, dict(source or {}))


def _shared(rows: Sequence[Mapping[Key, object]]) -> list[Key]:
    """What is known of all cases, in order."""
    return [key for key in rows[0] if all(key in row for row in rows)]


def _band(
    key: tuple[str, str],
    records: Sequence[CaseErrors],
    signals: Sequence[Mapping[str, float]],
    parts: tuple[np.ndarray, np.ndarray],
    coverage: float,
    share: float,
) -> Band:
    tuning, rest = parts
    seen = [records[k].points[key] for k in tuning]
    columns = []
    for place in range(3):
        picked = [part[place] for part in seen if part[place] is not None]
        columns.append(np.concatenate([values[:: -(-len(values) // _POINTS)] for values in picked]) if picked else None)
    error, size, spread = columns
    profile = Profile() if error is None or size is None else Profile.fit(error, size, spread)

    def score(record: CaseErrors) -> float:
        error, size, spread, weight = record.points[key]
        return largest_share(error / profile.at(size, spread), weight, share)

    scores = np.array([score(record) for record in records])
    difficulty = Difficulty.fit([signals[k] for k in tuning], scores[tuning])
    relative = [float(scores[k]) / difficulty.of(signals[k]) for k in rest]
    return Band(Bound(conformal_quantile(relative, coverage), difficulty), profile, share)


def _checked(dataset: Dataset, split: str, coverage: float, share: float) -> tuple[list[str], list[str]]:
    """Names of the cases to calibrate on, and of the training cases whose codes are kept."""
    if not (0 < coverage < 1 and 0 < share <= 1):
        raise ConfigurationError(f"coverage {coverage}, share {share}", where="calibrate", remedy="coverage=0.9, share=0.99")
    names, train = (list(dataset.splits.get(key, ())) for key in (split, "train"))
    if split == "train":
        raise DatasetError("the training cases say nothing of new ones", where=dataset.name, remedy="calibrate on the split 'val'")
    if len(names) < least_count(coverage) or len(train) < 3:
        raise DatasetError(
            f"{len(names)} cases in split '{split}' and {len(train)} in 'train'; a band of {100 * coverage:g} % needs {least_count(coverage)} at least",
            where=dataset.name,
            remedy=f"choose a split of {sorted(k for k, v in dataset.splits.items() if v)}, or a lower coverage",
        )
    return names, train[:: -(-len(train) // KEPT)]


def _codes(predictor: Surrogate | Ensemble, cases: Sequence[Case]) -> Iterator[np.ndarray]:
    """Latent codes of what training saw of cases: all of them, then their first images."""
    first = predictor.surrogates[0] if isinstance(predictor, Ensemble) else predictor
    told = first.about.get("settings", {})
    # labels, and whatever else a mirror may turn, are nothing to the code
    needed = {"quadrature_weight", *(base(item.name) for item in first.framing.functions), *(name for _, name in first.framing.beyond)}
    bare = [replace(case, fields={name: item for name, item in case.fields.items() if name in needed}) for case in cases]
    for seen in seen_cases(bare, bool(told.get("reflect", False)), int(told.get("images", 1))):
        yield latent_code(first.decoders([seen])[0].latent)
