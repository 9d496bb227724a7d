"""Resolution transfer: other clouds have the weights that they should."""

import benchmark_transfer as study
import pytest
import torch

import geoop
from geoop.mesh.case import Case
from geoop.mesh.primitives import naca4
from geoop.scaling.framing import Framing

CASE = Case(naca4("2412"), geoop.OperatingPoint(60.0, 4.0))


def test_help_is_there(capsys):
    with pytest.raises(SystemExit):
        study.main(["-h"])
    assert "benchmark transfer" in capsys.readouterr().out


def test_cases_are_evenly_spaced():
    names = [str(i) for i in range(10)]
    assert study.evenly(names, 5) == ["0", "2", "4", "6", "8"]
    assert study.evenly(names, 20) == names and study.evenly([], 3) == []


def test_equal_weights_keep_the_sum_and_the_points():
    plain = Framing(domain="around", domain_points=400, reach=2.0)
    quadrature = plain.of(CASE).geometry.domain
    equal = study.OtherCloud.like(plain, 400, equal=True).of(CASE).geometry.domain
    assert torch.equal(quadrature.points.pos, equal.points.pos)
    assert equal.points.weight.std() == 0 and quadrature.points.weight.std() > 0
    assert torch.allclose(equal.points.weight.sum(), quadrature.points.weight.sum(), rtol=1e-5)


def test_a_cloud_that_is_dense_elsewhere_measures_the_same():
    plain = Framing(domain="around", domain_points=1600, reach=2.0)
    fine = plain.of(CASE).geometry.domain
    found = study.OtherCloud.like(plain, 1600, elsewhere=400).of(CASE).geometry.domain
    middle = fine.points.pos[:, 0].median()
    assert len(found) == 400 and (found.points.pos[:, 0] > middle).sum() > 280
    # in double precision: the areas of an integral are what the weights are for
    assert abs(float(found.points.weight.double().sum() / fine.points.weight.double().sum()) - 1) < 1e-5
    moments = [float((q.points.weight * q.points.pos[:, 0]).sum() / q.points.weight.sum()) for q in (found, fine)]
    equal = float(found.points.pos[:, 0].mean())
    assert abs(moments[0] - moments[1]) < 0.1 < abs(equal - moments[1])


def test_a_model_that_places_its_own_points_has_no_ratios():
    alone = study.line({"model": "BodyField", "N": 512})
    full = dict.fromkeys(("error", "0.5 N", "2 N", "4 N", "elsewhere", "other weights"), (1.0, 2.0))
    assert alone.count("|") == study.line({"model": "GINO", "N": 512, "queries": 1e-7} | full).count("|") == 10
