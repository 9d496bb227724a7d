"""From a folder of solver files to a prediction with drag: collect, fit, predict a body nobody has solved, and check it against the solver."""

from __future__ import annotations

import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import geoop
from geoop.mesh.cells import Cells
from geoop.mesh.straight import straightened
from geoop.results.metrics import relative_l2
from geoop.train.settings import FitSettings
from geoop.truth.datasets import bluff_channel


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    count = 12 if quick else 60
    runs, data = out / f"runs-{count}", out / f"collected-{count}"
    start = time.perf_counter()
    write_runs(runs, count)
    print(f"{count} runs in {runs} after {time.perf_counter() - start:.0f} s")

    names = {"U": "velocity:m/s", "p": "pressure:Pa"}
    dataset = geoop.collect(runs, data, runs / "runs.csv", names=names, wall=["body"], licence="CC0-1.0", name="my-bodies")
    print(dataset)

    settings = FitSettings(epochs=4, batch=4, validate_every=2) if quick else FitSettings(minutes=10, batch=4)
    surrogate = geoop.fit(dataset, out / f"run-{count}", quantities=("velocity", "pressure"), settings=settings, progress=not quick)
    print("the model is told", ", ".join(surrogate.framing.conditions.names))

    exact = bluff_channel.case(1, "bluff_0001")  # another seed: a body that is in no run
    start = time.perf_counter()
    result = surrogate.predict(replace(exact, fields={}))
    forces = geoop.forces(result, friction="velocity")
    seconds = time.perf_counter() - start
    truth = float(exact.field("drag_coefficient").values)
    errors = {name: relative_l2(result[name], exact.field(name).values) for name in ("velocity", "pressure")}
    print(forces)
    print("verdict", result.verdict)
    print(f"CD {forces.CD:.3f}, the solver's {truth:.3f}; relative L2 " + ", ".join(f"{k} {100 * v:.1f} %" for k, v in errors.items()))
    print(f"predicted and integrated in {seconds:.2f} s; written: {result.write(out / 'new_body.vtu')}")
    return {"CD": forces.CD, "truth": truth, "cases": float(len(dataset)), "seconds": seconds, **errors}


def write_runs(folder: Path, count: int) -> None:
    """Solve flows and write them as an engineer finds them: a file per run with the solver's own names, and a table of conditions."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for k in range(1, count + 1):
        name, path = f"bluff_{k:04d}", folder / f"run_{k:03d}.vtu"
        point = bluff_channel.case(0, name).operating_point if path.exists() else write_run(path, name, mixed=k % 3 == 0)
        rows.append([path.stem, point.velocity, 1e6 * point.viscosity / point.density, point.density, 100 * point.reference_length])
    with (folder / "runs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["run", "U [m/s]", "nu [mm2/s]", "rho [kg/m3]", "reference length [cm]"], *rows])


def write_run(path: Path, name: str, *, mixed: bool) -> geoop.OperatingPoint:
    """One run: curved triangles, or straight ones of which many are joined to quads."""
    case = bluff_channel.case(0, name)
    if mixed:
        case = with_quads(case)
    solver = {"velocity": geoop.Quantity("U", "U", "?", 1), "pressure": geoop.Quantity("p", "p", "?")}
    fields = {quantity.name: geoop.Field(quantity, case.field(key).values) for key, quantity in solver.items()}
    geoop.write(replace(case, fields=fields, operating_point=None, wall=None), path)
    return case.operating_point


def with_quads(case: geoop.Case) -> geoop.Case:
    """The case on straight cells, pairs of its triangles joined to convex quads."""
    case = straightened(case)
    corners = case.mesh.cells.block("triangle")
    edges = np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    owner = np.repeat(np.arange(len(corners)), 3)
    order = np.lexsort(edges.T)
    twin = np.flatnonzero((edges[order[1:]] == edges[order[:-1]]).all(axis=1))
    free, quads = np.ones(len(corners), dtype=bool), []
    for first, second in zip(owner[order[twin]], owner[order[twin + 1]], strict=True):
        quad = _joined(case.mesh.points, corners[first], corners[second])
        if free[first] and free[second] and quad is not None:
            free[[first, second]] = False
            quads.append(quad)
    return replace(case, mesh=replace(case.mesh, cells=Cells.of(triangle=corners[free], quad=np.array(quads))))


def _joined(points: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Two triangles with a common edge as one quad, None unless all its corners are between 50 and 130 degrees."""
    lone = next(k for k in range(3) if first[k] not in second)
    other = next(p for p in second if p not in first)
    quad = np.array([first[lone], first[(lone + 1) % 3], other, first[(lone + 2) % 3]])
    along = np.roll(points[quad], -1, axis=0) - points[quad]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    cosine = -(along * np.roll(along, 1, axis=0)).sum(axis=1)
    return quad if np.abs(cosine).max() < np.cos(np.radians(50)) else None


if __name__ == "__main__":
    main()
