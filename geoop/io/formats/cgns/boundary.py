"""Boundary conditions of a CGNS zone as patches."""

from __future__ import annotations

import numpy as np

from ....mesh.cells import Cells
from .sections import Section
from .tree import Node


def patches_of(
    base: Node, zone: Node, vertices: tuple[int, ...] | None, sections: list[Section], cells: Cells, where: str
) -> tuple[dict[str, Cells], dict[str, str], list[str]]:
    """Facets of every boundary condition in the point numbers of the zone, their types by name, and notes on what could not be placed.

    Args:
        base, zone: nodes of the tree.
        vertices: points per direction of a structured zone; None for an unstructured one.
        sections: of an unstructured zone.
        cells: of the zone, for conditions that name vertices.
        where: the file and zone.
    """
    parts: dict[str, list[Cells]] = {}
    types: dict[str, str] = {}
    notes: list[str] = []
    for conditions in zone.of("ZoneBC_t"):
        for condition in conditions.of("BC_t"):
            name = _name(base, condition)
            span, listed = (_numbers(condition, kind) for kind in (("PointRange", "ElementRange"), ("PointList", "ElementList")))
            place = next((node.text for node in condition.of("GridLocation_t")), "Vertex")
            by_element = condition.get("ElementRange") is not None or condition.get("ElementList") is not None
            if vertices is not None:
                facets = _structured(vertices, span, listed, place)
            elif by_element or place != "Vertex":  # numbers of elements; some programs say CellCenter for facets, too
                facets = _elements(sections, _range(span) if span is not None else listed)
                inner = 0 if facets is None else int((facets.dimensions == cells.dimension).sum())
                if facets is not None and inner:
                    notes.append(f"'{name}' of zone '{zone.name}' names {inner} cells, not facets: left out")
                    facets = facets.take(facets.dimensions < cells.dimension)
                    if not len(facets):
                        continue
            else:
                facets = _by_vertices(sections, cells, _range(span) if span is not None else listed)
            if facets is None or not len(facets):
                notes.append(f"the boundary condition '{name}' of zone '{zone.name}' names no facets of it: left out")
                continue
            parts.setdefault(name, []).append(facets)
            kind = _type(base, condition)
            if kind:
                types[name] = kind
    notes += _loose(sections, parts, cells.dimension, zone.name) if parts else []
    if not parts:  # no conditions: sections of facets are the only names there are
        parts = _named_sections(sections, cells.dimension)
    return {name: Cells.concatenate(found) for name, found in parts.items()}, types, notes


def _name(base: Node, condition: Node) -> str:
    """The name of the family where the condition only points to one, and the one that the family itself has, if any."""
    family = next((node.text for node in condition.of("FamilyName_t")), "")
    if condition.text != "FamilySpecified" or not family:
        return " ".join(condition.name.split())
    found = base.get(family)
    own = next((node.text for node in found.of("FamilyName_t")), "") if found is not None else ""
    return " ".join((own or family).split())


def _loose(sections: list[Section], parts: dict[str, list[Cells]], dimension: int, zone: str) -> list[str]:
    """A note on elements below the dimension of the cells that no condition names."""
    listed = [section.cells for section in sections if not section.of_polyhedra]
    facets = Cells.concatenate([cells.take(cells.dimensions == dimension - 1) for cells in listed])
    named = Cells.concatenate([part for found in parts.values() for part in found])
    known = np.concatenate([_keys(named), _keys(facets)])
    loose = int((~np.isin(known[len(named) :], known[: len(named)])).sum())
    thin = sum(int((cells.dimensions < dimension - 1).sum()) for cells in listed)
    notes = [f"{loose} facets of zone '{zone}' belong to no boundary condition: left out"] if loose else []
    return notes + ([f"{thin} elements of zone '{zone}' below the facets are left out"] if thin else [])


def _keys(cells: Cells) -> np.ndarray:
    """(m,) a number per cell that depends on the set of its points only; equal for different sets by a rare chance."""
    mixed = (cells.connectivity.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.add.reduceat(mixed, cells.offsets[:-1]) if len(cells) else np.zeros(0, dtype=np.uint64)


def _type(base: Node, condition: Node) -> str:
    if condition.text != "FamilySpecified":
        return condition.text.removeprefix("BC") if condition.text not in ("Null", "UserDefined", "BCTypeNull") else ""
    family = next((node.text for node in condition.of("FamilyName_t")), "")
    found = base.get(family)
    return next((node.text.removeprefix("BC") for node in (found.of("FamilyBC_t") if found is not None else [])), "")


def _numbers(condition: Node, names: tuple[str, str]) -> np.ndarray | None:
    for name in names:
        node = condition.get(name)
        value = None if node is None else node.value
        if value is not None and value.dtype.kind in "iu":
            return value.astype(np.int64)
    return None


def _range(span: np.ndarray) -> np.ndarray:
    low, high = int(span.min()), int(span.max())
    return np.arange(low, high + 1)


def _structured(vertices: tuple[int, ...], span: np.ndarray | None, listed: np.ndarray | None, place: str) -> Cells | None:
    """Facets between the points of a range of a lattice, facing out of a right-handed one."""
    shape = tuple(vertices)
    number = np.arange(int(np.prod(shape))).reshape(shape, order="F")
    if span is None:
        return None if listed is None or listed.shape[0] != len(shape) else _of_points(number, listed)
    if span.shape != (len(shape), 2):
        return None
    low, high = span.min(axis=1) - 1, span.max(axis=1) - 1
    if place in ("IFaceCenter", "JFaceCenter", "KFaceCenter"):  # faces are counted like cells across, like points along
        high = high + (np.arange(len(shape)) != "IJK".index(place[0]))
    if (low < 0).any() or (high >= shape).any():
        return None
    flat = [axis for axis in range(len(shape)) if low[axis] == high[axis]]
    if len(flat) != 1:
        return None
    axis = flat[0]
    sheet = number[tuple(slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))].squeeze(axis)
    return _sheet(sheet, axis, len(shape), out=bool(high[axis] == shape[axis] - 1 and shape[axis] > 1))


def _sheet(sheet: np.ndarray, axis: int, dimension: int, *, out: bool) -> Cells:
    if dimension == 2:
        forward = out == (axis == 0)  # j runs up along the side i = last, i runs back along j = last
        a, b = sheet[:-1].ravel(), sheet[1:].ravel()
        return Cells.of(line=np.stack([a, b] if forward else [b, a], axis=1))
    corners = [sheet[:-1, :-1], sheet[1:, :-1], sheet[1:, 1:], sheet[:-1, 1:]]
    quads = np.stack([corner.ravel(order="F") for corner in corners], axis=1)
    return Cells.of(quad=quads if out != (axis == 1) else quads[:, ::-1])  # (i, k) is left-handed seen along j


def _of_points(number: np.ndarray, listed: np.ndarray) -> Cells | None:
    """Facets on the border of a lattice all of whose points are listed."""
    marked = np.zeros(number.shape, dtype=bool)
    index = listed - 1
    if (index < 0).any() or (index >= np.array(number.shape)[:, None]).any():
        return None
    marked[tuple(index)] = True
    chosen = marked.ravel(order="F")
    parts = []
    for axis in range(number.ndim):
        for last in (False, True) if number.shape[axis] > 1 else (False,):
            facets = _sheet(number.take(-1 if last else 0, axis=axis), axis, number.ndim, out=last)
            block = facets.block(facets.names[0]) if len(facets) else np.zeros((0, 2), dtype=np.int64)
            parts.append(facets.take(np.asarray(chosen[block].all(axis=1))))
    return Cells.concatenate(parts)


def _elements(sections: list[Section], numbers: np.ndarray | None) -> Cells | None:
    """The elements of these numbers, of whatever section."""
    if numbers is None:
        return None
    flat = numbers.ravel()
    parts = []
    for section in sections:
        rows = flat[(flat >= section.first) & (flat < section.first + len(section.cells))] - section.first
        parts.append(section.cells.take(rows))
    return Cells.concatenate(parts)


def _by_vertices(sections: list[Section], cells: Cells, numbers: np.ndarray | None) -> Cells | None:
    """Elements of one dimension less than the cells all of whose points are named."""
    if numbers is None:
        return None
    facets = Cells.concatenate([section.cells.take(section.cells.dimensions == cells.dimension - 1) for section in sections])
    if not len(facets):
        return None
    marked = np.zeros(int(max(facets.connectivity.max(), cells.connectivity.max(), numbers.max())) + 1, dtype=bool)
    marked[numbers.ravel() - 1] = True
    whole = np.logical_and.reduceat(marked[facets.connectivity], facets.offsets[:-1])
    return facets.take(whole)


def _named_sections(sections: list[Section], dimension: int) -> dict[str, list[Cells]]:
    found: dict[str, list[Cells]] = {}
    for section in sections:
        facets = section.cells.take(section.cells.dimensions == dimension - 1)
        if len(facets) and dimension > 0 and not section.of_polyhedra:
            found.setdefault(" ".join(section.name.split()), []).append(facets)
    return found
