"""A mesh adapted to a field: the Monge-Ampere mover, and a network that was trained for a moment without data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import geoop
from geoop.mesh.cells import Cells
from geoop.models.mesh_mover import UnrolledMover
from geoop.results.neural_mover import NeuralMover
from geoop.train.mesh_moving import MovingSettings, fit_mover
from geoop.train.monitor_family import drawn_monitors


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    n = 25 if quick else 49
    x = np.linspace(0, 1, n)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    k = np.arange(n * n).reshape(n, n)
    corners = [part.ravel() for part in (k[:-1, :-1], k[1:, :-1], k[1:, 1:], k[:-1, 1:])]
    triangles = np.concatenate([np.stack([corners[i] for i in row], axis=1) for row in ((0, 1, 2), (0, 2, 3))])
    mesh = geoop.Mesh(points, Cells.of(triangle=triangles), name="square")
    temperature = np.tanh((np.linalg.norm(points - 0.5, axis=1) - 0.25) / 0.05)
    case = geoop.Case(mesh).with_fields(geoop.Field(geoop.Quantity("temperature", "T", "K"), temperature))

    torch.manual_seed(0)
    model = UnrolledMover(24, 48, steps=3, width=0) if quick else UnrolledMover()
    settings = MovingSettings(steps=20, batch=4, points=200, cloud=200) if quick else MovingSettings(cpu_minutes=6.0)
    fit_mover(model, drawn_monitors(20 if quick else 512, 48 if quick else 96, seed=0), settings)
    checkpoint = NeuralMover(model).save(out / "mover.safetensors")

    numbers: dict[str, float] = {}
    for name, mover in (("Monge-Ampere", "monge-ampere"), ("network", checkpoint)):
        adapted = geoop.adapt(case, "hessian:temperature", mover)
        adapted.write(out / f"adapted-{name}.vtu")
        numbers |= {"imbalance before": adapted.imbalance[0], f"imbalance, {name}": adapted.imbalance[1], f"inverted, {name}": adapted.moved.inverted}
    for what, value in numbers.items():
        print(f"{what}: {value:.3f}")
    return numbers


if __name__ == "__main__":
    main()
