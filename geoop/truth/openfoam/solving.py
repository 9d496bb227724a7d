"""A flow from mesh and condition to a solved case in one call, by OpenFOAM."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from .finished import on_plane
from .foam_case import FoamCase
from .roles import Role
from .running import Limits, Run, Watch, run
from .settings import Schemes, Steady, Turbulence, Unsteady
from .standing import EXPERIMENTAL, standing


class ExperimentalWarning(UserWarning):
    """A result comes from settings that have not met published values."""


def solve(
    mesh: Mesh,
    operating_point: OperatingPoint,
    *,
    march: Steady | Unsteady = Steady(),
    turbulence: Turbulence | None = None,
    roles: Mapping[str, Role] | None = None,
    velocities: Mapping[str, np.ndarray] | None = None,
    schemes: Schemes = Schemes(),
    area: float | None = None,
    start: Case | None = None,
    limits: Limits = Limits(),
    watch: Watch | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Case:
    """Solve an incompressible flow; a run that does not pass is an error, never a sample.

    Args:
        mesh, operating_point, march, turbulence, roles, velocities, schemes, area: see :class:`FoamCase`.
        start: a case that the run starts from, see :meth:`FoamCase.write`. RANS at incidence diverges from a uniform stream: start from
            the converged case at alpha 0.
        limits: processors, time, tolerances.
        watch: called after every iteration or time step.
        folder: where the OpenFOAM case stays, replaced if there is one; None works in a temporary folder.

    Returns:
        the solution on the given mesh (2-D stays 2-D), see :func:`geoop.truth.openfoam.finished.finished_case`. The notes of the
        mesh of a RANS result say how far it is validated: ``experimental`` with most settings.

    Raises:
        ConditionError, ConfigurationError, InvalidMeshError: before anything is run.
        MissingDependencyError: OpenFOAM is not installed.
        ConvergenceError: see :func:`geoop.truth.openfoam.running.run`.
    """
    described = FoamCase(mesh, operating_point, march, turbulence, roles or {}, velocities or {}, schemes, area)
    if turbulence is not None and standing(turbulence, schemes) == EXPERIMENTAL:
        warnings.warn(EXPERIMENTAL, ExperimentalWarning, stacklevel=2)
    if folder is not None:
        return _case(described, _run(described, Path(folder).expanduser(), start, limits, watch))
    with tempfile.TemporaryDirectory(prefix="geoop-openfoam-") as name:
        return _case(described, _run(described, Path(name) / "case", start, limits, watch))


def _run(described: FoamCase, folder: Path, start: Case | None, limits: Limits, watch: Watch | None) -> Run:
    return run(described.write(folder, start=start, overwrite=True), described.operating_point, limits=limits, watch=watch)


def _case(described: FoamCase, ended: Run) -> Case:
    case = on_plane(ended.case, described.mesh) if described.plane else ended.case
    return replace(case, wall=described.walls) if described.walls else case  # the channel is a wall too, but not the body
