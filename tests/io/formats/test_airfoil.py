"""Aerofoil files: any order and dress of the points becomes one closed counter-clockwise ring from the trailing edge."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConfigurationError, InvalidMeshError, UnitError, UnreadableFileError, UnsupportedFormatError
from geoop.io.reading import read


def section(n: int = 20, edge: float = 0.0) -> np.ndarray:
    """A cambered NACA-like section in Selig order, trailing edge of the given thickness."""
    x = 0.5 * (1 + np.cos(np.linspace(0, np.pi, n)))
    half = 0.6 * (0.2969 * np.sqrt(x) - 0.1260 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4) + 0.5 * edge * x
    camber = 0.08 * x * (1 - x)
    return np.concatenate([np.stack([x, camber + half], 1), np.stack([x, camber - half], 1)[::-1][1:]])


def text(points, head="A SECTION", form="{:.6f} {:.6f}") -> str:
    return head + "\n" + "\n".join(form.format(*point) for point in points) + "\n"


def save(folder, content, name="section.dat"):
    path = folder / name
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, encoding="latin-1")
    return path


def check_ring(mesh, expected=None):
    """One closed ring, counter-clockwise, first point rearmost."""
    n = len(mesh.points)
    assert mesh.dimension == 2 and mesh.is_surface and list(mesh.patches) == ["wall"]
    assert np.array_equal(mesh.cells.block("line"), np.stack([np.arange(n), (np.arange(n) + 1) % n], 1))
    x, y = mesh.points.T
    assert np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0
    assert x[0] >= x.max() - 0.02 * np.ptp(x)
    if expected is not None:
        assert np.allclose(mesh.points, expected, atol=2e-6)


SECTION = section()
CLOSED = SECTION[:-1]  # the ring without the repeated trailing edge
UPPER, LOWER = SECTION[:20][::-1], SECTION[19:]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (text(SECTION), ""),
        (text(SECTION, head="\n\n  A SECTION\n by somebody, 1978\n\n"), "by somebody"),
        (text(SECTION[::-1]), "reversed"),
        (text(SECTION * 100), "percent"),
        (text(SECTION * 250), "divided by it"),
        (text(SECTION, form="{:.6f},{:.6f}"), ""),
        (text(SECTION, form="\t{:.6f}\t; {:.6f} ;"), ""),
        (text(SECTION, form="({:.6f}  {:.6f})"), ""),
        (text(SECTION, form="{:.6f} {:.6f} 0.0"), "first two"),
        (text(SECTION).replace(".", ",").replace("A SECTION", "decimal comma"), ""),
        (text(SECTION).replace("\n", "\r\n"), ""),
        (text(np.repeat(SECTION, 2, axis=0)), "repeat their neighbour"),
        (text(np.roll(CLOSED, 7, axis=0)), "moved to the trailing edge"),
        (text(np.roll(CLOSED[::-1], 7, axis=0)), "moved to the trailing edge"),
        (text(SECTION) + "\nhttp://somewhere.org 12/03/2005\n", "lines of text"),
        (text(SECTION, head="MSES\n-2.0 3.0 -2.5 3.5"), "another count of numbers"),
        (f"A SECTION\n {len(UPPER)}. {len(LOWER)}.\n\n" + text(UPPER, head="") + "\n" + text(LOWER, head=""), "Lednicer"),
        (f"A SECTION\n{len(LOWER)} {len(UPPER)}\n" + text(LOWER, head="") + text(UPPER, head=""), "Lednicer"),
        ("A SECTION\n" + text(UPPER, head="upper surface") + "\n" + text(LOWER, head="lower surface"), "Lednicer"),
        (f"A SECTION\n{len(UPPER)} {len(LOWER)}\n" + text(100 * UPPER, head="") + text(100 * LOWER, head=""), "percent"),
        ("Ein Fl\xfcgel \xb0\n" + text(SECTION, head=""), ""),
    ],
)
def test_every_dress_gives_the_same_ring(tmp_path, content, note):
    mesh = read(save(tmp_path, content))
    check_ring(mesh, CLOSED)
    assert note in " ".join(mesh.notes) and any("chord is taken as 1 m" in item for item in mesh.notes)


def test_fortran_exponents(tmp_path):
    check_ring(read(save(tmp_path, text(SECTION, form="{:.8e} {:.8e}").replace("e", "D"))), CLOSED)


def test_blunt_edge_is_closed_by_its_base(tmp_path):
    blunt = section(edge=0.01)
    for order in (blunt, blunt[::-1]):
        mesh = read(save(tmp_path, text(order)))
        check_ring(mesh, blunt)
        assert any("blunt trailing edge of 1 % chord" in note for note in mesh.notes)
    rolled = read(save(tmp_path, text(np.roll(np.concatenate([blunt]), 9, axis=0))))
    check_ring(rolled, blunt)


def test_chord_scales_and_is_said(tmp_path):
    mesh = read(save(tmp_path, text(SECTION)), chord=0.25)
    assert np.allclose(mesh.points, 0.25 * CLOSED, atol=1e-6) and any("chord 0.25 m as given" in note for note in mesh.notes)
    with pytest.raises(UnitError, match="chord"):
        read(save(tmp_path, text(SECTION)), chord=-1.0)
    with pytest.raises(UnitError, match="chord=0.25"):
        read(save(tmp_path, text(SECTION)), unit="mm")
    (tmp_path / "points.csv").write_text("0,0,0\n1,0,0\n")
    with pytest.raises(ConfigurationError, match="chord= has no meaning"):
        read(tmp_path / "points.csv", unit="m", chord=1.0)


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        ("only words\nno numbers\n", UnreadableFileError, "no line with two coordinates"),
        (text(SECTION[:3]), UnreadableFileError, "too few|open"),
        (text(SECTION[:25]), UnreadableFileError, "the outline is open"),
        (text(UPPER), UnreadableFileError, "one surface only"),
        (f"A\n{len(UPPER)} {len(LOWER)}\n" + text(UPPER, head=""), UnreadableFileError, "announces 20 \\+ 20 points but 20 follow"),
        (text(SECTION).replace("1.000000", "nan", 1), InvalidMeshError, "NaN"),
        (text(np.stack([np.linspace(0, 1, 20), np.zeros(20)], 1)[[*range(20), *range(18, -1, -1)]]), InvalidMeshError, "no area"),
        (text(SECTION) + "999.0 999.0\n" + text(SECTION, head=""), UnsupportedFormatError, "several elements"),
        (text(SECTION) + "\n" + text(0.3 * SECTION, head=""), UnsupportedFormatError, "several elements in one file: each of its 2 blocks"),
        (b"\x00\x01\x02\x03" * 50, UnreadableFileError, "binary"),
    ],
)
def test_bad_files(tmp_path, content, kind, words):
    with pytest.raises(kind, match=words):
        read(save(tmp_path, content))


def test_solution_file_of_the_same_suffix_is_no_section(shared_data):
    mesh = read(shared_data / "su2" / "naca0012_rans" / "solution_flow_sa.dat")
    assert mesh.is_cloud and len(mesh.points) == 14576


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_sections_of_the_database(shared_data, tmp_path, step):
    with tarfile.open(shared_data / "geometry" / "uiuc_airfoils.tar.gz") as archive:
        for member in filter(lambda m: m.isfile() and m.name.endswith(".dat"), archive):
            (tmp_path / Path(member.name).name).write_bytes(archive.extractfile(member).read())
    files = sorted(tmp_path.glob("*.dat"))
    assert len(files) == 2174
    files = [path for number, path in enumerate(files) if number % step == 0 or path.name == "mh112.dat"]
    refused = {}
    for path in files:
        try:
            mesh = read(path)
        except UnreadableFileError as error:
            refused[path.name] = error.message
            continue
        check_ring(mesh)
        assert np.ptp(mesh.points[:, 0]) == pytest.approx(1.0, abs=0.02) and abs(mesh.points[:, 0].min()) < 0.02
        steps = np.linalg.norm(np.roll(mesh.points, -1, axis=0) - mesh.points, axis=1)
        assert steps.min() > 0 and steps.max() < 0.4
    assert list(refused) == ["mh112.dat"] and "ends at (0.862196, -0.0158608)" in refused["mh112.dat"]  # it stops before the trailing edge


def test_counts_that_contradict_the_blank_line_are_refused(tmp_path):
    head = f"A SECTION\n {len(UPPER) - 1}. {len(LOWER) + 1}.\n\n"
    with pytest.raises(UnreadableFileError, match=f"its two blocks have {len(UPPER)} and {len(LOWER)}"):
        read(save(tmp_path, head + text(UPPER, head="") + "\n" + text(LOWER, head="")))
