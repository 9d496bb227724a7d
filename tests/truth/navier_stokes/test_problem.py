"""Conditions of a flow problem: slip, symmetry, and what cannot be."""

import numpy as np
import pytest
from flow_meshes import cylinder_channel, rectangle, space

from geoop.errors import ConditionError, ConfigurationError, InvalidMeshError, PatchError
from geoop.fem.domain import Domain
from geoop.fem.taylor_hood import TaylorHood
from geoop.mesh.cells import Cells
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.truth.exact.poiseuille import Poiseuille
from geoop.truth.navier_stokes.problem import NO_SLIP, FlowProblem
from geoop.truth.navier_stokes.steady import solve_steady


@pytest.fixture(scope="module")
def elements():
    return space(rectangle(np.linspace(0, 1, 5), np.linspace(0, 0.5, 4)))


def turned(angle):
    mesh = rectangle(np.linspace(0, 1, 5), np.linspace(0, 0.5, 4))
    c, s = np.cos(angle), np.sin(angle)
    return mesh.moved(mesh.points @ np.array([[c, s], [-s, c]])), np.array([[c, s], [-s, c]])


@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_symmetry_plane_of_a_half_channel(angle):
    """Half of a Poiseuille flow with slip on its middle line is exact, along the axes and turned."""
    mesh, turn = turned(angle)
    exact = Poiseuille(1.0, 1.0, 0.1)

    def inlet(x, time):
        return exact.velocity(x @ turn.T) @ turn

    problem = FlowProblem(space(quadratic(mesh)), 0.1, {"left": inlet, "bottom": NO_SLIP}, ("right",), slip=("top",))
    solution = solve_steady(problem)
    assert np.allclose(solution.velocity, inlet(problem.space.places, 0.0), atol=1e-12)


def test_uniform_flow_between_frictionless_walls(elements):
    solution = solve_steady(FlowProblem(elements, 1e-3, {"left": (2.0, 0.0)}, ("right",), slip=("top", "bottom")))
    assert np.allclose(solution.velocity, [2.0, 0.0], atol=1e-12) and np.allclose(solution.pressure, 0.0, atol=1e-12)


def test_scaling():
    """Velocity, length and viscosity scaled at equal Reynolds number: the same flow; pressure with rho U^2."""
    mesh = cylinder_channel(24, 0.08)
    fields = []
    for velocity, length, density in ((0.2, 1.0, 1.0), (3.0, 7.0, 5.0)):
        inlet = Poiseuille(velocity, 0.41 * length)
        problem = FlowProblem(
            space(mesh.moved(mesh.points * length)),
            velocity * 0.1 * length / 20,
            {"inlet": inlet.velocity, "walls": NO_SLIP, "body": NO_SLIP},
            ("outlet",),
            density=density,
        )
        solution = solve_steady(problem)
        fields.append((solution.velocity / velocity, solution.pressure / (density * velocity**2)))
    assert np.allclose(fields[0][0], fields[1][0], atol=1e-9) and np.allclose(fields[0][1], fields[1][1], atol=1e-8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"viscosity": 0.0, "density": -1.0}, "viscosity is 0.0, must be positive and finite; density is -1.0"),
        ({"outlet": ()}, "3 of 14 facets of the boundary have no condition .patches without one: .'right'"),
        ({"slip": ("left",)}, r"patches \['left'\] have two conditions"),
        ({"velocity": {"left": (1.0, 0.0, 0.0), "top": NO_SLIP, "bottom": NO_SLIP}}, "velocity on 'left' has shape"),
        ({"velocity": {"left": lambda x, t: x[:, :1] * np.nan, "top": NO_SLIP, "bottom": NO_SLIP}}, "is not finite"),
        ({"velocity": {"left": (1.0, 0.0), "right": (0.5, 0.0), "top": NO_SLIP, "bottom": NO_SLIP}, "outlet": ()}, "without an outlet"),
    ],
    ids=["numbers", "uncovered", "twice", "shape", "nan", "unbalanced"],
)
def test_impossible_conditions(elements, changes, message):
    stated = {"viscosity": 1.0, "velocity": {"left": (1.0, 0.0), "top": NO_SLIP, "bottom": NO_SLIP}, "outlet": ("right",), **changes}
    with pytest.raises(ConditionError, match=message):
        solve_steady(FlowProblem(elements, **stated))


def test_a_facet_with_two_conditions(elements):
    mesh = elements.domain.mesh
    rim = Cells.concatenate([mesh.patches["left"], mesh.patches["top"]])
    doubled = space(Mesh(mesh.points, mesh.cells, {**mesh.patches, "rim": rim}, name="doubled"))
    count = len(mesh.patches["left"])
    with pytest.raises(ConditionError, match=f"^doubled: {count} facets belong to two patches"):
        FlowProblem(doubled, 1.0, {"left": (1.0, 0.0), "rim": NO_SLIP, "bottom": NO_SLIP}, ("right",))


def test_unknown_patch_curved_slip_and_wrong_cells(elements):
    with pytest.raises(PatchError, match="no patch.*inflow"):
        FlowProblem(elements, 1.0, {"inflow": NO_SLIP}, ("right",))
    with pytest.raises(ConditionError, match="slip patch 'body' is not straight"):
        FlowProblem(space(cylinder_channel(24, 0.08)), 1.0, {"inlet": (1.0, 0.0), "walls": NO_SLIP}, ("outlet",), slip=("body",))
    quad = Mesh(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), Cells.of(quad=np.array([[0, 1, 2, 3]])))
    with pytest.raises(InvalidMeshError, match="plane triangles"):
        space(quad)


def test_a_mesh_or_its_domain_serves_as_well_as_elements(elements):
    mesh = elements.domain.mesh
    conditions = {"left": Poiseuille(1.0, 0.5).velocity, "top": NO_SLIP, "bottom": NO_SLIP}
    expected = solve_steady(FlowProblem(elements, 0.1, conditions, ("right",))).unknowns
    for given in (mesh, Domain.of(mesh), TaylorHood(mesh)):
        problem = FlowProblem(given, 0.1, conditions, ("right",))
        assert isinstance(problem.space, TaylorHood) and problem.space.domain.mesh is mesh
        assert np.array_equal(solve_steady(problem).unknowns, expected)


def test_functions_of_other_arguments_are_refused_together(elements):
    velocity = {"left": lambda x: x, "top": lambda x, y, t: x, "bottom": lambda x, time=0.0: 0.0 * x}
    with pytest.raises(
        ConfigurationError, match=r"'left' is a function of \(x\), but is called as f\(points, time\); .*'top'.*; the force"
    ) as caught:
        FlowProblem(elements, 1.0, velocity, ("right",), force=lambda x, t: x)
    assert "'bottom'" not in caught.value.message and "f(points, time)" in caught.value.remedy


def test_remedies_are_about_what_is_wrong(elements):
    velocity = {"left": (1.0, 0.0), "top": NO_SLIP, "bottom": NO_SLIP}
    with pytest.raises(ConditionError, match="viscosity is -1") as caught:
        FlowProblem(elements, -1.0, velocity, ("right",))
    assert "viscosity" in caught.value.remedy and "patch" not in caught.value.remedy
    with pytest.raises(ConditionError, match="have no condition") as caught:
        FlowProblem(elements, 1.0, velocity)
    assert "patch" in caught.value.remedy and "viscosity" not in caught.value.remedy
