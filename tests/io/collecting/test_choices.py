"""Answers to questions: what is said is kept, and what cannot be meant is refused."""

import pytest

from geoop.errors import ConfigurationError
from geoop.io.collecting.choices import Choices, Question


def test_the_answer_to_what_a_column_is_cannot_be_a_number():
    question = Question("speed?", "--map Schnelle [km/h]=", "velocity")
    assert Choices().answered(question, question.example).names == {"Schnelle [km/h]": "velocity"}
    with pytest.raises(ConfigurationError, match="'30' is a number"):
        Choices().answered(question, "30")


def test_what_is_shown_can_be_typed_in_a_shell():
    assert str(Question("speed?", "--map Schnelle [km/h]=", "velocity")) == "speed?: --map 'Schnelle [km/h]=velocity'"
    assert str(Question("density?", "--density ", "1.2")) == "density?: --density 1.2"
