"""Movers on tetrahedra: gain on a spherical shell, no inverted cell, patches kept, multigrid as good as factors."""

import numpy as np
import pytest
from meshes_in_motion import cube

from geoop.mesh.measure import cell_measures
from geoop.mesh.shape_functions import reference_cell
from geoop.solve.monitors import FunctionMonitor, hessian_monitor
from geoop.solve.movers import monge_ampere, variational
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.solve.movers.tangling import inverted_cells
from geoop.solve.movers.variational import Variational

#: Mover -> least gain on 16^3 nodes over the mesh that was given.
MOVERS = {"Monge-Ampere": (MongeAmpere(), 1.4), "variational": (Variational(), 1.2)}


def shell(x):
    return np.tanh((np.linalg.norm(x - 0.5, axis=-1) - 0.25) / 0.05)


def interpolation_error(mesh, function):
    """L2 norm of a function minus its linear interpolant, by a rule of degree 7 on every tetrahedron."""
    cell = reference_cell("tetra10")  # its points, of which the values of quadratic shape functions tell the place
    corners = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=float)
    middles = np.stack([corners[[a, b]].mean(axis=0) for a, b in ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))])
    share = cell.values @ np.concatenate([corners, middles])
    rows = mesh.cells.block("tetra")
    exact = function(np.einsum("qk,mkd->mqd", share, mesh.points[rows]))
    gap = (exact - function(mesh.points)[rows] @ share.T) ** 2
    return float(np.sqrt((cell_measures(mesh)[:, None] * 6.0 * cell.weights * gap).sum()))


@pytest.mark.parametrize("name", MOVERS)
def test_a_shell_is_interpolated_better(name):
    mover, least = MOVERS[name]
    mesh = cube(15, "tetra")
    moved = mover.move(mesh, hessian_monitor(mesh, shell(mesh.points), strength=5.0))
    assert moved.outcome.status == "converged" and not inverted_cells(mesh, moved.mesh.points).any()
    assert interpolation_error(mesh, shell) > least * interpolation_error(moved.mesh, shell)
    for patch in mesh.patches:
        axis, side = "xyz".index(patch[0]), float(patch.endswith("max"))
        points = mesh.patch_points(patch)
        assert np.abs(moved.mesh.points[points, axis] - side).max() < 1e-12
        assert np.abs(moved.mesh.points[points] - mesh.points[points]).max() > 1e-3  # they slide
    corner = ((mesh.points == 0) | (mesh.points == 1)).all(axis=1)
    assert (moved.mesh.points[corner] == mesh.points[corner]).all()


@pytest.mark.parametrize("name", MOVERS)
def test_a_constant_monitor_moves_nothing_in_space(name):
    mesh = cube(6, "tetra", 0.2)
    moved = MOVERS[name][0].move(mesh, FunctionMonitor(lambda x: np.full(len(x), 3.7)))
    assert np.abs(moved.mesh.points - mesh.points).max() < 1e-10


@pytest.mark.parametrize("name", MOVERS)
def test_multigrid_leads_where_factors_lead(name, monkeypatch):
    """Linear problems are solved to a thousandth by multigrid: the points end within a hundredth of an edge of where factors take them."""
    mesh = cube(10, "tetra", 0.2)
    monitor = hessian_monitor(mesh, shell(mesh.points), strength=5.0)
    by_factors = MOVERS[name][0].move(mesh, monitor)
    for module in (monge_ampere, variational):
        monkeypatch.setattr(module, "LARGE_SCALAR", 10)
    by_multigrid = MOVERS[name][0].move(mesh, monitor)
    gap = np.abs(by_multigrid.mesh.points - by_factors.mesh.points).max()
    assert by_multigrid.outcome.ok and 0 < gap < 0.01 / 10
