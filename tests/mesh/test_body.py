"""Which patches are the body, judged by their names."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.body import body, body_cells, wall_patches
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import star
from geoop.mesh.mesh import Mesh


def named(*names):
    return Mesh(np.eye(3)[:, :2], Cells.of(triangle=np.array([[0, 1, 2]])), {name: Cells.of(line=np.array([[0, 1]])) for name in names})


@pytest.mark.parametrize(
    ("names", "walls"),
    [
        (("suction_side", "pressure_side", "inlet", "outlet"), ("suction_side", "pressure_side")),
        (("suctionSide", "PressureSide", "sides", "farSide"), ("suctionSide", "PressureSide")),
        (("left", "right", "top", "bottom", "cylinder"), ("cylinder",)),
        (("left_wing", "right_wing", "far"), ("left_wing", "right_wing")),
        (("left", "right", "top", "bottom"), ("left", "right")),
    ],
    ids=["blade", "camel", "box", "wings", "only-ends"],
)
def test_walls_by_name(names, walls):
    assert wall_patches(named(*names)) == walls


def test_no_wall_by_name():
    with pytest.raises(InvalidMeshError, match="which of the patches .'side', 'upper'. is the body"):
        wall_patches(named("upper", "side"))


def test_a_region_without_body_has_no_cells_of_one_and_no_surface():
    region = star(4, lambda angle: 1.0 + 0 * angle)
    assert len(body_cells(region, ())) == 0
    with pytest.raises(InvalidMeshError, match="there is no body"):
        body(region, ())
    with pytest.raises(InvalidMeshError, match="no patches"):
        body_cells(Mesh(region.points, region.cells))  # nothing was said
