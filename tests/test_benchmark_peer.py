"""The peer beside geoop's models: its arithmetic, and that the package's own forward pass is what is measured."""

import benchmark_peer as study
import pytest
import torch
from benchmark_peer_model import Box, PeerGINO

import geoop
from geoop.graph.pointset import PointSet
from geoop.mesh.case import Case
from geoop.mesh.primitives import naca4
from geoop.models.ports import Ports
from geoop.scaling.framing import Framing


def test_help_is_there(capsys):
    with pytest.raises(SystemExit):
        study.main(["-h"])
    assert "benchmark peer" in capsys.readouterr().out


def test_a_missing_package_is_said(monkeypatch, capsys):
    monkeypatch.setattr(study, "present", lambda: False)
    with pytest.raises(SystemExit):
        study.main([])
    assert "--install" in capsys.readouterr().err


def test_options_are_read_as_json_has_them():
    assert study.arguments_of("reach=3,chart=false,norm=none,gather=1.5") == {"reach": 3, "chart": False, "norm": "none", "gather": 1.5}
    assert study.arguments_of("") == {}


def test_keys_tell_losses_apart():
    keys = {study.Trial("kt-airfoils", 6.0, loss=loss).key for loss in study.LOSSES}
    assert len(keys) == len(study.LOSSES) and "kt-airfoils/GINO of neuraloperator/small/cpu6/rate1/seed0" in keys


def test_a_box_takes_points_in_and_out():
    torch.manual_seed(0)
    cloud = PointSet(torch.randn(60, 2), ptr=torch.tensor([0, 20, 60]))
    box = Box.read(Box.of(cloud).keep())
    inside = box.inside(cloud.pos, cloud.batch)
    assert inside.abs().max() < 0.5
    assert torch.allclose(box.outside(inside, cloud.batch), cloud.pos, atol=1e-5)


def test_the_average_follows():
    slow, fast = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    expected = 0.9 * slow.weight.detach() + 0.1 * fast.weight.detach()
    study.follow(slow, fast, 0.9)
    assert torch.allclose(slow.weight, expected)


@pytest.mark.parametrize("options", [{}, {"nonlinear": True}, {"chart": False, "smooth": False}])
def test_parts_in_a_batch_equal_the_package_s_forward_of_one_geometry(options):
    pytest.importorskip("neuralop")
    framing = Framing(domain="around", domain_points=150, reach=2.0)
    cases = [Case(naca4(code), geoop.OperatingPoint(60.0, 4.0)) for code in ("0012", "4415")]
    framed = [framing.of(case) for case in cases]
    torch.manual_seed(0)
    ports = Ports(vectors_out=1, vectors_in=1, surface_scalars=framing.surface_scalars, body=True)
    model = PeerGINO(ports, 8, resolution=10, modes=6, depth=2, hidden=8, distance=0.0, **options).eval()
    prepared = [model.prepare(item.geometry) for item in framed]
    inputs = [framing.inputs(case, item) for case, item in zip(cases, framed, strict=True)]
    asked = framed[1].queries(cases[1].mesh.points[:40] * 1.2)
    with torch.no_grad():
        mine = model(prepared[1], inputs[1], asked)
        both = model.encode(model.concatenate(prepared), type(inputs[0]).concatenate(inputs))
        theirs = forward_of_the_package(model, prepared[1], inputs[1], asked)
    found = torch.cat([mine.scalars, mine.vectors.flatten(1)], dim=1)
    assert found.std() > 0 and torch.allclose(found, theirs, atol=1e-6)
    alone = model.encode(prepared[1], inputs[1]).latents["lattice"].scalars
    assert torch.allclose(both.latents["lattice"].scalars[100:], alone, atol=1e-5)


def forward_of_the_package(model, prepared, inputs, asked):
    """(n, fields) by its forward, with all arguments by name."""
    lattice, side = prepared.points("lattice"), model.resolution
    given = torch.cat([inputs.scalars, inputs.vectors.flatten(1)], dim=1).expand(len(lattice), -1)
    cloud = prepared.domain
    return model.gino(
        input_geom=model._coordinates(prepared, cloud)[None],
        latent_queries=lattice.pos.reshape(1, side, side, 2),
        output_queries=model._coordinates(prepared, model._placed(asked, prepared.surface))[None],
        x=model._known(cloud, inputs)[None],
        latent_features=torch.cat([lattice.scalars, given], dim=1).reshape(1, side, side, -1),
    )[0]
