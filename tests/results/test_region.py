"""Files become regions: meshes as they are, closed surfaces and outlines filled, patches and volumes kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.io.paraview import write_case
from geoop.mesh.measure import enclosed_volume, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, icosphere, ring
from geoop.mesh.quantity import Field, Quantity
from geoop.results.region import all_triangles, read_region

MESHES = Path(__file__).resolve().parents[2] / "meshes"


def test_a_mesh_with_cells_stays_as_it_is():
    region = read_region(MESHES / "link.msh")
    assert region.mesh.dimension == 2 and set(region.mesh.cells.names) == {"triangle", "quad"}
    assert set(region.mesh.patches) == {"left hole", "left end", "right hole", "right end", "bar"}
    with pytest.raises(ConfigurationError, match="cells already"):
        read_region(MESHES / "link.msh", size=0.1)


@pytest.mark.parametrize("kind", ["triangle", "tetra"])
def test_a_mesh_without_patches_gets_its_whole_boundary(kind, tmp_path):
    source = read_region(MESHES / "link.msh").mesh if kind == "triangle" else read_region(MESHES / "bracket.stl", unit="mm").mesh
    geoop.write(replace(source, patches={}, zones={}), tmp_path / "bare.vtu")
    mesh = read_region(tmp_path / "bare.vtu").mesh
    assert list(mesh.patches) == ["boundary"] and len(mesh.patches["boundary"]) == sum(len(part) for part in source.patches.values())
    assert any("names no patches" in note for note in mesh.notes)


def test_a_closed_surface_is_filled_and_its_solids_are_patches():
    coarse, fine = (read_region(MESHES / "bracket.stl", unit="mm", size=size).mesh for size in (None, 0.01))
    cubes = 15 + 9 - 1
    for mesh in (coarse, fine):
        assert mesh.cells.names == ["tetra"] and set(mesh.patches) == {"foot", "top", "hole", "sides"}
        assert signed_measures(mesh).sum() == pytest.approx(cubes * 0.02**3, rel=1e-9)
        on_top = mesh.points[mesh.patch_points("top")]
        np.testing.assert_allclose(on_top[:, 2], 0.08, atol=1e-12)
        assert np.ptp(on_top, axis=0) == pytest.approx([0.02, 0.06, 0.0], abs=1e-12)
        assert any("filled with" in note for note in mesh.notes)
    assert len(fine.cells) > 3 * len(coarse.cells)


def test_a_surface_of_quads_is_cut_into_triangles():
    region = read_region(MESHES / "box.obj", unit="m", size=0.8)
    assert signed_measures(region.mesh).sum() == pytest.approx(12.0)
    assert set(region.mesh.patches) == set(geoop.read(MESHES / "box.obj", unit="m").patches)
    surface = box((0, 0, 0), (1, 2, 3), 2)
    cut = all_triangles(surface)
    assert enclosed_volume(cut) == pytest.approx(6.0)
    for name, part in surface.patches.items():
        assert len(cut.patches[name]) == 2 * len(part)


def test_a_closed_outline_is_filled(tmp_path):
    corners = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]])
    geoop.write(ring(corners, "sheet"), tmp_path / "sheet.vtu")
    mesh = read_region(tmp_path / "sheet.vtu", size=0.2).mesh
    assert signed_measures(mesh).sum() == pytest.approx(2.0) and mesh.patches and len(mesh.cells) > 50


def test_numbers_on_patches_survive_the_filling(tmp_path):
    ball = icosphere(1, 0.5)
    named = Mesh(ball.points, ball.cells, {"skin": ball.cells}, name="ball")
    warm = Field(Quantity("solution", "u"), np.array(3.0), "global")
    rough = Field(Quantity("rough", "r"), np.ones(len(ball.points)))
    case = geoop.Case(named, None, {"rough": rough}, {"skin": {"solution": warm}})
    write_case(case, tmp_path / "ball.vtp")
    region = read_region(tmp_path / "ball.vtp")
    assert region.mesh.cells.names == ["tetra"] and not region.fields
    assert float(region.boundary["skin"]["solution"].values) == 3.0


def test_a_step_part_is_meshed_by_size(tmp_path):
    gmsh = pytest.importorskip("gmsh")
    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.occ.addCylinder(0, 0, 0, 0, 0, 40, 10)
        gmsh.model.occ.synchronize()
        gmsh.write(str(tmp_path / "pin.step"))
    finally:
        gmsh.finalize()
    volumes = [signed_measures(read_region(tmp_path / "pin.step", size=size).mesh).sum() for size in (8e-3, 3e-3)]
    exact = np.pi * 0.01**2 * 0.04
    assert volumes == pytest.approx([exact, exact], rel=0.05)
    assert abs(volumes[1] - exact) <= abs(volumes[0] - exact) + 1e-12


def test_refusals(tmp_path):
    (tmp_path / "cloud.csv").write_text("x,y,z\n0,0,0\n1,0,0\n0,1,0\n0,0,1\n")
    with pytest.raises(InvalidMeshError, match="without cells"):
        read_region(tmp_path / "cloud.csv", unit="m")
    ball = icosphere(1)
    geoop.write(Mesh(ball.points, ball.cells.take(np.arange(len(ball.cells) - 1))), tmp_path / "open.stl", unit="m")
    with pytest.raises(InvalidMeshError, match="open"):
        read_region(tmp_path / "open.stl", unit="m")
