"""The data set ``uiuc-panel``: potential flow around real sections by panels, whole families of sections held out."""

from __future__ import annotations

import functools
import math
from typing import Any

from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.operating_point import OperatingPoint
from .draws import cases_of, random_of, uniform
from .families import LICENCE, cases_per_geometry, pools, provenance, seven_one_two
from .named import NamedDataset
from .panel_case import PanelGeometry, point_laws, trimmed
from .uiuc import candidates, content, family, section

NAME, PREFIX = "uiuc-panel", "uiuc_"
DEFAULT_SIZE = 500
#: Panels, and with them wall points; field points; cases of one section.
PANELS, FIELD_POINTS, PER_SECTION = 200, 5000, 2
VELOCITY = 60.0
LAWS = {"alpha": (-4.0, 10.0)}

_DESCRIPTION = """Incompressible, inviscid flow around real sections of the UIUC airfoil coordinate database, chord 1 m along x, by \
linear-vorticity panels. Points: 200 on the wall, counter-clockwise from the trailing edge, then 5000 in the field. Blunt trailing \
edges are closed over the last 5 % of the chord; sections whose trailing edge is below 5 degrees are left out, and others that the \
table 'excluded' counts. Inviscid: no drag, no stall. Split 'ood' holds families of sections of which no member is in the others."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, validation and test together, two of every section (more if there are not enough sections); about n/5 more
            are of held-out families.
        seed: of all draws; case k of a section is the same whatever n is.

    Raises:
        ConfigurationError: too few or too many cases.
        MissingDependencyError: the UIUC sections are not on this machine.
    """
    names = candidates()
    inside, outside = pools(names, seed)
    per = cases_per_geometry(len(inside), PER_SECTION, n, NAME)
    count = math.ceil(n / per)
    beyond = outside[: max(1, round(count / 5))]
    splits = seven_one_two([PREFIX + name for name in inside[:count]], [PREFIX + name for name in beyond], NAME)
    cases, geometry = cases_of(splits, per)
    cases = trimmed(cases, n)
    geometry = {name: geometry[name] for members in cases.values() for name in members}
    parameters = {name: {"section": _section(name), "family": family(_section(name)), **drawn(seed, name)} for name in geometry}
    return DatasetPlan(NAME, _DESCRIPTION, cases, _generator(names, seed), parameters, geometry, seed=seed, licence=LICENCE)


def case(seed: int, name: str) -> Case:
    """One case with velocity, pressure_coefficient and quadrature_weight at its points, CL and CM; the same for the same seed and name."""
    condition = OperatingPoint(VELOCITY, alpha=drawn(seed, name)["alpha"], reference_length=1.0)
    return _geometry(_section(name), content(_section(name))).case(condition, FIELD_POINTS, random_of(seed, name, part=1), name)


def drawn(seed: int, name: str) -> dict[str, float]:
    """The angle of attack of one case [deg]."""
    return uniform(random_of(seed, name), LAWS)


@functools.lru_cache(maxsize=2)
def _geometry(name: str, coordinates: bytes) -> PanelGeometry:
    del coordinates  # part of the key: another database may have another section of that name
    return PanelGeometry.of(section(name), PANELS)


def _section(case_name: str) -> str:
    return case_name.removeprefix(PREFIX).rsplit("_", 1)[0]


def _generator(names: list[str], seed: int) -> dict[str, Any]:
    """Laws and constants for the manifest."""
    return {
        "source": "linear-vorticity panels: geoop.truth.panels.system",
        "revision": 1,
        "label_error": "CL against 400 panels on 445 sections at 0, 5 and 10 degrees: median 9e-5, 99 % below 3e-3, largest 6e-3;"
        " exact flow of Karman-Trefftz sections: CL 5e-4 relative, field 3e-4 of the stream",
        "parameters": "uniform between the limits below [deg]",
        "limits": {key: list(limits) for key, limits in LAWS.items()},
        "velocity": VELOCITY,
        "chord": 1.0,
        "moment": "about the quarter chord, nose up positive",
        **provenance(names, seed),
        **point_laws(PANELS, FIELD_POINTS),
    }


DATASET = NamedDataset("potential flow around real sections (UIUC), families held out", plan, case, DEFAULT_SIZE, cases_per_worker=20)
