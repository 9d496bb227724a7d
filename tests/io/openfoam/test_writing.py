"""Fields back into a case: bit by bit the same after reading, boundary conditions word by word, and nothing written that should not be."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, FieldError, GeoopError, InvalidMeshError, UnwritableFileError
from geoop.io.openfoam.writing import write_fields
from geoop.io.reading import read_case
from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from tests.io.openfoam.foam_files import STYLES, Style, control, field, row_of_hexes, write_decomposed, zoo

CONDITIONS = """    // as the user wrote it
    inlet { type fixedValue; value uniform (1 2 3); } // keep me
    outlet
    {
        type            inletOutlet;   inletValue uniform (0 0 0);
        value           $internalField;
    }
    "(sides|floor|rest)" { type slip; }"""


def case_on_disk(root: Path, style: Style = Style(), kind: str = "patch") -> Path:
    row_of_hexes(4, kind).write(root / "constant" / "polyMesh", style)
    control(root, "binary" if style.binary else "ascii")
    field(root / "0" / "U", "(1 0 0)", CONDITIONS, kind="vector", dimensions="[0 1 -1 0 0 0 0]", style=style)
    field(root / "0" / "p", "0", '    ".*" { type zeroGradient; }', style=style)
    return root


def predicted(case: Case, *names: str) -> Case:
    """The mesh of a case with random fields on it, all bits of a double in use."""
    rng = np.random.default_rng(7)
    made = {
        "velocity": Field(QUANTITIES["velocity"], rng.normal(size=(len(case.mesh.cells), 3)), "cell"),
        "kinematic_pressure": Field(Quantity("kinematic_pressure", "p", "m^2/s^2"), rng.normal(size=len(case.mesh.cells)) * 1e-30, "cell"),
        "pressure": Field(QUANTITIES["pressure"], rng.normal(size=len(case.mesh.cells)), "cell"),
        "stress": Field(Quantity("stress", "s", "Pa", 2), rng.normal(size=(len(case.mesh.cells), 3, 3)), "cell"),
    }
    return replace(case, fields={name: made[name] for name in names})


@pytest.mark.parametrize("style", ["ascii", "binary", "binary64", "MSB", "gz"])
@pytest.mark.parametrize("time", ["0.25", 3], ids=["text", "number"])
def test_what_is_written_is_read_again_bit_by_bit(tmp_path, style, time):
    root = case_on_disk(tmp_path / "run", STYLES[style])
    case = predicted(read_case(root), "velocity", "kinematic_pressure", "stress")
    written = write_fields(case, root, time=time)
    assert [path.name for path in written] == ["U", "p", "stress"] and {path.parent.name for path in written} == {str(time)}
    again = read_case(root, time=float(time))
    for name, item in case.fields.items():
        np.testing.assert_array_equal(again.field(name).values, item.values)
        assert again.field(name).quantity.unit == item.quantity.unit
    assert (again.boundary["inlet"]["velocity"].values == [1, 2, 3]).all()
    np.testing.assert_array_equal(again.boundary["outlet"]["velocity"].values, [[1, 0, 0]])  # what $internalField meant


def test_boundary_conditions_stay_word_by_word(tmp_path):
    root = case_on_disk(tmp_path)
    write_fields(predicted(read_case(root), "velocity"), root, time="1")
    text, template = (root / "1" / "U").read_text(), (root / "0" / "U").read_text()
    assert text.partition("boundaryField")[2] == template.partition("boundaryField")[2].replace("$internalField", "uniform (1 0 0)")
    assert "dimensions [0 1 -1 0 0 0 0]" in text and 'location    "1"' in text


def test_lists_on_patches_change_format_with_the_file(tmp_path):
    root = case_on_disk(tmp_path, STYLES["binary"])
    inlet = Style(binary=True).numbers(np.array([[1 / 3, 2 / 3, 1e-300]]), "vector").decode("latin-1")
    path = root / "0" / "U"
    body = "dimensions [0 1 -1 0 0 0 0];\ninternalField uniform (0 0 0);\nboundaryField\n{\n inlet { type fixedValue; value nonuniform List<vector> "
    Style(binary=True).write(path, "volVectorField", (body + inlet + '; } ".*" { type slip; } }').encode("latin-1"))
    control(root, "ascii")
    write_fields(predicted(read_case(root), "velocity"), root, time="1")
    again = read_case(root, time=1)
    assert again.boundary["inlet"]["velocity"].values.tolist() == [[1 / 3, 2 / 3, 1e-300]]
    assert (root / "1" / "U").read_text().isascii()


def test_includes_are_found_from_the_new_folder(tmp_path):
    root = case_on_disk(tmp_path)
    (root / "0" / "include").mkdir()
    (root / "0" / "include" / "inlet").write_text("inlet { type fixedValue; value uniform (4 5 6); }\n")
    path = root / "0" / "U"
    path.write_text(
        path.read_text().replace("    // as the user wrote it\n    inlet { type fixedValue; value uniform (1 2 3); }", '#include "include/inlet"\n')
    )
    write_fields(predicted(read_case(root), "velocity"), root, time="1")
    assert (read_case(root, time=1).boundary["inlet"]["velocity"].values == [4, 5, 6]).all()


def test_pressure_in_pascal_is_divided_by_the_density(tmp_path):
    root = case_on_disk(tmp_path)
    case = predicted(read_case(root), "pressure")
    with pytest.raises(ConditionError, match="the density is needed"):
        write_fields(replace(case, operating_point=None), root, time="1")
    write_fields(replace(case, operating_point=OperatingPoint(10.0, density=2.0)), root, time="1")
    np.testing.assert_array_equal(read_case(root, time=1).field("kinematic_pressure").values, case.field("pressure").values / 2)


def test_of_two_pressures_the_one_in_the_unit_of_the_template_is_written(tmp_path):
    root = case_on_disk(tmp_path)
    case = predicted(read_case(root), "pressure", "kinematic_pressure")
    write_fields(case, root, time="1")
    np.testing.assert_array_equal(read_case(root, time=1).field("kinematic_pressure").values, case.field("kinematic_pressure").values)
    (root / "0" / "p").unlink()
    with pytest.raises(FieldError, match="all go into the file 'p'"):
        write_fields(case, root, time="2")


def test_point_fields_are_averaged_exactly_where_they_are_linear(tmp_path):
    root = case_on_disk(tmp_path)
    case = read_case(root)
    linear = Field(QUANTITIES["velocity"], case.mesh.points @ np.array([[1.0, 2, 3], [0, 1, 0], [4, 0, 0]]) + 1, "point")
    write_fields(replace(case, fields={"velocity": linear}), root, time="1")
    centers = np.array([[i + 0.5, 0.5, 0.5] for i in range(4)])
    expected = centers @ np.array([[1.0, 2, 3], [0, 1, 0], [4, 0, 0]]) + 1
    np.testing.assert_allclose(read_case(root, time=1).field("velocity").values, expected, rtol=1e-14)


def test_without_a_template_the_patch_types_decide(tmp_path):
    root = case_on_disk(tmp_path, kind="wall")
    shutil.rmtree(root / "0")
    case = predicted(read_case(root), "velocity", "kinematic_pressure")
    imposed = {"inlet": {"velocity": Field(QUANTITIES["velocity"], np.array([5.0, 0, 0]), "global")}}
    write_fields(replace(case, boundary=imposed), root)
    text = (root / "0" / "U").read_text()
    assert "uniform (5.0 0.0 0.0)" in text and "noSlip" in text and "zeroGradient" in text
    assert (root / "0" / "p").read_text().count("zeroGradient") == 3
    np.testing.assert_array_equal(read_case(root).field("velocity").values, case.field("velocity").values)
    case_on_disk(tmp_path / "flat", kind="empty")
    shutil.rmtree(tmp_path / "flat" / "0")
    write_fields(predicted(read_case(tmp_path / "flat"), "velocity"), tmp_path / "flat")
    assert "type            empty;" in (tmp_path / "flat" / "0" / "U").read_text()


def test_files_are_replaced_only_on_demand(tmp_path):
    root = case_on_disk(tmp_path)
    case = predicted(read_case(root), "velocity", "kinematic_pressure")
    before = (root / "0" / "U").read_bytes()
    with pytest.raises(UnwritableFileError, match=r"U.*p"):
        write_fields(case, root)
    assert (root / "0" / "U").read_bytes() == before
    write_fields(case, root, overwrite=True)
    np.testing.assert_array_equal(read_case(root).field("velocity").values, case.field("velocity").values)
    assert (read_case(root).boundary["inlet"]["velocity"].values == [1, 2, 3]).all()


def test_another_mesh_is_refused_or_mapped(tmp_path):
    root = case_on_disk(tmp_path / "run")
    row_of_hexes(8).write(tmp_path / "fine" / "constant" / "polyMesh")
    fine = read_case(tmp_path / "fine")
    half = Mesh(fine.mesh.points * [0.5, 1, 1], fine.mesh.cells)
    case = Case(half, fields={"velocity": Field(QUANTITIES["velocity"], np.arange(24.0).reshape(8, 3), "cell")})
    with pytest.raises(InvalidMeshError, match="8 cells, the OpenFOAM case 4"):
        write_fields(case, root, time="1")
    write_fields(case, root, time="1", map=True)
    found = read_case(root, time=1).field("velocity").values
    assert all(row.tolist() in (list(range(6 * i, 6 * i + 3)), list(range(6 * i + 3, 6 * i + 6))) for i, row in enumerate(found))
    moved = replace(predicted(read_case(root), "velocity"), mesh=read_case(root).mesh.moved(read_case(root).mesh.points + [0.5, 0, 0]))
    with pytest.raises(InvalidMeshError, match="at other places"):
        write_fields(moved, root, time="2")
    assert not (root / "2").exists()


def test_a_mesh_with_other_point_numbers_or_single_precision_is_the_same(tmp_path):
    root = case_on_disk(tmp_path)
    case = predicted(read_case(root), "velocity")
    new = np.random.default_rng(0).permutation(len(case.mesh.points))
    points = np.empty_like(case.mesh.points)
    points[new] = case.mesh.points + np.float32(0.1) - 0.1
    write_fields(replace(case, mesh=Mesh(points, case.mesh.cells.renumbered(new)), boundary={}, wall=None), root, time="1")
    np.testing.assert_array_equal(read_case(root, time=1).field("velocity").values, case.field("velocity").values)


BAD: dict[str, tuple[type[GeoopError], str, dict]] = {
    "time": (ConfigurationError, "not the name of a time", {"time": "first"}),
    "escape": (ConfigurationError, "not the name of a time", {"time": "../1"}),
    "template": (ConfigurationError, "no folder '0.orig'", {"time": "1", "template": "0.orig"}),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_arguments(tmp_path, name):
    kind, message, arguments = BAD[name]
    root = case_on_disk(tmp_path)
    with pytest.raises(kind, match=message):
        write_fields(predicted(read_case(root), "velocity"), root, **arguments)


def test_fields_that_no_run_can_start_from(tmp_path):
    root = case_on_disk(tmp_path)
    case = predicted(read_case(root), "velocity")
    with pytest.raises(FieldError, match="no field at cells or points"):
        write_fields(replace(case, fields={}), root, time="1")
    broken = Field(QUANTITIES["velocity"], np.full((4, 3), np.nan), "cell")
    with pytest.raises(FieldError, match="not finite"):
        write_fields(case.with_fields(broken), root, time="1")
    with pytest.raises(FieldError, match="is no vector"):
        write_fields(replace(case, fields={"velocity": Field(Quantity("velocity", "u", "m/s"), np.ones(4), "cell")}), root, time="1")
    with pytest.raises(FieldError, match="is in km/h, the template in m/s"):
        write_fields(replace(case, fields={"velocity": Field(Quantity("velocity", "u", "km/h", 1), np.ones((4, 3)), "cell")}), root, time="1")
    assert not (root / "1").exists()


def test_decomposed_cases_are_refused(tmp_path):
    write_decomposed(tmp_path / "cut", zoo(), (0, 0, 0, 1, 1, 1))
    case = read_case(tmp_path / "cut")
    with pytest.raises(ConfigurationError, match="only the processor folders"):
        write_fields(replace(case, fields={"a": Field(Quantity("a", "a"), np.ones(6), "cell")}), tmp_path / "cut")


def test_regions_get_their_own_files(tmp_path):
    for name, count in (("air", 2), ("solid", 3)):
        row_of_hexes(count).write(tmp_path / "constant" / name / "polyMesh")
        field(tmp_path / "0" / name / "T", "300", '".*" { type zeroGradient; }', dimensions="[0 0 0 1 0 0 0]")
    field(tmp_path / "0" / "air" / "U", "(1 2 3)", '".*" { type zeroGradient; }', kind="vector", dimensions="[0 1 -1 0 0 0 0]")
    case = read_case(tmp_path)
    case = case.with_fields(Field(QUANTITIES["temperature"], np.arange(5.0), "cell"))
    written = write_fields(case, tmp_path, time="1")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in written) == ["1/air/T", "1/air/U", "1/solid/T"]
    assert read_case(tmp_path, time=1).field("temperature").values.tolist() == [0, 1, 2, 3, 4]


FILES = {
    "system/blockMeshDict": "vertices ((0 0 0) (1 0 0) (1 1 0) (0 1 0) (0 0 0.1) (1 0 0.1) (1 1 0.1) (0 1 0.1));\n"
    "blocks (hex (0 1 2 3 4 5 6 7) (12 10 1) simpleGrading (2 1 1)); edges ();\n"
    "boundary (lid { type wall; faces ((3 7 6 2)); } walls { type wall; faces ((0 4 7 3) (2 6 5 1) (1 5 4 0)); }"
    " sides { type empty; faces ((0 3 2 1) (4 5 6 7)); });\n",
    "system/controlDict": "application icoFoam; startFrom latestTime; stopAt endTime; endTime 0.05; deltaT 0.005; writeControl timeStep;\n"
    "writeInterval 5; writeFormat FORMAT; writePrecision 16; timeFormat general; timePrecision 6;\n",
    "system/fvSchemes": "ddtSchemes { default Euler; } gradSchemes { default Gauss linear; } divSchemes { default none; div(phi,U) Gauss linear; }\n"
    "laplacianSchemes { default Gauss linear orthogonal; } interpolationSchemes { default linear; } snGradSchemes { default orthogonal; }\n",
    "system/fvSolution": "solvers { p { solver PCG; preconditioner DIC; tolerance 1e-06; relTol 0; } pFinal { $p; }\n"
    "U { solver smoothSolver; smoother symGaussSeidel; tolerance 1e-05; relTol 0; } } PISO { nCorrectors 2; pRefCell 0; pRefValue 0; }\n",
    "system/decomposeParDict": "numberOfSubdomains 4; method simple; simpleCoeffs { n (2 2 1); delta 0.001; }\n",
    "constant/transportProperties": "nu [0 2 -1 0 0 0 0] 0.01;\n",
    "0/U": "dimensions [0 1 -1 0 0 0 0]; internalField uniform (0 0 0);\n"
    "boundaryField { lid { type fixedValue; value uniform (1 0 0); } walls { type noSlip; } sides { type empty; } }\n",
    "0/p": 'dimensions [0 2 -2 0 0 0 0]; internalField uniform 0; boundaryField { ".*" { type zeroGradient; } sides { type empty; } }\n',
}
CLASSES = {"0/U": "volVectorField", "0/p": "volScalarField"}


def tool(root: Path, *command: str) -> str:
    environment = {**os.environ, "WM_PROJECT_DIR": os.environ.get("WM_PROJECT_DIR", "/usr/share/openfoam")}
    done = subprocess.run([*command, "-case", str(root)], capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


@pytest.mark.openfoam
@pytest.mark.parametrize("form", ["ascii", "binary"])
def test_a_real_run_is_read_in_parts_and_starts_from_what_was_written(tmp_path, form):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        head = f"FoamFile {{ version 2.0; format ascii; class {CLASSES.get(name, 'dictionary')}; object {Path(name).name}; }}\n"
        (tmp_path / name).write_text(head + text.replace("FORMAT", form))
    tool(tmp_path, "blockMesh")
    tool(tmp_path, "icoFoam")
    whole = read_case(tmp_path)
    assert whole.time == 0.05 and np.abs(whole.field("velocity").values).max() > 0.05
    tool(tmp_path, "decomposePar", "-latestTime")
    shutil.copytree(
        tmp_path,
        tmp_path / "cut",
        ignore=lambda folder, names: [n for n in names if n in ("constant", "cut") or n[0].isdigit()] if folder == str(tmp_path) else [],
    )
    cut = read_case(tmp_path / "cut")
    assert cut.mesh.content_hash == whole.mesh.content_hash
    for name in whole.fields:
        np.testing.assert_allclose(cut.field(name).values, whole.field(name).values, rtol=1e-14)
    start = whole.with_fields(Field(QUANTITIES["velocity"], whole.field("velocity").values * 1.001, "cell"))
    write_fields(start, tmp_path, time="0.1", template="0")
    control_file = tmp_path / "system" / "controlDict"
    control_file.write_text(control_file.read_text().replace("endTime 0.05", "endTime 0.125"))
    assert "Time = 0.105" in tool(tmp_path, "icoFoam")
    after = read_case(tmp_path, time=0.125)
    change = np.abs(after.field("velocity").values - start.field("velocity").values).max()
    assert 0 < change < np.abs(start.field("velocity").values).max()  # it went on from there, not from rest
