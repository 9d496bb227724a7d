"""Measure walks on spheres: error and time against the number of walks, beside finite elements, on u = x^2 - y^2."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from geoop.fem.diffusion import Diffusion
from geoop.fem.evaluation import evaluate
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.polygons import random_star
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, icosphere, ring, torus
from geoop.truth.walk_on_spheres import walk_on_spheres

SHAPES = {
    "square": box((-0.5, -0.5), (0.5, 0.5)),
    "L": ring(np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.0], [0.0, 0.0], [0.0, 0.5], [-0.5, 0.5]]), "L"),
    "star": ring(random_star(np.random.default_rng(3), 128, roughness=0.5), "star"),
    "sphere": icosphere(2),
    "torus": torus(32, 16),
}


def saddle(points: np.ndarray) -> np.ndarray:
    """x^2 - y^2, harmonic in the plane and in space."""
    return points[:, 0] ** 2 - points[:, 1] ** 2


def main(arguments: list[str] | None = None) -> None:
    """Print root mean square errors, standard errors and seconds; in the plane those of finite elements too, meshing included."""
    parser = argparse.ArgumentParser(prog="tools/benchmark walks", description=__doc__)
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--walks", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    options = parser.parse_args(arguments)
    table = Table(title=f"u = x^2 - y^2 at {options.points} points")
    for heading in ("shape", "method", "rms error", "standard error", "jumps per walk", "seconds", "us per jump"):
        table.add_column(heading, justify="right")
    for name in options.shapes:
        shape = SHAPES[name]
        points = inside(shape, options.points)
        for walks in options.walks:
            error, spread, jumps, seconds = walked(shape, points, walks)
            each = 1e6 * seconds / (len(points) * walks * jumps)
            table.add_row(name, f"{walks} walks", f"{error:.1e}", f"{spread:.1e}", f"{jumps:.1f}", f"{seconds:.2f}", f"{each:.2f}")
        if shape.dimension == 2:
            error, seconds, unknowns = by_finite_elements(shape, points)
            table.add_row(name, f"P1, {unknowns} unknowns", f"{error:.1e}", "", "", f"{seconds:.2f}", "")
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def inside(shape: Mesh, count: int) -> np.ndarray:
    """(count, d) random points of a region."""
    low, high = shape.bounds
    points = np.random.default_rng(0).uniform(low, high, (20 * count, shape.dimension))
    return points[signed_distance(shape, points).distance < 0][:count]


def walked(shape: Mesh, points: np.ndarray, walks: int) -> tuple[float, float, float, float]:
    """Root mean square error, mean standard error, jumps per walk and seconds."""
    start = time.perf_counter()
    found = walk_on_spheres(shape, points, saddle, walks=walks)
    seconds = time.perf_counter() - start
    return float(np.sqrt(np.mean((found.mean - saddle(points)) ** 2))), float(np.sqrt(np.mean(found.error**2))), found.steps, seconds


def by_finite_elements(shape: Mesh, points: np.ndarray) -> tuple[float, float, int]:
    """Root mean square error at the same points, seconds for mesh, solution and evaluation, and the number of unknowns."""
    start = time.perf_counter()
    problem = Diffusion(mesh_inside(shape, size=0.03), degree=1, dirichlet=("boundary",))
    u = problem.solve(0.0, dirichlet={"boundary": saddle})
    values = evaluate(problem.space, u, points)
    seconds = time.perf_counter() - start
    return float(np.sqrt(np.nanmean((values - saddle(points)) ** 2))), seconds, problem.space.n


if __name__ == "__main__":
    main()
