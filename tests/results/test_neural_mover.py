"""Movers of boxes on real meshes: nothing folds, nothing leaves, what cannot be moved is named, and a checkpoint gives the same points bit by bit."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import geoop
from geoop.cli.app import main
from geoop.errors import CheckpointError, FieldError, GeoopError, InvalidMeshError
from geoop.interfaces.moving import Mover
from geoop.io.checkpoint import Checkpoint, write_checkpoint
from geoop.io.writing import write
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import disk
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4
from geoop.models.branch_trunk_mover import BranchTrunkMover
from geoop.models.mesh_mover import UnrolledMover
from geoop.results.confidence.judging import judge
from geoop.results.evaluation import evaluate
from geoop.results.neural_mover import NeuralMover
from geoop.results.surrogate import load_predictor
from geoop.solve.monitors import FunctionMonitor, hessian_monitor
from geoop.train.monitor_family import LayeredField

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tools"))
from moving_neural import FIELDS, interpolation_error, square, unstructured


def plain() -> NeuralMover:
    """The iteration, with nothing learned."""
    return NeuralMover(UnrolledMover(48, 96, width=0, learned=False))


def wild(size: float, seed: int) -> NeuralMover:
    """A mover whose network says nonsense."""
    torch.manual_seed(seed)
    model = UnrolledMover(24, 48, steps=3, width=8)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * torch.randn_like(parameter))
    return NeuralMover(model)


def quads(n: int) -> Mesh:
    x = np.linspace(0, 1, n)
    points = np.stack(np.meshgrid(3 * x, 0.5 + x, indexing="ij"), axis=-1).reshape(-1, 2)
    number = np.arange(n * n).reshape(n, n)
    rows = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], axis=-1).reshape(-1, 4)
    return Mesh(points, Cells.of(quad=rows), name="quads")


MESHES = {"structured": lambda: square(20), "unstructured": lambda: unstructured(0.06), "quads in a rectangle": lambda: quads(16)}


@pytest.mark.parametrize("mesh", MESHES.values(), ids=MESHES.keys())
@pytest.mark.parametrize("size", [0.0, 0.2, 1.0])
def test_no_cell_folds_and_no_point_leaves_whatever_the_network_says(mesh, size):
    mesh, random = mesh(), np.random.default_rng(3)
    low, high = mesh.bounds
    outcomes = set()
    for seed in range(6):
        field = LayeredField.drawn(random)
        monitor = hessian_monitor(mesh, field.value((mesh.points - low) / (high - low)), strength=50.0)
        moved = wild(size, seed).move(mesh, monitor)
        outcomes.add(moved.outcome.status)
        assert (signed_measures(moved.mesh) * np.sign(signed_measures(mesh)) > 0).all()
        assert moved.inverted == 0 or moved.mesh is mesh
        for k in (0, 1):
            for side in (low[k], high[k]):
                there = mesh.points[:, k] == side
                assert (moved.mesh.points[there, k] == side).all()  # exactly
        assert ((moved.mesh.points >= low) & (moved.mesh.points <= high)).all()
    if size == 0.0:
        assert "tangled" not in outcomes  # of an untrained network, even for a monitor ten times too strong
    if size == 1.0:
        assert outcomes != {"converged"}  # the gate is really met


@pytest.mark.parametrize("mesh", MESHES.values(), ids=MESHES.keys())
def test_a_constant_monitor_is_the_identity(mesh):
    mesh = mesh()
    for model in (UnrolledMover(24, 48), BranchTrunkMover(16, 16)):
        moved = NeuralMover(model).move(mesh, FunctionMonitor(lambda p: np.full(len(p), 7.0)))
        assert np.abs(moved.mesh.points - mesh.points).max() < 1e-10
        assert moved.outcome.status == "converged"


def test_a_mover_moves_as_the_protocol_says():
    mesh = square(30)
    before = mesh.points.copy()
    mover = plain()
    assert isinstance(mover, Mover)
    moved = mover.move(mesh, hessian_monitor(mesh, FIELDS["ring .05"](mesh.points)))
    assert np.array_equal(mesh.points, before)
    assert np.array_equal(moved.mesh.cells.connectivity, mesh.cells.connectivity)
    for name in mesh.patches:
        assert np.array_equal(moved.mesh.patch_points(name), mesh.patch_points(name))


def test_a_density_of_one_direction_gives_its_analytic_map():
    """m = 1 + a x is shared evenly by x(xi) = (sqrt(1 + a (2 + a) xi) - 1)/a, and nothing moves in y."""
    mesh, a = square(33), 4.0
    model = NeuralMover(UnrolledMover(64, 128, steps=60, width=0, learned=False))
    moved = model.move(mesh, FunctionMonitor(lambda p: 1 + a * p[:, 0])).mesh.points
    exact = (np.sqrt(1 + a * (2 + a) * mesh.points[:, 0]) - 1) / a
    assert np.abs(moved[:, 0] - exact).max() < 1e-3
    assert np.abs(moved[:, 1] - mesh.points[:, 1]).max() < 1e-6


@pytest.mark.parametrize(("field", "gain"), [("ring .05", 1.9), ("ring .02", 3.5), ("front .05", 4.5), ("Gaussian .05", 2.0), ("smooth", 1.0)])
def test_six_plain_steps_gain_already(field, gain):
    mesh = square(48)
    moved = plain().move(mesh, hessian_monitor(mesh, FIELDS[field](mesh.points)))
    assert interpolation_error(mesh, FIELDS[field]) > gain * interpolation_error(moved.mesh, FIELDS[field])


def test_an_order_of_points_and_a_box_elsewhere_change_nothing():
    mesh, mover = unstructured(0.08), plain()

    def density(p: np.ndarray) -> np.ndarray:
        return 1 + 5 * np.exp(-((p - 0.4) ** 2).sum(axis=1) / 0.02)

    expected = mover.move(mesh, FunctionMonitor(density)).mesh.points
    order = np.random.default_rng(0).permutation(len(mesh.points))
    new = np.argsort(order)
    shuffled = Mesh(mesh.points[order], mesh.cells.renumbered(new), {k: v.renumbered(new) for k, v in mesh.patches.items()})
    assert np.allclose(mover.move(shuffled, FunctionMonitor(density)).mesh.points, expected[order], atol=1e-12)
    away = mesh.moved(5 + 2 * mesh.points)
    found = mover.move(away, FunctionMonitor(lambda p: density((p - 5) / 2))).mesh.points
    assert np.allclose(found, 5 + 2 * expected, atol=1e-5)  # the densities are asked for in float32


@pytest.mark.parametrize(
    "model", [UnrolledMover(16, 24, steps=2, width=4), BranchTrunkMover(16, 16, moments=4)], ids=["unrolled", "branch and trunk"]
)
def test_a_checkpoint_gives_the_same_points_bit_by_bit(model, tmp_path):
    mesh = square(12)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    mover, monitor = NeuralMover(model, {"family": "test"}), hessian_monitor(mesh, FIELDS["ring .05"](mesh.points))
    again = geoop.load(mover.save(tmp_path / "mover.safetensors"))
    assert isinstance(again, NeuralMover)
    assert again.about == {"family": "test"}
    assert np.array_equal(again.move(mesh, monitor).mesh.points, mover.move(mesh, monitor).mesh.points)


def test_a_mover_is_refused_where_fields_are_asked_for(tmp_path):
    file = NeuralMover(UnrolledMover(16, 24, steps=2, width=4), {"family": "test"}).save(tmp_path / "mover.safetensors")
    for ask in (
        lambda: load_predictor(file),
        lambda: evaluate(file, tmp_path),
        lambda: judge(file, tmp_path),
        lambda: geoop.study(model=str(file), geometry="naca0012", alpha=0, velocity=9, output=tmp_path / "s"),
    ):
        with pytest.raises(GeoopError, match="predicts? no fields"):
            ask()
    write(Case(naca4("0012")), tmp_path / "wing.vtp")
    assert main(["predict", str(file), str(tmp_path / "wing.vtp"), "--velocity", "10", "-o", str(tmp_path / "out.vtu")]) == 2


def test_damaged_checkpoints_are_named(tmp_path):
    header = {"mover": {"class": "geoop.models.mesh_mover:UnrolledMover", "arguments": {"nodes": 16}}}
    write_checkpoint(tmp_path / "bad.safetensors", Checkpoint(header, {"model.factor": torch.zeros(2)}))
    with pytest.raises(CheckpointError, match="does not fit the arrays"):
        geoop.load(tmp_path / "bad.safetensors")
    write_checkpoint(tmp_path / "other.safetensors", Checkpoint({"model": {}}, {"model.factor": torch.zeros(2)}))
    with pytest.raises(CheckpointError, match="not that of a mover"):
        NeuralMover.load(tmp_path / "other.safetensors")


def test_what_cannot_be_moved_is_named_at_once():
    mover, even = plain(), FunctionMonitor(lambda p: np.ones(len(p)))
    with pytest.raises(InvalidMeshError, match="the cells cover 7[0-9.]*% of the box"):
        mover.move(disk(6), even)
    mesh = square(9)
    side = mesh.patches["left"].block("line")
    split = Mesh(mesh.points, mesh.cells, {"inlet": Cells.of(line=side[:4]), "above": Cells.of(line=side[4:])})
    with pytest.raises(InvalidMeshError, match="patches meet at 1 points"):
        mover.move(split, even)
    with pytest.raises(InvalidMeshError, match="cells of dimension 3 in 3-D"):
        mover.move(Mesh(np.eye(4)[:, :3], Cells.of(tetra=np.array([[0, 1, 2, 3]]))), even)
    for bad in (lambda p: np.full(len(p), np.nan), lambda p: np.zeros(len(p)), lambda p: np.ones(3)):
        with pytest.raises(FieldError):
            mover.move(mesh, FunctionMonitor(bad))
