"""RANS at incidence in the order in which it converges: no lift first, then the incidence, then the scheme with the smaller error."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from .finished import on_plane
from .foam_case import FoamCase
from .roles import Role
from .running import Limits, Watch, run
from .settings import Schemes, Steady, Turbulence
from .solving import ExperimentalWarning
from .standing import EXPERIMENTAL, standing

_STURDY, _SHARP = Schemes(), Schemes(convection="LUST")


def solve_rans(
    mesh: Mesh,
    operating_point: OperatingPoint,
    *,
    turbulence: Turbulence = Turbulence(),
    march: Steady = Steady(iterations=1500, residual=1e-7),
    roles: Mapping[str, Role] | None = None,
    start: Case | None = None,
    limits: Limits = Limits(),
    watch: Watch | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Case:
    """The turbulent flow round a section, in up to three runs, each from the fields of the one before.

    At alpha 0 with linearUpwind (left out at alpha 0 and with ``start``), at the wanted alpha with linearUpwind, and there with LUST, whose drag on a
    given grid is nearer to its limit. Only the last run has to pass; a run that diverges ends it all.

    Args:
        mesh: plane; a grid of :func:`geoop.truth.openfoam.parabolic_grid.parabolic_cgrid` or one that resolves the wall likewise; the
            far field should be hundreds of chords away: at 100 a lift of one adds about 0.0005 to the drag.
        operating_point: with viscosity and reference length (the chord).
        turbulence: the model.
        march: of each run.
        roles: see :class:`FoamCase`; a patch ``outlet`` is taken as part of the free stream unless it is named.
        start: a solved case (on this or a coarser grid, at a nearby alpha) instead of the first run.
        limits, watch: of each run, see :func:`geoop.truth.openfoam.running.run`.
        folder: the runs stay in it as ``alpha-0``, ``upwind`` and ``lust``; None works in a temporary folder.

    Returns:
        as :func:`geoop.truth.openfoam.solving.solve`; the notes of its mesh say how far it is validated, see :mod:`geoop.truth.openfoam.standing`.

    Raises:
        The same as :func:`geoop.truth.openfoam.solving.solve`.
    """
    if standing(turbulence, _SHARP) == EXPERIMENTAL:
        warnings.warn(EXPERIMENTAL, ExperimentalWarning, stacklevel=2)
    roles = {**({"outlet": "freestream"} if "outlet" in mesh.patches else {}), **(roles or {})}
    described = FoamCase(mesh, operating_point, march, turbulence, roles, schemes=_STURDY)
    if folder is not None:
        return _staged(described, Path(folder).expanduser(), start, limits, watch)
    with tempfile.TemporaryDirectory(prefix="geoop-rans-") as name:
        return _staged(described, Path(name), start, limits, watch)


def _staged(described: FoamCase, folder: Path, start: Case | None, limits: Limits, watch: Watch | None) -> Case:
    point = described.operating_point
    if start is None and point.alpha:
        start = _stage(replace(described, operating_point=replace(point, alpha=0.0)), folder / "alpha-0", None, limits, watch, accept=True)
    start = _stage(described, folder / "upwind", start, limits, watch, accept=True)
    return _stage(replace(described, schemes=_SHARP), folder / "lust", start, limits, watch, accept=False)


def _stage(described: FoamCase, folder: Path, start: Case | None, limits: Limits, watch: Watch | None, *, accept: bool) -> Case:
    written = described.write(folder, start=start, overwrite=True)
    ended = run(written, described.operating_point, limits=limits, watch=watch, accept=accept)
    return on_plane(ended.case, described.mesh)
