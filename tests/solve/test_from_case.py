"""What a user says of a region becomes the case that the equation is solved for: exact solutions come out, and what is left out is insulated."""

import numpy as np
import pytest
from fem_shapes import cube, square
from schwarz_cases import given

from geoop.errors import ConfigurationError, FieldError, PatchError
from geoop.mesh.case import Case
from geoop.mesh.quantity import Quantity
from geoop.solve.equations import Diffusion, Elasticity, NonlinearDiffusion
from geoop.solve.from_case import driven_case, named_equation

HEAT = Diffusion()


def solved(case, equation=HEAT):
    return equation.discrete(case).solve()


def test_a_harmonic_polynomial_by_formulas():
    mesh = square(8)
    everywhere = dict.fromkeys(mesh.patches, "2*x - 3*y + 1")
    found = solved(driven_case(Case(mesh), HEAT, dirichlet=everywhere))
    np.testing.assert_allclose(found, 2 * mesh.points[:, 0] - 3 * mesh.points[:, 1] + 1, atol=1e-12)


def test_patches_that_are_not_named_are_insulated():
    mesh = square(8)
    found = solved(driven_case(Case(mesh), HEAT, dirichlet={"left": 1, "right": "2"}))
    np.testing.assert_allclose(found, 1 + mesh.points[:, 0], atol=1e-12)


def test_flux_source_and_conductivity():
    """-(a u')' = f with u(0) = 0 and a u'(1) = q: u = (q + f) x/a - f x^2/(2 a), whose nodal values the elements have on a grid of quads."""
    mesh = square(8, "quad")
    case = driven_case(Case(mesh), HEAT, dirichlet={"left": 0.0}, neumann={"right": "3"}, source="2", conductivity="4 + 0*y")
    x = mesh.points[:, 0]
    np.testing.assert_allclose(solved(case), (3 + 2) * x / 4 - 2 * x**2 / 8, atol=1e-12)


@pytest.mark.parametrize("location", ["point", "cell"])
def test_fields_of_the_file_by_name(location):
    mesh = square(6)
    n = len(mesh.points) if location == "point" else len(mesh.cells)
    case = Case(mesh).with_fields(given("kappa", np.full(n, 5.0), location=location), given("g", mesh.points[:, 1]))
    made = driven_case(case, HEAT, dirichlet={"left": "g"}, source=0.0, conductivity="kappa")
    assert made.fields["conductivity"].location == location
    rows = mesh.patch_points("left")
    np.testing.assert_array_equal(made.boundary["left"]["solution"].values, mesh.points[rows, 1])
    assert set(made.fields) == {"source", "conductivity"}


def test_what_the_file_carries_holds_where_nothing_is_said():
    mesh = square(6)
    left, right = (len(mesh.patch_points(name)) for name in ("left", "right"))
    carried = {"left": {"solution": given("solution", np.full(left, 7.0))}, "right": {"solution": given("solution", np.ones(right))}}
    flow = {"top": {"velocity": given("velocity", np.zeros(2), 1, "global")}}
    fields = {"source": given("source", np.zeros(len(mesh.points))), "pressure": given("pressure", np.ones(len(mesh.points)))}
    made = driven_case(Case(mesh, None, fields, {**carried, **flow}), HEAT, dirichlet={"right": 3.0})
    assert made.boundary["left"]["solution"].values[0] == 7.0 and made.boundary["right"]["solution"].values[0] == 3.0
    assert "top" not in made.boundary and set(made.fields) == {"source"}
    np.testing.assert_allclose(solved(made), 7 - 4 * mesh.points[:, 0], atol=1e-12)


def test_a_bar_is_pulled():
    """Uniaxial stress s: the strain along is s/E, across -nu s/E."""
    mesh = cube(3)
    steel = named_equation("elasticity", 3, young=200.0, poisson=0.25)
    stretched = "x*0.01, -0.25*0.01*y, -0.25*0.01*z"
    case = driven_case(Case(mesh), steel, dirichlet={"x_min": stretched}, neumann={"x_max": (2.0, 0.0, 0.0)})
    u = solved(case, steel).reshape(-1, 3)
    np.testing.assert_allclose(u, mesh.points * [0.01, -0.0025, -0.0025], atol=1e-12)


def test_named_equations():
    assert isinstance(named_equation("nonlinear", 2), NonlinearDiffusion)
    warm = named_equation("diffusion", 3, quantity=Quantity("temperature", "T", "K"))
    assert isinstance(warm, Diffusion) and warm.quantity.unit == "K"
    plane, solid = named_equation("elasticity", 2, plane="stress"), named_equation("elasticity", 3)
    assert isinstance(plane, Elasticity) and plane.law.state == "plane stress" and solid.law.state == "solid"
    for wrong in ({"name": "heat"}, {"name": "elasticity", "plane": "dance"}, {"name": "elasticity", "poisson": 0.7}):
        with pytest.raises(ConfigurationError):
            named_equation(**{"dimension": 2, **wrong})


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"dirichlet": {"lid": 1}, "neumann": {"lad": 1}}, PatchError, "'lad', 'lid'"),
        ({"dirichlet": {"left": 1}, "neumann": {"left": 1}}, ConfigurationError, "values and fluxes"),
        ({}, ConfigurationError, "nothing drives"),
        ({"dirichlet": {"left": "1, 2"}}, ConfigurationError, "2 components"),
        ({"dirichlet": {"left": "heat"}}, FieldError, "no field 'heat'"),
        ({"dirichlet": {"left": "of_cells"}}, FieldError, "needs values at points"),
        ({"dirichlet": {"left": np.ones(3)}}, ConfigurationError, "shape"),
        ({"dirichlet": {"left": np.nan}}, ConfigurationError, "not finite"),
        ({"dirichlet": {"left": "z"}}, ConfigurationError, "no z"),
    ],
)
def test_refusals(said, error, words):
    case = Case(square(4)).with_fields(given("of_cells", np.ones(32), location="cell"))
    with pytest.raises(error, match=words):
        driven_case(case, HEAT, **said)


def test_equations_without_a_conductivity_refuse_one():
    for equation in (NonlinearDiffusion(), Elasticity()):
        with pytest.raises(ConfigurationError, match="no conductivity"):
            driven_case(Case(square(3)), equation, dirichlet={"left": 0.0}, conductivity=2.0)
    with pytest.raises(ConfigurationError, match="2 components per point"):
        driven_case(Case(square(3)), Elasticity(), dirichlet={"left": "1"})
