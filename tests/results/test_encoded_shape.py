"""A shape as a field: file, chunks, gradient, far away, units, deviation, bad input. Fits are short and seeded."""

import json

import numpy as np
import pytest

from geoop.errors import CheckpointError, NonFiniteError, ShapeError
from geoop.io.checkpoint import Checkpoint, write_checkpoint
from geoop.mesh.measure import enclosed_volume
from geoop.mesh.primitives import icosphere, naca4
from geoop.mesh.skin import SurfaceSkin
from geoop.results.encoded_shape import EncodedShape
from geoop.train.encode import EncodeSettings, fit_skin


def fitted(mesh, steps, latents):
    return fit_skin(
        SurfaceSkin(mesh), EncodeSettings(steps=steps, latents=latents, points=1024, checked=1000, resolution=32 if mesh.dimension == 3 else 128)
    )


@pytest.fixture(scope="module")
def ball():
    return fitted(icosphere(3, radius=20.0, center=(300.0, 0.0, 0.0)), 60, 96)


@pytest.fixture(scope="module")
def section():
    return fitted(naca4("2412", 200, chord=2.0), 60, 64)


@pytest.fixture(scope="module")
def around():
    return np.array([300.0, 0, 0]) + 20 * np.random.default_rng(0).uniform(-2, 2, (700, 3))


def test_distances_in_metres(ball, around):
    exact = np.linalg.norm(around - [300.0, 0, 0], axis=1) - 20.0
    assert np.abs(ball.at(around) - exact).mean() < 0.02 * 40
    near = np.abs(exact) < 2
    assert np.abs(ball.at(around) - exact)[near].mean() < 0.005 * 40
    assert ((ball.at(around) > 0) == (exact > 0))[np.abs(exact) > 0.4].all()


def test_the_fit_beats_the_tangent_planes(ball, section):
    for shape, factor in ((ball, 0.6), (section, 0.6)):
        after, before = shape.deviation, shape.control
        assert after.value.mean < factor * before.value.mean
        assert after.to_field.mean < factor * before.to_field.mean
        assert after.to_body.mean < before.to_body.mean
        assert after.length == before.length == pytest.approx(shape.frame.length)
    assert section.deviation.value.mean < 1e-3 * 2.0


def test_surface(ball, section):
    mesh = ball.surface(48)
    assert enclosed_volume(mesh) == pytest.approx(4 / 3 * np.pi * 20.0**3, rel=0.02)
    np.testing.assert_allclose(mesh.bounds.mean(axis=0), [300.0, 0, 0], atol=0.5)
    outline = section.surface(300)
    assert outline.dimension == 2 and outline.is_surface
    assert enclosed_volume(outline) == pytest.approx(enclosed_volume(naca4("2412", 200, chord=2.0)), rel=0.02)


def test_saved_and_loaded_to_the_last_bit(ball, around, tmp_path):
    back = EncodedShape.load(ball.save(tmp_path / "ball.safetensors"))
    assert (back.at(around) == ball.at(around)).all() and (back.gradient(around) == ball.gradient(around)).all()
    assert back.deviation == ball.deviation and back.control == ball.control and back.frame == ball.frame
    assert json.loads(json.dumps(dict(back.about))) == json.loads(json.dumps(dict(ball.about)))
    back.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "ball.safetensors").read_bytes()


def test_chunks_change_nothing(ball, around):
    whole = ball.at(around)
    np.testing.assert_allclose(ball.at(around, chunk=37), whole, atol=1e-5 * 40)
    np.testing.assert_allclose(ball.gradient(around, chunk=37), ball.gradient(around), atol=1e-4)
    assert ball.at(around[:0]).shape == (0,) and ball.gradient(around[:0]).shape == (0, 3)


def test_gradient_is_that_of_the_distance(ball, around):
    x, step = around[:200], 0.04
    found = np.stack([(ball.at(x + step * e) - ball.at(x - step * e)) / (2 * step) for e in np.eye(3)], axis=1)
    off = np.abs(found - ball.gradient(x)).max(axis=1)
    assert np.quantile(off, 0.9) < 0.02  # where neighbours change in between, the slope jumps


def test_far_away_the_distance_goes_on(ball):
    away = np.array([300.0, 0, 0]) + np.array([0.6, 0.8, 0.0]) * np.array([[10.0], [35.0], [37.0], [100.0], [1e4]])
    np.testing.assert_allclose(ball.at(away), [-10, 15, 17, 80, 9980], atol=2.0)
    np.testing.assert_allclose(ball.gradient(away[3:]), np.broadcast_to([0.6, 0.8, 0.0], (2, 3)), atol=0.35)


@pytest.mark.parametrize(("points", "error"), [(np.zeros((3, 2)), ShapeError), (np.zeros(3), ShapeError), (np.full((1, 3), np.inf), NonFiniteError)])
def test_bad_points(ball, points, error):
    for ask in (ball.at, ball.gradient):
        with pytest.raises(error) as caught:
            ask(points)
        assert caught.value.remedy


def test_wrong_files(ball, tmp_path):
    import torch

    (tmp_path / "text.safetensors").write_text("nothing of the kind")
    write_checkpoint(tmp_path / "other.safetensors", Checkpoint({"model": "x"}, {"a.b": torch.zeros(1)}))
    ball.save(tmp_path / "ball.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "ball.safetensors").read_bytes()[:-1000])
    for name, words in (("text", "not a safetensors"), ("other", "no encoded shape"), ("cut", "cut"), ("missing", "no such file")):
        with pytest.raises(CheckpointError, match=words) as caught:
            EncodedShape.load(tmp_path / f"{name}.safetensors")
        assert caught.value.remedy
