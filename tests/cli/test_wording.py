"""What the command line says is in options and commands, never in calls of Python."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.cli import wording
from geoop.cli.app import main
from geoop.cli.wording import on_the_command_line
from geoop.errors import ConfigurationError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES, Field

#: A call, a dotted name of the package, or an argument with its value.
PYTHON = re.compile(r"\w\([^) ]*\)|geoop\.\w|\w=\w|\w=\(")


def hollow():
    """A ring: no mesh for the Monge-Ampere mover."""
    mesh = disk(6)
    middle = mesh.points[mesh.cells.block("triangle")].mean(axis=1)
    kept = mesh.cells.take(np.linalg.norm(middle, axis=1) > 0.5)
    return Mesh(mesh.points, kept).submesh(kept)


def inner(mesh):
    """With a patch inside the region."""
    return Mesh(mesh.points, mesh.cells, {"cut": Cells.of(line=mesh.cells.block("triangle")[40:42, :2])})


@pytest.mark.parametrize(
    ("mesh", "words", "said"),
    [
        (hollow, ["adapt"], "--mover variational"),
        (lambda: inner(disk(6)), ["adapt", "--mover", "variational"], "without these patches"),
        (lambda: quadratic(disk(4)), ["deform", "--patch", "boundary", "--translate", "0.1,0", "--method", "spring"], "elastic or rbf"),
        (lambda: disk(4), ["adapt", "--unit", "mm"], "leave --unit out"),
        (lambda: disk(4), ["adapt", "--strength", "-1", "--cap", "0"], "--strength"),
        (lambda: disk(4), ["adapt", "--mover", "magic"], "monge-ampere"),
        (lambda: disk(4), ["adapt", "--mover", "variational", "--steps", "0"], "--steps"),
        (lambda: disk(4), ["adapt", "--monitor", "wall", "--updates", "2"], "--updates"),
        (hollow, ["deform", "--patch", "rim", "--translate", "0.1,0"], "name parts of the boundary"),
        (lambda: disk(4), ["deform", "--patch", "rim", "--translate", "0.1,0", "--method", "magic"], "--method"),
        (lambda: disk(4), ["deform", "--patch", "boundary", "--translate", "0.1,0", "--steps", "0"], "1 or more"),
    ],
)
def test_remedies_are_options(mesh, words, said, tmp_path, capsys):
    shape = mesh()
    case = Case(shape).with_fields(Field(QUANTITIES["temperature"], shape.points[:, 0] ** 3))
    geoop.write(case, tmp_path / "in.vtu")
    assert main([words[0], str(tmp_path / "in.vtu"), *words[1:], "-o", str(tmp_path / "out.vtu")]) == 2
    text = " ".join(capsys.readouterr().err.replace("│", " ").split()).replace(str(tmp_path), "")
    remedy = text.rpartition("try: ")[2]
    assert said in remedy and not PYTHON.search(remedy), text


def test_quadratic_cells_are_adapted_as_straight_ones_and_that_is_said(tmp_path, capsys):
    mesh = quadratic(disk(6))
    geoop.write(Case(mesh).with_fields(Field(QUANTITIES["temperature"], np.tanh(8 * mesh.points[:, 0]))), tmp_path / "in.vtu")
    assert main(["adapt", str(tmp_path / "in.vtu"), "-o", str(tmp_path / "out.vtu")]) == 0
    assert "taken as straight ones" in capsys.readouterr().out
    found = geoop.read_case(tmp_path / "out.vtu")
    assert found.mesh.cells.names == ["triangle"] and len(found.mesh.points) == len(disk(6).points)


@pytest.mark.parametrize("words", [["predict", "airfoil-rans-surface"], ["gradient", "airfoil-potential", "--of", "CD"]])
def test_a_viscosity_that_is_missing_is_an_option(words, tmp_path, capsys):
    geoop.write(Case(naca4("4412")), tmp_path / "in.vtp")
    assert main([*words[:2], str(tmp_path / "in.vtp"), *words[2:], "--velocity", "50", "-o", str(tmp_path / "out.vtp")]) == 2
    remedy = " ".join(capsys.readouterr().err.replace("│", " ").split()).rpartition("try: ")[2]
    assert remedy.startswith("--viscosity 1.8e-5 [Pa s]")


def test_other_texts_stay_as_they_are():
    for text in ("repair or generate the mesh again: `geoop inspect FILE` lists such cells", "give 1 or more", "sin(x)", ""):
        assert on_the_command_line(text) == text


def _said(file: Path):
    """Every text in a source file; what is put into it at run time reads X."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_wording_meets_a_text_of_the_library():
    """A remedy that is written anew in its own file takes its wording along."""
    with pytest.raises(ConfigurationError) as error:
        geoop.deform(disk(4), {}, "no such method")  # a remedy that is put together
    package = Path(geoop.__file__).parent
    texts = [error.value.remedy, *(text for file in sorted(package.rglob("*.py")) if file.name != "wording.py" for text in _said(file))]
    dead = [pattern for pattern, _ in wording._ON_THE_COMMAND_LINE if not any(re.search(pattern, text) for text in texts)]
    assert not dead
