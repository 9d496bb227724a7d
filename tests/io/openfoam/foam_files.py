"""OpenFOAM cases written by hand: one cell of every shape, in all number formats, whole or decomposed. Shares no code with geoop/io/openfoam."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geoop.mesh.topology import FACES

Face = tuple[int, ...]
TYPES = {"scalar": 1, "vector": 3, "symmTensor": 6, "tensor": 9, "sphericalTensor": 1}


@dataclass(frozen=True)
class Style:
    """How numbers are stored."""

    binary: bool = False
    label: int = 4
    scalar: int = 8
    order: str = "<"
    packed: bool = False
    arch: bool = True

    def numbers(self, values: np.ndarray, kind: str) -> bytes:
        """``N ( ... )``."""
        values = np.asarray(values)
        if self.binary:
            stored = f"{self.order}{'i' if kind == 'label' else 'f'}{self.label if kind == 'label' else self.scalar}"
            return b"%d\n(" % len(values) + values.astype(stored).tobytes() + b")"
        rows = [str(row) if np.ndim(row) == 0 else "(" + " ".join(map(repr, row)) + ")" for row in values.tolist()]
        return f"{len(values)}\n(\n{chr(10).join(rows)}\n)".encode()

    def write(self, path: Path, kind: str, body: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        arch = f'    arch "{"LSB" if self.order == "<" else "MSB"};label={self.label * 8};scalar={self.scalar * 8}";\n' if self.arch else ""
        form = "binary" if self.binary else "ascii"
        head = f"FoamFile\n{{\n    version 2.0;\n    format {form};\n{arch}    class {kind};\n    object {path.name};\n}}\n// * * * //\n\n"
        data = b"/* a comment; with ( brackets { */\n" + head.encode() + body + b"\n"
        if self.packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)


STYLES = {
    "ascii": Style(),
    "binary": Style(binary=True),
    "binary64": Style(binary=True, label=8),
    "single": Style(binary=True, scalar=4),
    "MSB": Style(binary=True, order=">"),
    "gz": Style(packed=True),
    "no-arch": Style(binary=True, label=8, arch=False),
}


@dataclass(frozen=True)
class Poly:
    """A mesh by faces."""

    points: np.ndarray
    faces: list[Face]
    owner: list[int]
    neighbour: list[int]
    patches: list[tuple[str, str, int, str]]  # name, type, number of faces, further entries

    def write(self, folder: Path, style: Style = Style()) -> None:
        """Into a folder polyMesh."""
        style.write(folder / "points", "vectorField", style.numbers(self.points, "vector"))
        style.write(folder / "owner", "labelList", style.numbers(np.array(self.owner), "label"))
        style.write(folder / "neighbour", "labelList", style.numbers(np.array(self.neighbour), "label"))
        if style.binary:
            offsets = np.concatenate([[0], np.cumsum([len(face) for face in self.faces])])
            flat = np.concatenate([np.array(face) for face in self.faces])
            style.write(folder / "faces", "faceCompactList", style.numbers(offsets, "label") + b"\n" + style.numbers(flat, "label"))
        else:
            rows = "\n".join(f"{len(face)}({' '.join(map(str, face))})" for face in self.faces)
            style.write(folder / "faces", "faceList", f"{len(self.faces)}\n(\n{rows}\n)".encode())
        start, text = len(self.neighbour), f"{len(self.patches)}\n(\n"
        for name, kind, count, more in self.patches:
            text += f"    {name}\n    {{\n        type {kind};\n        nFaces {count};\n        startFace {start};\n{more}    }}\n"
            start += count
        style.write(folder / "boundary", "polyBoundaryMesh", (text + ")").encode())


def poly(points: np.ndarray, cells: Sequence[Sequence[Face]], patch_of: Callable[[np.ndarray], tuple[str, str]]) -> Poly:
    """A mesh from the outward faces of its cells; boundary faces get the patch (name, type) of their middle."""
    points = np.asarray(points, dtype=float)
    seen: dict[Face, tuple[int, Face]] = {}
    inner, outer = [], {}
    for number, faces in enumerate(cells):
        for face in faces:
            key = tuple(sorted(face))
            if key in seen:
                owner, ring = seen.pop(key)
                inner.append((owner, number, ring))
            else:
                seen[key] = (number, tuple(face))
    inner.sort(key=lambda item: item[:2])
    for owner, ring in seen.values():
        outer.setdefault(patch_of(points[list(ring)].mean(axis=0)), []).append((owner, ring))
    boundary = [item for members in outer.values() for item in members]
    return Poly(
        points,
        [ring for *_, ring in inner] + [ring for _, ring in boundary],
        [owner for owner, *_ in inner] + [owner for owner, _ in boundary],
        [other for _, other, _ in inner],
        [(name, kind, len(members), "") for (name, kind), members in outer.items()],
    )


def standard(name: str, nodes: Sequence[int]) -> list[Face]:
    """Outward faces of a standard cell in VTK's numbers (geoop's sign for wedges)."""
    return [tuple(nodes[i] for i in face) for face in FACES[name]]


#: name -> volume of the cells of :func:`zoo`, in order.
ZOO = (("hexahedron", 1.0), ("hexahedron", 1.0), ("pyramid", 1 / 3), ("tetra", 1 / 8), ("wedge", 1 / 2), ("polyhedron", 1.25))


def zoo() -> Poly:
    """Two cubes, a pyramid, a tetrahedron, a wedge and a prism over a pentagon, joined by whole faces."""
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    points = [(*p, z) for z in (0, 1) for p in square] + [
        (2, 0, 0),
        (2, 1, 0),
        (2, 0, 1),
        (2, 1, 1),
        (0.5, 0.5, 2),
        (1.5, 0.5, 1.5),
        (-1, 0, 0),
        (-1, 0, 1),
    ]
    points += [(3, 0, 0), (3.5, 0.5, 0), (3, 1, 0), (3, 0, 1), (3.5, 0.5, 1), (3, 1, 1)]
    low, high = [8, 16, 17, 18, 9], [10, 19, 20, 21, 11]
    sides = [(low[i], low[(i + 1) % 5], high[(i + 1) % 5], high[i]) for i in range(5)]
    cells = [
        standard("hexahedron", range(8)),
        standard("hexahedron", [1, 8, 9, 2, 5, 10, 11, 6]),
        standard("pyramid", [4, 5, 6, 7, 12]),
        standard("tetra", [5, 13, 6, 12]),
        standard("wedge", [0, 3, 14, 4, 7, 15]),
        [tuple(low[::-1]), tuple(high), *sides],
    ]
    return poly(np.array(points, dtype=float), cells, lambda x: ("floor", "wall") if x[2] == 0 else ("rest", "patch"))


def row_of_hexes(count: int, kind: str = "patch") -> Poly:
    """Unit cubes along x: patches ``inlet``, ``outlet`` and ``sides`` of the given type."""
    points = [(x, y, z) for x in range(count + 1) for y, z in ((0, 0), (1, 0), (1, 1), (0, 1))]
    cells = [standard("hexahedron", [4 * i + k for k in (0, 4, 5, 1, 3, 7, 6, 2)]) for i in range(count)]

    def patch_of(x: np.ndarray) -> tuple[str, str]:
        return ("inlet", "patch") if x[0] == 0 else ("outlet", "patch") if x[0] == count else ("sides", kind)

    return poly(np.array(points, dtype=float), cells, patch_of)


def field(
    path: Path, values, boundary: str, *, kind: str = "scalar", dimensions: str = "[0 2 -2 0 0 0 0]", style: Style = Style(), place: str = "vol"
) -> None:
    """A field file; ``values`` is an array or the text of a uniform value."""
    inside = f"uniform {values}".encode() if isinstance(values, str) else f"nonuniform List<{kind}> ".encode() + style.numbers(values, kind)
    body = f"dimensions {dimensions};\n\ninternalField ".encode() + inside + b";\n\nboundaryField\n{\n" + boundary.encode() + b"\n}\n"
    style.write(path, f"{place}{kind[0].upper()}{kind[1:]}Field", body)


def control(root: Path, write_format: str = "ascii") -> None:
    Style().write(root / "system" / "controlDict", "dictionary", f"application icoFoam;\nwriteFormat {write_format};\n".encode())


def decomposed(mesh: Poly, part_of: Sequence[int]) -> list[tuple[Poly, dict[str, np.ndarray]]]:
    """The parts of a mesh with their addressing, by the rules of decomposePar: shared faces last, turned where the owner is elsewhere."""
    parts = []
    for rank in range(max(part_of) + 1):
        cells = [cell for cell, part in enumerate(part_of) if part == rank]
        local = {cell: number for number, cell in enumerate(cells)}
        inner, shared, n_inner = [], {}, len(mesh.neighbour)
        for face in range(n_inner):
            a, b = mesh.owner[face], mesh.neighbour[face]
            if a in local and b in local:
                inner.append(face)
            elif a in local or b in local:
                shared.setdefault(part_of[b if a in local else a], []).append(face)
        order, owner, rings, signs = list(inner), [local[mesh.owner[face]] for face in inner], [mesh.faces[face] for face in inner], [1] * len(inner)
        patches, start = [], n_inner
        for name, kind, count, more in mesh.patches:
            mine = [face for face in range(start, start + count) if mesh.owner[face] in local]
            patches.append((name, kind, len(mine), more))
            order, owner, rings = order + mine, owner + [local[mesh.owner[face]] for face in mine], rings + [mesh.faces[face] for face in mine]
            signs += [1] * len(mine)
            start += count
        for other, faces in sorted(shared.items()):
            more = f"        myProcNo {rank};\n        neighbProcNo {other};\n"
            patches.append((f"procBoundary{rank}to{other}", "processor", len(faces), more))
            for face in faces:
                ahead = mesh.owner[face] in local
                ring = mesh.faces[face]
                order.append(face)
                signs.append(1 if ahead else -1)
                owner.append(local[mesh.owner[face] if ahead else mesh.neighbour[face]])
                rings.append(ring if ahead else (ring[0], *ring[:0:-1]))
        used = sorted({point for ring in rings for point in ring})
        number = {point: index for index, point in enumerate(used)}
        part = Poly(
            mesh.points[used],
            [tuple(number[point] for point in ring) for ring in rings],
            owner,
            [local[mesh.neighbour[face]] for face in inner],
            patches,
        )
        addressing = {"cell": np.array(cells), "point": np.array(used), "face": (np.array(order) + 1) * np.array(signs)}
        parts.append((part, addressing))
    return parts


def write_decomposed(
    root: Path, mesh: Poly, part_of: Sequence[int], style: Style = Style(), *, addressing: bool = True
) -> list[dict[str, np.ndarray]]:
    """Processor folders without fields; returns the addressing of each."""
    found = []
    for rank, (part, given) in enumerate(decomposed(mesh, part_of)):
        folder = root / f"processor{rank}" / "constant" / "polyMesh"
        part.write(folder, style)
        for key, values in given.items() if addressing else ():
            style.write(folder / f"{key}ProcAddressing", "labelList", style.numbers(values, "label"))
        found.append(given)
    return found
