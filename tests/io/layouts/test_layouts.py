"""Published layouts, each in a tiny folder written here as the publication writes it: recognised, split, values and units as they were."""

import json

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file

import geoop
from geoop.errors import ConfigurationError, DatasetError, UnreadableFileError
from geoop.io.collecting.choices import Choices, OpenQuestionsError
from geoop.io.collecting.collect import survey
from geoop.io.layouts.airfrans import DENSITY, VISCOSITY
from geoop.io.layouts.table import layout_of, layouts
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.primitives import naca4

pv = pytest.importorskip("pyvista")


def recognised(folder):
    found = layout_of(folder, None, own=False)
    return found.name if found else None


def unstructured(points, cells, kind, **arrays):
    """A VTK grid of one kind of cell; arrays at points."""
    cells = np.asarray(cells)
    rows = np.insert(cells, 0, cells.shape[1], axis=1)
    space = np.zeros((len(points), 3))
    space[:, : np.shape(points)[1]] = points
    grid = pv.UnstructuredGrid(rows.ravel(), np.full(len(cells), kind), space)
    for name, values in arrays.items():
        grid.point_data[name] = values
    return grid


@pytest.fixture
def airfrans(tmp_path):
    """Eight simulations of four sections; the last two are test."""
    names = []
    for k, code in enumerate(("0012", "2412", "4415", "0009")):
        mesh = ogrid(naca4(code, 60), n_wall=24, n_normal=5)
        x = mesh.points
        for alpha in (-1.5, 4.25):
            name = f"airFoil2D_SST_{40 + k}.5_{alpha}_{code[0]}.0_{code[1]}.0_{code[2:]}.0"
            names.append(name)
            folder = tmp_path / "Dataset" / name
            folder.mkdir(parents=True)
            arrays = {
                "U": np.stack([x[:, 0], x[:, 1], 0 * x[:, 0]], axis=1).astype(np.float32),
                "p": x[:, 0].astype(np.float32),
                "nut": np.abs(x[:, 1]).astype(np.float32),
                "implicit_distance": x[:, 1].astype(np.float32),
            }
            unstructured(np.insert(x, 2, 0.5, axis=1), mesh.cells.block("quad"), 9, **arrays).save(folder / f"{name}_internal.vtu")
            for part, patch in (("aerofoil", "wall"), ("freestream", "farfield")):
                lines = mesh.patches[patch].block("line")
                used, index = np.unique(lines, return_inverse=True)
                poly = pv.PolyData(np.insert(x[used], 2, 0.5, axis=1), lines=np.insert(index.reshape(-1, 2), 0, 2, axis=1).ravel())
                poly.save(folder / f"{name}_{part}.vtp")
    manifest = {"full_train": names[:6], "full_test": names[6:], "scarce_train": names[:3], "reynolds_train": names[2:], "reynolds_test": names[:2]}
    (tmp_path / "Dataset" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path / "Dataset", names


def test_airfrans(airfrans, tmp_path):
    folder, names = airfrans
    assert recognised(folder) == "airfrans"
    data = geoop.collect(folder, tmp_path / "data")
    assert set(data.splits["test"]) == set(names[6:])
    assert len(data.splits["val"]) == 2 and len(data.splits["train"]) == 4  # a whole section is taken out of train
    assert data.units == {
        "velocity": "m/s",
        "kinematic_pressure": "m^2/s^2",
        "turbulent_viscosity": "m^2/s",
        "implicit_distance": "m",
    }
    case = data.case(names[7])
    assert case.mesh.dimension == 2
    assert (case.operating_point.velocity, case.operating_point.alpha) == (43.5, 4.25)
    assert case.operating_point.density == pytest.approx(1.1839, abs=1e-4)
    assert case.operating_point.viscosity == pytest.approx(DENSITY * VISCOSITY)
    assert pytest.approx(1.56e-5, rel=1e-2) == VISCOSITY  # air at 25 degrees C
    assert case.wall == ("aerofoil",) and set(case.mesh.patches) == {"aerofoil", "freestream"}
    np.testing.assert_allclose(case.fields["velocity"].values, case.mesh.points, atol=1e-6)


def test_airfrans_scarce_is_tested_on_the_full_test_set(airfrans):
    folder, names = airfrans
    plan = survey(folder, choices=Choices(variant="scarce")).plan
    assert set(plan.splits["test"]) == set(names[6:])
    assert len(plan.names) == 5
    with pytest.raises(DatasetError, match="aoa_train"):
        survey(folder, choices=Choices(variant="aoa"))
    with pytest.raises(ConfigurationError, match="no variant 'ful'"):
        survey(folder, choices=Choices(variant="ful"))


def car_files(folder, shift):
    """A box in air: hexahedra round it and its quads; published axes: z along the flow, y up."""
    g = np.arange(4.0)
    x, y, z = np.meshgrid(g + shift, g, g, indexing="ij")
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    number = np.arange(64).reshape(4, 4, 4)
    corner = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    hexes = [[number[i + a, j + b, k + c] for a, b, c in corner] for i in range(3) for j in range(3) for k in range(3) if (i, j, k) != (1, 1, 1)]
    cube = [number[1 + a, 1 + b, 1 + c] for a, b, c in corner]
    sides = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    quads = np.array([[cube[k] for k in side] for side in sides])
    folder.mkdir(parents=True)
    used, index = np.unique(quads, return_inverse=True)
    surface = unstructured(np.concatenate([points[used], [[9.0, 9, 9]]]), index.reshape(-1, 4), 9, point_scalars=np.arange(9.0))
    surface.save(folder / "quadpress_smpl.vtk")
    velocity = np.stack([0 * points[:, 0], 0 * points[:, 0], 20 + points[:, 2]], axis=1)
    unstructured(points, np.array(hexes), 12, point_vectors=velocity).save(folder / "hexvelo_smpl.vtk")
    (folder / "cd.txt").write_text("0.31\n")


def test_shapenet_car(tmp_path):
    root = tmp_path / "training_data"
    for fold in range(3):
        for car in range(3):
            car_files(root / f"param{fold}" / f"{fold}{car}abc", 0.1 * car)
    (root / "param2" / "incomplete").mkdir()
    assert recognised(root) == "shapenet-car"
    with pytest.raises(OpenQuestionsError, match="density"):
        geoop.collect(root, tmp_path / "data")
    data = geoop.collect(root, tmp_path / "data", density=1.2)
    assert set(data.splits["test"]) == {"param0_00abc", "param0_01abc", "param0_02abc"}
    assert any("incomplete" in note for note in data.manifest.generator["notes"])
    case = data.case("param0_00abc")
    assert len(case.mesh.points) == 8  # the point that no quad uses is gone
    np.testing.assert_array_equal(np.sort(case.fields["pressure"].values), np.arange(8.0))
    assert float(case.fields["drag_coefficient"].values) == 0.31
    volume = geoop.collect(root, tmp_path / "volume", density=1.2, variant="volume").case("param0_01abc")
    velocity = volume.fields["velocity"].values
    np.testing.assert_allclose(velocity[:, 0], 20 + volume.mesh.points[:, 0])  # the free stream is along x
    assert not velocity[:, 1:].any()
    assert volume.wall == ("car",)
    assert np.sort(volume.boundary["car"]["pressure"].values).tolist() == list(range(8))


def test_drivaerml_and_ahmedml(tmp_path):
    sphere = pv.Sphere(theta_resolution=8, phi_resolution=6)
    for number in range(1, 12):
        folder = tmp_path / "drivaerml" / f"run_{number}"
        folder.mkdir(parents=True)
        body = sphere.scale(1 + 0.1 * number)
        for name, width in (("pMeanTrim", 1), ("CpMeanTrim", 1), ("wallShearStressMeanTrim", 3)):
            body.cell_data[name] = np.full((body.n_cells, width), float(number)) if width > 1 else np.full(body.n_cells, float(number))
        body.save(folder / f"boundary_{number}.vtp")
        (folder / f"geo_parameters_{number}.csv").write_text(f"Vehicle_Length, Ride_Height\n{number}.5, -3\n")
        (folder / f"force_mom_{number}.csv").write_text("Cd, Cs, Cl\n9, 9, 9\n")
        (folder / f"force_mom_constref_{number}.csv").write_text(f"Cd, Cs, Cl\n0.{number}, 0, -0.1\n")
        (folder / f"volume_{number}.vtu.00.part").write_bytes(b"x")
    root = tmp_path / "drivaerml"
    assert recognised(root) == "caeml"
    data = geoop.collect(root, tmp_path / "data")
    assert data.name == "drivaerml"
    case = data.case("run_7")
    assert float(case.fields["drag_coefficient"].values) == 0.7  # constant reference area
    assert case.operating_point.velocity == 38.889
    assert case.fields["kinematic_pressure"].quantity.unit == "m^2/s^2" and case.fields["kinematic_pressure"].location == "cell"
    assert case.fields["kinematic_wall_shear_stress"].quantity.rank == 1
    assert data.manifest.cases["run_7"].parameters["Vehicle_Length"] == 7.5
    with pytest.raises(UnreadableFileError, match="cat volume_N.vtu"):
        geoop.collect(root, tmp_path / "volume", variant="volume")
    for folder in root.glob("run_*"):
        (folder / folder.name.replace("run", "force_mom_constref")).with_suffix(".csv").unlink()
        (folder / f"ahmed_{folder.name[4:]}.stl").write_text("solid")
    assert survey(root).plan.generator["velocity"] == 1.0


def test_drivaernet(tmp_path):
    sphere = pv.Sphere(theta_resolution=8, phi_resolution=6)
    names = [f"N_S_WWS_WM_{k:03d}" for k in range(6)]
    (tmp_path / "set" / "PressureVTK").mkdir(parents=True)
    for k, name in enumerate(names):
        sphere.point_data["p"] = np.full(sphere.n_points, -94.5 * k)
        sphere.save(tmp_path / "set" / "PressureVTK" / f"{name}.vtk")
    for split, own in (("train", names[:3] + ["N_S_WWS_WM_999"]), ("val", names[3:4]), ("test", names[4:5])):
        (tmp_path / "set" / f"{split}_design_ids.txt").write_text("\n".join(own) + "\n")
    (tmp_path / "set" / "Cd.csv").write_text("Design,Average Cd,Length\n" + "\n".join(f"{name},0.2{k},4{k}" for k, name in enumerate(names)))
    assert recognised(tmp_path / "set") == "drivaernet"
    data = geoop.collect(tmp_path / "set", tmp_path / "data")
    assert {split: len(own) for split, own in data.splits.items()} == {"train": 3, "val": 1, "test": 1}
    notes = " ".join(data.manifest.generator["notes"])
    assert "1 designs of the lists have no VTK file" in notes and names[5] in notes
    case = data.case(names[2])
    assert data.units["kinematic_pressure"] == "m^2/s^2"
    assert float(case.fields["drag_coefficient"].values) == 0.22
    assert (case.operating_point.velocity, case.operating_point.density) == (30.0, 1.2)
    assert data.manifest.cases[names[2]].parameters["Length"] == 42.0


def trajectory(frames=3):
    """A ring of triangles between two squares: inner square and outer rim are wall, one side inflow."""
    inner, outer = [(1, 1), (2, 1), (2, 2), (1, 2)], [(0, 0), (3, 0), (3, 3), (0, 3)]
    points = np.array(inner + outer, dtype=np.float32)
    cells = np.array([[k, 4 + k, 4 + (k + 1) % 4] for k in range(4)] + [[k, 4 + (k + 1) % 4, (k + 1) % 4] for k in range(4)], dtype=np.int32)
    kinds = np.array([6, 6, 6, 6, 4, 6, 6, 4], dtype=np.int32)
    time = np.arange(frames, dtype=np.float32)[:, None, None]
    velocity = np.ones((frames, 8, 2), np.float32) * (1 + time)
    repeat = [np.repeat(array[None], frames, axis=0) for array in (points, kinds[:, None], cells)]
    return dict(zip(("pos", "node_type", "cells"), repeat, strict=True)) | {"velocity": velocity, "pressure": velocity[:, :, :1] * 2}


@pytest.mark.parametrize("kind", ["h5", "npz"])
def test_meshgraphnets(tmp_path, kind):
    root = tmp_path / "cylinder_flow"
    for split, count in (("train", 3), ("valid", 1), ("test", 1)):
        if kind == "h5":
            root.mkdir(exist_ok=True)
            with h5py.File(root / f"{split}.h5", "w") as handle:
                for k in range(count):
                    for name, values in trajectory().items():
                        handle.create_group(str(k)) if str(k) not in handle else None
                        handle[str(k)][name] = values
        else:
            (root / split).mkdir(parents=True)
            for k in range(count):
                own = trajectory()
                own["mesh_pos"] = own.pop("pos")[0]
                np.savez(root / split / f"{k}.npz", **own)
    (root / "meta.json").write_text('{"dt": 0.01}')
    assert recognised(root) == "meshgraphnets"
    data = geoop.collect(root, tmp_path / "last")
    assert {split: len(own) for split, own in data.splits.items()} == {"train": 3, "val": 1, "test": 1}
    case = data.case("train_0")
    assert case.time == pytest.approx(0.02)
    assert case.wall == ("body",) and {"inflow", "wall"} <= set(case.mesh.patches)
    np.testing.assert_array_equal(case.mesh.patch_points("body"), np.arange(4))
    assert (case.fields["velocity"].values == 3.0).all() and (case.fields["pressure"].values == 6.0).all()
    assert case.operating_point.velocity == pytest.approx(3 * 2**0.5)
    every = geoop.collect(root, tmp_path / "all", times="all")
    assert len(every) == 15 and every.manifest.cases["val_0_t0001"].series == "val_0"
    assert (every.case("val_0_t0001").fields["velocity"].values == 2.0).all()


def test_geofno_elasticity_and_airfoil(tmp_path):
    rng = np.random.default_rng(0)
    root = tmp_path / "elasticity"
    (root / "Meshes").mkdir(parents=True)
    xy, sigma = rng.random((30, 2, 12)), rng.random((30, 12))
    for name, values in (("XY", xy), ("sigma", sigma), ("rr", rng.random((42, 12)))):
        np.save(root / "Meshes" / f"Random_UnitCell_{name}_10.npy", values)
    assert recognised(root) == "geofno"
    data = geoop.collect(root, tmp_path / "data")
    assert data.splits["test"] == ["elasticity_0010", "elasticity_0011"]
    case = data.case("elasticity_0003")
    np.testing.assert_array_equal(case.mesh.points, xy[:, :, 3])
    np.testing.assert_array_equal(case.fields["sigma"].values, sigma[:, 3])

    naca = tmp_path / "naca"
    naca.mkdir()
    i = np.linspace(-1, 1, 21)  # a C-grid: wake, section, wake; the wake is passed twice
    x0, y0 = np.where(np.abs(i) > 0.5, 2 * np.abs(i), 4 * i**2), np.where(np.abs(i) > 0.5, 0.0, 0.2 * np.sin(2 * np.pi * i))
    j = np.linspace(0, 1, 6)[None, :]
    x, y = x0[:, None] - j * 0.5, y0[:, None] + j * np.where(i >= 0, 1, -1)[:, None]
    q = np.stack([np.full(x.shape, value) for value in (1.0, 0.8, 0.1, 0.7, 0.8)])
    for name, values in (("X", x), ("Y", y), ("Q", q)):
        np.save(naca / f"NACA_Cylinder_{name}.npy", np.repeat(values[None], 12, axis=0))
    case = geoop.collect(naca, tmp_path / "wing").case("airfoil_0001")
    wall = case.mesh.points[case.mesh.patch_points("airfoil")]
    assert wall[:, 0].max() <= 1.01  # the wake is no wall
    assert len(case.mesh.patches["airfoil"]) == 10
    assert case.operating_point.mach == 0.8
    assert case.operating_point.alpha == pytest.approx(np.degrees(np.arctan2(0.1, 0.8)))
    assert case.fields["velocity"].quantity.unit == "1"
    np.save(naca / "NACA_Cylinder_Y.npy", np.zeros((3, 21, 6)))
    with pytest.raises(DatasetError, match="different numbers of cases"):
        survey(naca)


@pytest.mark.parametrize("classic", [False, True], ids=["netcdf4", "classic"])
def test_gaot(tmp_path, classic):
    rng = np.random.default_rng(0)
    arrays = {"u": rng.random((10, 1, 20, 5)), "c": rng.random((10, 1, 20, 1)), "x": rng.random((10, 1, 20, 2))}
    root = tmp_path / "set"
    root.mkdir()
    if classic:
        with netcdf_file(root / "airfoil_li.nc", "w") as handle:
            for name, values in arrays.items():
                for axis, size in enumerate(values.shape):
                    handle.createDimension(f"{name}{axis}", size)
                handle.createVariable(name, "f8", tuple(f"{name}{axis}" for axis in range(4)))[:] = values
    else:
        with h5py.File(root / "airfoil_li.nc", "w") as handle:
            for name, values in arrays.items():
                handle[name] = values
    assert recognised(root) == "gaot"
    data = geoop.collect(root, tmp_path / "data")
    case = data.case("airfoil_li_00004")
    np.testing.assert_array_equal(case.mesh.points, arrays["x"][4, 0])
    np.testing.assert_array_equal(case.fields["velocity"].values, arrays["u"][4, 0, :, 1:3])
    np.testing.assert_array_equal(case.fields["signed_distance"].values, arrays["c"][4, 0, :, 0])
    assert sum(map(len, data.splits.values())) == 10


def test_gaot_series_on_shared_nodes(tmp_path):
    (tmp_path / "set").mkdir()
    u, x = np.arange(5 * 3 * 4.0).reshape(5, 3, 4, 1), np.random.default_rng(0).random((4, 2))
    with h5py.File(tmp_path / "set" / "Heat-L-Sines.nc", "w") as handle:
        handle["u"], handle["x"] = u, x
    data = geoop.collect(tmp_path / "set", tmp_path / "data", times="all")
    case = data.case("Heat-L-Sines_00002_t0001")
    assert case.time == pytest.approx(0.001)
    np.testing.assert_array_equal(case.fields["u"].values, u[2, 1, :, 0])
    split = {name: key for key, names in data.splits.items() for name in names}
    assert all(len({split[f"Heat-L-Sines_{s:05d}_t{t:04d}"] for t in range(3)}) == 1 for s in range(5))
    with h5py.File(tmp_path / "set" / "Heat-L-Sines.nc", "w") as handle:
        handle["u"], handle["x"] = u, x[:3]
    with pytest.raises(DatasetError, match="shapes do not fit"):
        survey(tmp_path / "set")


def cgns_file(path, shift):
    """A square of two triangles with one field, as CGNS on HDF5 (nodes are groups with a name, a label, a type and data)."""

    def node(parent, name, label, data=None, kind="MT"):
        group = parent.create_group(name)
        for key, text, size in (("name", name, 33), ("label", label, 33), ("type", kind, 3)):
            group.attrs.create(key, np.bytes_(text), dtype=f"S{size}")
        if data is not None:
            group.create_dataset(" data", data=data)
        return group

    def text(word):
        return np.frombuffer(word.encode(), dtype=np.int8)

    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as handle:
        for key, value, size in (("name", "HDF5 MotherNode", 33), ("label", "Root Node of HDF5 File", 33), ("type", "MT", 3)):
            handle.attrs.create(key, np.bytes_(value), dtype=f"S{size}")
        handle.create_dataset(" format", data=text("IEEE_LITTLE_32"))
        handle.create_dataset(" hdf5version", data=text("HDF5 Version 1.14".ljust(33, "\0")))
        node(handle, "CGNSLibraryVersion", "CGNSLibraryVersion_t", np.array([4.0], np.float32), "R4")
        base = node(handle, "Base_2_2", "CGNSBase_t", np.array([2, 2], np.int32), "I4")
        zone = node(base, "Zone", "Zone_t", np.array([[4], [2], [0]], np.int32), "I4")
        node(zone, "ZoneType", "ZoneType_t", text("Unstructured"), "C1")
        grid = node(zone, "GridCoordinates", "GridCoordinates_t")
        node(grid, "CoordinateX", "DataArray_t", np.array([0.0, 1 + shift, 1 + shift, 0]), "R8")
        node(grid, "CoordinateY", "DataArray_t", np.array([0.0, 0, 1, 1]), "R8")
        section = node(zone, "Elements_TRI_3", "Elements_t", np.array([5, 0], np.int32), "I4")
        node(section, "ElementRange", "IndexRange_t", np.array([1, 2], np.int32), "I4")
        node(section, "ElementConnectivity", "DataArray_t", np.array([1, 2, 3, 1, 3, 4], np.int32), "I4")
        solution = node(zone, "VertexFields", "FlowSolution_t")
        node(solution, "GridLocation", "GridLocation_t", text("Vertex"), "C1")
        node(solution, "sig11", "DataArray_t", np.arange(4.0) + shift, "R8")


def test_plaid(tmp_path):
    root = tmp_path / "Tensile"
    for k in range(6):
        folder = root / "dataset" / "samples" / f"sample_{k:09d}"
        cgns_file(folder / "meshes" / "mesh_000000000.cgns", k)
        (folder / "scalars.csv").write_text(f"P,max_von_mises\n-4{k}.5,10{k}\n")
    (root / "problem_definition").mkdir()
    (root / "problem_definition" / "split.json").write_text(json.dumps({"train": [0, 1, 2, 3], "test": [4, 5], "train_2": [0, 1]}))
    (root / "problem_definition" / "problem_infos.yaml").write_text("task: regression\ninput_scalars:\n- P\noutput_scalars:\n- max_von_mises\n")
    assert recognised(root) == "plaid"
    data = geoop.collect(root, tmp_path / "data", names={"sig11": "sigma_xx:MPa"})
    assert data.splits["test"] == ["sample_000000004", "sample_000000005"]
    case = data.case("sample_000000002")
    np.testing.assert_allclose(case.fields["sigma_xx"].values, (np.arange(4.0) + 2) * 1e6)
    assert float(case.fields["max_von_mises"].values) == 102.0
    assert data.manifest.cases["sample_000000002"].parameters["P"] == -42.5
    assert "'train_2' overlaps" in " ".join(data.manifest.generator["notes"])
    (root / "problem_definition" / "split.json").unlink()
    (root / "problem_definition" / "split.csv").write_text("train,0,1\ntest,5\n")
    assert set(survey(root).plan.names) == {"sample_000000000", "sample_000000001", "sample_000000005"}


def test_what_has_no_meaning_for_a_layout_is_refused(airfrans):
    folder, _ = airfrans
    with pytest.raises(ConfigurationError, match="--split-by, --ood, --unit mean nothing"):
        survey(folder, choices=Choices(split_by="x", ood="alpha>1", unit="mm"))
    with pytest.raises(ConfigurationError, match="--inviscid, --velocity mean nothing for the layout airfrans.*it takes --density, --viscosity"):
        survey(folder, choices=Choices(constants={"velocity": 3.0, "density": 1.2}, inviscid=True))
    with pytest.raises(ConfigurationError, match="no layout is called 'airfrance'"):
        survey(folder, layout="airfrance")
    with pytest.raises(ConfigurationError, match="does not look like plaid"):
        survey(folder, layout="plaid")
    assert len(layouts()) == 10


def test_a_broken_case_of_a_layout_is_left_out(airfrans, tmp_path):
    folder, names = airfrans
    (folder / names[1] / f"{names[1]}_aerofoil.vtp").unlink()
    data = geoop.collect(folder, tmp_path / "data")
    assert set(data.manifest.failed) == {names[1]}
    assert len(data) == 7
