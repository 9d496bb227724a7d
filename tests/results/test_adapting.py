"""A mesh adapted to its own field: what is moved, what is brought along, what is refused; and the command."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvista

import geoop
from geoop.cli.app import main
from geoop.errors import ConfigurationError, FieldError, InvalidMeshError
from geoop.fem.interpolant import Interpolant
from geoop.interfaces.moving import Moved
from geoop.interfaces.outcome import Outcome
from geoop.io.reading import read_case
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.measure import cell_centers, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.models.mesh_mover import UnrolledMover
from geoop.results.adapting import adapt, imbalance
from geoop.results.neural_mover import NeuralMover
from geoop.solve.monitors import FunctionMonitor
from geoop.solve.movers.monge_ampere import MongeAmpere

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


@pytest.mark.parametrize("kind", ["hessian", "gradient", "arc-length"])
@pytest.mark.parametrize("mover", ["monge-ampere", "variational"])
def test_a_field_that_asks_for_nothing_is_said(case, kind, mover, tmp_path, capsys):
    flat = Case(case.mesh).with_fields(Field(QUANTITIES["temperature"], np.full(len(case.mesh.points), 300.0)))
    found = adapt(flat, kind, mover)
    assert found.moved.outcome.status == "converged" and np.abs(found.case.mesh.points - case.mesh.points).max() < 1e-10
    assert any(f"'{kind}' is the same everywhere" in note and "constant" in note for note in found.notes)
    assert not adapt(case, f"{kind}:temperature", mover).notes
    geoop.write(flat, tmp_path / "flat.vtu")
    assert main(["adapt", str(tmp_path / "flat.vtu"), "--monitor", kind, "--mover", mover, "-o", str(tmp_path / "out.vtu")]) == 0
    text = capsys.readouterr().out
    assert text.startswith("outcome: converged") and "is the same everywhere" in text


def gain(case, **arguments):
    """Of the L2 error of linear interpolation, for a ring of width 0.02."""
    places = np.random.default_rng(0).uniform(size=(20000, 2))
    ring = FIELDS["ring .02"]
    error = lambda mesh: np.sqrt(np.mean((Interpolant.of(mesh).at(ring(mesh.points), places) - ring(places)) ** 2))  # noqa: E731
    found = adapt(case, "hessian:ring", **arguments)
    return error(case.mesh) / error(found.case.mesh), found


def test_updates_of_the_monitor_gain_where_the_mesh_does_not_resolve_the_field():
    mesh, ring = square(25), Quantity("ring", "r")
    case = Case(mesh).with_fields(Field(ring, FIELDS["ring .02"](mesh.points)))
    asked = []

    def formula(there):
        asked.append(there.fields["ring"].values)
        return there.with_fields(Field(ring, FIELDS["ring .02"](there.mesh.points)))

    (once, first), (carried, again), (known, exact) = gain(case), gain(case, updates=1), gain(case, updates=1, solve=formula)
    assert carried > 1.05 * once and known > 1.2 * once
    assert len(asked) == 2 and np.array_equal(exact.case.fields["ring"].values, FIELDS["ring .02"](exact.case.mesh.points))
    assert again.moved.steps > first.moved.steps and again.moved.outcome.ok
    for wrong, what in (
        ({"updates": -1}, "updates is -1"),
        ({"monitor": "wall", "updates": 1}, "no field's"),
        ({"mover": MongeAmpere(), "steps": 3}, "3 steps"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            adapt(case, **wrong)
    with pytest.raises(InvalidMeshError, match="another mesh"):
        adapt(case, "hessian", solve=lambda there: case)


def test_a_mover_that_gives_up_writes_nothing_or_says_so(case, tmp_path, capsys, monkeypatch):
    geoop.write(case, tmp_path / "field.vtu")
    words = ["adapt", str(tmp_path / "field.vtu"), "--monitor", "hessian:temperature", "-o", str(tmp_path / "out.vtu")]
    assert main([*words, "--steps", "1", "--picture", str(tmp_path / "out.png")]) == 3
    text = capsys.readouterr().out
    assert "outcome: max_sweeps_reached" in text and "--steps" in text and "MongeAmpere" not in text and "written:" in text and "out.png" in text
    (tmp_path / "out.vtu").unlink()
    folded = lambda self, mesh, monitor: Moved(mesh, Outcome("tangled", "every step inverts cells"), 3)  # noqa: E731
    monkeypatch.setattr(MongeAmpere, "move", folded)
    assert main(words) == 1
    assert "outcome: tangled" in capsys.readouterr().out and not (tmp_path / "out.vtu").exists()
    assert adapt(case, "hessian:temperature").case is case


@pytest.mark.parametrize("mover", ["monge-ampere", "variational"])
def test_facets_stored_as_cells_keep_values_of_their_own(case, mover):
    mesh = case.mesh
    row = np.flatnonzero(mesh.points[:, 1] == 0.0)
    row = row[np.argsort(mesh.points[row, 0])]
    both = Mesh(mesh.points, Cells.concatenate([Cells.of(line=np.stack([row[:-1], row[1:]], axis=1)), mesh.cells]))
    load = np.where(both.cells.dimensions == 1, -5.0, cell_centers(both)[:, 0])
    given = Case(both).with_fields(case.fields["temperature"], Field(Quantity("load", "q"), load, "cell"))
    found = adapt(given, "hessian", mover).case
    lines = both.cells.dimensions == 1
    assert (found.fields["load"].values[lines] == -5.0).all()
    assert np.abs(found.fields["load"].values - cell_centers(found.mesh)[:, 0])[~lines].max() < 1e-12


def test_fields_on_facets_and_with_gaps_are_left_out_and_told(case):
    gap = np.ones(len(case.mesh.points))
    gap[3] = np.nan
    facets = Field(Quantity("load", "q"), np.zeros(7), "facet")
    found = adapt(case.with_fields(Field(Quantity("gap", "g"), gap), facets), "hessian:temperature")
    assert set(found.case.fields) == set(case.fields)
    assert found.notes == ("fields on facets are left out: load", "fields with values that are not finite are left out: gap")


def test_what_is_not_there_is_named(case):
    with pytest.raises(ConfigurationError, match="no monitor 'hesian'"):
        adapt(case, "hesian:temperature")
    with pytest.raises(ConfigurationError, match="no monitor 'temperature', which is a field") as error:
        adapt(case, "temperature")
    assert error.value.remedy == "hessian:temperature"
    with pytest.raises(ConfigurationError, match="no mover 'ampere'"):
        adapt(case, "hessian:temperature", "ampere")
    with pytest.raises(FieldError, match="no field 'pressure'") as error:
        adapt(case, "hessian:pressure")
    assert "temperature, velocity" in error.value.remedy
    with pytest.raises(FieldError, match="2 fields at the points, and none is named"):
        adapt(case, "hessian")
    with pytest.raises(FieldError, match="no field 'side' at the points"):
        adapt(case, "gradient:side")


def test_names_of_foreign_arrays_come_back_as_they_were(tmp_path):
    mesh = square(9)
    names = ["phi", "T (°C)", "a/b", "rho*u", "Q [1/s2]", "Pressure"]
    fields = {name: Field(Quantity(name, name, "1/s2" if "Q" in name else "?"), mesh.points[:, 0] ** 2) for name in names[:4]}
    fields |= {"Q": Field(Quantity("Q", "Q", "1/s2"), mesh.points[:, 1]), "Pressure": Field(Quantity("Pressure", "p", "?"), mesh.points[:, 1])}
    geoop.write(Case(mesh, fields=fields), tmp_path / "field.vtu")
    assert main(["adapt", str(tmp_path / "field.vtu"), "--monitor", "hessian:phi", "-o", str(tmp_path / "out.vtu")]) == 0
    found = set(pyvista.read(tmp_path / "out.vtu").point_data.keys())
    assert found == {"phi", "T (°C)", "a/b", "rho*u", "Q [1/s2]", "pressure [?]"}  # of a name that geoop knows the unit stays in question
    again = read_case(tmp_path / "out.vtu").fields
    assert again["phi"].quantity.unit == "?" and again["Q"].quantity.unit == "1/s2"


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
