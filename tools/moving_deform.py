"""Deformers and transfers measured: rows of the benchmark of moving meshes. Every function returns rows, each a dict with its ``key``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
from moving_meshes import cube

import geoop
from geoop.interfaces.moving import Deformer
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.cgrid import cgrid
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import cell_centers, cell_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import Field, Quantity
from geoop.solve.deformers.elastic import Elastic
from geoop.solve.deformers.laplacian import Laplacian
from geoop.solve.deformers.motions import turned
from geoop.solve.deformers.radial_basis import RadialBasis
from geoop.solve.deformers.spring import Spring
from geoop.solve.deformers.validity import Validity, smallest_quality
from geoop.solve.transfer.carry import Method, transfer
from geoop.solve.transfer.conservative import Supermesh

#: Displaced meshes of a flow solver, where they are.
SU2 = Path(__file__).resolve().parents[2] / "shared" / "data" / "su2" / "fsi_airfoil_rbf"
METHODS: dict[str, Deformer] = {
    "rbf": RadialBasis(),
    "rbf, compact kernel": RadialBasis("wendland"),
    "elastic": Elastic(),
    "elastic, wall distance": Elastic("distance", 1.5),
    "laplacian": Laplacian(),
    "spring, edges": Spring("edge"),
    "spring, torsional": Spring("torsional", steps=1),
    "spring, ball-vertex": Spring(),
}
#: What is looked at in huge domains.
FAR: dict[str, Deformer] = {
    **{name: METHODS[name] for name in list(METHODS)[:5]},
    "rbf, reach of 3 chords": RadialBasis(reach=3.0),
    "rbf, compact kernel of 5 chords": RadialBasis("wendland", radius=5.0),
}
#: The measure of time: these are to stay below ten seconds at 1e5 nodes.
TIMED = ("rbf", "rbf, compact kernel", "elastic", "laplacian", "spring, torsional")
SIZES = {"1e4": (160, 64), "3e4": (280, 112), "1e5": (500, 200)}

Row = dict[str, Any]
Once = Callable[[str, Callable[[], Row]], None]


def measure(output: Path, once: Once) -> None:
    """All rows of this file.

    Args:
        output: folder for what is written on the way.
        once: ``once(key, make)`` makes and keeps a row unless there is one.
    """
    for name, (n_wall, n_normal) in SIZES.items():
        for method in TIMED:
            key = f"deform/seconds/{name}/{method}"
            once(key, lambda key=key, method=method, n_wall=n_wall, n_normal=n_normal: {"key": key, **timed(METHODS[method], n_wall, n_normal)})
    for grid in ("O-grid", "C-grid"):
        for method in METHODS:
            for degrees in (10, 20, 45):
                key = f"deform/pitch/{grid}/{degrees}/{method}"
                once(key, lambda key=key, grid=grid, degrees=degrees, method=method: {"key": key, **pitched(METHODS[method], grid, degrees)})
    for radius in (10, 100, 1000):
        for method in FAR:
            key = f"deform/far/{radius}/{method}"
            once(key, lambda key=key, radius=radius, method=method: {"key": key, **far(FAR[method], radius)})
    for method in TIMED[:4]:
        key = f"deform/solid/{method}"
        once(key, lambda key=key, method=method: {"key": key, **solid(METHODS[method])})
    for n in (21, 45):
        for method in TIMED[:4]:
            key = f"deform/tetrahedra/{(n + 1) ** 3}/{method}"
            once(key, lambda key=key, method=method, n=n: {"key": key, **tetrahedra(METHODS[method], n)})
    if SU2.is_dir():
        for method in METHODS:
            key = f"deform/su2/{method}"
            once(key, lambda key=key, method=method: {"key": key, **flow_solver(METHODS[method])})
    for method in get_args(Method):
        for n in (16, 32, 64):
            key = f"transfer/{method}/{n}"
            once(key, lambda key=key, method=method, n=n: {"key": key, **carried(method, n)})


def timed(method: Deformer, n_wall: int, n_normal: int) -> Row:
    """Seconds of ten degrees of pitch on an O-grid of n_wall x n_normal nodes with a first cell of 1e-5 chords."""
    mesh = ogrid(naca4(), n_wall=n_wall, n_normal=n_normal, outer_radius=10.0, first_height=1e-5)
    return {"nodes": len(mesh.points), **_moved(method, mesh, {"wall": turned(mesh.points[mesh.patch_points("wall")], -10.0, (0.25, 0.0))})}


def pitched(method: Deformer, grid: str, degrees: float) -> Row:
    """Smallest scaled Jacobian before and after a pitch in layers of 1e-5 chords."""
    if grid == "O-grid":
        mesh = ogrid(naca4(), n_wall=160, n_normal=60, outer_radius=10.0, first_height=1e-5)
    else:
        mesh = cgrid(naca4(), n_wall=160, n_wake=40, n_normal=60, first_height=1e-5)
    return {"nodes": len(mesh.points), **_moved(method, mesh, {"wall": turned(mesh.points[mesh.patch_points("wall")], -degrees, (0.25, 0.0))})}


def far(method: Deformer, radius: float) -> Row:
    """Ten degrees of pitch in a domain of a radius in chords: how far a point is moved at most, in largest displacements of the section, and where."""
    mesh = ogrid(naca4(), n_wall=96, n_normal=60, outer_radius=radius, first_height=1e-5)
    given = {"wall": turned(mesh.points[mesh.patch_points("wall")], -10.0, (0.25, 0.0))}
    shift = np.linalg.norm(method.deform(mesh, given).mesh.points - mesh.points, axis=1)
    place = float(np.linalg.norm(mesh.points[np.argmax(shift)] - [0.25, 0.0]))
    return {
        **_moved(method, mesh, given),
        "farthest over the wall's": float(shift.max() / np.linalg.norm(given["wall"], axis=1).max()),
        "at chords": place,
    }


def solid(method: Deformer, n: int = 45) -> Row:
    """A bump of a tenth of the side in the floor of a box of n^3 hexahedra, graded towards it."""
    t = np.linspace(0.0, 1.0, n + 1)
    height = np.expm1(5 * t) / np.expm1(5.0)
    points = np.stack(np.meshgrid(t, t, height, indexing="ij"), axis=-1).reshape(-1, 3)
    i = np.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    lower = (i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:])
    rows = np.stack([*(a[:, :, :-1].ravel() for a in lower), *(a[:, :, 1:].ravel() for a in lower)], axis=1)
    side = lambda a: np.stack([a[:-1, :-1], a[:-1, 1:], a[1:, 1:], a[1:, :-1]], axis=2).reshape(-1, 4)  # noqa: E731
    rest = np.concatenate([side(a) for a in (i[0], i[-1], i[:, 0], i[:, -1], i[:, :, -1])])
    mesh = Mesh(points, Cells.of(hexahedron=rows), {"floor": Cells.of(quad=side(i[:, :, 0])), "rest": Cells.of(quad=rest)})
    x = points[mesh.patch_points("floor")]
    lift = np.zeros_like(x)
    lift[:, 2] = 0.1 * (np.sin(np.pi * x[:, 0]) * np.sin(np.pi * x[:, 1])) ** 2
    return {"nodes": len(points), **_moved(method, mesh, {"floor": lift})}


def tetrahedra(method: Deformer, n: int, frames: int = 4) -> Row:
    """A bump of a tenth of the side in the floor of a box of (n + 1)^3 points and tetrahedra, inner points jittered; then further frames of a series."""
    mesh = cube(n + 1)
    points = mesh.points.copy()
    inner = ((points > 0) & (points < 1)).all(axis=1)
    points[inner] += 0.2 / n * np.random.default_rng(0).uniform(-1, 1, (int(inner.sum()), 3))
    mesh = mesh.moved(points)
    at = points[mesh.patch_points("z_min")]
    wave = np.sin(np.pi * at[:, 0]) * np.sin(np.pi * at[:, 1])
    frame = lambda k: {"z_min": np.stack([0.02 * np.sin(k) * wave, 0 * wave, 0.1 * np.cos(k) * wave**2], axis=1)}  # noqa: E731
    row = {"nodes": len(mesh.points), "cells": len(mesh.cells), **_moved(method, mesh, frame(0))}
    begun = time.process_time()
    for k in range(1, frames + 1):
        method.deform(mesh, frame(k))
    return {**row, "processor seconds of a further frame": (time.process_time() - begun) / frames}


def flow_solver(method: Deformer) -> Row:
    """The bending section that SU2 moved by its own elasticity: displacement of all inner points against that of the solver."""
    mesh, after = geoop.read(SU2 / "meshFlow.su2"), geoop.read(SU2 / "solution_fluid_0.dat").points
    own = after - mesh.points
    inner = np.ones(len(mesh.points), dtype=bool)
    for name in mesh.patches:
        inner[mesh.patch_points(name)] = False
    given = {name: own[mesh.patch_points(name)] for name in mesh.patches if name != "farfield"}
    moved = method.deform(mesh, given)
    off = moved.mesh.points - after
    return {
        "nodes": len(mesh.points),
        "relative L2 of inner displacement": float(np.linalg.norm(off[inner]) / np.linalg.norm(own[inner])),
        "quality by the solver": smallest_quality(mesh.moved(after), mesh),
        **_judged(mesh, moved),
    }


def carried(method: Method, n: int) -> Row:
    """sin 3x cos 2y from a jittered n x n mesh of triangles to one with a quarter more: errors, what is kept of the integrals, seconds."""
    old, new = _jittered(n, 0), _jittered(n + n // 4, 1)
    wave = lambda x: np.sin(3 * x[:, 0]) * np.cos(2 * x[:, 1])  # noqa: E731
    linear = lambda x: 1.0 + x @ [2.0, -3.0]  # noqa: E731
    items = (("wave", wave), ("linear", linear), ("one", lambda x: np.ones(len(x))))
    fields = [Field(Quantity(f"{name} point", "f"), function(old.points)) for name, function in items]
    fields += [Field(Quantity(f"{name} cell", "f"), function(cell_centers(old)), "cell") for name, function in items]
    begun = time.perf_counter()
    there = transfer(Case(old).with_fields(*fields), new, method=method)
    seconds = time.perf_counter() - begun
    row: Row = {"nodes": len(new.points), "seconds": seconds}
    for name, function in items:
        row[f"{name}, points"] = float(np.abs(there.field(f"{name} point").values - function(new.points)).max())
        row[f"{name}, cells"] = float(np.abs(there.field(f"{name} cell").values - function(cell_centers(new))).max())
    weights = [Supermesh.of(mesh, mesh).whole for mesh in (old, new)]
    row["integral, points"] = abs(float(weights[1] @ there.field("wave point").values - weights[0] @ wave(old.points)))
    row["integral, cells"] = abs(float(cell_measures(new) @ there.field("wave cell").values - cell_measures(old) @ wave(cell_centers(old))))
    return row


def _jittered(n: int, seed: int) -> Mesh:
    t = np.linspace(0.0, 1.0, n + 1)
    x = np.stack(np.meshgrid(t, t, indexing="ij"), axis=-1)
    x[1:-1, 1:-1] += 0.2 / n * np.random.default_rng(seed).uniform(-1, 1, (n - 1, n - 1, 2))
    i = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = (part.ravel() for part in (i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]))
    return Mesh(x.reshape(-1, 2), Cells.of(triangle=np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])))


def _moved(method: Deformer, mesh: Mesh, given: dict[str, np.ndarray]) -> Row:
    begun = time.process_time()
    moved = method.deform(mesh, given)
    spent = time.process_time() - begun
    return {**_judged(mesh, moved), "processor seconds": spent}


def _judged(mesh: Mesh, moved: Any) -> Row:
    return {
        "outcome": moved.outcome.status,
        "steps": moved.steps,
        "seconds": moved.seconds,
        "quality before": smallest_quality(mesh, mesh),
        "quality after": smallest_quality(moved.mesh, mesh) if moved.outcome.ok else None,
        "inverted": int(Validity.of(mesh).inverted(moved.mesh.points).sum()) if moved.outcome.ok else moved.inverted,
    }
