"""The data set ``kt-airfoils``: exact potential flow around random Karman-Trefftz sections, in the field and on the wall."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ..exact.karman_trefftz import KarmanTrefftz
from .named import NamedDataset

NAME = "kt-airfoils"
DEFAULT_SIZE = 500
SURFACE_POINTS, FIELD_POINTS = 200, 5000
VELOCITY, CHORD = 60.0, 1.0
#: Distances from the wall in the circle plane, in radii: between these, uniform in the logarithm.
NEAREST, FARTHEST = 1e-3, 3.0
WEIGHT = Quantity("quadrature_weight", "w", "m^2, on the wall m")

_GAUSS = np.polynomial.legendre.leggauss(8)

#: Uniform laws: parameter -> (lower, upper).
LAWS = {"mu_x": (-0.15, -0.03), "mu_y": (0.0, 0.12), "tau": (5.0, 20.0), "alpha": (-5.0, 10.0)}
OUTSIDE_LAWS = {**LAWS, "mu_y": (0.12, 0.18), "alpha": (10.0, 15.0)}

_DESCRIPTION = """Exact incompressible, inviscid flow around Karman-Trefftz sections of 1 m chord, leading edge at x = 0, trailing edge at (1, 0) m. \
Every case has its own geometry. Points: 200 on the wall, counter-clockwise from the trailing edge, then 5000 in the field. \
Inviscid: no drag, no stall. Split 'ood' lies outside the ranges of the others: more incidence, more camber."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, validation and test together, in the ratio 7 : 1 : 2; n/5 more are out of distribution.
        seed: of all draws; case k is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 4 cases.
    """
    if n < 4:
        raise ConfigurationError(f"{n} cases cannot be split", where=NAME, remedy="ask for at least 4 cases: -n 4")
    validation, test = max(1, round(n / 10)), max(1, round(n / 5))
    names = [f"kt_{k:04d}" for k in range(1, n + 1)]
    train = n - validation - test
    splits = {
        "train": tuple(names[:train]),
        "val": tuple(names[train : train + validation]),
        "test": tuple(names[train + validation :]),
        "ood": tuple(f"kt_ood_{k:04d}" for k in range(1, max(1, round(n / 5)) + 1)),
    }
    parameters = {name: drawn(seed, name) for names_ in splits.values() for name in names_}
    return DatasetPlan(NAME, _DESCRIPTION, splits, _generator(), parameters, seed=seed, licence="CC0-1.0")


def case(seed: int, name: str) -> Case:
    """One case with velocity, pressure_coefficient and quadrature_weight at its points; the same for the same seed and name."""
    values = drawn(seed, name)
    section = KarmanTrefftz(values["mu_x"], values["mu_y"], values["tau"], CHORD)
    condition = OperatingPoint(VELOCITY, alpha=values["alpha"], reference_length=CHORD)
    angle = 2.0 * np.pi * np.arange(SURFACE_POINTS) / SURFACE_POINTS
    field_zeta, field_weight = field_points(section, _random(seed, name, part=1))
    zeta = np.concatenate([section.circle(angle), field_zeta])
    lines = section.outline(angle).cells
    vertices = Cells.of(vertex=np.arange(SURFACE_POINTS, SURFACE_POINTS + FIELD_POINTS)[:, None])
    mesh = Mesh(section.points(zeta), Cells.concatenate([lines, vertices]), {"wall": lines}, name=name)
    velocity = section.velocity(zeta, condition)
    fields = (
        Field(QUANTITIES["velocity"], velocity),
        Field(QUANTITIES["pressure_coefficient"], 1.0 - (velocity**2).sum(axis=1) / VELOCITY**2),
        Field(WEIGHT, np.concatenate([arc_weights(section, angle), field_weight])),
    )
    return Case(mesh, condition, {item.name: item for item in fields}, wall=("wall",), name=name)


def drawn(seed: int, name: str) -> dict[str, float]:
    """The parameters of one case, uniform between the limits of its split."""
    laws = OUTSIDE_LAWS if "_ood_" in name else LAWS
    unit = _random(seed, name, part=0).random(len(laws))
    return {key: low + (high - low) * float(u) for (key, (low, high)), u in zip(laws.items(), unit, strict=True)}


def field_points(section: KarmanTrefftz, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(n,) points zeta around the section and their quadrature weights [m^2].

    zeta = mu + (1 - mu)(1 + s) e^{i t}, t uniform, log s uniform: dense near the wall. Both are Latin-hypercube samples: one point in
    each of n equal strata, in random order, which makes sums less noisy than independent draws. With the density of the law,
    1/(2 pi s log(s_1/s_0)) per unit of s and t, a sum over the weights is an unbiased estimate of the integral over the region between
    s_0 and s_1: dA = |dz/dzeta|^2 R^2 (1 + s) ds dt.
    """
    t, u = ((random.permutation(FIELD_POINTS) + random.random(FIELD_POINTS)) / FIELD_POINTS for _ in range(2))
    span = math.log(FARTHEST / NEAREST)
    s = NEAREST * np.exp(span * u)
    zeta = section.circle(2.0 * np.pi * t, s)
    weight = section.area_element(zeta) * section.radius**2 * (1.0 + s) * s * (2.0 * np.pi * span / FIELD_POINTS)
    return zeta, weight


def arc_weights(section: KarmanTrefftz, angle: np.ndarray) -> np.ndarray:
    """(n,) arc length [m] that belongs to every wall point: half of the wall to each neighbour; together the whole perimeter."""
    node, weight = _GAUSS
    step = np.diff(np.append(angle, angle[0] + 2.0 * np.pi))
    inside = angle[:, None] + step[:, None] * 0.5 * (node + 1.0)
    length = section.arc_element(inside) @ weight * 0.5 * step
    return 0.5 * (length + np.roll(length, 1))


def _random(seed: int, name: str, part: int) -> np.random.Generator:
    """A generator of its own for every case and purpose, so that order and number of workers do not matter."""
    outside = int("_ood_" in name)
    return np.random.default_rng(np.random.SeedSequence([seed, outside, int(name.rsplit("_", 1)[1]), part]))


def _generator() -> dict[str, Any]:
    """Laws and constants for the manifest."""
    return {
        "source": "closed form: geoop.truth.exact.karman_trefftz",
        "revision": 1,
        "parameters": "independent and uniform between the limits below; mu_x and mu_y in circle-plane units, tau and alpha in degrees",
        "limits": {key: list(limits) for key, limits in LAWS.items()},
        "limits_ood": {key: list(limits) for key, limits in OUTSIDE_LAWS.items()},
        "velocity": VELOCITY,
        "chord": CHORD,
        "surface_points": SURFACE_POINTS,
        "surface_law": "uniform in the circle angle from the trailing edge: fine at nose and trailing edge",
        "field_points": FIELD_POINTS,
        "field_law": "zeta = mu + (1 - mu)(1 + s) exp(i t); t uniform, log s uniform from log nearest to log farthest [radii]; Latin hypercube",
        "nearest": NEAREST,
        "farthest": FARTHEST,
        "largest_distance_from_mid_chord": round(largest_distance(), 4),
        "largest_distance_unit": "chords",
        "weight_law": "field: area of the region over the density of the law / n [m^2]; wall: arc length to half-way to both neighbours [m]",
    }


def largest_distance() -> float:
    """Upper limit of the distance of field points from mid-chord [chords], over the corners of the parameter ranges."""
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    found = 0.0
    for laws in (LAWS, OUTSIDE_LAWS):
        for corner in range(8):
            section = KarmanTrefftz(*(laws[key][corner >> k & 1] for k, key in enumerate(("mu_x", "mu_y", "tau"))))
            points = section.points(section.circle(angle, FARTHEST))
            found = max(found, float(np.linalg.norm(points - [0.5, 0.0], axis=1).max()))
    return found


DATASET = NamedDataset("exact potential flow around Karman-Trefftz sections", plan, case, DEFAULT_SIZE, cases_per_worker=100)
