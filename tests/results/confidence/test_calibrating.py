"""Calibration of surrogates that were never trained: bands cover, files keep them, verdicts say why."""

import json
from dataclasses import replace

import numpy as np
import pytest

import geoop
from geoop.errors import CheckpointError, ConfigurationError, DatasetError
from geoop.io.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from geoop.mesh.primitives import naca4
from geoop.results.confidence.calibrating import CaseErrors, calibrate, case_errors, fitted
from geoop.results.confidence.conformal import coverage_interval
from geoop.results.confidence.judging import judge, judged, risk_coverage
from geoop.results.confidence.latent_distance import LatentCloud
from geoop.results.metrics import regions_of

from . import small


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small.dataset(tmp_path_factory.mktemp("sections") / "data")


@pytest.fixture(scope="module")
def plain(data):
    return small.surrogate(data)


@pytest.fixture(scope="module")
def calibrated(plain, data):
    return calibrate(plain, data)


def records(count: int, seed: int = 0) -> list[CaseErrors]:
    """Errors of one field and one coefficient that grow with the distance of one-dimensional codes from 0, from case to case at random."""
    random, found = np.random.default_rng(seed), []
    for k in range(count):
        code = random.standard_normal(1)
        size = (0.05 + abs(float(code[0]))) * random.lognormal(0, 0.3)
        magnitude = random.random(60)
        error = size * (0.1 + magnitude) * np.abs(random.standard_normal(60))
        points = {("pressure_coefficient", "surface"): (error, magnitude, None, np.ones(60))}
        found.append(CaseErrors(f"case {k}", {}, code, {"pressure_coefficient": float(np.sqrt((error**2).mean())), "CL": 0.3 * size}, points))
    return found


def cloud(count: int = 200) -> LatentCloud:
    return LatentCloud.fit(np.random.default_rng(77).standard_normal((count, 1)), "mahalanobis")


def test_coverage_of_exchangeable_cases_lies_where_theory_has_it():
    """Fitted scales included: they rest on other cases than the quantiles do."""
    known, new = records(400), records(1500, seed=1)
    calibration = fitted(known, cloud())
    assert calibration.cases == 300
    held = [judged(calibration, record, "inside", "-").covered for record in new]
    low, high = coverage_interval(300, 0.9, tests=1500, within=0.999)
    for name in ("pressure_coefficient", "CL", "pressure_coefficient_band surface"):
        assert low <= np.mean([row[name] for row in held]) <= high
    # the scale per case knows the hard ones: bounds rank errors, and the hardest fifth is covered, too, where one bound for all fails
    stated = np.array([calibration.errors["CL"].of(calibration.signals(r.code, r.signals)) for r in new])
    actual = np.array([record.errors["CL"] for record in new])
    hard = np.argsort(stated)[-300:]
    one = np.quantile([record.errors["CL"] for record in known], 0.9)
    assert np.mean(actual[hard] <= stated[hard]) > 0.8 > 0.7 > np.mean(actual[hard] <= one)
    shares, risk = risk_coverage(stated, actual)
    assert risk[-1] == pytest.approx(actual.mean()) and shares[-1] == 1.0
    assert risk_coverage(actual, actual)[1].mean() < risk.mean() < 0.8 * actual.mean()


def test_few_cases_get_flat_scales_and_too_few_are_refused():
    few = fitted(records(20), cloud())
    assert few.cases == 20 and few.errors["CL"].difficulty.names == ()
    assert fitted(records(9), cloud()).errors["CL"].quantile == max(r.errors["CL"] for r in records(9))
    with pytest.raises(DatasetError, match="8 cases, a finite band of 90 % needs 9"):
        fitted(records(8), cloud())
    assert fitted(records(8), cloud(), coverage=0.85).cases == 8


def test_verdicts_flag_the_shares_that_limits_are_made_for():
    known, new = records(400), records(1000, seed=2)
    calibration = fitted(known, cloud())
    inside, edge = calibration.limits["latent"]
    far = np.array([calibration.signals(r.code, r.signals)["latent"] for r in new])
    assert 0.01 <= np.mean(far > edge) + 0.005 <= 0.03
    assert 0.02 <= np.mean(far > inside) <= 0.09


def test_a_surrogate_that_was_never_trained_is_covered_all_the_same(calibrated, data):
    found = judge(calibrated, data, "test")
    low, high = coverage_interval(14, 0.9, tests=len(found.cases), within=0.999)
    for name, share in found.coverage().items():
        assert low <= share <= high, name
    assert {"velocity", "pressure_coefficient", "CL", "CM"} == set(found.names)
    assert "pressure_coefficient_band surface" in found.coverage() and "velocity_band field" in found.coverage()
    flags = found.flags("pressure_coefficient")
    assert flags["good"] == round(0.95 * len(found.cases)) or abs(flags["good"] - 0.95 * len(found.cases)) <= 1
    assert json.dumps(found.to_dict()) and "nominal" in str(found)


def test_bands_are_fields_in_the_unit_of_their_quantity_and_paraview_gets_them(calibrated, plain, data, tmp_path):
    case = data.case(data.splits["test"][0])
    result, bare = calibrated.predict(case), plain.predict(case)
    np.testing.assert_array_equal(result["pressure_coefficient"], bare["pressure_coefficient"])  # the prediction itself stays
    stated = {f"{name}_expected_error" for name in ("velocity", "pressure_coefficient", "CL", "CM")}
    assert set(result.fields) - set(bare.fields) == {"velocity_band", "pressure_coefficient_band"} | stated
    assert result.fields["velocity_band"].quantity.unit == "m/s"
    assert bare.fields["verdict_level"].values == {"inside": 0, "edge": 1, "outside": 2}[bare.verdict.level]  # without calibration, too
    assert (result["velocity_band"] > 0).all() and result["velocity_band"].shape == (len(case.mesh.points),)
    assert set(result.verdict.expected_errors) == {"velocity", "pressure_coefficient", "CL", "CM"}
    again = geoop.read_case(result.write(tmp_path / "case.vtu"))
    np.testing.assert_allclose(again.fields["pressure_coefficient_band"].values, result["pressure_coefficient_band"])
    assert again.fields["velocity_expected_error"].quantity.unit == "m/s"
    assert float(again.fields["CL_expected_error"].values) == result.verdict.expected_errors["CL"]
    assert again.fields["verdict_level"].values == {"inside": 0, "edge": 1, "outside": 2}[result.verdict.level]


def test_bands_anywhere_are_those_of_the_points_of_the_mesh(calibrated, plain, data):
    case = data.case(data.splits["test"][0])
    result, bare = calibrated.predict(case), plain.predict(case)
    field = regions_of(case)["field"]
    found = result.at(case.mesh.points[field])
    for name in ("velocity", "pressure_coefficient"):
        np.testing.assert_allclose(found[f"{name}_band"], result[f"{name}_band"][field], rtol=1e-4)
        np.testing.assert_array_equal(found[name], bare.at(case.mesh.points[field])[name])
    assert set(bare.at(case.mesh.points[:2])) == {"velocity", "pressure_coefficient"}
    middle = case.mesh.points[regions_of(case)["surface"]].mean(axis=0)
    assert all(np.isnan(values).all() for values in result.at(middle).values())  # inside of the body there is nothing to be sure of


def test_speed_scales_the_band_of_the_velocity_and_no_coefficient(calibrated):
    slow, fast = (calibrated.predict(geoop.Case(naca4("2412", n_points=100), geoop.OperatingPoint(v, 3.0)), surface_only=True) for v in (10.0, 30.0))
    np.testing.assert_allclose(fast["velocity_band"], 3 * slow["velocity_band"], rtol=1e-4)
    np.testing.assert_allclose(fast["pressure_coefficient_band"], slow["pressure_coefficient_band"], rtol=1e-4)
    assert fast.verdict.expected_errors["velocity"] == pytest.approx(3 * slow.verdict.expected_errors["velocity"])
    assert fast.verdict.expected_errors["CL"] == pytest.approx(slow.verdict.expected_errors["CL"])


def test_bounds_of_coefficients_follow_their_reference_length(plain, calibrated, data):
    case = data.cases("test")[0]
    length = plain.framing.of(case).frame.length

    def referenced(share):
        return replace(case, operating_point=replace(case.operating_point, reference_length=share * length))

    one, third = (calibrated.predict(referenced(share), surface_only=True).verdict.expected_errors for share in (1.0, 1 / 3))
    assert third["CL"] == pytest.approx(3 * one["CL"]) and third["CM"] == pytest.approx(9 * one["CM"])
    assert third["pressure_coefficient"] == pytest.approx(one["pressure_coefficient"])
    known, other = (case_errors(plain, referenced(share)).errors for share in (1.0, 1 / 3))
    assert known["CL"] > 0 and other == pytest.approx(known)  # whatever length the validation cases were made with


def test_a_file_keeps_the_calibration_bit_equal(calibrated, data, tmp_path):
    again = geoop.load(calibrated.save(tmp_path / "a.safetensors"))
    case = data.case(data.splits["test"][1])
    one, other = calibrated.predict(case), again.predict(case)
    for name in one.fields:
        np.testing.assert_array_equal(one[name], other[name])
    assert one.verdict.to_dict() == other.verdict.to_dict()


def test_files_without_calibration_load_and_answer_as_before(plain, data, tmp_path):
    path = plain.save(tmp_path / "old.safetensors")
    assert "calibration" not in read_checkpoint(path).header
    again = geoop.load(path)
    assert again.calibration is None
    case = data.case(data.splits["test"][0])
    answer, before = again.predict(case), plain.predict(case)
    assert set(answer.fields) == set(before.fields) and not any(name.endswith("_band") for name in answer.fields)
    np.testing.assert_array_equal(answer["velocity"], before["velocity"])


def test_a_damaged_calibration_is_said(calibrated, tmp_path):
    whole = calibrated.checkpoint()
    for header, arrays in (
        ({**whole.header, "calibration": {"coverage": 0.9}}, whole.arrays),
        (whole.header, {k: v for k, v in whole.arrays.items() if k != "calibration.rows"}),
    ):
        path = write_checkpoint(tmp_path / "damaged.safetensors", Checkpoint(header, arrays))
        with pytest.raises(CheckpointError):
            geoop.load(path)


def test_far_cases_are_outside_with_the_reason(calibrated, data):
    known = data.case(data.splits["train"][3])
    near, far = calibrated.predict(known), calibrated.predict(replace(known, operating_point=geoop.OperatingPoint(60.0, 60.0)))
    assert far.verdict.level == "outside" and "alpha" in far.verdict.reason
    assert far.fields["verdict_level"].values == 2.0
    assert near.verdict.level == "inside"


def test_a_surface_alone_has_no_band_in_the_field_that_was_never_seen(plain, data):
    """Calibrated on walls, asked on a grid: nothing is claimed away from the wall."""
    from geoop.io.paraview import patch_case

    walls = [case_errors(plain, patch_case(data.case(name), "wall")) for name in data.splits["val"]]
    calibration = fitted(walls, LatentCloud.fit([record.code for record in walls]))
    result = replace(plain, calibration=calibration).predict(data.case(data.splits["test"][0]))
    assert np.isfinite(result["pressure_coefficient_band"][:200]).all()
    assert np.isnan(result["pressure_coefficient_band"][200:]).all()


def test_bands_around_bodies_are_unknown_where_only_walls_were_seen(calibrated, data):
    walls = {key: band for key, band in calibrated.calibration.bands.items() if key[1] == "surface"}
    seen = replace(calibrated, calibration=replace(calibrated.calibration, bands=walls))
    found = seen.predict(data.case(data.splits["test"][0])).at([[0.3, 1.2], [2.0, 0.1]])
    assert np.isnan(found["velocity_band"]).all() and np.isfinite(found["velocity"]).all()


def test_codes_of_another_model_are_refused():
    with pytest.raises(DatasetError, match="do not compare"):
        fitted(records(20), LatentCloud.fit(np.random.default_rng(0).standard_normal((30, 4))))


def test_what_cannot_be_calibrated_or_judged_is_refused(plain, calibrated, data):
    with pytest.raises(DatasetError, match="training cases"):
        calibrate(plain, data, "train")
    with pytest.raises(DatasetError, match="0 cases in split 'nothing'"):
        calibrate(plain, data, "nothing")
    with pytest.raises(DatasetError, match="needs 99"):
        calibrate(plain, data, coverage=0.99)
    for bad in ({"coverage": 90.0}, {"share": 0.0}):
        with pytest.raises(ConfigurationError):
            calibrate(plain, data, **bad)
    with pytest.raises(ConfigurationError, match="not calibrated"):
        judge(plain, data)
    with pytest.raises(DatasetError, match="calibrated on the split 'val'"):
        judge(calibrated, data, "val")


def test_equal_bounds_rank_nothing():
    """Where a stated error is the same for all, the risk is the mean error whatever the share that is kept."""
    actual = np.array([1.0, 2.0, 6.0])
    np.testing.assert_allclose(risk_coverage(np.ones(3), actual)[1], 3.0)
    np.testing.assert_allclose(risk_coverage([3, 1, 2], actual)[1], [2.0, 4.0, 3.0])
    with pytest.raises(ConfigurationError):
        risk_coverage([], [])
