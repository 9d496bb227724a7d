"""Solids filled with tetrahedra: volume, outward patches, kept surfaces, cavities, bad surfaces."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError, ConvergenceError, InvalidMeshError
from geoop.mesh.cells import Cells
from geoop.mesh.generate.tetrahedra import mesh_solid
from geoop.mesh.measure import area_vectors, signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, capsule, icosphere, torus

pytest.importorskip("gmsh")


def flux_volume(mesh):
    """Volume by the divergence theorem over all patches: right only if they are closed and point outward."""
    total = 0.0
    for name in mesh.patches:
        part = mesh.patch(name)
        total += (area_vectors(part) * part.points[part.cells.block("triangle")].mean(axis=1)).sum() / 3.0
    return total


def enclosed(surface):
    return (area_vectors(surface) * surface.points[surface.cells.block("triangle")].mean(axis=1)).sum() / 3.0


@pytest.mark.parametrize("surface", [icosphere(2), torus(24, 10), capsule(16)], ids=["sphere", "torus", "capsule"])
def test_a_surface_is_kept_and_filled(surface):
    mesh = mesh_solid(surface)
    assert np.array_equal(mesh.points[: len(surface.points)], surface.points)
    assert signed_measures(mesh).min() > 0 and signed_measures(mesh).sum() == pytest.approx(enclosed(surface), rel=1e-12)
    assert flux_volume(mesh) == pytest.approx(enclosed(surface), rel=1e-12)
    there = {tuple(row) for row in np.sort(mesh.patches["wall"].block("triangle"), axis=1).tolist()}
    assert there == {tuple(row) for row in np.sort(surface.cells.block("triangle"), axis=1).tolist()}


def faceted_cube():
    cube = box()
    quads = cube.cells.block("quad")
    halves = {name: part.block("quad")[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3) for name, part in cube.patches.items()}
    assert len(quads) == 6
    return Mesh(
        cube.points, Cells.of(triangle=np.concatenate(list(halves.values()))), {k: Cells.of(triangle=v) for k, v in halves.items()}, name="cube"
    )


@pytest.mark.parametrize("size", [0.5, 0.2])
def test_facets_are_refined_to_the_size(size):
    mesh = mesh_solid(faceted_cube(), size=size)
    assert signed_measures(mesh).sum() == pytest.approx(1.0, rel=1e-9) and set(mesh.patches) == set(box().patches)
    assert flux_volume(mesh) == pytest.approx(1.0, rel=1e-9)
    assert np.allclose(mesh.points[mesh.patch_points("x_max")][:, 0], 1.0, atol=1e-9)
    rows = mesh.points[mesh.cells.block("tetra")]
    length = np.linalg.norm(rows[:, [0, 0, 0, 1, 1, 2]] - rows[:, [1, 2, 3, 2, 3, 3]], axis=2)
    assert 0.6 * size < length.mean() < 1.4 * size
    again = mesh_solid(faceted_cube(), size=size)
    assert again.content_hash == mesh.content_hash


def two(inner, turned):
    outer = icosphere(2)
    rows = inner.cells.block("triangle") + len(outer.points)
    rows = rows[:, ::-1] if turned else rows
    cells = {"outer": outer.cells, "inner": Cells.of(triangle=rows)}
    return Mesh(np.concatenate([outer.points, inner.points]), Cells.concatenate(list(cells.values())), cells, name="two")


def test_cavity():
    mesh = mesh_solid(two(icosphere(1, 0.4), turned=True))
    solid = enclosed(icosphere(2)) - enclosed(icosphere(1, 0.4))
    assert signed_measures(mesh).sum() == pytest.approx(solid, rel=1e-12) and flux_volume(mesh) == pytest.approx(solid, rel=1e-12)


@pytest.mark.parametrize("patches", [False, True], ids=["none", "one"])
def test_cavity_in_one_patch(patches):
    """What is a cavity is decided by the surface, not by how its patches are cut."""
    surface = two(icosphere(1, 0.4), turned=True)
    mesh = mesh_solid(Mesh(surface.points, surface.cells, {"wall": surface.cells} if patches else {}))
    solid = enclosed(icosphere(2)) - enclosed(icosphere(1, 0.4))
    assert signed_measures(mesh).sum() == pytest.approx(solid, rel=1e-12) and flux_volume(mesh) == pytest.approx(solid, rel=1e-12)
    assert list(mesh.patches) == ["wall"]
    apart = two(icosphere(1, 0.5, (3.0, 0.0, 0.0)), turned=False)
    with pytest.raises(ConvergenceError, match="more than one solid"):
        mesh_solid(Mesh(apart.points, apart.cells, {"wall": apart.cells} if patches else {}))


def test_bad_surfaces():
    sphere = icosphere(1)
    with pytest.raises(InvalidMeshError, match="3 edges of the surface are open"):
        mesh_solid(Mesh(sphere.points, Cells.of(triangle=sphere.cells.block("triangle")[1:])))
    with pytest.raises(InvalidMeshError, match="not from quad"):
        mesh_solid(box())
    with pytest.raises(ConfigurationError, match="size is -1"):
        mesh_solid(sphere, size=-1)
    with pytest.raises(ConvergenceError, match="gmsh gave up"):
        mesh_solid(two(icosphere(1, 1.0, (1.0, 0.0, 0.0)), turned=False))
    with pytest.raises(ConvergenceError, match="more than one solid"):
        mesh_solid(two(icosphere(1, 0.5, (3.0, 0.0, 0.0)), turned=False))
