"""Outlines: the coordinate does not depend on the file, a blunt trailing edge takes no room, real fields lose little."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.surface_line import SurfaceLine
from geoop.errors import InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.truth.exact.karman_trefftz import KarmanTrefftz


def ring(points: np.ndarray) -> Mesh:
    k = np.arange(len(points))
    return Mesh(points, Cells.of(line=np.stack([k, np.roll(k, -1)], axis=1)))


def blunt(thickness: float) -> np.ndarray:
    """A section whose base stands upright, counter-clockwise from its upper corner."""
    x = 0.5 * (1 + np.cos(np.linspace(0, np.pi, 61)))
    half = 0.6 * (np.sqrt(np.maximum(x, 0)) * (1 - x)) + 0.5 * thickness * x
    return np.concatenate([np.stack([x, half], axis=1), np.stack([x, -half], axis=1)[::-1][1:]])


@pytest.mark.parametrize("thickness", [2e-4, 2e-3, 1e-2])
def test_a_blunt_edge_is_two_ends(thickness: float) -> None:
    points = blunt(thickness)
    along = SurfaceLine().place(Case(ring(points))).coordinate
    assert along[0] == 0.0 and along[-1] == 1.0 and (np.diff(along) > 0).all()
    assert along[60] == pytest.approx(0.5, abs=1e-6)  # the nose of a symmetric section
    assert np.allclose(along, 1.0 - along[::-1], atol=1e-6)
    thin = SurfaceLine().place(Case(ring(blunt(1e-4)))).coordinate
    assert np.allclose(along, thin, atol=0.005)  # however thick it is


def test_start_direction_place_and_unit_of_the_file_do_not_matter() -> None:
    points = blunt(1e-3)
    reference = SurfaceLine().place(Case(ring(points)))
    a = np.radians(30.0)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    for order in (np.roll(np.arange(len(points)), 17), np.arange(len(points))[::-1]):
        place = SurfaceLine().place(Case(ring(1e-3 * points[order] @ turn.T + 2.0)))
        assert np.allclose(place.coordinate, reference.coordinate[order], atol=1e-7)
        assert np.allclose(place.points, reference.points, atol=1e-7)


def test_a_sharp_edge_has_one_value_at_both_ends() -> None:
    section, point = KarmanTrefftz(-0.1, 0.05, 12.0), OperatingPoint(50.0, 4.0)
    angle = 2 * np.pi * np.arange(160) / 160
    zeta = section.circle(angle)
    case = Case(ring(section.points(zeta)), point)
    values = section.pressure_coefficient(zeta, point)[:, None]
    transfer = SurfaceLine()
    place = transfer.place(case)
    vector = transfer.encode(place, values)
    assert vector[0] == vector[-1]
    back = transfer.decode(place, vector)
    assert np.linalg.norm(back - values) < 2e-4 * np.linalg.norm(values)


def test_sections_alone_are_learned(flows: SimpleNamespace) -> None:
    """As accurate as in body-fitted coordinates, whose corners take room on the wall."""

    def wall(case: Case) -> Case:
        mesh = case.mesh.submesh(case.mesh.patches["wall"], patches=dict(case.mesh.patches))
        return Case(
            mesh,
            case.operating_point,
            {"pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], case.field("pressure_coefficient").values[:120])},
        )

    def error(transfer: str | None) -> float:
        baseline = GaussianProcessModes(transfer=transfer).fit([wall(case) for case in flows.train], ["pressure_coefficient"])
        pairs = [
            (baseline.predict(wall(case))["pressure_coefficient"].values, case.field("pressure_coefficient").values[:120]) for case in flows.test
        ]
        return float(np.mean([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in pairs]))

    assert error(None) < 1.2 * error("body") < 0.12


def test_what_is_no_outline_is_refused() -> None:
    with pytest.raises(InvalidMeshError, match="3-D"):
        SurfaceLine().place(Case(icosphere(1)))
    outline = naca4()
    place = SurfaceLine().place(Case(Mesh(np.concatenate([outline.points, [[5.0, 5.0]]]), outline.cells)))
    assert place.inside[-1] and not place.inside[:-1].any()  # off the outline there is no field
