"""Damaged files of every format that geoop parses itself: an error of geoop, or a sound mesh; no hang, and memory bounded by the size of the file."""

from __future__ import annotations

import io
import math
import tracemalloc
import zipfile

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoop.errors import GeoopError
from geoop.io.reading import read_case
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity

EXAMPLES = 120
#: Peak of what a reader may allocate: a constant, and this many bytes per byte of the file.
CONSTANT, PER_BYTE = 4_000_000, 500
#: Pieces that are put into files: counts that are too large, signs, words, line ends, comments.
SPLINTERS = [
    b"9999999999999", b"-1", b"0", b" nan ", b"1e400", b"\n", b" ", b"\r", b"\xff\xff\xff\x7f", b"\xff" * 8, b"\x00" * 8, b"inf", b"%", b"#", b",",
    b"\x00\x00\xf8\x7f", b"NZONE= 2\nIZONE= 1\n", b"IZONE= 2\n", b"$EndNodes\n", b"property list uchar int a\n", b"solid x\n", b"1000000000000 ",
]  # fmt: skip


def volume() -> Case:
    points = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1), (0.5, 0.5, 2)], dtype=float)
    cells = Cells.concatenate([Cells.of(hexahedron=[range(8)]), Cells.of(pyramid=[[4, 5, 6, 7, 8]])])
    patches = {"floor": Cells.of(quad=[[0, 3, 2, 1]]), "roof": Cells.of(triangle=[[4, 5, 8], [5, 6, 8]])}
    fields = [Field(QUANTITIES["velocity"], points), Field(Quantity("age", "a", "s"), np.array([1.0, 2.0]), "cell")]
    return Case(Mesh(points, cells, patches, {"porous": np.array([0])}), fields={item.name: item for item in fields}, time=0.5)


def surface() -> Case:
    mesh = box()
    return Case(mesh, fields={"pressure": Field(QUANTITIES["pressure"], mesh.points[:, 0]), "velocity": Field(QUANTITIES["velocity"], mesh.points)})


def zipped(name: str, data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"run/{name}", data)
    return held.getvalue()


def restart(names: list[str], rows: np.ndarray, tail: bytes = b"") -> bytes:
    head = np.array([535532, len(names), len(rows), 1 if tail else 0, 2 if tail else 0], "<i4").tobytes()
    return head + b"".join(name.encode().ljust(33, b"\0") for name in names) + rows.astype("<f8").tobytes() + tail


TWO_TWO = (
    b'$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n2\n2 1 "a"\n1 2 "b"\n$EndPhysicalNames\n$Nodes\n4\n1 0 0 0\n2 1 0 0\n3 1 1 0\n4 0 1 0\n$EndNodes\n'
    b"$Elements\n4\n1 2 2 1 5 1 2 3\n2 2 4 1 5 1 2 1 3 4\n3 1 2 2 7 1 2\n4 15 2 0 1 1\n$EndElements\n"
    b'$NodeData\n1\n"p [Pa]"\n1\n0.5\n3\n1\n1\n2\n1 3\n2 4\n$EndNodeData\n'
    b'$ElementNodeData\n1\n"q"\n1\n0.5\n3\n1\n1\n2\n1 3 1 2 3\n2 3 3 4 5\n$EndElementNodeData\n'
)
TWO_TWO_BINARY = (
    b"$MeshFormat\n2.2 1 8\n\x01\x00\x00\x00\n$EndMeshFormat\n$Nodes\n3\n"
    + b"".join(np.array([i], "<i4").tobytes() + np.array(x, "<f8").tobytes() for i, x in ((1, (0, 0, 0)), (2, (1, 0, 0)), (3, (0, 1, 1))))
    + b"\n$EndNodes\n$Elements\n1\n"
    + np.array([2, 1, 2, 1, 1, 1, 1, 2, 3], "<i4").tobytes()
    + b"\n$EndElements\n"
)
PLANE = (
    "NDIME= 2\nNELEM= 2\n9 0 1 4 3 0\n105 1 6 2 7 8 5 1\nNPOIN= 9\n0 0 0\n1 0 1\n2 0 2\n0 1 3\n1 1 4\n2 1 5\n1.5 0 6\n1.5 0.5 7\n2 .5 8\n"
    "NMARK= 2\nMARKER_TAG= wall\nMARKER_ELEMS= 2\n3 0 1\n103 1 6 2\nMARKER_TAG= SEND_RECEIVE\nMARKER_ELEMS= 1\n1 0 0\n"
)
SOLUTION = '"PointID","x","y","Density","Momentum_x","Momentum_y","C<sub>p</sub>"\n' + "".join(
    f"{i}, {i}.5, {i * i}, 1.2, {i}, 3, 0.1,\n" for i in range(4)
)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> dict[str, list[tuple[str, bytes]]]:
    """Valid files by the format that they test, each with its suffix."""
    folder = tmp_path_factory.mktemp("seeds")

    def written(case: Case, suffix: str, **options) -> bytes:
        return write(case, folder / f"seed{suffix}", **options).path.read_bytes()

    cube = trimesh.creation.box()
    ring = naca4("0012", 20).points
    fields = np.column_stack([np.random.default_rng(0).random((4, 2)), np.ones((4, 3))])
    np.save(folder / "cloud.npy", ring)
    plane, su2 = PLANE.encode(), written(volume(), ".su2")
    return {
        "su2": [(".su2", plane), (".su2", su2), (".su2", b"NZONE= 2\nIZONE= 1\n" + plane + b"IZONE= 2\n" + plane)],
        "msh 2.2": [(".msh", TWO_TWO), (".msh", TWO_TWO_BINARY)],
        "msh 4.1": [(".msh", written(volume(), ".msh")), (".msh", written(volume(), ".msh", text=True))],
        "stl": [(".stl", written(surface(), ".stl")), (".stl", written(surface(), ".stl", text=True))],
        "obj": [(".obj", written(surface(), ".obj")), (".obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\ng a\nf 1/1/1 2//2 -1\nl 1 2 3\n")],
        "ply": [(".ply", written(surface(), ".ply")), (".ply", written(surface(), ".ply", text=True)), (".ply", cube.export(file_type="ply"))],
        "off": [(".off", cube.export(file_type="off").encode())],
        "aerofoil": [(".dat", b"NACA\n" + "\n".join(f"{x:.5f} {y:.5f}" for x, y in ring).encode()), (".dat", b"A\n4 4\n\n0 0\n.2 .08\n.5 .1\n1 0\n\n0 0\n.2 -.08\n.5 -.1\n1 0\n")],
        "clouds": [(".csv", written(surface(), ".csv")), (".xyz", b"0 0 0\n1 2 3\n4 5 6\n"), (".npy", (folder / "cloud.npy").read_bytes())],
        "su2 solution": [
            (".dat", restart(["x", "y", "Density", "Momentum_x", "Momentum_y"], fields)),
            (".dat", restart(["x", "y", "Pressure", "Velocity_x", "Velocity_y"], fields, np.zeros(5, "<i4").tobytes())),
            (".csv", SOLUTION.encode()),
        ],
        "zip": [(".zip", zipped("a.su2", plane)), (".zip", zipped("a.msh", TWO_TWO))],
    }  # fmt: skip


FORMATS = ["su2", "msh 2.2", "msh 4.1", "stl", "obj", "ply", "off", "aerofoil", "clouds", "su2 solution", "zip"]
PLACE = st.floats(0, 1, exclude_max=True, allow_nan=False)
CHANGE = st.one_of(
    st.tuples(st.just("byte"), PLACE, st.integers(0, 255)),
    st.tuples(st.just("flip"), PLACE, st.integers(0, 7)),
    st.tuples(st.just("cut"), PLACE, st.integers(1, 40)),
    st.tuples(st.just("end"), PLACE, st.none()),
    st.tuples(st.just("again"), PLACE, st.integers(1, 60)),
    st.tuples(st.just("splinter"), PLACE, st.sampled_from(SPLINTERS)),
    st.tuples(st.just("number"), PLACE, st.sampled_from(SPLINTERS)),
)


def changed(data: bytes, changes: list) -> bytes:
    """The file with the changes made one after the other."""
    for kind, place, what in changes:
        at = int(place * len(data))
        if kind == "byte":
            data = data[:at] + bytes([what]) + data[at + 1 :]
        elif kind == "flip":
            data = data[:at] + bytes([data[at] ^ 1 << what]) + data[at + 1 :] if data else data
        elif kind == "cut":
            data = data[:at] + data[at + what :]
        elif kind == "end":
            data = data[:at]
        elif kind == "again":
            data = data[:at] + data[at : at + what] * 2 + data[at + what :]
        elif kind == "splinter":
            data = data[:at] + what + data[at:]
        else:  # the next number of a text becomes another one
            start = next((i for i in range(at, len(data)) if data[i : i + 1].isdigit()), len(data))
            stop = next((i for i in range(start, len(data)) if not data[i : i + 1].isdigit()), len(data))
            data = data[:start] + what + data[stop:]
    return data


def check_sound(case: Case, size: int) -> None:
    """Counts agree, indices are in range, nothing is made of more points than the file has bytes."""
    mesh = case.mesh
    assert np.isfinite(mesh.points).all() and 0 < len(mesh.points) <= size and len(mesh.cells) <= size
    for cells in (mesh.cells, *mesh.patches.values()):
        assert not len(cells) or 0 <= cells.connectivity.min() <= cells.connectivity.max() < len(mesh.points)
    for item in case.fields.values():
        assert len(item.values) == {"point": len(mesh.points), "cell": len(mesh.cells)}[item.location]
    for index in mesh.zones.values():
        assert not len(index) or 0 <= index.min() <= index.max() < len(mesh.cells)


def attempt(path, data: bytes, *, held: int | None = None) -> bool:
    """Read it with an eye on the memory; whether it is a mesh."""
    path.write_bytes(data)
    tracemalloc.start()
    try:
        case = read_case(path, unit="m" if path.suffix in (".stl", ".obj", ".ply", ".off", ".csv", ".xyz", ".npy") else None)
    except GeoopError as error:
        if not error.remedy or str(path) not in str(error):
            pytest.fail(f"an error without remedy or without the file: {error!r}")
        return False
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        size = held or len(data)
        assert peak < CONSTANT + PER_BYTE * size, f"{peak} bytes for a file of {size}"
    check_sound(case, size)
    return True


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(tmp_path, seeds, name):
    for suffix, data in seeds[name]:  # the seeds are good; what is imported on first use does not count below
        case = read_case(
            _saved(tmp_path, suffix, data),
            unit="m" if suffix in (".stl", ".obj", ".ply", ".off", ".csv", ".xyz", ".npy") and name != "su2 solution" else None,
        )
        check_sound(case, 1 << 20)

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(seeds[name]) - 1), st.lists(CHANGE, min_size=1, max_size=4))
    def run(which, changes):
        suffix, data = seeds[name][which]
        attempt(tmp_path / f"mutant{suffix}", changed(data, changes) or b"x", held=1 << 16 if suffix == ".zip" else None)

    run()


def _saved(folder, suffix: str, data: bytes):
    (folder / f"seed{suffix}").write_bytes(data)
    return folder / f"seed{suffix}"


HUGE = 10**12
LARGE = 2**31 - 1
HEAD_41 = b"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n"
HEAD_41_BINARY = b"$MeshFormat\n4.1 1 8\n\x01\x00\x00\x00\n$EndMeshFormat\n"
#: Files that announce more than they hold: suffix and content.
BOASTERS = {
    "su2 points": (".su2", PLANE.replace("NPOIN= 9", f"NPOIN= {HUGE}").encode()),
    "su2 elements": (".su2", PLANE.replace("NELEM= 2", f"NELEM= {HUGE}").encode()),
    "su2 markers": (".su2", PLANE.replace("NMARK= 2", f"NMARK= {HUGE}").encode()),
    "su2 zones": (".su2", f"NZONE= {HUGE}\n{PLANE}".encode()),
    "su2 degree": (".su2", PLANE.replace("9 0 1 4 3 0", "9912 0 1 4 3 0").encode()),
    "su2 digits": (".su2", PLANE.replace("NPOIN= 9", f"NPOIN= {'9' * 5000}").encode()),
    "msh 2.2 nodes": (".msh", TWO_TWO.replace(b"$Nodes\n4", b"$Nodes\n%d" % HUGE)),
    "msh 2.2 elements": (".msh", TWO_TWO.replace(b"$Elements\n4", b"$Elements\n%d" % HUGE)),
    "msh 2.2 tags": (".msh", TWO_TWO.replace(b"1 2 2 1 5 1 2 3", b"1 2 %d 1 5 1 2 3" % HUGE)),
    "msh 2.2 data": (".msh", TWO_TWO.replace(b"1\n1\n2\n1 3\n", b"1\n1\n%d\n1 3\n" % HUGE)),
    "msh 2.2 components": (".msh", TWO_TWO.replace(b"1\n1\n2\n1 3\n", b"1\n%d\n2\n1 3\n" % HUGE)),
    "msh 2.2 parametric": (".msh", b"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$ParametricNodes\n%d\n1 0 0 0 2 1 0 0\n$EndParametricNodes\n" % HUGE),
    "msh 2.2 binary nodes": (".msh", TWO_TWO_BINARY.replace(b"$Nodes\n3", b"$Nodes\n%d" % HUGE)),
    "msh 2.2 binary block": (".msh", TWO_TWO_BINARY.replace(np.array([2, 1, 2], "<i4").tobytes(), np.array([2, LARGE, 2], "<i4").tobytes())),
    "msh 4.1 blocks": (".msh", HEAD_41 + b"$Nodes\n%d 3 1 3\n$EndNodes\n" % HUGE),
    "msh 4.1 nodes": (".msh", HEAD_41 + b"$Nodes\n1 3 1 3\n2 1 0 %d\n1\n2\n$EndNodes\n" % HUGE),
    "msh 4.1 elements": (".msh", HEAD_41 + b"$Elements\n1 1 1 1\n2 1 2 %d\n1 1 2 3\n$EndElements\n" % HUGE),
    "msh 4.1 entities": (".msh", HEAD_41 + b"$Entities\n%d 0 0 0\n$EndEntities\n" % HUGE),
    "msh 4.1 groups": (".msh", HEAD_41 + b"$Entities\n1 0 0 0\n1 0 0 0 %d\n$EndEntities\n" % HUGE),
    "msh 4.1 partitions": (".msh", HEAD_41 + b"$PartitionedEntities\n%d\n%d\n$EndPartitionedEntities\n" % (HUGE, HUGE)),
    "msh 4.1 binary": (".msh", HEAD_41_BINARY + b"$Nodes\n" + np.array([HUGE, HUGE, 1, HUGE], "<u8").tobytes() + b"\n$EndNodes\n"),
    "msh 4.1 binary negative": (".msh", HEAD_41_BINARY + b"$Nodes\n" + b"\xff" * 64 + b"\n$EndNodes\n"),
    "stl": (".stl", b" " * 80 + np.uint32(LARGE).tobytes() + b"\0" * 50),
    "ply vertices": (".ply", b"ply\nformat ascii 1.0\nelement vertex %d\nproperty float x\nproperty float y\nproperty float z\nend_header\n0 0 0\n" % HUGE),
    "ply nothing each": (".ply", b"ply\nformat binary_little_endian 1.0\nelement vertex %d\nend_header\n" % HUGE),
    "ply nothing each, text": (".ply", b"ply\nformat ascii 1.0\nelement vertex %d\nend_header\n" % HUGE),
    "ply binary": (".ply", b"ply\nformat binary_little_endian 1.0\nelement vertex %d\nproperty double x\nproperty double y\nproperty double z\nend_header\n0000" % HUGE),
    "ply faces": (".ply", b"ply\nformat binary_little_endian 1.0\nelement face %d\nproperty list uint int vertex_indices\nend_header\n\xff\xff\xff\x7f0000" % HUGE),
    "ply empty lists": (".ply", b"ply\nformat binary_little_endian 1.0\nelement face %d\nproperty list uint int vertex_indices\nend_header\n" % HUGE + b"\0" * 400),
    "off": (".off", b"OFF\n%d %d 0\n0 0 0\n" % (HUGE, HUGE)),
    "off corners": (".off", b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n%d 0 1 2\n" % HUGE),
    "obj index": (".obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 %d\n" % HUGE),
    "aerofoil": (".dat", b"NAME\n%d %d\n0 0\n.5 .1\n1 0\n0 0\n.5 -.1\n1 0\n" % (HUGE, HUGE)),
    "npy": (".npy", b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }".ljust(117) + b"\n" + b"\0" * 64),
    "restart points": (".dat", np.array([535532, 3, LARGE, 0, 0], "<i4").tobytes() + b"x".ljust(33, b"\0") * 3),
    "restart fields": (".dat", np.array([535532, LARGE, 1, 0, 0], "<i4").tobytes() + b"x".ljust(33, b"\0") * 3),
    "restart metadata": (".dat", np.array([535532, 2, 1, LARGE, LARGE], "<i4").tobytes() + b"x".ljust(33, b"\0") + b"y".ljust(33, b"\0") + b"\0" * 30),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BOASTERS))
def test_counts_that_the_file_cannot_hold(tmp_path, name):
    suffix, data = BOASTERS[name]
    read = attempt(tmp_path / f"boast{suffix}", data)
    assert not read or name == "restart metadata"  # what stands behind the rows is not needed


def test_text_without_line_ends_is_read_in_linear_memory(tmp_path):
    for suffix in (".su2", ".obj", ".off", ".dat", ".csv", ".msh", ".stl", ".ply"):
        for filler in (b"1 ", b"a", b"=", b"$", b"\n", b"f 1\n", b"solid a\n"):
            attempt(tmp_path / f"long{suffix}", filler * math.ceil(50_000 / len(filler)))
