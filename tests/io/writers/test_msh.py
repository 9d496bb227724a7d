"""Gmsh 4.1: through geoop's reader, Gmsh itself and meshio."""

from __future__ import annotations

import meshio
import numpy as np
import pytest

from geoop.io.reading import read, read_case
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from tests.mesh.cell_zoo import UNIT_CELLS, cell_mesh

HELD = [name for name in UNIT_CELLS if name not in ("polygon", "polyhedron")]


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("name", HELD)
def test_every_cell_type_keeps_its_points(tmp_path, name, text):
    nodes, _ = UNIT_CELLS[name]
    mesh = cell_mesh(name, np.random.default_rng(1).random(nodes.shape))
    back = read(write(mesh, tmp_path / "a.msh", text=text).path)
    assert np.array_equal(back.points, mesh.points) and np.array_equal(back.cells.block(name), mesh.cells.block(name)) and not back.patches


def volume() -> Case:
    corners = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)], dtype=float)
    points = np.concatenate([corners, corners[[1, 2, 5, 6]] + [1, 0, 0], [[2.5, 0.5, 0.5]]])
    cells = Cells.concatenate([Cells.of(hexahedron=[[0, 1, 2, 3, 4, 5, 6, 7], [1, 8, 9, 2, 5, 10, 11, 6]]), Cells.of(pyramid=[[8, 9, 11, 10, 12]])])
    patches = {
        "in let": Cells.of(quad=[[0, 4, 7, 3]]), "floor": Cells.of(quad=[[0, 3, 2, 1], [1, 2, 9, 8]]),
        "wetted": Cells.concatenate([Cells.of(quad=[[0, 3, 2, 1]]), Cells.of(triangle=[[8, 12, 10]])]),
    }  # fmt: skip
    zones = {"porous": np.array([0]), "all": np.arange(3)}
    fields = [Field(QUANTITIES["velocity"], points * 2), Field(Quantity("strain", "e", "1", 2), np.random.default_rng(0).random((3, 3, 3)), "cell")]
    return Case(Mesh(points, cells, patches, zones), fields={item.name: item for item in fields}, time=0.25)


@pytest.mark.parametrize("text", [False, True])
def test_overlapping_groups_and_fields(tmp_path, text):
    case = volume()
    back = read_case(write(case, tmp_path / "a.msh", text=text).path)

    def cells_in(mesh, cells):
        return sorted(sorted(map(tuple, mesh.points[cell].tolist())) for cell in cells)

    assert set(back.mesh.patches) == set(case.mesh.patches) and set(back.mesh.zones) == set(case.mesh.zones)
    for name, part in case.mesh.patches.items():
        assert cells_in(back.mesh, back.mesh.patches[name]) == cells_in(case.mesh, part)
    for name, index in case.mesh.zones.items():
        assert cells_in(back.mesh, back.mesh.cells.take(back.mesh.zones[name])) == cells_in(case.mesh, case.mesh.cells.take(index))
    assert np.array_equal(back.fields["velocity"].values, case.fields["velocity"].values) and back.time == 0.25
    order = [cells_in(case.mesh, [c]) for c in case.mesh.cells]
    rows = [order.index(cells_in(back.mesh, [c])) for c in back.mesh.cells]
    assert np.array_equal(back.fields["strain"].values, case.fields["strain"].values[rows])


@pytest.mark.parametrize("text", [False, True])
def test_gmsh_reads_it(tmp_path, text):
    gmsh = pytest.importorskip("gmsh", reason="gmsh reads the file: pip install gmsh")
    path = write(volume(), tmp_path / "a.msh", text=text).path
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.open(str(path))
        assert len(gmsh.model.mesh.getNodes()[0]) == 13 and sum(len(tags) for tags in gmsh.model.mesh.getElements(3)[1]) == 3
        names = {gmsh.model.getPhysicalName(*group): group[0] for group in gmsh.model.getPhysicalGroups()}
        assert names == {"in let": 2, "floor": 2, "wetted": 2, "porous": 3, "all": 3}
        views = gmsh.view.getTags()
        kinds = [gmsh.view.getModelData(tag, 0)[0] for tag in views]
        assert sorted(kinds) == ["ElementData", "NodeData"]
        values = gmsh.view.getModelData(views[kinds.index("NodeData")], 0)
        assert np.allclose(values[2][12], [5.0, 1.0, 1.0]) and values[3] == 0.25
    finally:
        gmsh.finalize()


@pytest.mark.parametrize("text", [False, True])
def test_meshio_reads_it(tmp_path, text):
    case = volume()
    case = Case(case.mesh, fields={"velocity": case.fields["velocity"]})  # meshio wants cell data on the facets too
    theirs = meshio.read(write(case, tmp_path / "a.msh", text=text).path)
    assert len(theirs.points) == 13 and {block.type for block in theirs.cells} == {"hexahedron", "pyramid", "quad", "triangle"}
    assert np.allclose(theirs.point_data["velocity [m/s]"], theirs.points * 2)


@pytest.mark.parametrize("text", [False, True])
def test_surfaces_and_outlines(tmp_path, text):
    mesh = box()
    back = read(write(mesh, tmp_path / "a.msh", text=text).path)
    assert {name: len(part) for name, part in back.patches.items()} == {name: len(part) for name, part in mesh.patches.items()}
    assert list(back.patches) == list(mesh.patches)
    ring = circle(9)
    back = read(write(ring, tmp_path / "b.msh", text=text).path)
    assert back.dimension == 2 and np.array_equal(back.points, ring.points) and back.cells.names == ["line"]


def test_what_is_left_out(tmp_path):
    mesh = volume().mesh
    mixed = Mesh(mesh.points, Cells.concatenate([mesh.cells, Cells.of(line=[[0, 1]])]), {}, mesh.zones)
    notes = write(mixed, tmp_path / "a.msh").notes
    assert any("1 cells of a lower dimension" in note for note in notes)


@pytest.mark.parametrize("text", [False, True])
def test_real_plane_mesh_comes_back(tmp_path, shared_data, text):
    mesh = read(shared_data / "su2" / "naca0012_rans" / "n0012_225-65.su2")
    back = read(write(mesh, tmp_path / "a.msh", text=text).path)
    assert back.dimension == 2 and np.array_equal(back.points, mesh.points) and np.array_equal(back.cells.connectivity, mesh.cells.connectivity)
    for name, part in mesh.patches.items():
        assert sorted(map(sorted, back.patches[name].block("line").tolist())) == sorted(map(sorted, part.block("line").tolist()))


def test_another_order_of_cells_is_said(tmp_path):
    """Gmsh keeps cells of one type and group together: fields follow, and the note says that the order is another."""
    points = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (2, 1), (3, 0)], dtype=float)
    triangle, quad = Cells.of(triangle=[[4, 6, 5]]), Cells.of(quad=[[0, 1, 2, 3], [1, 4, 5, 2]])
    for cells, moves in ((Cells.concatenate([quad.take([0]), triangle, quad.take([1])]), True), (Cells.concatenate([triangle, quad]), False)):
        density = Field(QUANTITIES["density"], np.arange(3.0), "cell")
        done = write(Case(Mesh(points, cells), fields={"density": density}), tmp_path / "a.msh")
        back = read_case(done.path)
        same = [list(cell) for cell in back.mesh.cells] == [list(cell) for cell in cells]
        assert any("their order changes" in note for note in done.notes) == moves == (not same)
        where = {tuple(sorted(cell)): value for cell, value in zip(cells, density.values, strict=True)}
        assert [where[tuple(sorted(cell))] for cell in back.mesh.cells] == back.fields["density"].values.tolist()


def test_time_stands_with_the_fields(tmp_path):
    """The tag of node and element data is the time; a mesh without fields has no place for it, and then it is said."""
    case = volume()
    done = write(case, tmp_path / "a.msh")
    assert read_case(done.path).time == 0.25 and not any("time" in note for note in done.notes)
    bare = write(Case(case.mesh, time=0.25), tmp_path / "b.msh")
    assert any("the time" in note for note in bare.notes) and read_case(bare.path).time is None


def test_names_of_groups_that_change_are_said(tmp_path):
    mesh = box()
    done = write(Mesh(mesh.points, mesh.cells, {'the "lid"': mesh.patches["z_max"]}), tmp_path / "a.msh")
    assert list(read(done.path).patches) == ["the 'lid'"] and any("is written as 'the 'lid''" in note for note in done.notes)
