"""Bars, plates and slivers, however thin: the distance is the smallest there is, the side is right."""

import numpy as np
import pytest
import torch

from geoop.errors import InvalidMeshError
from geoop.mesh.analytic import box_distance
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere, naca4, wing
from geoop.mesh.triangulation import triangulated


def brute(mesh: Mesh, p: np.ndarray) -> np.ndarray:
    """(n,) distances to all triangles one after the other."""
    best = np.full(len(p), np.inf)
    for x in mesh.points[triangulated(mesh)[0]]:
        inside = np.ones(len(p), dtype=bool)
        normal = np.cross(x[1] - x[0], x[2] - x[0])
        for k in range(3):
            a, b = x[k], x[(k + 1) % 3]
            t = np.clip((p - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
            best = np.minimum(best, np.linalg.norm(p - a - t[:, None] * (b - a), axis=1))
            inside &= np.cross(b - a, p - a) @ normal >= 0
        if inside.any():
            best[inside] = np.minimum(best[inside], np.abs((p[inside] - x[0]) @ normal) / np.linalg.norm(normal))
    return best


def turned(seed: int) -> np.ndarray:
    """A rotation by chance; none for seed 0."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0] if seed else np.eye(3)


def about(size: np.ndarray, n: int = 40_000) -> np.ndarray:
    """Points in, right next to, around and far from a box from the origin to ``size``."""
    rng = np.random.default_rng(0)
    on, axis = rng.random((n // 4, 3)), rng.integers(0, 3, n // 4)
    row = np.arange(n // 4)
    on[row, axis] = rng.integers(0, 2, n // 4)
    out = np.zeros_like(on)
    out[row, axis] = 2 * on[row, axis] - 1
    off = 10.0 ** rng.uniform(-6, 0, n // 4) * size.min() * rng.choice([-0.49, 1.0], n // 4)
    parts = [on * size + off[:, None] * out]
    parts += [(3 * rng.random((n // 4, 3)) - 1) * np.minimum(size * factor, 1.0) for factor in (1.0, 50.0, 1e9)]
    return np.concatenate(parts)


@pytest.mark.parametrize("seed", [0, 4])
@pytest.mark.parametrize("size", [(1, h, h) for h in (1e-3, 1e-4, 1e-5, 1e-6)] + [(1, 1, h) for h in (1e-4, 1e-8)], ids=str)
def test_thin_boxes_are_exact_on_both_sides(size, seed):
    size, rotation = np.array(size, dtype=float), turned(seed)
    body, p = box((0, 0, 0), tuple(size)), about(size)
    exact = box_distance(p, (0, 0, 0), size)
    found = signed_distance(body.moved(body.points @ rotation.T), p @ rotation.T)
    # turned, the corners of a needle are off their places by a rounding error, and its faces tilt by that over the width
    rounding = 1e-15 if not seed else 4e-16 / size.min()
    np.testing.assert_allclose(np.abs(found.distance), np.abs(exact), rtol=0, atol=3 * rounding)
    clear = np.abs(exact) > 3 * rounding
    np.testing.assert_array_equal(np.sign(found.distance[clear]), np.sign(exact[clear]))
    np.testing.assert_array_equal(found.confidence, 1.0)
    np.testing.assert_array_equal(found.winding, found.distance < 0)


def test_points_within_and_beside_a_needle():
    grid = np.meshgrid(np.linspace(0.1, 0.9, 9), [-1e-5, 0.5e-5, 2e-5], [-1e-5, 0.5e-5, 2e-5], indexing="ij")
    p = np.stack(grid, axis=-1).reshape(-1, 3)
    found = signed_distance(box((0, 0, 0), (1, 1e-5, 1e-5)), p)
    np.testing.assert_array_equal(found.distance < 0, (p[:, 1:] == 0.5e-5).all(axis=1))


def test_next_to_a_wing_of_one_strip():
    body = wing(naca4("0012", 64), span=10.0, n_span=1)
    known = np.array([[0.9845991731355054, 4.0278425392044275, -0.0023141121176831884]])
    x = body.points[triangulated(body)[0]]
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(3), (20, len(x)))
    normal = np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    p = np.concatenate([known, (np.einsum("rtk,tkd->rtd", weights, x) + 1e-4 * normal).reshape(-1, 3), rng.uniform(-6, 6, (500, 3))])
    found = signed_distance(body, p)
    assert found.distance[0] == pytest.approx(1e-4, rel=1e-6)
    np.testing.assert_allclose(np.abs(found.distance), brute(body, p), rtol=0, atol=1e-14)


def test_many_needles_side_by_side():
    n, radius = 300, 1e-2
    t = 2 * np.pi * np.arange(n) / n
    rim = np.stack([np.zeros(n), radius * np.cos(t), radius * np.sin(t)], axis=1)
    i, j = np.arange(n), (np.arange(n) + 1) % n
    hub = np.full(n, 2 * n)
    corners = [(i, j, j + n), (i, j + n, i + n), (j, i, hub), (i + n, j + n, hub + 1)]
    body = Mesh(
        np.concatenate([rim, rim + [1, 0, 0], [[0, 0, 0], [1, 0, 0]]]) @ turned(1).T,
        Cells.of(triangle=np.concatenate([np.stack(c, axis=1) for c in corners])),
    )
    rng = np.random.default_rng(0)
    p = np.concatenate([rng.random((800, 1)), rng.uniform(-3 * radius, 3 * radius, (800, 2))], axis=1)
    found = signed_distance(body, p @ turned(1).T)
    np.testing.assert_allclose(np.abs(found.distance), brute(body, p @ turned(1).T), rtol=0, atol=1e-12)
    apart = np.abs(np.hypot(p[:, 1], p[:, 2]) - radius) > 1e-6
    np.testing.assert_array_equal((found.distance < 0)[apart], (np.hypot(p[:, 1], p[:, 2]) < radius)[apart])


def test_walls_within_another_body_and_gaps_thinner_than_a_facet():
    """Of overlapping bodies the buried walls do not bound, however near; a gap between two bodies is outside, however narrow."""

    def pair(first, second):
        return Mesh(
            np.concatenate([first.points, second.points]),
            Cells.concatenate([first.cells, second.cells.renumbered(np.arange(len(second.points)) + len(first.points))]),
        )

    rng = np.random.default_rng(0)
    overlap = pair(box(), box((0.5, 0.5, 0.5), (1.5, 1.5, 1.5)))
    off = 10.0 ** rng.uniform(-12, -2, (300, 1)) * rng.choice([-1, 1], (300, 1))
    p = np.concatenate([1 + off, rng.uniform(0.55, 0.95, (300, 2))], axis=1)
    assert (signed_distance(overlap, p).distance < 0).all()
    for gap in (1e-4, 1e-6):
        apart = pair(box(), box((0, 0, 1 + gap), (1, 1, 2)))
        p = np.concatenate([rng.uniform(0.1, 0.9, (300, 2)), 1 + gap * rng.uniform(-1, 2, (300, 1))], axis=1)
        np.testing.assert_array_equal(signed_distance(apart, p).distance > 0, (p[:, 2] > 1) & (p[:, 2] < 1 + gap))


@pytest.mark.parametrize("change", [1e-9, -1e-9, 3e-8])
def test_a_body_that_a_file_lists_twice_but_for_rounding_is_one_body(change):
    sphere = icosphere(2)
    second = sphere.points * (1 + change)
    twice = Mesh(
        np.concatenate([sphere.points, second]), Cells.of(triangle=np.concatenate([sphere.cells.block("triangle") + k * len(second) for k in (0, 1)]))
    )
    p = np.random.default_rng(0).normal(size=(500, 3))
    found, one = signed_distance(twice, p), signed_distance(sphere, p)
    np.testing.assert_array_equal(np.sign(found.distance), np.sign(one.distance))
    np.testing.assert_allclose(found.distance, one.distance, atol=1e-7)


@pytest.mark.parametrize("factor", [1e4, 1e8, 1e12, 1e20, 1e50])
def test_far_away_points(factor):
    sphere = icosphere(2)
    p = np.random.default_rng(0).normal(size=(40, 3))
    p *= factor / np.linalg.norm(p, axis=1, keepdims=True)
    found = signed_distance(sphere, p)
    np.testing.assert_allclose(found.distance, brute(sphere, p), rtol=1e-14)
    np.testing.assert_array_equal(found.winding, 0.0)


@pytest.mark.parametrize("body", [circle(9), icosphere(1)], ids=["2-D", "3-D"])
def test_coordinates_out_of_range_are_named(body):
    for scale in (1e150, 1e-150):
        with pytest.raises(InvalidMeshError, match="out of the range"):
            signed_distance(body.moved(body.points * scale), body.points * scale)
    for points in (1e150 * body.points, torch.from_numpy(1e150 * body.points)):
        with pytest.raises(InvalidMeshError, match="out of the range"):
            signed_distance(body, points)


@pytest.mark.parametrize("body", [circle(40), icosphere(1)], ids=["2-D", "3-D"])
def test_integer_points_have_distances_in_double(body):
    p = np.array([[0] * body.dimension, [2] * body.dimension])
    exact = signed_distance(body, p.astype(float)).distance
    found = signed_distance(body, torch.from_numpy(p)).distance
    assert found.dtype == torch.float64
    np.testing.assert_array_equal(found.numpy(), exact)


def test_derivatives_through_a_sliver_are_finite():
    height = 1e-9
    x = np.array([[0, 0, 0], [1, height, 0], [2, 0, 0], [0, -1, 0], [0, 0, 1.0]])
    body = Mesh(x, Cells.of(triangle=np.array([[0, 2, 1], [0, 1, 4], [1, 2, 4], [0, 3, 2], [0, 4, 3], [2, 3, 4]])))
    rng = np.random.default_rng(0)
    p = torch.from_numpy(np.concatenate([rng.uniform(-0.5, 2, (300, 3)), [1, height / 2, 0] + rng.normal(size=(300, 3)) * [0.5, height, height]]))
    points, vertices = p.clone().requires_grad_(), torch.from_numpy(x).requires_grad_()
    found = signed_distance(body, points, vertices=vertices)
    np.testing.assert_allclose(found.distance.detach().numpy(), signed_distance(body, p.numpy()).distance, atol=1e-14)
    for slope in torch.autograd.grad(found.distance.sum(), (points, vertices)):
        assert bool(torch.isfinite(slope).all())
