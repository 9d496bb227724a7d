"""Programs with the names of OpenFOAM's that say and do what a test wants; they stand on PATH before the real ones."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np

from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import circle
from geoop.truth.openfoam.foam_case import FoamCase
from geoop.truth.openfoam.settings import Steady

POINT = OperatingPoint(2.0, density=1.5, viscosity=0.03, reference_length=1.0)
GOOD_MESH = "echo 'Mesh OK.'"


def grid() -> Mesh:
    return ogrid(circle(100, 0.5), n_wall=24, n_normal=9, first_height=0.05, outer_radius=20.0)


def steady_case(folder: Path, **settings) -> Path:
    return FoamCase(grid(), POINT, Steady(**{"iterations": 100, **settings})).write(folder)


def install(folder: Path, monkeypatch, **scripts: str) -> None:
    """Shell scripts under these names, and nothing else of OpenFOAM: the folder stands before /usr/bin for ``sh``, ``sleep`` and ``cat``."""
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("WM_PROJECT_DIR", str(folder))


def log_of(drag: np.ndarray, residual: np.ndarray, lift: np.ndarray | None = None, step: float = 1.0) -> str:
    """What simpleFoam prints, abridged."""
    lift = np.zeros(len(drag)) if lift is None else lift
    lines = []
    for number, (cd, cl, size) in enumerate(zip(drag, lift, residual, strict=True), 1):
        lines += [
            f"Time = {number * step:.10g}",
            "",
            f"smoothSolver:  Solving for Ux, Initial residual = {size}, Final residual = {size / 100}, No Iterations 2",
            f"GAMG:  Solving for p, Initial residual = {size}, Final residual = {size / 100}, No Iterations 2",
            f"GAMG:  Solving for p, Initial residual = {size / 9}, Final residual = {size / 1000}, No Iterations 2",
            "forceCoeffs forceCoeffs execute:",
            f"        Cd       : {cd}\t(pressure: 1\tviscous: 2)",
            f"        Cl       : {cl}\t(pressure: 1\tviscous: 2)",
        ]
    return "\n".join(lines) + "\nEnd\n"
