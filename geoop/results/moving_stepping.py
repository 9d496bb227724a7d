"""MM-PDE as a stepper: a trained network on two meshes behind ``geoop.rollout``, with a mesh that is moved anew for every state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..errors import ConfigurationError, ConvergenceError, InvalidMeshError
from ..interfaces.moving import Monitor, Mover
from ..interfaces.stepping import Advance
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field
from ..models.moving_mesh_stepper import MovingMeshStepper, two_meshes
from ..solve.monitors import hessian_monitor
from ..solve.transfer.interpolation import interpolated

#: The largest share of the interval by which a step may be off.
_OFF = 1e-3


@dataclass(frozen=True, eq=False)
class MovingMeshRollout:
    """A :class:`~geoop.models.moving_mesh_stepper.MovingMeshStepper` as a :class:`~geoop.interfaces.stepping.Stepper`::

        stepper = MovingMeshRollout(model, "velocity", 0.02, MongeAmpere(), conditions=lambda case: [math.log(case.fields["kinematic_viscosity"].values)])
        found = geoop.rollout(stepper, first, steps=10)

    The mesh of the first state is moved for every state anew, so that nothing of a move stays; the monitor is made from the stepper's own state. Where
    the state lives on the moved mesh (``carried``, the way in which a moved mesh holds more than the one it came from), it is carried to the next
    mesh linearly, and every answer comes on its own mesh: a series whose mesh moves. Else answers come on the mesh that stays, as published. The first state
    of a rollout says which mesh is moved: one that goes on from an answer is another rollout than one that goes through.

    Attributes:
        model: trained.
        quantity: name of the field at points that it steps.
        interval: time of a step [s].
        mover: moves the mesh; None: it stays, the control.
        monitor: (mesh, values (n, c)) -> monitor.
        conditions: case -> the global numbers that the model was trained with.
        carried: whether the state lives on the moved mesh.
        spread: quantity -> least and largest value in training, of a vector its magnitude; empty where nothing is known.

    Raises:
        ConfigurationError: an interval that is not positive.
        ConvergenceError: in a step, where the mover tangles.
    """

    model: MovingMeshStepper
    quantity: str
    interval: float
    mover: Mover | None = None
    monitor: Callable[[Mesh, np.ndarray], Monitor] = hessian_monitor
    conditions: Callable[[Case], Sequence[float]] = lambda case: ()
    carried: bool = True
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.interval < float("inf"):
            raise ConfigurationError(f"the interval is {self.interval} s", where="MovingMeshRollout", remedy="give the time between trained states")
        self.model.eval()

    @property
    def quantities(self) -> tuple[str, ...]:
        """Name of the field that makes a state."""
        return (self.quantity,)

    @property
    def history(self) -> int:
        """One state."""
        return 1

    @property
    def longest(self) -> float:
        """Longest step [s]: it makes one of a single length."""
        return self.interval

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """What is known of the values in training."""
        return self.spread

    def prepare(self, case: Case) -> Advance:
        """Keeps the mesh that is moved for every state."""
        base = case.mesh

        def advance(states: Sequence[Case], dt: float) -> Case:
            state = states[-1]
            self._require(state, base, dt)
            found = state.fields[self.quantity]
            values = found.values.reshape(len(found.values), -1)
            mesh, second = self._meshes(base, state.mesh, values)
            if self.carried:
                values = values if mesh is state.mesh else interpolated(state.mesh, values, mesh.points)
            after = self._stepped(values, self.conditions(state), mesh, second)
            return replace(state, mesh=mesh, fields={self.quantity: Field(found.quantity, after.reshape(found.values.shape))}, time=None)

        return advance

    def _meshes(self, base: Mesh, mesh: Mesh, values: np.ndarray) -> tuple[Mesh, Mesh]:
        """Of the answer and of the second branch."""
        if self.mover is None:
            return (base, base) if self.carried else (mesh, base)
        found = self.mover.move(base, self.monitor(mesh, values))
        if found.outcome.status == "tangled":
            raise ConvergenceError(f"the mover tangles the mesh: {found.outcome.detail}", where=base.name, remedy=found.outcome.remedy)
        return (found.mesh, found.mesh) if self.carried else (mesh, found.mesh)

    def _stepped(self, values: np.ndarray, conditions: Sequence[float], mesh: Mesh, second: Mesh) -> np.ndarray:
        kind = next(self.model.parameters()).dtype
        told = torch.tensor([[float(number) for number in conditions]], dtype=kind)
        with torch.no_grad():
            return self.model(torch.tensor(values, dtype=kind), told, two_meshes(self.model, mesh, second)).double().numpy()

    def _require(self, state: Case, base: Mesh, dt: float) -> None:
        if abs(dt - self.interval) > _OFF * self.interval:
            raise ConfigurationError(
                f"a step of {dt:.6g} s, trained for {self.interval:.6g} s", where="MovingMeshRollout", remedy="ask for times that are one step apart"
            )
        if not state.mesh.same_cells(base):
            raise InvalidMeshError(
                "the state lies on other cells than the first one",
                where=state.name,
                remedy="carry it to the first mesh: geoop.solve.transfer.carry.transfer",
            )
