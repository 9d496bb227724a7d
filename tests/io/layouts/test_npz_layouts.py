"""The layouts in one npz, on small files written here and on the real ones where they are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.errors import DatasetError, UnreadableFileError
from geoop.io.collecting.choices import Choices
from geoop.io.collecting.collect import survey
from geoop.io.layouts.table import layout_of
from geoop.mesh.chord import chord_line
from geoop.mesh.loops import signed_area
from geoop.mesh.measure import cell_measures, signed_measures
from geoop.mesh.primitives import naca4

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
SECTIONS, HOLES = DATA / "airfrans_surface", DATA / "holed_poisson"


def recognised(folder: Path) -> str | None:
    found = layout_of(folder, None, own=False)
    return found.name if found else None


def sections(folder: Path, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """Seven sections of different length, turned by -aoa as in the publication; Cp is x along the chord."""
    folder.mkdir(exist_ok=True)
    rings = [naca4(code, n).points for code, n in zip(("0012", "2412", "4415", "0009", "1410", "2415", "4412"), range(40, 54, 2), strict=True)]
    alpha = np.linspace(-5.0, 13.0, 7)
    turned = []
    for ring, a in zip(rings, np.radians(alpha), strict=True):
        turned.append(ring @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]).T)
    along = np.concatenate(rings)[:, 0]
    speed = np.linspace(32.0, 92.0, 7)
    arrays = {
        "names": np.array([f"{u:.3f}|{a:.2f}|1.0_2.0_12.0" for u, a in zip(speed, alpha, strict=True)]),
        "ptr": np.concatenate([[0], np.cumsum([len(ring) for ring in rings])]),
        "xy": np.concatenate(turned).astype(np.float32),
        "cp": along.astype(np.float32),
        "cp_inviscid": (2 * along).astype(np.float32),
        "Rex": along.astype(np.float32),
        "Re": (speed / 1.56e-5).astype(np.float32),
        "U": speed,
        "aoa": alpha,
    } | changes
    np.savez(folder / "train.npz", **arrays)
    return arrays


def test_sections_are_turned_back_and_dealt_into_folds(tmp_path: Path) -> None:
    arrays = sections(tmp_path / "in")
    assert recognised(tmp_path / "in") == "airfrans_surface"
    data = geoop.collect(tmp_path / "in", tmp_path / "out")
    assert data.units == {"pressure_coefficient": "1", "inviscid_pressure_coefficient": "1"}
    assert [len(data.splits[f"fold-{k}"]) for k in range(5)] == [2, 2, 1, 1, 1]
    names = [name.replace("|", "_") for name in arrays["names"]]
    assert data.splits["fold-1"] == [names[1], names[6]]
    for k, name in enumerate(names):
        case = data.case(name)
        point = case.operating_point
        assert (point.velocity, point.alpha) == (arrays["U"][k], arrays["aoa"][k])
        assert point.reynolds == pytest.approx(arrays["Re"][k], rel=1e-6)
        # the chord lies along x, so that the angle of attack is that of the free stream against it
        assert chord_line(case.mesh).angle == pytest.approx(0.0, abs=0.3)
        own = slice(arrays["ptr"][k], arrays["ptr"][k + 1])
        assert np.allclose(case.mesh.points[:, 0], arrays["cp"][own], atol=1e-6)  # in the order of the file
        assert np.array_equal(case.field("inviscid_pressure_coefficient").values, 2 * case.field("pressure_coefficient").values)
        assert np.array_equal(case.mesh.patches["wall"].connectivity[:3], [0, 1, 1]) and case.wall == ("wall",)


def test_sections_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    sections(tmp_path, ptr=np.array([0, 40, 82]))
    with pytest.raises(DatasetError, match="ptr 2"):
        survey(tmp_path, choices=Choices())
    sections(tmp_path, names=np.array(["same"] * 7))
    with pytest.raises(DatasetError, match="one name"):
        survey(tmp_path, choices=Choices())
    sections(tmp_path, names=np.array([{}] * 7, dtype=object))
    with pytest.raises(UnreadableFileError):
        survey(tmp_path, choices=Choices())


def holed(folder: Path, n: int = 8, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """A grid of 10 x 10 squares without 3 x 3 of them, cut into triangles of which every other runs clockwise; u = x (1 - x)."""
    folder.mkdir(exist_ok=True)
    number = np.arange(121).reshape(11, 11)
    squares = [(i, j) for i in range(10) for j in range(10) if not (4 <= i < 7 and 4 <= j < 7)]
    rows = []
    for i, j in squares:
        a, b, c, d = number[i, j], number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]
        rows += [[a, b, c], [d, c, a]]  # the second runs clockwise
    used, index = np.unique(rows, return_inverse=True)
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 11), np.linspace(0, 1, 11), indexing="ij"), axis=-1).reshape(-1, 2)[used]
    mu = np.random.default_rng(0).uniform(-0.02, 0.02, (n, 2))
    bump = (grid[:, 0] * (1 - grid[:, 0]) * grid[:, 1] * (1 - grid[:, 1]) * 16)[:, None]
    x, y = grid[:, :1] + bump * mu[:, 0], grid[:, 1:] + bump * mu[:, 1]
    arrays = {"x": x, "y": y, "u": x * (1 - x), "mu": mu, "triangles": index.reshape(-1, 3)} | changes
    np.savez(folder / "train.npz", **arrays)
    return arrays


def test_triangles_are_turned_and_the_hole_is_a_patch(tmp_path: Path) -> None:
    arrays = holed(tmp_path / "in")
    assert recognised(tmp_path / "in") == "holed_poisson"
    data = geoop.collect(tmp_path / "in", tmp_path / "out")
    assert {key: len(own) for key, own in data.splits.items()} == {"train": 5, "val": 1, "test": 2}
    case = data.case("hole_0003")
    assert (signed_measures(case.mesh) > 0).all() and cell_measures(case.mesh).sum() == pytest.approx(0.91, abs=0.01)
    assert len(case.mesh.patches["outer"]) == 40 and len(case.mesh.patches["hole"]) == 12
    assert np.allclose(case.field("solution").values, arrays["u"][:, 3])
    assert data.manifest.cases["hole_0003"].parameters["mu_1"] == arrays["mu"][3, 0]
    assert float(case.boundary["hole"]["solution"].values) == 0.0
    assert any("91 of 182 triangles" in note for note in survey(tmp_path / "in", choices=Choices()).report.notes)


def test_arrays_of_other_shapes_are_refused(tmp_path: Path) -> None:
    holed(tmp_path, mu=np.zeros((3, 2)))
    with pytest.raises(DatasetError, match=r"mu \(3, 2\)"):
        survey(tmp_path, choices=Choices())
    holed(tmp_path, triangles=np.array([[0, 1, 500]]))
    with pytest.raises(DatasetError, match="triangles"):
        survey(tmp_path, choices=Choices())


@pytest.mark.skipif(not SECTIONS.is_dir(), reason="the public data set airfrans_surface is not there")
def test_the_real_sections() -> None:
    found = survey(SECTIONS, choices=Choices())
    assert [len(own) for own in found.plan.splits.values()] == [20] * 5
    for names in found.plan.splits.values():
        case = found.read(names[0])
        assert 100 < len(case.mesh.points) < 180 and signed_area(case.mesh.points) > 0.02
        assert chord_line(case.mesh).angle == pytest.approx(0.0, abs=1.0)
        assert 1.9e6 < case.operating_point.reynolds < 6.1e6
        # the suction side carries the lift that the angle of attack says
        assert case.field("pressure_coefficient").values.max() < 1.1


@pytest.mark.skipif(not HOLES.is_dir(), reason="the public data set holed_poisson is not there")
def test_the_real_holes() -> None:
    found = survey(HOLES, choices=Choices())
    for names in found.plan.splits.values():
        case = found.read(names[0])
        assert (signed_measures(case.mesh) > 0).all() and cell_measures(case.mesh).sum() == pytest.approx(1.0 - 0.09, abs=1e-3)
        wall = np.unique(np.concatenate([cells.connectivity for cells in case.mesh.patches.values()]))
        assert np.abs(case.field("solution").values[wall]).max() < 1e-6
