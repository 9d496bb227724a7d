"""The study of movers trained from the classical one: its targets, and the distance that they are judged by."""

import moving_supervised as study
import numpy as np
import pytest
from moving_neural import square

from geoop.models.branch_trunk_mover import BranchTrunkMover
from geoop.models.mesh_mover import UnrolledMover


@pytest.fixture
def small(monkeypatch):
    for name, value in {"NODES": 17, "LATTICE": 32, "UNSEEN": 4, "MONITORS": 6}.items():
        monkeypatch.setattr(study, name, value)


def test_targets_are_moved_nodes_in_the_order_of_the_square():
    x = (np.arange(32) + 0.5) / 32
    monitors = np.log(np.stack([np.ones((32, 32)), np.repeat(1 + 4 * x[:, None], 32, axis=1)])).astype(np.float32)
    places, kept = study.classical_nodes(monitors, 17)
    assert kept.tolist() == [0, 1]
    np.testing.assert_allclose(places[0], square(17).points.reshape(17, 17, 2), atol=1e-9)
    exact = (np.sqrt(1 + 24 * np.linspace(0, 1, 17)) - 1) / 4  # a density of x alone moves nodes along x alone
    np.testing.assert_allclose(places[1][:, :, 0], np.repeat(exact[:, None], 17, axis=1), atol=1e-2)  # a sixth of a spacing
    np.testing.assert_allclose(places[1][:, :, 1], np.repeat(np.linspace(0, 1, 17)[None], 17, axis=0), atol=2e-3)


def test_a_converged_iteration_is_near_the_classical_nodes_and_a_new_network_is_not(small, tmp_path):
    none = study.distance(tmp_path, None)
    assert none > 0.3
    assert study.distance(tmp_path, UnrolledMover(32, 32, steps=40, width=0, learned=False)) < 0.3 * none
    assert study.distance(tmp_path, BranchTrunkMover(16, 16, moments=4, waves=3)) > 0.8 * none


def test_the_budget_pays_for_the_targets(small, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "MINUTES", 0.05)
    row = study._train(UnrolledMover(8, 16, steps=2, width=0), tmp_path / "mover.safetensors")
    assert 0 < row["target_cpu_seconds"] < row["cpu_seconds"] < 6.0
    assert (tmp_path / "mover.safetensors").exists()
    again = study._train(UnrolledMover(8, 16, steps=2, width=0), tmp_path / "other.safetensors")
    assert again["target_cpu_seconds"] == row["target_cpu_seconds"]  # kept on disk, and counted for each
