"""Tecplot text files: ordered and finite-element zones, point and block packing, polygons and polyhedra."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ....errors import UnitError, UnreadableFileError
from ....mesh.cells import Cells
from ...blocks import Block, joined_by_dimension
from ...contents import Array, Contents, chosen_time
from ...field_names import with_known_names
from ...parse import integers
from ...source import Source
from ...units import metres_per
from ..face_cells import cells_from_faces
from ..lattice import lattice_cells
from .text import TextZone, numbers_in, parsed

_SHAPES = {"LINESEG": ("line", 2), "TRIANGLE": ("triangle", 3), "QUADRILATERAL": ("quad", 4), "TETRAHEDRON": ("tetra", 4), "BRICK": ("hexahedron", 8)}
_COORDINATE = re.compile(r"^(?:coordinate[ _]?|coord[ _]?|grid[ _]?|points:)?([xyz012])(?:[-_ ]?coord(?:inate)?)?\s*(?:[\[(]([^\])]*)[\])])?$", re.I)
_MOST = 1 << 40


def read_tecplot(source: Source) -> Contents:
    """Zones of the highest dimension as zones, thinner ones as patches; values at points and at cell centres; of several times one.

    Coordinates are the variables named x, y, z, in metres unless their names state a unit (``X [mm]``). Cells of a zone of bricks that
    repeat points (Tecplot has one type per zone) become the wedges, pyramids and tetrahedra that they are.

    Raises:
        UnreadableFileError: counts that do not fit, or no coordinates.
    """
    file = parsed(source.text(), source.where)
    if not file.zones:
        raise UnreadableFileError("holds no ZONE", where=source.where, remedy="export the zones as text, or the mesh as .vtu")
    stamps = [_number(zone, "SOLUTIONTIME", source.where) for zone in file.zones]
    times = tuple(sorted({stamp for stamp in stamps if stamp is not None}))
    now = times[chosen_time(times, source.time, source.where)] if times else None
    read = _Zones(file.zones, source.where)
    blocks = [read.block(k) for k, stamp in enumerate(stamps) if stamp is None or stamp == now]
    notes = [f"{len(file.left_out)} {' and '.join(sorted(set(file.left_out)))} records are left out"] if file.left_out else []
    contents = with_known_names(joined_by_dimension(blocks, source.where))
    return replace(contents, notes=(*contents.notes, *dict.fromkeys((*notes, *read.notes))), time=now, times=times)


def _number(zone: TextZone, key: str, where: str) -> float | None:
    if key not in zone.keys:
        return None
    try:
        return float(zone.keys[key])
    except ValueError:
        raise UnreadableFileError(f"{key}={zone.keys[key]} is not a number", where=where, remedy="repair that line") from None


class _Zones:
    """Zones as blocks; a zone may share variables and connectivity with an earlier one."""

    def __init__(self, zones: list[TextZone], where: str) -> None:
        self.zones, self.where, self.notes = zones, where, []
        self._values: dict[int, dict[int, np.ndarray]] = {}
        self._rest: dict[int, np.ndarray] = {}

    def block(self, k: int) -> Block:
        """Zone number k, from 0."""
        zone = self.zones[k]
        values = self.values(k)
        n_points, n_cells = self.sizes(k)
        axes, factor = self._axes(zone)
        points = np.zeros((n_points, 3))
        for axis, variable in axes.items():
            column = values.get(variable)
            if column is None or variable in self._centred(zone):
                raise self._wrong(k, f"coordinate '{zone.variables[variable]}' is not stored at its points")
            points[:, axis] = column * factor
        cells = self._cells(k, points)
        if len(cells) != n_cells:
            raise self._wrong(k, f"{len(cells)} cells, {n_cells} are announced")
        arrays = [
            Array(zone.variables[variable], column, "cell" if variable in self._centred(zone) else "point")
            for variable, column in values.items()
            if variable not in axes.values()
        ]
        passive = [zone.variables[v] for v in range(len(zone.variables)) if v not in values]
        self.notes += [f"variables that a zone marks as passive are missing there: {', '.join(passive)}"] if passive else []
        return Block(zone.keys.get("T", "").strip() or f"zone {k + 1}", points, cells, tuple(arrays))

    def sizes(self, k: int) -> tuple[int, int]:
        """Points and cells of a zone."""
        zone = self.zones[k]
        if self._kind(zone) == "ORDERED":
            shape = self._shape(k)
            return int(np.prod(shape)), int(np.prod([n - 1 for n in shape if n > 1])) if any(n > 1 for n in shape) else 0
        return self._count(k, "NODES", "N"), self._count(k, "ELEMENTS", "E")

    def values(self, k: int) -> dict[int, np.ndarray]:
        """Values of the variables of a zone, without passive ones."""
        if k in self._values:
            return self._values[k]
        zone, (n_points, n_cells) = self.zones[k], self.sizes(k)
        shared = self._shared(k)
        passive = {v - 1 for v in numbers_in(zone.keys.get("PASSIVEVARLIST", ""))}
        own = [v for v in range(len(zone.variables)) if v not in shared and v not in passive]
        centred = self._centred(zone)
        sizes = [n_cells if v in centred else n_points for v in own]
        numbers, found = zone.numbers, dict(shared)
        total = sum(sizes)
        if len(numbers) < total:
            raise self._wrong(k, f"{total} values are announced, {len(numbers)} numbers are there: truncated?")
        if len(numbers) > total and zone.keys.get("ZONETYPE", "ORDERED").upper() == "ORDERED" and "I" in zone.keys:
            raise self._wrong(k, f"{total} values are announced, {len(numbers)} numbers are there: a variable without a name?")
        if self._blocked(zone):
            ends = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
            found |= {v: numbers[a:b] for v, a, b in zip(own, ends[:-1], ends[1:], strict=True)}
        else:
            if centred & set(own):
                raise self._wrong(k, "values at cell centres need DATAPACKING=BLOCK")
            rows = numbers[:total].reshape(n_points, len(own))
            found |= {v: np.ascontiguousarray(rows[:, c]) for c, v in enumerate(own)}
        self._rest[k] = numbers[total:]
        self._values[k] = dict(sorted(found.items()))
        return self._values[k]

    def _shared(self, k: int) -> dict[int, np.ndarray]:
        zone = self.zones[k]
        found: dict[int, np.ndarray] = {}
        for listed, one, other in re.findall(r"(?:\[([^\]]*)\]|(\d+))\s*(?:=\s*(\d+))?", zone.keys.get("VARSHARELIST", "").strip("() ")):
            origin = int(other) - 1 if other else k - 1
            if not 0 <= origin < k:
                raise self._wrong(k, f"shares variables with zone {origin + 1}, which does not come before it")
            wanted = [v - 1 for v in numbers_in(listed or one)]
            there = self.values(origin)
            lost = [v + 1 for v in wanted if v not in there]
            if lost or self.sizes(origin) != self.sizes(k):
                raise self._wrong(k, f"shares variables {lost or wanted} with zone {origin + 1}, which lacks them or has another size")
            found |= {v: there[v] for v in wanted}
        return found

    def _centred(self, zone: TextZone) -> set[int]:
        found: set[int] = set()
        text = zone.keys.get("VARLOCATION", "").strip()
        inner = text[1:-1] if text.startswith("(") else text
        pairs = re.findall(r"\[([^\]]*)\]\s*=\s*(\w+)|(\d+)\s*=\s*(\w+)", inner)
        for listed, place, one, other in pairs:
            if (place or other).upper().startswith("CELL"):
                found |= {v - 1 for v in numbers_in(listed or one)}
        if not pairs and inner:
            found |= {v for v, word in enumerate(re.findall(r"\w+", inner)) if word.upper().startswith("CELL")}
        return found

    def _blocked(self, zone: TextZone) -> bool:
        packing = zone.keys.get("DATAPACKING", zone.keys.get("F", "")).upper()
        return packing.endswith("BLOCK") or self._kind(zone) in ("POLYGON", "POLYHEDRON") or (not packing and bool(self._centred(zone)))

    def _kind(self, zone: TextZone) -> str:
        kind = zone.keys.get("ZONETYPE", zone.keys.get("ET", "")).upper().removeprefix("FE")
        if not kind:
            kind = "ORDERED" if not zone.keys.get("F", "").upper().startswith("FE") else "QUADRILATERAL"
        if kind != "ORDERED" and kind not in _SHAPES and kind not in ("POLYGON", "POLYHEDRON"):
            raise UnreadableFileError(f"a zone of type '{kind}'", where=self.where, remedy="export it as ordered or finite-element zone")
        return kind

    def _shape(self, k: int) -> tuple[int, ...]:
        return tuple(self._count(k, name, name) if name in self.zones[k].keys else 1 for name in "IJK")

    def _count(self, k: int, *names: str) -> int:
        word = next((self.zones[k].keys[name] for name in names if name in self.zones[k].keys), "")
        if not word.isdigit() or int(word) > _MOST:
            raise self._wrong(k, f"{names[0]} is '{word}', a count is needed")
        return int(word)

    def _axes(self, zone: TextZone) -> tuple[dict[int, int], float]:
        """Axis -> number of its variable, and metres per unit of the coordinates."""
        axes: dict[int, int] = {}
        units = set()
        for number, name in enumerate(zone.variables):
            match = _COORDINATE.match(name.strip())
            if match and {"0": 0, "1": 1, "2": 2, "x": 0, "y": 1, "z": 2}[match.group(1).lower()] not in axes:
                axes[{"0": 0, "1": 1, "2": 2, "x": 0, "y": 1, "z": 2}[match.group(1).lower()]] = number
                units.add((match.group(2) or "").strip())
        if 0 not in axes or 1 not in axes:
            raise UnreadableFileError(
                f"no coordinates among the variables {', '.join(zone.variables[:8])}", where=self.where, remedy="name them x, y and z in VARIABLES"
            )
        factors = {self._factor(unit) for unit in units - {""}}
        if len(factors) > 1:
            raise UnreadableFileError(
                f"coordinates in different units: {', '.join(sorted(units))}", where=self.where, remedy="export them in one unit"
            )
        factor = factors.pop() if factors else 1.0
        self.notes += [f"lengths are read in {' '.join(sorted(units - {''}))} and stored in m"] if factor != 1.0 else []
        return axes, factor

    def _factor(self, unit: str) -> float:
        try:
            return metres_per(unit, self.where)
        except UnitError:
            self.notes.append(f"'{unit}' behind a coordinate is no length unit: taken as metres")
            return 1.0

    def _cells(self, k: int, points: np.ndarray) -> Cells:
        zone = self.zones[k]
        kind = self._kind(zone)
        if kind == "ORDERED":
            return lattice_cells(self._shape(k))
        count = self.sizes(k)[1]
        origin = zone.keys.get("CONNECTIVITYSHAREZONE", zone.keys.get("CONNECTIVITYSHARE", ""))
        place = int(origin) - 1 if origin.isdigit() and origin != "0" else k
        if not 0 <= place <= k:
            raise self._wrong(k, f"shares its connectivity with zone {origin}, which does not come before it")
        self.values(place)
        flat = integers(self._rest[place], self.where, f"zone {k + 1}: connectivity") - 1
        if kind in _SHAPES:
            name, size = _SHAPES[kind]
            if len(flat) != count * size:
                raise self._wrong(k, f"{count} cells of {size} points are announced, {len(flat)} numbers are there")
            if len(flat) and (flat.min() < 0 or flat.max() >= len(points)):
                raise self._wrong(k, f"cells name points {flat.min() + 1}..{flat.max() + 1} of {len(points)}")
            return collapsed(name, flat.reshape(count, size))
        return self._by_faces(k, flat + 1, points, count)

    def _by_faces(self, k: int, flat: np.ndarray, points: np.ndarray, count: int) -> Cells:
        """Polygons and polyhedra: sizes of the faces (two points each in the plane), their points, the cells at the left and the right."""
        faces = self._count(k, "FACES")
        if self._kind(self.zones[k]) == "POLYGON":
            sizes, flat = np.full(min(faces, len(flat)), 2), flat
        else:
            sizes, flat = flat[:faces], flat[faces:]
        total = int(sizes.sum()) if (sizes >= 2).all() else -1
        if total < 0 or len(sizes) != faces or len(flat) < total + 2 * faces:
            raise self._wrong(k, f"{faces} faces are announced, their points and cells are not all there")
        sides = np.stack([flat[total : total + faces], flat[total + faces : total + 2 * faces]], axis=1)
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        return cells_from_faces(points, offsets, flat[:total] - 1, np.maximum(sides, 0) - 1, count, f"{self.where}, zone {k + 1}")

    def _wrong(self, k: int, what: str) -> UnreadableFileError:
        name = self.zones[k].keys.get("T", "")
        return UnreadableFileError(f"zone {k + 1}{f' ({name})' if name else ''}: {what}", where=self.where, remedy="export it again")


def collapsed(name: str, rows: np.ndarray) -> Cells:
    """Quads and hexahedra that repeat points as the triangles, tetrahedra, pyramids and wedges that they are, in the same order.

    Args:
        name: ``quad`` or ``hexahedron``; other types stay as they are.
        rows: (m, k) point indices.
    """
    same = {(a, b): rows[:, a] == rows[:, b] for a in range(rows.shape[1]) for b in range(a)} if name in ("quad", "hexahedron") else {}
    if not any(mask.any() for mask in same.values()):
        return Cells.of({name: rows})
    if name == "quad":
        shapes = [("triangle", [0, 1, 2], same[3, 2])]
    else:
        apex = same[5, 4] & same[6, 5] & same[7, 6]
        thin = same[3, 2]
        shapes = [
            ("tetra", [0, 1, 2, 4], apex & thin),
            ("pyramid", [0, 1, 2, 3, 4], apex & ~thin),
            ("wedge", [0, 1, 2, 4, 5, 6], thin & same[7, 6] & ~apex),
        ]
    left = np.ones(len(rows), dtype=bool)
    parts, places = [], []
    for shape, corners, mask in shapes:
        parts.append(Cells.of({shape: rows[mask][:, corners]}))
        places.append(np.flatnonzero(mask))
        left &= ~mask
    parts.append(Cells.of({name: rows[left]}))
    places.append(np.flatnonzero(left))
    return Cells.concatenate(parts).take(np.argsort(np.concatenate(places), kind="stable"))
