"""Makes the models that come with geoop: data, training, measurement, card. Run it by tools/make_models NAME; everything is resumable."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kept_rows import keep, rows
from model_recipe import Recipe, Row, markdown
from rich.console import Console

from geoop.results.confidence.ensemble import Ensemble
from geoop.results.shipped import FOLDER, SUFFIX
from geoop.results.surrogate import load

ROOT = Path(__file__).resolve().parent.parent
MEASURED = Path(__file__).resolve().parent / "measured" / "models.json"
#: Model -> module with a ``RECIPE``.
RECIPES = {"airfoil-potential": "model_airfoil", "body-potential": "model_body", "airfoil-rans-surface": "model_rans"}
LARGEST = 5_000_000  # bytes of a file of the package

console = Console(soft_wrap=True, highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=list(RECIPES), help="models")
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "models", help="folder for data, runs and rows")
    parser.add_argument("--card-only", action="store_true", help="write the card anew from the rows and the file in the package")
    given = parser.parse_args()
    for name in given.names:
        recipe: Recipe = importlib.import_module(RECIPES[name]).RECIPE
        make(recipe, given.output / name, card_only=given.card_only)


def make(recipe: Recipe, folder: Path, *, card_only: bool = False) -> None:
    """Data, training and rows as far as they are missing; the file and the card of the package.

    Raises:
        SystemExit: the file is larger than what the package takes, or nothing to write a card of.
    """
    target = FOLDER / (recipe.name + SUFFIX)
    surrogate = load(target if card_only else recipe.build(folder))
    once = kept(folder / "rows")
    if not card_only:
        recipe.measure(surrogate, folder, once)  # type: ignore[arg-type]
    found = {key: row for key, row in rows(MEASURED, folder / "rows").items() if key.startswith(recipe.name)}
    if not found:
        raise SystemExit(f"no rows of {recipe.name}: run without --card-only")
    card = recipe.card(surrogate, found)  # type: ignore[arg-type]
    about = {**surrogate.about, "shipped": {"summary": card.summary, "errors": card.errors, "command": card.command}}
    if isinstance(surrogate, Ensemble):  # the first member speaks for all
        surrogate = replace(surrogate, surrogates=(replace(surrogate.surrogates[0], about=about), *surrogate.surrogates[1:]))
    else:
        surrogate = replace(surrogate, about=about)  # type: ignore[type-var]
    surrogate.save(target)
    if target.stat().st_size > LARGEST:
        raise SystemExit(f"{target.name} has {target.stat().st_size} bytes, the package takes {LARGEST}")
    target.with_suffix(".md").write_text(markdown(card, surrogate), encoding="utf-8")  # type: ignore[arg-type]
    console.print(f"{target} ({target.stat().st_size / 1e6:.2f} MB) and its card")


def kept(folder: Path) -> Callable[[str, Callable[[], Row]], Row]:
    """``once`` for rows in a folder."""

    def once(key: str, make: Callable[[], Row]) -> Row:
        known = rows(MEASURED, folder)
        if key in known:
            return known[key]
        row = {**make(), "key": key}
        keep(folder, row)
        console.print(f"{key}: " + ", ".join(f"{name} {value}" for name, value in row.items() if name != "key" and not isinstance(value, list)))
        return row

    return once


if __name__ == "__main__":
    main()
