"""A file -> what is in it, checked, and metres per unit of it: said by the user, stated by the file, or metres as solvers write them."""

from __future__ import annotations

from ..errors import ConfigurationError, GeoopError, UnitError, UnreadableFileError
from . import annotations
from .contents import Contents, check_contents
from .formats.table import Format
from .source import Source
from .units import metres_per, missing_unit


def load(source: Source, form: Format) -> Contents:
    """What is in the file, checked, in the file's own unit.

    Raises:
        UnreadableFileError, UnsupportedFormatError, InvalidMeshError: see :func:`read`; ``where`` is always the file.
    """
    try:
        contents = form.reader(source)
        check_contents(contents, cloud=form.cloud, where=source.where)
    except GeoopError as error:
        error.where = error.where or source.where
        raise
    except (ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError) as error:
        raise UnreadableFileError(
            f"cannot be understood as {form.name}: {error or type(error).__name__}", where=source.where, remedy="the file is damaged: export it again"
        ) from error
    return contents


def scaled(source: Source, form: Format, unit: str | None, chord: float | None) -> tuple[Contents, float, tuple[str, ...]]:
    """Checked contents, metres per unit of the file, and the note that says so.

    Raises:
        UnitError: the unit is missing, unknown, or given where the file has its own.
        ConfigurationError: a chord for a format that has none.
        The same errors as :func:`load`.
    """
    factor, said = _scale(form, unit, chord, source.where)
    contents = load(source, form)
    if contents.length_unit and form.length == "unit":
        stated = metres_per(contents.length_unit, source.where)
        if factor not in (None, stated):
            raise UnitError(
                f"unit='{unit}', but the file itself says {contents.length_unit}",
                where=source.where,
                remedy=f"leave unit= out, or give '{contents.length_unit}'",
            )
        factor, said = stated, (f"lengths are read in {contents.length_unit}, as the file says, and stored in m",)
    if factor not in (None, 1.0) and form.length == "metres" and not takes_unit(form, contents):
        raise _twice(form, str(unit), source.where)
    if factor is None:
        raise missing_unit(form.name, contents.points, source.where)
    return contents, factor, said


def takes_unit(form: Format, contents: Contents) -> bool:
    """Whether the user may say the length unit of a file: not where it states its own, as all files do that geoop writes in metres."""
    if form.length == "metres":
        return not contents.length_unit and not annotations.is_own(contents.annotations.__contains__)
    return form.length == "unit"


def _scale(form: Format, unit: str | None, chord: float | None, where: str) -> tuple[float | None, tuple[str, ...]]:
    """Metres per unit of the file (None: the user must say it) and the note that says so."""
    if chord is not None and form.length != "chord":
        raise ConfigurationError(
            f"chord= has no meaning for {form.name} files", where=where, remedy="leave it out; give unit= where the format needs one"
        )
    if form.length == "unit":
        return (None, ()) if unit is None else (metres_per(unit, where), (f"lengths are read in {unit} and stored in m",))
    if form.length == "chord":
        if unit is not None:
            raise UnitError(
                "aerofoil coordinates are per chord and have no unit", where=where, remedy="leave unit= out and give the chord in metres: chord=0.25"
            )
        if chord is not None and not (isinstance(chord, (int, float)) and 0 < chord < float("inf")):
            raise UnitError(f"chord is {chord!r}", where=where, remedy="give a positive length in metres: chord=0.25")
        return float(chord or 1.0), (f"chord {chord:g} m as given" if chord else "chord-normalised: the chord is taken as 1 m",)
    factor = 1.0 if unit is None else metres_per(unit, where)
    if factor == 1.0:
        return factor, ()
    if form.length == "stated":
        raise _twice(form, str(unit), where)
    return factor, (f"lengths are taken in {unit}, as said, and stored in m; fields are not scaled",)


def _twice(form: Format, unit: str, where: str) -> UnitError:
    return UnitError(
        f"this {form.name} file states its length unit and is read in metres by it; unit='{unit}' would scale it once more",
        where=where,
        remedy="leave unit= out",
    )
