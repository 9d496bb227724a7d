"""Fields back into an OpenFOAM case: a prediction becomes the initial field of a run."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ...errors import ConditionError, ConfigurationError, FieldError, InvalidMeshError, UnwritableFileError
from ...mesh.case import Case
from ...mesh.measure import cell_centers, cell_measures, consistent_weights
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field
from ..atomic import replacing
from .case_folder import TIME, Part, parts_of
from .dictionary import Dictionary, FoamFile, find_file, load
from .dimensions import dimensions_of, dimensions_text, file_of, turned, unit_of
from .field_text import check_template, from_nothing, from_template, template_layout
from .poly_mesh import PolyMesh
from .region import whole_mesh
from .shapes import cells_of

_SYMMETRIC = ([0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2])
_PER_DENSITY = {("Pa", "m^2/s^2"): -1, ("m^2/s^2", "Pa"): 1}


def write_fields(
    case: Case,
    folder: str | os.PathLike[str],
    *,
    time: str | float = "0",
    template: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    map: bool = False,
) -> tuple[Path, ...]:
    """Write the cell and point fields of a case into a time folder of an OpenFOAM case on the same mesh.

    ``velocity`` goes to ``U``, ``pressure`` and ``kinematic_pressure`` to ``p``, others under the name that OpenFOAM has for
    them or their own. Boundary conditions come from a template: the file of that name in ``template``, otherwise in the same
    time, in ``0`` or in ``0.orig``; everything in it but the values inside is kept word by word. Without one, patches get what
    their type asks for, walls no slip for U, values of ``case.boundary`` at location ``global`` are fixed, and all else has zero
    gradient: look at such a file before a run. Values at points are averaged over each cell by its shape functions. Text or
    binary is decided by ``writeFormat`` in system/controlDict.

    Args:
        case: with fields at cells or points; others are not written.
        folder: of the OpenFOAM case, not decomposed, with its mesh.
        time: name of the time folder, ``"0"`` or 0.5.
        template: a folder with field files, inside the case (``"0.orig"``) or anywhere.
        overwrite: whether files that exist may be replaced.
        map: whether a case on another mesh is allowed: every cell takes the value of the nearest cell centre.

    Returns:
        The files that were written.

    Raises:
        ConfigurationError: no OpenFOAM case, a decomposed one, an impossible time, no such template.
        InvalidMeshError: the case lives on another mesh.
        FieldError: nothing to write, values that are not finite, or a unit or rank that does not fit the template.
        ConditionError: pressure in Pa is to be written as p / rho, but the case does not state the density.
        UnwritableFileError: files exist already, or cannot be written.
    """
    root = Path(folder).expanduser()
    name = _time_name(root, time)
    targets = _targets(root, float(name))
    index = _cell_index(case, targets, map)
    plans = list(_plans(case, root, name, targets, _template_folder(root, template)))
    if not plans:
        raise FieldError("the case has no field at cells or points", where=case.name, remedy="add one: case.with_fields(Field(...))")
    existing = [str(found) for plan in plans if (found := find_file(plan.path.parent, plan.path.name))]
    if existing and not overwrite:
        raise UnwritableFileError(
            f"there already: {', '.join(existing)}", where=str(root), remedy="pass overwrite=True to replace them, or choose another time="
        )
    texts = [(plan, plan.text(case, index)) for plan in plans]
    written = []
    for plan, text in texts:
        if text is not None:
            packed = plan.path.with_name(f"{plan.path.name}.gz")
            target = packed if packed.is_file() else plan.path
            with replacing(target) as path:
                path.write_bytes(gzip.compress(text) if target is packed else text)
            written.append(target)
    return tuple(written)


@dataclass(frozen=True, eq=False)
class _Target:
    """One region of the case on disk: its cells are ``start .. start + n_cells`` of all of them."""

    region: str
    mesh: PolyMesh
    geometry: Mesh
    start: int
    points_file: FoamFile


@dataclass(frozen=True, eq=False)
class _Plan:
    """One file that is to be written."""

    field: Field
    path: Path
    target: _Target
    template: FoamFile | None
    binary: bool

    def text(self, case: Case, index: np.ndarray) -> bytes | None:
        """The bytes of the file; None for a field that the region does not have (NaN in all of its cells)."""
        mesh = self.target.mesh
        values = turned(self.field.name, _at_cells(case.mesh, self.field))[index[self.target.start : self.target.start + mesh.n_cells]]
        if self.target.region and np.isnan(values).all():
            return None
        if not np.isfinite(values).all():
            raise FieldError(
                f"'{self.field.name}' has values that are not finite, a run cannot start from them", where=case.name, remedy="repair the field first"
            )
        layout = template_layout(self.template, self.target.points_file, self.binary)
        kind = check_template(self.template) if self.template else _kind(values)
        values = _components(values, kind, self.field.name, str(self.path))
        if self.template is None:
            imposed = {
                patch: turned(self.field.name, np.asarray(items[self.field.name].values))
                for patch, items in case.boundary.items()
                if self.field.name in items and items[self.field.name].location == "global"
            }
            dimensions = dimensions_text(self.field.quantity.unit)
            if dimensions is None:
                raise FieldError(
                    f"'{self.field.name}' is in '{self.field.quantity.unit}', which OpenFOAM has no dimensions for",
                    where=str(self.path),
                    remedy="give the field an SI unit such as 'm^2/s', or a template= with its dimensions",
                )
            return from_nothing(values, kind, dimensions, mesh.patches, imposed, self.path, layout)
        factor = _factor(self.field, self.template, case)
        return from_template(self.template, values * factor if factor != 1.0 else values, self.path.parent, self.path.name, layout)


def _time_name(root: Path, time: str | float) -> str:
    name = time if isinstance(time, str) else f"{time:.12g}"
    if not TIME.fullmatch(name):
        raise ConfigurationError(f"time={time!r} is not the name of a time", where=str(root), remedy='give a number of seconds, time="0" or time=0.5')
    if not root.is_dir():
        raise ConfigurationError("is not the folder of a case", where=str(root), remedy="give the folder that holds constant/ and system/, unpacked")
    return Part(root, root).times.get(float(name), name)


def _targets(root: Path, time: float) -> list[_Target]:
    part = Part(root, root)
    regions = part.regions()
    if not regions:
        decomposed = bool(parts_of(root))
        raise ConfigurationError(
            "only the processor folders have a mesh" if decomposed else "the folder holds no constant/polyMesh",
            where=str(root),
            remedy="put the mesh together with `reconstructParMesh -constant`, write, and decompose again" if decomposed else "give an OpenFOAM case",
        )
    targets, start = [], 0
    for region in regions:
        _, whole = whole_mesh([part], region, time)
        geometry = Mesh(whole.mesh.points, cells_of(whole.mesh), name=region or root.name)
        targets.append(_Target(region, whole.mesh, geometry, start, part.mesh(region, time).load("points")))
        start += whole.mesh.n_cells
    return targets


def _cell_index(case: Case, targets: list[_Target], map: bool) -> np.ndarray:
    """(n,) cell of the case for every cell on disk."""
    if len(targets) == 1 and _is_same(case.mesh, targets[0].geometry):
        return np.arange(len(case.mesh.cells))
    if case.mesh.dimension != 3 or case.mesh.cell_dimension != 3:
        raise InvalidMeshError(
            f"the case has cells of dimension {case.mesh.cell_dimension} in {case.mesh.dimension}-D, an OpenFOAM mesh has volumes",
            where=case.name,
            remedy="predict on the mesh of the OpenFOAM case: geoop.read(folder)",
        )
    there = np.concatenate([cell_centers(target.geometry) for target in targets])
    here = cell_centers(case.mesh)
    if len(here) == len(there):
        size = np.cbrt(np.concatenate([cell_measures(target.geometry) for target in targets]))
        away = np.linalg.norm(here - there, axis=1)
        if (away <= 1e-3 * size + 1e-7 * np.abs(there).max()).all():
            return np.arange(len(there))
    if map:
        return cKDTree(here).query(there)[1]
    differs = f"{len(here)} cells, the OpenFOAM case {len(there)}" if len(here) != len(there) else "the same number of cells at other places"
    raise InvalidMeshError(
        f"the mesh of the case is another one: it has {differs}",
        where=case.name,
        remedy="predict on geoop.read(folder), or pass map=True to take the value of the nearest cell",
    )


def _is_same(mesh: Mesh, other: Mesh) -> bool:
    """Whether two meshes are equal number by number: the usual case, and much faster to see than by their cell centres."""
    pairs = [(mesh.points, other.points), (mesh.cells.types, other.cells.types), (mesh.cells.connectivity, other.cells.connectivity)]
    return all(np.array_equal(a, b) for a, b in pairs)


def _template_folder(root: Path, template: str | os.PathLike[str] | None) -> Path | None:
    if template is None:
        return None
    for folder in (root / template, Path(template).expanduser()):
        if folder.is_dir():
            return folder
    raise ConfigurationError(f"there is no folder '{template}' with templates", where=str(root), remedy='name one, such as template="0.orig"')


def _plans(case: Case, root: Path, name: str, targets: list[_Target], templates: Path | None) -> Iterator[_Plan]:
    binary = _writes_binary(root)
    fields: dict[str, list[Field]] = {}
    for field in case.fields.values():
        if field.location in ("cell", "point"):
            fields.setdefault(file_of(field.name), []).append(field)
    for target in targets:
        for file, candidates in fields.items():
            path = root / name / target.region / file
            found = None
            for folder in [templates] if templates else [root / name, root / "0", root / "0.orig"]:
                found = found or find_file(folder / target.region, file)
            template = load(found) if found else None
            yield _Plan(_fitting(candidates, template, file), path, target, template, binary)


def _fitting(candidates: list[Field], template: FoamFile | None, file: str) -> Field:
    """The field that goes into a file: of pressure and kinematic pressure the one in the unit of the template."""
    if len(candidates) == 1:
        return candidates[0]
    unit = _unit(template) if template else None
    exact = [field for field in candidates if field.quantity.unit == unit]
    if len(exact) != 1:
        raise FieldError(
            f"the fields {', '.join(field.name for field in candidates)} all go into the file '{file}'",
            remedy="leave all but one of them out of the case",
        )
    return exact[0]


def _unit(template: FoamFile) -> str:
    return unit_of(dimensions_of(Dictionary.of(template).word("dimensions")))


def _factor(field: Field, template: FoamFile, case: Case) -> float:
    """What the values are multiplied by to have the unit of the template."""
    unit, own = _unit(template), field.quantity.unit
    if unit == own or "?" in (unit, own):
        return 1.0
    power = _PER_DENSITY.get((own, unit))
    if power is None or file_of(field.name) != "p":
        raise FieldError(
            f"'{field.name}' is in {own}, the template in {unit}", where=template.where, remedy="convert the field, or give another template="
        )
    if case.operating_point is None:
        raise ConditionError(
            f"'{field.name}' is in {own}, the solver's p in {unit}: the density is needed",
            where=case.name,
            remedy="state it: dataclasses.replace(case, operating_point=OperatingPoint(velocity, density=1.225))",
        )
    return case.operating_point.density**power


def _writes_binary(root: Path) -> bool:
    path = find_file(root / "system", "controlDict")
    return path is not None and Dictionary.of(load(path), root).word("writeFormat", "ascii").startswith("bin")


def _at_cells(mesh: Mesh, field: Field) -> np.ndarray:
    values = np.asarray(field.values, dtype=np.float64)
    if field.location == "cell":
        return values
    weights = consistent_weights(mesh)
    starts = mesh.cells.offsets[:-1]
    total = np.add.reduceat(weights, starts)
    flat = values.reshape(len(values), -1)[mesh.cells.connectivity]
    sums = np.stack([np.add.reduceat(weights * column, starts) for column in flat.T], axis=1)
    return (sums / total[:, None]).reshape(len(mesh.cells), *values.shape[1:])


def _kind(values: np.ndarray) -> str:
    """The OpenFOAM type of values by their shape; a tensor field that is symmetric throughout is one."""
    if values.ndim < 3:
        return "scalar" if values.ndim == 1 else "vector"
    return "symmTensor" if np.array_equal(values, values.swapaxes(1, 2)) else "tensor"


def _components(values: np.ndarray, kind: str, name: str, where: str) -> np.ndarray:
    """(n,), (n, 3) or (n, 3, 3) values in OpenFOAM's component order."""
    found = values.shape[1:]
    fits = {"scalar": (), "vector": (3,), "tensor": (3, 3), "symmTensor": (3, 3), "sphericalTensor": (3, 3)}[kind] == found
    if fits and kind == "symmTensor":
        fits = bool(np.allclose(values, values.swapaxes(1, 2), rtol=1e-6, atol=1e-12 * np.abs(values).max(initial=0.0)))
    if fits and kind == "sphericalTensor":
        fits = bool(np.allclose(values, values[:, :1, :1] * np.eye(3), rtol=1e-6))
    if not fits:
        raise FieldError(f"'{name}' with values of shape {found} is no {kind}", where=where, remedy="give another template=, or convert the field")
    if kind == "symmTensor":
        return values[:, _SYMMETRIC[0], _SYMMETRIC[1]]
    if kind == "sphericalTensor":
        return values[:, 0, 0]
    return values.reshape(len(values), -1) if values.ndim > 1 else values
