"""What a shipped model is made by: a recipe; and its card, written from measured rows alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geoop.references import bibtex
from geoop.results.surrogate import Surrogate

Row = dict[str, Any]
#: (key, make) -> the row that is kept under a key; made where there is none.
Once = Callable[[str, Callable[[], Row]], Row]


@dataclass(frozen=True)
class Table:
    """A table of a card.

    Attributes:
        title: with metric, cases and split.
        columns: heads.
        rows: one list of texts or numbers per row, in the order of the columns.
        note: below it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""


@dataclass(frozen=True)
class Card:
    """What a user must know before using a model.

    Attributes:
        name: what ``geoop.load`` takes.
        summary: what it is for, one line.
        errors: how good it is, one line for the list of models.
        use: how, Markdown.
        inputs, outputs: what it takes and gives, Markdown.
        data: what it was trained on: name -> value; data set, hash and cases come from the surrogate.
        tables: errors beside controls.
        refuses: what it refuses and how that is said, one sentence each.
        limits: where it is not to be trusted, one sentence each.
        licence: of weights and data.
        command: that makes it again.
        training: more than the surrogate says of itself, name -> value.
    """

    name: str
    summary: str
    errors: str
    use: str
    inputs: str
    outputs: str
    data: Mapping[str, Any]
    tables: Sequence[Table]
    refuses: Sequence[str]
    limits: Sequence[str]
    licence: str
    command: str
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """How a model is made, measured and described.

    Attributes:
        name: of the model.
        build: (folder) -> path of the trained checkpoint; makes what is not there yet.
        measure: (surrogate, folder, once): rows, kept by key.
        card: (surrogate, rows by key) -> the card.
    """

    name: str
    build: Callable[[Path], Path]
    measure: Callable[[Surrogate, Path, Once], None]
    card: Callable[[Surrogate, Mapping[str, Row]], Card]


def markdown(card: Card, surrogate: Surrogate) -> str:
    """The card as Markdown."""
    about, model = surrogate.about, surrogate.model
    parameters = sum(p.numel() for p in model.parameters())
    quantities = ", ".join(f"{q.name} [{q.unit}]" for q in surrogate.normaliser.quantities)
    sizes = {key: value for key, value in model.arguments.items() if key != "ports"}
    training = {
        "model": f"{type(model).__name__}, {parameters} parameters, {sizes}",
        "quantities": quantities,
        "settings": {key: value for key, value in about.get("settings", {}).items() if value is not None and value != {}},
        "epochs, steps": f"{about.get('epochs')}, {about.get('steps')}",
        "training [s]": about.get("training_seconds"),
        "preparation [s]": about.get("preparation_seconds"),
        **card.training,
    }
    data = {"data set": about.get("dataset"), "hash": about.get("dataset_hash"), **card.data}
    ranges = [
        f"{name}: {low:.4g} .. {high:.4g}"
        for name, low, high in zip(surrogate.envelope.names, surrogate.envelope.rows.min(axis=0), surrogate.envelope.rows.max(axis=0), strict=True)
    ]
    parts = [f"# {card.name}", card.summary, card.errors, "## Use", card.use, "## In and out", card.inputs, card.outputs]
    parts += ["## Errors", *(_table(item) for item in card.tables)]
    parts += ["## What it refuses", _list(card.refuses), "## Limits", _list(card.limits)]
    parts += ["## Data", _facts(data), "Ranges of the training cases (the verdict names what lies outside):", _list(ranges)]
    parts += ["## Training", _facts(training), "Made again by:", f"```\n{card.command}\n```", "## Licence", card.licence]
    parts += ["## References", f"```bibtex\n{bibtex(list(model.reference)).strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _table(item: Table) -> str:
    lines = [f"**{item.title}**", "", "| " + " | ".join(_text(name) for name in item.columns) + " |", "|" + " --- |" * len(item.columns)]
    lines += ["| " + " | ".join(_text(value) for value in row) + " |" for row in item.rows]
    return "\n".join(lines + (["", item.note] if item.note else []))


def _text(value: Any) -> str:
    if value is None:
        return "-"
    # a bar within a cell would end it
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _facts(items: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {'-' if value is None else value}" for name, value in items.items())
