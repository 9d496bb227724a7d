"""What the report of a study costs: processor seconds from a cold start and again, for one section, for several, for a table of a thousand."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geoop

Row = dict[str, Any]
_COLD = """
import sys, time
from geoop.studies.report import write_report
path = write_report(sys.argv[1])
cold = time.process_time()
write_report(sys.argv[1])
print(cold, time.process_time() - cold, path.stat().st_size)
"""


def measure(output: Path, once: Callable[[str, Callable[[], Row]], Row]) -> None:
    """Rows ``report/seconds/...``; studies by the panel method, for the report does not depend on the model.

    Args:
        output: folder of the studies.
        once: keeps a row by its key.
    """
    studies = {
        "1 section, 30 angles, with fields": lambda: _study(output / "report-1", ["naca2412"], 30),
        "3 sections, 10 angles, with fields": lambda: _study(output / "report-3", ["naca2412", "naca0012", "naca4415"], 10),
        "1000 sections, 10 angles, table only": lambda: _thousand(output / "report-1000", output / "report-3"),
    }
    for name, make in studies.items():
        once(f"report/seconds/{name}", lambda make=make: _row(make()))


def _study(folder: Path, sections: list[str], angles: int) -> Path:
    if not (folder / "table.csv").exists():
        geoop.study(model="panels", geometry=sections, alpha={"from": -4, "to": 14, "count": angles}, velocity=60.0, output=folder)
    return folder


def _thousand(folder: Path, like: Path) -> Path:
    """A table of 1000 names whose numbers are those of three sections, over and over: what is measured is their drawing."""
    _study(like, ["naca2412", "naca0012", "naca4415"], 10)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.json").write_bytes((like / "study.json").read_bytes())
    with (like / "table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (folder / "table.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        for number in range(1000):
            for k, row in enumerate(rows[10 * (number % 3) : 10 * (number % 3) + 10]):
                table.writerow({**row, "case": f"s{number:04d}_{k}", "geometry": f"s{number:04d}"})
    return folder


def _row(folder: Path) -> Row:
    start = time.perf_counter()
    answer = subprocess.run([sys.executable, "-c", _COLD, str(folder)], capture_output=True, text=True, check=True)
    cold, again, size = answer.stdout.split()
    pictures = len(list(folder.glob("*.png")))
    cases = sum(1 for _ in (folder / "table.csv").open()) - 1
    return {
        "cases": cases,
        "pictures": pictures,
        "CPU s, cold": round(float(cold), 2),
        "CPU s, again": round(float(again), 2),
        "wall s of both": round(time.perf_counter() - start, 1),
        "MB": round(int(size) / 1e6, 2),
        "model": json.loads((folder / "study.json").read_text())["model"]["name"],
    }
