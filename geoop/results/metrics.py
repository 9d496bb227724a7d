"""Errors of predicted fields, per case first and averaged after, in the definitions that the field uses.

Four different "relative errors" circulate; two of them are computed here from the same predictions, always both:

* relative L2 of one case, ``|p - t| / |t|`` over its points, reported as mean and median over cases (the mean shows the tail);
* relative L1 after z-scoring with the training set's mean and deviation, median over cases (the convention of GAOT and RIGNO).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..axes import check
from ..errors import FieldError, NonFiniteError
from ..mesh.body import body_cells
from ..mesh.case import Case
from ..mesh.measure import point_weights
from ..mesh.quantity import Field

#: Row name -> (mean, standard deviation) over all points of the training cases.
Statistics = Mapping[str, tuple[float, float]]


def _ratio(error: float, size: float) -> float:
    """0/0 is a perfect prediction of nothing; x/0 has no finite relative error."""
    return error / size if size > 0 else (0.0 if error == 0 else float("inf"))


def _checked(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    predicted, true = np.asarray(predicted, dtype=np.float64), np.asarray(true, dtype=np.float64)
    if predicted.shape != true.shape:
        raise FieldError(f"prediction has shape {predicted.shape}, truth {true.shape}", where="metrics", remedy="evaluate both at the same points")
    for name, values in (("prediction", predicted), ("truth", true)):
        if not np.isfinite(values).all():
            raise NonFiniteError(
                f"{int((~np.isfinite(values)).sum())} of {values.size} values of the {name} are not finite",
                where="metrics",
                remedy="mask points inside the body first; other NaN mean that the prediction failed",
            )
    return predicted, true


def relative_l2(predicted: np.ndarray, true: np.ndarray, weight: np.ndarray | None = None, *, offset: np.ndarray | float = 0.0) -> float:
    """Relative L2 error of one case.

    Args:
        predicted: (n,) or (n, d).
        true: same shape.
        weight: (n,) quadrature weights; None counts every point once, which favours refined regions.
        offset: subtracted from the truth in the denominator, e.g. the free stream: an error relative to the perturbation.

    Returns:
        sqrt(sum w |p - t|^2 / sum w |t - offset|^2); 0 where both vanish, inf where only the denominator does.

    Raises:
        FieldError: shapes differ. NonFiniteError: NaN or infinity in either.
    """
    predicted, true = _checked(predicted, true)
    weight = np.ones(len(true)) if weight is None else np.asarray(weight, dtype=np.float64)
    check(weight=(weight, "n"), true=(true[:, None] if true.ndim == 1 else true, "n d"))
    weight = weight.reshape(-1, *[1] * (true.ndim - 1))
    return _ratio(float(np.sqrt(np.sum(weight * (predicted - true) ** 2))), float(np.sqrt(np.sum(weight * (true - offset) ** 2))))


def perturbation_l2(predicted: np.ndarray, true: np.ndarray, free_stream: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Relative L2 of the perturbation velocity u - U: the far field, where u = U, does not flatter it.

    Args:
        predicted: (n, d) [m/s]. true: (n, d) [m/s]. free_stream: (d,) [m/s]. weight: (n,) or None.
    """
    return relative_l2(predicted, true, weight, offset=np.asarray(free_stream, dtype=np.float64))


def z_scored_l1(predicted: np.ndarray, true: np.ndarray, mean: float | np.ndarray, deviation: float | np.ndarray) -> float:
    """Relative L1 of one case after z-scoring with the training set's statistics: sum |p - t| / s over sum |t - mean| / s.

    Args:
        predicted, true: (n,) a scalar, or (n, d) a vector, whose components are summed after each was divided by its own deviation.
        mean, deviation: of the training set, one number or (d,). For one variable the deviation cancels; a constant one (deviation 0) has no
            such error and is left out.

    Returns:
        NaN where nothing varied.
    """
    predicted, true = _checked(predicted, true)
    mean, deviation = (np.broadcast_to(np.asarray(part, dtype=np.float64), true.shape[1:]) for part in (mean, deviation))
    varied = deviation > 0
    if not varied.any():
        return float("nan")

    def size(difference: np.ndarray) -> float:
        return float((np.abs(difference) / np.where(varied, deviation, np.inf)).sum())

    return _ratio(size(predicted - true), size(true - mean))


@dataclass(frozen=True, eq=False)
class Score:
    """Errors of one quantity in one region, case by case.

    Attributes:
        quantity: row name, e.g. ``velocity_x``, ``velocity perturbation``, ``pressure_coefficient``.
        region: ``field`` or ``surface``.
        l2: (n,) relative L2 per case.
        weighted_l2: (n,) relative L2 with quadrature weights, see :func:`evaluate`; NaN where a case has none.
        l1: (n,) z-scored relative L1 per case; NaN where no training statistics were given.
    """

    quantity: str
    region: str
    l2: np.ndarray
    weighted_l2: np.ndarray
    l1: np.ndarray

    def to_dict(self) -> dict[str, object]:
        """Means and medians as fractions, not percent."""
        return {
            "quantity": self.quantity,
            "region": self.region,
            "cases": len(self.l2),
            "mean_relative_l2": float(np.mean(self.l2)),
            "median_relative_l2": float(np.median(self.l2)),
            "largest_relative_l2": float(np.max(self.l2)),
            "mean_weighted_relative_l2": _or_none(float(np.mean(self.weighted_l2))),
            "median_z_scored_relative_l1": _or_none(float(np.median(self.l1))),
        }


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


@dataclass(frozen=True, eq=False)
class Scores:
    """A table of errors: one row per quantity and region.

    Attributes:
        rows: the rows.
        names: (n,) case names, in the order of every row's arrays.
        title: what was evaluated on what.
    """

    rows: tuple[Score, ...]
    names: tuple[str, ...] = ()
    title: str = ""

    def row(self, quantity: str, region: str = "field") -> Score:
        """One row.

        Raises:
            FieldError: there is none of that name and region.
        """
        for item in self.rows:
            if (item.quantity, item.region) == (quantity, region):
                return item
        known = sorted({f"{item.quantity} ({item.region})" for item in self.rows})
        raise FieldError(f"no scores of '{quantity}' in the {region}", where="Scores", remedy=f"choose one of {known}")

    def worst(self, quantity: str, region: str = "field", count: int = 10) -> list[tuple[str, float]]:
        """Names and relative L2 of the worst cases, worst first."""
        errors = self.row(quantity, region).l2
        return [(self.names[i], float(errors[i])) for i in np.argsort(-errors, kind="stable")[:count]]

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        return {"title": self.title, "cases": len(self.names), "rows": [item.to_dict() for item in self.rows]}

    def __str__(self) -> str:
        head = ["quantity", "region", "mean L2 %", "median L2 %", "largest %", "area-weighted %", "median z-L1 %"]
        keys = ["mean_relative_l2", "median_relative_l2", "largest_relative_l2", "mean_weighted_relative_l2", "median_z_scored_relative_l1"]
        body = []
        for item in self.rows:
            data = item.to_dict()
            body.append(
                [item.quantity, item.region, *("-" if data[key] is None or not np.isfinite(data[key]) else f"{100 * data[key]:.3g}" for key in keys)]
            )  # type: ignore[operator]
        width = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
        lines = [
            "  ".join(text.ljust(w) if i < 2 else text.rjust(w) for i, (text, w) in enumerate(zip(line, width, strict=True)))
            for line in [head, *body]
        ]
        lines.insert(1, "  ".join("-" * w for w in width))
        title = f"{self.title}: " if self.title else ""
        return "\n".join([f"{title}relative errors over {len(self.names)} cases", *lines])


@dataclass
class _Rows:
    """Per-case errors as they arrive, in order of first appearance."""

    l2: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    weighted: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    l1: dict[tuple[str, str], list[float]] = field(default_factory=dict)


def evaluate(
    pairs: Iterable[tuple[Mapping[str, Field], Case]],
    *,
    statistics: Statistics | None = None,
    quantities: Sequence[str] | None = None,
    title: str = "",
) -> Scores:
    """Compare predictions with the fields of their cases.

    Surface points (those of the body) and field points are separate rows; a region without flow in which no wall is named has field points
    only. Vectors give one row per component, one for the vector, and ``velocity perturbation`` relative to the free stream. What is
    zero in truth in every case, such as the velocity on a wall without slip, has no relative error and no row. One column is weighted:
    by ``quadrature_weight``, where a case has it, else by the measure of the cells around a point, on a surface by that of the facets.

    Args:
        pairs: (predicted point fields by name, case with the true point fields).
        statistics: from :func:`statistics`, of the training cases.
        quantities: names to compare; None takes all that the prediction and the first case share.
        title: heading of the table.

    Raises:
        FieldError: no pair, a quantity missing on one side, not at points, or rows that differ from case to case.
    """
    rows, names = _Rows(), []
    for predicted, case in pairs:
        if quantities is None:
            quantities = [name for name in predicted if name in case.fields]
        names.append(case.name)
        _compare(rows, predicted, case, quantities, statistics or {})
        short = [key for key, values in rows.l2.items() if len(values) != len(names)]
        if short:
            raise FieldError(f"rows {short} are not there in every case", where=case.name, remedy="evaluate cases of one kind at a time")
    if not rows.l2:
        raise FieldError("nothing to compare", where="evaluate", remedy="pass at least one case that has a predicted quantity as a field")
    shown = [key for key, values in rows.l2.items() if np.isfinite(values).any()] or list(rows.l2)
    arrays = [{key: np.array(values) for key, values in part.items()} for part in (rows.l2, rows.weighted, rows.l1)]
    return Scores(tuple(Score(*key, *(part[key] for part in arrays)) for key in shown), tuple(names), title)


def _compare(rows: _Rows, predicted: Mapping[str, Field], case: Case, quantities: Sequence[str], known: Statistics) -> None:
    problems = [f"'{name}' is not predicted" for name in quantities if name not in predicted]
    problems += [f"'{name}' is not a field of the case" for name in quantities if name not in case.fields]
    problems += [f"'{name}' is not at points" for name in quantities if name in case.fields and case.fields[name].location != "point"]
    if problems:
        raise FieldError("; ".join(problems), where=case.name, remedy="name quantities that both sides have at points")
    regions = {region: index for region, index in regions_of(case).items() if len(index)}
    weights = {region: weights_of(case, region, index) for region, index in regions.items()}
    for name in quantities:
        for region, index in regions.items():
            p, t = predicted[name].values[index], case.field(name).values[index]
            for label, pred, true, offset in _rows_of(name, p, t, case):
                key = (label, region)
                w = weights[region]
                rows.l2.setdefault(key, []).append(relative_l2(pred, true, offset=offset))
                usable = w is not None and bool((w > 0).any())
                rows.weighted.setdefault(key, []).append(relative_l2(pred, true, w, offset=offset) if usable else float("nan"))
                stated = true.ndim == 1 and label in known
                rows.l1.setdefault(key, []).append(z_scored_l1(pred, true, *known[label]) if stated else float("nan"))


def regions_of(case: Case) -> dict[str, np.ndarray]:
    """Indices of field points and of surface points; a point cloud, and a region without flow and named wall, have no surface."""
    mesh, count = case.mesh, len(case.mesh.points)
    if mesh.is_cloud or (case.operating_point is None and case.wall is None and not mesh.is_surface):
        return {"field": np.arange(count)}
    surface = np.unique(body_cells(case.mesh, case.wall).connectivity)
    return {"field": np.setdiff1d(np.arange(count), surface), "surface": surface}


def weights_of(case: Case, region: str, index: np.ndarray) -> np.ndarray | None:
    """(k,) quadrature weights of the points of a region; None where nothing tells them."""
    mesh = case.mesh
    if "quadrature_weight" in case.fields:
        return case.fields["quadrature_weight"].values[index]
    if region == "surface":
        wall = mesh if mesh.is_surface else replace(mesh, cells=body_cells(mesh, case.wall), patches={})
        return point_weights(wall)[index]
    return None if len(mesh.cells.where("vertex")) else point_weights(mesh)[index]


def _rows_of(name: str, predicted: np.ndarray, true: np.ndarray, case: Case) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray | float]]:
    if true.ndim == 1:
        return [(name, predicted, true, 0.0)]
    rows: list[tuple[str, np.ndarray, np.ndarray, np.ndarray | float]] = [
        (f"{name}_{axis}", predicted[:, k], true[:, k], 0.0) for k, axis in enumerate("xyz"[: true.shape[1]])
    ]
    rows.append((name, predicted, true, 0.0))
    if name == "velocity" and case.operating_point is not None:
        stream = case.operating_point.velocity * case.operating_point.direction(case.mesh.dimension)
        rows.append(("velocity perturbation", predicted, true, stream))
    return rows


def statistics(cases: Iterable[Case], quantities: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of every scalar or component over all points of the training cases, for z-scoring."""
    parts: dict[str, list[np.ndarray]] = {}
    for case in cases:
        for name in quantities:
            values = case.field(name).values
            for label, _, true, _ in _rows_of(name, values, values, case):
                if true.ndim == 1:
                    parts.setdefault(label, []).append(true)
    joined = {label: np.concatenate(values) for label, values in parts.items()}
    return {label: (float(values.mean()), float(values.std())) for label, values in joined.items()}
