"""What the tests of studies share: a network of the smallest kind, untrained, whose numbers are wrong and whose path is right."""

import pytest
import torch

import geoop
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES
from geoop.models.body_field import BodyField
from geoop.models.ports import Ports
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.scaling.normaliser import Normaliser


@pytest.fixture(scope="session")
def surrogate():
    torch.manual_seed(0)
    names, angles = ("0010", "0012", "2412", "4412", "4415"), (-4.0, 0.0, 4.0, 8.0)
    cases = [geoop.Case(naca4(name, n_points=100), geoop.OperatingPoint(50.0, a)) for name in names for a in angles]
    normaliser = Normaliser((QUANTITIES["velocity"], QUANTITIES["pressure_coefficient"]), (0.0, -0.2), (0.3, 0.5))
    model = BodyField(Ports(vectors_out=1, vectors_in=1, surface_scalars=10, body=True), width=32, depth=1, densities=4)
    return Surrogate(model, normaliser, TrainingEnvelope.fit(cases), expected_errors={"velocity": 0.01, "pressure_coefficient": 0.02})
