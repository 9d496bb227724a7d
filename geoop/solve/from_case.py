"""What a user says of a region, patch by patch and in formulas, as the case that an equation is solved for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from ..errors import ConfigurationError, FieldError, PatchError
from ..fem.elastic_laws import LinearElastic
from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from .equations import CONDUCTIVITY, Diffusion, Elasticity, Equation, NonlinearDiffusion
from .expressions import AXES, CONSTANTS, Expression

#: Equations that have a name on the command line.
EquationName = Literal["diffusion", "nonlinear", "elasticity"]
#: A number (one per component of a vector), a formula or the name of a point field, values per point, or a function of (n, d) points.
Given = float | str | Sequence[float] | np.ndarray | Callable[[np.ndarray], np.ndarray]

_CONDUCTIVITY = Quantity(CONDUCTIVITY, "a", "1")


def named_equation(
    name: str, dimension: int, *, quantity: Quantity | None = None, young: float = 1.0, poisson: float = 0.3, plane: str = "strain"
) -> Equation:
    """An equation by its name.

    Args:
        name: ``diffusion``, ``nonlinear`` or ``elasticity``.
        dimension: of space.
        quantity: scalar that diffuses, where it is not called ``solution``.
        young: Young's modulus [Pa].
        poisson: Poisson's ratio.
        plane: ``strain`` or ``stress``, in the plane.

    Raises:
        ConfigurationError: another name, or constants out of range.
    """
    if name not in get_args(EquationName):
        raise ConfigurationError(f"no equation '{name}'", where="equation", remedy=f"choose one of {', '.join(get_args(EquationName))}")
    if plane not in ("strain", "stress"):
        raise ConfigurationError(f"no plane {plane}", where="plane", remedy="choose strain or stress")
    if name == "elasticity":
        return Elasticity(LinearElastic(young, poisson, "solid" if dimension == 3 else f"plane {plane}"))  # type: ignore[arg-type]
    kind = Diffusion if name == "diffusion" else NonlinearDiffusion
    return kind() if quantity is None else kind(quantity=quantity)


def driven_case(
    case: Case,
    equation: Equation,
    *,
    dirichlet: Mapping[str, Given] | None = None,
    neumann: Mapping[str, Given] | None = None,
    source: Given | None = None,
    conductivity: Given | None = None,
) -> Case:
    """A region with what drives it: values said here, those that the case carries already where nothing is said, insulated elsewhere.

    Of the case's own fields and boundary values those are kept that the equation knows; others, of another computation, are left out.

    Args:
        case: a region with named patches.
        equation: that holds there.
        dirichlet: patch -> values of what is solved for.
        neumann: patch -> flux into the region, or traction.
        source: inside; of elasticity a force per volume.
        conductivity: of a diffusion equation; a field at points or cells by its name, too.

    Raises:
        PatchError: a patch that the mesh does not have.
        ConfigurationError: a formula that cannot be read, another number of components, a patch with both kinds of values, nothing that drives the
            region, a conductivity that the equation does not have.
        FieldError: values that are not one per point.
    """
    dirichlet, neumann = dict(dirichlet or {}), dict(neumann or {})
    _require(case, equation, dirichlet, neumann, conductivity)
    boundary = {}
    for patch, data in case.boundary.items():
        known = {name: item for name, item in data.items() if name in (equation.quantity.name, equation.flux)}
        if known and patch not in dirichlet and patch not in neumann:
            boundary[patch] = known
    wanted = [(dirichlet, equation.quantity), (neumann, equation.datum(equation.flux))]
    for said, quantity in wanted:
        for patch, given in said.items():
            at = case.mesh.patch_points(patch)
            boundary[patch] = {quantity.name: Field(quantity, values_at(given, case, at, quantity.rank, f"patch '{patch}'"))}
    fields = {name: item for name, item in case.fields.items() if name in (equation.source, *equation.coefficients)}
    everywhere = np.arange(len(case.mesh.points))
    if source is not None:
        quantity = equation.datum(equation.source)
        fields[quantity.name] = Field(quantity, values_at(source, case, everywhere, quantity.rank, "the source"))
    if conductivity is not None:
        fields[CONDUCTIVITY] = _conductivity(conductivity, case, everywhere)
    if not boundary and equation.source not in fields:
        raise ConfigurationError(
            "nothing drives the region: there are no boundary values, fluxes or sources",
            where=case.name,
            remedy=f"impose values on one of the patches {sorted(case.mesh.patches)}",
        )
    return Case(case.mesh, None, fields, boundary, name=case.name)


def values_at(given: Given, case: Case, points: np.ndarray, rank: int, what: str) -> np.ndarray:
    """(m,) or (m, d) values at points of a mesh.

    Args:
        given: see :data:`Given`.
        case: with the fields that a name may mean; the names of coordinates and constants are never fields.
        points: (m,) numbers of points.
        rank: 0 for a scalar, 1 for a vector.
        what: for messages.
    """
    d, at = case.mesh.dimension, case.mesh.points[points]
    if isinstance(given, str) and given.strip() in case.fields and given.strip() not in (*AXES, *CONSTANTS):
        item = case.fields[given.strip()]
        if item.location != "point":
            raise FieldError(f"'{item.name}' lives at {item.location}s, {what} needs values at points", where=case.name, remedy="give a point field")
        values = np.asarray(item.values, dtype=np.float64)[points]
    elif isinstance(given, str):
        word = given.strip()
        if word.isidentifier() and word not in (*AXES, *CONSTANTS):
            raise FieldError(
                f"there is no field '{word}' for {what}", where=case.name, remedy=f"give a formula, or one of the fields {sorted(case.fields)}"
            )
        values = Expression(given).at(at)
        values = values[:, 0] if rank == 0 and values.shape[1] == 1 else values
    else:
        values = np.asarray(given(at) if callable(given) else given, dtype=np.float64)
        if values.ndim <= rank:
            values = np.broadcast_to(values, (len(points), *values.shape)) if values.ndim == rank else values
    shape = (len(points),) if rank == 0 else (len(points), d)
    if values.shape != shape or not np.isfinite(values).all():
        size = f"{values.shape[1]} components" if values.ndim == 2 and len(values) == len(points) else f"shape {values.shape}"
        found = (
            f"{size}, {'a number' if rank == 0 else f'{d} components'} per point expected" if values.shape != shape else "values that are not finite"
        )
        raise ConfigurationError(
            f"{what} has {found}", where=case.name, remedy="give " + ("one number or formula" if rank == 0 else f"{d}, with commas between them")
        )
    return values


def _conductivity(given: Given, case: Case, everywhere: np.ndarray) -> Field:
    named = case.fields.get(given.strip()) if isinstance(given, str) else None
    if named is not None and named.location == "cell" and named.quantity.rank == 0:
        return Field(replace(_CONDUCTIVITY, unit=named.quantity.unit), named.values, "cell")
    return Field(_CONDUCTIVITY, values_at(given, case, everywhere, 0, "the conductivity"))


def _require(case: Case, equation: Equation, dirichlet: Mapping[str, Given], neumann: Mapping[str, Given], conductivity: Given | None) -> None:
    unknown = sorted((set(dirichlet) | set(neumann)) - set(case.mesh.patches))
    if unknown:
        raise PatchError(
            f"no patch {', '.join(repr(name) for name in unknown)}",
            where=case.name,
            remedy=f"choose one of {sorted(case.mesh.patches)}" if case.mesh.patches else "the mesh names no patches: name them in the mesher",
        )
    both = sorted(set(dirichlet) & set(neumann))
    if both:
        raise ConfigurationError(f"patches {both} have values and fluxes", where=case.name, remedy="impose one of them on a patch")
    if conductivity is not None and CONDUCTIVITY not in equation.coefficients:
        raise ConfigurationError(
            f"{type(equation).__name__} has no conductivity to give", where=case.name, remedy="leave it out, or take the equation 'diffusion'"
        )
