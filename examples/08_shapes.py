"""Shapes as small clouds of latents: an atlas of sections, what lies between two of them, and which shape is foreign to all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4, ring
from geoop.models.shape_field import ShapeField
from geoop.studies.atlas import Atlas, placed
from geoop.studies.plots.atlas import atlas_picture
from geoop.train.shapes import ShapeSettings, fit_shapes


def sections(count: int) -> dict[str, Mesh]:
    """Random NACA four-digit sections by their digits."""
    random, found = np.random.default_rng(0), {}
    while len(found) < count:
        camber = int(random.integers(0, 7))
        place = int(random.integers(2, 7)) if camber else 0
        digits = f"{camber}{place}{int(random.integers(6, 25)):02d}"
        found[digits] = naca4(digits, 120)
    return found


def main(quick: bool = False, out: Path = Path("out")) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    shapes = sections(40 if quick else 120)
    known, unseen = dict(list(shapes.items())[:-20]), dict(list(shapes.items())[-20:])
    torch.manual_seed(0)
    # 16 latents of 8 numbers on a grid, from the surface in one pass; their field is the signed distance
    field = ShapeField(2, latents=16, context=8, width=32, poses="grid", encoder="surface", samples=1024 if quick else 2048, surface_points=160)
    settings = ShapeSettings(steps=120) if quick else ShapeSettings(minutes=2.0, points=256)
    fit_shapes(field, [field.prepare(placed(mesh)[0]) for mesh in known.values()], settings)

    atlas = Atlas.of(known, field)
    atlas.save(out / "sections.safetensors")
    name, mesh = next(iter(unseen.items()))
    print(f"nearest to NACA {name}:", ", ".join(f"{near.name} ({near.distance:.2f})" for near in atlas.nearest(mesh, 3)))
    thickness = {digits: float(digits[2:]) for digits in known}
    atlas_picture(atlas, out / "atlas.png", values=thickness, label="thickness [% of chord]", title="NACA sections by their latents")

    thin, thick = min(known, key=thickness.__getitem__), max(known, key=thickness.__getitem__)
    middle = atlas.between(thin, thick, 0.5)
    heights = {digits: float(np.ptp(known[digits].points[:, 1])) for digits in (thin, thick)}
    triangle = ring(np.array([[0.0, 0.0], [1.0, -0.1], [0.9, 0.4]]), "triangle")
    first = np.corrcoef(atlas.map().positions[:, 0], list(thickness.values()))[0, 1]
    numbers = {
        "thickness along the first component": abs(float(first)),
        "height of the thin one": heights[thin],
        "height between": float(np.ptp(middle.points[:, 1])),
        "height of the thick one": heights[thick],
        "unseen sections flagged": float(np.mean([atlas.foreignness(mesh).flagged() for mesh in unseen.values()])),
        "triangle flagged": float(atlas.foreignness(triangle).flagged()),
    }
    for what, value in numbers.items():
        print(f"{what}: {value:.3f}")
    return numbers


if __name__ == "__main__":
    main()
