"""Gmsh files that Gmsh itself has written: second-order cells, partitions, periodic links, groups of every dimension."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from geoop.io.reading import read, read_case
from geoop.mesh.measure import cell_measures, signed_measures
from tests.mesh.cell_zoo import UNIT_CELLS

gmsh = pytest.importorskip("gmsh", reason="gmsh writes the files: pip install gmsh")

#: Gmsh type -> geoop's name of the cell.
SECOND_ORDER = {
    9: "triangle6", 16: "quad8", 10: "quad9", 11: "tetra10", 17: "hexahedron20", 12: "hexahedron27",
    18: "wedge15", 13: "wedge18", 19: "pyramid13", 14: "pyramid13",
}  # fmt: skip
FILES = [(2.2, 0), (2.2, 1), (4.1, 0), (4.1, 1)]


@contextmanager
def session(version: float, binary: int):
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.option.setNumber("Mesh.Binary", binary)
        gmsh.model.add("part")
        yield gmsh
    finally:
        gmsh.finalize()


def middles(nodes: np.ndarray, corners: int) -> list[tuple[int, ...]]:
    """For every node the smallest set of corners whose mean it is."""
    sets = [index for size in (1, 2, 4, 8) for index in combinations(range(corners), size)]
    return [next(index for index in sets if np.allclose(nodes[list(index)].mean(axis=0), node)) for node in nodes]


@pytest.mark.parametrize("kind", SECOND_ORDER)
@pytest.mark.parametrize(("version", "binary"), FILES)
def test_point_order_of_second_order_cells(tmp_path, kind, version, binary):
    with session(version, binary):
        _, dimension, _, count, places, corners = gmsh.model.mesh.getElementProperties(kind)
        nodes = np.zeros((count, 3))
        nodes[:, :dimension] = np.reshape(places, (count, dimension))
        turn = np.array([[0.8, -0.6, 0.1], [0.6, 0.8, 0.2], [0.0, -0.1, 1.0]])
        gmsh.model.addDiscreteEntity(dimension, 1)
        gmsh.model.mesh.addNodes(dimension, 1, list(range(11, 11 + count)), (nodes @ turn.T).reshape(-1))
        gmsh.model.mesh.addElements(dimension, 1, [kind], [[7]], [list(range(11, 11 + count))])
        gmsh.write(str(tmp_path / "part.msh"))
    mesh = read(tmp_path / "part.msh")
    name = SECOND_ORDER[kind]
    found = mesh.points[mesh.cells.block(name)[0]]
    reference = UNIT_CELLS[name][0]
    for node, index in zip(found, middles(reference, corners), strict=True):
        assert np.allclose(node, found[list(index)].mean(axis=0))
    assert dimension < 3 or signed_measures(mesh)[0] > 0
    assert kind != 14 or any("middle of the base of 1 pyramids" in note for note in mesh.notes)


def partitioned_box(path: Path, version: float, binary: int, *, ghosts: bool, groups: bool) -> float:
    """A cube of tetrahedra in three partitions; its volume."""
    with session(version, binary):
        gmsh.model.occ.addBox(0, 0, 0, 1, 2, 1)
        gmsh.model.occ.synchronize()
        if groups:
            gmsh.model.addPhysicalGroup(3, [1], 5, "fluid")
            gmsh.model.addPhysicalGroup(2, [1, 2], 6, "ends")
            gmsh.model.addPhysicalGroup(2, [3, 4, 5, 6], 7, "sides")
            gmsh.model.addPhysicalGroup(1, [1], 8, "edge")
        gmsh.option.setNumber("Mesh.MeshSizeMin", 0.4)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 0.4)
        gmsh.option.setNumber("Mesh.PartitionCreateGhostCells", int(ghosts))
        gmsh.option.setNumber("Mesh.PartitionCreateTopology", 1)
        gmsh.model.mesh.generate(3)
        count = sum(len(tags) for tags in gmsh.model.mesh.getElements(3)[1])
        gmsh.model.mesh.partition(3)
        gmsh.write(str(path))
    return count


@pytest.mark.parametrize(("version", "binary"), FILES)
@pytest.mark.parametrize("ghosts", [False, True])
@pytest.mark.parametrize("groups", [False, True])
def test_partitions_are_put_together(tmp_path, version, binary, ghosts, groups):
    count = partitioned_box(tmp_path / "part.msh", version, binary, ghosts=ghosts, groups=groups)
    case = read_case(tmp_path / "part.msh")
    mesh = case.mesh
    assert len(mesh.cells) == len(mesh.cells.where("tetra")) == count and cell_measures(mesh).sum() == pytest.approx(2.0)
    assert set(case.fields["partition"].values.tolist()) == {1, 2, 3} and case.fields["partition"].values.dtype.kind == "i"
    areas = {name: cell_measures(mesh.patch(name)).sum() for name in mesh.patches}
    if groups:
        assert areas == {"ends": pytest.approx(4.0), "sides": pytest.approx(6.0)} and len(mesh.zones["fluid"]) == count
    elif version == 4.1:
        assert len(areas) == 6 and sum(areas.values()) == pytest.approx(10.0)
    if version == 4.1 and not groups:  # Gmsh saves what belongs to a group only
        assert any("borders between partitions" in note for note in mesh.notes)


@pytest.mark.parametrize(("version", "binary"), FILES)
def test_periodic_links_and_groups_of_every_dimension(tmp_path, version, binary):
    with session(version, binary):
        gmsh.model.occ.addBox(0, 0, 0, 1, 1, 1)
        gmsh.model.occ.synchronize()
        gmsh.model.mesh.setPeriodic(2, [2], [1], [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
        for dimension, name in ((0, "tip"), (1, "edge"), (2, "wall"), (3, "fluid")):
            gmsh.model.addPhysicalGroup(dimension, [1], name=name)
        gmsh.model.addPhysicalGroup(2, [1, 2], name="pair")
        gmsh.option.setNumber("Mesh.MeshSizeMin", 0.5)
        gmsh.option.setNumber("Mesh.SaveAll", 0)
        gmsh.option.setNumber("Mesh.SaveParametric", 1)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(tmp_path / "part.msh"))
    mesh = read(tmp_path / "part.msh")
    areas = {name: cell_measures(mesh.patch(name)).sum() for name in mesh.patches}
    assert areas == {"wall": pytest.approx(1.0), "pair": pytest.approx(2.0)} and list(mesh.zones) == ["fluid"]
    said = " ".join(mesh.notes)
    assert "periodic links" in said and "edge" in said and "tip" in said
