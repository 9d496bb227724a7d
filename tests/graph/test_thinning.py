"""Subsets of clouds that carry the whole measure."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError, ShapeError
from geoop.graph.pointset import PointSet
from geoop.graph.segment import segment_sum
from geoop.graph.thinning import boxes, coarsen, thin


def cloud(n: int, seed: int = 0, d: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.random(n)


@pytest.mark.parametrize(("n", "count", "d"), [(1, 1, 2), (5, 5, 3), (5, 9, 2), (100, 1, 2), (101, 37, 3), (1000, 64, 2), (1000, 999, 1)])
def test_the_count_is_respected_and_no_weight_is_lost(n, count, d):
    points, weight = cloud(n, d=d)
    found = boxes(points, weight, count)
    assert len(found.kept) == min(n, count) and (np.diff(found.kept) > 0).all()
    np.testing.assert_allclose(found.weight.sum(), weight.sum(), rtol=1e-13)
    np.testing.assert_allclose(np.bincount(found.member, weight), found.weight, rtol=1e-12)
    assert (found.member[found.kept] == np.arange(len(found.kept))).all()  # a kept point lies in its own box
    sizes = np.bincount(found.member)
    assert sizes.max() - sizes.min() <= 2  # two roundings on the way down may add up


def by_recursion(points: np.ndarray, weight: np.ndarray, members: np.ndarray, leaves: int) -> list[tuple[int, float]]:
    """What the vectorised search must find, box by box."""
    if leaves == 1:
        share = weight[members]
        centre = share @ points[members] / share.sum()
        return [(int(members[((points[members] - centre) ** 2).sum(axis=1).argmin()]), float(share.sum()))]
    axis = int(np.ptp(points[members], axis=0).argmax())
    cut = round(len(members) * (leaves // 2) / leaves)
    order = members[np.argsort(points[members, axis], kind="stable")]
    halves = ((np.sort(order[:cut]), leaves // 2), (np.sort(order[cut:]), leaves - leaves // 2))
    return [found for half, count in halves for found in by_recursion(points, weight, half, count)]


@pytest.mark.parametrize(("n", "count", "d"), [(200, 64, 2), (333, 47, 3), (50, 49, 2)])
def test_all_boxes_at_once_equal_box_by_box(n, count, d):
    points, weight = cloud(n, 3, d)
    expected = sorted(by_recursion(points, weight, np.arange(n), count))
    kept, carried = thin(points, weight, count)
    assert kept.tolist() == [k for k, _ in expected]
    np.testing.assert_allclose(carried, [w for _, w in expected], rtol=1e-12)


def test_it_is_deterministic_and_does_not_depend_on_the_order_of_the_points():
    points, weight = cloud(500)
    kept, carried = thin(points, weight, 60)
    again = thin(points.copy(), weight.copy(), 60)
    assert (again[0] == kept).all() and (again[1] == carried).all()
    order = np.random.default_rng(1).permutation(500)
    other, other_weight = thin(points[order], weight[order], 60)
    rank = np.argsort(order[other])
    assert (order[other][rank] == kept).all()
    np.testing.assert_allclose(other_weight[rank], carried, rtol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_numbers_of_a_structured_grid_mean_nothing(d):
    points = np.stack(np.meshgrid(*[np.arange(9.0)] * d, indexing="ij"), axis=-1).reshape(-1, d)
    weight = np.random.default_rng(1).random(len(points))
    found = boxes(points, weight, 6)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(points))
        other = boxes(points[order], weight[order], 6)
        assert set(order[other.kept].tolist()) == set(found.kept.tolist())
        np.testing.assert_array_equal(order[other.kept][other.member], found.kept[found.member][order])


def test_ties_and_points_without_weight_are_no_trouble():
    lattice = np.stack(np.meshgrid(np.arange(32.0), np.arange(32.0)), axis=-1).reshape(-1, 2)
    kept, carried = thin(lattice, np.zeros(1024), 100)
    assert len(set(kept)) == 100 and not carried.any()
    same = thin(np.zeros((50, 2)), np.ones(50), 7)
    assert len(set(same[0])) == 7 and same[1].sum() == 50


def test_it_follows_the_density():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.random((9000, 2)), rng.random((1000, 2)) + [1.0, 0.0]])  # nine times as dense on the left
    kept, _ = thin(points, np.ones(10_000), 400)
    assert abs((points[kept, 0] < 1).mean() - 0.9) < 0.02


def test_levels_are_nested_and_each_is_a_quadrature():
    n = 40_000
    points = np.random.default_rng(0).random((n, 2)) ** [1.0, 2.0]  # graded to the lower edge
    weight = 2 * np.sqrt(points[:, 1]) / n
    exact = np.sin(1) * (1 - np.exp(-1))
    kept, carried, errors = np.arange(n), weight, []
    full = float(weight @ (np.cos(points[:, 0]) * np.exp(-points[:, 1])))
    assert abs(full / exact - 1) < 0.01
    for count in (4096, 512, 64):
        index, carried = thin(points[kept], carried, count)
        kept = kept[index]  # a subset of the level before
        errors.append(abs(float(carried @ (np.cos(points[kept, 0]) * np.exp(-points[kept, 1]))) - full))
    # boxes of half the size, a quarter of the error: each is represented by its centre, nearly
    assert errors[0] < errors[1] / 4 < errors[2] / 16 and errors[2] < 0.02 * full
    equal = abs(float(np.mean(np.cos(points[kept, 0]) * np.exp(-points[kept, 1]))) * weight.sum() - full)
    assert equal > 5 * errors[2]


def test_samples_of_a_batch_are_coarsened_each_by_itself():
    samples = [PointSet(torch.from_numpy(p), weight=torch.from_numpy(w)) for p, w in (cloud(40, 1), cloud(7, 2), cloud(90, 3))]
    batch = PointSet.concatenate(samples)
    coarse, same, members = coarsen(batch, 16)
    assert coarse.ptr.tolist() == [0, 16, 23, 39]
    assert torch.equal(coarse.pos, batch.pos[same.source])
    torch.testing.assert_close(segment_sum(batch.weight[members.source], members), coarse.weight)
    assert torch.equal(batch.batch[members.source], coarse.batch[members.target])
    parts = [coarsen(sample, 16) for sample in samples]
    assert torch.equal(coarse.pos, torch.cat([part[0].pos for part in parts]))
    torch.testing.assert_close(coarse.weight, torch.cat([part[0].weight for part in parts]))


def test_a_hundred_thousand_points_take_well_under_a_second_of_work():
    points, weight = cloud(100_000)
    started = time.process_time()
    thin(points, weight, 25_000)
    assert time.process_time() - started < 3  # measured 0.2 s; box by box it is several


@pytest.mark.parametrize(("weight", "count", "error"), [(np.ones(4), 2, ShapeError), (np.ones(5), 0, ConfigurationError)])
def test_bad_input(weight, count, error):
    with pytest.raises(error):
        thin(np.zeros((5, 2)), weight, count)
