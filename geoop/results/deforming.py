"""A mesh carried along with given motions of its patches: methods by name, displacements from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from scipy.spatial import KDTree

from ..errors import ConfigurationError, FieldError, UnreadableFileError
from ..interfaces.moving import Deformer, Moved
from ..io.reading import read_case
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.quantity import QUANTITIES, UNKNOWN_UNIT, Field
from ..mesh.si_units import known_unit
from ..solve.deformers.elastic import Elastic
from ..solve.deformers.laplacian import Laplacian
from ..solve.deformers.radial_basis import RadialBasis
from ..solve.deformers.spring import Spring
from ..solve.deformers.validity import smallest_quality

Method = Literal["rbf", "elastic", "laplacian", "spring"]
#: How far, in sizes of the mesh, a point of a file may lie from the point of the patch that it is.
_SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Deformation:
    """A mesh that has followed a motion, and how well.

    Attributes:
        case: on the moved mesh, its point and cell fields as they were, with the field ``displacement`` [m] at the points
            (``mesh_displacement`` where the case has one of that name); the one
            that was given where the outcome is ``tangled``.
        moved: outcome, steps and seconds.
        quality: smallest scaled Jacobian of the cells before and after; NaN where no cell has one.
    """

    case: Case
    moved: Moved
    quality: tuple[float, float]

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        before, after = self.quality
        found = {"inverted": self.moved.inverted, "steps": self.moved.steps, "seconds": self.moved.seconds}
        return {"outcome": self.moved.outcome.to_dict(), **found, "quality_before": before, "quality_after": after}

    def __str__(self) -> str:
        before, after = self.quality
        mesh = self.case.mesh
        lines = [
            f"{self.case.name}: {len(mesh.points)} points, {len(mesh.cells)} cells, {self.moved.seconds:.2f} s",
            f"outcome: {self.moved.outcome}",
            f"smallest scaled Jacobian: {before:.4g} before, {after:.4g} after",
        ]
        return "\n".join(lines)


def deformer(method: str = "rbf", *, slide: Sequence[str] = (), steps: int | None = None) -> Deformer:
    """The method of a name, with its defaults.

    Args:
        method: ``rbf`` (points only, any cells), ``elastic``, ``laplacian`` or ``spring``.
        slide: patches along which points slide.
        steps: in which the motion is made, at first; None: the method's own.

    Raises:
        ConfigurationError: another name.
    """
    kinds = {"rbf": RadialBasis, "elastic": Elastic, "laplacian": Laplacian, "spring": Spring}
    if method not in kinds:
        raise ConfigurationError(f"method is {method!r}", where="deform", remedy=f"choose one of {list(get_args(Method))}")
    chosen = kinds[method](slide=tuple(slide))
    return chosen if steps is None else replace(chosen, steps=steps)


def deform(
    what: Mesh | Case, displacement: Mapping[str, np.ndarray], method: str | Deformer = "rbf", *, slide: Sequence[str] = (), steps: int | None = None
) -> Deformation:
    """Carry a mesh along with patches that are displaced; its cells are looked at after every step.

    Args:
        what: mesh, or case whose fields ride on their points and cells.
        displacement: patch -> (k, d) [m] at ``mesh.patch_points(patch)``, or (d,) for all of it.
        method: ``rbf``, ``elastic``, ``laplacian``, ``spring``, or a deformer.
        slide: patches along which points slide; all others that are not displaced stay. Of a deformer given as such: its own.
        steps: in which the motion is made, at first; None: the method's own.

    Returns:
        the deformed case, its outcome and quality. Look at ``moved.outcome.ok``: a motion that no step makes without turning cells
        inside out returns the mesh that was given.

    Raises:
        The errors of :func:`geoop.solve.deformers.stepping.carried`.
        ConfigurationError: an unknown method.
    """
    case = Case(what) if isinstance(what, Mesh) else what
    chosen = deformer(method, slide=slide, steps=steps) if isinstance(method, str) else method
    moved = chosen.deform(case.mesh, displacement)
    quality = smallest_quality(case.mesh, case.mesh), smallest_quality(moved.mesh, case.mesh)
    fields = dict(case.fields)
    quantity = QUANTITIES["displacement"]
    if quantity.name in fields:  # the user's own: of a structure, or of a move before this one
        quantity = replace(quantity, name="mesh_displacement")
    fields[quantity.name] = Field(quantity, moved.mesh.points - case.mesh.points)
    made = Case(moved.mesh, case.operating_point, fields, case.boundary, case.wall, case.time, case.name)
    return Deformation(made, moved, quality)


def displacement_of(source: str, mesh: Mesh, patches: Sequence[str]) -> dict[str, np.ndarray]:
    """patch -> (k, d) displacement [m] of its points, as a file says.

    Args:
        source: ``FILE/field``: a vector field at points [m]; the points of the file are found by their places, or by their numbers
            where they are those of the mesh, or those of the mesh moved by that field. ``FILE`` alone: its points, in the order of the mesh, are where those shall be, as in
            the solution of a solver that moved the mesh.
        mesh: that moves.
        patches: whose displacement is wanted.

    Raises:
        UnreadableFileError: no such file.
        FieldError: no such field at the points, not a vector, no length, or points of the patches that the file does not have.
        PatchError: no such patch.
    """
    path, _, name = (source, "", "") if Path(source).is_file() else source.rpartition("/")
    if not path or not Path(path).is_file():
        raise UnreadableFileError("no such file", where=source, remedy="write FILE/field with a point field of FILE, or FILE whose points have moved")
    case = read_case(path)
    points, d = case.mesh.points, mesh.dimension
    found: dict[str, np.ndarray] = {}
    if not name:
        if len(points) != len(mesh.points):
            raise FieldError(
                f"{len(points)} points for the {len(mesh.points)} of the mesh", where=path, remedy="name a field: FILE/field, or give the moved mesh"
            )
        return {patch: points[mesh.patch_points(patch), :d] - mesh.points[mesh.patch_points(patch)] for patch in patches}
    vectors = {key: field for key, field in case.fields.items() if field.location == "point" and field.values.ndim == 2}
    if name not in vectors:
        raise FieldError(
            f"no vector field '{name}' at points", where=path, remedy=f"choose one of {sorted(vectors) or 'none: it has no such fields'}"
        )
    values, flat = _metres(vectors[name], path)[:, :d], points[:, :d]
    same = len(points) == len(mesh.points) and np.abs(flat - mesh.points).max() <= _SAME * float(np.ptp(mesh.points, axis=0).max())
    if not same and len(points) == len(mesh.points):  # what deform wrote: the points that have moved by this very field
        back = np.abs(flat - values - mesh.points).max()
        same = bool(back <= _SAME * float(np.ptp(mesh.points, axis=0).max()))
    tree = None if same else KDTree(flat)
    for patch in patches:
        index = mesh.patch_points(patch)
        if tree is None:
            found[patch] = values[index]
            continue
        distance, row = tree.query(mesh.points[index])
        far = distance > _SAME * float(np.ptp(mesh.points, axis=0).max())
        if far.any():
            raise FieldError(
                f"{int(far.sum())} of {len(index)} points of patch '{patch}' are not among its points, the nearest is {distance.max():.3g} m away",
                where=path,
                remedy="give a file with the same points, or interpolate first: geoop.solve.transfer.carry.transfer",
            )
        found[patch] = values[row]
    return found


def _metres(field: Field, where: str) -> np.ndarray:
    """The values of a field of lengths [m]; one without unit is in metres.

    Raises:
        FieldError: no length.
    """
    unit = field.quantity.unit
    scale = known_unit("m" if unit == UNKNOWN_UNIT else unit)
    if scale is None or scale.si != "m":
        raise FieldError(f"'{field.name}' is in {unit}, a displacement is a length", where=where, remedy="name a field in m, mm, cm, in or ft")
    return np.asarray(scale(field.values))
