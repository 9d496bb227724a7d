"""Training behind one call: ``geoop.fit``."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, DatasetError
from ..io.atomic import replacing
from ..io.dataset import Dataset
from ..models.body_field import BodyField
from ..models.model import AbstractModel
from ..models.ports import Ports
from ..results.surrogate import Surrogate, load
from ..scaling.framing import Frame
from .alone import alone
from .batches import SubsetDataset, loader
from .calibrated import calibrated
from .keeping import STATE, AtomicState, Keeper
from .model_choice import maker_of
from .objectives import Supervised
from .preparing import Preparation, TrainingData, first_ports, prepared_by
from .progress import ProgressLine, tracked
from .settings import FitSettings
from .shapes import SHAPES, first_stage
from .starting import begin, check_data, check_request, maker, opened, origin
from .task import FieldTask, Schedule

if TYPE_CHECKING:
    import lightning as L

#: For the sizes of a model that is made before the data are known.
_ANY_BODY = Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True)
#: Validation looks at this many times the points of a training step, always the same ones: all of them would cost more than they tell.
_VALIDATION = 4


def fit(
    data: Dataset | str | Path | TrainingData,
    directory: str | Path,
    *,
    quantities: Sequence[str] = ("velocity", "pressure_coefficient"),
    inputs: Sequence[str] = (),
    model: str | Callable[[Ports], AbstractModel] | None = None,
    settings: FitSettings | None = None,
    start: Surrogate | str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Surrogate:
    """Train a surrogate on a data set.

    Keeps in ``directory``: ``best.safetensors`` and ``last.safetensors`` (surrogates), ``last.ckpt`` (to resume from), ``curves/`` (CSV and
    TensorBoard) and ``run.json``. Started by ``torchrun`` or SLURM it trains data-parallel without a change to the script.

    Args:
        data: a data set or its folder, with splits ``train`` and ``val``; or :class:`TrainingData`, whose quantities and inputs then count.
        directory: of the run; holds no other unless ``resume``.
        quantities: what to learn: names of point fields in the cases.
        inputs: what is known: names of point fields, ``boundary QUANTITY`` for what patches impose, ``newton potential of FIELD`` of a source.
        model: the name of a class of geoop.models, such as ``"GAOT"``, in its small preset; or what makes the model from its
            :class:`~geoop.models.ports.Ports`: such a class, or a partial of one. None: the class and sizes of ``start``, or BodyField.
        settings: budget, batch, rates; None trains for 10 minutes.
        start: a surrogate, or the file of one, whose weights the training begins with: pre-trained on cheap or plentiful cases, now trained on others
            of the same kind. It must learn the same quantities from the same inputs with the same model. Framing and normaliser are its own,
            not fitted again, because its weights act on what these make; ``settings.frame`` and ``domain_points`` then do not count. Expected errors
            and the envelope of the verdict are those of the new cases.
        resume: go on with the run in ``directory`` from its last epoch; exact where the budget is in epochs.
        progress: show a bar.

    Returns:
        the best surrogate by validation loss, calibrated by :func:`geoop.results.confidence.calibrating.calibrate` where 9 cases or more validate.

    Raises:
        ConfigurationError: ``directory`` holds another run, nothing to resume, or one that another process trains; ``start`` has another
            model, other quantities, inputs or channels.
        DatasetError: no train or validation cases, or cases without the quantities.
        NonFiniteError: the loss became NaN or infinite.
    """
    settings, directory = settings or FitSettings(minutes=10.0), Path(directory)
    asked = _Request.of(data, quantities, inputs, model, settings, opened(start))
    if _rank() == 0:
        _claim(directory, asked, resume)
    with alone(directory) if _rank() == 0 else nullcontext():
        return _fit(asked, directory, resume, progress)


def _fit(asked: _Request, directory: Path, resume: bool, progress: bool) -> Surrogate:
    import lightning as L

    try:
        L.seed_everything(asked.settings.seed, verbose=False)
        run = _prepare(asked, directory / SHAPES, progress)
    except BaseException:
        if _rank() == 0 and not resume and not (directory / SHAPES).exists():  # nothing was trained: the folder is free for the next attempt
            (directory / "run.json").unlink(missing_ok=True)
        raise

    task = _task(run, asked.settings)
    trainer = _train(task, run, directory, asked.settings, resume, progress)
    if trainer.is_global_zero:
        _finish(directory, task, run)
    trainer.strategy.barrier("finished")
    return load(directory / "best.safetensors")


@dataclass(frozen=True, eq=False)
class _Request:
    """What was asked for, before any preparation; ``trial`` is a model made for any body, for its class and sizes."""

    dataset: Dataset
    ready: TrainingData | None
    quantities: tuple[str, ...]
    inputs: tuple[str, ...]
    make: Callable[[Ports], AbstractModel]
    trial: AbstractModel
    settings: FitSettings
    start: Surrogate | None

    @classmethod
    def of(
        cls,
        data: Dataset | str | Path | TrainingData,
        quantities: Sequence[str],
        inputs: Sequence[str],
        model: str | Callable[[Ports], AbstractModel] | None,
        settings: FitSettings,
        start: Surrogate | None,
    ) -> _Request:
        ready = data if isinstance(data, TrainingData) else None
        if ready is not None:
            dataset, quantities, inputs = ready.dataset, [q.name for q in ready.quantities], ready.inputs
        else:
            dataset = data if isinstance(data, Dataset) else Dataset.open(data)  # type: ignore[arg-type]
        model = maker_of(model, "model") if isinstance(model, str) else model
        make = model or (maker(start) if start else BodyField)
        trial = _trial(make, ready or (dataset, quantities, inputs))
        if start:
            check_request(start, trial, quantities, inputs, settings.beyond if ready is None else dict(ready.framing.beyond))
        return cls(dataset, ready, tuple(quantities), tuple(inputs), make, trial, settings, start)

    def record(self) -> dict[str, Any]:
        """What run.json keeps, as JSON gives it back."""
        sizes = {key: value for key, value in self.trial.arguments.items() if key != "ports"}
        found = {
            "dataset": self.dataset.name,
            "dataset_hash": self.dataset.hash,
            "quantities": self.quantities,
            "inputs": self.inputs,
            "settings": asdict(self.settings),
            "model": {"class": type(self.trial).__name__, **sizes},
        }
        return json.loads(json.dumps(found | ({"start": origin(self.start)} if self.start else {})))


@dataclass(eq=False)
class _Run:
    model: AbstractModel
    data: TrainingData
    geometries: dict[str, list[Any]]
    objective: Supervised
    about: dict[str, Any]

    def surrogate(self, model: AbstractModel) -> Surrogate:
        data = self.data
        return Surrogate(model, data.normaliser, data.envelope, data.framing, {}, data.viscous, dict(self.about))


def _trial(make: Callable[[Ports], AbstractModel], data: TrainingData | tuple[Dataset, Sequence[str], Sequence[str]]) -> AbstractModel:
    """A model for its class and sizes. One that names an input function or a condition cannot be made for any body: it gets the channels of the data."""
    try:
        return make(_ANY_BODY)
    except ConfigurationError:
        return make(data.ports if isinstance(data, TrainingData) else first_ports(*data))


def _rank() -> int:
    """Number of this process, as torchrun, SLURM or Lightning's own launcher says before the trainer exists."""
    return next((int(os.environ[key]) for key in ("RANK", "SLURM_PROCID", "LOCAL_RANK") if key in os.environ), 0)


def _claim(directory: Path, asked: _Request, resume: bool) -> None:
    """Make the run's folder, or check that the run in it is the one to be resumed."""
    path, record = directory / "run.json", asked.record()
    missing = {"train", "val"} - set(asked.dataset.splits)
    if missing:
        raise DatasetError(
            f"no split {sorted(missing)}", where=asked.dataset.name, remedy="regenerate or collect again: training needs train and val"
        )
    if path.exists() and not resume:
        raise ConfigurationError("holds a run already", where=str(directory), remedy="resume=True (--resume) goes on with it; or name a new folder")
    if resume:
        if not (directory / STATE).exists() and not (directory / SHAPES).exists():
            raise ConfigurationError("nothing to resume: no finished epoch", where=str(directory), remedy="start without resume in an empty folder")
        kept = json.loads(path.read_text())
        # a run of an older geoop had the defaults of the settings that it did not know
        kept["settings"] = asdict(FitSettings(epochs=1)) | {"epochs": None} | kept.get("settings", {})
        changed = [key for key in sorted({*record, "start"}) if kept.get(key) != record.get(key)]
        if changed:
            raise ConfigurationError(f"{changed} differ from the run to be resumed", where=str(path), remedy="give the same arguments, or start anew")
        return
    directory.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2))


def _prepare(asked: _Request, state: Path, progress: bool) -> _Run:
    settings, trial, start, data = asked.settings, asked.trial, asked.start, asked.ready
    if data is None:
        _check_model(trial, asked.dataset, asked.inputs, settings.frame)
        surface = trial.outline_points or Preparation.surface_points
        frame = settings.frame if trial.on_clouds or settings.frame != "auto" else "body"
        how = Preparation(
            frame=frame,
            domain_points=settings.domain_points,
            vary_points=settings.vary_points,
            surface_points=surface,
            reflect=settings.reflect,
            perturbation=settings.perturbation,
            beyond=tuple(settings.beyond.items()),
            images=settings.images,
        )
        data = TrainingData.of(asked.dataset, asked.quantities, asked.inputs, how, domain=trial.on_clouds, start=start, progress=progress)
    if trial.on_clouds and data.framing.domain == "none":
        raise ConfigurationError(
            f"the cases were prepared without points for {type(trial).__name__}", where=data.dataset.name, remedy="TrainingData.of(..., domain=True)"
        )
    started = time.perf_counter()
    model = asked.make(data.ports)
    if start:
        check_data(start, data)
        begin(model, start)
    geometries = {
        part: prepared_by(model, tracked(samples, f"graphs, {part}", progress))
        for part, samples in (("train", data.train), ("validation", data.validation))
    }
    if not start:
        model.fit_units(data.units)
        model.fit_geometries(geometries["train"])
    seconds = data.about["preparation_seconds"] + time.perf_counter() - started
    geometries, shapes = first_stage(None if start else model.shape_stage, geometries, settings, state, progress)
    about = {"dataset": data.dataset.name, "dataset_hash": data.dataset.hash, "settings": asdict(settings), "preparation_seconds": round(seconds, 1)}
    about |= {"unresolved": data.about["unresolved"]} if data.about.get("unresolved") else {}
    about |= ({"start": origin(start)} if start else {}) | ({"shapes": shapes} if shapes else {})
    return _Run(model, data, geometries, Supervised(settings.wall_weight, settings.area_weighted, settings.loss), about)


def _check_model(trial: AbstractModel, dataset: Dataset, inputs: Sequence[str], frame: Frame) -> None:
    """Say before all preparation that a model without a cloud cannot learn these cases."""
    if trial.on_clouds:
        return
    first = dataset.case(dataset.splits["train"][0]) if dataset.splits["train"] else None
    found = [f"frame '{frame}'"] if frame not in ("auto", "body") else []
    if first is not None:
        found += ["cases without a free stream"] if first.operating_point is None else []
        found += ["cases in space"] if first.mesh.dimension == 3 else []
    found += ["input functions"] if inputs else []
    if found:
        raise ConfigurationError(
            f"{type(trial).__name__} learns plane flows around one body, not {', '.join(found)}",
            where=dataset.name,
            remedy='take a model on clouds: [model] class = "DeepONet" in run.toml, model="DeepONet" in Python',
        )


def _task(run: _Run, settings: FitSettings) -> FieldTask:
    def epoch_loader(epoch: int):
        subsets = SubsetDataset(run.data.train, settings.field_points, settings.wall_points, settings.seed, epoch)
        return loader(subsets, settings.batch, shuffle=True)

    left = 1.0 - settings.shape_share if run.about.get("shapes") else 1.0
    minutes, cpu_minutes = (None if budget is None else left * budget for budget in (settings.minutes, settings.cpu_minutes))
    schedule = Schedule(settings.epochs, minutes, cpu_minutes, settings.rate, settings.muon_rate)
    samples = {"train": run.data.train, "validation": run.data.validation}
    return FieldTask(run.model, run.geometries, samples, run.objective, schedule, epoch_loader, settings.seed)


def _train(task: FieldTask, run: _Run, directory: Path, settings: FitSettings, resume: bool, progress: bool) -> L.Trainer:
    import lightning as L
    import torch
    from lightning.pytorch.callbacks import EarlyStopping
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    curves = directory / "curves" / "metrics.csv"
    if resume and curves.exists():  # the logger starts its file anew
        curves.rename(curves.with_name(f"metrics-until-{time.strftime('%Y%m%d-%H%M%S')}.csv"))
    keeper = Keeper(directory, lambda model, path: run.surrogate(model).save(path))
    callbacks: list[Any] = [keeper, *([ProgressLine()] if progress else [])]
    if settings.patience is not None:
        callbacks.append(EarlyStopping("val_loss", patience=settings.patience, check_on_train_epoch_end=False))
    quiet = logging.getLogger("lightning.pytorch")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    looked_at = SubsetDataset(run.data.validation, _VALIDATION * settings.field_points, _VALIDATION * settings.wall_points)
    validation = loader(looked_at, settings.batch, shuffle=False)
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
            trainer.fit(task, val_dataloaders=validation, ckpt_path=directory / STATE if resume and (directory / STATE).exists() else None)
            # the last epochs, at the lowest rates, end between two regular validations
            trainer.validate(task, validation, verbose=False)
    finally:
        quiet.setLevel(level)
    return trainer


def _finish(directory: Path, task: FieldTask, run: _Run) -> None:
    """Write the best surrogate once more, with what the validation cases tell of its errors."""
    run.about.update(epochs=int(task.current_epoch), steps=int(task.global_step), training_seconds=round(task.elapsed, 1))
    best = directory / "best.safetensors"
    model = load(best).model if best.exists() else task.average
    calibrated(run.surrogate(model), run.data, run.geometries["train"]).save(best)
