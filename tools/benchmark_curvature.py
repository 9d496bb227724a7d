"""Measure curvature fitted to point clouds of a sphere and two tori against the exact one, without and with noise."""

from __future__ import annotations

import argparse
import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from geoop.mesh.curvature import cloud_curvature


def main(arguments: list[str] | None = None) -> None:
    """Print errors in per cent of the largest exact value; the worst of several seeds counts."""
    parser = argparse.ArgumentParser(prog="tools/benchmark curvature", description=__doc__)
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(arguments)
    table = Table(title=f"{options.points} random points, worst of {options.seeds} seeds, error [%]")
    for heading in ("shape", "noise / diameter", "neighbours", "degree", "H median", "H 95 %", "H worst", "K 95 %", "K worst"):
        table.add_column(heading, justify="right")
    rows = [
        ("sphere", 0.0, None, 4),
        ("torus 1/0.4", 0.0, None, 4),
        ("torus 1/0.25", 0.0, None, 4),
        ("sphere", 1e-3, 128, 2),
        ("sphere", 1e-2, 256, 2),
    ]
    for shape, noise, neighbors, degree in rows:
        found = np.max([errors(shape, options.points, noise, neighbors, degree, seed) for seed in range(options.seeds)], axis=0)
        table.add_row(shape, f"{noise:g}", str(neighbors or "default"), str(degree), *(f"{100 * value:.2f}" for value in found))
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def errors(shape: str, n: int, noise: float, neighbors: int | None, degree: int, seed: int) -> np.ndarray:
    """Median, 95 % quantile and maximum of the error of the mean curvature; the last two of the Gauss curvature."""
    rng = np.random.default_rng(seed)
    points, mean, gauss = sphere(n, rng) if shape == "sphere" else torus(n, float(shape.partition("/")[2]), rng)
    found = cloud_curvature(points + 2 * noise * rng.normal(size=points.shape), neighbors=neighbors, degree=degree)
    h, k = (np.abs(value - exact) / np.abs(exact).max() for value, exact in ((found.mean, mean), (found.gauss, gauss)))
    return np.array([np.median(h), np.quantile(h, 0.95), h.max(), np.quantile(k, 0.95), k.max()])


def sphere(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the unit sphere, evenly over its area, and both curvatures there."""
    points = rng.normal(size=(n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True), np.ones(n), np.ones(n)


def torus(n: int, minor: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of a torus of radii 1 and ``minor``, evenly over its area, and both curvatures there."""
    angle = rng.uniform(0, 2 * np.pi, 4 * n)
    angle = angle[rng.uniform(0, 1 + minor, 4 * n) < 1 + minor * np.cos(angle)][:n]
    around, radius = rng.uniform(0, 2 * np.pi, n), 1 + minor * np.cos(angle)
    points = np.stack([radius * np.cos(around), radius * np.sin(around), minor * np.sin(angle)], axis=1)
    second = np.cos(angle) / radius
    return points, (1 / minor + second) / 2, second / minor


if __name__ == "__main__":
    main()
