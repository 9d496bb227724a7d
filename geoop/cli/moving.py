"""The command that carries a mesh along with a motion of its patches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigurationError
from .options import Unit
from .printing import FAILED, Json, counting, outcome_data, outcome_line, show_result, waiting

if TYPE_CHECKING:
    from ..interfaces.moving import Deformer
    from ..mesh.case import Case
    from ..results.deforming import Deformation
    from ..solve.deformers.motions import Motion


def deform(
    mesh: Annotated[Path, typer.Argument(help="any mesh that geoop reads, with named patches")],
    output: Annotated[Path, typer.Option("--output", "-o", help="moved mesh with its fields: .vtu, .su2, .msh, ...; with --frames .pvd")],
    patch: Annotated[list[str] | None, typer.Option(help="that moves; repeat for several; all others stay")] = None,
    pitch: Annotated[float | None, typer.Option(help="nose up by so many degrees about --about, clockwise seen against --axis")] = None,
    about: Annotated[str | None, typer.Option(metavar="X,Y[,Z]", help="point that --pitch turns about \\[m]")] = None,
    axis: Annotated[str, typer.Option(metavar="X,Y,Z", help="axis of --pitch in space; 0,-1,0 is nose up where z points up")] = "0,0,1",
    translate: Annotated[str | None, typer.Option(metavar="X,Y[,Z]", help="shift \\[m]")] = None,
    displacement: Annotated[
        str | None,
        typer.Option(metavar="FILE[/FIELD]", help="vector field of a file at the points \\[m]; a file alone: its points are the moved ones"),
    ] = None,
    method: Annotated[str, typer.Option(help="rbf, elastic, laplacian, spring")] = "rbf",
    slide: Annotated[list[str] | None, typer.Option(help="patch along which points slide, such as a symmetry plane; repeat")] = None,
    steps: Annotated[int | None, typer.Option(help="in which the motion is made, at first; halved where cells would turn inside out")] = None,
    frames: Annotated[
        int | None,
        typer.Option(help="so many times of one period of the motion, with the mesh velocity, the mean over the step that ends there, into .pvd"),
    ] = None,
    frequency: Annotated[float, typer.Option(help="of the motion with --frames \\[Hz]: pitch and shift times sin(2 pi f t)")] = 1.0,
    phase: Annotated[
        float | None, typer.Option(metavar="DEGREES", help="by which --pitch is ahead of --translate, with --frames: sin(2 pi f t + phase)")
    ] = None,
    unit: Unit = None,
    picture: Annotated[Path | None, typer.Option(help="picture of a plane mesh before and after: .png, .svg, .pdf")] = None,
    as_json: Json = False,
) -> None:
    """Move patches of a mesh; the inside follows without inverted cells, or the command says what to do instead."""
    from ..io.reading import read_case
    from ..results import deforming

    said = {"--pitch": pitch, "--translate": translate, "--displacement": displacement, "--about": about, "--phase": phase}
    _require(mesh, output, patch, [name for name, value in said.items() if value is not None], frames, picture)
    case, patches = read_case(mesh, unit=unit), list(dict.fromkeys(patch or ()))
    chosen = deforming.deformer(method, slide=slide or (), steps=steps)
    if displacement is not None:
        given = deforming.displacement_of(displacement, case.mesh, patches)
    else:
        motion = _motion(case, pitch, about, axis, translate, frequency, phase or 0.0)
        given = {name: motion.displacement(case.mesh.points[case.mesh.patch_points(name)], 0.25 / frequency) for name in patches}
    if frames is not None:
        _series(case, dict.fromkeys(patches, motion), frames, frequency, chosen, output, as_json)
        return
    if picture is not None and case.mesh.dimension != 2:
        raise ConfigurationError("a picture of a solid", where="--picture", remedy="leave it out and look at the output in ParaView")
    with waiting("moving the points"):
        done = deforming.deform(case, given, chosen)
    files, notes = _written(case, done, output, picture)
    before, after = done.quality
    lines = [
        f"{case.name}: {len(case.mesh.points)} points, {len(case.mesh.cells)} cells, {done.moved.seconds:.2f} s",
        outcome_line(done.moved.outcome),
        f"smallest scaled Jacobian: {before:.4g} before, {after:.4g} after",
        *notes,
        f"written: {', '.join(files)}" if files else "nothing is written",
    ]
    show_result({**done.to_dict(), "outcome": outcome_data(done.moved.outcome), "files": files}, "\n".join(lines), as_json)
    if not files:
        raise typer.Exit(FAILED)


def _written(case: Case, done: Deformation, output: Path, picture: Path | None) -> tuple[list[str], tuple[str, ...]]:
    """Files of a move, none where it has failed, and what they could not hold."""
    from ..io.writing import write

    if not done.moved.outcome.ok:
        return [], ()
    written = write(done.case, output)
    files = [str(written.path)]
    if picture is not None:
        from ..studies.plots.moving import before_and_after

        files.append(str(before_and_after(case.mesh, done.case.mesh, picture)))
    return files, tuple(written.notes)


def _require(mesh: Path, output: Path, patch: list[str] | None, said: list[str], frames: int | None, picture: Path | None) -> None:
    """Refuse words that do not fit together before anything is read."""
    from ..io.writing import is_input

    problems, motions = [], [name for name in said if name in ("--pitch", "--translate", "--displacement")]
    if not patch:
        problems.append("no --patch is named")
    if not motions:
        problems.append("no motion is given")
    if "--displacement" in motions and len(motions) > 1:
        problems.append(f"{' and '.join(motions)} at once")
    if ("--pitch" in said) != ("--about" in said):
        problems.append("--pitch and --about belong together")
    if "--phase" in said and not ({"--pitch", "--translate"} <= set(said) and frames is not None):
        problems.append("--phase is between --pitch and --translate, with --frames")
    if is_input(mesh, output):
        problems.append("--output is the input")
    if not output.parent.is_dir():
        problems.append(f"there is no folder '{output.parent}'")
    if picture is not None and (picture.suffix.lower() not in (".png", ".svg", ".pdf") or not picture.parent.is_dir()):
        problems.append(f"--picture is '{picture}', must end in .png, .svg or .pdf in a folder that is there")
    if frames is not None and (frames < 2 or output.suffix.lower() != ".pvd" or "--displacement" in said):
        problems.append("--frames needs 2 or more, an --output that ends in .pvd, and --pitch or --translate")
    if frames is not None and picture is not None:
        problems.append("--picture is of one move: leave out --frames for it")
    if problems:
        raise ConfigurationError(
            "; ".join(problems), where="geoop deform", remedy="for example: geoop deform wing.su2 --patch wall --pitch 10 --about 0.25,0 -o moved.vtu"
        )


def _motion(case: Case, pitch: float | None, about: str | None, axis: str, translate: str | None, frequency: float, phase: float) -> Motion:
    """The motion that was asked for; its full size is reached after a quarter of a period."""
    from ..solve.deformers.motions import Oscillating, Pitching, PitchingHeaving

    if not 0 < frequency < float("inf"):
        raise ConfigurationError(f"frequency is {frequency}", where="--frequency", remedy="give a positive number [Hz]")
    d = case.mesh.dimension
    heave = None if translate is None else Oscillating(_numbers(translate, d, "--translate"), frequency)
    if pitch is None and heave is not None:
        return heave
    turn = _numbers(axis, 3, "--axis")
    turning = Pitching(pitch or 0.0, frequency, _numbers(about or "", d, "--about"), axis=(turn[0], turn[1], turn[2]), phase=phase)
    return turning if heave is None else PitchingHeaving(turning, heave)


def _numbers(text: str, count: int, option: str) -> tuple[float, ...]:
    try:
        found = tuple(float(word) for word in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count:
        raise ConfigurationError(f"'{text}' is not {count} numbers", where=option, remedy=f"write {','.join(['0.25', '0', '0'][:count])}")
    return found


def _series(case: Case, motion: dict[str, Motion], frames: int, frequency: float, chosen: Deformer, output: Path, as_json: bool) -> None:
    """One period of the motion, into a .pvd file; an interrupted run goes on with the frames that are there."""
    import numpy as np

    from ..results.moving_frames import write_frames

    with counting("frames") as progress:
        done = write_frames(case, motion, np.linspace(0.0, 1.0 / frequency, frames), chosen, output, progress=progress)
    kept = f", {done.kept} of them from an earlier run" if done.kept else ""
    text = f"{frames} times to {done.times[-1]:.4g} s{kept}, smallest scaled Jacobian {done.quality.min():.4g}\nwritten: {done.path}"
    show_result(done.to_dict(), text, as_json)
