"""Movers trained from the places where the classical mover puts the nodes (UM2N's training), beside the data-free ones at equal CPU-minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from moving_neural import MINUTES, MONITORS, compared, square, unstructured

from geoop.graph.pointset import PointSet
from geoop.interfaces.moving import Mover
from geoop.models.branch_trunk_mover import BranchTrunkMover
from geoop.models.cosine_potential import sampled
from geoop.models.mesh_mover import AbstractMeshMover, UnrolledMover
from geoop.results.neural_mover import NeuralMover
from geoop.results.surrogate import load
from geoop.solve.monitors import FunctionMonitor, hessian_monitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.train.mesh_moving import MovingSettings, fit_mover
from geoop.train.monitor_family import drawn_monitors

#: Nodes per direction of the squares whose moved nodes are the targets, and of the lattices of the monitors.
NODES, LATTICE = 48, 96
#: Monitors with targets that are kept from training.
UNSEEN = 24


def measure(output: Path, once: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]) -> None:
    """Trainings and gains; rows stand in the tables of the data-free movers, on the same fields. ``once(key, make)`` makes and keeps a row."""
    torch.set_num_threads(1)
    folder = output / "movers"
    movers: dict[str, Mover] = {"Monge-Ampere by finite elements": MongeAmpere()}
    for name, make in (("unrolled", UnrolledMover), ("branch and trunk", BranchTrunkMover)):
        file = _file(folder, f"{name}, supervised")
        once(f"neural/training/{name}, supervised", lambda make=make, file=file: _train(make(), file))
        if file.exists():
            movers[f"{name}, supervised"] = load(file)
    once("neural/distance to the classical nodes/none moved", lambda: {"spacings": distance(folder, None)})
    for name in _NAMES:
        file = _file(folder, name)
        if file.exists():
            model = load(file).model
            once(f"neural/distance to the classical nodes/{name}", lambda model=model: {"spacings": distance(folder, model)})
    for mesh in (square(48), unstructured(0.02)):
        for row in compared(movers, hessian_monitor, mesh):
            if row["mover"] in movers and "supervised" in row["mover"]:
                once(f"neural/{mesh.name or 'unstructured'}, {row['fields']}/{row['mover']}", lambda row=row: row)


_NAMES = ("unrolled", "branch and trunk", "unrolled, supervised", "branch and trunk, supervised")


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(',', '').replace(' ', '-')}.safetensors"


def classical_nodes(log_monitors: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """(k, nodes, nodes, 2) places of the nodes by the finite-element Monge-Ampere mover, and which (k,) of the monitors it converged for."""
    mesh, mover, places, kept = square(nodes), MongeAmpere(), [], []
    for number, log_m in enumerate(log_monitors):
        lattice = torch.from_numpy(log_m).double()[None]

        def density(x: np.ndarray, lattice: torch.Tensor = lattice) -> np.ndarray:
            return sampled(lattice, torch.from_numpy(x)[None])[0].exp().numpy()

        moved = mover.move(mesh, FunctionMonitor(density))
        if moved.outcome.status == "converged":
            places.append(moved.mesh.points.reshape(nodes, nodes, 2))
            kept.append(number)
    return np.stack(places), np.array(kept)


def distance(folder: Path, model: AbstractMeshMover | None) -> float:
    """Root mean square distance of a mover's nodes from the classical ones on unseen monitors of the family, in spacings."""
    monitors, places, _ = _with_targets(folder, "unseen", UNSEEN, 99)
    place = torch.linspace(0, 1, NODES, dtype=torch.float32)
    nodes = torch.stack(torch.meshgrid(place, place, indexing="ij"), dim=-1).reshape(1, -1, 2)
    found = nodes
    if model is not None:
        with torch.no_grad():
            log_m = torch.from_numpy(monitors)
            latent = model.solve(log_m) if isinstance(model, UnrolledMover) else torch.cat([_encoded(model, m) for m in log_m])
            found = nodes + model.displacement(latent, nodes)
    missed = (found - torch.from_numpy(places).float().reshape(len(places), -1, 2)).square().sum(dim=-1)
    return float(missed.mean().sqrt()) * (NODES - 1)


def _encoded(model: AbstractMeshMover, log_m: torch.Tensor) -> torch.Tensor:
    """What a branch makes of a monitor that it is given at the nodes of its lattice."""
    place = (torch.arange(len(log_m)) + 0.5) / len(log_m)
    values = log_m.reshape(-1, 1)
    return model.encode(PointSet(torch.cartesian_prod(place, place), values, weight=torch.full((len(values),), 1 / len(values))))


def _with_targets(folder: Path, name: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Monitors of the family, the classical nodes, and the CPU-seconds that these took; kept in a file for the next one who asks."""
    file = folder / f"classical-nodes-{name}.npz"
    if not file.exists():
        begun, drawn = time.process_time(), drawn_monitors(count, LATTICE, seed)
        places, kept = classical_nodes(drawn, NODES)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(file, monitors=drawn[kept], places=places, spent=time.process_time() - begun)
    with np.load(file) as found:
        return found["monitors"], found["places"], float(found["spent"])


def _train(model: AbstractMeshMover, file: Path) -> dict[str, Any]:
    """A training whose budget pays for its targets, too."""
    monitors, places, spent = _with_targets(file.parent, "train", MONITORS, 0)
    begun, how = time.process_time(), MovingSettings(cpu_minutes=MINUTES - spent / 60, seed=0)
    history = fit_mover(model, monitors, how, targets=places, progress=False)
    about = {"family": "LayeredField", "monitors": len(monitors), "target_cpu_seconds": spent, "cpu_seconds": spent + time.process_time() - begun}
    about |= {"parameters": sum(p.numel() for p in model.parameters()), "steps": 20 * len(history)}
    NeuralMover(model, about).save(file)
    return {**about, "model": type(model).__name__, "loss": float(np.mean([value for _, value in history[-10:]]))}
