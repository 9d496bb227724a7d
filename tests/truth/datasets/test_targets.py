"""Target shapes: closed loops of the sizes that the published meshes have."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

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
        ("thin-l", 2 * 6 * 0.45 - 0.45**2),
        ("annulus", np.pi * (1.7**2 - 0.7**2)),
        (
            "plate",
            3.6 * 2.2
            - np.pi * (0.42**2 + 0.34**2 + 0.34**2)
            - 2 * (0.28**2 + 0.2**2 + 0.24**2)
            - 1.5 * np.sqrt(3) * (0.26**2 + 0.22**2)
            - 0.75 * np.sqrt(3) * 0.26**2,
        ),
        # sectors of roots and tips, and triangles with the axis for the flanks, less the bore
        ("gear", 0.38 * np.pi * 1.1**2 + 0.24 * np.pi * 1.5**2 + 12 * 1.1 * 1.5 * np.sin(0.19 * np.pi / 6) - np.pi * 0.4**2),
    ],
)
def test_areas(name, area):
    loops = target(name).loops
    found = area_of(loops[0]) - sum(area_of(loop) for loop in loops[1:])
    assert found == pytest.approx(area, rel=3e-3)  # arcs are polygons


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[("a", 729), ("b", 1038), ("c", 549), ("disk", 794), ("dolphin", 1464)],  # published
        *[("gear", 900), ("plate", 1200), ("thin-l", 700), ("annulus", 800)],
    ],
)
def test_meshes_have_about_the_expected_number_of_points(name, expected):
    pytest.importorskip("gmsh")
    from geoop.mesh.generate.triangles import mesh_inside

    shape = target(name)
    assert len(mesh_inside(shape.outline(name), size=shape.size).points) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("scale", "chords"), [(0.5, 0.08), (3.0, 0.02), (10.0, 0.02)])
def test_scaled_targets_are_larger_with_arcs_as_fine_as_the_mesh(name, scale, chords):
    """Areas grow as the square, but for what the chords of arcs cut off."""
    plain, scaled = target(name), target(name, scale)
    assert scaled.size == plain.size and f"{scale:g} times" in scaled.summary and plain.summary in scaled.summary
    assert len(scaled.loops) == len(plain.loops)
    for loop, larger in zip(plain.loops, scaled.loops, strict=True):
        assert area_of(larger) / scale**2 == pytest.approx(area_of(loop), rel=chords)
        np.testing.assert_allclose(np.ptp(larger, axis=0) / scale, np.ptp(loop, axis=0), rtol=chords)
        if len(loop) > 8:  # some of it is curved
            steps = np.linalg.norm(larger - np.roll(larger, 1, axis=0), axis=1)
            assert np.median(steps) <= 1.1 * plain.size


def test_a_scaled_target_is_meshed_with_the_same_size():
    pytest.importorskip("gmsh")
    from geoop.mesh.generate.triangles import mesh_inside

    small, large = (mesh_inside(target("thin-l", scale).outline("l"), size=target("thin-l").size) for scale in (1.0, 3.0))
    lengths = [np.median(np.linalg.norm(np.diff(m.points[m.cells.block("triangle")[:, :2]], axis=1)[:, 0], axis=1)) for m in (small, large)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.05) and len(large.points) > 7 * len(small.points)


def test_the_plate_has_many_holes_of_different_size_that_keep_apart():
    loops = target("plate").loops
    assert len(loops) - 1 >= 7
    extents = {round(float(np.ptp(loop, axis=0).max()), 3) for loop in loops[1:]}
    assert len(extents) >= 7
    fine = [
        np.concatenate([a + (b - a) * np.linspace(0, 1, 40)[:, None] for a, b in zip(loop, np.roll(loop, -1, axis=0), strict=True)]) for loop in loops
    ]
    near = [cKDTree(fine[i]).query(fine[j])[0].min() for i in range(len(fine)) for j in range(i)]
    assert min(near) >= 0.13


@pytest.mark.parametrize("name", TARGETS)
def test_outlines_do_not_cross_themselves(name):
    outline = target(name).outline(name)
    start, end = outline.points[outline.cells.connectivity.reshape(-1, 2).T]
    assert not len(crossing_segments(start, end)) and area_of(target(name).loops[0]) > 0


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan])
def test_bad_scale(scale):
    with pytest.raises(ConfigurationError, match="times as large"):
        target("a", scale)


def test_unknown_target():
    with pytest.raises(ConfigurationError, match="no target shape 'z'"):
        target("z")
