"""The cases of uiuc-panel: splits by family, layout as in kt-airfoils, label quality against finer panels, determinism."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.body import body
from geoop.mesh.outline import loops
from geoop.mesh.quantity import QUANTITIES
from geoop.truth.datasets import uiuc, uiuc_panel
from geoop.truth.panels.system import PanelSystem

ARCHIVE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "geometry" / "uiuc_airfoils.tar.gz"
pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="../shared/data/geometry/uiuc_airfoils.tar.gz is not here")
NAMES = ("uiuc_naca2412_01", "uiuc_e205_02", "uiuc_goe500_01")


@pytest.fixture(autouse=True)
def archive(monkeypatch):
    monkeypatch.setenv(uiuc.VARIABLE, str(ARCHIVE))


@pytest.fixture(scope="module")
def cases():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(uiuc.VARIABLE, str(ARCHIVE))
        return {name: uiuc_panel.case(3, name) for name in NAMES}


def test_layout_of_a_case(cases):
    for name, case in cases.items():
        mesh = case.mesh
        assert case.name == name and case.wall == ("wall",) and len(mesh.points) == 5200
        assert (mesh.cells.block("line")[:, 0] == np.arange(200)).all() and len(mesh.cells.block("vertex")) == 5000
        (ring,) = loops(body(mesh, case.wall))
        assert ring.closed and len(ring.points) == 200
        assert mesh.points[5, 1] > mesh.points[195, 1] and np.ptp(mesh.points[:200, 0]) == pytest.approx(1.0, abs=0.02)
        assert set(case.fields) == {"velocity", "pressure_coefficient", "quadrature_weight", "lift_coefficient", "moment_coefficient"}
        assert all(np.isfinite(item.values).all() for item in case.fields.values())
        assert case.fields["quadrature_weight"].values.min() > 0
        assert {key: item.quantity.unit for key, item in case.fields.items()}["velocity"] == "m/s"
        speed = np.linalg.norm(case.field("velocity").values, axis=1)
        assert case.field("pressure_coefficient").values == pytest.approx(1 - (speed / 60.0) ** 2)
        assert -4.0 <= case.operating_point.alpha <= 10.0


def test_labels_against_finer_panels(cases):
    for name, case in cases.items():
        fine = PanelSystem(uiuc.section(name.removeprefix("uiuc_")[:-3]), 800)
        difference = fine.velocity(case.mesh.points[200:], [case.operating_point])[0] - case.field("velocity").values[200:]
        assert np.sqrt((difference**2).sum(axis=1).mean()) / 60.0 < 2e-3
        lift = case.fields["lift_coefficient"].values
        assert lift == pytest.approx(fine.lift_coefficient([case.operating_point])[0], abs=2e-3)
        assert case.fields["moment_coefficient"].values == pytest.approx(fine.flow(case.operating_point).moment_coefficient, abs=2e-3)


def test_wall_points_carry_the_lift(cases):
    for case in cases.values():
        p, cp = case.mesh.points[:200], case.field("pressure_coefficient").values[:200]
        step, mean = np.roll(p, -1, axis=0) - p, 0.5 * (cp + np.roll(cp, -1))
        force = np.array([-(mean * step[:, 1]).sum(), (mean * step[:, 0]).sum()])
        assert force @ case.operating_point.lift_direction(2) == pytest.approx(float(case.fields["lift_coefficient"].values), abs=1.5e-2)
        perimeter = np.linalg.norm(step, axis=1).sum()
        assert case.fields["quadrature_weight"].values[:200].sum() == pytest.approx(perimeter, rel=2e-3)


def test_the_same_again(cases):
    uiuc_panel._geometry.cache_clear()
    for name in reversed(NAMES):
        again = uiuc_panel.case(3, name)
        assert again.mesh.content_hash == cases[name].mesh.content_hash
        assert all((again.fields[key].values == item.values).all() for key, item in cases[name].fields.items())
    other = uiuc_panel.case(4, NAMES[0])
    assert other.operating_point.alpha != cases[NAMES[0]].operating_point.alpha


def test_splits_by_family():
    plan = uiuc_panel.plan(500, 0)
    assert {key: len(names) for key, names in plan.splits.items()} == {"train": 350, "val": 50, "test": 100, "ood": 100}
    sections = {split: {plan.parameters[name]["section"] for name in names} for split, names in plan.splits.items()}
    families = {split: {plan.parameters[name]["family"] for name in names} for split, names in plan.splits.items()}
    assert not any(sections[a] & sections[b] for a, b in itertools.combinations(sections, 2))
    assert not families["ood"] & (families["train"] | families["val"] | families["test"])
    assert families["ood"] <= set(plan.generator["held_out_families"])
    assert not set(uiuc.excluded()) & set().union(*sections.values())
    assert plan.generator["excluded"]["trailing edge below 5 degrees"] > 300
    assert plan.generator["held_out_families"] != uiuc_panel.plan(500, 1).generator["held_out_families"]


@pytest.mark.parametrize("n", [8, 37, 500, 4000])
def test_sizes(n):
    plan = uiuc_panel.plan(n, 0)
    sizes = {key: len(names) for key, names in plan.splits.items()}
    assert sizes["train"] + sizes["val"] + sizes["test"] == n and min(sizes.values()) >= 1
    assert set(plan.geometry) == set(plan.names) == set(plan.parameters)
    small = uiuc_panel.plan(20, 0)
    shared = set(small.names) & set(plan.names)
    assert all(small.parameters[name] == plan.parameters[name] for name in shared)
    with pytest.raises(ConfigurationError, match="cannot be split"):
        uiuc_panel.plan(3, 0)


def test_training_reads_the_cases(cases):
    from geoop.scaling.framing import Framing
    from geoop.train.samples import FramedCase

    framed = FramedCase.of(cases[NAMES[0]], [QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]], Framing())
    assert framed.n_field == 5000 and len(framed.order) == 5200
    assert np.abs(framed.fields["velocity"]).max() < 10.0


def test_other_coordinates_are_another_plan(tmp_path, monkeypatch):
    """What the sections come from is part of the plan: a data set begun with one collection is not continued with another."""
    first = uiuc_panel.plan(8, 0)
    name = next(iter(first.geometry.values())).removeprefix("uiuc_")
    for key, content in uiuc.texts().items():
        (tmp_path / f"{key}.dat").write_bytes(content + (b"\n" if key == name else b""))
    monkeypatch.setenv(uiuc.VARIABLE, str(tmp_path))
    other = uiuc_panel.plan(8, 0)
    assert other.generator["coordinates_sha256"] != first.generator["coordinates_sha256"]
    assert other.fingerprint != first.fingerprint and other.splits == first.splits
