"""The data set burgers: series, laws, equal bits, labels against the equation's invariants and a finer grid."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.measure import signed_measures
from geoop.truth.datasets import burgers


@pytest.fixture(scope="module")
def plan():
    return burgers.plan(burgers.DEFAULT_SIZE, 1)


@pytest.fixture(scope="module")
def mildest(plan):
    """The series of training with the largest viscosity per speed."""
    return max(plan.splits["train"], key=lambda name: plan.parameters[name]["viscosity"] / plan.parameters[name]["speed"]).rsplit("_t", 1)[0]


def test_plan(plan):
    assert sum(len(plan.splits[key]) for key in ("train", "val", "test")) == 3100 and len(plan.splits["ood"]) == 20 * 31
    of_split = [{plan.series[name] for name in names} for names in plan.splits.values()]
    assert sum(len(found) for found in of_split) == len(set().union(*of_split)) == 120
    assert all(list(plan.series.values()).count(series) == 31 for series in list(of_split[3]))
    inside = [plan.parameters[name]["viscosity"] for name in plan.splits["train"]]
    outside = [plan.parameters[name]["viscosity"] for name in plan.splits["ood"]]
    assert max(outside) <= 0.003 <= min(inside) and max(inside) <= 0.01
    assert burgers.plan(124, 1).parameters["burgers_0002_t05"] == plan.parameters["burgers_0002_t05"]
    with pytest.raises(ConfigurationError, match="-n 124"):
        burgers.plan(3, 1)


def test_the_start_is_what_the_card_says(plan):
    """Largest speed without the drift, mean equal to the drift, no wave above 3."""
    x = np.arange(64) / 64
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    for series in ("burgers_0001", "burgers_ood_0001"):
        drawn, start = plan.parameters[f"{series}_t00"], burgers.initial(1, series, points)
        drift = np.array([drawn["drift_x"], drawn["drift_y"]])
        np.testing.assert_allclose(start.mean(axis=0), drift, atol=1e-14)
        assert np.linalg.norm(start - drift, axis=1).max() == pytest.approx(drawn["speed"]) and np.linalg.norm(drift) <= 0.3
        spectrum = np.abs(np.fft.fft2(start[:, 0].reshape(64, 64)))
        assert spectrum[4:61].max() < 1e-10 and spectrum[:, 4:61].max() < 1e-10


def test_frames_are_a_periodic_series_of_equal_bits(mildest):
    first, last = burgers.case(1, f"{mildest}_t00"), burgers.case(1, f"{mildest}_t30")
    assert (first.time, last.time) == (0.0, pytest.approx(0.6)) and first.mesh is last.mesh
    mesh = last.mesh
    assert (signed_measures(mesh) > 0).all() and signed_measures(mesh).sum() == pytest.approx(1.0)
    u = last.fields["velocity"]
    assert u.quantity.unit == "m/s" and last.fields["kinematic_viscosity"].quantity.unit == "m^2/s"
    for one, other, axis in (("left", "right", 1), ("bottom", "top", 0)):
        a, b = mesh.patch_points(one), mesh.patch_points(other)
        np.testing.assert_allclose(mesh.points[a, axis], mesh.points[b, axis])
        np.testing.assert_array_equal(u.values[a], u.values[b])
    np.testing.assert_allclose(first.fields["velocity"].values, burgers.initial(1, mildest, mesh.points), atol=1e-12)
    burgers.frames.cache_clear()
    np.testing.assert_array_equal(burgers.case(1, f"{mildest}_t30").fields["velocity"].values, u.values)


def test_labels_hardly_change_on_a_coarser_grid(mildest):
    """Two fifths fewer points per direction change no value by more than 1e-5 m/s."""
    assert np.abs(burgers.solved(1, mildest, 144) - burgers.solved(1, mildest, 240)).max() < 1e-5


def test_speeds_obey_the_maximum_principle(mildest):
    """No component leaves the range that it starts with."""
    values = burgers.frames(1, mildest)
    fine = np.stack(np.meshgrid(*[np.arange(240) / 240] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    start = burgers.initial(1, mildest, fine)
    assert (values.max(axis=1) <= start.max(axis=0) + 1e-3).all() and (values.min(axis=1) >= start.min(axis=0) - 1e-3).all()
    assert (np.diff(np.ptp(values, axis=1).max(axis=1)) < 1e-3).all()
