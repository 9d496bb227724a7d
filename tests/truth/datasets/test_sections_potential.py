"""The cases of sections-potential: kinds, two different angles each, variants as they are declared, families held out, determinism."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, InvalidMeshError
from geoop.mesh.primitives import naca4
from geoop.truth.datasets import sections_potential, uiuc
from geoop.truth.datasets.section_variants import BUMPS, STATIONS, Variant, lines, varied
from geoop.truth.panels.section_curve import section_curve
from geoop.truth.panels.system import PanelSystem

ARCHIVE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "geometry" / "uiuc_airfoils.tar.gz"
real = pytest.mark.skipif(not ARCHIVE.exists(), reason="../shared/data/geometry/uiuc_airfoils.tar.gz is not here")
NAMES = ("uiuc-e205_01", "uiuc-e205_02", "naca-2412_01", "varied-00003_01", "varied-00010_02")
NONE = np.zeros((2, BUMPS))


@pytest.fixture(autouse=True)
def archive(monkeypatch):
    monkeypatch.setenv(uiuc.VARIABLE, str(ARCHIVE))


def plain(**changes) -> Variant:
    return Variant(**{"share": 0.0, "thickness": 1.0, "camber": 1.0, "heights": NONE, "crests": NONE + 0.5, "base": 0.0, **changes})


def outline(variant: Variant, first: str = "2412", second: str = "0012"):
    return varied(lines(naca4(first, 200)), lines(naca4(second, 200)), variant, "made")


def test_the_lines_of_a_naca_section_are_those_of_its_formula():
    """Camber and half thickness of the uncambered section to 1e-5 chords; a section made of them again is the section."""
    camber, half = lines(naca4("0012", 400))
    x = 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, STATIONS)))
    formula = 0.6 * (0.2969 * np.sqrt(x) - 0.126 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4)
    assert np.abs(camber).max() < 1e-12 and np.abs(half - formula).max() < 1e-5
    lifts = []
    for mesh in (outline(plain()), naca4("2412", 200)):  # at one angle to the line from the foremost point, over which the lines are taken
        nose, tail = mesh.points[np.argmin(mesh.points[:, 0])], mesh.points[0]
        alpha = 4.0 - np.degrees(np.arctan2(nose[1] - tail[1], tail[0] - nose[0]))
        system = PanelSystem(mesh, 200)
        assert not system.bodies[0].blunt
        lifts.append(float(system.lift_coefficient([geoop.OperatingPoint(60.0, alpha=alpha, reference_length=1.0)])[0]))
    assert lifts[0] == pytest.approx(lifts[1], abs=2e-3)


def test_variants_are_what_they_say():
    x = np.linspace(0.05, 0.95, 19)

    def sides(mesh):
        nose = int(np.argmin(mesh.points[:, 0]))
        upper, lower = mesh.points[nose::-1], mesh.points[nose:]
        return np.stack([np.interp(x, *upper.T), np.interp(x, *lower.T)])

    base = sides(outline(plain()))
    thick = sides(outline(plain(thickness=1.4, camber=-0.5)))
    assert np.ptp(thick, axis=0) == pytest.approx(1.4 * np.ptp(base, axis=0), abs=1e-6)
    assert thick.mean(axis=0) == pytest.approx(-0.5 * base.mean(axis=0), abs=1e-6)
    blend = sides(outline(plain(share=0.25)))
    assert blend == pytest.approx(0.75 * base + 0.25 * sides(outline(plain(share=1.0))), abs=1e-6)
    heights = NONE.copy()
    heights[0, 0] = 0.01
    bumped = sides(outline(plain(heights=heights))) - base
    assert np.abs(bumped[1]).max() < 1e-12 and bumped[0].max() == pytest.approx(0.01, rel=1e-3) and x[bumped[0].argmax()] == pytest.approx(0.5)
    blunt = section_curve(outline(plain(base=0.01)))
    assert blunt.gap == pytest.approx(0.01, rel=1e-6) and section_curve(outline(plain())).gap == 0.0
    deep = NONE.copy()
    deep[0] = -0.2
    with pytest.raises(InvalidMeshError, match="meet before"):
        outline(plain(heights=deep))


@real
def test_layout_and_labels():
    cases = {name: sections_potential.case(0, name) for name in NAMES}
    for name, case in cases.items():
        walls = 201 if "blunt" in name else len(case.mesh.cells.block("line"))
        assert case.name == name and len(case.mesh.points) == walls + sections_potential.FIELD_POINTS and walls in (200, 201)
        assert case.operating_point.viscosity is None, "potential flow knows no Reynolds number"
        speed = np.linalg.norm(case.field("velocity").values, axis=1)
        assert case.field("pressure_coefficient").values == pytest.approx(1 - (speed / 60.0) ** 2)
        fine = PanelSystem(sections_potential.outline(0, name.rsplit("_", 1)[0]), 600)
        assert float(case.fields["lift_coefficient"].values) == pytest.approx(fine.lift_coefficient([case.operating_point])[0], abs=5e-3)
    first, second = (cases[f"uiuc-e205_0{k}"].operating_point.alpha for k in (1, 2))
    assert -8.0 <= first <= 5.0 <= second <= 18.0
    again = sections_potential.case(0, NAMES[-1])
    assert all((again.fields[key].values == item.values).all() for key, item in cases[NAMES[-1]].fields.items())


@real
def test_families_are_held_out_and_only_real_sections_judge():
    plan = sections_potential.plan(400, 0)
    shapes = {split: {name.rsplit("_", 1)[0] for name in names} for split, names in plan.splits.items()}
    assert sum(len(plan.splits[split]) for split in ("train", "val", "test")) == 400
    assert all(not a & b for a, b in itertools.combinations(shapes.values(), 2))
    assert all(name.startswith("uiuc-") for split in ("val", "test", "ood") for name in shapes[split])
    assert {name.split("-")[0] for name in shapes["train"]} == {"uiuc", "naca", "varied"}
    families = {split: {uiuc.family(name.split("-", 1)[1]) for name in names if name.startswith("uiuc-")} for split, names in shapes.items()}
    assert not families["ood"] & (families["train"] | families["val"] | families["test"])
    parents = set(sections_potential.parts(0)["train"])
    assert not parents & {name.split("-", 1)[1] for split in ("val", "test", "ood") for name in shapes[split]}
    assert len(sections_potential.parts(0)["ood"]) >= 300
    larger = sections_potential.plan(800, 0)
    assert all(larger.parameters[name] == row for name, row in plan.parameters.items() if name in larger.parameters)
    with pytest.raises(ConfigurationError, match="cannot be split"):
        sections_potential.plan(6, 0)


@real
def test_a_variant_that_fails_says_why(monkeypatch):
    monkeypatch.setattr(sections_potential, "HEIGHT", 3.0)
    monkeypatch.setattr(sections_potential, "ATTEMPTS", 1)
    messages = []
    for k in range(12):
        try:
            sections_potential.outline(0, f"varied-{k:05d}")
        except InvalidMeshError as error:
            messages.append(error.message)
    assert messages and all("none of 1 draws can be used, the last because" in message for message in messages)
