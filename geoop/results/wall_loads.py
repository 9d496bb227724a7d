"""Pressure and friction on the wall in Pa, and their integrals: force and moment of one patch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import ConditionError, FieldError, NonFiniteError, PatchError, UnitError
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.quantity import UNKNOWN_UNIT, Field
from .si_fields import pressure_of, rename_remedy, si_scale
from .wall import Wall

#: What a pressure can be: static, or kinematic (divided by the density).
PressureUnit = Literal["Pa", "m^2/s^2"]


@dataclass(frozen=True, eq=False)
class PatchForces:
    """What the fluid does to one patch. Per metre of span in 2-D.

    Attributes:
        pressure: (d,) [N] or [N/m]. friction: same, zero without friction.
        moment: (3,) [N m] or [N] about the reference point; in 2-D only the last entry, counter-clockwise positive.
        area: [m^2], in 2-D length [m].
        closed: whether the patch encloses a volume by itself.
    """

    pressure: np.ndarray
    friction: np.ndarray
    moment: np.ndarray
    area: float
    closed: bool

    @property
    def force(self) -> np.ndarray:
        """(d,) pressure and friction together."""
        return self.pressure + self.friction


def _in_pascals(item: Field, density: float | None, stated: PressureUnit | None, where: str) -> tuple[float, PressureUnit]:
    """The factor that turns values into Pa, and whether they are static or kinematic."""
    scale = si_scale(item, where)
    if scale is None and stated not in ("Pa", "m^2/s^2"):
        raise UnitError(
            f"the unit of '{item.name}' is '{item.quantity.unit}': static [Pa] or kinematic [m^2/s^2] cannot be told apart, and they differ by the density",
            where=where,
            remedy="say which: forces(..., pressure_unit='Pa') or forces(..., pressure_unit='m^2/s^2', density=...)",
        )
    kind: PressureUnit = stated if scale is None and stated is not None else "m^2/s^2" if scale is not None and scale.si == "m^2/s^2" else "Pa"
    if stated is not None and stated != kind:
        raise UnitError(
            f"'{item.name}' is in {item.quantity.unit}, but pressure_unit={stated!r} was given",
            where=where,
            remedy="leave pressure_unit out, or correct the file",
        )
    factor = 1.0 if scale is None else scale.factor
    if kind == "Pa":
        return factor, kind
    if density is None:
        raise ConditionError(
            f"'{item.name}' is kinematic [m^2/s^2] and no density is known",
            where=where,
            remedy="forces(..., density=1.225), or give the case an operating point",
        )
    return factor * density, kind


def in_pascals(item: Field, density: float | None, unit: PressureUnit | None, where: str) -> tuple[float, str]:
    """The factor that turns a pressure field into Pa, and what the field was taken for: its unit decides, else the stated one, nothing is guessed.

    Raises:
        UnitError: the unit is not known, not stated at all, or contradicts the stated one. ConditionError: kinematic, without a density.
    """
    factor, kind = _in_pascals(item, density, unit, where)
    known = "" if item.quantity.unit in (kind, "1", UNKNOWN_UNIT) else f", {item.quantity.unit} in the file,"
    return factor, f"static [Pa]{known}" if kind == "Pa" else f"kinematic [m^2/s^2]{known} times density {density:.6g} kg/m^3"


def pressure_on(case: Case, wall: Wall, density: float | None, unit: PressureUnit | None, reference: float) -> tuple[np.ndarray, str]:
    """(q,) pressure [Pa] at the quadrature points of the wall, and what it was taken for."""
    item = pressure_of(case)
    if item is not None and item.quantity.rank:
        raise FieldError(f"'{item.name}' has several components, a pressure has one", where=case.name, remedy="drop it, or rename it")
    if item is not None:
        scale, text = in_pascals(item, density, unit, case.name)
        return scale * _at_quadrature(case, wall, item) - reference, f"{text} at {_places(case, wall, item)}, minus reference {reference:.6g} Pa"
    if "pressure_coefficient" not in case.fields:
        raise PatchError(
            "the case has neither 'pressure' nor 'pressure_coefficient'",
            where=case.name,
            remedy=f"{rename_remedy(case.fields)}; density, momentum and energy of an ideal gas give it "
            "with --gamma 1.4, geoop.results.ideal_gas.with_gas_pressure",
        )
    item = case.field("pressure_coefficient")
    if case.operating_point is None:
        raise ConditionError(
            "Cp becomes a pressure only with a density and a speed", where=case.name, remedy="give the case an OperatingPoint(velocity=...)"
        )
    if reference:
        raise ConditionError(
            f"a reference pressure of {reference} Pa was given, but Cp is already relative to the free stream", where=case.name, remedy="leave it out"
        )
    scale = si_scale(item, case.name)
    factor = case.operating_point.dynamic_pressure * (1.0 if scale is None else scale.factor)
    return factor * _at_quadrature(case, wall, item), f"coefficient [1] at {_places(case, wall, item)} times dynamic pressure"


def friction_on(case: Case, wall: Wall, density: float | None, unit: PressureUnit | None) -> tuple[np.ndarray | None, str]:
    """(q, d) traction [Pa] at the quadrature points of the wall, or None."""
    item, own_sign = case.fields.get("wall_shear_stress"), case.fields.get("kinematic_wall_shear_stress")
    if item is not None:
        scale, kind = _in_pascals(item, density, unit, case.name)
        text = f"wall_shear_stress [{kind}]" + ("" if kind == "Pa" else " times density")
    elif own_sign is not None and density is not None:
        item, scale = own_sign, -density  # these are OpenFOAM's numbers, which point upstream
        text = "kinematic_wall_shear_stress times density, with OpenFOAM's sign turned"
    elif "skin_friction_coefficient" in case.fields and case.operating_point is not None:
        item = case.field("skin_friction_coefficient")
        own = si_scale(item, case.name)
        scale, text = case.operating_point.dynamic_pressure * (1.0 if own is None else own.factor), "skin_friction_coefficient times dynamic pressure"
    else:
        return None, "none"
    if item.quantity.rank != 1:
        raise FieldError(
            f"'{item.name}' is not a vector, so its direction is unknown",
            where=case.name,
            remedy="give the (n, d) traction on the wall, or drop the field",
        )
    return scale * _at_quadrature(case, wall, item), f"{text} at {_places(case, wall, item)}"


def _facet_values(case: Case, wall: Wall, item: Field) -> dict[int, np.ndarray]:
    """Patch of the wall -> its own values of a field of cells, one per facet, where the case knows them, as a solver's boundary fields are."""
    if item.location != "cell":
        return {}
    known = {number: case.on_facets(name, item) for number, name in enumerate(wall.names) if name in case.mesh.patches}
    return {number: own for number, own in known.items() if own is not None}


def _places(case: Case, wall: Wall, item: Field) -> str:
    """Where the values of a field stand."""
    own = len(_facet_values(case, wall, item))
    return f"{item.location}s" if not own else "the facets of the wall" if own == len(wall.names) else "the facets of some patches, else at cells"


def from_cells_beside(case: Case, wall: Wall, item: Field) -> bool:
    """Whether values of the cells beside the wall stand for those on it."""
    return item.location == "cell" and not case.mesh.is_surface and len(_facet_values(case, wall, item)) < len(wall.names)


def _at_quadrature(case: Case, wall: Wall, item: Field) -> np.ndarray:
    """(q,) or (q, c) values of a field at the quadrature points of the wall."""
    if item.location == "point":
        values = wall.lift @ item.values
    elif item.location == "cell":
        values = np.asarray(item.values, dtype=np.float64)[wall.owner[wall.facet]]
        for patch, own in _facet_values(case, wall, item).items():
            mine = np.flatnonzero(wall.patch[wall.facet] == patch)
            values[mine] = own[wall.facet[mine] - int((wall.patch < patch).sum())]
    elif item.location == "facet" and len(item.values) == len(wall.patch):
        values = item.values[wall.facet]
    else:
        raise FieldError(
            f"'{item.name}' has {len(np.atleast_1d(item.values))} values at {item.location}s, the wall has {len(wall.patch)} facets",
            where=case.name,
            remedy="give values at points or cells of the mesh, or one per wall facet, patch by patch",
        )
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        raise NonFiniteError(
            f"'{item.name}' is NaN or infinite on {len(np.unique(wall.facet[bad]))} facets of the wall",
            where=case.name,
            remedy="mask or recompute it there",
        )
    return values


def integrate(wall: Wall, mesh: Mesh, pressure: np.ndarray, friction: np.ndarray | None, about: np.ndarray, patch: int) -> PatchForces:
    """Force -int p n dA + int t dA on one patch and its moment about a point.

    Args:
        mesh: of the case. pressure: (q,) [Pa] and friction: (q, d) [Pa] at the quadrature points. about: (d,) [m].
    """
    mine = wall.patch[wall.facet] == patch
    arm = wall.points[mine] - about
    push = -pressure[mine, None] * wall.area[mine]
    drag = np.zeros_like(push) if friction is None else friction[mine] * wall.size[mine, None]
    moment = _cross(arm, push + drag).sum(axis=0)
    return PatchForces(push.sum(axis=0), drag.sum(axis=0), moment, float(wall.size[mine].sum()), wall.is_closed(mesh, patch))


def total(parts: Iterable[PatchForces], closed: bool) -> PatchForces:
    """Sum over patches, which together may close a volume that none of them closes alone."""
    parts = list(parts)
    pressure, friction, moment = (np.sum([getattr(p, key) for p in parts], axis=0) for key in ("pressure", "friction", "moment"))
    return PatchForces(pressure, friction, moment, sum(p.area for p in parts), closed)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, 3) cross product of 2-D or 3-D vectors."""
    if a.shape[1] == 3:
        return np.cross(a, b)
    return np.stack([np.zeros(len(a)), np.zeros(len(a)), a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]], axis=1)
