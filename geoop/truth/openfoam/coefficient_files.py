"""Coefficients that a case wrote to postProcessing/ without logging them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from .log import History

_WANTED = {"Cd": "Cd", "Cl": "Cl", "CmPitch": "CmPitch", "Cm": "CmPitch"}


def read_coefficients(root: Path, history: History) -> None:
    """Add to a history the coefficients of its steps from ``coefficient.dat`` or ``forceCoeffs.dat``, where the log had none.

    Rows of times that were not run are passed over. Of several function objects the first by name counts.

    Args:
        root: of the case.
        history: is changed.
    """
    if history.names("coefficients"):
        return
    files = sorted(root.glob("postProcessing/*/*/coefficient*.dat")) or sorted(root.glob("postProcessing/*/*/forceCoeffs*.dat"))
    if not files:
        return
    place = {f"{time:.9g}": row for row, time in enumerate(history.times)}
    for path in (item for item in files if item.parent.parent == files[0].parent.parent):
        names, rows = _table(path)
        for row in rows:
            step = place.get(f"{row[0]:.9g}")
            if step is not None:
                history.coefficients[step] |= {_WANTED[name]: float(value) for name, value in zip(names, row, strict=False) if name in _WANTED}


def _table(path: Path) -> tuple[list[str], np.ndarray]:
    """Names of the columns and (k, columns) numbers; rows that are cut off are left out."""
    lines = path.read_text(errors="replace").splitlines()
    heads = [line.lstrip("# ").split() for line in lines if re.match(r"#\s*Time\b", line)]
    names = heads[-1] if heads else []
    rows = []
    for line in lines:
        words = line.split()
        if line.startswith("#") or len(words) != len(names):
            continue
        try:
            rows.append([float(word) for word in words])
        except ValueError:
            continue
    return names, np.array(rows).reshape(len(rows), len(names))
