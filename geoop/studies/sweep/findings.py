"""What is wrong with a study, or probably a slip, as a list that is said at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import ConfigurationError, GeoopError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or doubtful.

    Attributes:
        where: file, shape or key.
        message: what was found.
        remedy: what to do.
        accept: the word under ``accept`` that means it is intended; empty for an error.
    """

    where: str
    message: str
    remedy: str
    accept: str = ""

    def __str__(self) -> str:
        meant = f', or if it is meant: accept = ["{self.accept}"]' if self.accept else ""
        return f"{self.where}: {self.message} ({self.remedy}{meant})"

    @classmethod
    def of(cls, error: GeoopError, where: str) -> Finding:
        """What an error says; ``where`` for one that does not know."""
        return cls(error.where or where, error.message, error.remedy)


def refuse(findings: Sequence[Finding], where: str) -> None:
    """Raise unless there is nothing to correct.

    Args:
        findings: all that was found.
        where: the study file, for the message.

    Raises:
        ConfigurationError: every finding, one per line.
    """
    if findings:
        lines = "\n".join(f"  - {item}" for item in findings)
        raise ConfigurationError(
            f"{len(findings)} thing{'s' * (len(findings) > 1)} to correct before anything is computed\n{lines}",
            where=where,
            remedy="correct the study; `geoop study --template` prints a commented one",
        )
