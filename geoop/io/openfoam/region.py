"""One mesh of a case at one time, with its fields: from one folder, or from the folders of all processors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import UnreadableFileError, UnsupportedFormatError
from ...mesh.cells import Cells
from ...mesh.measure import facet_normals
from ...mesh.mesh import Mesh
from ..contents import Array
from .case_folder import Part
from .dimensions import label_of, turned
from .field_file import FoamField, boundary_values, field_kind, full_components, read_field
from .parts import Addressing, Whole, joined, undivided
from .poly_mesh import PolyMesh, labels_or_points, read_poly_mesh
from .shapes import cells_of, facets

_ADDRESSING = {"points": "pointProcAddressing", "cells": "cellProcAddressing", "faces": "faceProcAddressing"}


@dataclass(frozen=True, eq=False)
class Region:
    """Geometry and fields of one mesh, in the words of :class:`~geoop.io.contents.Contents`."""

    name: str
    points: np.ndarray
    cells: Cells
    patches: dict[str, Cells]
    kinds: dict[str, str]
    zones: dict[str, np.ndarray]
    arrays: list[Array] = field(default_factory=list)
    boundary: dict[str, list[Array]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_region(parts: list[Part], name: str, time: float | None) -> Region:
    """The mesh of a region and its fields.

    Args:
        parts: the folders it lies in; one for a case that is not decomposed.
        name: of the region, empty for the only one.
        time: [s] None reads the mesh alone.

    Raises:
        UnreadableFileError, InvalidMeshError: a file is missing or damaged; ``where`` names it.
    """
    meshes, whole = whole_mesh(parts, name, time)
    mesh = whole.mesh
    patches = {patch.name: facets(mesh, patch.start, patch.count) for patch in mesh.patches if patch.count}
    kinds = {patch.name: patch.kind for patch in mesh.patches}
    zones = {key: index for key, index in mesh.zones.items() if len(index)}
    region = Region(name, mesh.points, cells_of(mesh), patches, kinds, zones, notes=list(mesh.notes))
    bare = [patch.name for patch in mesh.patches if not patch.count] + [f"zone {key}" for key, index in mesh.zones.items() if not len(index)]
    if bare:
        region.notes.append(f"left out because they are empty: {', '.join(bare)}")
    if time is not None:
        _Fields(parts, meshes, whole, region).read(time)
    return region


def whole_mesh(parts: list[Part], name: str, time: float | None) -> tuple[list[PolyMesh], Whole]:
    """The meshes of the parts and the mesh that they make up, see :func:`read_region`."""
    meshes, addressing = [], []
    for part in parts:
        files = part.mesh(name, time)
        if not files.folders:
            raise UnreadableFileError("there is no mesh", where=files.where, remedy="copy the folder polyMesh, or make it with `blockMesh`")
        meshes.append(read_poly_mesh(files, files.where))
        found = {key: labels_or_points(files.load(file), "label") if files.has(file) else None for key, file in _ADDRESSING.items()}
        addressing.append(Addressing(**found))
    if len(parts) == 1 and not any(patch.between_parts for patch in meshes[0].patches):
        return meshes, undivided(meshes[0])
    return meshes, joined(meshes, addressing, str(parts[0].root))


class _Fields:
    """Reads the fields of one time into a region."""

    def __init__(self, parts: list[Part], meshes: list[PolyMesh], whole: Whole, region: Region) -> None:
        self.parts, self.meshes, self.whole, self.region = parts, meshes, whole, region

    def read(self, time: float) -> None:
        listed = [part.fields(self.region.name, time) for part in self.parts]
        left_out: dict[str, list[str]] = {}
        for name in sorted(set().union(*listed)):
            paths = [files.get(name) for files in listed]
            if any(path is None for path in paths):
                self.region.notes.append(f"the field {name} is left out: {sum(path is None for path in paths)} of {len(paths)} processors lack it")
                continue
            kind = self._one(name, [path for path in paths if path is not None])
            if kind:
                left_out.setdefault(kind, []).append(name)
        for kind, names in left_out.items():
            self.region.notes.append(f"fields that are neither at cells nor at points are left out: {', '.join(names)} ({kind})")
        if any(part.has_clouds(time) for part in self.parts):
            self.region.notes.append("particles (the folder lagrangian) are left out")

    def _one(self, name: str, paths: list[Path]) -> str:
        """Reads one field; returns its class if it is of a kind that is not read."""
        fields: list[FoamField] = []
        for part, path, mesh in zip(self.parts, paths, self.meshes, strict=True):
            file = part.load(path)
            if field_kind(file.kind) is None:
                return file.kind if file.kind.endswith("Field") else ""
            try:
                fields.append(read_field(file, name, {"cell": mesh.n_cells, "point": len(mesh.points)}, mesh.patches, part.root))
            except UnsupportedFormatError as error:
                self.region.notes.append(f"the field {name} is left out: {error.message}")
                return ""
        self._add(fields)
        return ""

    def _add(self, fields: list[FoamField]) -> None:
        first, whole = fields[0], self.whole
        maps, size = (whole.cells, whole.mesh.n_cells) if first.location == "cell" else (whole.points, len(whole.mesh.points))
        label = label_of(first.name, first.dimensions)
        if len(fields) == 1 and len(maps[0]) == size:
            values = first.values
        else:
            values = np.zeros((size, *first.values.shape[1:]))
            for item, index in zip(fields, maps, strict=True):
                values[index] = item.values
        values = turned(label, full_components(values, first.kind))
        self.region.arrays.append(Array(label, values, "cell" if first.location == "cell" else "point"))
        for item in fields:
            self.region.notes.extend(item.notes)
        guessed = self._add_boundary(label, fields)
        if guessed:
            self.region.notes.append(f"{first.name} has no values on {', '.join(guessed)}: those of the cells behind are taken")

    def _add_boundary(self, label: str, fields: list[FoamField]) -> list[str]:
        """Values on the patches; returns the patches (with the type) where they had to be guessed."""
        guessed = []
        for patch, pieces in self.whole.pieces.items():
            if patch not in self.region.patches:
                continue
            found, places = [], []
            for piece in pieces:
                mesh, item = self.meshes[piece.part], fields[piece.part]
                behind = mesh.owner[piece.patch.start : piece.patch.start + piece.patch.count]
                values, unsure = boundary_values(item, piece.patch, behind, self._normals(mesh, piece))
                if values is None:
                    break
                found.append(full_components(values, item.kind))
                places.append(piece.places)
                if unsure and piece.patch.count:
                    guessed.append(f"{patch} ({item.types[piece.patch.name]})")
            else:
                together = np.concatenate(found)
                ordered = np.empty_like(together)
                ordered[np.concatenate(places)] = turned(label, together)
                self.region.boundary.setdefault(patch, []).append(Array(label, ordered, "facet"))
        return list(dict.fromkeys(guessed))

    @staticmethod
    def _normals(mesh: PolyMesh, piece) -> Callable[[], np.ndarray]:
        return lambda: facet_normals(Mesh(mesh.points, facets(mesh, piece.patch.start, piece.patch.count)))
