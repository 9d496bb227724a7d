"""Text of users and of model cards as HTML: everything is escaped, and of Markdown only what cards use is understood."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")


def escaped(text: object) -> str:
    """Text that no browser takes for markup, in an attribute neither."""
    return html.escape(str(text), quote=True)


def markdown(text: str, top: int = 3) -> str:
    """Headings, paragraphs, lists, pipe tables, fenced and inline code, bold. Links and raw HTML stay text.

    Args:
        text: Markdown.
        top: level of the highest heading.
    """
    found: list[str] = []
    lines = text.replace("\r\n", "\n").split("\n")
    start = 0
    while start < len(lines):
        block, start = _block(lines, start, top)
        found.append(block)
    return "\n".join(part for part in found if part)


def _block(lines: Sequence[str], start: int, top: int) -> tuple[str, int]:
    """The block that begins at a line, and where the next one begins."""
    line = lines[start]
    heading = re.match(r"^(#{1,6})\s+(.*?)\s*#*$", line)
    if not line.strip():
        return "", start + 1
    if heading:
        level = min(6, top - 1 + len(heading[1]))
        return f"<h{level}>{_inline(heading[2])}</h{level}>", start + 1
    if line.strip().startswith("```"):
        stop = next((k for k in range(start + 1, len(lines)) if lines[k].strip().startswith("```")), len(lines))
        return f"<pre>{escaped(chr(10).join(lines[start + 1 : stop]))}</pre>", stop + 1
    if line.startswith("    ") and line.strip():
        stop = next((k for k in range(start, len(lines)) if lines[k].strip() and not lines[k].startswith("    ")), len(lines))
        return f"<pre>{escaped(chr(10).join(item[4:] for item in lines[start:stop]).rstrip())}</pre>", stop
    if "|" in line and start + 1 < len(lines) and _RULE.match(lines[start + 1]) and "-" in lines[start + 1]:
        stop = next((k for k in range(start + 2, len(lines)) if "|" not in lines[k]), len(lines))
        return table([_cells(line)], [_cells(item) for item in lines[start + 2 : stop]]), stop
    if re.match(r"^\s*([-*]|\d+\.)\s+", line):
        stop = start + 1
        while stop < len(lines) and lines[stop].strip() and not lines[stop].startswith("#"):
            stop += 1
        return _list(lines[start:stop]), stop
    stop = start + 1
    while stop < len(lines) and lines[stop].strip() and not re.match(r"^(#{1,6}\s|```|\s*[-*]\s)", lines[stop]):
        stop += 1
    return f"<p>{_inline(' '.join(item.strip() for item in lines[start:stop]))}</p>", stop


def table(head: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> str:
    """A plain table of text, escaped."""
    above = "".join("<tr>" + "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in row) + "</tr>" for row in head)
    below = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead>{above}</thead><tbody>{below}</tbody></table>"


def described(values: Mapping[str, Any]) -> str:
    """Nested plain data as lists of terms; lists of plain values on a line."""
    parts = []
    for key, value in values.items():
        said = described(value) if isinstance(value, Mapping) and value else escaped(_plain(value))
        parts.append(f"<dt>{escaped(str(key).replace('_', ' '))}</dt><dd>{said}</dd>")
    return f"<dl>{''.join(parts)}</dl>"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        shown = [_plain(item) for item in value[:40]]
        return ", ".join(shown) + (f", ... ({len(value)} in all)" if len(value) > 40 else "") if value else "none"
    return "none" if value is None or value == "" else str(value)


def _list(lines: Sequence[str]) -> str:
    items: list[str] = []
    for line in lines:
        entry = re.match(r"^\s*([-*]|\d+\.)\s+(.*)$", line)
        if entry:
            items.append(entry[2])
        else:
            items[-1] += " " + line.strip()
    kind = "ol" if re.match(r"^\s*\d", lines[0]) else "ul"
    return f"<{kind}>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + f"</{kind}>"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _inline(text: str) -> str:
    said = escaped(text)
    said = re.sub(r"`([^`]+)`", r"<code>\1</code>", said)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", said)
