"""The data card: what it says is what is in the folder, and pictures of plane meshes, clouds and bodies in space."""

import warnings
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from geoop.errors import PatchError
from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, icosphere
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.studies.data_card import describe
from geoop.truth.generate import generate


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return generate("kt-airfoils", tmp_path_factory.mktemp("card") / "kt", 8, workers=1)


def test_the_card_says_what_is_there(sections, tmp_path):
    card = describe(sections, tmp_path)
    assert card.path.read_text() == card.text + "\n"
    assert sections.hash in card.text and "CC0-1.0" in card.text and "geoop generate kt-airfoils -n 8 --seed 0" in card.text
    assert 'quantities = ["velocity", "pressure_coefficient"]' in card.text
    assert "| train | 5 | 5 |" in card.text and "| ood | 2 | 2 |" in card.text
    values = np.concatenate([case.field("pressure_coefficient").values for split in sections.splits for case in sections.cases(split)])
    assert card.facts["fields"]["pressure_coefficient"]["median"] == pytest.approx(np.median(values))
    assert len(card.facts["shown"]) == 8 == len(set(card.facts["shown"]))
    picture = matplotlib.image.imread(card.picture)
    assert picture.shape[1] > picture.shape[0] and len(np.unique(picture.reshape(-1, picture.shape[2])[::7], axis=0)) > 100


def test_equal_seeds_show_equal_cases(sections, tmp_path):
    first, second, other = (describe(sections, tmp_path / name, seed=seed).facts["shown"] for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert first == second != other


def test_the_card_may_lie_in_the_folder_and_the_data_set_stays_one(tmp_path):
    sections = generate("kt-airfoils", tmp_path / "kt", 4, workers=1)
    describe(sections)
    assert (sections.directory / "README.md").is_file()
    assert generate("kt-airfoils", sections.directory, 4, workers=1).hash == sections.hash
    assert generate("kt-airfoils", sections.directory, 4, seed=1, workers=1, overwrite=True).hash != sections.hash
    assert not (sections.directory / "README.md").exists()  # the card of another data set
    assert Dataset.open(sections.directory).manifest.seed == 1


def plane(location):
    mesh = box((0.0, 0.0), (1.0, 2.0), 4)
    count = len(mesh.points) if location == "point" else len(mesh.cells)
    return Case(mesh, fields={"v": Field(Quantity("v", "v", "m/s", 1), np.ones((count, 2)) * np.arange(count)[:, None], location)})


def ball(location):
    mesh = icosphere(1)
    count = len(mesh.points) if location == "point" else len(mesh.cells)
    return Case(mesh, fields={"v": Field(Quantity("v", "v", "Pa"), np.linspace(-1, 2, count), location)})


def cloud(location):
    points = np.random.default_rng(0).random((50, 2))
    cells = Cells.of(vertex=np.arange(50)[:, None])
    return Case(Mesh(points, cells), fields={"v": Field(Quantity("v", "v"), points[:, 0], location)})


@pytest.mark.parametrize("location", ["point", "cell"])
@pytest.mark.parametrize("make", [plane, ball, cloud])
def test_any_kind_of_case_is_drawn(make, location, tmp_path):
    names = ("a", "b", "c", "d", "e")
    plan = DatasetPlan("mine", "some cases", {"train": names[:3], "val": names[3:4], "test": names[4:]})
    dataset = write_dataset(tmp_path / "data", plan, lambda name: make(location))
    card = describe(dataset, tmp_path / "card", field="v")
    assert len(np.unique(matplotlib.image.imread(card.picture))) > 20
    assert "`geoop fit` does not take these cases: a region needs cells that fill it" in card.text
    assert "Licence: not stated" in card.text and "Made again" not in card.text


@pytest.mark.parametrize("location", ["point", "cell"])
def test_the_card_says_how_to_train_on_a_region(location, tmp_path):
    x = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0), indexing="ij"), axis=-1).reshape(-1, 2)
    corner = (np.arange(5)[:, None] * 5 + np.arange(4)).ravel()
    cells = Cells.of(quad=np.stack([corner, corner + 5, corner + 6, corner + 1], axis=1))
    values = Field(Quantity("warmth", "T", "K"), np.arange(30.0 if location == "point" else 20.0), location)
    plan = DatasetPlan("mine", "filled squares", {"train": ("a", "b"), "val": ("c",)})
    dataset = write_dataset(tmp_path / "data", plan, lambda name: Case(Mesh(x, cells), fields={"warmth": values}))
    text = describe(dataset, tmp_path / "card").text
    if location == "point":
        assert 'quantities = ["warmth"]' in text and 'class = "GINO"' in text
    else:
        assert "these cases have none" in text


def test_no_such_field(sections, tmp_path):
    with pytest.raises(PatchError, match="temperature"):
        describe(sections, tmp_path, field="temperature")


def test_cases_without_the_field_or_without_any_show_their_geometry(tmp_path):
    """Drag alone, and a field that only some have: a card with a picture all the same, and a word about it."""
    plan = DatasetPlan("odd", "several kinds", {"train": ("a", "b")})

    def drag_only(name):
        case = cloud("point")
        return replace(case, name=name, fields={"drag_coefficient": Field(QUANTITIES["drag_coefficient"], np.array(0.5), "global")})

    def some(name):
        return drag_only(name) if name == "b" else replace(cloud("point"), name=name)

    for make in (drag_only, some):
        card = describe(write_dataset(tmp_path / make.__name__, plan, make), tmp_path / f"card-{make.__name__}")
        assert card.picture.stat().st_size > 1000
    assert "in 1 of 2 cases only" in card.text
    with pytest.raises(PatchError):
        describe(tmp_path / "some", tmp_path / "card", field="no_such")


def test_fields_of_foreign_folders_that_are_not_finite_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr("geoop.io.dataset_writing._refuse_non_finite", lambda case, name: None)

    def broken(name):
        case = cloud("point")
        item = next(iter(case.fields.values()))
        values = np.full_like(item.values, np.nan if name == "a" else np.inf)
        return replace(case, name=name, fields={item.name: replace(item, values=values)})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        card = describe(write_dataset(tmp_path / "data", DatasetPlan("odd", "bad", {"train": ("a", "b")}), broken), tmp_path / "card")
    assert "are NaN or infinite" in card.text and card.picture.exists()
