"""Studies and what they rest on: shipped models, confidence, sweeps, forces, gradients, each beside its control; resumable.

Every section is a file tools/studies_NAME.py with a function ``measure(output, once)`` whose rows are kept under out/studies; a section without its file
is not offered. The first words of a row's key, up to the last, name its table.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmark_moving import report
from kept_rows import keep, rows
from rich.console import Console

TOOLS = Path(__file__).resolve().parent
MEASURED = TOOLS / "measured" / "studies.json"
#: Rows that cards of shipped models are written from, by tools/make_models.
CARDS = TOOLS / "measured" / "models.json"
OUTPUT = TOOLS.parent / "out" / "studies"
#: Name -> what it measures; the file is tools/studies_NAME.py.
SECTIONS = {
    "airfoil": "the shipped model of sections in potential flow, on test, OOD and real sections",
    "body": "the shipped model of bodies in space",
    "rans": "surface pressure of real RANS flows as a correction to a panel method",
    "confidence": "conformal bands, verdicts, ensembles: coverage, rank correlation, risk-coverage, flags on OOD splits",
    "study": "seconds of sweeps, from a cold start and over many sections",
    "report": "seconds of a study's report",
    "forces": "forces, moments and drag beside exact and independent ones",
    "gradient": "shape gradients beside finite differences and those of the panel method; optimised sections",
}

#: Section -> the shipped model whose name its rows begin with.
MODELS = {"airfoil": "airfoil-potential", "body": "body-potential"}

Row = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    there = [name for name in SECTIONS if (TOOLS / f"studies_{name}.py").exists()]
    about = "\n".join(f"  {name}: {SECTIONS[name]}" for name in there)
    parser = argparse.ArgumentParser(
        prog="benchmark studies", description=f"{__doc__}\nSections:\n{about}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sections", nargs="*", default=there, choices=there, help="what is measured")
    parser.add_argument("--report", action="store_true", help="only print the tables of what was measured")
    given = parser.parse_args(arguments)
    if not given.report:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        for name in given.sections:
            importlib.import_module(f"studies_{name}").measure(OUTPUT, once)
    wanted = {name for section in given.sections for name in (section, MODELS.get(section, section))}
    report({key: row for key, row in _known().items() if key.split("/")[0] in wanted}, Console())


def once(key: str, make: Callable[[], Row]) -> Row:
    """The row that is kept under a key; measured, and said, where there is none."""
    known = _known()
    if key in known:
        return known[key]
    row = {**make(), "key": key}
    keep(OUTPUT / "rows", row)
    report({key: row}, Console())
    return row


def _known() -> dict[str, Row]:
    return rows(CARDS, OUTPUT / "none") | rows(MEASURED, OUTPUT / "rows")
