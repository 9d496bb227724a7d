"""Fields to vectors and back: exact for constants, small errors for real flows, at points that were left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from geoop.baselines.channels import Channels
from geoop.baselines.transfer import Place, Transfer, subset, there_and_back
from geoop.errors import FieldError, NonFiniteError
from geoop.mesh.case import Case
from geoop.mesh.quantity import QUANTITIES, Field, Quantity

CHANNELS = Channels((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]))
TRANSFER = Transfer(reach=1.3)


def test_constants_are_exact(flow: Callable[..., Case]) -> None:
    place = Place.of(flow(0, 400))
    columns = np.tile([1.0, -2.0], (len(place.s), 1))
    vector = TRANSFER.encode(place, columns)
    assert vector.shape == (TRANSFER.size, 2)
    assert np.allclose(TRANSFER.decode(place, vector), columns, atol=1e-7)


def test_the_floor_of_an_exact_flow_falls_with_the_number_of_points(flow: Callable[..., Case]) -> None:
    floors = []
    for n in (1200, 5000):
        case = flow(3, n)
        place = Place.of(case)
        values = CHANNELS.gather(case, place)
        back = there_and_back(TRANSFER, place, values, folds=5)
        wall = place.on_wall
        floors.append(np.linalg.norm((back - values)[~wall]) / np.linalg.norm(values[~wall]))
        assert np.linalg.norm((back - values)[wall]) < 5e-4 * np.linalg.norm(values[wall])
    assert floors[0] < 0.02 and floors[1] < 0.004


def test_gather_and_scatter_are_inverse_and_free_of_the_stream(flow: Callable[..., Case]) -> None:
    case = flow(1, 300)
    place = Place.of(case)
    columns = CHANNELS.gather(case, place)
    far, near = place.d > 0.5, place.d < 0.01
    assert np.abs(columns[far, :2]).mean() < 0.3 * np.abs(columns[near, :2]).mean()  # the perturbation fades
    back = CHANNELS.scatter(columns, case, place)
    for quantity, values in back.items():
        assert np.allclose(values, case.field(quantity.name).values, atol=1e-10)


def test_beyond_the_training_points_the_last_layer_is_kept(flow: Callable[..., Case]) -> None:
    case = flow(2, 1500)
    place = Place.of(case)
    vector = TRANSFER.encode(place, CHANNELS.gather(case, place))
    far = subset(place, [500, 500])
    far.d[:] = [1.3, 50.0]
    out = TRANSFER.decode(far, vector)
    assert np.array_equal(out[0], out[1])


def test_wall_points_only_or_field_points_only(flow: Callable[..., Case]) -> None:
    case = flow(4, 600)
    place = Place.of(case)
    values = CHANNELS.gather(case, place)
    wall = Transfer(reach=1.0, has_field=False)
    on_wall = subset(place, np.flatnonzero(place.on_wall))
    vector = wall.encode(on_wall, values[place.on_wall])
    assert wall.n_field == 0 and np.abs(wall.decode(on_wall, vector) - values[place.on_wall]).max() < 0.02
    field = Transfer(reach=1.3, has_wall=False)
    vector = field.encode(place, values)
    assert field.decode(place, vector).shape == values.shape


def test_other_units_places_and_nan_are_refused(flow: Callable[..., Case]) -> None:
    case = flow(5, 50)
    place = Place.of(case)
    kinematic = Channels((Quantity("pressure_coefficient", "Cp", "Pa"),))
    with pytest.raises(FieldError, match=r"expected \[Pa\]"):
        kinematic.gather(case, place)
    broken = case.field("pressure_coefficient").values.copy()
    broken[7] = np.nan
    with pytest.raises(NonFiniteError):
        CHANNELS.gather(case.with_fields(Field(QUANTITIES["pressure_coefficient"], broken)), place)
