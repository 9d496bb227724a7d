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


def contents() -> dict[str, bytes]:
    """File name -> bytes."""
    files = {f"naca{code}.dat": selig(naca4(code, 160), f"NACA {code}, closed trailing edge") for code in ("0012", "2412", "4415")}
    files["sphere.stl"] = binary_stl(icosphere(3, 0.5), "geoop sphere, diameter 1, unit m")
    files["box.obj"] = obj(box((0.0, -1.0, 0.0), (4.0, 1.0, 1.5), 2), "box 4 x 2 x 1.5, unit m, one group per side")
    files["wing.ply"] = ply(wing(naca4("2412", 60), 6.0, taper=0.5, sweep=20.0, n_span=16), "wing of NACA 2412, span 6, root chord 1, unit m")
    files["naca0012_ogrid.su2"] = su2(ogrid(naca4("0012", 160), n_wall=80, n_normal=30, first_height=5e-3), "O-grid of NACA 0012, chord 1 m")
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
