"""Stiffness against that of the finite elements, conjugate gradients against factors, and what frames of a series share."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from meshes_in_motion import cube, square

from geoop.errors import InvalidMeshError
from geoop.fem.elasticity import Displacements
from geoop.mesh.generate.disk import star
from geoop.solve.deformers import conditions, elastic, rigid_blocks
from geoop.solve.deformers.cell_forms import CellForms
from geoop.solve.deformers.elastic import Elastic
from geoop.solve.deformers.laplacian import Laplacian

POISSON = 0.3
#: How far conjugate gradients may be from factors, in lengths of the largest displacement.
NEAR = 1e-7


def hooke(d):
    """(d, d, d, d) A_ikjl of Young's modulus 1, plane strain in 2-D."""
    one = np.eye(d)
    shear, bulk = 0.5 / (1 + POISSON), POISSON / ((1 + POISSON) * (1 - 2 * POISSON))
    return bulk * np.einsum("ik,jl->ikjl", one, one) + shear * (np.einsum("ij,kl->ikjl", one, one) + np.einsum("il,kj->ikjl", one, one))


SHAPES = {
    **{kind: (lambda kind=kind: square(4, kind, 0.2)) for kind in ("triangle", "quad")},
    **{kind: (lambda kind=kind: cube(3, kind, 0.15)) for kind in ("tetra", "hexahedron")},
    "triangle6": lambda: star(3, lambda angle: 1 + 0.1 * np.cos(3 * angle)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_stiffness_is_that_of_the_finite_elements(shape):
    """Assembled from pairs of nodes, against the sum over all entries of the cells by another file with another quadrature."""
    mesh = SHAPES[shape]()
    forms = CellForms.of(mesh)
    young = np.random.default_rng(0).uniform(1, 9, len(forms.connectivity))
    elements = Displacements.of(mesh, 2 if shape == "triangle6" else 1)
    d = mesh.dimension
    law = hooke(d) * young[:, None, None, None, None, None] * np.ones((1, elements.weights.shape[1], 1, 1, 1, 1))
    place = (elements.space.domain.nodes[:, None] * d + np.arange(d)).ravel()
    found = forms.elasticity(young, POISSON).toarray()[np.ix_(place, place)]
    assert np.abs(found - elements.stiffness(law).toarray()).max() < 1e-12 * np.abs(found).max()
    assert forms.measures == pytest.approx(elements.weights.sum(axis=1))


@pytest.mark.parametrize("shape", SHAPES)
def test_rigid_motions_meet_no_stiffness(shape):
    mesh = SHAPES[shape]()
    forms, x = CellForms.of(mesh), mesh.points
    matrix = forms.elasticity(np.ones(len(forms.connectivity)), POISSON)
    turned = np.zeros_like(x)
    turned[:, 0], turned[:, 1] = -x[:, 1], x[:, 0]
    for motion in (np.ones_like(x), turned):
        assert np.abs(matrix @ motion.ravel()).max() < 1e-13
    assert np.abs(matrix @ x.ravel()).max() > 1e-2


def test_folded_cells_have_no_stiffness():
    mesh = square(3, "quad")
    points = mesh.points.copy()
    points[5] = [0.9, 0.9]
    with pytest.raises(InvalidMeshError, match="fold over themselves"):
        CellForms.of(mesh.moved(points))


def bump(mesh, size=0.1, along=0.0):
    x = mesh.points[mesh.patch_points("z_min")]
    wave = np.sin(np.pi * x[:, 0]) * np.sin(np.pi * x[:, 1])
    return {"z_min": np.stack([along * wave, 0 * wave, size * wave**2], axis=1)}


@pytest.mark.parametrize("slide", [(), ("x_min", "y_max")])
@pytest.mark.parametrize("kind", [Elastic, lambda **how: Elastic("distance", 2.0, **how), Laplacian])
@pytest.mark.parametrize("cells", ["tetra", "hexahedron"])
def test_conjugate_gradients_find_what_factors_find(kind, cells, slide, monkeypatch):
    """With cells a hundred times thinner at the wall; the blocks are of twenty points, so that there are some."""
    mesh = cube(7, cells, 0.1)
    graded = mesh.points.copy()
    graded[:, 2] = np.expm1(6 * graded[:, 2]) / np.expm1(6.0)
    mesh, method, given = mesh.moved(graded), kind(slide=slide), bump(mesh, 0.01)
    exact = method.deform(mesh, given)
    monkeypatch.setattr(conditions, "LARGE_SOLID", 100)
    monkeypatch.setattr(rigid_blocks, "_POINTS", 20)
    found = method.deform(mesh.moved(mesh.points), given)
    assert exact.outcome.ok and found.outcome.ok
    gap = np.abs(found.mesh.points - exact.mesh.points).max()
    assert 0 < gap < NEAR * 0.01  # zero would say that nothing was iterated


def test_blocks_of_points_save_steps():
    """Rigid motions of 32 blocks as a coarse space: a quarter of the steps of one block saved at 2e3 points, more than half at 1e5."""
    mesh = cube(12, "tetra", 0.2)
    steps = []
    for blocks in (1, 32):
        count = 0

        class Counted:
            def __init__(self, matrix):
                self.matrix = matrix

            def __matmul__(self, x):
                nonlocal count
                count += 1
                return self.matrix @ x

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conditions, "LARGE_SOLID", 100)
            patch.setattr(rigid_blocks, "_BLOCKS", blocks)
            patch.setattr(rigid_blocks, "_POINTS", 40)
            solve = conditions.conjugate_gradients
            patch.setattr(conditions, "conjugate_gradients", lambda matrix, *rest, solve=solve: solve(Counted(matrix), *rest))
            Elastic().deform(mesh.moved(mesh.points), bump(mesh))
        steps.append(count)
    assert steps[1] < 0.75 * steps[0]


def test_frames_share_what_was_prepared(monkeypatch):
    """One stiffness serves all motions of a mesh by one deformer. Another patch at rest is another system."""
    monkeypatch.setattr(conditions, "LARGE_SOLID", 100)
    made, of = [], CellForms.of
    monkeypatch.setattr(elastic.CellForms, "of", classmethod(lambda cls, mesh: made.append(mesh) or of(mesh)))
    mesh, sharing, sliding = cube(6, "tetra", 0.2), Elastic(), Elastic(slide=("x_min",))
    for size, along in ((0.1, 0.0), (0.05, 0.02), (-0.05, 0.01), (0.02, -0.02)):
        given = bump(mesh, size, along)
        shared = sharing.deform(mesh, given).mesh.points
        assert len(made) == 1
        alone = Elastic().deform(mesh, given).mesh.points
        assert len(made) == 2 and np.abs(shared - alone).max() < NEAR * 0.1
        made.pop()
    slid = sliding.deform(mesh, bump(mesh)).mesh.points
    assert len(made) == 2 and np.abs(sharing.deform(mesh, bump(mesh)).mesh.points - slid).max() > 1e-4
    sharing.deform(mesh.moved(mesh.points), bump(mesh))
    assert len(made) == 3  # a mesh of its own


def test_a_deformer_knows_nothing_of_others(monkeypatch):
    """What was moved before by another deformer changes no bit; deformers compare and copy by their settings alone."""
    monkeypatch.setattr(conditions, "LARGE_SOLID", 100)
    mesh = cube(5, "tetra", 0.2)
    first = Elastic().deform(mesh, bump(mesh)).mesh.points
    used = Elastic()
    used.deform(mesh, bump(mesh, -0.05, 0.01))
    for deformer in (Elastic(), pickle.loads(pickle.dumps(used)), replace(used)):
        assert deformer == used and hash(deformer) == hash(used) and repr(deformer) == repr(used)
        np.testing.assert_array_equal(deformer.deform(mesh, bump(mesh)).mesh.points, first)
