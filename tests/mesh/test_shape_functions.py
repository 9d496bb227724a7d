"""Shape functions are what they say: one at their node, a partition of unity, exact derivatives and rules."""

import math

import numpy as np
import pytest

from geoop.mesh import shape_functions
from geoop.mesh.shape_functions import reference_cell
from tests.mesh.cell_zoo import UNIT_CELLS

FIXED = sorted(set(UNIT_CELLS) - {"polygon", "polyhedron"})
REFERENCE_MEASURE = {"line": 2, "line3": 2, "triangle": 1 / 2, "triangle6": 1 / 2, "tetra": 1 / 6, "tetra10": 1 / 6} | dict.fromkeys(
    ["wedge", "wedge15", "wedge18"], 1
)


@pytest.mark.parametrize("name", FIXED)
def test_partition_of_unity_and_weights(name):
    cell = reference_cell(name)
    np.testing.assert_allclose(cell.values.sum(axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(cell.gradients.sum(axis=1), 0.0, atol=1e-14)
    r = cell.gradients.shape[2]
    assert cell.weights.sum() == pytest.approx(REFERENCE_MEASURE.get(name, 2**r), rel=1e-14)
    if cell.shares is not None:
        assert (cell.shares > 0).all()
        assert cell.shares.sum() == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("name", [n for n in FIXED if not n.startswith("pyramid")])  # their apex is a whole face of the collapsed reference cell
def test_each_function_is_one_at_its_node_and_zero_at_the_others(name):
    nodes = UNIT_CELLS[name][0]
    if name in ("triangle", "triangle6", "tetra", "tetra10"):
        reference = nodes
    elif name.startswith("wedge"):
        reference = nodes * [1, 1, 2] - [0, 0, 1]
    else:
        reference = 2 * nodes - 1
    values = shape_functions._CELLS[name][0](reference)
    np.testing.assert_allclose(values, np.eye(len(nodes)), atol=1e-14)


@pytest.mark.parametrize("name", ["pyramid", "pyramid13"])
def test_functions_of_pyramids_at_their_nodes(name):
    base = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    nodes = [(*xy, -1) for xy in base] + [(0.3, -0.2, 1)]
    nodes += [(*(base[k] + base[(k + 1) % 4]) / 2, -1) for k in range(4)] + [(*xy, 0) for xy in base] if name == "pyramid13" else []
    values = shape_functions._CELLS[name][0](np.array(nodes, dtype=float))
    np.testing.assert_allclose(values, np.eye(len(nodes)), atol=1e-14)


@pytest.mark.parametrize(("dimension", "count"), [(2, 1), (2, 2), (2, 4), (3, 1), (3, 2), (3, 4)])
def test_simplex_rules_are_exact_to_their_degree(dimension, count):
    x, w = shape_functions._simplex_rule(dimension, count)
    for powers in np.ndindex(*(2 * count,) * dimension):
        if sum(powers) <= 2 * count - 1:
            exact = math.prod(map(math.factorial, powers)) / math.factorial(dimension + sum(powers))
            assert w @ np.prod(x ** np.array(powers), axis=1) == pytest.approx(exact, rel=1e-13)
