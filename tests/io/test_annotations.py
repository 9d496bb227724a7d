"""What geoop writes beside a mesh, packed and unpacked without a file."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConditionError, InvalidMeshError
from geoop.io import annotations
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint


def packed() -> dict:
    cells = Cells.of(triangle=[[0, 1, 2], [1, 2, 3]])
    mesh = Mesh(
        np.random.default_rng(0).random((4, 3)), cells, {"a | b": cells.take([0]), "empty": Cells.empty(), "c": cells}, {"z": np.array([1, 0])}
    )
    return annotations.pack(Case(mesh, OperatingPoint(30.0, beta=1.5), time=0.0))


def test_patches_zones_and_condition():
    saved = packed()
    patches = annotations.patches(saved)
    assert list(patches) == ["a | b", "empty", "c"] and [len(part) for part in patches.values()] == [1, 0, 2]
    assert patches["c"].block("triangle").tolist() == [[0, 1, 2], [1, 2, 3]] and annotations.zones(saved)["z"].tolist() == [1, 0]
    case = annotations.case_of(Mesh(np.zeros((4, 3))), saved, [])
    assert case.operating_point == OperatingPoint(30.0, beta=1.5) and case.time == 0.0
    assert "operating_point.velocity [m/s]" in saved and "operating_point.beta [deg]" in saved


def test_every_value_of_an_operating_point_has_its_unit():
    point = OperatingPoint(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
    saved = annotations.pack(Case(Mesh(np.zeros((1, 3))), point))
    assert not any("?" in key for key in saved) and annotations.case_of(Mesh(np.zeros((1, 3))), saved, []).operating_point == point


def test_foreign_files_have_none_of_it():
    saved = {"TimeValue": np.array([0.5])}
    assert annotations.dimension(saved) is None and not annotations.patches(saved)
    assert annotations.case_of(Mesh(np.zeros((4, 3))), saved, []).time == 0.5


def test_damaged_annotations_are_refused():
    for key, value in {"patch_sizes": np.array([1, 0, 5]), "patch_names": ["a"], "zone_sizes": np.array([-1]), "dimension": np.array([7])}.items():
        saved = packed() | {key: value}
        with pytest.raises(InvalidMeshError):
            [unpack(saved) for unpack in (annotations.patches, annotations.zones, annotations.dimension)]
    with pytest.raises(ConditionError):
        annotations.case_of(Mesh(np.zeros((4, 3))), packed() | {"operating_point.velocity [m/s]": np.array([np.nan])}, [])
