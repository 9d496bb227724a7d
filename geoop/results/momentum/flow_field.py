"""Velocity and pressure at any place of a flow, with the pressure's kind stated: what momentum balances are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import ConditionError, FieldError, InvalidMeshError, PatchError
from ...interfaces.result import Result
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import UNKNOWN_UNIT, Field
from ...solve.transfer.interpolation import interpolated
from ..si_fields import in_si, rename_remedy, si_scale
from ..wall_loads import PressureUnit, in_pascals


@dataclass(frozen=True, eq=False)
class FlowField:
    """A flow that can be asked anywhere in the fluid.

    Attributes:
        case: whose flow it is.
        point: its operating point.
        viscous: whether the flow has friction.
        density: [kg/m^3].
        notes: what a reader of integrals over it should know.
    """

    case: Case
    point: OperatingPoint
    viscous: bool
    density: float
    notes: tuple[str, ...]
    _ask: Callable[[np.ndarray], Mapping[str, Field]]
    _unit: PressureUnit | None
    _reference: float

    @property
    def dimension(self) -> int:
        return self.case.mesh.dimension

    def velocity(self, points: np.ndarray) -> np.ndarray:
        """(n, d) [m/s] at (n, d) points [m].

        Raises:
            FieldError: no velocity, or a point that lies in the body or beyond the field.
        """
        return self._velocity(self._ask(points), points)

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Velocity (n, d) [m/s], pressure above the free stream's (n,) [Pa] and density (n,) [kg/m^3] at (n, d) points [m].

        The density is that of the field where it has one [kg/m^3], as compressible flows do.

        Raises:
            FieldError: no velocity, or a point that lies in the body or beyond the field. PatchError: no pressure.
            UnitError: a pressure that may be static or kinematic. ConditionError: Cp with a reference pressure.
        """
        found = self._ask(points)
        velocity = self._velocity(found, points)
        item = found.get("density")
        if item is None or item.quantity.unit in ("1", UNKNOWN_UNIT):  # of a run without dimensions
            density = np.full(len(points), self.density)
        else:
            density = self._finite(in_si(item, self.case.name), points)
        return velocity, self._finite(self._pressure(found), points), density

    def reaches(self, points: np.ndarray) -> bool:
        """Whether the velocity is known at all of (n, d) points [m]: none lies in a body or beyond the field."""
        try:
            found = self._ask(points)
        except FieldError:
            return False
        return "velocity" not in found or bool(np.isfinite(found["velocity"].values).all())

    def _velocity(self, found: Mapping[str, Field], points: np.ndarray) -> np.ndarray:
        if "velocity" not in found:
            raise FieldError(
                f"a momentum balance needs the velocity in the field: there is {sorted(found) or 'no field'}",
                where=self.case.name,
                remedy="take a model, or a file, with velocity; forces(...) needs the pressure on the wall only",
            )
        return self._finite(in_si(found["velocity"], self.case.name), points)

    def _pressure(self, found: Mapping[str, Field]) -> np.ndarray:
        item = found.get("pressure", found.get("kinematic_pressure"))
        if item is not None:
            factor, _ = in_pascals(item, self.density, self._unit, self.case.name)
            return factor * item.values - self._reference
        if "pressure_coefficient" not in found:
            raise PatchError(
                "the field has neither 'pressure' nor 'pressure_coefficient'",
                where=self.case.name,
                remedy=f"{rename_remedy(found)}; circulation(...) needs the velocity only",
            )
        if self._reference:
            raise ConditionError(
                f"a reference pressure of {self._reference} Pa was given, but Cp is already relative to the free stream",
                where=self.case.name,
                remedy="leave it out",
            )
        return self.point.dynamic_pressure * in_si(found["pressure_coefficient"], self.case.name)

    def _finite(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if bad.any():
            place = ", ".join(f"{x:.4g}" for x in points[np.argmax(bad)])
            raise FieldError(
                f"the field is unknown at {int(bad.sum())} of {len(points)} points of the cut, such as ({place}) m: they lie in a body or beyond the field",
                where=self.case.name,
                remedy="lay the cut round the body, within the field: another radius, centre or distance",
            )
        return values


def flow_field(
    case_or_result: Case | Result, *, pressure_unit: PressureUnit | None = None, density: float | None = None, reference_pressure: float = 0.0
) -> FlowField:
    """The continuous flow of a result, or of a volume mesh with its fields (interpolated by its shape functions; values of cells first go to points).

    Args:
        case_or_result: with an operating point.
        pressure_unit: of a ``pressure`` whose file does not say it. density: [kg/m^3]; None takes the operating point's.
        reference_pressure: static pressure of the free stream [Pa], where ``pressure`` is not relative to it.

    Raises:
        ConditionError: no operating point, or a density that contradicts it.
        InvalidMeshError: a surface with its fields, which knows nothing off the wall.
    """
    result, case = (case_or_result, case_or_result.case) if isinstance(case_or_result, Result) else (None, case_or_result)
    point = case.operating_point
    if point is None:
        raise ConditionError(
            "a momentum balance needs the free stream", where=case.name, remedy="give the case an OperatingPoint(velocity=..., alpha=...)"
        )
    if density is not None and not np.isclose(density, point.density):
        raise ConditionError(
            f"density {density} contradicts the operating point's {point.density} kg/m^3", where=case.name, remedy="state one density"
        )
    viscous = result.viscous if result is not None else point.viscosity is not None
    notes = ("stresses of friction and turbulence on the cuts are left out",) if viscous else ()
    if result is not None and result.evaluate is not None:
        ask: Callable[[np.ndarray], Mapping[str, Field]] = result.evaluate
    else:
        if case.mesh.is_surface or case.mesh.is_cloud:
            raise InvalidMeshError(
                "the fields lie on the wall only: a momentum balance cuts through the fluid",
                where=case.name,
                remedy="take a volume mesh with its fields, or the result of a model",
            )
        speed = case.fields.get("velocity")
        if speed is not None:
            si_scale(speed, case.name)  # refuses units that are none of a velocity before anything is computed
        ask, said = _of_mesh(case)
        notes += said
    return FlowField(case, point, viscous, point.density, notes, ask, pressure_unit, float(reference_pressure))


def _of_mesh(case: Case) -> tuple[Callable[[np.ndarray], Mapping[str, Field]], tuple[str, ...]]:
    """The fields of a volume mesh as functions."""
    known, notes = {}, []
    for name in ("velocity", "pressure", "kinematic_pressure", "pressure_coefficient", "density"):
        item = case.fields.get(name)
        if item is None or item.location not in ("point", "cell"):
            continue
        values = item.values.reshape(len(item.values), -1)
        if item.location == "cell":
            values = _to_points(case, values)
            notes.append(f"{name} of cells was averaged to points")
        known[name] = (item.quantity, values, item.values.ndim)

    def ask(points: np.ndarray) -> dict[str, Field]:
        if "velocity" not in known:  # whoever asks refuses it, by the names that there are
            return {name: Field(quantity, values[:0, 0]) for name, (quantity, values, _) in known.items()}
        every = interpolated(case.mesh, np.concatenate([values for _, values, _ in known.values()], axis=1), points, outside="error")
        ends = np.cumsum([0] + [values.shape[1] for _, values, _ in known.values()])
        return {
            name: Field(quantity, every[:, a] if axes == 1 else every[:, a:b])
            for (name, (quantity, _, axes)), a, b in zip(known.items(), ends[:-1], ends[1:], strict=True)
        }

    return ask, tuple(notes)


def _to_points(case: Case, values: np.ndarray) -> np.ndarray:
    """(n, k) means over the cells at every point."""
    cells = case.mesh.cells
    owner = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
    count = np.bincount(cells.connectivity, minlength=len(case.mesh.points))
    sums = np.stack([np.bincount(cells.connectivity, weights=column[owner], minlength=len(count)) for column in values.T], axis=1)
    return sums / np.maximum(count, 1)[:, None]
