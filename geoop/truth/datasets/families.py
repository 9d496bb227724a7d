"""Real sections split by family: some families are held out entirely, the sections of the others go to train, validation and test."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from .draws import random_of
from .uiuc import excluded, family, texts

#: Part of the sections whose families are held out: families are taken until the first is reached, none that exceeds the second.
HELD_OUT = (0.15, 0.22)
#: What may be done with data of these sections, and what is not established.
LICENCE = (
    "fields: CC0-1.0; coordinates: UIUC airfoil coordinate database, as distributed with AeroSandbox (MIT); terms of the originals not established"
)


def held_out_families(names: Sequence[str], seed: int, share: tuple[float, float] = HELD_OUT) -> list[str]:
    """Families that no training section belongs to, in random order until they hold 15 % of all sections.

    Args:
        names: of all sections.
        seed: of the data set.
        share: families are taken until the first is reached, none that exceeds the second.
    """
    sizes = Counter(family(name) for name in sorted(names))
    chosen, total = [], 0
    for k in random_of(seed, "held-out families").permutation(len(sizes)):
        name = sorted(sizes)[k]
        if total >= share[0] * len(names):
            break
        if total + sizes[name] <= share[1] * len(names):
            chosen.append(name)
            total += sizes[name]
    return sorted(chosen)


def pools(names: Sequence[str], seed: int, share: tuple[float, float] = HELD_OUT) -> tuple[list[str], list[str]]:
    """(sections of the training families, sections of the held-out families), both in random order."""
    out = set(held_out_families(names, seed, share))
    order = [names[int(k)] for k in random_of(seed, "order of sections").permutation(len(names))]
    return [name for name in order if family(name) not in out], [name for name in order if family(name) in out]


def seven_one_two(names: Sequence[str], outside: Sequence[str], where: str) -> dict[str, tuple[str, ...]]:
    """Geometries in train, val and test as 7 : 1 : 2, and ``ood``.

    Raises:
        ConfigurationError: fewer than 4 geometries.
    """
    n = len(names)
    if n < 4:
        raise ConfigurationError(f"{n} geometries cannot be split", where=where, remedy="ask for more cases: train, val and test need 4 geometries")
    validation, test = max(1, round(n / 10)), max(1, round(n / 5))
    train = n - validation - test
    parts = {"train": names[:train], "val": names[train : train + validation], "test": names[train + validation :], "ood": outside}
    return {split: tuple(part) for split, part in parts.items()}


def census_of_table(excluded: dict[str, str], names: Sequence[str]) -> dict[str, int]:
    """Reason -> number of sections that are on this machine and left out."""
    known = set(names)
    counts = Counter(reason for name, reason in excluded.items() if name in known)
    return {reason: int(counts[reason]) for reason in sorted(counts)}


def cases_per_geometry(pool: int, per_geometry: int, n: int, where: str) -> int:
    """Cases per geometry, so that n cases need no more geometries than there are.

    Raises:
        ConfigurationError: more than 50 cases per geometry would be needed.
    """
    per = max(per_geometry, int(np.ceil(n / max(pool, 1))))
    if per > 50:
        raise ConfigurationError(f"{n} cases of {pool} sections", where=where, remedy=f"ask for at most {50 * pool} cases")
    return per


def provenance(names: Sequence[str], seed: int, share: tuple[float, float] = HELD_OUT) -> dict[str, Any]:
    """Where the sections of a data set come from, for its manifest: how many, which are left out or held out, and the hash of the coordinates.

    Args:
        names: usable sections.
        seed: of the held-out families.
        share: of the sections that are held out, see :func:`held_out_families`.
    """
    known = texts()
    digest = hashlib.sha256()
    for name in sorted(known):
        digest.update(name.encode() + b"\0" + hashlib.sha256(known[name]).digest())
    return {
        "sections": len(names),
        "coordinates_sha256": digest.hexdigest(),
        "excluded": census_of_table(excluded(), list(known)),
        "held_out_families": held_out_families(names, seed, share),
        "held_out_share": list(share),
    }
