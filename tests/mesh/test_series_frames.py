"""Series that have lost a frame, keep unequal times or change their mesh; splines in time."""

from dataclasses import replace

import numpy as np
import pytest

from geoop.errors import FieldError, InvalidMeshError
from geoop.mesh.case import Case, Series
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.mesh.series_frames import at_times, frame_problems, require_frames

SQUARE = Mesh(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), Cells.of(triangle=np.array([[0, 1, 2], [0, 2, 3]])), name="square")


def case(time: float, mesh: Mesh = SQUARE) -> Case:
    values = np.sin(time + mesh.points[:, 0])
    return Case(mesh, fields={"temperature": Field(QUANTITIES["temperature"], values)}, time=time)


def series(times, **meshes) -> Series:
    return Series(times, tuple(case(float(t), meshes.get(f"at_{k}", SQUARE)) for k, t in enumerate(times)))


def test_a_sound_series_has_no_problem_and_may_move():
    moved = SQUARE.moved(SQUARE.points * 1.1)
    assert frame_problems(series(0.1 * np.arange(5))) == [] and frame_problems(series(0.1 * np.arange(5), at_3=moved)) == []
    require_frames(series(0.1 * np.arange(5)), quantities=("temperature",))


def test_everything_wrong_is_named_at_once():
    lost = series([0.0, 0.1, 0.2, 0.4, 0.5, 0.8])
    assert "missing frames: 1 between 0.2 and 0.4 s, 2 between 0.5 and 0.8 s" in frame_problems(lost)[0]
    with pytest.raises(FieldError, match=r"missing frames.*'velocity' is missing in frames \[1, 2, 3, 4, 5\] of 6"):
        require_frames(lost, quantities=("velocity",))
    with pytest.raises(FieldError, match="not equally spaced: steps from 0.1 to 0.15 s.*\n.*at_times"):
        require_frames(series([0.0, 0.1, 0.25, 0.35]))
    other = Mesh(SQUARE.points, Cells.of(triangle=np.array([[0, 1, 3], [1, 2, 3]])))
    with pytest.raises(InvalidMeshError, match="connectivity changes at frame 3 of 4, 0.2 s.*\n.*resample"):
        require_frames(series(0.1 * np.arange(4), at_2=other))


def test_splines_in_time_are_of_order_four():
    errors = []
    for count in (9, 17, 33):
        found = at_times(series(np.linspace(0, 2, count)), np.linspace(0.3, 1.7, 23))
        errors.append(max(np.abs(c.fields["temperature"].values - np.sin(c.time + c.mesh.points[:, 0])).max() for c in found.cases))
    assert errors[0] > 13 * errors[1] > 13**2 * errors[2]


def test_points_that_move_move_between_frames():
    times = np.linspace(0, 1, 6)
    moving = Series(times, tuple(case(t, SQUARE.moved(SQUARE.points + [t**3, 0.0])) for t in times.tolist()))
    found = at_times(moving, [0.5]).cases[0]
    assert np.allclose(found.mesh.points, SQUARE.points + [0.125, 0.0], atol=1e-12)
    assert np.array_equal(found.mesh.cells.connectivity, SQUARE.cells.connectivity)


def test_bad_times_and_fields():
    with pytest.raises(FieldError, match="3 frames, a cubic spline takes four; times beyond 0 to 0.2 s"):
        at_times(series(0.1 * np.arange(3)), [0.5])
    some = series(0.1 * np.arange(5))
    odd = Series(some.times, (*some.cases[:4], replace(some.cases[4], fields={})))
    with pytest.raises(FieldError, match=r"only some frames have: \['temperature'\]"):
        at_times(odd, [0.2])
