"""Input functions of boundary-value problems: constants stay constants, zero stays zero."""

import numpy as np
import pytest

from geoop.errors import UnitError
from geoop.mesh.case import Case
from geoop.mesh.primitives import box
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.scaling.functions import InputFunction
from geoop.scaling.normaliser import Normaliser
from geoop.scaling.region_frame import RegionFrame

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


def test_a_function_in_another_unit_is_the_same_function():
    """Trained in Pa: kPa are converted, an unknown unit is taken as it comes, a length is refused; files of older versions take all as it comes."""
    mesh = box(divisions=2)
    values = 1e3 * np.sin(mesh.points[:, 0])

    def case(unit, factor=1.0):
        return Case(mesh).with_fields(Field(Quantity("load", "q", unit), factor * values))

    frame = RegionFrame.of(mesh)
    found = InputFunction.fit("load", [case("Pa")], [frame])
    expected = found.of(case("Pa"), frame)[1]
    assert found.unit == "Pa" and InputFunction.from_dict(found.to_dict()) == found
    for one in (case("kPa", 1e-3), case("bar", 1e-5), case("?")):
        np.testing.assert_allclose(found.of(one, frame)[1], expected, rtol=1e-12)
        assert found.described(one, frame) == pytest.approx(found.described(case("Pa"), frame), rel=1e-12)
    with pytest.raises(UnitError, match="'load' is in mm, Pa is asked for"):
        found.of(case("mm"), frame)
    old = InputFunction.from_dict({key: value for key, value in found.to_dict().items() if key != "unit"})
    np.testing.assert_array_equal(old.of(case("mm"), frame)[1], expected)
    warm = InputFunction.fit("load", [case("degC")], [frame])
    np.testing.assert_allclose(warm.of(Case(mesh).with_fields(Field(Quantity("load", "q", "K"), values + 273.15)), frame)[1], expected, rtol=1e-9)
