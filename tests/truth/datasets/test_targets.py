"""Target shapes: closed loops of the sizes that the published meshes have."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.crossings import crossing_segments
from geoop.mesh.generate.polygons import area_of
from geoop.truth.datasets.targets import TARGETS, target


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("a", 1.12**2 * (np.pi - np.pi / 6 + np.sin(np.pi / 3) / 2) + 1.12 * (2.7 - 1.12 * np.cos(np.pi / 6))),
        ("b", 2.7**2 - np.pi * (0.4**2 + 0.35**2)),
        ("c", np.pi * 25 * 320 / 360 + 5 * 1.5 * np.sin(np.radians(20))),
        ("disk", np.pi * 1.42**2),
    ],
)
def test_areas(name, area):
    loops = target(name).loops
    found = area_of(loops[0]) - sum(area_of(loop) for loop in loops[1:])
    assert found == pytest.approx(area, rel=3e-3)  # arcs are polygons


@pytest.mark.parametrize(("name", "published"), [("a", 729), ("b", 1038), ("c", 549), ("disk", 794), ("dolphin", 1464)])
def test_meshes_have_about_the_published_number_of_points(name, published):
    pytest.importorskip("gmsh")
    from geoop.mesh.generate.triangles import mesh_inside

    shape = target(name)
    assert len(mesh_inside(shape.outline(name), size=shape.size).points) == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize("name", TARGETS)
def test_outlines_do_not_cross_themselves(name):
    outline = target(name).outline(name)
    start, end = outline.points[outline.cells.connectivity.reshape(-1, 2).T]
    assert not len(crossing_segments(start, end)) and area_of(target(name).loops[0]) > 0


def test_unknown_target():
    with pytest.raises(ConfigurationError, match="no target shape 'z'"):
        target("z")
