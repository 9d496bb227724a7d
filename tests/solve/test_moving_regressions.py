"""Answers that were wrong and silent once: each of these moved, carried or stepped without a word."""

from dataclasses import replace

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, FieldError, InvalidMeshError
from geoop.interfaces.stepping import Advance
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field, Quantity
from geoop.results.deforming import displacement_of
from geoop.solve.deformers.elastic import Elastic
from geoop.solve.monitors import hessian_monitor, wall_monitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.solve.rollout import rollout
from geoop.solve.transfer.carry import transfer
from geoop.studies.plots.moving import _around_what_moved

TEMPERATURE = Quantity("temperature", "T", "K")


def square(n=17, zones=False, stray=False):
    x = np.linspace(0.0, 1.0, n)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = (item.ravel() for item in (i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    sides = {"left": i[0, ::-1], "right": i[-1], "bottom": i[:, 0], "top": i[::-1, -1]}
    patches = {name: Cells.of(line=np.stack([row[:-1], row[1:]], 1)) for name, row in sides.items()}
    middle = points[triangles].mean(axis=1)[:, 0]
    parts = {"A": np.flatnonzero(middle < 0.5), "B": np.flatnonzero(middle >= 0.5)} if zones else {}
    points = np.concatenate([points, [[1e4, 1e4]]]) if stray else points
    return Mesh(points, Cells.of(triangle=triangles), patches, parts, name="square")


def test_digits_that_a_file_did_not_keep_are_no_curvature():
    mesh = square()
    linear = (300.0 + 0.7 * mesh.points[:, 0]).astype(np.float32)
    np.testing.assert_array_equal(hessian_monitor(mesh, linear).at(mesh.points), 1.0)
    front = (300.0 + np.tanh((mesh.points[:, 0] - 0.5) / 0.1)).astype(np.float32)
    assert hessian_monitor(mesh, front).at(mesh.points).max() > 5.0  # which it keeps


def test_an_interface_between_zones_is_not_carried_away():
    mesh = square(zones=True)
    with pytest.raises(InvalidMeshError, match="zones"):
        MongeAmpere().move(mesh, hessian_monitor(mesh, np.tanh((mesh.points[:, 0] - 0.3) / 0.05)))


@pytest.mark.parametrize("method", ["p1", "moving-least-squares", "conservative"])
def test_what_lies_outside_gets_the_nearest_value_or_is_refused(method):
    mesh = square()
    far = mesh.moved(mesh.points + 5.0)
    fields = {
        "temperature": Field(TEMPERATURE, 2.0 + mesh.points[:, 0]),
        "heat": Field(Quantity("heat", "q", "W"), np.linspace(0, 1, len(mesh.cells)), "cell"),
    }
    case = Case(mesh, None, fields)
    carried = transfer(case, far, method=method, outside="nearest")
    assert 1.9 <= carried.field("temperature").values.min() and carried.field("temperature").values.max() <= 3.1
    assert -0.2 <= carried.field("heat").values.min() and carried.field("heat").values.max() <= 1.2
    with pytest.raises(FieldError, match="outside|lie"):
        transfer(case, far, method=method, outside="error")


def test_an_unused_point_far_away_changes_no_monitor():
    with_stray, without = (square(stray=stray) for stray in (True, False))
    inside = without.points
    np.testing.assert_allclose(wall_monitor(with_stray, ("bottom",)).at(inside), wall_monitor(without, ("bottom",)).at(inside), rtol=1e-9)


def annulus(n=60, rings=8):
    angle, radius = 2 * np.pi * np.arange(n) / n, np.linspace(1.0, 2.0, rings + 1)
    points = (radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).reshape(-1, 2)
    i = np.arange((rings + 1) * n).reshape(rings + 1, n)
    j = np.roll(i, -1, axis=1)
    quads = np.stack([i[:-1], i[1:], j[1:], j[:-1]], axis=-1).reshape(-1, 4)
    line = lambda row, after: Cells.of(line=np.stack([row, after], axis=1))  # noqa: E731
    return Mesh(points, Cells.of(quad=quads), {"in": line(j[0], i[0]), "out": line(i[-1], j[-1])}, name="annulus")


def test_points_slide_on_along_a_bent_patch_that_has_turned_under_them():
    mesh, turn = annulus(), np.radians(20.0)
    at = mesh.points[mesh.patch_points("in")]
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = Elastic(slide=("out",), steps=20).deform(mesh, {"in": at @ rotation.T - at})
    assert moved.outcome.ok
    outer = mesh.patch_points("out")
    after = np.unwrap(np.arctan2(*moved.mesh.points[outer].T[::-1])) - np.unwrap(np.arctan2(*mesh.points[outer].T[::-1]))
    assert np.degrees(np.angle(np.exp(1j * after))).mean() == pytest.approx(20.0, abs=0.5)


class Doubling:
    """A stepper that was told of one interval alone."""

    history, interval, longest, quantities = 1, 1.0, 1.0, ("temperature",)
    ranges: dict = {}

    def prepare(self, case) -> Advance:
        return lambda states, lead: replace(
            states[-1].with_fields(Field(TEMPERATURE, 2.0 * states[-1].field("temperature").values)), time=states[-1].time + lead
        )


def test_a_stepper_that_knows_one_interval_is_asked_for_no_other():
    mesh = square(5)
    first = Case(mesh, None, {"temperature": Field(TEMPERATURE, np.ones(len(mesh.points)))}, time=0.0)
    assert rollout(Doubling(), first, [1.0, 2.0]).outcome.ok
    with pytest.raises(ConfigurationError, match="trained on 1 s alone"):
        rollout(Doubling(), first, [0.5, 1.0])


def test_no_wall_stays_no_wall():
    case = Case(square(), None, {}, wall=())
    assert geoop.mesh.case.Case is Case and transfer(case, square(9)).wall == ()


def test_a_field_of_the_name_displacement_survives_a_deformation():
    mesh = square(5)
    own = Field(geoop.mesh.quantity.QUANTITIES["displacement"], np.full((len(mesh.points), 2), 7.0))
    done = geoop.deform(
        Case(mesh, None, {"displacement": own}), {"top": np.array([0.0, 0.1]), "left": _linear(mesh, "left"), "right": _linear(mesh, "right")}
    )
    np.testing.assert_array_equal(done.case.field("displacement").values, 7.0)
    assert done.case.field("mesh_displacement").values[:, 1].max() == pytest.approx(0.1)


def _linear(mesh, patch):
    return np.stack([np.zeros(len(mesh.patch_points(patch))), 0.1 * mesh.points[mesh.patch_points(patch), 1]], axis=1)


@pytest.mark.parametrize("method", ["p1", "moving-least-squares", "conservative"])
def test_numbers_of_zones_are_not_averaged(method):
    mesh = square(9)
    zone = np.where(mesh.points[:, 0] < 0.5, 1, 4)
    material = np.where(mesh.points[mesh.cells.block("triangle")].mean(axis=1)[:, 1] < 0.5, 1, 4)
    number = Quantity("zone", "z", "1"), Quantity("material", "m", "1")
    case = Case(mesh, None, {"zone": Field(number[0], zone), "material": Field(number[1], material, "cell")})
    carried = transfer(case, square(14), method=method)
    for name in ("zone", "material"):
        assert carried.field(name).values.dtype.kind == "i" and set(np.unique(carried.field(name).values)) == {1, 4}


def test_what_deform_wrote_can_be_applied_again(tmp_path):
    mesh = square(9)
    sides = {name: _linear(mesh, name) for name in ("left", "right")}
    done = geoop.deform(Case(mesh), {"top": np.array([0.0, 0.1]), **sides})
    geoop.write(done.case, tmp_path / "moved.vtu")
    found = displacement_of(f"{tmp_path / 'moved.vtu'}/displacement", mesh, ["top"])["top"]
    np.testing.assert_allclose(found, np.broadcast_to([0.0, 0.1], found.shape), atol=1e-12)


class Beyond(Doubling):
    """Answers that leave the range of the training by half its width, and stay there."""

    ranges: dict = {"temperature": (0.0, 1.0)}

    def prepare(self, case) -> Advance:
        return lambda states, lead: replace(
            states[-1].with_fields(Field(TEMPERATURE, np.full(len(case.mesh.points), 1.5))), time=states[-1].time + lead
        )


def test_an_excess_that_stays_as_it_is_is_no_drift():
    mesh = square(5)
    first = Case(mesh, None, {"temperature": Field(TEMPERATURE, np.ones(len(mesh.points)))}, time=0.0)
    rolled = rollout(Beyond(), first, np.arange(1.0, 12.0))
    assert rolled.outcome.ok and min(rolled.excess) > 0.1


def test_a_picture_shows_what_has_moved_and_not_the_whole_domain():
    mesh = annulus(rings=30).moved(
        np.where(np.linalg.norm(annulus(rings=30).points, axis=1, keepdims=True) > 1.5, 50.0, 1.0) * annulus(rings=30).points
    )
    after = mesh.moved(mesh.points + np.where(np.linalg.norm(mesh.points, axis=1, keepdims=True) < 1.2, 0.05, 0.0))
    x0, x1, y0, y1 = _around_what_moved(mesh, after)
    assert -2.5 < x0 < -1.0 and 1.0 < x1 < 2.5 and -2.5 < y0 < -1.0 and 1.0 < y1 < 2.5
    assert _around_what_moved(mesh, mesh) is None
