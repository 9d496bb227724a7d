"""Triangles that look out of a body: facets turned by chance, inside out, cavities, parts that stick out of others, surfaces without sides."""

import numpy as np
import pytest

from geoop.errors import InvalidMeshError
from geoop.mesh.bodies import cube_sphere
from geoop.mesh.cells import Cells
from geoop.mesh.measure import enclosed_volume
from geoop.mesh.mesh import Mesh
from geoop.mesh.orientation import oriented, reversed_cells
from geoop.mesh.outward import outward_triangles
from geoop.mesh.primitives import circle
from geoop.mesh.triangulation import triangulated


def ball(stretch=(1.0, 1.0, 1.0), shift=(0.0, 0.0, 0.0), n=4):
    mesh = cube_sphere(n)
    return Mesh(mesh.points * stretch + shift, Cells.of(triangle=triangulated(mesh)[0]), name="ball")


def joined(*parts):
    starts = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    cells = [Cells.of(triangle=part.cells.block("triangle") + start) for part, start in zip(parts, starts, strict=True)]
    return Mesh(np.concatenate([part.points for part in parts]), Cells.concatenate(cells))


def turned(mesh, which):
    return Mesh(mesh.points, reversed_cells(mesh.cells, np.broadcast_to(which, len(mesh.cells))), mesh.patches, name=mesh.name)


def test_a_sound_surface_is_given_back_itself():
    mesh = joined(ball(), ball(shift=(3.0, 0.0, 0.0)))
    found = outward_triangles(mesh)
    assert found.mesh is mesh and found.changes == () and not found.sealed.any() and not found.unsided


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_turned_facets_are_turned_back_and_counted(share):
    mesh = ball((1.5, 0.7, 0.4))
    which = np.random.default_rng(0).random(len(mesh.cells)) < share
    found = outward_triangles(turned(mesh, which))
    assert enclosed_volume(found.mesh) == pytest.approx(enclosed_volume(mesh), rel=1e-12)
    assert len(found.changes) == 1 and f"turned: {which.sum()} of {len(mesh.cells)}" in found.changes[0]


def test_of_two_bodies_the_one_that_is_inside_out_is_turned():
    one, two = ball(), ball(shift=(3.0, 0.0, 0.0))
    found = outward_triangles(joined(one, turned(two, True)))
    assert (
        enclosed_volume(found.mesh) == pytest.approx(2.0 * enclosed_volume(one)) and f"{len(two.cells)} of {2 * len(two.cells)}" in found.changes[0]
    )


def test_an_open_body_is_turned_as_with_its_holes_closed():
    mesh = ball(n=5)
    cut = Mesh(mesh.points, mesh.cells.take(mesh.points[mesh.cells.block("triangle")].mean(axis=1)[:, 2] < 0.7))
    assert np.array_equal(outward_triangles(turned(cut, True)).mesh.cells.block("triangle"), turned(turned(cut, True), True).cells.block("triangle"))
    assert outward_triangles(cut).mesh is cut


@pytest.mark.parametrize("inside_out", [False, True])
def test_a_cavity_and_what_lies_in_it_are_left_out(inside_out):
    outer, hollow, within = ball(), turned(ball((0.8, 0.8, 0.8)), inside_out), ball((0.3, 0.3, 0.3))
    found = outward_triangles(joined(outer, hollow, within))
    assert np.array_equal(found.mesh.cells.block("triangle"), outer.cells.block("triangle"))
    assert np.array_equal(np.flatnonzero(found.sealed), np.arange(len(outer.points), 3 * len(outer.points)))
    assert len(found.changes) == 1 and "cavities" in found.changes[0]


def test_a_part_that_sticks_out_of_another_is_no_cavity():
    outer, stick = ball(), ball((0.05, 0.05, 0.5))
    diagonal = np.ones(3) / np.sqrt(3.0)
    axes = np.linalg.svd(diagonal[None])[2][[1, 2, 0]]
    axes *= np.sign(np.linalg.det(axes)) * np.array([[1.0], [1.0], [1.0]])
    points = stick.points @ axes
    centre = -np.sign(points[0] @ diagonal) * 0.9 * diagonal  # its first point is inside, its bounds are those of the other
    stick = Mesh(points + centre, stick.cells)
    stick = stick if enclosed_volume(stick) > 0 else turned(stick, True)
    both = joined(outer, stick)
    assert np.linalg.norm(stick.points[0]) < 0.8 < 1.3 < np.linalg.norm(stick.points, axis=1).max() and np.abs(stick.points).max() < 1.0
    assert outward_triangles(both).mesh is both and np.array_equal(oriented(both).cells.connectivity, both.cells.connectivity)


def test_facets_without_area_and_repeated_ones_are_left_out():
    mesh = ball()
    faces = mesh.cells.block("triangle")
    dirty = Mesh(mesh.points, Cells.of(triangle=np.concatenate([faces, faces[:5, [0, 0, 1]], faces[7:10]])))
    found = outward_triangles(dirty)
    assert np.array_equal(found.mesh.cells.block("triangle"), faces)
    assert [change.split(": ")[1] for change in found.changes] == [f"5 of {len(faces) + 8}", f"3 of {len(faces) + 8}"]


def test_a_strip_with_one_side_has_no_outside():
    angle = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    rims = [
        np.stack([(2 + s * np.cos(angle / 2)) * np.cos(angle), (2 + s * np.cos(angle / 2)) * np.sin(angle), s * np.sin(angle / 2)], 1)
        for s in (-1, 1)
    ]
    k = np.arange(24)
    low, high, after = k, 24 + k, np.where(k < 23, k + 1, 24)
    quads = np.stack([low, after, np.where(k < 23, 25 + k, 0), high], axis=1)
    strip = Mesh(np.concatenate(rims), Cells.of(quad=quads))
    assert outward_triangles(strip).unsided > 0


def test_an_outline_is_refused():
    with pytest.raises(InvalidMeshError):
        outward_triangles(circle())
