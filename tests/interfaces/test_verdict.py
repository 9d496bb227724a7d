from __future__ import annotations

import pickle

import pytest

from geoop.errors import ConfigurationError
from geoop.interfaces.verdict import Verdict


def test_the_worse_of_two_verdicts_keeps_its_reason_and_the_larger_errors() -> None:
    inside = Verdict("inside", "all fine", {"velocity": 0.2, "pressure": 3.0})
    edge = Verdict("edge", "alpha 10.5 deg", {"velocity": 0.5})
    assert inside.worse(edge) == edge.worse(inside) == Verdict("edge", "alpha 10.5 deg", {"velocity": 0.5, "pressure": 3.0})
    assert inside.trusted and not edge.trusted
    assert str(edge) == "edge: alpha 10.5 deg"
    assert pickle.loads(pickle.dumps(edge)) == edge
    assert edge.to_dict() == {"level": "edge", "reason": "alpha 10.5 deg", "expected_errors": {"velocity": 0.5}}


def test_all_problems_in_one_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        Verdict("fine", " ", {"velocity": -1.0})
    assert all(word in str(error.value) for word in ("'fine'", "reason is empty", "velocity"))
