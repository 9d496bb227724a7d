"""The tables of a report: verdicts and why, what each geometry does, every case, and those that failed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .plot_polars import curves_of
from .report_text import escaped
from .study_folder import ALPHA, StudyFolder, failed, number, parted
from .table import TEXT, Row

#: Verdict -> sign beside the word, for those who do not see the colour.
SIGNS = {"inside": "●", "edge": "◆", "outside": "✕", "failed": "■", "not judged": "○"}
_MEANING = {
    "inside": "like the training",
    "edge": "at its edge: check",
    "outside": "do not use",
    "not judged": "confidence unknown",
    "failed": "no result",
}
#: Reasons that are listed one by one.
_REASONS, _REMARKS = 12, 6
#: Decimals of a column; others get four digits.
_DECIMALS = {
    "CL": 4,
    "CM": 4,
    "CD": 5,
    "L/D": 1,
    "x_cp/c": 3,
    "Cp min": 3,
    "x/c of Cp min": 3,
    "seconds": 3,
    "CL panels": 4,
    "CM panels": 4,
    "CD panels": 5,
}
#: Angles around zero lift that the slope is taken from [deg].
_LINEAR = (-4.0, 8.0)


def verdict_of(row: Row) -> str:
    """``inside``, ``edge``, ``outside``, ``failed`` or ``not judged``."""
    return "failed" if failed(row) else row["level"] if row.get("level") in SIGNS else "not judged"


def badge(level: str) -> str:
    """A verdict as a coloured word with its sign."""
    return f'<span class="level t-{level.replace(" ", "-")}">{SIGNS[level]} {level}</span>'


def verdict_summary(study: StudyFolder) -> str:
    """How many cases are to be trusted, as tiles, as a bar, and the reasons of the others."""
    counts = {level: count for level, count in study.counts().items() if count}
    tiles = "".join(f'<div class="tile"><b>{count}</b>{badge(level)}<br><span>{_MEANING[level]}</span></div>' for level, count in counts.items())
    shares = "".join(f'<i class="i-{level.replace(" ", "-")}" style="flex: {count}"></i>' for level, count in counts.items())
    said = ", ".join(f"{count} {level}" for level, count in counts.items())
    return f'<div class="tiles">{tiles}</div><div class="bar" role="img" aria-label="{said}">{shares}</div>{_reasons(study)}{_remarks(study)}'


def _reasons(study: StudyFolder) -> str:
    """Why cases are not inside, the most frequent reasons first."""
    found = Counter(
        (verdict_of(row), str(row.get("reason") or "").strip()) for row in study.rows if row.get("reason") and verdict_of(row) in ("edge", "outside")
    )
    if not found:
        return ""
    shown = found.most_common(_REASONS)
    items = "".join(f"<li>{badge(level)} {count} ×: {escaped(reason)}</li>" for (level, reason), count in shown)
    rest = sum(found.values()) - sum(count for _, count in shown)
    more = f"<li>{rest} more cases, with their reasons in the table</li>" if rest else ""
    return f"<p>Why cases are not inside:</p><ul>{items}{more}</ul>"


def _remarks(study: StudyFolder) -> str:
    """What is to be known about numbers of cases that did not fail, such as where a drag comes from; the most frequent first."""
    found = Counter(part.strip() for row in study.rows if not failed(row) for part in str(row.get("message") or "").split(";") if part.strip())
    items = "".join(f"<li>{count} ×: {escaped(text)}</li>" for text, count in found.most_common(_REMARKS))
    return f"<p>Remarks on cases:</p><ul>{items}</ul>" if items else ""


def geometry_table(study: StudyFolder) -> str:
    """Per geometry what an engineer asks first, from the cases that are not outside: slope, zero-lift angle, CL and L/D at their best."""
    rows = [(name, facts) for name in study.geometries if (facts := _facts(study, name))]
    columns = [key for key in _FACTS if any(key in facts for _, facts in rows)]
    if not rows or not columns:
        return ""
    head = "".join(f'<th scope="col" class="n">{escaped(key)}</th>' for key in columns)
    body = "".join(
        f'<tr><td class="k">{escaped(name)}</td>' + "".join(_cell(facts.get(key), "") for key in columns) + "</tr>" for name, facts in rows
    )
    note = "Cases outside are left out. Slope and zero-lift angle: least-squares line through the angles from −4° to 8°."
    return (
        f'<h3>Geometries</h3><div class="scroll" tabindex="0" role="region" aria-label="geometries"><table class="sortable"><thead><tr>'
        f'<th scope="col">geometry</th>{head}</tr></thead><tbody>{body}</tbody></table></div><p class="soft small">{note}</p>'
    )


_FACTS = ("cases", "dCL/dα [1/°]", "zero-lift α [°]", "CM at zero lift", "greatest CL", "at α [°]", "least CD", "greatest L/D", "at CL")


def _facts(study: StudyFolder, name: str) -> dict[str, float]:
    rows = [row for row in study.of(name) if not failed(row) and verdict_of(row) != "outside" and number(row, "CL") is not None]
    if not rows:
        return {}
    found: dict[str, float] = {"cases": float(len(rows))}
    over, curves = curves_of(study, rows)
    straight = [row for row in curves[len(curves) // 2].rows if over == ALPHA and _LINEAR[0] <= row[ALPHA] <= _LINEAR[1]] if curves else []
    if len(straight) > 1:
        slope, offset = np.polyfit([row[ALPHA] for row in straight], [row["CL"] for row in straight], 1)
        found["dCL/dα [1/°]"] = float(slope)
        if abs(slope) > 1e-6:
            found["zero-lift α [°]"] = float(-offset / slope)
        moments = [(row["CL"], value) for row in straight if (value := number(row, "CM")) is not None]
        if len(moments) > 1:
            found["CM at zero lift"] = float(np.polyfit([lift for lift, _ in moments], [moment for _, moment in moments], 1)[1])
    best = max(rows, key=lambda row: row["CL"])
    found["greatest CL"] = best["CL"]
    if (angle := number(best, ALPHA)) is not None:
        found["at α [°]"] = angle
    drags = [value for row in rows if (value := number(row, "CD")) is not None]
    ratios = [row for row in rows if number(row, "L/D") is not None]
    if drags:
        found["least CD"] = min(drags)
    if ratios:
        found["greatest L/D"], found["at CL"] = max((row["L/D"], row["CL"]) for row in ratios)
    return found


def case_table(study: StudyFolder) -> str:
    """Every case, one row each; columns in which all agree are said above, expected errors stand beside their values."""
    rows = study.rows
    errors = {name for name in study.columns if name.endswith(" error") and name.removesuffix(" error") in study.columns}
    shown = [name for name in study.columns if name not in errors and any(row.get(name) not in (None, "") for row in rows)]
    shown = [name for name in shown if name != "message" or any(row.get("message") and not failed(row) for row in rows)]
    alike = [
        name
        for name in shown
        if name in (*study.inputs, "CD source", "outcome", "message", "reason") and len({row.get(name) for row in rows if not failed(row)}) == 1
    ]
    shown = _leading([name for name in shown if name not in alike], study.inputs)
    agreed = ", ".join(
        f"{name}: {_plain(next(row.get(name) for row in rows if not failed(row)), name)}" for name in alike if any(not failed(row) for row in rows)
    )
    note = f'<p class="soft small">The same in all cases: {escaped(agreed)}.</p>' if agreed else ""
    head = "".join(f'<th scope="col"{"" if name in TEXT else _N}>{escaped(name)}</th>' for name in shown)
    body = "".join(_case_row(row, shown, errors) for row in rows)
    levels = "".join(f'<option value="{level}">{level}</option>' for level, count in study.counts().items() if count)
    tools = (
        '<div class="tools" id="tools" hidden><label>Filter <input id="words" type="search" autocomplete="off"></label>'
        f'<label>Verdict <select id="level"><option value="">all</option>{levels}</select></label>'
        '<span id="count" class="soft" role="status"></span></div>'
    )
    return (
        f'{note}{tools}<div class="scroll" tabindex="0" role="region" aria-label="all cases"><table class="sortable" id="case-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


_N = ' class="n"'


def _leading(names: Sequence[str], inputs: Sequence[str]) -> list[str]:
    """Case, geometry, conditions, verdict, then what was computed: a number is not read before its verdict."""
    first = [name for name in names if name in ("case", "geometry", *inputs)]
    return [*first, *(name for name in names if name == "level"), *(name for name in names if name not in (*first, "level"))]


def _case_row(row: Row, shown: Sequence[str], errors: set[str]) -> str:
    cells = []
    for name in shown:
        value = row.get(name)
        if name == "level":
            level = verdict_of(row)
            cells.append(f'<td data-v="{list(SIGNS).index(level)}">{badge(level)}</td>')
        elif name in ("reason", "message"):
            text = escaped(value or "")
            cells.append(f'<td class="long"><div title="{text}">{text}</div></td>' if text else "<td></td>")
        elif name in TEXT:
            cells.append(f'<td class="k">{escaped(value or "")}</td>')
        else:
            error = number(row, f"{name} error") if f"{name} error" in errors else None
            cells.append(_cell(value, name, error))
    return f'<tr data-level="{verdict_of(row)}">{"".join(cells)}</tr>'


def _cell(value: object, name: str, error: float | None = None) -> str:
    if not isinstance(value, float):
        return f"<td{_N}>{escaped('' if value is None else value)}</td>"
    width = f" ± {error:.2g}" if error is not None else ""
    return f'<td{_N} data-v="{value!r}">{escaped(_plain(value, name) + width)}</td>'


def _plain(value: object, name: str) -> str:
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if not math.isfinite(value):
        return "–"
    said = f"{value:.{_DECIMALS[name]}f}" if name in _DECIMALS and abs(value) < 1e4 else f"{value:.4g}"
    return said.replace("-", "−")


def failed_cases(study: StudyFolder) -> str:
    """Cases without a result: where, why, and what to do about it."""
    lost = [row for row in study.rows if failed(row)]
    if not lost:
        return ""
    rows = []
    for row in lost:
        where = ", ".join(f"{parted(name)[0]} {_plain(row[name], name)}" for name in study.inputs if isinstance(row.get(name), float))
        cells = (row["case"], row["geometry"], where, str(row.get("message") or "no reason is given"))
        rows.append("<tr>" + "".join(f"<td{' class=long' if k > 2 else ''}>{escaped(cell)}</td>" for k, cell in enumerate(cells)) + "</tr>")
    head = "".join(f'<th scope="col">{name}</th>' for name in ("case", "geometry", "condition", "why it failed, and what to do"))
    return f'<div class="scroll" tabindex="0" role="region" aria-label="failed cases"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
