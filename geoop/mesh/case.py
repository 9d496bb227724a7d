"""A case: one geometry at one operating condition, with what is known about it. A series: a case over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from ..errors import FieldError, GeoopError, PatchError
from .mesh import Mesh
from .operating_point import OperatingPoint
from .quantity import Field, parse_label


class ParameterError(GeoopError, AttributeError):
    """A series is asked for times, and runs over something else."""


def check_field(mesh: Mesh, item: Field) -> None:
    """Raise :class:`FieldError` unless the field has one value per point, cell, or none of both."""
    expected = {"point": len(mesh.points), "cell": len(mesh.cells)}.get(item.location)
    if expected is not None and len(item.values) != expected:
        raise FieldError(
            f"field '{item.name}' has {len(item.values)} values, the mesh has {expected} {item.location}s",
            where=mesh.name,
            remedy="give one value per location, in the mesh's own order",
        )


@dataclass(frozen=True, eq=False)
class Case:
    """One sample of a data set and one job of a study.

    Attributes:
        mesh: the geometry. A bare outline or surface is a body in unbounded flow.
        operating_point: the condition; None where only geometry matters.
        fields: name -> field on ``mesh``, e.g. a solution that was read with it.
        boundary: patch name -> quantity name -> value imposed there.
        wall: names of the patches that are the body; None lets :func:`geoop.mesh.body.body` find them.
        time: [s], None for a steady case.
        name: what it is called in tables and files.
    """

    mesh: Mesh
    operating_point: OperatingPoint | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    boundary: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    wall: tuple[str, ...] | None = None
    time: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))
        object.__setattr__(self, "boundary", MappingProxyType(dict(self.boundary)))
        object.__setattr__(self, "name", self.name or self.mesh.name)
        if self.wall is not None:
            object.__setattr__(self, "wall", tuple(self.wall))
        for item in self.fields.values():
            check_field(self.mesh, item)
        for patch in (*self.boundary, *(self.wall or ())):
            if patch not in self.mesh.patches:
                raise PatchError(f"no patch '{patch}'", where=self.mesh.name, remedy=f"choose one of {sorted(self.mesh.patches)}")

    def __repr__(self) -> str:
        """One line: names and sizes, no values."""
        parts = [f"'{self.name}'", repr(self.mesh)]
        parts += [repr(self.operating_point)] if self.operating_point is not None else []
        parts += [f"time {self.time:g} s"] if self.time is not None else []
        parts += [f"fields [{', '.join(item.quantity.label for item in self.fields.values())}]"] if self.fields else []
        parts += [f"boundary values on {sorted(self.boundary)}"] if self.boundary else []
        parts += [f"wall {list(self.wall)}"] if self.wall else []
        return f"Case({', '.join(parts)})"

    def field(self, name: str) -> Field:
        """The field of that name, or a :class:`PatchError` that lists the ones there are."""
        if name not in self.fields:
            raise PatchError(f"no field '{name}'", where=self.name, remedy=f"choose one of {sorted(self.fields) or 'none: the case has no fields'}")
        return self.fields[name]

    def on_facets(self, patch: str, item: Field) -> np.ndarray | None:
        """(k,) or (k, d) values of a field of cells on the k facets of a patch, where ``boundary`` has them in its unit, as solvers write them; else None."""
        own = self.boundary.get(patch, {}).get(item.name)
        if own is None or own.location not in ("facet", "cell") or own.quantity.unit != item.quantity.unit:
            return None
        return np.asarray(own.values) if len(own.values) == len(self.mesh.patches[patch]) else None

    def with_fields(self, *items: Field) -> Case:
        """A case with these fields added or replaced."""
        return replace(self, fields={**self.fields, **{item.name: item for item in items}})


@dataclass(frozen=True, eq=False)
class Series:
    """A case at several values of a parameter: times, or operating points such as angles of attack.

    Attributes:
        values: (t,) strictly increasing.
        cases: one case per value.
        parameter: ``time [s]``, ``alpha [deg]``, ...
    """

    values: np.ndarray
    cases: tuple[Case, ...]
    parameter: str = "time [s]"

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "cases", tuple(self.cases))
        if values.shape != (len(self.cases),) or not (np.diff(values) > 0).all():
            raise FieldError(
                f"{values.shape} values for {len(self.cases)} cases, or values not strictly increasing",
                where="Series",
                remedy="sort the cases by the parameter and drop repeated values",
            )

    def __repr__(self) -> str:
        ends = f", {self.values[0]:g} to {self.values[-1]:g}; the first is {self.cases[0]!r}" if self.cases else ""
        return f"Series({len(self.cases)} cases over {self.parameter}{ends})"

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def times(self) -> np.ndarray:
        """(t,) the values where they are times [s].

        Raises:
            ParameterError: the parameter is another one.
        """
        if parse_label(self.parameter)[0] != "time":
            raise ParameterError(f"the series runs over '{self.parameter}', not over time", where="Series", remedy="use series.values")
        return self.values

    @property
    def constant_connectivity(self) -> bool:
        """Whether all cases share one mesh up to the position of its points."""
        return all(case.mesh.same_cells(self.cases[0].mesh) for case in self.cases)
