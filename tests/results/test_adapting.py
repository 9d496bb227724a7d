"""A mesh adapted to its own field: what is moved, what is brought along, what is refused; and the command."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.cli.app import main
from geoop.errors import ConfigurationError, FieldError
from geoop.io.reading import read_case
from geoop.mesh.case import Case
from geoop.mesh.measure import cell_centers, signed_measures
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.models.mesh_mover import UnrolledMover
from geoop.results.adapting import adapt, imbalance
from geoop.results.neural_mover import NeuralMover
from geoop.solve.monitors import FunctionMonitor

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tools"))
from moving_neural import FIELDS, square


@pytest.fixture(scope="module")
def case() -> Case:
    mesh = square(25)
    x = mesh.points
    fields = [
        Field(QUANTITIES["temperature"], FIELDS["ring .05"](x)),
        Field(QUANTITIES["velocity"], np.stack([1 + x[:, 0], 2 * x[:, 1] - x[:, 0]], axis=1)),
        Field(Quantity("side", "s"), (cell_centers(mesh)[:, 0] > 0.5).astype(float), "cell"),
        Field(Quantity("level", "c"), np.array(3.0), "global"),
    ]
    boundary = {"left": {"temperature": Field(QUANTITIES["temperature"], np.array(1.0), "global")}}
    return Case(mesh, None, {item.name: item for item in fields}, boundary)


@pytest.mark.parametrize("mover", ["monge-ampere", "variational", NeuralMover(UnrolledMover(24, 48, width=0, learned=False))], ids=str)
def test_the_monitor_is_shared_more_evenly_and_fields_are_brought_along(case, mover):
    before = case.mesh.points.copy()
    found = adapt(case, "hessian:temperature", mover)
    mesh = found.case.mesh
    assert found.moved.outcome.ok
    assert found.imbalance[1] < 0.6 * found.imbalance[0]
    assert (signed_measures(mesh) > 0).all()
    assert np.array_equal(case.mesh.points, before)
    assert np.array_equal(mesh.cells.connectivity, case.mesh.cells.connectivity)
    assert set(mesh.patches) == set(case.mesh.patches)
    x = mesh.points
    velocity = found.case.fields["velocity"].values
    assert np.allclose(velocity, np.stack([1 + x[:, 0], 2 * x[:, 1] - x[:, 0]], axis=1), atol=1e-12)  # linear: exact
    middle = cell_centers(mesh)[:, 0]
    clear = np.abs(middle - 0.5) > 0.05
    assert np.array_equal(found.case.fields["side"].values[clear], (middle > 0.5)[clear].astype(float))
    assert found.case.fields["level"].values == 3.0
    assert found.case.boundary["left"]["temperature"].values == 1.0


def test_any_monitor_and_mover_will_do_and_an_even_one_moves_nothing(case):
    even = adapt(case, FunctionMonitor(lambda p: np.full(len(p), 2.0)), NeuralMover(UnrolledMover(16, 24)))
    assert np.abs(even.case.mesh.points - case.mesh.points).max() < 1e-10
    assert np.allclose(even.case.fields["temperature"].values, case.fields["temperature"].values, atol=1e-12)


def test_imbalance_is_zero_on_equal_cells():
    mesh = square(9)
    assert imbalance(mesh, FunctionMonitor(lambda p: np.full(len(p), 4.0))) < 1e-12
    assert imbalance(mesh, FunctionMonitor(lambda p: 1 + p[:, 0])) > 0.1


def test_what_is_not_there_is_named(case):
    with pytest.raises(ConfigurationError, match="no monitor 'hesian'"):
        adapt(case, "hesian:temperature")
    with pytest.raises(ConfigurationError, match="no mover 'ampere'"):
        adapt(case, "hessian:temperature", "ampere")
    with pytest.raises(FieldError, match="no field 'pressure'") as error:
        adapt(case, "hessian:pressure")
    assert "temperature, velocity" in error.value.remedy
    with pytest.raises(FieldError, match="2 fields at the points, and none is named"):
        adapt(case, "hessian")
    with pytest.raises(FieldError, match="no field 'side' at the points"):
        adapt(case, "gradient:side")


def test_the_command_does_the_same(case, tmp_path, capsys):
    geoop.write(case, tmp_path / "field.vtu")
    model = NeuralMover(UnrolledMover(16, 24, width=0, learned=False)).save(tmp_path / "mover.safetensors")
    words = [
        "adapt",
        str(tmp_path / "field.vtu"),
        "--monitor",
        "hessian:temperature",
        "--mover",
        str(model),
        "-o",
        str(tmp_path / "out.vtu"),
        "--json",
    ]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["outcome"]["status"] == "converged"
    assert said["imbalance"][1] < 0.6 * said["imbalance"][0]
    written = read_case(tmp_path / "out.vtu")
    expected = adapt(case, "hessian:temperature", NeuralMover.load(model))
    assert np.allclose(written.mesh.points, expected.case.mesh.points, atol=1e-12)
    assert set(written.fields) == set(case.fields)
    assert main(["adapt", str(tmp_path / "field.vtu"), "-o", str(tmp_path / "field.vtu")]) == 2
    assert "--output is the input" in capsys.readouterr().err
