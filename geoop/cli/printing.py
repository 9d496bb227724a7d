"""How commands print: text for people, JSON for programs."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

#: Exit status of a run whose files are written, but whose iteration did not end as asked.
NOT_CONVERGED = 3

Json = Annotated[bool, typer.Option("--json", help="print machine-readable results")]


def show_result(data: Any, text: str, as_json: bool) -> None:
    """Print a result: the data as JSON, or the text."""
    typer.echo(json.dumps(data, indent=2, default=_plain) if as_json else text)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
