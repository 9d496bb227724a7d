"""What a Schwarz iteration returns: the field, how it went sweep by sweep and part by part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...fem.evaluation import evaluate
from ...fem.space import Space
from ...interfaces.outcome import Outcome
from ...interfaces.result import Result
from ...interfaces.verdict import Verdict
from ...mesh.case import Case
from ...mesh.quantity import Field, Quantity
from .certificate import Certificate
from .contraction import Contraction
from .watch import Watch

if TYPE_CHECKING:
    from .iteration import Schwarz

PART = Quantity("part", "i", "1")
PART_RESIDUAL = Quantity("part_residual", "r", "1")


@dataclass(frozen=True)
class SweepNote:
    """One sweep: its number, its change over the range of the solution, and the relative residual after it."""

    sweep: int
    update: float
    residual: float


@dataclass(frozen=True, eq=False)
class SchwarzResult:
    """The end of an iteration.

    Attributes:
        case: the geometry with its data and the solution; for ParaView the cell fields ``part`` (which part owns a cell) and ``part_residual`` (what is left
            of the equations in that part, over what zero leaves everywhere).
        quantity: name of what was solved for.
        u: (n c,) the solution at the unknowns.
        outcome: how it ended, with a remedy.
        history: per sweep, or, where maps were held (see :class:`~geoop.solve.schwarz.iteration.Schwarz`), per sweep and those with held maps after it.
        held: sweeps with held maps.
        contraction: of learned sweeps; None where all parts are exact or GMRES was used.
        relaxation: that was used.
        tolerance: that decided, see :class:`~geoop.solve.schwarz.watch.Watch`.
        part_residuals: per part.
        exact: whether all parts were solved to rounding.
        repaired: parts that were solved exactly in place of a learned operator.
        certificate: of the Krylov solve, None without.
        note: how the region was cut, in words.
        seconds: wall time of the iteration, preparation not counted.
    """

    case: Case
    quantity: str
    u: np.ndarray
    outcome: Outcome
    history: tuple[SweepNote, ...]
    contraction: Contraction | None
    relaxation: float
    tolerance: float
    part_residuals: np.ndarray
    exact: bool
    repaired: tuple[int, ...]
    certificate: Certificate | None
    note: str
    seconds: float
    held: int = 0

    @classmethod
    def of(
        cls,
        iteration: Schwarz,
        u: np.ndarray,
        outcome: Outcome,
        watch: Watch,
        contraction: Contraction | None,
        relaxation: float,
        certificate: Certificate | None,
        seconds: float,
    ) -> SchwarzResult:
        """Collect what there is to know."""
        problem, decomposition = iteration.problem, iteration.decomposition
        left = np.abs(problem.residual(u)) ** 2 / problem.scale
        sizes = np.array([np.sqrt(left[dofs].sum()) for dofs in decomposition.dofs]) / problem.zero_size
        owner = decomposition.partition.owner
        by_cell = np.where(owner >= 0, sizes[np.maximum(owner, 0)], np.nan)
        parts = (Field(PART, owner.astype(np.float64), "cell"), Field(PART_RESIDUAL, by_cell, "cell"))
        case = problem.case.with_fields(iteration.equation.values(problem, u), *parts)
        notes = tuple(SweepNote(k + 1, a, b) for k, (a, b) in enumerate(zip(watch.updates, watch.residuals, strict=True)))
        repaired = tuple(sorted(iteration.parts.repaired))
        return cls(
            case,
            problem.quantity.name,
            u,
            outcome,
            notes,
            contraction,
            relaxation,
            watch.tolerance,
            sizes,
            iteration.parts.all_exact,
            repaired,
            certificate,
            decomposition.partition.note,
            seconds,
            watch.held,
        )

    @property
    def sweeps(self) -> int:
        return len(self.history) + self.held

    def __getitem__(self, name: str) -> np.ndarray:
        """Values of one field on the mesh."""
        return self.case.field(name).values

    @property
    def result(self) -> Result:
        """The solution as every predictor returns it: fields on the mesh, and between its points by the elements."""
        proof = self.certificate
        if proof is not None and proof.met:
            verdict = Verdict("inside", f"the discrete equations are solved to a residual of {proof.residual:.1e}")
        elif self.exact:
            verdict = Verdict("inside", f"finite elements in every part, {self.outcome.status}: {self.outcome.detail}")
        else:
            verdict = Verdict("edge", f"stitched from learned answers, {self.outcome.status}: {self.outcome.detail}; certify it for a proof")
        return Result(self.case, self.outcome, verdict, self._at)

    def _at(self, points: np.ndarray) -> dict[str, Field]:
        space, found = Space.of(self.case.mesh, 1), {}
        item = self.case.field(self.quantity)
        columns = np.asarray(item.values)[space.domain.vertices].reshape(space.n, -1)
        values = np.stack([evaluate(space, column, points) for column in columns.T], axis=1)
        found[self.quantity] = Field(item.quantity, values if item.quantity.rank else values[:, 0])
        return found

    def write(self, path: str | Path) -> Path:
        """Write for ParaView: .vtu with the solution, the parts and their residuals."""
        return self.result.write(path)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` output."""
        proof = self.certificate
        return {
            "outcome": self.outcome.to_dict(),
            "sweeps": self.sweeps,
            "updates": [note.update for note in self.history],
            "residuals": [note.residual if np.isfinite(note.residual) else None for note in self.history],
            "relaxation": self.relaxation,
            "tolerance": self.tolerance,
            "contraction": None if self.contraction is None else {"factor": self.contraction.factor, "along": self.contraction.along},
            "parts": len(self.part_residuals),
            "part_residuals": self.part_residuals.tolist(),
            "repaired": list(self.repaired),
            "certificate": None
            if proof is None
            else {
                "residual": proof.residual,
                "tolerance": proof.tolerance,
                "steps": proof.steps,
                "from_zero": proof.from_zero,
                "method": proof.method,
            },
            "cut": self.note,
            "seconds": self.seconds,
        }
