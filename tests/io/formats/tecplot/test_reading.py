"""Tecplot text files: every kind of zone and packing comes back with the values that were written."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from geoop.errors import ConfigurationError, GeoopError, UnreadableFileError
from geoop.io.formats.tecplot.reading import collapsed
from geoop.io.reading import read, read_case, read_series
from geoop.mesh.measure import signed_measures

SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (2, 1)], dtype=float)
QUADS = np.array([[0, 1, 2, 3], [1, 4, 5, 2]])


def numbers(values):
    return " ".join(map(repr, np.asarray(values).ravel().tolist())) + "\n"


def linear(points):
    return 3.0 + points @ np.array([1.0, -2.0, 5.0])[: points.shape[1]]


@pytest.mark.parametrize("style", ["new point", "new block", "old point", "old block", "cell block"])
def test_finite_elements(tmp_path, style):
    p = linear(SQUARE)
    if style.startswith("new"):
        head = (
            f'ZONE T="flow", NODES=6, ELEMENTS=2,\n DATAPACKING={style.split()[1].upper()}, ZONETYPE=FEQUADRILATERAL\n DT=(DOUBLE DOUBLE\n DOUBLE)\n'
        )
    elif style.startswith("old"):
        head = f'ZONE T="flow" N=6, E=2, F=FE{style.split()[1].upper()}, ET=QUADRILATERAL\n'
    else:
        head = 'ZONE T="flow", N=6, E=2, ZONETYPE=FEQUADRILATERAL, DATAPACKING=BLOCK, VARLOCATION=([3]=CELLCENTERED)\n'
        p = np.array([7.0, 8.0])
    body = numbers(np.column_stack([SQUARE, p])) if style.endswith("point") else numbers(SQUARE.T) + numbers(p)
    text = f'TITLE = "a"\n# note\nVARIABLES = "X" "Y"\n"Pressure"\n{head}{body}' + "\n".join(" ".join(map(str, row + 1)) for row in QUADS) + "\n"
    (tmp_path / "flow.dat").write_text(text)
    case = read_case(tmp_path / "flow.dat")
    assert np.array_equal(case.mesh.points, SQUARE) and np.array_equal(case.mesh.cells.block("quad"), QUADS)
    assert np.array_equal(case.field("pressure").values, p) and case.field("pressure").location == ("cell" if style == "cell block" else "point")
    assert list(case.mesh.zones) == ["flow"]


def test_ordered_zones_and_a_wall(tmp_path):
    def lattice(n, shift):
        x, y = np.meshgrid(np.arange(n) + shift, np.arange(3.0), indexing="xy")
        return np.column_stack([x.ravel(), y.ravel()])

    left, right = lattice(3, 0.0), lattice(4, 2.0)
    wall = np.array([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)])
    text = "VARIABLES = x, y, u, v\n"
    for name, points, size in (("left", left, "I=3, J=3"), ("right", right, "I=4, J=3"), ("wall", wall, "I=3")):
        text += f'ZONE T="{name}", {size}, F=POINT\n' + numbers(np.column_stack([points, linear(points), -points[:, 0]]))
    (tmp_path / "zones.tec").write_text(text)
    case = read_case(tmp_path / "zones.tec")
    mesh = case.mesh
    assert {name: len(index) for name, index in mesh.zones.items()} == {"left": 4, "right": 6}
    assert list(mesh.patches) == ["wall"] and mesh.points[mesh.patches["wall"].connectivity].tolist() == [[0, 0], [1, 0], [1, 0], [2, 0]]
    assert np.allclose(signed_measures(mesh), 1.0)
    assert np.allclose(case.field("velocity").values, np.column_stack([linear(mesh.points), -mesh.points[:, 0]]))
    assert np.allclose(case.boundary["wall"]["velocity"].values[:, 0], linear(wall))


def test_bricks_that_repeat_points(tmp_path):
    points = np.array([(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)
    rows = [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 3, 5, 5, 5, 5], [1, 2, 3, 4, 5, 5, 5, 5], [1, 2, 3, 3, 5, 6, 7, 7]]
    text = 'VARIABLES="X [mm]","Y [mm]","Z [mm]"\nZONE N=8, E=4, DATAPACKING=POINT, ZONETYPE=FEBRICK\n' + numbers(points)
    (tmp_path / "mixed.dat").write_text(text + "\n".join(" ".join(map(str, row)) for row in rows))
    mesh = read(tmp_path / "mixed.dat")
    assert [mesh.cells.take(np.array([k])).names[0] for k in range(4)] == ["hexahedron", "tetra", "pyramid", "wedge"]
    assert np.allclose(signed_measures(mesh) * 1e9, [1, 1 / 6, 1 / 3, 1 / 2])
    assert collapsed("quad", np.array([[0, 1, 2, 2], [0, 1, 2, 3]])).names == ["triangle", "quad"]


def test_polygons_and_polyhedra(tmp_path):
    text = (
        'VARIABLES="X" "Y" "q"\nZONE NODES=6, ELEMENTS=2, FACES=7, ZONETYPE=FEPOLYGON, VARLOCATION=([3]=CELLCENTERED)\nNUMCONNECTEDBOUNDARYFACES=0\n'
    )
    edges = np.array([[1, 2], [2, 3], [3, 4], [4, 1], [2, 5], [5, 6], [6, 3]])
    left, right = [1, 1, 1, 1, 2, 2, 2], [0, 2, 0, 0, 0, 0, 0]
    (tmp_path / "polygons.dat").write_text(text + numbers(SQUARE.T) + "7 8\n" + numbers(edges) + numbers(left) + numbers(right))
    case = read_case(tmp_path / "polygons.dat")
    assert case.field("q").values.tolist() == [7, 8] and np.allclose(signed_measures(case.mesh), 1.0) and case.mesh.cells.names == ["quad"]
    tetra = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)], dtype=float)
    text = 'VARIABLES="X" "Y" "Z"\nZONE NODES=4, ELEMENTS=1, FACES=4, TOTALNUMFACENODES=12, ZONETYPE=FEPOLYHEDRON\n' + numbers(tetra.T)
    text += "3 3 3 3\n1 2 3 1 2 4 2 3 4 3 1 4\n1 1 1 1\n0 0 0 0\n"
    (tmp_path / "polyhedron.dat").write_text(text)
    assert np.allclose(signed_measures(read(tmp_path / "polyhedron.dat")), 1 / 6)


def test_steps_that_share_mesh_and_connectivity(tmp_path):
    text = 'VARIABLES="X" "Y" "Density"\n'
    text += 'ZONE T="a", N=6, E=2, ZONETYPE=FEQUADRILATERAL, DATAPACKING=BLOCK, STRANDID=1, SOLUTIONTIME=0.0\n'
    text += numbers(SQUARE.T) + numbers(linear(SQUARE)) + numbers(QUADS + 1)
    text += 'ZONE T="a", N=6, E=2, ZONETYPE=FEQUADRILATERAL, DATAPACKING=BLOCK, VARSHARELIST=([1-2]=1), CONNECTIVITYSHAREZONE=1, SOLUTIONTIME=0.5\n'
    text += numbers(2 * linear(SQUARE))
    (tmp_path / "steps.dat").write_text(text)
    series = read_series(tmp_path / "steps.dat")
    assert list(series.values) == [0.0, 0.5]
    for factor, case in zip((1, 2), series.cases, strict=True):
        assert np.array_equal(case.field("density").values, factor * linear(SQUARE)) and len(case.mesh.cells) == 2
    with pytest.raises(ConfigurationError):
        read_case(tmp_path / "steps.dat", time=0.3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("E=2", "E=3", "12 cells|3 cells|announced"),
        ("N=6", "N=60000000000", "announced"),
        ("N=6", "N=x", "a count is needed"),
        ('"X" "Y"', '"a" "b"', "no coordinates"),
        ("1 2 3 4", "1 2 3 9", "points 1..9 of 6"),
        ("1 2 3 4", "1 2 3", "announced"),
        ("0.0 0.0 3.0", "0.0 oops 3.0", "'oops' is not a number"),
        ("QUADRILATERAL", "DODECAHEDRON", "of type 'DODECAHEDRON'"),
        ("F=FEPOINT", "F=FEPOINT, CONNECTIVITYSHAREZONE=4", "does not come before"),
        ("F=FEPOINT", "F=FEPOINT, VARSHARELIST=([1]=1)", "does not come before"),
    ],
)
def test_damage_is_an_error(tmp_path, old, new, message):
    text = 'VARIABLES = "X" "Y" "p"\nZONE N=6, E=2, F=FEPOINT, ET=QUADRILATERAL\n'
    text += "".join(numbers(row) for row in np.column_stack([SQUARE, linear(SQUARE)])) + "1 2 3 4\n2 5 6 3\n"
    assert old in text
    (tmp_path / "bad.dat").write_text(text.replace(old, new))
    with pytest.raises(UnreadableFileError, match=message):
        read(tmp_path / "bad.dat")


@pytest.mark.parametrize("seed", range(3))
def test_any_mutation_is_read_or_refused(tmp_path, seed):
    rng = np.random.default_rng(seed)
    text = 'VARIABLES = "X" "Y" "p"\nZONE N=6, E=2, F=FEPOINT, ET=QUADRILATERAL, VARSHARELIST=([])\n'
    data = (text + "".join(numbers(row) for row in np.column_stack([SQUARE, linear(SQUARE)])) + "1 2 3 4\n2 5 6 3\n").encode()
    for _ in range(80):
        damaged = bytearray(data)
        for at in rng.integers(len(data), size=3):
            damaged[at] = rng.integers(32, 127)
        (tmp_path / "bad.tec").write_bytes(bytes(damaged))
        with contextlib.suppress(GeoopError):
            mesh = read(tmp_path / "bad.tec")
            assert len(mesh.cells) > 0 and mesh.cells.connectivity.max() < len(mesh.points)
