"""Series: how many cases, and their times where they run over time."""

from __future__ import annotations

import pickle

import pytest

from geoop.errors import GeoopError
from geoop.mesh.case import Case, Series
from geoop.mesh.primitives import box


@pytest.mark.parametrize("parameter", ["time [s]", "time"])
def test_times_of_a_series_over_time(parameter):
    case = Case(box())
    series = Series([0.0, 0.5, 2.0], (case,) * 3, parameter)
    assert len(series) == 3 and series.times.tolist() == [0.0, 0.5, 2.0] and not series.times.flags.writeable


@pytest.mark.parametrize("parameter", ["alpha [deg]", "timestep", "sometime [s]"])
def test_a_series_over_something_else_has_no_times(parameter):
    series = Series([1.0, 2.0], (Case(box()),) * 2, parameter)
    assert len(series) == 2 and not hasattr(series, "times")
    with pytest.raises(AttributeError, match="not over time") as caught:
        _ = series.times
    assert isinstance(caught.value, GeoopError) and "series.values" in caught.value.remedy and parameter in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
