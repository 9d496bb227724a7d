"""Gaussian processes on modes: the classical surrogate, seeing the coordinates; and the oracle, seeing the generator's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ConditionError
from ..mesh.case import Case
from .baseline import AbstractBaseline, Fitted
from .gaussian_process import GaussianProcess
from .modes import Modes

#: Modes that share the length scales of one process: large ones are smooth functions of the inputs, small ones are not.
GROUPS = (0, 2, 4, 8, 12, 16, 24, 32, 48, 64)
#: Modes of the geometry with a length scale of their own.
OWN_LENGTHS = 12


class GaussianProcessModes(AbstractBaseline):
    """Principal components of the fields, apart for field and wall, each regressed by a Gaussian process with ARD.

    Args:
        parameters: None for the control: inputs are the modes of the coordinates and the conditions. Or name of a case -> hidden
            parameters of the generator, conditions included: the oracle, which knows what no predictor is told.
        max_iterations: of the likelihood maximisation of every group of modes.
    """

    def __init__(
        self,
        parameters: Mapping[str, Sequence[float]] | None = None,
        *,
        inputs: Sequence[str] = (),
        beyond: Mapping[str, str] | None = None,
        transfer: str | None = None,
        shapes: int | None = None,
        max_iterations: int = 60,
    ) -> None:
        super().__init__(inputs=inputs, beyond=beyond, transfer=transfer, shapes=shapes)
        self._parameters = None if parameters is None else {name: [float(x) for x in row] for name, row in parameters.items()}
        self._max_iterations = max_iterations
        self._center = np.zeros(0)
        self._deviation = np.ones(0)
        self._blocks: list[tuple[Modes, list[GaussianProcess]]] = []

    def _learn(self, fitted: Fitted, cases: Sequence[Case], rows: np.ndarray, vectors: np.ndarray) -> None:
        inputs = np.array([self._inputs(case, row) for case, row in zip(cases, rows, strict=True)])
        self._center, deviation = inputs.mean(axis=0), inputs.std(axis=0)
        self._deviation = np.where(deviation > 1e-12 * np.maximum(np.abs(self._center), 1e-300), deviation, 1.0)
        shared = None
        if self._parameters is None:
            shared = _shared(fitted)
            seen = fitted.features.n_seen
            if inputs.shape[1] > seen:  # the given fields count as one input of unit deviation: their own proportions are kept
                self._deviation[seen:] = np.linalg.norm(deviation[seen:])
        scaled = (inputs - self._center) / self._deviation
        self._blocks = []
        for part in _parts(fitted):
            block = vectors[:, part].reshape(len(vectors), -1, fitted.channels.count)
            spread = block.std(axis=(0, 1))  # one scale per channel: a quiet one must not drown
            scale = np.broadcast_to(np.where(spread > 0, spread, 1.0), block.shape[1:]).reshape(-1)
            modes = Modes.fit(block.reshape(len(block), -1), scale, most=GROUPS[-1])
            coefficients = modes.encode(block.reshape(len(block), -1))
            count = coefficients.shape[1]
            groups = [coefficients[:, a : min(b, count)] for a, b in zip(GROUPS[:-1], GROUPS[1:], strict=True) if a < count]
            self._blocks.append((modes, [GaussianProcess.fit(scaled, group, shared=shared, max_iterations=self._max_iterations) for group in groups]))

    def _infer(self, fitted: Fitted, case: Case, row: np.ndarray) -> np.ndarray:
        x = ((self._inputs(case, row) - self._center) / self._deviation)[None]
        parts = []
        for modes, processes in self._blocks:
            coefficients = np.concatenate([process.predict(x) for process in processes], axis=1) if processes else np.zeros((1, 0))
            parts.append(modes.decode(coefficients)[0])
        return np.concatenate(parts)

    def _inputs(self, case: Case, row: np.ndarray) -> np.ndarray:
        if self._parameters is None:
            return row
        if case.name not in self._parameters:
            raise ConditionError(
                f"the oracle knows no hidden parameters of '{case.name}'", where="GaussianProcessModes", remedy="pass them: parameters={name: row}"
            )
        return np.array(self._parameters[case.name])

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        arrays = {"center": self._center, "deviation": self._deviation}
        for i, (modes, processes) in enumerate(self._blocks):
            arrays |= {f"{i}.modes.{key}": value for key, value in modes.arrays().items()}
            for j, process in enumerate(processes):
                arrays |= {f"{i}.{j}.{key}": value for key, value in process.arrays().items()}
        return {"parameters": self._parameters, "processes": [len(processes) for _, processes in self._blocks]}, arrays

    def _restore(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        def part(prefix: str) -> dict[str, np.ndarray]:
            return {key[len(prefix) :]: value for key, value in arrays.items() if key.startswith(prefix)}

        self._parameters = header["parameters"]
        self._center, self._deviation = np.asarray(arrays["center"]), np.asarray(arrays["deviation"])
        self._blocks = [
            (Modes.from_arrays(part(f"{i}.modes.")), [GaussianProcess.from_arrays(part(f"{i}.{j}.")) for j in range(count)])
            for i, count in enumerate(header["processes"])
        ]


def _shared(fitted: Fitted) -> np.ndarray | None:
    """Number of the length scale of every column, None where each has its own.

    Each of the first :data:`OWN_LENGTHS` modes of the geometry and every condition has its own. The modes beyond, and those of the given
    fields from the first on, share theirs within octaves: 1, 2, 4, 8, ... modes.
    """
    features = fitted.features
    shapes, given = len(features.shapes.deviation), 0 if features.given is None else len(features.given.deviation)
    if shapes <= OWN_LENGTHS and not given:
        return None
    rest = np.arange(max(shapes - OWN_LENGTHS, 0))
    number = np.concatenate([np.arange(min(shapes, OWN_LENGTHS)), OWN_LENGTHS + _octave(rest // 4)])
    for part in (np.arange(len(features.names)), _octave(np.arange(given))):
        number = np.concatenate([number, part + 1 + number.max(initial=-1)])
    return number.astype(np.int64)


def _octave(k: np.ndarray) -> np.ndarray:
    """0, 1, 1, 2, 2, 2, 2, 3, ..."""
    return np.floor(np.log2(k + 1)).astype(np.int64)


def _parts(fitted: Fitted) -> list[slice]:
    """Numbers of the field and of the wall in a vector: they have modes of their own, for the wall has no sampling noise."""
    cut, end = fitted.transfer.n_field * fitted.channels.count, fitted.transfer.size * fitted.channels.count
    return [part for part in (slice(0, cut), slice(cut, end)) if part.stop > part.start]
