"""Lift, drag and moment of one body by the pressure on its curved panels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...mesh.operating_point import OperatingPoint
from .bodies import BodyPanels


@dataclass(frozen=True)
class BodyForces:
    """What a plane flow does to one body.

    Attributes:
        lift_coefficient: CL, across the free stream.
        drag_coefficient: CD, along it. The sum over all bodies is 0 in an inviscid flow; one body in the field of others has drag.
        moment_coefficient: CM, nose up positive, referred to the square of the reference length.
        circulation: clockwise [m^2/s].
    """

    lift_coefficient: float
    drag_coefficient: float
    moment_coefficient: float
    circulation: float


def pressure_forces(item: BodyPanels, gamma: np.ndarray, operating_point: OperatingPoint, length: float, about: complex) -> BodyForces:
    """Integrate the pressure, Simpson's rule on every curved panel.

    Args:
        item: the panels.
        gamma: (n+1,) speed at the nodes, counter-clockwise [m/s].
        operating_point: free stream.
        length: reference length [m].
        about: x + i y of the reference point of the moment [m].
    """
    speed = gamma / operating_point.velocity
    span = np.diff(item.nodes)
    # |u|^2 dz at both ends and in the middle of every panel; the constant part of the pressure has no resultant on a closed body
    weight = item.arc_length / 6.0
    parts = np.stack(
        [speed[:-1] ** 2 * item.tangents[:, 0], (speed[:-1] + speed[1:]) ** 2 * span / np.abs(span), speed[1:] ** 2 * item.tangents[:, 1]]
    )
    places = np.stack([item.nodes[:-1], item.middles, item.nodes[1:]])
    base = 0.25 * (speed[-1] - speed[0]) ** 2 * (item.nodes[0] - item.nodes[-1])
    force = -1j * ((weight * parts).sum() + base)
    arms = np.conj(places - about) * (-1j * weight * parts)
    moment = arms.sum().imag + (np.conj(item.curve.edge - about) * -1j * base).imag
    across = force * np.exp(-1j * math.radians(operating_point.alpha)) / length
    circulation = -float((item.arc_length * 0.5 * (gamma[:-1] + gamma[1:])).sum())
    return BodyForces(float(across.imag), float(across.real), -float(moment) / length**2, circulation)
