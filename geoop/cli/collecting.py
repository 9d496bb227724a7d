"""The command that makes a data set of result files: shows what it guessed, and asks for what it cannot know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .datasets import progress_bar
from .printing import Json, show_result

if TYPE_CHECKING:
    from ..io.collecting.collection import Collection


def collect(
    folder: Annotated[Path | None, typer.Argument(help="folder of result files or case folders, or a published set as it was downloaded")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="folder of the data set; not needed with --dry-run")] = None,
    conditions: Annotated[Path | None, typer.Option(help="CSV or TSV with a row per run: speed, angle, density, ...")] = None,
    dry_run: Annotated[bool, typer.Option(help="show what is guessed, and stop")] = False,
    layout: Annotated[str | None, typer.Option(help="published layout (--list-layouts), or own; recognised unless given")] = None,
    variant: Annotated[str, typer.Option(help="task or part of a published layout, e.g. scarce, volume")] = "",
    list_layouts: Annotated[bool, typer.Option(help="name the published layouts")] = False,
    unit: Annotated[str | None, typer.Option(help="length unit of the meshes, e.g. mm")] = None,
    names: Annotated[list[str] | None, typer.Option("--map", help="NAME=QUANTITY:UNIT, e.g. U=velocity:m/s; NAME=keep, NAME=drop; repeat")] = None,
    wall: Annotated[list[str] | None, typer.Option(help="patch that is the body; repeat; none for no body")] = None,
    velocity: Annotated[float | None, typer.Option(help="free-stream speed of all runs \\[m/s]")] = None,
    alpha: Annotated[float | None, typer.Option(help="angle of attack of all runs \\[deg]")] = None,
    density: Annotated[float | None, typer.Option(help="\\[kg/m^3]")] = None,
    viscosity: Annotated[float | None, typer.Option(help="dynamic viscosity [Pa s]")] = None,
    inviscid: Annotated[bool, typer.Option("--inviscid", help="there is no viscosity")] = False,
    mach: Annotated[float | None, typer.Option(help="Mach number of all runs")] = None,
    reference_length: Annotated[float | None, typer.Option(help="length of Reynolds number and moments \\[m]")] = None,
    file: Annotated[str | None, typer.Option(help="pattern of the result files where a folder holds several, e.g. 'flow*.vtu'")] = None,
    times: Annotated[str, typer.Option(help="last step of a run, or all as a series")] = "last",
    to_points: Annotated[bool, typer.Option("--points", help="bring values at cells to points, as training needs them")] = False,
    split_by: Annotated[str | None, typer.Option(help="column whose values stay in one split; equal walls do unless given")] = None,
    ood: Annotated[str | None, typer.Option(help="runs of a split 'ood', e.g. 'alpha>12'")] = None,
    seed: Annotated[int, typer.Option(help="of the random splits")] = 0,
    match: Annotated[str, typer.Option(help="names, or order: rows belong to the runs in natural order")] = "names",
    name: Annotated[str, typer.Option(help="of the data set")] = "",
    licence: Annotated[str, typer.Option(help="of the data, SPDX name or sentence")] = "",
    overwrite: Annotated[bool, typer.Option(help="replace another data set in the folder")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="never ask; what is missing is an error")] = False,
    as_json: Json = False,
) -> None:
    """Your own runs, or a published set, as a data set: guesses fields, units, walls and conditions, shows them, asks for the rest."""
    if list_layouts:
        _show_layouts(as_json)
        return
    conditions_of_all = {"velocity": velocity, "alpha": alpha, "density": density, "viscosity": viscosity, "mach": mach}
    said = {"names": names or [], "wall": wall, "unit": unit, "file": file, "times": times, "to_points": to_points, "split_by": split_by, "ood": ood}
    said |= {"seed": seed, "match": match, "variant": variant, "name": name, "licence": licence, "inviscid": inviscid}
    source = _checked(folder, output, dry_run)
    may_ask = not (yes or as_json or dry_run) and sys.stdin.isatty() and sys.stdout.isatty()
    collection = _surveyed(source, conditions, {**said, **conditions_of_all, "reference_length": reference_length}, layout, output, may_ask)
    if dry_run or output is None:
        show_result(collection.report.to_dict(), str(collection.report), as_json)
        return
    _write(collection, output, overwrite, as_json)


def _checked(folder: Path | None, output: Path | None, dry_run: bool) -> Path:
    """The folder, if it and the output are named."""
    from ..errors import ConfigurationError

    if folder is None:
        raise ConfigurationError("no folder is named", where="geoop collect", remedy="geoop collect runs/ --conditions runs.csv -o data/")
    if output is None and not dry_run:
        raise ConfigurationError(
            "no output folder is named", where="geoop collect", remedy="say where the data set goes: -o data/; or only look: --dry-run"
        )
    return folder


def _surveyed(folder: Path, conditions: Path | None, said: dict[str, Any], layout: str | None, output: Path | None, may_ask: bool) -> Collection:
    """The collection, with questions asked in a terminal until none is open."""
    from ..errors import GeoopError
    from ..io.collecting.collect import choices_of, survey

    choices = choices_of(said)
    while True:
        with progress_bar("looking at the runs") as progress:
            collection = survey(folder, conditions, choices, layout=layout, output=output, progress=progress)
        questions = collection.report.questions
        if not questions or not may_ask:
            return collection
        typer.echo(str(collection.report) + "\n")
        for question in questions:
            while True:
                answer = typer.prompt(f"{question.text}\n  {question.option.strip()}", default=question.example)
                try:
                    choices = choices.answered(question, answer)
                    break
                except GeoopError as error:
                    typer.echo(f"  {error.message}: {error.remedy}")


def _write(collection: Collection, output: Path, overwrite: bool, as_json: bool) -> None:
    from ..io.collecting.collect import write_collection

    report = collection.report
    if not as_json:
        typer.echo(str(report) + "\n")
    with progress_bar("writing") as progress:
        dataset = write_collection(collection, output, overwrite=overwrite, progress=progress)
    sizes, failed = {split: len(own) for split, own in dataset.splits.items()}, dict(dataset.manifest.failed)
    lines = [f"{dataset.name}: {', '.join(f'{count} {split}' for split, count in sizes.items())} cases in {output}", f"hash {dataset.hash}"]
    if failed:
        lines += [f"{len(failed)} runs are left out:", *(f"  {run}: {why}" for run, why in list(failed.items())[:20])]
        lines += [f"  and {len(failed) - 20} more, listed in dataset.toml"] if len(failed) > 20 else []
    lines += [f"next: geoop describe {output}"]
    data = {"name": dataset.name, "splits": sizes, "hash": dataset.hash, "failed": failed, "directory": str(output), "report": report.to_dict()}
    show_result(data, "\n".join(lines), as_json)


def _show_layouts(as_json: bool) -> None:
    from ..io.layouts.table import layouts

    found = {layout.name: layout.summary for layout in layouts().values()}
    show_result(found, "\n".join(f"{key:<14}{summary}" for key, summary in found.items()), as_json)
