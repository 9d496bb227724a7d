"""``geoop.collect``: a folder of result files, or a published set as it is downloaded, becomes a data set."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from ...errors import ConfigurationError
from ..dataset import Dataset, Progress
from ..dataset_writing import write_dataset
from .choices import CONSTANTS, Choices, OpenQuestionsError, parse_names
from .collection import Collection
from .own_runs import survey_runs


class Said(TypedDict, total=False):
    """What :func:`collect` takes by keyword beside files and folders.

    Attributes:
        variant: which task or part of a published layout.
        unit: length unit of the meshes, where it is not metres.
        names: what arrays and columns mean: ``{"U": "velocity:m/s", "p": "pressure:Pa", "junk": "drop"}``, or ``["U=velocity:m/s"]``.
        wall: patches that are the body; ``["none"]`` for no body.
        velocity, alpha, density, viscosity, mach, reference_length: of all runs where nothing else says it; [m/s], [deg], [kg/m^3],
            dynamic [Pa s], [1], [m].
        inviscid: there is no viscosity.
        file: pattern of the result files, where a folder holds several.
        times: ``last`` step of a run, or ``all`` as a series.
        to_points: bring values at cells to points (:func:`geoop.io.collecting.to_points.with_points`).
        split_by: column whose values stay together; by default runs of equal wall points do.
        ood: condition of the runs of a split ``ood``: ``alpha>12``.
        seed: of the random splits.
        match: ``order`` says that rows and runs belong together in natural order.
        name, description, licence: of the data set.
    """

    variant: str
    unit: str | None
    names: Mapping[str, str] | Sequence[str]
    wall: Sequence[str]
    velocity: float | None
    alpha: float | None
    density: float | None
    viscosity: float | None
    mach: float | None
    reference_length: float | None
    inviscid: bool
    file: str | None
    times: str
    to_points: bool
    split_by: str | None
    ood: str | None
    seed: int
    match: str
    name: str
    description: str
    licence: str


def collect(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    conditions: str | os.PathLike[str] | None = None,
    *,
    layout: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **said: Unpack[Said],
) -> Dataset:
    """Collect the runs of a folder into a data set, guessing what can be guessed and asking for the rest in one error.

    Every format that :func:`geoop.read_case` reads is a run: one file per run, a folder per run, OpenFOAM cases, an SU2 mesh with
    its solutions, series. What was guessed is on the card of the data set; :func:`survey` shows it without writing. A run that
    cannot be read, or whose row is missing or wrong, is left out and listed with its reason.

    Args:
        folder: of the runs, or of a published set.
        output: folder of the data set; an interrupted collection is continued there.
        conditions: table (CSV, TSV, semicolons) with a row per run; a table called ``conditions``, ``runs``, ... in the folder is found.
        layout: name of a published layout (:data:`geoop.io.layouts.table.layouts`), ``own`` for own runs; None recognises it.
        overwrite: replace another data set in ``output``.
        progress: called as (done, total), first for looking, then for writing.
        said: everything else that can be said, see :class:`Said`: ``unit="mm"``, ``density=1.2``, ``names={"p": "pressure:Pa"}``, ...

    Raises:
        OpenQuestionsError: something only the user knows is missing; all of it is listed, with what to type.
        ConfigurationError: an unknown keyword, or a choice that fits nothing.
        UnreadableFileError: no folder, no run, no table, or no run that can be read.
        DatasetError: the output holds something else.
        UnwritableFileError: no permission, or the disk is full.
    """
    collection = survey(folder, conditions, choices_of(said), layout=layout, output=output, progress=progress)
    return write_collection(collection, output, overwrite=overwrite, progress=progress)


def choices_of(said: Mapping[str, Any]) -> Choices:
    """The choices that keywords say, see :class:`Said`.

    Raises:
        ConfigurationError: an unknown keyword, or an impossible value.
    """
    lost = [key for key in said if key not in Said.__annotations__]
    if lost:
        near = difflib.get_close_matches(lost[0], list(Said.__annotations__), n=1)
        remedy = (f"did you mean {near[0]}=? " if near else "") + f"there are: {', '.join(Said.__annotations__)}"
        raise ConfigurationError(f"unknown keywords: {', '.join(lost)}", where="collect", remedy=remedy)
    known = dict(said)
    names = known.pop("names", {})
    stated = {key: known.pop(key) for key in CONSTANTS if key in known}
    return Choices(
        names=dict(names) if isinstance(names, Mapping) else parse_names(list(names)),
        wall=tuple(known.pop("wall", None) or ()),
        constants={key: float(value) for key, value in stated.items() if value is not None},
        **known,
    )


def survey(
    folder: str | os.PathLike[str],
    conditions: str | os.PathLike[str] | None = None,
    choices: Choices | None = None,
    *,
    layout: str | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Collection:
    """Look at a folder and say what :func:`collect` would make of it; ``print(survey(...).report)``.

    Args:
        folder, conditions, layout, output, progress: as for :func:`collect`.
        choices: everything else.

    Raises:
        The errors of :func:`collect` but for those of writing and open questions, which are in the report.
    """
    from ..layouts.table import layout_of

    root = Path(folder).expanduser()
    choices = choices or Choices()
    table = Path(conditions).expanduser() if conditions is not None else None
    target = Path(output).expanduser() if output is not None else None
    chosen = layout_of(root, layout, own=table is not None)
    if chosen is None:
        return survey_runs(root, table, choices, output=target, progress=progress)
    return chosen.survey(root, choices)


def write_collection(collection: Collection, output: str | os.PathLike[str], *, overwrite: bool = False, progress: Progress | None = None) -> Dataset:
    """Write what was surveyed.

    Raises:
        OpenQuestionsError: something is still to be said.
        DatasetError, UnwritableFileError: as :func:`geoop.io.dataset_writing.write_dataset`.
    """
    if collection.report.questions:
        raise OpenQuestionsError.of(collection.report.questions, collection.plan.name)
    return write_dataset(output, collection.plan, collection.read, progress=progress, overwrite=overwrite)
