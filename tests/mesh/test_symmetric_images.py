"""Images of training cases: as many as were asked for, in the same box, and refused where they would be wrong."""

from __future__ import annotations

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError
from geoop.mesh.generate.disk import star
from geoop.mesh.quantity import Field, Quantity
from geoop.mesh.symmetric_images import seen_cases
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.settings import FitSettings


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return geoop.generate("poisson-gauss", tmp_path_factory.mktemp("data") / "gauss", n=20, workers=1)


def prepared(data, images, **options):
    how = Preparation(domain_points=64, vary_points=1.0, images=images)
    return TrainingData.of(data, ("solution",), ("source",), how, progress=False, **options)


def test_eight_images_of_a_square_are_the_same_problem_eight_times(data):
    one, eight = prepared(data, 1), prepared(data, 8)
    count = len(data.splits["train"])
    assert len(one.train) == count and len(eight.train) == 8 * count
    assert len(eight.validation) == len(one.validation)
    np.testing.assert_allclose(eight.framing.box, one.framing.box, atol=1e-15)
    assert eight.normaliser.deviation == pytest.approx(one.normaliser.deviation, rel=1e-12)
    for k in range(count):
        targets = [eight.train[k + count * m].target for m in range(8)]
        for other in targets[1:]:
            assert (other.scalars == targets[0].scalars).all()
    positions = {tuple(np.round(eight.train[m * count].queries.points.pos[1].numpy(), 6)) for m in range(8)}
    assert len(positions) > 3  # and each at another place


def test_a_box_that_is_no_square_allows_four():
    mesh = star(6, lambda angle: 1.0 + 0 * angle)
    flat = geoop.Mesh(mesh.points * [2.0, 1.0], mesh.cells, mesh.patches)
    cases = [geoop.Case(flat).with_fields(Field(Quantity("source", "f"), np.ones(len(mesh.points))))] * 2
    assert len(seen_cases(cases, True, 4)) == 8
    bounds = np.array([case.mesh.bounds for case in seen_cases(cases, True, 4)])
    np.testing.assert_allclose(bounds, np.broadcast_to(bounds[0], bounds.shape), atol=1e-12)
    with pytest.raises(ConfigurationError, match="at most 4"):
        seen_cases(cases, True, 5)


def test_flows_have_mirror_images_and_no_others(tmp_path):
    data = geoop.generate("kt-airfoils", tmp_path / "kt", n=12, workers=1)
    cases = data.cases("train")
    assert len(seen_cases(cases, True, 1)) == 2 * len(cases) and len(seen_cases(cases, False, 1)) == len(cases)
    with pytest.raises(ConfigurationError, match="reflect"):
        geoop.fit(data, tmp_path / "run", model="Transolver", settings=FitSettings(epochs=1, images=4), progress=False)


def test_fit_trains_on_images(data, tmp_path):
    settings = FitSettings(epochs=1, images=4, batch=4, domain_points=64, vary_points=1.0)
    surrogate = geoop.fit(data, tmp_path / "run", quantities=["solution"], inputs=["source"], model="Transolver", settings=settings, progress=False)
    assert surrogate.about["steps"] == len(data.splits["train"])  # four images of each in batches of four
    assert surrogate.about["settings"]["images"] == 4


def test_settings_that_are_none():
    with pytest.raises(ConfigurationError, match="images is 0"):
        FitSettings(epochs=1, images=0)
