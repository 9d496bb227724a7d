"""`geoop inspect`: what it prints, what it repairs, what it refuses."""

import json

import numpy as np
import pytest

from geoop.cli.app import main
from geoop.mesh.primitives import icosphere


@pytest.fixture
def ball(tmp_path):
    """A sphere with one facet missing and two points too many, as OFF."""
    sphere = icosphere(3)
    points = np.concatenate([sphere.points, [[0.0, 0, 0], [9, 9, 9]]])
    rows = sphere.cells.block("triangle")[1:]
    lines = [
        "OFF",
        f"{len(points)} {len(rows)} 0",
        *(" ".join(map(repr, p)) for p in points.tolist()),
        *(f"3 {a} {b} {c}" for a, b, c in rows.tolist()),
    ]
    (tmp_path / "my ball.off").write_text("\n".join(lines))
    return tmp_path / "my ball.off"


def output(capsys, *arguments) -> str:
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out


def test_the_report_names_the_command_that_helps(ball, capsys):
    text = output(capsys, "inspect", ball)
    assert f"geoop inspect '{ball}' --repair OUT" in text
    assert "openings" in text and "3 points, at (" in text
    assert "cuts itself   0 pairs" in text and "2 without a cell" in text and "triangle, min angle [deg]" in text
    assert f"geoop inspect '{ball}' --unit mm --repair OUT" in output(capsys, "inspect", ball, "--unit", "mm")


def test_self_intersections_can_be_refused(ball, capsys):
    data = json.loads(output(capsys, "inspect", ball, "--no-thorough", "--json"))
    assert data["report"]["self_intersections"] is None
    assert "--thorough" in output(capsys, "inspect", ball, "--no-thorough")


def test_repair_writes_a_closed_copy_and_leaves_the_input(ball, capsys, tmp_path):
    before = ball.read_bytes()
    text = output(capsys, "inspect", ball, "--repair", tmp_path / "out.stl")
    assert "1 hole was closed with 1 new cell" in text and "2 points that belong to no cell were dropped" in text
    assert ball.read_bytes() == before
    data = json.loads(output(capsys, "inspect", tmp_path / "out.stl", "--json"))
    assert data["report"]["closed"] is True and data["findings"] == []
    data = json.loads(output(capsys, "inspect", ball, "--repair", tmp_path / "b.stl", "--max-hole", "0", "--json"))
    assert len(data["changes"]) == 1 and "1 opening" in " ".join(data["left"])


def test_the_result_of_a_repair_is_searched_for_crossings_unless_refused(capsys, tmp_path):
    a, b = icosphere(1), icosphere(1, 1.0, (1.0, 0, 0))
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in np.concatenate([a.points, b.points]).tolist()]
    lines += [f"f {i} {j} {k}" for i, j, k in np.concatenate([a.cells.block("triangle") + 1, b.cells.block("triangle") + 43]).tolist()]
    (tmp_path / "two.obj").write_text("\n".join(lines))
    command = ["inspect", tmp_path / "two.obj", "--repair", tmp_path / "out.stl"]
    assert "cut through each other" in output(capsys, *command)
    assert "cut through each other" not in output(capsys, *command, "--no-thorough")


def test_the_input_as_output_is_an_error(ball, capsys):
    assert main(["inspect", str(ball), "--repair", str(ball)]) == 2
    assert "output is the input" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--tolerance", "1"], ["--max-hole", "0.2"], ["--no-orient"], ["--split"]])
def test_options_of_the_repair_without_repair_are_an_error(ball, capsys, option):
    assert main(["inspect", str(ball), *option]) == 2
    assert "without --repair" in " ".join(capsys.readouterr().err.replace("│", " ").split())
