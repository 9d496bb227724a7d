"""Training on bare rings of surface points: a known field as input and as what the answer is learned beyond, and the Reynolds number as a condition."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import ConfigurationError
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.models.low_rank import LowRankOperator
from geoop.results.surface_pressure import pressure_scores
from geoop.train.settings import FitSettings
from geoop.truth.panels.system import PanelSystem

CP, KNOWN = "pressure_coefficient", "inviscid_pressure_coefficient"
CODES = ("0012", "1412", "2412", "2415", "4412", "4415", "6412", "2312", "3410", "0015", "1310", "5412")


def made(name, reynolds=None):
    """Panel pressure, and a law of friction that anybody can see through: everything falls short by a share that depends on the Reynolds number."""
    index = int(name)
    code, random = CODES[index % len(CODES)], np.random.default_rng(index)
    mesh = naca4(code, 50 + index)
    logarithm = random.uniform(5.5, 7.0) if reynolds is None else np.log10(reynolds)
    point = OperatingPoint(10.0, random.uniform(-3.0, 8.0), viscosity=1.225 * 10.0 / 10.0**logarithm, reference_length=1.0)
    speed = PanelSystem(mesh, 100).surface_velocity(mesh.points, [point])[0]
    known = 1.0 - (speed**2).sum(axis=1) / 100.0
    fields = Field(QUANTITIES[CP], known * (1.0 - 0.2 * (7.5 - logarithm))), Field(Quantity(KNOWN, "Cp_inviscid"), known)
    return Case(mesh, point, {item.name: item for item in fields}, wall=("wall",), name=name)


@pytest.fixture(scope="module")
def rings(tmp_path_factory):
    names = tuple(f"{k:02d}" for k in range(24))
    return write_dataset(tmp_path_factory.mktemp("data") / "rings", DatasetPlan("rings", "bare", {"train": names[:16], "val": names[16:]}), made)


def fit(data, directory, **options):
    settings = FitSettings(**{"epochs": 1, "batch": 4, "wall_points": 100, "validate_every": 20, "loss": "square", "beyond": {CP: KNOWN}, **options})
    model = lambda ports: LowRankOperator(ports, 16, layers=2, rank=4, heads=2, hidden=8)  # noqa: E731
    return geoop.fit(data, directory, quantities=(CP,), inputs=(KNOWN,), model=model, settings=settings, progress=False)


@pytest.fixture(scope="module")
def trained(rings, tmp_path_factory):
    return fit(rings, tmp_path_factory.mktemp("run") / "run", epochs=60)


def test_the_ports_hold_the_condition_and_the_field(trained):
    assert trained.model.ports.scalars_in == 1 and trained.model.ports.functions == ((KNOWN, 1),)
    assert trained.framing.conditions.names == ("log10_reynolds [1]",)
    assert trained.framing.wall_only and trained.framing.domain == "mesh" and dict(trained.framing.beyond) == {CP: KNOWN}


def test_it_learns_beyond_the_known_field(rings, trained):
    """Control: the known field as it is, which is what a model that learned nothing says."""
    cases = rings.cases("val")
    error = pressure_scores(cases, [trained.predict(case)[CP] for case in cases])
    control = pressure_scores(cases, [case.field(KNOWN).values for case in cases])
    assert error.mean < 0.15 * control.mean


def test_the_answer_follows_the_reynolds_number(trained):
    low, high = (made("05", reynolds) for reynolds in (5e5, 8e6))
    shift = trained.predict(high)[CP] - trained.predict(low)[CP]
    truth = high.field(CP).values - low.field(CP).values
    assert np.corrcoef(shift, truth)[0, 1] > 0.9


def test_every_point_of_a_ring_is_given_its_own_value(rings, trained):
    case = rings.case("03")
    framed = trained.framing.of(case)
    given = trained.framing.inputs(case, framed).functions[KNOWN]
    assert framed.geometry.domain is not None and torch.equal(given.pos, framed.geometry.domain.points.pos)
    values = case.field(KNOWN).values
    item = trained.framing.functions[0]
    np.testing.assert_allclose(given.scalars[:, 0].numpy() * item.deviation + item.mean, values, atol=1e-5 * np.abs(values).max())


def test_a_known_field_that_is_missing_is_named(rings, trained):
    """One that geoop cannot solve for itself."""
    function = replace(trained.framing.functions[0], name="measured_pressure")
    other = replace(trained, framing=replace(trained.framing, functions=(function,), beyond=()))
    bare = made("03")
    bare = Case(bare.mesh, bare.operating_point, {}, wall=("wall",), name="bare")
    with pytest.raises(ConfigurationError, match="measured_pressure"):
        other.predict(bare)
