"""Confidence: coverage of conformal bands, rank correlation of stated and actual errors, risk-coverage curves, and whom the verdict flags.

Every model is trained here for a few minutes of computing time, on the named data sets as they are; surfaces alone are judged, so that thousands of
cases are affordable. What decides is chosen on training and validation cases; test, OOD and the declared stress set are only looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import confidence_elsewhere
import numpy as np
from confidence_answers import Answered, answered, codes, flagged, kept, plain
from scipy.stats import spearmanr

import geoop
from geoop.errors import InvalidMeshError
from geoop.io.dataset import Dataset
from geoop.io.paraview import patch_case
from geoop.mesh.case import Case
from geoop.results.confidence.calibrating import fitted
from geoop.results.confidence.calibration import Calibration
from geoop.results.confidence.conformal import coverage_interval
from geoop.results.confidence.ensemble import Ensemble
from geoop.results.confidence.judging import JudgedCase, judged
from geoop.results.confidence.latent_distance import METRICS, LatentCloud
from geoop.results.surrogate import Surrogate
from geoop.train.fit import FitSettings
from geoop.truth.datasets import kt_airfoils

Row = dict[str, Any]
Once = Callable[[str, Callable[[], Row]], Row]
#: CPU-minutes of every member, and how many members.
MINUTES, MEMBERS = 4.0, 4
#: Fresh cases of kt-airfoils of the training's laws, from another seed: calibration, test.
FRESH = (1000, 2000)
#: Two more sets of 100 cases. Stress: thicker, more cambered and at higher incidence than the OOD split. Rim: on both sides of the training's limits of
#: camber and incidence, where many cases are still good and none should be called outside for nothing.
DECLARED = {
    "stress": {"mu_x": (-0.25, -0.15), "mu_y": (0.12, 0.2), "tau": (5.0, 25.0), "alpha": (10.0, 25.0)},
    "rim": {"mu_x": (-0.15, -0.03), "mu_y": (0.1, 0.14), "tau": (5.0, 20.0), "alpha": (8.0, 12.0)},
}
ERROR = "pressure_coefficient"


def measure(output: Path, once: Once) -> None:
    """All rows."""
    own = output / "confidence"
    own.mkdir(parents=True, exist_ok=True)
    sections = KarmanTrefftz(own)
    for name in ("pressure_coefficient", "CL", "CM", "velocity", "pressure_coefficient_band surface", "velocity_band surface"):
        once(f"confidence/coverage, 1000 calibration and 2000 test cases/{name}", partial(sections.covered, name))
        once(f"confidence/coverage, mean of 50 splits of 100 and 100 cases/{name}", partial(sections.splits, name, 100))
        once(f"confidence/coverage, mean of 50 splits of 20 and 100 cases/{name}", partial(sections.splits, name, 20))
    for split in ("test", "ood", "rim", "stress"):
        for kind in ("single", f"ensemble of {MEMBERS}"):
            for error in (ERROR, "CL"):
                once(f"confidence/kt-airfoils {split}, error of {error}/{kind}", partial(sections.flags, split, kind, error, "all"))
        for signal in ("envelope", "ranges", "latent", "spread"):
            once(f"confidence/kt-airfoils {split}, controls/{signal} alone", partial(sections.flags, split, f"ensemble of {MEMBERS}", ERROR, signal))
        for metric in METRICS:
            once(f"confidence/kt-airfoils {split}, latent distances/{metric}", partial(sections.metric, split, metric))
    confidence_elsewhere.measure(own, once)


class KarmanTrefftz:
    """Models on kt-airfoils and what they answered; computed when it is first asked for, and kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def data(self) -> Dataset:
        """The data set with its own splits."""
        return geoop.generate("kt-airfoils", self.folder / "kt-airfoils", workers=1)

    def member(self, seed: int) -> Surrogate:
        """Trained with one seed."""
        run = self.folder / f"kt-seed{seed}"
        best = run / "best.safetensors"
        if not (best.exists() and geoop.load(best).expected_errors):
            geoop.fit(self.data, run, settings=FitSettings(cpu_minutes=MINUTES, seed=seed), resume=(run / "last.ckpt").exists(), progress=False)
        return geoop.load(best)

    def predictor(self, kind: str) -> Surrogate | Ensemble:
        """A single surrogate, or an ensemble."""
        return self.member(0) if kind == "single" else Ensemble(tuple(self.member(seed) for seed in range(int(kind.split()[-1]))))

    def cases(self, split: str) -> Iterable[Case]:
        """The walls of the cases of a split, of fresh ones, or of the stress set."""
        if split == "fresh":
            names = [f"kt_{k:04d}" for k in range(1, sum(FRESH) + 1)]
            made: Iterable[Case] = (kt_airfoils.case(1, name) for name in names)
        elif split in DECLARED:
            made = declared(split, 100)
        else:
            data = self.data
            made = (data.case(name) for name in data.splits[split])
        return (patch_case(case, "wall") for case in made)

    def answers(self, kind: str, split: str) -> list[Answered]:
        """What a predictor answered on a split."""
        return kept(self.folder / f"{kind} {split}.pickle", lambda: answered(self.predictor(kind), self.cases(split)))

    def cloud(self) -> LatentCloud:
        """Latent codes of the training cases and their mirror images, by the first member."""
        return LatentCloud.fit(kept(self.folder / "codes.pickle", lambda: codes(self.member(0), self.cases("train"))))

    def calibration(self, kind: str) -> Calibration:
        """Of a predictor on the validation split."""
        return fitted([a.record for a in self.answers(kind, "val")], self.cloud())

    @cached_property
    def _big(self) -> tuple[Calibration, Calibration, list[JudgedCase]]:
        """Calibrated on 1000 fresh cases, the same without a scale per case, and 2000 more cases judged by the first."""
        records = [answer.record for answer in self.answers("single", "fresh")]
        calibration = fitted(records[: FRESH[0]], self.cloud())
        flat = fitted([plain(record) for record in records[: FRESH[0]]], self.cloud())
        return calibration, flat, [judged(calibration, record, "inside", "-") for record in records[FRESH[0] :]]

    def covered(self, name: str) -> Row:
        """Shares covered of 2000 cases with 1000 to calibrate on."""
        calibration, flat, held = self._big
        low, high = coverage_interval(calibration.cases, calibration.coverage, tests=len(held))
        row = {
            "covered": float(np.mean([case.covered[name] for case in held])),
            "nominal": calibration.coverage,
            "98 % of such measurements": f"{low:.3f}..{high:.3f}",
            "conformal cases": calibration.cases,
            "test cases": len(held),
        }
        if name in calibration.errors:
            stated, errors = (np.array([getattr(case, part)[name] for case in held]) for part in ("expected", "errors"))
            worst = np.argsort(stated)[-len(stated) // 5 :]
            row |= {
                "mean bound": float(stated.mean()),
                "mean error": float(errors.mean()),
                "rank correlation": float(spearmanr(stated, errors).statistic),
                "covered in the fifth of largest bounds": float(np.mean(errors[worst] <= stated[worst])),
                "control: covered there by one bound for all": float(np.mean(errors[worst] <= flat.errors[name].quantile)),
            }
        return row

    @cache  # noqa: B019 (one object, for as long as the program runs)
    def _shares(self, count: int) -> list[dict[str, float]]:
        """Of 50 random splits the shares covered of 100 cases, by name."""
        records = [answer.record for answer in self.answers("single", "fresh")]
        random, found, cloud = np.random.default_rng(0), [], self.cloud()
        for _ in range(50):
            drawn = random.choice(len(records), count + 100, replace=False)
            calibration = fitted([records[k] for k in drawn[:count]], cloud)
            held = [judged(calibration, records[k], "inside", "-").covered for k in drawn[count:]]
            found.append({name: float(np.mean([row[name] for row in held])) for name in held[0]})
        return found

    def splits(self, name: str, count: int) -> Row:
        """Mean over random splits of small sets."""
        found = [row[name] for row in self._shares(count)]
        return {"covered, mean": float(np.mean(found)), "least": min(found), "largest": max(found), "calibration cases": count, "splits": len(found)}

    def flags(self, split: str, kind: str, error: str, by: str) -> Row:
        """Whom the verdict flags."""
        calibration = self.calibration(kind)
        usual = float(np.quantile([a.record.errors[error] for a in self.answers(kind, "test")], 0.95))
        return flagged(self.answers(kind, split), calibration, error, usual, by)

    def metric(self, split: str, metric: str) -> Row:
        """Other distances between latent codes: rank correlation with the error, and flags by this distance alone."""
        cloud = self.cloud().with_metric(metric)  # type: ignore[arg-type]
        calibration = fitted([a.record for a in self.answers("single", "val")], cloud)
        usual = float(np.quantile([a.record.errors[ERROR] for a in self.answers("single", "test")], 0.95))
        return flagged(self.answers("single", split), calibration, ERROR, usual, "latent")


def declared(split: str, count: int) -> Iterable[Case]:
    """Cases of :data:`DECLARED`; draws whose section crosses itself are left out."""
    laws = kt_airfoils.OUTSIDE_LAWS
    kt_airfoils.OUTSIDE_LAWS = DECLARED[split]
    try:
        made, number = 0, 0
        while made < count:
            number += 1
            try:
                case = kt_airfoils.case(2 + list(DECLARED).index(split), f"kt_ood_{number:04d}")
            except InvalidMeshError:
                continue
            made += 1
            yield case
    finally:
        kt_airfoils.OUTSIDE_LAWS = laws
