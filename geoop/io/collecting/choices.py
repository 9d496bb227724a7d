"""What a user says about a collection, what is still to be said, and the one error that lists it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...errors import ConfigurationError, GeoopError
from ...mesh.si_units import scale_of
from ..units import metres_per
from .table import as_number

#: Conditions that may be stated once for all runs: name -> unit.
CONSTANTS = {"velocity": "m/s", "alpha": "deg", "density": "kg/m^3", "viscosity": "Pa s", "mach": "1", "reference_length": "m"}


@dataclass(frozen=True)
class Question:
    """Something that cannot be known from the files.

    Attributes:
        text: what is to be said, and why it matters.
        option: how it is said on the command line, complete but for the answer: ``--density `` or ``--map p=``.
        example: an answer.
    """

    text: str
    option: str
    example: str

    def __str__(self) -> str:
        return f"{self.text}: {_typed(self)}"


class OpenQuestionsError(ConfigurationError):
    """Things that only the user knows have not been said; all of them are in :attr:`questions`."""

    questions: tuple[Question, ...] = ()

    @classmethod
    def of(cls, questions: tuple[Question, ...], where: str) -> OpenQuestionsError:
        """One error for all questions, with everything to type."""
        listed = "\n".join(f"  {number}. {question.text}" for number, question in enumerate(questions, start=1))
        typed = " ".join(_typed(question) for question in questions)
        found = cls(
            f"{len(questions)} thing{'s' if len(questions) > 1 else ''} cannot be known from the files:\n{listed}",
            where=where,
            remedy=f"add, with your own values: {typed}",
        )
        found.questions = questions
        return found


def _typed(question: Question) -> str:
    text = f"{question.option}{question.example}"
    option, blank, value = text.partition(" ")
    return f"{option} '{value}'" if blank and any(sign in value for sign in " <>|()[]*;&°$#") else text


@dataclass(frozen=True)
class Choices:
    """Everything that a user may say about a collection.

    Attributes:
        unit: length unit of the meshes (and of columns with lengths that have none); metres for solver formats unless said.
        file: pattern of the result file of a run where its folder holds several, e.g. ``flow*.vtu``.
        names: array or column -> ``quantity:unit``, ``quantity``, ``keep`` or ``drop``.
        wall: patches that are the body; ``("none",)`` says that there is none.
        constants: conditions that are the same for all runs, SI units and degrees, see :data:`CONSTANTS`.
        inviscid: the flow has no viscosity.
        times: ``last`` step of every run, or ``all`` of them as a series.
        to_points: bring values at cells to points.
        split_by: column whose values are kept together in one split.
        ood: condition of the runs of the split ``ood``, e.g. ``alpha>12``.
        seed: of the random splits.
        match: ``names``, or ``order``: rows belong to the runs in their natural order.
        variant: which of several published tasks or parts of a layout.
        name, description, licence: of the data set.
    """

    unit: str | None = None
    file: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    wall: tuple[str, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    inviscid: bool = False
    times: str = "last"
    to_points: bool = False
    split_by: str | None = None
    ood: str | None = None
    seed: int = 0
    match: str = "names"
    variant: str = ""
    name: str = ""
    description: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        problems = []
        if self.times not in ("last", "all"):
            problems.append(f"times is '{self.times}', expected 'last' or 'all'")
        if self.match not in ("names", "order"):
            problems.append(f"match is '{self.match}', expected 'names' or 'order'")
        for key in self.constants:
            if key not in CONSTANTS:
                problems.append(f"'{key}' is not one of {', '.join(CONSTANTS)}")
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0:
            problems.append(f"seed is {self.seed!r}, expected a whole number >= 0")
        if self.inviscid and "viscosity" in self.constants:
            problems.append("a viscosity is given for an inviscid flow")
        if problems:
            raise ConfigurationError("; ".join(problems), where="collect", remedy="correct these options")
        if self.unit is not None:
            metres_per(self.unit, "--unit")

    def answered(self, question: Question, answer: str) -> Choices:
        """With the answer to a question added.

        Raises:
            ConfigurationError: the answer cannot be understood.
            UnitError: it names an unknown unit.
        """
        option, _, rest = question.option.partition(" ")
        if option == "--map":
            if as_number(answer) is not None:
                raise ConfigurationError(
                    f"'{answer.strip()}' is a number",
                    where=question.option,
                    remedy=f"say what it is, e.g. {question.example}; keep leaves it as it is",
                )
            scale_of(answer.partition(":")[2] or "1", question.option)
            return replace(self, names={**self.names, rest.rstrip("="): answer.strip()})
        if option == "--wall":
            return replace(self, wall=tuple(word for word in answer.replace(",", " ").split() if word))
        key = option.removeprefix("--").replace("-", "_")
        if key == "inviscid" or (key == "viscosity" and answer.strip().lower() in ("none", "inviscid", "0")):
            return replace(self, inviscid=True)
        if key in CONSTANTS:
            return replace(self, constants={**self.constants, key: number(answer, option)})
        return replace(self, **{key: answer.strip()})


def number(text: str, where: str) -> float:
    """A number as people type it, decimal comma included.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise ConfigurationError(f"'{text}' is not a number", where=where, remedy=f"give a number: {where} 1.2") from None


def parse_names(pairs: list[str]) -> dict[str, str]:
    """``["U=velocity:m/s"]`` -> ``{"U": "velocity:m/s"}``.

    Raises:
        ConfigurationError: a text without ``=``.
    """
    wrong = [pair for pair in pairs if "=" not in pair.strip("=")]
    if wrong:
        raise ConfigurationError(
            f"--map {', '.join(wrong)} does not say what it is", where="--map", remedy="write NAME=QUANTITY:UNIT, e.g. --map U=velocity:m/s"
        )
    return {name.strip(): meaning.strip() for name, _, meaning in (pair.partition("=") for pair in pairs)}


def check_used(names: Mapping[str, str], known: list[str], where: str) -> None:
    """Raise unless every ``--map`` names a column or an array that there is.

    Raises:
        ConfigurationError: a name that is nowhere, with the nearest one.
    """
    lost = [name for name in names if name not in known]
    if lost:
        near = difflib.get_close_matches(lost[0], known, n=1)
        raise ConfigurationError(
            f"--map names {', '.join(repr(name) for name in lost)}, which is neither a column nor an array",
            where=where,
            remedy=(f"did you mean '{near[0]}'? " if near else "") + f"there are: {', '.join(known) or 'none'}",
        )


def reason(error: GeoopError) -> str:
    """An error as one line for a list."""
    return " ".join(error.message.split())
