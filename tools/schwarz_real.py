"""Poisson problems on meshes of others, for ``tools/benchmark schwarz``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from benchmark_real_sets import cases_of

from geoop.mesh.case import Case
from geoop.mesh.quantity import Field, Quantity
from geoop.solve.equations import SOLUTION

#: -0.1 laplace(u) = 1.
SOURCE = 10.0


def holed_cases(folder: Path) -> list[tuple[Case, np.ndarray]]:
    """(case with its source and zero on all boundaries, stored solution at the points) of every geometry."""
    found = []
    for case in cases_of(folder):
        source = Field(Quantity("source", "f", "1/m^2"), np.full(len(case.mesh.points), SOURCE))
        found.append((replace(case, fields={"source": source}), case.field(SOLUTION.name).values))
    return found
