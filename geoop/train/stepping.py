"""Training of steppers on series in time: pairs of all lead times, noise, push-forward, fractional pairing."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigurationError, DatasetError
from ..graph.geometry import Queries
from ..graph.pointset import Inputs, PointSet
from ..io.dataset import Dataset
from ..mesh.case import Series
from ..mesh.series_frames import at_times, require_frames
from ..models.model import AbstractModel
from ..models.time_deeponet import TimeDeepONet
from ..results.stepping import STEPPING
from ..results.surrogate import Surrogate
from ..scaling.envelope import TrainingEnvelope
from ..scaling.framing import Frame
from ..scaling.past_states import with_past
from .alone import alone
from .loop import Loop, LoopSettings
from .preparing import quantity
from .progress import tracked
from .trajectories import StateTensors, StepLayout

#: Kept beside the result in the folder of a run.
STATE, BEST = "steps.state", "stepper.safetensors"


@dataclass(frozen=True)
class SteppingSettings(LoopSettings):
    """How a stepper is trained; a sample is a pair of frames of one series, in any distance up to ``leads`` (all-to-all; RIGNO, arXiv 2501.19205).

    Attributes:
        history: past states that a step is given.
        leads: longest lead time in intervals between frames.
        interval: [s] between frames; series at other times are brought to it by cubic splines in time. None takes that of the series, if it is the same
            for all: where it is a fixed share of every series' period, a stepper would be told the period.
        noise: added to the past states, growing over them as a random walk does, in units of what changes in the series (Sanchez-Gonzalez et al. 2020).
        push_forward: share of the steps whose last past states are the model's own answers, without gradient (Brandstetter et al. 2022): by single steps,
            or by one jump each (fractional pairing of RIGNO) with equal chance.
        push_from: share of the budget before which nothing is pushed.
        pushes: most of the model's own answers in a history.
        frame, domain_points: see :class:`geoop.train.preparing.Preparation`.

    Raises:
        ConfigurationError: no budget or several, sizes or shares out of range.
    """

    points: int = 384
    rate: float = 2e-3
    muon_rate: float = 1.5e-2
    history: int = 1
    leads: int = 1
    interval: float | None = None
    noise: float = 0.02
    push_forward: float = 0.5
    push_from: float = 0.25
    pushes: int = 2
    frame: Frame = "auto"
    domain_points: int = 512

    def __post_init__(self) -> None:
        sizes = (self.history, self.leads, self.pushes, self.domain_points, 1.0 if self.interval is None else self.interval)
        shares = (self.push_forward, self.push_from)
        if not self.sound() or min(sizes) <= 0 or self.noise < 0 or not all(0 <= share <= 1 for share in shares):
            raise ConfigurationError(
                f"{self}", where="SteppingSettings", remedy="exactly one positive budget, e.g. cpu_minutes=6, positive sizes, shares in [0, 1]"
            )


def fit_stepper(
    data: Dataset | str | Path,
    directory: str | Path,
    *,
    quantities: Sequence[str] = ("velocity",),
    model: Callable[..., AbstractModel] = TimeDeepONet,
    settings: SteppingSettings | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Surrogate:
    """Train a stepper on the series of a data set; :func:`geoop.rollout` takes what it returns, or the file that it leaves.

    Args:
        data: a data set or its folder, whose splits ``train`` and ``val`` hold series in time.
        directory: of the run; gets ``stepper.safetensors``, and a state from which ``resume`` goes on.
        quantities: what makes a state: names of point fields.
        model: class or partial of one on clouds; called with its ports, and ``past=`` and ``lead_time=`` where it takes them.
        settings: budget, history, lead times; None trains for 10 minutes.
        resume: go on with the run in ``directory``.
        progress: show bars.

    Returns:
        a surrogate whose steps take ``previous_QUANTITY`` (and ``previous_QUANTITY_2``, ...) and ``lead_time``. Its expected errors are those of single
        intervals on the validation series.

    Raises:
        ConfigurationError: ``directory`` holds another run, or one that another process trains.
        DatasetError: no series to train on or to validate with, too short ones, or frames without the quantities.
        FieldError, InvalidMeshError: frames that are missing, at unequal times, or on changing meshes.
        NonFiniteError: the loss became NaN or infinite.
    """
    settings, directory = settings or SteppingSettings(minutes=10.0), Path(directory)
    dataset = data if isinstance(data, Dataset) else Dataset.open(data)
    state = directory / STATE
    if not resume and (state.exists() or (directory / BEST).exists()):
        raise ConfigurationError("holds a run already", where=str(directory), remedy="resume=True goes on with it; or name a new folder")
    found = {split: _series(dataset, split, quantities, settings, progress) for split in ("train", "val")}
    kinds = tuple(quantity(name, dataset) for name in quantities)
    train = list(found["train"].values())
    sizes: dict[str, Any] = {"frame": settings.frame, "domain_points": settings.domain_points}
    layout = StepLayout.fit(train, kinds, settings.history, settings.leads, **sizes)
    torch.manual_seed(settings.seed)
    made = _made(model, layout, train[0])
    items = {
        split: [layout.tensors(s, name) for name, s in tracked(list(rows.items()), f"tensors, {split}", progress)] for split, rows in found.items()
    }
    answers = StepAnswers.of(made, layout, items["train"])
    made.fit_units(layout.units)
    made.fit_geometries(answers.prepared)
    with alone(directory):
        history = Steps(answers, settings).run(state, progress=progress)
    made.eval()
    errors = _expected(StepAnswers.of(made, layout, items["val"]), settings.history)
    surrogate = replace(_surrogate(made, layout, settings, train, dataset, history), expected_errors=errors)
    surrogate.save(directory / BEST)
    return surrogate


@dataclass(frozen=True, eq=False)
class StepAnswers:
    """A model on series, all of which are prepared once.

    Attributes:
        model: what answers.
        layout: how states become its inputs.
        items: the series.
        prepared: what the model prepared of their geometries.
    """

    model: AbstractModel
    layout: StepLayout
    items: Sequence[StateTensors]
    prepared: Sequence[Any]

    @classmethod
    def of(cls, model: AbstractModel, layout: StepLayout, items: Sequence[StateTensors]) -> StepAnswers:
        """Prepare all geometries."""
        return cls(model, layout, items, [model.prepare(item.geometry) for item in items])

    def __call__(self, jobs: Sequence[tuple[int, Tensor, float, Tensor]]) -> list[Tensor]:
        """(k, c) states at some points per job: number of the series, past states at all of its points, lead time in intervals, numbers of the points."""
        items = [self.items[number] for number, *_ in jobs]
        inputs = Inputs.concatenate([self.layout.inputs(item, past, lead) for item, (_, past, lead, _) in zip(items, jobs, strict=True)])
        asked = [self.layout.asked(item, past, index) for item, (_, past, _, index) in zip(items, jobs, strict=True)]
        prepared = self.model.concatenate([self.prepared[number] for number, *_ in jobs])
        queries = Queries.concatenate(asked, [len(item.geometry.surface) for item in items])
        return _split(self.model.field(self.model.encode(prepared, inputs), queries))


class Steps(Loop):
    """Pairs of frames, all lead times; the loss is the root mean square error over that of what changes in the series."""

    words = "steps"

    def __init__(self, answers: StepAnswers, settings: SteppingSettings) -> None:
        super().__init__(answers.model, settings, ("head", "combine", "branch.out"))
        self.answers, self.stepper, self.items, self.how = answers, answers.model, answers.items, settings

    def identity(self) -> dict[str, Any]:
        """See :meth:`Loop.identity`."""
        return {"arguments": self.stepper.arguments, "series": len(self.items)}

    def loss(self, draw: torch.Generator) -> Tensor:
        """See :meth:`Loop.loss`."""
        how, jobs, targets, weights, sizes = self.how, [], [], [], []
        for _ in range(how.batch):
            number = _number(len(self.items), draw)
            item = self.items[number]
            pushed = self._pushes(draw, len(item.states))
            lead = 1 + _number(min(how.leads, len(item.states) - how.history - pushed), draw)
            first = _number(len(item.states) - how.history - pushed - lead + 1, draw)
            past = self._noisy(item, item.states[first : first + how.history], draw)
            index = torch.randperm(item.states.shape[1], generator=draw)[: how.points].sort().values
            if pushed:
                past = self._pushed(number, past, pushed, index, fractional=bool(_number(2, draw)))
            jobs.append((number, past, float(lead), index))
            targets.append(item.states[first + how.history - 1 + pushed + lead, index])
            share = 0.5 * (1 + item.weight[index])
            weights.append(share / share.mean())
            sizes.append(item.size)
        answer = self.answers(jobs)
        errors = [
            (((own - target) / size).square().mean(dim=1) * weight).mean().add(1e-12).sqrt()
            for own, target, weight, size in zip(answer, targets, weights, sizes, strict=True)
        ]
        return torch.stack(errors).mean()

    def _pushes(self, draw: torch.Generator, frames: int) -> int:
        """How many of the model's own answers stand in the history of a pair."""
        how = self.how
        pushing = float(torch.rand((), generator=draw)) < how.push_forward and self.progress >= how.push_from
        most = min(how.pushes, frames - how.history - 1)
        return 1 + _number(most, draw) if pushing and most > 0 else 0

    @torch.no_grad()
    def _pushed(self, number: int, past: Tensor, pushes: int, index: Tensor, *, fractional: bool) -> Tensor:
        """The past states with the model's own answers behind them, as many dropped in front; known at the points that a step looks at alone.

        ``fractional``: every answer is one jump from the given states; else each is a single step from the ones before it.
        """
        item, history = self.items[number], len(past)
        seen = torch.unique(torch.cat([item.kept, index]))
        training = self.stepper.training
        self.stepper.eval()
        if fractional:
            leads = [k for k in range(1, pushes + 1) if k > pushes - history and k <= self.how.leads]
            fractional = len(leads) == min(pushes, history)
        if fractional:
            made = self.answers([(number, past, float(k), seen) for k in leads])
            for own in made:
                past = torch.cat([past, _spread(own, seen, past[-1])[None]])
        else:
            for _ in range(pushes):
                own = self.answers([(number, past[-history:], 1.0, seen)])[0]
                past = torch.cat([past, _spread(own, seen, past[-1])[None]])
        self.stepper.train(training)
        return past[-history:]

    def _noisy(self, item: StateTensors, past: Tensor, draw: torch.Generator) -> Tensor:
        """Past states with a random walk of noise that ends with the deviation ``noise`` in the last of them."""
        if not self.how.noise:
            return past
        steps = torch.randn(past.shape, generator=draw) / math.sqrt(len(past))
        return past + self.how.noise * item.size * steps.cumsum(dim=0)


def _series(dataset: Dataset, split: str, quantities: Sequence[str], settings: SteppingSettings, progress: bool) -> dict[str, Series]:
    """The series of a split, at one interval."""
    if split not in dataset.splits:
        raise DatasetError(f"no split '{split}'", where=dataset.name, remedy="generate or collect again: training needs train and val")
    found, problems = {}, []
    for name in tracked(dataset.series_names(split), f"reading {split}", progress):
        series = dataset.series(name)
        if settings.interval is not None:
            count = int((series.times[-1] - series.times[0]) / settings.interval * (1 + 1e-9)) + 1
            series = at_times(series, series.times[0] + settings.interval * torch.arange(count).numpy())
        require_frames(series, name, quantities=quantities)
        first = series.cases[0].mesh.points
        if any(case.mesh.points is not first and not np.array_equal(case.mesh.points, first) for case in series.cases):
            problems.append(f"the mesh of {name} moves, a stepper takes all frames to lie on the first one")
        if len(series) < settings.history + 1:
            problems.append(f"{name} has {len(series)} frames, {settings.history + 1} are needed")
        found[name] = series
    steps = {float(s.times[1] - s.times[0]): name for name, s in found.items() if len(s) > 1}
    if not found:
        problems.append(f"no series in split '{split}'")
    elif max(steps) - min(steps) > 1e-6 * max(steps):
        problems.append(f"frames are {min(steps):.6g} s apart in {steps[min(steps)]} and {max(steps):.6g} s in {steps[max(steps)]}: set the interval")
    if problems:
        raise DatasetError(
            "; ".join(problems[:5]), where=dataset.name, remedy="train on series in time; settings.interval brings them to one interval"
        )
    return found


def _made(model: Callable[..., AbstractModel], layout: StepLayout, series: Series) -> AbstractModel:
    from ..models.ports import Ports

    first, framing = series.cases[0], layout.framing
    flow = first.operating_point is not None
    ports = Ports(
        dimension=first.mesh.dimension,
        scalars_out=sum(q.rank == 0 for q in layout.quantities),
        vectors_out=sum(q.rank == 1 for q in layout.quantities),
        scalars_in=len(framing.conditions.names),
        vectors_in=int(flow),
        surface_scalars=framing.surface_scalars,
        functions=tuple((item.name, item.channels) for item in framing.functions),
        body=not (framing.region or framing.bodies),
    )
    takes = inspect.signature(model).parameters
    told: dict[str, Any] = {"past": layout.past()} if "past" in takes else {}
    if "inner" in takes and "lead_time" in takes and layout.lead is not None:
        told["lead_time"] = list(layout.lead)
    return model(ports, **told)


def _surrogate(
    model: AbstractModel, layout: StepLayout, settings: SteppingSettings, train: Sequence[Series], dataset: Dataset, history: Sequence[Any]
) -> Surrogate:
    """With everything that a rollout needs to know in its header."""
    names = [q.name for q in layout.quantities]
    rows = []
    for series in train:
        for k in range(settings.history, len(series), max(1, (len(series) - settings.history) // 4)):
            lead = layout.interval * (1 + k % settings.leads)
            rows.append(layout.framing.describe(with_past(series.cases[k - settings.history : k], names, lead)))
    ranges = {}
    for q in layout.quantities:
        parts = [case.fields[q.name].values for series in train for case in series.cases]
        sizes = [torch.from_numpy(v.copy()).flatten(1).norm(dim=1) if q.rank else torch.from_numpy(v.copy()) for v in parts]
        ranges[q.name] = [min(float(s.min()) for s in sizes), max(float(s.max()) for s in sizes)]
    patches = sorted({tuple(sorted(series.cases[0].mesh.patches)) for series in train})
    stepping = {"quantities": names, "history": settings.history, "interval": layout.interval, "leads": settings.leads, "ranges": ranges}
    stepping |= {"patches": [list(names) for names in patches]}
    about = {"dataset": dataset.name, "dataset_hash": dataset.hash, "settings": asdict(settings), STEPPING: stepping}
    viscous = all(s.cases[0].operating_point is not None and s.cases[0].operating_point.viscosity is not None for s in train)
    about["loss"] = [round(float(value), 6) for _, value in history[-5:]]
    return Surrogate(model, layout.normaliser, TrainingEnvelope.of_descriptors(rows), layout.framing, {}, viscous, about)


@torch.no_grad()
def _expected(answers: StepAnswers, history: int) -> dict[str, float]:
    """Per quantity the root mean square error of one interval, dimensionless, that nine in ten validation pairs stay below."""
    errors = []
    for number, item in enumerate(answers.items):
        every = torch.arange(item.states.shape[1])
        for k in range(history, len(item.states), max(1, len(item.states) // 8)):
            own = answers([(number, item.states[k - history : k], 1.0, every)])[0]
            errors.append((own - item.states[k]).square().mean(dim=0))
    table = torch.stack(errors)
    found = {}
    for k, (q, at, count) in enumerate(answers.layout.offsets):
        sizes = table[:, at : at + count].sum(dim=1).sqrt() * answers.layout.normaliser.deviation[k]
        found[q.name] = float(sizes.quantile(0.9))
    return found


def _split(answer: PointSet) -> list[Tensor]:
    rows = torch.cat([answer.scalars, answer.vectors.flatten(1)], dim=1)
    return list(rows.split(answer.ptr.diff().tolist()))


def _spread(own: Tensor, seen: Tensor, last: Tensor) -> Tensor:
    """Answers at some points, elsewhere the last state, which nobody looks at."""
    return last.index_copy(0, seen, own)


def _number(count: int, draw: torch.Generator) -> int:
    return int(torch.randint(max(count, 1), (), generator=draw))
