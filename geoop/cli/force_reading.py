"""The command that integrates: forces from any file with fields, loads along the span, and independent checks of the same lift."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConditionError, ConfigurationError, InvalidMeshError
from .options import Meanings, Unit
from .printing import Json, show_result

if TYPE_CHECKING:
    from ..mesh.case import Case
    from ..results.momentum.balance import ForceBalance
    from ..results.sectional_loads import SectionalLoads
    from ..results.wall_loads import PressureUnit

_PRESSURE: dict[str, PressureUnit] = {"static": "Pa", "kinematic": "m^2/s^2"}


def forces(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="any file that geoop reads with fields, or the folder of an OpenFOAM case")],
    patch: Annotated[list[str] | None, typer.Option(help="patch to integrate over; repeat for several. Walls by name unless given")] = None,
    about: Annotated[str | None, typer.Option(help="point of the moments \\[m]: x,y in the plane, x,y,z in space")] = None,
    names: Meanings = None,
    pressure: Annotated[str | None, typer.Option(help="static [Pa] or kinematic \\[m^2/s^2], where the file does not say it")] = None,
    reference_pressure: Annotated[float, typer.Option(help="static pressure of the free stream [Pa]")] = 0.0,
    gamma: Annotated[
        float | None, typer.Option(help="ratio of specific heats: the pressure from density, momentum and energy, where the file has none")
    ] = None,
    velocity: Annotated[float | None, typer.Option(help="free-stream speed \\[m/s]; that of the file unless given")] = None,
    alpha: Annotated[float, typer.Option(help="angle of attack \\[deg]")] = 0.0,
    beta: Annotated[float, typer.Option(help="sideslip \\[deg], in space")] = 0.0,
    density: Annotated[float | None, typer.Option(help="\\[kg/m^3]; 1.225 with --velocity unless given")] = None,
    viscosity: Annotated[float | None, typer.Option(help="dynamic viscosity [Pa s], of a viscous flow")] = None,
    reference_length: Annotated[float | None, typer.Option(help="length of the coefficients \\[m]; the chord unless given")] = None,
    reference_area: Annotated[float | None, typer.Option(help="area of the coefficients in space \\[m^2]")] = None,
    sections: Annotated[int | None, typer.Option(help="loads on this many strips along the span (y) of a body in space")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="with --sections: .csv of the loads, or .vtp of the cuts with Cp")] = None,
    check: Annotated[bool, typer.Option("--check", help="the same lift and drag from circulation, control surfaces and wake")] = False,
    solution: Annotated[list[Path] | None, typer.Option(help="fields on the mesh, such as restart_flow.dat; one per zone")] = None,
    time: Annotated[float | None, typer.Option(help="step to take \\[s]; the last one unless given")] = None,
    unit: Unit = None,
    as_json: Json = False,
) -> None:
    """Pressure and friction forces and moments per patch from the fields of a file, with every reference value stated."""
    from ..results.forces import forces as integrate
    from ..results.ideal_gas import with_gas_pressure

    _refuse(pressure, sections, output, velocity, {"--alpha": alpha, "--beta": beta, "--viscosity": viscosity})
    case, notes = _case(path, solution, time, unit, names or [])
    case = case if gamma is None else with_gas_pressure(case, gamma)
    case = _with_point(case, velocity, alpha, beta, density, viscosity, reference_length)
    kind = None if pressure is None else _PRESSURE[pressure]
    point = None if about is None else _point(about, case.mesh.dimension)
    area = reference_area if case.mesh.dimension == 3 else _no_area(reference_area)
    found = integrate(
        case,
        patches=patch or None,
        reference_area=area,
        reference_length=reference_length,
        reference_point=point,
        reference_pressure=reference_pressure,
        pressure_unit=kind,
        density=density,
    )
    parts: list[tuple[str, Any]] = [("forces", found)]
    if sections is not None:
        known = (reference_length, point, density, kind, reference_pressure)
        parts.append(("sections", _sections(case, sections, patch or None, known)))
    if check:
        parts.append(("balance", _balance(case, patch, area, found.references.length, reference_pressure, kind)))
    data = {**{name: part.to_dict() for name, part in parts}, "notes": list(notes)}
    texts = [str(part) for _, part in parts]
    texts += ["\n".join(f"note: {note}" for note in notes)] if notes else []
    if output is not None:
        texts.append(f"written: {parts[1][1].write(output)}")
    show_result(data if output is None else {**data, "output": str(output)}, "\n\n".join(texts), as_json)


def _sections(case: Case, count: int, patches: list[str] | None, known: tuple[Any, ...]) -> SectionalLoads:
    from ..results.sectional_loads import sectional_loads

    length, point, density, kind, pressure = known
    return sectional_loads(
        case,
        stations=count,
        patches=patches,
        reference_length=length,
        reference_point=point,
        density=density,
        pressure_unit=kind,
        reference_pressure=pressure,
    )


def _balance(
    case: Case, patches: list[str] | None, area: float | None, length: float | None, pressure: float, kind: PressureUnit | None
) -> ForceBalance:
    """The balance about the patches; cuts lie round these, and not round all that is called a wall."""
    from dataclasses import replace

    from ..results.momentum.balance import force_balance

    case = replace(case, wall=tuple(patches)) if patches else case
    return force_balance(case, reference_area=area, reference_length=length, reference_pressure=pressure, pressure_unit=kind)


def _refuse(pressure: str | None, sections: int | None, output: Path | None, velocity: float | None, stream: dict[str, float | None]) -> None:
    problems, remedies = [], []
    if pressure is not None and pressure not in _PRESSURE:
        problems.append(f"no pressure '{pressure}'")
        remedies.append("--pressure static, or --pressure kinematic")
    if output is not None and sections is None:
        problems.append("--output without --sections")
        remedies.append("--sections 40 -o loads.csv")
    if output is not None and output.suffix not in (".csv", ".vtp"):
        problems.append(f"'{output.name}' is neither .csv nor .vtp")
        remedies.append("-o loads.csv, or -o cuts.vtp")
    idle = [name for name, value in stream.items() if value] if velocity is None else []
    if idle:
        problems.append(f"{', '.join(idle)} without --velocity")
        remedies.append("--velocity 50 [m/s]: the free stream is given as a whole, or comes from the file")
    if problems:
        raise ConfigurationError("; ".join(problems), where="geoop forces", remedy="; ".join(remedies))


def _case(path: Path, solution: list[Path] | None, time: float | None, unit: str | None, names: list[str]) -> tuple[Case, tuple[str, ...]]:
    """The case in the plane where it is one, with its arrays by the names and in the units that forces need, and notes."""
    from ..io.collecting.choices import parse_names
    from ..io.collecting.known_arrays import with_known_arrays
    from ..io.reading import read_case
    from ..mesh.planar import flattened, is_one_layer

    fields: Any = None if not solution else solution[0] if len(solution) == 1 else list(solution)
    said = parse_names(names)
    case, notes = with_known_arrays(read_case(path, unit=unit, time=time, solution=fields), said)
    case, more = _with_body(flattened(case) if is_one_layer(case.mesh) else case)
    return case, (*notes, *more)


def _with_body(case: Case) -> tuple[Case, list[str]]:
    """The case with the parts of its boundary as patches where its file names none: all but the outermost are the body."""
    from ..mesh.quality import duplicate_points
    from ..mesh.rim import with_rim

    mesh = case.mesh
    case = with_rim(case)
    if case.mesh is mesh:
        return case, []
    if not case.wall:
        doubled = duplicate_points(mesh.points)
        if doubled:
            raise InvalidMeshError(
                f"the file names no patches, and its boundary is one piece: {doubled} points lie on top of others, the two sides of a seam that was not joined",
                where=mesh.name,
                remedy="join them: geoop inspect FILE --repair JOINED says the tolerance that it takes, then geoop forces JOINED",
            )
        raise InvalidMeshError(
            "the file names no patches, and its boundary is one piece: nothing says which part of it is the body",
            where=mesh.name,
            remedy="name parts of the boundary where the mesh is made (markers in SU2, physical groups in gmsh), or give the surface with its fields",
        )
    return case, [case.mesh.notes[-1], f"the body is {', '.join(repr(name) for name in case.wall)}; another one with --patch"]


def _with_point(
    case: Case, velocity: float | None, alpha: float, beta: float, density: float | None, viscosity: float | None, length: float | None
) -> Case:
    """The case in the free stream that the options state, or in its own."""
    from dataclasses import replace

    from ..mesh.operating_point import OperatingPoint

    if velocity is None:
        return case
    return replace(case, operating_point=OperatingPoint(velocity, alpha, beta, 1.225 if density is None else density, viscosity, None, length))


def _point(text: str, dimension: int) -> list[float]:
    try:
        point = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        point = []
    if len(point) != dimension:
        raise ConfigurationError(
            f"--about {text!r} in {dimension}-D", where="geoop forces", remedy=f"--about {','.join(['0.25', '0', '0'][:dimension])}"
        )
    return point


def _no_area(area: float | None) -> None:
    if area is not None:
        raise ConditionError(
            "a reference area for a flow in the plane, whose coefficients are per span", where="geoop forces", remedy="--reference-length, the chord"
        )
