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
    if values.ndim == 2:
        lowest = float(values.min())
    else:
        lowest = float(np.linalg.eigvalsh(values).min())
        if not np.allclose(values, np.swapaxes(values, 2, 3), rtol=1e-10, atol=0.0):
            raise FieldError("a conductivity tensor is not symmetric", where=space.mesh.name, remedy="give symmetric tensors")
    if not lowest > 0:
        raise FieldError(
            f"conductivity is {lowest:.3g} somewhere", where=space.mesh.name, remedy="give positive values, or positive definite tensors"
        )
    return skfem.asm(_stiffness, space.basis, coefficient=values).tocsr()


def mass(space: Space, density: Coefficient = 1.0) -> csr_matrix:
    """(n, n) integrals of c u v."""
    return skfem.asm(_mass, space.basis, coefficient=sampled(space, space.basis, density, "coefficient")).tocsr()


def drift(space: Space, vectors: np.ndarray) -> csr_matrix:
    """(n, n) integrals of u b . grad v for b (d, nc, q) at the quadrature points."""
    return skfem.asm(_drift, space.basis, drift=vectors).tocsr()


def patch_mass(space: Space, patch: str, density: Coefficient = 1.0) -> csr_matrix:
    """(n, n) integrals of c u v over a patch."""
    basis = space.facet_basis(patch)
    return skfem.asm(_mass, basis, coefficient=sampled(space, basis, density, f"coefficient on '{patch}'")).tocsr()


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
        return moments(space, np.asarray(source, dtype=np.float64))
    if callable(source):
        return moments(space, sampled(space, space.basis, source, "source").reshape(count, -1)[:, 0])
    values, location = located(space, source, "source")
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
        return cached[key] @ values
    if values is not None and values.ndim and len(values) not in (space.n, len(space.mesh.points), len(space.mesh.cells)):
        raise FieldError(
            f"{len(values)} values of flux for patch '{patch}', which has {len(points)} points of the mesh",
            where=space.mesh.name,
            remedy=f"give one value per point space.patch_points('{patch}'), a number or a function of position",
        )
    at = sampled(space, basis, flux, f"flux on '{patch}'")
    if at.ndim == 3:
        at = (at * np.moveaxis(basis.normals, 0, -1)).sum(axis=-1)
    return moments(space, np.ascontiguousarray(at).reshape(-1), basis)


def patch_loads(space: Space, fluxes: Mapping[str, Coefficient], cached: dict[str, Any] | None = None) -> list[np.ndarray]:
    """One load per patch, in the order of the mapping."""
    return [patch_load(space, patch, flux, cached) for patch, flux in fluxes.items()]
