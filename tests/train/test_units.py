"""What a model imposes is imposed in physical units: boundary values, no slip, masks; and models that name a function of the data can be trained."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError
from geoop.graph.pointset import BOUNDARY
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.body import body_cells
from geoop.mesh.quantity import Field, Quantity
from geoop.models.exact_dirichlet import ExactDirichlet
from geoop.models.multi_task_deeponet import MultiTaskDeepONet
from geoop.models.rigno import RIGNO
from geoop.models.spon import StructurePreservingOperator
from geoop.train.preparing import first_ports
from geoop.train.settings import FitSettings

LIFTED = partial(ExactDirichlet, width=16, inner="DeepONet", sizes={"modes": 8, "tokens": 4})
IN_THE_SPACE = partial(StructurePreservingOperator, width=16, tokens=16, depth=1, fields=None)
#: Of single precision, in deviations of the field.
ROUNDING = 1e-5


@pytest.fixture(scope="module")
def gauss(tmp_path_factory):
    return geoop.generate("poisson-gauss", tmp_path_factory.mktemp("data") / "gauss", n=12)


def trained(data, directory, model, quantities=("solution",), inputs=("source",)):
    settings = FitSettings(epochs=1, batch=4, domain_points=150, field_points=64, wall_points=16)
    return geoop.fit(data, directory / "run", quantities=quantities, inputs=inputs, model=model, settings=settings, progress=False)


def edge(mesh):
    return np.unique(np.concatenate([cells.connectivity for cells in mesh.patches.values()]))


@pytest.mark.parametrize("model", [LIFTED, IN_THE_SPACE], ids=["lifted", "in the space"])
def test_zero_boundary_values_are_zero_in_physical_units(model, gauss, tmp_path):
    surrogate, case = trained(gauss, tmp_path, model), gauss.cases("test")[0]
    mean, deviation = surrogate.normaliser.mean[0], surrogate.normaliser.deviation[0]
    assert abs(mean) > 0.5 * deviation  # what standardised zeros would have given
    found = geoop.load(surrogate.save(tmp_path / "model.safetensors")).predict(case)["solution"]
    assert np.abs(found[edge(case.mesh)]).max() < ROUNDING * deviation < np.abs(found).max()


@pytest.mark.parametrize("model", [LIFTED, IN_THE_SPACE], ids=["lifted", "in the space"])
def test_boundary_values_of_a_function_are_taken_over(model, tmp_path):
    data, name = geoop.generate("polygons-poisson", tmp_path / "data", n=12, workers=1), BOUNDARY + "solution"
    surrogate, case = trained(data, tmp_path, partial(model, dirichlet=name), inputs=(name, "source")), data.cases("test")[0]
    rows = edge(case.mesh)
    wrong = surrogate.predict(case)["solution"][rows] - case.field("solution").values[rows]
    assert np.abs(wrong).max() < ROUNDING * surrogate.normaliser.deviation[0]


def test_no_slip_in_a_stream_of_any_direction(tmp_path):
    data = geoop.generate("two-element", tmp_path / "data", n=12, workers=1)
    surrogate = trained(data, tmp_path, partial(LIFTED, fields=[1, 2]), ("velocity", "pressure_coefficient"), ())
    for case in data.cases("test"):
        found = surrogate.predict(case)["velocity"] / case.operating_point.velocity
        wall = np.zeros(len(found), dtype=bool)
        wall[body_cells(case.mesh, case.wall).connectivity] = True
        assert np.abs(found[wall]).max() < ROUNDING < np.abs(found[~wall]).max()


def test_masked_points_answer_zero_and_open_ones_what_they_would(gauss, tmp_path):
    """A mask of 0 and 1 that is standardised like any function; where it is 1 everywhere it changes nothing."""
    mask = Quantity("mask", "m")

    def masked(case, closed):
        return replace(case, fields={**case.fields, "mask": Field(mask, (case.mesh.points[:, 0] < closed).astype(float))})

    plan = DatasetPlan("masked", "a part is closed", {name: gauss.splits[name] for name in ("train", "val")})
    data = write_dataset(tmp_path / "data", plan, lambda name: masked(gauss.case(name), 0.8))
    surrogate = trained(data, tmp_path, partial(MultiTaskDeepONet, width=16, modes=8, tokens=3, mask="mask"), inputs=("mask", "source"))
    case = masked(gauss.cases("test")[0], 0.8)
    found, closed = surrogate.predict(case)["solution"], case.field("mask").values == 0
    deviation = surrogate.normaliser.deviation[0]
    assert np.abs(found[closed]).max() < ROUNDING * deviation < np.abs(found[~closed]).max()
    free = MultiTaskDeepONet(**{**surrogate.model.arguments, "mask": None})
    free.load_state_dict(surrogate.model.state_dict())
    whole = masked(case, 99.0)
    open_, none = (one.predict(whole)["solution"] for one in (surrogate, replace(surrogate, model=free.eval())))
    assert np.abs(open_ - none).max() < ROUNDING * deviation < np.abs(open_).max()


def test_what_a_model_names_is_looked_for_in_the_data(gauss, tmp_path):
    ports = first_ports(gauss, ("solution",), ("source",))
    assert (ports.functions, ports.scalars_out, ports.vectors_in, ports.scalars_in) == ((("source", 1),), 1, 0, 0)
    for model in (partial(MultiTaskDeepONet, mask="holes"), partial(LIFTED, dirichlet="holes"), partial(RIGNO, width=16, lead_time=0)):
        with pytest.raises(ConfigurationError, match="source|of 0 global scalars"):
            trained(gauss, tmp_path, model)
    assert not (tmp_path / "run").exists()
