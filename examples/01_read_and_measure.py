"""Read a section and a surface, measure them, and write an O-grid with its signed distance for ParaView."""

from __future__ import annotations

from pathlib import Path

import geoop
from geoop.mesh.chord import chord_line
from geoop.mesh.distance import signed_distance
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import enclosed_volume
from geoop.mesh.quantity import QUANTITIES

MESHES = Path(__file__).parent.parent / "meshes"


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    section = geoop.read(MESHES / "naca2412.dat")
    chord = chord_line(section)
    print(section, f"chord {chord.length:.4f} m, trailing-edge angle {chord.trailing_edge_angle:.1f} deg")

    sphere = geoop.read(MESHES / "sphere.stl", unit="m")
    print(sphere, f"volume {enclosed_volume(sphere):.4f} m^3")

    grid = ogrid(section, n_wall=100 if quick else 200, n_normal=30 if quick else 80)
    distance = signed_distance(section, grid.points)
    case = geoop.Case(grid).with_fields(geoop.Field(QUANTITIES["signed_distance"], distance.distance))
    from geoop.io.paraview import write_case

    path = write_case(case, out / "naca2412_distance.vtu")
    print("written:", path)
    return {
        "chord": chord.length,
        "volume": enclosed_volume(sphere),
        "farthest": float(distance.distance.max()),
        "nearest": float(distance.distance.min()),
    }


if __name__ == "__main__":
    main()
