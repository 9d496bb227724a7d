"""Errors of predicted fields over the cases of a split, as the tables of the benchmarks state them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.spatial import cKDTree

import geoop
from geoop.io.dataset import Dataset
from geoop.mesh.body import body, body_cells
from geoop.mesh.case import Case
from geoop.mesh.measure import point_weights
from geoop.results.forces import forces
from geoop.results.metrics import relative_l2, statistics, z_scored_l1
from geoop.scaling.framing import Framing
from geoop.train.preparing import TrainingData


def errors(
    data: Dataset,
    split: str,
    quantities: Sequence[str],
    predict: Callable[[Case], Mapping[str, np.ndarray]],
    chosen: Callable[[Case], np.ndarray] | None = None,
) -> dict[str, float]:
    """Per cent, over the cases of a split: mean and median relative L2 and median z-scored relative L1 over all points; on walls, and lift.

    A velocity is counted relative to its perturbation of the free stream. With ``chosen`` over those points of every case alone.
    """
    known = statistics(data.cases("train"), list(quantities))
    table: dict[str, list[float]] = {}

    def add(name: str, value: float) -> None:
        table.setdefault(name, []).append(value)

    for case in data.cases(split):
        found = predict(case)
        part = slice(None) if chosen is None else chosen(case)
        lifts = []
        for quantity in quantities:
            truth, guess = case.field(quantity).values[part], np.asarray(found[quantity])[part]
            free = (
                case.operating_point.direction(case.mesh.dimension) * case.operating_point.velocity
                if truth.ndim > 1 and case.operating_point
                else 0.0
            )
            add(quantity, 100 * relative_l2(guess, truth, offset=free))
            add(f"{quantity} z-L1", 100 * z_scored_l1(guess, truth, *_spread(known, quantity, truth.ndim)))
            if quantity == "pressure_coefficient" and chosen is None:
                wall = np.unique(body_cells(case.mesh, case.wall).connectivity)
                add("surface Cp", 100 * relative_l2(guess[wall], truth[wall]))
                if case.mesh.dimension == 3:  # where points stand as closely as at wing tips, they are most of the other
                    add("surface Cp by area", 100 * relative_l2(guess[wall], truth[wall], point_weights(body(case.mesh, case.wall))))
                if case.mesh.dimension == 2:  # in space there is no area that is customary for every body
                    lifts = [forces(case).CL, forces(case.with_fields(geoop.Field(case.field(quantity).quantity, guess))).CL]
        if lifts:
            add("dCL", abs(lifts[1] - lifts[0]))
    out = {}
    for name, values in table.items():
        out[f"{name} mean"], out[f"{name} median"] = round(float(np.mean(values)), 4), round(float(np.median(values)), 4)
    out["primary"] = round(float(np.mean([out[f"{quantity} mean"] for quantity in quantities])), 4)
    return out


def _spread(known: Mapping[str, tuple[float, float]], quantity: str, ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of a quantity, of a vector those of its components."""
    rows = [known[quantity]] if ndim == 1 else [known[f"{quantity}_{axis}"] for axis in "xyz" if f"{quantity}_{axis}" in known]
    mean, deviation = np.array(rows).T
    return (mean[0], deviation[0]) if ndim == 1 else (mean, deviation)


def trained_on(framing: Framing, shared: TrainingData, seen: bool) -> Callable[[Case], np.ndarray]:
    """Case of the training -> which of its points training saw, or did not see."""
    samples = dict(zip(shared.dataset.splits["train"], shared.train, strict=False))  # mirror images stand behind the cases

    def chosen(case: Case) -> np.ndarray:
        places = framing.frame(case).points_in(case.mesh.points)
        away = cKDTree(samples[case.name].queries.points.pos.double().numpy()).query(places)[0]
        return (away < 1e-5) == seen

    return chosen
