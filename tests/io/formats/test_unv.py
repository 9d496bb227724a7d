"""Universal files: nodes, elements of every order, groups and units, as Salome and ANSA write them."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from geoop.errors import GeoopError, UnitError, UnreadableFileError
from geoop.io.reading import read
from geoop.mesh.measure import signed_measures
from geoop.mesh.topology import FACES

CUBE = np.array([(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)


def dataset(number, lines):
    return "    -1\n" + f"{number:6d}\n" + "".join(line + "\n" for line in lines) + "    -1\n"


def nodes(points, labels=None):
    lines = []
    for label, point in zip(range(1, len(points) + 1) if labels is None else labels, points, strict=True):
        lines += [f"{label:10d}{1:10d}{1:10d}{11:10d}", "".join(f"{value:25.16E}".replace("E", "D") for value in point)]
    return dataset(2411, lines)


def elements(rows):
    """(label, descriptor, nodes) -> dataset 2412."""
    lines = []
    for label, code, members in rows:
        lines.append(f"{label:10d}{code:10d}{1:10d}{1:10d}{7:10d}{len(members):10d}")
        lines += ["         0         1         1"] if code in (11, 21, 24) else []
        lines += ["".join(f"{member:10d}" for member in members[k : k + 8]) for k in range(0, len(members), 8)]
    return dataset(2412, lines)


def groups(rows):
    """(name, kind, members) -> dataset 2467."""
    lines = []
    for number, (name, kind, members) in enumerate(rows, 1):
        lines += ["".join(f"{value:10d}" for value in (number, 0, 0, 0, 0, 0, 0, len(members))), name]
        pairs = [f"{kind:10d}{member:10d}{0:10d}{0:10d}" for member in members]
        lines += ["".join(pairs[k : k + 2]) for k in range(0, len(pairs), 2)]
    return dataset(2467, lines)


def units(factor):
    return dataset(164, ["         5mm (milli-newton)             2", f"{factor:25.16E}".replace("E", "D") + "    1.0D+03    1.0D+00"])


def test_groups_of_volumes_facets_and_nodes(tmp_path):
    points = np.vstack([CUBE, CUBE[4:] + [0, 0, 1]]) * 1000
    labels = [10 * k for k in range(1, 13)]
    rows = [(1, 115, labels[:8]), (2, 115, labels[4:]), (100, 94, labels[:4]), (101, 94, labels[8:]), (102, 21, labels[:2])]
    text = units(1000.0) + nodes(points, labels) + elements(rows) + dataset(151, ["anything"]) + dataset(2420, ["1"])
    text += groups([("lower", 8, [1]), ("upper", 8, [2]), ("inlet", 8, [100]), ("outlet wall", 8, [101]), ("fixed", 7, labels[:3])])
    (tmp_path / "box.unv").write_text(text)
    mesh = read(tmp_path / "box.unv")
    assert np.allclose(mesh.points, points / 1000) and np.allclose(signed_measures(mesh), 1.0)
    assert {name: index.tolist() for name, index in mesh.zones.items()} == {"lower": [0], "upper": [1]}
    assert {name: part.block("quad").tolist() for name, part in mesh.patches.items()} == {"inlet": [[0, 1, 2, 3]], "outlet wall": [[8, 9, 10, 11]]}
    with pytest.raises(UnitError, match="states its length unit"):
        read(tmp_path / "box.unv", unit="mm")
    (tmp_path / "silent.unv").write_text(text.removeprefix(units(1000.0)))
    assert np.allclose(read(tmp_path / "silent.unv", unit="mm").points, points / 1000)
    notes = " ".join(mesh.notes)
    assert "dataset 164" in notes and "fixed" in notes and "2420" in notes and "1 elements of lower dimension" in notes


@pytest.mark.parametrize(
    ("name", "code", "corners", "layout"),
    [
        ("tetra10", 118, CUBE[[0, 1, 3, 4]], [(0,), (0, 1), (1,), (1, 2), (2,), (2, 0), (0, 3), (1, 3), (2, 3), (3,)]),
        (
            "wedge15",
            113,
            CUBE[[0, 1, 3, 4, 5, 7]],
            [(0,), (0, 1), (1,), (1, 2), (2,), (2, 0), (0, 3), (1, 4), (2, 5), (3,), (3, 4), (4,), (4, 5), (5,), (5, 3)],
        ),
        (
            "hexahedron20",
            116,
            CUBE,
            [(0,), (0, 1), (1,), (1, 2), (2,), (2, 3), (3,), (3, 0), (0, 4), (1, 5), (2, 6), (3, 7)]
            + [(4,), (4, 5), (5,), (5, 6), (6,), (6, 7), (7,), (7, 4)],
        ),
    ],
)
def test_quadratic_cells(tmp_path, name, code, corners, layout):
    """Nodes in the file's order at the corners and in the middles of edges: the cell has the volume of its corners."""
    points = np.array([corners[list(spot)].mean(axis=0) for spot in layout])
    (tmp_path / "one.unv").write_text(nodes(points) + elements([(1, code, list(range(1, len(points) + 1)))]))
    mesh = read(tmp_path / "one.unv")
    assert mesh.cells.names == [name]
    got = mesh.points[mesh.cells.block(name)[0]]
    assert np.allclose(got[: len(corners)], corners)
    assert np.allclose(signed_measures(mesh), {"tetra10": 1 / 6, "wedge15": 0.5, "hexahedron20": 1.0}[name])
    assert any("metres unless another is said" in note for note in mesh.notes) and name in FACES


def test_plane_shells_are_two_dimensional(tmp_path):
    points = CUBE[:4]
    text = nodes(points) + elements([(1, 44, [1, 2, 3, 4]), (2, 11, [1, 2]), (3, 11, [2, 3])]) + groups([("inflow", 8, [2]), ("wall", 8, [3])])
    (tmp_path / "plane.unv").write_text(text)
    mesh = read(tmp_path / "plane.unv")
    assert mesh.dimension == 2 and {name: part.block("line").tolist() for name, part in mesh.patches.items()} == {
        "inflow": [[0, 1]],
        "wall": [[1, 2]],
    }


def test_a_shell_in_space_has_its_groups_as_patches(tmp_path):
    text = nodes(CUBE) + elements([(1, 94, [1, 2, 3, 4]), (2, 94, [1, 2, 6, 5])]) + groups([("floor", 8, [1]), ("front", 8, [2])])
    (tmp_path / "shell.unv").write_text(text)
    assert {name: len(part) for name, part in read(tmp_path / "shell.unv").patches.items()} == {"floor": 1, "front": 1}


GOOD = nodes(CUBE) + elements([(1, 115, [1, 2, 3, 4, 5, 6, 7, 8])]) + groups([("all", 8, [1])])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("         8\n    -1", "         9\n    -1", "not in the file, first node 9"),
        ("  2411\n", "  2411\n      oops\n", "dataset 2411"),
        ("       115", "       999", "no elements"),
        ("         2         1         1        11", "         1         1         1        11", "occur twice"),
        ("    -1\n  2412", "  2412", "come in pairs"),
    ],
)
def test_damage_is_an_error(tmp_path, old, new, message):
    assert old in GOOD
    (tmp_path / "bad.unv").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UnreadableFileError, match=message):
        read(tmp_path / "bad.unv")


def test_any_mutation_is_read_or_refused(tmp_path):
    rng = np.random.default_rng(0)
    data = np.frombuffer((units(1000.0) + GOOD).encode(), dtype=np.uint8)
    for _ in range(150):
        damaged = data.copy()
        damaged[rng.integers(len(data), size=3)] = rng.integers(32, 127, size=3)
        (tmp_path / "bad.unv").write_bytes(damaged[: rng.integers(len(data) // 2, len(data) + 1)].tobytes())
        with contextlib.suppress(GeoopError):
            mesh = read(tmp_path / "bad.unv")
            assert len(mesh.cells) == 1 and np.isfinite(mesh.points).all()
