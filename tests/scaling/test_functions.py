"""Input functions of boundary-value problems: constants stay constants, zero stays zero."""

import numpy as np
import pytest

from geoop.mesh.quantity import QUANTITIES, Quantity
from geoop.scaling.functions import InputFunction
from geoop.scaling.normaliser import Normaliser

NORMALISER = Normaliser((Quantity("solution", "u"), QUANTITIES["displacement"]), (2.0, 0.0), (0.5, 0.1))


@pytest.mark.parametrize(
    ("name", "mean", "deviation"), [("boundary solution", 2.0, 0.5), ("previous_solution", 2.0, 0.5), ("boundary displacement", 0.0, 0.1)]
)
def test_what_is_predicted_is_standardised_alike_on_the_boundary_and_before_a_step(name, mean, deviation):
    found = InputFunction(name, 1, 0.3, 0.7, optional=True).beside(NORMALISER)
    assert (found.mean, found.deviation, found.optional, found.channels) == (mean, deviation, True, 1)


@pytest.mark.parametrize("name", ["source", "boundary boundary_flux", "conductivity", "solution"])
def test_everything_else_keeps_zero_and_sign_and_has_mean_square_one(name):
    values = np.array([[0.5], [2.0], [3.5], [0.0]])
    found = InputFunction(name, 1, float(values.mean()), float(values.std())).beside(NORMALISER).standardised(values)
    assert found[3, 0] == 0.0 and (found >= 0).all()
    assert (found**2).mean() == pytest.approx(1.0)
