"""Clouds of many sizes in training: so that a model can be asked on other clouds."""

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.settings import FitSettings


@pytest.fixture(scope="module", params=["kt-airfoils", "polygons-mixed"])
def data(request, tmp_path_factory):
    """Cases, what is learned, and a number of points that their meshes have twice of."""
    quantities, points = {"kt-airfoils": (("velocity",), 120), "polygons-mixed": (("solution",), 32)}[request.param]
    return geoop.generate(request.param, tmp_path_factory.mktemp("data") / "own", n=20, workers=1), quantities, points


def counts(data, **options):
    *cases, points = data
    found = TrainingData.of(*cases, preparation=Preparation(domain_points=points, **options), progress=False)
    return found, [[len(s.geometry.domain) for s in part] for part in (found.train, found.validation)]


def test_training_clouds_differ_and_others_do_not(data):
    (found, (train, validation)), points = counts(data, vary_points=2.0), data[2]
    assert min(train) < 0.7 * points and max(train) > 1.4 * points
    assert all(0.35 * points < count < 2.4 * points for count in train)
    assert abs(np.log(train).mean() - np.log(validation).mean()) < 0.25  # as many halved as doubled
    assert max(validation) < 1.3 * min(validation)
    assert found.framing.domain_points == points
    assert counts(data, vary_points=2.0)[1] == [train, validation]


def test_the_measure_is_the_same_whatever_the_cloud(data):
    """The region does not grow with the number of points that stand for it."""
    (varied, _), (equal, _) = counts(data, vary_points=2.0), counts(data, vary_points=1.0)
    areas = [[float(s.geometry.domain.points.weight.sum()) for s in part.train] for part in (varied, equal)]
    np.testing.assert_allclose(areas[0], areas[1], rtol=0.03)


def test_equal_clouds(data):
    _, (train, validation) = counts(data, vary_points=1.0)
    assert max(train + validation) < 1.3 * min(train + validation)


def test_a_factor_that_is_none():
    with pytest.raises(ConfigurationError, match="vary_points is 0"):
        FitSettings(epochs=1, vary_points=0.0)
