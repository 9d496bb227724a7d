from __future__ import annotations

from typing import get_args

import pytest

from geoop.errors import ConfigurationError
from geoop.interfaces.outcome import REMEDIES, Outcome, Status


def test_every_status_has_a_sentence_of_remedy() -> None:
    assert set(REMEDIES) == set(get_args(Status))
    for status in get_args(Status):
        outcome = Outcome(status, "residual 1e-3")
        assert outcome.remedy == REMEDIES[status]
        assert outcome.ok == (status in ("converged", "repaired"))
        assert outcome.to_dict() == {"status": status, "detail": "residual 1e-3", "remedy": outcome.remedy}
    assert str(Outcome("stagnated", "residual 2e-3")).startswith("stagnated (residual 2e-3); remedy: ")
    assert str(Outcome()) == "converged"
    assert Outcome("tangled", remedy="use smaller steps").remedy == "use smaller steps"


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'finished'"):
        Outcome("finished")
