"""Bodies in space by ranges of their parameters: superellipsoids, wings, car-like bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError
from ...io.settings import check_keys
from ...mesh.bodies import CarShape, WingShape, car_body, superellipsoid, wing_body
from ...mesh.mesh import Mesh
from .ranges import rows_of, varied


@dataclass(frozen=True)
class _Family:
    """Parameters with their usual values and units."""

    usual: Mapping[str, float]
    units: Mapping[str, str]


_LENGTHS = {"length": "m", "width": "m", "height": "m", "cabin": "m", "span": "m", "root_chord": "m"}
_ANGLES = {"sweep": "deg", "dihedral": "deg", "twist": "deg"}
FAMILIES: dict[str, _Family] = {
    "superellipsoid": _Family({"length": 1.0, "width": 0.5, "height": 0.5, "east": 1.0, "north": 1.0}, _LENGTHS),
    "wing": _Family(
        {"span": 6.0, "root_chord": 1.0, "taper": 1.0, "sweep": 0.0, "dihedral": 0.0, "twist": 0.0, "roundness": 8.0}, {**_LENGTHS, **_ANGLES}
    ),
    "car": _Family(
        {
            "length": 4.4,
            "width": 1.8,
            "height": 0.9,
            "cabin": 0.5,
            "cabin_center": 0.08,
            "cabin_length": 0.35,
            "tumblehome": 0.2,
            "edge": 0.4,
        },
        _LENGTHS,
    ),
}
#: Points along an edge of the cube, or round a wing's section, unless ``resolution`` says otherwise.
_RESOLUTION = {"superellipsoid": 16, "wing": 40, "car": 24}


def shape(family: str, entry: Any, count: Any, seed: int, where: str) -> Iterator[tuple[str, Mesh, dict[str, float], float | None, float | None]]:
    """Bodies of one family, each with name, mesh, parameters by column, reference area and length [m^2, m] (of wings: planform, mean chord).

    Args:
        family: of :data:`FAMILIES`.
        entry: parameter -> values, see :func:`geoop.studies.sweep.ranges.varied`; ``resolution``, and ``section`` (four NACA digits) of a wing.
        count: of a Latin hypercube, or None for the full grid.
        seed: of the hypercube.
        where: for errors.

    Raises:
        ConfigurationError: unknown parameters, or values that describe no body.
    """
    known = FAMILIES[family]
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"{family} = {entry!r}", where=where, remedy=f"give a table of {', '.join(known.usual)}")
    check_keys(entry, {*known.usual, "resolution", *(("section",) if family == "wing" else ())}, where)
    n, section = entry.get("resolution", _RESOLUTION[family]), entry.get("section", "0012")
    if not isinstance(n, int) or isinstance(n, bool) or n < 2 or not isinstance(section, str):
        raise ConfigurationError(f"resolution = {n!r}, section = {section!r}", where=where, remedy='resolution = 16, section = "0012"')
    choices = {key: varied(entry.get(key, usual), f"{where} {key}") for key, usual in known.usual.items()}
    moving = [key for key, values in choices.items() if not (isinstance(values, tuple) and len(values) == 1)]
    for number, row in enumerate(rows_of(choices, count, seed, where)):
        mesh, area, length = _body(family, row, n, section)
        columns = {f"{key} [{known.units.get(key, '1')}]": row[key] for key in moving}
        yield f"{family}_{number:03d}" if moving else family, mesh, columns, area, length


def _body(family: str, row: Mapping[str, float], n: int, section: str) -> tuple[Mesh, float | None, float | None]:
    if family == "wing":
        wing = WingShape(**row, section=section)  # type: ignore[arg-type]
        return wing_body(wing, n_around=n + n % 2)[0], wing.area, wing.area / wing.span
    if family == "car":
        return car_body(CarShape(**row), n), None, None
    axes = (0.5 * row["length"], 0.5 * row["width"], 0.5 * row["height"])
    return superellipsoid(axes, row["east"], row["north"], n), None, None
