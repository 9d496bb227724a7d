"""Values in Gmsh files: steps, partitions of one view, values at the nodes of elements."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import ConfigurationError, UnreadableFileError
from geoop.io.reading import read_case, read_series

gmsh = pytest.importorskip("gmsh", reason="gmsh writes the files: pip install gmsh")
VERSIONS = [(2.2, 0), (2.2, 1), (4.1, 0), (4.1, 1)]


def square(path, version, binary, views):
    """A triangulated square with views: (name, kind, step, time, function of (tags, nodes or elements) -> values per tag)."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.option.setNumber("Mesh.Binary", binary)
        gmsh.option.setNumber("PostProcessing.SaveMesh", 0)
        gmsh.model.add("part")
        gmsh.model.occ.addRectangle(0, 0, 0, 1, 1)
        gmsh.model.occ.synchronize()
        gmsh.option.setNumber("Mesh.MeshSizeMin", 0.3)
        gmsh.model.mesh.generate(2)
        gmsh.write(str(path))
        nodes, places, _ = gmsh.model.mesh.getNodes()
        places = dict(zip(nodes.tolist(), places.reshape(-1, 3), strict=True))
        _, elements, corners = gmsh.model.mesh.getElements(2)
        corners = corners[0].reshape(len(elements[0]), -1)
        made: dict[str, int] = {}
        for name, kind, step, time, function in views:
            if name not in made:
                made[name] = gmsh.view.add(name)
            tag = made[name]
            if kind == "NodeData":
                tags, data = nodes.tolist(), [function(places[node]) for node in nodes.tolist()]
            elif kind == "ElementData":
                tags, data = elements[0].tolist(), [function(np.mean([places[n] for n in row], axis=0)) for row in corners.tolist()]
            else:
                tags, data = elements[0].tolist(), [np.concatenate([function(places[n]) for n in row]) for row in corners.tolist()]
            gmsh.view.addModelData(tag, step, "part", kind, tags, data, time)
        for tag in made.values():
            gmsh.view.write(tag, str(path), append=True)
            gmsh.view.remove(tag)
    finally:
        gmsh.finalize()


@pytest.mark.parametrize(("version", "binary"), VERSIONS)
def test_values_of_every_kind_and_steps(tmp_path, version, binary):
    views = [("pressure [Pa]", "NodeData", k, 0.5 * k, lambda x, k=k: [x[0] + k]) for k in range(3)]
    views += [("force [N]", "ElementData", 0, 0.0, lambda x: [x[0], x[1], 1.0])]
    views += [("temperature [K]", "ElementNodeData", 0, 0.0, lambda x: np.array([300 + x[0] + 2 * x[1]]))]
    square(tmp_path / "part.msh", version, binary, views)
    case = read_case(tmp_path / "part.msh")
    x, y = case.mesh.points.T
    assert case.time == 1.0 and np.allclose(case.fields["pressure"].values, x + 2)
    assert np.allclose(case.fields["temperature"].values, 300 + x + 2 * y)  # continuous: the mean is the value
    assert case.fields["force"].location == "cell"
    assert np.allclose(case.fields["force"].values[:, :2], case.mesh.points[case.mesh.cells.block("triangle")].mean(axis=1))
    assert np.allclose(read_case(tmp_path / "part.msh", time=0.5).fields["pressure"].values, x + 1)
    series = read_series(tmp_path / "part.msh")
    assert series.values.tolist() == [0, 0.5, 1] and np.allclose(series.cases[0].fields["pressure"].values, x)
    with pytest.raises(ConfigurationError, match=r"no step at 0\.7"):
        read_case(tmp_path / "part.msh", time=0.7)


HEAD = "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n3\n1 0 0 0\n2 1 0 0\n3 0 1 0\n$EndNodes\n$Elements\n1\n1 2 2 0 1 1 2 3\n$EndElements\n"


def data(kind: str, label: str, time: float, rows: list[str], width: int = 1) -> str:
    return f'${kind}\n1\n"{label}"\n1\n{time}\n3\n0\n{width}\n{len(rows)}\n' + "\n".join(rows) + f"\n$End{kind}\n"


def test_pieces_of_one_view_are_put_together(tmp_path):
    text = HEAD + data("NodeData", "a", 0, ["1 5", "3 7"]) + data("NodeData", "a", 0, ["2 6"])
    (tmp_path / "part.msh").write_text(text)
    case = read_case(tmp_path / "part.msh")
    assert case.fields["a"].values.tolist() == [5, 6, 7] and case.time is None


def test_a_name_that_misses_the_step_is_said(tmp_path):
    steps = [data("NodeData", "a", time, ["1 5", "2 5", "3 5"]) for time in (0, 1, 2)] + [data("NodeData", "b", time, ["1 5"]) for time in (0, 1)]
    (tmp_path / "part.msh").write_text(HEAD + "".join(steps))
    case = read_case(tmp_path / "part.msh")
    assert set(case.fields) == {"a"} and any("no values at 2 s: b" in note for note in case.mesh.notes)


@pytest.mark.parametrize(
    "text",
    [
        '$NodeData\n1\n"a"\n1\nzero\n3\n0\n1\n1\n1 5\n$EndNodeData\n',
        '$NodeData\n1\n"a"\n1\n0\n3\n0\n1\n999999999999\n1 5\n$EndNodeData\n',
        '$NodeData\n1\n"a"\n1\nnan\n3\n0\n1\n1\n1 5\n$EndNodeData\n',
        '$ElementNodeData\n1\n"a"\n1\n0\n3\n0\n1\n1\n1 -3 5 5 5\n$EndElementNodeData\n',
        '$ElementNodeData\n1\n"a"\n1\n0\n3\n0\n1\n2\n1 3 5 5 5\n$EndElementNodeData\n',
        '$ElementNodeData\n1\n"a"\n1\n0\n3\n0\n999999999999\n1\n1 3 5 5 5\n$EndElementNodeData\n',
    ],
)
def test_bad_values(tmp_path, text):
    (tmp_path / "part.msh").write_text(HEAD + text)
    with pytest.raises(UnreadableFileError):
        read_case(tmp_path / "part.msh")


def test_values_on_boundary_elements_are_said(tmp_path):
    """A view with values on a triangle and on the line beside it: the one on the line has no place, and a sentence says so."""
    (tmp_path / "a.msh").write_text(
        "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n3\n1 0 0 0\n2 1 0 0\n3 0 1 0\n$EndNodes\n"
        "$Elements\n2\n1 2 2 1 1 1 2 3\n2 1 2 2 2 1 2\n$EndElements\n"
        '$ElementData\n1\n"p"\n1\n0.0\n3\n0\n1\n2\n1 10\n2 20\n$EndElementData\n'
    )
    case = read_case(tmp_path / "a.msh")
    assert case.field("p").values.tolist() == [10.0]
    assert any("'p' also has 1 values on elements" in note for note in case.mesh.notes)
