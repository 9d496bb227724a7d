"""The dictionaries of a run in system/ and constant/, from settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .settings import Schemes, Steady, Turbulence, Unsteady

#: Convection schemes as OpenFOAM names them; ``{}`` is the field.
_CONVECTION = {
    "linear": "Gauss linear",
    "linearUpwind": "Gauss linearUpwind grad({})",
    "limitedLinear": "Gauss limitedLinear 1",
    "LUST": "Gauss LUST grad({})",
    "upwind": "Gauss upwind",
}
#: Turbulence model -> its variables.
VARIABLES = {"SpalartAllmaras": ("nuTilda",), "kOmegaSST": ("k", "omega")}
COEFFICIENTS = "forceCoeffs"


def solver_of(march: Steady | Unsteady) -> str:
    """The program that runs these settings."""
    return "simpleFoam" if isinstance(march, Steady) else march.solver


def control(march: Steady | Unsteady, functions: Mapping[str, object]) -> dict[str, object]:
    """``controlDict``: text files with all digits, restart from the latest time."""
    if isinstance(march, Steady):
        end, step, interval, kind = march.iterations, 1, march.iterations, "timeStep"
    else:
        end, step, interval = march.end_time, march.time_step, march.end_time / march.frames
        kind = "runTime" if march.courant is None else "adjustableRunTime"
    entries: dict[str, object] = {
        "application": solver_of(march), "startFrom": "latestTime", "startTime": 0, "stopAt": "endTime", "endTime": end, "deltaT": step,
        "writeControl": kind, "writeInterval": interval, "purgeWrite": 0, "writeFormat": "binary", "writePrecision": 16, "writeCompression": "off",
        "timeFormat": "general", "timePrecision": 12, "runTimeModifiable": False,
    }  # fmt: skip
    if isinstance(march, Unsteady) and march.courant is not None:
        entries |= {"adjustTimeStep": True, "maxCo": march.courant}
    return entries | {"functions": dict(functions)}


def force_coefficients(
    walls: Sequence[str], speed: float, density: float, length: float, area: float, point: Sequence[float], axes: Mapping[str, Sequence[float]]
) -> dict[str, object]:
    """The function object that logs and writes the coefficients of the walls together at every step.

    Args:
        walls: patches.
        speed: [m/s], density: [kg/m^3], length: [m], area: [m^2] of reference.
        point: (3,) [m] of the moment.
        axes: ``drag``, ``lift`` and ``pitch`` unit vectors; the moment is about ``pitch``, so that nose up is positive.
    """
    return {
        COEFFICIENTS: {
            "type": "forceCoeffs", "libs": '("libforces.so")', "executeControl": "timeStep", "writeControl": "timeStep", "writeInterval": 1,
            "log": True, "patches": list(walls), "rho": "rhoInf", "rhoInf": density, "magUInf": speed, "lRef": length, "Aref": area,
            "CofR": list(point), "dragDir": list(axes["drag"]), "liftDir": list(axes["lift"]), "pitchAxis": list(axes["pitch"]),
        }
    }  # fmt: skip


def schemes(march: Steady | Unsteady, chosen: Schemes, turbulence: Turbulence | None) -> dict[str, object]:
    """``fvSchemes``: second order in space and in time.

    The wall distance is the exact one. ``meshWave``, which most cases use, measures from the centre of the nearest wall *face*: in flat
    cells, long along the wall, whose centre lies a thousandth of their length beside that of the face, it is many times too large, and
    Spalart-Allmaras then gives a third too much friction (measured on NACA 0012).
    """
    steady = isinstance(march, Steady)
    bounded = "bounded " if steady else ""
    corrected = "corrected" if chosen.limited == 1 else f"limited {chosen.limited}"
    divergence: dict[str, object] = {"default": "none", "div(phi,U)": bounded + _CONVECTION[chosen.convection].format("U")}
    for name in VARIABLES[turbulence.model] if turbulence else ():
        divergence[f"div(phi,{name})"] = bounded + _CONVECTION[chosen.turbulence].format(name)
    divergence["div((nuEff*dev2(T(grad(U)))))"] = "Gauss linear"
    return {
        "ddtSchemes": {"default": "steadyState" if steady else "backward"},
        "gradSchemes": {"default": "Gauss linear"},
        "divSchemes": divergence,
        "laplacianSchemes": {"default": f"Gauss linear {corrected}"},
        "interpolationSchemes": {"default": "linear"},
        "snGradSchemes": {"default": corrected},
        "wallDist": {"method": "exactDistance"},
    }


def solution(march: Steady | Unsteady, chosen: Schemes, turbulence: Turbulence | None, *, fixed_pressure: bool) -> dict[str, object]:
    """``fvSolution``.

    Args:
        march, chosen, turbulence: the settings.
        fixed_pressure: whether a patch fixes the pressure; else it is zero in the first cell.
    """
    variables = ("U", *(VARIABLES[turbulence.model] if turbulence else ()))
    pattern = f"({'|'.join(variables)})" if len(variables) > 1 else "U"
    steady = isinstance(march, Steady)
    pressure = {"solver": "GAMG", "smoother": "DICGaussSeidel", "tolerance": 1e-12 if steady else 1e-8, "relTol": 0.02 if steady else 0.01}
    others = {"solver": "PBiCGStab", "preconditioner": "DILU", "tolerance": 1e-14 if steady else 1e-9, "relTol": 1e-3 if steady else 0}
    solvers: dict[str, object] = {"p": pressure, pattern: others}
    reference = {} if fixed_pressure else {"pRefCell": 0, "pRefValue": 0}
    loop = {"nNonOrthogonalCorrectors": chosen.non_orthogonal, **reference}
    if isinstance(march, Steady):
        loop |= {"consistent": march.consistent, "residualControl": {"p": march.residual, pattern: march.residual}}
        factors: dict[str, object] = {"equations": {pattern: march.relaxation}}
        if not march.consistent:
            factors = {"fields": {"p": 0.3}, **factors}
        return {"solvers": solvers, "SIMPLE": loop, "relaxationFactors": factors, "potentialFlow": {"nNonOrthogonalCorrectors": 3}}
    solvers |= {"pFinal": {**pressure, "relTol": 0}, f"({'|'.join(f'{name}Final' for name in variables)})": others}
    loop |= {"nCorrectors": march.correctors}
    return {"solvers": solvers, "PISO": loop, "PIMPLE": {"nOuterCorrectors": 1, **loop}}


def turbulence_properties(turbulence: Turbulence | None) -> dict[str, object]:
    """``turbulenceProperties``."""
    if turbulence is None:
        return {"simulationType": "laminar"}
    return {"simulationType": "RAS", "RAS": {"RASModel": turbulence.model, "turbulence": True, "printCoeffs": False}}


def inflow_values(turbulence: Turbulence, speed: float, viscosity: float) -> dict[str, float]:
    """Turbulence variables of the free stream: field -> value in SI.

    Spalart-Allmaras: nu_t from nuTilda by f_v1 (chi^3 / (chi^3 + 7.1^3)). k-omega: k = 3/2 (Tu U)^2, omega = k / nu_t.

    Args:
        turbulence: the model.
        speed: [m/s].
        viscosity: kinematic [m^2/s].
    """
    ratio = turbulence.inflow_ratio
    if turbulence.model == "SpalartAllmaras":
        return {"nuTilda": ratio * viscosity, "nut": ratio * viscosity * ratio**3 / (ratio**3 + 7.1**3)}
    k = 1.5 * (turbulence.intensity * speed) ** 2
    return {"k": k, "omega": k / (ratio * viscosity), "nut": ratio * viscosity}


def decomposition(parts: int) -> dict[str, object]:
    """``decomposeParDict`` for that many processors: slices across x, which every build of OpenFOAM can make (Debian's lacks scotch)."""
    return {"numberOfSubdomains": parts, "method": "simple", "coeffs": {"n": [parts, 1, 1], "delta": 0.001}}
