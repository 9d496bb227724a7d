"""Positive definite kernels of geometry and given fields, and how their settings are searched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

#: Length scales tried, relative to the root mean square distance of two training cases.
LENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
#: Weights of the linear part of a polynomial, relative to the mean square of the inputs.
SLOPES = (0.1, 1.0, 10.0, 100.0)
#: Powers of the deviation of the modes by which they are weighted: 0 counts all alike, 1 as their coordinates do.
POWERS = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Factor:
    """One factor of the kernel: a function of the squared distances or the products of two rows.

    Attributes:
        form: ``gaussian`` exp(-d^2/2), ``matern`` (1 + a + a^2/3) exp(-a) with a = sqrt(5) d, ``linear`` 1 + p, ``quadratic`` (1 + p)^2.
        scale: length by which distances d are divided, or weight of products p.
    """

    form: str
    scale: float

    def __call__(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """(n, p) and (m, p) -> (n, m); ones without columns."""
        if not a.shape[1]:
            return np.ones((len(a), len(b)))
        products = a @ b.T
        if self.form in ("linear", "quadratic"):
            return (1.0 + self.scale * products) ** (1 if self.form == "linear" else 2)
        squared = np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * products, 0.0) / self.scale**2
        if self.form == "gaussian":
            return np.exp(-0.5 * squared)
        along = np.sqrt(5.0 * squared)
        return (1.0 + along + along**2 / 3.0) * np.exp(-along)


@dataclass(frozen=True)
class Kernel:
    """k(x, y) = seen(x, y) given(x, y): with a linear second factor, an operator linear in the given fields that depends on the geometry.

    Attributes:
        seen: of geometry and conditions.
        given: of the given fields.
        power: of the deviation of the modes of the geometry in their weight.
    """

    seen: Factor
    given: Factor
    power: float

    def __call__(self, a: Columns, b: Columns) -> np.ndarray:
        return self.seen(a.weighted(self.power), b.weighted(self.power)) * self.given(a.given, b.given)


@dataclass(frozen=True, eq=False)
class Columns:
    """The parts of rows of features.

    Attributes:
        shapes: (n, p) modes of the geometry. share: (p,) their deviation over that of the first.
        conditions: (n, k).
        given: (n, q) modes of the given fields.
    """

    shapes: np.ndarray
    share: np.ndarray
    conditions: np.ndarray
    given: np.ndarray

    def weighted(self, power: float) -> np.ndarray:
        """(n, p + k) geometry and conditions side by side; the geometry as a whole keeps the deviation of its number of modes at power 0."""
        return np.concatenate([self.shapes * self.share**power, self.conditions], axis=1)

    def take(self, index: np.ndarray) -> Columns:
        return replace(self, shapes=self.shapes[index], conditions=self.conditions[index], given=self.given[index])


def searched(columns: Columns, error: Callable[[Kernel], float], rounds: int = 2) -> Kernel:
    """The kernel of least error, one factor at a time.

    Args:
        columns: of the training cases; their distances set the scales.
        error: cross-validated error of a kernel on the training cases.
        rounds: through all factors.
    """
    best = Kernel(Factor("matern", 2.0 * _size(columns.weighted(0.5))), Factor("linear", _weight(columns.given)), 0.5)
    least = error(best)
    for _ in range(rounds):
        for candidates in (_seen, _given):
            for kernel in list(candidates(best, columns)):
                found = error(kernel)
                if found < least:
                    best, least = kernel, found
    return best


def _seen(kernel: Kernel, columns: Columns) -> Iterator[Kernel]:
    if not columns.weighted(0.0).shape[1]:
        return
    for power in POWERS:
        rows = columns.weighted(power)
        for form in ("gaussian", "matern"):
            for length in LENGTHS:
                yield replace(kernel, power=power, seen=Factor(form, length * _size(rows)))
        for form in ("linear", "quadratic"):
            for slope in SLOPES:
                yield replace(kernel, power=power, seen=Factor(form, slope * _weight(rows)))


def _given(kernel: Kernel, columns: Columns) -> Iterator[Kernel]:
    if not columns.given.shape[1]:
        return
    for form in ("linear", "quadratic"):
        for slope in SLOPES:
            yield replace(kernel, given=Factor(form, slope * _weight(columns.given)))
    for form in ("gaussian", "matern"):
        for length in LENGTHS:
            yield replace(kernel, given=Factor(form, length * _size(columns.given)))


def _size(rows: np.ndarray) -> float:
    """Root mean square distance of two rows."""
    return float(np.sqrt(2.0 * rows.var(axis=0).sum())) or 1.0


def _weight(rows: np.ndarray) -> float:
    """One over the mean square of the rows."""
    return 1.0 / (float((rows**2).sum(axis=1).mean()) or 1.0)
