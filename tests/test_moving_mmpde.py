"""The study of the two-mesh stepper: its truth, its meshes, its judge and its rollout."""

import moving_mmpde as study
import numpy as np
import pytest
import torch

from geoop.models.moving_mesh_stepper import MovingMeshStepper
from geoop.truth.datasets import burgers

NAME = "burgers_0001"
COARSE = {"cells": 12, "ghost": 2}


def wave(frame: int, points: np.ndarray) -> np.ndarray:
    """A periodic wave that travels by a fortieth of the period in a frame."""
    phase = 2 * np.pi * (points[:, 0] + points[:, 1] - frame / 40)
    return np.stack([np.sin(phase), 0.3 * np.cos(phase)], axis=1)


@pytest.fixture
def series(tmp_path, monkeypatch):
    place = np.arange(64) / 64
    grid = np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1).reshape(-1, 2)
    values = np.stack([wave(k, grid).T.reshape(2, 64, 64) for k in range(burgers.FRAMES)])
    np.save(tmp_path / f"{NAME}.npy", values.astype(np.float32))
    monkeypatch.setattr(study, "names", lambda split: [NAME])
    return study.FineSeries(tmp_path, NAME)


def test_truth_is_known_everywhere_in_the_periodic_plane(series):
    points = np.random.default_rng(0).uniform(-1.5, 2.5, size=(200, 2))
    for frame in (0, 7, 30):
        np.testing.assert_allclose(series.at(frame, points), wave(frame, points), atol=2e-6)


def test_the_frames_are_those_of_the_set(tmp_path, monkeypatch):
    monkeypatch.setattr(burgers, "FRAMES", 2)
    monkeypatch.setattr(burgers, "FINE", 96)
    burgers.frames.cache_clear()
    found = study.FineSeries(tmp_path, NAME)
    expected = burgers.frames(0, NAME)
    burgers.frames.cache_clear()
    for k in (0, 1):
        np.testing.assert_allclose(found.at(k, burgers._mesh().points), expected[k], atol=2e-6)


def test_meshes_reach_beyond_the_square_and_staggered_nodes_lie_between():
    design = study.Design("moved", **COARSE)
    base, between = study.base_mesh(design), study.staggered_mesh(design)
    np.testing.assert_allclose(base.bounds, [[-2 / 12] * 2, [14 / 12] * 2], atol=1e-14)
    np.testing.assert_allclose(between.bounds, base.bounds, atol=1e-14)
    assert len(base.points) == 17**2
    assert len(between.points) == 18**2
    inner = between.points[(np.abs(between.points - 0.5) < 0.5 + 1.9 / 12).all(axis=1)]
    np.testing.assert_allclose((inner * 12) % 1, 0.5, atol=1e-9)
    assert study._inside(base).sum() == pytest.approx((13 / 12) ** 2, rel=5e-3)  # nodes on the sides have whole cells


def test_the_judge_is_exact_for_planes_and_of_second_order_for_waves(series):
    grid, errors = study._fine_points(), []
    for cells in (12, 24):
        mesh = study.base_mesh(study.Design("unmoved", cells=cells, ghost=2))
        at = study._evaluation(mesh, grid)
        np.testing.assert_allclose(at @ (mesh.points @ [2.0, -1.0] + 3), grid @ [2.0, -1.0] + 3, atol=1e-12)
        step = study.StepSample(*[torch.zeros(1)] * 3, None)  # type: ignore[arg-type]
        errors.append(study.JudgedSample(step, at, series.at(4, grid)).fine_error(series.at(4, mesh.points)))
    assert 3.7 < np.log2(errors[0] / errors[1]) < 4.3  # of the square


def test_a_stepper_that_stands_still_is_judged_as_the_state_at_the_start(series):
    torch.manual_seed(0)
    model, grid = MovingMeshStepper(2, 1, width=4, edge_width=4, depth=1), study._fine_points()
    stays = [float(((wave(5, grid) - wave(5 + k, grid)) ** 2).mean()) for k in (1, 2, 3)]
    for kind, near in (("unmoved", 0.02), ("moved", 0.05)):
        found = study.rollout(model, study.Design(kind, carried=True, cells=24, ghost=2), series, 5, 3)
        missed = found[0] - stays[0]  # what linear interpolation loses
        assert abs(missed) < 0.1 * stays[0]
        np.testing.assert_allclose(found, stays, rtol=0.1)
        assert abs(found[2] - found[0] - (stays[2] - stays[0])) < near * stays[2]


@pytest.mark.parametrize(
    "design",
    [
        study.Design("moved", carried=True, **COARSE),
        study.Design("staggered", informed=True, **COARSE),
        study.Design("moved", denser=1.4, gate="place", **COARSE),
        study.Design("unmoved", cells=16),
    ],
    ids=["carried", "informed", "denser", "published"],
)
def test_every_design_is_trained_and_judged(series, tmp_path, monkeypatch, design):
    monkeypatch.setattr(study, "EVERY", {"train": 10, "val": 10, "test": 10})
    monkeypatch.setattr(burgers, "FRAMES", 21)
    row = study.tested_row(design, tmp_path, {}, 0, minutes=0.01)
    assert 0 < row["mse"] < 1.2 * row["persistence"]  # half a second of training, on a busy machine a few steps: no worse than standing still
    assert row["fine_mse_of_truth_at_nodes"] < row["fine_mse"] < 1.2 * row["persistence"]
    assert (row["second_nodes"] > row["nodes"]) == (design.second == "staggered" or design.denser > 1)
    assert ("rollout, 10" in row) == design.carried
