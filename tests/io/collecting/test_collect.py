"""``geoop.collect`` on folders as engineers have them: what comes out is what went in, and what cannot be known is asked for at once."""

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, DatasetError, UnreadableFileError
from geoop.io.collecting.choices import Choices, OpenQuestionsError
from geoop.io.collecting.collect import survey
from tests.io.collecting.result_files import flow, write_vtu

SAID = {"names": {"p": "kinematic_pressure:m^2/s^2"}, "viscosity": 1.8e-5}


def test_values_conditions_and_walls_come_through(runs, sections):
    data = geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", **SAID)
    assert len(data) == 10
    assert data.units == {"velocity": "m/s", "kinematic_pressure": "m^2/s^2"}
    case = data.case("naca4415_a4")
    expected = flow(sections["4415"], 32.0)
    np.testing.assert_allclose(case.fields["velocity"].values, expected["U"][:, :2], rtol=1e-15)
    np.testing.assert_allclose(case.fields["kinematic_pressure"].values, expected["p"], rtol=1e-15)
    point = case.operating_point
    assert point.velocity == pytest.approx(32.0, rel=1e-12)
    assert (point.alpha, point.density, point.viscosity) == (4.0, 1.225, 1.8e-5)
    assert case.wall == ("body",)
    known = sections["4415"]
    np.testing.assert_array_equal(case.mesh.patch_points("body"), known.patch_points("wall"))
    np.testing.assert_array_equal(case.mesh.points, known.points)
    assert data.manifest.cases["naca4415_a4"].parameters["operator"] == "Jane"


def test_runs_of_one_shape_share_a_split_and_seeds_repeat(runs):
    data = geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", **SAID)
    split_of = {name: split for split, names in data.splits.items() for name in names}
    assert all(split_of[f"naca{code}_a0"] == split_of[f"naca{code}_a4"] for code in ("0012", "2412", "4415", "0009", "2410"))
    assert {split: len(names) for split, names in data.splits.items()} == {"train": 6, "val": 2, "test": 2}
    again = geoop.collect(runs / "runs", runs / "again", runs / "runs.csv", **SAID)
    assert again.hash == data.hash
    others = {tuple(survey(runs / "runs", runs / "runs.csv", Choices(seed=seed)).plan.splits["test"]) for seed in range(8)}
    assert len(others) > 1


def test_everything_unknown_is_one_error_with_what_to_type(runs):
    with pytest.raises(OpenQuestionsError) as caught:
        geoop.collect(runs / "runs", runs / "data", runs / "runs.csv")
    error = caught.value
    assert [question.option for question in error.questions] == ["--map p=", "--viscosity "]
    assert "--map p=kinematic_pressure:m^2/s^2 --viscosity 1.81e-5" in error.remedy
    assert not (runs / "data").exists()
    choices = Choices()
    for question in error.questions:
        choices = choices.answered(question, question.example)
    assert survey(runs / "runs", runs / "runs.csv", choices).report.questions == ()


def test_without_a_table_the_condition_is_asked_for(runs):
    report = survey(runs / "runs").report
    assert {question.option for question in report.questions} == {"--map p=", "--velocity ", "--density ", "--viscosity "}


def test_a_table_under_another_name_is_pointed_out_and_a_name_that_says_a_condition_is_believed_last(runs):
    folder = runs / "runs"
    (folder / "naca0012_a0.vtu").rename(folder / "naca0012_a0 (alpha=7).vtu")
    (folder / "Auswertung.csv").write_text((runs / "runs.csv").read_text(encoding="utf-8-sig"))
    report = survey(folder).report
    assert any("Auswertung.csv" in note and "--conditions" in note for note in report.notes)
    assert ("alpha", "deg", "7", "7", "names of the runs: alpha=") in report.tables["conditions"]
    assert not any("Auswertung.csv" in note for note in survey(folder, runs / "runs.csv").report.notes)


def test_broken_and_unmatched_runs_are_listed_and_the_rest_goes_on(runs, sections):
    folder = runs / "runs"
    text = (folder / "naca2412_a4.vtu").read_text()
    (folder / "naca2412_a4.vtu").write_text(text[: len(text) // 2])
    write_vtu(folder / "Run 7 – (copy).vtu", sections["0012"], flow(sections["0012"], 20.0))
    table = (
        (runs / "runs.csv").read_text(encoding="utf-8-sig").replace("naca0009_a0;", "naca0009_a0x;").replace("naca4415_a0;115,2", "naca4415_a0;n/a")
    )
    (runs / "runs.csv").write_text(table + "\nnaca0012_a0;50;0;1,2;Joe")
    data = geoop.collect(folder, runs / "data", runs / "runs.csv", **SAID)
    failed = dict(data.manifest.failed)
    assert set(failed) == {"naca2412_a4", "Run_7_copy", "naca0009_a0", "naca4415_a0", "naca0012_a0"}
    assert "try: " in failed["naca2412_a4"]
    assert "no row of runs.csv" in failed["Run_7_copy"]
    assert "line 6" in failed["naca4415_a0"] and "'n/a' is not a number" in failed["naca4415_a0"]
    assert "lines 2, 12" in failed["naca0012_a0"]
    assert len(data) == 6
    notes = " ".join(data.manifest.generator["notes"])
    assert "naca0009_a0x (line 8)" in notes


def test_a_second_call_continues_and_other_inputs_are_another_data_set(runs, sections):
    first = geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", **SAID)
    calls = []
    geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", **SAID, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (10, 10)
    write_vtu(runs / "runs" / "naca0012_a0.vtu", sections["0012"], flow(sections["0012"], 99.0))
    with pytest.raises(DatasetError, match="another data set"):
        geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", **SAID)
    second = geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", **SAID, overwrite=True)
    assert second.hash != first.hash


def test_out_of_distribution_by_a_condition(runs):
    data = geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", **SAID, ood="alpha > 2 and velocity>=33")
    assert set(data.splits["ood"]) == {"naca0009_a4", "naca2410_a4"}
    assert not {name for split in ("train", "val", "test") for name in data.splits[split]} & set(data.splits["ood"])
    with pytest.raises(ConfigurationError, match=r"holds for no run: alpha is 0 .. 4"):
        survey(runs / "runs", runs / "runs.csv", Choices(ood="alpha>12"))
    with pytest.raises(ConfigurationError, match="no run has a number 'aplha'"):
        survey(runs / "runs", runs / "runs.csv", Choices(ood="aplha>2"))


def test_a_folder_per_run_and_a_table_by_number(tmp_path, sections):
    lines = ["run\tU [m/s]\taoa_deg\trho\tmu [Pa s]\tCd"]
    for number in range(1, 12):
        mesh = sections["0012"]
        write_vtu(tmp_path / "runs" / f"job {number:03d}" / "result.vtu", mesh, {"velocity [m/s]": flow(mesh, 10.0 + number)["U"]})
        lines.insert(1, f"{number}\t{10 + number}\t0\t1.2\t1.8e-5\t{number / 1000}")
    (tmp_path / "runs" / "conditions.tsv").write_text("\n".join(lines))
    data = geoop.collect(tmp_path / "runs", tmp_path / "data")
    assert len(data) == 11
    case = data.case("job_010")
    assert case.operating_point.velocity == 20.0
    assert float(case.fields["drag_coefficient"].values) == 0.010
    assert "say nothing about new shapes" in " ".join(data.manifest.generator["notes"])


def test_values_at_cells_stay_or_are_brought_to_points(tmp_path, sections):
    mesh = sections["2412"]
    cells = np.arange(len(mesh.cells), dtype=float)
    for number in range(4):
        write_vtu(tmp_path / "runs" / f"r{number}.vtu", mesh, cell={"temperature": cells + number, "one": np.ones(len(cells))})
    kept = geoop.collect(tmp_path / "runs", tmp_path / "cells")
    assert kept.case("r1").fields["temperature"].location == "cell"
    assert kept.case("r1").operating_point is None
    np.testing.assert_array_equal(kept.case("r1").fields["temperature"].values, cells + 1)
    assert "--points" in " ".join(kept.manifest.generator["notes"])
    moved = geoop.collect(tmp_path / "runs", tmp_path / "points", to_points=True)
    assert moved.case("r1").fields["temperature"].location == "point"
    np.testing.assert_allclose(moved.case("r1").fields["one"].values, 1.0, rtol=1e-14)
    assert "brought to points" in " ".join(moved.manifest.generator["notes"])


def test_frames_are_one_run_whose_last_step_or_all_are_taken(tmp_path, sections):
    mesh = sections["0012"]
    for run in ("a", "b", "c", "d"):
        for step in range(3):
            write_vtu(tmp_path / "runs" / run / f"out_{step:04d}.vtu", mesh, {"temperature": np.full(len(mesh.points), float(step))})
    last = geoop.collect(tmp_path / "runs", tmp_path / "last")
    assert sorted(last.manifest.cases) == ["a", "b", "c", "d"]
    assert (last.case("b").fields["temperature"].values == 2.0).all()
    every = geoop.collect(tmp_path / "runs", tmp_path / "all", times="all")
    assert len(every) == 12
    assert every.manifest.cases["b_t0001"].series == "b"
    assert (every.case("b_t0001").fields["temperature"].values == 1.0).all()


def test_lengths_in_millimetres_are_scaled_and_fields_are_not(tmp_path, sections):
    mesh = sections["0012"]
    for number in range(4):
        write_vtu(tmp_path / "runs" / f"r{number}.vtu", mesh.moved(mesh.points * 1000), {"temperature": np.full(len(mesh.points), 300.0)})
    assert any("say the unit of the files" in note for note in survey(tmp_path / "runs").report.notes)
    case = geoop.collect(tmp_path / "runs", tmp_path / "data", unit="mm").case("r0")
    np.testing.assert_allclose(case.mesh.points, mesh.points, rtol=1e-12, atol=1e-15)
    assert (case.fields["temperature"].values == 300.0).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "it is empty"),
        (lambda folder: (folder.mkdir(), (folder / "report.docx").write_text("x")), ".docx"),
        (lambda folder: (folder.mkdir(), (folder / "a.vtu").write_text("<VTKFile")), "none of 1 runs can be read"),
    ],
    ids=["missing", "empty", "foreign", "broken"],
)
def test_a_folder_without_runs_says_so(tmp_path, make, words):
    make(tmp_path / "runs")
    with pytest.raises(UnreadableFileError, match=words.replace(".", r"\.")):
        geoop.collect(tmp_path / "runs", tmp_path / "data")


def test_names_that_are_nowhere_are_refused(runs):
    with pytest.raises(ConfigurationError, match="neither a column nor an array") as caught:
        survey(runs / "runs", runs / "runs.csv", Choices(names={"pres": "pressure:Pa"}))
    assert "there are: " in caught.value.remedy
    with pytest.raises(ConfigurationError, match="no value of 'Team'"):
        survey(runs / "runs", runs / "runs.csv", Choices(split_by="Team"))


def test_an_unknown_keyword_is_refused(runs):
    with pytest.raises(ConfigurationError, match="unknown keywords: densty") as caught:
        geoop.collect(runs / "runs", runs / "data", runs / "runs.csv", densty=1.2)
    assert "did you mean density=?" in caught.value.remedy
