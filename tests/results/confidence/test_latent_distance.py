"""Latent codes and their distance from the training's."""

import numpy as np
import pytest
import torch

from geoop.errors import CheckpointError, ConfigurationError, DatasetError
from geoop.graph.graph import Graph
from geoop.graph.pointset import PointSet
from geoop.models.cloud_model import CloudState
from geoop.results.confidence.latent_code import LONGEST, latent_code
from geoop.results.confidence.latent_distance import METRICS, LatentCloud


def plane(count: int, seed: int = 0) -> np.ndarray:
    """(n, 20) codes on a plane through their space, with a little noise."""
    random = np.random.default_rng(seed)
    turn = np.random.default_rng(99).standard_normal((2, 20))
    return random.standard_normal((count, 2)) @ turn + 0.05 * random.standard_normal((count, 20))


@pytest.mark.parametrize("metric", METRICS)
def test_new_cases_of_the_kind_are_as_far_as_training_cases(metric):
    cloud = LatentCloud.fit(plane(300), metric)
    assert np.median(cloud.left_out) == pytest.approx(1.0)
    new = np.array([cloud.distance(code) for code in plane(300, seed=1)])
    limit = np.quantile(cloud.left_out, 0.95)
    assert 0.01 <= np.mean(new > limit) <= 0.12
    far = [cloud.distance(code) for code in plane(20, seed=2) * 8]
    assert np.median(far) > 2 * limit


@pytest.mark.parametrize("metric", METRICS)
def test_a_case_that_differs_in_a_new_way_is_far(metric):
    """Off the plane of the training codes, over its middle: the principal directions alone see nothing."""
    cloud = LatentCloud.fit(plane(300), metric)
    off = np.linalg.svd(cloud.directions)[2][-1]  # across all directions that are kept
    code = cloud.mean + 6 * cloud.deviation * off
    turned = cloud._turned(code)
    assert np.abs(turned[:-1]).max() < 1e-4 and turned[-1] == pytest.approx(6.0, rel=1e-4)
    assert cloud.distance(code) > 1.5 * np.quantile(cloud.left_out, 0.99)


def test_the_order_of_the_training_cases_does_not_matter():
    known, code = plane(60), plane(1, seed=4)[0]
    one, other = LatentCloud.fit(known).distance(code), LatentCloud.fit(known[::-1]).distance(code)
    assert one == pytest.approx(other, rel=1e-4)


@pytest.mark.parametrize("metric", METRICS)
def test_a_checkpoint_answers_bit_equal(metric):
    cloud = LatentCloud.fit(plane(50), metric)
    again = LatentCloud.from_arrays(cloud.arrays(), metric, cloud.neighbours)
    for code in plane(10, seed=5):
        assert cloud.distance(code) == again.distance(code)
    with pytest.raises(CheckpointError):
        LatentCloud.from_arrays({}, metric, 5)


def test_what_cannot_be_compared_is_infinitely_far_or_refused():
    cloud = LatentCloud.fit(plane(20))
    assert cloud.distance(np.zeros(3)) == np.inf
    assert cloud.distance(np.full(20, np.nan)) == np.inf
    for codes in (plane(2), [np.zeros(3), np.zeros(4), np.zeros(3)], [np.full(3, np.nan)] * 5):
        with pytest.raises(DatasetError):
            LatentCloud.fit(codes)
    with pytest.raises(ConfigurationError):
        LatentCloud.fit(plane(20), "euclidean")
    alike = LatentCloud.fit(np.ones((10, 4)))  # training cases that are all the same one
    assert alike.distance(np.ones(4)) == 0.0 and alike.distance(np.full(4, 2.0)) > 1e3


def test_a_code_does_not_depend_on_the_number_or_order_of_points():
    random = torch.Generator().manual_seed(0)
    points = PointSet(torch.randn(30, 2, generator=random), torch.randn(30, 5, generator=random), torch.randn(30, 2, 2, generator=random))
    turned = points.take(torch.arange(29, -1, -1))
    twice = PointSet(points.pos.repeat(2, 1), points.scalars.repeat(2, 1), points.vectors.repeat(2, 1, 1))
    code = latent_code({"nodes": points})
    assert code.shape == (12,)
    for other in (turned, twice):
        np.testing.assert_allclose(latent_code({"nodes": other}), code, atol=1e-6)


def test_graphs_and_what_was_prepared_are_left_out_and_long_codes_shortened():
    points = PointSet(torch.randn(4, 2), torch.randn(4, 3))
    graph = Graph(torch.tensor([0, 1]), torch.tensor([0, 1]), 2, 2)
    assert latent_code((points, graph, None)).shape == (6,)
    state = CloudState(prepared=points, inputs=None, latents={"nodes": points})  # type: ignore[arg-type]
    assert latent_code(state).shape == (6,)
    token = PointSet(torch.zeros(1, 2), torch.randn(1, 5000))
    assert latent_code(token).shape == (LONGEST,)
    np.testing.assert_array_equal(latent_code(token), latent_code(token))


@pytest.mark.parametrize("metric", METRICS)
def test_the_images_of_a_case_are_not_its_neighbours(metric):
    """Of a model that answers images nearly alike: new cases must be no farther than the training cases are said to be."""
    images = [plane(60) + 1e-3 * np.random.default_rng(k).standard_normal((60, 20)) for k in range(8)]
    cloud = LatentCloud.fit(np.concatenate(images), metric, cases=60)
    new = np.array([cloud.distance(code) for code in plane(300, seed=1)])
    assert np.mean(new > np.quantile(cloud.left_out, 0.95)) <= 0.15
    np.testing.assert_array_equal(LatentCloud.from_arrays(cloud.arrays(), metric, cloud.neighbours).left_out, cloud.left_out)
    if metric == "neighbours":  # as if every image were a case of its own, nearly all new ones are far
        alone = LatentCloud.fit(np.concatenate(images), metric)
        assert np.mean([alone.distance(code) > np.quantile(alone.left_out, 0.95) for code in plane(300, seed=1)]) > 0.9
    assert np.isfinite(LatentCloud.fit(np.concatenate(images)[:3], metric, cases=1).left_out).all()  # one case alone
