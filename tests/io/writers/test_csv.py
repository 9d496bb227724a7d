"""CSV: columns with units, points or cells, values on a patch."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.io.reading import read_case
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box
from geoop.mesh.quantity import QUANTITIES, Field, Quantity


def table(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], np.array(rows[1:], dtype=float)


def test_points_with_scalars_vectors_and_tensors(tmp_path):
    mesh = box()
    items = [Field(QUANTITIES["velocity"], mesh.points * 3), Field(Quantity("a, b", "a", "K;m"), mesh.points[:, 0])]
    items += [Field(Quantity("stress", "s", "Pa", 2), np.random.default_rng(0).random((8, 3, 3)))]
    done = write(Case(mesh, fields={item.name: item for item in items}), tmp_path / "a.csv")
    names, values = table(done.path)
    assert names[:8] == ["x [m]", "y [m]", "z [m]", "velocity_x [m/s]", "velocity_y [m/s]", "velocity_z [m/s]", "a b [K m]", "stress_xx [Pa]"]
    assert np.array_equal(values[:, :6], np.concatenate([mesh.points, mesh.points * 3], axis=1))
    back = read_case(done.path, unit="m")
    assert np.array_equal(back.fields["velocity"].values, mesh.points * 3)


def test_plane_mesh_has_two_coordinates(tmp_path):
    mesh = box((0.0, 0.0), (1.0, 2.0), 2)
    names, values = table(write(mesh, tmp_path / "a.csv", unit="cm").path)
    assert names == ["x [cm]", "y [cm]"] and np.allclose(values, mesh.points * 100)


def test_cells_where_the_fields_are(tmp_path):
    mesh = box(divisions=2)
    case = Case(mesh, fields={"pressure": Field(QUANTITIES["pressure"], np.arange(24.0), "cell")})
    names, values = table(write(case, tmp_path / "a.csv").path)
    assert names[-1] == "pressure [Pa]" and values[:, 3].tolist() == list(range(24))
    assert np.allclose(values[:, :3], mesh.points[mesh.cells.block("quad")].mean(axis=1))
    assert len(table(write(case, tmp_path / "b.csv", location="point").path)[1]) == 26
    with pytest.raises(ConfigurationError, match="no cells"):
        write(Mesh(np.eye(3)), tmp_path / "c.csv", location="cell")


def test_values_on_a_patch(tmp_path):
    mesh = box(divisions=2)
    boundary = {
        "x_min": {"pressure": Field(QUANTITIES["pressure"], np.arange(4.0), "facet"), "density": Field(QUANTITIES["density"], np.arange(9.0))}
    }
    case = Case(mesh, boundary=boundary)
    names, values = table(write(case, tmp_path / "a.csv", patches=["x_min"], location="cell").path)
    assert names == ["x [m]", "y [m]", "z [m]", "pressure [Pa]"] and values[:, 3].tolist() == [0, 1, 2, 3] and not values[:, 0].any()
    names, values = table(write(case, tmp_path / "b.csv", patches=["x_min"]).path)
    assert names[-1] == "density [kg/m^3]" and np.array_equal(values[:, :3], mesh.points[mesh.patch_points("x_min")])
