"""A case from a panel system: the points carry what the system says there, and splits are cut to size."""

import numpy as np
import pytest

from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.truth.datasets.panel_case import PanelGeometry, trimmed


def test_points_carry_the_flow():
    geometry = PanelGeometry.of(naca4("2412", 200), 80)
    condition = OperatingPoint(30.0, alpha=4.0, reference_length=1.0)
    case = geometry.case(condition, 300, np.random.default_rng(0), "one")
    velocity, points = case.field("velocity").values, case.mesh.points
    assert velocity[80:] == pytest.approx(geometry.system.velocity(points[80:], [condition])[0], rel=1e-12)
    assert velocity[:80] == pytest.approx(geometry.system.flow(condition).surface.velocity, abs=1e-9)
    assert float(case.fields["lift_coefficient"].values) == geometry.system.flow(condition).lift_coefficient
    assert case.fields["lift_coefficient"].location == "global" and case.wall == ("wall",)


def test_wall_weights_are_the_perimeter_of_a_blunt_section_too():
    for closed, n in ((True, 200), (False, 201)):
        geometry = PanelGeometry.of(naca4("0012", n, closed_trailing_edge=closed), 80)
        case = geometry.case(OperatingPoint(1.0), 50, np.random.default_rng(0), "one")
        wall = case.fields["quadrature_weight"].values[: len(case.mesh.cells.block("line"))]
        (body,) = geometry.system.bodies
        assert wall.sum() == pytest.approx(body.arc_length.sum() + body.curve.gap, rel=1e-12) and (wall > 0).all()


def test_trimmed_splits():
    splits = {"train": ("a", "b", "c", "d"), "val": ("e",), "test": ("f", "g"), "ood": ("h",)}
    assert trimmed(splits, 6) == {**splits, "train": ("a", "b", "c")}
    assert trimmed(splits, 7) == splits
