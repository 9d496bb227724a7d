"""Mesh edges of clouds: nothing crosses the boundary, nothing depends on the order of the points, nothing fails on a line."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from geoop.graph.point_mesh import beyond, mesh_edges, mesh_graph, simplices, world_edges
from geoop.graph.pointset import PointSet


def polygon(corners: list[tuple[float, float]], per_side: int = 12, *, region: bool = True) -> PointSet:
    """Vertices along a counter-clockwise polygon with normals into the region inside it, or out of the body that it is."""
    corner = np.array(corners)
    after = np.roll(corner, -1, axis=0)
    s = np.arange(per_side) / per_side
    ring = (corner[:, None] + s[None, :, None] * (after - corner)[:, None]).reshape(-1, 2)
    forward, backward = np.roll(ring, -1, axis=0) - ring, ring - np.roll(ring, 1, axis=0)
    tangent = forward / np.linalg.norm(forward, axis=1)[:, None] + backward / np.linalg.norm(backward, axis=1)[:, None]
    tangent /= np.linalg.norm(tangent, axis=1)[:, None]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) * (1 if region else -1)
    weight = 0.5 * (np.linalg.norm(forward, axis=1) + np.linalg.norm(backward, axis=1))
    return PointSet(torch.from_numpy(ring), None, torch.from_numpy(normal)[:, None], torch.from_numpy(weight))


L_SHAPE = polygon([(0, 0), (1, 0), (1, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)])
PLATE = polygon([(-0.5, -0.02), (0.5, -0.02), (0.5, 0.02), (-0.5, 0.02)], 20, region=False)


def area(points: np.ndarray, triangles: np.ndarray) -> float:
    a, b = (points[triangles[:, i]] - points[triangles[:, 0]] for i in (1, 2))
    return float(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2)


def lattice(n: int) -> np.ndarray:
    axis = np.linspace(0, 1, n)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)


def in_l_shape() -> np.ndarray:
    points = lattice(13)
    return points[(points[:, 0] < 0.51) | (points[:, 1] < 0.51)]


def test_triangles_fill_an_l_shape_and_not_its_hull():
    points = in_l_shape()
    assert area(points, simplices(points, L_SHAPE)) == pytest.approx(0.75, abs=1e-12)
    assert area(points, simplices(points)) == pytest.approx(0.875, abs=1e-12)  # the control: the hull


def test_triangles_leave_out_a_thin_body():
    g = np.random.default_rng(0)
    around = g.uniform(-1, 1, (400, 2)) * [1.0, 0.5]
    around = around[(np.abs(around[:, 0]) > 0.53) | (np.abs(around[:, 1]) > 0.03)]
    points = np.concatenate([PLATE.pos.numpy(), around])
    hull = area(points, simplices(points))
    assert area(points, simplices(points, PLATE)) == pytest.approx(hull - 0.04, abs=1e-3)
    source, target = mesh_edges(points, PLATE)
    up = points[:, 1]
    across = (np.sign(up[source]) != np.sign(up[target])) & (np.abs(points[source, 0]) < 0.45) & (np.abs(points[target, 0]) < 0.45)
    assert not across.any()


def test_the_side_of_the_boundary_is_right_but_within_a_fraction_of_its_spacing():
    g = np.random.default_rng(1)
    places = g.uniform(-0.2, 1.2, (3000, 2))
    inside = (places > 0).all(1) & (places < 1).all(1) & ~(places > 0.5).all(1)
    corner = np.array([(0, 0), (1, 0), (1, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)], dtype=float)
    side = np.roll(corner, -1, axis=0) - corner
    along = np.clip(((places[:, None] - corner) * side).sum(2) / (side**2).sum(1), 0, 1)
    distance = np.linalg.norm(places[:, None] - corner - along[..., None] * side, axis=2).min(1)
    clear = distance > 0.02  # the spacing is 0.04 and 0.08
    assert (beyond(places, L_SHAPE)[clear] == ~inside[clear]).all()
    body = PointSet(L_SHAPE.pos, None, -L_SHAPE.vectors, L_SHAPE.weight)  # the same outline as a body: the region is outside
    assert (beyond(places, body)[clear] == inside[clear]).all()


def test_a_shell_in_space():
    g = np.random.default_rng(2)
    direction = g.normal(size=(400, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    body = PointSet(
        torch.from_numpy(0.5 * direction), None, torch.from_numpy(direction)[:, None], torch.full((400,), np.pi / 400, dtype=torch.float64)
    )
    places = g.uniform(-1, 1, (1000, 3))
    radius = np.linalg.norm(places, axis=1)
    clear = np.abs(radius - 0.5) > 0.1
    assert (beyond(places, body)[clear] == (radius < 0.5)[clear]).all()
    source, target = mesh_edges(0.5 * direction, body)  # a cloud on the surface alone: no edge through the body
    assert np.linalg.norm(0.5 * direction[source] - 0.5 * direction[target], axis=1).max() < 0.35
    assert np.bincount(target, minlength=400).min() >= 4


def test_the_order_of_points_does_not_matter_even_on_a_lattice():
    points = lattice(7)
    order = np.random.default_rng(3).permutation(len(points))
    source, target = mesh_edges(points)
    other_source, other_target = mesh_edges(points[order])
    assert set(zip(source, target, strict=True)) == set(zip(order[other_source], order[other_target], strict=True))


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((1, 2)),
        np.array([[0.0, 0.0], [1.0, 0.0]]),
        np.stack([np.linspace(0, 1, 9), np.zeros(9)], 1),
        np.stack([np.linspace(0, 1, 9)] * 3, 1),
        np.zeros((5, 2)),
        np.random.default_rng(0).uniform(size=(3, 3)),
    ],
    ids=["one", "two", "line", "line in space", "one place", "three in space"],
)
def test_degenerate_clouds_get_nearest_neighbours(points):
    n = len(points)
    source, target = mesh_edges(points)
    assert (source != target).all() and ((source >= 0) & (source < n)).all()
    assert (np.bincount(target, minlength=n) >= min(n - 1, points.shape[1] + 1)).all()
    assert set(zip(source, target, strict=True)) == set(zip(target, source, strict=True))


def test_a_ring_on_a_body_is_joined_along_the_body():
    source, target = mesh_edges(PLATE.pos.numpy(), PLATE)
    assert np.linalg.norm(PLATE.pos.numpy()[source] - PLATE.pos.numpy()[target], axis=1).max() < 0.25
    graph = mesh_graph(PointSet.concatenate([PLATE, L_SHAPE]), PointSet.concatenate([PLATE, L_SHAPE]))
    assert graph.n_source == len(PLATE) + len(L_SHAPE)
    first = graph.target < len(PLATE)
    assert (graph.source[first] < len(PLATE)).all() and (graph.source[~first] >= len(PLATE)).all()


def test_world_edges_cross_what_the_mesh_does_not():
    x = np.linspace(-0.4, 0.4, 17)
    rows = [np.stack([x, np.full(17, y)], 1) for y in (-0.17, -0.12, -0.07, 0.07, 0.12, 0.17)]
    points = np.concatenate(rows)
    mesh = mesh_edges(points, PLATE)
    # where the plate is wider than the cloud, the mesh has two components
    assert not (np.sign(points[mesh[0], 1]) != np.sign(points[mesh[1], 1])).any()
    source, target = world_edges(points, mesh, nearest=20)
    assert (np.sign(points[source, 1]) != np.sign(points[target, 1])).sum() > 10
    assert len(np.intersect1d(source * len(points) + target, mesh[0] * len(points) + mesh[1])) == 0
    uniform = np.random.default_rng(0).uniform(size=(300, 2))
    assert len(world_edges(uniform, mesh_edges(uniform))[0]) < 0.1 * len(mesh_edges(uniform)[0])
