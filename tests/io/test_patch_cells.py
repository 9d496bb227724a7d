"""Which cells patches consist of: one pass over all patches gives what one patch after the other gives."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.io import patch_cells
from geoop.io.patch_cells import cells_by_patch, patch_numbers
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box


def test_equal_cells_are_taken_one_by_one():
    """Two sheets of one facet belong to two patches; a third patch has one of them again."""
    cells = Cells.of(triangle=[[0, 1, 2], [2, 3, 0], [2, 1, 0]])
    front, back = Cells.of(triangle=[[0, 1, 2]]), Cells.of(triangle=[[2, 1, 0]])
    mesh = Mesh(np.eye(4, 3), cells, {"front": front, "back": back, "all": cells, "edge": Cells.of(line=[[0, 1]]), "none": Cells.empty()})
    found = {name: index.tolist() for name, index in cells_by_patch(mesh).items()}
    assert found == {"front": [0], "back": [2], "all": [0, 1, 2], "edge": [-1], "none": []}
    assert patch_numbers(mesh).tolist() == [2, 2, 2]


def test_facets_of_a_volume_are_no_cells():
    """Facets with the points of a cell of another dimension are not that cell."""
    tetra = Mesh(np.eye(4, 3), Cells.of(tetra=[[0, 1, 2, 3]]), {"face": Cells.of(quad=[[0, 1, 2, 3]]), "side": Cells.of(triangle=[[0, 1, 2]])})
    assert {name: index.tolist() for name, index in cells_by_patch(tetra).items()} == {"face": [-1], "side": [-1]}
    assert patch_numbers(tetra) is None and patch_numbers(Mesh(np.eye(3))) is None and cells_by_patch(Mesh(np.eye(3))) == {}


def test_facets_that_are_cells_are_found_whatever_they_start_from():
    polygon = np.array([4, 5, 6, 7, 8])
    cells = Cells.concatenate(
        [Cells.of(triangle=[[0, 1, 2], [1, 2, 3]]), Cells.ragged("polygon", [polygon]), Cells.of(line=[[0, 1]]), Cells.of(quad=[[0, 1, 2, 3]])]
    )
    part = Cells.concatenate(
        [Cells.of(triangle=[[3, 1, 2], [0, 1, 3]]), Cells.ragged("polygon", [np.roll(polygon, 2)[::-1]]), Cells.of(line=[[1, 0], [1, 2]])]
    )
    points = np.random.default_rng(0).random((9, 3))
    mesh = Mesh(points, cells, {"a": part, "b": Cells.of(quad=[[3, 2, 1, 0]])})
    assert cells_by_patch(mesh)["a"].tolist() == [1, -1, 2, 3, -1] and patch_numbers(mesh).tolist() == [-1, 0, 0, 0, 1]
    assert patch_numbers(Mesh(points, cells, {"a": Cells.of(triangle=[[5, 6, 7]])})) is None


def test_cells_of_other_sizes_keep_their_numbers():
    points = np.random.default_rng(0).random((30, 3))
    cells = Cells.concatenate([Cells.of(line=[[0, 1], [1, 2]]), Cells.of(quad=[[3, 4, 5, 6]], triangle=[[3, 4, 5], [5, 6, 7]])])
    mesh = Mesh(points, cells, {"tip": Cells.of(triangle=[[7, 5, 6]]), "quad": Cells.of(quad=[[5, 6, 3, 4]]), "wire": Cells.of(line=[[2, 1]])})
    names = [cells.take(index).names for index in cells_by_patch(mesh).values()]
    assert names == [["triangle"], ["quad"], ["line"]] and [index.tolist() for index in cells_by_patch(mesh).values()][2] == [1]


@pytest.mark.parametrize("suffix", [".vtu", ".vtp", ".vtkhdf", ".msh", ".vtm", ".obj", ".stl"])
def test_the_mesh_is_searched_once_whatever_the_number_of_patches(tmp_path, monkeypatch, suffix):
    """Calls are counted, not seconds: sorting the mesh once per patch is quadratic."""
    mesh = box(divisions=3)
    patches = {f"p{k}": mesh.cells.take(np.array([k])) for k in range(len(mesh.cells))}
    calls, search = [], patch_cells.row_groups

    def counted(rows):
        calls.append(len(rows))
        return search(rows)

    monkeypatch.setattr(patch_cells, "row_groups", counted)
    write(Case(Mesh(mesh.points, mesh.cells, patches)), tmp_path / f"a{suffix}", text=suffix == ".stl")
    assert sum(length > len(mesh.cells) for length in calls) <= 2 * (2 if suffix == ".vtm" else 1)
