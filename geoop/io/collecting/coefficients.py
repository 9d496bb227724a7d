"""Force coefficients that OpenFOAM wrote beside a run, in ``postProcessing``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ...mesh.quantity import QUANTITIES, Field, Quantity

_FILES = ("coefficient.dat", "forceCoeffs.dat", "coefficient_*.dat", "forceCoeffs_*.dat")
_COLUMNS = {"cd": "drag_coefficient", "cl": "lift_coefficient", "cm": "moment_coefficient", "cmpitch": "moment_coefficient"}


def openfoam_coefficients(case: Path, time: float | None) -> tuple[dict[str, Field], list[str]]:
    """Drag, lift and moment coefficients of a case at a time, as fields of the whole case, and notes.

    Of several function objects each adds its own: ``drag_coefficient`` of the only one (or the one called ``forceCoeffs``),
    ``drag_coefficient_flap`` of ``forceCoeffs_flap``. Files of restarts are read in the order of their start times.

    Args:
        case: folder of the case.
        time: [s] of the fields; the row nearest to it is taken, the last one if None.
    """
    folder = case / "postProcessing"
    objects = sorted(item for item in folder.iterdir() if item.is_dir()) if folder.is_dir() else []
    tables = {item.name: table for item in objects if (table := _table_of(item)) is not None}
    main = next((name for name in tables if name in ("forceCoeffs", "forceCoeffs1")), next(iter(tables)) if len(tables) == 1 else "")
    fields, notes = {}, []
    for name, (columns, rows) in tables.items():
        row = len(rows) - 1 if time is None else int(np.argmin(np.abs(rows[:, 0] - time)))
        for column, word in enumerate(columns):
            target = _COLUMNS.get(word.lower())
            if target is None or column >= rows.shape[1] or not np.isfinite(rows[row, column]):
                continue
            own = QUANTITIES[target]
            if name != main:
                tail = re.sub(r"^forceCoeffs_?|\W+", "", name) or name
                own = Quantity(f"{target}_{tail}", f"{own.symbol} {tail}")
            fields.setdefault(own.name, Field(own, np.array(rows[row, column]), "global"))
        tail_rows = rows[-max(2, len(rows) // 5) :]
        drag = next((k for k, word in enumerate(columns) if word.lower() == "cd"), None)
        if drag is not None and len(rows) > 9:
            spread = float(np.ptp(tail_rows[:, drag]))
            if spread > 0.01 * abs(float(tail_rows[:, drag].mean())):
                notes.append(f"{name}: Cd still changes by {spread:.3g} in its last fifth (last value {rows[-1, drag]:.4g})")
    return fields, notes


def _table_of(folder: Path) -> tuple[list[str], np.ndarray] | None:
    """Column names and rows of all files of a function object, restarts behind one another; later files replace what they repeat."""
    starts = sorted((item for item in folder.iterdir() if item.is_dir() and _is_number(item.name)), key=lambda item: float(item.name))
    columns: list[str] = []
    rows = np.zeros((0, 0))
    for start in starts:
        path = next((found for pattern in _FILES for found in sorted(start.glob(pattern))[-1:]), None)
        if path is None:
            continue
        head = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.startswith("#")]
        names = head[-1].lstrip("# ").split() if head else []
        body = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip() and not line.startswith("#")]
        width = len(names)
        numbers = np.array([[float(word) for word in line[:width]] for line in body if len(line) >= width and all(map(_is_number, line[:width]))])
        if not width or not len(numbers):
            continue
        if columns != names:
            columns, rows = names, np.zeros((0, width))
        rows = np.concatenate([rows[rows[:, 0] < numbers[0, 0]], numbers])
    return (columns, rows) if len(rows) else None


def _is_number(text: str) -> bool:
    try:
        return text.strip() != "" and float(text) is not None
    except ValueError:
        return False
