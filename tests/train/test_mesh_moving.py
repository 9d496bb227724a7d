"""Training of movers without data and from a classical one, and the family of fields."""

import numpy as np
import pytest
import torch
from moving_meshes import square

from geoop.errors import CheckpointError, ConfigurationError, ShapeError
from geoop.graph.pointset import PointSet
from geoop.models.branch_trunk_mover import BranchTrunkMover
from geoop.models.cosine_potential import sampled
from geoop.models.mesh_mover import AbstractMeshMover, UnrolledMover
from geoop.solve.monitors import FunctionMonitor
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.train.mesh_moving import MovingSettings, _cloud, _turned, _turned_places, _weighed_cloud, fit_mover, monge_ampere_residual
from geoop.train.monitor_family import LayeredField, drawn_monitors, lattice_monitor


def left_over(model: AbstractMeshMover, log_m: torch.Tensor, latent: torch.Tensor) -> float:
    points = torch.rand(1, 3000, 2, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        return float(monge_ampere_residual(model, latent, log_m, points)[0].square().mean().sqrt())


def test_hessians_of_the_family_are_the_second_derivatives_of_its_values():
    random, h = np.random.default_rng(0), 1e-4
    for _ in range(8):
        field, x = LayeredField.drawn(random), random.uniform(0.05, 0.95, size=(50, 2))
        exact = field.hessian(x)
        for i in (0, 1):
            for j in (0, 1):
                a, b = h * np.eye(2)[i], h * np.eye(2)[j]
                found = (field.value(x + a + b) - field.value(x + a - b) - field.value(x - a + b) + field.value(x - a - b)) / (4 * h * h)
                assert np.abs(found - exact[:, i, j]).max() < 1e-3 * (1 + np.abs(exact).max())


def test_a_lattice_monitor_has_the_strength_that_it_was_given():
    monitors = np.exp(drawn_monitors(5, 32, seed=3, strength=(4.0, 4.0)))
    assert np.allclose(monitors.max(axis=(1, 2)), 5.0, rtol=1e-5)
    assert (monitors >= 1).all()
    assert np.array_equal(lattice_monitor(np.zeros((4, 4, 2, 2))), np.ones((4, 4)))


def test_a_short_training_without_data_beats_the_iteration_on_fields_that_it_has_not_seen():
    """What two steps leave of the equation falls by a fifth within seconds; only factors of waves are learned."""
    torch.manual_seed(0)
    model = UnrolledMover(20, 32, steps=2, width=0)
    unseen = torch.from_numpy(drawn_monitors(12, 32, seed=99))
    before = left_over(model, unseen, model.solve(unseen))
    fit_mover(model, drawn_monitors(40, 32, seed=0), MovingSettings(steps=60, batch=6, points=200, rate=3e-2, cloud=100), progress=False)
    with torch.no_grad():
        assert left_over(model, unseen, model.solve(unseen)) < 0.8 * before


def test_the_published_form_learns_without_data():
    torch.manual_seed(0)
    model = BranchTrunkMover(32, 32, moments=6, waves=4)
    monitors = drawn_monitors(4, 24, seed=1, smoothing=(0.05, 0.08))
    log_m = torch.from_numpy(monitors)
    place = (torch.arange(24) + 0.5) / 24
    pos = torch.cartesian_prod(place, place)
    cloud = PointSet.concatenate([PointSet(pos, m.reshape(-1, 1), weight=torch.full((576,), 1 / 576)) for m in log_m])
    with torch.no_grad():
        before = left_over(model, log_m, model.encode(cloud))
    fit_mover(model, monitors, MovingSettings(steps=120, batch=4, points=150, rate=1e-2, muon_rate=3e-2, cloud=300), progress=False)
    with torch.no_grad():
        assert left_over(model, log_m, model.encode(cloud)) < 0.95 * before


def test_it_learns_from_the_places_that_another_mover_found():
    teacher, pupil = UnrolledMover(20, 32, steps=30, width=0, learned=False), UnrolledMover(20, 32, steps=2, width=0)
    monitors = drawn_monitors(24, 32, seed=2)
    place = torch.linspace(0, 1, 15)
    nodes = torch.stack(torch.meshgrid(place, place, indexing="ij"), dim=-1).reshape(1, -1, 2)
    with torch.no_grad():
        targets = (nodes + teacher.displacement(teacher.solve(torch.from_numpy(monitors)), nodes)).reshape(24, 15, 15, 2).numpy()

    def distance() -> float:
        with torch.no_grad():
            found = nodes + pupil.displacement(pupil.solve(torch.from_numpy(monitors)), nodes)
        return float((found - torch.from_numpy(targets).reshape(24, -1, 2)).square().mean().sqrt())

    before = distance()
    fit_mover(pupil, monitors, MovingSettings(steps=60, batch=6, rate=3e-2, cloud=100), targets=targets, progress=False)
    assert distance() < 0.9 * before


@pytest.mark.parametrize("turn", range(8))
def test_targets_turn_with_their_monitors(turn):
    """The nodes of a turned monitor are the turned nodes: what one position of the square teaches holds in the others."""
    teacher, monitors = UnrolledMover(20, 32, steps=30, width=0, learned=False), torch.from_numpy(drawn_monitors(3, 32, seed=5))
    place = torch.linspace(0, 1, 9)
    nodes = torch.stack(torch.meshgrid(place, place, indexing="ij"), dim=-1).reshape(1, -1, 2)

    def moved(log_m: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return (nodes + teacher.displacement(teacher.solve(log_m), nodes)).reshape(-1, 9, 9, 2)

    expected = moved(_turned(monitors, turn))
    assert torch.allclose(_turned_places(moved(monitors), turn), expected, atol=2e-4)
    assert (expected - nodes.reshape(1, 9, 9, 2)).abs().max() > 1e-2


def test_the_published_form_learns_where_the_classical_mover_puts_the_nodes():
    """On monitors that it was not shown it ends nearer to the nodes of finite elements than they were before they moved, and than it began."""
    monitors, side, place = drawn_monitors(40, 24, seed=6, smoothing=(0.05, 0.08)), 13, (torch.arange(24) + 0.5) / 24
    mesh = square(side)

    def density(log_m: np.ndarray) -> FunctionMonitor:
        return FunctionMonitor(lambda x: sampled(torch.from_numpy(log_m).double()[None], torch.from_numpy(x)[None])[0].exp().numpy())

    targets = np.stack([MongeAmpere().move(mesh, density(log_m)).mesh.points.reshape(side, side, 2) for log_m in monitors])
    torch.manual_seed(0)
    model = BranchTrunkMover(32, 32, moments=6, waves=4)
    clouds = [
        PointSet(torch.cartesian_prod(place, place), torch.from_numpy(m).reshape(-1, 1), weight=torch.full((576,), 1 / 576)) for m in monitors[32:]
    ]
    wanted, still = torch.from_numpy(targets[32:].reshape(8, -1, 2)), torch.from_numpy(np.array(mesh.points))

    def distance() -> float:
        with torch.no_grad():
            found = still + model.displacement(model.encode(PointSet.concatenate(clouds)), still.float()[None]).double()
        return float((found - wanted).square().sum(dim=-1).mean().sqrt())

    before, none = distance(), float((still - wanted).square().sum(dim=-1).mean().sqrt())
    how = MovingSettings(steps=150, batch=6, rate=1e-2, muon_rate=2e-2, cloud=300)
    fit_mover(model, monitors[:32], how, targets=targets[:32], progress=False)
    assert distance() < 0.8 * min(before, none)


def test_an_interrupted_training_goes_on_bit_by_bit(tmp_path):
    monitors = drawn_monitors(6, 16, seed=4)

    def trained(path, pause: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        model = UnrolledMover(8, 16, steps=2, width=4)
        how = MovingSettings(steps=6, batch=2, points=50, cloud=50, keep_every=0.0)
        if pause:
            from geoop.train.mesh_moving import _Moving

            loop = _Moving(model, torch.from_numpy(monitors), None, how)
            for _ in range(3):
                loop.step()
            from geoop.io.checkpoint import write_checkpoint

            write_checkpoint(path, loop.state())
            torch.manual_seed(7)
            model = UnrolledMover(8, 16, steps=2, width=4)
        fit_mover(model, monitors, how, state=path, progress=False)
        return model.state_dict()

    whole, resumed = trained(tmp_path / "a.safetensors", False), trained(tmp_path / "b.safetensors", True)
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    with pytest.raises(CheckpointError, match="model"):
        fit_mover(
            UnrolledMover(8, 16, steps=3, width=4), monitors, MovingSettings(steps=6, batch=2, points=50, cloud=50), state=tmp_path / "a.safetensors"
        )


def test_bad_input_is_named():
    with pytest.raises(ShapeError, match=r"monitors \(2, 3, 4\)"):
        fit_mover(UnrolledMover(8, 16), np.zeros((2, 3, 4)), MovingSettings(steps=1))
    with pytest.raises(ShapeError, match="targets"):
        fit_mover(UnrolledMover(8, 16), np.zeros((2, 16, 16)), MovingSettings(steps=1), targets=np.zeros((1, 4, 4, 2)))
    with pytest.raises(ConfigurationError, match="exactly one positive budget"):
        MovingSettings()
    with pytest.raises(ConfigurationError, match="spiral"):
        LayeredField.drawn(np.random.default_rng(0), kinds=("spiral",))


def test_clouds_of_the_branch_have_quadrature_weights():
    """Weights differ and sum to one; what they integrate is five times closer than by equal weights of random points."""
    place = (torch.arange(64) + 0.5) / 64
    log_m = torch.cos(3 * torch.pi * place)[:, None] * torch.cos(2 * torch.pi * place) + place[:, None]
    exact, draw = float(log_m.mean()), torch.Generator().manual_seed(0)
    errors = {weighed: [] for weighed in (True, False)}
    for _ in range(40):
        for weighed, make in ((True, _weighed_cloud), (False, _cloud)):
            cloud = make(log_m, 1000, draw)
            assert float(cloud.weight.sum()) == pytest.approx(1.0, abs=1e-5) and cloud.pos.min() >= 0 and cloud.pos.max() <= 1
            errors[weighed].append(float((cloud.weight * cloud.scalars[:, 0]).sum()) - exact)
    assert _weighed_cloud(log_m, 1000, draw).weight.std() > 1e-5
    assert np.std(errors[True]) < 0.2 * np.std(errors[False])
