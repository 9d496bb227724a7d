"""Integration of a state in time: steps of fixed size of our own, adaptive ones by torchdiffeq where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from torch import Tensor

from ..errors import ConfigurationError, MissingDependencyError

#: Tensors that change together, each with one row per moving thing.
State = tuple[Tensor, ...]
#: State -> its rates of change, per unit of time.
Rate = Callable[[State], State]

#: Methods that torchdiffeq carries out, with error control. Its dopri8 is left out: at a tolerance of 1e-6 it missed a matrix exponential by 3e-4, dopri5
#: by 1e-6 (version 0.2.5).
ADAPTIVE = ("dopri5", "bosh3", "adaptive_heun")


def euler(rate: Rate, state: State, dt: float | Tensor) -> State:
    """One explicit Euler step: order 1."""
    return _moved(state, rate(state), dt)


def rk4(rate: Rate, state: State, dt: float | Tensor) -> State:
    """One step of the classical Runge-Kutta method (Kutta 1901): order 4."""
    first = rate(state)
    second = rate(_moved(state, first, dt / 2))
    third = rate(_moved(state, second, dt / 2))
    fourth = rate(_moved(state, third, dt))
    return tuple(y + dt / 6 * (a + 2 * b + 2 * c + d) for y, a, b, c, d in zip(state, first, second, third, fourth, strict=True))


#: Method of fixed steps -> one step of it.
FIXED: dict[str, Callable[[Rate, State, float | Tensor], State]] = {"euler": euler, "rk4": rk4}


def check_method(method: str) -> None:
    """Refuse a method that is unknown or not installed.

    Raises:
        ConfigurationError: an unknown name.
        MissingDependencyError: an adaptive method without torchdiffeq.
    """
    if method not in (*FIXED, *ADAPTIVE):
        raise ConfigurationError(f"no integrator '{method}'", where="method", remedy=f"choose one of {[*FIXED, *ADAPTIVE]}")
    if method in ADAPTIVE and find_spec("torchdiffeq") is None:
        raise MissingDependencyError(f"'{method}' needs torchdiffeq", where="method", remedy="pip install torchdiffeq, or take 'rk4' or 'euler'")


def integrate(
    rate: Rate,
    state: State,
    dt: float | Tensor,
    steps: int,
    method: str = "rk4",
    settle: Callable[[State], State] = lambda state: state,
) -> State:
    """The state after ``steps`` steps of size ``dt``. Going twice with k steps is going once with 2 k, bit by bit, for methods of fixed steps.

    Args:
        rate: of an autonomous system.
        state: at the start.
        dt: size of a step; a tensor that broadcasts against the state gives every row its own.
        steps: number; 0 returns the state. An adaptive method goes the same way in steps of its own, to a relative tolerance of 1e-6.
        method: see :data:`FIXED` and :data:`ADAPTIVE`.
        settle: applied after every step, e.g. to bring positions back into a periodic box; it must not change the meaning of the state.

    Raises:
        ConfigurationError: a negative number of steps, an unknown method.
        MissingDependencyError: see :func:`check_method`.
    """
    check_method(method)
    if steps < 0:
        raise ConfigurationError(f"{steps} steps", where="integrate", remedy="0 or more steps; a negative dt goes back in time")
    if method in ADAPTIVE:
        return settle(_adaptive(rate, state, dt * steps, method)) if steps else state
    for _ in range(steps):
        state = settle(FIXED[method](rate, state, dt))
    return state


def _adaptive(rate: Rate, state: State, span: float | Tensor, method: str) -> State:
    from torchdiffeq import odeint  # pyright: ignore[reportMissingImports]

    # time from 0 to 1, so that rows may have spans of their own
    found = odeint(lambda _, y: tuple(span * r for r in rate(y)), state, state[0].new_tensor([0.0, 1.0]), rtol=1e-6, atol=1e-8, method=method)
    return tuple(y[-1] for y in found)


def _moved(state: State, rates: State, dt: float | Tensor) -> State:
    return tuple(y + dt * r for y, r in zip(state, rates, strict=True))
