"""PLOT3D in all its layouts: none of them is named, all of them are found; and the values are where they were written."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from geoop.errors import UnreadableFileError
from geoop.io.reading import read, read_case
from geoop.mesh.measure import signed_measures

SHAPES = [(3, 4, 2), (2, 2, 5)]


def grid(shape, shift=0.0):
    """(n, d) points with i running fastest."""
    axes = np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij")
    return np.stack([axis.ravel(order="F") for axis in axes], axis=1) + shift


class Writer:
    """Records of a PLOT3D file of one layout."""

    def __init__(self, kind, order="<", real=8):
        self.kind, self.order, self.real, self.parts = kind, order, real, []

    def record(self, *arrays):
        """Integers and floats of one record."""
        if self.kind == "text":
            self.parts.append("\n".join(" ".join(map(repr, np.asarray(a).ravel().tolist())) for a in arrays).encode() + b"\n")
            return
        raw = b"".join(
            np.asarray(a).ravel().astype(f"{self.order}{'i4' if np.asarray(a).dtype.kind == 'i' else f'f{self.real}'}").tobytes() for a in arrays
        )
        mark = np.array(len(raw), f"{self.order}i4").tobytes() if self.kind == "records" else b""
        self.parts.append(mark + raw + mark)

    def write(self, path):
        path.write_bytes(b"".join(self.parts))


def write_grids(path, shapes, kind, order="<", real=8, several=True, blank=None):
    out = Writer(kind, order, real)
    if several:
        out.record(np.array([len(shapes)]))
    out.record(np.array(shapes))
    for k, shape in enumerate(shapes):
        points = grid(shape, 10.0 * k)
        out.record(points.T, *([] if blank is None else [blank[k]]))
    out.write(path)


LAYOUTS = [("text", "<", 8), *itertools.product(["records", "stream"], "<>", [4, 8])]


@pytest.mark.parametrize("several", [True, False], ids=["several", "one"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda x: "-".join(map(str, x)))
@pytest.mark.parametrize("dimension", [2, 3])
def test_every_layout_is_found(tmp_path, layout, several, dimension):
    shapes = [shape[:dimension] for shape in (SHAPES if several else SHAPES[:1])]
    write_grids(tmp_path / "wing.p3d", shapes, *layout, several=several)
    mesh = read(tmp_path / "wing.p3d")
    expected = np.concatenate([grid(shape, 10.0 * k) for k, shape in enumerate(shapes)])
    assert mesh.dimension == dimension and np.allclose(mesh.points, expected)
    assert mesh.cells.names == ["quad" if dimension == 2 else "hexahedron"]
    assert len(mesh.cells) == sum(int(np.prod(np.array(shape) - 1)) for shape in shapes)
    assert np.allclose(signed_measures(mesh), 1.0)
    assert list(mesh.zones) == [f"grid {k + 1}" for k in range(len(shapes))]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda x: "-".join(map(str, x)))
def test_blanked_cells_are_left_out(tmp_path, layout):
    blank = [np.ones(24, dtype=int), np.ones(20, dtype=int)]
    blank[0][0] = 0
    write_grids(tmp_path / "wing.x", SHAPES, *layout, blank=blank)
    mesh = read(tmp_path / "wing.x")
    assert len(mesh.cells) == 6 + 4 - 1 and any("1 cells at blanked points" in note for note in mesh.notes)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda x: "-".join(map(str, x)))
def test_solution_and_functions_beside_the_grid(tmp_path, layout):
    write_grids(tmp_path / "wing.xyz", SHAPES, *layout)
    solution, functions = Writer(*layout), Writer(*layout)
    solution.record(np.array([2]))
    solution.record(np.array(SHAPES))
    functions.record(np.array([2]))
    functions.record(np.array([[*shape, 2] for shape in SHAPES]))
    for k, shape in enumerate(SHAPES):
        x = grid(shape, 10.0 * k)
        solution.record(np.array([0.5, 2.0, 1e6, 0.0]))
        solution.record(np.stack([1 + x[:, 0], *x.T, x @ [1.0, 2.0, 3.0]]))
        functions.record(np.stack([x[:, 1], -x[:, 2]]))
    solution.write(tmp_path / "wing.q")
    functions.write(tmp_path / "wing.f")
    (tmp_path / "wing.nam").write_text("static_temp\nwall_dist\n")
    case = read_case(tmp_path / "wing.xyz")
    x = case.mesh.points
    assert np.allclose(case.field("density").values, 1 + x[:, 0]) and case.field("density").quantity.unit == "1"
    assert np.allclose(case.field("momentum").values, x) and np.allclose(case.field("stagnation_energy").values, x @ [1.0, 2.0, 3.0])
    assert np.allclose(case.field("static_temp").values, x[:, 1]) and np.allclose(case.field("wall_dist").values, -x[:, 2])
    assert any("Mach 0.5" in note for note in case.mesh.notes)


def test_a_surface_in_space_is_quads(tmp_path):
    out = Writer("text")
    out.record(np.array([1]))
    out.record(np.array([[3, 3, 1]]))
    points = grid((3, 3, 1))
    points[:, 2] = points[:, 0] ** 2
    out.record(points.T)
    out.write(tmp_path / "sheet.p3d")
    mesh = read(tmp_path / "sheet.p3d")
    assert mesh.cells.names == ["quad"] and mesh.dimension == 3 and list(mesh.patches) == ["grid 1"]


def test_short_forms_of_fortran(tmp_path):
    (tmp_path / "plane.p3d").write_text("1\n2 2\n0. 1., 2*0.\n 0. 0. 2*1.0D0\n")
    assert read(tmp_path / "plane.p3d").points.tolist() == [[0, 0], [1, 0], [0, 1], [0, 1]]
    (tmp_path / "bomb.p3d").write_text("1\n2 2\n999999999999*0.\n")
    with pytest.raises(UnreadableFileError, match="repeats too often"):
        read(tmp_path / "bomb.p3d")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda x: "-".join(map(str, x)))
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, layout):
    write_grids(tmp_path / "whole.p3d", SHAPES, *layout)
    data = (tmp_path / "whole.p3d").read_bytes()
    for size in np.linspace(8, len(data) - 9, 20).astype(int):
        (tmp_path / "cut.p3d").write_bytes(data[:size])
        with pytest.raises(UnreadableFileError):
            read(tmp_path / "cut.p3d")


def test_a_solution_of_other_grids_is_refused(tmp_path):
    write_grids(tmp_path / "wing.p3d", SHAPES, "stream")
    out = Writer("stream")
    out.record(np.array([1]))
    out.record(np.array([[2, 2, 2]]))
    out.record(np.zeros(4))
    out.record(np.ones(40))
    out.write(tmp_path / "wing.q")
    with pytest.raises(UnreadableFileError, match="the grid file has"):
        read(tmp_path / "wing.p3d")


def test_rows_of_a_point_cloud_stay_a_cloud(tmp_path):
    (tmp_path / "cloud.xyz").write_text("".join(f"{k} {k * k} {k**3}\n" for k in range(5)))
    assert len(read(tmp_path / "cloud.xyz", unit="m").points) == 5
