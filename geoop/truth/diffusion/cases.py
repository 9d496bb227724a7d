"""Cases of scalar problems -div(a grad u) = f: fields by name, boundary data on their patches.

The solvers are :mod:`geoop.fem.diffusion`, :mod:`geoop.fem.heat` and :mod:`geoop.fem.nonlinear_diffusion`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field, Quantity

#: Problems without a physical scale: u is dimensionless, lengths are metres.
SOLUTION = Quantity("solution", "u", "1")
SOURCE = Quantity("source", "f", "1/m^2")
CONDUCTIVITY = Quantity("conductivity", "a", "1")
#: a du/dn into the region.
FLUX = Quantity("boundary_flux", "g", "1/m")


def diffusion_case(
    mesh: Mesh,
    solution: np.ndarray,
    *,
    source: np.ndarray | None = None,
    conductivity: np.ndarray | None = None,
    dirichlet: Mapping[str, float | np.ndarray] | None = None,
    neumann: Mapping[str, float | np.ndarray] | None = None,
    time: float | None = None,
    name: str = "",
) -> Case:
    """A solved problem as a case.

    Args:
        mesh: where the values are.
        solution: (n_points,) u [1].
        source: (n_points,) f [1/m^2], left out if None.
        conductivity: (n_points,) a [1], left out if None.
        dirichlet: patch -> u there: a number (``global``), or (k,) values at ``mesh.patch_points(patch)`` (``point``).
        neumann: patch -> g = a du/dn there, likewise.
        time: [s], None for a steady problem.
        name: of the case.

    Returns:
        case with fields ``solution``, ``source``, ``conductivity``; ``case.boundary[patch]`` holds ``solution`` or ``boundary_flux``.

    Raises:
        FieldError: an array of the wrong size.
        PatchError: no such patch.
    """
    items = [Field(SOLUTION, solution)]
    items += [Field(quantity, values) for quantity, values in ((SOURCE, source), (CONDUCTIVITY, conductivity)) if values is not None]
    boundary: dict[str, dict[str, Field]] = {}
    for quantity, data in ((SOLUTION, dirichlet or {}), (FLUX, neumann or {})):
        for patch, values in data.items():
            array = np.asarray(values, dtype=np.float64)
            boundary.setdefault(patch, {})[quantity.name] = Field(quantity, array, "point" if array.ndim else "global")
    return Case(mesh, None, {item.name: item for item in items}, boundary, time=time, name=name)
