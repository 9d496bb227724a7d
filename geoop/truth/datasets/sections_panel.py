"""The data set ``sections-panel``: lift, moment and drag of many kinds of sections by panels and boundary layer."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ...errors import ConfigurationError, GeoopError, InvalidMeshError
from ...io.dataset_writing import DatasetPlan
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.primitives import naca4
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ..boundary_layer.section import AT_EDGE, boundary_layer
from ..boundary_layer.wall_speed import EDGE_REGION
from .draws import cases_of, random_of, uniform
from .families import LICENCE, pools, provenance, seven_one_two
from .named import NamedDataset
from .panel_case import PanelGeometry, point_laws, trimmed
from .uiuc import candidates, content, family, section, usable

NAME = "sections-panel"
DEFAULT_SIZE = 1000
#: Panels, and with them wall points; field points; cases of one section.
PANELS, FIELD_POINTS, PER_SECTION = 200, 2000, 5
VELOCITY, DENSITY = 60.0, 1.225
LAWS = {"alpha": (-8.0, 18.0), "log10_reynolds": (6.0, 7.0)}
#: Of every ten geometries: real sections, NACA four-digit sections, real sections with bumps.
KINDS = ("uiuc", "naca", "uiuc", "perturbed", "uiuc", "uiuc", "naca", "uiuc", "perturbed", "uiuc")
#: Hicks-Henne bumps on either side of a perturbed section: number, largest height [chords], range of their crests [chords].
BUMPS, HEIGHT, CRESTS = 3, 0.01, (0.1, 0.85)
_ATTEMPTS = 10
SEPARATED = Quantity("separated", "sep")

_DESCRIPTION = """Lift, moment and drag of sections of 1 m chord: real ones of the UIUC airfoil coordinate database (uiuc-), NACA four-digit \
(naca-) and real ones with smooth bumps (perturbed-). Flow by linear-vorticity panels, drag by an integral boundary layer on it (Thwaites, \
entrainment with lag, Squire-Young), turbulent from where Re_theta reaches 320. The boundary layer does not act back on the flow: CL and CM are \
inviscid and know no stall. The global field 'separated' is 1 where a turbulent layer separates ahead of the last 5 % of the chord: there CD is \
a continuation and too low, and CL too high. Take separated = 0 for polars. Blunt trailing edges are closed over the last 5 % of the chord; \
sections whose trailing edge is below 5 degrees are left out, and others that the table 'excluded' counts. Split 'ood' holds families of real \
sections of which no member, bumps or not, is in the others; the NACA families of the database are not used, as the digits are drawn."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, validation and test together, five of every section; about n/5 more are of held-out families.
        seed: of all draws; case k of a section is the same whatever n is.

    Raises:
        ConfigurationError: too few or too many cases.
        MissingDependencyError: the UIUC sections are not on this machine.
    """
    names = _sections()
    inside, outside = pools(names, seed)
    digits = _digits(seed)
    count = math.ceil(n / PER_SECTION)
    if 10 * len(inside) < 8 * count or 10 * len(digits) < 2 * count:
        largest = PER_SECTION * min(10 * len(inside) // 8, 10 * len(digits) // 2)
        raise ConfigurationError(f"{n} cases need {count} sections", where=NAME, remedy=f"ask for at most {largest} cases")
    sources = {"uiuc": iter(inside), "naca": iter(digits)}
    kinds = [KINDS[k % len(KINDS)] for k in range(count)]
    geometries = [f"{kind}-{next(sources['naca' if kind == 'naca' else 'uiuc'])}" for kind in kinds]
    splits = seven_one_two(geometries, [f"uiuc-{name}" for name in outside[: max(1, round(count / 5))]], NAME)
    cases, geometry = cases_of(splits, PER_SECTION)
    cases = trimmed(cases, n)
    geometry = {name: geometry[name] for members in cases.values() for name in members}
    parameters = {name: {**_source(body), **drawn(seed, name)} for name, body in geometry.items()}
    return DatasetPlan(NAME, _DESCRIPTION, cases, _generator(names, seed), parameters, geometry, seed=seed, licence=LICENCE)


def case(seed: int, name: str) -> Case:
    """One case with velocity, pressure_coefficient and quadrature_weight at its points, CL, CM, CD and whether it is separated."""
    values = drawn(seed, name)
    viscosity = DENSITY * VELOCITY / 10.0 ** values["log10_reynolds"]
    condition = OperatingPoint(VELOCITY, alpha=values["alpha"], density=DENSITY, viscosity=viscosity, reference_length=1.0)
    body = name.rsplit("_", 1)[0]
    geometry = _geometry(seed, body, b"" if body.startswith("naca-") else content(body.split("-", 1)[1]))
    made = geometry.case(condition, FIELD_POINTS, random_of(seed, name, part=1), name)
    layer = boundary_layer(geometry.system.flow(condition), 0.0)
    return made.with_fields(
        Field(QUANTITIES["drag_coefficient"], np.array(layer.drag_coefficient), "global"),
        Field(SEPARATED, np.array(float(layer.separated)), "global"),
    )


def drawn(seed: int, name: str) -> dict[str, float]:
    """Angle of attack [deg] and decimal logarithm of the Reynolds number of one case."""
    return uniform(random_of(seed, name), LAWS)


def outline(seed: int, geometry: str) -> Mesh:
    """The section of a geometry name, ``uiuc-e205``, ``naca-2412`` or ``perturbed-e205``.

    Raises:
        GeoopError: the section cannot be used; of a perturbed one, none of ten draws.
    """
    kind, name = geometry.split("-", 1)
    if kind == "naca":
        return usable(naca4(name, 300))
    if kind == "uiuc":
        return section(name)
    last: GeoopError | None = None
    for attempt in range(_ATTEMPTS):
        try:
            return usable(_with_bumps(section(name), random_of(seed, geometry, part=2 + attempt)))
        except InvalidMeshError as error:
            last = error
    raise InvalidMeshError(
        f"none of {_ATTEMPTS} perturbations can be used, the last because: {last.message if last else ''}", where=geometry, remedy="leave it out"
    )


def _with_bumps(base: Mesh, random: np.random.Generator) -> Mesh:
    """Both sides moved by h sin^4(pi x^(ln 1/2 / ln crest)) (R. M. Hicks and P. A. Henne, J. Aircraft 15, 407, 1978)."""
    x, y = base.points.T
    along = np.clip((x - x.min()) / np.ptp(x), 1e-9, 1.0)
    upper = np.arange(len(x)) <= int(np.argmin(x))
    moved = y.copy()
    for side in (upper, ~upper):
        heights = HEIGHT * (2.0 * random.random(BUMPS) - 1.0)
        crests = CRESTS[0] + (CRESTS[1] - CRESTS[0]) * random.random(BUMPS)
        for height, crest in zip(heights, crests, strict=True):
            moved = moved + side * height * np.sin(np.pi * along ** (math.log(0.5) / math.log(crest))) ** 4
    return base.moved(np.stack([x, moved], axis=1))


@functools.lru_cache(maxsize=2)
def _geometry(seed: int, name: str, coordinates: bytes) -> PanelGeometry:
    del coordinates  # part of the key: another database may have another section of that name
    return PanelGeometry.of(outline(seed, name), PANELS)


def _sections() -> list[str]:
    """Real sections but those of the NACA families."""
    return [name for name in candidates() if family(name) != "naca"]


def _digits(seed: int) -> list[str]:
    """All NACA four-digit codes of the set in random order: camber 0..6 %, at 20..60 %, thickness 8..20 %."""
    codes = [f"00{t:02d}" for t in range(8, 21)] + [f"{m}{p}{t:02d}" for m in range(1, 7) for p in range(2, 7) for t in range(8, 21)]
    return [codes[k] for k in random_of(seed, "order of digits").permutation(len(codes))]


def _source(geometry: str) -> dict[str, str]:
    kind, name = geometry.split("-", 1)
    return {"kind": kind, "section": name, "family": "naca" if kind == "naca" else family(name)}


def _generator(names: list[str], seed: int) -> dict[str, Any]:
    """Laws and constants for the manifest."""
    return {
        "source": "linear-vorticity panels and integral boundary layer: geoop.truth.panels.system, geoop.truth.boundary_layer.section",
        "revision": 1,
        "label_error": "NACA 0012, Re 6e6, turbulent: CD 0.0083 against 0.0081 at 0 degrees, 0.0129 against 0.0123 at 10 (CFL3D); CL there 10 % high",
        "parameters": "independent and uniform between the limits below; alpha in degrees",
        "limits": {key: list(limits) for key, limits in LAWS.items()},
        "velocity": VELOCITY,
        "density": DENSITY,
        "chord": 1.0,
        "moment": "about the quarter chord, nose up positive, inviscid",
        "transition": "turbulent from where Re_theta of the laminar layer reaches 320",
        "separated": f"1 if the turbulent layer separates (H = 2.4) ahead of x/c = {1.0 - AT_EDGE:g} on either side; CD is then a continuation",
        "edge_velocity": f"continued linearly over the last {100 * EDGE_REGION:g} % of the chord",
        "kinds": list(KINDS),
        "naca_digits": "camber 0 to 6 % at 20 to 60 % of the chord, thickness 8 to 20 %: all codes in random order, each at most once",
        "bumps": {
            "per_side": BUMPS,
            "largest_height": HEIGHT,
            "crests": list(CRESTS),
            "law": "Hicks-Henne, heights and crests uniform; redrawn up to 10 times",
        },
        **provenance(names, seed),
        **point_laws(PANELS, FIELD_POINTS),
    }


DATASET = NamedDataset("lift, moment and drag of UIUC, NACA and perturbed sections", plan, case, DEFAULT_SIZE, cases_per_worker=20)
