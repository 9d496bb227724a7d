"""How fast every named data set is made, files written, and what the second use of a mesh and of a factorisation costs."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from geoop.errors import GeoopError
from geoop.io.dataset import Dataset
from geoop.truth.datasets.table import DATASETS, named_dataset
from geoop.truth.generate import generate


@dataclass(frozen=True)
class Asked:
    """What a data set is asked to reach: so many cases in so many seconds on two cores."""

    cases: int
    seconds: float


ASKED = {
    "kt-airfoils": Asked(500, 15.0),
    "uiuc-panel": Asked(500, 120.0),
    "bluff-channel": Asked(500, 600.0),
    "void-elasticity": Asked(1200, 90.0),
    "polygons-laplace": Asked(2000, 60.0),
    "bodies-3d": Asked(400, 900.0),  # 200 bodies, two conditions each
}
#: Cases of the data sets that nothing is asked of: enough for a rate.
OTHERS = 40


def main(arguments: list[str] | None = None) -> None:
    """Print the table of the data sets, then that of the second use."""
    parser = argparse.ArgumentParser(prog="tools/benchmark truth", description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="processes; what is asked is asked of two")
    parser.add_argument("--share", type=float, default=1.0, help="of the asked number of cases, for a quick look")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="data sets; all unless given")
    parser.add_argument("--folder", type=Path, help="keep the data here; a temporary folder unless given")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    options = parser.parse_args(arguments)
    console = Console(stderr=options.json, width=None if sys.stdout.isatty() else 160)
    names = options.only or list(DATASETS)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rows = [row for name in names if (row := _measured(name, folder / name, options.workers, options.share, console))]
    reused = [_second_use(name) for name in names]
    if options.json:
        sys.stdout.write(json.dumps({"data sets": rows, "second use": reused}, indent=2) + "\n")
        return
    console.print(_table(rows, options.workers))
    console.print(_reuse_table(reused))


def _measured(name: str, folder: Path, workers: int, share: float, console: Console) -> dict[str, object] | None:
    asked = ASKED.get(name)
    n = max(4, round((asked.cases if asked else OTHERS) * share))
    start = time.perf_counter()
    before = os.times()
    try:
        data = generate(name, folder, n, workers=workers)
    except GeoopError as error:
        console.print(f"{name}: {error.message}")
        return None
    seconds = time.perf_counter() - start
    after = os.times()
    cpu = (after.user + after.system + after.children_user + after.children_system) - (
        before.user + before.system + before.children_user + before.children_system
    )
    return {
        "name": name,
        "n": n,
        "written": len(data),
        "failed": len(data.manifest.failed),
        "seconds": round(seconds, 2),
        "cpu_seconds_per_case": round(cpu / max(len(data), 1), 4),
        "cases_per_second": round(len(data) / seconds, 2),
        "cases_per_second_per_core": round(len(data) / seconds / workers, 2),
        "megabytes": round(_size(data) / 1e6, 1),
        "asked_seconds": round(asked.seconds * share, 1) if asked else None,
    }


def _size(data: Dataset) -> int:
    return sum(path.stat().st_size for path in data.directory.rglob("*") if path.is_file())


def _second_use(name: str) -> dict[str, object]:
    """CPU seconds of the first two cases of one geometry in this process; the second uses the mesh and the factorisation of the first."""
    made = named_dataset(name)
    plan = made.plan(max(40, min(made.size, 200)), 12345)
    group = next((names for names in plan.groups(plan.names) if len(names) > 1), plan.names[:1])
    try:
        warm = next(case for case in plan.names if plan.geometry.get(case, case) != plan.geometry.get(group[0], group[0]))
        made.case(12345, warm)  # imports and compilation are nobody's
        spent = [_cpu(lambda case=case: made.case(12345, case)) for case in group[:2]]
    except GeoopError as error:
        return {"name": name, "per_geometry": len(group), "error": error.message}
    return {"name": name, "per_geometry": len(group), "first": round(spent[0], 4), "second": round(spent[1], 4) if len(spent) > 1 else None}


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _table(rows: list[dict[str, object]], workers: int) -> Table:
    table = Table(title=f"named data sets, {workers} processes, files written")
    for heading in ("data set", "-n", "written", "failed", "seconds", "asked", "cases/s", "cases/s per core", "CPU s per case", "MB"):
        table.add_column(heading, justify="left" if heading == "data set" else "right")
    keys = ("name", "n", "written", "failed", "seconds", "asked_seconds", "cases_per_second", "cases_per_second_per_core", "cpu_seconds_per_case")
    for row in rows:
        table.add_row(*("-" if row[key] is None else str(row[key]) for key in (*keys, "megabytes")))
    return table


def _reuse_table(rows: list[dict[str, object]]) -> Table:
    table = Table(title="cases of one geometry: CPU seconds of the first, and of the second, which finds mesh and factorisation made")
    for heading in ("data set", "cases per geometry", "first", "second", "ratio"):
        table.add_column(heading, justify="left" if heading == "data set" else "right")
    for row in rows:
        if "error" in row:
            table.add_row(str(row["name"]), str(row["per_geometry"]), str(row["error"]), "-", "-")
            continue
        first, second = row["first"], row["second"]
        ratio = f"{first / max(second, 1e-4):.1f}" if isinstance(first, float) and isinstance(second, float) else "-"
        table.add_row(str(row["name"]), str(row["per_geometry"]), str(first), "-" if second is None else str(second), ratio)
    return table


if __name__ == "__main__":
    main()
