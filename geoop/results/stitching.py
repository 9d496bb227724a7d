"""A region of any size solved part by part with a trained local operator, or with finite elements in every part: models, equations and iterations joined."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError
from ..interfaces.local import LocalSolver
from ..mesh.case import Case
from ..mesh.quantity import Field
from ..scaling.functions import PREVIOUS
from ..solve.equations import Elasticity, Equation
from ..solve.from_case import named_equation
from ..solve.schwarz.iteration import Schwarz
from ..solve.schwarz.local_exact import FiniteElementSolver
from ..solve.schwarz.part_case import Cutter
from ..solve.schwarz.result import SchwarzResult, SweepNote
from ..solve.schwarz.settings import SchwarzSettings
from .local_surrogate import LocalSurrogate
from .surrogate import Surrogate, load

#: In place of a model: finite elements in every part.
EXACT = "exact"
#: What parts can be solved by.
Model = str | Path | Surrogate | LocalSolver | None


def local_solver(model: Model) -> LocalSolver | None:
    """What solves the parts.

    Args:
        model: path of a checkpoint, a surrogate, a local solver as it is; None or ``exact`` for finite elements in every part.

    Returns:
        the solver; None for finite elements.

    Raises:
        CheckpointError: the file is none.
        ConfigurationError: the model was not trained on local problems, or makes steps in time.
    """
    if model is None or (isinstance(model, str) and model == EXACT):
        return None
    if isinstance(model, str) and not Path(model).exists() and get_close_matches(model.lower(), [EXACT]):
        raise ConfigurationError(f"there is no model '{model}'", where="schwarz", remedy=f"write '{EXACT}' for finite elements in every part")
    if isinstance(model, str | Path):
        model = load(model)
    if isinstance(model, Surrogate):
        return LocalSurrogate(model)
    if not isinstance(model, LocalSolver):
        raise ConfigurationError(
            f"a {type(model).__name__} solves no local problems", where="schwarz", remedy="give a checkpoint, geoop.load(...), a LocalSolver, or None"
        )
    return model


def equation_of(
    solver: LocalSolver | None, dimension: int, name: str | None = None, *, young: float = 1.0, poisson: float = 0.3, plane: str = "strain"
) -> Equation:
    """The equation by its name, else the one that a local solver was made for.

    A surrogate for ``displacement`` solves elasticity, one whose weights depend on the data nonlinear diffusion, any other one diffusion.

    Args:
        solver: None for finite elements.
        dimension: of space.
        name: see :func:`~geoop.solve.from_case.named_equation`; None for that of the solver.
        young, poisson, plane: of elasticity. A surrogate knows the ratio and the plane that it was trained with, and no other.

    Raises:
        ConfigurationError: no such equation, or a surrogate that makes steps in time.
    """
    if isinstance(solver, FiniteElementSolver) and name is None:
        return solver.equation
    quantity = None
    if isinstance(solver, LocalSurrogate):
        known = [item.name for item in solver.surrogate.framing.functions]
        if PREVIOUS + solver.quantity.name in known:
            raise ConfigurationError(
                "the model makes steps in time",
                where="schwarz",
                remedy="in Python: geoop.schwarz(case, model, geoop.solve.equations.HeatWindow(step=..., steps=...))",
            )
        quantity = solver.quantity if solver.quantity.name not in ("solution", "displacement") else None
        bends = bool(solver.surrogate.model.arguments.get("nonlinear"))
        name = name or ("elasticity" if solver.quantity.name == "displacement" else "nonlinear" if bends else "diffusion")
    return named_equation(name or "diffusion", dimension, quantity=quantity, young=young, poisson=poisson, plane=plane)


def settings_for(solver: LocalSolver | None, settings: SchwarzSettings | None = None) -> SchwarzSettings:
    """Settings with the size of the box that a surrogate was trained in."""
    settings = settings or SchwarzSettings()
    box = solver.surrogate.framing.box if isinstance(solver, LocalSurrogate) else None
    return settings if box is None else replace(settings, size=float(np.ptp(box, axis=0).max()))


def schwarz(
    case: Case,
    model: Model = None,
    equation: Equation | str | None = None,
    settings: SchwarzSettings | None = None,
    *,
    start: np.ndarray | None = None,
    exact: Sequence[int] = (),
    progress: Callable[[SweepNote], None] | None = None,
) -> SchwarzResult:
    """Solve a case part by part.

    Args:
        case: a region with what drives it; :func:`geoop.solve.from_case.driven_case` makes one of formulas.
        model: what solves the parts: path of a checkpoint, a surrogate, a local solver; None or ``exact`` for finite elements. A surrogate of elasticity
            is asked in units of Young's modulus.
        equation: that holds in the region, or its name; by the model where None (diffusion with finite elements).
        settings: how; the size of the parts is that of the surrogate's training, whatever they say.
        start: (n c,) first guess.
        exact: numbers of parts that are solved exactly in any case.
        progress: called after every sweep.

    Returns:
        field, outcome with remedy, history, contraction, repaired parts; ``result.write("part.vtu")`` is for ParaView.

    Raises:
        CheckpointError: the model is no checkpoint.
        ConfigurationError: a model, equation or settings that do not fit the case, in all ways that :class:`~geoop.solve.schwarz.iteration.Schwarz` names.
    """
    if not isinstance(case, Case) or not isinstance(settings, SchwarzSettings | None):
        raise ConfigurationError(
            f"a {type(case).__name__} with settings of type {type(settings).__name__}",
            where="schwarz",
            remedy="give a Case with its data (geoop.solve.from_case.driven_case makes one) and SchwarzSettings(...)",
        )
    solver = local_solver(model)
    if not isinstance(equation, Equation):
        equation = equation_of(solver, case.mesh.dimension, equation)
    settings = settings_for(solver, settings)
    if solver is not None:
        _require(case, equation, solver, settings)
    asked, law = (case, equation) if solver is None or solver.exact else _in_units_of_young(case, equation)
    result = Schwarz(asked, law, solver, settings, exact=exact).solve(start=start, progress=progress)
    if asked is case:
        return result
    found = {name: item for name, item in result.case.fields.items() if name not in case.fields}
    return replace(result, case=case.with_fields(result.case.field(result.quantity), *found.values()))


@dataclass(frozen=True, eq=False)
class Direct:
    """One sparse direct solve of the whole, Newton's method where the equation is nonlinear.

    Attributes:
        u: (n c,) the solution.
        seconds: wall time with assembly and factorisation.
    """

    u: np.ndarray
    seconds: float

    def difference(self, u: np.ndarray) -> float:
        """Relative L2 norm over the unknowns of what another solution differs by."""
        return float(np.linalg.norm(u - self.u) / (np.linalg.norm(self.u) or 1.0))


def solved_directly(case: Case, equation: Equation) -> Direct:
    """What an iteration is compared with."""
    begun = time.perf_counter()
    u = equation.discrete(case).solve()
    return Direct(u, time.perf_counter() - begun)


def _in_units_of_young(case: Case, equation: Equation) -> tuple[Case, Equation]:
    """Loads over Young's modulus and a modulus of 1: the same displacements; any other equation as it is."""
    if not isinstance(equation, Elasticity) or equation.law.young == 1.0:
        return case, equation
    young, loads = equation.law.young, (equation.source, equation.flux)

    def shrunk(items: dict[str, Field]) -> dict[str, Field]:
        return {name: replace(item, values=item.values / young) if name in loads else item for name, item in items.items()}

    boundary = {patch: shrunk(dict(data)) for patch, data in case.boundary.items()}
    return replace(case, fields=shrunk(dict(case.fields)), boundary=boundary), replace(equation, law=replace(equation.law, young=1.0))


def _require(case: Case, equation: Equation, solver: LocalSolver, settings: SchwarzSettings) -> None:
    """Refuse what a local solver cannot do, before the region is cut."""
    if settings.transmission == "robin":
        raise ConfigurationError(
            "parts of a model exchange values only", where="schwarz", remedy="transmission='dirichlet', or finite elements in every part"
        )
    if isinstance(solver, LocalSurrogate):
        _require_trained(case, equation, solver, settings)
    if "neumann" in solver.accepts:
        return
    mesh = case.mesh
    whole = Cutter(case, equation).cut(np.flatnonzero(mesh.cells.dimensions == mesh.cell_dimension))
    free = {frozenset(whole.points[row].tolist()) for row in whole.neumann}
    if free:
        names = [name for name, facets in mesh.patches.items() if any(frozenset(row.tolist()) in free for row in facets)]
        raise ConfigurationError(
            f"{len(free)} facets of the boundary have no values ({', '.join(names) or 'of no patch'}), and the model was trained on imposed values alone",
            where=case.name,
            remedy="impose values on all of the boundary, take a model that was trained with fluxes (polygons-mixed), or finite elements: exact",
        )


def _require_trained(case: Case, equation: Equation, solver: LocalSurrogate, settings: SchwarzSettings) -> None:
    """Refuse a surrogate of another dimension, and sources that it was not trained with."""
    known = [item.name for item in solver.surrogate.framing.functions]
    dimension, source = int(solver.surrogate.model.arguments["ports"]["dimension"]), case.fields.get(equation.source)
    found = [] if dimension == case.mesh.dimension else [f"the region is in {case.mesh.dimension}-D, and the model was trained in {dimension}-D"]
    if equation.source not in known and source is not None and np.any(source.values):
        found.append(f"the region has a {equation.source}, and the model was trained on {known}")
    if equation.source not in known and settings.certify is not None and settings.preconditioner != "exact":
        found.append(f"a preconditioner answers residuals as sources, and the model was trained on {known}")
    if found:
        raise ConfigurationError(
            "; ".join(found),
            where=case.name,
            remedy="take a model that was trained so (with sources: polygons-poisson), or finite elements: exact; certify with the preconditioner 'exact'",
        )
