"""From a data set to what training needs: framing, normaliser, envelope, samples."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import ConfigurationError, DatasetError
from ..graph.cache import content_key
from ..graph.pointset import BOUNDARY
from ..io.dataset import Dataset
from ..mesh.case import Case
from ..mesh.quantity import Quantity
from ..mesh.symmetric_images import seen_cases
from ..models.model import AbstractModel
from ..models.ports import Ports
from ..models.units import Units
from ..results.surrogate import Surrogate
from ..scaling.body_frame import SCALES
from ..scaling.casting import OUTLINE_ODD
from ..scaling.conditions import scalar_conditions
from ..scaling.derived import base, with_derived
from ..scaling.envelope import TrainingEnvelope
from ..scaling.framing import Frame, Framing
from ..scaling.functions import imposes, known
from ..scaling.known_functions import KnownFunctions
from ..scaling.normaliser import Normaliser
from .progress import tracked
from .samples import FramedCase, Sample
from .unresolved import said_unresolved


@dataclass(frozen=True)
class Preparation:
    """How cases are prepared; the part of the settings that models trained on one :class:`TrainingData` share.

    Attributes:
        frame: see :class:`geoop.scaling.framing.Framing`.
        domain_points: points of the cloud that operators work on, about.
        vary_points: clouds of training cases have between ``domain_points / vary_points`` and ``domain_points * vary_points`` points, every case
            another number: a model that always saw the same number may answer badly on any other. 1 for equal clouds.
        surface_points: vertices of the resampled outline of a body.
        reflect, images: see :func:`geoop.mesh.symmetric_images.seen_cases`.
        perturbation: see :meth:`FramedCase.sample`.
        beyond: (quantity, known point field) pairs: the difference is learned.
    """

    frame: Frame = "auto"
    domain_points: int = 1024
    vary_points: float = 2.0
    surface_points: int = 200
    reflect: bool = True
    perturbation: float = 0.3
    beyond: tuple[tuple[str, str], ...] = ()
    images: int = 1


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Training and validation cases as samples, with everything that was fitted on the training cases alone.

    One object serves any number of trainings of different models.

    Attributes:
        dataset: where the cases came from.
        quantities: what is learned.
        inputs: names of the known functions.
        preparation: how.
        framing, normaliser, envelope: fitted on the training split.
        train, validation: samples.
        validation_cases: the validation split.
        viscous: whether the training flows had friction.
        about: for people: preparation time, and ``unresolved``, see :func:`geoop.train.unresolved.unresolved`.
    """

    dataset: Dataset
    quantities: tuple[Quantity, ...]
    inputs: tuple[str, ...]
    preparation: Preparation
    framing: Framing
    normaliser: Normaliser
    envelope: TrainingEnvelope
    train: list[Sample]
    validation: list[Sample]
    validation_cases: list[Case]
    viscous: bool = False
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        quantities: Sequence[str],
        inputs: Sequence[str] = (),
        preparation: Preparation | None = None,
        *,
        domain: bool = True,
        start: Surrogate | None = None,
        progress: bool = True,
    ) -> TrainingData:
        """Prepare a data set.

        Args:
            dataset: with splits ``train`` and ``val``.
            quantities: names of point fields to learn.
            inputs: names of known functions.
            preparation: how; None for the defaults.
            domain: make the cloud that operators work on; models that place their own points do without.
            start: a surrogate to go on from. Its framing (with its points of the cloud) and its normaliser are kept and not fitted again: its weights
                act on what these make. The envelope is that of the new cases.
            progress: show bars.

        Raises:
            DatasetError: no train or validation cases, or cases without the quantities.
            ConfigurationError: a quantity that cannot be learned, or an unknown function.
        """
        started = time.perf_counter()
        preparation = preparation or Preparation()
        train, validation = dataset.cases("train"), dataset.cases("val")
        if not train or not validation:
            raise DatasetError(f"{len(train)} training and {len(validation)} validation cases", where=dataset.name, remedy="both splits need cases")
        _refuse_series(dataset)
        learned = tuple(quantity(name, dataset) for name in quantities)
        given = [*inputs, *(name for _, name in preparation.beyond)]
        told = sorted({name for name in given if base(name) in quantities})
        if told:
            raise ConfigurationError(f"{told} would tell what is to be learned", where="inputs", remedy="give what is known before the solution is")
        train, validation = ([with_derived(case, given) for case in part] for part in (train, validation))
        _check_priors(learned, preparation.beyond, train[0])
        # how other fields look in a mirror is nobody's business here
        used = {q.name for q in learned} | {"quadrature_weight"} | {name for name in inputs if not name.startswith(BOUNDARY)}
        used |= {name for _, name in preparation.beyond}
        train, validation = (
            [replace(case, fields={k: v for k, v in case.fields.items() if k in used}) for case in part] for part in (train, validation)
        )
        flows = all(case.operating_point is not None for case in train)
        seen = seen_cases(train, preparation.reflect, preparation.images)
        framing = _framing(preparation, seen, inputs, domain) if start is None else start.framing
        views = [*_varied(framing, preparation.vary_points, len(seen)), *[framing] * len(validation)]
        cases = tracked(seen + validation, "framing the cases", progress)
        framed = [FramedCase.of(case, learned, view) for case, view in zip(cases, views, strict=True)]
        normaliser = start.normaliser if start else Normaliser.fit(learned, ((f.fields, f.direction) for f in framed[: len(seen)]))
        framing, framed = (framing, framed) if start or flows else _beside(normaliser, framing, views, framed)
        samples = [f.sample(normaliser, preparation.perturbation) for f in tracked(framed, "signed distances", progress)]
        viscous = any(case.operating_point is not None and case.operating_point.viscosity is not None for case in train)
        envelope = TrainingEnvelope.of_descriptors([framing.describe(case) for case in seen])
        about = {"unresolved": said_unresolved(framing, seen, progress), "preparation_seconds": round(time.perf_counter() - started, 1)}
        parts = samples[: len(seen)], samples[len(seen) :], validation
        return cls(dataset, learned, tuple(inputs), preparation, framing, normaliser, envelope, *parts, viscous, about)

    @property
    def units(self) -> Units:
        """Of the outputs and the known functions."""
        known = {item.name: (item.mean, item.deviation) for item in self.framing.functions}
        return Units(self.normaliser.quantities, self.normaliser.mean, self.normaliser.deviation, known)

    @property
    def ports(self) -> Ports:
        """Channels of a model for these data."""
        first = self.train[0]
        ranks = [q.rank for q in self.quantities]
        body = not (self.framing.region or self.framing.bodies)
        return Ports(
            dimension=first.queries.points.dimension,
            scalars_out=ranks.count(0),
            vectors_out=ranks.count(1),
            scalars_in=first.inputs.scalars.shape[1],
            vectors_in=first.inputs.vectors.shape[1],
            surface_scalars=self.framing.surface_scalars,
            surface_odd=OUTLINE_ODD if body else (),
            functions=tuple((item.name, item.channels) for item in self.framing.functions),
            body=body,
        )


def first_ports(dataset: Dataset, quantities: Sequence[str], inputs: Sequence[str]) -> Ports:
    """Channels as far as training cases tell before they are prepared; every condition that the first one states counts, whether it varies or not.

    Raises:
        DatasetError: no training cases. ConfigurationError: an unknown quantity or function.
    """
    if not dataset.splits.get("train"):
        raise DatasetError("no training cases", where=dataset.name, remedy="regenerate or collect again")
    first = dataset.case(dataset.splits["train"][0])
    having = {
        name: next((c for c in map(dataset.case, dataset.splits["train"]) if imposes(name, c)), first) for name in inputs if name.startswith(BOUNDARY)
    }
    ranks = [quantity(name, dataset).rank for name in quantities]
    return Ports(
        dimension=first.mesh.dimension,
        scalars_out=ranks.count(0),
        vectors_out=ranks.count(1),
        scalars_in=len(scalar_conditions(first)),
        vectors_in=int(first.operating_point is not None),
        functions=tuple((name, known(name, having.get(name, first))[1].shape[1]) for name in sorted(set(inputs))),
    )


def prepared_by(model: AbstractModel, samples: Iterable[Sample]) -> list[Any]:
    """What the model prepares of the geometry of every sample; cases of one geometry share it."""
    known: dict[str, Any] = {}
    found = []
    for sample in samples:
        key = content_key(sample.geometry)
        if key not in known:
            known[key] = model.prepare(sample.geometry)
        found.append(known[key])
    return found


def _framing(how: Preparation, cases: Sequence[Case], inputs: Sequence[str], domain: bool) -> Framing:
    return Framing.fit(
        cases,
        frame=how.frame,
        inputs=inputs,
        beyond=dict(how.beyond),
        surface_points=how.surface_points,
        domain_points=how.domain_points if domain else 0,
    )


def _varied(framing: Framing, factor: float, count: int) -> list[Framing]:
    """One framing per case, with clouds of other sizes: their logarithms are equally spread, neighbours in the order of the cases far apart."""
    if framing.domain == "none" or factor == 1.0:
        return [framing] * count
    shares = (np.arange(count) * ((5**0.5 - 1) / 2) + 0.5) % 1.0
    return [replace(framing, domain_points=max(8, round(framing.domain_points * factor ** (2 * share - 1)))) for share in shares]


def _beside(normaliser: Normaliser, framing: Framing, views: Sequence[Framing], framed: list[FramedCase]) -> tuple[Framing, list[FramedCase]]:
    """Where boundary values of what is learned are given, functions are standardised anew: see :meth:`InputFunction.beside`."""
    imposed = {BOUNDARY + quantity.name for quantity in normaliser.quantities}
    if not imposed & {item.name for item in framing.functions}:
        return framing, framed
    functions = tuple(item.beside(normaliser) for item in framing.functions)
    again = []
    for item, view in zip(framed, views, strict=True):
        inputs = replace(view, functions=functions).inputs(item.case, item.framed)
        again.append(replace(item, inputs=inputs, known=KnownFunctions.of(functions, item.case, item.framed.frame)))
    return replace(framing, functions=functions), again


def _refuse_series(dataset: Dataset) -> None:
    steps = [name for split in ("train", "val") for name in dataset.series_names(split)]
    if steps:
        raise DatasetError(
            f"{len(steps)} training and validation cases are series in time, such as {steps[0]}",
            where=dataset.name,
            remedy="train on steady cases: a surrogate cannot tell one time from another. Of runs in time collect the last step: --times last",
        )


def _check_priors(learned: Sequence[Quantity], beyond: Sequence[tuple[str, str]], case: Case) -> None:
    """What is learned beyond a known field must be of its kind."""
    kinds = {q.name: q for q in learned}
    for name, prior in beyond:
        if name not in kinds:
            raise ConfigurationError(f"'{name}' is not learned", where="beyond", remedy=f"name some of {sorted(kinds)}")
        item = case.fields.get(prior)
        if item is None or item.location != "point":
            able = sorted(
                key for key, value in case.fields.items() if value.location == "point" and value.quantity.rank == kinds[name].rank and key != name
            )
            raise ConfigurationError(f"no point field '{prior}'", where=f"beyond, case {case.name}", remedy=f"name a known field, one of {able}")
        if (item.quantity.rank, item.quantity.unit) != (kinds[name].rank, kinds[name].unit):
            found, expected = (f"rank {q.rank} in {q.unit}" for q in (item.quantity, kinds[name]))
            raise ConfigurationError(f"'{prior}' is of {found}, '{name}' of {expected}", where="beyond", remedy="give a known field of the same kind")


def quantity(name: str, dataset: Dataset) -> Quantity:
    """The quantity of that name in the cases.

    Raises:
        ConfigurationError: no such field at points, one of rank 2, or in a flow one in a unit that speed, density and length do not scale;
            says which can be learned.
    """
    cases = [dataset.case(case) for case in dataset.splits["train"][:1]]
    known = {item.name: item for case in cases for item in case.fields.values()}
    flow = any(case.operating_point is not None for case in cases)

    def able(item) -> bool:
        scaled = not flow or item.quantity.unit in SCALES
        return item.location == "point" and item.quantity.rank < 2 and scaled and item.name != "quadrature_weight"

    item = known.get(name)
    if item is not None and able(item):
        return item.quantity
    if item is None or item.location != "point":
        found = f"no field '{name}' at points"
    elif item.quantity.rank > 1:
        found = f"'{name}' of rank {item.quantity.rank}: scalars and vectors can be learned"
    else:
        found = f"'{name}' in {item.quantity.unit}, which speed, density and length do not scale"
    names = sorted(key for key, value in known.items() if able(value))
    typed = ", ".join(f'"{key}"' for key in names)
    remedy = (
        f"learn what they have: quantities = [{typed}] in run.toml, or quantities=[{typed}] in Python"
        if names
        else "give cases with fields at points"
    )
    raise ConfigurationError(f"the cases have {found}", where=dataset.name, remedy=remedy)
