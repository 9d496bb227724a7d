"""EnSight 6 and Gold, text and binary: parts as zones and patches, values at points and cells, all steps; damage ends no process."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from geoop.errors import GeoopError, UnreadableFileError
from geoop.io.reading import read, read_case, read_series
from geoop.mesh.measure import signed_measures

CUBE = np.array([(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)
PARTS = [("left", CUBE, "hexa8"), ("right", CUBE + [1, 0, 0], "hexa8"), ("inlet", CUBE[[0, 3, 7, 4]], "quad4")]
TIMES = (0.0, 0.5)


class Gold:
    """An EnSight Gold file, text or binary."""

    def __init__(self, binary):
        self.binary, self.parts = binary, [b"C Binary".ljust(80)] if binary else []

    def words(self, text):
        self.parts.append(text.encode().ljust(80) if self.binary else text.encode() + b"\n")

    def integers(self, values, per_line=1):
        values = np.ravel(values)
        rows = [values[k : k + per_line] for k in range(0, len(values), per_line)]
        self.parts.append(
            values.astype("<i4").tobytes() if self.binary else "".join("".join(f"{v:10d}" for v in row) + "\n" for row in rows).encode()
        )

    def reals(self, values):
        self.parts.append(np.ravel(values).astype("<f4").tobytes() if self.binary else "".join(f"{v:12.5e}\n" for v in np.ravel(values)).encode())

    def write(self, path):
        path.write_bytes(b"".join(self.parts))


def linear(points, time):
    return points @ [1.0, 2.0, 4.0] + time


def write_gold(folder, binary, transient=True):
    geo = Gold(binary)
    for line in ("a mesh", "of three parts", "node id off", "element id off"):
        geo.words(line)
    for number, (name, points, kind) in enumerate(PARTS, 1):
        geo.words("part")
        geo.integers([number])
        geo.words(name)
        geo.words("coordinates")
        geo.integers([len(points)])
        geo.reals(points.T)
        geo.words(kind)
        geo.integers([1])
        geo.integers(np.arange(len(points)) + 1, len(points))
    geo.write(folder / "box.geo")
    for step, time in enumerate(TIMES if transient else TIMES[:1]):
        nodal, vector, cellwise = Gold(binary), Gold(binary), Gold(binary)
        for part in (nodal, vector, cellwise):
            part.parts = []  # variable files have no line that says how they are stored
            part.words("values")
        for number, (_, points, kind) in enumerate(PARTS, 1):
            for part, place in ((nodal, "coordinates"), (vector, "coordinates"), (cellwise, kind)):
                part.words("part")
                part.integers([number])
                part.words(place)
            nodal.reals(linear(points, time))
            vector.reals((points + time).T)
            cellwise.reals([10.0 * number + time])
        tail = f"{step:04d}" if transient else "one"
        for part, stem in ((nodal, "p"), (vector, "v"), (cellwise, "c")):
            part.write(folder / f"{stem}.{tail}")
    tail = "****" if transient else "one"
    text = f"FORMAT\ntype: ensight gold\nGEOMETRY\nmodel: {'1 ' * 0}box.geo\nVARIABLE\n"
    text += f"scalar per node: {'1 ' * transient}pressure p.{tail}\nvector per node: {'1 ' * transient}velocity v.{tail}\n"
    text += f"scalar per element: {'1 ' * transient}heat c.{tail}\n"
    if transient:
        text += "TIME\ntime set: 1\nnumber of steps: 2\nfilename start number: 0\nfilename increment: 1\ntime values: 0.0 0.5\n"
    (folder / "box.case").write_text(text)


def check(case, time):
    mesh = case.mesh
    assert len(mesh.cells) == 2 and np.allclose(signed_measures(mesh), 1.0)
    assert {name: index.tolist() for name, index in mesh.zones.items()} == {"left": [0], "right": [1]}
    assert list(mesh.patches) == ["inlet"] and (mesh.points[mesh.patches["inlet"].connectivity][:, 0] == 0).all() and len(mesh.points) == 16
    assert np.allclose(case.field("pressure").values, linear(mesh.points, time)) and np.allclose(case.field("velocity").values, mesh.points + time)
    assert np.allclose(case.field("heat").values, [10 + time, 20 + time]) and case.field("heat").location == "cell"
    assert np.allclose(case.boundary["inlet"]["heat"].values, [30 + time])


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_gold(tmp_path, binary):
    write_gold(tmp_path, binary)
    series = read_series(tmp_path / "box.case")
    assert np.allclose(series.values, TIMES)
    for time, case in zip(TIMES, series.cases, strict=True):
        check(case, time)
    check(read_case(tmp_path / "box.case", time=0.0), 0.0)


def test_a_steady_case_has_no_times(tmp_path):
    write_gold(tmp_path, False, transient=False)
    case = read_case(tmp_path / "box.case")
    check(case, 0.0)
    assert case.time is None


def test_version_six_has_common_points(tmp_path):
    points = np.vstack([CUBE, CUBE[[1, 2, 5, 6]] + [1, 0, 0]])
    right = [2, 9, 10, 3, 6, 11, 12, 7]
    geo = "a\nb\nnode id given\nelement id off\ncoordinates\n" + f"{len(points):8d}\n"
    geo += "".join(f"{k:8d}" + "".join(f"{v:12.5e}" for v in point) + "\n" for k, point in enumerate(points, 1))
    for number, (name, kind, nodes) in enumerate((("left", "hexa8", range(1, 9)), ("right", "hexa8", right), ("inlet", "quad4", (1, 4, 8, 5))), 1):
        geo += f"part {number}\n{name}\n{kind}\n{1:8d}\n" + "".join(f"{v:8d}" for v in nodes) + "\n"
    (tmp_path / "box.geo").write_text(geo)
    values = [f"{v:12.5e}" for v in linear(points, 0.0)]
    (tmp_path / "p.var").write_text("values\n" + "".join("".join(values[k : k + 6]) + "\n" for k in range(0, len(values), 6)))
    (tmp_path / "box.case").write_text("FORMAT\ntype: ensight\nGEOMETRY\nmodel: box.geo\nVARIABLE\nscalar per node: pressure p.var\n")
    case = read_case(tmp_path / "box.case")
    for size in (150, 300, len(geo) - 300, len(geo) - 40):
        (tmp_path / "box.geo").write_text(geo[:size])
        with pytest.raises(UnreadableFileError, match="truncated"):
            read(tmp_path / "box.case")
    assert np.allclose(signed_measures(case.mesh), 1.0) and list(case.mesh.zones) == ["left", "right"] and list(case.mesh.patches) == ["inlet"]
    assert np.allclose(case.field("pressure").values, linear(case.mesh.points, 0.0))


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("name", ["box.geo", "p.one", "v.one", "c.one"])
def test_a_cut_file_is_never_taken_for_whole(tmp_path, name, binary):
    """At the end of a part a variable file is whole by the format: what it does not say is NaN then, never zero."""
    write_gold(tmp_path, binary, transient=False)
    data = (tmp_path / name).read_bytes()
    for size in np.linspace(4, len(data) - 4, 25).astype(int):
        (tmp_path / name).write_bytes(data[:size])
        try:
            case = read_case(tmp_path / "box.case")
        except GeoopError:
            continue
        mesh, number = case.mesh, {"left": 10.0, "right": 20.0}
        assert name != "box.geo" and len(mesh.cells) == 2
        for field, whole in (("pressure", linear(mesh.points, 0.0)), ("velocity", mesh.points), ("heat", np.array(list(number.values())))):
            values = case.field(field).values
            assert np.array_equal(values[~np.isnan(values)], whole[~np.isnan(values)])


def test_polygons_polyhedra_and_undefined_values(tmp_path):
    points = np.vstack([CUBE, [[0.5, 0.5, 2.0]]])
    faces = [[1, 4, 3, 2], [5, 6, 7, 8], [1, 2, 6, 5], [2, 3, 7, 6], [3, 4, 8, 7], [4, 1, 5, 8]]
    geo = Gold(False)
    for line in ("a", "b", "node id given", "element id given"):
        geo.words(line)
    geo.words("extents")
    geo.parts.append(b" 0.0 1.0\n 0.0 1.0\n 0.0 2.0\n")
    geo.words("part")
    geo.integers([3])
    geo.words("cells")
    geo.words("coordinates")
    geo.integers([9])
    geo.integers(np.arange(9) + 100)
    geo.reals(points.T)
    geo.words("nfaced")
    geo.integers([1])
    geo.integers([1])
    geo.integers([6])
    geo.integers([4] * 6)
    geo.integers(np.array(faces), 4)
    geo.words("pyramid5")
    geo.integers([1])
    geo.integers([2])
    geo.integers(np.array([5, 6, 7, 8, 9]), 5)
    geo.write(tmp_path / "box.geo")
    (tmp_path / "p.var").write_text("values\npart\n         3\ncoordinates undef\n-1.0\n" + "".join(f"{v:12.5e}\n" for v in [*range(8), -1.0]))
    text = "FORMAT\ntype: ensight gold\nGEOMETRY\nmodel: box.geo\nVARIABLE\nscalar per node: q p.var\nconstant per case: speed 3.0\n"
    (tmp_path / "box.case").write_text(text)
    case = read_case(tmp_path / "box.case")
    assert sorted(case.mesh.cells.names) == ["polyhedron", "pyramid"] and np.allclose(signed_measures(case.mesh), [1.0, 1 / 3])
    assert case.field("q").values[:8].tolist() == list(range(8)) and np.isnan(case.field("q").values[8])
    assert any("speed" in note for note in case.mesh.notes)


def test_structured_parts(tmp_path):
    x, y, z = np.meshgrid(np.arange(3.0), np.arange(2.0), np.arange(2.0), indexing="ij")
    points = np.stack([axis.ravel(order="F") for axis in (x, y, z)])
    geo = Gold(True)
    for line in ("a", "b", "node id off", "element id off", "part"):
        geo.words(line)
    geo.integers([1])
    geo.words("box")
    geo.words("block")
    geo.integers([3, 2, 2])
    geo.reals(points)
    geo.write(tmp_path / "box.geo")
    (tmp_path / "box.case").write_text("FORMAT\ntype: ensight gold\nGEOMETRY\nmodel: box.geo\n")
    mesh = read(tmp_path / "box.case")
    assert mesh.cells.names == ["hexahedron"] and np.allclose(signed_measures(mesh), 1.0) and len(mesh.cells) == 2


def test_a_missing_file_is_named(tmp_path):
    write_gold(tmp_path, False)
    (tmp_path / "v.0001").unlink()
    (tmp_path / "v.0000").unlink()
    (tmp_path / "box.geo").unlink()
    with pytest.raises(UnreadableFileError, match=r"box\.geo, v\.\*\*\*\*"):
        read(tmp_path / "box.case")
    (tmp_path / "other.case").write_text("nothing\n")
    with pytest.raises(UnreadableFileError, match="no EnSight case"):
        read(tmp_path / "other.case")


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_damage_is_an_error_and_ends_no_process(tmp_path, binary):
    write_gold(tmp_path, binary, transient=False)
    data = (tmp_path / "box.geo").read_bytes()
    for size in np.linspace(0.1 * len(data), 0.9 * len(data), 5).astype(int):
        (tmp_path / "box.geo").write_bytes(data[:size])
        with pytest.raises(GeoopError):
            read(tmp_path / "box.case")
    rng = np.random.default_rng(2)
    for _ in range(5):
        flipped = bytearray(data)
        for at in rng.integers(320, len(data), size=8):
            flipped[at] ^= 1 << rng.integers(8)
        (tmp_path / "box.geo").write_bytes(bytes(flipped))
        with contextlib.suppress(GeoopError):
            assert len(read(tmp_path / "box.case").cells) > 0


def test_a_real_cylinder(shared_data):
    case = read_case(shared_data / "fields" / "ensight_cylinder" / "cylinder_Re35.case")
    assert len(case.mesh.points) == 14831 and len(case.mesh.cells) == 14594 and case.mesh.dimension == 2
    sizes = {"inlet": 75, "outlet": 75, "outlet_top": 150, "outlet_bottom": 150, "wall_cylinder": 63}
    assert {name: len(part) for name, part in case.mesh.patches.items()} == sizes
    assert case.field("velocity").values.shape == (14831, 2) and np.abs(case.boundary["wall_cylinder"]["velocity"].values).max() < 1e-6
