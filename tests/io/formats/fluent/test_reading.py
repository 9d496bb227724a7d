"""Fluent meshes and cases, text and binary: cells by shape, zones and patches by name, results where they belong."""

from __future__ import annotations

import contextlib
import gzip

import numpy as np
import pytest

from geoop.errors import GeoopError, UnreadableFileError
from geoop.io.reading import read, read_case
from geoop.mesh.measure import signed_measures

#: A 2 x 1 x 1 box of two cubes: zone -> (type, name, faces as (points from 1, cell, cell)).
POINTS = [(x, y, z) for z in (0.0, 1.0) for y in (0.0, 1.0) for x in (0.0, 1.0, 2.0)]


def _p(x, y, z):
    return 1 + x + 3 * y + 6 * z


def _sheet(x):
    return [_p(x, 0, 0), _p(x, 1, 0), _p(x, 1, 1), _p(x, 0, 1)]


_AROUND = [([_p(i, 0, 0), _p(i + 1, 0, 0), _p(i + 1, 0, 1), _p(i, 0, 1)], i + 1, 0) for i in (0, 1)]
_AROUND += [([_p(i, 1, 0), _p(i + 1, 1, 0), _p(i + 1, 1, 1), _p(i, 1, 1)], i + 1, 0) for i in (0, 1)]
_AROUND += [([_p(i, 0, k), _p(i + 1, 0, k), _p(i + 1, 1, k), _p(i, 1, k)], i + 1, 0) for i in (0, 1) for k in (0, 1)]
BOX = {
    3: (2, "interior", "int_air", [(_sheet(1), 1, 2)]),
    4: (10, "velocity-inlet", "inlet", [(_sheet(0), 1, 0)]),
    5: (5, "pressure-outlet", "outlet", [(_sheet(2), 2, 0)]),
    6: (3, "wall", "walls", _AROUND),
}


def text_mesh(zones, points, n_cells, dimension=3, cell_zones=((2, "air"),), extra=""):
    """The text of a .msh file; the last zone of faces has mixed sizes."""
    out = f'(0 "a mesh (with brackets) from nobody")\n({2} {dimension})\n(10 (0 1 {len(points):x} 0 {dimension}))\n(12 (0 1 {n_cells:x} 0))\n'
    out += (
        f"(13 (0 1 {sum(len(faces) for *_, faces in zones.values()):x} 0))\n(10 (1 1 {len(points):x} 1 {dimension})(\n"
        + "\n".join(" ".join(map(repr, p)) for p in points)
        + "\n))\n"
    )
    share = n_cells // len(cell_zones)
    for k, (zone, _) in enumerate(cell_zones):
        out += f"(12 ({zone:x} {1 + k * share:x} {n_cells if k + 1 == len(cell_zones) else (k + 1) * share:x} 1 0))\n"
    number = 1
    for zone, (kind, _, _, faces) in zones.items():
        sizes = {len(nodes) for nodes, _, _ in faces}
        mixed = zone == max(zones) or len(sizes) > 1
        out += f"(13 ({zone:x} {number:x} {number + len(faces) - 1:x} {kind:x} {0 if mixed else sizes.pop():x})(\n"
        out += "".join(" ".join(f"{v:x}" for v in [*([len(nodes)] if mixed else []), *nodes, a, b]) + "\n" for nodes, a, b in faces) + "))\n"
        number += len(faces)
    out += "".join(f"(45 ({zone} fluid {name})())\n" for zone, name in cell_zones)
    out += "".join(f'(39 ({zone} {kind} {name} 1)(\n(a . 1)\n(b "x)y")))\n' for zone, (_, kind, name, _) in zones.items())
    return out + extra


def binary_case(real):
    """The bytes of a binary .cas file of the box."""
    code = b"2" if real == "<f4" else b"3"

    def section(index, head, body):
        return b"(" + code + index + b" (" + head + b")(" + body + b")\nEnd of Binary Section   " + code + index + b")\n"

    out = b'(0 "binary")\n(2 3)\n(10 (0 1 c 0 3))\n(12 (0 1 2 0))\n(37 (\n(solver "a(b"))\n)\n'
    out += section(b"010", b"1 1 c 1 3", np.array(POINTS, real).tobytes()) + b"(12 (2 1 2 1 4))\n"
    number = 1
    for zone, (kind, _, _, faces) in BOX.items():
        mixed = zone == 6
        rows = [[*([4] if mixed else []), *nodes, a, b] for nodes, a, b in faces]
        head = f"{zone:x} {number:x} {number + len(faces) - 1:x} {kind:x} {0 if mixed else 4}".encode()
        out += section(b"013", head, np.array(rows, "<i4").tobytes())
        number += len(faces)
    return out + b"(45 (2 fluid air)())\n" + b"".join(f"(45 ({zone} {kind} {name})())\n".encode() for zone, (_, kind, name, _) in BOX.items())


def check_box(mesh):
    assert mesh.cells.names == ["hexahedron"] and np.allclose(signed_measures(mesh), 1.0)
    assert np.allclose(mesh.points, POINTS)
    assert {name: len(part) for name, part in mesh.patches.items()} == {"inlet": 1, "outlet": 1, "walls": 8}
    assert (mesh.points[mesh.patches["outlet"].connectivity][:, 0] == 2).all()
    assert {name: index.tolist() for name, index in mesh.zones.items()} == {"air": [0, 1]}
    assert mesh.points[mesh.cells.block("hexahedron")[1]][:, 0].min() == 1


@pytest.mark.parametrize("form", ["text .msh", "text .cas", "single", "double"])
def test_a_box(tmp_path, form):
    path = tmp_path / ("box.msh" if form == "text .msh" else "box.cas")
    path.write_bytes(text_mesh(BOX, POINTS, 2).encode() if form.startswith("text") else binary_case("<f4" if form == "single" else "<f8"))
    check_box(read(path))


@pytest.mark.parametrize("real", [0, 2000, 3000], ids=["text", "single", "double"])
def test_results_of_cells_and_of_patches(tmp_path, real):
    (tmp_path / "box.cas").write_bytes(text_mesh(BOX, POINTS, 2).encode())

    def result(code, zone, first, values):
        values = np.atleast_2d(np.array(values, dtype=float))
        head = f"({300 + real} ({code} {zone} {values.shape[1]} 0 0 {first} {first + len(values) - 1})\n("
        if not real:
            return head.encode() + " ".join(map(repr, values.ravel().tolist())).encode() + b"))\n"
        return head.encode() + values.astype("<f4" if real == 2000 else "<f8").tobytes() + f")\nEnd of Binary Section   {300 + real})\n".encode()

    data = b'(0 "data")\n(33 (2 11 12))\n'
    data += (
        result(1, 2, 1, [[1.5], [2.5]]) + result(111, 2, 1, [[1.0], [2.0]]) + result(112, 2, 1, [[3.0], [4.0]]) + result(113, 2, 1, [[5.0], [6.0]])
    )
    data += result(1, 4, 2, [[9.5]]) + result(777, 2, 1, [[7.0], [8.0]])
    with gzip.open(tmp_path / "box.dat.gz", "wb") as packed:
        packed.write(data)
    case = read_case(tmp_path / "box.cas")
    assert (
        case.field("pressure").values.tolist() == [1.5, 2.5]
        and case.field("pressure").location == "cell"
        and case.field("pressure").quantity.unit == "Pa"
    )
    assert case.field("velocity").values.tolist() == [[1, 3, 5], [2, 4, 6]] and case.field("fluent_777").values.tolist() == [7, 8]
    assert case.boundary["inlet"]["pressure"].values.tolist() == [9.5]


def test_results_of_another_mesh_are_refused(tmp_path):
    (tmp_path / "box.cas").write_bytes(text_mesh(BOX, POINTS, 2).encode())
    (tmp_path / "box.dat").write_text("(300 (1 2 1 0 0 1 5)(1 2 3 4 5))\n")
    with pytest.raises(UnreadableFileError, match=r"cells 1\.\.5 of 2"):
        read(tmp_path / "box.cas")


def test_polygons_in_the_plane(tmp_path):
    # a pentagon and a triangle that share an edge
    points = [(0.0, 0.0), (2.0, 0.0), (3.0, 1.0), (1.0, 2.0), (-1.0, 1.0), (4.0, 0.0)]
    zones = {
        3: (2, "interior", "inside", [([2, 3], 1, 2)]),
        4: (3, "wall", "wall", [([1, 2], 1, 0), ([4, 3], 1, 0), ([4, 5], 1, 0), ([5, 1], 1, 0)]),
        5: (36, "outflow", "out", [([2, 6], 2, 0), ([6, 3], 2, 0)]),
    }
    (tmp_path / "plane.msh").write_text(text_mesh(zones, points, 2, dimension=2, cell_zones=((2, "left"), (7, "right"))))
    mesh = read(tmp_path / "plane.msh")
    assert mesh.dimension == 2 and sorted(mesh.cells.names) == ["polygon", "triangle"]
    assert np.allclose(signed_measures(mesh), [5.0, 1.0])
    assert {name: len(part) for name, part in mesh.patches.items()} == {"wall": 4, "out": 2}
    assert {name: index.tolist() for name, index in mesh.zones.items()} == {"left": [0], "right": [1]}


def test_hanging_nodes_keep_the_fine_cells(tmp_path):
    extra = "(58 (1 1 2 3)(\n2 1 2\n))\n"
    text = text_mesh(BOX, POINTS, 2, extra=extra).replace("(12 (0 1 2 0))", "(12 (0 1 3 0))") + "(12 (9 3 3 20 4))\n"
    (tmp_path / "fine.cas").write_text(text)
    mesh = read(tmp_path / "fine.cas")
    check_box(mesh)
    assert any("hanging" in note for note in mesh.notes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(45 (2 fluid air)())", "(45 (2 fluid air", "does not end"),
        ("(13 (4 2 2 a 4)(\n1 4 a 7 1 0", "(13 (4 2 2 a 4)(\n1 4 a ff 1 0", "points"),
        ("(13 (4 2 2 a 4)(\n1 4 a 7 1 0", "(13 (4 2 2 a 4)(\n1 4 a 7 9 0", "cell"),
        ("(13 (4 2 2 a 4)(\n1 4 a 7 1 0", "(13 (4 2 2 a 4)(\n1 4 a 7 1", "announces"),
        ("2.0 1.0 1.0\n", "2.0 1.0\n", "coordinates"),
        ("(13 (4 2 2 a 4)(\n1 4 a 7 1 0\n))", "", "10 of 11 faces"),
    ],
)
def test_damage_is_an_error(tmp_path, old, new, message):
    text = text_mesh(BOX, POINTS, 2)
    assert old in text
    (tmp_path / "bad.msh").write_text(text.replace(old, new))
    with pytest.raises(UnreadableFileError, match=message):
        read(tmp_path / "bad.msh")


def test_a_cut_file_loses_names_at_most_and_says_so(tmp_path):
    data = text_mesh(BOX, POINTS, 2)
    for size in np.linspace(1, len(data) - 2, 40).astype(int):
        (tmp_path / "cut.msh").write_text(data[:size])
        try:
            mesh = read(tmp_path / "cut.msh")
        except UnreadableFileError:
            continue
        assert len(mesh.cells) == 2 and len(mesh.patches) == 3 and any("no names for zones" in note for note in mesh.notes)


def test_a_surface_mesh_has_its_zones_as_patches(tmp_path):
    zones = {4: (3, "wall", "lid", [([1, 2, 3], 0, 0)]), 5: (3, "wall", "side", [([1, 2, 4], 0, 0)])}
    (tmp_path / "surface.msh").write_text(
        text_mesh(zones, [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)], 0, cell_zones=((2, "none"),))
    )
    mesh = read(tmp_path / "surface.msh")
    assert {name: len(part) for name, part in mesh.patches.items()} == {"lid": 1, "side": 1} and mesh.cells.names == ["triangle"]


@pytest.mark.parametrize("seed", range(3))
def test_any_mutation_is_read_or_refused(tmp_path, seed):
    rng = np.random.default_rng(seed)
    for data, name in ((text_mesh(BOX, POINTS, 2).encode(), "bad.msh"), (binary_case("<f8"), "bad.cas")):
        for _ in range(40):
            damaged = bytearray(data)
            for at in rng.integers(len(data), size=3):
                damaged[at] = rng.integers(256)
            (tmp_path / name).write_bytes(bytes(damaged))
            with contextlib.suppress(GeoopError):
                mesh = read(tmp_path / name)
                assert len(mesh.cells) > 0 and mesh.cells.connectivity.max() < len(mesh.points)
