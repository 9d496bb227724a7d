"""Distances in the plane: exact shapes, properties of a distance, equality of all paths, derivatives."""

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, InvalidMeshError, NonFiniteError, ShapeError
from geoop.mesh.cells import Cells
from geoop.mesh.distance import segment_distance, signed_distance
from geoop.mesh.distance.outlines import outline_distance_tensor
from geoop.mesh.distance.segments import nearest_segment, winding_number
from geoop.mesh.loops import signed_area
from geoop.mesh.measure import point_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import box, circle, naca4, ring


def star(tips: int = 7, depth: float = 0.9) -> np.ndarray:
    angle = np.pi * np.arange(2 * tips) / tips
    return (np.where(np.arange(2 * tips) % 2, 1 - depth, 1.0) * np.array([np.cos(angle), np.sin(angle)])).T


def cusped() -> np.ndarray:
    """Two arcs that meet tangentially at the trailing edge, apart by 1e-9 of the chord in the last points."""
    x = 0.5 * (1 + np.cos(np.pi * np.arange(41) / 40))
    upper = np.stack([x, 0.05 * np.sqrt(x) * (1 - x) ** 2.5 + 0.05 * x * (1 - x)], axis=1)
    lower = np.stack([x, -0.05 * np.sqrt(x) * (1 - x) ** 2.5 + 0.05 * x * (1 - x)], axis=1)
    return np.concatenate([upper, lower[::-1][1:-1]])


def comb(teeth: int = 12) -> np.ndarray:
    x = np.repeat(np.arange(teeth), 4) + np.tile([0.0, 0.0, 0.03, 0.03], teeth)
    y = np.tile([0.0, 5.0, 5.0, 0.0], teeth)
    return np.concatenate([np.stack([x, y], axis=1), [(teeth, 0), (teeth, -1), (-1, -1), (-1, 0)]])[::-1]


UGLY = {
    "star": star(),
    "cusp": cusped(),
    "comb": comb(),
    "thin": naca4("0001", 60).points,
    "blunt": naca4("4415", 41, closed_trailing_edge=False).points,
    "needle": np.array([(0.0, 0), (1, 0), (1, 1e-9), (0, 1e-9)]),
    "spike": np.array([(0.0, 0), (1, 0), (1, 1), (0.5, 1), (0.5, 3), (0.5 - 1e-12, 1), (0, 1)]),
    "crossing": np.array([(0.0, 0), (1, 1), (1, 0), (0, 1)]),
}


def clouds(points: np.ndarray, n: int = 3000, seed: int = 0) -> np.ndarray:
    """Points around a shape: in its box, and at distances from 1 down to 1e-12 of its size."""
    rng = np.random.default_rng(seed)
    low, high = points.min(axis=0), points.max(axis=0)
    size = (high - low).max()
    t = rng.random((n, 1))
    i = rng.integers(0, len(points), n)
    wall = (1 - t) * points[i] + t * np.roll(points, -1, axis=0)[i]
    near = wall + rng.normal(size=(n, 2)) * size * 10.0 ** rng.uniform(-12, 0, (n, 1))
    corners = points[i] + rng.normal(size=(n, 2)) * size * 10.0 ** rng.uniform(-9, 0, (n, 1))
    return np.concatenate([rng.uniform(low - size / 2, high + size / 2, (n, 2)), near, corners])


def brute(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance and winding angle to all segments."""
    e = b - a
    t = np.clip(((points[:, None] - a) * e).sum(-1) / (e * e).sum(-1), 0, 1)
    distance = np.linalg.norm(points[:, None] - a - t[..., None] * e, axis=-1).min(axis=1)
    u, v = a - points[:, None], b - points[:, None]
    angle = np.arctan2(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0], (u * v).sum(-1)).sum(axis=1)
    return distance, np.rint(angle / (2 * np.pi))


def test_circle_from_inside_and_outside():
    p = np.random.default_rng(0).uniform(-2, 2, (2000, 2))
    errors = []
    for n in (50, 100, 200):
        errors.append(np.abs(signed_distance(circle(n), p).distance - (np.linalg.norm(p, axis=1) - 1)).max())
    assert np.log2(errors[-2] / errors[-1]) == pytest.approx(2.0, abs=0.1)  # the sagitta of the polygon


def test_rectangle_is_exact():
    p = np.random.default_rng(1).uniform([-1, -1], [4, 3], (5000, 2))
    q = np.abs(p - [1.5, 1.0]) - [1.5, 1.0]
    exact = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)
    found = signed_distance(box((0, 0), (3, 2), 5), p)
    np.testing.assert_allclose(found.distance, exact, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(found.gradient, axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(p - found.distance[:, None] * found.gradient, found.closest, atol=1e-14)


@pytest.mark.parametrize("name", sorted(UGLY))
def test_nested_boxes_and_slabs_equal_all_pairs_on_ugly_shapes(name):
    a = UGLY[name]
    b = np.roll(a, -1, axis=0)
    p = clouds(a)
    index = nearest_segment(p, a, b, 10_000)
    e = b[index] - a[index]
    t = np.clip(((p - a[index]) * e).sum(1) / (e * e).sum(1), 0, 1)
    distance, winding = brute(p, a, b)
    size = np.ptp(a, axis=0).max()
    np.testing.assert_allclose(np.linalg.norm(p - a[index] - t[:, None] * e, axis=1), distance, rtol=1e-12, atol=1e-15 * size)
    clear = distance > 1e-14 * size  # on the wall itself rounding decides the side
    np.testing.assert_array_equal(winding_number(p, a, b, 10_000)[clear], winding[clear])


@pytest.mark.parametrize("name", sorted(set(UGLY) - {"crossing"}))
def test_sign_equals_that_of_the_pseudonormal(name):
    """Two independent rules for the inside: the winding number, and the side of the nearest edge or corner."""
    section = ring(UGLY[name], name)
    a = section.points if signed_area(section.points) > 0 else section.points[::-1]
    p = clouds(a, 1500)
    found = signed_distance(section, p)
    e = np.roll(a, -1, axis=0) - a
    turn = np.roll(e, 1, axis=0)[:, 0] * e[:, 1] - np.roll(e, 1, axis=0)[:, 1] * e[:, 0]
    vertex = np.linalg.norm(found.closest[:, None] - a, axis=2)
    at_vertex = vertex.min(axis=1) < 1e-12 * np.ptp(a)
    normal = np.stack([e[:, 1], -e[:, 0]], axis=1)
    offset = p - found.closest
    side = np.empty(len(p))
    side[at_vertex] = np.sign(turn[vertex.argmin(axis=1)])[at_vertex]  # nearest to a convex corner: outside; to a reflex one: inside
    t = ((p[:, None] - a) * e).sum(-1) / (e * e).sum(-1)
    best = np.abs(np.linalg.norm(p[:, None] - a - np.clip(t, 0, 1)[..., None] * e, axis=-1)).argmin(axis=1)
    side[~at_vertex] = np.sign((offset * normal[best]).sum(axis=1))[~at_vertex]
    clear = (np.abs(found.distance) > 1e-8 * np.ptp(a, axis=0).max()) & (side != 0)
    np.testing.assert_array_equal(np.sign(found.distance)[clear], side[clear])


@pytest.mark.parametrize("name", sorted(UGLY))
def test_distance_is_one_lipschitz(name):
    p = clouds(UGLY[name], 1000)
    found = signed_distance(ring(UGLY[name], name), p).distance
    q, other = np.roll(p, 1, axis=0), np.roll(found, 1)
    assert (np.abs(found - other) <= np.linalg.norm(p - q, axis=1) * (1 + 1e-12) + 1e-14).all()


@pytest.mark.parametrize("seed", range(3))
def test_order_and_direction_of_the_cells_do_not_matter(seed):
    section = naca4("2412", 81)
    rng = np.random.default_rng(seed)
    order = rng.permutation(81)
    mixed = Mesh(section.points, reversed_cells(section.cells, rng.random(81) < 0.5).take(order))
    p = clouds(section.points, 500)
    one, two = signed_distance(section, p), signed_distance(mixed, p)
    np.testing.assert_allclose(one.distance, two.distance, rtol=0, atol=1e-15)
    np.testing.assert_allclose(one.gradient, two.gradient, rtol=0, atol=1e-13)
    for found, mesh in ((one, section), (two, mixed)):
        ends = mesh.points[mesh.cells.block("line")[found.facet]]
        t = found.parameter[:, None]
        np.testing.assert_allclose((1 - t) * ends[:, 0] + t * ends[:, 1], found.closest, atol=1e-14)  # in the file's own direction
        np.testing.assert_array_equal(found.corners, mesh.cells.block("line")[found.facet])


def test_several_elements_and_holes():
    outer, hole = circle(64, 2.0), circle(64, 1.0)
    flap = box((3, -1), (4, 1))
    cells = Cells.concatenate([outer.cells, hole.cells.renumbered(np.arange(64) + 64), flap.cells.renumbered(np.arange(4) + 128)])
    mesh = Mesh(np.concatenate([outer.points, hole.points, flap.points]), cells)
    p = np.array([(0.0, 0), (1.5, 0), (2.5, 0), (3.5, 0), (0, -3), (0, 0.99)])
    np.testing.assert_array_equal(np.sign(signed_distance(mesh, p).distance), [1, -1, 1, -1, 1, 1])


def test_points_of_the_wall_have_distance_zero_and_its_normals():
    section = naca4("2412", 81)
    found = signed_distance(section, section.points)
    np.testing.assert_array_equal(found.distance, 0.0)
    np.testing.assert_allclose(found.gradient, point_normals(section), atol=1e-14)
    middle = section.points[section.cells.block("line")].mean(axis=1)
    on = signed_distance(section, middle)
    assert np.abs(on.distance).max() < 1e-16
    np.testing.assert_allclose(np.linalg.norm(on.gradient, axis=1), 1.0, atol=1e-14)


@pytest.mark.parametrize("name", ["star", "cusp", "blunt"])
def test_chunks_devices_and_precisions_agree(name):
    section = ring(UGLY[name], name)
    p = clouds(section.points, 700)
    whole = signed_distance(section, p)
    for chunk in (1, 1000, 10**9):
        part = signed_distance(section, p[:200], chunk=chunk)
        np.testing.assert_array_equal(part.distance, whole.distance[:200])
    tensor = signed_distance(section, torch.from_numpy(p).requires_grad_(), chunk=5000)
    np.testing.assert_allclose(tensor.distance.detach().numpy(), whole.distance, atol=1e-13)
    np.testing.assert_allclose(tensor.closest.detach().numpy(), whole.closest, atol=1e-12)
    single = signed_distance(section, torch.from_numpy(p).float())
    assert single.distance.dtype == torch.float32
    np.testing.assert_allclose(single.distance.numpy(), whole.distance, atol=3e-7)
    assert single.facet.dtype == torch.int64


def test_derivatives_in_points_and_vertices():
    torch.manual_seed(0)
    vertices = torch.from_numpy(star(5, 0.6).copy()).requires_grad_()
    points = (2 * torch.rand(40, 2, dtype=torch.float64) - 1).requires_grad_()

    def distance(p, v):
        return segment_distance(p, v, v.roll(-1, 0)).distance

    assert torch.autograd.gradcheck(distance, (points, vertices), eps=1e-7, atol=1e-6)
    found = segment_distance(points, vertices, vertices.roll(-1, 0))
    (slope,) = torch.autograd.grad(found.distance.sum(), points)
    torch.testing.assert_close(slope, found.gradient.detach())


def test_derivatives_on_the_wall_are_finite_and_normal():
    square = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.float64)
    points = torch.tensor([[0.5, 0.0], [1.0, 0.25]], dtype=torch.float64, requires_grad=True)
    found = segment_distance(points, square, square.roll(-1, 0))
    found.distance.sum().backward()
    torch.testing.assert_close(found.distance.detach(), torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(points.grad, torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64))


def test_open_chains_have_a_distance_without_sign():
    wall = Mesh([[0, 0], [1, 0], [2, 1.0]], Cells.of(line=np.array([[0, 1], [1, 2]])))
    p = np.array([[0.5, 0.3], [0.5, -0.3], [3, 1]])
    np.testing.assert_allclose(signed_distance(wall, p, signed=False).distance, [0.3, 0.3, 1.0], atol=1e-15)
    assert (
        segment_distance(torch.from_numpy(p), *map(torch.from_numpy, (wall.points[:2].copy(), wall.points[1:].copy())), signed=False).distance >= 0
    ).all()
    with pytest.raises(InvalidMeshError, match="open") as caught:
        signed_distance(wall, p)
    assert "signed=False" in caught.value.remedy


def test_open_outlines_are_closed_straight_and_say_how_sure_they_are():
    arc = circle(400)
    half = Mesh(arc.points, arc.cells.take(np.arange(200)))  # the upper half, closed by its diameter
    p = np.random.default_rng(0).uniform(-2, 2, (3000, 2))
    found = signed_distance(half, p)
    r = np.linalg.norm(p, axis=1)
    clear = np.abs(r - 1) > 1e-3
    np.testing.assert_array_equal((found.distance < 0)[clear], ((r < 1) & (p[:, 1] > 0))[clear])
    u, v = p - [-1.0, 0.0], p - [1.0, 0.0]
    seen = np.abs(np.arctan2(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0], (u * v).sum(axis=1))) / (2 * np.pi)  # angle of the diameter
    np.testing.assert_allclose(found.confidence, 1 - 2 * seen, atol=1e-9)
    tensor = outline_distance_tensor(half, torch.from_numpy(p), signed=True, chunk=10_000)
    for name in ("distance", "gradient", "closest", "winding", "confidence"):
        np.testing.assert_allclose(getattr(tensor, name).numpy(), getattr(found, name), atol=1e-9)


def test_several_open_chains_are_joined_end_to_nearest_end():
    section = naca4("2412", 120)
    gappy = Mesh(section.points, section.cells.take(np.setdiff1d(np.arange(120), [0, 1, 40, 60, 61, 90])))
    p = clouds(section.points, 500)
    clean, found = signed_distance(section, p), signed_distance(gappy, p)
    far = np.abs(clean.distance) > 1e-3  # the arc over a gap is that high
    np.testing.assert_array_equal(np.sign(found.distance)[far], np.sign(clean.distance)[far])
    assert found.confidence.min() < 0.3
    np.testing.assert_array_equal(clean.confidence, 1.0)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_lines_that_are_listed_twice_count_once(share):
    section = naca4("0012", 60)
    again = section.cells.take(np.flatnonzero(np.random.default_rng(0).random(60) < share))
    twice = Mesh(section.points, Cells.concatenate([section.cells, reversed_cells(again, np.arange(len(again)) % 2 == 0)]))
    p = clouds(section.points, 300)
    np.testing.assert_allclose(signed_distance(twice, p).distance, signed_distance(section, p).distance, atol=1e-15)


def test_three_point_lines_are_two_pieces():
    bent = Mesh([[0, 0], [2, 0], [1, 1.0]], Cells.of(line3=np.array([[0, 1, 2]])))
    found = signed_distance(bent, np.array([[1.0, 2.0], [0.0, 1.0]]), signed=False)
    np.testing.assert_allclose(found.distance, [1.0, np.sqrt(0.5)])
    np.testing.assert_array_equal(found.facet, [0, 0])
    np.testing.assert_array_equal(found.corners[1], [0, 2])


def test_many_segments_use_the_tree_of_vertices_and_stay_exact():
    section = naca4("4412", 3000)
    a, b = section.points, np.roll(section.points, -1, axis=0)
    p = clouds(a, 200)
    distance, winding = brute(p, a, b)
    found = signed_distance(section, p)
    np.testing.assert_allclose(np.abs(found.distance), distance, atol=1e-15)
    clear = distance > 1e-14
    np.testing.assert_array_equal((found.distance < 0)[clear], (winding != 0)[clear])


def test_no_points_and_one_segment():
    assert signed_distance(circle(8), np.zeros((0, 2))).distance.shape == (0,)
    assert segment_distance(torch.zeros(0, 2), torch.zeros(1, 2), torch.ones(1, 2)).distance.shape == (0,)
    one = Mesh([[0, 0], [1, 0.0]], Cells.of(line=np.array([[0, 1]])))
    np.testing.assert_allclose(signed_distance(one, np.array([[2.0, 0.0]]), signed=False).distance, [1.0])


def test_bad_input_is_named():
    ring_ = circle(8)
    with pytest.raises(ShapeError, match="axes"):
        signed_distance(ring_, np.zeros(2))
    with pytest.raises(ShapeError, match="2"):
        signed_distance(ring_, np.zeros((4, 3)))
    with pytest.raises(NonFiniteError, match="NaN"):
        signed_distance(ring_, np.array([[np.nan, 0.0]]))
    with pytest.raises(NonFiniteError, match="NaN"):
        signed_distance(ring_, torch.tensor([[float("inf"), 0.0]]))
    with pytest.raises(ConfigurationError, match="chunk"):
        signed_distance(ring_, np.zeros((1, 2)), chunk=0)
    with pytest.raises(InvalidMeshError, match="needs a surface"):
        signed_distance(Mesh([[0, 0], [1, 0], [0, 1.0]], Cells.of(triangle=np.array([[0, 1, 2]]))), np.zeros((1, 2)))
    with pytest.raises(InvalidMeshError, match="zero length"):
        signed_distance(Mesh([[0, 0], [0, 0.0]], Cells.of(line=np.array([[0, 1]]))), np.zeros((1, 2)), signed=False)
    with pytest.raises(InvalidMeshError, match="no segments"):
        segment_distance(torch.zeros(1, 2), torch.zeros(0, 2), torch.zeros(0, 2))
