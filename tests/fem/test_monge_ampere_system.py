"""The Monge-Ampere system: masses of moved cells, and that the linear problem is their derivative."""

import numpy as np
import pytest
from fem_shapes import cube, square

from geoop.fem.monge_ampere_system import MongeAmpereSystem
from geoop.fem.simplices import corner_simplices


def system(mesh):
    return MongeAmpereSystem(mesh.points, corner_simplices(mesh)[0])


@pytest.mark.parametrize("mesh", [square(4, seed=1), square(4, "quad"), cube(3, "mixed")], ids=str)
def test_an_even_density_gives_the_measure_of_the_moved_region(mesh):
    found = system(mesh)
    stretch = np.array([2.0, 3.0, 0.5])[: mesh.dimension]
    assert found.lumped.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.masses(mesh.points * stretch, np.full(len(mesh.points), 4.0)), 4.0 * stretch.prod() * found.lumped, rtol=1e-12)
    np.testing.assert_allclose(
        found.jacobians(mesh.points * stretch), np.broadcast_to(np.diag(stretch), (len(found.cells),) + (mesh.dimension,) * 2), atol=1e-12
    )


def test_linear_densities_are_integrated_exactly():
    mesh = square(6, seed=2)
    assert system(mesh).masses(mesh.points, 1.0 + mesh.points[:, 0]).sum() == pytest.approx(1.5, rel=1e-12)


def test_the_matrix_is_minus_the_derivative_of_the_masses_for_smooth_changes():
    """Masses of hat functions change by -(m C grad delta) . grad v: on finer meshes the more exactly, for delta flat at the boundary."""
    errors = []
    for n in (12, 24, 48):
        mesh = square(n)
        x, y = mesh.points.T
        found = system(mesh)
        bend = lambda p: p + 0.03 * np.stack([np.sin(2 * np.pi * p[:, 0]), np.sin(2 * np.pi * p[:, 1])], axis=1)  # noqa: E731
        m = lambda p: 2.0 + p[:, 0] * p[:, 1]  # noqa: E731
        delta = np.cos(np.pi * x) * np.cos(2 * np.pi * y)
        step = np.stack([-np.pi * np.sin(np.pi * x) * np.cos(2 * np.pi * y), -2 * np.pi * np.cos(np.pi * x) * np.sin(2 * np.pi * y)], axis=1)
        a, b = (bend(mesh.points) + t * step for t in (1e-6, -1e-6))
        change = (found.masses(a, m(a)) - found.masses(b, m(b))) / 2e-6
        expected = -found.matrix(bend(mesh.points), m(bend(mesh.points))) @ delta
        errors.append(np.linalg.norm((change - expected) / found.lumped) / np.linalg.norm(expected / found.lumped))
    assert errors[-1] < 0.05
    assert errors[2] < 0.6 * errors[1] < 0.36 * errors[0]


def test_the_matrix_stays_elliptic_where_the_map_folds():
    mesh = square(4)
    folded = np.array(mesh.points)
    folded[12] += [0.6, 0.0]
    matrix = system(mesh).matrix(folded, np.ones(25)).toarray()
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-14)
    np.testing.assert_allclose(matrix @ np.ones(25), 0.0, atol=1e-12)
    assert np.linalg.eigvalsh(matrix)[1] > 0.0
