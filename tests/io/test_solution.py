"""Solutions joined to meshes: by index, by coordinates, moved, by zone, by patch, at cells; and never to another mesh."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import ConfigurationError, FieldError, UnreadableFileError
from geoop.io.contents import Array, Contents
from geoop.io.formats.table import format_of
from geoop.io.loading import load
from geoop.io.reading import build
from geoop.io.solution import attach, solution_files
from geoop.io.source import Source
from geoop.mesh.cells import Cells


def grid(n: int = 6, offset: float = 0.0) -> Contents:
    """A square of n x n quads with two patches."""
    x = np.linspace(0, 1, n + 1) ** 1.3
    points = np.stack([np.tile(x, n + 1) + offset, np.repeat(x, n + 1)], axis=1)
    corner = (np.arange(n)[None] + (n + 1) * np.arange(n)[:, None]).reshape(-1)
    cells = Cells.of(quad=corner[:, None] + [0, 1, n + 2, n + 1])
    row = np.arange(n)
    return Contents(
        points, cells, {"floor": Cells.of(line=np.stack([row, row + 1], axis=1)), "left": Cells.of(line=np.stack([row, row + 1], axis=1) * (n + 1))}
    )


def zones(count: int = 2) -> Contents:
    """Squares side by side that share no points, though the places of some are equal."""
    parts = [grid(offset=float(k)) for k in range(count)]
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    cells = Cells.concatenate([part.cells.renumbered(np.arange(len(part.points)) + start) for part, start in zip(parts, starts, strict=False)])
    size = len(parts[0].cells)
    return Contents(np.concatenate([part.points for part in parts]), cells, zones={f"zone {k + 1}": np.arange(size) + k * size for k in range(count)})


def table(path, points, digits=17, ids=None, **columns):
    """A CSV solution: points and named columns."""
    names = ["x", "y", "z"][: points.shape[1]] + list(columns)
    values = np.column_stack([points, *columns.values()])
    head = names if ids is None else ["PointID", *names]
    rows = [",".join(f"{value:.{digits}g}" for value in row) for row in values]
    rows = rows if ids is None else [f"{i},{row}" for i, row in zip(ids, rows, strict=True)]
    path.write_text("\n".join([",".join(head), *rows]) + "\n")
    return path


def value(contents: Contents, label: str) -> np.ndarray:
    return next(np.asarray(array.values) for array in contents.arrays if array.label == label)


def f(points: np.ndarray) -> np.ndarray:
    return 3 * points[:, 0] - points[:, 1] ** 2


def test_by_index_and_to_six_digits(tmp_path):
    mesh = grid()
    for digits in (17, 6):
        found = attach(mesh, table(tmp_path / "a.csv", mesh.points, digits, pressure=f(mesh.points)))
        assert np.allclose(value(found, "pressure"), f(mesh.points), atol=1e-5) and found.points is mesh.points and not found.notes


@pytest.mark.parametrize("digits", [17, 6])
@pytest.mark.parametrize("extra", [0, 7])
def test_another_order_and_points_too_many(tmp_path, digits, extra):
    mesh = grid()
    points = np.concatenate([mesh.points, np.random.default_rng(1).random((extra, 2)) + 5])
    order = np.random.default_rng(0).permutation(len(points))
    found = attach(mesh, table(tmp_path / "a.csv", points[order], digits, pressure=f(points[order])))
    assert np.allclose(value(found, "pressure"), f(mesh.points), atol=1e-4) and "another order" in found.notes[-1]


def test_rows_are_put_in_the_order_of_their_numbers(tmp_path):
    mesh = grid()
    order = np.random.default_rng(0).permutation(len(mesh.points))
    moved = mesh.points + 0.01 * np.sin(7 * mesh.points[:, ::-1])  # coordinates alone would not tell
    found = attach(mesh, table(tmp_path / "a.csv", moved[order], ids=order, Pressure=f(mesh.points)[order]))
    assert np.allclose(value(found, "pressure"), f(mesh.points)) and np.allclose(found.points, moved)


def test_moved_mesh_takes_the_points_of_the_solution(tmp_path):
    mesh = grid()
    moved = mesh.points + 0.02 * np.sin(5 * mesh.points[:, ::-1])
    found = attach(mesh, table(tmp_path / "a.csv", moved, pressure=f(moved)))
    assert np.allclose(found.points, moved) and "the mesh moved during the run" in found.notes[0] and "by up to 0.0" in found.notes[0]


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (np.random.default_rng(0).random((49, 2)), r"49 of 49 points differ, by up to \d.*inside out"),
        (grid().points * [-1, 1], r"42 of 49 points differ, by up to 2 \("),
        (grid(5).points, "it has 36 points, the mesh 49, of which"),
        (grid().points[:40] + 9, "it has 40 points"),
        (np.random.default_rng(0).random((49, 3)), "it is 3-D, the mesh 2-D"),
    ],
)
def test_another_mesh_is_refused(tmp_path, points, words):
    with pytest.raises(FieldError, match=words) as caught:
        attach(grid(), table(tmp_path / "a.csv", points, pressure=points[:, 0]))
    assert "belongs to another mesh" in str(caught.value) and str(tmp_path / "a.csv") in str(caught.value)


def test_coordinates_that_occur_twice_are_no_match(tmp_path):
    mesh = zones()  # the common side of both squares
    order = np.random.default_rng(0).permutation(len(mesh.points))
    with pytest.raises(FieldError):
        attach(mesh, table(tmp_path / "a.csv", mesh.points[order], pressure=f(mesh.points[order])))
    found = attach(mesh, table(tmp_path / "b.csv", mesh.points, pressure=np.arange(len(mesh.points))))
    assert value(found, "pressure").tolist() == list(range(len(mesh.points)))  # in the same order nothing is ambiguous


@pytest.mark.parametrize("given", ["list", "stem"])
def test_one_file_per_zone(tmp_path, given):
    mesh = zones()
    n = len(mesh.points) // 2
    paths = [table(tmp_path / f"restart_{k}.csv", mesh.points[k * n : k * n + n], pressure=np.arange(n) + 100 * k) for k in (0, 1)]
    found = attach(mesh, paths if given == "list" else tmp_path / "restart.csv")
    assert value(found, "pressure").tolist() == [*range(n), *(np.arange(n) + 100)]
    single = attach(mesh, paths[1])
    assert np.isnan(value(single, "pressure")[:n]).all() and np.isfinite(value(single, "pressure")[n:]).all()
    assert any("NaN elsewhere: pressure" in note for note in single.notes)


def test_the_number_in_the_name_decides_between_equal_zones(tmp_path):
    one = grid()
    twice = Contents(
        np.concatenate([one.points] * 2), Cells.concatenate([one.cells, one.cells.renumbered(np.arange(49) + 49)]),
        zones={"zone 1": np.arange(36), "zone 2": np.arange(36, 72)},
    )  # fmt: skip
    found = attach(twice, table(tmp_path / "flow_1.csv", one.points, pressure=f(one.points)))
    assert np.isnan(value(found, "pressure")[:49]).all() and np.allclose(value(found, "pressure")[49:], f(one.points))


def test_values_on_patches_only(tmp_path):
    mesh = grid()
    index = np.unique(mesh.patches["floor"].connectivity)[::-1]
    found = attach(mesh, table(tmp_path / "surface_flow.csv", mesh.points[index], heat=f(mesh.points[index])))
    (array,) = found.boundary["floor"]
    assert set(found.boundary) == {"floor"} and np.allclose(array.values, f(mesh.points[np.sort(index)])) and not found.arrays
    source = Source.find(tmp_path / "surface_flow.csv")
    assert np.allclose(build(found, 1.0, (), source).boundary["floor"]["heat"].values, array.values)


def test_cloud_at_the_centres_of_cells(tmp_path):
    mesh = grid()
    centers = mesh.points[mesh.cells.block("quad")].mean(axis=1)
    order = np.random.default_rng(0).permutation(len(centers))
    found = attach(mesh, table(tmp_path / "a.csv", centers[order], pressure=f(centers)[order]))
    (array,) = found.arrays
    assert array.location == "cell" and np.allclose(array.values, f(centers)) and "centres of the cells" in found.notes[-1]


@pytest.mark.parametrize("shuffled", [False, True])
def test_vtu_with_point_and_cell_fields(tmp_path, shuffled):
    mesh = grid()
    rng = np.random.default_rng(0)
    order, cells = (rng.permutation(49), rng.permutation(36)) if shuffled else (np.arange(49), np.arange(36))
    quads = np.argsort(order)[mesh.cells.block("quad")][cells]
    points = np.pad(mesh.points[order], ((0, 0), (0, 1)))
    data = pv.UnstructuredGrid({pv.CellType.QUAD: quads}, points)
    data.point_data["pressure [Pa]"], data.cell_data["density"] = f(points), cells.astype(float)
    data.save(tmp_path / "a.vtu")
    found = attach(mesh, tmp_path / "a.vtu")
    assert np.allclose(value(found, "pressure [Pa]"), f(mesh.points)) and value(found, "density").tolist() == list(range(36))


def test_arrays_of_the_mesh_file_are_replaced(tmp_path):
    mesh = grid()
    old = Contents(mesh.points, mesh.cells, arrays=(Array("pressure", np.zeros(49)), Array("age", np.ones(49))))
    found = attach(old, table(tmp_path / "a.csv", mesh.points, pressure=f(mesh.points)))
    assert [array.label for array in found.arrays] == ["pressure", "age"] and np.allclose(value(found, "pressure"), f(mesh.points))


def test_no_fields_no_file_no_step(tmp_path):
    mesh = grid()
    with pytest.raises(FieldError, match="holds no fields"):
        attach(mesh, table(tmp_path / "a.csv", mesh.points))
    with pytest.raises(UnreadableFileError, match="no such file"):
        attach(mesh, tmp_path / "none.dat")
    with pytest.raises(UnreadableFileError, match="is a file name"):
        solution_files([])
    (tmp_path / "r_0.csv").write_text("x,y\n0,0\n")
    (tmp_path / "r_2.csv").write_text("x,y\n0,0\n")
    with pytest.raises(UnreadableFileError, match="no such file"):  # zone 1 is missing
        solution_files(tmp_path / "r.csv")
    with pytest.raises(ConfigurationError):
        attach(mesh, table(tmp_path / "a.csv", mesh.points, pressure=f(mesh.points)), time=3.0)


@pytest.mark.parametrize(
    ("mesh", "solution", "moved"),
    [
        ("buoyancy_cavity/mesh_cavity_65x65.su2", "buoyancy_cavity/solution_flow.dat", False),
        ("cylinder_inc/mesh_cylinder_lam_ffd.su2", "cylinder_inc/solution_flow.dat", False),
        ("fsi_airfoil_rbf/meshFlow.su2", "fsi_airfoil_rbf/solution_fluid_0.dat", True),
        ("fsi_airfoil_rbf/meshFEA.su2", "fsi_airfoil_rbf/solution_solid_1.dat", False),
        ("naca0012_euler_fixedcl/mesh_NACA0012_inv.su2", "naca0012_euler_fixedcl/solution_flow.csv", False),
        ("naca0012_rans/n0012_225-65.su2", "naca0012_rans/solution_flow_sa.dat", False),
        ("naca0012_rans/n0012_225-65.su2", "naca0012_rans/solution_flow_sst.dat", False),
    ],
)
def test_real_pairs(shared_data, mesh, solution, moved):
    source = Source.find(shared_data / "su2" / mesh)
    contents = load(source, format_of(source))
    found = attach(contents, shared_data / "su2" / solution)
    assert any("moved" in note for note in found.notes) == moved and (found.points is not contents.points) == moved
    case = build(found, 1.0, (), source)
    assert case.fields and all(np.isfinite(item.values).all() and len(item.values) == len(contents.points) for item in case.fields.values())
    if moved:  # no-slip and slip walls alike: the moved wall is where the solution has it
        assert set(case.mesh.patches) == set(contents.patches)
    with pytest.raises(FieldError, match="another mesh"):
        attach(contents, shared_data / "su2" / ("naca0012_rans/solution_flow_sa.dat" if "cylinder" in mesh else "cylinder_inc/solution_flow.dat"))
