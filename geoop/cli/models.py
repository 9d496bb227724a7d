"""The command that lists the models that come with geoop, and shows their cards."""

from __future__ import annotations

from typing import Annotated

import typer

from .printing import Json, show_result


def models(
    name: Annotated[str | None, typer.Argument(help="of one model: print its card")] = None,
    as_json: Json = False,
) -> None:
    """Models that come with geoop: what they are for, how good they are; with a name, the whole model card."""
    from ..results.shipped import shipped_model, shipped_models

    if name is not None:
        found = shipped_model(name)
        show_result({**found.to_dict(), "about": dict(found.about), "card": found.card}, found.card, as_json)
        return
    known = [shipped_model(name) for name in shipped_models()]
    rows = [f"{item.name} ({item.size / 1e6:.1f} MB)\n  {item.summary}\n  {item.errors}" for item in known]
    text = "\n".join([*rows, "", "the card of one: geoop models NAME; use: geoop predict NAME section.dat --velocity 50 -o section.vtu"])
    show_result([item.to_dict() for item in known], text if known else "no models come with this copy of geoop", as_json)
