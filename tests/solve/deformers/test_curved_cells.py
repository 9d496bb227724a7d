"""Second-order cells that fold between their quadrature points; boundaries without a patch; quality of cells that turn either way."""

import sys
from pathlib import Path

import numpy as np
import pytest
from meshes_in_motion import square

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "mesh"))
from cell_zoo import UNIT_CELLS, cell_mesh

from geoop.errors import ConfigurationError
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.shape_functions import reference_cell, slopes_at
from geoop.solve.deformers.curved_cells import CURVED, folds
from geoop.solve.deformers.elastic import Elastic
from geoop.solve.deformers.radial_basis import RadialBasis
from geoop.solve.deformers.validity import Validity, smallest_quality


def least_jacobian(name, x, n=20):
    """Smallest determinant on a fine lattice of the reference cell, for (m, k, d) points."""
    d = x.shape[2]
    line = np.linspace(0.0, 1.0, n + 1)
    places = np.stack(np.meshgrid(*[line] * d, indexing="ij"), axis=-1).reshape(-1, d)
    flat = {"t": d, "w": 2}.get(name[0], 0)  # axes of the simplex
    places = places[places[:, :flat].sum(axis=1) <= 1 + 1e-12]
    places[:, flat:] = 2 * places[:, flat:] - 1
    slopes = slopes_at(name, places)
    return np.array([np.linalg.det(np.einsum("qkr,kd->qdr", slopes, one)).min() for one in x])


@pytest.mark.parametrize("name", CURVED)
def test_bounds_of_the_jacobian_decide_as_a_fine_lattice_does(name):
    """Cells bent at random: a cell is said to fold where a point of the lattice does, and otherwise only where the lattice comes close to it."""
    nodes = UNIT_CELLS[name][0]
    random = np.random.default_rng(0)
    x = nodes + random.uniform(0, 0.15, (150, 1, 1)) * random.uniform(-1, 1, (150, *nodes.shape))
    said, least = folds(name, x, np.ones(len(x))), least_jacobian(name, x)
    whole = least_jacobian(name, nodes[None])[0]
    assert said[least <= 0].all() and not said[least > 0.05 * whole].any()
    assert 0 < (least <= 0).sum() < len(x)
    assert (folds(name, x[:, :, ::-1], -np.ones(len(x))) == said).all()  # seen in a mirror


def test_a_side_bent_over_its_corner_counts():
    """Its middle at less than a quarter of the side: the side turns back at the corner, between all quadrature points."""
    mesh = cell_mesh("triangle6", UNIT_CELLS["triangle6"][0])
    validity = Validity.of(mesh)
    for place, folded in ((0.26, False), (0.24, True)):
        points = mesh.points.copy()
        points[3] = [place, 0.0]
        slopes = reference_cell("triangle6").gradients
        assert np.linalg.det(np.einsum("qkr,kd->qdr", slopes, points)).min() > 0  # which the quadrature points do not tell
        assert validity.inverted(points).tolist() == [folded]


def test_cells_folded_from_the_start_are_judged_by_their_quadrature_points():
    mesh = cell_mesh("triangle6", UNIT_CELLS["triangle6"][0])
    points = mesh.points.copy()
    points[3] = [0.24, 0.0]
    validity = Validity.of(mesh.moved(points))
    assert not validity.inverted(1.1 * points).any()
    points[3] = [0.1, 0.0]
    assert validity.inverted(points).all()


def blocks(gap, kind="quad"):
    """Two squares side by side; the left one has the patch ``wall`` all round, the other no patch."""
    left, n = square(3, kind), len(square(3, kind).points)
    (cells,) = (left.cells.block(kind),)
    wall = np.concatenate([left.patches[name].block("line") for name in left.patches])
    points = np.concatenate([left.points, left.points + [1 + gap, 0]])
    return Mesh(points, Cells.of({kind: np.concatenate([cells, cells + n])}), {"wall": Cells.of(line=wall)}, name="blocks")


@pytest.mark.parametrize("method", [Elastic(), RadialBasis()])
@pytest.mark.parametrize("shift", [0.5, 1.3])
def test_a_block_moved_onto_one_without_patches_is_told(method, shift):
    """No cell turns over; the block lies on the other one, half or as a whole."""
    mesh = blocks(0.3)
    with pytest.raises(ConfigurationError, match="'wall' and the boundary without a patch"):
        method.deform(mesh, {"wall": np.array([shift, 0.0])})
    free = method.deform(mesh, {"wall": np.array([0.2, 0.1])})
    assert free.outcome.ok and np.abs((free.mesh.points - mesh.points)[mesh.patch_points("wall")] - [0.2, 0.1]).max() < 1e-12


def test_a_lone_patch_of_a_solid_does_not_cross_the_sides_that_have_none():
    from meshes_in_motion import cube

    whole = cube(4, "tetra")
    mesh = Mesh(whole.points, whole.cells, {"floor": whole.patches["z_min"]})
    x = mesh.points[mesh.patch_points("floor")]
    wave = (np.sin(np.pi * x[:, 0]) * np.sin(np.pi * x[:, 1])) ** 2
    lift = np.stack([0 * wave, 0 * wave, wave], axis=1)
    assert Elastic().deform(mesh, {"floor": 0.1 * lift}).outcome.ok
    with pytest.raises(ConfigurationError, match="without a patch"):
        Elastic().deform(mesh, {"floor": 1.2 * lift})


def test_quality_of_cells_that_turn_either_way():
    """Every other quad clockwise: as good as all of them counter-clockwise, when told what the mesh was before, and a fold is still a fold."""
    mesh = square(4, "quad", 0.3)
    rows = mesh.cells.block("quad").copy()
    rows[::2] = rows[::2, ::-1]
    mixed = Mesh(mesh.points, Cells.of(quad=rows), mesh.patches)
    assert smallest_quality(mixed) < 0 < smallest_quality(mesh)
    assert smallest_quality(mixed, mixed) == pytest.approx(smallest_quality(mesh, mesh), abs=1e-14)
    points = mesh.points.copy()
    points[6] = points[0] + 0.02  # cells round it fold
    assert smallest_quality(mixed.moved(points), mixed) == pytest.approx(smallest_quality(mesh.moved(points), mesh), abs=1e-14)
    assert smallest_quality(mixed.moved(points), mixed) < 0.2
