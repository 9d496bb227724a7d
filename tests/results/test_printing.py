"""What a user sees who types the name of an object: a line or a few, never the arrays."""

import numpy as np
import pytest

import geoop
from geoop.mesh.primitives import naca4


@pytest.fixture(scope="module")
def result():
    return geoop.load("airfoil-potential").predict(geoop.Case(naca4("2412"), geoop.OperatingPoint(60.0, 4.0)), surface_only=True)


@pytest.mark.parametrize("name", ["airfoil-potential", "airfoil-rans-surface", "body-potential"])
def test_models_say_in_one_line_what_they_predict_and_were_trained_on(name):
    model = geoop.load(name)
    text = repr(model)
    assert "\n" not in text and len(text) < 300
    assert type(model).__name__ in text and "trained on" in text and model.about["dataset"] in text
    assert all(quantity.name in text for quantity in model.normaliser.quantities)


def test_a_result_says_what_of_what_and_how_far_to_trust_it(result):
    assert "\n" not in repr(result) and len(repr(result)) < 1000 and "inside" in repr(result)
    text = str(result)
    assert len(text) < 2000 and "velocity [m/s]" in text and "converged" in text
    assert str(result.verdict) in text and "expected error of CL" in text
    assert f"{result['pressure_coefficient'].min():.6g}" in text


def test_cases_fields_and_series_are_one_line(result):
    series = geoop.Series(np.array([0.0, 1.0]), (result.case, result.case))
    for item in (result.case, series, *result.fields.values()):
        assert "\n" not in repr(item) and len(repr(item)) < 1000
    assert "velocity [m/s]" in repr(result.case) and "200 x 2" in repr(result.fields["velocity"])
    assert "2 cases over time [s], 0 to 1" in repr(series)


@pytest.mark.parametrize("values", [np.array([np.nan, np.nan]), np.array([]), np.array([True, False]), np.array(3.0)])
def test_fields_of_any_kind_have_words(values):
    field = geoop.Field(geoop.Quantity("mark", "m", "1"), values, "global" if values.ndim == 0 else "point")
    assert repr(field).startswith("Field('mark [1]'") and "nan" not in repr(field)
