"""A deformed body: displacement, stress at the points of the mesh, reactions, energy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import ConditionError
from ...fem.elastic_laws import Law, von_mises
from ...fem.elasticity import Displacements
from ...fem.elasticity_recovery import projected_stress
from ...mesh.case import Case
from ...mesh.quantity import QUANTITIES, Field, Quantity
from .loads import Loads, held_by


@dataclass(frozen=True, eq=False)
class ElasticSolution:
    """Equilibrium of a body under loads.

    Attributes:
        displacements: the finite elements.
        law: of the material.
        loads: what holds and pulls it.
        displacement: (n, d) of the nodes [m].
        reaction: (n, d) forces of the supports on the nodes [N; N/m in 2-D], zero up to rounding where a node is free.
        force: (n, d) loads on the nodes.
        fixed: (n, d) whether a component is held.
    """

    displacements: Displacements
    law: Law
    loads: Loads
    displacement: np.ndarray
    reaction: np.ndarray
    force: np.ndarray
    fixed: np.ndarray

    @cached_property
    def gradient(self) -> np.ndarray:
        """(n_cells, q, d, d) displacement gradient at the quadrature points."""
        return self.displacements.gradient(self.displacement)

    @property
    def energy(self) -> float:
        """Strain energy [J; J/m in 2-D]."""
        return float((self.law.energy(self.gradient) * self.displacements.weights).sum())

    @cached_property
    def stress(self) -> np.ndarray:
        """(n, 3, 3) true stress at the nodes [Pa], as :func:`geoop.fem.elasticity_recovery.projected_stress` does."""
        return projected_stress(self.displacements, self.law.cauchy, self.displacement)

    def reaction_of(self, patch: str) -> np.ndarray:
        """(d,) force of a patch's support on the body [N; N/m in 2-D], in the components that it holds.

        Points on the border of two patches that hold the same component count for both.

        Raises:
            ConditionError: the patch is not held.
        """
        if patch not in self.loads.fixed:
            raise ConditionError(
                f"patch '{patch}' is not held", where=self.displacements.space.mesh.name, remedy=f"choose from {sorted(self.loads.fixed)}"
            )
        nodes, values = held_by(self.displacements, patch, self.loads.fixed[patch])
        return np.where(np.isnan(values), 0.0, self.reaction[nodes]).sum(axis=0)

    def fields(self) -> dict[str, Field]:
        """displacement, stress and von_mises_stress at the points of the mesh; strain_energy and reaction_force_PATCH of the whole.

        The von Mises stress is that of all three axes (plane strain has a stress out of the plane, which ``stress`` in 2-D leaves out).
        """
        space, d = self.displacements.space, self.displacements.dimension
        at = space.at_mesh_points
        moved = np.stack([at(column) for column in self.displacement.T], axis=1)
        stress = np.stack([at(column) for column in self.stress.reshape(-1, 9).T], axis=1).reshape(-1, 3, 3)
        per_depth = "/m" if d == 2 else ""
        items = [
            Field(QUANTITIES["displacement"], moved),
            Field(QUANTITIES["stress"], stress[:, :d, :d]),
            Field(QUANTITIES["von_mises_stress"], von_mises(stress)),
            Field(Quantity("strain_energy", "W", f"J{per_depth}"), np.array(self.energy), "global"),
        ]
        for patch in self.loads.fixed:
            items.append(Field(Quantity(f"reaction_force_{patch}", "R", f"N{per_depth}", 1), self.reaction_of(patch), "global"))
        return {item.name: item for item in items}

    def case(self, name: str = "") -> Case:
        """The mesh with these fields, and the constant displacements and tractions of its patches as boundary values."""
        boundary: dict[str, dict[str, Field]] = {}
        for patch, given in self.loads.fixed.items():
            if callable(given):
                continue
            own = boundary.setdefault(patch, {})
            if None not in given:
                own["displacement"] = Field(QUANTITIES["displacement"], np.array(given, dtype=np.float64), "global")
            else:
                for axis, value in zip("xyz", given, strict=False):
                    if value is not None:
                        own[f"displacement_{axis}"] = Field(Quantity(f"displacement_{axis}", f"d_{axis}", "m"), np.array(float(value)), "global")
        for patch, given in self.loads.traction.items():
            if not callable(given):
                traction = Quantity("traction", "t", "Pa", 1)
                boundary.setdefault(patch, {})["traction"] = Field(traction, np.array(given, dtype=np.float64), "global")
        mesh = self.displacements.space.mesh
        return Case(mesh, fields=self.fields(), boundary=boundary, name=name or mesh.name)
