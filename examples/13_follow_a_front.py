"""A mesh that follows a front while it is computed: the error beside a mesh that stays, and both for ParaView."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

import geoop
from geoop.fem.integrals import l2_error
from geoop.fem.space import Space
from geoop.io.paraview import write_series
from geoop.mesh.case import Series
from geoop.mesh.generate.grid import grid
from geoop.solve.following import FollowingMesh
from geoop.solve.monitors import hessian_monitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.studies.plots.moving import before_and_after
from geoop.truth.exact.burgers import travelling_front
from geoop.truth.transport.moving import MovingTransport

VISCOSITY, START, END = 0.0125, 0.4, 0.8
HEIGHT = geoop.Quantity("velocity_component", "c", "m/s")


def exact(points: np.ndarray, moment: float) -> np.ndarray:
    return travelling_front(points, moment + START, VISCOSITY)[:, 0]


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    mesh = grid((23, 23) if quick else (47, 47), simplices=True)
    numbers: dict[str, float] = {"points": len(mesh.points)}
    for kind in ("stays", "follows"):
        begun = time.process_time()
        series = marched(mesh, follows=kind == "follows", steps=40 if quick else 100, every=4)
        numbers[f"seconds, mesh that {kind}"] = time.process_time() - begun
        last = series.cases[-1]
        numbers[f"error, mesh that {kind}"] = l2_error(
            Space.of(last.mesh, 1, order=6), last.field("velocity_component").values, lambda x: exact(x, END)
        )
        print("written:", write_series(series, out / f"front_{kind}.pvd"))
    before_and_after(series.cases[0].mesh, last.mesh, out / "front.png", title=f"the mesh that follows, at 0 s and at {END} s")
    for what, value in numbers.items():
        print(f"{what}: {value:.3g}")
    return numbers


def marched(mesh: geoop.Mesh, *, follows: bool, steps: int, every: int) -> Series:
    """The front's way through the square, a frame at every look at the solution."""
    step = END / steps
    mesh_at = FollowingMesh.settled(mesh, MongeAmpere(), lambda m: hessian_monitor(m, exact(m.points, 0.0)))
    solver = MovingTransport(
        mesh_at if follows else mesh,
        lambda x, t, c: np.stack([c, c], axis=1),
        VISCOSITY,
        lambda x: exact(x, 0.0),
        step=step,
        dirichlet=dict.fromkeys(mesh.patches, exact),
    )
    frames = [frame(solver)]
    while solver.steps < steps:
        if follows and solver.steps % every == 0:
            mesh_at.aim(hessian_monitor(solver.mesh, solver.values), now=solver.time, arrive=solver.time + every * step)
        solver.advance()
        if solver.steps % every == 0:
            frames.append(frame(solver))
    return Series(np.array([case.time for case in frames]), tuple(frames))


def frame(solver: MovingTransport) -> geoop.Case:
    return geoop.Case(solver.mesh, time=solver.time, name="front").with_fields(geoop.Field(HEIGHT, solver.values))


if __name__ == "__main__":
    main()
