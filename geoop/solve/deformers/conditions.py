"""Sparse equilibrium of points whose boundary moves as told: known displacements, and points that slide along a patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import scipy.sparse as sp

from ...fem.solving import LinearSystem
from ...mesh.mesh import Mesh
from .given_motion import GivenMotion
from .rigid_blocks import RigidBlocks, conjugate_gradients

#: Unknowns of a solid above which factors cost more than conjugate gradients: 5e4 unknowns of hexahedra 11 s against 1 s.
LARGE_SOLID = 6_000
#: Residual asked for, relative to the right-hand side. Stiff layers hide the residual of the soft outside, so that as much more is asked
#: for as the root of the contrast of the stiffness, at most the last value: at ten orders of magnitude 1e-8 leaves the outside off by
#: half of the motion, 1e-13 by 1e-5 of it.
_TOLERANCE, _LEAST = 1e-9, 1e-13
#: Solutions of the same matrix that a first guess is made of: frames of a series differ by a few modes.
_REMEMBERED = 6


def in_equilibrium(matrix: Any, motion: GivenMotion) -> np.ndarray:
    """(n, d) displacement u [m] of all points with K u = 0 at the free ones.

    Args:
        matrix: K, symmetric positive definite where enough points are held: (n, n) for all components alike, or (n d, n d) with
            component i of point a at ``d * a + i``. Points without an entry stay where they are.
        motion: displacement of the boundary. A sliding point has its tangents as unknowns, so that no force is left along them.

    Raises:
        ConvergenceError: a part of the mesh holds on to nothing.
    """
    return Equilibrium(matrix, motion).displacement(motion)


class PreparedMeshes:
    """What a deformer has prepared for meshes, until they are gone: it serves their next motion if the same points are held.

    A deformer owns one; copies of a deformer, those in other processes too, begin with nothing.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Mesh, tuple[tuple[str, ...], Equilibrium]] = WeakKeyDictionary()

    def __reduce__(self) -> tuple[type[PreparedMeshes], tuple[()]]:
        return PreparedMeshes, ()

    def displacement(self, mesh: Mesh, motion: GivenMotion, matrix: Callable[[], Any]) -> np.ndarray:
        """As :func:`in_equilibrium`.

        Args:
            mesh: where the stiffness is that of.
            motion: see there.
            matrix: makes the stiffness, which depends on the mesh, the deformer and the names of the patches that move.
        """
        known = self._known.get(mesh)
        if known is None or known[0] != motion.moving or not known[1].serves(motion):
            known = (motion.moving, Equilibrium(matrix(), motion))
            self._known[mesh] = known
        return known[1].displacement(motion)


class Equilibrium:
    """A stiffness prepared for motions of the same boundary points.

    Every point has a (k, k) matrix F that takes its displacement to its unknowns: scaled so that F K F^T has unit blocks on the
    diagonal, and without the directions in which a sliding point is held.

    Args:
        matrix, motion: see :func:`in_equilibrium`.
    """

    def __init__(self, matrix: Any, motion: GivenMotion) -> None:
        n, d = motion.mesh.points.shape
        size = matrix.shape[0] // n
        self.matrix = sp.bsr_array(matrix, blocksize=(size, size))
        if size < d and len(motion.sliding):
            data = self.matrix.data * np.eye(d)
            self.matrix, size = sp.bsr_array((data, self.matrix.indices, self.matrix.indptr), shape=(n * d, n * d)), d
        self.given, self.sliding, self.tangents = motion.points, motion.sliding, motion.tangents
        self.points = motion.mesh.points
        held = np.diff(self.matrix.indptr) == 0
        held[motion.points] = True
        self.free = np.flatnonzero(~held)
        self._past: list[tuple[np.ndarray, np.ndarray]] = []
        self._scaled(size, motion.mesh.name, d)

    def _scaled(self, size: int, where: str, dimension: int) -> None:
        reduced = _part(self.matrix, self.free)
        row = np.repeat(np.arange(len(self.free)), np.diff(reduced.indptr))
        at = np.flatnonzero(row == reduced.indices)
        own = reduced.data[at]
        self.frames, held = self._open(size)
        self.frames, least = _unit(own, self.frames, held)
        unscaled = np.matmul(self.frames, own)  # F K F^T = 1, so that F K undoes F^T
        data = np.matmul(np.matmul(self.frames[row], reduced.data), self.frames[reduced.indices].transpose(0, 2, 1))
        data[at] += held[:, :, None] * np.eye(size)
        whole = sp.bsr_array((data, reduced.indices, reduced.indptr), shape=reduced.shape)
        self._scaled_matrix = whole if size > 1 else whole.tocsr()
        self._tolerance = max(_LEAST, _TOLERANCE * least)
        self._where, self._dimension = where, dimension
        large = dimension == 3 and whole.shape[0] > LARGE_SOLID
        self._near = RigidBlocks(self._scaled_matrix, self.points[self.free], unscaled, where) if large else None
        self._system = None if large else LinearSystem(whole, where, dimension=dimension)

    def _open(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """(f, k, k) directions in which every free point may go, as rows, zero where it may not; (f, k) 1 for those rows."""
        frames, held = np.broadcast_to(np.eye(size), (len(self.free), size, size)).copy(), np.zeros((len(self.free), size))
        place = np.full(len(self.matrix.indptr) - 1, -1)
        place[self.free] = np.arange(len(self.free))
        kept = place[self.sliding] >= 0
        if kept.any():
            lengths, axes = np.linalg.eigh(self.tangents[kept])
            index = place[self.sliding[kept]]
            frames[index] = axes.transpose(0, 2, 1) * (lengths > 0.5)[:, :, None]
            held[index] = lengths <= 0.5
        return frames, held

    def serves(self, motion: GivenMotion) -> bool:
        """Whether the same points are held, and others slide in the same directions."""
        mine = (self.given, self.sliding, self.tangents)
        return all(np.array_equal(a, b) for a, b in zip(mine, (motion.points, motion.sliding, motion.tangents), strict=True))

    def displacement(self, motion: GivenMotion) -> np.ndarray:
        """(n, d) displacement of all points [m]; errors as :func:`in_equilibrium`."""
        n, d = motion.mesh.points.shape
        known, size = np.zeros((n, d)), self.matrix.blocksize[0]
        known[motion.points] = motion.values
        force = (self.matrix @ known.reshape(n * size, -1)).reshape(n, size, -1)[self.free]
        right = -np.matmul(self.frames, force).reshape(len(self.free) * size, -1)
        found = self._solved(right).reshape(len(self.free), size, -1)
        known[self.free] = np.matmul(self.frames.transpose(0, 2, 1), found).reshape(len(self.free), d)
        return known

    def _solved(self, right: np.ndarray) -> np.ndarray:
        """The solution of (m, k) right-hand sides."""
        if self._system is None and self._near is not None:
            guess = np.zeros_like(right)
            for mode, _ in self._past:
                guess += mode[:, None] * (mode @ right)
            answer = conjugate_gradients(self._scaled_matrix, right, guess, self._near, self._tolerance)
            if answer is not None:
                self._remember(answer)
                return answer
            self._system = LinearSystem(self._scaled_matrix, self._where, dimension=self._dimension)
        return self._system.solve(right)

    def _remember(self, answer: np.ndarray) -> None:
        """Keep what is new in (m, k) solutions, orthonormal in the energy."""
        for column in answer.T:
            image = self._scaled_matrix @ column
            energy = column @ image
            for mode, force in self._past:
                share = mode @ image
                column, image = column - share * mode, image - share * force
            left = column @ image
            if left > 1e-12 * energy > 0 and len(self._past) < _REMEMBERED:
                self._past.append((column / np.sqrt(left), image / np.sqrt(left)))


def _part(matrix: sp.bsr_array, index: np.ndarray) -> sp.bsr_array:
    """The rows and columns of blocks with these numbers."""
    count = len(matrix.indptr) - 1
    places = sp.csr_array((np.arange(1, len(matrix.indices) + 1), matrix.indices, matrix.indptr), shape=(count, count))[index][:, index]
    places.sort_indices()
    size = matrix.blocksize[0]
    return sp.bsr_array((matrix.data[places.data - 1], places.indices, places.indptr), shape=(len(index) * size,) * 2)


def _unit(own: np.ndarray, frames: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, float]:
    """(f, k, k) F with F K F^T = 1 in the directions that are open, for diagonal blocks K (f, k, k); root of the contrast of stiffness, <= 1."""
    size = own.shape[1]
    turned = np.matmul(np.matmul(frames, own), frames.transpose(0, 2, 1))
    stiff = np.trace(turned, axis1=1, axis2=2)
    sound = stiff > 0
    turned += held[:, :, None] * np.eye(size) * np.where(sound, stiff, 1.0)[:, None, None]
    turned[~sound] = np.eye(size)
    value, axes = np.linalg.eigh(turned)
    value = np.maximum(value, 1e-14 * value[:, -1:])  # a point that is held by others in a plane alone
    scaled = np.matmul(axes / np.sqrt(value)[:, None, :], np.matmul(axes.transpose(0, 2, 1), frames))
    known = stiff[sound]
    return scaled, float(np.sqrt(known.min() / known.max())) if len(known) else 1.0
