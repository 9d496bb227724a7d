"""Errors that say what was found, where, why it matters, and what to type next.

Every leaf inherits :class:`GeoopError` and the builtin exception that a Python user would catch.
"""

from __future__ import annotations


class GeoopError(Exception):
    """Base of every error raised on purpose by geoop.

    Args:
        message: what was found and why it matters, one or more sentences.
        remedy: what to type or change next; required, because an error without one is a dead end.
        where: file, array, argument or patch that the message is about.
    """

    def __init__(self, message: str, *, remedy: str, where: str = "") -> None:
        self.message = message
        self.remedy = remedy
        self.where = where
        super().__init__(message, remedy, where)

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  remedy: {self.remedy}"

    def __reduce__(self):  # keyword-only arguments do not survive the default pickling of exceptions
        return (_rebuild, (type(self), self.message, self.remedy, self.where))

    def to_dict(self) -> dict[str, str]:
        """The error as plain data, for ``--json`` output."""
        return {"error": type(self).__name__, "message": self.message, "remedy": self.remedy, "where": self.where}


def _rebuild(kind: type[GeoopError], message: str, remedy: str, where: str) -> GeoopError:
    return kind(message, remedy=remedy, where=where)


class UnreadableFileError(GeoopError, ValueError):
    """A file is missing, empty, truncated, of another format than its name says, or not a mesh."""


class UnsupportedFormatError(UnreadableFileError):
    """No reader or writer exists for this kind of file."""


class UnwritableFileError(GeoopError, OSError):
    """A file cannot be written: no such folder, no permission, disk full. What was on disk before is still there."""


class UnitError(GeoopError, ValueError):
    """A length unit is missing or unknown, or a quantity was given in the wrong one."""


class InvalidMeshError(GeoopError, ValueError):
    """Arrays of a mesh disagree, are not finite, or describe a shape that cannot be used as asked."""


class PatchError(GeoopError, KeyError):
    """A patch, zone or field is asked for by a name that the mesh does not have."""

    __str__ = GeoopError.__str__  # KeyError would print the repr of the tuple


class FieldError(GeoopError, ValueError):
    """A field has the wrong size, lives elsewhere (point, cell, facet), or its unit does not fit."""


class ShapeError(GeoopError, ValueError):
    """An array does not have the named axes it was announced with."""


class ConditionError(GeoopError, ValueError):
    """An operating condition is missing, not finite or outside what is physically meaningful."""


class ConfigurationError(GeoopError, ValueError):
    """An option or a key of a user's file is unknown or has an impossible value."""


class DatasetError(GeoopError, ValueError):
    """A data-set folder is incomplete, changed, or does not say what is needed."""


class CheckpointError(GeoopError, ValueError):
    """A checkpoint is truncated, foreign, too new, or would have to run code to be loaded."""


class NonFiniteError(GeoopError, ArithmeticError):
    """NaN or infinity appeared in a loss, in a prediction or in what a model is given."""


class ConvergenceError(GeoopError, RuntimeError):
    """A solver that must converge did not."""


class MissingDependencyError(GeoopError, ImportError):
    """An optional package or a system library is needed for what was asked."""
