"""What came out of an optimisation, predicted beside checked, and its files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import GeoopError
from ...io.atomic import replacing
from ...io.paraview import write_case
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.quantity import QUANTITIES, Field, Quantity
from ...truth.panels.system import PanelSystem
from .design import Design, checked
from .problem import OptimiseProblem


@dataclass(frozen=True, eq=False)
class Tried:
    """One iteration of the solver.

    Attributes:
        start: which start. iteration: of it.
        objective: the number that is made small. coefficients: as the solver saw them.
        violation: largest one of the constraints, relative. values: (m,) of the variables.
    """

    start: int
    iteration: int
    objective: float
    coefficients: Mapping[str, float]
    violation: float
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Candidate:
    """A section that a start ended with, or the one that was given.

    Attributes:
        name: ``start`` or the number of the start. x: (m,) the solver's numbers. alpha: [deg].
        predicted: CL, CM, CD by the model, all choices made anew.
        checked: the same by the panel method and its boundary layer, and ``separated``; empty where it refuses the section.
        at_lift: checked at the angle that has the lift asked for, with that ``alpha``; None where none is asked for.
        verdict: level and reason of the model.
        broken: constraints that the prediction violates. broken_checked: bounds on coefficients that the check violates.
        message: of the solver. refused: why the panel method refuses it; empty where it does not.
        missed: bounds that the check finds missed by less than what counts, see :data:`geoop.studies.optimisation.optimise.TOLERANCE`.
    """

    name: str
    x: np.ndarray
    alpha: float
    predicted: Mapping[str, float]
    checked: Mapping[str, float]
    at_lift: Mapping[str, float] | None
    verdict: tuple[str, str]
    broken: tuple[str, ...]
    broken_checked: tuple[str, ...]
    message: str
    refused: str = ""
    missed: tuple[str, ...] = ()

    @property
    def truth(self) -> Mapping[str, float]:
        """What it is judged by: the check at the lift asked for, else at its own angle."""
        return self.at_lift if self.at_lift is not None else self.checked

    @property
    def sound(self) -> bool:
        """Whether it keeps its constraints, by prediction and by check, and does not separate."""
        return not self.broken and not self.broken_checked and bool(self.truth) and not self.truth.get("separated", 0.0)


def trimmed(design: Design, x: np.ndarray, lift: float) -> dict[str, float]:
    """The check at the angle that has this CL, with its ``alpha`` [deg]; panels are solved anew for every angle, few are needed."""
    alpha = design.angle(x)
    before, slope = checked(design, x, alpha)["CL"], 0.11
    for _ in range(6):
        if abs(before - lift) < 1e-6:
            break
        step = (lift - before) / slope
        after = checked(design, x, alpha + step)["CL"]
        slope = (after - before) / step if abs(after - before) > 1e-9 else slope
        alpha, before = alpha + step, after
    return {**checked(design, x, alpha), "alpha": alpha}


@dataclass(frozen=True, eq=False)
class Optimised:
    """The end of an optimisation; ``print`` it for the table.

    Attributes:
        problem: as asked. design: its variables.
        start: the given section. candidates: one per start.
        history: every iteration of every start.
    """

    problem: OptimiseProblem
    design: Design
    start: Candidate
    candidates: tuple[Candidate, ...]
    history: tuple[Tried, ...]

    @property
    def best(self) -> Candidate:
        """The candidate with the best objective by the check among those that keep the constraints; the given section where none beats it."""
        return min((self.start, *self.candidates), key=lambda c: (not c.sound, self._score(c))) if self.candidates else self.start

    def _score(self, candidate: Candidate) -> float:
        return self.problem.objective.of(candidate.truth) if candidate.truth else np.inf

    @property
    def section(self) -> Mesh:
        """The best section."""
        return self.design.section(self.best.x)

    @property
    def said(self) -> str:
        """One sentence: what was gained, by the check."""
        best, before, after = self.best, self._score(self.start), self._score(self.best)
        hoped = min((self.problem.objective.of(c.predicted) for c in self.candidates), default=np.inf)
        promise = f"the model promised {self._shown(hoped)} from {self._shown(self.problem.objective.of(self.start.predicted))}"
        where = " at the lift asked for" if self.problem.constraints.CL is not None else ""
        if best is self.start:
            why = "none keeps its constraints" if not any(c.sound for c in self.candidates) else "none is better"
            return f"nothing was gained: of {len(self.candidates)} candidates {why} when checked with the panel method{where}; {promise}"
        gain = f"{self._shown(after)} from {self._shown(before)} checked with the panel method{where}"
        kept = "" if best.sound else f"; it violates {', '.join((*best.broken, *best.broken_checked)) or 'the check: it separates'}"
        missed = f"; {', '.join(best.missed)} is missed by a little" if best.missed else ""
        return f"candidate {best.name} is best: {self.problem.objective}: {gain}; {promise}{kept}{missed}"

    def _shown(self, objective: float) -> str:
        asked = self.problem.objective
        if asked.maximise:
            return f"{asked.maximise} {-objective:.5g}"
        if asked.minimise == "|CM|":
            return f"|CM| {np.sqrt(max(objective, 0.0)):.5g}"
        return f"{asked.minimise} {objective:.5g}" if asked.minimise else f"a miss of {np.sqrt(max(objective, 0.0)):.3g}"

    def rows(self) -> list[dict[str, Any]]:
        """A row per section: predicted beside checked."""
        found = []
        for item in (self.start, *self.candidates):
            row: dict[str, Any] = {"section": item.name, "best": item is self.best, "alpha [deg]": item.alpha}
            for name in ("CL", "CM", "CD"):
                row |= {f"{name} predicted": item.predicted.get(name), f"{name} checked": item.checked.get(name)}
            if self.problem.constraints.CL is not None:
                lift = item.at_lift or {}
                row |= {f"{key} at CL {self.problem.constraints.CL:g}, checked": lift.get(name) for key, name in _AT_LIFT.items()}
            separated = item.truth.get("separated")
            row |= {"separated": None if separated is None else bool(separated), "verdict": item.verdict[0], "reason": item.verdict[1]}
            row |= {
                "violated": "; ".join((*item.broken, *item.broken_checked)),
                "missed by a little": "; ".join(item.missed),
                "solver": item.message,
                "refused": item.refused,
            }
            found.append(row)
        return found

    def __str__(self) -> str:
        rows = self.rows()
        columns = [key for key in rows[0] if key not in ("reason", "best", "refused", "solver") and any(row[key] not in (None, "") for row in rows)]
        table = [columns, *[[_word(row[key]) for key in columns] for row in rows]]
        width = [max(len(line[k]) for line in table) for k in range(len(columns))]
        lines = ["  ".join(word.rjust(w) for word, w in zip(line, width, strict=True)) for line in table]
        return "\n".join([f"{self.problem.objective} of '{self.problem.name}', {len(self.history)} iterations", *lines, self.said])

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` output."""
        return {
            "said": self.said,
            "best": self.best.name,
            "sections": self.rows(),
            "variables": dict(zip(self.design.names, self._numbers(), strict=True)),
        }

    def _numbers(self) -> list[float]:
        return [float(value) for value in self.design.values(self.best.x)]

    def write(self, folder: str | Path) -> Path:
        """best.dat and start.dat with every candidate's .dat (axes of the file, chord 1), optimised.vtp (displacement, Cp before and after), history.csv, candidates.csv,
        optimise.json, optimised.png, optimise.txt.

        Raises:
            UnwritableFileError: the folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for item in (self.start, *self.candidates):
            _write_text(folder / f"{'start' if item is self.start else f'candidate_{item.name}'}.dat", self._coordinates(item))
        _write_text(folder / "best.dat", self._coordinates(self.best))
        names = self.design.names
        tried = [
            {"start": t.start, "iteration": t.iteration, "objective": t.objective, **t.coefficients, "violation": t.violation}
            | dict(zip(names, t.values, strict=True))
            for t in self.history
        ]
        _write_rows(folder / "history.csv", tried)
        _write_rows(folder / "candidates.csv", self.rows())
        _write_text(folder / "optimise.json", json.dumps(self.to_dict(), indent=2, default=str))
        _write_text(folder / "optimise.txt", f"{self}\n")
        write_case(self.case(), folder / "optimised.vtp")
        from ..plots.optimised import optimised_plot

        optimised_plot(self, folder / "optimised.png")
        return folder

    def case(self) -> Case:
        """The best section with its displacement from the given one [m] and the checked Cp of both."""
        before, after = self.design.section(self.start.x), self.section
        fields = [Field(QUANTITIES["displacement"], after.points - before.points)]
        for name, item in (("pressure_coefficient", self.best), ("pressure_coefficient_before", self.start)):
            pressure = self.pressure(item)
            if pressure is not None:
                fields.append(Field(Quantity(name, "Cp"), pressure))
        return Case(after, self.design.point(self.best.x), {f.name: f for f in fields}, name=f"{self.problem.name} optimised")

    def pressure(self, item: Candidate) -> np.ndarray | None:
        """(n,) Cp of a section by the panel method at its points; None where it refuses the section."""
        section, point = self.design.section(item.x), self.design.point(item.x)
        try:
            velocity = PanelSystem(section, smallest_edge_angle=3.0).surface_velocity(section.points, [point])[0]
        except GeoopError:
            return None
        return 1.0 - (velocity**2).sum(axis=1) / point.velocity**2

    def _coordinates(self, item: Candidate) -> str:
        section = self.design.section(item.x)
        chord = self.problem.point.reference_length or 1.0
        points = np.concatenate([section.points, section.points[:1]]) / chord
        rows = "\n".join(f"{x:.7f} {y:.7f}" for x, y in points)
        return f"{self.problem.name} {item.name}\n{rows}\n"


_AT_LIFT = {"alpha": "alpha", "CD": "CD", "CM": "CM"}


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.5g}" if isinstance(value, float) else "" if value is None else str(value)


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    with replacing(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, keys)
        writer.writeheader()
        writer.writerows(rows)
