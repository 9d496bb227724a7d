"""Every remedy that names the repair is true: doing what it says removes the finding."""

import re

import numpy as np
import pytest

from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import reversed_cells
from geoop.mesh.primitives import circle, icosphere
from geoop.mesh.quality import mesh_report
from geoop.mesh.repair import repair


def cracked(width: float) -> Mesh:
    sphere = icosphere(3)
    upper = sphere.points[sphere.cells.block("triangle"), 2].mean(axis=1) > 0.1
    lifted = sphere.cells.take(upper).renumbered(np.arange(642) + 642)
    return Mesh(np.concatenate([sphere.points, sphere.points + [0, 0, width]]), Cells.concatenate([sphere.cells.take(~upper), lifted]))


def stacked() -> Mesh:
    cube = np.array([(i, j, k) for k in (0, 1) for j in (0, 1) for i in (0, 1)], dtype=float)[[0, 1, 3, 2, 4, 5, 7, 6]]
    faces = np.array([(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)])
    wall = Cells.of(quad=np.concatenate([np.delete(faces, 3, axis=0), np.delete(faces, 5, axis=0) + 8]))
    return Mesh(np.concatenate([cube, cube + [1, 0, 0]]), Cells.of(hexahedron=np.arange(16).reshape(2, 8)), {"wall": wall})


def without(mesh: Mesh, *cells: int) -> Mesh:
    return Mesh(mesh.points, mesh.cells.take(~np.isin(np.arange(len(mesh.cells)), cells)))


def cap_removed(height: float) -> Mesh:
    sphere = icosphere(3)
    return without(sphere, *np.flatnonzero(sphere.points[sphere.cells.block("triangle"), 2].min(axis=1) > height))


SPHERE = icosphere(3)
BROKEN = {
    "small hole": without(SPHERE, 3),
    "large hole": cap_removed(0.7),
    "small and large": without(cap_removed(0.7), 3),
    "crack": cracked(1e-5),
    "wide crack": cracked(2e-3),
    "rounding": cracked(1e-13),
    "gap": Mesh(circle(60).points, circle(60).cells.take(np.arange(1, 60))),
    "wide gap": Mesh(circle(60).points, circle(60).cells.take(np.arange(20, 60))),
    "turned": Mesh(SPHERE.points, reversed_cells(SPHERE.cells, np.arange(1280) % 7 == 0)),
    "inside out": Mesh(SPHERE.points, reversed_cells(SPHERE.cells, np.ones(1280, dtype=bool))),
    "soup": Mesh(SPHERE.points[SPHERE.cells.connectivity], Cells.of(triangle=np.arange(3840).reshape(-1, 3))),
    "unused": Mesh(np.concatenate([SPHERE.points, [[0.0, 0, 0]]]), SPHERE.cells),
    "repeated": Mesh(SPHERE.points, Cells.concatenate([SPHERE.cells, SPHERE.cells.take([7])])),
    "cloud": Mesh(np.repeat(SPHERE.points, 2, axis=0)),
    "volume": stacked(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_following_the_remedies_leaves_nothing_to_say(name):
    mesh = BROKEN[name]
    findings = mesh_report(mesh).findings
    assert findings
    assert all("`geoop inspect FILE --repair OUT" in finding for finding in findings)
    text = " ".join(findings)
    options = {key.replace("-", "_"): float(value) for key, value in re.findall(r"--(tolerance|max-hole) ([0-9.e+-]+)`", text)}
    assert mesh_report(repair(mesh, **options).mesh).findings == ()


@pytest.mark.parametrize("name", ["small hole", "gap", "rounding", "soup", "turned"])
def test_no_option_is_asked_for_where_none_is_needed(name):
    assert not any("--tolerance" in finding or "--max-hole" in finding for finding in mesh_report(BROKEN[name]).findings)


def test_an_open_sheet_is_not_to_be_closed():
    sheet = Mesh(np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]), Cells.of(quad=np.array([[0, 1, 2, 3]])))
    assert "rim of an open shape" in mesh_report(sheet).findings[0] and "--repair" not in mesh_report(sheet).findings[0]


def test_what_no_repair_can_help_names_no_repair():
    bowtie = Mesh(np.array([(0.0, 0), (1, 1), (1, 0), (0, 1)]), Cells.of(line=np.array([[0, 1], [1, 2], [2, 3], [3, 0]])))
    assert all("--repair" not in finding for finding in mesh_report(bowtie).findings)


def test_inner_walls_come_before_the_holes_that_they_bound():
    sphere = icosphere(2)
    triangles = sphere.cells.block("triangle")
    a, b = triangles[0, :2]
    tip = np.append(sphere.points, [[0.0, 0, 0]], axis=0)
    flap = Cells.of(triangle=np.array([[a, b, 162]]))  # a wall into the inside: its rim runs from one end of an edge to the other
    text = " ".join(mesh_report(Mesh(tip, Cells.concatenate([sphere.cells, flap]))).findings)
    assert "its rim ends at edges of more than two facets" in text and "--repair" not in text
    twice = mesh_report(Mesh(sphere.points, Cells.concatenate([sphere.cells, sphere.cells.take([7])]))).findings
    assert any("drops repeated facets" in finding for finding in twice)


def one_of_each() -> dict[str, Mesh]:
    sphere = icosphere(1)
    points = np.concatenate([sphere.points, sphere.points[:1]])
    bowtie = np.array([(0.0, 0), (1, 1), (1, 0), (0, 1)])
    square = np.array([(0.0, 0), (1, 0), (1, 1), (0, 1)])
    through = np.array([(-0.5, 0, 1), (0.5, 0.1, 1.0), (0, 0, 2.0)]) + [0, 0, -0.5]
    return {
        "edge of three": Mesh(np.append(sphere.points, [[0, 0, 0.0]], axis=0), _with(sphere, [*sphere.cells.block("triangle")[0, :2], 42])),
        "point twice": Mesh(points, sphere.cells),
        "cell twice": Mesh(sphere.points, Cells.concatenate([sphere.cells, sphere.cells.take([7])])),
        "hole": without(sphere, 3),
        "wide hole": Mesh(circle(60).points, circle(60).cells.take(np.arange(20, 60))),
        "bowtie": Mesh(bowtie, Cells.of(line=np.array([[0, 1], [1, 2], [2, 3], [3, 0]]))),
        "no area": Mesh(np.append(sphere.points, [[3, 0, 0.0]], axis=0), _with(sphere, [0, 0, 42])),
        "inside out": Mesh(square, Cells.of(quad=np.array([[3, 2, 1, 0]]))),
        "one facet": Mesh(through, Cells.of(triangle=np.array([[0, 1, 2]]))),
        "nameless": Mesh(square, Cells.of(quad=np.array([[0, 1, 2, 3]])), {"wall": Cells.of(line=np.array([[0, 1], [1, 2], [2, 3]]))}),
    }


def _with(mesh: Mesh, triangle: list[int]) -> Cells:
    return Cells.concatenate([mesh.cells, Cells.of(triangle=np.array([triangle]))])


PLURALS = r"(points|cells|edges|facets|segments|faces|end points|pairs|openings|gaps|values|boundary facets)"


@pytest.mark.parametrize("name", one_of_each())
def test_one_is_one_and_several_are_several(name):
    texts = mesh_report(one_of_each()[name]).findings
    assert any(re.match(r"1 ", text) or "; 1 " in text for text in texts)
    for text in texts:
        assert not re.search(rf"\b1 {PLURALS}\b", text), text
        assert not re.search(r"\b([02-9]|\d\d+) (point|cell|edge|facet|face|end point|pair|opening|gap) ", text), text
        assert not re.search(r"^1 [a-z ]*?\b(belong|lie|are|have|repeat|cross|cut) ", text.split(",")[0]), text
