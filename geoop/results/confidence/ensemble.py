"""Several trained models, or one with several masks of its graphs, as one predictor: the mean of their answers and how far these differ."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import CheckpointError, ConfigurationError
from ...interfaces.outcome import Outcome
from ...interfaces.result import Result
from ...io.checkpoint import Checkpoint, write_checkpoint
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import Field, Quantity
from ...models.model import CHUNK, AbstractModel
from ...models.rigno import RIGNO
from ...scaling.envelope import TrainingEnvelope
from ...scaling.framing import Framing
from ...scaling.normaliser import Normaliser
from ..decoder import Decoder
from ..metrics import regions_of
from ..surrogate import Surrogate, surrogate_of
from ..trained import TrainedPredictor
from .calibration import SPREAD, Calibration, Evidence, sizes, stated
from .latent_code import latent_code


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(TrainedPredictor):
    """A predictor whose fields are means over its members, with ``QUANTITY_spread`` beside each: the standard deviation [unit of the quantity], of a
    vector the root of the sum over its components.

    Members are surrogates that were trained from different random numbers (deep ensembles, Lakshminarayanan et al. 2017), or one RIGNO that leaves
    out other edges every time (edge masking, Mousavi et al. 2025), or both: every surrogate with every seed.

    Attributes:
        surrogates: of the same quantities, dimension and kind of flow.
        seeds: of the edges left out; empty leaves out none.
        calibration: of the ensemble, see :func:`~geoop.results.confidence.calibrating.calibrate`; the members' own do not count.

    Raises:
        ConfigurationError: fewer than two members, members that do not fit together, or seeds for a model without edge masking.
    """

    surrogates: tuple[Surrogate, ...]
    seeds: tuple[int, ...] = ()
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "surrogates", tuple(self.surrogates))
        object.__setattr__(self, "seeds", tuple(int(seed) for seed in self.seeds))
        problems = []
        if len(self) < 2:
            problems.append(f"{len(self)} members have no spread")
        for name, kinds in {
            "quantities": {tuple((q.name, q.unit) for q in s.normaliser.quantities) for s in self.surrogates},
            "dimensions": {int(s.model.arguments["ports"]["dimension"]) for s in self.surrogates},
            "kinds of flow": {(s.flow, s.viscous) for s in self.surrogates},
        }.items():
            if len(kinds) > 1:
                problems.append(f"members have different {name}: {sorted(kinds)}")
        if self.seeds and not all(isinstance(s.model, RIGNO) and s.model.mask > 0 for s in self.surrogates):
            problems.append("edges can be left out of a RIGNO with mask > 0 alone")
        if problems:
            raise ConfigurationError(
                "; ".join(problems), where="Ensemble", remedy="two surrogates of one data set and kind or more, or Ensemble.masked(rigno, members=8)"
            )

    @classmethod
    def masked(cls, surrogate: Surrogate, members: int = 8, *, share: float | None = None, seed: int = 0) -> Ensemble:
        """An edge-masking ensemble of one trained RIGNO.

        Args:
            surrogate: of a RIGNO.
            members: how many.
            share: of the edges that every member leaves out; None takes that of the training.
            seed: of the members' seeds.

        Raises:
            ConfigurationError: another model, fewer than two members, or a share outside (0, 1).
        """
        model = surrogate.model
        share = float(model.mask) if share is None and isinstance(model, RIGNO) else share
        if not isinstance(model, RIGNO) or share is None or not 0 < share < 1 or members < 2:
            raise ConfigurationError(
                f"{members} members that leave out {share} of the edges of {type(model).__name__}",
                where="Ensemble.masked",
                remedy="a RIGNO, two members or more, a share between 0 and 1",
            )
        own = copy.deepcopy(model)
        own.mask, own.arguments = share, {**own.arguments, "mask": share}
        seeds = np.random.default_rng(seed).integers(2**31, size=members)
        return cls((replace(surrogate, model=own, calibration=None),), tuple(seeds.tolist()))

    def __len__(self) -> int:
        """Number of members."""
        return len(self.surrogates) * max(1, len(self.seeds))

    @property
    def _first(self) -> Surrogate:
        return self.surrogates[0]

    @property
    def model(self) -> AbstractModel:
        """Of the first member."""
        return self._first.model

    @property
    def normaliser(self) -> Normaliser:
        """Of the first member."""
        return self._first.normaliser

    @property
    def framing(self) -> Framing:
        """Of the first member."""
        return self._first.framing

    @property
    def envelope(self) -> TrainingEnvelope:
        """Of the first member."""
        return self._first.envelope

    @property
    def about(self) -> Mapping[str, Any]:
        """Of the first member."""
        return self._first.about

    @property
    def flow(self) -> bool:
        """Whether the members were trained on cases with a free stream."""
        return self._first.flow

    @property
    def viscous(self) -> bool:
        """Whether the training flows had friction."""
        return self._first.viscous

    def _answers(self, case: Case, points: Sequence[OperatingPoint | None], surface_only: bool, chunk: int) -> list[Result]:
        judged, cases = self.calibration, self._first.swept(case, points, surface_only)
        return [stated(result) if judged is None else judged.judged(result, evidence) for result, evidence in self.weighed(cases, chunk)]

    def placed(self, case: Case, surface_only: bool = False) -> Case:
        """The case on the mesh that is predicted at."""
        return self._first.placed(case, surface_only)

    def solved(self, cases: list[Case]) -> list[Case]:
        """Cases on one mesh with what the first member is given and geoop can solve for."""
        return self._first.solved(cases)

    def weighed(self, cases: list[Case], chunk: int = CHUNK) -> list[tuple[Result, Evidence]]:
        """Results of cases on one mesh, without calibration, and by what that would judge them."""
        cases = self.solved(cases)  # once for all members
        decoders = [member(cases, chunk) for member in self._members()]
        answers = [Decoder.all_on_mesh(own) for own in decoders]
        whole = self._first.decoders(cases, chunk) if self.seeds else decoders[0]  # the code of a case is that of the whole graphs
        codes = [latent_code(one.latent) for one in whole]
        return [self._weighed([own[k] for own in decoders], [own[k] for own in answers], code) for k, code in enumerate(codes)]

    def _members(self) -> list[Callable[[list[Case], int], list[Decoder]]]:
        """What encodes cases, of every member."""
        if not self.seeds:
            return [surrogate.decoders for surrogate in self.surrogates]
        return [partial(s.decoders, vary=partial(_masked, s.model, seed)) for s in self.surrogates for seed in self.seeds]

    def _weighed(self, decoders: Sequence[Decoder], answers: Sequence[Sequence[Field]], code: np.ndarray) -> tuple[Result, Evidence]:
        case, scales = decoders[0].case, self._first.scales(decoders[0])
        means, spreads = _moments(answers)
        spread = {name: spreads[name + SPREAD].values for name in means}
        calibrated, each = self.calibration is not None, max(1, len(self.seeds))
        verdict = self._first.verdict(decoders[0], calibrated=calibrated)
        for k, surrogate in enumerate(self.surrogates[1:], start=1):
            verdict = verdict.worse(surrogate.verdict(decoders[k * each], calibrated=calibrated))
        answer = replace(case, fields={}, name=case.name or case.mesh.name).with_fields(*means.values(), *spreads.values())
        result = Result(answer, Outcome("converged"), verdict, partial(_anywhere, decoders), self.viscous)
        return result, Evidence(code, scales, {"spread": _spread_of(answer, spread, scales, self.normaliser)}, spread)

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file with all members, atomically; :func:`geoop.load` reads it.

        Raises:
            CheckpointError: a model is not a class of geoop.
        """
        parts = [surrogate.checkpoint() for surrogate in self.surrogates]
        header: dict[str, Any] = {"ensemble": {"members": [dict(part.header) for part in parts], "seeds": list(self.seeds)}}
        arrays = {f"{k}.{name}": value for k, part in enumerate(parts) for name, value in part.arrays.items()}
        if self.calibration is not None:
            header["calibration"] = self.calibration.to_dict()
            arrays |= {f"calibration.{name}": torch.from_numpy(value) for name, value in self.calibration.arrays().items()}
        return write_checkpoint(path, Checkpoint(header, arrays))

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Ensemble:
        """The ensemble of a checkpoint that was read.

        Raises:
            CheckpointError: a member is damaged.
        """
        try:
            said = checkpoint.header["ensemble"]
            members = tuple(surrogate_of(Checkpoint(header, checkpoint.part(str(k)))) for k, header in enumerate(said["members"]))
            calibration = checkpoint.header.get("calibration")
            arrays = {name: value.numpy() for name, value in checkpoint.part("calibration").items()}
            return cls(members, tuple(said["seeds"]), None if calibration is None else Calibration.of(calibration, arrays))
        except (KeyError, TypeError, ConfigurationError) as error:
            raise CheckpointError(f"the ensemble in the header is damaged: {error}", remedy="save it again, or get an intact copy") from error

    def to(self, device: str | torch.device) -> Ensemble:
        """The same ensemble with its models on another device."""
        return replace(self, surrogates=tuple(surrogate.to(device) for surrogate in self.surrogates))


def _masked(model: AbstractModel, seed: int, prepared: Any) -> Any:
    assert isinstance(model, RIGNO)
    return model.masked(prepared, seed)


def _moments(answers: Sequence[Sequence[Field]]) -> tuple[dict[str, Field], dict[str, Field]]:
    """Means by quantity, and spreads as scalars by ``QUANTITY_spread``."""
    means, spreads = {}, {}
    for items in zip(*answers, strict=True):
        values = np.stack([np.asarray(item.values, dtype=np.float64) for item in items])
        quantity = items[0].quantity
        means[quantity.name] = Field(quantity, values.mean(axis=0))
        name = quantity.name + SPREAD
        spreads[name] = Field(Quantity(name, "spread", quantity.unit), sizes(values.std(axis=0, ddof=1)))
    return means, spreads


def _spread_of(case: Case, spread: Mapping[str, np.ndarray], scales: Mapping[str, float], normaliser: Normaliser) -> float:
    """Of a whole case: root mean square over its wall, or over all of its points where it has none, and over the quantities in their deviations."""
    regions = regions_of(case)
    seen = regions["surface"] if len(regions.get("surface", ())) else np.arange(len(case.mesh.points))
    deviations = dict(zip((q.name for q in normaliser.quantities), normaliser.deviation, strict=True))
    parts = [np.mean((values[seen] / scales[name] / deviations[name]) ** 2) for name, values in spread.items()]
    return float(np.sqrt(np.mean(parts)))


def _anywhere(decoders: Sequence[Decoder], points: np.ndarray) -> dict[str, Field]:
    """Means and spreads at any points."""
    means, spreads = _moments([list(decoder.at(points).values()) for decoder in decoders])
    return means | spreads
