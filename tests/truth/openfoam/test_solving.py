"""Real OpenFOAM: laminar flow round a cylinder against published values, forces against forces, and runs that are broken on purpose."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConvergenceError, InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.measure import cell_centers, facet_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle, naca4
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.forces import forces
from geoop.truth.openfoam.foam_case import FoamCase
from geoop.truth.openfoam.parabolic_grid import parabolic_cgrid
from geoop.truth.openfoam.rans import solve_rans
from geoop.truth.openfoam.running import Limits, run
from geoop.truth.openfoam.settings import Schemes, Steady, Turbulence, Unsteady
from geoop.truth.openfoam.solving import ExperimentalWarning, solve
from geoop.truth.openfoam.standing import EXPERIMENTAL, VALIDATED
from geoop.truth.openfoam.template import write_table

pytestmark = pytest.mark.openfoam

STEADY = Steady(2000, residual=1e-7, relaxation=0.9)
CENTRAL = Schemes(convection="linear")


def cylinder(n_wall: int, n_normal: int, radius: float, first_height: float = 0.02) -> Mesh:
    """An O-grid round a cylinder of diameter 1 m, its far field ``radius`` diameters away."""
    return ogrid(circle(400, 0.5), n_wall=n_wall, n_normal=n_normal, outer_radius=radius, first_height=first_height)


def at(reynolds: float, **changes) -> OperatingPoint:
    return OperatingPoint(**{"velocity": 1.0, "density": 1.0, "viscosity": 1.0 / reynolds, "reference_length": 1.0, **changes})


@pytest.fixture(scope="module")
def steady() -> Case:
    """Re 40, far field 40 diameters away."""
    return solve(cylinder(96, 49, 40.0), at(40), march=STEADY, schemes=CENTRAL)


def test_drag_of_the_cylinder_at_reynolds_40(steady):
    """1.50 to 1.54 in the literature (Fornberg 1980: 1.498, Dennis and Chang 1970: 1.522, Tritton's measurements: 1.59 +- 5 %)."""
    assert 1.49 < float(steady.field("drag_coefficient").values) < 1.54
    assert abs(float(steady.field("lift_coefficient").values)) < 1e-3


def test_pressure_and_traction_on_the_wall_add_up_to_the_solver_s_own_coefficients(steady):
    """Sign and unit of both, on the patch and in the cells beside it."""
    wall = steady.mesh.patch("wall")
    length = np.linalg.norm(np.diff(wall.points[wall.cells.block("line")], axis=1)[:, 0], axis=1)
    normal = facet_normals(wall)
    normal *= np.sign(np.einsum("nk,nk->n", normal, wall.points[wall.cells.block("line")].mean(axis=1)))[:, None]  # out of the body
    pressure, traction = (steady.boundary["wall"][name].values for name in ("pressure", "wall_shear_stress"))
    force = (length[:, None] * (traction - pressure[:, None] * normal)).sum(axis=0)
    assert force[0] / 0.5 == pytest.approx(float(steady.field("drag_coefficient").values), rel=1e-6)
    assert (length @ traction)[0] > 0.4 * 0.5  # friction drags along the flow
    assert np.array_equal(steady.field("wall_shear_stress").values[:96], traction)  # the first ring of cells lies on the wall
    assert not steady.field("wall_shear_stress").values[96:].any()


def test_mass_goes_neither_in_nor_out_of_cells_far_from_zero(steady):
    """The far field's velocity is that of the free stream, up to the disturbance of the body."""
    far = np.linalg.norm(cell_centers(steady.mesh), axis=1) > 30
    ahead = far & (cell_centers(steady.mesh)[:, 0] < 0)
    assert np.abs(steady.field("velocity").values[ahead] - [1, 0]).max() < 0.02


def test_units_do_not_matter(steady):
    """Five times as large, in another fluid at another speed: the same coefficients, pressures in the ratio of the dynamic pressures."""
    mesh = cylinder(96, 49, 40.0)
    point = at(40, velocity=3.0, density=1.2, viscosity=1.2 * 3.0 * 5.0 / 40, reference_length=5.0)
    other = solve(mesh.moved(5 * mesh.points), point, march=STEADY, schemes=CENTRAL)
    assert float(other.field("drag_coefficient").values) == pytest.approx(float(steady.field("drag_coefficient").values), rel=1e-4)
    scale = point.dynamic_pressure / 0.5
    assert np.allclose(other.field("pressure").values, scale * steady.field("pressure").values, atol=1e-3 * scale)


def test_turning_the_stream_turns_the_flow():
    drag = []
    for alpha in (0.0, 30.0):
        case = solve(cylinder(48, 25, 40.0), at(40, alpha=alpha), march=STEADY, schemes=CENTRAL)
        drag.append(float(case.field("drag_coefficient").values))
        assert abs(float(case.field("lift_coefficient").values)) < 2e-3
    assert drag[1] == pytest.approx(drag[0], rel=1e-3)


def test_coefficients_and_moment_are_those_of_geoop_s_own_integration():
    """An ellipse at incidence has lift and a moment about its quarter chord; signs, axes and reference point are compared."""
    mesh = cylinder(96, 49, 40.0)
    march, schemes = Steady(3000, residual=1e-6, relaxation=0.7), Schemes(non_orthogonal=1)
    case = solve(mesh.moved(mesh.points * [1.0, 0.5]), at(40, alpha=12.0), march=march, schemes=schemes)
    own = forces(case)
    assert float(case.field("lift_coefficient").values) == pytest.approx(own.CL, abs=2e-3)
    assert float(case.field("drag_coefficient").values) == pytest.approx(own.CD, rel=2e-3)
    assert float(case.field("moment_coefficient").values) == pytest.approx(own.CM, abs=1e-3)
    assert own.CL > 0.1
    assert abs(own.CM) > 0.01


def test_drag_in_a_channel_is_that_of_the_body_alone():
    """Schäfer and Turek 1996, case 2D-1: drag 5.57953523, on triangles within 1 %."""
    pytest.importorskip("gmsh")
    mesh = channel()
    height = mesh.points[mesh.patches["inlet"].block("line")].mean(axis=1)[:, 1]
    profile = np.stack([4 * 0.3 * height * (0.41 - height) / 0.41**2, 0 * height], axis=1)
    point = OperatingPoint(0.2, density=1.0, viscosity=1e-3, reference_length=0.1)
    schemes = Schemes(convection="linear", non_orthogonal=1)
    case = solve(mesh, point, march=Steady(3000, residual=1e-6, relaxation=0.9), schemes=schemes, velocities={"inlet": profile})
    assert float(case.field("drag_coefficient").values) == pytest.approx(5.57953523, rel=0.01)
    assert case.wall == ("cylinder",)
    out = case.boundary["outlet"]["velocity"].values[:, 0]
    ends = mesh.points[mesh.patches["outlet"].block("line")]
    assert out @ np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) == pytest.approx(0.2 * 0.41, rel=1e-3)  # what flows in flows out


def channel() -> Mesh:
    """The channel of Schäfer and Turek with its cylinder, in triangles."""
    n = 200
    angle = 2 * np.pi * np.arange(n) / n
    ring = 4 + np.stack([np.arange(n), (np.arange(n) + 1) % n], axis=1)
    points = np.concatenate([[[0, 0], [2.2, 0], [2.2, 0.41], [0, 0.41]], 0.2 + 0.05 * np.stack([np.cos(angle), np.sin(angle)], axis=1)])
    sides = {"channel": [[0, 1], [2, 3]], "outlet": [[1, 2]], "inlet": [[3, 0]], "cylinder": ring}
    lines = {name: Cells.of(line=np.array(rows)) for name, rows in sides.items()}
    return mesh_inside(Mesh(points, Cells.concatenate(list(lines.values())), lines, name="2D-1"), size=0.02, wall_size=0.01, growth=0.1)


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="mpirun is not installed: apt-get install openmpi-bin")
def test_decomposed_runs_give_the_same(steady, tmp_path):
    ended = run(FoamCase(cylinder(96, 49, 40.0), at(40), STEADY, schemes=CENTRAL).write(tmp_path / "run"), at(40), limits=Limits(processors=2))
    assert ended.judgement.signals["Cd"].mean == pytest.approx(float(steady.field("drag_coefficient").values), rel=1e-4)
    assert len(ended.case.mesh.cells) == len(steady.mesh.cells)
    assert "wall_shear_stress" in ended.case.boundary["wall"]


def test_a_moving_lid_drags_the_cavity():
    """Ghia, Ghia and Shin 1982, Re 100: the smallest u on the vertical midline is -0.21090 at y = 0.4531."""
    n = 64
    x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1), indexing="ij")
    index = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=2).reshape(-1, 4)
    rest = np.concatenate([np.stack([row[:-1], row[1:]], axis=1) for row in (index[0], index[-1], index[:, 0])])
    patches = {"lid": Cells.of(line=np.stack([index[:-1, -1], index[1:, -1]], axis=1)), "walls": Cells.of(line=rest)}
    mesh = Mesh(np.stack([x.ravel(), y.ravel()], axis=1), Cells.of(quad=quads), patches, name="cavity")
    case = solve(mesh, at(100), march=STEADY, schemes=CENTRAL, velocities={"lid": np.array([1.0, 0.0])})
    u = case.field("velocity").values[:, 0].reshape(n, n)
    midline = 0.5 * (u[n // 2 - 1] + u[n // 2])
    assert midline.min() == pytest.approx(-0.21090, abs=2e-3)
    assert (np.argmin(midline) + 0.5) / n == pytest.approx(0.4531, abs=1 / n)


def test_a_mesh_that_checkmesh_refuses_never_runs(tmp_path):
    """Cells of a micrometre beside a wall of a metre that is cut into 48 pieces."""
    mesh = parabolic_cgrid(
        naca4("0012", n_points=1000), n_side=48, n_wake=24, n_normal=60, first_height=1e-6, nose_spacing=4e-3, tail_spacing=4e-3, aspect=1e6
    )
    folder = FoamCase(mesh, at(1e6), STEADY).write(tmp_path / "run")
    with pytest.raises(InvalidMeshError, match="checkMesh refuses the mesh: High aspect ratio cells found"):
        run(folder)
    assert not (folder / "log.simpleFoam").exists()


def test_a_step_far_too_long_is_an_error_and_no_sample(tmp_path):
    case = FoamCase(cylinder(48, 25, 40.0), at(100), Unsteady(500.0, 5.0, solver="icoFoam"), schemes=CENTRAL)
    with pytest.raises(ConvergenceError, match="the solver diverged or failed after"):
        run(case.write(tmp_path / "run"))


def test_a_killed_solver_is_named_and_the_case_can_be_run_again(tmp_path):
    folder = FoamCase(cylinder(96, 49, 40.0), at(40), STEADY, schemes=CENTRAL).write(tmp_path / "run")

    def kill(progress) -> None:
        if progress.time == 30:
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if process.joinpath("cwd").resolve() == folder.resolve() and b"simpleFoam" in process.joinpath("cmdline").read_bytes():
                        os.kill(int(process.name), signal.SIGKILL)
                except OSError:
                    continue

    with pytest.raises(ConvergenceError, match="signal 9"):
        run(folder, watch=kill)
    assert run(folder).judgement.outcome.ok


def test_a_users_template_is_run_over_a_table(tmp_path):
    made = FoamCase(cylinder(48, 25, 40.0), at(20), STEADY, schemes=CENTRAL).write(tmp_path / "template")
    properties = made / "constant" / "transportProperties"
    properties.write_text(properties.read_text().replace("0.05", "{{viscosity}}"))
    rows = [{"velocity": 1.0, "density": 1.0, "viscosity": 1 / re, "reference_length": 1.0} for re in (10.0, 20.0)]
    drags = []
    for folder, point in write_table(made, tmp_path / "runs", rows).values():
        drags.append(float(run(folder, point).case.field("drag_coefficient").values))
    assert 2.6 < drags[0] < 3.0  # Dennis and Chang 1970: 2.846 at Re 10, 2.045 at Re 20
    assert 1.95 < drags[1] < 2.15


@pytest.mark.slow
def test_rans_lifts_at_incidence_and_says_how_far_it_is_validated(tmp_path):
    """A coarse grid at Re 1e6: thin-aerofoil lift within 15 %, drag of the order of two turbulent plates (0.0090 at this Re), and the label."""
    settings = {"n_side": 72, "n_wake": 32, "n_normal": 56, "first_height": 4e-5, "nose_spacing": 2.5e-3, "tail_spacing": 2.5e-3}
    mesh = parabolic_cgrid(naca4("0012", n_points=4000), **settings)
    case = solve_rans(mesh, at(1e6, alpha=4.0), limits=Limits(seconds=600), folder=tmp_path)
    assert VALIDATED in case.mesh.notes
    assert float(case.field("lift_coefficient").values) == pytest.approx(2 * np.pi * np.radians(4), rel=0.15)
    assert 0.009 < float(case.field("drag_coefficient").values) < 0.015
    assert {"turbulent_viscosity", "modified_turbulent_viscosity"} <= set(case.fields)
    assert {path.name for path in tmp_path.iterdir()} == {"alpha-0", "upwind", "lust"}


@pytest.mark.slow
def test_other_models_are_called_experimental():
    settings = {"n_side": 72, "n_wake": 32, "n_normal": 56, "first_height": 4e-5, "nose_spacing": 2.5e-3, "tail_spacing": 2.5e-3}
    mesh = parabolic_cgrid(naca4("0012", n_points=4000), **settings)
    with pytest.warns(ExperimentalWarning, match="experimental"):
        case = solve(mesh, at(1e6), march=Steady(2000, residual=1e-6), turbulence=Turbulence("kOmegaSST"), roles={"outlet": "freestream"})
    assert EXPERIMENTAL in case.mesh.notes
    assert 0.008 < float(case.field("drag_coefficient").values) < 0.013


@pytest.mark.slow
def test_vortex_street_at_reynolds_100(tmp_path):
    """Strouhal number 0.164 to 0.166 (Williamson 1989: 0.164), mean drag 1.33 to 1.36, lift amplitude 0.32 to 0.35; far field 80 diameters away."""
    mesh = cylinder(128, 61, 80.0, first_height=0.01)
    centre = cell_centers(mesh)
    velocity = np.tile([1.0, 0.0], (len(centre), 1))
    velocity[:, 1] = 0.5 * np.exp(-((centre[:, 0] - 1.5) ** 2 + centre[:, 1] ** 2))  # a push upward behind the cylinder
    start = Case(mesh, fields={"velocity": Field(QUANTITIES["velocity"], velocity, "cell")})
    case = solve(mesh, at(100), march=Unsteady(150.0, 0.02, solver="icoFoam"), schemes=CENTRAL, start=start, limits=Limits(seconds=3600))
    assert float(case.field("strouhal_number").values) == pytest.approx(0.165, abs=0.001)
    assert float(case.field("drag_coefficient").values) == pytest.approx(1.345, abs=0.015)
    assert float(case.field("lift_amplitude").values) == pytest.approx(0.335, abs=0.015)
