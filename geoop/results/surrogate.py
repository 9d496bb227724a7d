"""A trained predictor with everything that a prediction needs: what ``geoop.load`` returns."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import CheckpointError, ConditionError, InvalidMeshError
from ..graph.cache import ContentCache
from ..interfaces.outcome import Outcome
from ..interfaces.result import Result
from ..interfaces.verdict import Verdict
from ..io.checkpoint import Checkpoint, class_path, read_checkpoint, resolve, write_checkpoint
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.generate.ogrid import ogrid, require_simple
from ..mesh.operating_point import OperatingPoint
from ..mesh.planar import flattened, is_one_layer
from ..mesh.quantity import Field
from ..mesh.resample import closed_ring
from ..mesh.rim import with_rim
from ..models.model import CHUNK, AbstractModel
from ..scaling.derived import base, with_derived
from ..scaling.envelope import TrainingEnvelope
from ..scaling.framing import Framing
from ..scaling.normaliser import Normaliser
from .confidence.calibration import Calibration, Evidence, stated
from .confidence.latent_code import latent_code
from .decoder import Decoder
from .neural_mover import NeuralMover
from .section_solutions import section_ring, solutions, unsolved, with_solutions, without_solutions
from .shipped import model_file
from .trained import TrainedPredictor

if TYPE_CHECKING:
    from .confidence.ensemble import Ensemble
    from .panel_correction import PanelCorrection


@dataclass(frozen=True, eq=False, repr=False)
class Surrogate(TrainedPredictor):
    """A model, the scaling of its inputs and outputs, and what it was trained on.

    Attributes:
        model: in evaluation mode.
        normaliser: dimensionless fields <-> standardised outputs.
        envelope: the training cases, for the verdict.
        framing: how a case becomes what the model sees.
        expected_errors: quantity name -> root mean square error over a case, dimensionless, that 90 % of the validation cases stayed below.
        viscous: whether the training flows had friction.
        about: data set, hash, settings and scores, for people.
        calibration: what validation cases told of the errors, see :func:`geoop.results.confidence.calibrating.calibrate`; then ``expected_errors`` does
            not count.
        cache: prepared geometries by content: asking for one section again, at another condition, prepares nothing.
    """

    model: AbstractModel
    normaliser: Normaliser
    envelope: TrainingEnvelope
    framing: Framing = field(default_factory=Framing)
    expected_errors: Mapping[str, float] = field(default_factory=dict)
    viscous: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    cache: ContentCache = field(default_factory=ContentCache, repr=False)

    def __post_init__(self) -> None:
        self.model.eval()

    def _answers(self, case: Case, points: Sequence[OperatingPoint | None], surface_only: bool, chunk: int) -> list[Result]:
        return self._predict(self.swept(case, points, surface_only), chunk)

    def swept(self, case: Case, points: Sequence[OperatingPoint | None], surface_only: bool = False) -> list[Case]:
        """A case at several operating points, on the mesh that is predicted at; what was solved for at another one is left behind."""
        if self.framing.wall_only and list(points) != [case.operating_point]:
            case = without_solutions(case)
        first = self.placed(replace(case, operating_point=points[0]), surface_only)
        return [replace(first, operating_point=point) for point in points]

    def placed(self, case: Case, surface_only: bool = False) -> Case:
        """The case on the mesh that is predicted at, see :meth:`~geoop.results.trained.TrainedPredictor.predict`.

        A layer one cell thick is its plane, and the rim of a mesh without patches becomes some, as in the training cases that were collected from such files.
        """
        if self._dimension == 2 and case.mesh.dimension == 3 and is_one_layer(case.mesh):
            case = flattened(case)
        case = with_rim(case)
        mesh = case.mesh
        if mesh.dimension != self._dimension:
            raise InvalidMeshError(
                f"a {mesh.dimension}-D mesh, the model was trained on {self._dimension}-D cases",
                where=mesh.name,
                remedy="pass a section, or train on 3-D cases" if self._dimension == 2 else "pass a mesh in space",
            )
        if self.flow:
            _point(case)
        elif case.operating_point is not None:
            raise ConditionError(
                "an operating point, and the model was trained without a free stream", where=case.name, remedy="leave it out: Case(mesh, ...)"
            )
        if self.framing.region or self.framing.bodies:
            return case
        outline = body(mesh, case.wall)
        bare = mesh.is_surface and not len(mesh.cells.where("vertex"))
        if self.framing.wall_only and unsolved(case, self.framing):
            # what is solved for on the section and given to the model belongs to a ring of points as those of its training
            return Case(section_ring(outline), case.operating_point, wall=("wall",), name=case.name or mesh.name)
        if bare and not surface_only and not self.framing.wall_only:
            # coordinates in a file are samples of a smooth section: the wall goes through them on a spline, corners kept
            return Case(ogrid(outline, smooth=True), case.operating_point, wall=("wall",), name=case.name or mesh.name)
        if bare:
            require_simple(closed_ring(outline), mesh.name, "the outline of the section")
        return case

    @property
    def flow(self) -> bool:
        """Whether it was trained on cases with a free stream."""
        return int(self.model.arguments["ports"]["vectors_in"]) > 0

    @property
    def _dimension(self) -> int:
        return int(self.model.arguments["ports"]["dimension"])

    def solved(self, cases: list[Case]) -> list[Case]:
        """Cases on one mesh with what the model is given and geoop can solve for, see :mod:`geoop.results.section_solutions`."""
        return with_solutions(cases, unsolved(cases[0], self.framing), self.cache)

    def decoders(self, cases: list[Case], chunk: int = CHUNK, *, vary: Callable[[Any], Any] | None = None) -> list[Decoder]:
        """Encoded cases on one mesh, which is framed and prepared once.

        Args:
            cases: of one mesh, as :meth:`placed` returns them, and one set of fields: only their operating points differ.
            chunk: points decoded at once.
            vary: changes what the model prepared of the geometry, e.g. leaves out edges of its graphs.
        """
        cases = self.solved(cases)
        first = with_derived(cases[0], [item.name for item in self.framing.functions if base(item.name) in cases[0].fields])
        cases = [replace(case, fields={**first.fields, **solutions(case)}) for case in cases]
        framed = self.framing.of(first)
        prepared = self.cache.fetch(lambda: self.model.prepare(framed.geometry), framed.geometry)
        prepared = prepared if vary is None else vary(prepared)
        return Decoder.of_all(self.model, self.normaliser, self.framing, cases, framed, prepared, chunk=chunk)

    def _predict(self, cases: list[Case], chunk: int) -> list[Result]:
        if self.calibration is None:
            return [stated(result) for result in self._results(self.decoders(cases, chunk))]
        return [self.calibration.judged(result, evidence) for result, evidence in self.weighed(cases, chunk)]

    def weighed(self, cases: list[Case], chunk: int = CHUNK) -> list[tuple[Result, Evidence]]:
        """Results of cases as :meth:`decoders` takes them, without calibration, and by what that would judge them."""
        decoders = self.decoders(cases, chunk)
        evidence = [Evidence(latent_code(one.latent), self.scales(one)) for one in decoders]
        return list(zip(self._results(decoders), evidence, strict=True))

    def _results(self, decoders: list[Decoder]) -> list[Result]:
        return [self._result(one, fields) for one, fields in zip(decoders, Decoder.all_on_mesh(decoders), strict=True)]

    def _result(self, decoder: Decoder, fields: list[Field]) -> Result:
        case = decoder.case
        # fields that came with the mesh are not carried over: beside predictions they would be taken for some
        answer = replace(case, fields={}, name=case.name or case.mesh.name).with_fields(*fields)
        verdict = self.verdict(decoder, calibrated=self.calibration is not None)
        return Result(answer, Outcome("converged"), verdict, decoder.at, self.viscous)

    def verdict(self, decoder: Decoder, *, calibrated: bool = False) -> Verdict:
        """By the envelope of the training cases alone, with expected errors where they are known; ``calibrated``: by what a calibration cannot tell."""
        scales, row = self.scales(decoder), self.framing.describe(decoder.case)
        errors = {name: value * scales[name] for name, value in self.expected_errors.items() if name in scales}
        found = self.envelope.extrapolation(row) if calibrated else self.envelope.judge(row)
        return replace(found, expected_errors=errors)

    def scales(self, decoder: Decoder) -> dict[str, float]:
        """Quantity name -> what one unit of the dimensionless quantity is in SI; of CL, CD and CM what one of the body's own length is."""
        frame, point = decoder.framed.frame, decoder.case.operating_point
        return {q.name: frame.scale(q, point) for q in self.normaliser.quantities} | coefficient_scales(point, frame.length)

    def save(self, path: str | Path) -> Path:
        """Write the checkpoint: one safetensors file, atomically.

        Raises:
            CheckpointError: the model is not a class of geoop.
        """
        return write_checkpoint(path, self.checkpoint())

    def checkpoint(self) -> Checkpoint:
        """What :meth:`save` writes and :func:`surrogate_of` reads."""
        header = {
            "model": {"class": class_path(type(self.model)), "arguments": self.model.arguments},
            "normaliser": self.normaliser.to_dict(),
            "expected_errors": dict(self.expected_errors),
            "viscous": self.viscous,
            "framing": self.framing.to_dict(),
            "about": dict(self.about),
        }
        if self.calibration is not None:
            header["calibration"] = self.calibration.to_dict()
        arrays = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        arrays |= {f"envelope.{key}": torch.from_numpy(np.array(value)) for key, value in self.envelope.arrays().items()}
        found = {} if self.calibration is None else self.calibration.arrays()
        return Checkpoint(header, arrays | {f"calibration.{key}": torch.from_numpy(value) for key, value in found.items()})

    def to(self, device: str | torch.device) -> Surrogate:
        """The same surrogate with its model on another device."""
        return replace(self, model=copy.deepcopy(self.model).to(device))


def coefficient_scales(point: OperatingPoint | None, length: float) -> dict[str, float]:
    """CL, CD, CM by the reference length of an operating point, of what they are by a length [m] of the section."""
    if point is None or point.reference_length is None:
        return {}
    share = length / point.reference_length
    return {"CL": share, "CD": share, "CM": share**2}


def load(source: str | Path) -> Surrogate | Ensemble | PanelCorrection | NeuralMover:
    """A surrogate from a checkpoint that ``geoop fit`` wrote, an ensemble of them from one of its own, or a mesh mover.

    Args:
        source: path of a file, or the name of a model that comes with geoop, such as ``airfoil-potential``: see :mod:`geoop.results.shipped`.

    Raises:
        CheckpointError: missing, truncated, a pickle, of a newer format, or with weights that do not fit its own header; no model of that name, then it
            says the nearest.
    """
    source = model_file(source)
    checkpoint = read_checkpoint(source)
    if "mover" in checkpoint.header:
        return NeuralMover.load(source)
    try:
        if "ensemble" in checkpoint.header:
            from .confidence.ensemble import Ensemble

            return Ensemble.of(checkpoint)
        if "correction" in checkpoint.header:
            from .panel_correction import of_surrogate

            return of_surrogate(surrogate_of(checkpoint))
        return surrogate_of(checkpoint)
    except CheckpointError as error:
        raise CheckpointError(error.message, where=str(source), remedy=error.remedy) from error


def load_predictor(source: str | Path) -> Surrogate | Ensemble | PanelCorrection:
    """As :func:`load`, where something is asked for that predicts fields of a case.

    Raises:
        CheckpointError: the file is damaged, or holds a mesh mover.
    """
    found = load(source)
    if isinstance(found, NeuralMover):
        raise CheckpointError(
            "moves the points of meshes and predicts no fields", where=str(source), remedy="geoop adapt takes it; give a file of `geoop fit` here"
        )
    return found


def load_one(source: str | Path) -> Surrogate:
    """As :func:`load`, where one surrogate is asked for.

    Raises:
        CheckpointError: the file is damaged, or holds something else.
    """
    found = load(source)
    if not isinstance(found, Surrogate):
        raise CheckpointError(f"holds an object of {type(found).__name__}, not one surrogate", where=str(source), remedy="give a file of `geoop fit`")
    return found


def surrogate_of(checkpoint: Checkpoint) -> Surrogate:
    """The surrogate of a checkpoint that was read.

    Raises:
        CheckpointError: weights that do not fit the header.
    """
    header = checkpoint.header
    try:
        kind = resolve(header["model"]["class"], (AbstractModel,))
        model = kind(**header["model"]["arguments"])
        model.load_state_dict(checkpoint.part("model"))
        envelope = TrainingEnvelope.from_arrays({k: v.numpy() for k, v in checkpoint.part("envelope").items()})
        normaliser, framing = Normaliser.from_dict(header["normaliser"]), Framing.from_dict(header["framing"])
        told = header.get("calibration")  # files of older versions have none
        calibration = None if told is None else Calibration.of(told, {k: v.numpy() for k, v in checkpoint.part("calibration").items()})
        return Surrogate(model, normaliser, envelope, framing, header["expected_errors"], header["viscous"], header["about"], calibration)
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"the header does not fit the arrays: {error}", remedy="train again with `geoop fit`, or get an intact copy") from error


def _point(case: Case) -> OperatingPoint:
    if case.operating_point is None:
        raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=...))")
    return case.operating_point
