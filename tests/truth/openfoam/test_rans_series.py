"""The grid series that lets Spalart-Allmaras with LUST be called validated: NACA 0012 at Re 6e6 (about half an hour of CPU time)."""

from __future__ import annotations

import pytest

from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.truth.openfoam.parabolic_grid import parabolic_cgrid
from geoop.truth.openfoam.rans import solve_rans
from geoop.truth.openfoam.running import Limits
from geoop.truth.openfoam.settings import Steady

pytestmark = [pytest.mark.openfoam, pytest.mark.slow]

#: Cells per side, along the wake and off the wall; first height; spacing at nose and tail [chords]. All finer by 1.6 each time.
SERIES = [(96, 40, 72, 2.4e-5, 1.6e-3), (160, 64, 112, 1.45e-5, 1e-3), (256, 100, 160, 9e-6, 6e-4)]
#: NASA's Turbulence Modeling Resource, Spalart-Allmaras (CFL3D): lift at alpha 10, drag at alpha 0 and 10.
LIFT, DRAG = 1.091, {0.0: 0.0081, 10.0: 0.0123}


def test_lift_and_drag_come_within_three_percent_as_the_grid_is_refined():
    solved: dict[float, Case] = {}
    lift, drag = [], {alpha: [] for alpha in DRAG}
    for n_side, n_wake, n_normal, height, spacing in SERIES:
        mesh = parabolic_cgrid(
            naca4("0012", n_points=8000),
            n_side=n_side, n_wake=n_wake, n_normal=n_normal, first_height=height, nose_spacing=spacing, tail_spacing=spacing, aspect=950.0,
        )  # fmt: skip
        for alpha in DRAG:
            point = OperatingPoint(1.0, alpha=alpha, density=1.0, viscosity=1 / 6e6, reference_length=1.0)
            march = Steady(iterations=3000 if not solved else 1500, residual=1e-8)
            solved[alpha] = solve_rans(mesh, point, march=march, start=solved.get(alpha, solved.get(0.0)), limits=Limits(seconds=3600))
            drag[alpha].append(float(solved[alpha].field("drag_coefficient").values))
        lift.append(float(solved[10.0].field("lift_coefficient").values))
    for alpha, values in drag.items():
        assert values[0] > values[1] > values[2]
        assert values[2] == pytest.approx(DRAG[alpha], rel=0.03)
    assert lift[0] < lift[1] < lift[2] == pytest.approx(LIFT, rel=0.03)
