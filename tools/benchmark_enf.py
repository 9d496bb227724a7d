"""Equivariant neural fields: shapes from few numbers beside their controls, and the speed of decoding. Resumable: what was measured is kept.

Shapes are sections of the UIUC collection and random polygons, half of each, in their own frame (chord or longest diagonal 1). The test shapes are other
ones, and nothing is chosen on them. Fields of flows are measured by ``benchmark operators`` with the models Enf2Enf and its ablations.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import kept_rows
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from geoop.errors import GeoopError
from geoop.graph.pointset import PointSet
from geoop.mesh.case import Case
from geoop.mesh.generate.polygons import random_polygon
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4, ring
from geoop.models.enf2enf import Enf2Enf
from geoop.models.ports import Ports
from geoop.models.presets import PRESETS
from geoop.models.shape_field import PreparedShape, ShapeField
from geoop.scaling.body_frame import BodyFrame
from geoop.scaling.casting import OUTLINE_ODD
from geoop.scaling.framing import Framing
from geoop.train.shapes import ShapeSettings, fit_shapes
from geoop.truth.datasets import uiuc

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "out" / "enf"
#: Measured on the machine that the README names, kept with the project.
MEASURED = Path(__file__).resolve().parent / "measured" / "enf.json"
#: Arguments of the fields. All have 72 numbers per shape but the last two, with 512; latents on the body also know where they stand.
FIELDS: dict[str, dict[str, Any]] = {
    "9 x 8 on a grid, meta-learned": {"encoder": "meta"},
    "9 x 8 on a grid, meta-learned, first order": {"encoder": "meta", "second_order": False},
    "9 x 8 on a grid, one pass": {"encoder": "surface"},
    "9 x 8 on a grid, optimised": {"encoder": "auto"},
    "9 x 8 on the body, one pass": {"encoder": "surface", "poses": "body", "nearest": 4},
    "one latent of 72, one pass": {"latents": 1, "context": 72, "invariant": "absolute", "encoder": "surface"},
    "one latent of 72, meta-learned": {"latents": 1, "context": 72, "invariant": "absolute", "encoder": "meta"},
    "64 x 8 on a grid, one pass": {"latents": 64, "nearest": 6, "encoder": "surface"},
    "64 x 8 on the body, one pass": {"latents": 64, "nearest": 6, "encoder": "surface", "poses": "body"},
}
#: Shapes per step, samples of each, points by which a surface is seen: the same for all, and few, as many short steps teach more than few long ones.
BATCH, POINTS, SURFACE_POINTS = 16, 128, 128
#: Training shapes of either kind, and test shapes.
TRAIN, TEST = 400, 50
CASE = Case(naca4("2412", 200), OperatingPoint(velocity=1.0, alpha=4.0), wall=("wall",))


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark enf", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", nargs="*", type=int, default=list(range(len(FIELDS))), help="; ".join(f"{k} {n}" for k, n in enumerate(FIELDS)))
    parser.add_argument("--cpu-minutes", type=float, default=6.0, help="computing time of each training, on one thread")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--inference", action="store_true", help="seconds of preparing, encoding and decoding, and nothing else")
    parser.add_argument("--points", type=int, default=100_000, help="decoded with --inference")
    parser.add_argument("--report", action="store_true", help="only print the table of what was measured")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if given.inference:
        inference(given.points)
        return
    shapes = None
    for number in [] if given.report else given.fields:
        for seed in given.seeds:
            name = list(FIELDS)[number]
            key = f"{name}/cpu{given.cpu_minutes:g}/seed{seed}"
            if key not in rows():
                shapes = shapes or sets()
                kept_rows.keep(
                    OUTPUT / "rows",
                    {"key": key, "name": name, "cpu_minutes": given.cpu_minutes, "seed": seed, **measured(name, given.cpu_minutes, seed, shapes)},
                )
    report()


def sets() -> dict[str, list[Mesh]]:
    """Shapes in their own frames under ``train``, ``sections`` and ``polygons``: the same ones on every machine that has the collection."""
    random = np.random.default_rng(0)
    sections: list[Mesh] = []
    names = uiuc.candidates()
    for name in (names[k] for k in random.permutation(len(names))):
        try:
            sections.append(framed(ring(uiuc.usable(uiuc.section(name)).points, name)))
        except GeoopError:
            continue  # one of those that the data set uiuc-panel leaves out, too
        if len(sections) == TRAIN + TEST:
            break
    polygons = [framed(ring(random_polygon(random, int(random.integers(5, 12))), f"polygon {k}")) for k in range(TRAIN + TEST)]
    return {"train": sections[:TRAIN] + polygons[:TRAIN], "sections": sections[TRAIN:], "polygons": polygons[TRAIN:]}


def framed(outline: Mesh) -> Mesh:
    """The outline in its own frame."""
    return outline.moved(BodyFrame.of(outline).points_in(outline.points))


def measured(name: str, cpu_minutes: float, seed: int, shapes: dict[str, list[Mesh]]) -> dict[str, Any]:
    """Train a field, and look at unseen shapes."""
    torch.manual_seed(seed)
    field = ShapeField(**FIELDS[name], surface_points=SURFACE_POINTS)
    prepared = {part: [field.prepare(shape) for shape in meshes] for part, meshes in shapes.items()}
    print(name, file=sys.stderr, flush=True)
    settings = ShapeSettings(cpu_minutes=cpu_minutes, batch=BATCH, points=POINTS, near=0.5, seed=seed)
    history = fit_shapes(field, prepared["train"], settings, progress=False)
    row: dict[str, Any] = {"parameters": sum(p.numel() for p in field.parameters()), "steps": 20 * len(history)}
    for part in ("sections", "polygons"):
        row[part] = {key: float(np.mean(values)) for key, values in errors(field, prepared[part]).items()}
    return row


def errors(field: ShapeField, shapes: Sequence[PreparedShape]) -> dict[str, list[float]]:
    """Per shape: root mean square error of the distance with its contexts and with none, distance of the zero set, time of encoding."""
    found: dict[str, list[float]] = {}
    for shape in shapes:
        started = time.process_time()
        with torch.no_grad():
            latents = field.encode(shape)
        seconds = time.process_time() - started
        samples, surface = shape.observed.samples, shape.observed.surface
        assert samples is not None
        start = torch.ones if field.arguments["encoder"] == "meta" else torch.zeros
        poses = field.posed(shape)
        bare = poses.with_features(scalars=start(len(poses), field.decoder.context))
        pos = surface.pos.clone().requires_grad_()
        value = field.field(latents, PointSet(pos, ptr=surface.ptr))
        (slope,) = torch.autograd.grad(value.sum(), pos)
        # to first order the way from a point of the surface to the zero set
        away = (value[:, 0].detach().abs() / slope.norm(dim=1).clamp_min(0.1)).numpy()
        with torch.no_grad():
            rmse, plain = (float((field.field(z, samples) - samples.scalars).square().mean().sqrt()) for z in (latents, bare))
        values = {"rmse": rmse, "rmse without contexts": plain, "zero set mean": away.mean(), "zero set 95 %": np.quantile(away, 0.95)}
        values |= {"zero set largest": away.max(), "milliseconds": 1000 * seconds}
        for key, number in values.items():
            found.setdefault(key, []).append(float(number))
    return found


#: Sizes whose speed is compared; the published one has heads of 128 features each, two of them, and sees all of 9 latents.
SPEED: dict[str, dict[str, Any]] = {
    "small, one pass": PRESETS["Enf2Enf"]["small"],
    "small, one pass, no layer potentials": {**PRESETS["Enf2Enf"]["small"], "densities": 0},
    "small, meta-learned": {**PRESETS["Enf2Enf"]["small"], "densities": 0, "encoder": "meta", "latents": 9},
    "published width, meta-learned": {"width": 256, "heads": 2, "latents": 9, "nearest": 9, "densities": 0, "encoder": "meta"},
}


def inference(count: int) -> None:
    """Seconds on one thread for one section, models as they are made: what they have learned does not change their speed."""
    framing = replace(Framing.fit([CASE], surface_points=200, domain_points=512), domain="around", reach=1.5)
    own = framing.of(CASE)
    points = np.random.default_rng(0).uniform([-1.0, -1.0], [1.5, 1.0], (count, 2))
    started = time.process_time()
    queries = own.local_queries(points)
    table = Table(title=f"one section, {count} points, one thread; their signed distance takes {time.process_time() - started:.2f} s")
    for title in ("model", "parameters", "prepare [s]", "encode [s]", "decode [s]", "encode + decode [s]"):
        table.add_column(title, justify="left" if title == "model" else "right")
    ports = Ports(scalars_out=1, vectors_out=1, vectors_in=1, surface_scalars=10, surface_odd=OUTLINE_ODD, body=True)
    for name, sizes in SPEED.items():
        model = Enf2Enf(ports, **sizes).eval()
        inputs = framing.inputs(CASE, own)
        with torch.no_grad():
            model.decode(model.encode(model.prepare(own.geometry), inputs), queries.take(torch.arange(1000)))
            times = [time.process_time()]
            prepared = model.prepare(own.geometry)
            times.append(time.process_time())
            latent = model.encode(prepared, inputs)
            times.append(time.process_time())
            model.decode(latent, queries)
            times.append(time.process_time())
        spent = np.diff(times)
        table.add_row(name, str(sum(p.numel() for p in model.parameters())), *(f"{s:.3f}" for s in (*spent, spent[1:].sum())))
    Console(width=140).print(table)


def rows() -> dict[str, dict[str, Any]]:
    """Everything measured so far, by key."""
    return kept_rows.rows(MEASURED, OUTPUT / "rows")


def report() -> None:
    """The table of what was measured: means over the test shapes of every kind, lengths in chords."""
    table = Table(title="unseen shapes (sections / polygons), lengths in 1/1000 of the chord; the zero set is that far from the surface")
    for title in ("field", "parameters", "CPU-min", "steps", "RMSE", "without contexts", "zero set: mean", "95 %", "largest", "encode [ms]"):
        table.add_column(title, justify="left" if title == "field" else "right")
    for row in rows().values():
        parts = row["sections"], row["polygons"]
        shown = [" / ".join(f"{1000 * part[key]:.2f}" for part in parts) for key in ("rmse", "rmse without contexts")]
        shown += [" / ".join(f"{1000 * part[f'zero set {key}']:.2f}" for part in parts) for key in ("mean", "95 %", "largest")]
        shown += [" / ".join(f"{part['milliseconds']:.1f}" for part in parts)]
        name = row["name"] + (f", seed {row['seed']}" if row["seed"] else "")
        table.add_row(name, str(row["parameters"]), f"{row['cpu_minutes']:g}", str(row["steps"]), *shown)
    Console(width=200).print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
