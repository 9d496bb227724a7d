"""Every deformer: what is given is exact, linear motions are exact, thin layers stay valid, steps are halved, bad input is named at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from meshes_in_motion import MESHES, layers, square

import geoop
from geoop.errors import ConfigurationError, GeoopError, InvalidMeshError, PatchError
from geoop.interfaces.moving import Deformer
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk, star
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import circle, naca4
from geoop.solve.deformers import conditions, motions
from geoop.solve.deformers.elastic import Elastic
from geoop.solve.deformers.given_motion import GivenMotion
from geoop.solve.deformers.laplacian import Laplacian
from geoop.solve.deformers.path import way
from geoop.solve.deformers.radial_basis import RadialBasis
from geoop.solve.deformers.spring import Spring
from geoop.solve.deformers.validity import Validity, smallest_quality

SU2 = Path(__file__).resolve().parents[4] / "shared" / "data" / "su2" / "fsi_airfoil_rbf"
#: Methods that carry linear motions of the whole boundary exactly.
LINEAR = {
    "laplacian": Laplacian(diffusivity="uniform"),
    "elastic": Elastic(stiffening="uniform"),
    "thin-plate": RadialBasis(),
    "wendland": RadialBasis(kernel="wendland"),
    "greedy": RadialBasis(centres=12),
}
SPRINGS = {"edge": Spring("edge"), "torsional": Spring("torsional", steps=1), "ball-vertex": Spring()}
STIFF = {
    "laplacian-distance": Laplacian(),
    "laplacian-volume": Laplacian("volume", 1.0),
    "elastic-volume": Elastic(),
    "elastic-distance": Elastic("distance", 1.5),
}
ALL = {**LINEAR, **SPRINGS, **STIFF}
#: How far equations solved to rounding may be from exact, in sizes of the mesh.
EXACT = 1e-9


def on_boundary(mesh, function):
    return {name: function(mesh.points[mesh.patch_points(name)]) for name in mesh.patches}


def turned(mesh, degrees, patch="wall", about=(0.25, 0.0)):
    a = np.radians(degrees)
    x = mesh.points[mesh.patch_points(patch)] - about
    return {patch: x @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) - x}


@pytest.mark.parametrize("shape", MESHES)
@pytest.mark.parametrize("method", LINEAR)
def test_linear_motions_of_the_whole_boundary_are_exact(shape, method):
    mesh = MESHES[shape]()
    d = mesh.dimension
    linear = 0.2 * np.random.default_rng(1).uniform(-1, 1, (d, d))
    moved = LINEAR[method].deform(mesh, on_boundary(mesh, lambda x: 0.1 + x @ linear))
    assert isinstance(LINEAR[method], Deformer) and moved.outcome.ok and moved.inverted == 0
    assert np.abs(moved.mesh.points - mesh.points - 0.1 - mesh.points @ linear).max() < EXACT


@pytest.mark.parametrize("shape", MESHES)
@pytest.mark.parametrize("method", ALL)
def test_translations_are_exact_for_all(shape, method):
    mesh = MESHES[shape]()
    if method == "torsional" and mesh.dimension == 3:
        with pytest.raises(ConfigurationError, match="ball-vertex"):
            ALL[method].deform(mesh, dict.fromkeys(mesh.patches, np.ones(3)))
        return
    moved = ALL[method].deform(mesh, dict.fromkeys(mesh.patches, np.ones(mesh.dimension)))
    assert np.abs(moved.mesh.points - mesh.points - 1.0).max() < EXACT


@pytest.mark.parametrize("method", ALL)
def test_what_is_given_is_exact_and_the_input_does_not_change(method):
    mesh = square(8, "quad", 0.2)
    before, top = mesh.content_hash, mesh.patch_points("top")
    x = mesh.points[top, 0]
    bump = np.stack([0 * x, 0.2 * np.sin(np.pi * x) ** 2], axis=1)
    moved = ALL[method].deform(mesh, {"top": bump})
    assert moved.outcome.ok and mesh.content_hash == before
    assert np.abs(moved.mesh.points[top] - mesh.points[top] - bump).max() < 1e-15
    for patch in ("left", "right", "bottom"):
        assert (moved.mesh.points[mesh.patch_points(patch)] == mesh.points[mesh.patch_points(patch)]).all()
    assert moved.mesh.patches.keys() == mesh.patches.keys() and (signed_measures(moved.mesh) > 0).all()


@pytest.mark.parametrize("grid", ["o", "c"])
@pytest.mark.parametrize("method", [*STIFF, "thin-plate", "wendland", "torsional", "ball-vertex"])
@pytest.mark.parametrize("degrees", [-20, 12])
def test_thin_layers_at_a_pitched_section_stay_valid_and_good(grid, method, degrees):
    """First cells of 1e-5 chords. Cells of the layers move with their wall: their smallest scaled Jacobian loses at most three tenths (half of it with ball-vertex springs)."""
    mesh = layers(grid)
    moved = ALL[method].deform(mesh, turned(mesh, degrees))
    assert moved.outcome.ok and not Validity.of(mesh).inverted(moved.mesh.points).any()
    least = 0.5 if method == "ball-vertex" else 0.7  # its heights know small turns only: four steps of five degrees
    assert smallest_quality(moved.mesh) > least * smallest_quality(mesh)


def test_a_few_centres_carry_the_layers_too():
    """Sixty centres miss the wall by more than its first cell is high; what they miss goes along with the wall, and so the layers stay."""
    mesh, few = layers(), RadialBasis(centres=60, tolerance=1e-9)
    x = mesh.points[mesh.patch_points("wall")]
    bend = np.stack([0 * x[:, 0], 0.05 * np.sin(2 * np.pi * x[:, 0]) * x[:, 0]], axis=1)
    moved = few.deform(mesh, {"wall": bend})
    assert moved.outcome.ok and moved.steps == 1
    points = np.concatenate([mesh.patch_points("wall"), mesh.patch_points("farfield")])
    values = np.concatenate([bend, np.zeros((len(mesh.patch_points("farfield")), 2))])
    missed = few._interpolant(mesh.points[points], values, mesh).residual
    assert np.abs(missed).max() > 1e-5
    assert smallest_quality(moved.mesh) > 0.5 * smallest_quality(mesh)


@pytest.mark.parametrize("method", [RadialBasis("wendland", radius=5.0), RadialBasis(reach=3.0), RadialBasis(reach=3.0, centres=60)])
def test_a_pitch_stays_near_the_section_in_a_huge_domain(method):
    """The control, a thin plate, moves points at a third of the way out twenty times as far as the section; layers stay as good."""
    mesh = ogrid(naca4(), n_wall=64, n_normal=40, outer_radius=300.0, first_height=1e-5)
    given = turned(mesh, -10)
    most = np.linalg.norm(given["wall"], axis=1).max()
    shift = lambda deformer: np.linalg.norm(deformer.deform(mesh, given).mesh.points - mesh.points, axis=1)  # noqa: E731
    assert shift(RadialBasis()).max() > 15 * most
    assert shift(RadialBasis("wendland")).max() < 6 * most  # whose default radius is that of what moves, not of the domain
    assert shift(method).max() < 1.7 * most
    assert shift(method)[np.linalg.norm(mesh.points, axis=1) > 10].max() < 1e-2 * most
    assert smallest_quality(method.deform(mesh, given).mesh) > 0.9 * smallest_quality(mesh)


def test_soft_layers_tangle_and_the_given_mesh_comes_back():
    """The control of the test above: without stiffening the first cells fold, however short the steps."""
    mesh = layers()
    moved = Elastic(stiffening="uniform").deform(mesh, turned(mesh, 20))
    assert moved.outcome.status == "tangled" and moved.mesh is mesh and moved.inverted > 0
    assert "slide" in moved.outcome.remedy and "%" in moved.outcome.detail


def test_steps_are_halved_where_one_is_too_long():
    mesh = layers()
    one = Elastic().deform(mesh, turned(mesh, 100))
    assert one.outcome.ok and one.steps > 1
    assert np.abs(one.mesh.points[mesh.patch_points("wall")] - mesh.points[mesh.patch_points("wall")] - turned(mesh, 100)["wall"]).max() < 1e-14


def test_a_body_that_turns_keeps_its_size_on_the_way():
    mesh = layers()
    motion = GivenMotion.of(mesh, turned(mesh, 90))
    halfway = mesh.points[motion.points] + way(motion)(0.5)
    wall = np.isin(motion.points, mesh.patch_points("wall"))
    for at, chord in ((halfway[wall], 1.0), (mesh.points[motion.points][wall] + 0.5 * motion.values[wall], np.sqrt(0.5))):
        assert np.ptp(at @ np.array([np.cos(np.pi / 4), np.sin(np.pi / 4)])) == pytest.approx(chord, rel=1e-3)
    assert (way(motion)(1.0) == motion.values).all()


@pytest.mark.parametrize("method", [*LINEAR])
@pytest.mark.parametrize("kind", ["triangle", "quad"])
def test_points_slide_along_straight_patches(method, kind):
    """The lid is lifted and the sides slide: a uniform stretch, which every method that carries linear motions finds."""
    mesh = square(6, kind, 0.2)
    slid = replace(LINEAR[method], slide=("left", "right"))
    moved = slid.deform(mesh, {"top": np.array([0.0, 0.4])})
    assert moved.outcome.ok
    assert np.abs(moved.mesh.points - mesh.points * [1.0, 1.4]).max() < EXACT
    with pytest.raises(InvalidMeshError, match="'top' and 'left' share 1 points that they move 0.4 m apart(?s:.)*slide"):
        LINEAR[method].deform(mesh, {"top": np.array([0.0, 0.4])})


@pytest.mark.parametrize(
    "method", [Laplacian(slide=("boundary",)), Elastic(slide=("boundary",)), RadialBasis(slide=("boundary",)), Spring(slide=("boundary",))]
)
def test_points_slide_round_a_circle_and_stay_on_it(method):
    """A disk with a wedge of its rim turned: the rest of the rim follows along the polygon of the rim."""
    mesh = disk(12)
    (name,) = mesh.patches
    rim = mesh.patches[name]
    middle = mesh.points[rim.block("line")].mean(axis=1)
    held = np.abs(np.arctan2(middle[:, 1], middle[:, 0])) < 0.5
    mesh = Mesh(mesh.points, mesh.cells, {"held": rim.take(held), "boundary": rim.take(~held)})
    x = mesh.points[mesh.patch_points("held")]
    moved = method.deform(mesh, {"held": x @ np.array([[np.cos(0.1), np.sin(0.1)], [-np.sin(0.1), np.cos(0.1)]]) - x})
    assert moved.outcome.ok
    points = moved.mesh.points[mesh.patch_points("boundary")]
    radius = np.linalg.norm(points, axis=1)
    assert radius.max() < 1 + 1e-9 and radius.min() > np.cos(np.pi / 72) - 1e-9  # on the chords of the rim
    shift = np.linalg.norm(points - mesh.points[mesh.patch_points("boundary")], axis=1)
    assert (shift > 1e-3).mean() > 0.3


def test_the_laplacian_finds_harmonic_displacements_at_second_order():
    errors = []
    for n in (6, 12, 24):
        mesh = square(n, "quad")
        field = lambda x: 0.05 * np.stack([x[:, 0] ** 2 - x[:, 1] ** 2, np.exp(x[:, 0]) * np.sin(x[:, 1])], axis=1)  # noqa: E731
        moved = Laplacian(diffusivity="uniform").deform(mesh, on_boundary(mesh, field))
        errors.append(np.abs(moved.mesh.points - mesh.points - field(mesh.points)).max())
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 1.8).all()


@pytest.mark.parametrize("method", ["laplacian", "elastic", "thin-plate"])
def test_quadratic_cells_keep_their_mid_sides(method):
    mesh = star(4, lambda angle: 1 + 0.1 * np.cos(3 * angle))
    linear = np.array([[0.1, 0.2], [-0.1, 0.05]])
    moved = LINEAR[method].deform(mesh, on_boundary(mesh, lambda x: x @ linear))
    assert np.abs(moved.mesh.points - mesh.points - mesh.points @ linear).max() < EXACT
    with pytest.raises(InvalidMeshError, match="mid-side points"):
        Spring().deform(mesh, on_boundary(mesh, lambda x: x @ linear))


def test_folded_corners_count_and_clockwise_cells_do_not():
    mesh = square(2, "quad")
    points = mesh.points.copy()
    points[4] = [0.9, 0.95]  # all four cells keep a positive area, the last one is no longer convex
    assert (signed_measures(mesh.moved(points)) > 0).all() and Validity.of(mesh).inverted(points).sum() == 1
    clockwise = Mesh(mesh.points, Cells.of(quad=mesh.cells.block("quad")[:, ::-1]), mesh.patches)
    assert not Validity.of(clockwise).inverted(mesh.points).any() and Validity.of(clockwise).inverted(points).sum() == 1
    assert smallest_quality(clockwise) == pytest.approx(smallest_quality(mesh))
    flat = mesh.points.copy()
    flat[4] = flat[0]
    flat[1] = flat[0]
    with pytest.raises(InvalidMeshError, match="no measure before the move"):
        Validity.of(mesh.moved(flat))


def test_all_that_is_wrong_is_said_at_once():
    mesh = square(4)
    n = len(mesh.patch_points("top"))
    wrong = np.zeros((n, 2))
    wrong[1] = np.nan
    with pytest.raises(GeoopError) as error:
        Elastic(slide=("left", "lid")).deform(
            mesh, {"roof": np.zeros(2), "top": wrong, "bottom": np.zeros((3, 2)), "left": np.zeros(2), "right": "x"}
        )
    text = str(error.value)
    for words in (
        "no patch ['lid', 'roof']",
        "'top' has 1 points with NaN",
        "shape (3, 2)",
        "['left'] are displaced and slide",
        "'right' is no array",
        "slide=",
    ):
        assert words in text, text
    with pytest.raises(PatchError, match="no patch"):
        RadialBasis().deform(mesh, {"roof": np.zeros(2)})
    with pytest.raises(InvalidMeshError, match="no patch is displaced"):
        Laplacian().deform(mesh, {})
    for build in (
        lambda: Elastic(poisson=0.5),
        lambda: Laplacian("stiff"),
        lambda: Laplacian(exponent=np.nan),
        lambda: Spring("coil"),
        lambda: RadialBasis("cubic", radius=-1.0, centres=2, tolerance=0.0),
        lambda: RadialBasis(reach=0.0),
        lambda: Elastic(steps=0).deform(mesh, {"top": np.zeros(2)}),
    ):
        with pytest.raises(ConfigurationError):
            build()
    with pytest.raises(InvalidMeshError, match="fill nothing"):
        Laplacian().deform(circle(20), {"wall": np.zeros(2)})


def test_two_moving_patches_must_agree_where_they_meet():
    mesh = square(4)
    with pytest.raises(InvalidMeshError) as error:
        RadialBasis().deform(mesh, {"top": np.array([0.0, 0.1]), "left": np.array([0.1, 0.1])})
    for words in ("'top' and 'left' share 1 points that they move 0.1 m apart", "'top' and 'right' share", "'left' and 'bottom' share"):
        assert words in str(error.value)


@pytest.mark.parametrize("shift", [(7.7, 0.0), (30.0, 0.0)])
def test_a_patch_that_is_moved_through_another_is_named(shift):
    """Into the far field, and beyond it in one leap."""
    mesh = layers()
    with pytest.raises(ConfigurationError, match="'farfield' and 'wall' are moved through each other"):
        RadialBasis().deform(mesh, {"wall": np.array(shift)})


def test_a_patch_that_is_moved_through_itself_is_named():
    mesh = layers()
    x = mesh.points[mesh.patch_points("wall")]
    with pytest.raises(ConfigurationError, match="'wall' is moved through itself"):
        RadialBasis().deform(mesh, {"wall": np.stack([0 * x[:, 0], -2 * x[:, 1] * (x[:, 0] > 0.5)], axis=1)})


def test_a_solid_is_crossed_by_name_too():
    mesh = MESHES["cube-tetra"]()
    inner = mesh.points[mesh.patch_points("z_min")]
    lift = np.stack([0 * inner[:, 0], 0 * inner[:, 0], 1.5 * ((inner[:, :2] > 0) & (inner[:, :2] < 1)).all(axis=1)], axis=1)
    with pytest.raises(ConfigurationError, match="'z_max' and 'z_min' are moved through each other"):
        RadialBasis().deform(mesh, {"z_min": lift})


@pytest.mark.skipif(not SU2.is_dir(), reason="needs ../shared/data/su2/fsi_airfoil_rbf")
@pytest.mark.parametrize(("method", "most"), [(Elastic(), 0.08), (Spring("torsional", steps=1), 0.12), (RadialBasis(), 0.4), (Laplacian(), 0.95)])
def test_the_moved_mesh_of_a_flow_solver(method, most):
    """SU2's own mesh motion of a bending section: elasticity with stiffness by volume finds it, the others lie where they are known to."""
    mesh, after = geoop.read(SU2 / "meshFlow.su2"), geoop.read(SU2 / "solution_fluid_0.dat").points
    own = after - mesh.points
    moved = method.deform(mesh, {name: own[mesh.patch_points(name)] for name in mesh.patches if name != "farfield"})
    assert moved.outcome.ok and not Validity.of(mesh).inverted(moved.mesh.points).any()
    assert np.linalg.norm(moved.mesh.points - after) < most * np.linalg.norm(own)


def wing(sections=3):
    """The section of the thin layers as a prismatic wing between two planes."""
    flat = ogrid(naca4(), n_wall=48, n_normal=20, outer_radius=5.0, first_height=1e-5)
    n, lift = len(flat.points), np.arange(sections - 1)[:, None, None] * len(flat.points)
    points = np.concatenate([np.column_stack([flat.points, np.full(n, z)]) for z in np.linspace(0.0, 1.0, sections)])

    def raised(rows, turn):
        tops = np.broadcast_to(rows[:, ::-1] if turn else rows, (sections - 1, *rows.shape)) + n
        return (np.concatenate([np.broadcast_to(rows, tops.shape), tops], axis=2) + lift).reshape(-1, 2 * rows.shape[1])

    quads = flat.cells.block("quad")
    sides = {name: Cells.of(quad=raised(flat.patches[name].block("line"), True)) for name in ("wall", "farfield")}
    ends = {"low": Cells.of(quad=quads), "high": Cells.of(quad=quads + n * (sections - 1))}
    return Mesh(points, Cells.of(hexahedron=raised(quads, False)), {**sides, **ends}, name="wing")


@pytest.mark.parametrize("kind", [Elastic, Laplacian, RadialBasis])
def test_a_wing_between_two_planes_is_pitched_and_the_layers_slide_along(kind, monkeypatch):
    """Every section moves alike, and conjugate gradients find what factors find, stiff layers or not."""
    mesh = wing()
    given = {"wall": motions.turned(mesh.points[mesh.patch_points("wall")], 12.0, (0.25, 0.0, 0.0))}
    moved = kind(slide=("low", "high")).deform(mesh, given)
    assert moved.outcome.ok and smallest_quality(moved.mesh) > 0.7 * smallest_quality(mesh)
    assert np.abs(moved.mesh.points[:, 2] - mesh.points[:, 2]).max() < (2e-2 if kind is RadialBasis else 1e-9)
    for plane in ("low", "high"):
        index = mesh.patch_points(plane)
        assert np.abs(moved.mesh.points[index, 2] - mesh.points[index, 2]).max() < 1e-12
        assert np.abs(moved.mesh.points[index] - mesh.points[index]).max() > 0.1
    if kind is RadialBasis:
        return  # no equations of the cells
    monkeypatch.setattr(conditions, "LARGE_SOLID", 100)
    again = kind(slide=("low", "high")).deform(mesh, given)
    assert np.abs(again.mesh.points - moved.mesh.points).max() < 1e-5
