"""The card of a data set: what is in it, where it comes from, its limits, in README style, with pictures of random cases."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GeoopError, UnwritableFileError
from ..io.atomic import replacing
from ..io.dataset import CARD_PICTURE, CARD_TEXT, Dataset
from ..mesh.case import Case
from ..scaling.body_frame import SCALES
from ..scaling.framing import Framing
from .plots.cases import case_pictures, magnitude

#: Cases in the picture, and cases from which the ranges of the fields are taken: reading thousands of files takes minutes.
SHOWN, SAMPLED = 8, 40
#: Points of the trial that tells whether a case can be framed.
_TRIAL = 64
#: The model that a card proposes where the default one does not fit: it takes every geometry.
_ANYWHERE = "GINO"


@dataclass(frozen=True)
class DataCard:
    """A data card that was written.

    Attributes:
        text: Markdown.
        path: of the text.
        picture: of the picture.
        facts: the numbers of the text, as plain data.
    """

    text: str
    path: Path
    picture: Path
    facts: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"path": str(self.path), "picture": str(self.picture), **self.facts}


def describe(
    data: Dataset | str | os.PathLike[str], output: str | os.PathLike[str] | None = None, *, field: str | None = None, seed: int = 0
) -> DataCard:
    """Write the card of a data set: ``README.md`` and ``cases.png``.

    Args:
        data: a data set or its folder.
        output: folder to write into; the data set's own if None.
        field: that the pictures show; the most telling one if None.
        seed: of the choice of the cases shown and sampled.

    Raises:
        DatasetError: the folder is no data set, or a case was changed.
        PatchError: no such field.
        UnwritableFileError: the folder cannot be written: give an output.
    """
    dataset = data if isinstance(data, Dataset) else Dataset.open(data)
    folder = dataset.directory if output is None else Path(output).expanduser()
    names = list(dataset.manifest.cases)
    order = [names[k] for k in np.random.default_rng(seed).permutation(len(names))]
    cases = [dataset.case(name) for name in order[:SAMPLED]]
    facts = {
        "name": dataset.name,
        "hash": dataset.hash,
        "splits": {split: len(members) for split, members in dataset.splits.items()},
        "fields": _fields(cases),
        "sampled": len(cases),
        "shown": order[:SHOWN],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        picture = case_pictures(cases[:SHOWN], folder / CARD_PICTURE, field=field)
        text = "\n".join(_lines(dataset, cases, facts))
        with replacing(folder / CARD_TEXT) as path:
            path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UnwritableFileError(f"the card cannot be written: {error}", where=str(folder), remedy="choose another folder: -o FOLDER") from error
    return DataCard(text, folder / CARD_TEXT, picture, facts)


def _lines(dataset: Dataset, cases: Sequence[Case], facts: Mapping[str, Any]) -> Iterator[str]:
    manifest = dataset.manifest
    yield from (f"# {dataset.name}", "", manifest.description, "", f"![eight random cases: {', '.join(facts['shown'])}]({CARD_PICTURE})", "")
    yield from ("## Cases", "", *_table(("split", "cases", "geometries", "series in time", "parameters"), _split_rows(dataset)), "")
    yield f"No case is in two splits, and no geometry that several cases share. {_sizes(manifest)} {_cells(cases)}"
    yield from ("", "## Fields", "")
    columns = ("field", "symbol", "unit", "at", "rank", "1 %", "median", "99 %")
    rows = [
        (name, f["symbol"], f["unit"], f["location"], f["rank"], *(f"{f[k]:.3g}" for k in ("low", "median", "high")))
        for name, f in facts["fields"].items()
    ]
    yield from _table(columns, rows)
    yield f"\nQuantiles over all values (magnitudes of vectors and tensors) of {facts['sampled']} random cases."
    odd = [f"{name} in {f['cases']} of {facts['sampled']} cases only" for name, f in facts["fields"].items() if f["cases"] < facts["sampled"]]
    odd += [f"{f['not_finite']} values of {name} are NaN or infinite" for name, f in facts["fields"].items() if f["not_finite"]]
    if odd:
        yield f"\nBeware: {'; '.join(odd)}."
    conditions = list(_condition_rows(dataset))
    if conditions:
        yield from ("", "## Operating conditions", "", *_table(("", "least", "most"), conditions))
    if manifest.generator:
        yield from ("", "## How it was made", "", *(f"- {key.replace('_', ' ')}: {_plain(value)}" for key, value in manifest.generator.items()))
    if manifest.failed:
        yield from (
            "",
            f"## Left out: {len(manifest.failed)} cases",
            "",
            *(f"- {name}: {' '.join(reason.split())}" for name, reason in manifest.failed.items()),
        )
    yield from (
        "",
        "## Use",
        "",
        "```python",
        "import geoop",
        "",
        f'data = geoop.Dataset.open("{dataset.directory.name}")',
        'for case in data.cases("train"):',
    )
    yield from ("    case.mesh, case.operating_point, case.fields", "```", "")
    yield from _training(dataset, cases)
    if manifest.seed is not None:
        count = sum(len(names) for split, names in manifest.splits.items() if split in ("train", "val", "test"))
        yield from (f"Made again, bit by bit: `geoop generate {dataset.name} -n {count} --seed {manifest.seed} -o FOLDER`.", "")
    licence = manifest.licence or "not stated"
    yield f"Licence: {licence}. geoop {manifest.geoop_version}. SHA-256 of the content: `{dataset.hash}`."


def _training(dataset: Dataset, cases: Sequence[Case]) -> Iterator[str]:
    """How ``geoop fit`` learns the fields of such cases, or why it does not."""
    first = cases[0]
    try:
        framing = Framing.fit([first], domain_points=_TRIAL)
        framing.of(first)
    except GeoopError as error:
        yield from (f"`geoop fit` does not take these cases: {error.message}.", "")
        return
    flow = first.operating_point is not None
    at_points = [item for item in first.fields.values() if item.location == "point" and item.name != "quadrature_weight"]
    able = [item.name for item in at_points if item.quantity.rank < 2 and (not flow or item.quantity.unit in SCALES)]
    if not able:
        yield from ("`geoop fit` learns scalars and vectors at points: these cases have none that it can scale.", "")
        return
    quantities = ", ".join(f'"{name}"' for name in able)
    lines = [f'data = "{dataset.directory.name}"', 'directory = "run"', f"quantities = [{quantities}]  # what is known goes into inputs = [...]"]
    lines += ["[settings]", "minutes = 10"]
    if framing.region or framing.bodies:
        lines += ["[model]", f'class = "{_ANYWHERE}"']
    yield from ("`geoop fit run.toml` with the file `run.toml`:", "", "```toml", *lines, "```", "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]


def _split_rows(dataset: Dataset) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for split, names in dataset.splits.items():
        entries = [dataset.manifest.cases[name] for name in names]
        geometries = len({entry.geometry or name for name, entry in zip(names, entries, strict=True)})
        series = len({entry.series for entry in entries if entry.series})
        drawn: dict[str, list[float]] = {}
        for entry in entries:
            for key, value in entry.parameters.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    drawn.setdefault(_family(key), []).append(float(value))
        ranges = ", ".join(f"{key} {min(values):.3g} to {max(values):.3g}" for key, values in drawn.items())
        rows.append((split, len(names), geometries, series or "-", ranges or "-"))
    return rows


def _family(key: str) -> str:
    """``cos_3`` belongs to ``cos_*``: seventeen coefficients of one law are one line of a card."""
    head, _, tail = key.rpartition("_")
    return f"{head}_*" if head and tail.isdigit() else key


def _sizes(manifest: Any) -> str:
    points = [entry.points for entry in manifest.cases.values()]
    return f"{min(points)} points per case." if min(points) == max(points) else f"{min(points)} to {max(points)} points per case."


def _cells(cases: Sequence[Case]) -> str:
    kinds, patches = dict.fromkeys(name for case in cases for name in case.mesh.cells.names), dict.fromkeys(p for c in cases for p in c.mesh.patches)
    return f"Cells: {', '.join(kinds) or 'none'}. Patches: {', '.join(patches) or 'none'}."


def _fields(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name for case in cases for name in case.fields):
        items = [case.fields[name] for case in cases if name in case.fields]
        sizes = [np.atleast_1d(np.linalg.norm(f.values) if f.quantity.rank else f.values) if f.location == "global" else magnitude(f) for f in items]
        values = np.concatenate(sizes)
        finite = values[np.isfinite(values)]
        low, median, high = (float(v) for v in np.percentile(finite, [1, 50, 99])) if finite.size else (np.nan,) * 3
        q = items[0].quantity
        found[name] = {
            "symbol": q.symbol, "unit": q.unit, "location": items[0].location, "rank": q.rank, "low": low, "median": median, "high": high,
            "not_finite": len(values) - len(finite), "cases": len(items),
        }  # fmt: skip
    return found


def _condition_rows(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    points = [entry.operating_point for entry in dataset.manifest.cases.values() if entry.operating_point]
    units = {"velocity": "m/s", "alpha": "deg", "beta": "deg", "density": "kg/m^3", "viscosity": "Pa s", "mach": "1", "reference_length": "m"}
    for key, unit in units.items():
        values = [value for value in (getattr(point, key) for point in points) if value is not None]
        if values and not (key in ("alpha", "beta") and not any(values)):
            yield f"{key.replace('_', ' ')} [{unit}]", f"{min(values):.6g}", f"{max(values):.6g}"
    reynolds = [p.density * p.velocity * p.reference_length / p.viscosity for p in points if p.viscosity and p.reference_length]
    if reynolds:
        yield "Reynolds number", f"{min(reynolds):.6g}", f"{max(reynolds):.6g}"


def _plain(value: Any) -> str:
    """A value of the manifest as text: ranges as ``a to b``."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        numbers = len(value) == 2 and all(isinstance(item, (int, float)) for item in value)
        return f"{value[0]:g} to {value[1]:g}" if numbers else ", ".join(_plain(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
