"""MM-PDE behind ``geoop.rollout``: a mesh that is moved for every state, states that live on it, and the control."""

import numpy as np
import pytest
import torch
from moving_meshes import square

import geoop
from geoop.errors import ConfigurationError, ConvergenceError, InvalidMeshError, ShapeError
from geoop.interfaces.moving import Monitor, Moved
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.stepping import Stepper
from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.models.moving_mesh_stepper import MovingMeshStepper, two_meshes
from geoop.results.moving_stepping import MovingMeshRollout
from geoop.solve.monitors import FunctionMonitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.solve.transfer.carry import transfer

PLANE = np.array([[1.0, -2.0], [0.5, 3.0]])


def front(points: np.ndarray) -> np.ndarray:
    return np.tanh((points[:, :1] + 0.5 * points[:, 1:] - 0.7) / [0.1, 0.2])


def case(values_at=front, side: int = 9) -> Case:
    mesh = square(side)
    return Case(mesh, None, {"velocity": Field(QUANTITIES["velocity"], values_at(mesh.points))}, time=1.0, name="front")


def model(trained: bool = False) -> MovingMeshStepper:
    torch.manual_seed(0)
    made = MovingMeshStepper(2, 1, width=6, edge_width=4, depth=1, scale=0.2).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * trained * torch.randn(parameter.shape))
    return made


def stepper(trained: bool = False, **how) -> MovingMeshRollout:
    return MovingMeshRollout(model(trained), "velocity", 0.5, **{"mover": MongeAmpere(), "conditions": lambda state: [0.3], **how})


def spot(mesh: Mesh, values: np.ndarray) -> FunctionMonitor:
    """Wanders along x with the mean of the state, so that every state has its own mesh."""
    return FunctionMonitor(lambda x: 1 + 4 * np.exp(-((x - [0.3 + 0.05 * abs(values).mean(), 0.5]) ** 2).sum(axis=1) / 0.05))


class Tangling:
    def move(self, mesh: Mesh, monitor: Monitor) -> Moved:
        return Moved(mesh, Outcome("tangled", "every step inverts cells"), inverted=3)


def test_it_is_a_stepper_and_every_answer_has_its_own_mesh():
    first, made = case(), stepper(trained=True, monitor=spot)
    assert isinstance(made, Stepper)
    found = geoop.rollout(made, first, steps=3).predicted
    assert found.values.tolist() == [1.5, 2.0, 2.5]
    points = [item.mesh.points for item in (first, *found.cases)]
    assert all(np.abs(a - b).max() > 1e-6 for a, b in zip(points, points[1:], strict=False))
    assert np.array_equal(first.mesh.points, square(9).points)
    assert all(np.array_equal(item.mesh.cells.connectivity, first.mesh.cells.connectivity) for item in found.cases)


def test_a_plane_is_carried_from_mesh_to_mesh_exactly():
    """A network that was not trained stands still, so that only the carrying could spoil the state."""
    found = geoop.rollout(stepper(monitor=spot), case(lambda x: x @ PLANE + 1), steps=4).predicted
    for frame in found.cases:
        np.testing.assert_allclose(frame.fields["velocity"].values, frame.mesh.points @ PLANE + 1, atol=1e-12)
        assert np.abs(frame.mesh.points - square(9).points).max() > 1e-2


def test_a_step_is_the_model_on_the_moved_mesh():
    first, made = case(), stepper(trained=True)
    frame = geoop.rollout(made, first, steps=1).predicted.cases[0]
    mesh = MongeAmpere().move(first.mesh, made.monitor(first.mesh, front(first.mesh.points))).mesh
    np.testing.assert_allclose(frame.mesh.points, mesh.points, atol=1e-14)
    start = transfer(first, mesh).fields["velocity"].values
    with torch.no_grad():
        expected = made.model(torch.tensor(start), torch.tensor([[0.3]]).double(), two_meshes(made.model, mesh, mesh)).numpy()
    np.testing.assert_allclose(frame.fields["velocity"].values, expected, atol=1e-12)


def test_the_published_form_answers_on_the_mesh_that_stays_and_the_control_moves_none():
    first = case()
    published, control = (
        geoop.rollout(stepper(trained=True, **how), first, steps=2).predicted.cases for how in ({"carried": False}, {"mover": None})
    )
    for frame in (*published, *control):
        assert np.array_equal(frame.mesh.points, first.mesh.points)
    assert np.abs(published[1].fields["velocity"].values - control[1].fields["velocity"].values).max() > 1e-6


def test_bad_input_is_named():
    with pytest.raises(ConfigurationError, match="interval is 0"):
        MovingMeshRollout(model(), "velocity", 0.0)
    with pytest.raises(ConfigurationError, match=r"jumps of 0.7 to 0.7 s|a jump of 0.7 s"):
        geoop.rollout(stepper(), case(), [1.7])
    with pytest.raises(ConfigurationError, match=r"a step of 0.25 s, trained for 0.5 s"):
        stepper().prepare(case())([case()], 0.25)
    with pytest.raises(InvalidMeshError, match="other cells"):
        stepper().prepare(case())([case(side=11)], 0.5)
    with pytest.raises(ConvergenceError, match="the mover tangles the mesh: every step inverts"):
        geoop.rollout(stepper(mover=Tangling()), case(), steps=1)
    with pytest.raises(ShapeError, match=r"conditions is \(1, 0\), expected \(1, 1\)"):
        geoop.rollout(stepper(conditions=lambda state: ()), case(), steps=1)
