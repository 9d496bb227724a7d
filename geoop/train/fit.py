"""Training behind one call: ``geoop.fit``."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigurationError, DatasetError
from ..io.atomic import replacing
from ..io.dataset import Dataset
from ..mesh.case import Case
from ..mesh.quantity import Quantity
from ..mesh.transform import mirrored
from ..models.body_field import BodyField
from ..models.model import AbstractModel
from ..results.surrogate import Surrogate, load
from ..scaling.body_frame import SCALES
from ..scaling.casting import FramedBody
from ..scaling.conditions import Conditions
from ..scaling.envelope import TrainingEnvelope
from ..scaling.normaliser import Normaliser
from .batches import SubsetDataset, loader
from .keeping import STATE, AtomicState, Keeper
from .objectives import Supervised
from .progress import ProgressLine, tracked
from .samples import FramedCase, Sample
from .task import FieldTask, Schedule

if TYPE_CHECKING:
    import lightning as L


@dataclass(frozen=True)
class FitSettings:
    """How ``fit`` trains; every key can stand in run.toml.

    Attributes:
        epochs, minutes: the budget; exactly one of them.
        batch: cases per step.
        field_points, wall_points: random points per case and step.
        reflect: add every training case's mirror image, an exact symmetry of flow around a body in a uniform stream.
        validate_every: epochs between validations.
        patience: validations without improvement before an early stop; None trains the whole budget.
        clip: largest norm of the gradient.
        rate, muon_rate: peak rates; see :class:`Schedule`.
        wall_weight: weight of the wall's relative error beside the field's.
        area_weighted: see :class:`Supervised`.
        perturbation: see :meth:`FramedCase.sample`.
        seed: of the initial weights, the order of cases and the subsets of points.
    """

    epochs: int | None = None
    minutes: float | None = None
    batch: int = 8
    field_points: int = 192
    wall_points: int = 64
    reflect: bool = True
    validate_every: int = 5
    patience: int | None = None
    clip: float = 1.0
    rate: float = 2e-3
    muon_rate: float = 1.5e-2
    wall_weight: float = 0.5
    area_weighted: bool = False
    perturbation: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        problems = []
        if (self.epochs is None) == (self.minutes is None):
            problems.append("give exactly one of epochs and minutes")
        for name in ("epochs", "minutes", "batch", "field_points", "wall_points", "validate_every", "patience", "clip", "rate", "muon_rate"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                problems.append(f"{name} is {value}, must be positive")
        if problems:
            raise ConfigurationError("; ".join(problems), where="FitSettings", remedy="for example minutes=10 or epochs=200")


def fit(
    data: Dataset | str | Path,
    directory: str | Path,
    *,
    quantities: Sequence[str] = ("velocity", "pressure_coefficient"),
    model: Callable[..., AbstractModel] = BodyField,
    settings: FitSettings | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Surrogate:
    """Train a surrogate on a data set.

    Keeps in ``directory``: ``best.safetensors`` and ``last.safetensors`` (surrogates), ``last.ckpt`` (to resume from),
    ``curves/`` (CSV and TensorBoard) and ``run.json``. Started by ``torchrun`` or SLURM it trains data-parallel without a
    change to the script.

    Args:
        data: a data set or its folder, with splits ``train`` and ``val``. directory: of the run; holds no other unless ``resume``.
        quantities: what to learn: names of point fields in the cases.
        model: makes the model from ``scalars_out``, ``vectors_out`` and, where scalar conditions vary,
            ``scalars_in``; any class of geoop.models, or a partial of one.
        settings: budget, batch, rates; None trains for 10 minutes.
        resume: go on with the run in ``directory`` from its last epoch; exact where the budget is in epochs.
        progress: show a bar.

    Returns:
        the best surrogate by validation loss. Its expected errors come from the validation split.

    Raises:
        ConfigurationError: ``directory`` holds another run, or nothing to resume.
        DatasetError: no train or validation cases, or cases without the quantities.
        NonFiniteError: the loss became NaN or infinite.
    """
    import lightning as L

    settings = settings or FitSettings(minutes=10.0)
    directory = Path(directory)
    dataset = data if isinstance(data, Dataset) else Dataset.open(data)
    made = model(scalars_out=1, vectors_out=1)
    if _rank() == 0:
        _claim(directory, dataset, quantities, settings, dict(made.arguments), resume)
    L.seed_everything(settings.seed, verbose=False)
    try:
        prepared = _prepare(dataset, quantities, model, settings, progress)
    except BaseException:
        if _rank() == 0 and not resume:  # nothing was trained: the folder is free for the next attempt
            (directory / "run.json").unlink(missing_ok=True)
        raise

    def epoch_loader(epoch: int):
        subsets = SubsetDataset(prepared.train, settings.field_points, settings.wall_points, settings.seed, epoch)
        return loader(subsets, settings.batch, shuffle=True)

    schedule = Schedule(settings.epochs, settings.minutes, settings.rate, settings.muon_rate)
    task = FieldTask(prepared.model, prepared.geometries, prepared.objective, schedule, epoch_loader)
    trainer = _train(task, prepared, directory, settings, resume, progress)
    if trainer.is_global_zero:
        _finish(directory, task, prepared, dataset.cases("val"))
    trainer.strategy.barrier("finished")
    return load(directory / "best.safetensors")


@dataclass(eq=False)
class _Preparation:
    model: AbstractModel
    normaliser: Normaliser
    envelope: TrainingEnvelope
    train: list[Sample]
    validation: list[Sample]
    geometries: dict[str, list[Any]]
    objective: Supervised
    viscous: bool
    reach: float
    conditions: Conditions
    about: dict[str, Any] = field(default_factory=dict)

    def surrogate(self, model: AbstractModel, expected: dict[str, float] | None = None) -> Surrogate:
        return Surrogate(model, self.normaliser, self.envelope, expected or {}, self.viscous, self.reach, self.conditions, dict(self.about))


def _rank() -> int:
    """Number of this process, as torchrun, SLURM or Lightning's own launcher says before the trainer exists."""
    return next((int(os.environ[key]) for key in ("RANK", "SLURM_PROCID", "LOCAL_RANK") if key in os.environ), 0)


def _claim(directory: Path, dataset: Dataset, quantities: Sequence[str], settings: FitSettings, arguments: dict[str, Any], resume: bool) -> None:
    """Make the run's folder, or check that the run in it is the one to be resumed."""
    record = {"dataset": dataset.name, "dataset_hash": dataset.hash, "quantities": list(quantities), "settings": asdict(settings), "model": arguments}
    path = directory / "run.json"
    missing = {"train", "val"} - set(dataset.splits)
    if missing:
        raise DatasetError(f"no split {sorted(missing)}", where=dataset.name, remedy="regenerate or collect again: training needs train and val")
    if path.exists() and not resume:
        raise ConfigurationError("holds a run already", where=str(directory), remedy="resume=True (--resume) goes on with it; or name a new folder")
    if resume:
        if not (directory / STATE).exists():
            raise ConfigurationError("nothing to resume: no finished epoch", where=str(directory), remedy="start without resume in an empty folder")
        kept = json.loads(path.read_text())
        changed = [key for key in record if kept.get(key) != json.loads(json.dumps(record[key]))]
        if changed:
            raise ConfigurationError(f"{changed} differ from the run to be resumed", where=str(path), remedy="give the same arguments, or start anew")
        return
    directory.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2))


def _prepare(dataset: Dataset, names: Sequence[str], make: Callable[..., AbstractModel], settings: FitSettings, progress: bool) -> _Preparation:
    started = time.perf_counter()
    quantities = [_quantity(name, dataset) for name in names]
    train, validation = dataset.cases("train"), dataset.cases("val")
    if not train or not validation:
        raise DatasetError(f"{len(train)} training and {len(validation)} validation cases", where=dataset.name, remedy="both splits need cases")
    used = {q.name for q in quantities} | {"quadrature_weight"}  # how other fields look in a mirror is nobody's business here
    train, validation = ([replace(case, fields={k: v for k, v in case.fields.items() if k in used}) for case in part] for part in (train, validation))
    seen = train + [mirrored(case) for case in train] if settings.reflect else train
    conditions = Conditions.fit(seen)
    told = {"scalars_in": len(conditions.names)} if conditions.names else {}
    model = make(scalars_out=sum(q.rank == 0 for q in quantities), vectors_out=sum(q.rank == 1 for q in quantities), **told)
    surface_points = int(model.arguments["surface_points"])
    framed = [FramedCase.of(case, quantities, surface_points, conditions) for case in tracked(seen + validation, "framing the bodies", progress)]
    learned = framed[: len(seen)]
    normaliser = Normaliser.fit(quantities, ((f.fields, f.direction) for f in learned))
    samples = [f.sample(normaliser, settings.perturbation) for f in tracked(framed, "signed distances", progress)]
    prepared = [model.prepare(s.geometry) for s in tracked(samples, "graphs", progress)]
    cut = len(learned)
    parts = {"train": prepared[:cut], "validation": prepared[cut:]}
    objective = Supervised(settings.wall_weight, settings.area_weighted)
    viscous = any(case.operating_point is not None and case.operating_point.viscosity is not None for case in train)
    reach = max(float(sample.queries.points.pos.norm(dim=1).max()) for sample in samples[:cut])
    about = {"dataset": dataset.name, "dataset_hash": dataset.hash, "settings": asdict(settings)}
    about["preparation_seconds"] = round(time.perf_counter() - started, 1)
    return _Preparation(
        model, normaliser, TrainingEnvelope.fit(seen), samples[:cut], samples[cut:], parts, objective, viscous, reach, conditions, about
    )


def _quantity(name: str, dataset: Dataset) -> Quantity:
    """The quantity of that name in the cases.

    Raises:
        ConfigurationError: no such field at points, or one in a unit that speed, density and length do not scale; says which can be learned.
    """
    known = {item.name: item for case in dataset.splits["train"][:1] for item in dataset.case(case).fields.values()}
    able = sorted(key for key, item in known.items() if item.location == "point" and item.quantity.unit in SCALES and key != "quadrature_weight")
    item = known.get(name)
    if item is not None and item.quantity.unit in SCALES:
        return item.quantity
    found = f"no field '{name}'" if item is None else f"'{name}' in {item.quantity.unit}, which speed, density and length do not scale"
    typed = ", ".join(f'"{key}"' for key in able)
    remedy = (
        f"learn what they have: quantities = [{typed}] in run.toml, or quantities=({typed}) in Python" if able else "it takes flows around a body"
    )
    raise ConfigurationError(f"the cases have {found}", where=dataset.name, remedy=remedy)


def _train(task: FieldTask, prepared: _Preparation, directory: Path, settings: FitSettings, resume: bool, progress: bool) -> L.Trainer:
    import lightning as L
    import torch
    from lightning.pytorch.callbacks import EarlyStopping
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    curves = directory / "curves" / "metrics.csv"
    if resume and curves.exists():  # the logger starts its file anew
        curves.rename(curves.with_name(f"metrics-until-{time.strftime('%Y%m%d-%H%M%S')}.csv"))
    keeper = Keeper(directory, lambda model, path: prepared.surrogate(model).save(path))
    callbacks: list[Any] = [keeper, *([ProgressLine()] if progress else [])]
    if settings.patience is not None:
        callbacks.append(EarlyStopping("val_loss", patience=settings.patience, check_on_train_epoch_end=False))
    quiet = logging.getLogger("lightning.pytorch")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    validation = loader(SubsetDataset(prepared.validation, 10**9, 10**9), settings.batch, shuffle=False)
    trainer = L.Trainer(
        max_epochs=settings.epochs if settings.epochs is not None else -1,
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", 0)) or ("auto" if torch.cuda.is_available() else 1),
        num_nodes=int(os.environ.get("WORLD_SIZE", 1)) // int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("WORLD_SIZE", 1))),
        precision="bf16-mixed" if torch.cuda.is_available() else "32-true",
        gradient_clip_val=settings.clip,
        check_val_every_n_epoch=settings.validate_every,
        num_sanity_val_steps=0,
        logger=[CSVLogger(directory, name="", version="curves"), TensorBoardLogger(directory, name="", version="curves")],
        callbacks=callbacks,
        plugins=[AtomicState()],
        reload_dataloaders_every_n_epochs=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            trainer.fit(task, val_dataloaders=validation, ckpt_path=directory / STATE if resume else None)
            # the last epochs, at the lowest rates, end between two regular validations
            trainer.validate(task, validation, verbose=False)
    finally:
        quiet.setLevel(level)
    return trainer


def _finish(directory: Path, task: FieldTask, prepared: _Preparation, validation: list[Case]) -> None:
    """Write the best surrogate once more, with its expected errors, measured on the validation cases."""
    prepared.about.update(epochs=int(task.current_epoch), steps=int(task.global_step), training_seconds=round(task.elapsed, 1))
    best = directory / "best.safetensors"
    model = load(best).model if best.exists() else task.average
    errors: dict[str, list[float]] = {q.name: [] for q in prepared.normaliser.quantities}
    plain = prepared.surrogate(model)
    for case in validation:
        result = plain.predict(case, surface_only=True)
        frame = FramedBody.of(case, int(model.arguments["surface_points"])).frame
        for quantity in prepared.normaliser.quantities:
            difference = result[quantity.name] - case.field(quantity.name).values
            size = np.sqrt((difference.reshape(len(difference), -1) ** 2).sum(axis=1).mean())
            errors[quantity.name].append(float(size) / frame.scale(quantity, case.operating_point))
    expected = {name: float(np.quantile(values, 0.9)) for name, values in errors.items()}
    prepared.surrogate(model, expected).save(best)
