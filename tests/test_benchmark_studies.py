"""The driver of the benchmark of studies, and what its section of confidence computes from answers."""

import math

import benchmark_studies
import numpy as np
import pytest
from confidence_answers import Answered, flagged, plain

from geoop.results.confidence.calibrating import CaseErrors, fitted
from geoop.results.confidence.latent_distance import LatentCloud


def answers(count: int, seed: int, far: float = 0.0) -> list[Answered]:
    """Errors that are the distance of a one-dimensional code from 0; ``far`` is added to the code."""
    random, found = np.random.default_rng(seed), []
    for k in range(count):
        code = random.standard_normal(1) + far
        record = CaseErrors(f"case {k}", {}, code, {"CL": abs(float(code[0])) + 0.01}, {})
        found.append(Answered(record, "edge" if far else "inside", "inside"))
    return found


@pytest.fixture(scope="module")
def calibration():
    cloud = LatentCloud.fit(np.random.default_rng(7).standard_normal((200, 1)), "mahalanobis")
    return fitted([a.record for a in answers(400, 0)], cloud)


def test_far_cases_are_bad_and_flagged_and_near_ones_good_and_left_alone(calibration):
    near, far = answers(300, 1), answers(300, 2, far=8.0)
    usual = float(np.quantile([a.record.errors["CL"] for a in near], 0.95))
    one, other = (flagged(found, calibration, "CL", usual, "all") for found in (near, far))
    assert one["good"] == 285 and one["good: outside"] < 0.03 and one["bad"] <= 5
    assert other["bad"] == 300 and other["bad: outside"] == 1.0 and other["good: outside"] is None
    assert one["rank correlation"] > 0.9
    assert one["control: perfect ranking"] <= one["area under risk-coverage"] < one["control: no ranking"]
    # the controls see what they see alone
    assert flagged(far, calibration, "CL", usual, "envelope")["bad: not inside"] == 1.0
    assert flagged(far, calibration, "CL", usual, "ranges")["bad: not inside"] == 0.0


def test_the_control_without_a_scale_has_one_bound_for_all():
    cloud = LatentCloud.fit(np.random.default_rng(7).standard_normal((200, 1)))
    flat = fitted([plain(a.record) for a in answers(400, 0)], cloud)
    assert flat.errors["CL"].of({"latent": 0.1}) == flat.errors["CL"].of({"latent": 10.0})


def test_rows_are_measured_once_and_sections_are_those_with_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_studies, "OUTPUT", tmp_path)
    calls = []
    for _ in range(2):
        row = benchmark_studies.once("confidence/table/row", lambda: calls.append(1) or {"value": 1.5})
    assert calls == [1] and row["value"] == 1.5 and not math.isnan(row["value"])
    benchmark_studies.main(["--sections", "confidence", "--report"])
    with pytest.raises(SystemExit):
        benchmark_studies.main(["--sections", "nothing"])
