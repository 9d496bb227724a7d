"""Transfer between meshes: constants and linears exact, integrals kept, second order for the rest, all kinds of fields at once."""

import numpy as np
import pytest
from meshes_in_motion import cube, layers, square

from geoop.errors import ConfigurationError, FieldError, InvalidMeshError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk
from geoop.mesh.measure import cell_centers, cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import Field, Quantity
from geoop.solve.transfer.carry import transfer
from geoop.solve.transfer.conservative import Supermesh
from geoop.solve.transfer.interpolation import interpolated
from geoop.solve.transfer.moving_least_squares import moving_least_squares
from geoop.solve.transfer.overlaps import overlaps

METHODS = ["p1", "conservative", "moving-least-squares"]
PAIRS = {
    "triangles": lambda: (square(7, "triangle", 0.3), square(10, "triangle", 0.3, seed=1)),
    "quads to triangles": lambda: (square(6, "quad", 0.3), square(9, "triangle", 0.3, seed=1)),
    "mixed to quads": lambda: (square(6, "mixed", 0.3), square(5, "quad", 0.3, seed=1)),
    "one to itself": lambda: (square(5, "triangle", 0.3), square(5, "triangle", 0.3)),
    "tetrahedra": lambda: (cube(3, "tetra", 0.3), cube(4, "tetra", 0.3, seed=1)),
    "tetrahedra to hexahedra": lambda: (cube(3, "tetra", 0.3), cube(2, "hexahedron")),
}
SCALAR, VECTOR, TENSOR = Quantity("height", "h", "m"), Quantity("flow", "f", "m/s", 1), Quantity("strain", "e", "1", 2)


def means(mesh, function):
    """Means of a linear function in cells."""
    middles = Supermesh.of(mesh, mesh).middles
    return function(middles)


def linear_case(mesh):
    d = mesh.dimension
    slope = np.random.default_rng(0).uniform(-1, 1, (d, d))
    scalar, vector = (lambda x: 2.0 + x @ slope[0]), (lambda x: 1.0 + x @ slope)
    fields = [
        Field(SCALAR, scalar(mesh.points)),
        Field(VECTOR, vector(mesh.points)),
        Field(TENSOR, vector(mesh.points)[:, :, None] * np.ones(d)),
        Field(Quantity("load", "q", "Pa"), means(mesh, scalar), "cell"),
        Field(Quantity("velocity", "u", "m/s", 1), means(mesh, vector), "cell"),
        Field(Quantity("lift_coefficient", "CL"), np.array(0.3), "global"),
    ]
    return Case(mesh).with_fields(*fields), scalar, vector


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("method", METHODS)
def test_constants_and_linears_are_exact_for_all_kinds_of_fields(pair, method):
    old, new = PAIRS[pair]()
    case, scalar, vector = linear_case(old)
    there = transfer(case, new, method=method)
    assert list(there.fields) == list(case.fields) and there.mesh.patches.keys() == new.patches.keys()
    assert all(there.fields[name].quantity == field.quantity and there.fields[name].location == field.location for name, field in case.fields.items())
    assert np.abs(there.field("height").values - scalar(new.points)).max() < 1e-12
    assert np.abs(there.field("flow").values - vector(new.points)).max() < 1e-12
    assert np.abs(there.field("strain").values - vector(new.points)[:, :, None]).max() < 1e-12
    # without conservation cells are sampled at their centres, which for warped hexahedra and quads are not those of their simplices
    middles = Supermesh.of(new, new).middles if method == "conservative" else cell_centers(new)
    if method == "conservative" or set(old.cells.names) <= {"triangle", "tetra"}:
        assert np.abs(there.field("load").values - scalar(middles)).max() < 1e-12
        assert np.abs(there.field("velocity").values - vector(middles)).max() < 1e-12
    assert there.field("lift_coefficient").values == 0.3


@pytest.mark.parametrize("pair", PAIRS)
def test_the_conservative_one_keeps_every_integral(pair):
    old, new = PAIRS[pair]()
    rng = np.random.default_rng(3)
    case = Case(old).with_fields(
        Field(SCALAR, rng.normal(size=len(old.points))), Field(VECTOR, rng.normal(size=(len(old.cells), old.dimension)), "cell")
    )
    there, back = transfer(case, new, method="conservative"), Supermesh.of(new, new)
    before = Supermesh.of(old, old).whole @ case.field("height").values
    assert abs(back.whole @ there.field("height").values - before) < 1e-12
    total = [cell_measures(mesh) @ item.field("flow").values for mesh, item in ((old, case), (new, there))]
    assert np.abs(total[1] - total[0]).max() < 1e-12
    assert abs(Supermesh.of(old, new).missing) < 1e-12


def test_interpolation_does_not_keep_integrals():
    """The control: on rough values the others are off by percents."""
    old, new = PAIRS["triangles"]()
    rough = np.random.default_rng(3).normal(size=len(old.points)) + 1.0
    for method in ("p1", "moving-least-squares"):
        there = transfer(Case(old).with_fields(Field(SCALAR, rough)), new, method=method)
        assert abs(Supermesh.of(new, new).whole @ there.field("height").values - Supermesh.of(old, old).whole @ rough) > 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_smooth_fields_arrive_at_second_order(method):
    errors = {"point": [], "cell": []}
    for n in (8, 16, 32):
        old, new = square(n, "triangle", 0.2), square(n + n // 4, "triangle", 0.2, seed=1)
        smooth = lambda x: np.sin(3 * x[:, 0]) * np.cos(2 * x[:, 1])  # noqa: E731
        case = Case(old).with_fields(Field(SCALAR, smooth(old.points)), Field(Quantity("load", "q"), smooth(cell_centers(old)), "cell"))
        there = transfer(case, new, method=method)
        errors["point"].append(np.sqrt(np.mean((there.field("height").values - smooth(new.points)) ** 2)))
        errors["cell"].append(np.sqrt(np.mean((there.field("load").values - smooth(cell_centers(new))) ** 2)))
    for found in errors.values():
        assert np.log2(found[0] / found[2]) / 2 > 1.6, errors


def test_the_projection_is_the_best_one():
    """No P1 function of the target is nearer to the source's, in L2: the residual is orthogonal to all of them."""
    old, new = PAIRS["triangles"]()
    values, made = np.random.default_rng(0).normal(size=(len(old.points), 1)), Supermesh.of(old, new)
    found = made.points(values)
    assert np.abs(made.mixed @ values - made.own @ found).max() < 1e-14


def test_pieces_cover_both_meshes():
    a, b = square(5, "triangle", 0.3), square(8, "triangle", 0.3, seed=2)
    x, y = a.points[a.cells.block("triangle")], b.points[b.cells.block("triangle")]
    share, other = np.zeros(len(x)), np.zeros(len(y))
    for piece in overlaps(x, y):
        np.add.at(share, piece.first, piece.measure)
        np.add.at(other, piece.second, piece.measure)
        places = [np.einsum("mca,mad->mcd", inside, z) for inside, z in ((piece.in_first, x[piece.first]), (piece.in_second, y[piece.second]))]
        assert np.abs(places[0] - places[1]).max() < 1e-14
    assert np.abs(share - cell_measures(a)).max() < 1e-16 and np.abs(other - cell_measures(b)).max() < 1e-16


def test_thin_layers_are_cut_exactly():
    """Cells of 1e-5 by 1e-2 against the same mesh bent: integrals to rounding."""
    old = layers()
    a = 0.02
    new = old.moved(old.points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]))
    grown = layers().moved(1.0001 * old.points)
    made = Supermesh.of(old, grown)
    assert 0 < made.missing < 1e-3
    assert np.abs(made.points(np.ones((len(old.points), 1))) - 1).max() < 1e-10
    assert np.abs(Supermesh.of(old, new).cells(np.ones((len(old.cells), 1))) - 1).max() < 1e-10


def test_points_outside_get_the_nearest_boundary_value_or_an_error():
    old, new = disk(6), disk(10)  # the finer polygon leaves the coarser one
    case = Case(old).with_fields(Field(SCALAR, old.points[:, 0]))
    for method in ("p1", "conservative"):
        there = transfer(case, new, method=method)
        assert np.abs(there.field("height").values - new.points[:, 0]).max() < 0.02
        constant = transfer(Case(old).with_fields(Field(SCALAR, np.ones(len(old.points)))), new, method=method)
        assert np.abs(constant.field("height").values - 1).max() < 1e-12
    with pytest.raises(FieldError, match="points lie outside.*first"):
        transfer(case, new, outside="error")
    far = square(3).moved(square(3).points + 10.0)
    gone = interpolated(old, old.points, far.points)
    assert np.abs(np.linalg.norm(gone, axis=1) - 1).max() < 0.02
    assert np.abs(transfer(case, far, method="conservative").field("height").values - gone[:, 0]).max() < 1e-12


def test_clouds_need_no_cells_and_a_line_of_points_gives_constants():
    rng = np.random.default_rng(0)
    cloud, wanted = rng.random((60, 3)), rng.random((20, 3))
    value, slopes = moving_least_squares(cloud, wanted)
    assert np.abs(value @ (1 + cloud @ [1, 2, 3]) - 1 - wanted @ [1, 2, 3]).max() < 1e-12
    assert np.abs(np.stack([part @ (cloud @ [1, 2, 3]) for part in slopes], axis=1) - [1, 2, 3]).max() < 1e-11
    line = np.stack([np.linspace(0, 1, 30), np.zeros(30)], axis=1)
    value, _ = moving_least_squares(line, wanted[:, :2])
    assert np.abs(value @ np.ones(30) - 1).max() < 1e-12
    there = transfer(Case(Mesh(cloud)).with_fields(Field(SCALAR, cloud[:, 0])), Mesh(wanted), method="moving-least-squares")
    assert np.abs(there.field("height").values - wanted[:, 0]).max() < 1e-12


def test_the_rest_of_a_case_goes_along():
    old, new = square(4), square(5)
    imposed = {"left": {"pressure": Field(Quantity("pressure", "p", "Pa"), np.array(2.0), "global"), "height": Field(SCALAR, np.zeros(5))}}
    case = Case(old, OperatingPoint(velocity=3.0), {}, imposed, ("top",), 0.5, "run").with_fields(Field(SCALAR, np.ones(len(old.points))))
    there = transfer(case, new)
    assert there.operating_point == case.operating_point and there.time == 0.5 and there.name == "run" and there.wall == ("top",)
    assert list(there.boundary["left"]) == ["pressure"] and any("height on 'left'" in note for note in there.mesh.notes)


def test_bad_input_is_named_at_once():
    old = square(3)
    gap = np.ones(len(old.points))
    gap[2] = np.nan
    case = Case(old, fields={"height": Field(SCALAR, gap), "load": Field(Quantity("load", "q"), np.zeros(3), "facet")})
    with pytest.raises(FieldError) as error:
        transfer(case, square(4))
    assert "'height' has values that are not finite" in str(error.value) and "'load' lives on facets" in str(error.value)
    fine = Case(old).with_fields(Field(SCALAR, np.ones(len(old.points))))
    for wrong, kind in (({"method": "nearest"}, ConfigurationError), ({"outside": "zero"}, ConfigurationError)):
        with pytest.raises(kind):
            transfer(fine, square(4), **wrong)
    with pytest.raises(InvalidMeshError, match="3-D"):
        transfer(fine, cube(2))
    with pytest.raises(InvalidMeshError, match="moving-least-squares"):
        transfer(fine, Mesh(old.points, Cells.of(vertex=np.arange(len(old.points))[:, None])), method="conservative")
