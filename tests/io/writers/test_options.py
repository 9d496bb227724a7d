"""What a format could not hold, in notes that stay short."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.io.writers.options import left_out, listed, one_word, renamed
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box
from geoop.mesh.quantity import Field, Quantity
from tests.mesh.cell_zoo import UNIT_CELLS


def test_long_lists_are_cut():
    names = [f"n{k}" for k in range(3000)]
    assert listed(names) == "n0, n1, n2, n3, n4 and 2995 more" and listed(names[:6]) == "n0, n1, n2, n3, n4, n5" and listed([]) == ""
    assert listed(names[:7]) == "n0, n1, n2, n3, n4 and 2 more"


def test_only_changed_names_are_said():
    assert renamed({"a": "a"}, "why") == () and renamed({"a b": "a_b", "c": "c"}, "why") == ("why: 'a b' is written as 'a_b'",)
    words, notes = one_word(["a b", "a_b", "a\tb"])
    assert list(words.values()) == ["a_b", "a_b_2", "a_b_3"] and "'a_b' is written as 'a_b_2'" in notes[0]


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply", ".msh", ".su2", ".csv"])
def test_walls_are_said_to_be_lost(tmp_path, suffix):
    floor, lid = Cells.of(quad=[[0, 3, 2, 1]]), Cells.of(quad=[[4, 5, 6, 7]])
    mesh = Mesh(UNIT_CELLS["hexahedron"][0], Cells.of(hexahedron=[np.arange(8)]), {"floor": floor, "lid": lid})
    for wall, said in ((("lid",), True), ((), False), (None, False)):
        notes = " ".join(write(Case(mesh, wall=wall), tmp_path / f"a{suffix}").notes)
        assert ("which patches are walls (lid)" in notes) == said


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply", ".msh", ".csv"])
def test_notes_on_many_names_stay_short(tmp_path, suffix):
    mesh = box(divisions=4)
    patches = {f"patch  {k}": mesh.cells.take(np.array([k, k // 2])) for k in range(len(mesh.cells))}
    fields = {f"f {k}": Field(Quantity(f"f {k}", "f", "1"), np.float64(0), "global") for k in range(200)}
    case = Case(Mesh(mesh.points, mesh.cells, patches), fields=fields, wall=tuple(patches), boundary={name: {} for name in patches})
    notes = write(case, tmp_path / f"a{suffix}", text=suffix == ".stl").notes
    assert max(map(len, notes)) < 700 and any("more" in note for note in notes)
    assert len(left_out(case)[0]) < 500
