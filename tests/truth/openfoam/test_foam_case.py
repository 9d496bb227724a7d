"""A case described in Python: the dictionaries say what was asked for, and what makes no sense is refused before anything is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import ConditionError, ConfigurationError, UnwritableFileError
from geoop.io.openfoam.dictionary import Dictionary, load
from geoop.io.reading import read_case
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.measure import cell_centers
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.truth.openfoam.dictionaries import inflow_values
from geoop.truth.openfoam.foam_case import FoamCase
from geoop.truth.openfoam.settings import Schemes, Steady, Turbulence, Unsteady
from tests.truth.openfoam.fake_programs import POINT, grid


def dictionary(path) -> Dictionary:
    return Dictionary.of(load(path))


def test_the_files_say_speed_viscosity_and_reference_values(tmp_path):
    point = replace(POINT, alpha=30.0)
    root = FoamCase(grid(), point, Steady(iterations=77, residual=1e-5)).write(tmp_path / "run")
    control = dictionary(root / "system" / "controlDict")
    assert (control.word("application"), control.word("endTime")) == ("simpleFoam", "77")
    forces = control.sub("functions").sub("forceCoeffs")
    assert [float(forces.word(key)) for key in ("magUInf", "rhoInf", "lRef", "Aref")] == [2.0, 1.5, 1.0, 1.0]
    assert np.allclose([float(x) for x in forces.word("dragDir").strip("()").split()], [np.sqrt(0.75), 0.5, 0])
    assert np.allclose([float(x) for x in forces.word("liftDir").strip("()").split()], [-0.5, np.sqrt(0.75), 0])
    assert "0.02" in dictionary(root / "constant" / "transportProperties").word("nu")  # mu / rho
    case = read_case(root)
    assert np.allclose(case.field("velocity").values, [2 * np.sqrt(0.75), 1.0, 0.0])
    assert case.wall == ("wall",)


@pytest.mark.parametrize(
    ("march", "solver", "scheme"),
    [
        (Steady(), "simpleFoam", "steadyState"),
        (Unsteady(10.0, 0.1), "pimpleFoam", "backward"),
        (Unsteady(10.0, 0.1, solver="icoFoam"), "icoFoam", "backward"),
    ],
    ids=["steady", "pimple", "ico"],
)
def test_the_march_decides_solver_and_time_scheme(tmp_path, march, solver, scheme):
    case = FoamCase(grid(), POINT, march)
    root = case.write(tmp_path / "run")
    assert case.solver == dictionary(root / "system" / "controlDict").word("application") == solver
    assert dictionary(root / "system" / "fvSchemes").sub("ddtSchemes").word("default") == scheme


@pytest.mark.parametrize("model", ["SpalartAllmaras", "kOmegaSST"])
def test_a_model_brings_its_fields_and_the_exact_wall_distance(tmp_path, model):
    root = FoamCase(grid(), POINT, turbulence=Turbulence(model)).write(tmp_path / "run")
    wanted = {"U", "p", "nut"} | ({"nuTilda"} if model == "SpalartAllmaras" else {"k", "omega"})
    assert {path.name for path in (root / "0").iterdir()} == wanted
    assert dictionary(root / "constant" / "turbulenceProperties").sub("RAS").word("RASModel") == model
    assert dictionary(root / "system" / "fvSchemes").sub("wallDist").word("method") == "exactDistance"


def test_inflow_turbulence_is_that_of_the_turbulence_modeling_resource():
    found = inflow_values(Turbulence(), 1.0, 1e-6)
    assert found["nut"] / 1e-6 == pytest.approx(0.210438, rel=1e-5)  # quoted there for nuTilda = 3 nu
    k_omega = inflow_values(Turbulence("kOmegaSST", ratio=0.5, intensity=0.01), 2.0, 1e-6)
    assert k_omega["k"] == pytest.approx(1.5 * 0.02**2)
    assert k_omega["k"] / k_omega["omega"] == pytest.approx(k_omega["nut"]) == pytest.approx(0.5e-6)


def test_a_run_starts_from_the_fields_of_a_case_on_this_or_another_grid(tmp_path):
    mesh = grid()
    centres = cell_centers(mesh)
    start = Case(
        mesh,
        fields={"velocity": Field(QUANTITIES["velocity"], centres, "cell"), "temperature": Field(QUANTITIES["temperature"], centres[:, 0], "cell")},
    )
    root = FoamCase(mesh, POINT).write(tmp_path / "run", start=start)
    case = read_case(root)
    assert np.array_equal(case.field("velocity").values[:, :2], centres)
    assert "temperature" not in case.fields
    boundary = dictionary(root / "0" / "U").sub("boundaryField")
    assert boundary.sub("wall").word("type") == "noSlip"
    other = replace(start, mesh=mesh.moved(mesh.points * 1.0000001))
    again = read_case(FoamCase(mesh, POINT).write(tmp_path / "other", start=other))
    assert np.allclose(again.field("velocity").values[:, :2], centres)
    with pytest.raises(ConfigurationError, match="none of the fields"):
        FoamCase(mesh, POINT).write(tmp_path / "third", start=Case(mesh))


def test_walls_without_a_body_have_their_moments_about_the_origin(tmp_path):
    """Bottom and top of an empty channel: two parallel lines have no chord."""
    points = np.array([[1.0, 1], [3, 1], [3, 2], [1, 2]])
    lines = {"walls": [[0, 1], [2, 3]], "outlet": [[1, 2]], "inlet": [[3, 0]]}
    mesh = Mesh(points, Cells.of(quad=np.array([[0, 1, 2, 3]])), {name: Cells.of(line=np.array(own)) for name, own in lines.items()})
    root = FoamCase(mesh, POINT).write(tmp_path / "run")
    forces = dictionary(root / "system" / "controlDict").sub("functions").sub("forceCoeffs")
    assert [float(x) for x in forces.word("CofR").strip("()").split()] == [0.0, 0.0, 0.0]


def test_conditions_that_make_no_flow_are_one_error():
    with pytest.raises(ConditionError, match=r"no viscosity.*Mach number 0.5.*beta is 3.*no reference_length"):
        FoamCase(grid(), OperatingPoint(1.0, mach=0.5, beta=3.0))


def test_velocities_that_fit_no_patch_are_one_error():
    with pytest.raises(ConfigurationError, match=r"'wall' has shape \(5, 2\).*'lid', which is no patch"):
        FoamCase(grid(), POINT, velocities={"wall": np.zeros((5, 2)), "lid": np.zeros(2)})


def test_a_case_is_replaced_only_on_request_and_other_folders_never(tmp_path):
    case = FoamCase(grid(), POINT)
    case.write(tmp_path / "run")
    with pytest.raises(UnwritableFileError, match="there already"):
        case.write(tmp_path / "run")
    (tmp_path / "run" / "100").mkdir()
    case.write(tmp_path / "run", overwrite=True)
    assert not (tmp_path / "run" / "100").exists()
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(UnwritableFileError, match="no OpenFOAM case"):
        case.write(tmp_path / "letters", overwrite=True)
    assert (tmp_path / "letters" / "a.txt").exists()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Steady(iterations=0, relaxation=2.0), r"iterations is 0.*relaxation is 2"),
        (lambda: Unsteady(1.0, 2.0), "longer than end_time"),
        (lambda: Unsteady(2.0, 1.0, courant=0.5, solver="icoFoam"), "icoFoam has a fixed step"),
        (lambda: Turbulence("kEpsilon", walls="soft"), r"'kEpsilon'.*'soft'"),
        (lambda: Schemes("central", limited=0.0), r"'central'.*limited is 0"),
    ],
    ids=["steady", "step", "courant", "model", "schemes"],
)
def test_impossible_settings_are_refused(make, says):
    with pytest.raises(ConfigurationError, match=says):
        make()
