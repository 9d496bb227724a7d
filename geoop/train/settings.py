"""How ``geoop.fit`` trains: every setting, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

from ..errors import ConfigurationError
from ..scaling.framing import Frame
from .objectives import Kind


@dataclass(frozen=True)
class FitSettings:
    """How ``fit`` trains; every key can stand in run.toml.

    Attributes:
        epochs, minutes, cpu_minutes: the budget; exactly one of them. ``cpu_minutes`` is computing time of the process summed over its
            threads: what else runs on the machine does not shorten the training.
        batch: cases per step.
        field_points, wall_points: random points per case and step.
        reflect: add every training case's mirror image, an exact symmetry of flow around a body in a uniform stream.
        images: of every training case in a region, by mirrors and turns (up to 8): much from few cases where the equation has no preferred
            direction; see :func:`geoop.mesh.symmetric_images.seen_cases`.
        validate_every: epochs between validations.
        patience: validations without improvement before an early stop; None trains the whole budget.
        clip: largest norm of the gradient.
        rate, muon_rate: peak rates; see :class:`Schedule`.
        loss: see ``kind`` of :class:`Supervised`: errors relative to every case's own fields, or their plain ``square``.
        wall_weight: weight of the wall's error beside the field's.
        area_weighted: see :class:`Supervised`.
        perturbation: see :meth:`FramedCase.sample`.
        frame, domain_points, vary_points: see :class:`geoop.train.preparing.Preparation`.
        beyond: quantity -> known point field, e.g. an inviscid solution, from which the difference is learned.
        shape_share: of the budget, spent on the first of two stages where the model has two (as many steps on top of ``epochs``): see
            :func:`geoop.train.shapes.first_stage`.
        seed: of the initial weights, the order of cases and the subsets of points.
    """

    epochs: int | None = None
    minutes: float | None = None
    cpu_minutes: float | None = None
    batch: int = 8
    field_points: int = 192
    wall_points: int = 64
    reflect: bool = True
    images: int = 1
    validate_every: int = 5
    patience: int | None = None
    clip: float = 1.0
    rate: float = 2e-3
    muon_rate: float = 1.5e-2
    loss: Kind = "l2"
    wall_weight: float = 0.5
    area_weighted: bool = False
    perturbation: float = 0.3
    frame: Frame = "auto"
    domain_points: int = 1024
    vary_points: float = 2.0
    beyond: dict[str, str] = field(default_factory=dict)
    shape_share: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        problems = []
        if sum(budget is not None for budget in (self.epochs, self.minutes, self.cpu_minutes)) != 1:
            problems.append("give exactly one of epochs, minutes and cpu_minutes")
        for name, kinds in (("frame", Frame), ("loss", Kind)):
            if getattr(self, name) not in get_args(kinds):
                problems.append(f"{name} is '{getattr(self, name)}', must be one of {', '.join(get_args(kinds))}")
        for name in (
            "epochs",
            "minutes",
            "cpu_minutes",
            "domain_points",
            "vary_points",
            "batch",
            "field_points",
            "wall_points",
            "validate_every",
            "patience",
            "images",
            "clip",
            "rate",
            "muon_rate",
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                problems.append(f"{name} is {value}, must be positive")
        if not 0 < self.shape_share < 1:
            problems.append(f"shape_share is {self.shape_share}, must lie between 0 and 1")
        if problems:
            raise ConfigurationError("; ".join(problems), where="FitSettings", remedy="for example minutes=10 or epochs=200")
