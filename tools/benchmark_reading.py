"""Measure reading: a large VTU against VTK's own raw reader, an STL against pyvista. Every run is a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
console = Console(width=None if sys.stdout.isatty() else 150)
#: What is measured: name -> (file, what it is compared with, allowed ratio of the times, allowed ratio of memory to arrays)
MEASURED: dict[str, tuple[str, str, float | None, float | None]] = {
    "VTK raw read": ("mesh.vtu", "VTK raw read", None, None),
    "geoop.read": ("mesh.vtu", "VTK raw read", 2.0, 2.5),
    "geoop.read_case": ("mesh.vtu", "VTK raw read", 2.0, 2.5),
    "pyvista.read STL": ("surface.stl", "pyvista.read STL", None, None),
    "geoop.read STL": ("surface.stl", "pyvista.read STL", 3.0, None),
}


def main(arguments: list[str] | None = None) -> None:
    """Run the measurements and print them; ``one NAME FILE SMALL`` is a single one in this process."""
    parser = argparse.ArgumentParser(prog="tools/benchmark reading", description=__doc__)
    parser.add_argument("--cells", type=int, default=55, help="boxes along an edge of the VTU's cube, six tetrahedra in each")
    parser.add_argument("--triangles", type=int, default=708, help="squares along an edge of the STL's surface, two triangles in each")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "benchmark" / "reading.json")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "FILE", "SMALL"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one:
        one(*chosen.one)
        return
    with tempfile.TemporaryDirectory(prefix="geoop-benchmark-") as folder:
        sizes = make_files(Path(folder), chosen.cells, chosen.triangles)
        rows = measure(Path(folder), chosen.repeats)
    report(rows, sizes)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps({"machine": machine(), **sizes, "rows": rows}, indent=2))
    console.print(f"written: {chosen.output}", markup=False)


def make_files(folder: Path, cells: int, squares: int) -> dict[str, int]:
    """The files that are read, and small ones of the same kind that load what the readers need."""
    from geoop.io.paraview import write_case

    write_case(tetrahedra(cells), folder / "mesh.vtu")
    write_case(tetrahedra(2), folder / "small-mesh.vtu")
    for name, count in (("surface.stl", squares), ("small-surface.stl", 3)):
        write_stl(folder / name, count)
    return {"tetrahedra": 6 * cells**3, "triangles": 2 * squares**2}


def tetrahedra(count: int):
    """A cube of ``count``^3 boxes, each of six tetrahedra round a diagonal, with velocity, pressure and a cell field."""
    from geoop.mesh.case import Case
    from geoop.mesh.cells import Cells
    from geoop.mesh.mesh import Mesh
    from geoop.mesh.quantity import QUANTITIES, Field

    axis = np.linspace(0.0, 1.0, count + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    index = np.arange(len(points)).reshape(count + 1, count + 1, count + 1)
    corner = {(i, j, k): index[i : count + i, j : count + j, k : count + k].reshape(-1) for i in (0, 1) for j in (0, 1) for k in (0, 1)}
    steps = np.eye(3, dtype=int)
    rows = []
    for a, b, odd in ((0, 1, False), (1, 2, False), (2, 0, False), (1, 0, True), (2, 1, True), (0, 2, True)):
        path = [np.zeros(3, dtype=int), steps[a], steps[a] + steps[b], np.ones(3, dtype=int)]
        tetra = [corner[int(i), int(j), int(k)] for i, j, k in path]
        rows.append(np.stack([tetra[0], tetra[2], tetra[1], tetra[3]] if odd else tetra, axis=1))
    cells = np.stack(rows, axis=1).reshape(-1, 4)
    rng = np.random.default_rng(0)
    mesh = Mesh(points, Cells.of(tetra=cells))
    return Case(mesh).with_fields(
        Field(QUANTITIES["velocity"], rng.random(points.shape)),
        Field(QUANTITIES["pressure"], rng.random(len(points))),
        Field(QUANTITIES["temperature"], rng.random(len(cells)), "cell"),
    )


def write_stl(path: Path, count: int) -> None:
    """A wavy sheet of 2 ``count``^2 triangles as binary STL."""
    x, y = np.meshgrid(*2 * [np.linspace(0.0, 1.0, count + 1)], indexing="ij")
    points = np.stack([x, y, 0.1 * np.sin(9 * x) * np.cos(7 * y)], axis=-1).astype("<f4")
    a, b, c, d = points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]
    corners = np.stack([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)], axis=2).reshape(-1, 3, 3)
    record = np.zeros(len(corners), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    record["corners"] = corners
    path.write_bytes(bytes(80) + np.uint32(len(corners)).tobytes() + record.tobytes())


def measure(folder: Path, repeats: int) -> list[dict]:
    """Interleaved runs: a change in the load of the machine meets all of them."""
    found: dict[str, list[dict]] = {name: [] for name in MEASURED}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for _ in range(repeats):
        for name, (file, *_) in MEASURED.items():
            command = [sys.executable, __file__, "--one", name, str(folder / file), str(folder / f"small-{file}")]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
            found[name].append(json.loads(done.stdout))
    rows = []
    for name, (_, against, allowed, memory) in MEASURED.items():
        runs, others = [run["seconds"] for run in found[name]], [run["seconds"] for run in found[against]]
        arrays = max(run["arrays"] for run in found[name])
        peak = statistics.median(run["megabytes"] for run in found[name])
        rows.append(
            {
                "name": name,
                "best": min(runs),
                "median": statistics.median(runs),
                "ratio_of_best": min(runs) / min(others),
                "ratio_of_medians": statistics.median(runs) / statistics.median(others),
                "allowed": allowed,
                "peak_megabytes": peak,
                "array_megabytes": arrays,
                "memory_ratio": peak / arrays if arrays else None,
                "allowed_memory": memory,
            }
        )
    return rows


def one(name: str, file: str, small: str) -> None:
    """One read in this process after a small one, which loads the libraries; prints seconds and megabytes."""
    run = reader(name)
    run(small)
    idle = peak_kilobytes()
    started = time.perf_counter()
    result = run(file)
    seconds = time.perf_counter() - started
    peak = peak_kilobytes()
    print(json.dumps({"seconds": seconds, "megabytes": (peak - idle) / 1024, "arrays": megabytes(result)}))


def peak_kilobytes() -> int:
    """Most memory that this process has held; Linux counts in ``ru_maxrss`` what its parent held when it started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def reader(name: str) -> Callable[[str], object]:
    import geoop

    if name == "VTK raw read":
        return vtk_raw
    if name == "geoop.read":
        return geoop.read
    if name == "geoop.read STL":
        return lambda file: geoop.read(file, unit="m")
    if name == "geoop.read_case":
        from geoop.io.reading import read_case

        return read_case
    import pyvista

    return pyvista.read


def vtk_raw(file: str) -> object:
    """What VTK itself needs: the update of its reader and nothing after it."""
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

    source = vtkXMLUnstructuredGridReader()
    source.SetFileName(file)
    source.Update()
    return source


def megabytes(result: object) -> float:
    """Size of the arrays of a mesh or case; of other objects 0."""
    from geoop.mesh.case import Case
    from geoop.mesh.mesh import Mesh

    mesh = result.mesh if isinstance(result, Case) else result
    if not isinstance(mesh, Mesh):
        return 0.0
    arrays = [mesh.points, mesh.cells.types, mesh.cells.offsets, mesh.cells.connectivity]
    arrays += [field.values for field in result.fields.values()] if isinstance(result, Case) else []
    return sum(array.nbytes for array in arrays) / 2**20


def report(rows: list[dict], sizes: dict[str, int]) -> None:
    table = Table(title=f"{sizes['tetrahedra']} tetrahedra, {sizes['triangles']} triangles; {machine()}")
    for heading in ("read", "best [s]", "median [s]", "ratio of best", "ratio of medians", "allowed", "peak [MB]", "arrays [MB]", "ratio", "allowed"):
        table.add_column(heading, justify="left" if heading == "read" else "right")
    for row in rows:
        times = [f"{row[key]:.3f}" for key in ("best", "median")] + [f"{row[key]:.2f}" for key in ("ratio_of_best", "ratio_of_medians")]
        memory = [f"{row['peak_megabytes']:.0f}", f"{row['array_megabytes']:.0f}" if row["memory_ratio"] else "-"]
        ratio = f"{row['memory_ratio']:.2f}" if row["memory_ratio"] else "-"
        table.add_row(row["name"], *times, str(row["allowed"] or "-"), *memory, ratio, str(row["allowed_memory"] or "-"))
    console.print(table)


def machine() -> str:
    import platform

    from vtkmodules.vtkCommonCore import vtkVersion

    return f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, VTK {vtkVersion.GetVTKVersion()}"


if __name__ == "__main__":
    main()
