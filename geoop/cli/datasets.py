"""Commands that make data sets and say what is in them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .printing import Json, show_result

if TYPE_CHECKING:
    from ..io.dataset import Progress


class TimeLeft:
    """Time left at the mean speed since the start.

    The speed of the last half-minute, which progress bars usually show, says "one second" whenever all frames of a series have
    come at once, and counts the cases of an earlier attempt as if they had just been computed.

    Args:
        clock: seconds; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._before: int | None = None
        self._due: float | None = None

    def update(self, done: int, total: int) -> None:
        """After every case, and once before the first if an earlier attempt has done some."""
        if self._before is None:
            self._before = done if done > 1 else 0
        computed, now = done - self._before, self._clock()
        self._due = now + (now - self._start) * (total - done) / computed if computed else None

    def __str__(self) -> str:
        """``h:mm:ss``, of which nothing is known before the first case is done."""
        return "-:--:--" if self._due is None else str(timedelta(seconds=max(0, math.ceil(self._due - self._clock()))))


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A bar on stderr with the cases done, the time taken and the time left; called as (done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    left = TimeLeft()
    columns = (
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("taken"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TextColumn("{task.fields[left]}"),
    )
    with Bar(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None, left=left)

        def progress(done: int, total: int) -> None:
            left.update(done, total)
            bar.update(task, completed=done, total=total)

        yield progress


def generate(
    name: Annotated[str | None, typer.Argument(help="data set, e.g. kt-airfoils; --list names them all")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="folder to write; NAME in this folder unless given")] = None,
    number: Annotated[int | None, typer.Option("--number", "-n", help="cases in train, val and test together")] = None,
    seed: Annotated[int, typer.Option(help="equal seeds give equal files")] = 0,
    workers: Annotated[int | None, typer.Option("--workers", "-j", help="processes; all cores that have work unless given")] = None,
    dask: Annotated[str | None, typer.Option(help="address of a Dask scheduler, tcp://host:8786, whose workers compute")] = None,
    time_limit: Annotated[float | None, typer.Option(help="seconds that one case may take; a longer one is left out and listed")] = None,
    overwrite: Annotated[bool, typer.Option(help="replace another data set in the folder; of the same one, try its failed cases again")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="name the data sets")] = False,
    as_json: Json = False,
) -> None:
    """Ground truth from an embedded solver, as a data-set folder. Interrupted, it continues where it stopped."""
    from ..errors import ConfigurationError
    from ..truth.datasets.table import DATASETS, named_dataset
    from ..truth.generate import generate as run

    if list_all:
        found = {key: (made.summary, made.size) for key in DATASETS for made in [named_dataset(key)]}
        text = "\n".join(f"{key:<22}{size:>6}  {summary}" for key, (summary, size) in found.items())
        show_result({key: {"summary": summary, "cases": size} for key, (summary, size) in found.items()}, text, as_json)
        return
    if name is None:
        raise ConfigurationError("no data set is named", where="geoop generate", remedy="geoop generate --list, then geoop generate NAME -o data/")
    with progress_bar(name) as progress:
        dataset = run(name, output, number, seed, workers=workers, dask=dask, time_limit=time_limit, overwrite=overwrite, progress=progress)
    sizes, failed = {split: len(names) for split, names in dataset.splits.items()}, dict(dataset.manifest.failed)
    lines = [
        f"{dataset.name}: {', '.join(f'{count} {split}' for split, count in sizes.items())} cases in {dataset.directory}",
        f"hash {dataset.hash}",
    ]
    if failed:
        lines += [f"{len(failed)} cases failed and are left out:", *(f"  {case}: {reason}" for case, reason in list(failed.items())[:20])]
        lines += [f"  and {len(failed) - 20} more, listed in dataset.toml"] if len(failed) > 20 else []
    data = {"name": dataset.name, "splits": sizes, "hash": dataset.hash, "failed": failed, "directory": str(dataset.directory)}
    show_result(data, "\n".join(lines), as_json)


def describe(
    data: Annotated[Path, typer.Argument(help="data-set folder")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="folder for README.md and cases.png; the data set's own unless given")] = None,
    field: Annotated[str | None, typer.Option(help="field of the pictures; the most telling one unless given")] = None,
    seed: Annotated[int, typer.Option(help="which eight cases are shown")] = 0,
    as_json: Json = False,
) -> None:
    """The data card: what is in a data set, where it comes from, its limits, and pictures of eight random cases."""
    from ..studies.data_card import describe as run

    card = run(data, output, field=field, seed=seed)
    show_result(card.to_dict(), f"{card.text}\n\nwritten: {card.path} and {card.picture}", as_json)
