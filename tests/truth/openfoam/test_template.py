"""A user's case with placeholders: filled in everywhere, and everything that does not fit in one error."""

from __future__ import annotations

import pytest

from geoop.errors import ConfigurationError, UnreadableFileError, UnwritableFileError
from geoop.truth.openfoam.template import placeholders, write_table, write_template


@pytest.fixture
def template(tmp_path):
    root = tmp_path / "template"
    for name, text in {
        "system/controlDict": "application simpleFoam;\nendTime {{ iterations }};\nmagUInf {{speed}};\n",
        "0/U": "internalField uniform ({{speed}} 0 0);\nvalue $internalField;\n",
        "constant/transportProperties": "nu {{nu}};\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "constant" / "data.bin").write_bytes(b"\x00\xff{{\x80")
    return root


def test_placeholders_know_their_files(template):
    assert placeholders(template) == {
        "iterations": ("system/controlDict",),
        "nu": ("constant/transportProperties",),
        "speed": ("0/U", "system/controlDict"),
    }


def test_values_are_put_in_with_all_digits_and_macros_stay(template, tmp_path):
    made = write_template(template, tmp_path / "run", {"iterations": 500, "speed": 0.1 + 0.2, "nu": "1e-5"})
    assert (made / "0" / "U").read_text() == "internalField uniform (0.30000000000000004 0 0);\nvalue $internalField;\n"
    assert "endTime 500;" in (made / "system" / "controlDict").read_text()
    assert (made / "constant" / "data.bin").read_bytes() == b"\x00\xff{{\x80"
    assert placeholders(made) == {}
    with pytest.raises(UnwritableFileError, match="there already"):
        write_template(template, tmp_path / "run", {"iterations": 500, "speed": 1.0, "nu": 1e-5})


def test_missing_and_unused_and_bad_values_are_one_error(template, tmp_path):
    with pytest.raises(ConfigurationError, match=r"\{\{nu\}\} \(in constant/transportProperties\).*no placeholder for colour.*speed is nan"):
        write_template(template, tmp_path / "run", {"iterations": 5, "speed": float("nan"), "colour": "red"})
    assert not (tmp_path / "run").exists()


def test_a_table_makes_one_case_per_row_with_its_operating_point(template, tmp_path):
    table = tmp_path / "runs.csv"
    table.write_text("name, iterations, speed, nu, velocity, alpha\nslow, 10, 1.5, 1e-3, 1.5, 2\nfast, 20, 3.5, 1e-3, 3.5, 4\n")
    made = write_table(template, tmp_path / "runs", table)
    assert list(made) == ["slow", "fast"]
    folder, point = made["fast"]
    assert "magUInf 3.5;" in (folder / "system" / "controlDict").read_text()
    assert (point.velocity, point.alpha) == (3.5, 4.0)


def test_nothing_is_written_unless_all_rows_fit(template, tmp_path):
    good = {"iterations": 1, "speed": 1.0, "nu": 1.0}
    rows = [good, {"iterations": 1, "speed": 1.0}, {**good, "name": "a/b"}, {**good, "velocity": -1.0}, {**good, "name": "0001"}]
    with pytest.raises(ConfigurationError, match=r"0002: no value for \{\{nu\}\}.*'a/b' is no name of a folder.*velocity is -1") as caught:
        write_table(template, tmp_path / "runs", rows)
    assert "'0001' occurs twice" in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_is_no_case_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="controlDict"):
        placeholders(tmp_path)
