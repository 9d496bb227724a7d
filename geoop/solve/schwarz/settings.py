"""How a Schwarz iteration cuts a region and puts its parts together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ...errors import ConfigurationError
from ...graph.partition import Method
from .certificate import Preconditioner
from .coarse import Kind as CoarseKind
from .decomposition import Blend
from .local_exact import Transmission

Rule = Literal["restricted", "additive", "multiplicative"]
Acceleration = Literal["none", "anderson", "gmres"]


@dataclass(frozen=True)
class SchwarzSettings:
    """How a region is cut and its parts are put together.

    Attributes:
        parts: how many, about.
        overlap: layers of cells by which parts are extended; at least 1.
        distance: [m] by which they are, instead of layers.
        method: ``bisection`` of coordinates, or ``metis`` (an extra).
        rule: ``restricted`` weighs the parts' answers by a partition of unity (see ``blend``), ``additive`` adds their changes times the relaxation,
            ``multiplicative`` lets parts of one colour answer after the other.
        blend: see :meth:`Decomposition.weights`; None for ``average``, and ``owner`` with Robin conditions, whose averages need not converge.
        relaxation: factor on every change; None for 1 over the most parts that share an unknown where additive, else 1, or what the measured contraction
            of learned answers asks for.
        coarse: functions of the coarse correction, see :class:`CoarseSpace`; None for none.
        modes: per part of a spectral one.
        acceleration: of the sweeps: ``anderson`` mixing, or ``gmres`` on the fixed point of a linear equation.
        transmission: with exact parts: ``dirichlet`` or ``robin``.
        sweeps: at most.
        tolerance: of the relative residual with exact parts (None: 1e-8), of what further sweeps would still change with learned ones (None: 2e-5).
        fallback: parts whose answers are worthless are solved exactly.
        certify: tolerance of a Krylov solve from the stitched field, None for none: its answer needs no faith.
        preconditioner: of that solve: ``exact`` parts, or ``learned`` ones where the operator takes sources, by flexible GMRES; ``directions`` proposes
            conjugate directions by the learned ones (symmetric equations).
        keep: parts prepared and kept in memory at once; None for all.
        size: side of the box [m] that learned local operators were trained on.

    Raises:
        ConfigurationError: all that cannot be, in one error.
    """

    parts: int = 12
    overlap: int = 2
    distance: float | None = None
    method: Method = "bisection"
    rule: Rule = "restricted"
    blend: Blend | None = None
    relaxation: float | None = None
    coarse: CoarseKind | None = "constants"
    modes: int = 4
    acceleration: Acceleration = "none"
    transmission: Transmission = "dirichlet"
    sweeps: int = 200
    tolerance: float | None = None
    fallback: bool = True
    certify: float | None = None
    preconditioner: Preconditioner = "exact"
    keep: int | None = None
    size: float | None = 1.0

    def __post_init__(self) -> None:
        problems = []
        kinds = {
            "rule": Rule,
            "blend": Blend,
            "acceleration": Acceleration,
            "transmission": Transmission,
            "method": Method,
            "preconditioner": Preconditioner,
        }
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind) and not (name == "blend" and self.blend is None):
                problems.append(f"{name} is {getattr(self, name)!r}, must be one of {', '.join(get_args(kind))}")
        if self.coarse is not None and self.coarse not in get_args(CoarseKind):
            problems.append(f"coarse is {self.coarse!r}, must be one of {', '.join(get_args(CoarseKind))} or None")
        if self.distance is None and self.overlap < 1:
            problems.append(f"overlap is {self.overlap}: parts that do not overlap exchange nothing, take 1 or more")
        for name in ("parts", "modes", "sweeps"):
            if getattr(self, name) < 1:
                problems.append(f"{name} is {getattr(self, name)}, must be positive")
        for name in ("relaxation", "tolerance", "certify", "distance", "size"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                problems.append(f"{name} is {value}, must be positive")
        if problems:
            raise ConfigurationError("; ".join(problems), where="SchwarzSettings", remedy="for example SchwarzSettings(parts=12, overlap=2)")

    @property
    def weights(self) -> Blend:
        """How answers are weighed."""
        return self.blend or ("owner" if self.transmission == "robin" else "average")
