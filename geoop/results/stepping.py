"""A trained surrogate as a stepper, and rollouts behind one call: ``geoop.rollout``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import ConditionError, ConfigurationError, InvalidMeshError
from ..interfaces.stepping import Advance, Stepper
from ..interfaces.verdict import Verdict
from ..mesh.case import Case, Series
from ..mesh.quantity import Field
from ..models.model import CHUNK
from ..scaling.known_functions import KnownFunctions
from ..scaling.past_states import with_past
from ..solve.rollout import DriftGuard, Rollout
from ..solve.rollout import rollout as rolled_out
from .surrogate import Surrogate, load_one

#: Key of the header that says how a surrogate steps.
STEPPING = "stepping"
#: Share of a field's range in training by which given states may leave it and still be at the edge.
_MARGIN = 0.05


@dataclass(frozen=True, eq=False)
class SurrogateStepper:
    """A surrogate of :func:`geoop.train.stepping.fit_stepper` as a :class:`~geoop.interfaces.stepping.Stepper`.

    Graphs and distances are prepared once per rollout, as long as the mesh does not move.

    Attributes:
        surrogate: whose ``about["stepping"]`` says its quantities, history, interval and lead times.

    Raises:
        ConfigurationError: it was not trained as a stepper.
    """

    surrogate: Surrogate

    def __post_init__(self) -> None:
        if STEPPING not in self.surrogate.about:
            raise ConfigurationError(
                "the surrogate was not trained to make steps in time", where="SurrogateStepper", remedy="train one: geoop.train.stepping.fit_stepper"
            )

    @property
    def _how(self) -> Mapping[str, Any]:
        return self.surrogate.about[STEPPING]

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the fields that make a state."""
        return tuple(self._how["quantities"])

    @property
    def history(self) -> int:
        """Number of past states that a step is given."""
        return int(self._how["history"])

    @property
    def interval(self) -> float | None:
        """Time [s] between the states of its history."""
        return float(self._how["interval"])

    @property
    def longest(self) -> float | None:
        """Longest lead time [s] that it was trained on."""
        return float(self._how["interval"]) * int(self._how["leads"])

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Quantity -> least and largest value in training, of a vector its magnitude."""
        return {name: (float(low), float(high)) for name, (low, high) in self._how["ranges"].items()}

    def verdict(self, states: Sequence[Case], lead: float | None = None) -> Verdict:
        """Whether states lie inside of what it was trained on: the names of their boundary patches, conditions, region or body, lead time, and ranges of
        the fields.

        Args:
            states: as many as its history is long, oldest first.
            lead: [s] of the longest step; None for one interval.
        """
        surrogate, last = self.surrogate, states[-1]
        found = _by_patches(sorted(last.mesh.patches), self._how.get("patches"), surrogate.framing.kinds)
        try:
            case = with_past(states, self.quantities, self.interval or 0.0 if lead is None else lead)
            found = found.worse(surrogate.envelope.judge(surrogate.framing.describe(case)))
        except (ConditionError, ConfigurationError) as error:  # a condition of the training that this case does not state
            return Verdict("outside", error.message)
        for name, (low, high) in self.ranges.items():
            sizes = np.concatenate([_sizes(state.fields[name].values) for state in states])
            beyond = max(low - float(sizes.min()), float(sizes.max()) - high)
            if beyond > 0:
                unit = last.fields[name].quantity.unit
                text = f"{name} of {sizes.min():.3g}..{sizes.max():.3g} {unit} in the given states, trained on {low:.3g}..{high:.3g} {unit}"
                found = found.worse(Verdict("outside" if beyond > _MARGIN * (high - low) else "edge", text))
        return found

    def prepare(self, case: Case) -> Advance:
        """Frame the case and prepare the model's graphs, once.

        Raises:
            ConditionError, InvalidMeshError: see :meth:`Surrogate.predict`.
        """
        surrogate, model = self.surrogate, self.surrogate.model
        bare = replace(surrogate.framing, functions=())
        framed = bare.of(case)
        prepared = surrogate.cache.fetch(lambda: model.prepare(framed.geometry), framed.geometry)
        device = next(model.parameters()).device
        prepared = prepared.to(device)
        queries = framed.queries(case.mesh.points, bare.on_wall(case))
        direction, points = framed.direction(case), case.mesh.points

        @torch.no_grad()
        def advance(states: Sequence[Case], dt: float) -> Case:
            if any(not np.array_equal(state.mesh.points, points) for state in states):
                raise InvalidMeshError(
                    "the mesh moves, and the surrogate was prepared for the first one",
                    where=case.name,
                    remedy="resample the states on one mesh, or step with a model that moves its mesh",
                )
            step = with_past(states[-self.history :], self.quantities, dt)
            inputs = surrogate.framing.inputs(step, framed)
            known = KnownFunctions.of(surrogate.framing.functions, step, framed.frame)
            asked = known.seen_by(queries, np.arange(len(points)))
            out = model.decode(model.encode(prepared, inputs.to(device)), asked.to(device), CHUNK)
            values = surrogate.normaliser.restore(out.scalars, out.vectors, direction)
            items = framed.frame.fields_out(values, case.operating_point)
            return replace(case, fields={q.name: Field(q, items[q.name]) for q in surrogate.normaliser.quantities}, time=None)

        return advance


def _by_patches(own: Sequence[str], seen: Sequence[Sequence[str]] | None, kinds: Sequence[str]) -> Verdict:
    """By the names of a mesh's patches: known sets of them, or of steppers of older versions all names together."""
    known = [list(names) for names in seen] if seen is not None else [sorted(kinds)] if kinds else None
    if known is None or list(own) in known:
        return Verdict("inside", "boundary patches are those of the training")
    every = set().union(*known)
    unknown, missing = sorted(set(own) - every), sorted(set(known[0]).intersection(*known) - set(own))
    told = [f"boundary patches {', '.join(unknown)} that no training series had"] if unknown else []
    told += [f"no boundary patches {', '.join(missing)}, which every training series had"] if missing else []
    return Verdict("outside" if told else "edge", " and ".join(told) or f"boundary patches {', '.join(own)} together, which no training series had")


def _sizes(values: np.ndarray) -> np.ndarray:
    """(n,) scalars as they are, of vectors their lengths."""
    return values if values.ndim == 1 else np.linalg.norm(values.reshape(len(values), -1), axis=1)


def stepper_of(model: Stepper | Surrogate | str | Path) -> Stepper:
    """A stepper as it is, or the one of a surrogate or of its file.

    Raises:
        ConfigurationError: the surrogate was not trained as one. CheckpointError: the file is not sound.
    """
    found = load_one(model) if isinstance(model, str | Path) else model
    return SurrogateStepper(found) if isinstance(found, Surrogate) else found


def rollout(
    model: Stepper | Surrogate | str | Path,
    first: Case | Sequence[Case] | Series,
    times: Sequence[float] | np.ndarray | None = None,
    *,
    steps: int | None = None,
    restart: int | None = 1,
    guard: DriftGuard | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rollout:
    """Predict a series in time from its first states alone.

    Args:
        model: a stepper, a surrogate that was trained as one, or its file.
        first: as many states as the model's history is long (``Case`` or several). Of a longer series the first ones are taken and nothing else is
            looked at: later frames are for :func:`geoop.results.rollout_diagnostics.diagnose`.
        times: [s] to predict; None takes ``steps`` intervals of the model, or the later times of a series.
        steps: number of intervals, in place of ``times``.
        restart, guard, progress: see :func:`geoop.solve.rollout.rollout`.

    Raises:
        ConfigurationError: no times to predict, or what :func:`geoop.solve.rollout.rollout` says.
        FieldError, CheckpointError: the states or the file are not sound.

    Returns:
        the rollout; of a trained surrogate with its verdict on the given states.
    """
    stepper = stepper_of(model)
    states = [first] if isinstance(first, Case) else list(first.cases if isinstance(first, Series) else first)
    later = first.times[stepper.history :] if isinstance(first, Series) and times is None and steps is None else times
    # from here on there is no way to a later state
    states = states[: stepper.history]
    if later is None and steps is not None and stepper.interval is not None and states:
        later = (states[-1].time or 0.0) + stepper.interval * np.arange(1, steps + 1)
    if later is None or (times is not None and steps is not None):
        raise ConfigurationError(
            "times to predict are not said once", where="rollout", remedy="give times, or steps of a model with an interval, or a longer series"
        )
    found = rolled_out(stepper, states, later, restart=restart, guard=guard, progress=progress)
    return replace(found, verdict=stepper.verdict(states)) if isinstance(stepper, SurrogateStepper) else found
