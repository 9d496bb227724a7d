"""Meshes that follow their bodies: a section pitched in thin layers, one period of it for ParaView, fields carried to another mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import geoop
from geoop.io.paraview import write_series
from geoop.mesh.generate.cgrid import cgrid
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import signed_measures
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.solve.deformers.motions import Pitching, turned
from geoop.solve.deformers.moving_series import moving_series, swept_measures
from geoop.solve.deformers.radial_basis import RadialBasis
from geoop.solve.deformers.validity import smallest_quality
from geoop.solve.transfer.carry import transfer
from geoop.solve.transfer.conservative import Supermesh
from geoop.studies.plots.moving import before_and_after

#: Axis of the motions: a quarter of the chord behind the nose.
AXIS = (0.25, 0.0)


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    size = {"n_wall": 96, "n_normal": 40} if quick else {"n_wall": 240, "n_normal": 100}
    mesh = cgrid(naca4(), n_wake=24 if quick else 60, first_height=1e-5, **size)
    numbers = pitched(mesh, out) | one_period(mesh, out, 9 if quick else 33) | carried_over(mesh, out)
    for what, value in numbers.items():
        print(f"{what}: {value:.4g}")
    return numbers


def pitched(mesh: geoop.Mesh, out: Path) -> dict[str, float]:
    """Fifteen degrees nose up, by four methods; the first cells at the wall are a hundred-thousandth of the chord high."""
    nose_up = {"wall": turned(mesh.points[mesh.patch_points("wall")], -15.0, AXIS)}
    numbers = {"quality at rest": smallest_quality(mesh)}
    for method in ("rbf", "elastic", "laplacian", "spring"):
        done = geoop.deform(mesh, nose_up, method)
        print(f"{method}: {done.moved.outcome}")
        numbers[f"quality by {method}"] = done.quality[1]
        if method == "rbf":
            print("written:", geoop.write(done.case, out / "pitched.vtu").path)
            before_and_after(
                mesh, done.case.mesh, out / "pitched.png", window=(-0.6, 1.6, -0.8, 0.8), title="15 degrees nose up, radial basis functions"
            )
    return numbers


def one_period(mesh: geoop.Mesh, out: Path, frames: int) -> dict[str, float]:
    """Eight degrees to and fro: points move in the file, and what the sides of the cells sweep is what the cells gain."""
    series = moving_series(geoop.Case(mesh, name="pitching"), {"wall": Pitching(8.0, 1.0, AXIS)}, np.linspace(0.0, 1.0, frames), RadialBasis())
    print("written:", write_series(series, out / "pitching.pvd"))
    first, second = series.cases[0].mesh, series.cases[1].mesh
    swept, owner = swept_measures(first, second)
    wall = series.cases[1].field("mesh_velocity").values[mesh.patch_points("wall")]
    gained = signed_measures(second) - signed_measures(first)
    return {
        "smallest quality in the period": min(smallest_quality(case.mesh) for case in series.cases),
        "conservation law": float(np.abs(np.bincount(owner, weights=swept) - gained).max() / np.abs(gained).max()),
        "mesh velocity at the trailing edge": float(np.linalg.norm(wall, axis=1).max()),
    }


def carried_over(mesh: geoop.Mesh, out: Path) -> dict[str, float]:
    """A shear layer from the C-grid to an O-grid: its values, and its integral."""
    speed = np.tanh((mesh.points[:, 1] - 0.3) / 0.2)
    case = geoop.Case(mesh).with_fields(Field(QUANTITIES["mach_number"], speed))
    target = ogrid(naca4(), n_wall=80, n_normal=30, outer_radius=5.0)
    pieces = Supermesh.of(mesh, target)
    whole = float(pieces.own.sum(axis=0) @ np.tanh((target.points[:, 1] - 0.3) / 0.2))
    numbers = {}
    for method in ("p1", "conservative", "moving-least-squares"):
        there = transfer(case, target, method=method).field("mach_number").values
        exact = np.tanh((target.points[:, 1] - 0.3) / 0.2)
        numbers[f"error of {method}"] = float(np.sqrt(np.mean((there - exact) ** 2)))
    print("written:", geoop.write(transfer(case, target, method="conservative"), out / "carried.vtu").path)
    kept = pieces.own.sum(axis=0) @ transfer(case, target, method="conservative").field("mach_number").values
    return {**numbers, "integral, off by": abs(float(kept) - float((pieces.mixed @ speed).sum())) / max(abs(whole), 1.0)}


if __name__ == "__main__":
    main()
