"""What a study knows of its model, whatever kind it is: a trained surrogate, the panel method, any other predictor."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

from ...errors import CheckpointError, ConfigurationError
from ...interfaces.protocols import ManyPredictor, Predictor
from ...interfaces.result import Result
from ...interfaces.verdict import Verdict
from ...io.dataset import sha256_of
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...results.shipped import shipped_models
from ...results.surrogate import load
from ...results.trained import TrainedPredictor
from ...truth.panels.predictor import PanelPredictor
from ...truth.panels.section_curve import SMALLEST_EDGE_ANGLE
from .geometries import Geometry

#: The name by which the panel method is asked for.
PANELS = "panels"


@runtime_checkable
class Solving(Protocol):
    """A predictor that solves for what it is given beside the case, such as the flow of panels that it corrects."""

    def placed(self, case: Case, surface_only: bool = False) -> Case: ...

    def solved(self, cases: list[Case]) -> list[Case]: ...


@dataclass(frozen=True)
class StudyModel:
    """A predictor with what a study must know before it computes anything.

    Attributes:
        name: for people.
        predictor: what answers.
    """

    name: str
    predictor: Predictor

    @classmethod
    def of(cls, source: str | Path | Predictor, smallest_edge_angle: float = SMALLEST_EDGE_ANGLE) -> StudyModel:
        """A shipped model by name, a checkpoint by path, ``panels`` (which refuse thinner trailing edges [deg]), or a predictor.

        Raises:
            CheckpointError: no such file, or not a model.
            ConfigurationError: something that does not predict fields.
        """
        if isinstance(source, str | Path):
            if str(source) == PANELS:
                return cls(PANELS, PanelPredictor(smallest_edge_angle=smallest_edge_angle))
            if str(source) not in shipped_models() and get_close_matches(str(source).lower(), [PANELS], cutoff=0.75):
                raise CheckpointError(f"no model '{source}', did you mean '{PANELS}'?", where=str(source), remedy="`geoop models` lists the others")
            return cls(str(source), _predictor(load(source), str(source)))
        name = str(source.about.get("name", "")) if isinstance(source, TrainedPredictor) else ""
        return cls(name or type(source).__name__, _predictor(source, type(source).__name__))

    @property
    def dimension(self) -> int | None:
        """Of the cases that it takes; None where it does not say."""
        if isinstance(self.predictor, TrainedPredictor):
            return int(self.predictor.model.arguments["ports"]["dimension"])
        return 2 if isinstance(self.predictor, PanelPredictor) else None

    @property
    def flow(self) -> bool:
        """Whether its cases have a free stream."""
        return self.predictor.flow if isinstance(self.predictor, TrainedPredictor) else True

    @property
    def viscous(self) -> bool:
        return isinstance(self.predictor, TrainedPredictor) and self.predictor.viscous

    @cached_property
    def conditions(self) -> frozenset[str] | None:
        """Which of ``mach`` and ``reynolds`` it was trained to know; None where it does not say."""
        if isinstance(self.predictor, PanelPredictor):
            return frozenset()
        if not isinstance(self.predictor, TrainedPredictor):
            return None
        names = self.predictor.envelope.names
        return frozenset(word for word, label in (("mach", "mach [1]"), ("reynolds", "log10_reynolds [1]")) if label in names)

    @property
    def quantities(self) -> tuple[str, ...] | None:
        """What it predicts; None where it does not say."""
        if isinstance(self.predictor, TrainedPredictor):  # a correction to panels answers with what it corrects
            return tuple(quantity.name.removesuffix("_correction") for quantity in self.predictor.normaliser.quantities)
        return ("velocity", "pressure_coefficient") if isinstance(self.predictor, PanelPredictor) else None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what it computes with: equal ones give equal fields. Of an unknown predictor, of its class only."""
        if isinstance(self.predictor, TrainedPredictor):
            with tempfile.TemporaryDirectory() as scratch:
                return sha256_of(self.predictor.save(Path(scratch, "model.safetensors")))
        numbers = (self.predictor.n_panels, self.predictor.smallest_edge_angle) if isinstance(self.predictor, PanelPredictor) else ()
        return hashlib.sha256(f"{type(self.predictor).__module__}.{type(self.predictor).__qualname__} {numbers}".encode()).hexdigest()

    def card(self) -> dict[str, object]:
        """Plain data about the model for study.json: name, kind, dimension, quantities, viscous, and what it says about itself."""
        about = dict(self.predictor.about) if isinstance(self.predictor, TrainedPredictor) else {}
        if isinstance(self.predictor, PanelPredictor):
            about = {"summary": f"linear-vorticity panels, {self.predictor.n_panels} on every body: plane potential flow, solved and not predicted"}
        return {
            "name": self.name,
            "kind": type(self.predictor).__name__,
            "dimension": self.dimension,
            "quantities": self.quantities,
            "viscous": self.viscous,
            "about": about,
        }

    def judge(self, geometry: Geometry, point: OperatingPoint) -> Verdict | None:
        """The verdict on a case before it is computed; None where the predictor has none.

        Raises:
            GeoopError: the predictor refuses the shape.
        """
        if isinstance(self.predictor, PanelPredictor):
            return self.predictor.judge(Case(geometry.mesh, wall=geometry.wall, name=geometry.name))
        if not isinstance(self.predictor, TrainedPredictor) or self.predictor.framing.region or self.predictor.framing.bodies:
            return None
        case = Case(geometry.mesh, self.known(point), wall=geometry.wall, name=geometry.name)
        if isinstance(self.predictor, Solving):
            case = self.predictor.solved([self.predictor.placed(case, surface_only=True)])[0]
        return self.predictor.envelope.judge(self.predictor.framing.describe(case))

    def beyond(self, point: OperatingPoint, chord_angle: float) -> str:
        """What of a condition lies outside of the training range, in words; empty if nothing does, or the predictor does not say.

        Args:
            point: the condition.
            chord_angle: of a section, that its angle of attack adds to [deg].
        """
        if not isinstance(self.predictor, TrainedPredictor) or self.predictor.framing.region:
            return ""
        re, turned = point.reynolds, point.alpha + chord_angle
        stated = {
            "alpha_to_chord [deg]": ("alpha to the chord [deg]", turned if abs(turned) <= 180.0 else (turned + 180.0) % 360.0 - 180.0),
            "alpha [deg]": ("alpha [deg]", point.alpha),
            "beta [deg]": ("beta [deg]", point.beta),
            "mach [1]": ("Mach", point.mach),
            "log10_reynolds [1]": ("log10 Re", None if re is None else math.log10(re)),
        }
        envelope, found = self.predictor.envelope, []
        for name, values in zip(envelope.names, envelope.rows.T, strict=True):
            words, value = stated.get(name, ("", None))
            low, high = float(values.min()), float(values.max())
            if value is not None and not low - envelope.margin * (high - low) - 1e-6 <= value <= high + envelope.margin * (high - low) + 1e-6:
                found.append(f"{words} {value:.4g}, trained on {low:.4g}..{high:.4g}")
        return "; ".join(found)

    def known(self, point: OperatingPoint) -> OperatingPoint:
        """The operating point with only what the model knows: the viscosity of an inviscid one would count as a condition that it never saw."""
        if self.conditions is None:
            return point
        return replace(
            point, viscosity=point.viscosity if "reynolds" in self.conditions else None, mach=point.mach if "mach" in self.conditions else None
        )

    def results(self, geometry: Geometry, points: Sequence[OperatingPoint], surface_only: bool, placed: Case | None = None) -> Iterator[Result]:
        """Results of one geometry at several operating points, as they come; the geometry is prepared once.

        Args:
            geometry: the shape.
            points: operating points.
            surface_only: without a field around a bare section.
            placed: the case of an earlier result of this geometry, whose mesh a surrogate need not make again.
        """
        case = Case(geometry.mesh, wall=geometry.wall, name=geometry.name)
        if placed is not None and isinstance(self.predictor, TrainedPredictor):
            case = replace(placed, fields={})
        if isinstance(self.predictor, ManyPredictor):
            yield from self.predictor.predict_many(case, [self.known(point) for point in points], surface_only=surface_only)
            return
        for point in points:
            yield self.predictor.predict(replace(case, operating_point=self.known(point)))


def _predictor(source: object, name: str) -> Predictor:
    if isinstance(source, Predictor):
        return source
    raise ConfigurationError(
        f"{type(source).__name__} predicts no fields of a case",
        where=name,
        remedy="give a surrogate that `geoop fit` trained, a shipped model, or 'panels'",
    )
