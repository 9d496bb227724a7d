"""Numbers out of text, fast, with errors that say which text was not a number."""

from __future__ import annotations

import re
import warnings

import numpy as np

from ..errors import UnreadableFileError

#: meshio with NumPy 2 writes numbers by their repr, ``np.float64(0.5)``.
_NUMPY_REPR = re.compile(rb"np\.(?:float|int)\d+\(([^()\s]*)\)")
_FORTRAN_EXPONENT = re.compile(rb"(?<=[\d.])[dD](?=[-+]?\d)")


def floats(text: bytes, where: str, what: str) -> np.ndarray:
    """All numbers of a white-space separated text, float64.

    Args:
        text: the numbers; Fortran exponents such as ``1.0D-3`` and ``np.float64(0.5)`` are understood.
        where: the file, for the error.
        what: what the numbers are, for the error.

    Raises:
        UnreadableFileError: something is not a number; the message shows it.
    """
    try:
        return _numbers(text)
    except ValueError:
        pass
    try:
        return _numbers(_FORTRAN_EXPONENT.sub(b"e", _NUMPY_REPR.sub(rb"\1", text)))
    except ValueError:
        wrong = next((token for token in text.split() if not _is_number(token)), b"")
        shown = wrong[:40].decode("latin-1")
        raise UnreadableFileError(f"{what}: '{shown}' is not a number", where=where, remedy="repair that line, or export the file again") from None


def integers(values: np.ndarray, where: str, what: str) -> np.ndarray:
    """Float values that must be whole numbers, as int64.

    Raises:
        UnreadableFileError: a value is not whole, not finite or too large for an index.
    """
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2**53)
    if not whole.all():
        raise UnreadableFileError(
            f"{what}: {values[np.argmin(whole)]} is not a whole number", where=where, remedy="repair that line, or export the file again"
        )
    return values.astype(np.int64)


def lines(text: bytes, comment: bytes | None = None) -> list[bytes]:
    """Lines with content, comments cut off, blank ones dropped."""
    if comment is not None:
        text = re.sub(re.escape(comment) + rb"[^\r\n]*", b"", text)
    return [line for line in text.splitlines() if line.strip()]


def token_counts(rows: list[bytes]) -> np.ndarray:
    """(n,) number of white-space separated tokens of every line."""
    return np.fromiter(map(len, map(bytes.split, rows)), dtype=np.int64, count=len(rows))


def _numbers(text: bytes) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # older NumPy only warns about trailing rubbish
        try:
            return np.fromstring(text, dtype=np.float64, sep=" ")
        except DeprecationWarning as error:
            raise ValueError(str(error)) from None


def _is_number(token: bytes) -> bool:
    try:
        return b"_" not in token and float(token) is not None
    except ValueError:
        return False
