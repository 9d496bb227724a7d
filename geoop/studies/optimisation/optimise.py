"""A small constrained optimisation of a section: exact gradients of a model, SciPy's solvers, and every result checked with the panel method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from ...errors import ConfigurationError, GeoopError
from ...results.surrogate import load_predictor
from .design import FINE, Coefficients, Design, PanelCoefficients, PredictedCoefficients, checked, differences
from .limits import GeometryLimits, SectionMeasures, TrainedRange
from .problem import OptimiseProblem, read_problem
from .result import Candidate, Optimised, Tried, trimmed

#: Called as (iterations done, most that there can be).
Progress = Callable[[int, int], None]
_SCALES = {"CL": 0.1, "CM": 0.02}
#: Misses of a bound on a coefficient that do not count, over its scale: 0.002 of CL, 0.0004 of CM, 2 % of CD. The listing names them.
TOLERANCE = 0.02
_DRAWS = 40


def optimise(
    source: str | Path | Mapping[str, Any] | OptimiseProblem, output: str | Path | None = None, *, progress: Progress | None = None
) -> Optimised:
    """Improve a section within its constraints, and say what the improvement is worth.

    Every start runs to its end; every section that comes out is checked with the panel method and its boundary layer, at its own angle and, where a lift is
    asked for, at the angle that has it. What is listed as best is best by that check.

    Args:
        source: optimise.toml, the same tables as a mapping, or a problem.
        output: folder for the files; that of the problem unless given; None writes nothing.
        progress: called with iterations done and the most that there can be.

    Raises:
        ConfigurationError: unknown keys, impossible values, or a start that violates the geometric constraints or lies outside of what the model was trained on: said
            before anything is computed. Errors of reading the section or the model.
    """
    problem = source if isinstance(source, OptimiseProblem) else read_problem(source, output)
    folder = Path(output) if output is not None else problem.output
    search = _Search.of(problem)
    search.refuse_start()
    best = [search.run(x, number, progress) for number, x in enumerate(search.starts())]
    begin = _candidate(search, search.design.begin, "start", "as given")
    found = Optimised(problem, search.design, begin, tuple(best), tuple(search.history))
    if folder is not None:
        found.write(folder)
    return found


def check_problem(problem: OptimiseProblem) -> tuple[str, ...]:
    """Names of the variables of a problem that can be begun with.

    Raises:
        ConfigurationError: as :func:`optimise`, before anything is computed.
    """
    search = _Search.of(problem)
    search.refuse_start()
    return search.design.names


@dataclass(eq=False)
class _Search:
    """The problem as functions of the solver's numbers; the last points are remembered, as solvers ask for value and slope apart."""

    problem: OptimiseProblem
    design: Design
    flow: Coefficients
    limits: GeometryLimits
    trained: TrainedRange | None
    history: list[Tried] = field(default_factory=list)
    _known: dict[tuple[str, bytes], Any] = field(default_factory=dict)
    _worst: float = 1.0

    @classmethod
    def of(cls, problem: OptimiseProblem) -> _Search:
        design, asked = Design.of(problem), problem.constraints
        limits = GeometryLimits(
            SectionMeasures.of(design.section(design.begin)),
            tuple((float(x), float(t)) for x, t in asked.thickness),
            asked.max_thickness,
            asked.area,
            asked.nose_radius,
            asked.edge_angle,
        )
        if problem.model == "panels":
            return cls(problem, design, PanelCoefficients(design), limits, None)
        surrogate = load_predictor(problem.model) if isinstance(problem.model, str | Path) else problem.model
        coefficients = PredictedCoefficients(surrogate, design)  # type: ignore[arg-type]  # raises for anything but one surrogate
        return cls(problem, design, coefficients, limits, TrainedRange.of(surrogate, asked.confidence))  # type: ignore[arg-type]

    def refuse_start(self) -> None:
        """Raise where the given section cannot be begun with."""
        margins = self.shape_margins(self.design.begin)
        bad = [f"{name} ({value:+.2g})" for name, value in margins.items() if value < -1e-6]
        if bad:
            raise ConfigurationError(
                f"the section to begin with violates {', '.join(bad)} (margins relative to the bound or its span)",
                where=self.problem.name,
                remedy="loosen these constraints, begin with another section or angle, or confidence = 'edge' or 'none' where it is the model's range",
            )

    def starts(self) -> list[np.ndarray]:
        """The given section, then random changes of it that the geometry allows."""
        random = np.random.default_rng(self.problem.solver.seed)
        found = [self.design.begin]
        for _ in range(self.problem.solver.starts - 1):
            size = 0.6
            for _ in range(_DRAWS):
                x = np.clip(self.design.begin + size * random.uniform(-1, 1, len(found[0])), -1, 1)
                try:
                    if min(self.shape_margins(x).values()) >= 0:
                        break
                except GeoopError:
                    pass
                size *= 0.85
            else:
                x = self.design.begin
            found.append(x)
        return found

    def shape_margins(self, x: np.ndarray) -> dict[str, float]:
        """Margins of the geometry and of the training range."""
        section = self.design.section(x)
        rows = self.limits.margins(section)
        return rows if self.trained is None else rows | self.trained.margins(section, self.design.point(x))

    def flow_margins(self, c: Mapping[str, float]) -> dict[str, float]:
        """Margins of the bounds on coefficients."""
        return {name: sign * (c[key] - bound) / scale for name, key, sign, bound, scale in self._bounds()}

    def _bounds(self) -> list[tuple[str, str, float, float, float]]:
        asked = self.problem.constraints
        rows = []
        for key, low, high in (("CL", asked.CL_min, None), ("CM", asked.CM_min, asked.CM_max), ("CD", None, asked.CD_max)):
            if low is not None:
                rows.append((f"{key} not less than {low:g}", key, 1.0, low, _SCALES[key]))
            if high is not None:
                rows.append((f"{key} not more than {high:g}", key, -1.0, high, _SCALES.get(key, high)))
        return rows

    def values(self, x: np.ndarray) -> dict[str, float]:
        """Coefficients; of a section that cannot be evaluated bad ones."""
        try:
            return self._kept("values", x, lambda: self.flow.values(x))
        except GeoopError:
            return {"CL": 0.0, "CM": 0.0, "CD": np.inf}

    def slopes(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Their derivatives; none where they cannot be evaluated."""
        try:
            return self._kept("slopes", x, lambda: self.flow.slopes(x))
        except GeoopError:
            return {name: np.zeros(len(x)) for name in ("CL", "CM", "CD")}

    def _kept(self, kind: str, x: np.ndarray, make: Callable[[], Any]) -> Any:
        key = (kind, np.asarray(x, dtype=np.float64).tobytes())
        if key not in self._known:
            if len(self._known) > 24:
                self._known.pop(next(iter(self._known)))
            self._known[key] = make()
        return self._known[key]

    def objective(self, x: np.ndarray, scale: float) -> float:
        """Over a scale."""
        values = self.values(x)
        if not np.isfinite(values.get("CD", 0.0)):
            return self._worst + 10.0
        value = self.problem.objective.of(values) / scale
        self._worst = max(self._worst, value)
        return value

    def objective_slope(self, x: np.ndarray, scale: float) -> np.ndarray:
        """(m,) over a scale."""
        values = self.values(x)
        if not np.isfinite(values.get("CD", 0.0)):
            return np.zeros(len(x))
        return self.problem.objective.slope(values, self.slopes(x)) / scale

    def inequalities(self, x: np.ndarray) -> np.ndarray:
        """(k,) margins of everything."""
        return np.array([*(self.flow_margins(self.values(x)).values() if self._bounds() else ()), *self._shape_row(x)])

    def inequality_slopes(self, x: np.ndarray) -> np.ndarray:
        """(k, m)."""
        flow = [sign * self.slopes(x)[key] / scale for _, key, sign, _, scale in self._bounds()]
        shape = self._kept("shape slopes", x, lambda: differences(self._shape_row, x, FINE).T)
        return np.concatenate([np.array(flow).reshape(-1, len(x)), shape])

    def _shape_row(self, x: np.ndarray) -> np.ndarray:
        try:
            return np.array(list(self.shape_margins(x).values()))
        except GeoopError:
            return np.full(len(self.shape_margins(self.design.begin)), -1.0)

    def equality(self, x: np.ndarray) -> np.ndarray:
        """(1,) how far the lift is from the one asked for."""
        return np.array([(self.values(x)["CL"] - (self.problem.constraints.CL or 0.0)) / _SCALES["CL"]])

    def equality_slope(self, x: np.ndarray) -> np.ndarray:
        """(1, m)."""
        return self.slopes(x)["CL"][None] / _SCALES["CL"]

    def run(self, x: np.ndarray, number: int, progress: Progress | None) -> Candidate:
        """One start to its end; with a model in two rounds, the second with its choices made anew."""
        solver = self.problem.solver
        later = solver.iterations // 3 if self.flow.renew(x) else 0
        self._known.clear()
        scale = max(abs(self.problem.objective.of(self.flow.values(x))), 1e-3)
        total, before = solver.starts * solver.iterations, len(self.history)
        self._worst = 1.0

        def note(at: np.ndarray, _: Any = None) -> None:
            values = self.values(at)
            violation = max(0.0, -float(self.inequalities(at).min(initial=0.0)))
            if self.problem.constraints.CL is not None:
                violation = max(violation, abs(float(self.equality(at)[0])))
            row = Tried(number, len(self.history) - before, self.problem.objective.of(values), dict(values), violation, self.design.values(at))
            self.history.append(row)
            if progress is not None:
                progress(min(number * solver.iterations + row.iteration, total), total)

        note(x)
        for most in (solver.iterations - later, *((later,) if later else ())):
            done = minimize(
                lambda at: self.objective(at, scale),
                x,
                jac=lambda at: self.objective_slope(at, scale),
                method=solver.method,
                bounds=[(-1.0, 1.0)] * len(x),
                constraints=self._constraints(),
                callback=note,
                options={"maxiter": most, **({"ftol": solver.tolerance} if solver.method == "SLSQP" else {"gtol": solver.tolerance})},
            )
            x = np.clip(done.x, -1.0, 1.0)
            self.flow.renew(x)  # what a model held is that of another section by now: once more from here
            self._known.clear()
        if progress is not None:
            progress((number + 1) * solver.iterations, total)
        return _candidate(self, x, str(number + 1), str(done.message))

    def _constraints(self) -> Any:
        equal = self.problem.constraints.CL is not None
        if self.problem.solver.method == "SLSQP":
            rows: list[dict[str, Any]] = [{"type": "ineq", "fun": self.inequalities, "jac": self.inequality_slopes}]
            if equal:
                rows.append({"type": "eq", "fun": self.equality, "jac": self.equality_slope})
            return rows
        found = [NonlinearConstraint(self.inequalities, 0.0, np.inf, jac=self.inequality_slopes)]
        if equal:
            found.append(NonlinearConstraint(self.equality, 0.0, 0.0, jac=self.equality_slope))
        return found


def _candidate(search: _Search, x: np.ndarray, name: str, message: str) -> Candidate:
    """A section with what is predicted and what the panel method says of it."""
    predicted, level, reason = search.flow.anew(x)
    flow = search.flow_margins(predicted)
    broken = [key for key, value in search.shape_margins(x).items() if value < -1e-3] + [key for key, value in flow.items() if value < -TOLERANCE]
    try:
        truth = checked(search.design, x)
        at_lift = trimmed(search.design, x, search.problem.constraints.CL) if search.problem.constraints.CL is not None else None
        refused = ""
    except GeoopError as error:
        truth, at_lift, refused = {}, None, error.message
    margins = search.flow_margins(at_lift or truth) if truth else {}
    broken_truth = tuple(key for key, value in margins.items() if value < -TOLERANCE)
    small = tuple(key for key, value in margins.items() if -TOLERANCE <= value < 0.0)
    return Candidate(
        name, x, search.design.angle(x), predicted, truth, at_lift, (level, reason), tuple(broken), broken_truth, message, refused, small
    )
