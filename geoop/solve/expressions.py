"""Formulas that users write, such as ``sin(3*x)*y``: read as a tree, never run as a program."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ConfigurationError

#: Names of coordinates, by axis.
AXES = ("x", "y", "z")
CONSTANTS = {"pi": np.pi, "e": np.e}
#: Name -> function and the numbers of arguments that it takes.
FUNCTIONS: dict[str, tuple[Callable[..., np.ndarray], tuple[int, int]]] = {
    "sin": (np.sin, (1, 1)),
    "cos": (np.cos, (1, 1)),
    "tan": (np.tan, (1, 1)),
    "asin": (np.arcsin, (1, 1)),
    "acos": (np.arccos, (1, 1)),
    "atan": (np.arctan, (1, 1)),
    "atan2": (np.arctan2, (2, 2)),
    "sinh": (np.sinh, (1, 1)),
    "cosh": (np.cosh, (1, 1)),
    "tanh": (np.tanh, (1, 1)),
    "exp": (np.exp, (1, 1)),
    "log": (np.log, (1, 1)),
    "sqrt": (np.sqrt, (1, 1)),
    "abs": (np.abs, (1, 1)),
    "sign": (np.sign, (1, 1)),
    "min": (lambda *items: np.minimum.reduce(np.broadcast_arrays(*items)), (2, 9)),
    "max": (lambda *items: np.maximum.reduce(np.broadcast_arrays(*items)), (2, 9)),
    "where": (lambda test, yes, no: np.where(test != 0.0, yes, no), (3, 3)),
}
_BINARY = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.Mod: np.mod,
}
_COMPARED = {ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal}
_LONGEST, _DEEPEST = 1000, 60

#: Coordinates (n,) per axis -> values.
_Value = Callable[[dict[str, np.ndarray]], np.ndarray | np.floating]


@dataclass(frozen=True)
class Expression:
    """One formula, or several with commas between them, in coordinates, ``pi``, ``e`` and :data:`FUNCTIONS`; ``**`` or ``^`` for powers.

    ``where(x < 0.5, 1, 0)`` is 1 on the left and 0 on the right. Angles are in radians, coordinates in metres.

    Attributes:
        text: as written.

    Raises:
        ConfigurationError: not such a formula; says what in it is not known.
    """

    text: str

    def __post_init__(self) -> None:
        _ = self._columns

    @cached_property
    def _columns(self) -> list[_Value]:
        return _columns(self.text)

    @property
    def components(self) -> int:
        """How many formulas."""
        return len(self._columns)

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n, components) values at (n, d) points.

        Raises:
            ConfigurationError: it asks for a coordinate that the points do not have, or is not finite everywhere.
        """
        known = {name: points[:, k] for k, name in enumerate(AXES[: points.shape[1]])}
        with np.errstate(all="ignore"):
            rows = [np.broadcast_to(np.asarray(column(known), dtype=np.float64), len(points)) for column in self._columns]
        values = np.stack(rows, axis=1)
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any():
            spot = ", ".join(f"{v:g}" for v in points[np.argmax(bad)])
            raise _error(self.text, f"is not finite at {int(bad.sum())} of {len(points)} points, first at ({spot})", "keep clear of x/0 and log(0)")
        return values


def _columns(text: str) -> list[_Value]:
    source = text.strip().replace("^", "**")
    if len(source) > _LONGEST:
        raise _error(text, f"has {len(source)} characters, at most {_LONGEST}", "write the values into the mesh file as a field")
    try:
        tree = ast.parse(source, mode="eval").body
        return [_read(node, text) for node in (tree.elts if isinstance(tree, ast.Tuple) else [tree])]
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise _error(text, "cannot be read", "write for example 1.5, x**2 - y**2, or sin(3*x)*y") from error


def _read(node: ast.expr, text: str, depth: int = 0) -> _Value:
    if depth > _DEEPEST:
        raise _error(text, "is nested too deeply", "write the values into the mesh file as a field")

    def inner_of(*nodes: ast.expr) -> list[_Value]:
        return [_read(item, text, depth + 1) for item in nodes]

    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            number = np.float64(value)  # of numpy: 9**9**9 is infinite, and takes no time
            return lambda known: number
        case ast.Name(id=name) if name in CONSTANTS:
            constant = np.float64(CONSTANTS[name])
            return lambda known: constant
        case ast.Name(id=name) if name in AXES:
            return lambda known: _coordinate(known, name, text)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=inner):
            (value,) = inner_of(inner)
            return value if isinstance(sign, ast.UAdd) else lambda known: -value(known)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _applied(_BINARY[type(sign)], inner_of(left, right))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARED:
            compared = _applied(_COMPARED[type(sign)], inner_of(left, right))
            return lambda known: compared(known).astype(np.float64)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _called(name, inner_of(*arguments), text)
    raise _error(
        text, f"'{ast.unparse(node)}' is not known there", f"use numbers, {', '.join([*AXES, *CONSTANTS])}, + - * / **, {', '.join(FUNCTIONS)}"
    )


def _called(name: str, arguments: list[_Value], text: str) -> _Value:
    function, (fewest, most) = FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        raise _error(text, f"{name} has {len(arguments)} arguments", f"give it {fewest if fewest == most else f'{fewest} to {most}'}")
    return _applied(function, arguments)


def _applied(function: Callable[..., np.ndarray], inner: list[_Value]) -> _Value:
    return lambda known: function(*(value(known) for value in inner))


def _coordinate(known: dict[str, np.ndarray], name: str, text: str) -> np.ndarray:
    if name not in known:
        raise _error(text, f"there is no {name} in {len(known)}-D", f"write it in {' and '.join(known)}")
    return known[name]


def _error(text: str, problem: str, remedy: str) -> ConfigurationError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return ConfigurationError(f"the expression '{shown}': {problem}", where="Expression", remedy=remedy)
