"""Kernel ridge regression whose kernel and penalty have the least leave-one-out error over the training cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..mesh.case import Case
from .baseline import AbstractBaseline, Fitted
from .features import Features
from .kernels import Columns, Factor, Kernel, searched
from .leave_one_out import Spectrum
from .modes import Modes

#: Penalties tried, relative to the largest eigenvalue of the kernel matrix.
PENALTIES = np.logspace(-14, 0, 29)
#: Cases, drawn at random, on which kernels are compared; the penalty is then chosen on all of them.
N_SEARCH = 500
#: Principal components of the vectors that errors are compared on, and that are learned: all up to rounding.
N_COMPARED = 64


class KernelRidge(AbstractBaseline):
    """y(x) = mean + sum_i weight_i k(x, x_i): kernels of geometry and conditions times kernels of the given fields.

    Gaussian, Matern (5/2), linear and quadratic factors, their scales, the weights of the modes of the geometry and the penalty are chosen by
    exact leave-one-out errors; only training cases take part. The kernel is centred, so that the intercept is free.
    """

    _kernel: Kernel
    _rows: np.ndarray
    _mean: np.ndarray
    _weights: np.ndarray
    _modes: Modes

    @property
    def kernel(self) -> Kernel:
        """What cross-validation chose."""
        self._ready()
        return self._kernel

    def _learn(self, fitted: Fitted, cases: Sequence[Case], rows: np.ndarray, vectors: np.ndarray) -> None:
        columns = _columns(fitted.features, rows)
        self._rows = rows
        self._modes = Modes.fit(vectors, lost=1e-14, most=len(vectors))
        targets = self._modes.encode(vectors) * self._modes.deviation
        some = np.sort(np.random.default_rng(0).permutation(len(rows))[:N_SEARCH])
        part, compared = columns.take(some), targets[some][:, :N_COMPARED] - targets[some][:, :N_COMPARED].mean(axis=0)

        def error(kernel: Kernel) -> float:
            return float(_errors(Spectrum.of(kernel(part, part)), compared)[0].min())

        self._kernel = searched(part, error)
        matrix = self._kernel(columns, columns)
        self._mean = matrix.mean(axis=0)
        spectrum = Spectrum.of(matrix)
        errors, penalties = _errors(spectrum, targets)
        self._weights = spectrum.weights(targets, penalties[int(np.argmin(errors))])

    def _infer(self, fitted: Fitted, case: Case, row: np.ndarray) -> np.ndarray:
        kernel = self._kernel(_columns(fitted.features, row[None]), _columns(fitted.features, self._rows))[0]
        # the weights add up to zero, so that only the centring over the training cases remains
        coefficients = (kernel - self._mean) @ self._weights
        return self._modes.mean + coefficients @ self._modes.basis

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        modes = {f"modes.{key}": value for key, value in self._modes.arrays().items()}
        return {"kernel": asdict(self._kernel)}, {"rows": self._rows, "mean": self._mean, "weights": self._weights, **modes}

    def _restore(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        data = header["kernel"]
        self._kernel = Kernel(Factor(**data["seen"]), Factor(**data["given"]), float(data["power"]))
        self._rows, self._mean, self._weights = (np.asarray(arrays[name]) for name in ("rows", "mean", "weights"))
        self._modes = Modes.from_arrays({key.removeprefix("modes."): value for key, value in arrays.items() if key.startswith("modes.")})


def _columns(features: Features, rows: np.ndarray) -> Columns:
    shapes, seen = len(features.shapes.deviation), features.n_seen
    share = features.shapes.deviation / features.shapes.deviation[0] if shapes else np.ones(0)
    return Columns(rows[:, :shapes], share, rows[:, shapes:seen], rows[:, seen:])


def _errors(spectrum: Spectrum, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    penalties = PENALTIES * max(float(spectrum.values[-1]), 1e-300)
    return spectrum.press(targets, penalties), penalties
