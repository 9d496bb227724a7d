"""The driver of the recipes of shipped models: what a card says comes from the surrogate and the rows, and too large a file is refused."""

import dataclasses

import make_models
import pytest
import torch
from kept_rows import rows
from model_recipe import Card, Recipe, Table, markdown

import geoop
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES
from geoop.models.ports import Ports
from geoop.models.superposition import Superposition
from geoop.results import shipped
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser


@pytest.fixture
def surrogate():
    torch.manual_seed(0)
    cases = [geoop.Case(naca4(name, n_points=80), geoop.OperatingPoint(50.0, 2.0)) for name in ("0012", "2412", "4412")]
    model = Superposition(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), sizes={"width": 16, "depth": 1, "densities": 4})
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    about = {"dataset": "sections", "dataset_hash": "abc123", "settings": {"epochs": 3, "minutes": None}, "epochs": 3, "steps": 12}
    return Surrogate(model, normaliser, TrainingEnvelope.fit(cases), about=about)


def card_of(surrogate, found):
    table = Table("errors of wings", ["split", "|dCL|"], [[key.rpartition("/")[2], row["error"]] for key, row in found.items()], "measured here")
    return Card(
        "wing", "for wings", "CL 0.01", "use it", "in", "out", {"cases": 3}, [table], ["ships"], ["stall"], "Apache-2.0", "tools/make_models wing"
    )


def test_data_rows_file_and_card(surrogate, tmp_path, monkeypatch):
    built = surrogate.save(tmp_path / "best.safetensors")
    monkeypatch.setattr(make_models, "FOLDER", tmp_path)
    monkeypatch.setattr(make_models, "MEASURED", tmp_path / "none.json")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    measured = []

    def measure(found, folder, once):
        assert isinstance(found, Surrogate)
        once("wing/test", lambda: measured.append(1) or {"error": 0.0125})

    recipe = Recipe("wing", lambda folder: built, measure, card_of)
    make_models.make(recipe, tmp_path / "out")
    make_models.make(recipe, tmp_path / "out")  # what was measured is kept
    assert measured == [1] and set(rows(None, tmp_path / "out" / "rows")) == {"wing/test"}
    model = shipped.shipped_model("wing")
    assert (model.summary, model.errors) == ("for wings", "CL 0.01") and model.about["shipped"]["command"] == "tools/make_models wing"
    parameters = sum(p.numel() for p in surrogate.model.parameters())
    for words in (
        "# wing",
        "| test | 0.0125 |",
        "split | \\|dCL\\| |",
        "abc123",
        f"{parameters} parameters",
        "- ships",
        "- stall",
        "Katz",
        "thickness [1]: 0.1",
    ):
        assert words in model.card, words
    assert "minutes" not in model.card, "settings that nobody set say nothing"
    monkeypatch.setattr(make_models, "LARGEST", 1000)
    with pytest.raises(SystemExit, match="the package takes 1000"):
        make_models.make(recipe, tmp_path / "out")
    with pytest.raises(SystemExit, match="no rows of wing"):
        make_models.make(recipe, tmp_path / "empty", card_only=True)


def test_numbers_and_missing_values_in_a_table(surrogate):
    card = card_of(surrogate, {"wing/ood": {"error": None}})
    text = markdown(dataclasses.replace(card, data={"licence of data": None}), surrogate)
    assert "| ood | - |" in text and "- licence of data: -" in text
