"""The inside follows as an elastic body that is stiff where cells must keep their shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ...interfaces.moving import Moved
from ...mesh.mesh import Mesh
from .cell_forms import CellForms
from .conditions import PreparedMeshes
from .given_motion import GivenMotion
from .stepping import carried
from .stiffening import Stiffening, cell_stiffness, require_stiffening


@dataclass(frozen=True)
class Elastic:
    """Linear elasticity, div sigma(u) = 0, with Young's modulus by wall distance or by the size of cells.

    Stiff layers follow a wall like a rigid body: they turn with it. Elements as :class:`geoop.solve.deformers.laplacian.Laplacian`;
    plane strain in 2-D. Linear displacements of the whole boundary are followed exactly where the modulus is uniform. A body that turns in a
    huge domain takes far points along, farther than itself: 10 times in one of 100 chords, 3.6 times with stiffness by distance (1.5), not at
    all by :class:`~geoop.solve.deformers.laplacian.Laplacian` or by :class:`~geoop.solve.deformers.radial_basis.RadialBasis` of a reach.

    Solids are solved by conjugate gradients, within 1e-7 of the motion of what factors give. What was prepared for a mesh serves further motions
    of it with the same patches: frames of a series after the first take a fraction of its time.

    Source: Stein, Tezduyar and Benney, J. Appl. Mech. 70 (2003) 58; Dwight, Computational Fluid Dynamics 2006 (2009) 401.

    Attributes:
        stiffening: ``volume`` of the cells, ``distance`` to the patches that move, or ``uniform``.
        exponent: of 1 / distance or 1 / volume.
        poisson: Poisson's ratio, below 1/2.
        slide: patches along which points slide.
        steps: in which the motion is made, at first.
    """

    stiffening: Stiffening = "volume"
    exponent: float = 1.0
    poisson: float = 0.3
    slide: tuple[str, ...] = ()
    steps: int = 1
    _prepared: PreparedMeshes = field(default_factory=PreparedMeshes, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_stiffening(self.stiffening, self.exponent, "Elastic")
        if not -1 < self.poisson < 0.5:
            raise ConfigurationError(f"poisson is {self.poisson}", where="Elastic", remedy="give a number above -1 and below 0.5")

    def deform(self, mesh: Mesh, displacement: Mapping[str, np.ndarray]) -> Moved:
        """See :class:`geoop.interfaces.moving.Deformer`; errors as :func:`geoop.solve.deformers.stepping.carried`.

        Raises:
            InvalidMeshError: cells that have no element, too.
        """
        return carried(mesh, displacement, self._follow, slide=self.slide, steps=self.steps)

    def _follow(self, mesh: Mesh, motion: GivenMotion) -> np.ndarray:
        def matrix() -> Any:
            forms = CellForms.of(mesh)
            return forms.elasticity(cell_stiffness(forms, self.stiffening, self.exponent, motion.moving), self.poisson)

        return self._prepared.displacement(mesh, motion, matrix)
