"""What every trained predictor has in common, one network or several, alone or beside a solver: it is asked at one operating point or at many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..interfaces.result import Result
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..models.model import CHUNK, AbstractModel
from ..scaling.envelope import TrainingEnvelope
from ..scaling.framing import Framing
from ..scaling.normaliser import Normaliser


class TrainedPredictor(ABC):
    """A surrogate, an ensemble of them, or a surrogate that corrects a solver.

    Attributes:
        model: that is asked, of several the first.
        normaliser: dimensionless fields <-> standardised outputs.
        envelope: the training cases.
        framing: how a case becomes what the model sees.
        about: data set, hash, settings and scores, for people.
        flow: whether it was trained on cases with a free stream.
        viscous: whether the training flows had friction.
    """

    if TYPE_CHECKING:  # fields of the one, properties of the other

        @property
        def model(self) -> AbstractModel: ...
        @property
        def normaliser(self) -> Normaliser: ...
        @property
        def envelope(self) -> TrainingEnvelope: ...
        @property
        def framing(self) -> Framing: ...
        @property
        def about(self) -> Mapping[str, Any]: ...
        @property
        def flow(self) -> bool: ...
        @property
        def viscous(self) -> bool: ...

    def __repr__(self) -> str:
        """One line: what it is, what it predicts, what it was trained on."""
        model, calibration = self.model, getattr(self, "calibration", None)
        size = sum(parameter.numel() for parameter in model.parameters())
        kind = type(self).__name__ + (f" of {len(self)}" if isinstance(self, Sized) else "")
        parts = [f"{kind}: {type(model).__name__} of {size} parameters", f"{model.arguments['ports']['dimension']}-D"]
        parts += [", ".join(quantity.label for quantity in self.normaliser.quantities)]
        parts += [f"trained on {len(self.envelope.rows)} cases" + (f" of {self.about['dataset']}" if self.about.get("dataset") else "")]
        parts += [f"calibrated on {calibration.cases} cases"] if calibration is not None else []
        return f"<{'; '.join(parts)}>"

    def predict(self, case: Case | Mesh, *, surface_only: bool = False, chunk: int = CHUNK) -> Result:
        """Fields, outcome and verdict for one case.

        Args:
            case: a mesh with a body and an operating point, or a region, with the fields that the model was trained to be given. A bare
                section gets an O-grid around it, so that there is a field to look at; any other mesh is predicted at its own points.
            surface_only: predict on the surface of the body only, for forces and surface pressure in a sweep: a bare section at its own points.
            chunk: points decoded at once.

        Raises:
            ConditionError: no operating point, and the model was trained on flows; or the other way round; or a condition that it cannot have.
            InvalidMeshError: no body, an open section or one that crosses itself, or a dimension that the model was not trained for.
            ConfigurationError: a known function is missing.
            NonFiniteError: the network returned NaN or infinity.
        """
        case = Case(case) if isinstance(case, Mesh) else case
        return self._answers(case, [case.operating_point], surface_only, chunk)[0]

    def predict_many(
        self,
        mesh: Mesh | Case,
        points: Sequence[OperatingPoint],
        *,
        wall: tuple[str, ...] | None = None,
        name: str = "",
        surface_only: bool = False,
        chunk: int = CHUNK,
    ) -> list[Result]:
        """One geometry at several operating points: it is prepared once and encoded, or solved for, once per condition.

        Args:
            mesh: as in :meth:`predict`; a case where the model is given known functions, or its walls are named.
            points: the operating points.
            wall: names of the patches that are the body; None lets them be found.
            name: of the cases.
            surface_only: as in :meth:`predict`.
            chunk: points decoded at once.

        Raises:
            GeoopError: as :meth:`predict`.
        """
        case = Case(mesh, wall=wall, name=name) if isinstance(mesh, Mesh) else mesh
        return self._answers(case, points, surface_only, chunk) if points else []

    @abstractmethod
    def _answers(self, case: Case, points: Sequence[OperatingPoint | None], surface_only: bool, chunk: int) -> list[Result]:
        """Results of a case at operating points, one or more, in place of its own."""

    @abstractmethod
    def save(self, path: str | Path) -> Path:
        """Write one safetensors file, atomically; :func:`geoop.load` reads it."""
