"""Cases like the training cases are inside, others are not, and the reason names what is wrong with its training range."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from geoop.errors import CheckpointError, DatasetError
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import box, circle, icosphere, naca4
from geoop.scaling.envelope import TrainingEnvelope
from geoop.truth.exact.karman_trefftz import KarmanTrefftz

TRAINED = {"mu_x": (-0.15, -0.03), "mu_y": (0.0, 0.12), "tau": (5.0, 20.0), "alpha": (-5.0, 10.0)}


def sections(count: int, seed: int, **laws: tuple[float, float]) -> list[Case]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        p = {name: rng.uniform(*law) for name, law in {**TRAINED, **laws}.items()}
        outline = KarmanTrefftz(p["mu_x"], p["mu_y"], p["tau"]).outline(80)
        found.append(Case(outline, OperatingPoint(60.0, alpha=p["alpha"])))
    return found


@pytest.fixture(scope="module")
def envelope() -> TrainingEnvelope:
    return TrainingEnvelope.fit(sections(200, seed=0))


def levels(envelope: TrainingEnvelope, cases: list[Case]) -> dict[str, float]:
    found = [envelope.verdict(case).level for case in cases]
    return {level: found.count(level) / len(found) for level in ("inside", "edge", "outside")}


def test_new_cases_of_the_same_law_are_mostly_inside(envelope: TrainingEnvelope) -> None:
    share = levels(envelope, sections(60, seed=1))
    assert share["inside"] > 0.75 and share["outside"] < 0.05


def test_more_incidence_or_camber_is_outside_with_its_name_and_range(envelope: TrainingEnvelope) -> None:
    share = levels(envelope, sections(15, seed=2, alpha=(12.0, 15.0)))
    assert share["outside"] == 1.0
    verdict = envelope.verdict(sections(1, seed=3, alpha=(13.0, 13.0), mu_y=(0.04, 0.04))[0])
    assert verdict.level == "outside"
    assert verdict.reason.startswith("alpha to chord 1") and "deg, trained on -" in verdict.reason and "..1" in verdict.reason
    camber = envelope.verdict(sections(1, seed=4, mu_y=(0.2, 0.2), alpha=(0.0, 0.0))[0])
    assert camber.level == "outside" and "camber" in camber.reason
    thick = envelope.verdict(sections(1, seed=4, mu_x=(-0.3, -0.3), alpha=(0.0, 0.0))[0])
    assert thick.level == "outside" and ("thickness" in thick.reason or "nose" in thick.reason)


def test_just_beyond_a_range_is_its_edge(envelope: TrainingEnvelope) -> None:
    row = dict(zip(envelope.names, np.median(envelope.rows, axis=0), strict=True))
    verdict = envelope.judge(row)
    assert verdict.level == "inside" and f"{len(envelope.names)} descriptors lie within" in verdict.reason
    highest = envelope.rows[:, envelope.names.index("alpha_to_chord [deg]")].max()
    for beyond, level in ((-0.1, "inside"), (0.3, "edge"), (2.0, "outside")):
        assert envelope.judge({**row, "alpha_to_chord [deg]": highest + beyond}).level == level


def test_a_hole_in_the_training_set_is_found_by_distance() -> None:
    """Every number within its range, but no training case near the combination."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=400)
    rows = [{"alpha [deg]": 10 * a, "thickness [1]": 0.1 + 0.05 * a + 0.001 * rng.normal()} for a in x]
    envelope = TrainingEnvelope.of_descriptors(rows)
    assert envelope.judge({"alpha [deg]": 5.0, "thickness [1]": 0.125}).level == "inside"
    verdict = envelope.judge({"alpha [deg]": 8.0, "thickness [1]": 0.07})
    assert verdict.level == "outside" and "no training case is near" in verdict.reason
    assert "alpha 8.0 deg" in verdict.reason or "thickness 0.07" in verdict.reason


def test_other_shapes_are_outside(envelope: TrainingEnvelope) -> None:
    point = OperatingPoint(60.0, alpha=2.0)
    assert envelope.verdict(Case(circle(100), point)).level == "outside"
    turned = naca4("2412")
    assert envelope.verdict(Case(turned.moved(turned.points @ np.array([[0.0, 1.0], [-1.0, 0.0]])), point)).level == "outside"
    verdict = envelope.verdict(Case(icosphere(1), point))
    assert verdict.level == "outside" and "not stated" in verdict.reason


def test_conditions_that_training_did_not_know_have_no_influence_and_it_is_said(envelope: TrainingEnvelope) -> None:
    inside = next(case for case in sections(20, seed=6) if envelope.verdict(case).level == "inside")
    fast = Case(inside.mesh, dataclasses.replace(inside.operating_point, mach=0.7))
    verdict = envelope.verdict(fast)
    assert verdict.level == "outside" and "mach 0.7 is stated, but no training case had it: compressible" in verdict.reason
    slow = Case(inside.mesh, dataclasses.replace(inside.operating_point, mach=0.2))
    verdict = envelope.verdict(slow)
    assert verdict.level == "edge" and "mach 0.2 is stated, but no training case had it: it has no influence" in verdict.reason


def test_reynolds_numbers_are_printed_as_such() -> None:
    rows = [{"log10_reynolds [1]": 5.0 + k / 10, "mach [1]": 0.2} for k in range(11)]
    envelope = TrainingEnvelope.of_descriptors(rows)
    assert "reynolds 1e+07, trained on 1e+05..1e+06" in envelope.judge({"log10_reynolds [1]": 7.0, "mach [1]": 0.2}).reason
    assert "mach 0.5, trained on 0.2..0.2" in envelope.judge({"log10_reynolds [1]": 5.5, "mach [1]": 0.5}).reason
    assert envelope.judge({"log10_reynolds [1]": 5.5}).reason.startswith("mach is not stated")


def test_a_body_in_space() -> None:
    rng = np.random.default_rng(0)
    cases = [Case(box((0, 0, 0), tuple(rng.uniform(1, 2, size=3))), OperatingPoint(1.0, alpha=rng.uniform(0, 5))) for _ in range(40)]
    envelope = TrainingEnvelope.fit(cases)
    assert levels(envelope, cases)["inside"] > 0.85
    verdict = envelope.verdict(Case(box((0, 0, 0), (10.0, 1.0, 1.0)), OperatingPoint(1.0)))
    assert verdict.level == "outside"


def test_arrays_round_trip_gives_equal_verdicts(envelope: TrainingEnvelope) -> None:
    again = TrainingEnvelope.from_arrays(envelope.arrays())
    assert np.array_equal(again.rows, envelope.rows) and again.names == envelope.names
    for case in sections(10, seed=8, alpha=(-8.0, 14.0)):
        assert again.verdict(case) == envelope.verdict(case)
    with pytest.raises(CheckpointError, match="damaged"):
        TrainingEnvelope.from_arrays({"rows": envelope.rows})


def test_training_sets_that_cannot_be_described_are_refused() -> None:
    with pytest.raises(DatasetError, match="cannot describe"):
        TrainingEnvelope.of_descriptors([{"a [1]": 1.0}] * 2)
    with pytest.raises(DatasetError, match="known for some"):
        TrainingEnvelope.of_descriptors([{"a [1]": 1.0}] * 3 + [{"a [1]": 1.0, "mach [1]": 0.3}])
