"""Panel flows over NACA sections of four and five digits with any real numbers for digits: plentiful cases to train on before the few expensive ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import ring
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.truth.panels.system import PanelSystem

#: Digits: camber [% of chord], its place [tenths], thickness [% of chord]; five-digit sections: design lift [3/20], place [twentieths], thickness.
FOUR, FIVE, THICKNESS = ((0.0, 7.0), (1.5, 7.0)), ((0.0, 4.0), (3.0, 8.0)), (5.0, 20.0)
ALPHA, REYNOLDS = (-5.5, 15.5), (2e6, 6e6)
#: Flows of every section, panels, and points of the ring at which the pressure is kept.
PER_SECTION, PANELS, POINTS = 2, 200, (120, 160)
#: The first point of the ring, as an angle: x = (1 + cos) / 2 is 0.001 chords ahead of the trailing edge, whose own pressure is singular.
FIRST = 0.063
DENSITY, VISCOSITY = 1.184, 1.849e-5
KINDS = ("four", "four", "five", "reflexed")


def naca_panel_flows(folder: Path, sections: int, seed: int = 0) -> Dataset:
    """The data set, made where it is missing: surface pressure on bare rings, with validation cases on sections of their own."""
    bodies = [f"naca{k:04d}" for k in range(sections)]
    held = max(2, sections // 25)
    cases = {body: tuple(f"{body}_{k}" for k in range(PER_SECTION)) for body in bodies}
    splits = {"train": bodies[held:], "val": bodies[:held]}
    plan = DatasetPlan(
        "naca-panel-flows",
        "Inviscid surface pressure of NACA sections of four and five digits by linear-vorticity panels, on a ring without its trailing edge. "
        "The Reynolds number is stated and has no effect.",
        {split: tuple(name for body in own for name in cases[body]) for split, own in splits.items()},
        {"sections": sections, "alpha": list(ALPHA), "reynolds": list(REYNOLDS), "panels": PANELS},
        geometry={name: body for body in bodies for name in cases[body]},
        seed=seed,
        licence="CC0-1.0",
    )
    return write_dataset(folder, plan, lambda name: flow(seed, name))


def flow(seed: int, name: str) -> Case:
    """One flow: a section by its number, a condition of its own."""
    body, number = name.split("_")
    random = np.random.default_rng([seed, int(body[4:]), int(number)])
    speed = float(random.uniform(*REYNOLDS)) * VISCOSITY / DENSITY
    point = OperatingPoint(speed, float(random.uniform(*ALPHA)), density=DENSITY, viscosity=VISCOSITY, reference_length=1.0)
    digits = np.random.default_rng([seed, int(body[4:])])
    kind = KINDS[int(digits.integers(len(KINDS)))]
    first, second = FOUR if kind == "four" else FIVE
    shape = kind, float(digits.uniform(*first)), float(digits.uniform(*second)), float(digits.uniform(*THICKNESS))
    count = int(random.integers(*POINTS))
    points = outline(*shape, np.linspace(FIRST, 2.0 * np.pi - FIRST, count))
    velocity = _system(*shape).surface_velocity(points, [point])[0]
    index = np.arange(count)
    lines = Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))
    cp = Field(QUANTITIES["pressure_coefficient"], 1.0 - (velocity**2).sum(axis=1) / speed**2)
    return Case(Mesh(points, lines, {"wall": lines}, name=name), point, {cp.name: cp}, wall=("wall",), name=name)


@lru_cache(maxsize=2)
def _system(*shape) -> PanelSystem:
    return PanelSystem(ring(outline(*shape, 2.0 * np.pi * np.arange(300) / 300), "naca"), PANELS)


def outline(kind: str, first: float, second: float, thickness: float, angle: np.ndarray) -> np.ndarray:
    """(n, 2) points of a section with a closed edge; the angle runs from the trailing edge over the upper side around it, x = (1 + cos) / 2.

    Thickness is laid off normal to the camber line (NACA Report 460).
    """
    x, side = 0.5 * (1.0 + np.cos(angle)), np.where(angle < np.pi, 1.0, -1.0)
    half = thickness / 20.0 * (0.2969 * np.sqrt(x) - 0.1260 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4)
    half = np.where(x == 1.0, 0.0, half)
    camber, slope = _four(x, first / 100.0, second / 10.0) if kind == "four" else _five(x, 0.15 * first, second / 20.0, kind == "reflexed")
    tilt = np.arctan(slope)
    return np.stack([x - side * half * np.sin(tilt), camber + side * half * np.cos(tilt)], axis=1)


def _four(x: np.ndarray, m: float, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Two parabolas that meet at the largest camber m, at x = p."""
    front, aft = m / p**2, m / (1.0 - p) ** 2
    ahead = x < p
    return np.where(ahead, front * (2 * p * x - x**2), aft * (1 - 2 * p + 2 * p * x - x**2)), 2.0 * np.where(ahead, front, aft) * (p - x)


def _five(x: np.ndarray, lift: float, p: float, reflexed: bool) -> tuple[np.ndarray, np.ndarray]:
    """A cubic ahead of r and a line, or (reflexed) another cubic, behind it (NACA Reports 537 and 610).

    r puts the largest camber at x = p; reflexed, it takes away the moment of thin-section theory. The height gives the lift at the ideal angle.
    """
    r = brentq(lambda r: r * (1.0 - np.sqrt(r / 3.0)) - p, 1e-3, 1.0 - 1e-3) if not reflexed else _without_moment(p)
    camber, slope = _cubics(x, r, p, reflexed)
    height = lift / (np.pi * _harmonics(r, p, reflexed)[0])
    return height * camber, height * slope


def _cubics(x: np.ndarray, r: float, p: float, reflexed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Camber line of unit height, and its slope."""
    if not reflexed:
        ahead = x < r
        camber = np.where(ahead, x**3 - 3 * r * x**2 + r**2 * (3 - r) * x, r**3 * (1 - x))
        return camber, np.where(ahead, 3 * x**2 - 6 * r * x + r**2 * (3 - r), -(r**3))
    ratio = (3 * (r - p) ** 2 - r**3) / (1 - r) ** 3
    cubic = np.where(x < r, 1.0, ratio)
    linear = -ratio * (1 - r) ** 3 - r**3
    return cubic * (x - r) ** 3 + linear * x + r**3, 3 * cubic * (x - r) ** 2 + linear


def _harmonics(r: float, p: float, reflexed: bool) -> np.ndarray:
    """The first two cosine coefficients A1, A2 of the slope over the chord: lift at the ideal angle pi A1, moment pi (A2 - A1) / 4."""
    theta = (np.arange(2000) + 0.5) * np.pi / 2000
    slope = _cubics(0.5 * (1.0 - np.cos(theta)), r, p, reflexed)[1]
    return np.array([2.0 * (slope * np.cos(k * theta)).mean() for k in (1, 2)])


def _without_moment(p: float) -> float:
    return brentq(lambda r: float(np.subtract(*_harmonics(r, p, True)) / abs(_harmonics(r, p, True)[0])), p + 1e-3, min(3.0 * p, 0.97))
