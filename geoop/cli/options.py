"""Options that several commands have, each said once."""

from __future__ import annotations

from typing import Annotated

import typer

Unit = Annotated[
    str | None,
    typer.Option(
        help="length unit of the file: m, mm, cm, in, ft; STL, OBJ, PLY, OFF, GLB and clouds need it, results of solvers are in m unless it says another"
    ),
]
Chord = Annotated[float | None, typer.Option(help="chord of an aerofoil .dat file \\[m]; 1 m unless given")]
Meanings = Annotated[list[str] | None, typer.Option("--map", help="NAME=QUANTITY:UNIT, e.g. p=pressure:Pa; NAME=drop; repeat")]
