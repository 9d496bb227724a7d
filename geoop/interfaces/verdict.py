"""How far to trust a prediction, in one word, one sentence and numbers with units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from ..errors import ConfigurationError

#: ``inside`` what the predictor has seen, at its ``edge``, or ``outside``.
Level = Literal["inside", "edge", "outside"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Verdict:
    """Whether a case lies inside what a predictor was trained on.

    Attributes:
        level: ``inside``, ``edge`` or ``outside``.
        reason: one sentence that names what decided, with its unit and the range seen in training.
        expected_errors: quantity name -> expected error in the quantity's own unit; empty where nothing was calibrated.

    Raises:
        ConfigurationError: an unknown level, no reason, or an expected error that is negative or not a number.
    """

    level: Level
    reason: str
    expected_errors: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = []
        if self.level not in LEVELS:
            problems.append(f"level is {self.level!r}")
        if not self.reason.strip():
            problems.append("the reason is empty")
        for name, value in self.expected_errors.items():
            if not math.isfinite(value) or value < 0:
                problems.append(f"the expected error of '{name}' is {value}")
        if problems:
            raise ConfigurationError("; ".join(problems), where="Verdict", remedy=f"use one of {list(LEVELS)}, say why, and give errors >= 0")
        object.__setattr__(self, "expected_errors", MappingProxyType({name: float(value) for name, value in self.expected_errors.items()}))

    @property
    def trusted(self) -> bool:
        """True only for ``inside``."""
        return self.level == "inside"

    def worse(self, other: Verdict) -> Verdict:
        """The worse of two verdicts (this one where they agree), with the larger of the expected errors of both."""
        kept = self if LEVELS.index(self.level) >= LEVELS.index(other.level) else other
        names = {**self.expected_errors, **other.expected_errors}
        errors = {name: max(self.expected_errors.get(name, 0.0), other.expected_errors.get(name, 0.0)) for name in names}
        return Verdict(kept.level, kept.reason, errors)

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        return {"level": self.level, "reason": self.reason, "expected_errors": dict(self.expected_errors)}

    def __str__(self) -> str:
        return f"{self.level}: {self.reason}"

    def __reduce__(self):  # a mapping proxy does not pickle
        return (Verdict, (self.level, self.reason, dict(self.expected_errors)))
