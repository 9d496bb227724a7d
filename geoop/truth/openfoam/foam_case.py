"""A run, described in Python and written as the folder of an OpenFOAM case."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...errors import ConditionError, ConfigurationError, InvalidMeshError, UnwritableFileError
from ...io.openfoam.case_writing import solid_case
from ...io.openfoam.dictionary_writing import uniform, write_dictionary
from ...io.openfoam.mesh_writing import FRONT_AND_BACK, write_poly_mesh
from ...io.openfoam.writing import write_fields
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.chord import chord_line
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from .dictionaries import (
    VARIABLES,
    control,
    decomposition,
    force_coefficients,
    inflow_values,
    schemes,
    solution,
    solver_of,
    turbulence_properties,
)
from .roles import KINDS, Role, conditions, roles_of
from .settings import Schemes, Steady, Turbulence, Unsteady

_DIMENSIONS = {
    "U": "[0 1 -1 0 0 0 0]", "p": "[0 2 -2 0 0 0 0]", "nut": "[0 2 -1 0 0 0 0]", "nuTilda": "[0 2 -1 0 0 0 0]", "k": "[0 2 -2 0 0 0 0]",
    "omega": "[0 0 -1 0 0 0 0]",
}  # fmt: skip
#: Fields of a case that a run can start from.
_STARTING = ("velocity", "kinematic_pressure", "turbulent_viscosity", "modified_turbulent_viscosity", "turbulent_kinetic_energy",
             "specific_dissipation_rate")  # fmt: skip


@dataclass(frozen=True, eq=False)
class FoamCase:
    """An incompressible flow round or through a mesh.

    Attributes:
        mesh: volume cells in 3-D, or plane cells in 2-D, which become one layer of cells one metre thick.
        operating_point: speed and direction of the free stream, density, viscosity; its ``reference_length`` is that of the coefficients.
        march: :class:`Steady` or :class:`Unsteady`.
        turbulence: a RANS model; None for laminar flow.
        roles: patch -> role; what is left out is told by the names of the patches, see :func:`geoop.truth.openfoam.roles.roles_of`.
        velocities: patch -> (d,) or (facets, d) [m/s] for inlets with a profile, moving walls, free streams with a vortex.
        schemes: in space.
        area: [m^2] of the coefficients in 3-D; in 2-D it is the reference length times one metre.

    Raises:
        ConfigurationError, ConditionError: see :meth:`write`; everything but the disk is checked when the case is made.
    """

    mesh: Mesh
    operating_point: OperatingPoint
    march: Steady | Unsteady = field(default_factory=Steady)
    turbulence: Turbulence | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    velocities: Mapping[str, np.ndarray] = field(default_factory=dict)
    schemes: Schemes = field(default_factory=Schemes)
    area: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", roles_of(self.mesh, self.roles))
        object.__setattr__(self, "velocities", {name: np.asarray(value, dtype=np.float64) for name, value in self.velocities.items()})
        problems = [*self._condition_problems()]
        if problems:
            raise ConditionError(
                "; ".join(problems), where=self.mesh.name, remedy="for example OperatingPoint(1.0, density=1.0, viscosity=0.01, reference_length=1.0)"
            )
        problems = [*self._patch_problems()]
        if problems:
            raise ConfigurationError("; ".join(problems), where=self.mesh.name, remedy=f"patches {dict(self.roles)}, dimension {self.mesh.dimension}")

    @property
    def plane(self) -> bool:
        return self.mesh.dimension == 2

    @property
    def walls(self) -> tuple[str, ...]:
        """Patches of the body, whose forces are the coefficients: those of the role ``wall``, not ``channel``."""
        return tuple(name for name, role in self.roles.items() if role == "wall")

    @property
    def kinematic_viscosity(self) -> float:
        """[m^2/s]"""
        assert self.operating_point.viscosity is not None
        return self.operating_point.viscosity / self.operating_point.density

    @property
    def solver(self) -> str:
        """The program that runs it."""
        return solver_of(self.march)

    def write(self, folder: str | os.PathLike[str], *, start: Case | None = None, overwrite: bool = False) -> Path:
        """Write mesh, dictionaries and initial fields.

        Args:
            folder: made by this call; must be missing or empty unless ``overwrite``.
            start: a case with fields at cells or points (velocity, kinematic_pressure, turbulence variables) that the run starts from, on
                this mesh or another one (each cell takes the nearest value); else everything begins as the free stream.
            overwrite: remove the case that is there, with its results.

        Returns:
            the folder.

        Raises:
            UnwritableFileError: the folder holds something, or cannot be written.
            InvalidMeshError: cells or patches that OpenFOAM does not have.
        """
        root = Path(folder).expanduser()
        _make_room(root, overwrite)
        kinds = {name: KINDS[role] for name, role in self.roles.items() if role in KINDS}
        write_poly_mesh(self.mesh, root / "constant" / "polyMesh", kinds=kinds, binary=True)
        write_dictionary(
            root / "constant" / "transportProperties", {"transportModel": "Newtonian", "nu": f"[0 2 -1 0 0 0 0] {self.kinematic_viscosity!r}"}
        )
        write_dictionary(root / "constant" / "turbulenceProperties", turbulence_properties(self.turbulence))
        write_dictionary(root / "system" / "controlDict", control(self.march, self._functions()))
        write_dictionary(root / "system" / "fvSchemes", schemes(self.march, self.schemes, self.turbulence))
        fixed = any(role in ("outlet", "freestream") for role in self.roles.values())
        write_dictionary(root / "system" / "fvSolution", solution(self.march, self.schemes, self.turbulence, fixed_pressure=fixed))
        write_dictionary(root / "system" / "decomposeParDict", decomposition(1))
        self._write_fields(root / "0")
        if start is not None:
            write_fields(self._starting(start), root, time="0", overwrite=True, map=True)
        return root

    def _write_fields(self, folder: Path) -> None:
        stream = np.zeros(3)
        stream[: self.mesh.dimension] = self.operating_point.velocity * self.operating_point.direction(self.mesh.dimension)
        inside: dict[str, float | np.ndarray] = {"U": stream, "p": 0.0}
        if self.turbulence is not None:
            inside |= inflow_values(self.turbulence, self.operating_point.velocity, self.kinematic_viscosity)
        imposed = {name: np.pad(value, [(0, 0)] * (value.ndim - 1) + [(0, 3 - value.shape[-1])]) for name, value in self.velocities.items()}
        for name, value in inside.items():
            boundary = conditions(name, self.roles, value, imposed, self.turbulence, self.plane)
            entries = {"dimensions": _DIMENSIONS[name], "internalField": uniform(value), "boundaryField": boundary}
            write_dictionary(folder / name, entries, "volVectorField" if name == "U" else "volScalarField")

    def _starting(self, start: Case) -> Case:
        """The fields of a case that this run has, on volume cells."""
        wanted = {"velocity", "kinematic_pressure"}
        if self.turbulence is not None:
            names = {"nuTilda": "modified_turbulent_viscosity", "k": "turbulent_kinetic_energy", "omega": "specific_dissipation_rate"}
            wanted |= {"turbulent_viscosity", *(names[item] for item in VARIABLES[self.turbulence.model])}
        kept = {name: item for name, item in start.fields.items() if name in wanted and item.location in ("cell", "point")}
        if not kept:
            raise ConfigurationError(
                f"the case to start from has none of the fields {', '.join(_STARTING)}",
                where=start.name,
                remedy="give a solved case, or leave start out",
            )
        return solid_case(replace(start, fields=kept, boundary={}, wall=None))

    def _functions(self) -> dict[str, object]:
        point, d = self.operating_point, self.mesh.dimension
        if not self.walls or point.reference_length is None or (d == 3 and self.area is None):
            return {}
        axes = {
            "drag": np.pad(point.direction(d), (0, 3 - d)).tolist(),
            "lift": np.pad(point.lift_direction(d), (0, 3 - d)).tolist(),
            "pitch": [0.0, 0.0, -1.0] if d == 2 else [0.0, 1.0, 0.0],
        }
        area = point.reference_length if self.area is None else self.area
        return force_coefficients(self.walls, point.velocity, point.density, point.reference_length, area, self._moment_point(), axes)

    def _moment_point(self) -> list[float]:
        """(3,) [m] as :func:`geoop.results.forces` takes it: the quarter chord of the body in 2-D, else the origin of the coordinates.

        The origin also for walls that are no body in 2-D, such as those of an empty channel.
        """
        if not self.plane:
            return [0.0, 0.0, 0.0]
        try:
            chord = chord_line(self.mesh.submesh(Cells.concatenate([self.mesh.patches[name] for name in self.walls])))
        except InvalidMeshError:
            return [0.0, 0.0, 0.0]
        return [*(chord.leading_edge + 0.25 * (chord.trailing_edge - chord.leading_edge)).tolist(), 0.0]

    def _condition_problems(self):
        point = self.operating_point
        if point.viscosity is None:
            yield "the operating point has no viscosity"
        if point.mach:
            yield f"Mach number {point.mach}: these solvers are incompressible"
        if self.plane and point.beta:
            yield f"beta is {point.beta} degrees in a plane flow"
        if self.walls and point.reference_length is None:
            yield "the operating point has no reference_length: without coefficients nothing shows whether the run has converged"
        if not self.plane and self.walls and self.area is None:
            yield "area is not given: coefficients in 3-D need one"
        if self.area is not None and (self.plane or not 0 < self.area < np.inf):
            yield f"area is {self.area}" + (": in 2-D it is the reference length times one metre" if self.plane else "")

    def _patch_problems(self):
        for name, value in self.velocities.items():
            role, count = self.roles.get(name), len(self.mesh.patches.get(name, ()))
            if role not in ("inlet", "wall", "channel", "freestream"):
                yield f"a velocity is given for '{name}', which is {role or 'no patch'}, not an inlet, a wall or a free stream"
            elif value.shape not in ((self.mesh.dimension,), (count, self.mesh.dimension)) or not np.isfinite(value).all():
                yield f"the velocity of '{name}' has shape {value.shape} or is not finite, expected ({count}, {self.mesh.dimension})"
        if self.plane and FRONT_AND_BACK in self.mesh.patches:
            yield f"a patch is called {FRONT_AND_BACK}, the name of the two planes"


def _make_room(root: Path, overwrite: bool) -> None:
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    ours = root.is_dir() and (root / "system" / "controlDict").is_file()
    if not (overwrite and ours):
        raise UnwritableFileError(
            "is there already" if ours else "is there already and no OpenFOAM case",
            where=str(root),
            remedy="choose another folder" + (", or pass overwrite=True: the case in it is removed" if ours else ""),
        )
    shutil.rmtree(root)
