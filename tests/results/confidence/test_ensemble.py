"""Ensembles: means and spreads of their members, one file, what does not fit together."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import ConfigurationError
from geoop.mesh.primitives import naca4
from geoop.models.ports import Ports
from geoop.models.rigno import RIGNO
from geoop.results.confidence.calibrating import calibrate
from geoop.results.confidence.ensemble import Ensemble

from . import small


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small.dataset(tmp_path_factory.mktemp("sections") / "data", 100)


@pytest.fixture(scope="module")
def members(data):
    return tuple(small.surrogate(data, seed) for seed in range(3))


@pytest.fixture(scope="module")
def rigno(members):
    torch.manual_seed(0)
    first = members[0]
    ports = Ports(vectors_out=1, scalars_out=1, vectors_in=1, surface_scalars=10, body=True)
    model = RIGNO(ports, 16, edge_width=8, depth=1, levels=2, mask=0.4)
    return replace(first, model=model, framing=replace(first.framing, domain="around", domain_points=120, reach=2.0))


@pytest.fixture
def case():
    return geoop.Case(naca4("2412", n_points=100), geoop.OperatingPoint(50.0, 3.0))


def test_fields_are_means_and_spreads_of_the_members(members, case):
    result = Ensemble(members).predict(case, surface_only=True)
    answers = [member.predict(case, surface_only=True) for member in members]
    for name in ("velocity", "pressure_coefficient"):
        values = np.stack([answer[name] for answer in answers]).astype(np.float64)
        np.testing.assert_allclose(result[name], values.mean(axis=0), rtol=1e-6, atol=1e-9)
        spread = values.std(axis=0, ddof=1)
        np.testing.assert_allclose(result[f"{name}_spread"], spread if spread.ndim == 1 else np.linalg.norm(spread, axis=1), rtol=1e-5, atol=1e-9)
    assert result.fields["velocity_spread"].quantity.unit == "m/s"
    where = np.array([[0.5, 0.5], [2.0, 0.1]])
    anywhere = np.stack([answer.at(where)["velocity"] for answer in answers]).astype(np.float64)
    np.testing.assert_allclose(result.at(where)["velocity"], anywhere.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(result.at(where)["velocity_spread"], np.linalg.norm(anywhere.std(axis=0, ddof=1), axis=1), rtol=1e-5)


def test_the_order_of_members_does_not_matter(members, case):
    one, other = Ensemble(members).predict(case, surface_only=True), Ensemble(members[::-1]).predict(case, surface_only=True)
    for name in one.fields:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-9, atol=1e-12)


def test_equal_members_have_no_spread(members, case):
    twice = Ensemble((members[0], members[0])).predict(case, surface_only=True)
    assert not twice["velocity_spread"].any()
    np.testing.assert_allclose(twice["velocity"], members[0].predict(case, surface_only=True)["velocity"], rtol=1e-6)


def test_a_sweep_is_its_single_predictions(members, case):
    ensemble, points = Ensemble(members), [geoop.OperatingPoint(50.0, a) for a in (0.0, 4.0)]
    for result, point in zip(ensemble.predict_many(case.mesh, points, surface_only=True), points, strict=True):
        alone = ensemble.predict(replace(case, operating_point=point), surface_only=True)
        np.testing.assert_allclose(result["pressure_coefficient"], alone["pressure_coefficient"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(result["pressure_coefficient_spread"], alone["pressure_coefficient_spread"], rtol=1e-3, atol=1e-6)
    assert ensemble.predict_many(case.mesh, []) == []


def test_a_bare_section_gets_a_grid(members, case):
    assert {"wall", "farfield"} <= set(Ensemble(members).predict(case).mesh.patches)


def test_one_file_holds_all_members_and_the_calibration(members, data, case, tmp_path):
    ensemble = calibrate(Ensemble(members), data)
    again = geoop.load(ensemble.save(tmp_path / "e.safetensors"))
    assert isinstance(again, Ensemble) and len(again) == 3
    one, other = (found.predict(case, surface_only=True) for found in (ensemble, again))
    assert "pressure_coefficient_band" in one.fields
    for name in one.fields:
        np.testing.assert_array_equal(one[name], other[name])
    assert one.verdict.to_dict() == other.verdict.to_dict()
    assert {"latent", "spread"} == set(again.calibration.limits)


def test_an_ensemble_is_evaluated_like_a_surrogate(members, data):
    found = geoop.evaluate(Ensemble(members), data, "val")
    assert len(found.scores.names) == len(data.splits["val"])


def test_masks_of_one_model_are_an_ensemble(rigno, case, tmp_path):
    ensemble = Ensemble.masked(rigno, members=4, share=0.5, seed=3)
    one, again = ensemble.predict(case, surface_only=True), ensemble.predict(case, surface_only=True)
    assert (one["velocity_spread"] > 0).any()
    np.testing.assert_array_equal(one["velocity"], again["velocity"])
    other = Ensemble.masked(rigno, members=4, share=0.5, seed=4).predict(case, surface_only=True)
    assert not np.array_equal(other["velocity"], one["velocity"])
    assert rigno.model.mask == 0.4 and len(ensemble) == 4  # the surrogate that was given stays as it was
    loaded = geoop.load(ensemble.save(tmp_path / "masked.safetensors"))
    np.testing.assert_array_equal(loaded.predict(case, surface_only=True)["velocity"], one["velocity"])


def test_the_latent_code_of_masks_is_that_of_the_whole_graphs(rigno, data):
    """Masks would give every case a code of another kind than the training cases have: infinitely far, all of them."""
    ensemble, case = Ensemble.masked(rigno, members=2), data.case(data.splits["val"][0])
    code = ensemble.weighed([case])[0][1].code
    np.testing.assert_array_equal(code, rigno.weighed([case])[0][1].code)
    small = replace(data, manifest=replace(data.manifest, splits={**data.splits, "train": data.splits["train"][:6]}))
    calibrated = calibrate(ensemble, small)
    assert all(np.isfinite(pair).all() for pair in calibrated.calibration.limits.values())


def test_what_does_not_fit_together_is_refused(members, rigno):
    for bad in ((), members[:1]):
        with pytest.raises(ConfigurationError, match="no spread"):
            Ensemble(bad)
    other = replace(members[1], viscous=True)
    with pytest.raises(ConfigurationError, match="kinds of flow"):
        Ensemble((members[0], other))
    with pytest.raises(ConfigurationError, match="RIGNO"):
        Ensemble(members, (1, 2))
    for arguments in ({"members": 1}, {"share": 1.0}):
        with pytest.raises(ConfigurationError):
            Ensemble.masked(rigno, **arguments)
    with pytest.raises(ConfigurationError):
        Ensemble.masked(members[0])
