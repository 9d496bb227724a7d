"""Splits of collected runs: 70/10/20 by shape, by a column, as a column says, and out of distribution by a condition."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, "==": operator.eq, ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
_SPELLED = {"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"}


@dataclass(frozen=True)
class Splits:
    """Names by split.

    Attributes:
        splits: split -> runs.
        geometry: run -> name of what is kept in one split; empty where nothing is.
        notes: how it was done and what it means.
    """

    splits: dict[str, tuple[str, ...]]
    geometry: dict[str, str]
    notes: tuple[str, ...]


def random_splits(groups: Mapping[str, str], seed: int, what: str) -> Splits:
    """70 : 10 : 20 of the groups (at least one each) in random order; of the runs where there are fewer than four groups.

    Args:
        groups: run -> group that must not be torn apart.
        seed: of the order.
        what: a group in words, for the notes.
    """
    members: dict[str, list[str]] = {}
    for run, group in groups.items():
        members.setdefault(group, []).append(run)
    if len(members) >= 4:
        parts = _shared_out(list(members), seed)
        splits = {split: tuple(run for group in own for run in members[group]) for split, own in parts.items()}
        return Splits(splits, dict(groups), (f"{len(members)} {what}s in {len(groups)} runs: split by {what}, 70 : 10 : 20, seed {seed}",))
    runs = list(groups)
    note = f"all runs have {len(members)} {what}{'s' if len(members) > 1 else ''}: split by run, so errors on 'test' say nothing about new {what}s"
    if len(runs) < 4:
        return Splits({"train": tuple(runs)}, {}, (f"too few runs to split ({len(runs)}): all are in 'train'",))
    return Splits({split: tuple(own) for split, own in _shared_out(runs, seed).items()}, {}, (note,))


def _shared_out(names: list[str], seed: int) -> dict[str, list[str]]:
    order = [names[k] for k in np.random.default_rng([seed, len(names)]).permutation(len(names))]
    val, test = max(1, round(0.1 * len(names))), max(1, round(0.2 * len(names)))
    parts = {"train": order[val + test :], "val": order[:val], "test": order[val : val + test]}
    place = {name: k for k, name in enumerate(names)}
    return {split: sorted(own, key=place.__getitem__) for split, own in parts.items()}


def stated_splits(labels: Mapping[str, str], groups: Mapping[str, str], source: str) -> Splits:
    """Splits as they are stated; spelled train, val, test."""
    splits: dict[str, list[str]] = {}
    for run, label in labels.items():
        word = re.sub(r"[^A-Za-z0-9_]+", "_", label.strip()).strip("_")
        splits.setdefault(_SPELLED.get(word.lower(), word.lower() if word.lower() in ("train", "val", "test", "ood") else word), []).append(run)
    order = sorted(splits, key=lambda name: ("train", "val", "test").index(name) if name in ("train", "val", "test") else 3)
    found = Splits({name: tuple(splits[name]) for name in order}, dict(groups), (f"splits as {source} says",))
    return apart(found, f"{source} puts")


def apart(found: Splits, who: str) -> Splits:
    """The same splits; where shapes are in several of them, it is said, and no longer claimed that they are apart."""
    seen: dict[str, set[str]] = {}
    for split, runs in found.splits.items():
        for run in runs:
            seen.setdefault(found.geometry.get(run, run), set()).add(split)
    shared = [group for group, own in seen.items() if len(own) > 1]
    if not shared:
        return found
    note = f"{who} {len(shared)} of {len(seen)} shapes into several splits (e.g. {shared[0]}): errors there say little about new shapes"
    return Splits(found.splits, {}, (*found.notes, note))


def with_validation(found: Splits, seed: int, share: float = 0.1) -> Splits:
    """A published division into train and test with a part of ``train`` moved to ``val``, by shape; the rest as published."""
    train = found.splits.get("train", ())
    if "val" in found.splits or len(train) < 4:
        return found
    groups = list(dict.fromkeys(found.geometry.get(run, run) for run in train))
    if len(groups) < 2:
        groups = list(train)
    count = max(1, round(share * len(groups)))
    chosen = {groups[k] for k in np.random.default_rng([seed, len(groups)]).permutation(len(groups))[:count]}
    inside = [run in chosen or found.geometry.get(run, run) in chosen for run in train]
    splits = {
        "train": tuple(run for run, out in zip(train, inside, strict=True) if not out),
        "val": tuple(run for run, out in zip(train, inside, strict=True) if out),
        **{name: runs for name, runs in found.splits.items() if name != "train"},
    }
    note = f"the publication has no validation split: {len(splits['val'])} of its {len(train)} training cases are 'val' (seed {seed})"
    return Splits(splits, found.geometry, (*found.notes, note))


def out_of_distribution(text: str, known: Mapping[str, Mapping[str, float]]) -> set[str]:
    """Runs that fulfil a condition such as ``alpha>12`` or ``alpha>12 and velocity<=30``.

    Args:
        text: the condition.
        known: run -> name -> number.

    Raises:
        ConfigurationError: it cannot be read, names what is not known, or holds for no run or for all.
    """
    tests = []
    names = sorted({name for values in known.values() for name in values})
    for part in re.split(r"\s*(?:\band\b|&&?|,)\s*", text.strip()):
        match = re.fullmatch(r"([\w .%/\[\]-]+?)\s*(>=|<=|==|!=|>|<|=)\s*([-+]?[\d.,]+(?:[eE][-+]?\d+)?)", part)
        if not match:
            raise ConfigurationError(
                f"'{part}' is no condition", where="--ood", remedy=f"write NAME>NUMBER, e.g. alpha>12; names: {', '.join(names)}"
            )
        if match[1] not in names:
            raise ConfigurationError(f"no run has a number '{match[1]}'", where="--ood", remedy=f"choose one of {', '.join(names)}")
        tests.append((match[1], _OPERATORS[match[2]], float(match[3].replace(",", "."))))
    found = {run for run, values in known.items() if all(name in values and test(values[name], limit) for name, test, limit in tests)}
    if not found or len(found) == len(known):
        ranges = {name: [values[name] for values in known.values() if name in values] for name, _, _ in tests}
        reach = ", ".join(f"{name} is {min(values):g} .. {max(values):g}" for name, values in ranges.items())
        raise ConfigurationError(f"'{text}' holds for {'no run' if not found else 'all runs'}: {reach}", where="--ood", remedy="choose another limit")
    return found


def with_ood(found: Splits, runs: Sequence[str], text: str) -> Splits:
    """The splits with one more, ``ood``; shapes that it shares with the others are said and count as others there."""
    inside = {found.geometry[run] for own in found.splits.values() for run in own if run in found.geometry}
    shared = {found.geometry.get(run) for run in runs} & inside
    notes = [f"'ood': {len(runs)} runs with {text}"]
    geometry = dict(found.geometry)
    if shared - {None}:
        notes.append(f"{len(shared - {None})} shapes of 'ood' are in the other splits too: it tests the condition, not new shapes")
        geometry |= {run: f"{geometry[run]}_ood" for run in runs if run in geometry}
    return Splits({**found.splits, "ood": tuple(runs)}, geometry, (*found.notes, *notes))
