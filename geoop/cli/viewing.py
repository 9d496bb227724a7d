"""Commands that show results: the report of a study, and fields in a window, in a browser or as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .printing import Json, show_result


def report(folder: Annotated[Path, typer.Argument(help="study folder")], as_json: Json = False) -> None:
    """Draw the pictures of a study again and write its report.html, one file that can be sent alone."""
    from ..studies.report.page import write_report

    path = write_report(folder)
    show_result({"report": str(path)}, f"written: {path}", as_json)


def view(
    path: Annotated[Path, typer.Argument(help=".vtu, .vtp, .pvd, or a study folder")],
    field: Annotated[str | None, typer.Option(help="that colours; the pressure coefficient, or the first, unless given")] = None,
    geometry: Annotated[str | None, typer.Option(help="of a study; the first unless given")] = None,
    step: Annotated[int | None, typer.Option(help="of the sweep, from 0; the middle one unless given")] = None,
    picture: Annotated[Path | None, typer.Option(metavar="OUT", help="write a .png and end; needs no display")] = None,
    browser: Annotated[bool | None, typer.Option(help="a page in the browser; done where there is no display")] = None,
    port: Annotated[int, typer.Option(help="of that page; a free one unless given")] = 0,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="open that page here")] = True,
) -> None:
    """Look at fields: a window, or a page in the browser, with a slider over the sweep; --picture writes one without a display."""
    from ..studies.plots.viewing import Sweep, has_display, window
    from ..studies.plots.viewing import picture as draw

    sweep = Sweep.open(path, geometry)
    if picture is not None:
        typer.echo(f"written: {draw(sweep, picture, field=field, step=step)}")
    elif browser or (browser is None and not has_display()):
        from ..studies.plots.viewing_page import serve

        serve(sweep, field=field, step=step, port=port, open_browser=open_page, said=lambda address: typer.echo(f"{address}  (Ctrl-C ends it)"))
    else:
        window(sweep, field=field, step=step)
