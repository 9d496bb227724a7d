"""The command that improves a section."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from .datasets import progress_bar
from .printing import Json, show_result


def optimise(
    source: Annotated[Path | None, typer.Argument(metavar="OPTIMISE", help="optimise.toml; --template prints a commented one")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="folder; that of the file unless given")] = None,
    model: Annotated[str | None, typer.Option(help="another model than that of the file: a shipped one, a checkpoint, or panels")] = None,
    check: Annotated[bool, typer.Option("--check", help="only say what is wrong with the problem")] = False,
    template: Annotated[bool, typer.Option("--template", help="print a commented file")] = False,
    as_json: Json = False,
) -> None:
    """Improve a section within constraints by a model's exact gradients; every result is checked with the panel method and listed with what was promised."""
    from dataclasses import replace

    if template:
        from ..studies.optimisation.template import TEMPLATE

        typer.echo(TEMPLATE, nl=False)
        return
    if source is None:
        raise ConfigurationError("no file", where="geoop optimise", remedy="geoop optimise optimise.toml; --template prints one to begin with")
    from ..studies.optimisation.optimise import check_problem
    from ..studies.optimisation.optimise import optimise as run
    from ..studies.optimisation.problem import read_problem

    problem = read_problem(source, output)
    problem = problem if model is None else replace(problem, model=model)
    if check:
        names = check_problem(problem)
        show_result({"variables": list(names)}, f"nothing is wrong; {len(names)} variables: {', '.join(names)}", as_json)
        return
    if problem.output is None:
        raise ConfigurationError("no folder for the results", where=str(source), remedy="--output out/optimised, or output = in the file")
    with progress_bar("iterations") as progress:
        found = run(problem, progress=progress)
    show_result({"output": str(problem.output), **found.to_dict()}, f"{found}\nwritten: {problem.output}", as_json)
