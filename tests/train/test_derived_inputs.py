"""Training with a Newton potential that no file holds: from a data set to a prediction that is given the source alone."""

from dataclasses import replace

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError
from geoop.models.transolver import Transolver
from geoop.scaling.derived import with_derived
from geoop.train.settings import FitSettings

NAME = "newton potential of source"


@pytest.fixture(scope="module")
def gauss(tmp_path_factory):
    return geoop.generate("poisson-gauss", tmp_path_factory.mktemp("data") / "gauss", n=8, workers=1)


def small(ports):
    return Transolver(ports, 16, slices=4, depth=1)


def fit(data, directory, **options):
    settings = FitSettings(**{"epochs": 1, "batch": 4, "domain_points": 120, **options})
    return geoop.fit(data, directory, quantities=("solution",), inputs=("source", NAME), model=small, settings=settings, progress=False)


@pytest.fixture(scope="module")
def trained(gauss, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return fit(gauss, folder), folder


def given(case):
    """As an engineer has it: the source, and no solution."""
    return replace(case, fields={"source": case.field("source")})


def test_a_prediction_needs_the_source_alone(gauss, trained):
    case = given(gauss.cases("test")[0])
    found = trained[0].predict(case)["solution"]
    derived = trained[0].predict(with_derived(case, [NAME]))["solution"]
    np.testing.assert_array_equal(found, derived)
    stronger = case.with_fields(replace(case.field("source"), values=2 * case.field("source").values))
    assert not np.allclose(trained[0].predict(stronger)["solution"], found, rtol=1e-3)


def test_it_is_saved_and_judged_by_name(gauss, trained):
    case = given(gauss.cases("test")[0])
    loaded = geoop.load(trained[1] / "best.safetensors")
    np.testing.assert_array_equal(loaded.predict(case)["solution"], trained[0].predict(case)["solution"])
    assert f"size_{NAME}" in trained[0].framing.describe(case)


def test_anywhere_else_it_agrees_with_the_mesh(gauss, trained):
    case = given(gauss.cases("test")[0])
    result = trained[0].predict(case)
    inside = np.flatnonzero(~trained[0].framing.on_wall(case))[::7]
    np.testing.assert_allclose(result.at(case.mesh.points[inside])["solution"], result["solution"][inside], atol=1e-5)


def test_without_the_source_the_remedy_names_it(gauss, trained):
    with pytest.raises(ConfigurationError) as caught:
        trained[0].predict(replace(gauss.cases("test")[0], fields={}))
    assert "'source'" in str(caught.value)


def test_what_tells_the_answer_is_refused(gauss, tmp_path):
    settings = FitSettings(epochs=1, domain_points=120)
    for inputs in (("solution",), ("newton potential of solution",)):
        with pytest.raises(ConfigurationError, match="would tell"):
            geoop.fit(gauss, tmp_path / "run", quantities=("solution",), inputs=inputs, model=small, settings=settings, progress=False)


def test_it_learns_beyond_a_potential(gauss, tmp_path):
    """[1/m^2] twice integrated is [1], the unit of the solution: what is left to learn is harmonic."""
    trained = fit(gauss, tmp_path / "run", beyond={"solution": NAME})
    case = given(gauss.cases("test")[0])
    potential = with_derived(case, [NAME])
    assert potential.field(NAME).quantity.unit == "1"
    np.testing.assert_array_equal(trained.framing.prior(case, trained.normaliser.quantities[0]), potential.field(NAME).values)
    np.testing.assert_array_equal(trained.predict(case)["solution"], trained.predict(potential)["solution"])
