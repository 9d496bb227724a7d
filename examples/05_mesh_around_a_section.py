"""Four meshes round one section: an O-grid, a C-grid with its wake, triangles with layers on the wall, and background points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

import geoop
from geoop.errors import MissingDependencyError
from geoop.io.paraview import write_case
from geoop.mesh.generate.background import background_points
from geoop.mesh.generate.cgrid import cgrid
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.generate.triangles import mesh_around
from geoop.mesh.generate.wall_layers import Layers
from geoop.mesh.measure import cell_measures, enclosed_volume

MESHES = Path(__file__).parent.parent / "meshes"


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    section = geoop.read(MESHES / "naca2412.dat")
    n = 80 if quick else 160
    meshes = {
        "O-grid": ogrid(section, n_wall=n, n_normal=n // 3, outer_radius=10.0),
        "C-grid": cgrid(section, n_wall=n, n_wake=n // 3, n_normal=n // 3),
    }
    try:
        meshes["triangles"] = mesh_around(section, n_wall=n, layers=Layers(first_height=5e-4, count=8, growth=1.3))
    except MissingDependencyError as missing:
        print(missing)  # gmsh is optional
    points = background_points(section, 500 if quick else 4000)

    numbers = {"weights": float(points.weights.sum()), "growth": points.growth}
    for name, mesh in meshes.items():
        body = enclosed_volume(mesh.patch("wall"))
        print(f"{mesh}  area {cell_measures(mesh).sum():.4f} m^2 round a section of {body:.5f} m^2")
        numbers |= {f"{name} cells": float(len(mesh.cells)), f"{name} smallest": float(cell_measures(mesh).min())}
        print("written:", write_case(geoop.Case(mesh), out / f"naca2412_{name.lower()}.vtu"))
    print("written:", picture(meshes, points.points, out / "naca2412_meshes.png"))
    return numbers


def picture(meshes: dict[str, geoop.Mesh], points: np.ndarray, path: Path) -> Path:
    figure = Figure(figsize=(11.0, 7.0), layout="constrained")
    window = {"xlim": (-0.3, 1.5), "ylim": (-0.5, 0.5), "aspect": "equal"}
    panels = figure.subplots(2, 2).reshape(-1)
    for axes, (name, mesh) in zip(panels, meshes.items(), strict=False):
        for kind in mesh.cells.names:
            axes.add_collection(PolyCollection(mesh.points[mesh.cells.block(kind)], facecolor="none", edgecolor="k", linewidth=0.3))
        axes.set(title=name, **window)
    panels[3].plot(*points.T, "k.", markersize=1.5)
    panels[3].set(title="background points", **window)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path


if __name__ == "__main__":
    main()
