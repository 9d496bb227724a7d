"""A surrogate that learned what source panels leave: the flow of :class:`~geoop.truth.panels3d.source_panels.SourcePanels`, corrected by a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import CheckpointError, ConditionError, InvalidMeshError
from ..graph.cache import ContentCache
from ..interfaces.outcome import Outcome
from ..interfaces.result import Result
from ..interfaces.verdict import Verdict
from ..io.checkpoint import Checkpoint, write_checkpoint
from ..mesh.case import Case
from ..mesh.operating_point import OperatingPoint
from ..mesh.quantity import QUANTITIES, Field, Quantity
from ..mesh.rim import with_rim
from ..models.model import AbstractModel
from ..scaling.envelope import TrainingEnvelope
from ..scaling.framing import Framing
from ..scaling.normaliser import Normaliser
from .confidence.calibration import stated
from .panel_scene import PanelScene
from .surrogate import Surrogate
from .trained import TrainedPredictor

#: What the network is given at every point: no turn of the body changes it.
INPUTS = ("panel_pressure_coefficient",)
#: What it learns: by how much the panels are off. The velocity is over that of the stream: a quantity in m/s would be taken for a flow
#: that tends to the free stream.
LEARNED = ("velocity_correction", "pressure_coefficient_correction")
CORRECTIONS = Quantity(LEARNED[0], "(u - u_p)/U", "1", 1), Quantity(LEARNED[1], "Cp - Cp_p", "1")
PANEL_PRESSURE = Quantity("panel_pressure_coefficient", "Cp_p", "1")
ANSWERS = ("velocity", "pressure_coefficient")
#: Largest corrections of a component of the velocity over the stream's and of Cp: above those of training, far below what a network may say of
#: a body that is unlike any.
LARGEST = 3.0, 5.0


@dataclass(frozen=True, eq=False, repr=False)
class PanelCorrection(TrainedPredictor):
    """Velocity and pressure around any closed body in space: source panels on its faces, and a network for what they miss.

    It answers as a :class:`~geoop.results.surrogate.Surrogate` does: at the points of a surface in space (an STL file, say) or of a mesh around a
    body, for an incompressible stream. The panels are linear in the free stream, so that a sweep solves them once.

    Attributes:
        surrogate: predicts :data:`LEARNED`, given :data:`INPUTS`.
        about: data set, hash, settings and scores, for people; those of the surrogate where nothing is given.
        cache: solved bodies by their content.
    """

    surrogate: Surrogate
    about: Mapping[str, Any] = field(default_factory=dict)
    cache: ContentCache = field(default_factory=ContentCache, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "about", dict(self.about or self.surrogate.about))

    def _answers(self, case: Case, points: Sequence[OperatingPoint | None], surface_only: bool, chunk: int) -> list[Result]:
        known = [_condition(replace(case, operating_point=point)) for point in points]
        if case.mesh.dimension != 3:
            raise InvalidMeshError(
                "a plane mesh, and the panels are those of bodies in space",
                where=case.mesh.name,
                remedy="take a model of sections, or a mesh in space",
            )
        case = with_rim(case)
        scene = self.cache.fetch(lambda: PanelScene.of(case, surface_only), case.mesh, case.wall, surface_only)
        return [self._result(scene, replace(case, operating_point=point), chunk) for point in known]

    def _result(self, scene: PanelScene, case: Case, chunk: int) -> Result:
        found = self._corrected(scene, case, chunk)
        fields = [Field(QUANTITIES[name], scene.at_given(found[0][name])) for name in ANSWERS]
        mesh = scene.answered
        answer = Case(mesh, case.operating_point, wall=case.wall, name=case.name or case.mesh.name).with_fields(*fields)
        verdict = scene.judged(found[1], case.operating_point)
        return stated(Result(answer, Outcome("converged"), verdict, lambda places: self._at(scene, case, places, chunk), False))

    def _corrected(self, scene: PanelScene, case: Case, chunk: int) -> tuple[dict[str, np.ndarray], Verdict]:
        """Fields at the points of the scene, and the verdict of the network."""
        point = case.operating_point
        assert point is not None
        velocity = scene.velocity(point)
        pressure = 1.0 - (velocity**2).sum(axis=1) / point.velocity**2
        given = Case(scene.mesh, point, wall=("wall",), name=case.name or case.mesh.name).with_fields(Field(PANEL_PRESSURE, pressure))
        learned = self.surrogate.predict(given, chunk=chunk)
        of_velocity, of_pressure = (np.clip(learned[name], -most, most) for name, most in zip(LEARNED, LARGEST, strict=True))
        fading = self._fading(given)
        of_velocity, of_pressure = of_velocity * fading[:, None], of_pressure * fading
        # Bernoulli: no pressure is above that of stagnation
        sums = velocity + point.velocity * of_velocity, np.minimum(pressure + of_pressure, 1.0)
        errors = dict(zip(ANSWERS, (learned.verdict.expected_errors.get(name) for name in LEARNED), strict=True))
        scales = {"velocity": point.velocity, "pressure_coefficient": 1.0}
        expected = {name: value * scales[name] for name, value in errors.items() if value is not None}
        return dict(zip(ANSWERS, sums, strict=True)), replace(learned.verdict, expected_errors=expected)

    def _fading(self, case: Case) -> np.ndarray:
        """(n,) 1 as far as training points went, beyond that falling as 1/r^2, as what a wake or a body adds to the panels' flow does at least."""
        framing = self.surrogate.framing
        radius = np.linalg.norm(framing.frame(case).points_in(case.mesh.points), axis=1)
        return np.minimum(1.0, framing.reach / np.maximum(radius, 1e-12)) ** 2

    def _at(self, scene: PanelScene, case: Case, places: np.ndarray, chunk: int) -> Mapping[str, Field]:
        """Fields at any points, NaN inside the body."""
        values = self._corrected(scene.around(places), case, chunk)[0]
        inside = scene.inside(places)
        out = {}
        for name in ANSWERS:
            item = values[name][-len(places) :] if len(places) else values[name][:0]
            item[inside] = np.nan
            out[name] = Field(QUANTITIES[name], item)
        return out

    @cached_property
    def expected_errors(self) -> dict[str, float]:
        """Quantity -> dimensionless error that 90 % of the validation cases stayed below."""
        return {
            name: self.surrogate.expected_errors[key] for name, key in zip(ANSWERS, LEARNED, strict=True) if key in self.surrogate.expected_errors
        }

    @property
    def flow(self) -> bool:
        """True: panels need a free stream."""
        return True

    @property
    def viscous(self) -> bool:
        """False: so is the panels' flow."""
        return False

    @property
    def envelope(self) -> TrainingEnvelope:
        return self.surrogate.envelope

    @property
    def framing(self) -> Framing:
        return self.surrogate.framing

    @property
    def normaliser(self) -> Normaliser:
        return self.surrogate.normaliser

    @property
    def model(self) -> AbstractModel:
        return self.surrogate.model

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file, atomically."""
        return write_checkpoint(path, self.checkpoint())

    def checkpoint(self) -> Checkpoint:
        """What :meth:`save` writes: that of the surrogate, marked."""
        inner = self.surrogate.checkpoint()
        return Checkpoint({**inner.header, "about": dict(self.about), "correction": "source panels"}, inner.arrays)

    def to(self, device: str | torch.device) -> PanelCorrection:
        """The same with its network on another device."""
        return PanelCorrection(self.surrogate.to(device), self.about)


def of_surrogate(surrogate: Surrogate) -> PanelCorrection:
    """Around the network of a checkpoint.

    Raises:
        CheckpointError: it learned other things.
    """
    names = tuple(quantity.name for quantity in surrogate.normaliser.quantities)
    if set(names) != set(LEARNED):
        raise CheckpointError(f"a correction of panels predicts {names}", remedy=f"train it on {LEARNED}")
    return PanelCorrection(surrogate)


def with_corrections(case: Case, scene: PanelScene) -> Case:
    """A training case: what the panels say, and by how much they are off. The scene is one of :meth:`PanelScene.exactly`."""
    point = _condition(case)
    velocity = scene.velocity(point)
    pressure = 1.0 - (velocity**2).sum(axis=1) / point.velocity**2
    off = (case.field("velocity").values - velocity) / point.velocity, case.field("pressure_coefficient").values - pressure
    return case.with_fields(Field(PANEL_PRESSURE, pressure), *(Field(quantity, values) for quantity, values in zip(CORRECTIONS, off, strict=True)))


def _condition(case: Case) -> OperatingPoint:
    point = case.operating_point
    if point is None:
        raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=..., beta=...))")
    if point.mach:
        raise ConditionError(f"mach is {point.mach}, but the flow is incompressible", where="OperatingPoint", remedy="leave mach out")
    return point
