"""Errors of the surface pressure of sections in the definition of the public data set ``airfrans_surface``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DatasetError, FieldError, NonFiniteError
from ..mesh.case import Case
from ..mesh.measure import point_weights

#: Range of Cp by which the publication divides (arXiv 2503.18638).
CP_RANGE = 23.3325
#: Resamplings of the cases for the interval, and the share of them that it holds.
DRAWS, LEVEL = 4000, 0.95
_WORST = 5


@dataclass(frozen=True, eq=False)
class PressureScores:
    """Errors of Cp over the nodes of many sections.

    A few cases at high incidence carry much of the mean: read it beside the median, the worst cases and the interval.

    Attributes:
        names: (n,) of the cases.
        per_case: (n,) mean over the nodes of a case of ((Cp - prediction) / 23.3325)^2.
        nodes: (n,) how many nodes a case has.
        square: (n,) mean square error of Cp weighted with arc length.
    """

    names: tuple[str, ...]
    per_case: np.ndarray
    nodes: np.ndarray
    square: np.ndarray

    @property
    def mean(self) -> float:
        """The normalised mean square error over all nodes of all cases: the number that is published."""
        return float((self.per_case * self.nodes).sum() / self.nodes.sum())

    @property
    def median(self) -> float:
        """Median over cases of their own normalised mean square error."""
        return float(np.median(self.per_case))

    @property
    def rmse(self) -> float:
        """Root mean square error of Cp, weighted with arc length within a case, all cases alike."""
        return float(np.sqrt(self.square.mean()))

    @property
    def worst(self) -> tuple[tuple[str, float], ...]:
        """Name and normalised mean square error of the five worst cases, worst first."""
        order = np.argsort(-self.per_case, kind="stable")[:_WORST]
        return tuple((self.names[k], float(self.per_case[k])) for k in order)

    @property
    def share_of_worst(self) -> float:
        """Share of the whole square error that the five worst cases carry, by their nodes."""
        total = self.per_case * self.nodes
        order = np.argsort(-self.per_case, kind="stable")[:_WORST]
        return float(total[order].sum() / total.sum()) if total.sum() > 0 else 0.0

    def interval(self, draws: int = DRAWS, level: float = LEVEL, seed: int = 0) -> tuple[float, float]:
        """Bootstrap interval of :attr:`mean`: the cases are drawn anew with replacement."""
        index = np.random.default_rng(seed).integers(len(self.names), size=(draws, len(self.names)))
        means = (self.per_case * self.nodes)[index].sum(axis=1) / self.nodes[index].sum(axis=1)
        low, high = np.quantile(means, [0.5 - 0.5 * level, 0.5 + 0.5 * level])
        return float(low), float(high)

    def row(self) -> dict[str, float]:
        """The numbers for a table."""
        low, high = self.interval()
        return {
            "mean": self.mean,
            "low": low,
            "high": high,
            "median": self.median,
            "worst": self.worst[0][1],
            "share_of_worst": self.share_of_worst,
            "rmse": self.rmse,
        }


def pressure_scores(cases: Sequence[Case], predicted: Sequence[np.ndarray], quantity: str = "pressure_coefficient") -> PressureScores:
    """Scores of predictions at the nodes of cases, e.g. of all folds together, each predicted by what was trained on the others.

    Args:
        cases: outlines with the true field.
        predicted: for each case (n,) values at its nodes.
        quantity: name of the field.

    Raises:
        DatasetError: no case, or not one prediction per case. FieldError: a prediction of another length. NonFiniteError: NaN in one.
    """
    if not len(cases) or len(cases) != len(predicted):
        raise DatasetError(f"{len(predicted)} predictions for {len(cases)} cases", where="pressure_scores", remedy="give one per case")
    rows = []
    for case, own in zip(cases, predicted, strict=True):
        true, own = case.field(quantity).values, np.asarray(own, dtype=np.float64)
        if own.shape != true.shape:
            raise FieldError(f"prediction has shape {own.shape}, truth {true.shape}", where=case.name, remedy="predict at the nodes of the case")
        if not np.isfinite(own).all():
            raise NonFiniteError("the prediction is not finite", where=case.name, remedy="look at the case: where is it NaN?")
        square = (own - true) ** 2
        weight = point_weights(case.mesh)
        rows.append((float(square.mean()) / CP_RANGE**2, len(own), float((square * weight).sum() / weight.sum())))
    per_case, nodes, square_mean = np.array(rows).T
    return PressureScores(tuple(case.name for case in cases), per_case, nodes, square_mean)
