"""Small samples of exact flows around Karman-Trefftz sections, in the layout of the data set kt-airfoils."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.truth.exact.karman_trefftz import KarmanTrefftz


def parameters(seed: int) -> list[float]:
    rng = np.random.default_rng([seed, 1])
    return [float(rng.uniform(*law)) for law in ((-0.12, -0.05), (0.02, 0.08), (8.0, 16.0), (-2.0, 6.0))]


def sample(seed: int, n_field: int = 1200, speed: float = 60.0, unit: float = 1.0) -> Case:
    """One case: 120 wall points, then field points; ``unit`` scales the section as a whole."""
    mu_x, mu_y, tau, alpha = parameters(seed)
    section, point = KarmanTrefftz(mu_x, mu_y, tau), OperatingPoint(speed, alpha=alpha)
    angle = 2 * np.pi * np.arange(120) / 120
    t, u = np.random.default_rng([seed, 2]).random((2, n_field))
    zeta = np.concatenate([section.circle(angle), section.circle(2 * np.pi * t, 1e-3 * np.exp(np.log(3e3) * u))])
    lines = section.outline(angle).cells
    cells = Cells.concatenate([lines, Cells.of(vertex=120 + np.arange(n_field)[:, None])])
    fields = {
        "velocity": Field(QUANTITIES["velocity"], section.velocity(zeta, point)),
        "pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], section.pressure_coefficient(zeta, point)),
    }
    return Case(Mesh(unit * section.points(zeta), cells, {"wall": lines}), point, fields, wall=("wall",), name=f"flow-{seed}")


@pytest.fixture(scope="session")
def flow() -> Callable[..., Case]:
    """Makes one case from a seed; see :func:`sample`."""
    return sample


@pytest.fixture(scope="session")
def flows() -> SimpleNamespace:
    """24 training and 6 test cases of one law, and the hidden parameters of all by name."""
    train, test = [sample(k) for k in range(24)], [sample(k) for k in range(100, 106)]
    hidden = {case.name: parameters(int(case.name.split("-")[1])) for case in [*train, *test]}
    return SimpleNamespace(train=train, test=test, hidden=hidden, quantities=("velocity", "pressure_coefficient"))
