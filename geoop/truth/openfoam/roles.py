"""What a patch is to the flow (wall, inlet, free stream, ...), and the boundary conditions that follow for every field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from ...errors import ConfigurationError
from ...io.openfoam.dictionary_writing import uniform
from ...io.openfoam.mesh_writing import FRONT_AND_BACK
from ...mesh.mesh import Mesh
from .settings import Turbulence

#: ``channel`` is a wall that bounds the flow (of a duct, the ground): no slip, but its forces are not in the coefficients.
Role = Literal["wall", "channel", "slip", "symmetry", "inlet", "outlet", "freestream"]
_BY_NAME: tuple[tuple[str, Role], ...] = (
    (r"far|free.?stream", "freestream"),
    (r"out(let|flow)", "outlet"),
    (r"in(let|flow)", "inlet"),
    (r"symm", "symmetry"),
    (r"slip", "slip"),
    (r"channel|duct|tunnel|ground|floor", "channel"),
    (r"wall|body|cylinder|circle|section|a(ero|ir)?foil|flap|slat|lid|hole|obstacle", "wall"),
)
#: Patch types of the mesh that a role needs; the others are plain patches.
KINDS: dict[str, str] = {"wall": "wall", "channel": "wall", "symmetry": "symmetry"}


def roles_of(mesh: Mesh, given: Mapping[str, Role] | None = None) -> dict[str, Role]:
    """The role of every patch that has facets: as given, else by its name.

    What is a wall by its name only, but shares points with an inlet, an outlet or a free stream, directly or through other walls, is
    ``channel``, as long as some other wall stands free: the walls of a channel are not part of the body in it.

    Raises:
        ConfigurationError: names that say no role, unknown roles, roles for patches that are not there, no wall and no inflow at all;
            all in one error.
    """
    given = dict(given or {})
    names = [name for name, part in mesh.patches.items() if len(part)]
    problems = [f"roles names the patch '{name}', which the mesh does not have" for name in given if name not in names]
    problems += [f"'{name}' is to be '{role}', which is no role" for name, role in given.items() if role not in get_args(Role)]
    roles: dict[str, Role] = {}
    for name in names:
        guess: Role | None = given.get(name) or next((role for pattern, role in _BY_NAME if re.search(pattern, name, re.I)), None)
        if guess is None:
            problems.append(f"what '{name}' is to the flow cannot be told from its name")
        else:
            roles[name] = guess
    if not names:
        problems.append("the mesh has no patches")
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where=mesh.name, remedy=f"give roles={{patch: role}} with patches {names} and roles {', '.join(get_args(Role))}"
        )
    return {**roles, **dict.fromkeys(_channel_walls(mesh, roles, given), "channel")}


def _channel_walls(mesh: Mesh, roles: Mapping[str, Role], given: Mapping[str, Role]) -> list[str]:
    """Walls by their names that bound the flow round another wall."""
    points = {name: np.unique(mesh.patches[name].connectivity) for name in roles}
    bounding = [name for name, role in roles.items() if role in ("inlet", "outlet", "freestream")]
    walls = [name for name, role in roles.items() if role == "wall"]
    reached = np.unique(np.concatenate([points[name] for name in bounding])) if bounding else np.empty(0, dtype=np.int64)
    free = list(walls)
    while touching := [name for name in free if np.isin(points[name], reached).any()]:
        reached = np.union1d(reached, np.concatenate([points[name] for name in touching]))
        free = [name for name in free if name not in touching]
    return [name for name in walls if name not in free and name not in given] if free else []


def conditions(
    name: str, roles: Mapping[str, Role], inflow: float | np.ndarray, imposed: Mapping[str, np.ndarray], turbulence: Turbulence | None, plane: bool
) -> dict[str, dict[str, object]]:
    """The ``boundaryField`` of one field file.

    Args:
        name: U, p, nut, nuTilda, k or omega.
        roles: of all patches.
        inflow: the value of the free stream: (3,) for U.
        imposed: patch -> (3,) or (facets, 3) velocity [m/s] of inlets, moving walls and free streams; only for U.
        turbulence: the model, None for laminar flow.
        plane: whether the mesh is an extruded one.
    """
    made = {}
    for patch, role in roles.items():
        if role == "symmetry":
            made[patch] = {"type": "symmetry"}
        elif name == "U":
            made[patch] = _velocity(role, inflow, imposed.get(patch))
        elif name == "p":
            made[patch] = _pressure(role)
        else:
            made[patch] = _turbulent(name, role, inflow, turbulence)
    if plane:
        made[FRONT_AND_BACK] = {"type": "empty"}
    return made


def _velocity(role: Role, inflow: float | np.ndarray, imposed: np.ndarray | None) -> dict[str, object]:
    value: object = uniform(inflow) if imposed is None else uniform(imposed) if np.ndim(imposed) == 1 else np.asarray(imposed)
    if role in ("wall", "channel") and imposed is None:
        return {"type": "noSlip"}
    if role in ("wall", "channel", "inlet"):
        return {"type": "fixedValue", "value": value}
    if role == "outlet":
        return {"type": "inletOutlet", "inletValue": uniform(np.zeros(3)), "value": uniform(inflow)}
    if role == "freestream":
        return {"type": "freestreamVelocity", "freestreamValue": value, "value": value}
    return {"type": "slip"}


def _pressure(role: Role) -> dict[str, object]:
    if role == "outlet":
        return {"type": "fixedValue", "value": uniform(0.0)}
    if role == "freestream":
        return {"type": "freestreamPressure", "freestreamValue": uniform(0.0), "value": uniform(0.0)}
    return {"type": "zeroGradient"}


def _turbulent(name: str, role: Role, inflow: float | np.ndarray, turbulence: Turbulence | None) -> dict[str, object]:
    if role in ("wall", "channel"):
        return _at_wall(name, inflow, turbulence is not None and turbulence.walls == "functions")
    if name == "nut":
        return {"type": "calculated", "value": uniform(inflow)}
    if role == "inlet":
        return {"type": "fixedValue", "value": uniform(inflow)}
    if role in ("outlet", "freestream"):
        return {"type": "inletOutlet", "inletValue": uniform(inflow), "value": uniform(inflow)}
    return {"type": "zeroGradient"}


def _at_wall(name: str, inflow: float | np.ndarray, functions: bool) -> dict[str, object]:
    """On a wall that the grid resolves all turbulence vanishes; omega is 6 nu / (0.075 y^2) there (Wilcox), set in the cell next to it."""
    if name == "omega":
        return {"type": "omegaWallFunction", "value": uniform(inflow)}
    if name == "nut":
        return {"type": "nutUSpaldingWallFunction" if functions else "nutLowReWallFunction", "value": uniform(0.0)}
    if name == "k" and functions:
        return {"type": "kqRWallFunction", "value": uniform(inflow)}
    return {"type": "fixedValue", "value": uniform(0.0 if name == "nuTilda" else 1e-15)}
