"""A ParaView script beside a study: it shows field and wall over the sweep, coloured by Cp, wherever the folder lies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from ...io.atomic import replacing
from ...mesh.body import body
from ...mesh.case import Case
from ...mesh.loops import loops
from ..plots.style import level_of
from ..sweep.table import Row
from .study_folder import ALPHA, CASES, STATE_SCRIPT, StudyFolder, failed, number

#: Fields that are shown, the first that the files have.
_SHOWN = ("pressure_coefficient", "pressure", "velocity", "wall_shear_stress")
#: Geometries that the script loads; a study of a thousand sections would fill the pipeline browser.
MOST = 12
#: Of the least, 2nd and 98th percentile and the most per case: the colours are those of a middling case, for one suction peak would
#: leave all others pale; the plot holds everything.
_OVER_CASES = (np.min, np.median, np.median, np.max)
_TEMPLATE = Path(__file__).with_name("paraview_state_script.txt")


def write_paraview_state(study: StudyFolder) -> Path:
    """Write ``open.py`` and the collections of the walls that it names, ``wall_1.pvd`` and so on.

    ``paraview FOLDER/open.py`` shows the study; ``pvpython FOLDER/open.py PICTURE.png`` writes a picture. The script names its files
    relative to itself, so that the folder can be moved, and needs nothing but ParaView (5.10 or newer).

    Args:
        study: an open study; geometries without a file of any case are left out, and so are those after the twelfth.

    Returns:
        The path of the script.

    Raises:
        UnwritableFileError: the folder cannot be written.
    """
    shown, fields = [], study.collections()
    for name in study.geometries:
        if len(shown) == MOST:
            break
        rows = [row for row in study.of(name) if not failed(row) and study.file(row, ".vtp") is not None]
        case = next((case for row in rows if (case := study.wall(row)) is not None), None)
        if case is None:
            continue
        wall = _write_walls(study, rows, len(shown) + 1)
        volume = fields.get(name) if any(study.file(row, ".vtu") for row in rows) else None
        shown.append({"name": name, "field": None if volume is None else volume.name, "wall": wall.name, **_seen(study, rows, case)})
    path = study.path / STATE_SCRIPT
    filled = {"@GEOMETRIES@": _listed(shown), "@NAME@": _ascii(" ".join(study.name.replace("\\", "/").replace('"', "'").split()))}
    filled["@WRITTEN@"] = _ascii(repr(str(path.resolve())))
    text = re.sub("|".join(filled), lambda match: filled[match[0]], _TEMPLATE.read_text(encoding="utf-8"))
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


def _write_walls(study: StudyFolder, rows: list[Row], count: int) -> Path:
    """The walls of one geometry over the sweep: the same times as its fields have, the angle or the number of the case."""
    angles = [number(row, ALPHA) for row in rows]
    over_angles = None not in angles and len(set(angles)) == len(angles)
    times = [float(value) if over_angles and value is not None else float(k) for k, value in enumerate(angles)]
    ordered = sorted(zip(times, rows, strict=True), key=lambda pair: pair[0])
    files = [(time, escape(f"{CASES}/{row['case']}.vtp", {'"': "&quot;"})) for time, row in ordered]
    lines = [f'    <DataSet timestep="{time!r}" part="0" file="{file}"/>\n' for time, file in files]
    target = study.path / f"wall_{count}.pvd"
    head = f'<?xml version="1.0"?>\n<!-- timestep is {"alpha [deg]" if over_angles else "the number of the case"} -->\n'
    with replacing(target) as beside:
        body_of = (
            f'<VTKFile type="Collection" version="0.1" byte_order="LittleEndian">\n  <Collection>\n{"".join(lines)}  </Collection>\n</VTKFile>\n'
        )
        beside.write_text(head + body_of, encoding="utf-8")
    return target


def _seen(study: StudyFolder, rows: list[Row], case: Case) -> Mapping[str, Any]:
    """What the script must know of a geometry: array, its range over all walls, bounds of the body, label of the time."""
    name = next((item for item in _SHOWN if item in case.fields), next(iter(case.fields), ""))
    found = []
    for row in [row for row in rows if level_of(row) != "outside"] or rows:
        wall = study.wall(row)
        if wall is not None and name in wall.fields:
            values = np.asarray(wall.fields[name].values, dtype=np.float64)
            values = np.linalg.norm(values, axis=1) if values.ndim > 1 else values
            found.append(np.nanpercentile(values, [0.0, 2.0, 98.0, 100.0]))
    least, low, high, most = (float(fit(column)) for fit, column in zip(_OVER_CASES, np.array(found or [[0.0, 0.0, 1.0, 1.0]]).T, strict=True))
    outline = body(case.mesh, case.wall)
    bounds = np.pad(np.stack(outline.bounds), ((0, 0), (0, 3 - case.mesh.dimension)))
    angles = [number(row, ALPHA) for row in rows]
    whole = next((found for row in rows if (found := study.field(row)) is not None), None)
    item = case.fields.get(name)
    return {
        "array": "" if item is None else item.quantity.label,
        "at": "POINTS" if item is None or item.location == "point" else "CELLS",
        "symbol": "" if item is None else item.quantity.symbol,
        "range": [low, high if high > low else low + 1.0],
        "extent": [least, most if most > least else least + 1.0],
        "bounds": [[float(value) for value in corner] for corner in bounds],
        "cloud": whole is not None and not (whole.mesh.cells.dimensions == whole.mesh.dimension).any(),
        "plane": case.mesh.dimension == 2,
        "loops": len(loops(outline)) if case.mesh.dimension == 2 else 0,
        "angles": None not in angles and len(set(angles)) == len(angles),
    }


def _listed(shown: list[dict[str, Any]]) -> str:
    """The table as Python: names of users become literals, never code."""
    lines = ["["]
    for item in shown:
        lines += ["    {", *(f"        {key!r}: {value!r}," for key, value in item.items()), "    },"]
    return _ascii("\n".join([*lines, "]"]))


def _ascii(text: str) -> str:
    return re.sub(r"[^\x00-\x7f]", lambda match: match[0].encode("ascii", "backslashreplace").decode(), text)
