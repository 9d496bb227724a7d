"""Values at cells brought to points, as training on points needs them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.measure import cell_measures
from ...mesh.quantity import Field


def with_points(case: Case) -> Case:
    """The case with all values at cells as values at points: means of the cells round a point, weighted with their size.

    Points of the wall take the mean of the values that the file has on its facets instead, weighted with their area: a velocity
    is zero there. Exact for constants; of first order next to boundaries without such values.

    Args:
        case: any; fields at points stay, and win over a field at cells of the same name.
    """
    mesh = case.mesh
    at_cells = [item for item in case.fields.values() if item.location == "cell"]
    if not at_cells or not len(mesh.cells):
        return case
    mean = _mean(mesh.cells, np.abs(cell_measures(mesh)), len(mesh.points))
    fields = {name: item for name, item in case.fields.items() if item.location != "cell"}
    for item in at_cells:
        name = item.name.removesuffix("_cell")
        if name in fields:
            continue
        values = _applied(mean, item.values)
        for patch in case.wall or ():
            known = case.on_facets(patch, item)
            if known is not None:
                part = mesh.patches[patch]
                area = np.abs(cell_measures(mesh.submesh(part)))
                used = np.unique(part.connectivity)
                values[used] = _applied(_mean(part, area, len(mesh.points)), known)[used]
        fields[name] = Field(replace(item.quantity, name=name), values, "point")
    return replace(case, fields=fields)


def _mean(cells: Cells, size: np.ndarray, n: int) -> csr_matrix:
    """(n, cells) weights of the cells round every point, each row summing to 1; rows of points without a cell are zero."""
    rows = np.asarray(cells.connectivity)
    columns = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
    weight = np.maximum(size, 1e-300)[columns]
    total = np.bincount(rows, weights=weight, minlength=n)
    return csr_matrix((weight / total[rows], (rows, columns)), shape=(n, len(cells)))


def _applied(mean: csr_matrix, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    found = np.asarray(mean @ values.reshape(len(values), -1))
    return found.reshape(len(found), *values.shape[1:])
