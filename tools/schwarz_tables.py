"""Tables of ``tools/benchmark schwarz`` from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from schwarz_problems import PROBLEMS, SHAPES

Row = Mapping[str, Any]


def report(found: Mapping[str, Row], console: Console) -> None:
    """Print every table for which there are rows."""
    by_section: dict[str, list[Row]] = {}
    for row in found.values():
        by_section.setdefault(row["section"], []).append(row)
    tables = {
        "exact": _exact,
        "scaling": _scaling,
        "noise": _noise,
        "local": _local,
        "learned": _learned,
        "time": _time,
        "large": _large,
        "smooth": _smooth,
        "holed": _facts,
        "space": _facts,
        "controls": _local,
        "online": _facts,
    }
    for section, make in tables.items():
        if section in by_section:
            console.print(make(by_section[section]))


def _table(title: str, columns: Sequence[str]) -> Table:
    made = Table(title=title)
    for name in columns:
        made.add_column(name)
    return made


def _exact(rows: Sequence[Row]) -> Table:
    made = _table("exact parts: sweeps to 2 % / 0.1 % of the discrete solution, and the error at the end", ("rule, overlap", *("a", "b", "c")))
    by_key = {row["key"]: row for row in rows}
    for rule in dict.fromkeys("/".join(row["key"].split("/")[2:]) for row in rows):
        cells = []
        for shape in ("a", "b", "c"):
            row = by_key.get(f"exact/{shape}/{rule}")
            cells.append("-" if row is None else f"{row['to 0.02']} / {row['to 0.001']}  ({row['error']:.0e}, t = {row['share']})")
        made.add_row(rule.replace("/overlap", ", "), *cells)
    return made


def _scaling(rows: Sequence[Row]) -> Table:
    made = _table("parts of 24 x 24 nodes, one layer: sweeps to 1e-6, GMRES steps to 1e-7", ("coarse space", "4 parts", "16 parts", "64 parts"))
    by_key = {row["key"]: row for row in rows}
    for coarse in ("None", "constants", "spectral"):
        cells = [by_key.get(f"scaling/{parts}/{coarse}") for parts in (4, 16, 64)]
        made.add_row(coarse, *("-" if row is None else f"{row['sweeps']} / {row['gmres']}" for row in cells))
    return made


def _noise(rows: Sequence[Row]) -> Table:
    made = _table("noise of a share c of the local range: relative L2 error where it comes to rest, over c", ("shape, rule", "1 %", "2 %", "5 %"))
    by_key = {row["key"]: row for row in rows}
    for pair in dict.fromkeys((row["shape"], row["rule"]) for row in rows):
        made.add_row(", ".join(pair), *(f"{by_key[f'noise/{pair[0]}/{pair[1]}/{share}']['ratio']:.2f}" for share in ("0.01", "0.02", "0.05")))
    return made


def _local(rows: Sequence[Row]) -> Table:
    made = _table(
        "on unseen polygons, mean relative L2 [%]",
        ("equation", "parameters", "CPU-min", "epochs", "all", "white", "mean of the boundary"),
    )
    for row in rows:
        off = row["errors"]
        shown = [f"{off[key]['mean']:.2f} ({off[key]['cases']})" if key in off else "-" for key in ("all", "white", "mean of the boundary")]
        made.add_row(row["problem"], str(row["parameters"]), f"{row['cpu_minutes']:g}", str(row["epochs"]), *shown)
    return made


def _learned(rows: Sequence[Row]) -> Table:
    columns = ("time over a direct solve", "equation, data", "asked", "published a b c", *SHAPES, "direct network", "sweeps", "over best", "data")
    made = _table("stitched fields, mean relative L2 [%]", columns)
    for name, problem in PROBLEMS.items():
        for law in problem.laws:
            of = {row["shape"]: row for row in rows if (row["problem"], row["law"]) == (name, law)}
            if not of:
                continue
            ratio = [row["seconds"] / max(row["fem"], 1e-9) for row in of.values()]
            direct = [row["direct"] for row in of.values()]
            best = [row["over best"] for row in of.values() if row.get("over best")]
            made.add_row(
                f"{min(ratio):.0f} to {max(ratio):.0f}",
                f"{name}, {law}",
                f"{problem.asked:g}",
                problem.published,
                *(f"{of[shape]['error']:.2f}" if shape in of else "-" for shape in SHAPES),
                f"{min(direct):.1f} to {max(direct):.1f}",
                f"{max(row['most sweeps'] for row in of.values()):.0f}",
                f"{max(best):.2f}" if best else "-",
                f"{max(row['cases'] for row in of.values())}",
            )
    return made


def _time(rows: Sequence[Row]) -> Table:
    made = _table(
        "Laplace, milliseconds", ("shape", "stitched: prepared once", "then each", "direct: with assembly", "then each", "ratio, both prepared")
    )
    for row in rows:
        shown = (row["preparation"], row["stitched"], row["direct with assembly"], row["direct"])
        made.add_row(row["shape"], *(f"{1000 * value:.1f}" for value in shown), f"{row['stitched'] / row['direct']:.1f}")
    return made


def _large(rows: Sequence[Row]) -> Table:
    made = _table("larger domains, Laplace: mean relative L2 [%] (parts, points, most sweeps)", ("shape, data", "as large", "3 times", "10 times"))
    by_key = {"/".join(row["key"].split("/")[1:4]): row for row in rows}
    for pair in dict.fromkeys("/".join(row["key"].split("/")[1:3]) for row in rows):
        cells = [by_key.get(f"{pair}/{scale}") for scale in ("1", "3", "10")]
        made.add_row(
            pair, *("-" if row is None else f"{row['error']:.2f} ({row['parts']}, {row['points']}, {row['most sweeps']:.0f})" for row in cells)
        )
    return made


def _smooth(rows: Sequence[Row]) -> Table:
    made = _table("harmonic polynomials Re (x + iy)^k: relative L2 [%] stitched (finite elements)", ("shape", *(f"k = {k}" for k in range(5))))
    for shape in dict.fromkeys(row["shape"] for row in rows):
        of = {row["degree"]: row for row in rows if row["shape"] == shape}
        made.add_row(shape, *(f"{of[k]['error']:.2f} ({of[k]['fem']:.2f})" if k in of else "-" for k in range(5)))
    return made


def _facts(rows: Sequence[Row]) -> Table:
    made = _table(str(rows[0]["section"]), ("what", *(row["key"] for row in rows)))
    for key in rows[0]:
        if key not in ("key", "section"):
            made.add_row(key, *(f"{row[key]:.4g}" if isinstance(row[key], float) else str(row[key]) for row in rows))
    return made
