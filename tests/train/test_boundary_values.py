"""Training on boundary-value problems: from a data set to a kernel that keeps constants in SI units, saved and loaded."""

import numpy as np
import pytest

import geoop
from geoop.graph.pointset import BOUNDARY
from geoop.mesh.quantity import Field
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.transolver import Transolver
from geoop.train.fit import fit
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.settings import FitSettings


@pytest.fixture(scope="module")
def poisson(tmp_path_factory):
    return geoop.generate("polygons-poisson", tmp_path_factory.mktemp("data") / "poisson", n=24, workers=1)


def test_samples_are_standardised_as_the_framing_says(poisson):
    data = TrainingData.of(poisson, ("solution",), ("boundary solution", "source"), Preparation(domain_points=60, vary_points=2.0), progress=False)
    values, source = (next(item for item in data.framing.functions if item.name == name) for name in ("boundary solution", "source"))
    assert (values.mean, values.deviation) == (data.normaliser.mean[0], data.normaliser.deviation[0])
    assert source.mean == 0.0
    sizes = set()
    for sample, case in zip(data.train, poisson.cases("train"), strict=True):
        on_rim = sample.inputs.functions["boundary solution"]
        exact = case.boundary["dirichlet"]["solution"].values
        np.testing.assert_allclose(on_rim.scalars[:, 0] * values.deviation + values.mean, exact, atol=1e-5)
        # the very points of its own cloud, of which every case has another number
        inside = sample.inputs.functions["source"]
        assert len(inside) == len(sample.geometry.domain)
        sizes.add(len(inside))
        carried = sample.queries.points.scalars[:, 3]
        np.testing.assert_allclose(carried * source.deviation, case.field("source").values, atol=1e-4)
    assert len(sizes) > 3


def test_without_boundary_values_nothing_changes(poisson):
    data = TrainingData.of(poisson, ("solution",), ("source",), Preparation(domain_points=60), progress=False)
    assert data.framing.functions[0].mean != 0.0


def test_a_trained_kernel_keeps_constants_and_survives_its_file(poisson, tmp_path):
    settings = FitSettings(epochs=2, batch=4, domain_points=4000, vary_points=1.0)
    make = lambda ports: BoundaryKernel(ports, 16, hidden=16, depth=1)  # noqa: E731
    fitted = fit(
        poisson, tmp_path / "run", quantities=("solution",), inputs=("boundary solution", "source"), model=make, settings=settings, progress=False
    )
    loaded = geoop.load(fitted.save(tmp_path / "kernel.safetensors"))
    case = poisson.cases("test")[0]
    np.testing.assert_array_equal(loaded.predict(case)["solution"], fitted.predict(case)["solution"])
    solution, source = case.field("solution"), case.field("source")
    count = len(case.boundary["dirichlet"]["solution"].values)
    flat = geoop.Case(
        case.mesh,
        None,
        {"source": Field(source.quantity, 0.0 * source.values)},
        {"dirichlet": {"solution": Field(solution.quantity, np.full(count, 273.15))}},
    )
    np.testing.assert_allclose(loaded.predict(flat)["solution"], 273.15, rtol=2e-6)


def test_going_on_keeps_the_standardisation_of_the_first_training(poisson, tmp_path):
    inputs = ("boundary solution", "source")
    settings = FitSettings(epochs=1, batch=4, domain_points=60)
    make = lambda ports: Transolver(ports, 16, slices=4, depth=1)  # noqa: E731
    first = fit(poisson, tmp_path / "a", quantities=("solution",), inputs=inputs, model=make, settings=settings, progress=False)
    again = fit(poisson, tmp_path / "b", quantities=("solution",), inputs=inputs, start=first, settings=settings, progress=False)
    assert again.framing.functions == first.framing.functions
    assert BOUNDARY + "solution" in [item.name for item in again.framing.functions]
