"""CGNS: both containers, every way to say a mesh and its boundary, and nothing but errors of ours from damaged files."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest

from geoop.errors import ConfigurationError, GeoopError, UnitError, UnreadableFileError, UnsupportedFormatError
from geoop.io.formats.cgns import sections as cgns_sections
from geoop.io.reading import read, read_case, read_series
from geoop.mesh.cells import Cells
from geoop.mesh.measure import area_vectors, cell_measures, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.topology import sides, welded
from tests.io.formats.cgns import cgns_files as c
from tests.mesh.cell_zoo import UNIT_CELLS

CONTAINERS = {
    "hdf5": c.write_hdf5,
    "adf": c.write_adf,
    "adf big-endian": lambda path, root: c.write_adf(path, root, order=">"),
    "adf chunks": lambda path, root: c.write_adf(path, root, chunks=3),
}


@pytest.fixture(params=CONTAINERS, name="write")
def write_of(request, tmp_path):
    return lambda root, name="case.cgns": CONTAINERS[request.param](tmp_path / name, root)


def lattice(ni: int, nj: int, nk: int, start: float = 0.0) -> np.ndarray:
    return np.stack(np.meshgrid(start + np.arange(ni), 2.0 * np.arange(nj), 3.0 * np.arange(nk), indexing="ij"), axis=-1)


def solution(name: str, place: str, values: dict[str, np.ndarray], *children) -> tuple:
    arrays = (c.tree(key, "DataArray_t", np.asarray(value, float)) for key, value in values.items())
    return c.tree(name, "FlowSolution_t", None, c.tree("GridLocation", "GridLocation_t", c.text(place)), *arrays, *children)


def span(*rows) -> tuple:
    return c.tree("PointRange", "IndexRange_t", np.array(rows, dtype=np.int32))


def two_zones() -> tuple:
    """Two blocks side by side, with all six sides of the first named; values of both kinds, some with ghost layers."""
    a, b = lattice(3, 4, 2), lattice(2, 4, 2, start=2.0)
    ends = {"i": ((1, 1), (1, 4), (1, 2)), "j": ((1, 3), (1, 1), (1, 2)), "k": ((1, 3), (1, 4), (1, 1))}
    others = {"I": ((3, 3), (1, 4), (1, 2)), "J": ((1, 3), (4, 4), (1, 2)), "K": ((1, 3), (1, 4), (2, 2))}
    named = [c.condition(f"side  {key}", "BCWall", span(*rows)) for key, rows in {**ends, **others}.items()]
    center = lambda x: (x[:-1, :-1, :-1] + x[1:, 1:, 1:]) / 2  # noqa: E731
    ghosts = np.pad(center(a)[..., 0], ((1, 1), (0, 2), (0, 0)), constant_values=-99)
    rind = c.tree("Rind", "Rind_t", c.numbers(1, 1, 0, 2, 0, 0))
    vertex = {"VelocityX": a[..., 0], "VelocityY": a[..., 1], "VelocityZ": a[..., 2], "Mach": a.sum(axis=-1)}
    first = c.structured("left", a, c.boundary(*named), solution("v", "Vertex", vertex), solution("cc", "CellCenter", {"Temperature": ghosts}, rind))
    second = c.structured("right", b, solution("cc", "CellCenter", {"Temperature": center(b)[..., 0]}))
    return c.base(first, second)


def test_structured_zones_with_patches_and_both_kinds_of_values(write):
    case = read_case(write(two_zones()))
    mesh = case.mesh
    assert cell_measures(mesh) == pytest.approx(np.full(6 + 3, 6.0)) and (signed_measures(mesh) > 0).all()
    assert {name: len(index) for name, index in mesh.zones.items()} == {"left": 6, "right": 3}
    assert {name: len(part) for name, part in mesh.patches.items()} == {f"side {k}": n for k, n in zip("ijkIJK", (3, 2, 6, 3, 2, 6), strict=True)}
    outward = {name: area_vectors(mesh.patch(name)).sum(axis=0) for name in mesh.patches}
    for axis, area in enumerate((6 * 3.0, 2 * 3.0, 2 * 6.0)):
        for name, sign in ((f"side {'ijk'[axis]}", -1), (f"side {'IJK'[axis]}", 1)):
            assert outward[name] == pytest.approx(sign * area * np.eye(3)[axis])
    centers = np.array([mesh.points[list(cell)].mean(axis=0) for cell in mesh.cells])
    assert case.field("temperature").location == "cell"
    assert case.field("temperature").values == pytest.approx(centers[:, 0])
    velocity = case.field("velocity").values
    assert velocity[:24] == pytest.approx(mesh.points[:24]) and np.isnan(velocity[24:]).all()
    assert any("Velocity" in note and "NaN" in note for note in mesh.notes) and "boundary types: side i Wall" in " ".join(mesh.notes)
    assert set(case.wall) == set(mesh.patches)


def unit_cube_cells() -> tuple[np.ndarray, Cells]:
    """Eight cubes as four hexahedra, and the rest as wedges and pyramids and tetrahedra, in plain numbering."""
    points = lattice(3, 3, 3).reshape(-1, 3, order="F").copy()
    number = np.arange(27).reshape(3, 3, 3, order="F")
    hexa = [
        [number[i + a, j + b, k + d] for d in (0, 1) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
        for i, j, k in itertools.product(range(2), range(2), range(2))
    ]
    wedges = [[h[a], h[b], h[d], h[a + 4], h[b + 4], h[d + 4]] for h in hexa[4:6] for a, b, d in ((0, 1, 2), (0, 2, 3))]
    h = hexa[6]
    tetra = [[h[a], h[b], h[d], h[e]] for a, b, d, e in ((0, 1, 3, 4), (1, 2, 3, 6), (1, 3, 4, 6), (1, 4, 5, 6), (3, 4, 6, 7))]
    return points, Cells.of(hexahedron=np.array([*hexa[:4], hexa[7]]), wedge=np.array(wedges), tetra=np.array(tetra))


CODES = {"tetra": 10, "pyramid": 12, "wedge": 14, "hexahedron": 17, "triangle": 5, "quad": 7}


def mixed(cells: Cells) -> tuple[list[int], list[int]]:
    """Connectivity of a MIXED section, and its offsets."""
    flat, offsets = [], [0]
    for i in range(len(cells)):
        cell = cells.take(np.array([i]))
        flat += [CODES[cell.names[0]], *(cell.connectivity + 1).tolist()]
        offsets.append(len(flat))
    return flat, offsets


@pytest.mark.parametrize("offsets", [True, False], ids=["offsets", "inline"])
def test_mixed_elements(write, offsets):
    points, cells = unit_cube_cells()
    order = np.random.default_rng(0).permutation(len(cells))
    flat, table = mixed(cells.take(order))
    wall = c.condition("wall", "BCWall", c.tree("ElementRange", "IndexRange_t", c.numbers(20, 21)))
    quads = np.array([[1, 2, 5, 4], [2, 3, 6, 5]])
    root = c.base(
        c.unstructured("z", points, len(cells), c.section("cells", 20, 1, len(cells), flat, table if offsets else None),
                       c.section("quads", 7, 20, 21, quads.ravel()), c.boundary(wall))
    )  # fmt: skip
    mesh = read(write(root))
    assert {name: len(mesh.cells.where(name)) for name in mesh.cells.names} == {"tetra": 5, "hexahedron": 5, "wedge": 4}
    assert cell_measures(mesh) == pytest.approx(cell_measures(Mesh(points, cells))[order])
    assert np.array_equal(mesh.patches["wall"].block("quad"), quads - 1)


@pytest.mark.parametrize(
    "pointing",
    [
        lambda: [c.tree("PointList", "IndexArray_t", c.numbers(2, 3)[None]), c.tree("GridLocation", "GridLocation_t", c.text("FaceCenter"))],
        lambda: [c.tree("PointRange", "IndexRange_t", c.numbers(2, 3)[None]), c.tree("GridLocation", "GridLocation_t", c.text("FaceCenter"))],
        lambda: [c.tree("ElementList", "IndexArray_t", c.numbers(2, 3)[None])],
        lambda: [c.tree("PointList", "IndexArray_t", c.numbers(1, 2, 3, 5)[None])],
    ],
    ids=["face list", "face range", "element list", "vertices"],
)
def test_ways_to_say_a_boundary(write, pointing):
    """A pyramid of two tetrahedra; the wall is made of the second and third element, by number or by its points."""
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1.0]])
    triangles = [1, 4, 3, 1, 3, 2, 1, 2, 5]
    family = c.tree("Body", "Family_t", None, c.tree("FamBC", "FamilyBC_t", c.text("BCWallViscous")))
    name = c.tree("FamilyName", "FamilyName_t", c.text("Body"))
    zone = c.unstructured(
        "z", points, 2, c.section("faces", 5, 1, 3, triangles), c.section("vol", 10, 4, 5, [1, 2, 3, 5, 1, 3, 4, 5]),
        c.boundary(c.condition("bc1", "FamilySpecified", name, *pointing())),
    )  # fmt: skip
    mesh = read(write(c.base(zone, extra=(family,))))
    assert {frozenset(row) for row in mesh.patches["Body"].block("triangle").tolist()} == {frozenset((0, 1, 2)), frozenset((0, 1, 4))}
    assert "boundary types: Body WallViscous" in mesh.notes


def test_facets_called_cells_and_what_no_condition_names(write):
    """gmsh says CellCenter for facets, names volumes in conditions, too, and hides the name in the family of the family."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    center = c.tree("GridLocation", "GridLocation_t", c.text("CellCenter"))
    family = c.tree("S_1", "Family_t", None, c.tree("FamilyName", "FamilyName_t", c.text("inlet side")))
    points_to = c.tree("FamilyName", "FamilyName_t", c.text("S_1"))
    zone = c.unstructured(
        "z", points, 1, c.section("tri", 5, 1, 2, [1, 3, 2, 1, 2, 4]), c.section("vol", 10, 3, 3, [1, 2, 3, 4]),
        c.boundary(
            c.condition("S_1", "FamilySpecified", points_to, center, c.tree("PointList", "IndexArray_t", c.numbers(2)[None])),
            c.condition("V_1", "Null", center, c.tree("PointList", "IndexArray_t", c.numbers(3)[None])),
        ),
    )  # fmt: skip
    mesh = read(write(c.base(zone, extra=(family,))))
    assert {name: part.block("triangle").tolist() for name, part in mesh.patches.items()} == {"inlet side": [[0, 1, 3]]}
    assert "1 facets of zone 'z' belong to no boundary condition: left out" in mesh.notes
    assert any("'V_1' of zone 'z' names 1 cells" in note for note in mesh.notes)


def test_a_single_time_and_units_that_are_not_si(write):
    times = c.tree("Times", "BaseIterativeData_t", c.numbers(1), c.tree("TimeValues", "DataArray_t", np.array([3.5])))
    celsius = c.tree("DimensionalUnits", "DimensionalUnits_t", c.texts(["Kilogram", "Meter", "Second", "Celsius", "Degree"]))
    zone = c.structured("z", lattice(2, 2, 2), solution("s", "Vertex", {"Temperature": np.ones((2, 2, 2))}, celsius))
    case = read_case(write(c.base(zone, extra=(times,))))
    assert case.time == 3.5 and case.field("temperature").quantity.unit == "?"
    assert "the file states units that are not SI (Celsius): values are kept as they are" in case.mesh.notes


def test_sections_of_facets_are_patches_where_there_are_no_conditions(write):
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    zone = c.unstructured("z", points, 1, c.section("inlet", 5, 1, 1, [1, 3, 2]), c.section("vol", 10, 2, 2, [1, 2, 3, 4]))
    assert {name: len(part) for name, part in read(write(c.base(zone))).patches.items()} == {"inlet": 1}


POLYHEDRAL = ["nface", "nface inline", "parents"]


@pytest.mark.parametrize("how", POLYHEDRAL)
def test_polyhedra(write, how):
    """Two cubes that share a face: by signed faces of cells, with and without tables of offsets, or by the parents of faces."""
    points = lattice(3, 2, 2).reshape(-1, 3, order="F")
    left, right = ([a + s for a in (0, 1, 4, 3, 6, 7, 10, 9)] for s in (0, 1))
    faces = [[left[k] for k in f] for f in ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))]
    faces += [[right[k] for k in f] for f in ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6))]
    of_cells = [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, -4]]
    flat = [k + 1 for face in faces for k in face]
    parents = np.array([[1, 2] if n == 3 else [1 if n < 6 else 2, 0] for n in range(11)], dtype=np.int32)
    if how == "nface inline":
        ngon = c.section("NG", 22, 1, 11, [n for face in faces for n in (4, *(k + 1 for k in face))])
        nface = [c.section("NF", 23, 12, 13, [n for cell in of_cells for n in (6, *cell)])]
    elif how == "nface":
        ngon = c.section("NG", 22, 1, 11, flat, np.arange(12) * 4)
        nface = [c.section("NF", 23, 12, 13, np.concatenate(of_cells), [0, 6, 12])]
    else:
        ngon = c.section("NG", 22, 1, 11, flat, np.arange(12) * 4, c.tree("ParentElements", "DataArray_t", parents))
        nface = []
    wall = c.condition(
        "wall", "BCWall", c.tree("PointList", "IndexArray_t", c.numbers(6)[None]), c.tree("GridLocation", "GridLocation_t", c.text("FaceCenter"))
    )
    mesh = read(write(c.base(c.unstructured("z", points, 2, ngon, *nface, c.boundary(wall)))))
    assert mesh.cells.names == ["polyhedron"] and signed_measures(mesh) == pytest.approx([6.0, 6.0])
    assert np.bincount(sides(mesh, welded(mesh.points)).counts).tolist() == [0, 10, 1]
    assert set(mesh.patches) == {"wall"} and area_vectors(mesh.patch("wall")).sum(axis=0) == pytest.approx([-6, 0, 0])


# Edges (and faces) in whose middle the nodes beyond the corners lie, as the standard lists them (from 1).
SIDS = {
    "hexahedron20": (18, [(1, 2), (2, 3), (3, 4), (4, 1), (1, 5), (2, 6), (3, 7), (4, 8), (5, 6), (6, 7), (7, 8), (8, 5)]),
    "wedge15": (15, [(1, 2), (2, 3), (3, 1), (1, 4), (2, 5), (3, 6), (4, 5), (5, 6), (6, 4)]),
    "pyramid13": (21, [(1, 2), (2, 3), (3, 4), (4, 1), (1, 5), (2, 5), (3, 5), (4, 5)]),
    "tetra10": (11, [(1, 2), (2, 3), (3, 1), (1, 4), (2, 4), (3, 4)]),
}
SIDS["hexahedron27"] = (
    19, [*SIDS["hexahedron20"][1], (1, 2, 3, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 4, 8, 7), (1, 5, 8, 4), (5, 6, 7, 8), (1, 2, 3, 4, 5, 6, 7, 8)],
)  # fmt: skip
SIDS["wedge18"] = (16, [*SIDS["wedge15"][1], (1, 2, 5, 4), (2, 3, 6, 5), (3, 1, 4, 6)])
CORNERS = {"hexahedron20": 8, "hexahedron27": 8, "wedge15": 6, "wedge18": 6, "pyramid13": 5, "tetra10": 4}


@pytest.mark.parametrize("name", SIDS)
def test_nodes_of_quadratic_elements_are_put_in_the_order_of_vtk(tmp_path, name):
    code, middles = SIDS[name]
    nodes, measure = UNIT_CELLS[name]
    corners = nodes[: CORNERS[name]]
    points = np.concatenate([corners, [corners[np.array(m) - 1].mean(axis=0) for m in middles]])
    mesh = read(c.write_hdf5(tmp_path / "q.cgns", c.base(c.unstructured("z", points, 1, c.section("s", code, 1, 1, np.arange(len(points)) + 1)))))
    assert mesh.cells.names == [name] and signed_measures(mesh)[0] == pytest.approx(measure)
    assert mesh.points[mesh.cells.connectivity] == pytest.approx(nodes)


def test_cubic_elements_keep_their_corners_and_say_so(tmp_path):
    points = np.concatenate([UNIT_CELLS["tetra"][0], np.random.default_rng(0).random((16, 3)) / 4])
    mesh = read(c.write_hdf5(tmp_path / "q.cgns", c.base(c.unstructured("z", points, 1, c.section("s", 30, 1, 1, np.arange(20) + 1)))))
    assert mesh.cells.names == ["tetra"] and any("1 elements of higher order keep their corners" in note for note in mesh.notes)


def test_every_listed_element_type_has_a_size():
    assert all(len(nodes) <= cgns_sections._SIZES[code] for code, (_, nodes) in cgns_sections._NODES.items())


def test_units_and_non_dimensional_values(write):
    units = c.tree("DimensionalUnits", "DimensionalUnits_t", c.texts(["Kilogram", "Millimeter", "Second", "Kelvin", "Degree"]))
    kind = c.tree("DataClass", "DataClass_t", c.text("NormalizedByUnknownDimensional"))
    zone = c.structured("z", lattice(2, 2, 2), solution("s", "Vertex", {"Density": np.ones((2, 2, 2))}))
    path = write(c.base(zone, extra=(units, kind)))
    case = read_case(path)
    assert np.ptp(case.mesh.points, axis=0) == pytest.approx([1e-3, 2e-3, 3e-3])
    with pytest.raises(UnitError, match="states its length unit"):
        read_case(path, unit="mm")
    silent = read_case(write(c.base(zone, extra=(kind,))), unit="cm").mesh  # the file states none: what the user says holds
    assert np.ptp(silent.points, axis=0) == pytest.approx([1e-2, 2e-2, 3e-2])
    assert case.field("density").quantity.unit == "1" and "lengths are read in millimeter and stored in m" in case.mesh.notes


def steps() -> tuple:
    pointers = c.tree("FlowSolutionPointers", "DataArray_t", c.texts(["sol0", "sol1", "sol2"]))
    zone = c.structured(
        "z", lattice(2, 2, 2), *(solution(f"sol{n}", "Vertex", {"Mach": np.full((2, 2, 2), n / 10)}) for n in range(3)),
        c.tree("Pointers", "ZoneIterativeData_t", None, pointers),
    )  # fmt: skip
    return c.base(zone, extra=(c.tree("Times", "BaseIterativeData_t", c.numbers(3), c.tree("TimeValues", "DataArray_t", np.array([0.0, 0.5, 2.0]))),))


def test_steps(write):
    path = write(steps())
    series = read_series(path)
    assert series.values.tolist() == [0.0, 0.5, 2.0]
    assert [case.field("mach_number").values.max() for case in series.cases] == pytest.approx([0.0, 0.1, 0.2])
    assert read_case(path).time == 2.0 and read_case(path, time=0.5).field("mach_number").values.max() == pytest.approx(0.1)
    with pytest.raises(ConfigurationError, match="no step at 1 s"):
        read_case(path, time=1.0)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (c.base(), "no zone"),
        (c.base(c.tree("z", "Zone_t", np.array([[8, 1, 0]], np.int32), c.tree("ZoneType", "ZoneType_t", c.text("Unstructured")))), "no coordinates"),
        (c.base(c.unstructured("z", np.eye(3), 1, c.section("s", 5, 1, 1, [1, 2, 9]))), "vertices 1..9 of 3"),
        (c.base(c.unstructured("z", np.eye(3), 1, c.section("s", 5, 1, 2, [1, 2, 3]))), "announces 2 elements"),
        (c.base(c.unstructured("z", np.eye(3), 1, c.section("s", 20, 1, 1, [99, 2, 3]))), "no known type"),
        (c.base(c.unstructured("z", np.eye(3), 1, c.section("s", 22, 1, 1, [1, 2, 3], [0, 7]))), "do not fit"),
        (c.base(c.structured("z", lattice(2, 2, 2), solution("s", "Vertex", {"Mach": np.ones(7)}))), "7 values, expected 8"),
    ],
    ids=["no zone", "no grid", "index", "count", "mixed", "offsets", "solution"],
)
def test_what_does_not_fit_is_refused(write, root, message):
    with pytest.raises(UnreadableFileError, match=message):
        read(write(root))


def test_unknown_elements_are_refused(write):
    with pytest.raises(UnsupportedFormatError, match="type number 77"):
        read(write(c.base(c.unstructured("z", np.eye(3), 1, c.section("s", 77, 1, 1, [1, 2, 3])))))


@pytest.mark.parametrize("writer", [c.write_adf, c.write_hdf5])
@pytest.mark.parametrize("make", [two_zones, steps], ids=["zones", "steps"])
def test_damaged_files(tmp_path, writer, make):
    """Truncated anywhere, bytes changed anywhere: a sound mesh or an error of ours, never a crash."""
    data = writer(tmp_path / "case.cgns", make()).read_bytes()
    rng = np.random.default_rng(1)
    spoilt = [data[: len(data) * k // 12] for k in range(1, 12)]
    for _ in range(60):
        other = bytearray(data)
        for at in rng.integers(len(data), size=3):
            other[at] = int(rng.integers(256))
        spoilt.append(bytes(other))
    for k, content in enumerate(spoilt):
        path = tmp_path / f"bad{k}.cgns"
        path.write_bytes(content)
        with contextlib.suppress(GeoopError):
            assert len(read(path).points)


def test_a_real_file(shared_data):
    """A three-element section with its wall in three zones: closed, as the area vectors show."""
    case = read_case(shared_data / "fields" / "multi.cgns")
    mesh = case.mesh
    assert (len(mesh.points), len(mesh.cells), len(mesh.zones)) == (58576, 28168, 4)
    counts = {"Ilo_Seg 1": 28168, "Ihi_Seg 1": 28168, "Jlo_Seg 1": 112, "Jhi_Seg 1": 112, "Klo_Seg 2": 340, "Khi_Seg 1": 320}
    assert {name: len(part) for name, part in mesh.patches.items()} == counts
    assert case.wall == ("Klo_Seg 2",)
    wall = area_vectors(mesh.patch("Klo_Seg 2"))
    assert np.linalg.norm(wall.sum(axis=0)) < 1e-12 * np.linalg.norm(wall, axis=1).sum() * 1e3
    assert (signed_measures(mesh) > 0).all() and case.field("density").quantity.unit == "1" and len(case.fields) == 6
