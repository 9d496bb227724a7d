"""Laplace in space for ``tools/benchmark schwarz``: a local operator trained on polyhedra, stitched on more than 1e5 nodes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from schwarz_problems import imposed

import geoop
from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.mesh.generate.tetrahedra import mesh_solid
from geoop.mesh.mesh import Mesh
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.presets import PRESETS
from geoop.results.local_surrogate import LocalSurrogate
from geoop.results.surrogate import Surrogate
from geoop.solve.equations import Diffusion
from geoop.solve.schwarz import Schwarz
from geoop.solve.schwarz_settings import SchwarzSettings
from geoop.train.fit import FitSettings, fit
from geoop.truth.datasets.polyhedra import hollow_ball

CASES, CELL, BATCH = 1000, 0.1, 4
#: Nodes that a part owns, about: as many as the polyhedra of the training have.
PART = 700


def operator_in_space(output: Path, cpu_minutes: float) -> Surrogate:
    """Trained on ``polyhedra-laplace``; loaded where it was trained before."""
    data, folder = output / "data" / f"polyhedra-laplace-{CASES}", output / "runs" / f"polyhedra-cpu{cpu_minutes:g}"
    if (folder / "done").exists():
        return geoop.load(folder / "best.safetensors")
    dataset = Dataset.open(data) if (data / "dataset.toml").exists() else geoop.generate("polyhedra-laplace", data, n=CASES)
    torch.set_num_threads(1)
    settings = FitSettings(cpu_minutes=cpu_minutes, batch=BATCH, domain_points=4000, vary_points=1.0)
    sizes = PRESETS["BoundaryKernel"]["small"]
    surrogate = fit(
        dataset,
        folder,
        quantities=("solution",),
        inputs=("boundary solution",),
        model=lambda ports: BoundaryKernel(ports, **sizes),
        settings=settings,
    )
    (folder / "done").touch()
    return surrogate


def solid(nodes: int) -> Mesh:
    """A ball with a cavity, large enough for so many nodes of cells of the size that was trained on."""
    surface = hollow_ball()
    volume = 4.0 / 3.0 * np.pi * (0.7**3 - 0.35**3)
    factor = (nodes * CELL**3 / (0.8 * volume)) ** (1.0 / 3.0)
    return mesh_solid(Mesh(surface.points * factor, surface.cells, surface.patches, name="hollow ball"), size=CELL)


def measured_in_space(output: Path, cpu_minutes: float, memory: Callable[[], float], nodes: int = 110_000) -> dict[str, Any]:
    """Stitched and certified, beside one direct (multigrid) solve of the whole."""
    surrogate = operator_in_space(output, cpu_minutes)
    mesh = solid(nodes)
    wall = next(iter(mesh.patches))
    at = mesh.points[mesh.patch_points(wall)] / np.ptp(mesh.points[:, 0])
    values = np.cos(7.0 * at[:, 0]) * np.sin(5.0 * at[:, 1] + 1.0) + at[:, 2]
    case, found = Case(mesh, None, {}, imposed(mesh, wall, values)), {"section": "space", "nodes": len(mesh.points), "cells": len(mesh.cells)}
    begun = time.perf_counter()
    truth = Diffusion().discrete(case).solve()
    found["fem seconds"], found["memory [MB]"] = time.perf_counter() - begun, memory()
    parts = max(len(mesh.points) // PART, 8)
    begun = time.perf_counter()
    settings = SchwarzSettings(parts=parts, overlap=1, relaxation=1.0, fallback=False)
    iteration = Schwarz(case, Diffusion(), LocalSurrogate(surrogate), settings)
    result = iteration.solve()
    found |= {"parts": len(iteration.decomposition), "sweeps": result.sweeps, "seconds": time.perf_counter() - begun}
    points = [len(part.nodes) for part in iteration.decomposition.parts]
    rims = [int((~part.inner).sum()) for part in iteration.decomposition.parts]
    found |= {"largest part, points": max(points), "largest matrix of a part [MB]": max(n * m * 8e-6 for n, m in zip(points, rims, strict=True))}
    found["error"] = 100 * float(np.linalg.norm(result.u - truth) / np.linalg.norm(truth))
    begun = time.perf_counter()
    proof = Schwarz(case, Diffusion(), None, SchwarzSettings(parts=parts, overlap=1, certify=1e-8, sweeps=1)).solve(start=result.u)
    assert proof.certificate is not None
    found |= {"certified": proof.certificate.residual, "steps": proof.certificate.steps, "from zero": proof.certificate.from_zero}
    found["certificate seconds"] = time.perf_counter() - begun
    found["certified error"] = 100 * float(np.linalg.norm(proof.u - truth) / np.linalg.norm(truth))
    return found
