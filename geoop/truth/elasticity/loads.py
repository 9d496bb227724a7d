"""What holds and what pulls a solid: displacements of patches by component, tractions, body force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csgraph

from ...errors import ConditionError, GeoopError
from ...fem.elasticity import Displacements, OnBoundary

#: (k, d) points [m] -> (k, d) values; NaN in a displacement leaves that component free.
OfPoints = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Loads:
    """Boundary conditions and forces; what is not named is free of traction.

    Attributes:
        fixed: patch -> displacement [m] per component, None for a free one, e.g. ``{"left": (0.0, None)}``; or a function of points.
        traction: patch -> force per (undeformed) area [Pa], (d,), or a function of (k, d) points and unit outward normals. It keeps
            its direction when the body deforms.
        body_force: force per (undeformed) volume [N/m^3], (d,), or a function of (k, d) points.
    """

    fixed: Mapping[str, Sequence[float | None] | OfPoints]
    traction: Mapping[str, Sequence[float] | OnBoundary] = field(default_factory=dict)
    body_force: Sequence[float] | OfPoints | None = None


def held(displacements: Displacements, loads: Loads) -> tuple[np.ndarray, np.ndarray]:
    """((n, d) whether a component of a node is held, (n, d) its displacement [m], 0 where it is free).

    Raises:
        ConditionError: no such patch, wrong sizes, values that are not finite, patches that hold one node in two places, or a
            body (or a part of it) that can still move as a rigid one: all problems in one error.
    """
    space, d = displacements.space, displacements.dimension
    values = np.full((space.n, d), np.nan)
    problems: list[str] = []
    for patch, given in loads.fixed.items():
        try:
            nodes, own = held_by(displacements, patch, given, problems)
        except GeoopError as error:
            problems.append(error.message)
            continue
        # a fraction of the displacements, not of the body: stiff bodies are moved by 1e-10 of their size
        scale = max((float(np.abs(item[np.isfinite(item)]).max(initial=0.0)) for item in (own, values)), default=0.0)
        clash = np.abs(own - values[nodes]) > 1e-9 * scale + 1e-15 * np.ptp(space.points, axis=0).max()
        if clash.any():
            at = space.points[nodes[np.flatnonzero(clash.any(axis=1))[0]]]
            problems.append(f"'{patch}' and another patch displace the same point ({', '.join(f'{x:.4g}' for x in at)}) differently")
        values[nodes] = np.where(np.isnan(own), values[nodes], own)
    fixed = ~np.isnan(values)
    if not problems:
        problems += _loose(displacements, fixed)
    if problems:
        raise ConditionError(
            "; ".join(problems), where=space.mesh.name, remedy="give Loads(fixed={'left': (0.0, None), ...}) for patches of the mesh"
        )
    return fixed, np.where(fixed, values, 0.0)


def held_by(
    displacements: Displacements, patch: str, given: Sequence[float | None] | OfPoints, problems: list[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """((k,) nodes of a patch, (k, d) the displacement [m] that it gives them, NaN where it leaves them free).

    Args:
        displacements: the finite elements.
        patch: its name.
        given: as in :class:`Loads`.
        problems: is told what is wrong with the values.

    Raises:
        PatchError: no such patch.
    """
    nodes = displacements.space.on(patch)
    what = f"displacement of '{patch}'"
    return nodes, _values_at(displacements.space.points[nodes], given, displacements.dimension, what, [] if problems is None else problems, free=True)


def load_vector(displacements: Displacements, loads: Loads) -> np.ndarray:
    """(n, d) forces on the nodes from tractions and body force [N; N/m in 2-D].

    Raises:
        ConditionError: no such patch, wrong sizes or values that are not finite, all in one error.
    """
    d = displacements.dimension
    total = np.zeros((displacements.space.n, d))
    problems: list[str] = []
    for patch, given in loads.traction.items():
        value = given if callable(given) else _values_at(np.zeros((1, d)), given, d, f"traction on '{patch}'", problems)[0]
        try:
            total += displacements.surface_load(patch, value)
        except GeoopError as error:
            problems.append(error.message)
        except ValueError as error:
            problems.append(f"traction on '{patch}': {error}")
    if loads.body_force is not None:
        points = displacements.space.quadrature_points
        total += displacements.volume_load(_values_at(points, loads.body_force, d, "body force", problems).reshape(*displacements.weights.shape, d))
    if not problems and not np.isfinite(total).all():
        problems.append("a traction or the body force is not finite")
    if problems:
        raise ConditionError(
            "; ".join(problems), where=displacements.space.mesh.name, remedy=f"give {d} finite numbers, or a function that returns (k, {d})"
        )
    return total


def _values_at(points: np.ndarray, given: Sequence | OfPoints, d: int, what: str, problems: list[str], *, free: bool = False) -> np.ndarray:
    """(k, d) values at points; notes what is wrong with them."""
    found = given(points) if callable(given) else [np.nan if item is None else item for item in given]
    values = np.asarray(found, dtype=np.float64)
    expected = [points.shape] if callable(given) else [(d,)]
    if values.shape not in expected:
        problems.append(f"{what} has shape {values.shape}, expected {expected[0]}")
        return np.full(points.shape, np.nan)
    if np.isinf(values).any() or (not free and np.isnan(values).any()):
        problems.append(f"{what} is not finite")
    return np.broadcast_to(values, points.shape)


def _loose(displacements: Displacements, fixed: np.ndarray) -> list[str]:
    """Says how many rigid motions are left to the body, or to the part of it that has most of them."""
    points, d = displacements.space.points, displacements.dimension
    pattern = displacements.pattern
    count, part = csgraph.connected_components(pattern.matrix(np.ones(len(pattern.indices))), directed=False)
    left = []
    for k in range(count):
        own = part == k
        x = points[own] - points[own].mean(axis=0)
        modes = _rigid_modes(x / np.abs(x).max())
        left.append(modes.shape[2] - np.linalg.matrix_rank(modes[fixed[own]], tol=1e-9) if fixed[own].any() else modes.shape[2])
    if max(left) == 0:
        return []
    where = f"part {int(np.argmax(left)) + 1} of {count} of the body" if count > 1 else "the body"
    return [f"{where} is free to move in {max(left)} of {d * (d + 1) // 2} rigid ways"]


def _rigid_modes(x: np.ndarray) -> np.ndarray:
    """(n, d, m) translations and infinitesimal rotations."""
    d = x.shape[1]
    modes = [np.broadcast_to(np.eye(d)[k], x.shape) for k in range(d)]
    for i in range(d):
        for j in range(i):
            turn = np.zeros_like(x)
            turn[:, i], turn[:, j] = x[:, j], -x[:, i]
            modes.append(turn)
    return np.stack(modes, axis=2)
