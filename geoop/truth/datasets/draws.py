"""Seeded draws and splits that every named data set uses: a case is the same whatever the number of cases and of workers is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from ...errors import ConfigurationError

#: parameter -> (lower, upper) of a uniform law.
Laws = Mapping[str, tuple[float, float]]


def random_of(seed: int, name: str, part: int = 0) -> np.random.Generator:
    """A generator of its own for every case (or geometry) and purpose, so that order and number of workers do not matter."""
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence([seed, digest & 0xFFFFFFFF, digest >> 32, part]))


def uniform(random: np.random.Generator, laws: Laws) -> dict[str, float]:
    """One independent draw per parameter, in the order of the laws."""
    return {key: low + (high - low) * float(u) for (key, (low, high)), u in zip(laws.items(), random.random(len(laws)), strict=True)}


def split_geometries(
    prefix: str, n: int, *, where: str, outside: Mapping[str, float] | None = None, per_geometry: int = 1
) -> dict[str, tuple[str, ...]]:
    """Names of geometries: ``PREFIX_0001`` ... in train, val and test as 7 : 1 : 2, and ``PREFIX_SPLIT_0001`` in splits beyond them.

    Args:
        prefix: of the names.
        n: geometries in train, val and test together.
        where: name of the data set, for the error.
        outside: split -> number of its geometries as a share of n; ``{"ood": 0.2}`` if None.
        per_geometry: cases of each, for the error.

    Raises:
        ConfigurationError: fewer than 4 geometries.
    """
    if n < 4:
        raise ConfigurationError(
            f"{n * per_geometry} cases of {n} geometries cannot be split into train, val and test",
            where=where,
            remedy=f"ask for at least {4 * per_geometry}: -n {4 * per_geometry}",
        )
    validation, test = max(1, round(n / 10)), max(1, round(n / 5))
    names = [f"{prefix}_{k:04d}" for k in range(1, n + 1)]
    train = n - validation - test
    splits = {"train": tuple(names[:train]), "val": tuple(names[train : train + validation]), "test": tuple(names[train + validation :])}
    for split, share in ({"ood": 0.2} if outside is None else outside).items():
        splits[split] = tuple(f"{prefix}_{split}_{k:04d}" for k in range(1, max(1, round(n * share)) + 1))
    return splits


def cases_of(splits: Mapping[str, tuple[str, ...]], per_geometry: int) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """(split -> case names, case name -> geometry) where every geometry has several cases, ``GEOMETRY_01`` and so on."""
    digits = max(2, len(str(per_geometry)))
    geometry = {f"{name}_{k:0{digits}d}": name for names in splits.values() for name in names for k in range(1, per_geometry + 1)}
    members: dict[str, list[str]] = {}
    for case, name in geometry.items():
        members.setdefault(name, []).append(case)
    return {split: tuple(case for name in names for case in members[name]) for split, names in splits.items()}, geometry


def split_of(name: str, prefix: str) -> str:
    """``ood`` for ``PREFIX_ood_0001`` and its cases, empty for the names of train, val and test."""
    word = name.removeprefix(prefix + "_").split("_")[0]
    return "" if word.isdigit() else word
