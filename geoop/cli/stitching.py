"""The command that solves a region part by part, with a trained local operator or with finite elements."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigurationError
from .options import Unit
from .printing import NOT_CONVERGED, Json, show_result

if TYPE_CHECKING:
    from ..mesh.case import Case
    from ..results.stitching import Direct
    from ..solve.schwarz.result import SchwarzResult, SweepNote


def schwarz(
    model: Annotated[str, typer.Argument(help="checkpoint of a local operator, .safetensors; or exact: finite elements in every part")],
    mesh: Annotated[Path, typer.Argument(help="region with named patches; a closed outline or surface (STL, STEP) is meshed inside first")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".vtu with the solution, the parts and what is left of the equations in them")],
    dirichlet: Annotated[
        list[str] | None,
        typer.Option(metavar="PATCH=VALUE", help="imposed there: number, formula such as 'sin(3*x)*y', or point field of the file; repeat"),
    ] = None,
    neumann: Annotated[list[str] | None, typer.Option(metavar="PATCH=VALUE", help="flux inwards, or traction [Pa]; zero unless given")] = None,
    source: Annotated[str | None, typer.Option(help="inside: number, formula, or field of the file; of elasticity a force per volume")] = None,
    conductivity: Annotated[str | None, typer.Option(help="of diffusion: number, formula, or field of the file; 1 unless given")] = None,
    equation: Annotated[str | None, typer.Option(help="diffusion, nonlinear, elasticity; that of the model unless given")] = None,
    young: Annotated[float, typer.Option(help="Young's modulus [Pa]")] = 1.0,
    poisson: Annotated[float, typer.Option(help="Poisson's ratio; a model knows the one it was trained with")] = 0.3,
    plane: Annotated[str, typer.Option(help="strain or stress, of elasticity in the plane")] = "strain",
    unit: Unit = None,
    size: Annotated[float | None, typer.Option(help="edges inside a closed outline or surface \\[m]; by its own unless given")] = None,
    parts: Annotated[int, typer.Option(help="about so many")] = 12,
    overlap: Annotated[int, typer.Option(help="layers of cells by which parts are extended")] = 2,
    method: Annotated[str, typer.Option(help="bisection, or metis (an extra)")] = "bisection",
    rule: Annotated[str, typer.Option(help="restricted, additive, multiplicative")] = "restricted",
    relaxation: Annotated[float | None, typer.Option(help="factor on every change; measured unless given")] = None,
    coarse: Annotated[str, typer.Option(help="none, constants, spectral")] = "constants",
    acceleration: Annotated[str, typer.Option(help="none, anderson, gmres")] = "none",
    transmission: Annotated[str, typer.Option(help="between exact parts: dirichlet, robin")] = "dirichlet",
    sweeps: Annotated[int, typer.Option(help="at most")] = 200,
    tolerance: Annotated[float | None, typer.Option(help="1e-8 of the residual with exact parts, 2e-5 of the solution's range with a model")] = None,
    fallback: Annotated[bool, typer.Option(help="solve parts exactly where the model's answers are worthless")] = True,
    certify: Annotated[float | None, typer.Option(help="go on with a Krylov solve to this residual: its answer needs no faith")] = None,
    preconditioner: Annotated[str, typer.Option(help="of --certify: exact, learned, directions")] = "exact",
    compare_direct: Annotated[bool, typer.Option("--compare-direct", help="solve the whole directly, too: time and difference")] = False,
    plot: Annotated[Path | None, typer.Option(help="picture of the residual over the sweeps: .png, .svg, .pdf")] = None,
    picture: Annotated[Path | None, typer.Option(help="picture of the parts of a plane region: .png, .svg, .pdf")] = None,
    as_json: Json = False,
) -> None:
    """Solve a region of any size part by part; says how it went, what was repaired, and proves it with --certify. Exits with 3 where it did not converge."""
    from ..results import stitching
    from ..results.region import read_region
    from ..solve.from_case import driven_case
    from ..solve.schwarz.settings import SchwarzSettings

    _require_names(mesh, output, {"--plot": plot, "--picture": picture})
    choices: dict[str, Any] = {"rule": rule, "coarse": None if coarse == "none" else coarse, "acceleration": acceleration, "method": method}
    choices |= {"transmission": transmission, "relaxation": relaxation, "preconditioner": preconditioner, "fallback": fallback}
    settings = SchwarzSettings(parts=parts, overlap=overlap, sweeps=sweeps, tolerance=tolerance, certify=certify, **choices)
    solver, region = stitching.local_solver(model), read_region(mesh, unit=unit, size=size)
    if picture is not None and region.mesh.dimension != 2:
        raise ConfigurationError("a picture of the parts of a solid", where="--picture", remedy="look at the field 'part' of the output in ParaView")
    law = stitching.equation_of(solver, region.mesh.dimension, equation, young=young, poisson=poisson, plane=plane)
    said = {"dirichlet": _by_patch(region, dirichlet, "--dirichlet"), "neumann": _by_patch(region, neumann, "--neumann")}
    case = driven_case(region, law, **said, source=source, conductivity=conductivity)
    begun = time.perf_counter()
    with sweep_bar(sweeps) as progress:
        result = stitching.schwarz(case, solver, law, settings, progress=progress)
    prepared = time.perf_counter() - begun - result.seconds
    direct = stitching.solved_directly(case, law) if compare_direct else None
    files = [result.write(output), *_pictures(result, plot, picture)]
    lines = [*result.case.mesh.notes, *_lines(result, overlap, prepared, direct), f"written: {', '.join(map(str, files))}"]
    show_result(_data(result, files, prepared, direct), "\n".join(lines), as_json)
    _say_by_status(result)


def _say_by_status(result: SchwarzResult) -> None:
    """End with a status that scripts see where the iteration did not end as asked."""
    if not result.outcome.ok:
        raise typer.Exit(NOT_CONVERGED)


@contextmanager
def sweep_bar(most: int) -> Iterator[Callable[[SweepNote], None]]:
    """A bar on stderr over the sweeps, with what is left of the equations."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("sweeps"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("sweeps", total=most, note="")

        def progress(note: SweepNote) -> None:
            bar.update(task, completed=note.sweep, note=f"residual {note.residual:.1e}, change {note.update:.1e}")

        yield progress


def _require_names(mesh: Path, output: Path, pictures: dict[str, Path | None]) -> None:
    """Refuse names of files before anything is computed."""
    problems = []
    if output.suffix.lower() != ".vtu" or output.resolve() == mesh.resolve():
        problems.append(f"--output is '{output}', must end in .vtu and not be the input")
    for option, path in pictures.items():
        if path is not None and path.suffix.lower() not in (".png", ".svg", ".pdf"):
            problems.append(f"{option} is '{path}', must end in .png, .svg or .pdf")
    problems += [f"there is no folder '{path.parent}'" for path in [output, *pictures.values()] if path is not None and not path.parent.is_dir()]
    if problems:
        raise ConfigurationError("; ".join(dict.fromkeys(problems)), where="geoop schwarz", remedy="for example -o part.vtu --plot convergence.png")


def _by_patch(case: Case, given: Sequence[str] | None, option: str) -> dict[str, str]:
    """PATCH=VALUE by patch; of several patches that a text may begin with, the longest."""
    found: dict[str, str] = {}
    for text in given or ():
        known = [name for name in case.mesh.patches if text.startswith(f"{name}=")]
        name = max(known, key=len) if known else text.partition("=")[0]
        value = text[len(name) + 1 :]
        if not value.strip():
            raise ConfigurationError(
                f"'{text}' names no value", where=option, remedy=f"write {option} PATCH=VALUE, with one of the patches {sorted(case.mesh.patches)}"
            )
        if name in found:
            raise ConfigurationError(f"patch '{name}' has two values", where=option, remedy="give one")
        found[name] = value
    return found


def _pictures(result: SchwarzResult, plot: Path | None, picture: Path | None) -> list[Path]:
    if plot is None and picture is None:
        return []
    from ..studies.plots.schwarz import convergence_plot, partition_picture

    drawn = [] if plot is None else [convergence_plot({result.case.name: result}, plot, tolerance=result.tolerance)]
    return drawn if picture is None else [*drawn, partition_picture(result, picture)]


def _data(result: SchwarzResult, files: list[Path], prepared: float, direct: Direct | None) -> dict[str, Any]:
    compared = None if direct is None else {"seconds": direct.seconds, "difference": direct.difference(result.u)}
    said = {"notes": list(result.case.mesh.notes), "preparation_seconds": prepared}
    return {**result.to_dict(), **said, "output": str(files[0]), "files": [str(path) for path in files], "direct": compared}


def _lines(result: SchwarzResult, overlap: int, prepared: float, direct: Direct | None) -> list[str]:
    """How it went, line by line."""
    import numpy as np

    owner = result.case.field("part").values
    sizes = np.bincount(owner[owner >= 0].astype(np.int64))
    rate, proof = result.contraction, result.certificate
    lines = [
        f"{result.case.name}: {len(result.u)} unknowns in {len(sizes)} parts of {sizes.min()} to {sizes.max()} cells, overlap {overlap} layers",
        *([result.note] if result.note else []),
        f"outcome: {result.outcome.status} after {result.sweeps} sweeps: {result.outcome.detail}",
    ]
    if result.outcome.status != "converged":
        lines.append(f"remedy: {result.outcome.remedy}")
    if rate is not None:
        lines.append(f"contraction: a sweep changes differences by a factor of {rate.factor:.3g}; relaxation {result.relaxation:.3g}")
        names = ", ".join(map(str, result.repaired))
        lines.append(f"repaired: parts {names} solved exactly" if result.repaired else "repaired: none, all parts are the model's answers")
    if proof is not None:
        lines.append(
            f"certificate: residual {proof.residual:.1e} of {proof.tolerance:.0e} asked, {proof.steps} step{'s' * (proof.steps != 1)}, from zero {proof.from_zero}"
        )
    timed = f"time: {prepared:.2f} s to prepare, {result.seconds:.2f} s to solve"
    if direct is not None:
        timed += f"; a direct solve {direct.seconds:.2f} s, from which this differs by {direct.difference(result.u):.1e} (relative L2)"
    return [*lines, timed]
