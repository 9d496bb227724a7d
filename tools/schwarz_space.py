"""Laplace in space for ``tools/benchmark schwarz``: a local operator trained on polyhedra, stitched on more than 1e5 nodes."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmark_memory import status
from schwarz_problems import imposed

import geoop
from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.tetrahedra import mesh_solid
from geoop.mesh.mesh import Mesh
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.presets import PRESETS
from geoop.results.local_surrogate import LocalSurrogate
from geoop.results.surrogate import Surrogate
from geoop.solve.equations import Diffusion
from geoop.solve.schwarz.iteration import Schwarz
from geoop.solve.schwarz.settings import SchwarzSettings
from geoop.train.fit import fit
from geoop.train.settings import FitSettings
from geoop.truth.datasets.polyhedra import hollow_ball

CASES, CELL, BATCH = 1000, 0.1, 4
#: Nodes that a part owns, about: as many as the polyhedra of the training have.
PART = 700
#: Pairs of points in one forward pass.
PAIRS = 200_000


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


def measured_in_space(output: Path, cpu_minutes: float, nodes: int = 110_000) -> dict[str, Any]:
    """Stitched and certified, beside one direct (multigrid) solve of the whole: each in a process of its own, whose memory is its own."""
    operator_in_space(output, cpu_minutes)
    mesh = solid(nodes)
    (wall,) = mesh.patches.values()
    found: dict[str, Any] = {"section": "space", "nodes": len(mesh.points), "cells": len(mesh.cells)}
    case = output / "space.npz"  # all processes read the same mesh
    np.savez(case, points=mesh.points, tetra=mesh.cells.block("tetra"), wall=wall.block("triangle"))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        found["memory idle [MB]"] = pool.submit(_idle, case).result()
        truth, direct = pool.submit(_direct, case).result()
        u, stitched = pool.submit(_stitched, case, output, cpu_minutes, max(len(mesh.points) // PART, 8)).result()
        proof, certified = pool.submit(_certified, case, u, stitched["parts"]).result()
    found |= direct | stitched | certified
    found["error"] = 100 * float(np.linalg.norm(u - truth) / np.linalg.norm(truth))
    found["certified error"] = 100 * float(np.linalg.norm(proof - truth) / np.linalg.norm(truth))
    return found


def _case(file: Path) -> Case:
    with np.load(file) as read:
        points, tetra, wall = read["points"], read["tetra"], read["wall"]
    mesh = Mesh(points, Cells.of(tetra=tetra), {"wall": Cells.of(triangle=wall)}, name="hollow ball")
    at = points[mesh.patch_points("wall")] / np.ptp(points[:, 0])
    return Case(mesh, None, {}, imposed(mesh, "wall", np.cos(7.0 * at[:, 0]) * np.sin(5.0 * at[:, 1] + 1.0) + at[:, 2]))


def _idle(file: Path) -> float:
    """Peak memory [MB] of a process that has imported everything, holds the case and does nothing."""
    _case(file)
    return status("VmHWM")


def _direct(file: Path) -> tuple[np.ndarray, dict[str, Any]]:
    begun = time.perf_counter()
    truth = Diffusion().discrete(_case(file)).solve()
    return truth, {"fem seconds": time.perf_counter() - begun, "fem memory [MB]": status("VmHWM")}


def _stitched(file: Path, output: Path, cpu_minutes: float, parts: int) -> tuple[np.ndarray, dict[str, Any]]:
    torch.set_num_threads(1)
    begun = time.perf_counter()
    solver = LocalSurrogate(operator_in_space(output, cpu_minutes), pairs=PAIRS, store=output / "matrices")
    iteration = Schwarz(_case(file), Diffusion(), solver, SchwarzSettings(parts=parts, overlap=1, relaxation=1.0, fallback=False))
    iteration.sweep(iteration.problem.start(iteration.first_guess()))
    prepared = time.perf_counter()
    result = iteration.solve()
    points = [len(part.nodes) for part in iteration.decomposition.parts]
    rims = [int((~part.inner).sum()) for part in iteration.decomposition.parts]
    return result.u, {
        "parts": len(points),
        "sweeps": result.sweeps,
        "preparation": prepared - begun,
        "seconds": time.perf_counter() - prepared,
        "memory [MB]": status("VmHWM"),
        "largest part, points": max(points),
        "largest matrix of a part [MB]": max(n * m * 8e-6 for n, m in zip(points, rims, strict=True)),
    }


def _certified(file: Path, u: np.ndarray, parts: int) -> tuple[np.ndarray, dict[str, Any]]:
    begun = time.perf_counter()
    proof = Schwarz(_case(file), Diffusion(), None, SchwarzSettings(parts=parts, overlap=1, certify=1e-8, sweeps=1)).solve(start=u)
    assert proof.certificate is not None
    return proof.u, {
        "certified": proof.certificate.residual,
        "steps": proof.certificate.steps,
        "from zero": proof.certificate.from_zero,
        "certificate seconds": time.perf_counter() - begun,
        "certificate memory [MB]": status("VmHWM"),
    }
