"""Answers of predictors with their errors and verdicts, kept on disk, and whom a verdict flags among them; part of studies_confidence."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from geoop.interfaces.verdict import LEVELS
from geoop.mesh.case import Case
from geoop.mesh.transform import mirrored
from geoop.results.confidence.calibrating import CaseErrors, errors_of
from geoop.results.confidence.calibration import Calibration
from geoop.results.confidence.ensemble import Ensemble
from geoop.results.confidence.judging import risk_coverage
from geoop.results.confidence.latent_code import latent_code
from geoop.results.surrogate import Surrogate

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Answered:
    """One prediction: its errors, and the levels of the envelope alone and of its ranges alone."""

    record: CaseErrors
    envelope: str
    ranges: str


def answered(predictor: Surrogate | Ensemble, cases: Iterable[Case]) -> list[Answered]:
    """Predict cases at their own points."""
    found = []
    for case in cases:
        result, evidence = predictor.weighed([case])[0]
        row = predictor.framing.describe(case)
        found.append(Answered(errors_of(result, evidence, case), predictor.envelope.judge(row).level, predictor.envelope.extrapolation(row).level))
    return found


def codes(surrogate: Surrogate, cases: Iterable[Case], *, mirror: bool = True) -> list[np.ndarray]:
    """Of cases, and of their mirror images where these were trained on."""
    return [latent_code(surrogate.decoders([seen])[0].latent) for case in cases for seen in ((case, mirrored(case)) if mirror else (case,))]


def flagged(answers: Sequence[Answered], calibration: Calibration, error: str, usual: float, by: str) -> Row:
    """Flags, rank correlation and risk-coverage of one error on one split; ``by`` everything, or one signal alone."""
    errors = np.array([a.record.errors[error] for a in answers])
    signals = [calibration.signals(a.record.code, a.record.signals) for a in answers]
    levels = np.array([level_of(a, calibration, row, by) for a, row in zip(answers, signals, strict=True)])
    stated = np.array([calibration.errors[error].of(row) for row in signals] if by in ("all", "envelope", "ranges") else [row[by] for row in signals])
    bad, good = errors > 2 * usual, errors <= usual
    row: Row = {"cases": len(errors), "mean error": float(errors.mean()), "usual (95 % of test)": usual}
    for word, kind in (("bad", bad), ("good", good)):
        row[word] = int(kind.sum())
        for name, least in (("outside", 2), ("not inside", 1)):
            row[f"{word}: {name}"] = float(np.mean(levels[kind] >= least)) if kind.any() else None
    if by in ("envelope", "ranges"):
        return row
    risk = risk_coverage(stated, errors)[1]
    best = risk_coverage(errors, errors)[1]
    half = (len(errors) - 1) // 2
    return row | {
        "rank correlation": float(spearmanr(stated, errors).statistic),
        "area under risk-coverage": float(risk.mean()),
        "control: no ranking": float(errors.mean()),
        "control: perfect ranking": float(best.mean()),
        "mean error of the trusted half": float(risk[half]),
        **(_covered(errors <= stated, levels) if by == "all" else {}),
    }


def _covered(held: np.ndarray, levels: np.ndarray) -> Row:
    """Shares of the cases whose bound held: of all, and by the level of the verdict."""
    shares: Row = {"covered": float(held.mean())}
    for number, name in enumerate(LEVELS):
        members = held[levels == number]
        shares[f"covered, {name}"] = f"{100 * members.mean():.0f} % of {len(members)}" if len(members) else "-"
    return shares


def level_of(answer: Answered, calibration: Calibration, signals: dict[str, float], by: str) -> int:
    """Number of the level."""
    found = {"envelope": LEVELS.index(answer.envelope), "ranges": LEVELS.index(answer.ranges)}  # type: ignore[arg-type]
    for name, (inside, edge) in calibration.limits.items():
        found[name] = int(signals[name] > inside) + int(signals[name] > edge)
    return max(value for name, value in found.items() if name != "envelope") if by == "all" else found[by]


def plain(record: CaseErrors) -> CaseErrors:
    """A record whose signals are the same for all: the control without a scale per case."""
    return CaseErrors(record.name, {}, np.zeros_like(record.code), record.errors, record.points)


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """An object that was computed before, or now."""
    if not path.exists():
        begun, found = time.process_time(), make()
        path.write_bytes(pickle.dumps(found))
        print(f"{path.stem}: {time.process_time() - begun:.0f} s of computing time")
    return pickle.loads(path.read_bytes())
