"""The folder meshes/ holds exactly what tools/make_meshes.py makes, and geoop reads it back sound."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from geoop.io.reading import read
from geoop.mesh.measure import enclosed_volume, signed_measures
from geoop.mesh.outline import chord_line
from geoop.mesh.quality import mesh_report

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    spec = importlib.util.spec_from_file_location("make_meshes", ROOT / "tools" / "make_meshes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.contents()


def test_folder_and_script_agree(contents):
    assert {path.name for path in (ROOT / "meshes").iterdir()} == set(contents)
    for name, data in contents.items():
        kept = (ROOT / "meshes" / name).read_bytes()
        if name.endswith(".stl"):
            assert len(kept) == len(data)
            continue
        words, made = re.split(rb"\s+", kept), re.split(rb"\s+", data)
        assert len(words) == len(made), name
        for a, b in zip(words, made, strict=True):  # another processor may round the last digit otherwise
            if a != b:
                assert float(a) == pytest.approx(float(b), rel=1e-7, abs=1e-9), name


def test_they_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "meshes").iterdir()) < 500_000


@pytest.mark.parametrize("name", ["naca0012.dat", "naca2412.dat", "naca4415.dat"])
def test_sections_read_back(name):
    section = read(ROOT / "meshes" / name)
    report = mesh_report(section)
    assert report.sound, report.findings
    chord = chord_line(section)
    assert chord.length == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(chord.trailing_edge, [1, 0], atol=1e-6)


@pytest.mark.parametrize(("name", "volume"), [("sphere.stl", np.pi / 6), ("box.obj", 12.0), ("wing.ply", None)])
def test_surfaces_read_back_in_their_unit(name, volume):
    metres, millimetres = (read(ROOT / "meshes" / name, unit=unit) for unit in ("m", "mm"))
    report = mesh_report(metres)
    assert report.closed
    assert report.oriented
    assert report.manifold
    if volume is not None:
        assert enclosed_volume(metres) == pytest.approx(volume, rel=0.02)
    assert enclosed_volume(millimetres) == pytest.approx(1e-9 * enclosed_volume(metres), rel=1e-6)


def test_volume_mesh_reads_back_with_its_markers():
    grid = read(ROOT / "meshes" / "naca0012_ogrid.su2")
    report = mesh_report(grid)
    assert report.sound, report.findings
    assert report.patches == {"wall": 80, "farfield": 80}


def test_the_link_reads_back_with_its_patches():
    link = read(ROOT / "meshes" / "link.msh")
    report = mesh_report(link)
    assert report.sound, report.findings
    assert report.patches == {"left hole": 32, "left end": 24, "right hole": 32, "right end": 24, "bar": 40}
    assert set(link.cells.names) == {"triangle", "quad"} and link.dimension == 2
    lines = np.concatenate([part.block("line") for part in link.patches.values()])
    edge = link.points[lines[:, 1]] - link.points[lines[:, 0]]
    middle = link.points[lines].mean(axis=1)  # the region is on the left of the lines
    area = 0.5 * (middle[:, 0] * edge[:, 1] - middle[:, 1] * edge[:, 0]).sum()
    assert area == pytest.approx(signed_measures(link).sum(), rel=1e-9)


def test_the_bracket_is_closed_and_its_solids_are_patches():
    bracket = read(ROOT / "meshes" / "bracket.stl", unit="mm")
    report = mesh_report(bracket)
    assert report.closed and report.oriented and report.manifold
    assert enclosed_volume(bracket) == pytest.approx(23 * 0.02**3, rel=1e-6)
    assert report.patches == {"foot": 28, "top": 6, "hole": 8, "sides": 102}
