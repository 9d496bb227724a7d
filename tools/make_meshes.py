#!/usr/bin/env python3
"""Write the small meshes of the folder meshes/: every one is a formula, so none of them is anybody's data.

    python tools/make_meshes.py [DIRECTORY]

The files have another writer than geoop's own on purpose: plain text and bytes as the formats' descriptions say, so that
reading them back tests the readers.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from geoop.mesh.cells import Cells
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import facet_normals
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, icosphere, naca4, wing


def selig(section: Mesh, title: str) -> bytes:
    """Aerofoil coordinates from the trailing edge over the upper surface and back, chord 1."""
    points = np.concatenate([section.points, section.points[:1]])
    return (title + "\n" + "".join(f"{x:10.7f} {y:10.7f}\n" for x, y in points + 0.0)).encode()


def binary_stl(surface: Mesh, title: str) -> bytes:
    """Triangles with their normals, little-endian single precision; the format has no unit, so the header names it."""
    head = title.encode().ljust(80) + struct.pack("<I", len(surface.cells))
    rows = np.zeros(len(surface.cells), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["normal"], rows["corners"] = facet_normals(surface), surface.points[surface.cells.block("triangle")]
    return head + rows.tobytes()


def obj(surface: Mesh, title: str) -> bytes:
    """Polygons in one group per patch; indices count from one."""
    lines = [f"# {title}"] + [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in surface.points]
    for name, part in surface.patches.items():
        lines.append(f"g {name}")
        lines += ["f " + " ".join(str(i + 1) for i in cell) for cell in part]
    return ("\n".join(lines) + "\n").encode()


def ply(surface: Mesh, title: str) -> bytes:
    """Polygons in plain text."""
    head = f"ply\nformat ascii 1.0\ncomment {title}\nelement vertex {len(surface.points)}\nproperty double x\nproperty double y\nproperty double z\n"
    head += f"element face {len(surface.cells)}\nproperty list uchar int vertex_indices\nend_header\n"
    vertices = "".join(f"{x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in surface.points + 0.0)
    return (head + vertices + "".join(f"{len(cell)} " + " ".join(map(str, cell)) + "\n" for cell in surface.cells)).encode()


def su2(mesh: Mesh, title: str) -> bytes:
    """A plane mesh of quads with its markers (VTK ids: 9 quad, 3 line)."""
    quads = mesh.cells.block("quad")
    lines = [f"% {title}", "NDIME= 2", f"NELEM= {len(quads)}"] + [f"9 {a} {b} {c} {d} {i}" for i, (a, b, c, d) in enumerate(quads)]
    lines += [f"NPOIN= {len(mesh.points)}"] + [f"{x:.12g} {y:.12g} {i}" for i, (x, y) in enumerate(mesh.points + 0.0)]
    lines.append(f"NMARK= {len(mesh.patches)}")
    for name, part in mesh.patches.items():
        lines += [f"MARKER_TAG= {name}", f"MARKER_ELEMS= {len(part)}"] + [f"3 {a} {b}" for a, b in part]
    return ("\n".join(lines) + "\n").encode()


def link() -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """A link drawn block by block: two eyes of triangles round their holes, between them a bent, waisted bar of quads [m].

    Returns:
        (n, 2) points; (t, 3) triangles; (q, 4) quads; patch -> (k, 2) lines with the region on their left.
    """
    half, hole, bar = 0.5, 0.28, 1.8  # of the eyes' height; radius; length
    angle = 2.0 * np.pi * np.arange(32) / 32
    outward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    reach = half / np.where(outward[:, 0] > 1e-9, np.abs(outward).max(axis=1), 1.0)  # a half disk, and a half square towards the bar
    rays = hole + (reach - hole)[:, None] * np.linspace(0.0, 1.0, 5)
    eye = rays[:, :, None] * outward[:, None]
    left, right = eye - [bar / 2 + half, 0.0], eye * [-1.0, 1.0] + [bar / 2 + half, 0.0]
    across = half * np.tan(np.pi / 16 * np.arange(-4, 5))  # where the eyes' rays meet the bar
    block = np.stack(np.meshgrid(np.linspace(-bar / 2, bar / 2, 21), across, indexing="ij"), axis=-1)
    grids = [left.reshape(-1, 2), right.reshape(-1, 2), block.reshape(-1, 2)]
    _, first, number = np.unique(np.round(np.concatenate(grids), 9), axis=0, return_index=True, return_inverse=True)
    points, number = np.concatenate(grids)[first], number.reshape(-1)
    ids = [part.reshape(shape) for part, shape in zip(np.split(number, [160, 320]), ((32, 5), (32, 5), (21, 9)), strict=True)]
    triangles, lines = [], {}
    for name, grid, turn in (("left hole", ids[0], 1), ("right hole", ids[1], -1)):
        a, b, c, d = grid[:, :-1], grid[:, 1:], np.roll(grid, -1, axis=0)[:, 1:], np.roll(grid, -1, axis=0)[:, :-1]
        cut = np.concatenate([np.stack([a, b, c], axis=-1).reshape(-1, 3), np.stack([a, c, d], axis=-1).reshape(-1, 3)])
        triangles.append(cut[:, ::turn])
        lines[name] = np.stack([np.roll(grid[:, 0], -1), grid[:, 0]], axis=1)[:, ::turn]
        rim = np.stack([grid[:, -1], np.roll(grid[:, -1], -1)], axis=1)[:, ::turn]
        lines[name.replace("hole", "end")] = rim[~np.isin(rim, ids[2]).all(axis=1)]
    grid = ids[2]
    quads = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=-1).reshape(-1, 4)
    lines["bar"] = np.concatenate([np.stack([grid[:-1, 0], grid[1:, 0]], axis=1), np.stack([grid[1:, -1], grid[:-1, -1]], axis=1)])
    x, y = points.T
    waist = 1.0 - 0.45 * np.exp(-((x / 0.6) ** 4))
    return np.stack([x, y * waist + 0.6 * np.tanh(1.2 * x)], axis=1), np.concatenate(triangles), quads, lines


def msh(title: str) -> bytes:
    """The link as a Gmsh 2.2 text file, its patches and its inside as physical groups (Gmsh ids: 1 line, 2 triangle, 3 quad)."""
    points, triangles, quads, lines = link()
    names = [*lines, "inside"]
    head = ["$Comments", title, "$EndComments", "$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", str(len(names))]
    head += [f'{1 + (name == "inside")} {k} "{name}"' for k, name in enumerate(names, 1)] + ["$EndPhysicalNames", "$Nodes", str(len(points))]
    head += [f"{k} {x:.10g} {y:.10g} 0" for k, (x, y) in enumerate(points + 0.0, 1)] + ["$EndNodes"]
    blocks = [(1, k, part) for k, part in enumerate(lines.values(), 1)] + [(2, len(names), triangles), (3, len(names), quads)]
    rows = [f"{kind} 2 {group} {group} " + " ".join(str(i + 1) for i in row) for kind, group, part in blocks for row in part]
    body = ["$Elements", str(len(rows)), *(f"{k} {row}" for k, row in enumerate(rows, 1)), "$EndElements"]
    return ("\n".join([*head, *body]) + "\n").encode()


def bracket() -> Mesh:
    """An angle bracket of cubes of 20 mm: a foot of 5 by 3 with a square hole, and an upright of 3 by 4 [mm]; patches foot, top, hole, sides."""
    solid = np.zeros((7, 5, 6), dtype=bool)  # one empty layer all around
    solid[1:6, 1:4, 1] = solid[1, 1:4, 1:5] = True
    solid[4, 2, 1] = False
    corner = np.arange(solid.size).reshape(solid.shape)
    faces: dict[str, list[np.ndarray]] = {"foot": [], "top": [], "hole": [], "sides": []}
    for axis in range(3):
        step = np.eye(3, dtype=int)
        u, v = step[(axis + 1) % 3], step[(axis + 2) % 3]
        for cell in np.argwhere(solid):
            for side in (0, 1):
                beyond = cell + (2 * side - 1) * step[axis]
                if solid[tuple(beyond)]:
                    continue
                at = cell + side * step[axis]
                ring = np.array([corner[tuple(p)] for p in (at, at + u, at + u + v, at + v)])[:: 2 * side - 1]
                name = "hole" if tuple(beyond) == (4, 2, 1) else {(2, 1, 0): "foot", (2, 4, 1): "top"}.get((axis, int(cell[2]), side), "sides")
                faces[name] += [ring[[0, 1, 2]], ring[[0, 2, 3]]]
    everything = np.concatenate([np.array(rows) for rows in faces.values()])
    used, number = np.unique(everything, return_inverse=True)
    points = 20.0 * (np.stack(np.unravel_index(used, solid.shape), axis=1) - 1.0)
    number = number.reshape(-1, 3)
    cuts = np.cumsum([len(rows) for rows in faces.values()])[:-1]
    patches = {name: Cells.of(triangle=part) for name, part in zip(faces, np.split(number, cuts), strict=True)}
    return Mesh(points, Cells.of(triangle=number), patches, name="bracket")


def text_stl(surface: Mesh) -> bytes:
    """One named solid per patch, in plain text."""
    lines = []
    for name, part in surface.patches.items():
        lines.append(f"solid {name}")
        for a, b, c in surface.points[part.block("triangle")]:
            normal = np.cross(b - a, c - a)
            lines.append("facet normal " + " ".join(f"{v:g}" for v in normal / np.linalg.norm(normal) + 0.0))
            lines += ["outer loop", *("vertex " + " ".join(f"{v:g}" for v in p + 0.0) for p in (a, b, c)), "endloop", "endfacet"]
        lines.append(f"endsolid {name}")
    return ("\n".join(lines) + "\n").encode()


def contents() -> dict[str, bytes]:
    """File name -> bytes."""
    files = {f"naca{code}.dat": selig(naca4(code, 160), f"NACA {code}, closed trailing edge") for code in ("0012", "2412", "4415")}
    files["sphere.stl"] = binary_stl(icosphere(3, 0.5), "geoop sphere, diameter 1, unit m")
    files["box.obj"] = obj(box((0.0, -1.0, 0.0), (4.0, 1.0, 1.5), 2), "box 4 x 2 x 1.5, unit m, one group per side")
    files["wing.ply"] = ply(wing(naca4("2412", 60), 6.0, taper=0.5, sweep=20.0, n_span=16), "wing of NACA 2412, span 6, root chord 1, unit m")
    files["naca0012_ogrid.su2"] = su2(ogrid(naca4("0012", 160), n_wall=80, n_normal=30, first_height=5e-3), "O-grid of NACA 0012, chord 1 m")
    files["link.msh"] = msh("link with two eyes, drawn block by block, unit m")
    files["bracket.stl"] = text_stl(bracket())
    return files


def main(directory: Path) -> list[Path]:
    """Write all files and return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in contents().items():
        (directory / name).write_bytes(data)
    return [directory / name for name in contents()]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "meshes"
    for path in main(target):
        print(f"{path}  {path.stat().st_size} bytes")
