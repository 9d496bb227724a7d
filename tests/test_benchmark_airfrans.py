"""What the benchmark on surface pressure stands on: its generated sections and flows, its division of folds, and rows that are not measured twice."""

import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

import benchmark_airfrans as bench  # noqa: E402
import naca_panel_flows as flows  # noqa: E402

from geoop.io.dataset_writing import DatasetPlan, write_dataset  # noqa: E402
from geoop.mesh.case import Case  # noqa: E402
from geoop.mesh.operating_point import OperatingPoint  # noqa: E402
from geoop.mesh.primitives import circle, naca4  # noqa: E402


def test_four_digits_are_the_known_ones():
    angle = 2.0 * np.pi * np.arange(100) / 100
    np.testing.assert_allclose(flows.outline("four", 2.0, 4.0, 12.0, angle), naca4("2412", 100).points, atol=1e-12)


def test_five_digits_are_the_published_ones():
    """NACA 230: r = 0.2025, k1 = 15.957 and a largest camber of 1.84 % at 15 % (Report 537); reflexed 231: r = 0.2170."""
    x = np.linspace(0.0, 1.0, 2001)
    camber, slope = flows._five(x, 0.3, 0.15, False)
    assert x[np.argmax(camber)] == pytest.approx(0.15, abs=1e-3) and camber.max() == pytest.approx(0.0184, abs=1e-4)
    assert -slope[-1] == pytest.approx(15.957 / 6 * 0.2025**3, rel=0.02)
    np.testing.assert_allclose(np.gradient(camber, x)[1:-1], slope[1:-1], atol=2e-3)
    assert flows._without_moment(0.15) == pytest.approx(0.2170, abs=2e-3)
    for kind in (False, True):
        first, second = flows._harmonics(flows._without_moment(0.2), 0.2, kind)
        assert bool(abs(second - first) < 1e-6 * abs(first)) is kind


def test_flows_are_those_of_the_panel_method_and_have_sections_of_their_own_for_validation(tmp_path):
    data = flows.naca_panel_flows(tmp_path / "flows", 6)
    assert len(data.splits["train"]) == 4 * flows.PER_SECTION and not {n[:8] for n in data.splits["train"]} & {n[:8] for n in data.splits["val"]}
    for case in data.cases("val"):
        cp = case.field("pressure_coefficient").values
        assert flows.POINTS[0] <= len(cp) < flows.POINTS[1] and cp.max() <= 1.0 and cp.max() > 0.9
        assert 2e6 <= case.operating_point.density * case.operating_point.velocity / case.operating_point.viscosity <= 6e6
    assert flows.flow(0, "naca0001_0").mesh.content_hash == data.case("naca0001_0").mesh.content_hash


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    splits = {f"fold-{k}": tuple(f"c{i:02d}" for i in range(k, 60, 5)) for k in range(5)}
    plan = DatasetPlan("folds", "sixty rings", splits)
    return write_dataset(
        tmp_path_factory.mktemp("data") / "folds", plan, lambda name: Case(circle(12), OperatingPoint(1.0, float(name[1:])), name=name)
    )


def test_the_reported_fold_is_never_trained_or_validated_on(folds):
    for fold in range(5):
        validated: set[str] = set()
        for seed in range(4):
            splits = bench.divided(folds, fold, seed).splits
            assert splits["test"] == folds.splits[f"fold-{fold}"]
            assert len(splits["train"]) + len(splits["val"]) == 48 and len(splits["val"]) == 4
            assert not set(splits["test"]) & {*splits["train"], *splits["val"]}
            # the cases at the ends of the range of angles are trained on
            assert {min(splits["train"] + splits["val"]), max(splits["train"] + splits["val"])} <= set(splits["train"])
            assert not validated & set(splits["val"])  # every member of an ensemble is stopped by other cases
            validated |= set(splits["val"])


def test_a_row_is_measured_once(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "OUTPUT", tmp_path)
    for answer in (1, 2):
        bench.kept("some model/seed0", lambda answer=answer: {"answer": answer})
    assert bench.rows() == {"some model/seed0": {"key": "some model/seed0", "answer": 1}}
