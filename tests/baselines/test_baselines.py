"""All baselines through one interface: each better than the one that knows less, none better than the transfer, and what they refuse."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from geoop.baselines.baseline import AbstractBaseline
from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.kernel_ridge import KernelRidge
from geoop.baselines.mean_field import MeanField
from geoop.baselines.nearest_shape import NearestShape
from geoop.baselines.ridge import Ridge
from geoop.errors import CheckpointError, ConditionError, ConfigurationError, DatasetError, InvalidMeshError, PatchError
from geoop.mesh.case import Case
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import icosphere
from geoop.mesh.quantity import QUANTITIES, Field

KINDS = (MeanField, NearestShape, Ridge, KernelRidge, GaussianProcessModes)


@pytest.fixture(scope="module")
def fitted(flows: SimpleNamespace) -> dict[type[AbstractBaseline], AbstractBaseline]:
    return {kind: kind().fit(flows.train, flows.quantities) for kind in KINDS}


def errors(predict: Callable[[Case], dict[str, Field]], cases: list[Case], name: str = "pressure_coefficient") -> np.ndarray:
    found = [predict(case)[name].values - case.field(name).values for case in cases]
    return np.array([np.linalg.norm(e) / np.linalg.norm(case.field(name).values) for e, case in zip(found, cases, strict=True)])


def test_each_baseline_beats_the_one_that_knows_less(fitted: dict, flows: SimpleNamespace) -> None:
    mean, nearest, ridge, kernel, process = (errors(fitted[kind].predict, flows.test).mean() for kind in KINDS)
    assert max(kernel, process) < 0.7 * min(ridge, nearest) and max(ridge, nearest) < 0.7 * mean
    oracle = GaussianProcessModes(flows.hidden).fit(flows.train, flows.quantities)
    assert errors(oracle.predict, flows.test).mean() < 0.8 * nearest
    floor = errors(fitted[MeanField].floor, flows.test).mean()
    assert floor < 0.2 * process  # the transfer does not bound the comparison


def test_the_nearest_shape_of_a_training_case_is_itself(fitted: dict, flows: SimpleNamespace) -> None:
    baseline = fitted[NearestShape]
    assert errors(baseline.predict, flows.train[:3]).max() < 0.01


def test_the_mean_field_is_the_mean(fitted: dict, flows: SimpleNamespace) -> None:
    """Among all constants in body-fitted coordinates the mean has the least squared error over the training cases."""
    states = {case.name: fitted[NearestShape]._state()[1]["vectors"][k] for k, case in enumerate(flows.train)}
    assert np.allclose(np.mean(list(states.values()), axis=0), fitted[MeanField]._state()[1]["mean"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_millimetres_speed_and_density_do_not_matter(kind: type, fitted: dict, flow: Callable[..., Case]) -> None:
    case, small = flow(200, 300), flow(200, 300, speed=5.0, unit=1e-3)
    small = dataclasses.replace(small, operating_point=dataclasses.replace(small.operating_point, density=900.0))
    first, second = fitted[kind].predict(case), fitted[kind].predict(small)
    assert np.allclose(first["pressure_coefficient"].values, second["pressure_coefficient"].values, atol=1e-8)
    assert np.allclose(first["velocity"].values / 60.0, second["velocity"].values / 5.0, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_arrays_give_a_predictor_with_bit_equal_answers(kind: type, fitted: dict, flow: Callable[..., Case], tmp_path) -> None:
    np.savez(tmp_path / "baseline.npz", **fitted[kind].to_arrays())
    with np.load(tmp_path / "baseline.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    case = flow(201, 200)
    first, second = fitted[kind].predict(case), kind.from_arrays(arrays).predict(case)
    for name, item in first.items():
        assert np.array_equal(item.values, second[name].values) and item.quantity == second[name].quantity


def test_points_inside_have_no_flow_and_the_points_asked_for_do_not_matter(fitted: dict, flow: Callable[..., Case]) -> None:
    case = flow(202, 100)
    section = case.mesh.submesh(case.mesh.patches["wall"], patches=dict(case.mesh.patches))
    inner = section.points.mean(axis=0)
    cells = section.cells
    more = Mesh(np.concatenate([section.points, [inner, inner + [0.0, 1.0]]]), cells, dict(section.patches))
    baseline = fitted[GaussianProcessModes]
    found = baseline.predict(Case(more, case.operating_point, wall=("wall",)))
    alone = baseline.predict(Case(section, case.operating_point, wall=("wall",)))
    assert np.isnan(found["velocity"].values[-2]).all() and np.isfinite(found["velocity"].values[-1]).all()
    assert np.array_equal(found["pressure_coefficient"].values[:-2], alone["pressure_coefficient"].values)


def test_surface_data_alone_are_enough(flows: SimpleNamespace) -> None:
    """Data sets that hold the wall only, as many RANS collections do."""

    def wall(case: Case) -> Case:
        mesh = case.mesh.submesh(case.mesh.patches["wall"], patches=dict(case.mesh.patches))
        return Case(
            mesh,
            case.operating_point,
            {"pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], case.field("pressure_coefficient").values[:120])},
        )

    baseline = GaussianProcessModes().fit([wall(case) for case in flows.train], ["pressure_coefficient"])
    assert errors(baseline.predict, [wall(case) for case in flows.test]).mean() < 0.1


def test_refusals(fitted: dict, flows: SimpleNamespace) -> None:
    case = flows.test[0]
    with pytest.raises(DatasetError, match="too few"):
        Ridge().fit(flows.train[:1], flows.quantities)
    with pytest.raises(PatchError, match="no field 'temperature'"):
        Ridge().fit(flows.train[:2], ["temperature"])
    with pytest.raises(ConditionError, match="incidence"):
        fitted[Ridge].predict(Case(case.mesh, wall=("wall",)))
    with pytest.raises(ConditionError, match="hidden parameters of 'flow-"):
        GaussianProcessModes({}).fit(flows.train[:3], flows.quantities)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_refusals_of_every_kind(kind: type, fitted: dict, flows: SimpleNamespace) -> None:
    case, other = flows.test[0], next(known for known in KINDS if known is not kind)
    with pytest.raises(ConfigurationError, match="not been fitted"):
        kind().predict(case)
    with pytest.raises(InvalidMeshError, match="3-D"):
        fitted[kind].predict(Case(icosphere(1), OperatingPoint(1.0)))
    with pytest.raises(CheckpointError, match=f"arrays of {other.__name__}"):
        kind.from_arrays(fitted[other].to_arrays())
    with pytest.raises(CheckpointError, match="damaged"):
        kind.from_arrays({"header": np.zeros(3, dtype=np.uint8)})


def test_as_many_modes_of_the_geometry_as_asked_for(flows: SimpleNamespace) -> None:
    few, many = (Ridge(shapes=count).fit(flows.train, flows.quantities) for count in (2, 6))
    assert [len(b._ready().features.shapes.deviation) for b in (few, many)] == [2, 6]
    assert errors(many.predict, flows.test).mean() < errors(few.predict, flows.test).mean()
