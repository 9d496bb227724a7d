"""Forces against closed forms: buoyancy, d'Alembert, Kutta-Joukowski; their references, units and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConditionError, FieldError, InvalidMeshError, NonFiniteError, PatchError, UnitError
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.result import Result
from geoop.interfaces.verdict import Verdict
from geoop.mesh.body import wall_patches
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.measure import area_vectors, cell_centers, enclosed_volume
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, circle, icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.results.forces import forces
from geoop.results.wall import wall_of
from geoop.truth.exact.karman_trefftz import KarmanTrefftz

GRAVITY = 1000.0 * 9.81
STREAM = OperatingPoint(velocity=60.0, alpha=4.0)


def pressure(values: np.ndarray, location="point", unit: str = "Pa") -> Field:
    return Field(Quantity("pressure", "p", unit), values, location)


def coefficient(values: np.ndarray) -> Field:
    return Field(QUANTITIES["pressure_coefficient"], values)


def rotation(dimension: int, seed: int = 0) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(dimension, dimension)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else q[:, ::-1]


def warped_box() -> Mesh:
    mesh = box((0, 0, 0), (2, 1, 1), divisions=4)
    rng = np.random.default_rng(1)
    return mesh.moved(mesh.points + 0.15 * np.stack([np.sin(mesh.points @ rng.normal(size=3) + k) for k in range(3)], axis=1))


def prism(sides: int) -> Mesh:
    angle = 2 * np.pi * np.arange(sides) / sides
    bottom = np.stack([np.cos(angle), 0.7 * np.sin(angle), np.zeros(sides)], axis=1)
    points = np.concatenate([bottom, bottom + [0.2, 0.1, 1.3]])
    i = np.arange(sides)
    quads = np.stack([i, np.roll(i, -1), np.roll(i, -1) + sides, i + sides], axis=1)
    caps = Cells.ragged("polygon", [i[::-1], i + sides])
    return Mesh(points, Cells.concatenate([Cells.of(quad=quads), caps]), name="prism")


def arcs(count: int) -> Mesh:
    angle = 2 * np.pi * np.arange(2 * count) / (2 * count)
    i = 2 * np.arange(count)
    lines = np.stack([i, (i + 2) % (2 * count), i + 1], axis=1)
    return Mesh(np.stack([np.cos(angle), np.sin(angle)], axis=1), Cells.of(line3=lines), name="circle of arcs")


def curved_sphere() -> Mesh:
    mesh = icosphere(1)
    corners = mesh.cells.block("triangle")
    edge = np.sort(np.stack([corners, np.roll(corners, -1, axis=1)], axis=2), axis=2).reshape(-1, 2)
    unique, number = np.unique(edge, axis=0, return_inverse=True)
    middle = mesh.points[unique].sum(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    cells = np.concatenate([corners, len(mesh.points) + number.reshape(-1, 3)], axis=1)
    return Mesh(np.concatenate([mesh.points, middle]), Cells.of(triangle6=cells), name="curved sphere")


BODIES = [
    icosphere(2),
    box(),
    box((-1, 0, 2), (3, 1, 5), divisions=3),
    warped_box(),
    prism(5),
    prism(6),
    circle(30),
    naca4("2412"),
    arcs(12),
    curved_sphere(),
]


def shuffled(mesh: Mesh, seed: int = 3) -> Mesh:
    """The same body in other axes, with facets in random order and half of them wound the wrong way, as bad files have them."""
    rng = np.random.default_rng(seed)
    cells = mesh.cells.take(rng.permutation(len(mesh.cells)))
    cells = reversed_cells(cells, rng.random(len(cells)) < 0.5)
    return Mesh(mesh.points @ rotation(mesh.dimension, seed).T + rng.normal(size=mesh.dimension), cells, name=mesh.name)


@pytest.mark.parametrize("mesh", BODIES, ids=lambda mesh: f"{mesh.name}-{len(mesh.cells)}")
def test_hydrostatic_pressure_gives_the_weight_of_the_displaced_fluid(mesh: Mesh) -> None:
    volume = enclosed_volume(mesh)
    for body in (mesh, shuffled(mesh)):
        up = rotation(mesh.dimension, 7)[0]
        found = forces(Case(body, fields={"pressure": pressure(5e3 - GRAVITY * body.points @ up)}))
        assert np.allclose(found.force, GRAVITY * volume * up, rtol=0, atol=1e-12 * (GRAVITY * volume + 5e3) * 10)
        assert abs(found.force @ up / (GRAVITY * volume) - 1) < 1e-12
        assert found.total.closed and found.notes == ()


@pytest.mark.parametrize(
    ("mesh", "centroid"),
    [(icosphere(1), np.zeros(3)), (box(), np.full(3, 0.5)), (prism(6), np.array([0.1, 0.05, 0.65])), (circle(25), np.zeros(2))],
    ids=["sphere", "box", "prism", "circle"],
)
def test_buoyancy_acts_at_the_centre_of_the_volume(mesh: Mesh, centroid: np.ndarray) -> None:
    """Exact for linear pressures: no moment about the centroid of the enclosed volume, and arm x force about any other point."""
    for up in np.eye(mesh.dimension):
        case = Case(mesh, fields={"pressure": pressure(-mesh.points @ up)})
        assert np.abs(forces(case, reference_point=centroid).moment).max() < 1e-13
        arm = np.arange(1.0, mesh.dimension + 1)
        expected = np.cross(np.append(arm, np.zeros(3 - len(arm))), np.append(up, np.zeros(3 - len(up)))) * enclosed_volume(mesh)
        assert np.allclose(forces(case, reference_point=centroid - arm).moment, expected, atol=1e-12)


@pytest.mark.parametrize("mesh", [icosphere(2), prism(6), box(divisions=2), arcs(9), naca4()], ids=lambda mesh: mesh.name)
def test_area_vectors_of_the_wall_are_those_of_the_mesh(mesh: Mesh) -> None:
    wall = wall_of(Case(mesh))
    whole = np.stack([np.bincount(wall.facet, weights=column) for column in wall.area.T], axis=1)
    assert np.allclose(whole, area_vectors(mesh)[wall.owner], atol=1e-14)


def test_potential_flow_around_a_sphere_has_no_force() -> None:
    mesh = icosphere(3)
    point = OperatingPoint(velocity=30.0)
    sine2 = 1 - (mesh.points @ point.direction(3)) ** 2
    found = forces(Case(mesh, point, {"pressure_coefficient": coefficient(1 - 2.25 * sine2)}), reference_area=np.pi)
    assert abs(found.pressure_drag) / (point.dynamic_pressure * np.pi) < 1e-14
    assert abs(found.CL) < 1e-14
    assert found.CD is None and found.drag is None
    assert "none (inviscid)" in str(found)


def test_cylinder_with_circulation_lifts_rho_U_gamma_at_second_order() -> None:
    radius, gamma = 0.7, 55.0
    errors = []
    for count in (40, 80, 160, 320):
        mesh = circle(count, radius)
        angle = np.arctan2(*(mesh.points[:, ::-1]).T) - np.radians(STREAM.alpha)
        speed = -2 * STREAM.velocity * np.sin(angle) - gamma / (2 * np.pi * radius)
        found = forces(Case(mesh, STREAM, {"pressure_coefficient": coefficient(1 - (speed / STREAM.velocity) ** 2)}), reference_length=2 * radius)
        errors.append(abs(found.lift / (STREAM.density * STREAM.velocity * gamma) - 1))
        assert abs(found.pressure_drag) < 1e-10
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 1e-4 and (orders > 1.9).all()


def test_karman_trefftz_lift_and_quarter_chord_moment() -> None:
    flow = KarmanTrefftz(-0.1, 0.05, 15.0, chord=2.0)
    angle = 2 * np.pi * np.arange(400) / 400
    case = Case(flow.outline(angle), STREAM, {"pressure_coefficient": coefficient(flow.pressure_coefficient(flow.circle(angle), STREAM))})
    found = forces(case)
    assert found.references.length == pytest.approx(2.0, rel=1e-4)
    assert found.references.length_source == "chord of the outline" and found.references.point_source == "quarter chord"
    assert found.CL == pytest.approx(2 * flow.circulation(STREAM) / (60.0 * found.references.length), rel=1e-4)
    assert abs(found.pressure_drag) < 1e-4 * found.lift
    assert -0.2 < found.CM < 0.0  # positive camber: nose down about the quarter chord
    nose = forces(case, reference_point=(0.0, 0.0))
    normal_force = found.force[1] * found.references.point[0] - found.force[0] * found.references.point[1]
    assert nose.CM == pytest.approx(found.CM - normal_force / (STREAM.dynamic_pressure * 4.0), rel=1e-3)


def test_lift_in_front_of_the_reference_point_pitches_nose_up() -> None:
    plane = box((0, 0), (1, 0.1))
    suction = pressure(-(1 - plane.points[:, 0]) * (plane.points[:, 1] > 0.05))
    found = forces(Case(plane, OperatingPoint(1.0), {"pressure": suction}), reference_point=(0.9, 0.0), reference_length=1.0)
    assert found.CL > 0 and found.CM > 0
    body = box((0, -1, 0), (1, 1, 0.1))
    loads = pressure(-(1 - body.points[:, 0]) * (body.points[:, 2] > 0.05))
    solid = forces(Case(body, OperatingPoint(1.0), {"pressure": loads}), reference_area=2.0, reference_length=1.0, reference_point=(0.9, 0, 0))
    assert solid.CL > 0 and solid.CM > 0
    assert abs(solid.moment[0]) < 1e-15


def test_patches_add_up_and_one_patch_of_a_closed_body_points_outward() -> None:
    mesh = box((0, 0, 0), (2, 1, 3), divisions=2)
    rng = np.random.default_rng(0)
    case = Case(mesh, fields={"pressure": pressure(rng.normal(size=len(mesh.points)))})
    found = forces(case)
    assert set(found.patches) == {"x_min", "x_max", "y_min", "y_max", "z_min", "z_max"}
    for key in ("pressure", "friction", "moment"):
        assert np.allclose(sum(getattr(p, key) for p in found.patches.values()), getattr(found.total, key), atol=1e-14)
    one = forces(Case(mesh, fields={"pressure": pressure(np.ones(len(mesh.points)))}), patches=["x_max"])
    assert np.allclose(one.force, [-3.0, 0, 0])
    assert one.total.area == pytest.approx(3.0)
    assert not one.total.closed and "not closed" in one.notes[0]
    two = forces(case, patches=["x_max", "y_min"])
    assert np.allclose(two.force, found.patches["x_max"].force + found.patches["y_min"].force)


def test_forces_turn_and_move_with_the_body() -> None:
    rng = np.random.default_rng(5)
    mesh = warped_box()
    values, traction = rng.normal(size=len(mesh.points)), rng.normal(size=mesh.points.shape)
    turn, shift = rotation(3, 2), rng.normal(size=3)
    stress = QUANTITIES["wall_shear_stress"]
    first = forces(Case(mesh, fields={"pressure": pressure(values), "wall_shear_stress": Field(stress, traction)}), reference_point=np.ones(3))
    moved = Case(
        mesh.moved(mesh.points @ turn.T + shift), fields={"pressure": pressure(values), "wall_shear_stress": Field(stress, traction @ turn.T)}
    )
    second = forces(moved, reference_point=turn @ np.ones(3) + shift)
    assert np.allclose(second.force, turn @ first.force, atol=1e-13)
    assert np.allclose(second.moment, turn @ first.moment, atol=1e-13)


def test_friction_of_a_uniform_shear_is_area_times_stress_and_makes_drag_a_number() -> None:
    mesh = box((0, 0, 0), (2, 1, 0.5), divisions=2)
    stress = np.tile([3.0, 0.0, 0.0], (len(mesh.points), 1))
    fields = {"pressure": pressure(np.zeros(len(mesh.points))), "wall_shear_stress": Field(QUANTITIES["wall_shear_stress"], stress)}
    found = forces(Case(mesh, OperatingPoint(10.0), fields), reference_area=2.0)
    area = 2 * (2 + 1 + 0.5)
    assert np.allclose(found.force, [3 * area, 0, 0])
    assert found.CD == pytest.approx(3 * area / (0.5 * 1.225 * 100 * 2.0))
    assert found.pressure_drag == pytest.approx(0.0)
    cells = {
        "pressure": pressure(np.zeros(len(mesh.cells)), "cell"),
        "wall_shear_stress": Field(QUANTITIES["wall_shear_stress"], stress[: len(mesh.cells)], "cell"),
    }
    assert np.allclose(forces(Case(mesh, OperatingPoint(10.0), cells), reference_area=2.0).force, [3 * area, 0, 0])
    q = OperatingPoint(10.0).dynamic_pressure
    skin = {"pressure": pressure(np.zeros(len(mesh.points))), "skin_friction_coefficient": Field(QUANTITIES["skin_friction_coefficient"], stress / q)}
    assert forces(Case(mesh, OperatingPoint(10.0), skin), reference_area=2.0).CD == pytest.approx(found.CD)


def test_values_at_cells_and_facets() -> None:
    mesh = icosphere(3)
    up = np.array([0.0, 0.0, 1.0])
    centers = cell_centers(mesh)
    for location in ("cell", "facet"):
        found = forces(Case(mesh, fields={"pressure": pressure(-GRAVITY * centers @ up, location)}))
        assert np.allclose(found.force, GRAVITY * enclosed_volume(mesh) * up, atol=1e-9)
    with pytest.raises(FieldError, match="320 values at facets"):
        forces(Case(mesh, fields={"pressure": pressure(np.zeros(320), "facet")}))


# ---- volume meshes ---------------------------------------------------------------------------------------------------


def annulus(count: int = 24, layers: int = 5) -> Mesh:
    """Quads between two circles; patch facets listed in random winding."""
    angle = 2 * np.pi * np.arange(count) / count
    points = np.concatenate([(1 + 0.3 * k) * np.stack([np.cos(angle), np.sin(angle)], axis=1) for k in range(layers + 1)])
    i = np.arange(count)
    j = np.roll(i, -1)
    quads = np.concatenate([np.stack([i, j, j + count, i + count], axis=1) + k * count for k in range(layers)])
    ring = np.stack([i, j], axis=1)
    ring[::3] = ring[::3, ::-1]
    return Mesh(points, Cells.of(quad=quads), {"wall": Cells.of(line=ring), "farfield": Cells.of(line=ring + layers * count)}, name="annulus")


def hollow_block() -> Mesh:
    """27 hexahedra without the middle one; ``wall`` is its six sides, ``outlet`` one outer side."""
    n = np.arange(4)
    points = np.stack(np.meshgrid(n, n, n, indexing="ij"), axis=-1).reshape(-1, 3).astype(float)
    at = lambda i, j, k: (i * 4 + j) * 4 + k  # noqa: E731
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    cells = [[at(i + a, j + b, k + c) for a, b, c in corners] for i in range(3) for j in range(3) for k in range(3) if (i, j, k) != (1, 1, 1)]
    inner = [at(1 + a, 1 + b, 1 + c) for a, b, c in corners]
    sides = np.array(inner)[np.array([(0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (3, 2, 6, 7), (0, 3, 7, 4), (1, 2, 6, 5)])]
    outlet = np.array([[at(3, j, k), at(3, j + 1, k), at(3, j + 1, k + 1), at(3, j, k + 1)] for j in range(3) for k in range(3)])
    return Mesh(points, Cells.of(hexahedron=np.array(cells)), {"wall": Cells.of(quad=sides), "outlet": Cells.of(quad=outlet)}, name="block")


def test_facets_of_a_volume_mesh_point_into_the_fluid() -> None:
    plane = annulus()
    area = 0.5 * 24 * np.sin(2 * np.pi / 24)
    found = forces(Case(plane, fields={"pressure": pressure(-plane.points[:, 1])}))
    assert np.allclose(found.force, [0, area], atol=1e-14)
    assert set(found.patches) == {"wall"} and found.total.closed
    far = forces(Case(plane, fields={"pressure": pressure(-plane.points[:, 1])}), patches=["farfield"])
    assert far.force[1] == pytest.approx(-area * 2.5**2)  # seen from outside: the normal points into the fluid there too
    solid = hollow_block()
    found = forces(Case(solid, fields={"pressure": pressure(-solid.points @ [1.0, 2.0, 3.0])}))
    assert np.allclose(found.force, [1, 2, 3], atol=1e-14)


def test_cell_values_of_a_volume_mesh_are_first_order_and_said_so() -> None:
    plane = annulus(layers=40)
    found = forces(Case(plane, fields={"pressure": pressure(-cell_centers(plane)[:, 1], "cell")}))
    assert found.force[1] == pytest.approx(0.5 * 24 * np.sin(2 * np.pi / 24), rel=0.2)
    assert any("first order" in note for note in found.notes)


def test_a_wall_patch_from_another_mesh_is_refused() -> None:
    mesh = annulus()
    loose = Mesh(mesh.points, mesh.cells, {"wall": Cells.of(line=np.array([[0, 50]]))}, name="loose")
    with pytest.raises(InvalidMeshError, match="bound no cell"):
        forces(Case(loose, fields={"pressure": pressure(np.zeros(len(mesh.points)))}))


# ---- surfaces that are the boundary of a flow --------------------------------------------------------------------------


def exported(body: tuple[tuple[float, ...], tuple[float, ...]], names: dict[str, str], *, body_name: str = "car", without: str = "") -> Mesh:
    """A block in a box of 6 m, its sides called ``names`` by face: what a solver exports as surfaces. A side that the block touches is cut open there."""
    room = box((0.0, 0.0, 0.0), (6.0, 6.0, 6.0), divisions=6)
    block = box(*body, divisions=2)
    parts = {}
    for face, cells in room.patches.items():
        quads = cells.connectivity.reshape(-1, 4)
        if face != without:
            parts.setdefault(names[face], []).append((room.points, quads))
    touching = []
    for cells in block.patches.values():
        quads = cells.connectivity.reshape(-1, 4)
        middle = block.points[quads].mean(axis=1)
        inside = ((middle > 1e-9) & (middle < 6 - 1e-9)).all(axis=1)
        touching.append(middle[~inside])
        parts.setdefault(body_name, []).append((block.points, quads[inside]))
    cut = np.concatenate(touching)
    points, cells, patches, count = [], [], {}, 0
    for name, pieces in parts.items():
        own = []
        for place, quads in pieces:
            middle = place[quads].mean(axis=1)
            keep = np.ones(len(quads), bool) if name == body_name or not len(cut) else (abs(middle[:, None] - cut).max(axis=2) > 1e-9).all(axis=1)
            points.append(place)
            own.append(quads[keep] + count)
            count += len(place)
        patches[name] = Cells.of(quad=np.concatenate(own))
        cells.append(patches[name])
    return Mesh(np.concatenate(points), Cells.concatenate(cells), patches, name="exported")


SIDES = ("x_min", "x_max", "y_min", "y_max", "z_min", "z_max")
FREE, ON_THE_GROUND = ((2.0, 2.0, 2.0), (4.0, 4.0, 4.0)), ((2.0, 2.0, 0.0), (4.0, 4.0, 2.0))
TUNNEL = dict(zip(SIDES, ("inlet", "outlet", "sides", "sides", "ground", "top"), strict=True))


def buoyancy(mesh: Mesh, patches=None):
    return forces(Case(mesh, fields={"pressure": pressure(-GRAVITY * mesh.points[:, 2])}), patches=patches)


@pytest.mark.parametrize("names", [dict.fromkeys(SIDES, "farfield"), TUNNEL, dict.fromkeys(SIDES, "box")], ids=["far field", "tunnel", "box"])
def test_a_body_inside_of_the_exported_boundary_of_its_flow_is_a_body_and_no_cavity(names) -> None:
    found = buoyancy(exported(FREE, names), ["car"])
    assert np.allclose(found.force, [0, 0, 8 * GRAVITY], atol=1e-8 * GRAVITY) and found.patches["car"].closed
    assert any("boundary of a flow" in note for note in found.notes)


def test_only_walls_of_an_exported_boundary_are_counted_unless_others_are_named() -> None:
    mesh = exported(FREE, dict.fromkeys(SIDES, "farfield"))
    assert set(buoyancy(mesh).patches) == {"car"}
    far = buoyancy(mesh, ["farfield"])
    assert np.allclose(far.force, [0, 0, -216 * GRAVITY])  # the normal points into the fluid there, too
    assert not any("cavity" in note for note in far.notes) and set(buoyancy(exported(FREE, dict.fromkeys(SIDES, "box"))).patches) == {"car"}
    assert wall_patches(exported(FREE, TUNNEL)) == ("ground", "car")


@pytest.mark.parametrize("without", ["", "z_min"], ids=["closed", "without the ground"])
@pytest.mark.parametrize("names", [TUNNEL, dict.fromkeys(SIDES, "box")], ids=["tunnel", "box"])
def test_a_body_on_the_ground_is_pushed_as_on_a_volume_mesh(names, without) -> None:
    found = buoyancy(exported(ON_THE_GROUND, names, without=without), ["car"])
    top, sides = 4.0 * 2.0, 0.0  # the pressure on the roof, 2 m high; what acts on the four sides cancels
    assert np.allclose(found.force, [sides, sides, top * GRAVITY], atol=1e-8 * GRAVITY)
    assert any("not closed (open area 4 m^2)" in note for note in found.notes)


def test_inlets_of_a_body_do_not_turn_it_inside_out() -> None:
    nacelle = box((0.0, 0.0, 0.0), (2.0, 1.0, 1.0), divisions=4)
    quads = nacelle.cells.connectivity.reshape(-1, 4)
    inner = (abs(nacelle.points[quads].mean(axis=1)[:, 1:] - 0.5) < 0.3).all(axis=1)
    front, back = (np.isclose(nacelle.points[quads].mean(axis=1)[:, 0], x) & inner for x in (0.0, 2.0))
    named = {"inlet": front, "outlet": back, "skin": ~(front | back)}
    mesh = Mesh(nacelle.points, nacelle.cells, {name: nacelle.cells.take(np.flatnonzero(index)) for name, index in named.items()}, name="nacelle")
    assert np.allclose(buoyancy(mesh).force, [0, 0, 2 * GRAVITY], atol=1e-8 * GRAVITY) and set(wall_patches(mesh)) == set(named)


def test_the_wall_of_a_cavity_is_called_one() -> None:
    found = buoyancy(exported(FREE, dict.fromkeys(SIDES, "shell")), ["car"])
    assert np.allclose(found.force, [0, 0, -8 * GRAVITY], atol=1e-8 * GRAVITY)
    assert any("'car' lies inside of another closed part" in note for note in found.notes)


# ---- values on the facets ----------------------------------------------------------------------------------------------


def test_a_solver_s_values_on_the_wall_go_before_those_of_the_cells() -> None:
    solid = hollow_block()
    count = len(solid.patches["wall"])
    middles = cell_centers(solid.submesh(solid.patches["wall"]))
    cells = pressure(np.zeros(len(solid.cells)), "cell")
    wall = {"pressure": pressure(-middles @ [1.0, 2.0, 3.0], "facet")}
    found = forces(Case(solid, fields={"pressure": cells}, boundary={"wall": wall}), patches=["wall"])
    assert np.allclose(found.force, [1, 2, 3], atol=1e-14) and "at the facets of the wall" in found.references.pressure
    assert not any("first order" in note for note in found.notes)
    both = forces(Case(solid, fields={"pressure": cells}, boundary={"wall": wall}), patches=["outlet", "wall"])
    assert np.allclose(both.patches["wall"].pressure, [1, 2, 3], atol=1e-14) and not both.patches["outlet"].pressure.any()
    assert "some patches" in both.references.pressure and any("first order" in note for note in both.notes)
    other = {"pressure": pressure(np.ones(count), "facet", "kPa")}  # of another unit: not the same field
    assert not forces(Case(solid, fields={"pressure": cells}, boundary={"wall": other}), patches=["wall"]).force.any()


def test_openfoam_s_own_friction_is_turned_and_multiplied_by_the_density() -> None:
    solid = hollow_block()
    zero = np.zeros((len(solid.cells), 3))
    stress = Quantity("kinematic_wall_shear_stress", "tau_w/rho", "m^2/s^2", 1)
    wall = {stress.name: Field(stress, np.tile([-0.5, 0.0, 0.0], (6, 1)), "facet")}
    case = Case(solid, fields={"pressure": pressure(zero[:, 0], "cell"), stress.name: Field(stress, zero, "cell")}, boundary={"wall": wall})
    assert np.allclose(forces(case, patches=["wall"], density=2.0).force, [6.0, 0.0, 0.0])
    assert forces(case, patches=["wall"]).references.friction == "none"  # nobody states a density


def test_vectors_that_may_be_friction_are_not_passed_over_in_silence() -> None:
    ball = icosphere(2)
    stress = Field(Quantity("wallShearStress", "wallShearStress", "Pa", 1), np.ones_like(ball.points))
    found = forces(Case(ball, fields={"pressure": pressure(ball.points[:, 2]), "wallShearStress": stress}))
    assert found.references.friction == "none" and any("'wallShearStress' is not counted" in note for note in found.notes)


# ---- units, references, refusals --------------------------------------------------------------------------------------


def test_kinematic_pressure_needs_a_density_and_is_never_guessed() -> None:
    mesh = circle(20)
    values = -mesh.points[:, 1]
    static = forces(Case(mesh, fields={"pressure": pressure(1.2 * values)}))
    kinematic = Case(mesh, fields={"pressure": pressure(values, unit="m^2/s^2")})
    with pytest.raises(ConditionError, match="no density"):
        forces(kinematic)
    found = forces(kinematic, density=1.2)
    assert np.allclose(found.force, static.force)
    assert "kinematic [m^2/s^2] times density 1.2" in str(found)
    unknown = Case(mesh, fields={"pressure": pressure(values, unit="1")})
    with pytest.raises(UnitError, match="cannot be told apart"):
        forces(unknown)
    assert np.allclose(forces(unknown, pressure_unit="m^2/s^2", density=1.2).force, static.force)
    with pytest.raises(UnitError, match="pressure_unit='Pa' was given"):
        forces(kinematic, pressure_unit="Pa", density=1.2)
    with pytest.raises(ConditionError, match="contradicts"):
        forces(Case(mesh, STREAM, {"pressure": pressure(values)}), density=1.0)


def test_reference_pressure_matters_only_where_the_wall_is_open() -> None:
    mesh = box(divisions=2)
    case = Case(mesh, fields={"pressure": pressure(101325 - 10 * mesh.points[:, 2])})
    assert np.allclose(forces(case).force, forces(case, reference_pressure=101325).force, atol=1e-9)
    assert forces(case, patches=["z_max"]).force[2] == pytest.approx(-101315)
    assert forces(case, patches=["z_max"], reference_pressure=101325).force[2] == pytest.approx(10)


def test_references_are_stated() -> None:
    section = naca4("2412", chord=0.5)
    case = Case(section, STREAM, {"pressure_coefficient": coefficient(np.zeros(len(section.points)))})
    text = str(forces(case))
    for words in (
        "length 0.5",
        "chord of the outline",
        "density 1.225 kg/m^3",
        "speed 60 m/s",
        "quarter chord",
        "coefficient [1] at points",
        "friction   none",
    ):
        assert words in text
    known = Case(section, OperatingPoint(60.0, reference_length=0.4), case.fields)
    assert forces(known).references.length == 0.4 and "of the operating point" in str(forces(known))
    assert forces(known, reference_length=0.3).references.length == 0.3
    data = forces(case).to_dict()
    assert data["CD"] is None and data["drag_note"] == "none (inviscid)" and data["references"]["density"] == 1.225


def test_viscous_flow_without_friction_says_that_drag_is_incomplete() -> None:
    section = naca4()
    point = OperatingPoint(60.0, viscosity=1.8e-5)
    case = Case(section, point, {"pressure_coefficient": coefficient(section.points[:, 0])})
    found = forces(case)
    assert found.CD is not None and any("pressure part only" in note for note in found.notes)
    result = Result(case, Outcome(), Verdict("inside", "a test"), lambda points: {}, viscous=False)
    assert forces(result).CD is None  # an inviscid predictor has no drag, whatever the case states
    assert forces(result).CL == found.CL


def test_missing_things_are_named_with_a_remedy() -> None:
    mesh = icosphere(1)
    zero = pressure(np.zeros(len(mesh.points)))
    with pytest.raises(ConditionError, match="reference area") as error:
        forces(Case(mesh, STREAM, {"pressure": zero}))
    assert "reference_area" in error.value.remedy
    with pytest.raises(PatchError, match="neither 'pressure' nor"):
        forces(Case(mesh))
    with pytest.raises(PatchError, match="nose"):
        forces(Case(box(), fields={"pressure": pressure(np.zeros(8))}), patches=["x_min", "nose"])
    with pytest.raises(ConditionError, match="only with a density and a speed"):
        forces(Case(mesh, fields={"pressure_coefficient": coefficient(np.zeros(len(mesh.points)))}))
    with pytest.raises(ConditionError, match="already relative"):
        forces(Case(circle(9), STREAM, {"pressure_coefficient": coefficient(np.zeros(9))}), reference_pressure=1e5)
    with pytest.raises(NonFiniteError, match="2 facets"):
        forces(Case(circle(9), fields={"pressure": pressure(np.where(np.arange(9) == 4, np.nan, 0.0))}))
    with pytest.raises(ConditionError) as error:
        forces(Case(circle(9), STREAM, {"pressure": pressure(np.zeros(9))}), reference_area=1.0, reference_length=-1.0, reference_point=(0, 0, 0))
    assert all(word in str(error.value) for word in ("2-D", "reference_length is -1.0", "reference_point"))


def test_patches_that_share_facets_are_not_counted_twice() -> None:
    mesh = circle(12)
    both = Mesh(mesh.points, mesh.cells, {"wall": mesh.cells, "upper": mesh.cells.take(np.arange(6))}, name="overlap")
    case = Case(both, fields={"pressure": pressure(-mesh.points[:, 1])})
    with pytest.raises(PatchError, match="several of the patches"):
        forces(case)
    assert forces(case, patches=["wall"]).force[1] == pytest.approx(enclosed_volume(mesh))


def test_field_points_beside_the_outline_do_not_matter() -> None:
    """The sample layout of a data set: a ring of lines followed by vertex cells."""
    ring = circle(16)
    cells = Cells.concatenate([ring.cells, Cells.of(vertex=16 + np.arange(5)[:, None])])
    mesh = Mesh(np.concatenate([ring.points, np.full((5, 2), 3.0)]), cells, {"wall": ring.patches["wall"]}, name="sample")
    values = np.append(-ring.points[:, 1], np.full(5, np.nan))
    assert forces(Case(mesh, fields={"pressure": pressure(values)})).force[1] == pytest.approx(enclosed_volume(ring))


def test_unmerged_facets_of_an_stl_count_as_closed() -> None:
    mesh = icosphere(1)
    corners = mesh.cells.block("triangle")
    loose = Mesh(mesh.points[corners].reshape(-1, 3), Cells.of(triangle=np.arange(corners.size).reshape(-1, 3)), name="stl")
    found = forces(Case(loose, fields={"pressure": pressure(-loose.points[:, 2])}))
    assert found.total.closed and found.force[2] == pytest.approx(enclosed_volume(mesh), rel=1e-12)


def test_facets_that_are_there_twice_are_one_error() -> None:
    ball = icosphere(1)
    doubled = Mesh(ball.points, Cells.concatenate([ball.cells, ball.cells.take(np.arange(2))]), name="doubled")
    with pytest.raises(PatchError, match="2 facets of the surface are there twice") as caught:
        forces(Case(doubled, fields={"pressure": pressure(ball.points[:, 2])}))
    assert "--repair" in caught.value.remedy


def test_a_pressure_of_several_components_is_refused() -> None:
    ball = icosphere(1)
    several = Field(Quantity("pressure", "p", "Pa", 1), ball.points[:, :2])
    with pytest.raises(FieldError, match="several components"):
        forces(Case(ball, fields={"pressure": several}))


def test_facets_that_are_next_to_joined_are_spoken_of() -> None:
    ball = icosphere(2)
    corners = ball.cells.connectivity
    loose = ball.points[corners] + np.random.default_rng(0).normal(size=(len(corners), 3)) * 1e-9
    soup = Mesh(loose, Cells.of(triangle=np.arange(len(corners)).reshape(-1, 3)), name="soup")
    found = forces(Case(soup, fields={"pressure": pressure(loose[:, 2])}))
    assert any("next to equal" in note and "--repair" in note for note in found.notes)


def test_a_flat_surface_in_space_is_called_a_plate() -> None:
    plate = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]]), Cells.of(quad=np.array([[0, 1, 2, 3]])), name="plate")
    assert any("taken as a plate" in note for note in forces(Case(plate, fields={"pressure": pressure(np.ones(4))})).notes)


def test_what_is_there_in_place_of_a_pressure_is_listed_with_its_unit() -> None:
    ball = icosphere(1)
    druck = Field(Quantity("druck", "druck", "firkin/acre", 0), ball.points[:, 2])
    with pytest.raises(PatchError, match="pressure_coefficient") as caught:
        forces(Case(ball, fields={"druck": druck}))
    assert "druck [firkin/acre]" in caught.value.remedy


def test_facets_without_area_open_nothing() -> None:
    ball = icosphere(2)
    corners = ball.cells.connectivity.reshape(-1, 3)
    spike = np.concatenate([corners, [[corners[0, 0], corners[0, 1], corners[0, 0]]]])
    found = forces(Case(Mesh(ball.points, Cells.of(triangle=spike), name="spike"), fields={"pressure": pressure(ball.points[:, 2])}))
    assert not any("not closed" in note for note in found.notes)
    torn = forces(Case(Mesh(ball.points, Cells.of(triangle=corners[1:]), name="torn"), fields={"pressure": pressure(ball.points[:, 2])}))
    assert any("not closed" in note for note in torn.notes)
