"""Legacy .vtk files that end too early, and numbers that VTK writes into text but cannot read there."""

from __future__ import annotations

import re

import numpy as np
import pytest
import pyvista as pv

from geoop.errors import GeoopError, UnreadableFileError
from geoop.io.formats.vtk.legacy import check_legacy
from geoop.io.reading import read_case

HEAD = b"# vtk DataFile Version 3.0\nt\nASCII\nDATASET "
TRIANGLE = b"UNSTRUCTURED_GRID\nPOINTS 3 float\n0 0 0 1 0 0 0 1 1\nCELLS 1 4\n3 0 1 2\nCELL_TYPES 1\n5\n"


def grid() -> pv.UnstructuredGrid:
    """Cells of two kinds with arrays of many types: attributes, fields and texts."""
    points = np.random.default_rng(0).random((9, 3))
    mesh = pv.UnstructuredGrid([8, *range(8), 4, 0, 1, 2, 8], [12, 10], points)
    mesh.point_data["U"] = np.random.default_rng(1).random((9, 3))
    mesh.point_data["p"] = np.arange(9.0) / 7
    mesh.point_data["T"] = np.arange(9, dtype=np.float32) / 3
    mesh.cell_data["id"] = np.array([100001, 200002])
    mesh.cell_data["k"] = np.array([0.123456, 0.234567])
    mesh.field_data["author"] = ["somebody", ""]
    return mesh


def same(case, other) -> bool:
    return (
        set(case.fields) == set(other.fields)
        and np.array_equal(case.mesh.points, other.mesh.points)
        and np.array_equal(case.mesh.cells.connectivity, other.mesh.cells.connectivity)
        and all(np.array_equal(case.field(name).values, other.field(name).values) for name in other.fields)
    )


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("surface", [True, False])
def test_every_cut_is_an_error_or_loses_nothing(tmp_path, binary, surface):
    """Only at the seam of two whole parts, in front of POINT_DATA, nothing shows that more was to come."""
    mesh = grid().extract_surface(algorithm="dataset_surface") if surface else grid()
    mesh.save(tmp_path / "a.vtk", binary=binary)
    data, whole = (tmp_path / "a.vtk").read_bytes(), read_case(tmp_path / "a.vtk")
    seams = {at for found in re.finditer(rb"\s+(?=(POINT|CELL)_DATA|METADATA|FIELD)", data) for at in range(found.start(), found.end() + 1)}
    accepted = []
    for cut in np.unique(np.linspace(20, len(data), 100).astype(int)):
        if cut in seams:
            continue
        (tmp_path / "cut.vtk").write_bytes(data[:cut])
        try:
            case = read_case(tmp_path / "cut.vtk")
        except GeoopError:
            continue
        accepted.append(cut)
        assert same(case, whole) or any("without a line break" in note for note in case.mesh.notes), data[max(0, cut - 60) : cut]
    assert len(data) in accepted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"POINT_DATA 3\n", "POINT_DATA is the last word"),
        (b"CELL_DATA 1\n", "CELL_DATA is the last word"),
        (b"POINT_DATA 3\nFIELD f 2\na 1 3 float\n1 2 3\n", "array 2 of FIELD"),
        (b"POINT_DATA 3\nFIELD f 1\na 1 3 float\n1 2\n", "lacks 1 of 3 values"),
        (b"POINT_DATA 3\nFIELD f 1\na 1 3 dou", "ends in its type"),
        (b"POINT_DATA 3\nVECTORS v float\n1 2 3 4 5 6 7 8\n", "VECTORS v lacks 1 of 9"),
        (b"POINT_DATA 3\nSCALARS s float 1\n", "LOOKUP_TABLE"),
        (b"POINT_DATA 3\nSCALARS s float 1\nLOOKUP_TABLE default\n1 2\n", "SCALARS s lacks 1"),
        (b"POI", "ends in a word 'poi'"),
    ],
)
def test_what_is_missing_is_said(tmp_path, text, words):
    (tmp_path / "a.vtk").write_bytes(HEAD + TRIANGLE + text)
    with pytest.raises(UnreadableFileError, match=words):
        read_case(tmp_path / "a.vtk")


@pytest.mark.parametrize("kind", ["structured_points", "rectilinear_grid", "structured_grid"])
@pytest.mark.parametrize("binary", [True, False])
def test_grids_are_walked_to_their_end(tmp_path, kind, binary):
    image = pv.ImageData(dimensions=(3, 4, 5), spacing=(1.0, 2.0, 3.0))
    image.cell_data["k"] = np.arange(image.n_cells) / 7
    mesh = {"structured_points": image, "rectilinear_grid": image.cast_to_rectilinear_grid(), "structured_grid": image.cast_to_structured_grid()}[
        kind
    ]
    mesh.save(tmp_path / "a.vtk", binary=binary)
    case = read_case(tmp_path / "a.vtk")
    assert np.allclose(case.field("k").values, np.arange(24) / 7) and len(case.mesh.points) == 60
    data = (tmp_path / "a.vtk").read_bytes()
    for word in (b"DIMENSIONS", b"CELL_DATA", b"FIELD" if b"FIELD" in data else b"SCALARS"):
        (tmp_path / "a.vtk").write_bytes(data[: data.find(word) + len(word) + 3])
        with pytest.raises(UnreadableFileError):
            read_case(tmp_path / "a.vtk")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_text_with_numbers_that_are_not_finite(tmp_path, kind):
    mesh = grid()
    values = np.array([0.1, np.nan, np.inf, -np.inf, 1e30, 5, 6, 7, 8], dtype=kind)
    mesh.point_data["nan"] = values
    mesh.point_data["V"] = np.column_stack([values] * 3)
    mesh.save(tmp_path / "a.vtk", binary=False)
    case = read_case(tmp_path / "a.vtk")
    assert np.array_equal(case.field("nan").values, values.astype(float), equal_nan=True)
    assert np.array_equal(case.field("V").values[:, 2], values.astype(float), equal_nan=True)


def test_a_missing_line_break_is_noted(tmp_path):
    (tmp_path / "a.vtk").write_bytes((HEAD + TRIANGLE)[:-1])
    assert check_legacy(tmp_path / "a.vtk", "a").open_end
    assert any("without a line break" in note for note in read_case(tmp_path / "a.vtk").mesh.notes)
    (tmp_path / "a.vtk").write_bytes(HEAD + TRIANGLE)
    assert read_case(tmp_path / "a.vtk").mesh.notes == ()


def test_messages_show_no_addresses(tmp_path):
    (tmp_path / "a.vtk").write_bytes(HEAD + b"NONSENSE\n")
    with pytest.raises(UnreadableFileError, match="VTK cannot read it") as caught:
        read_case(tmp_path / "a.vtk")
    assert "0x" not in str(caught.value)
