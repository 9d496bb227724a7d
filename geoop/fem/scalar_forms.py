"""Weak forms of scalar problems: stiffness, mass, loads in the region and on patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import skfem
from scipy.sparse import csr_matrix

from ..errors import FieldError
from ..mesh.quantity import Field
from .sampling import conducted, located, sampled
from .space import Coefficient, Space


@skfem.BilinearForm
def _stiffness(u, v, w):
    return (conducted(w.coefficient, u.grad) * v.grad).sum(axis=0)


@skfem.BilinearForm
def _mass(u, v, w):
    return w.coefficient * u * v


@skfem.BilinearForm
def _drift(u, v, w):
    return u * (w.drift * v.grad).sum(axis=0)


def stiffness(space: Space, conductivity: Coefficient = 1.0) -> csr_matrix:
    """(n, n) integrals of a grad u . grad v.

    Raises:
        FieldError: the conductivity is not positive (tensors: not symmetric positive definite) everywhere.
    """
    values = sampled(space, space.basis, conductivity, "conductivity")
    d = space.domain.dimension
    if values.shape[2:] not in ((), (d, d)):
        raise FieldError(f"a conductivity has shape {values.shape[2:]}", where=space.mesh.name, remedy=f"give numbers or ({d}, {d}) tensors")
    if values.ndim == 2:
        lowest = float(values.min())
    else:
        lowest = float(np.linalg.eigvalsh(values).min())
        skew = np.abs(values - np.swapaxes(values, 2, 3)).max(axis=(2, 3))
        if (skew > 1e-10 * np.abs(values).max(axis=(2, 3))).any():
            raise FieldError("a conductivity tensor is not symmetric", where=space.mesh.name, remedy="give symmetric tensors")
    if not lowest > 0:
        raise FieldError(
            f"conductivity is {lowest:.3g} somewhere", where=space.mesh.name, remedy="give positive values, or positive definite tensors"
        )
    return skfem.asm(_stiffness, space.basis, coefficient=values).tocsr()


def mass(space: Space, density: Coefficient = 1.0) -> csr_matrix:
    """(n, n) integrals of c u v.

    Raises:
        FieldError: c is negative somewhere, or no number.
    """
    return skfem.asm(_mass, space.basis, coefficient=_not_negative(space, space.basis, density, "coefficient")).tocsr()


def drift(space: Space, vectors: np.ndarray) -> csr_matrix:
    """(n, n) integrals of u b . grad v for b (d, nc, q) at the quadrature points."""
    return skfem.asm(_drift, space.basis, drift=vectors).tocsr()


def patch_mass(space: Space, patch: str, density: Coefficient = 1.0) -> csr_matrix:
    """(n, n) integrals of c u v over a patch.

    Raises:
        FieldError: c is negative somewhere, or no number.
    """
    basis = space.facet_basis(patch)
    return skfem.asm(_mass, basis, coefficient=_not_negative(space, basis, density, f"coefficient on '{patch}'")).tocsr()


def _not_negative(space: Space, basis: Any, density: Coefficient, what: str) -> np.ndarray:
    """(ne, q) values at the quadrature points of a basis."""
    values = sampled(space, basis, density, what)
    if values.ndim != 2 or values.min(initial=0.0) < 0.0:
        found = f"is {values.min():.3g} somewhere" if values.ndim == 2 else f"has values of shape {values.shape[2:]}"
        raise FieldError(f"{what} {found}", where=space.mesh.name, remedy="give numbers that are zero or positive")
    return values


def load(space: Space, source: Coefficient, cached: dict[str, Any] | None = None) -> np.ndarray:
    """(n,) integrals of f v; (n, k) for k sources at once.

    Args:
        space: the space.
        source: a number; a function of position; (m,) or (m, k) values at unknowns, mesh points, cells, or quadrature points
            (``space.quadrature_points``); a field.
        cached: keeps the matrices that turn arrays into loads, for many sources on one space.

    Raises:
        FieldError: an array of another length.
    """
    count = space.basis.dx.size
    if not callable(source) and not isinstance(source, Field) and np.ndim(source) and len(np.asarray(source)) == count:
        values = _columns(space, np.asarray(source, dtype=np.float64), "source")
        if not np.isfinite(values).all():
            raise FieldError("source is not finite at the quadrature points", where=space.mesh.name, remedy="correct the data")
        return moments(space, values)
    if callable(source):
        at = sampled(space, space.basis, source, "source")
        if at.size != count:
            raise FieldError(f"the source answers {at.shape[2:]} per point", where=space.mesh.name, remedy="answer one value per point")
        return moments(space, at.reshape(count))
    values, location = located(space, source, "source")
    values = _columns(space, values, "source")
    cached = {} if cached is None else cached
    if location == "constant":
        if "constant" not in cached:
            cached["constant"] = moments(space, np.ones(count))
        return float(values) * cached["constant"]
    if location == "cell":
        per_cell = values[space.domain.cell_of]
        return moments(space, np.repeat(per_cell, space.basis.dx.shape[1], axis=0))
    if location not in cached:
        geometry = space.basis if location == "unknown" else space.basis.with_element(space.domain.grid.elem())
        cached[location] = skfem.asm(_mass, geometry, space.basis, coefficient=np.ones(space.basis.dx.shape)).tocsr()
    return cached[location] @ (values if location == "unknown" else values[space.domain.nodes])


def _columns(space: Space, values: np.ndarray, what: str) -> np.ndarray:
    """The values, if they are a number, (m,) or (m, k)."""
    if values.ndim > 2:
        raise FieldError(f"{what} has shape {values.shape}", where=space.mesh.name, remedy="give (m,) or (m, k) values")
    return values


def moments(space: Space, values: np.ndarray, basis: object | None = None) -> np.ndarray:
    """(n,) or (n, k) integrals of f v from values (ne * q,) or (ne * q, k) of f at the quadrature points of a basis."""
    basis = space.basis if basis is None else basis
    dx = basis.dx  # type: ignore[attr-defined]
    columns = values.reshape(*dx.shape, -1)
    answer = np.zeros((space.n, columns.shape[-1]))
    for k, dofs in enumerate(basis.element_dofs):  # type: ignore[attr-defined]
        weight = np.broadcast_to(np.asarray(basis.basis[k][0]), dx.shape) * dx  # type: ignore[attr-defined]
        local = np.einsum("cq,cqk->ck", weight, columns)
        for j in range(local.shape[1]):
            answer[:, j] += np.bincount(dofs, weights=local[:, j], minlength=space.n)
    return answer[:, 0] if values.ndim == 1 else answer


def patch_load(space: Space, patch: str, flux: Coefficient, cached: dict[str, Any] | None = None) -> np.ndarray:
    """(n,) or (n, k) integrals of g v over a patch.

    Args:
        space: the space.
        patch: of the mesh, or ``boundary``.
        flux: into the region: a number; a function of position, which may answer (m, d) vectors: then their component along the
            outward normal is taken; (m,) or (m, k) values at the mesh's points ``space.patch_points(patch)``; a point field.
        cached: as in :func:`load`.

    Raises:
        FieldError: an array of another length.
    """
    basis = space.facet_basis(patch)
    points = space.patch_points(patch)
    values = None if callable(flux) or isinstance(flux, Field) else np.asarray(flux, dtype=np.float64)
    if values is not None and values.ndim and len(values) == len(points):
        if not np.isfinite(values).all():
            raise FieldError(f"flux on patch '{patch}' is not finite", where=space.mesh.name, remedy="correct the data")
        cached = {} if cached is None else cached
        key = f"patch {patch}"
        if key not in cached:
            geometry = basis.with_element(space.domain.grid.elem())
            matrix = skfem.asm(_mass, geometry, basis, coefficient=np.ones(basis.dx.shape)).tocsc()
            node_of = np.full(len(space.mesh.points), -1, dtype=np.int64)
            node_of[space.domain.nodes] = np.arange(len(space.domain.nodes))
            cached[key] = matrix[:, node_of[points]].tocsr()
        return cached[key] @ _columns(space, values, f"flux on '{patch}'")
    if values is not None and values.ndim and len(values) not in (space.n, len(space.mesh.points), len(space.mesh.cells)):
        raise FieldError(
            f"{len(values)} values of flux for patch '{patch}', which has {len(points)} points of the mesh",
            where=space.mesh.name,
            remedy=f"give one value per point space.patch_points('{patch}'), a number or a function of position",
        )
    at = sampled(space, basis, flux, f"flux on '{patch}'")
    if at.shape[2:] not in ((), (space.domain.dimension,)):
        raise FieldError(
            f"flux on patch '{patch}' has shape {at.shape[2:]} at each point", where=space.mesh.name, remedy="answer numbers or vectors of the space"
        )
    if at.ndim == 3:
        at = (at * np.moveaxis(basis.normals, 0, -1)).sum(axis=-1)
    return moments(space, np.ascontiguousarray(at).reshape(-1), basis)


def patch_loads(space: Space, fluxes: Mapping[str, Coefficient], cached: dict[str, Any] | None = None) -> list[np.ndarray]:
    """One load per patch, in the order of the mapping."""
    return [patch_load(space, patch, flux, cached) for patch, flux in fluxes.items()]
