"""Study folders made from exact and panel solutions, as `geoop study` writes them, without a trained model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from geoop.io.paraview import write_case
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.truth.panels.system import PanelSystem

COLUMNS = (
    "case", "geometry", "alpha [deg]", "velocity [m/s]", "Re", "reference_length [m]", "thickness",
    "CL", "CD", "CD source", "CM", "x_cp/c", "Cp min", "x/c of Cp min", "stagnation points", "L/D",
    "CL error", "CM error", "CD error", "level", "reason", "outcome", "message", "seconds", "CL panels", "CM panels", "Cp L2 panels [%]",
)  # fmt: skip
EVIL = "<script>alert('x')</script> & \"quoted\""
BAND = Quantity("pressure_coefficient_band", "Cp band")


def write_table(folder: Path, rows: list[dict], about: dict) -> None:
    """study.json and table.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, COLUMNS, restval="")
        table.writeheader()
        table.writerows(rows)
    (folder / "study.json").write_text(json.dumps(about), encoding="utf-8")


def collection(path: Path, files: list[tuple[float, str]]) -> None:
    """A .pvd."""
    rows = "".join(f'<DataSet timestep="{time!r}" part="0" file="{name}"/>' for time, name in files)
    path.write_text(f'<?xml version="1.0"?><VTKFile type="Collection" version="0.1"><Collection>{rows}</Collection></VTKFile>')


def about_of(name: str, geometries: list[str], **more) -> dict:
    """study.json of a made-up model."""
    return {
        "name": name,
        "model": {"name": "panels-made-up", "about": "A panel method dressed as a model, for tests.", "viscous": False, "quantities": ["velocity"]},
        "settings": {"grid": "full", "surface_only": False},
        "geometries": [{"name": item, "file": f"{item}.dat", "chord": 1.0, "unit": "m"} for item in geometries],
        "conditions": [{"alpha": alpha, "velocity": 60.0} for alpha in (-4, 0, 4, 8, 12, 16)],
        "geoop": "0.0",
        "seconds": 1.5,
        "warnings": [],
        **more,
    }


def section_study(folder: Path, codes=("0012", "2412"), alphas=(-4.0, 0.0, 4.0, 8.0, 12.0, 16.0), speeds=(60.0,), *, fields=True, drag=True) -> Path:
    """NACA sections over alpha (and speed) by the panel method; the last angle is outside, one case fails."""
    random, rows = np.random.default_rng(0), []
    for code in codes:
        system = PanelSystem(naca4(code), 120)
        grid = ogrid(naca4(code), n_wall=96, n_normal=24, outer_radius=2.5) if fields else None
        for speed in speeds:
            steps = []
            for alpha in alphas:
                name = f"naca{code}_a{alpha:g}" + (f"_v{speed:g}" if len(speeds) > 1 else "")
                rows.append(_section_row(folder, name, f"naca{code}", system, grid, OperatingPoint(speed, alpha), random, alpha >= max(alphas), drag))
                steps.append((alpha, name))
            kind = "vtu" if fields else "vtp"
            collection(folder / f"naca{code}.pvd", [(alpha, f"cases/{name}.{kind}") for alpha, name in steps])
    rows.append({"case": "broken_a0", "geometry": EVIL, "alpha [deg]": 0.0, "velocity [m/s]": 60.0, "outcome": "failed",
                 "message": "broken.dat: the section crosses itself at x = 0.71; remedy: geoop inspect broken.dat --repair mended.dat"})  # fmt: skip
    warnings = ["12 of 13 cases use the free stream of the model.", EVIL]
    write_table(folder, rows, about_of("Two sections", [*(f"naca{code}" for code in codes), EVIL], warnings=warnings))
    return folder


def _section_row(folder, name, geometry, system, grid, point, random, outside, drag) -> dict:
    flow = system.flow(point)
    nodes, cp = flow.surface.points, flow.surface.pressure_coefficient
    index = np.arange(len(nodes))
    ring = Cells.of(line=np.stack([index, np.roll(index, -1)], 1))
    width = 0.05 + 0.05 * abs(point.alpha) / 10
    fields = {item.name: item for item in (Field(QUANTITIES["pressure_coefficient"], cp), Field(BAND, np.full(len(cp), width)))}
    write_case(Case(Mesh(nodes, ring, {"wall": ring}, name=geometry), point, fields, wall=("wall",), name=name), folder / "cases" / f"{name}.vtp")
    if grid is not None:
        wall = np.unique(grid.patches["wall"].connectivity)
        velocity = system.velocity(grid.points, [point])[0]
        velocity[wall] = system.surface_velocity(grid.points[wall], [point])[0]
        velocity = np.nan_to_num(velocity)
        field = (Field(QUANTITIES["velocity"], velocity), Field(QUANTITIES["pressure_coefficient"], 1 - (velocity**2).sum(1) / point.velocity**2))
        write_case(Case(grid, point, {item.name: item for item in field}, wall=("wall",), name=name), folder / "cases" / f"{name}.vtu")
    low, high = int(cp.argmin()), 5 + int(cp[5:-5].argmax())  # the sharp trailing edge stagnates too
    lift, moment = flow.lift_coefficient, flow.moment_coefficient
    cd = 0.006 + 0.004 * lift**2
    return {
        "case": name, "geometry": geometry, "alpha [deg]": point.alpha, "velocity [m/s]": point.velocity, "Re": point.velocity / 1.5e-5,
        "reference_length [m]": 1.0, "thickness": int(geometry[-2:]) / 100, "CL": lift + random.normal(0, 0.01), "CD": cd if drag else "",
        "CD source": "boundary layer" if drag else "inviscid: none", "CM": moment + random.normal(0, 0.002), "x_cp/c": 0.25 - moment / (lift + 1e-9),
        "Cp min": cp[low], "x/c of Cp min": nodes[low, 0], "stagnation points": f"{nodes[high, 0]:.4f},{nodes[high, 1]:.4f}",
        "L/D": lift / cd if drag else "", "CL error": 0.02 + 0.04 * outside, "CM error": 0.004, "CD error": 0.0008 if drag else "",
        "level": "outside" if outside else "edge" if point.alpha > 10 else "inside",
        "reason": "alpha 16 deg, trained -6..14" if outside else "as in training", "outcome": "converged", "message": "", "seconds": 0.05,
        "CL panels": lift, "CM panels": moment, "Cp L2 panels [%]": 1.5,
    }  # fmt: skip


def sphere_study(folder: Path, alphas=(0.0, 10.0, 20.0)) -> Path:
    """The exact potential flow past a sphere of radius 0.5 m, on its wall only."""
    surface, rows = icosphere(3, radius=0.5), []
    for alpha in alphas:
        point, name = OperatingPoint(40.0, alpha), f"sphere_a{alpha:g}"
        cosine = surface.points @ point.direction(3) / 0.5
        cp = Field(QUANTITIES["pressure_coefficient"], 1 - 2.25 * (1 - cosine**2))
        write_case(Case(surface, point, {cp.name: cp}, name=name), folder / "cases" / f"{name}.vtp")
        rows.append({"case": name, "geometry": "sphere", "alpha [deg]": alpha, "velocity [m/s]": 40.0, "CL": 0.0, "CD source": "inviscid: none", "CM": 0.0,
                     "Cp min": -1.25, "level": "inside", "reason": "as in training", "outcome": "converged", "seconds": 0.1})  # fmt: skip
    collection(folder / "surface.pvd", [(alpha, f"cases/sphere_a{alpha:g}.vtp") for alpha in alphas])
    write_table(folder, rows, about_of("A sphere", ["sphere"], settings={"surface_only": True}))
    return folder
