"""Krylov methods whose preconditioner may change from step to step, such as a Schwarz sweep with a network inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: (n,) -> (n,)
Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Solved:
    """What a Krylov method found.

    Attributes:
        u: (n,).
        residuals: Euclidean norms of the true or recurred residual, over that at zero; the first is that of the start.
        converged: whether the last one met the tolerance.
    """

    u: np.ndarray
    residuals: tuple[float, ...]
    converged: bool

    @property
    def steps(self) -> int:
        """Applications of the preconditioner."""
        return len(self.residuals) - 1


def flexible_gmres(
    apply: Map,
    right: np.ndarray,
    precondition: Map,
    *,
    start: np.ndarray | None = None,
    tolerance: float = 1e-8,
    steps: int = 200,
    restart: int = 50,
    progress: Callable[[int, float], None] | None = None,
) -> Solved:
    """GMRES that keeps the preconditioned directions (Y. Saad, SIAM J. Sci. Comput. 14, 1993, algorithm 2.2).

    Args:
        apply: u -> A u.
        right: (n,) b.
        precondition: r -> about A^-1 r; need not be linear.
        start: (n,) first guess; zero if None.
        tolerance: of |b - A u| over |b|.
        steps: at most.
        restart: directions kept.
        progress: called with the number of every step and the residual after it.
    """
    u = np.zeros_like(right) if start is None else np.array(start)
    size = float(np.linalg.norm(right)) or 1.0
    history = [float(np.linalg.norm(right - apply(u))) / size]
    while history[-1] > tolerance and len(history) <= steps:
        residual = right - apply(u)
        norm = float(np.linalg.norm(residual))
        basis, directions = [residual / norm], []
        hessenberg = np.zeros((restart + 1, restart))
        for j in range(restart):
            directions.append(precondition(basis[j]))
            w = apply(directions[j])
            for _ in range(2):  # twice is enough
                for i in range(j + 1):
                    share = float(basis[i] @ w)
                    hessenberg[i, j] += share
                    w = w - share * basis[i]
            hessenberg[j + 1, j] = np.linalg.norm(w)
            target = np.zeros(j + 2)
            target[0] = norm
            y, *_ = np.linalg.lstsq(hessenberg[: j + 2, : j + 1], target, rcond=None)
            history.append(float(np.linalg.norm(target - hessenberg[: j + 2, : j + 1] @ y)) / size)
            if progress is not None:
                progress(len(history) - 1, history[-1])
            if history[-1] <= tolerance or len(history) > steps or hessenberg[j + 1, j] <= 1e-14 * norm:
                break
            basis.append(w / hessenberg[j + 1, j])
        stalled = len(directions) and not np.isfinite(y).all()
        u = u + sum((share * direction for share, direction in zip(y, directions, strict=True)), start=np.zeros_like(u))
        true = float(np.linalg.norm(right - apply(u))) / size
        if stalled or (true > 0.999 * norm / size and true > tolerance):
            history[-1] = true
            break
        history[-1] = true
    return Solved(u, tuple(history), history[-1] <= tolerance)


def conjugate_directions(
    apply: Map, right: np.ndarray, propose: Map, *, start: np.ndarray | None = None, tolerance: float = 1e-8, steps: int = 200, kept: int = 2
) -> Solved:
    """Symmetric positive definite systems, with directions that anything may propose from the residual.

    Every proposal is made A-orthogonal to the last ``kept`` directions, and a line search goes along it. With an exact preconditioner and kept = 1 this is
    the preconditioned conjugate gradient method; with a network that proposes directions it is Deep Conjugate Direction (A. Kaneda et al., ICML 2023,
    arXiv 2205.10763, algorithm 1); in general it is the flexible conjugate gradient method (Y. Notay, SIAM J. Sci. Comput. 22, 2000).

    Args:
        apply: u -> A u.
        right: (n,) b.
        propose: r -> direction.
        start, tolerance, steps: as for :func:`flexible_gmres`.
        kept: directions that a new one is made orthogonal to.
    """
    u = np.zeros_like(right) if start is None else np.array(start)
    residual = right - apply(u)
    size = float(np.linalg.norm(right)) or 1.0
    history = [float(np.linalg.norm(residual)) / size]
    past: list[tuple[np.ndarray, np.ndarray, float]] = []
    while history[-1] > tolerance and len(history) <= steps:
        direction = propose(residual)
        for before, image, energy in past:
            direction = direction - (float(direction @ image) / energy) * before
        image = apply(direction)
        energy = float(direction @ image)
        if not np.isfinite(energy) or energy <= 1e-300:
            break  # no descent in this direction: the caller sees that the tolerance is not met
        share = float(direction @ residual) / energy
        u, residual = u + share * direction, residual - share * image
        past = [*past, (direction, image, energy)][-kept:]
        history.append(float(np.linalg.norm(residual)) / size)
    true = float(np.linalg.norm(right - apply(u))) / size
    return Solved(u, (*history[:-1], true), true <= 1.001 * tolerance)


class Anderson:
    """Anderson's mixing of the last iterates of u <- F(u) (D. G. Anderson, J. ACM 12, 1965; H. F. Walker, P. Ni, SIAM J. Numer. Anal. 49, 2011).

    Args:
        depth: differences kept.
    """

    def __init__(self, depth: int = 5) -> None:
        self.depth = depth
        self._points: list[np.ndarray] = []
        self._steps: list[np.ndarray] = []

    def next(self, u: np.ndarray, mapped: np.ndarray) -> np.ndarray:
        """The next iterate, given F(u) at u."""
        self._points.append(u)
        self._steps.append(mapped - u)
        self._points, self._steps = self._points[-self.depth - 1 :], self._steps[-self.depth - 1 :]
        if len(self._steps) < 2:
            return mapped
        last = self._steps[-1]
        differences = np.stack([last - before for before in self._steps[:-1]], axis=1)
        moves = np.stack([self._points[-1] - before for before in self._points[:-1]], axis=1)
        share, *_ = np.linalg.lstsq(differences, last, rcond=1e-10)
        found = mapped - (moves + differences) @ share
        return found if np.isfinite(found).all() else mapped
