"""Formulas: as numpy computes them, and nothing but formulas."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.solve.expressions import FUNCTIONS, Expression

X = np.random.default_rng(0).uniform(0.1, 0.9, (40, 3))
x, y, z = X.T


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.5", np.full(40, 1.5)),
        (" sin(3*x)*y ", np.sin(3 * x) * y),
        ("-x**2 + y^3/4 - z % 0.3", -(x**2) + y**3 / 4 - z % 0.3),
        ("2^-1 + +x", 0.5 + x),
        ("exp(-((x-0.5)^2 + y^2))*pi/e", np.exp(-((x - 0.5) ** 2 + y**2)) * np.pi / np.e),
        ("where(x < 0.5, 1, y)", np.where(x < 0.5, 1, y)),
        ("(x >= y)*2 + (x > z) + (x <= z)", (x >= y) * 2.0 + 1.0),
        ("max(x, y, 0.5) - min(x, z)", np.maximum(np.maximum(x, y), 0.5) - np.minimum(x, z)),
        ("atan2(y, x) + abs(-z) + sign(-x)", np.arctan2(y, x) + z - 1.0),
    ],
)
def test_values(text, values):
    found = Expression(text).at(X)
    assert found.shape == (40, 1)
    np.testing.assert_allclose(found[:, 0], values, rtol=1e-14)


def test_several_at_once():
    expression = Expression("0, atan2(y, x), 2")
    assert expression.components == 3
    np.testing.assert_allclose(expression.at(X), np.stack([0 * x, np.arctan2(y, x), 0 * x + 2], axis=1))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "x.real", "().__class__", "(1, 2)[0]", "[x for x in (1,)]", "lambda: 1", "x if y else z", "f(x)", "eval(x)",
        "abs", "sin(x, y)", "sin()", "where(x, 1)", "max(x)", "sin(x=1)", "f'{x}'", "'a'*3", "True", "None", "1j", "x and y", "not x", "0 < x < 1", "x == y",
        "x := 1", "", " ", ",", "sin(x", "1 2", "\0", "x\ny", "(" * 400 + "x" + ")" * 400, "-" * 200 + "x", "9" * 999, "x+" * 600 + "x", "abs(*x)", "q", "(1,2),3",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ConfigurationError) as caught:
        Expression(text)
    assert len(str(caught.value)) < 800


def test_deep_and_long_but_allowed():
    text = "(" * 50 + "x" + "+1)" * 50
    np.testing.assert_allclose(Expression(text).at(X)[:, 0], x + 50)


def test_what_points_cannot_give():
    with pytest.raises(ConfigurationError, match="no z in 2-D"):
        Expression("z").at(X[:, :2])
    with pytest.raises(ConfigurationError, match="not finite at 40 of 40"):
        Expression("9**9**9").at(X)  # at once: of numpy's doubles
    with pytest.raises(ConfigurationError, match="not finite at 1 of 2 points, first at .0, 1"):
        Expression("1/x").at(np.array([[1.0, 1.0], [0.0, 1.0]]))


def test_the_remedy_names_what_there_is():
    with pytest.raises(ConfigurationError) as caught:
        Expression("sinus(x)")
    assert all(name in caught.value.remedy for name in FUNCTIONS)
