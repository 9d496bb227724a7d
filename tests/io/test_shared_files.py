"""Every file under ../shared/data: read, with the counts that other programs find in it, or refused with the right error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geoop.errors import GeoopError, UnreadableFileError, UnsupportedFormatError
from geoop.io.reading import read_case, read_series

#: mesh file -> (points, cells, facets per patch, or the number of patches if they share out all cells, fields with their location)
MESHES: dict[str, tuple[int, int, dict[str, int] | int, dict[str, str]]] = {
    "fields/multi.cgns": (
        58576, 28168,
        {"Ilo_Seg 1": 28168, "Ihi_Seg 1": 28168, "Jlo_Seg 1": 112, "Jhi_Seg 1": 112, "Klo_Seg 2": 340, "Khi_Seg 1": 320},
        dict.fromkeys(["density", "Momentum", "EnergyStagnationDensity", "ViscosityEddy", "TurbulentDistance", "TurbulentSANuTilde"], "cell"),
    ),
    "fields/ensight_cylinder/cylinder_Re35.case": (
        14831, 14594, {"inlet": 75, "outlet": 75, "outlet_top": 150, "outlet_bottom": 150, "wall_cylinder": 63},
        dict.fromkeys(["pressure", "velocity", "vorticity_mag"], "point"),
    ),
    "fields/openfoam_cavity.zip/OpenFOAM/cavity": (
        882, 400, {"movingWall": 20, "fixedWalls": 60, "frontAndBack": 800}, {"velocity": "cell", "kinematic_pressure": "cell"},
    ),
    "fields/openfoam_cavity.zip/OpenFOAM/64BitFloats": (12, 2, {"emptyFaces": 10}, {"velocity": "cell", "pressure": "cell"}),
    "su2/naca0012_euler_fixedcl/mesh_NACA0012_inv.su2": (5233, 10216, {"airfoil": 200, "farfield": 50}, {}),
    "su2/naca0012_rans/n0012_225-65.su2": (14576, 14336, {"airfoil": 128, "farfield": 352}, {}),
    "su2/cylinder_inc/mesh_cylinder_lam_ffd.su2": (13336, 26192, {"cylinder": 400, "farfield": 80}, {}),
    "su2/buoyancy_cavity/mesh_cavity_65x65.su2": (4225, 4096, dict.fromkeys(["lower", "right", "upper", "left"], 64), {}),
    "su2/fsi_airfoil_rbf/meshFlow.su2": (15504, 15300, {"farfield": 204, "leading_edge": 58, "suction_side": 73, "pressure_side": 73}, {}),
    "su2/fsi_airfoil_rbf/meshFEA.su2": (801, 704, {"clamped": 8, "suction_side_s": 92, "pressure_side_s": 92}, {}),
    "geometry/motorBike.obj.gz": (132871, 331653, 67, {}),
    "geometry/NACA0012.obj.gz": (7996, 15988, {"airfoil": 15988}, {}),
    "geometry/propeller.obj.gz": (19097, 37240, {"propellerStem": 3808, "propellerTip": 33432}, {}),
    "geometry/cessna_surface.msh": (11770, 23536, {}, {}),
    "geometry/trimesh/bunny.ply": (8171, 16301, {}, {"confidence": "point", "intensity": "point"}),
    "geometry/trimesh/chair_model.obj": (3186, 12756, 4, {}),
    "geometry/trimesh/fandisk.obj": (2877, 5750, {}, {}),
    "geometry/trimesh/not_convex.obj": (288, 96, {}, {}),
    "geometry/trimesh/featuretype.STL": (2010, 3476, {}, {}),
    "geometry/trimesh/multibody.stl": (20, 32, {"bodyA": 20, "bodyB": 12}, {}),
    "geometry/trimesh/origin_inside.STL": (16, 28, {}, {}),
    "geometry/trimesh/plate_holes.STL": (618, 1252, {}, {}),
    "geometry/trimesh/points_bin.ply": (5, 0, {}, {}),
    "geometry/trimesh/round.stl": (560, 1120, {}, {}),
    "geometry/trimesh/soup.stl": (300, 100, {}, {}),
    "geometry/trimesh/teapot.stl": (480, 894, {}, {}),
    "geometry/trimesh/unit_cube.STL": (8, 12, {}, {}),
}  # fmt: skip

FLOW = ["density", "momentum", "Energy", "pressure", "temperature", "mach_number", "pressure_coefficient", "velocity"]
#: solution file -> (mesh file beside it, point fields)
SOLUTIONS: dict[str, tuple[str, list[str]]] = {
    "su2/naca0012_euler_fixedcl/solution_flow.csv": ("mesh_NACA0012_inv.su2", FLOW),
    "su2/naca0012_rans/solution_flow_sa.dat": ("n0012_225-65.su2", ["density", "momentum", "Energy", "velocity", "Nu_Tilde"]),
    "su2/naca0012_rans/solution_flow_sst.dat": ("n0012_225-65.su2", ["density", "momentum", "Energy", "velocity", "Turb_Kin_Energy", "Omega"]),
    "su2/cylinder_inc/solution_flow.dat": ("mesh_cylinder_lam_ffd.su2", ["pressure", "velocity", "Enthalpy"]),
    "su2/buoyancy_cavity/solution_flow.dat": ("mesh_cavity_65x65.su2", ["pressure", "velocity", "Enthalpy"]),
    "su2/fsi_airfoil_rbf/solution_fluid_0.dat": ("meshFlow.su2", FLOW),
    "su2/fsi_airfoil_rbf/solution_solid_1.dat": ("meshFEA.su2", ["displacement", "Sxx", "Syy", "Sxy", "von_mises_stress"]),
}

#: file -> (error, words in it)
REFUSED: dict[str, tuple[type[GeoopError], str]] = {
    "fields/openfoam_cavity.zip": (UnreadableFileError, "2 OpenFOAM cases"),
    "geometry/trimesh/empty.stl": (UnreadableFileError, "no triangles"),
    "geometry/trimesh/empty.ply": (UnreadableFileError, "no points"),
    "geometry/uiuc_airfoils.tar.gz": (UnsupportedFormatError, "tar archive"),
    "geometry/uiuc_LICENSE.txt": (UnreadableFileError, "not numbers"),
    "benchmarks.json": (UnsupportedFormatError, "no reader for '.json'"),
}
#: what else may lie there: suffix -> words of the error
NO_MESHES = {".md": "no reader", ".rst": "no reader", "": "without suffix", ".npz": "it holds arrays", ".json": "no reader",
             **dict.fromkeys((".geo", ".scl1", ".scl2", ".vel"), "EnSight case")}  # fmt: skip


def opened(path: Path, **options):
    """The case, with the unit that its format needs."""
    known_unit = {".stl", ".obj", ".ply", ".gz"}
    return read_case(path, **({"unit": "m"} if path.suffix.lower() in known_unit else {}), **options)


@pytest.mark.parametrize("file", MESHES)
def test_meshes(shared_data, file):
    points, cells, patches, fields = MESHES[file]
    case = opened(shared_data / file)
    mesh = case.mesh
    assert (len(mesh.points), len(mesh.cells)) == (points, cells)
    counts = {name: len(part) for name, part in mesh.patches.items()}
    assert counts == patches if isinstance(patches, dict) else (len(counts), sum(counts.values())) == (patches, cells)
    assert {name: field.location for name, field in case.fields.items()} == fields
    assert all(np.isfinite(field.values).all() for field in case.fields.values())


@pytest.mark.parametrize("file", SOLUTIONS)
def test_solutions_on_their_meshes(shared_data, file):
    """Alone a solution is a cloud with fields; on its mesh the same values stand at the same points."""
    mesh_file, fields = SOLUTIONS[file]
    path = shared_data / file
    cloud, case = read_case(path), read_case(path.parent / mesh_file, solution=path)
    assert cloud.mesh.is_cloud and not case.mesh.is_cloud and case.mesh.patches
    for found in (cloud, case):
        assert set(fields) <= set(found.fields)
        assert {field.location for field in found.fields.values()} == {"point"}
    for name in fields:
        np.testing.assert_array_equal(case.field(name).values, cloud.field(name).values)


@pytest.mark.parametrize("file", REFUSED)
def test_what_is_no_mesh_is_refused(shared_data, file):
    error, words = REFUSED[file]
    with pytest.raises(error, match=words) as caught:
        opened(shared_data / file)
    assert caught.value.remedy and str(shared_data / file) in str(caught.value)


def test_every_file_is_accounted_for(shared_data):
    """A file that this table does not name must still be read, or refused with words that help."""
    known = {*MESHES, *SOLUTIONS, *REFUSED}
    for path in sorted(item for item in shared_data.rglob("*") if item.is_file()):
        if path.relative_to(shared_data).as_posix() in known:
            continue
        words = NO_MESHES.get(path.suffix)
        if words is None:
            assert len(opened(path).mesh.points)
            continue
        with pytest.raises(GeoopError, match=words) as caught:
            opened(path)
        assert caught.value.remedy


def test_every_step_of_a_case(shared_data):
    series = read_series(shared_data / "fields/openfoam_cavity.zip/OpenFOAM/cavity")
    assert series.values.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert series.constant_connectivity and len({id(case.mesh) for case in series.cases[1:]}) == 1
    speeds = [np.linalg.norm(case.field("velocity").values, axis=1).mean() for case in series.cases]
    assert speeds[0] == 0 and (np.diff(speeds) > -1e-6).all()  # the lid drives the flow from rest
