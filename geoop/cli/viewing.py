"""Commands that show results: the report of a study, and fields in a window, in a browser or as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .printing import Json, show_result


def report(folder: Annotated[Path, typer.Argument(help="study folder")], as_json: Json = False) -> None:
    """Draw the pictures of a study again and write its report.html, one file that can be sent alone."""
    from ..studies.report import write_report

    path = write_report(folder)
    show_result({"report": str(path)}, f"written: {path}", as_json)
