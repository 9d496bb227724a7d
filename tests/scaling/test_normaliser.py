"""Standardisation: its inverse, its statistics, and that it commutes with rotation."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geoop.errors import CheckpointError, DatasetError
from geoop.mesh.quantity import QUANTITIES
from geoop.scaling.normaliser import Normaliser

VELOCITY, CP, SHEAR, TEMPERATURE = (QUANTITIES[n] for n in ("velocity", "pressure_coefficient", "wall_shear_stress", "temperature"))


def samples(count: int = 4, seed: int = 0) -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
    rng = np.random.default_rng(seed)
    angle = rng.normal(size=count) * 0.2
    found = []
    for a in angle:
        direction = np.array([np.cos(a), np.sin(a)])
        u = direction + 0.3 * rng.normal(size=(50, 2))
        found.append(
            ({"velocity": u, "pressure_coefficient": 0.5 + 2 * rng.normal(size=50), "wall_shear_stress": rng.normal(size=(50, 2))}, direction)
        )
    return found


def test_standardised_training_data_have_zero_mean_and_unit_deviation() -> None:
    cases = samples()
    normaliser = Normaliser.fit([VELOCITY, CP, SHEAR], cases)
    scalars, vectors = zip(*(normaliser.standardise(*case) for case in cases), strict=True)
    s = np.concatenate([x.double().numpy() for x in scalars])
    v = np.concatenate([x.double().numpy() for x in vectors])
    assert s.mean() == pytest.approx(0, abs=1e-6) and s.std() == pytest.approx(1, rel=1e-6)
    assert np.allclose((v**2).mean(axis=(0, 2)), 1.0, rtol=1e-6)
    assert normaliser.mean[0] == 0.0 and normaliser.deviation[0] == pytest.approx(0.3, rel=0.1)  # of the perturbation, not of u


def test_restore_inverts_standardise() -> None:
    normaliser = Normaliser.fit([VELOCITY, CP, SHEAR], samples())
    fields, direction = samples(1, seed=5)[0]
    found = normaliser.restore(*normaliser.standardise(fields, direction), direction)
    assert list(found) == [CP, VELOCITY, SHEAR]
    for quantity, values in found.items():
        assert np.allclose(values, fields[quantity.name], atol=1e-5)


def test_it_commutes_with_rotation() -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    normaliser = Normaliser.fit([VELOCITY, CP, SHEAR], samples())
    (fields, direction) = samples(1, seed=7)[0]
    turned = {name: values @ turn.T if values.ndim == 2 else values for name, values in fields.items()}
    s, v = normaliser.standardise(fields, direction)
    s2, v2 = normaliser.standardise(turned, turn @ direction)
    assert np.allclose(s, s2) and np.allclose(v.numpy() @ turn.T, v2.numpy(), atol=1e-6)


def test_constant_fields_do_not_explode() -> None:
    still = [({"temperature": np.full(5, 300.0), "wall_shear_stress": np.zeros((5, 2))}, np.array([1.0, 0.0]))] * 2
    normaliser = Normaliser.fit([TEMPERATURE, SHEAR], still)
    scalars, vectors = normaliser.standardise(*still[0])
    assert np.array_equal(scalars.numpy(), np.zeros((5, 1))) and np.array_equal(vectors.numpy(), np.zeros((5, 1, 2)))


def test_json_round_trip_is_exact() -> None:
    normaliser = Normaliser.fit([VELOCITY, CP], samples())
    assert Normaliser.from_dict(json.loads(json.dumps(normaliser.to_dict()))) == normaliser
    with pytest.raises(CheckpointError, match="damaged"):
        Normaliser.from_dict({"quantities": [{"name": "velocity"}]})


def test_refusals() -> None:
    with pytest.raises(DatasetError, match="no cases"):
        Normaliser.fit([CP], [])
    with pytest.raises(DatasetError, match="not finite"):
        Normaliser.fit([CP], [({"pressure_coefficient": np.array([np.nan])}, np.array([1.0, 0.0]))])
