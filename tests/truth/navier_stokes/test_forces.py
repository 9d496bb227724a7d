"""Forces by two ways, and what symmetry and momentum demand of them."""

import numpy as np
import pytest
from flow_meshes import cylinder_channel, rectangle, space

from geoop.errors import PatchError
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.mesh import Mesh
from geoop.truth.exact.poiseuille import Poiseuille
from geoop.truth.navier_stokes.forces import force, force_by_stress
from geoop.truth.navier_stokes.problem import NO_SLIP, FlowProblem
from geoop.truth.navier_stokes.steady import solve_steady


def symmetric_channel():
    """A half channel with half a cylinder, and its mirror image, as one mesh of patches inlet, outlet, walls, body."""
    angle = np.linspace(np.pi, 0, 13)
    arc = np.array([0.6, 0.0]) + 0.15 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring = np.concatenate([[[0.0, 0.0]], arc, [[2.0, 0.0], [2.0, 0.5], [0.0, 0.5]]])
    ring[[1, 13], 1] = 0.0
    lines = np.stack([np.arange(len(ring)), np.roll(np.arange(len(ring)), -1)], axis=1)
    names = {"body": lines[1:13], "outlet": lines[14:15], "walls": lines[15:16], "inlet": lines[16:17]}
    outline = Mesh(ring, Cells.of(line=lines), {key: Cells.of(line=rows) for key, rows in names.items()})
    half = mesh_inside(outline, size=0.1, wall_size=0.08)
    n = len(half.points)
    on_axis = np.abs(half.points[:, 1]) < 1e-12
    other = np.where(on_axis, np.arange(n), n + np.cumsum(~on_axis) - 1)
    points = np.concatenate([half.points, (half.points * [1, -1])[~on_axis]])
    triangles = half.cells.block("triangle")
    patches = {
        key: Cells.of(line=np.concatenate([half.patches[key].block("line"), other[half.patches[key].block("line")][:, ::-1]])) for key in names
    }
    mesh = Mesh(points, Cells.of(triangle=np.concatenate([triangles, other[triangles][:, ::-1]])), patches)

    def onto(x):
        away = x - [0.6, 0.0]
        return [0.6, 0.0] + 0.15 * away / np.linalg.norm(away, axis=1)[:, None]

    return quadratic(mesh, onto={"body": onto})


def test_no_lift_on_a_symmetric_mesh():
    inlet = Poiseuille(1.0, 1.0)
    conditions = {"inlet": lambda x, t: inlet.velocity(x + [0.0, 0.5]), "walls": NO_SLIP, "body": NO_SLIP}
    solution = solve_steady(FlowProblem(space(symmetric_channel()), 0.3 / 30, conditions, ("outlet",), reference_length=0.3))
    for way in (force, force_by_stress):
        found = way(solution, "body")
        assert abs(found.lift_coefficient) < 1e-9 < 1.0 < found.drag_coefficient


def test_both_ways_meet_under_refinement():
    gaps = []
    for segments, wall in ((16, 0.1), (64, 0.04)):
        problem = FlowProblem(
            space(cylinder_channel(segments, wall)), 1e-3, {"inlet": Poiseuille(0.2, 0.41).velocity, "walls": NO_SLIP, "body": NO_SLIP}, ("outlet",)
        )
        solution = solve_steady(problem)
        gaps.append(abs(force(solution, "body").x / force_by_stress(solution, "body").x - 1))
    assert gaps[1] < 2e-3 and gaps[1] < 0.3 * gaps[0]


def test_walls_of_a_channel_carry_the_shear():
    """Poiseuille: the stress integral over both walls is 2 tau_w L, and pushes them apart by nothing."""
    exact = Poiseuille(0.7, 0.4, 0.01)
    elements = space(rectangle(np.linspace(0, 1, 6), np.linspace(0, 0.4, 5)))
    problem = FlowProblem(elements, 0.01, {"left": exact.velocity, "top": NO_SLIP, "bottom": NO_SLIP}, ("right",), density=3.0)
    found = force_by_stress(solve_steady(problem), "top", "bottom")
    assert found.x == pytest.approx(3.0 * 2 * exact.wall_shear, rel=1e-12) and found.y == pytest.approx(0.0, abs=1e-12)
    assert found.drag_coefficient == pytest.approx(found.x / (0.5 * 3.0))


def test_reversed_inflow_has_reversed_stokes_drag():
    elements = space(cylinder_channel(16, 0.1))
    forces = []
    for sign in (1, -1):
        conditions = {"inlet": Poiseuille(sign * 1e-9, 0.41).velocity, "walls": NO_SLIP, "body": NO_SLIP}
        forces.append(force(solve_steady(FlowProblem(elements, 1.0, conditions, ("outlet",))), "body"))
    assert forces[0].x == pytest.approx(-forces[1].x, rel=1e-8) and forces[0].x > 0


def test_a_patch_must_be_named():
    problem = FlowProblem(space(cylinder_channel(16, 0.1)), 1.0, {"inlet": (0.0, 0.0), "walls": NO_SLIP, "body": NO_SLIP}, ("outlet",))
    solution = solve_steady(problem)
    with pytest.raises(PatchError, match="no patch is named"):
        force(solution)
    with pytest.raises(PatchError, match="no patch 'cylinder'"):
        force(solution, "cylinder")
