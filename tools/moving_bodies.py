"""Flows round bodies that move, on meshes that follow them: forces beside published ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from geoop.fem.taylor_hood import TaylorHood
from geoop.mesh.generate.channel import ChannelSize, channel
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.mesh import Mesh
from geoop.solve.deformers.motions import Oscillating
from geoop.solve.deformers.radial_basis import RadialBasis
from geoop.solve.deformers.validity import smallest_quality
from geoop.truth.datasets.star_bodies import StarBody
from geoop.truth.navier_stokes.forces import ForceGauge
from geoop.truth.navier_stokes.moving import MovingFlow
from geoop.truth.navier_stokes.problem import NO_SLIP, FlowProblem

#: Diameter [m], largest speed [m/s], Reynolds and Keulegan-Carpenter numbers of H. Duetsch, F. Durst, S. Becker and H. Lienhart, "Low-Reynolds-number
#: flow around an oscillating circular cylinder at low Keulegan-Carpenter numbers", J. Fluid Mech. 360, 1998.
DIAMETER, SPEED, REYNOLDS, KEULEGAN = 1.0, 1.0, 100.0, 5.0
#: Their coefficients of drag and of inertia in Morison's formula, as later papers quote them.
PUBLISHED = (2.09, 1.45)
LENGTH, HEIGHT, PERIODS = 32.0, 24.0, 8


def measure(output: Path, once: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]) -> None:
    """All rows; nothing is written to ``output``."""
    for finer, steps in ((0.5, 60), (1.0, 120)):
        once(f"bodies/cylinder to and fro/{finer} x, {steps} steps", partial(cylinder, finer, steps))


def mesh_of(finer: float) -> Mesh:
    """Curved quadratic triangles round a cylinder in the middle of a tank; ``finer`` divides the lengths of edges."""
    body = StarBody((LENGTH / 2, HEIGHT / 2), lambda angle: np.full_like(angle, DIAMETER / 2))
    size = ChannelSize(2.0 / finer, growth=0.12)
    return quadratic(channel(LENGTH, HEIGHT, body.outline(0.08 / finer, 0.5), size), onto={"body": body.onto})


def cylinder(finer: float, steps: int) -> dict[str, Any]:
    """A cylinder that goes to and fro in fluid at rest: coefficients of Morison's formula over the last period.

    F = -c_d rho D U |U| / 2 - c_i pi rho D^2 / 4 dU/dt, by least squares, with U the velocity of the cylinder.

    Args:
        finer: divides the lengths of edges.
        steps: per period.
    """
    begun, mesh = time.process_time(), mesh_of(finer)
    amplitude, frequency = KEULEGAN * DIAMETER / (2.0 * np.pi), SPEED / (KEULEGAN * DIAMETER)
    motion, follow = Oscillating((-amplitude, 0.0), frequency), RadialBasis()
    body = mesh.points[mesh.patch_points("body")]
    problem = FlowProblem(
        TaylorHood(mesh),
        SPEED * DIAMETER / REYNOLDS,
        {"inlet": NO_SLIP, "walls": NO_SLIP, "body": NO_SLIP},
        outlet=("outlet",),
        reference_velocity=SPEED,
        reference_length=DIAMETER,
    )
    flow = MovingFlow(
        problem, lambda t: follow.deform(mesh, {"body": motion.displacement(body, t)}).mesh, 1.0 / (frequency * steps), moving=("body",)
    )
    forces, quality = [], 1.0
    for k in range(PERIODS * steps):
        solution = flow.advance()
        quality = min(quality, smallest_quality(flow.mesh)) if k < steps else quality
        if k >= (PERIODS - 2) * steps:
            forces.append((flow.time, ForceGauge(solution.problem.space, "body")(solution)))
    fitted = [_morison(forces[part], frequency) for part in (slice(0, steps), slice(steps, None))]
    drag, inertia, misfit = fitted[-1]
    return {
        "points": len(mesh.points),
        "steps a period": steps,
        "periods": PERIODS,
        "drag": drag,
        "inertia": inertia,
        "published drag": PUBLISHED[0],
        "published inertia": PUBLISHED[1],
        "misfit of Morison's formula": misfit,
        "change from the period before": max(abs(drag - fitted[0][0]), abs(inertia - fitted[0][1])),
        "lift": max(abs(found.lift_coefficient) for _, found in forces),
        "quality": quality,
        "cpu seconds": time.process_time() - begun,
    }


def _morison(forces: list[tuple[float, Any]], frequency: float) -> tuple[float, float, float]:
    """Coefficients of drag and inertia, and the root mean square of what they leave of the force, over that of the force."""
    angle = 2.0 * np.pi * frequency * np.array([t for t, _ in forces])
    measured = np.array([found.x for _, found in forces])
    velocity, change = -SPEED * np.cos(angle), 2.0 * np.pi * frequency * SPEED * np.sin(angle)
    columns = np.stack([-0.5 * DIAMETER * velocity * np.abs(velocity), -0.25 * np.pi * DIAMETER**2 * change], axis=1)
    (drag, inertia), *_ = np.linalg.lstsq(columns, measured, rcond=None)
    left = measured - columns @ [drag, inertia]
    return float(drag), float(inertia), float(np.sqrt((left**2).mean() / (measured**2).mean()))
