"""Going on from a trained surrogate: what it must share with the new training, and what is taken over."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..models.model import AbstractModel
from ..models.ports import Ports
from ..results.surrogate import Surrogate, load_one
from .preparing import TrainingData


def opened(start: Surrogate | str | Path | None) -> Surrogate | None:
    """The surrogate itself, or the one in a file.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    return start if start is None or isinstance(start, Surrogate) else load_one(start)


def maker(start: Surrogate) -> Callable[[Ports], AbstractModel]:
    """Makes models of the class and sizes of a surrogate's."""
    return partial(type(start.model), **_sizes(start.model))


def origin(start: Surrogate) -> dict[str, Any]:
    """What a run records of its start: the hash of the weights, and the data that they were trained on."""
    digest = hashlib.sha256()
    for key, value in sorted(start.model.state_dict().items()):
        digest.update(key.encode() + b"\0" + value.detach().cpu().contiguous().numpy().tobytes())
    return {"weights": digest.hexdigest(), **{key: start.about[key] for key in ("dataset", "dataset_hash") if key in start.about}}


def check_request(start: Surrogate, trial: AbstractModel, quantities: Sequence[str], inputs: Sequence[str], beyond: dict[str, str]) -> None:
    """Say before all preparation what a surrogate and a new training do not share.

    Raises:
        ConfigurationError: another class or other sizes of model, other quantities, other inputs, or another prior: all of it in one error.
    """
    found = []
    if type(trial) is not type(start.model):
        found.append(f"the model is a {type(trial).__name__}, that of the start a {type(start.model).__name__}")
    else:
        own, given = _sizes(start.model), _sizes(trial)
        found += [
            f"{key} is {given.get(key)!r}, in the start {own.get(key)!r}"
            for key in sorted(own.keys() | given.keys())
            if own.get(key) != given.get(key)
        ]
    learned, known = [q.name for q in start.normaliser.quantities], sorted(item.name for item in start.framing.functions)
    for what, own, given in (
        ("quantities", sorted(learned), sorted(quantities)),
        ("inputs", known, sorted(set(inputs))),
        ("beyond", dict(start.framing.beyond), dict(beyond)),
    ):
        if own != given:
            found.append(f"{what} are {given}, in the start {own}")
    if found:
        raise ConfigurationError(
            "; ".join(found), where="start", remedy="train on as the start was trained; leave model=None to take its own class and sizes"
        )


def check_data(start: Surrogate, data: TrainingData) -> None:
    """Whether cases were prepared for the surrogate.

    Raises:
        ConfigurationError: in a framing or normaliser of their own, on which its weights mean nothing.
    """
    if data.framing.to_dict() != start.framing.to_dict() or data.normaliser != start.normaliser:
        raise ConfigurationError(
            "the cases were prepared in another framing or normaliser than the start's",
            where=data.dataset.name,
            remedy="TrainingData.of(..., start=surrogate); or give fit the data set itself",
        )


def begin(model: AbstractModel, start: Surrogate) -> None:
    """Copy the weights.

    Raises:
        ConfigurationError: the new cases have other channels than the start was trained on.
    """
    own, given = start.model.arguments["ports"], model.arguments["ports"]
    differing = [f"{key} {given[key]}, in the start {own[key]}" for key in own if own[key] != given[key]]
    if differing:
        raise ConfigurationError(
            f"other channels: {'; '.join(differing)}",
            where="start",
            remedy="train the start on cases that state the same conditions (such as a Reynolds number that varies) and are framed alike",
        )
    model.load_state_dict(start.model.state_dict())


def _sizes(model: AbstractModel) -> dict[str, Any]:
    return {key: value for key, value in model.arguments.items() if key != "ports"}
