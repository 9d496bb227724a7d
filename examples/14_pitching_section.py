"""The flow round a section that pitches, on a mesh that follows it: forces in time, vorticity, and moving points for ParaView."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import geoop
from geoop.fem.taylor_hood import TaylorHood
from geoop.io.paraview import write_series
from geoop.mesh.case import Series
from geoop.mesh.generate.channel import ChannelSize, channel
from geoop.mesh.generate.quadratic import quadratic
from geoop.mesh.primitives import naca4
from geoop.solve.deformers.motions import Pitching
from geoop.solve.deformers.radial_basis import RadialBasis
from geoop.studies.plots.pictures import field_picture
from geoop.truth.navier_stokes.forces import ForceGauge
from geoop.truth.navier_stokes.moving import MovingFlow
from geoop.truth.navier_stokes.problem import NO_SLIP, FlowProblem

#: Chord 1 m, stream 1 m/s, Reynolds number, pitch [deg], frequency [Hz]: k = pi f c / U = 1.26.
REYNOLDS, PITCH, FREQUENCY = 400.0, 12.0, 0.4
NOSE = np.array([4.0, 4.0])


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    section = naca4("0012", 48 if quick else 80)
    section = section.moved(section.points + NOSE)
    size = ChannelSize(1.5 if quick else 0.8, growth=0.2 if quick else 0.15, wake=0.4 if quick else 0.15, wake_length=5.0)
    mesh = quadratic(channel(12.0, 8.0, section, size))
    motion, follow = Pitching(PITCH, FREQUENCY, tuple(NOSE + [0.25, 0.0])), RadialBasis()
    wall = mesh.points[mesh.patch_points("wall")]
    problem = FlowProblem(TaylorHood(mesh), 1.0 / REYNOLDS, {"inlet": (1.0, 0.0), "walls": (1.0, 0.0), "wall": NO_SLIP}, outlet=("outlet",))
    steps = 16 if quick else 60  # per period
    flow = MovingFlow(
        problem,
        lambda time: follow.deform(mesh, {"wall": motion.displacement(wall, time)}).mesh,
        1.0 / (FREQUENCY * steps),
        moving=("wall",),
        start=np.tile((1.0, 0.0), (problem.space.n, 1)),
    )
    lift, frames = [], []
    for k in range(2 * steps):
        solution = flow.advance()
        lift.append(ForceGauge(solution.problem.space, "wall")(solution).lift_coefficient)
        if k % (steps // 8) == 0:
            frames.append(
                geoop.Case(flow.mesh, wall=("wall",), time=flow.time, name="pitching").with_fields(*solution.fields(vorticity=True).values())
            )
    print("written:", write_series(Series(np.array([case.time for case in frames]), tuple(frames)), out / "pitching_flow.pvd"))
    field_picture(frames[-1], "vorticity_z", out / "pitching_flow.png", window=2.0, limits=(-8.0, 8.0))
    last = np.array(lift[-steps:])
    numbers = {"points": float(len(mesh.points)), "largest lift coefficient": float(last.max()), "least lift coefficient": float(last.min())}
    for what, value in numbers.items():
        print(f"{what}: {value:.3g}")
    return numbers


if __name__ == "__main__":
    main()
