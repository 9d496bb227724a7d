"""How commands print: text for people, JSON for programs, bars on stderr while they work."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .wording import on_the_command_line

if TYPE_CHECKING:
    from ..interfaces.outcome import Outcome

#: Exit status of a run that wrote nothing, because there is nothing to be used.
FAILED = 1
#: Exit status of a run whose files are written, but whose iteration did not end as asked.
NOT_CONVERGED = 3

Json = Annotated[bool, typer.Option("--json", help="print machine-readable results")]


def show_result(data: Any, text: str, as_json: bool) -> None:
    """Print a result: the data as JSON, in which numbers that are not finite are null, or the text."""
    typer.echo(json.dumps(_finite(json.loads(json.dumps(data, default=_plain))), indent=2, allow_nan=False) if as_json else text)


def outcome_line(outcome: Outcome) -> str:
    """How a run ended, in the same words for every command."""
    return f"outcome: {on_the_command_line(str(outcome))}"


def outcome_data(outcome: Outcome) -> dict[str, str]:
    """The same as plain data, for ``--json`` output."""
    return {key: on_the_command_line(value) for key, value in outcome.to_dict().items()}


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while frames, or other things of one kind, are made: call it with how many are done, and how many there are."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, transient=True, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A sign of life on stderr while something of unknown length is made."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn(what), TimeElapsedColumn())
    with Progress(*columns, transient=True, console=console, disable=not console.is_terminal) as bar:
        bar.add_task(what, total=None)
        yield


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _finite(value: Any) -> Any:
    """Plain data with None for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
