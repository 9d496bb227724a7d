"""The way from rest to a given displacement: bodies that are turned go round and do not shrink on the way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array, csgraph
from scipy.spatial.transform import Rotation

from .given_motion import GivenMotion

#: Turns below this angle [rad] go straight: they shrink a body by less than a thousandth on the way.
_SMALL = 0.05


def way(motion: GivenMotion) -> Callable[[float], np.ndarray]:
    """share of the motion in [0, 1] -> (b, d) displacement [m] of ``motion.points``, exactly the given one at 1.

    Patches that share points are one body. Its best rotation and translation (Kabsch, Acta Crystallographica A 32 (1976) 922) are
    gone through at constant rates, and what is left is added in the frame of the body. Bodies that hang on to something that stays,
    and turns below 3 degrees, go straight.
    """
    arcs = [(rows, _arc(motion.mesh.points[motion.points[rows]], motion.values[rows])) for rows in _bodies(motion)]

    def at(share: float) -> np.ndarray:
        if share >= 1.0:
            return motion.values
        out = share * motion.values
        for rows, arc in arcs:
            if arc is not None:
                out[rows] = arc(share)
        return out

    return at


def _bodies(motion: GivenMotion) -> list[np.ndarray]:
    """Rows of the given points of every body: connected moving patches that share no point with a patch that stays or slides."""
    mesh = motion.mesh
    touched = np.zeros(len(mesh.points), dtype=bool)
    for name in mesh.patches:
        if name not in motion.moving:
            touched[mesh.patches[name].connectivity] = True
    owners = [mesh.patch_points(name) for name in motion.moving]
    count = len(owners)
    points, patch = np.concatenate(owners), np.repeat(np.arange(count), [len(item) for item in owners])
    holds = coo_array((np.ones(len(points)), (patch, points)), shape=(count, len(mesh.points))).tocsr()
    body = csgraph.connected_components(holds @ holds.T, directed=False)[1]
    found = []
    for number in range(body.max() + 1):
        index = np.unique(np.concatenate([owners[k] for k in np.flatnonzero(body == number)]))
        if not touched[index].any():
            found.append(np.searchsorted(motion.points, index))
    return found


def _arc(start: np.ndarray, shift: np.ndarray) -> Callable[[float], np.ndarray] | None:
    """The way of one body with points (k, d) and displacements (k, d); None where it goes straight."""
    d = start.shape[1]
    center, mean = start.mean(axis=0), shift.mean(axis=0)
    before, after = start - center, start + shift - center - mean
    if np.linalg.matrix_rank(before, tol=1e-9 * np.abs(before).max()) < d - 1:
        return None
    space = [np.pad(item, ((0, 0), (0, 3 - d))) for item in (before, after)]
    turn = Rotation.align_vectors(space[1], space[0])[0].as_rotvec()
    if d == 2:
        turn = np.array([0.0, 0.0, np.arctan2(*_plane_turn(before, after))])
    if np.linalg.norm(turn) < _SMALL:
        return None
    whole = Rotation.from_rotvec(turn)
    left = whole.inv().apply(space[1]) - space[0]

    def at(share: float) -> np.ndarray:
        return Rotation.from_rotvec(share * turn).apply(space[0] + share * left)[:, :d] - before + share * mean

    return at


def _plane_turn(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Sine and cosine, up to a factor, of the best rotation of (k, 2) points."""
    return float((before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]).sum()), float((before * after).sum())
