"""Baselines in regions and on outlines: which transfer is chosen, that linear problems are solved exactly, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from geoop.baselines.choosing import chosen, from_header, header_of
from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.kernel_ridge import KernelRidge
from geoop.baselines.mean_field import MeanField
from geoop.baselines.nearest_shape import NearestShape
from geoop.baselines.node_wise import NodeWise
from geoop.baselines.region_boundary import StarBoundary
from geoop.baselines.region_grid import RegionGrid
from geoop.baselines.ridge import Ridge
from geoop.errors import ConfigurationError, DatasetError, InvalidMeshError, PatchError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.disk import star
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field, Quantity

KINDS = (MeanField, NearestShape, Ridge, KernelRidge, GaussianProcessModes)
SOURCE, SOLUTION = Quantity("source", "f", "1/m^2"), Quantity("solution", "u")
FREEDOM = 12


def waves(points: np.ndarray) -> np.ndarray:
    """(n, FREEDOM) smooth functions."""
    k = np.arange(FREEDOM)
    return np.cos(2.0 * np.outer(points[:, 0], k // 3)) * np.cos(2.0 * np.outer(points[:, 1], k % 3))


def region(seed: int, rings: int = 10, roughness: float = 0.0, bend: float = 0.0) -> Case:
    """A disk or star with a random source; solution = (sum of decaying parts of the source) + bend * its square."""
    rng = np.random.default_rng(seed)
    a, b = roughness * rng.normal(size=2)
    mesh = star(rings, lambda t: 1.0 + a * np.cos(2 * t) + b * np.sin(3 * t), center=(0.5, 0.5))
    part = rng.normal(size=FREEDOM)
    parts = waves(mesh.points)
    u = parts @ (part / np.arange(1, FREEDOM + 1))
    fields = {"source": Field(SOURCE, parts @ part), "solution": Field(SOLUTION, u + bend * u**2)}
    return Case(mesh, fields=fields, name=f"region-{seed}")


def errors(baseline, cases: list[Case]) -> np.ndarray:
    true = [case.field("solution").values for case in cases]
    return np.array([np.linalg.norm(baseline.predict(c)["solution"].values - t) / np.linalg.norm(t) for c, t in zip(cases, true, strict=True)])


@pytest.fixture(scope="module")
def disks() -> SimpleNamespace:
    return SimpleNamespace(train=[region(k) for k in range(40)], test=[region(k) for k in range(100, 108)])


def test_the_transfer_follows_the_cases(disks: SimpleNamespace, flow: Callable[..., Case]) -> None:
    def kind(cases: list[Case]) -> str:
        return chosen(cases)[0].kind

    flows = [flow(k, 60) for k in range(2)]
    walls = [Case(c.mesh.submesh(c.mesh.patches["wall"], patches=dict(c.mesh.patches)), c.operating_point) for c in flows]
    assert kind(disks.train[:3]) == "nodes" and kind([region(1, 8), region(2, 10)]) == "region"
    assert kind(flows) == "body" and kind(walls) == "surface"
    cloud = [Case(Mesh(np.random.default_rng(0).random((30, 2)))) for _ in range(2)]
    other = [Case(Mesh(np.random.default_rng(k).random((30, 2)))) for k in range(2)]
    assert kind(cloud) == "nodes" and kind(other) == "region"  # clouds correspond only where they are one
    for cases in (disks.train[:3], [region(1, 8), region(2, 10)], flows, walls):
        transfer, _ = chosen(cases)
        assert from_header(header_of(transfer)) == transfer
    with pytest.raises(ConfigurationError, match="transfer is 'grid'"):
        chosen(flows, "grid")


def test_ridge_solves_a_linear_problem_once_it_has_seen_all_of_it(disks: SimpleNamespace) -> None:
    """The line that every claim on a linear benchmark must print; with fewer cases than degrees of freedom it fails."""
    assert errors(Ridge(inputs=("source",)).fit(disks.train, ["solution"]), disks.test).max() < 1e-6
    assert errors(KernelRidge(inputs=("source",)).fit(disks.train, ["solution"]), disks.test).max() < 1e-5
    assert errors(Ridge(inputs=("source",)).fit(disks.train[: FREEDOM // 2], ["solution"]), disks.test).mean() > 0.1
    blind = errors(Ridge().fit(disks.train, ["solution"]), disks.test)  # sees nothing that differs: the mean
    assert np.allclose(blind, errors(MeanField().fit(disks.train, ["solution"]), disks.test))


def test_a_bent_problem_needs_a_kernel() -> None:
    """u + u^2 lies in the span of products of two parts of the source: a quadratic kernel finds it, ridge cannot."""
    train, test = [region(k, 6, bend=0.2) for k in range(120)], [region(k, 6, bend=0.2) for k in range(200, 210)]
    linear = errors(Ridge(inputs=("source",)).fit(train, ["solution"]), test).mean()
    kernel = KernelRidge(inputs=("source",)).fit(train, ["solution"])
    assert kernel.kernel.given.form == "quadratic" and errors(kernel, test).mean() < 1e-3 * linear


def test_what_is_known_needs_no_learning(disks: SimpleNamespace) -> None:
    """With the difference to a known field as target, a constant difference is learned by the mean."""
    shifted = [c.with_fields(Field(Quantity("guess", "g"), c.field("solution").values - 3.0)) for c in disks.train + disks.test]
    baseline = MeanField(beyond={"solution": "guess"}).fit(shifted[:40], ["solution"])
    assert errors(baseline, shifted[40:]).max() < 1e-12
    with pytest.raises(ConfigurationError, match="not learned"):
        MeanField(beyond={"pressure": "guess"}).fit(shifted[:3], ["solution"])
    with pytest.raises(PatchError, match="guess"):
        baseline.predict(disks.test[0])


def test_stars_are_mapped_onto_the_disk() -> None:
    case = region(3, 16, roughness=0.1)
    transfer = RegionGrid.of([case, region(4, 16, roughness=0.1)])
    place = transfer.place(case)
    rho = np.linalg.norm(2 * place.at - 1, axis=1)
    border = np.unique(case.mesh.patches["boundary"].connectivity)
    assert transfer.star and np.allclose(rho[border], 1.0, atol=3e-3)  # nodes between corners lie on the curve, not on the chord
    assert (np.delete(rho, border) < 0.999).all()
    assert np.allclose(transfer.decode(place, transfer.encode(place, np.full((len(rho), 1), 2.5))), 2.5, atol=1e-8)


def test_the_floor_of_the_square_falls_with_the_points() -> None:
    found = []
    for rings in (6, 12, 24):
        cases = [region(k, rings, roughness=0.1) for k in range(2)]
        baseline = MeanField(transfer="region").fit(cases, ["solution"])
        true = cases[0].field("solution").values
        found.append(np.linalg.norm(baseline.floor(cases[0])["solution"].values - true) / np.linalg.norm(true))
    assert found[0] < 0.1 and found[1] < 0.5 * found[0] and found[2] < 0.5 * found[1]


def holed(shift: float) -> Case:
    """A square grid without a square in it, which moves with the shift."""
    axis = np.linspace(0.0, 1.0, 21)
    number = np.arange(441).reshape(21, 21)
    quads = np.array([[number[i, j], number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]] for i in range(20) for j in range(20)])
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    middle = points[quads].mean(axis=1)
    mesh = Mesh(points, Cells.of(quad=quads[np.abs(middle - [0.5 + shift, 0.5]).max(axis=1) > 0.15]))
    used = mesh.submesh(mesh.cells)
    return Case(used, fields={"solution": Field(SOLUTION, np.sin(3 * used.points[:, 0]) * used.points[:, 1])}, name=f"holed {shift}")


def test_regions_with_holes_are_taken_as_they_are() -> None:
    cases = [holed(s) for s in (-0.2, -0.1, 0.0, 0.1, 0.2)]
    assert StarBoundary.of(cases[0].mesh) is None
    baseline = MeanField().fit(cases, ["solution"])
    assert not baseline._fitted.transfer.star
    # one smooth function on all of them: the mean of its continuations into the holes is that function, up to the continuation
    assert errors(baseline, [holed(0.05)]).max() < 0.03
    assert len(baseline._fitted.features.shapes.deviation) >= 2  # the hole is seen


def test_other_regions_are_refused(disks: SimpleNamespace) -> None:
    baseline = Ridge(inputs=("source",)).fit(disks.train[:5], ["solution"])
    with pytest.raises(InvalidMeshError, match="transfer='region'"):
        baseline.predict(region(1, 7))
    with pytest.raises(PatchError, match="source"):
        baseline.predict(Case(disks.test[0].mesh))
    with pytest.raises(DatasetError, match="1 of 2 training cases have other cells"):
        Ridge(transfer="nodes").fit([region(1, 7), region(2, 8)], ["solution"])
    stars = MeanField().fit([region(1, 7), region(2, 8)], ["solution"])
    with pytest.raises(InvalidMeshError, match="no point sees all"):
        stars.predict(holed(0.0))
    solid = Mesh(np.eye(4, 3), Cells.of(tetra=np.array([[0, 1, 2, 3]])))
    with pytest.raises(InvalidMeshError, match="3-D"):
        RegionGrid.of([Case(solid)])
    assert NodeWise.of(solid).place(Case(solid)).shape().shape == (12,)  # by number any dimension will do


@pytest.mark.parametrize("transfer", ["nodes", "region"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_arrays_give_a_predictor_with_bit_equal_answers(kind: type, transfer: str, tmp_path) -> None:
    train = [region(k, 6, roughness=0.1) for k in range(8)]
    baseline = kind(inputs=("source",), transfer=transfer).fit(train, ["solution"])
    np.savez(tmp_path / "baseline.npz", **baseline.to_arrays())
    with np.load(tmp_path / "baseline.npz", allow_pickle=False) as stored:
        again = kind.from_arrays(dict(stored))
    case = region(50, 6, roughness=0.1)
    assert np.array_equal(baseline.predict(case)["solution"].values, again.predict(case)["solution"].values)


def test_tensors_and_vectors_are_learned_by_number(disks: SimpleNamespace) -> None:
    stress = Quantity("stress", "sigma", "Pa", 2)

    def more(case: Case) -> Case:
        f = case.field("solution").values
        return case.with_fields(Field(stress, f[:, None, None] * np.array([[1.0, 2.0], [2.0, -1e6]])))

    baseline = Ridge(inputs=("source",)).fit([more(case) for case in disks.train], ["stress", "solution"])
    case = more(disks.test[0])
    found = baseline.predict(case)
    for name in ("stress", "solution"):  # however different their sizes are
        assert np.allclose(found[name].values, case.field(name).values, rtol=1e-4, atol=1e-5 * np.abs(case.field(name).values).max())
