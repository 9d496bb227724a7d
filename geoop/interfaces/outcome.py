"""How a computation ended, as a value: the reader of a result must not have to guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import ConfigurationError

#: The ways in which a computation can end.
Status = Literal["converged", "max_sweeps_reached", "stagnated", "diverged", "tangled", "repaired"]

#: What to do next, one sentence per status.
REMEDIES: dict[Status, str] = {
    "converged": "nothing to do",
    "max_sweeps_reached": "allow more sweeps, or enlarge the overlap so that each sweep does more",
    "stagnated": "refine the parts or loosen the tolerance: the residual has stopped above it, which is usually the accuracy of the local solver",
    "diverged": "use a smaller step or relaxation factor, or start from a better guess; do not use these fields",
    "tangled": "move less (weaker monitor, more smoothing) or take more steps: some cells are inverted and integrals over them are wrong",
    "repaired": "read where the exact fall-back was used before trusting the predictor there",
}


@dataclass(frozen=True)
class Outcome:
    """How a computation ended, with the sentence that says what to do about it.

    Attributes:
        status: ``converged``, ``max_sweeps_reached``, ``stagnated``, ``diverged``, ``tangled`` or ``repaired``.
        detail: what happened in numbers, e.g. ``residual 3.1e-4 after 40 sweeps, tolerance 1e-6``; may be empty.
        remedy: what to do next; the standard sentence of the status unless given.

    Raises:
        ConfigurationError: an unknown status.
    """

    status: Status = "converged"
    detail: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise ConfigurationError(f"status is {self.status!r}", where="Outcome", remedy=f"use one of {list(get_args(Status))}")
        object.__setattr__(self, "remedy", self.remedy or REMEDIES[self.status])

    @property
    def ok(self) -> bool:
        """Whether the fields satisfy what was asked: converged, or repaired by an exact fall-back."""
        return self.status in ("converged", "repaired")

    def to_dict(self) -> dict[str, str]:
        """Plain data, for ``--json`` output."""
        return {"status": self.status, "detail": self.detail, "remedy": self.remedy}

    def __str__(self) -> str:
        text = f"{self.status} ({self.detail})" if self.detail else self.status
        return text if self.status == "converged" else f"{text}; remedy: {self.remedy}"
