"""Lift, drag and moment of a section over the angle of attack, by panels and boundary layer, with a flag where not to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import ConditionError
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ..panels.section_curve import SMALLEST_EDGE_ANGLE
from ..panels.system import PanelSystem
from .section import Trip, boundary_layer


@dataclass(frozen=True, eq=False)
class Polar:
    """Coefficients over the angle of attack; k angles.

    Attributes:
        alpha: (k,) [deg].
        lift_coefficient: (k,) CL, inviscid: no loss of lift by the boundary layer, no stall.
        drag_coefficient: (k,) CD by Squire and Young; nan where the flow comes from behind, so that there is no layer to follow.
        moment_coefficient: (k,) CM about the quarter chord, nose up positive, inviscid.
        upper_transition: (k,) x/c, nan where laminar to the end.
        lower_transition: (k,) x/c.
        upper_separation: (k,) x/c of turbulent separation, nan where attached.
        lower_separation: (k,) x/c.
        separated: (k,) whether the flow separates ahead of the last 5 % of the chord, or comes from behind: lift and drag are not
            those of a real flow.
    """

    alpha: np.ndarray
    lift_coefficient: np.ndarray
    drag_coefficient: np.ndarray
    moment_coefficient: np.ndarray
    upper_transition: np.ndarray
    lower_transition: np.ndarray
    upper_separation: np.ndarray
    lower_separation: np.ndarray
    separated: np.ndarray


def polar(
    section: Mesh,
    alphas: float | Sequence[float] | np.ndarray,
    operating_point: OperatingPoint,
    *,
    transition: Trip = None,
    n_panels: int | None = 200,
    smallest_edge_angle: float = SMALLEST_EDGE_ANGLE,
) -> Polar:
    """A polar; the panel equations are solved once for all angles.

    Args:
        section: one closed outline.
        alphas: angles of attack [deg], or one; that of the operating point is not used.
        operating_point: states velocity, density, viscosity and, if the coefficients shall not refer to the chord, the reference length.
        transition: x/c of a trip, 0 for fully turbulent, None for free transition, or a pair (upper, lower).
        n_panels: as in :class:`geoop.truth.panels.system.PanelSystem`.
        smallest_edge_angle: thinner trailing edges are refused [deg].

    Raises:
        InvalidMeshError: a bad outline, or several bodies.
        ConditionError: no viscosity, sideslip, a Mach number, or flow from behind at all angles.
        ConfigurationError: a trip that is not on the chord, or too few panels.
    """
    system = PanelSystem(section, n_panels, smallest_edge_angle=smallest_edge_angle)
    rows, refused = [], []
    for alpha in np.ravel(np.asarray(alphas, dtype=np.float64)):
        flow = system.flow(replace(operating_point, alpha=float(alpha)))
        try:
            layer = boundary_layer(flow, transition)
        except ConditionError as error:
            refused.append(error)
            rows.append((float(alpha), flow.lift_coefficient, np.nan, flow.moment_coefficient, *[np.nan] * 4, True))
            continue
        places = (layer.upper_transition, layer.lower_transition, layer.upper_separation, layer.lower_separation)
        rows.append((float(alpha), flow.lift_coefficient, layer.drag_coefficient, flow.moment_coefficient, *places, layer.separated))
    if refused and len(refused) == len(rows):
        raise refused[0]
    a, lift, drag, moment, *places, separated = np.array(rows, dtype=np.float64).reshape(-1, 9).T
    return Polar(a, lift, drag, moment, places[0], places[1], places[2], places[3], separated.astype(bool))
