"""A mesh adapted to a field: the Monge-Ampere mover, a network that was trained for a moment without data, and a region with a re-entrant corner.

The picture of the README, ``examples/pictures/adapted_meshes.png``, is the ``adapted_meshes.png`` that this script writes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import geoop
from geoop.mesh.cells import Cells
from geoop.mesh.generate.grid import grid
from geoop.mesh.generate.triangles import mesh_inside
from geoop.models.mesh_mover import UnrolledMover
from geoop.results.neural_mover import NeuralMover
from geoop.studies.plots.moving import meshes_side_by_side
from geoop.train.mesh_moving import MovingSettings, fit_mover
from geoop.train.monitor_family import drawn_monitors


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    case = with_a_ring(square(25 if quick else 49))
    torch.manual_seed(0)
    model = UnrolledMover(24, 48, steps=3, width=0) if quick else UnrolledMover()
    settings = MovingSettings(steps=20, batch=4, points=200, cloud=200) if quick else MovingSettings(cpu_minutes=6.0)
    fit_mover(model, drawn_monitors(20 if quick else 512, 48 if quick else 96, seed=0), settings)
    checkpoint = NeuralMover(model).save(out / "mover.safetensors")

    numbers: dict[str, float] = {}
    bent = with_a_ring(l_shape(0.06 if quick else 0.03))
    found = {}
    for name, given, mover in (("Monge-Ampere", case, "monge-ampere"), ("network", case, checkpoint), ("variational", bent, "variational")):
        found[name] = geoop.adapt(given, "hessian:temperature", mover)
        print("written:", found[name].write(out / f"adapted-{name}.vtu").path)
        before, after = found[name].imbalance
        numbers |= {f"imbalance before, {name}": before, f"imbalance, {name}": after, f"inverted, {name}": found[name].moved.inverted}
    shown = geoop.adapt(with_a_ring(square(33)), "hessian:temperature", "monge-ampere").case.mesh  # coarser: single cells are seen
    meshes = {"square": square(33), "Monge-Ampere": shown, "L": bent.mesh, "variational": found["variational"].case.mesh}
    print("written:", meshes_side_by_side(meshes, out / "adapted_meshes.png"))
    for what, value in numbers.items():
        print(f"{what}: {value:.3f}")
    return numbers


def square(n: int) -> geoop.Mesh:
    """The unit square of n x n points."""
    return grid((n - 1, n - 1), simplices=True)


def l_shape(size: float) -> geoop.Mesh:
    """The unit square without its upper right quarter, of edges of a length [m]."""
    corners = np.array([[0, 0], [1, 0], [1, 0.5], [0.5, 0.5], [0.5, 1], [0, 1]])
    count = lambda a, b: int(np.ceil(np.abs(b - a).sum() / size - 1e-9))  # noqa: E731
    sides = [np.linspace(a, b, count(a, b), endpoint=False) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    points = np.concatenate(sides)
    row = np.arange(len(points))
    lines = Cells.of(line=np.stack([row, np.roll(row, -1)], axis=1))
    return mesh_inside(geoop.Mesh(points, lines, {"wall": lines}, name="L"), size=size)


def with_a_ring(mesh: geoop.Mesh) -> geoop.Case:
    temperature = np.tanh((np.linalg.norm(mesh.points - 0.5, axis=1) - 0.25) / 0.05)
    return geoop.Case(mesh).with_fields(geoop.Field(geoop.Quantity("temperature", "T", "K"), temperature))


if __name__ == "__main__":
    main()
