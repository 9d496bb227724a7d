"""A study as one HTML file: warnings, verdicts, polars, pressures, all cases, the model's card, how to make it again.

The file holds its pictures and asks no network for anything; a content policy in it forbids browsers to.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...io.atomic import replacing
from ...results.shipped import shipped_model, shipped_models
from ...version import __version__
from ..plots.study import StudyPicture, draw_study
from .cases import case_table, failed_cases, geometry_table, verdict_summary
from .paraview_state import write_paraview_state
from .study_folder import REPORT, STATE_SCRIPT, StudyFolder
from .text import described, escaped, markdown

_STYLE, _SCRIPT = (Path(__file__).with_name(name) for name in ("report.css", "report.js"))


def write_report(folder: str | os.PathLike[str]) -> Path:
    """Draw the pictures of a study, write its ParaView script ``open.py`` and its ``report.html``.

    What is written follows from the folder alone: the same folder gives the same report. The pictures lie beside the report as files,
    too; the report holds copies, so that it can be sent alone.

    Args:
        folder: that ``geoop study`` wrote.

    Returns:
        The path of the report.

    Raises:
        DatasetError: no study in the folder.
        UnwritableFileError: the folder cannot be written.
    """
    study = StudyFolder.open(folder)
    pictures, missing = draw_study(study)
    write_paraview_state(study)
    page = _page(study, pictures, missing)
    with replacing(study.path / REPORT) as beside:
        beside.write_text(page, encoding="utf-8")
    return study.path / REPORT


def _page(study: StudyFolder, pictures: Sequence[StudyPicture], missing: Sequence[str]) -> str:
    style, script = _STYLE.read_text(encoding="utf-8"), _SCRIPT.read_text(encoding="utf-8")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    sections = [(key, title, body) for key, title, body in _sections(study, pictures) if body]
    links = "".join(f'<a href="#{key}">{escaped(title)}</a>' for key, title, _ in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="geoop {escaped(__version__)}">
<title>{escaped(study.name)}: aerodynamic study</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#summary">To the results</a>
<header><div>
<h1>{escaped(study.name)}</h1>
<div class="soft">{_subtitle(study)}</div>
<nav aria-label="contents">{links}</nav>
</div></header>
<main>
{_warnings(study, missing)}
{"".join(f'<section id="{key}"><h2>{escaped(title)}</h2>{body}</section>' for key, title, body in sections)}
</main>
<footer>{_footer(study)}</footer>
<script>{script}</script>
</body>
</html>
"""


def _sections(study: StudyFolder, pictures: Sequence[StudyPicture]) -> Iterator[tuple[str, str, str]]:
    """Anchor, title and body; sections without a body are left out."""
    yield "summary", "Summary", verdict_summary(study) + geometry_table(study)
    yield "comparison", "All geometries", "".join(_figure(item) for item in pictures if not item.geometry)
    names = list(dict.fromkeys(item.geometry for item in pictures if item.geometry))
    for count, name in enumerate(names, start=1):
        own = {item: _figure(item) for item in pictures if item.geometry == name}
        wide = "".join(text for item, text in own.items() if item.kind in ("polars", "map", "pressure"))
        beside = "".join(text for item, text in own.items() if item.kind in ("field", "body"))
        yield f"geometry-{count}", name, wide + (f'<div class="pair">{beside}</div>' if beside else "")
    yield "cases", "All cases", case_table(study)
    yield "failed", "Failed cases", failed_cases(study)
    yield "settings", "Settings, and how to make it again", _settings(study)
    yield "model", "The model", _model(study)
    yield "licences", "Licences and references", _licences(study)


def _subtitle(study: StudyFolder) -> str:
    model, seconds = _model_table(study), study.about.get("seconds")
    parts = [f"model {Path(str(model['name'])).name}" if model.get("name") else "", f"{len(study.rows)} cases", f"{len(study.geometries)} geometries"]
    parts += [f"{seconds:.3g} s" if isinstance(seconds, int | float) else "", f"geoop {_version(study)}"]
    return escaped(" · ".join(part for part in parts if part))


def _warnings(study: StudyFolder, missing: Sequence[str]) -> str:
    """First of all what must be known before a number is believed."""
    counts = study.counts()
    said = [str(item) for item in study.about.get("warnings") or []] + list(missing)
    if counts["outside"]:
        said.insert(0, f"{counts['outside']} of {len(study.rows)} cases lie outside of what the model was trained on: do not use them.")
    if counts["failed"]:
        said.insert(0, f"{counts['failed']} of {len(study.rows)} cases failed; the reasons are below.")
    if counts["not judged"]:
        said.append(f"{counts['not judged']} cases have no verdict: nothing is known about their confidence.")
    if {str(row.get("CD source") or "") for row in study.rows} & {"inviscid: none"}:
        said.append("Drag is empty where the flow is inviscid and no boundary layer was computed: that is no drag of zero.")
    items = "".join(f"<li>{escaped(item)}</li>" for item in dict.fromkeys(said))
    return f'<aside class="warnings" aria-label="warnings"><h2>Read this first</h2><ul>{items}</ul></aside>' if items else ""


def _figure(item: StudyPicture) -> str:
    data = base64.b64encode(item.path.read_bytes()).decode("ascii")
    said = escaped(item.caption)
    return f'<figure><img src="data:image/png;base64,{data}" alt="{said}"><figcaption>{said}</figcaption></figure>'


def _settings(study: StudyFolder) -> str:
    about = study.about
    command = str(about.get("command") or "geoop.study(...)   # with the settings below; study.json holds them all")
    files = f"paraview {STATE_SCRIPT}\ngeoop view ."
    parts = [f"<p>Made by</p><pre>{escaped(command)}</pre><p>To look at the fields, in this folder:</p><pre>{files}</pre>"]
    for key, title in (("settings", "Settings"), ("conditions", "Conditions")):
        value = about.get(key)
        if isinstance(value, dict) and value:
            parts.append(f"<h3>{title}</h3>{described(value)}")
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            parts.append(f"<h3>{title}</h3>{described(_spread(value))}")
    geometries = [item for item in about.get("geometries") or [] if isinstance(item, dict)]
    if geometries:
        shown = "".join(f"<li>{escaped(_spoken(item))}</li>" for item in geometries[:200])
        more = f"<li>and {len(geometries) - 200} more, in study.json</li>" if len(geometries) > 200 else ""
        parts.append(f"<details><summary>{len(geometries)} geometries</summary><ul>{shown}{more}</ul></details>")
    return "".join(parts)


def _spread(conditions: list[dict]) -> dict[str, str]:
    """Per condition its values, or their range and number where there are many."""
    found = {}
    for key in dict.fromkeys(name for item in conditions for name in item):
        values = list(dict.fromkeys(item.get(key) for item in conditions))
        real = [value for value in values if isinstance(value, int | float)]
        said = ", ".join(f"{value:g}" if isinstance(value, int | float) else str(value) for value in values)
        found[key] = f"{min(real):g} to {max(real):g}, {len(real)} values" if len(real) == len(values) > 12 else said
    return found


def _spoken(item: dict) -> str:
    said = {
        key.replace("_", " "): f"{value:.6g}" if isinstance(value, float) else str(value)
        for key, value in item.items()
        if value not in (None, {}, [])
    }
    return ", ".join(f"{key} {value}" for key, value in said.items())


def _model_table(study: StudyFolder) -> dict:
    model = study.about.get("model")
    return model if isinstance(model, dict) else {"name": model} if model else {}


def _model(study: StudyFolder) -> str:
    model = _model_table(study)
    card = next((model[key] for key in ("card", "about") if isinstance(model.get(key), str) and model[key].strip()), "") or _shipped_card(model)
    facts = {key: value for key, value in model.items() if value is not card and key not in ("references", "bibtex", "licence")}
    told = facts.pop("about", None) if isinstance(facts.get("about"), dict) else None
    more = f"<details><summary>What its file says of itself</summary>{described(told)}</details>" if told else ""
    return (described(facts) if facts else "") + (f'<div class="card">{markdown(card)}</div>' if card else "") + more


def _shipped_card(model: dict) -> str:
    """The card that comes with a shipped model of that name; empty for any other."""
    name = str(model.get("name") or "")
    return shipped_model(name).card if name in shipped_models() else ""


def _licences(study: StudyFolder) -> str:
    model = _model_table(study)
    said = ["<p>geoop is licensed under Apache-2.0."]
    said.append(f" The model: {escaped(model['licence'])}.</p>" if model.get("licence") else " For the model's own see its card.</p>")
    cited = model.get("bibtex") or study.about.get("bibtex")
    if cited:
        said.append(f"<p>Please cite the methods inside:</p><pre>{escaped(cited)}</pre>")
    else:
        said.append(f"<p>BibTeX of the methods inside: <code>geoop cite {escaped(model.get('name') or 'MODEL')}</code></p>")
    return "".join(said)


def _version(study: StudyFolder) -> str:
    return str(study.about.get("geoop") or __version__)


def _footer(study: StudyFolder) -> str:
    return f"Study made by geoop {escaped(_version(study))}, report by geoop {escaped(__version__)}. The table as data: table.csv."
