"""Derivatives of the panel method's coefficients by the shape, by central differences: the control of a model's shape gradients."""

from __future__ import annotations

import numpy as np

from ...errors import ConfigurationError, ShapeError
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ..boundary_layer.section import Trip, boundary_layer
from .section_curve import SMALLEST_EDGE_ANGLE
from .system import PanelSystem


def panel_coefficients(
    outline: Mesh,
    operating_point: OperatingPoint,
    *,
    transition: Trip = None,
    n_panels: int | None = 200,
    smallest_edge_angle: float = SMALLEST_EDGE_ANGLE,
) -> dict[str, float]:
    """CL (Kutta-Joukowski) and CM (quarter chord, nose up) of a section, and CD of its boundary layer where the operating point states a viscosity; with
    ``separated``, 1.0 where a turbulent layer separates ahead of the last 5 % of the chord, so that CD is too low.

    Args:
        outline: one closed section. operating_point: free stream.
        transition: of the boundary layer, as in :func:`geoop.truth.boundary_layer.section.boundary_layer`.
        n_panels, smallest_edge_angle: as in :class:`geoop.truth.panels.system.PanelSystem`.

    Raises:
        InvalidMeshError: a section that the panel method refuses. ConditionError: a Mach number, or flow from behind.
    """
    flow = PanelSystem(outline, n_panels, smallest_edge_angle=smallest_edge_angle).flow(operating_point)
    found = {"CL": flow.lift_coefficient, "CM": flow.moment_coefficient}
    if operating_point.viscosity is not None:
        layer = boundary_layer(flow, transition)
        found |= {"CD": layer.drag_coefficient, "separated": float(layer.separated)}
    return found


def panel_derivatives(
    outline: Mesh,
    operating_point: OperatingPoint,
    modes: np.ndarray,
    *,
    step: float = 2e-4,
    transition: Trip = None,
    n_panels: int | None = 200,
) -> dict[str, np.ndarray]:
    """(m,) derivatives of every number of :func:`panel_coefficients` along displacements of the outline's points.

    Args:
        outline: one closed section of n points.
        operating_point: free stream.
        modes: (n, 2, m) displacements [m per unit].
        step: largest displacement of a point in a central difference, over the extent of the section: above the noise of choosing panels anew, and small
            enough that the error of second order is below 1e-3 for smooth modes.
        transition, n_panels: as in :func:`panel_coefficients`.

    Raises:
        ShapeError: modes of other points. ConfigurationError: a mode that moves nothing. InvalidMeshError, ConditionError: as :func:`panel_coefficients`.
    """
    modes = np.asarray(modes, dtype=np.float64)
    if modes.ndim != 3 or modes.shape[:2] != outline.points.shape:
        raise ShapeError(f"modes of shape {modes.shape} for {outline.points.shape} points", where="panel_derivatives", remedy="give (n, 2, m)")
    size = np.linalg.norm(modes, axis=1).max(axis=0)
    if not (size > 0).all():
        raise ConfigurationError("a mode moves no point", where="panel_derivatives", remedy="leave it out")
    steps = step * float(np.ptp(outline.points, axis=0).max()) / size
    rows: list[dict[str, float]] = []
    for k, width in enumerate(steps):
        ends = [
            panel_coefficients(
                outline.moved(outline.points + sign * width * modes[:, :, k]), operating_point, transition=transition, n_panels=n_panels
            )
            for sign in (1.0, -1.0)
        ]
        rows.append({name: (ends[0][name] - ends[1][name]) / (2 * width) for name in ends[0] if name != "separated"})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
