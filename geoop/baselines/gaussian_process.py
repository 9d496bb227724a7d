"""Exact Gaussian-process regression of many outputs with one RBF-ARD kernel (Rasmussen and Williams 2006, chapters 2 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

#: Limits of the length scales and of the noise variance, relative to inputs and outputs of unit deviation.
LENGTHS, NOISE = (0.05, 1e3), (1e-9, 1.0)
#: Rows from which the likelihood is taken at most: its cost grows with their cube.
MOST_ROWS = 600


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A fitted process: y(x) = sum_i weights_i exp(-|(x - x_i)/length|^2 / 2).

    Attributes:
        inputs: (n, p) training inputs.
        lengths: (p,) length scale of every input.
        noise: noise variance relative to that of the signal.
        weights: (n, r), one column per output.
    """

    inputs: np.ndarray
    lengths: np.ndarray
    noise: float
    weights: np.ndarray

    @classmethod
    def fit(cls, inputs: np.ndarray, outputs: np.ndarray, *, shared: np.ndarray | None = None, max_iterations: int = 60) -> GaussianProcess:
        """Length scales and noise at the largest marginal likelihood, summed over the outputs, each with its own signal variance.

        Of more than :data:`MOST_ROWS` rows some, drawn at random, tell the length scales; all of them tell the weights.

        Args:
            inputs: (n, p), of about unit deviation.
            outputs: (n, r), of zero mean.
            shared: (p,) number 0.. of the length scale of every input; None gives each its own.
            max_iterations: of L-BFGS-B.
        """
        inputs, outputs = np.asarray(inputs, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
        alive = np.linalg.norm(outputs, axis=0) > 0
        count = inputs.shape[1] if shared is None else int(shared.max(initial=-1)) + 1
        start = np.append(np.full(count, np.log(2.0 * np.sqrt(count))), np.log(1e-4))
        if alive.any() and count:
            some = np.random.default_rng(0).permutation(len(inputs))[:MOST_ROWS] if len(inputs) > MOST_ROWS else slice(None)
            bounds = [tuple(np.log(LENGTHS))] * count + [tuple(np.log(NOISE))]
            options = {"maxiter": max_iterations}
            data = (inputs[some], outputs[some][:, alive], shared)
            start = minimize(_likelihood, start, args=data, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        lengths, noise = np.exp(start[:-1]), float(np.exp(start[-1]))
        lengths = lengths if shared is None else lengths[shared]
        factor = cho_factor(_kernel(inputs / lengths, inputs / lengths) + noise * np.eye(len(inputs)), lower=True)
        return cls(inputs, lengths, noise, cho_solve(factor, outputs))

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """(m, p) -> (m, r) means."""
        return _kernel(np.asarray(inputs) / self.lengths, self.inputs / self.lengths) @ self.weights

    def arrays(self) -> dict[str, np.ndarray]:
        """For a checkpoint; :meth:`from_arrays` reads them back, bit-equal."""
        return {"inputs": self.inputs, "lengths": self.lengths, "noise": np.array(self.noise), "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> GaussianProcess:
        return cls(np.asarray(arrays["inputs"]), np.asarray(arrays["lengths"]), float(arrays["noise"]), np.asarray(arrays["weights"]))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * a @ b.T
    return np.exp(-0.5 * np.maximum(squared, 0.0))


def _likelihood(parameters: np.ndarray, x: np.ndarray, y: np.ndarray, shared: np.ndarray | None = None) -> tuple[float, np.ndarray]:
    """Negative log marginal likelihood per number, signal variances profiled out, and its gradient.

    Equation 5.8 with the variance of every output at its optimum y' C^-1 y / n; with M = r C^-1 - sum_j n a_j a_j' / (y_j' a_j) the
    gradient along a parameter is tr(M dC)/2.
    """
    n, r = y.shape
    lengths, noise = np.exp(parameters[:-1]), np.exp(parameters[-1])
    z = x / (lengths if shared is None else lengths[shared])
    kernel = _kernel(z, z)
    factor = cho_factor(kernel + noise * np.eye(n), lower=True, check_finite=False)
    a = cho_solve(factor, y, check_finite=False)
    fit = (y * a).sum(axis=0)
    value = 0.5 * n * np.log(fit / n).sum() + r * np.log(np.diag(factor[0])).sum()
    m = r * cho_solve(factor, np.eye(n), check_finite=False) - (a * (n / fit)) @ a.T
    weighted = m * kernel
    along = (z**2 * weighted.sum(axis=1)[:, None]).sum(axis=0) - (z * (weighted @ z)).sum(axis=0)
    along = along if shared is None else np.bincount(shared, along, minlength=len(lengths))
    gradient = np.append(along, 0.5 * noise * np.trace(m))
    return value / (n * r), gradient / (n * r)
