"""Problems in time on meshes that follow their solution, beside meshes that stay: errors at equal nodes and at equal computing time.

Every row is one run: a mesh of n x n nodes, a number of time steps, a mover (or none), and how many steps pass between two looks at the
solution. Seconds are those of this process, with everything that a mover costs. Every number of steps is there for moving meshes and for
those that stay: steps that are too long for a mesh that stays are not held against it, since the best of its rows counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from moving_meshes import square

from geoop.fem.integrals import l2_error
from geoop.fem.space import Space
from geoop.interfaces.moving import Mover
from geoop.mesh.mesh import Mesh
from geoop.models.mesh_mover import UnrolledMover
from geoop.results.neural_mover import NeuralMover
from geoop.solve.following import FollowingMesh
from geoop.solve.monitors import hessian_monitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.solve.movers.tangling import inverted_cells
from geoop.solve.movers.variational import Variational
from geoop.truth.exact.advection_diffusion import rotating_hill
from geoop.truth.exact.burgers import travelling_front
from geoop.truth.transport.moving import Carrier, InTime, MovingTransport
from geoop.truth.transport.streamline_upwind import StreamlineUpwind

Once = Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]


@dataclass(frozen=True)
class Problem:
    """A solution in closed form on the unit square.

    Attributes:
        exact: points and time -> c.
        velocity: a(x, t, c).
        diffusivity: D.
        end: last time.
        linear: whether a is steady and does not depend on c.
    """

    exact: InTime
    velocity: Carrier
    diffusivity: float
    end: float
    linear: bool = False


def _front(viscosity: float) -> Problem:
    return Problem(
        exact=lambda x, t: travelling_front(x, t + 0.4, viscosity)[:, 0],
        velocity=lambda x, t, c: np.stack([c, c], axis=1),
        diffusivity=viscosity,
        end=0.8,
    )


def _hill(width: float, diffusivity: float) -> Problem:
    rate, middle = 2.0 * np.pi, np.array([0.5, 0.5])
    return Problem(
        exact=lambda x, t: rotating_hill(x, t, rate=rate, diffusivity=diffusivity, width=width, start=np.array([0.5, 0.75]), pivot=middle),
        velocity=lambda x, t, c: rate * np.stack([middle[1] - x[:, 1], x[:, 0] - middle[0]], axis=1),
        diffusivity=diffusivity,
        end=0.5,
        linear=True,
    )


#: A plane front of Burgers' equation, tanh((x + y - t) / (4 nu)); a hill that turns half round and spreads little.
PROBLEMS: dict[str, Problem] = {"front .05": _front(0.0125), "front .02": _front(0.005), "hill .05": _hill(0.05, 1e-4)}
STEPS = (25, 50, 100, 200, 400)
STILL, CHEAP = (48, 68, 96, 136), (48, 68, 96, 136, 192, 272)
#: Nodes per side of moving meshes, and steps between two looks.
MOVING = ((48, 1), (48, 4), (68, 4))
#: Runs that would take longer than this are left out, as far as the run with half the steps tells [s].
PATIENCE = 60.0


def measure(output: Path, once: Once) -> None:
    """All rows, then what they mean at equal nodes and at equal seconds.

    Args:
        output: where the section ``neural`` left its trained mover, if it was run.
        once: ``once(key, make)`` keeps a row by its key.
    """
    movers: dict[str, Mover] = {"six steps, untrained": NeuralMover(UnrolledMover(width=0, learned=False)), "Monge-Ampere": MongeAmpere()}
    if (trained := output / "movers" / "unrolled.safetensors").exists():
        movers["unrolled"] = NeuralMover.load(trained)
    movers["variational"] = Variational()
    for name, problem in PROBLEMS.items():
        rows = []
        for side in STILL:
            rows += _until(once, f"time/{name}/stays, {side}^2", partial(run, problem, side))
        for side in CHEAP if problem.linear else ():
            rows += _until(once, f"time/{name}/stays, factored once, {side}^2", partial(factored, problem, side))
        for key, mover in movers.items():
            for side, every in MOVING:
                rows += _until(once, f"time/{name}/{key} every {every}, {side}^2", partial(run, problem, side, mover=mover, every=every))
        for key in movers:
            once(f"time/comparison/{name}, {key}", partial(compared, rows, key))


def _until(once: Once, key: str, make: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for steps in STEPS:
        if not found or 2.0 * found[-1]["cpu seconds"] <= PATIENCE:
            found.append(once(f"{key}, {steps} steps", partial(make, steps)))
    return found


def run(problem: Problem, side: int, steps: int, *, mover: Mover | None = None, every: int = 1) -> dict[str, Any]:
    """One run: L2 error at the end, seconds, and how often the mesh was moved as asked."""
    begun, mesh, step = time.process_time(), square(side), problem.end / steps
    follows = None if mover is None else FollowingMesh.settled(mesh, mover, lambda m: hessian_monitor(m, problem.exact(m.points, 0.0)))
    solver = MovingTransport(
        mesh if follows is None else follows,
        problem.velocity,
        problem.diffusivity,
        lambda x: problem.exact(x, 0.0),
        step=step,
        dirichlet=dict.fromkeys(mesh.patches, problem.exact),
    )
    moving, moves, inverted = 0.0, 0, 0
    failed = int(follows is not None and not follows.last.outcome.ok)
    for k in range(steps):
        if follows is not None and k % every == 0:
            before = time.process_time()
            moved = follows.aim(hessian_monitor(solver.mesh, solver.values), now=solver.time, arrive=solver.time + every * step)
            moving, moves, failed = moving + time.process_time() - before, moves + 1, failed + (not moved.outcome.ok)
        solver.advance()
        inverted += int(inverted_cells(mesh, solver.mesh.points).any())
    seconds = time.process_time() - begun
    return {
        "nodes": side**2,
        "steps": steps,
        "error": _error(solver.mesh, solver.values, problem),
        "cpu seconds": seconds,
        "of these moving": moving,
        "moves": moves,
        "moves that fell short": failed,
        "frames with inverted cells": inverted,
        "mover": "none" if mover is None else type(mover).__name__,
    }


def factored(problem: Problem, side: int, steps: int) -> dict[str, Any]:
    """The mesh that stays, where the equation lets it be factored once: trapezoidal rule."""
    begun, mesh = time.process_time(), square(side)
    solver = StreamlineUpwind(mesh, lambda x: problem.velocity(x, 0.0, np.zeros(len(x))), problem.diffusivity, dirichlet=tuple(mesh.patches))
    values = solver.march(lambda x: problem.exact(x, 0.0), [problem.end], problem.exact, step=problem.end / steps)[-1]
    seconds = time.process_time() - begun
    return {"nodes": side**2, "steps": steps, "error": _error(mesh, values, problem), "cpu seconds": seconds, "mover": "none"}


def _error(mesh: Mesh, values: np.ndarray, problem: Problem) -> float:
    return float(l2_error(Space.of(mesh, 1, order=6), values, lambda x: problem.exact(x, problem.end)))


def compared(rows: list[dict[str, Any]], mover: str) -> dict[str, Any]:
    """What moving gains, above 1: best error of the meshes that stay over that of a mover, at equal nodes and within each budget of seconds; and the
    fewest seconds of the meshes that stay over the mover's, to an error.

    A budget is passed or missed by a hair, an error too: the two see different sides of that.
    """
    still = [row for row in rows if row["mover"] == "none"]
    moving = [row for row in rows if f"/{mover} every" in row["key"]]
    nodes = min(row["nodes"] for row in moving)
    found: Mapping[str, Any] = {
        "at equal nodes": _best(still, "nodes", nodes) / _best(moving, "nodes", nodes),
        **{
            f"at {budget} s": _best(still, "cpu seconds", budget) / _best(moving, "cpu seconds", budget)
            for budget in (1, 2, 4, 8, 16, 32)
            if _best(moving, "cpu seconds", budget) < np.inf
        },
    }
    reached = {
        f"seconds to {error:g}": _soonest(still, error) / _soonest(moving, error)
        for error in (1e-2, 3e-3, 1e-3)
        if max(_soonest(still, error), _soonest(moving, error)) < np.inf
    }
    return {**found, **reached}


def _soonest(rows: list[dict[str, Any]], error: float) -> float:
    return min((row["cpu seconds"] for row in rows if row["error"] <= error), default=np.inf)


def _best(rows: list[dict[str, Any]], what: str, most: float) -> float:
    return min((row["error"] for row in rows if row[what] <= most), default=np.inf)
