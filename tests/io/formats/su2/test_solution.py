"""SU2 solutions: every variant of the format, names and units, damage refused."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import UnreadableFileError
from geoop.io.reading import read_case

NAMES = ["x", "y", "Density", "Momentum_x", "Momentum_y", "Energy", "Pressure", "Temperature", "Mach", "Pressure_Coefficient", "Nu_Tilde"]


def rows(scale: float = 1.0) -> np.ndarray:
    """Air at 300 K moving at 10 m/s."""
    rng = np.random.default_rng(0)
    table = np.zeros((5, len(NAMES)))
    table[:, :2] = rng.random((5, 2))
    table[:, 2] = 1.2
    table[:, 3] = 12.0
    table[:, 6] = 1.2 * 287.058 * 300 * scale
    table[:, 7] = 300
    table[:, 8] = 0.03
    table[:, 9:] = rng.random((5, 2))
    table[:, 5] = table[:, 6] / 0.4 + 0.6 * 100
    return table


def binary(names=NAMES, table=None, order="<", tail=b"", counts=(0, 0)) -> bytes:
    table = rows() if table is None else table
    head = np.array([535532, len(names), len(table), *counts], f"{order}i4").tobytes()
    return head + b"".join(name.encode().ljust(33, b"\0") for name in names) + table.astype(f"{order}f8").tobytes() + tail


def text(separator: str, names=NAMES, end: str = "", quote: str = '"') -> str:
    lines = [separator.join(f"{quote}{name}{quote}" for name in ("PointID", *names)) + end]
    lines += [separator.join([str(i), *map(repr, row)]) + end for i, row in enumerate(rows().tolist())]
    return "\n".join(lines) + "\n"


def check(case) -> None:
    assert np.array_equal(case.mesh.points, rows()[:, :2]) and case.mesh.is_cloud
    assert np.allclose(case.fields["velocity"].values, [10.0, 0.0]) and np.array_equal(case.fields["momentum"].values, rows()[:, 3:5])
    units = {name: item.quantity.unit for name, item in case.fields.items()}
    assert units["pressure"] == "Pa" and units["mach_number"] == "1" and units["Nu_Tilde"] == "?"
    assert np.array_equal(case.fields["pressure_coefficient"].values, rows()[:, 9])
    said = " ".join(case.mesh.notes)
    assert "velocity is momentum / density" in said and "that of air" in said and "SI is assumed" in said


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("suffix", [".dat", ".csv"])
def test_binary(tmp_path, order, suffix):
    path = tmp_path / f"restart{suffix}"
    path.write_bytes(binary(order=order))
    check(read_case(path))


def test_metadata_of_older_versions(tmp_path):
    tail = np.array([250], "<i4").tobytes() + np.array([2.5, 1.0, 0, 0, 0, 0, 0, 0], "<f8").tobytes()
    (tmp_path / "a.dat").write_bytes(binary(tail=tail, counts=(1, 8)))
    case = read_case(tmp_path / "a.dat")
    check(case)
    assert any("alpha 2.5 deg and beta 1 deg, step 250" in note for note in case.mesh.notes)
    (tmp_path / "b.dat").write_bytes(binary(tail=b"12345"))
    assert any("5 bytes behind" in note for note in read_case(tmp_path / "b.dat").mesh.notes)


@pytest.mark.parametrize("suffix", [".csv", ".dat", ".txt"])
@pytest.mark.parametrize(("separator", "end", "quote"), [(",", "", '"'), (", ", ",", '"'), ("\t", "", '"'), ("\t", "\t", '"'), (",", "", "")])
def test_text(tmp_path, suffix, separator, end, quote):
    path = tmp_path / f"solution{suffix}"
    path.write_text(text(separator, end=end, quote=quote) + ("AOA= 1.25\nEXT_ITER= 999\n" if suffix == ".dat" else ""))
    case = read_case(path)
    check(case)
    assert case.fields["PointID"].values.tolist() == [0, 1, 2, 3, 4] and case.fields["PointID"].values.dtype.kind == "i"
    assert (suffix == ".dat") == any("AOA= 1.25, EXT_ITER= 999" in note for note in case.mesh.notes)


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (["C<sub>p</sub>", "C<sub>f</sub>_x", "C<sub>f</sub>_y"], {"pressure_coefficient": (), "skin_friction_coefficient": (2,)}),
        (["Pressure_Coefficient", "Skin_Friction_Coefficient_x", "Skin_Friction_Coefficient_y"], {"skin_friction_coefficient": (2,)}),
        (["y<sup>+</sup>", "<greek>m</greek><sub>t</sub>", "Mach"], {"y_plus": (), "eddy_viscosity": (), "mach_number": ()}),
        (["Grid_Velx", "Grid_Vely", "Velocity_y", "Velocity_x"], {"grid_velocity": (2,), "velocity": (2,)}),
        (["Conservative_1", "Sxx", "Von_Mises_Stress"], {"Conservative_1": (), "Sxx": (), "von_mises_stress": ()}),
    ],
)
def test_names(tmp_path, columns, fields):
    table = np.random.default_rng(0).random((4, 2 + len(columns)))
    head = ",".join(f'"{name}"' for name in ("PointID", "x", "y", *columns))
    (tmp_path / "a.csv").write_text("\n".join([head, *(f"{i}," + ",".join(map(repr, row)) for i, row in enumerate(table.tolist()))]))
    case = read_case(tmp_path / "a.csv")
    assert {name: case.fields[name].values.shape[1:] for name in fields} == fields
    if "Velocity_y" in columns:
        assert np.array_equal(case.fields["velocity"].values, table[:, [5, 4]])


def test_numbers_that_cannot_be_si_get_the_unit_one(tmp_path):
    (tmp_path / "a.dat").write_bytes(binary(table=rows(scale=1e-5)))
    case = read_case(tmp_path / "a.dat")
    assert {item.quantity.unit for item in case.fields.values()} == {"1"} and any("not in SI units" in note for note in case.mesh.notes)


def test_incompressible(tmp_path):
    (tmp_path / "a.dat").write_bytes(binary(["x", "y", "Pressure", "Velocity_x", "Velocity_y"], rows()[:, :5]))
    case = read_case(tmp_path / "a.dat")
    assert np.array_equal(case.fields["velocity"].values, rows()[:, 3:5]) and any("incompressible" in note for note in case.mesh.notes)


def test_three_dimensions(tmp_path):
    (tmp_path / "a.dat").write_bytes(binary(["x", "y", "z", "Velocity_x", "Velocity_y", "Velocity_z"], rows()[:, :6]))
    case = read_case(tmp_path / "a.dat")
    assert case.mesh.dimension == 3 and case.fields["velocity"].values.shape == (5, 3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (binary()[:18], "has no header"),
        (binary()[:-8], "announces 11 fields at 5 points"),
        (binary()[:12] + b"\xff\xff\xff\x7f" + binary()[16:], "5 points|bytes behind"),
        (binary()[:4] + b"\xff\xff\xff\x7f" + binary()[8:], "announces 2147483647 fields"),
        (binary()[:8] + b"\xff\xff\xff\xff" + binary()[12:], "-1 points"),
        (binary(["a", *NAMES[1:]]), "no columns x and y"),
        (binary(["\x01\x02", *NAMES[1:]]), "names of the fields"),
        (text(",").encode()[:-30], "row 6 has"),
        (text(",").replace("12.0", "twelve").encode(), "not numbers"),
        (b'"PointID","x","y"\n', "no rows"),
    ],
)
def test_damage(tmp_path, data, words):
    (tmp_path / "a.dat").write_bytes(data)
    if "bytes behind" in words:  # counts of metadata that is not there harm nobody
        assert len(read_case(tmp_path / "a.dat").mesh.points) == 5
        return
    with pytest.raises(UnreadableFileError, match=words):
        read_case(tmp_path / "a.dat")


@pytest.mark.parametrize(
    ("file", "points", "fields"),
    [
        ("buoyancy_cavity/solution_flow.dat", 4225, {"pressure", "velocity", "Enthalpy"}),
        ("cylinder_inc/solution_flow.dat", 13336, {"pressure", "velocity", "Enthalpy"}),
        ("fsi_airfoil_rbf/solution_solid_1.dat", 801, {"displacement", "Sxx", "Syy", "Sxy", "von_mises_stress"}),
        ("naca0012_rans/solution_flow_sa.dat", 14576, {"density", "momentum", "velocity", "Energy", "Nu_Tilde"}),
    ],
)
def test_real_solutions(shared_data, file, points, fields):
    case = read_case(shared_data / "su2" / file)
    assert len(case.mesh.points) == points and set(case.fields) == fields
    assert all(np.isfinite(item.values).all() for item in case.fields.values())
