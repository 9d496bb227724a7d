"""The .case file of EnSight: which files hold the geometry and the variables at which time.

Layout: Ansys EnSight User Manual, chapter "EnSight Gold Case File Format".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ....errors import UnreadableFileError

_SECTIONS = ("FORMAT", "GEOMETRY", "VARIABLE", "TIME", "FILE", "MATERIAL", "SCRIPTS", "BLOCK_CONTINUATION")


@dataclass(frozen=True)
class Variable:
    """A variable: ``scalar``, ``vector``, ``tensor symm`` or ``tensor asym`` per ``node`` or ``element``, or what geoop does not read itself."""

    kind: str
    place: str
    name: str
    file: str
    times: int


@dataclass(eq=False)
class CaseFile:
    """What a case says.

    Attributes:
        gold: whether the type is EnSight Gold.
        model: file of the geometry.
        model_times: number of its time set, 0 if it does not move.
        variables: in order.
        constants: names of constants per case.
        steps: time set -> its times [s].
        numbers: time set -> the numbers in the names of its files.
        increments: time set -> from number to number where only the first is said.
        plain: whether nothing is in it that needs VTK: no file sets, measured points or complex values.
    """

    gold: bool = False
    model: str = ""
    model_times: int = 0
    variables: list[Variable] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    steps: dict[int, list[float]] = field(default_factory=dict)
    numbers: dict[int, list[int]] = field(default_factory=dict)
    increments: dict[int, int] = field(default_factory=dict)
    plain: bool = True

    @property
    def times(self) -> tuple[float, ...]:
        """[s] all times of all sets that have several steps; of a single one its time."""
        return tuple(sorted({time for steps in self.steps.values() for time in steps}))

    def file_at(self, name: str, times: int, now: float | None, where: str) -> str:
        """The name of a file at a time: asterisks stand for the number of the last step that is not later."""
        if "*" not in name:
            return name
        number = times or next(iter(self.steps), 0)
        steps, numbers = self.steps.get(number, []), self.numbers.get(number, [])
        if number in self.increments and len(numbers) == 1:
            numbers = [numbers[0] + self.increments[number] * k for k in range(len(steps))]
        if not steps or len(numbers) < len(steps):
            raise _wrong(f"'{name}' has asterisks, but time set {number} does not number its {len(steps)} steps", where)
        late = np.asarray(steps) > (np.inf if now is None else now + 1e-9 * max(1.0, abs(now)))
        step = max(int(np.argmax(late)) - 1, 0) if late.any() else len(steps) - 1
        return re.sub(r"\*+", lambda stars: str(numbers[step]).zfill(len(stars.group())), name)


def parse_case(path: Path, where: str) -> CaseFile:
    """The case file as said.

    Raises:
        UnreadableFileError: no EnSight case, or without geometry.
    """
    found, section = CaseFile(), ""
    lines = [line.split("#")[0].strip() for line in path.read_text("latin-1").splitlines()]
    number, key = 0, ""
    for line in filter(None, lines):
        if line.upper() in _SECTIONS:
            section, key = line.upper(), ""
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon and section == "TIME":
            name, value = key, line  # values that go on
        key = name.lower()
        if section == "FORMAT" and key == "type":
            found.gold = "gold" in value.lower()
        elif section == "GEOMETRY":
            _geometry(found, key, value)
        elif section == "VARIABLE":
            _variable(found, key, value)
        elif section == "TIME":
            number = _time(found, number, key, value, where)
        elif section == "FILE":
            found.plain = False
    if not found.model:
        raise _wrong("names no geometry ('model:')", where)
    return found


def _geometry(found: CaseFile, key: str, value: str) -> None:
    if key != "model":
        found.plain = False
        return
    words = value.split()
    if words and words[-1] == "change_coords_only":
        found.plain, words = False, words[:-1]
    numbers = [word for word in words[:-1] if word.isdigit()]
    found.model, found.model_times = words[-1].strip("\"'") if words else "", int(numbers[0]) if numbers else 0
    found.plain = found.plain and len(numbers) < 2


def _variable(found: CaseFile, key: str, value: str) -> None:
    words = value.split()
    if key.startswith("constant"):
        found.constants.append(next((word for word in words if not word.isdigit()), "constant"))
        return
    match = re.fullmatch(r"(scalar|vector|tensor(?: symm| asym)?) per (node|element)", key)
    if match is None or len(words) < 2:
        found.plain = False
        return
    numbers = 0
    while numbers < 2 and len(words) - numbers > 2 and words[numbers].isdigit():
        numbers += 1
    found.plain = found.plain and numbers < 2
    kind = match.group(1) if match.group(1) != "tensor" else "tensor symm"
    found.variables.append(Variable(kind, match.group(2), " ".join(words[numbers:-1]), words[-1].strip("\"'"), int(words[0]) if numbers else 0))


def _time(found: CaseFile, number: int, key: str, value: str, where: str) -> int:
    try:
        if key == "time set":
            number = int(value.split()[0])
            found.steps[number], found.numbers[number] = [], []
        elif key == "filename start number":
            found.numbers[number] = [int(value)]
        elif key == "filename increment":
            found.increments[number] = int(value)
        elif key == "filename numbers":
            found.numbers[number] += [int(word) for word in value.split()]
        elif key == "time values":
            found.steps[number] += [float(word) for word in value.split()]
        elif "file" in key:  # names or values in files of their own
            found.plain = False
    except (IndexError, KeyError, ValueError) as error:
        raise _wrong(f"'{key}: {value[:40]}' is not understood", where) from error
    return number


def _wrong(what: str, where: str) -> UnreadableFileError:
    return UnreadableFileError(f"the case file {what}", where=where, remedy="write the case again, or save it as .vtu in ParaView")
