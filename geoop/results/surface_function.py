"""The surface pressure and the coefficients that a surrogate predicts, as differentiable functions of the points of the section."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ..errors import ConditionError, ConfigurationError, InvalidMeshError, NonFiniteError
from ..graph.pointset import Inputs
from ..mesh.body import body
from ..mesh.case import Case
from ..mesh.choices import Choices
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.outline import oriented
from ..mesh.topology import welded
from ..models.soft_neighbours import with_soft_neighbours
from ..scaling.tensor_body import ChordEnds, TensorBody, TensorFrame, TensorFraming
from .surrogate import Surrogate
from .trained import TrainedPredictor

_GAUSS = 0.5 / np.sqrt(3.0)
#: Root mean square difference of Cp below which pressure and speed on the wall are those of an inviscid flow.
_BERNOULLI = 0.2
_REMEDY = "take a model of single sections in free air with pressure on the wall, such as airfoil-potential"
#: Other predictors, in words.
_KINDS = {"Ensemble": "an ensemble of several", "PanelCorrection": "a model of bodies in space that corrects panels"}
#: Which choices are those of the first evaluation.
Hold = Literal["all", "places", "nothing"]
#: Pressures that become a coefficient by twice their dimensionless value, and friction likewise.
_TWICE = ("Pa", "N/m^2", "m^2/s^2")


@dataclass(frozen=True, eq=False)
class SurfaceValues:
    """What a surrogate says on the wall, as tensors.

    Attributes:
        pressure: (n,) pressure coefficient [1].
        velocity: (n, 2) over the free-stream speed, in the axes of the mesh; None where it is not predicted.
        friction: (n, 2) wall shear stress over the dynamic pressure; None without.
        coefficients: CL, CM (nose up) and CD as far as it is pressure and friction, each ().
    """

    pressure: Tensor
    velocity: Tensor | None
    friction: Tensor | None
    coefficients: dict[str, Tensor]

    @property
    def slips(self) -> bool:
        """Whether the flow slips along the wall as an inviscid one does: the predicted pressure is that of the predicted velocity by Bernoulli's law."""
        if self.velocity is None or self.friction is not None:
            return False
        miss = self.pressure.detach() - (1.0 - self.velocity.detach().square().sum(dim=1))
        return float(miss.square().mean().sqrt()) < _BERNOULLI


@dataclass(frozen=True, eq=False)
class SurfaceReference:
    """What coefficients refer to; None follows the section: the chord, and the quarter of it behind the leading edge.

    Attributes:
        length: [m]. point: (2,) of the moment [m].
    """

    length: float | None = None
    point: tuple[float, float] | None = None


class SurfaceFunction:
    """Points of a section and angle of attack -> pressure on the wall and coefficients, in double precision, differentiable.

    The same steps as :meth:`Surrogate.predict` and :func:`geoop.results.forces.forces`: frame, resampling, signed distance, encoder, decoder at the
    section's own points, quadrature. Choices (corners, ends of the chord, closest facets, who is whose neighbour) are those of the first evaluation with
    ``hold="all"``, and the function is smooth. With ``"places"`` neighbours alone are found anew, which with a ``softness`` leaves it once differentiable;
    with ``"nothing"`` all choices are made anew, as a prediction makes them, and it jumps a little where one changes.

    Args:
        surrogate: trained on single sections in free air, with a pressure on the wall.
        case: the section with its operating point; of a mesh around it the wall is taken.
        reference: of the coefficients; None takes the operating point's length and the quarter chord, as ``forces`` does.
        softness: of the model's neighbourhoods, see :class:`geoop.layers.neighborhood.SoftNearest`; 0 as it was trained.
        hold: ``all``, ``places`` or ``nothing``.

    Raises:
        ConfigurationError: no single surrogate, one that takes other cases (in space, of several bodies, of regions, on generated clouds), or one that learns the difference
            to a known field, whose own derivative nobody knows.
        ConditionError: no operating point. InvalidMeshError: not one closed outline of straight lines.
    """

    def __init__(
        self, surrogate: Surrogate, case: Case, reference: SurfaceReference | None = None, *, softness: float = 0.0, hold: Hold = "all"
    ) -> None:
        _refuse(surrogate, case)
        assert case.operating_point is not None
        self.surrogate, self.point, self.hold = surrogate, case.operating_point, hold
        self.outline: Mesh = oriented(body(case.mesh, case.wall))
        self.reference = reference or SurfaceReference(self.point.reference_length)
        self.model = with_soft_neighbours(surrogate.model, softness).double().eval().requires_grad_(False).to("cpu")
        self._first = welded(self.outline.points)
        self._choices, self._made = Choices(neighbours=hold == "all"), _Made.of(self.outline, surrogate.framing.surface_points)
        self._conditions = surrogate.framing.conditions.of(Case(self.outline, self.point))[None, :]

    @property
    def points(self) -> np.ndarray:
        """(n, 2) points of the section [m]."""
        return self.outline.points

    def chord_ends(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(2,) leading and trailing edge [m] of the section with these points."""
        return self._made.chord.ends(self._tied(points))

    def at(self, points: Tensor, alpha: Tensor | float | None = None) -> SurfaceValues:
        """Evaluate.

        Args:
            points: (n, 2) double precision [m], in the order of :attr:`points`.
            alpha: angle of attack [deg], or a tensor of it; that of the operating point if None.
        """
        angle = torch.as_tensor(self.point.alpha if alpha is None else alpha, dtype=torch.float64)
        points = self._tied(points)
        if self.hold == "nothing":
            made = _Made.of(self.outline.moved(points.detach().numpy()), self.surrogate.framing.surface_points)
            return self._at(points, angle, made)
        with self._choices.held():
            return self._at(points, angle, self._made)

    def _at(self, points: Tensor, alpha: Tensor, made: _Made) -> SurfaceValues:
        section = made.framing.body(points)
        radians = torch.deg2rad(alpha)
        stream = torch.stack([radians.cos(), radians.sin()])
        inputs = Inputs(self._scalars(section.frame), (section.frame.axes @ stream)[None, None, :])
        out = self.model.field(self.model.encode(self.model.prepare(section.geometry), inputs), section.wall)
        pressure, velocity, friction = self._restored(out.scalars, out.vectors, section, stream)
        return SurfaceValues(pressure, velocity, friction, self._coefficients(points, made.chord, pressure, friction, stream))

    def _tied(self, points: Tensor) -> Tensor:
        """Points at one place in the file stay one point: each follows the mean of them."""
        if (self._first == np.arange(len(self._first))).all():
            return points
        first = torch.from_numpy(self._first)
        count = torch.bincount(first, minlength=len(points)).to(points.dtype)
        return (torch.zeros_like(points).index_add(0, first, points) / count.clamp_min(1.0)[:, None])[first]

    def _scalars(self, frame: TensorFrame) -> Tensor:
        """(1, s) standardised conditions; the Reynolds number follows the length of the section."""
        conditions = self.surrogate.framing.conditions
        given = torch.from_numpy(self._conditions)
        if "log10_reynolds [1]" not in conditions.names:
            return given
        k = conditions.names.index("log10_reynolds [1]")
        point = self.point
        assert point.viscosity is not None  # conditions were formed
        number = torch.log10(point.density * point.velocity * frame.length / point.viscosity)
        own = torch.zeros_like(given[0])
        own[k] = 1.0
        return given * (1 - own) + own * (number - conditions.mean[k]) / conditions.deviation[k]

    def _restored(self, scalars: Tensor, vectors: Tensor, section: TensorBody, stream: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """(n,) pressure coefficient, (n, 2) velocity and friction in the axes of the mesh, as far as they are predicted."""
        normaliser, axes = self.surrogate.normaliser, section.frame.axes
        found: dict[str, tuple[Any, Tensor]] = {}
        rows = zip(normaliser.quantities, normaliser.mean, normaliser.deviation, strict=True)
        scales = {quantity.name: (mean, deviation) for quantity, mean, deviation in rows}
        for i, quantity in enumerate(normaliser.scalars):
            mean, deviation = scales[quantity.name]
            found[quantity.name] = quantity, scalars[:, i] * deviation + mean
        for i, quantity in enumerate(normaliser.vectors):
            values = vectors[:, i] * scales[quantity.name][1] @ axes
            found[quantity.name] = quantity, values + stream if quantity.is_velocity else values
        pressure = 2.0 * found["pressure"][1] if "pressure" in found else found["pressure_coefficient"][1]
        friction = None
        if "wall_shear_stress" in found:
            friction = 2.0 * found["wall_shear_stress"][1]
        elif "skin_friction_coefficient" in found and found["skin_friction_coefficient"][0].rank == 1:
            friction = found["skin_friction_coefficient"][1]
        velocity = found["velocity"][1] if "velocity" in found and found["velocity"][0].is_velocity else None
        return pressure, velocity, friction

    def _coefficients(self, points: Tensor, chord: ChordEnds, pressure: Tensor, friction: Tensor | None, stream: Tensor) -> dict[str, Tensor]:
        """Integrals of pressure and friction that are linear on every segment, as :func:`geoop.results.forces.forces` takes them."""
        nose, tail = chord.ends(points)
        length = (tail - nose).norm() if self.reference.length is None else torch.tensor(self.reference.length, dtype=torch.float64)
        about = nose + 0.25 * (tail - nose) if self.reference.point is None else torch.tensor(self.reference.point, dtype=torch.float64)
        lines = torch.from_numpy(self.outline.cells.block("line").astype(np.int64))
        a, b = lines[:, 0], lines[:, 1]
        side = points[b] - points[a]
        area = 0.5 * torch.stack([side[:, 1], -side[:, 0]], dim=1)
        total, moment = points.new_zeros(2), points.new_zeros(())
        for share in (0.5 - _GAUSS, 0.5 + _GAUSS):
            push = -((1 - share) * pressure[a] + share * pressure[b])[:, None] * area
            if friction is not None:
                push = push + ((1 - share) * friction[a] + share * friction[b]) * area.norm(dim=1, keepdim=True)
            arm = points[a] + share * side - about
            total = total + push.sum(dim=0)
            moment = moment + (arm[:, 0] * push[:, 1] - arm[:, 1] * push[:, 0]).sum()
        across = torch.stack([-stream[1], stream[0]])
        return {"CL": total @ across / length, "CD": total @ stream / length, "CM": -moment / length**2}


@dataclass(frozen=True, eq=False)
class _Made:
    """The choices of frame and reference at one section."""

    framing: TensorFraming
    chord: ChordEnds

    @classmethod
    def of(cls, outline: Mesh, surface_points: int) -> _Made:
        return cls(TensorFraming.of(outline, surface_points), ChordEnds.of(outline))


def _refuse(surrogate: Surrogate | TrainedPredictor, case: Case) -> None:
    """Everything that stands against derivatives, in one error."""
    if not isinstance(surrogate, Surrogate):
        raise ConfigurationError(
            f"shape gradients are those of single sections in the plane by one surrogate, and this is {_KINDS.get(type(surrogate).__name__, 'none')}",
            where=case.name,
            remedy=_REMEDY,
        )
    framing, names = surrogate.framing, {q.name for q in surrogate.normaliser.quantities}
    problems = []
    if int(surrogate.model.arguments["ports"]["dimension"]) != 2 or case.mesh.dimension != 2:
        problems.append("a model or a body in space")
    elif framing.region or framing.bodies or framing.domain != "none":
        problems.append(f"a model of {'regions' if framing.region else 'several bodies or on generated clouds'}")
    if framing.functions or framing.beyond:
        problems.append("a model that is given known fields, which follow the shape in their own way")
    if not names & {"pressure", "pressure_coefficient"}:
        problems.append("a model that predicts no pressure")
    units = [q.unit for q in surrogate.normaliser.quantities if q.name in ("pressure", "wall_shear_stress") and q.unit not in _TWICE]
    if units:
        problems.append(f"a pressure or friction in [{units[0]}]")
    if problems:
        raise ConfigurationError(
            f"no shape gradient of {'; '.join(problems)}",
            where=case.name,
            remedy=_REMEDY,
        )
    if case.operating_point is None:
        raise ConditionError("no operating point", where=case.name, remedy="Case(mesh, OperatingPoint(velocity=..., alpha=...))")
    outline = body(case.mesh, case.wall)
    if set(outline.cells.names) != {"line"}:
        raise InvalidMeshError(
            f"an outline of {sorted(set(outline.cells.names))}", where=case.name, remedy="give straight lines: derivatives are by their points"
        )


def as_told(surrogate: Surrogate, point: OperatingPoint) -> OperatingPoint:
    """The operating point without a viscosity that the model was never told: its verdict would be about a number without influence."""
    return point if any("reynolds" in name for name in surrogate.envelope.names) else replace(point, viscosity=None)


def finite(values: Tensor, where: str) -> Tensor:
    """The tensor, if it is finite.

    Raises:
        NonFiniteError: it is not.
    """
    if not bool(torch.isfinite(values).all()):
        raise NonFiniteError("the gradient is not finite", where=where, remedy="look at the section: do points coincide, or sides cross?")
    return values
