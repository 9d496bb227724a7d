"""Measure signed distances against 81 920 triangles: seconds and memory beside trimesh, error beside the facets', signs with holes."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
LEVEL = 6  # icosphere of 20 * 4**6 = 81 920 triangles
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def main(arguments: list[str] | None = None) -> None:
    """Run every measurement in a process of its own, on one thread, print a table and write ``distance.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="sizes of the point sets for geoop alone")
    parser.add_argument("--compare", type=int, default=10_000, help="points for the comparison with trimesh, which needs GBs; 0 leaves it out")
    parser.add_argument("--repeat", type=int, default=2, help="alternating repetitions of the comparison; the best of each counts")
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "benchmark")
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(MEASUREMENTS[options.one[0]](int(options.one[1]))))
        return
    console = Console(width=None if sys.stdout.isatty() else 150)
    measure("geoop", 100, console)  # compiles the kernel, once per machine
    rows = []
    if options.compare:
        for _ in range(max(1, options.repeat)):
            rows += [measure(what, options.compare, console) for what in ("trimesh", "geoop")]
    rows += [measure("geoop", n, console) for n in options.points if n != options.compare or not options.compare]
    signs = [measure(what, 100_000, console) for what in ("holes-sphere", "holes-torus", "holes-wing")]
    found = {"machine": machine(), "triangles": 20 * 4**LEVEL, "threads": 1, "speed": rows, "signs": signs, "ratio": ratios(rows)}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "distance.json").write_text(json.dumps(found, indent=2))
    report(found, console)


def measure(what: str, n: int, console: Console) -> dict:
    """One measurement in a fresh process."""
    with console.status(f"{what}, {n} points"):
        command = [sys.executable, str(Path(__file__).resolve()), "--one", what, str(n)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{what} with {n} points failed:\n{done.stderr[-2000:]}")
    return {"what": what, "points": n, **json.loads(done.stdout.splitlines()[-1])}


def cloud(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points round the unit sphere, half of them within 1 % of its surface, and their exact distances."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(n, 3))
    radius = np.where(np.arange(n) % 2, rng.uniform(0.99, 1.01, n), 2 * rng.random(n) ** (1 / 3))
    return points * (radius / np.linalg.norm(points, axis=1))[:, None], radius - 1


def geoop_one(n: int) -> dict:
    from geoop.mesh.distance import signed_distance
    from geoop.mesh.measure import facet_normals
    from geoop.mesh.primitives import icosphere

    sphere = icosphere(LEVEL)
    points, exact = cloud(n)
    signed_distance(icosphere(1), points[:1])  # loads warp and its compiled kernel
    first, _ = timed(lambda: signed_distance(sphere, points[:1]))  # prepares the body
    idle = peak()
    seconds, found = timed(lambda: signed_distance(sphere, points))
    error = np.abs(found.distance - exact).max()
    planes = (facet_normals(sphere) * sphere.points[sphere.cells.block("triangle")[:, 0]]).sum(axis=1)
    return {
        "seconds": seconds,
        "preparation": first,
        "megabytes": peak() - idle,
        "peak": peak(),
        "error": error,
        "facet_error": 1 - planes.min(),
        "wrong_signs": int((np.sign(found.distance) != np.sign(exact))[np.abs(exact) > 1 - planes.min()].sum()),
    }


def trimesh_one(n: int) -> dict:
    import rtree  # noqa: F401 # pyright: ignore[reportMissingImports] - trimesh takes it for its distances and does not install it: pip install rtree
    import trimesh

    from geoop.mesh.primitives import icosphere

    sphere = icosphere(LEVEL)
    body = trimesh.Trimesh(sphere.points, sphere.cells.block("triangle"), process=False)
    points, exact = cloud(n)
    first, _ = timed(lambda: trimesh.proximity.signed_distance(body, points[:1]))
    idle = peak()
    seconds, found = timed(lambda: -trimesh.proximity.signed_distance(body, points))
    return {"seconds": seconds, "preparation": first, "megabytes": peak() - idle, "peak": peak(), "error": np.abs(found - exact).max()}


def holes(body: Callable) -> Callable[[int], dict]:
    """Signs with 1 % of the facets removed against those of the whole body, half of the points within 1 % of its surface."""

    def one(n: int) -> dict:
        from geoop.mesh.distance import signed_distance
        from geoop.mesh.mesh import Mesh
        from geoop.mesh.sampling import sample_surface

        mesh = body()
        rng = np.random.default_rng(1)
        size = float(np.ptp(mesh.bounds, axis=0).max())
        near = sample_surface(mesh, n // 2)
        low, high = mesh.bounds
        points = np.concatenate(
            [
                near.points + 0.01 * size * rng.uniform(-1, 1, (n // 2, 1)) * near.normals,
                rng.uniform(low - 0.2 * size, high + 0.2 * size, (n - n // 2, 3)),
            ]
        )
        whole = signed_distance(mesh, points)
        kept = np.flatnonzero(rng.random(len(mesh.cells)) >= 0.01)
        seconds, found = timed(lambda: signed_distance(Mesh(mesh.points, mesh.cells.take(kept)), points))
        wrong = np.sign(found.distance) != np.sign(whole.distance)
        return {
            "seconds": seconds,
            "facets": len(mesh.cells),
            "removed": len(mesh.cells) - len(kept),
            "wrong_signs": int(wrong.sum()),
            "confidence_of_wrong": float(found.confidence[wrong].max()) if wrong.any() else None,
            "confidence_min": float(found.confidence.min()),
            "confidence_median": float(np.median(found.confidence)),
            "doubtful": float((found.confidence < 0.5).mean()),
        }

    return one


def _sphere():
    from geoop.mesh.primitives import icosphere

    return icosphere(LEVEL)


def _torus():
    from geoop.mesh.primitives import torus

    return torus(320, 128, minor=0.4)


def _wing():
    from geoop.mesh.primitives import naca4, wing

    return wing(naca4("2412", 400), 4.0, taper=0.5, sweep=25, n_span=100)


MEASUREMENTS: dict[str, Callable[[int], dict]] = {
    "geoop": geoop_one,
    "trimesh": trimesh_one,
    "holes-sphere": holes(_sphere),
    "holes-torus": holes(_torus),
    "holes-wing": holes(_wing),
}


def timed(work: Callable):
    started = time.perf_counter()
    value = work()
    return time.perf_counter() - started, value


def peak() -> float:
    """Largest memory of this process so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ratios(rows: list[dict]) -> dict | None:
    """How many times faster than trimesh, with and without the preparation of the body; None without a comparison."""
    both = [[row for row in rows if row["what"] == what] for what in ("trimesh", "geoop")]
    if not both[0]:
        return None
    n = both[0][0]["points"]
    slow, fast = both[0], [row for row in both[1] if row["points"] == n]
    query, whole = (
        [min(key(row) for row in side) for side in (slow, fast)]
        for key in (lambda row: row["seconds"], lambda row: row["seconds"] + row["preparation"])
    )
    return {"points": n, "query": query[0] / query[1], "with preparation": whole[0] / whole[1]}


def report(found: dict, console: Console) -> None:
    """The figures as tables."""
    speed = Table(title=f"Signed distance to {found['triangles']} triangles, one thread, {found['machine']}")
    for heading in (
        "program",
        "points",
        "prepare [s]",
        "query [s]",
        "us per point",
        "query's memory [MB]",
        "peak [MB]",
        "max error",
        "facet error",
        "wrong signs",
    ):
        speed.add_column(heading, justify="right")
    for row in found["speed"]:
        values = [f"{row['preparation']:.2f}", f"{row['seconds']:.2f}", f"{1e6 * row['seconds'] / row['points']:.1f}", f"{row['megabytes']:.0f}"]
        values += [f"{row['peak']:.0f}", f"{row['error']:.3e}", f"{row.get('facet_error', float('nan')):.3e}", str(row.get("wrong_signs", "-"))]
        speed.add_row(row["what"], str(row["points"]), *values)
    console.print(speed)
    if found["ratio"]:
        ratio = found["ratio"]
        console.print(f"{ratio['points']} points: {ratio['query']:.1f}x faster than trimesh, {ratio['with preparation']:.1f}x with the preparation\n")
    signs = Table(title="Signs with 1 % of the facets removed, against the whole body; half of the points within 1 % of the surface")
    for heading in ("body", "points", "facets", "removed", "wrong signs", "confidence: median", "lowest", "below 0.5"):
        signs.add_column(heading, justify="right")
    for row in found["signs"]:
        values = [row["points"], row["facets"], row["removed"], row["wrong_signs"]]
        sure = [f"{row['confidence_median']:.3f}", f"{row['confidence_min']:.3f}", f"{100 * row['doubtful']:.2f} %"]
        signs.add_row(row["what"].removeprefix("holes-"), *map(str, values), *sure)
    console.print(signs)


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"


if __name__ == "__main__":
    main()
