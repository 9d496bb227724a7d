"""Pictures of Schwarz iterations: files that are pictures, colours that tell neighbours apart, borders where parts meet."""

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.results.stitching import equation_of
from geoop.solve.from_case import driven_case
from geoop.solve.schwarz.settings import SchwarzSettings
from geoop.studies.plots.schwarz import _borders, _neighbours_apart, convergence_plot, partition_picture

WIDE, HIGH = 24, 12


@pytest.fixture(scope="module")
def square():
    index = np.arange((WIDE + 1) * (HIGH + 1)).reshape(WIDE + 1, HIGH + 1)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1).reshape(-1, 4)
    points = np.stack(np.meshgrid(np.arange(WIDE + 1.0), np.arange(HIGH + 1.0), indexing="ij"), axis=-1).reshape(-1, 2)
    ends = {
        "left": Cells.of(line=np.stack([index[0, 1:], index[0, :-1]], axis=1)),
        "right": Cells.of(line=np.stack([index[-1, :-1], index[-1, 1:]], axis=1)),
    }
    return Mesh(points, Cells.of(quad=quads), ends, name="field")


def solved(mesh, **settings):
    case = driven_case(geoop.Case(mesh), equation_of(None, mesh.dimension), dirichlet={"left": 0, "right": "y"})
    return geoop.schwarz(case, None, settings=SchwarzSettings(**settings))


def is_picture(path):
    return path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 5000


def test_files_are_pictures(square, tmp_path):
    plain, krylov = solved(square, parts=8), solved(square, parts=8, acceleration="gmres")
    assert is_picture(convergence_plot(plain, tmp_path / "one.png"))
    both = convergence_plot({"sweeps": plain, "GMRES": krylov}, tmp_path / "both.svg", tolerance=1e-8, title="two ways")
    text = both.read_text()
    assert "<svg" in text
    assert is_picture(partition_picture(plain, tmp_path / "parts.png")) and is_picture(
        partition_picture(plain.case, tmp_path / "case.png", title="cut")
    )
    assert not np.isfinite([note.residual for note in krylov.history[:-1]]).any()  # what the dot in the picture stands for


@pytest.mark.parametrize("tall", [False, True])
def test_long_and_high_regions(square, tall, tmp_path):
    stretched = square.moved(square.points * ([0.2, 3.0] if tall else [5.0, 0.5]))
    assert is_picture(partition_picture(solved(stretched, parts=5), tmp_path / "parts.png"))


def test_neighbours_have_different_colours_and_borders_lie_between_them(square):
    result = solved(square, parts=24)
    quads = square.cells.block("quad")
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    part = np.tile(result.case.field("part").values.astype(int), 2)
    colours = _neighbours_apart(triangles, part, 12)
    borders = _borders(triangles, part)
    of_point = [set() for _ in square.points]
    for row, k in zip(triangles, part, strict=True):
        for point in row:
            of_point[point].add(int(k))
    for a, b in borders:
        shared = of_point[a] & of_point[b]
        assert len({int(colours[k]) for k in shared}) == len(shared)
    x, y = square.points[borders].mean(axis=1).T
    outside = (x == 0) | (x == WIDE) | (y == 0) | (y == HIGH)
    assert outside.sum() == 2 * (WIDE + HIGH)
    assert all(len(of_point[a] & of_point[b]) > 1 for a, b in borders[~outside])


def test_refusals(square, tmp_path):
    with pytest.raises(ConfigurationError, match="no sweep"):
        convergence_plot({}, tmp_path / "a.png")
    with pytest.raises(ConfigurationError, match="in 2-D with the fields"):
        partition_picture(geoop.Case(square), tmp_path / "a.png")
    corner = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    with pytest.raises(ConfigurationError, match="ParaView") as caught:
        partition_picture(geoop.Case(Mesh(corner, Cells.of(tetra=[[0, 1, 2, 3]]))), tmp_path / "a.png")
    assert "3-D" in str(caught.value) and not list(tmp_path.iterdir())
