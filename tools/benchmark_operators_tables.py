"""The tables of ``tools/benchmark operators``, from its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]


def chosen(found: Sequence[Row]) -> Iterator[Row]:
    """Of the learning rates of a model at one budget the one with most seeds, of several the one with the smallest mean validation loss; controls as they are.

    So a deviation over seeds is one over seeds alone. The number of rates that were tried counts those of trials.
    """
    groups: dict[tuple, dict[float, list[Row]]] = {}
    tried: dict[tuple, set[float]] = {}
    for row in found:
        kind = (row["task"], row["name"], row.get("preset"), row.get("vary_points", 1.0))
        tried.setdefault(kind, set()).add(row.get("rate", 1.0))
        if row["kind"] != "trial":
            groups.setdefault((*kind, row.get("cpu_minutes")), {}).setdefault(row.get("rate", 1.0), []).append(row)
    for kind, rates in groups.items():
        best = min(rates.values(), key=lambda rows: (-len(rows), np.mean([row.get("validation", 0.0) for row in rows])))
        yield from (row | {"rates": len(tried[kind[:4]])} for row in sorted(best, key=lambda row: row.get("seed", 0)))


def report(name: str, splits: Sequence[str], rows: Sequence[Row]) -> None:
    """The table of one task, best first."""
    found = list(chosen([row for row in rows if row["task"] == name]))
    if not found:
        print(f"\n{name}: nothing measured")
        return
    hashes = sorted({row["data_hash"][:12] for row in found})
    for split in splits:
        columns = list(dict.fromkeys(key for row in found for key in row["errors"][split] if key.endswith(("mean", "z-L1 median"))))
        print(f"\n{name}, split {split}, data {', '.join(hashes)}; per cent, sorted by the mean relative L2 over the quantities\n")
        heads = ["predictor", "core-min", "rates", "seed", "parameters", "epochs", "cases/s", "points/s", "MB", "primary", *columns]
        print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
        for row in sorted(found, key=lambda row: row["errors"][split]["primary"]):
            cells = [
                row["name"] + (", varied clouds" if row.get("vary_points", 1.0) != 1 else "") if row["kind"] != "control" else f"*{row['name']}*"
            ]
            cells += [
                f"{row['cpu_minutes']:g}" if "cpu_minutes" in row else f"{row['seconds'] / 60:.1f}",
                str(row["rates"]) if "rate" in row else "-",
            ]
            cells += [
                str(row.get(key, "-")) for key in ("seed", "parameters", "epochs", "cases_per_second", "decode_points_per_second", "peak_megabytes")
            ]
            cells += [f"{row['errors'][split][key]:.4g}" if key in row["errors"][split] else "-" for key in ("primary", *columns)]
            print("| " + " | ".join(cells) + " |")


def summary(tasks: Mapping[str, Sequence[str]], minutes: float, rows: Sequence[Row]) -> None:
    """One line per predictor: the primary error on every set, after trainings of so many minutes; the best rate by validation, mean and deviation of the seeds."""
    columns = [(task, split) for task, splits in tasks.items() for split in splits]
    table: dict[str, dict[tuple[str, str], list[float]]] = {}
    parameters: dict[str, str] = {}
    for task, splits in tasks.items():
        for row in chosen([row for row in rows if row["task"] == task]):
            if row.get("cpu_minutes", minutes) != minutes:
                continue
            name = row["name"] if row["kind"] != "control" else f"*{row['name']}*"
            if row.get("vary_points", 1.0) != 1:
                name += f", clouds varied by {row['vary_points']:g}"
            parameters.setdefault(name, str(row.get("parameters", "-")))
            for split in splits:
                table.setdefault(name, {}).setdefault((task, split), []).append(row["errors"][split]["primary"])
    print(f"\nall sets, {minutes:g} minutes of computing time; mean relative L2 in per cent over quantities and cases; controls in italics\n")
    heads = ["predictor", "parameters", *(task if split == "test" else f"{task}, {split}" for task, split in columns)]
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for name, found in sorted(table.items(), key=lambda item: [np.mean(item[1].get(column, [np.inf])) for column in columns]):
        cells = [_over_seeds(found[column]) if column in found else "-" for column in columns]
        print("| " + " | ".join([name, parameters[name], *cells]) + " |")


def _over_seeds(values: Sequence[float]) -> str:
    """Mean, and where there are several seeds their standard deviation and number."""
    text = f"{np.mean(values):.3g}"
    return text if len(values) == 1 else f"{text} ± {np.std(values, ddof=1):.2g} ({len(values)})"
