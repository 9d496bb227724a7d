"""Clouds that stand for a mesh: measures and integrals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConfigurationError, FieldError
from geoop.graph.thinning import boxes
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import star
from geoop.mesh.measure import cell_measures, point_weights
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import Field, Quantity
from geoop.scaling.clouds import Cloud, around, quadrature_weights, thinned
from geoop.scaling.newton_potential import newton_potential
from geoop.scaling.region import on_boundary


def region(rings: int = 24) -> Case:
    return Case(star(rings, lambda angle: 1.0 + 0.1 * np.cos(3 * angle)))


def waves(points: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """(n, 1) a source of many waves, the high ones the strongest, as the solution makes them weakest."""
    i, j = np.meshgrid(np.arange(1, count + 1), np.arange(1, count + 1), indexing="ij")
    a = np.random.default_rng(seed).uniform(-1, 1, i.shape) * np.hypot(i, j)
    return np.einsum("ij,ni,nj->n", a, np.sin(np.pi * points[:, :1] * i[:, 0]), np.sin(np.pi * points[:, 1:] * j[0]))[:, None]


@pytest.mark.parametrize("count", [7, 50, 400, 10**6])
def test_integrals_of_the_cloud_are_those_of_the_mesh(count):
    case = region()
    weight, values = point_weights(case.mesh), np.random.default_rng(1).standard_normal((len(case.mesh.points), 3))
    values[:, 2] = 4.0
    cloud = thinned(case, on_boundary(case.mesh), count)
    means = cloud.means(values)
    np.testing.assert_allclose(cloud.weight @ means, weight @ values, atol=1e-12)
    np.testing.assert_allclose(means[:, 2], 4.0, rtol=1e-12)  # a constant stays what it is
    assert (means.min(axis=0) >= values.min(axis=0) - 1e-12).all() and (means.max(axis=0) <= values.max(axis=0) + 1e-12).all()
    if count >= len(values):
        np.testing.assert_array_equal(means, values)


def test_a_point_stands_for_what_lies_around_it():
    case = region()
    on_wall = on_boundary(case.mesh)
    cloud = thinned(case, on_wall, 100)
    np.testing.assert_array_equal(cloud.member[cloud.number], np.arange(len(cloud.number)))
    np.testing.assert_array_equal(cloud.on_wall[cloud.member], on_wall)
    np.testing.assert_allclose(np.bincount(cloud.member, point_weights(case.mesh)), cloud.weight, rtol=1e-12)
    np.testing.assert_allclose(np.bincount(cloud.member, cloud.share), 1, rtol=1e-12)
    assert np.linalg.norm(case.mesh.points - cloud.points[cloud.member], axis=1).max() < 0.5


def test_boxes_without_measure_share_evenly():
    case = region(6)
    found = boxes(case.mesh.points, np.zeros(len(case.mesh.points)), 10)
    share = found.shares(np.zeros(len(case.mesh.points)))
    np.testing.assert_allclose(np.bincount(found.member, share), 1)
    np.testing.assert_allclose(share, 1 / np.bincount(found.member)[found.member])


def test_the_potential_of_a_rough_source_survives_in_means_and_not_in_samples():
    """What a solution sees of a source that no box resolves is its mean in the box; the rest is of second order in the size of the boxes."""
    case = region(30)
    weight = point_weights(case.mesh)
    sources = np.concatenate([waves(case.mesh.points, 12, seed) for seed in range(4)], axis=1)
    exact = newton_potential(case.mesh.points, weight, sources)

    def error(cloud: Cloud, values: np.ndarray) -> float:
        change = newton_potential(case.mesh.points, weight, values[cloud.member] - sources)
        change, whole = (item - weight @ item / weight.sum() for item in (change, exact))
        return float(np.sqrt((weight @ change**2).sum() / (weight @ whole**2).sum()))

    clouds = [thinned(case, on_boundary(case.mesh), count) for count in (400, 1600)]
    coarse, fine = (error(cloud, cloud.means(sources)) for cloud in clouds)
    assert fine < coarse / 3 < 0.2  # four with boxes of half the size
    for cloud, found in zip(clouds, (coarse, fine), strict=True):
        assert error(cloud, sources[cloud.number]) > 3 * found


@pytest.mark.parametrize("channels", [1, 3])
def test_variance_is_what_means_leave_out_and_what_they_keep(channels):
    case = region()
    weight, values = point_weights(case.mesh), np.random.default_rng(2).standard_normal((len(case.mesh.points), channels))
    cloud = thinned(case, on_boundary(case.mesh), 100)
    within, whole = cloud.variances(values)
    middle = weight @ values / weight.sum()
    assert whole == pytest.approx((weight @ (values - middle) ** 2).sum(), rel=1e-12)
    assert 0.8 * whole < within < whole  # noise averages out
    blocks = values[cloud.number][cloud.member]
    assert cloud.variances(blocks)[0] < 1e-20 < cloud.variances(blocks)[1]  # what is constant in every part is kept
    assert cloud.variances(np.full((len(weight), channels), 1e5 / 3)) == (0.0, 0.0)  # of rounding no share is taken


def test_generated_points_stand_for_none():
    cloud = around(naca4(n_points=80), 100, 2.0)
    for asked in (cloud.means, cloud.variances):
        with pytest.raises(ConfigurationError, match="generated"):
            asked(np.ones((len(cloud.points), 1)))


def test_a_stray_vertex_cell_takes_no_weights_away():
    mesh = star(8, lambda angle: np.ones_like(angle))
    stray = replace(mesh, cells=Cells.concatenate([mesh.cells, Cells.of(vertex=[[3]])]))
    np.testing.assert_allclose(quadrature_weights(Case(stray)), quadrature_weights(Case(mesh)), rtol=1e-14)
    assert quadrature_weights(Case(stray)).sum() == pytest.approx(cell_measures(mesh).sum(), rel=1e-12)


def test_bare_points_weigh_alike_unless_they_say_what_they_stand_for():
    points = np.random.default_rng(0).random((200, 3))
    cloud = Mesh(points, Cells.of(vertex=np.arange(200)[:, None]))
    weight = Quantity("quadrature_weight", "w", "m^3")
    assert len(thinned(Case(cloud), np.zeros(200, dtype=bool), 50).points) == 50
    given = Case(cloud).with_fields(Field(weight, np.arange(200.0)))
    assert thinned(given, np.zeros(200, dtype=bool), 50).weight.sum() == pytest.approx(np.arange(200.0).sum())
    for wrong in (-1.0, np.nan, np.inf):
        values = np.ones(200)
        values[7] = wrong
        with pytest.raises(FieldError, match="1 of 200 values"):
            quadrature_weights(Case(cloud).with_fields(Field(weight, values)))
