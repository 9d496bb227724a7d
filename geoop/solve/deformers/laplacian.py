"""The inside follows harmonically: every component of the displacement obeys div(k grad u) = 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...interfaces.moving import Moved
from ...mesh.mesh import Mesh
from .cell_forms import CellForms
from .conditions import PreparedMeshes
from .given_motion import GivenMotion
from .stepping import carried
from .stiffening import Stiffening, cell_stiffness, require_stiffening


@dataclass(frozen=True)
class Laplacian:
    """Harmonic displacement with a diffusivity that is large where cells must keep their shape.

    Linear elements (quadratic where the cells are) on the mesh as it is; wedges, pyramids and mixed cells as
    :mod:`geoop.fem.simplices` cuts them. Linear displacements of the whole boundary are followed exactly, with any diffusivity that
    is uniform. No rotation is carried inside: layers at a wall that turns are sheared by the angle of the turn.

    Source: Loehner and Yang, Commun. Numer. Methods Eng. 12 (1996) 599; Jasak and Tukovic, Trans. FAMENA 30 (2006) 1.

    Attributes:
        diffusivity: ``distance`` to the patches that move, ``volume`` or ``uniform``.
        exponent: of 1 / distance or 1 / volume.
        slide: patches along which points slide.
        steps: in which the motion is made, at first.
    """

    diffusivity: Stiffening = "distance"
    exponent: float = 2.0
    slide: tuple[str, ...] = ()
    steps: int = 1
    _prepared: PreparedMeshes = field(default_factory=PreparedMeshes, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_stiffening(self.diffusivity, self.exponent, "Laplacian")

    def deform(self, mesh: Mesh, displacement: Mapping[str, np.ndarray]) -> Moved:
        """See :class:`geoop.interfaces.moving.Deformer`; errors as :func:`geoop.solve.deformers.stepping.carried`.

        Raises:
            InvalidMeshError: cells that have no element, too.
        """
        return carried(mesh, displacement, self._follow, slide=self.slide, steps=self.steps)

    def _follow(self, mesh: Mesh, motion: GivenMotion) -> np.ndarray:
        def matrix() -> Any:
            forms = CellForms.of(mesh)
            return forms.diffusion(cell_stiffness(forms, self.diffusivity, self.exponent, motion.moving))

        return self._prepared.displacement(mesh, motion, matrix)
