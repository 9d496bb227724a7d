"""The data set ``sections-potential``: potential flow around many kinds of sections, for models that are to take any section."""

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
from ..panels.section_curve import refuse_thin_edge, section_curve
from .circle_plane import CirclePlane
from .draws import cases_of, random_of, uniform
from .families import LICENCE, pools, provenance
from .named import NamedDataset
from .panel_case import PanelGeometry, point_laws, trimmed
from .section_variants import drawn_variant, lines, varied
from .uiuc import candidates, content, family, section, usable

NAME = "sections-potential"
DEFAULT_SIZE = 2000
#: Panels, and with them wall points; field points; cases of one section: two angles determine a flow that is linear in the free stream.
PANELS, FIELD_POINTS, PER_SECTION = 200, 1000, 2
VELOCITY = 60.0
LAWS = {"alpha": (-8.0, 18.0)}
#: Part of the real sections that are held out with their families.
HELD_OUT = (0.19, 0.24)
#: Of every ten training geometries, as long as there are real ones: real sections, NACA four-digit sections, variants of real ones.
KINDS = ("uiuc", "varied", "uiuc", "varied", "naca", "uiuc", "varied", "uiuc", "varied", "varied")
#: Part of the real sections of the training families that go to validation, and as many to test.
VALIDATION = 0.1
#: Largest height of a bump [chords]; draws of a variant until one can be used.
HEIGHT, ATTEMPTS = 0.01, 30

_DESCRIPTION = """Incompressible, inviscid flow around sections of 1 m chord by linear-vorticity panels, two angles of attack each: real sections of \
the UIUC airfoil coordinate database (uiuc-), NACA four-digit sections (naca-), and variants of real ones (varied-): blends of two, thicker, \
thinner, with other camber or upside down, with smooth bumps, one in four with a blunt trailing edge. Points: 200 on the wall (and those of a \
base), then 1000 in the field. Validation, test and ood hold real sections alone, of which no variant is in training; ood families of which no \
member is in the others. Blunt edges of real sections are closed over the last 5 % of the chord; sections whose trailing edge is below 5 degrees \
are left out, and others that the table 'excluded' counts. Inviscid: no drag, no stall; linear in the free stream."""


def plan(n: int, seed: int) -> DatasetPlan:
    """Names, splits and parameters.

    Args:
        n: cases in train, validation and test together, two of every section; a tenth and a tenth of them, but at most a tenth and a tenth of the real
            sections, are for validation and test. About n/5 more, if there are as many, are of held-out families.
        seed: of all draws; case k of a section is the same whatever n is.

    Raises:
        ConfigurationError: fewer than 8 cases.
        MissingDependencyError: the UIUC sections are not on this machine.
    """
    count = math.ceil(n / PER_SECTION)
    if count < 4:
        raise ConfigurationError(f"{n} cases of {count} sections cannot be split", where=NAME, remedy="ask for at least 8 cases: -n 8")
    names = parts(seed)
    held = min(max(1, round(count / 10)), len(names["val"]))
    digits, real = iter(_digits(seed)), iter(names["train"])
    train = [_next(KINDS[k % len(KINDS)], k, real, digits) for k in range(count - 2 * held)]
    splits = {
        "train": tuple(train),
        "val": tuple(f"uiuc-{name}" for name in names["val"][:held]),
        "test": tuple(f"uiuc-{name}" for name in names["test"][:held]),
        "ood": tuple(f"uiuc-{name}" for name in names["ood"][: max(1, round(count / 5))]),
    }
    cases, geometry = cases_of(splits, PER_SECTION)
    cases = trimmed(cases, n)
    geometry = {name: geometry[name] for members in cases.values() for name in members}
    parameters = {name: {**_source(body), "alpha": _alpha(seed, name)} for name, body in geometry.items()}
    return DatasetPlan(NAME, _DESCRIPTION, cases, _generator(seed), parameters, geometry, seed=seed, licence=LICENCE)


def case(seed: int, name: str) -> Case:
    """One case with velocity, pressure_coefficient and quadrature_weight at its points, CL and CM; the same for the same seed and name."""
    body = name.rsplit("_", 1)[0]
    condition = OperatingPoint(VELOCITY, alpha=_alpha(seed, name), reference_length=1.0)
    return _geometry(seed, body, content(body.removeprefix("uiuc-"))).case(condition, FIELD_POINTS, random_of(seed, name, part=1), name)


def outline(seed: int, geometry: str) -> Mesh:
    """The section of a geometry name, ``uiuc-e205``, ``naca-2412`` or ``varied-00017``.

    Raises:
        GeoopError: the section cannot be used; of a variant, none of thirty draws.
    """
    kind, name = geometry.split("-", 1)
    if kind == "uiuc":
        return section(name)
    if kind == "naca":
        return usable(naca4(name, 300))
    last: GeoopError | None = None
    for attempt in range(ATTEMPTS):
        try:
            return _variant(seed, random_of(seed, geometry, part=2 + attempt), geometry)
        except InvalidMeshError as error:
            last = error
    raise InvalidMeshError(
        f"none of {ATTEMPTS} draws can be used, the last because: {last.message if last else ''}", where=geometry, remedy="leave it out"
    )


def _variant(seed: int, random: np.random.Generator, geometry: str) -> Mesh:
    parents = parts(seed)["train"]
    first, second = (_lines(parents[int(k)], content(parents[int(k)])) for k in random.integers(len(parents), size=2))
    variant = drawn_variant(random, HEIGHT)
    made = varied(first, second, variant, geometry)
    if variant.base == 0.0:
        return usable(made)
    curve = section_curve(made)
    refuse_thin_edge(curve, 5.0)
    CirclePlane.of(curve)
    return made


@functools.lru_cache(maxsize=4096)
def _lines(name: str, coordinates: bytes) -> np.ndarray:
    del coordinates
    return lines(section(name))


def _alpha(seed: int, name: str) -> float:
    """The angle of attack of one case [deg]: the two of a section lie in the lower and in the upper half of the range, so that they differ."""
    low, high = LAWS["alpha"]
    number = int(name.rsplit("_", 1)[1]) - 1
    share = uniform(random_of(seed, name), {"share": (0.0, 1.0)})["share"]
    return low + (high - low) * (number % PER_SECTION + share) / PER_SECTION


@functools.lru_cache(maxsize=2)
def _geometry(seed: int, name: str, coordinates: bytes) -> PanelGeometry:
    del coordinates  # part of the key: another database may have another section of that name
    return PanelGeometry.of(outline(seed, name), PANELS)


@functools.cache
def parts(seed: int) -> dict[str, list[str]]:
    """Real sections of the splits, but those of the NACA families; the training ones are also the parents of variants."""
    names = [name for name in candidates() if family(name) != "naca"]
    inside, outside = pools(names, seed, HELD_OUT)
    held = max(1, round(VALIDATION * len(inside)))
    return {"val": inside[:held], "test": inside[held : 2 * held], "train": inside[2 * held :], "ood": outside}


def _digits(seed: int) -> list[str]:
    """All NACA four-digit codes of the set in random order: camber 0..7 %, at 20..60 %, thickness 6..24 %."""
    codes = [f"00{t:02d}" for t in range(6, 25)] + [f"{m}{p}{t:02d}" for m in range(1, 8) for p in range(2, 7) for t in range(6, 25)]
    return [codes[k] for k in random_of(seed, "order of digits").permutation(len(codes))]


def _next(kind: str, number: int, real, digits) -> str:
    """The next geometry of a kind; a variant where there are no more of it."""
    source = {"uiuc": real, "naca": digits}.get(kind)
    name = None if source is None else next(source, None)
    return f"varied-{number:05d}" if name is None else f"{kind}-{name}"


def _source(geometry: str) -> dict[str, str]:
    kind, name = geometry.split("-", 1)
    return {"kind": kind, "section": name, "family": family(name) if kind == "uiuc" else kind}


def _generator(seed: int) -> dict[str, Any]:
    """Laws and constants for the manifest."""
    names = [name for name in candidates() if family(name) != "naca"]
    return {
        "source": "linear-vorticity panels: geoop.truth.panels.system",
        "revision": 1,
        "label_error": "CL against 400 panels on 445 sections at 0, 5 and 10 degrees: median 9e-5, 99 % below 3e-3, largest 6e-3;"
        " exact flow of Karman-Trefftz sections: CL 5e-4 relative, field 3e-4 of the stream",
        "parameters": "uniform between the limits below [deg], the two angles of a section in the lower and the upper half",
        "limits": {key: list(limits) for key, limits in LAWS.items()},
        "velocity": VELOCITY,
        "chord": 1.0,
        "moment": "about the quarter chord, nose up positive",
        "kinds": list(KINDS),
        "variants": "geoop.truth.datasets.section_variants: blends, thickness x 0.7..1.5, camber x -1..1.6, bumps up to 1 % of the chord, bases up to 1.2 %",
        **provenance(names, seed, HELD_OUT),
        **point_laws(PANELS, FIELD_POINTS),
    }


DATASET = NamedDataset("potential flow around real sections and many variants, two angles each", plan, case, DEFAULT_SIZE, cases_per_worker=20)
