"""What `geoop inspect` says about sound and about broken files."""

from __future__ import annotations

import json

import numpy as np
import pytest
import trimesh

from geoop.errors import UnitError, UnreadableFileError
from geoop.io.inspection import inspect
from geoop.io.paraview import write_case
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field


def test_closed_box_with_and_without_a_unit(tmp_path):
    trimesh.creation.box((10, 20, 30)).export(tmp_path / "box.stl")
    found = inspect(tmp_path / "box.stl")
    assert found.length_unit == "file unit" and "mm would give a body 30 mm long" in found.unit_statement
    assert found.report.closed and found.report.measure == pytest.approx(2200) and found.report.enclosed == pytest.approx(6000) and not found.findings
    assert "closed        yes, encloses 6000 (file unit)^3" in str(found) and "nothing to repair" in str(found)
    scaled = inspect(tmp_path / "box.stl", unit="mm")
    assert scaled.length_unit == "m" and scaled.report.enclosed == pytest.approx(6e-6) and "mm, as given" in str(scaled)
    with pytest.raises(UnitError):
        inspect(tmp_path / "box.stl", unit="mmm")


def test_broken_surface(tmp_path):
    box = trimesh.creation.box()
    faces = np.concatenate([box.faces[:-1], [[0, 0, 1]], box.faces[:1]])  # a hole, a sliver, a face twice
    trimesh.Trimesh(box.vertices, faces, process=False).export(tmp_path / "box.off")
    found = inspect(tmp_path / "box.off", unit="m")
    assert found.report.closed is False and found.report.open_edges >= 3 and not found.report.manifold
    assert found.report.degenerate_cells == 1 and found.report.repeated_cells == 1
    text = str(found)
    assert "to repair" in text and "not manifold" in text and any("no area" in note for note in found.notes)


def test_solver_file_with_fields(tmp_path):
    mesh = Mesh(
        np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]), Cells.of(quad=[[0, 1, 2, 3]]), {"wall": Cells.of(line=[[0, 1]])}, {"fluid": np.array([0])}
    )
    velocity = Field(QUANTITIES["velocity"], np.array([[3.0, 4.0], [0, 0], [0, 1], [np.nan, 0]]))
    write_case(Case(mesh, OperatingPoint(10.0, 2.0), time=1.5).with_fields(velocity), tmp_path / "a.vtu")
    found = inspect(tmp_path / "a.vtu", unit="mm")
    assert found.length_unit == "m" and "SI metres (solver format)" in found.unit_statement and "'mm' is not used" in found.unit_statement
    assert (found.patches[0].name, found.patches[0].facets, found.patches[0].measure) == ("wall", 1, 1.0) and found.zones == {"fluid": 1}
    summary = found.fields[0]
    assert (summary.name, summary.unit, summary.minimum, summary.maximum, summary.non_finite) == ("velocity", "m/s", 0.0, 5.0, 1)
    assert found.condition["velocity"] == 10.0 and found.time == 1.5 and any("NaN" in item for item in found.findings)
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["patches"][0]["name"] == "wall" and plain["report"]["n_points"] == 4 and plain["findings"]
    assert "velocity [m/s] at points: vector, magnitude 0 .. 5, 1 NaN or infinite" in str(found)


def test_section_and_cloud(tmp_path, shared_data):
    found = inspect(shared_data / "su2" / "naca0012_euler_fixedcl" / "mesh_NACA0012_inv.su2")
    assert found.report.kind == "plane mesh" and [item.facets for item in found.patches] == [200, 50] and not found.findings
    cloud = inspect(shared_data / "su2" / "naca0012_euler_fixedcl" / "solution_flow.csv")
    assert cloud.report.kind == "point cloud" and "no cells" in str(cloud) and len(cloud.fields) == 9
    (tmp_path / "a.dat").write_text("NAME\n1 0\n0.5 0.1\n0.1 0.07\n0 0\n0.1 -0.05\n0.5 -0.04\n1 0\n")
    assert "chord" in inspect(tmp_path / "a.dat").unit_statement
    with pytest.raises(UnreadableFileError):
        inspect(tmp_path / "b.dat")


def test_real_surfaces(shared_data):
    folder = shared_data / "geometry"
    soup = inspect(folder / "trimesh" / "soup.stl")
    assert soup.report.closed is False and soup.report.components == 100
    bodies = inspect(folder / "trimesh" / "multibody.stl")
    assert [item.name for item in bodies.patches] == ["bodyB", "bodyA"]
    cessna = inspect(folder / "cessna_surface.msh")
    assert cessna.report.closed and any("normals point into the body" in item for item in cessna.findings)


def test_long_lists_are_cut_in_the_text_only(tmp_path):
    parts = "".join(f"g part{i}\nf 1 2 3\n" for i in range(40))
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n" + parts)
    found = inspect(tmp_path / "a.obj")
    assert "part29" in str(found) and "part30" not in str(found) and "10 more" in str(found) and len(found.to_dict()["patches"]) == 40


def test_openings_crossings_and_quality_are_printed(tmp_path):
    box = trimesh.creation.box((10, 20, 30)).subdivide().subdivide().subdivide().subdivide()
    trimesh.Trimesh(box.vertices, box.faces[1:], process=False).export(tmp_path / "box.off")
    found = inspect(tmp_path / "box.off")
    text = str(found)
    assert "openings" in text and "3 points, at (" in text and found.report.holes[0].points == 3
    assert "cuts itself   0 pairs of facets" in text and "neighbours agree" in text
    assert "triangle, scaled Jacobian" in text and "superfluous   points: 0 duplicate" in text
    assert "not counted" in str(inspect(tmp_path / "box.off", thorough=False))
    assert any("--repair OUT`" in item and str(tmp_path) in item for item in found.findings)
    assert any("--unit mm --repair OUT" in item for item in inspect(tmp_path / "box.off", unit="mm").findings)


def test_steps_and_values_on_patches(shared_data):
    found = inspect(shared_data / "fields" / "openfoam_cavity.zip" / "OpenFOAM" / "cavity")
    assert len(found.times) == 6 and found.time == found.times[-1] and "one of 6 steps" in str(found)
    assert any(item.location == "patch 'movingWall'" and item.maximum == pytest.approx(1.0) for item in found.fields)
    assert "velocity [m/s] on patch 'movingWall': vector, magnitude 1" in str(found)
    assert "non-orthogonality" in str(found)


def test_one_value_one_cell_and_one_facet_are_said_in_the_singular(tmp_path):
    square = Mesh(np.array([(0.0, 0), (1, 0), (1, 1), (0, 1)]), Cells.of(quad=np.array([[0, 1, 2, 3]])), {"wall": Cells.of(line=np.array([[0, 1]]))})
    case = Case(square, fields={"p": Field(QUANTITIES["pressure"], np.array([1.0, np.nan, 0.0, 0.0]), "point")})
    write_case(case, tmp_path / "one.vtu")
    found = inspect(tmp_path / "one.vtu")
    assert any("has 1 value that is NaN or infinite: remove or repair it" in text for text in found.findings)
    assert "wall: 1 facet," in str(found)
