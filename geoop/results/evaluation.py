"""A predictor against the truth of a data set: fields, and the lift that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DatasetError
from ..interfaces.protocols import Predictor
from ..io.dataset import Dataset
from ..mesh.case import Case
from .forces import forces
from .metrics import Scores, statistics
from .metrics import evaluate as compare
from .surrogate import load_predictor
from .trained import TrainedPredictor


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Errors on one split.

    Attributes:
        scores: field errors by quantity and region.
        lift: (n, 2) true and predicted lift coefficient from the surface pressure of every case; empty where the cases have
            no pressure.
    """

    scores: Scores
    lift: np.ndarray

    @property
    def lift_error(self) -> float | None:
        """Mean |CL predicted - CL true|."""
        return float(np.abs(self.lift[:, 1] - self.lift[:, 0]).mean()) if len(self.lift) else None

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        worst = float(np.abs(self.lift[:, 1] - self.lift[:, 0]).max()) if len(self.lift) else None
        return {**self.scores.to_dict(), "lift": {"mean_error": self.lift_error, "largest_error": worst}}

    def __str__(self) -> str:
        if not len(self.lift):
            return str(self.scores)
        error = np.abs(self.lift[:, 1] - self.lift[:, 0])
        return f"{self.scores}\nlift from surface pressure: mean |dCL| {error.mean():.4f}, median {np.median(error):.4f}, largest {error.max():.4f}"


def evaluate(predictor: Predictor | str | Path, data: Dataset | str | Path, split: str = "test") -> Evaluation:
    """Predict every case of a split and compare with its fields.

    Args:
        predictor: anything with ``predict(case)``, or the path of a checkpoint.
        data: a data set or its folder.
        split: its name.

    Raises:
        DatasetError: no such split, or an empty one.
    """
    predictor = load_predictor(predictor) if isinstance(predictor, (str, Path)) else predictor
    dataset = data if isinstance(data, Dataset) else Dataset.open(data)
    if not dataset.splits.get(split):
        raise DatasetError(
            f"no cases in split '{split}'", where=dataset.name, remedy=f"choose one of {sorted(k for k, v in dataset.splits.items() if v)}"
        )
    cases = dataset.cases(split)
    # a surrogate would put a grid around a bare section, where there is no truth to compare with
    options = {"surface_only": True} if isinstance(predictor, TrainedPredictor) else {}
    results = [predictor.predict(case, **options) for case in cases]
    names = [name for name in results[0].fields if name in cases[0].fields and name != "quadrature_weight"]
    known = statistics(dataset.cases("train"), names) if "train" in dataset.splits else None
    pairs = [(dict(result.fields), case) for result, case in zip(results, cases, strict=True)]
    scores = compare(pairs, statistics=known, quantities=names, title=f"{dataset.name}, split {split}, {len(cases)} cases")
    return Evaluation(scores, lift_pairs(cases, [result.case for result in results]))


def lift_pairs(true: list[Case], predicted: list[Case]) -> np.ndarray:
    """(n, 2) lift coefficients from the surface pressure of both, integrated alike.

    (0, 2) where there is no pressure, no flow, or a body in space, whose coefficients need an area that nobody has stated.
    """
    if not true or any(case.operating_point is None or case.mesh.dimension == 3 for case in true):
        return np.zeros((0, 2))
    if not {"pressure", "pressure_coefficient"} & set(true[0].fields) & set(predicted[0].fields):
        return np.zeros((0, 2))
    return np.array([[forces(t).CL, forces(p).CL] for t, p in zip(true, predicted, strict=True)], dtype=np.float64)
