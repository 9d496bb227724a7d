"""Straight cells undo quadratic ones: points, cells, patches, zones and values come back, whatever the order of the points."""

import numpy as np
import pytest

from geoop.mesh.case import Case
from geoop.mesh.cells import CELL_TYPES, Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.mesh.straight import straightened
from geoop.mesh.topology import N_CORNERS

PLANE = Mesh(
    np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 1.0]]),
    Cells.concatenate([Cells.of(triangle=np.array([[1, 2, 4]])), Cells.of(quad=np.array([[0, 1, 4, 3]]))]),
    {"floor": Cells.of(line=np.array([[0, 1], [1, 2]])), "ramp": Cells.of(line=np.array([[2, 4]]))},
    {"box": np.array([1])},
    name="plane",
)
SOLID = Mesh(np.eye(4)[:, :3], Cells.of(tetra=np.array([[3, 0, 1, 2]])), {"wall": Cells.of(triangle=np.array([[3, 1, 0], [0, 1, 2]]))}, name="solid")


def shuffled(mesh, seed):
    """The mesh with its points in another order, and the order."""
    order = np.random.default_rng(seed).permutation(len(mesh.points))
    number = np.argsort(order)
    patches = {name: part.renumbered(number) for name, part in mesh.patches.items()}
    return Mesh(mesh.points[order], mesh.cells.renumbered(number), patches, mesh.zones, mesh.name), order


@pytest.mark.parametrize("mesh", [PLANE, SOLID], ids=["plane", "solid"])
def test_quadratic_and_back(mesh):
    assert straightened(Case(quadratic(mesh))).mesh.content_hash == mesh.content_hash


@pytest.mark.parametrize("seed", range(3))
def test_values_stay_with_their_points_cells_and_facets(seed):
    bent, _ = shuffled(quadratic(PLANE, {"ramp": lambda x: x + [0.05, 0.05]}), seed)
    speed, pressure, drag = QUANTITIES["velocity"], QUANTITIES["pressure"], QUANTITIES["drag_coefficient"]
    fields = {"velocity": Field(speed, 3 * bent.points), "pressure": Field(pressure, np.array([5.0, 7.0]), "cell")}
    on_floor = bent.points[bent.patch_points("floor")]
    given = {"velocity": Field(speed, 3 * on_floor), "pressure": Field(pressure, np.array([1.0, 2.0]), "facet")}
    case = Case(
        bent, OperatingPoint(2.0), {**fields, "drag_coefficient": Field(drag, np.array(0.5), "global")}, {"floor": given}, ("floor",), 1.5, "c"
    )
    found = straightened(case)
    assert found.mesh.cells.names == ["triangle", "quad"] and len(found.mesh.points) == 5
    corners = [{tuple(found.mesh.points[i]) for i in cell} for cell in found.mesh.cells]
    assert corners == [{tuple(PLANE.points[i]) for i in cell} for cell in PLANE.cells]
    assert np.array_equal(found.fields["velocity"].values, 3 * found.mesh.points)
    assert np.array_equal(found.boundary["floor"]["velocity"].values, 3 * found.mesh.points[found.mesh.patch_points("floor")])
    assert found.boundary["floor"]["pressure"] is given["pressure"] and found.fields["pressure"] is case.fields["pressure"]
    assert found.fields["drag_coefficient"].values == 0.5 and found.mesh.zones["box"].tolist() == [1]
    assert (found.operating_point, found.wall, found.time, found.name) == (case.operating_point, ("floor",), 1.5, "c")


@pytest.mark.parametrize("name", sorted(N_CORNERS))
def test_every_quadratic_type_has_a_straight_kin(name):
    n = CELL_TYPES[name][2]
    points = np.random.default_rng(0).random((n + 1, 3))  # the last one belongs to no cell and stays
    found = straightened(Case(Mesh(points, Cells.of({name: np.arange(n)[None]})))).mesh
    k = N_CORNERS[name]
    assert CELL_TYPES[found.cells.names[0]][1:] == (CELL_TYPES[name][1], k) and found.cells.connectivity.tolist() == list(range(k))
    assert np.array_equal(found.points, points[[*range(k), n]])


def test_straight_cells_come_back_as_the_same_object():
    case = Case(PLANE)
    assert straightened(case) is case


def test_a_middle_that_is_a_corner_elsewhere_stays():
    """A quadratic line beside two linear ones."""
    cells = Cells.concatenate([Cells.of(line3=np.array([[0, 2, 1]])), Cells.of(line=np.array([[0, 1], [1, 2]]))])
    found = straightened(Case(Mesh(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), cells))).mesh
    assert len(found.points) == 3 and [cell.tolist() for cell in found.cells] == [[0, 2], [0, 1], [1, 2]]
