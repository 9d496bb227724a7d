"""Steady diffusion: manufactured solutions at their order, all kinds of conditions, published values, data that nobody here wrote."""

from pathlib import Path

import numpy as np
import pytest
from fem_shapes import cube, orders, square

from geoop.errors import ConfigurationError, FieldError
from geoop.fem.diffusion import Diffusion
from geoop.fem.evaluation import evaluate
from geoop.fem.integrals import h1_error, integral, l2_error, patch_flux
from geoop.fem.space import Space
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk, star
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.truth.exact.poisson import SineSeries, disk_under_unit_load, square_under_unit_load

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SIDES = ("left", "right", "bottom", "top")


def wave(p):
    return np.sin(2.0 * p[:, 0] + 0.3) * np.exp(p[:, 1])


def wave_gradient(p):
    return np.stack([2.0 * np.cos(2.0 * p[:, 0] + 0.3) * np.exp(p[:, 1]), wave(p)], axis=1)


def wave_source(p):  # -laplace
    return 3.0 * wave(p)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("name", ["triangle", "quad", "mixed"])
def test_order_in_the_plane(name, degree):
    """Dirichlet left and bottom, flux on the right and on top: order degree + 1 in L2, degree in H1."""
    l2, h1 = [], []
    for n in (6, 12, 24):
        problem = Diffusion(square(n, name), degree=degree, dirichlet=("left", "bottom"))
        u = problem.solve(wave_source, dirichlet={"left": wave, "bottom": wave}, neumann={"right": wave_gradient, "top": wave_gradient})
        l2.append(l2_error(problem.space, u, wave))
        h1.append(h1_error(problem.space, u, wave_gradient))
    assert orders(l2)[-1] > degree + 0.9 and orders(h1)[-1] > degree - 0.1


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("name", ["hexahedron", "wedge", "mixed"])
def test_order_in_space(name, degree):
    exact = lambda p: np.sin(p[:, 0] + 0.5 * p[:, 1]) * np.exp(0.8 * p[:, 2])  # noqa: E731
    source = lambda p: (1.25 - 0.64) * exact(p)  # noqa: E731
    error = []
    for n in (3, 6):
        problem = Diffusion(cube(n, name), degree=degree, dirichlet=("boundary",))
        error.append(l2_error(problem.space, problem.solve(source, dirichlet={"boundary": exact}), exact))
    assert orders(error)[0] > degree + 0.7


@pytest.mark.parametrize(("raised", "order"), [(True, 2.9), (False, 1.9)])
def test_curved_cells_keep_the_order(raised, order):
    """P2 on isoparametric triangles is of order 3 on a disk; on straight ones the boundary's own error, order 2, remains."""
    error = []
    for rings in (4, 8, 16):
        mesh = star(rings, np.ones_like) if raised else disk(rings)
        exact = lambda p: (1.0 - (p**2).sum(axis=1)) * np.exp(p[:, 0])  # noqa: E731
        source = lambda p: (3.0 + 4.0 * p[:, 0] + (p**2).sum(axis=1)) * np.exp(p[:, 0])  # noqa: E731
        problem = Diffusion(mesh, dirichlet=("boundary",))
        error.append(l2_error(problem.space, problem.solve(source), exact))
    found = orders(error)[-1]
    assert found > order and (raised or found < 2.3)


def test_published_values():
    """Unit load: 0.0736714 in the middle of the square, (1 - r^2)/4 on the disk, which P2 has exactly but for its boundary."""
    problem = Diffusion(square(50, "quad"), dirichlet=SIDES)
    u = problem.solve(1.0)
    assert u.max() == pytest.approx(0.0736714, abs=5e-8)
    assert np.abs(u - square_under_unit_load(problem.space.points)).max() < 5e-7  # the corners are weakly singular
    problem = Diffusion(star(12, np.ones_like), dirichlet=("boundary",))
    assert np.abs(problem.solve(1.0) - disk_under_unit_load(problem.space.points)).max() < 1e-5


def test_sine_series():
    series = SineSeries.poisson_c_sines(np.random.default_rng(0).uniform(-1, 1, (4, 4)))
    problem = Diffusion(square(32, "quad"), dirichlet=SIDES)
    exact = series.solved()
    assert l2_error(problem.space, problem.solve(series), exact) < 2e-4 * np.sqrt(integral(problem.space, exact(problem.space.points) ** 2))


@pytest.mark.skipif(not (DATA / "holed_poisson" / "train.npz").is_file(), reason="shared/data/holed_poisson is not there")
def test_holed_poisson_of_pina():
    """-0.1 laplace(u) = 1 on 85 squares with a hole, computed by others with P1; half of the triangles are wound clockwise."""
    with np.load(DATA / "holed_poisson" / "train.npz") as data:
        for k in range(85):
            mesh = Mesh(np.stack([data["x"][:, k], data["y"][:, k]], axis=1), Cells.of(triangle=data["triangles"]))
            problem = Diffusion(mesh, conductivity=0.1, degree=1, dirichlet=("boundary",))
            u, theirs = problem.space.at_mesh_points(problem.solve(1.0)), data["u"][:, k]
            assert np.abs(u - theirs).max() < 1e-6 * np.abs(theirs).max()


def test_darcy_with_a_jump_and_a_tensor():
    """Flux is continuous over a jump of conductivity; an anisotropic problem is the isotropic one stretched."""
    mesh = square(8, "quad")
    middle = mesh.points[mesh.cells.block("quad")].mean(axis=1)
    a = np.where(middle[:, 0] < 0.5, 1.0, 4.0)
    problem = Diffusion(mesh, conductivity=a, dirichlet=("left", "right"))
    u = problem.solve(dirichlet={"left": 1.0, "right": 0.0})
    x = problem.space.points[:, 0]
    assert np.allclose(u, np.where(x < 0.5, 1.0 - 1.6 * x, 0.4 * (1.0 - x)), atol=1e-12)  # 1/(0.5/1 + 0.5/4) = 1.6 flows through
    assert patch_flux(problem.space, "left", u, a) == pytest.approx(1.6, abs=1e-11)
    exact = lambda p: np.sin(p[:, 0]) * np.exp(p[:, 1] / 2)  # noqa: E731
    tensor = Diffusion(square(12), conductivity=np.diag([1.0, 4.0]), dirichlet=SIDES)
    assert l2_error(tensor.space, tensor.solve(dirichlet=dict.fromkeys(SIDES, exact)), exact) < 1e-5


def test_robin_and_reaction():
    """Heat through a wall with a film on one side; a reacting layer decays as cosh."""
    problem = Diffusion(square(6), conductivity=2.0, dirichlet=("left",), robin={"right": 3.0})
    u = problem.solve(dirichlet={"left": 10.0}, ambient={"right": 4.0})
    flow = (10.0 - 4.0) / (1.0 / 2.0 + 1.0 / 3.0)
    assert np.allclose(u, 10.0 - flow / 2.0 * problem.space.points[:, 0], atol=1e-11)
    layer = Diffusion(square(16), reaction=9.0, dirichlet=("left",))
    exact = lambda p: np.cosh(3.0 * (1.0 - p[:, 0])) / np.cosh(3.0)  # noqa: E731
    assert l2_error(layer.space, layer.solve(dirichlet={"left": 1.0}), exact) < 2e-5
    assert np.allclose(Diffusion(square(4), reaction=2.0).solve(1.0), 0.5, atol=1e-12)  # nothing else fixes the level


def test_reactions_balance_the_sources_and_are_superconvergent():
    error = {"reaction": [], "gradient": []}
    for n in (4, 8, 16):
        problem = Diffusion(square(n), degree=1, dirichlet=("left", "right"))
        u = problem.solve(wave_source, dirichlet={"left": wave, "right": wave}, neumann={"bottom": wave_gradient, "top": wave_gradient})
        right = problem.load(wave_source, neumann={"bottom": wave_gradient, "top": wave_gradient})
        held = problem.reactions(u, right)
        assert np.abs(held[problem.free]).max() < 1e-11 and held.sum() == pytest.approx(-right.sum(), abs=1e-12)
        exact = 2.0 * np.cos(2.3) * (np.e - 1.0)
        error["reaction"].append(abs(held[problem.space.on("right")].sum() - exact))
        error["gradient"].append(abs(patch_flux(problem.space, "right", u) - exact))
    assert orders(error["reaction"])[-1] > 1.9 and error["reaction"][-1] < 0.2 * error["gradient"][-1]


def test_pure_neumann():
    exact = lambda p: np.cos(np.pi * p[:, 0]) * np.cos(2 * np.pi * p[:, 1])  # noqa: E731
    problem = Diffusion(square(16))
    assert problem.floating
    u = problem.solve(lambda p: 5 * np.pi**2 * exact(p), mean=3.0)
    assert integral(problem.space, u) == pytest.approx(3.0, abs=1e-12)
    assert l2_error(problem.space, u - 3.0, exact) < 6e-4
    through = problem.solve(neumann={"left": -1.0, "right": 1.0})
    assert np.allclose(through, problem.space.points[:, 0] - 0.5, atol=1e-10)
    with pytest.raises(ConfigurationError, match="sum to 1 "):
        problem.solve(1.0)


def test_many_right_hand_sides_at_once():
    problem = Diffusion(square(6, "mixed"), dirichlet=("left", "right"))
    rng = np.random.default_rng(0)
    left, f, g = rng.random((7, 3)), rng.random((49, 3)), rng.random((7, 3))
    together = problem.solve(f, dirichlet={"left": left, "right": 0.5}, neumann={"top": g})
    for k in range(3):
        alone = problem.solve(f[:, k], dirichlet={"left": left[:, k], "right": 0.5}, neumann={"top": g[:, k]})
        assert np.allclose(together[:, k], alone, atol=1e-13)
    assert np.array_equal(problem.solve(f), problem.solve(f))


def test_the_patch_named_last_rules_a_corner():
    corner = lambda problem, u: u[np.flatnonzero((np.abs(problem.space.points) < 1e-12).all(axis=1))[0]]  # noqa: E731
    for order, value in ((("left", "bottom"), 2.0), (("bottom", "left"), 1.0)):
        problem = Diffusion(square(4), dirichlet=order)
        assert corner(problem, problem.solve(dirichlet={"left": 1.0, "bottom": 2.0})) == value


def test_solution_does_not_depend_on_the_numbers_or_the_winding():
    mesh = square(6, seed=3)
    rng = np.random.default_rng(4)
    new = rng.permutation(len(mesh.points))
    points = np.empty_like(mesh.points)
    points[new] = mesh.points
    rows = new[mesh.cells.block("triangle")][rng.permutation(len(mesh.cells))]
    rows[::2] = rows[::2, ::-1]
    other = Mesh(points, Cells.of(triangle=rows), {key: part.renumbered(new) for key, part in mesh.patches.items()})
    answers = []
    for item in (mesh, other):
        problem = Diffusion(item, dirichlet=SIDES)
        answers.append(problem.space.at_mesh_points(problem.solve(wave_source, dirichlet=dict.fromkeys(SIDES, wave))))
    assert np.allclose(answers[1][new], answers[0], atol=1e-12)


def test_degree_does_not_depend_on_the_geometry():
    curved = quadratic(square(5, seed=1))
    exact = lambda p: 1.0 + 2.0 * p[:, 0] - p[:, 1]  # noqa: E731
    for degree in (1, 2):
        problem = Diffusion(Space.of(curved, degree), dirichlet=SIDES)
        u = problem.solve(dirichlet=dict.fromkeys(SIDES, exact))
        assert np.allclose(problem.space.at_mesh_points(u), exact(curved.points), atol=1e-12)
        assert evaluate(problem.space, u, np.array([[0.3, 0.7]]))[0] == pytest.approx(0.9, abs=1e-12)


def test_bad_input():
    mesh = square(3)
    with pytest.raises(ConfigurationError, match="two conditions"):
        Diffusion(mesh, dirichlet=("left",), robin={"left": 1.0})
    problem = Diffusion(mesh, dirichlet=("left",))
    with pytest.raises(ConfigurationError, match="'top' is no Dirichlet patch; 'left' has its u fixed and takes no flux; 'top' has no Robin"):
        problem.solve(dirichlet={"top": 1.0}, neumann={"left": 1.0}, ambient={"top": 1.0})
    with pytest.raises(FieldError, match="3 values for patch 'left'"):
        problem.solve(dirichlet={"left": np.ones(3)})
    two = Mesh(
        np.concatenate([mesh.points, mesh.points + [2.0, 0.0]]),
        Cells.concatenate([mesh.cells, mesh.cells.renumbered(np.arange(16) + 16)]),
        mesh.patches,
    )
    with pytest.raises(ConfigurationError, match="1 of 2 parts"):
        Diffusion(two, dirichlet=("left",))


def two_squares():
    mesh = square(3)
    points = np.concatenate([mesh.points, mesh.points + [2.0, 0.0]])
    return Mesh(points, Cells.concatenate([mesh.cells, mesh.cells.renumbered(np.arange(16) + 16)]), mesh.patches)


@pytest.mark.parametrize(
    "given",
    [{"reaction": np.zeros(49)}, {"reaction": np.int64(0)}, {"reaction": lambda p: 0.0 * p[:, 0]}, {"robin": {"left": 0.0}}],
    ids=["array", "integer", "function", "robin"],
)
def test_coefficients_that_are_zero_fix_nothing(given):
    """The matrix is singular, though a factorisation does not notice: it would answer 1e14."""
    problem = Diffusion(square(3), **given)
    assert problem.floating and np.allclose(problem.solve(0.0, mean=2.0), 2.0, atol=1e-12)
    with pytest.raises(ConfigurationError, match="sum to 1 "):
        problem.solve(1.0)


def test_every_part_must_be_fixed_by_something():
    left = lambda p: (p[:, 0] < 1.5) * 1.0  # noqa: E731
    with pytest.raises(ConfigurationError, match="1 of 2 parts"):
        Diffusion(two_squares(), reaction=left)
    both = Diffusion(two_squares(), reaction=lambda p: 1.0 + left(p))
    assert np.allclose(both.solve(2.0), np.where(both.space.points[:, 0] < 1.5, 1.0, 2.0), atol=1e-12)
    mixed = Diffusion(two_squares(), reaction=lambda p: 1.0 - left(p), robin={"left": 1.0})
    assert mixed.solve(2.0)[mixed.space.points[:, 0] > 1.5] == pytest.approx(2.0)


def test_columns_of_all_data():
    problem = Diffusion(square(3), dirichlet=("left",), robin={"right": 1.0})
    rng = np.random.default_rng(0)
    outside, f = rng.random((4, 3)), rng.random((16, 3))
    together = problem.solve(f, ambient={"right": outside}, dirichlet={"left": 1.0})
    for k in range(3):
        assert np.allclose(together[:, k], problem.solve(f[:, k], ambient={"right": outside[:, k]}, dirichlet={"left": 1.0}), atol=1e-13)
    for data in ({"dirichlet": {"left": np.ones((4, 2))}}, {"neumann": {"top": np.ones((4, 2))}}, {"ambient": {"right": np.ones((4, 2))}}):
        with pytest.raises(FieldError, match=r"\[2, 3\] columns"):
            problem.solve(f, **data)
