"""A mesh that follows a solution: on time, on its boundary, upright all the way, and better than one that stays."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.fem.integrals import l2_error
from geoop.fem.space import Space
from geoop.interfaces.moving import Moved
from geoop.interfaces.outcome import Outcome
from geoop.mesh.generate.disk import disk
from geoop.solve.following import FollowingMesh
from geoop.solve.monitors import FunctionMonitor, hessian_monitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.solve.movers.tangling import inverted_cells
from geoop.solve.movers.variational import Variational
from geoop.truth.exact.burgers import travelling_front
from geoop.truth.transport.moving import MovingTransport

from .meshes_in_motion import square


def _spot(x, y, height=5.0):
    return FunctionMonitor(lambda p: 1.0 + height * np.exp(-((p - [x, y]) ** 2).sum(axis=1) / 0.02))


class _Goal:
    """A mover whose answers are known."""

    def __init__(self, goals, status="converged"):
        self.goals, self.status = iter(goals), status

    def move(self, mesh, monitor):
        return Moved(mesh.moved(next(self.goals)) if self.status != "tangled" else mesh, Outcome(self.status))


def test_points_go_straight_from_goal_to_goal_and_wait_there():
    mesh = square(9)
    mover = MongeAmpere()
    first, second = (mover.move(mesh, _spot(*at)).mesh.points for at in ((0.3, 0.3), (0.6, 0.5)))
    follows = FollowingMesh(mesh, mover)
    assert follows(0.0) is mesh
    follows.aim(_spot(0.3, 0.3), now=1.0, arrive=3.0)
    np.testing.assert_array_equal(follows(1.0).points, mesh.points)
    np.testing.assert_allclose(follows(2.0).points, 0.5 * (mesh.points + first), atol=1e-14)
    np.testing.assert_array_equal(follows(5.0).points, first)
    follows.aim(_spot(0.6, 0.5), now=2.0, arrive=4.0)  # before the first goal was reached
    np.testing.assert_allclose(follows(2.0).points, 0.5 * (mesh.points + first), atol=1e-14)
    np.testing.assert_array_equal(follows(4.0).points, second)  # from the mesh at rest: as if the first had never been


def test_the_boundary_of_a_disk_stays_round_on_the_way():
    mesh = disk(8)
    rim = np.unique(np.concatenate([mesh.patch_points(name) for name in mesh.patches]))
    radius = np.linalg.norm(mesh.points[rim], axis=1)
    turned = mesh.points @ np.array([[np.cos(0.4), np.sin(0.4)], [-np.sin(0.4), np.cos(0.4)]])
    follows = FollowingMesh(mesh, _Goal([turned]))
    follows.aim(_spot(0, 0), now=0.0, arrive=1.0)
    half = follows(0.5).points[rim]
    chord = np.linalg.norm(0.5 * (mesh.points + turned)[rim], axis=1)
    sagitta = radius.max() * (1 - np.cos(np.pi / len(rim)))  # a polygon's own departure from the circle
    assert np.abs(np.linalg.norm(half, axis=1) - radius.max()).max() <= 1.01 * sagitta < 0.5 * np.abs(chord - radius).max()


def test_goals_behind_a_fold_are_not_reached_and_the_outcome_says_so():
    mesh = square(5)
    middle = len(mesh.points) // 2
    over = np.array(mesh.points)
    over[middle] += [0.4, 0.3]  # through its neighbours
    follows = FollowingMesh(mesh, _Goal([over]))
    moved = follows.aim(_spot(0.5, 0.5), now=0.0, arrive=1.0)
    assert moved.outcome.status == "stagnated" and "fold" in moved.outcome.detail
    assert not any(inverted_cells(mesh, follows(t).points).any() for t in np.linspace(0, 1, 11))
    assert follows(1.0).points[middle, 0] > 0.5  # as far as it may
    np.testing.assert_array_equal(moved.mesh.points, follows(1.0).points)
    short = FollowingMesh(mesh, _Goal([over], status="stagnated")).aim(_spot(0.5, 0.5), now=0.0, arrive=1.0)
    assert short.outcome.status == "stagnated" and "fold" in short.outcome.detail  # also where the mover itself fell short


def test_a_mover_that_tangles_leaves_the_mesh_where_it_is():
    mesh = square(5)
    follows = FollowingMesh(mesh, _Goal([], status="tangled"))
    moved = follows.aim(_spot(0.5, 0.5), now=0.0, arrive=1.0)
    assert moved.outcome.status == "tangled"
    np.testing.assert_array_equal(follows(1.0).points, mesh.points)
    settled = FollowingMesh.settled(mesh, _Goal([], status="tangled"), lambda at: _spot(0.5, 0.5))
    assert settled.last.outcome.status == "tangled" and settled(0.0) is mesh and follows.last is moved


def test_arrivals_in_the_past_are_refused():
    with pytest.raises(ConfigurationError, match="not after"):
        FollowingMesh(square(5), MongeAmpere()).aim(_spot(0.5, 0.5), now=1.0, arrive=1.0)
    with pytest.raises(ConfigurationError, match="finite"):
        FollowingMesh(square(5), MongeAmpere()).aim(_spot(0.5, 0.5), now=1.0, arrive=np.inf)
    with pytest.raises(ConfigurationError, match="0 rounds"):
        FollowingMesh.settled(square(5), MongeAmpere(), lambda mesh: _spot(0.5, 0.5), rounds=0)


@pytest.mark.parametrize("mover", [MongeAmpere(), Variational()], ids=["monge-ampere", "variational"])
def test_a_front_costs_less_error_on_a_mesh_that_follows_it(mover):
    mesh, viscosity, steps, every = square(24), 0.02, 24, 3
    step = 0.6 / steps
    exact = lambda p, t: travelling_front(p, t + 0.5, viscosity)[:, 0]  # noqa: E731
    errors = {}
    for kind in ("stays", "follows"):
        at = FollowingMesh.settled(mesh, mover, lambda m: hessian_monitor(m, exact(m.points, 0.0)))
        solver = MovingTransport(
            mesh if kind == "stays" else at,
            lambda p, t, c: np.stack([c, c], axis=1),
            viscosity,
            lambda p: exact(p, 0.0),
            step=step,
            dirichlet=dict.fromkeys(mesh.patches, exact),
        )
        for k in range(steps):
            if kind == "follows" and k % every == 0:
                assert at.aim(hessian_monitor(solver.mesh, solver.values), now=solver.time, arrive=solver.time + every * step).mesh is not mesh
            solver.advance()
            assert not inverted_cells(mesh, solver.mesh.points).any()
        errors[kind] = l2_error(Space.of(solver.mesh, 1, order=6), solver.values, lambda p: exact(p, 0.6))
    assert errors["follows"] < errors["stays"] / 1.5, errors
