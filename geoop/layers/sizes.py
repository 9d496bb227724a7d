"""Sizes of networks, checked where they are built: a layer of no features fails later and elsewhere, or says nothing at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..errors import ConfigurationError


def check_sizes(where: str, sizes: Mapping[str, int], *, least: int = 1, zero: Collection[str] = ()) -> None:
    """Refuse sizes that are no whole numbers, or too small.

    Args:
        where: what is built.
        sizes: name -> value.
        least: smallest value.
        zero: names of sizes that may be 0 whatever ``least`` is.

    Raises:
        ConfigurationError: names every such size, its value and the smallest one.
    """
    bounds = {name: 0 if name in zero else least for name in sizes}
    wrong = {name: value for name, value in sizes.items() if not isinstance(value, int) or value < bounds[name]}
    if wrong:
        found = ", ".join(f"{name}={value!r}" for name, value in wrong.items())
        wanted = ", ".join(f"{name} >= {bounds[name]}" for name in wrong)
        raise ConfigurationError(f"it cannot be built with {found}", where=where, remedy=f"give whole numbers: {wanted}")


def check_heads(where: str, width: int, heads: int) -> None:
    """Refuse heads that do not share ``width`` channels evenly.

    Raises:
        ConfigurationError: no heads, or a rest is left.
    """
    if heads < 1 or width < 1 or width % heads:
        raise ConfigurationError(
            f"a width of {width} does not divide among {heads} heads", where=where, remedy="give a width that is a multiple of the heads"
        )
