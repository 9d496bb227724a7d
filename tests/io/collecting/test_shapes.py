"""Equal bodies are found whatever their pose and the order of their points; others are not."""

from dataclasses import replace

import numpy as np
import pytest

from geoop.io.collecting.shapes import shape_names, shape_of
from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import icosphere, naca4


def moved(mesh, angle, shift, mirror=False, order=None):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (mesh.points * ([1, -1] if mirror else [1, 1])) @ turn.T + shift
    if order is None:
        return Case(mesh.moved(points))
    new = np.argsort(order)
    return Case(Mesh(points[order], mesh.cells.renumbered(new)))


@pytest.mark.parametrize("single", [False, True])
def test_rigid_motions_mirrors_and_numbering_keep_the_shape(single):
    rng = np.random.default_rng(0)
    section = naca4("4412", 80)
    cases = [
        Case(section),
        moved(section, 0.3, (5.0, -2.0)),
        moved(section, -1.0, (0, 0), mirror=True),
        moved(section, 2.0, (1, 1), order=rng.permutation(len(section.points))),
    ]
    if single:
        cases = [replace(case, mesh=case.mesh.moved(case.mesh.points.astype(np.float32))) for case in cases]
    names = shape_names({str(k): shape_of(case) for k, case in enumerate(cases)})
    assert set(names.values()) == {"shape_001"}


def test_a_little_thicker_larger_or_finer_is_another_shape():
    section = naca4("4412", 80)
    thicker = Case(section.moved(section.points * [1, 1.001]))
    larger = Case(section.moved(section.points * 1.001))
    names = shape_names({"a": shape_of(Case(section)), "b": shape_of(thicker), "c": shape_of(larger), "d": shape_of(Case(naca4("4412", 82)))})
    assert len(set(names.values())) == 4


def test_in_space():
    ball = icosphere(2)
    other = ball.moved(ball.points @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0] + 3.0)
    egg = ball.moved(ball.points * [1, 1, 1.01])
    names = shape_names({"a": shape_of(Case(ball)), "b": shape_of(Case(other)), "c": shape_of(Case(egg))})
    assert names["a"] == names["b"] != names["c"]
