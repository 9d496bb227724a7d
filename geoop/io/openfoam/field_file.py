"""One field of one time: values inside, and on every patch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import UnreadableFileError, UnsupportedFormatError
from .dictionary import Dictionary, FoamFile
from .dimensions import Dimensions, dimensions_of
from .lists import COMPONENTS, Layout, decode, numbers
from .poly_mesh import Patch

_KIND = re.compile(r"(vol|point)(Scalar|Vector|SymmTensor|Tensor|SphericalTensor)Field(::(?:Dimensioned)?Internal(?:Field)?)?")
#: Patch values that mirror the cell: what points through the patch is taken out of a vector.
_MIRROR = {"symmetry", "symmetryPlane", "slip", "basicSymmetry"}
#: Patch types without values of their own that are known to take, or to come close to, those of the cells behind them.
_FROM_CELLS = _MIRROR | {"zeroGradient", "wedge", "calculated", "inletOutlet", "extrapolatedCalculated"}
#: Patches that are no boundary of the flow: planes of a 2-D case, and faces that are coupled to others.
_NO_VALUES = re.compile(r"empty|cyclic.*|processor.*|overset|nonuniformTransformCyclic|jumpCyclic.*")


@dataclass(frozen=True, eq=False)
class FoamField:
    """A field as its file has it.

    Attributes:
        name: of the file.
        location: ``cell`` or ``point``.
        kind: ``scalar``, ``vector``, ``symmTensor``, ``tensor`` or ``sphericalTensor``.
        dimensions: None where they are not understood.
        values: (n,) or (n, k) in OpenFOAM's component order.
        boundary: patch -> (f,) or (f, k) values on its faces, None: those of the cells behind it, see ``types``.
        types: patch -> type of its boundary condition.
        notes: what was left out or assumed.
    """

    name: str
    location: str
    kind: str
    dimensions: Dimensions | None
    values: np.ndarray
    boundary: dict[str, np.ndarray | None]
    types: dict[str, str]
    notes: tuple[str, ...] = ()


def field_kind(kind: str) -> tuple[str, str, bool] | None:
    """Location, value type, and whether there are patches, of a ``class`` such as ``volVectorField``; None if it is not read."""
    found = _KIND.fullmatch(kind)
    if not found:
        return None
    return "cell" if found[1] == "vol" else "point", found[2][0].lower() + found[2][1:], found[1] == "vol" and not found[3]


def read_field(file: FoamFile, name: str, sizes: dict[str, int], patches: tuple[Patch, ...], root: Path) -> FoamField:
    """A cell or point field.

    Args:
        file: of a class that :func:`field_kind` knows.
        name: of the field.
        sizes: number of ``cell``s and ``point``s.
        patches: of the mesh that the field lives on.
        root: folder of the case, for includes.

    Raises:
        UnreadableFileError: truncated, damaged, or another number of values than the mesh has.
        UnsupportedFormatError: the values inside would have to be computed by code in the file.
    """
    found = field_kind(file.kind)
    assert found is not None
    location, kind, has_patches = found
    own = Dictionary.of(file, root)
    key = "internalField" if "internalField" in own else "value"
    inside = own.value(key)
    if inside is None:
        lacking = f"; it includes {', '.join(own.missing)}, which lies outside of the case or is not there" if own.missing else ""
        problem = UnsupportedFormatError if lacking else UnreadableFileError
        raise problem(f"the field has no internalField{lacking}", where=file.where, remedy="copy the whole case, or expand it with `foamDictionary`")
    values = _values(inside, kind, sizes[location], file.layout, file.where)
    dimensions = dimensions_of(own.word("dimensions"))
    boundary, types, notes = {}, {}, []
    conditions = own.sub("boundaryField") if has_patches else None
    for patch in patches if has_patches else ():
        condition = conditions.matching(patch.name, patch.groups) if conditions else None
        types[patch.name] = _type(condition, patch)
        if patch.between_parts or _NO_VALUES.fullmatch(types[patch.name]):
            continue
        try:
            boundary[patch.name] = _patch_values(condition, patch, types[patch.name], kind, file)
        except UnsupportedFormatError as error:
            boundary[patch.name] = None
            notes.append(f"{name} on {patch.name}: {error.message}; the values of the cells behind it are taken")
    return FoamField(name, location, kind, dimensions, values, boundary, types, tuple(notes))


def boundary_values(field: FoamField, patch: Patch, cells: np.ndarray, normals: Callable[[], np.ndarray]) -> tuple[np.ndarray | None, bool]:
    """Values on the faces of one patch, and whether they are only a guess from the cells behind them.

    Args:
        field: a cell field.
        patch: of its mesh.
        cells: (f,) the cell behind each face.
        normals: gives the (f, 3) unit normals when they are needed.
    """
    if patch.name not in field.boundary:
        return None, False
    values = field.boundary[patch.name]
    if values is not None:
        return values, False
    kind = field.types[patch.name]
    values = field.values[cells]
    if kind in _MIRROR and field.kind == "vector":
        n = normals()
        values = values - np.einsum("fk,fk->f", values, n)[:, None] * n
    return values, kind not in _FROM_CELLS


def full_components(values: np.ndarray, kind: str) -> np.ndarray:
    """(n,), (n, 3) or (n, 9) values: symmetric and isotropic tensors written out in rows."""
    if kind == "symmTensor":
        return values[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]]
    if kind == "sphericalTensor":
        return values[:, None] * np.eye(3).reshape(-1)
    return values


def _type(condition: Dictionary | None, patch: Patch) -> str:
    try:
        return condition.word("type", patch.kind) if condition else patch.kind
    except UnsupportedFormatError:
        return patch.kind


def _patch_values(condition: Dictionary | None, patch: Patch, kind: str, values: str, file: FoamFile) -> np.ndarray | None:
    if condition is None or "value" not in condition:
        if kind == "noSlip":
            width = COMPONENTS[values]
            return np.zeros((patch.count, width) if width > 1 else patch.count)
        return None
    own = condition.entries["value"][-1].raw.strip() in (b"$internalField", b"${internalField}")
    raw = condition.value("value")
    assert raw is not None
    if own and re.match(rb"\s*nonuniform", raw):
        return None  # meant when the field was uniform: the cells' own values
    if not patch.count and re.match(rb"\s*nonuniform", raw):
        return np.zeros((0, COMPONENTS[values]) if COMPONENTS[values] > 1 else 0)
    return _values(raw, values, patch.count, file.layout, f"{file.where}, patch '{patch.name}'")


def _values(raw: bytes, kind: str, count: int, layout: Layout, where: str) -> np.ndarray:
    """``uniform value`` or ``nonuniform List<kind> N ( ... )`` as (count,) or (count, k)."""
    head = re.compile(rb"\s*(?:(uniform)\b|(nonuniform)\b)?\s*(?:List<(\w+)>)?").match(raw)
    assert head is not None
    width = COMPONENTS[kind]
    if head[2] or head[3]:
        if head[3] and head[3].decode() != kind:
            raise UnreadableFileError(f"holds {head[3].decode()}s, expected {kind}s", where=where, remedy="check the class in the header of the file")
        return decode(raw, head.end(), kind, layout, where, count)[0]
    row = numbers(raw[head.end() :], where)
    if len(row) != width:
        raise UnreadableFileError(f"a uniform {kind} has {len(row)} numbers, expected {width}", where=where, remedy="write the file again")
    return np.full(count, row[0]) if width == 1 else np.tile(row, (count, 1))
