"""Frames of a series in time: are they complete, at equal times, on one mesh? And the same series at other times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.interpolate import CubicSpline

from ..errors import FieldError, InvalidMeshError
from .case import Series
from .quantity import Field

#: Share of the interval by which times may be off.
_TOLERANCE = 1e-3


def frame_problems(series: Series) -> list[str]:
    """What stands in the way of looking at a series as equal steps on one mesh: missing frames, unequal times, changing connectivity; empty for none."""
    times, problems = series.times, []
    if len(times) > 1:
        gaps = np.diff(times)
        interval = float(np.median(gaps))
        counts = np.round(gaps / interval)
        whole = np.abs(gaps - counts * interval) <= _TOLERANCE * interval
        if whole.all():
            lost = [f"{int(c) - 1} between {a:.6g} and {b:.6g} s" for a, b, c in zip(times[:-1], times[1:], counts, strict=True) if c > 1]
            if lost:
                problems.append(f"missing frames: {', '.join(lost[:5])}")
        else:
            problems.append(f"times are not equally spaced: steps from {gaps.min():.6g} to {gaps.max():.6g} s")
    first = series.cases[0].mesh
    changed = [k for k, case in enumerate(series.cases) if not case.mesh.same_cells(first)]
    if changed:
        k = changed[0]
        text = f"{len(first.points)} points and {len(first.cells)} cells at first, {len(series.cases[k].mesh.points)} and {len(series.cases[k].mesh.cells)}"
        problems.append(f"the connectivity changes at frame {k + 1} of {len(series)}, {series.values[k]:.6g} s: {text} there")
    return problems


def require_frames(series: Series, where: str = "", *, quantities: Sequence[str] = ()) -> None:
    """Raise unless a series is complete, at equal times, on one mesh (whose points may move), with these fields in every frame.

    Raises:
        FieldError: everything that is wrong with times and fields; of times alone, ``at_times`` is the remedy.
        InvalidMeshError: the connectivity changes.
    """
    problems = frame_problems(series)
    lacking = {name: [k + 1 for k, case in enumerate(series.cases) if name not in case.fields] for name in quantities}
    problems += [f"'{name}' is missing in frames {rows[:5]} of {len(series)}" for name, rows in lacking.items() if rows]
    if problems:
        kind = InvalidMeshError if any("connectivity" in text for text in problems) else FieldError
        remedy = "write all frames of the solver; a gap or unequal times: geoop.mesh.series_frames.at_times(series, times) interpolates in time; "
        remedy += "another mesh on the way: resample all frames on the first mesh, e.g. result.at(mesh.points)"
        raise kind("; ".join(problems), where=where or series.cases[0].name, remedy=remedy)


def at_times(series: Series, times: Sequence[float] | np.ndarray) -> Series:
    """The same series at other times, by cubic splines in time through every value at a point or cell and through the points of a moving mesh.

    Args:
        series: four frames at least, on one mesh up to the position of its points; the same fields in all.
        times: (t,) [s], increasing, within the series.

    Raises:
        FieldError: times outside of the series, too few frames, or fields that some frames lack.
        InvalidMeshError: the connectivity changes.
    """
    wanted, problems = np.asarray(times, dtype=np.float64), []
    cases, spread = list(series.cases), 1e-9 * max(float(np.ptp(series.times)), 1e-300)
    if len(cases) < 4:
        problems.append(f"{len(cases)} frames, a cubic spline takes four")
    if wanted.ndim != 1 or not len(wanted) or wanted.min() < series.times[0] - spread or wanted.max() > series.times[-1] + spread:
        problems.append(f"times beyond {series.times[0]:.6g} to {series.times[-1]:.6g} s")
    names = sorted(set.intersection(*(set(case.fields) for case in cases)))
    lost = sorted({name for case in cases for name in case.fields} - set(names))
    if lost:
        problems.append(f"fields that only some frames have: {lost}")
    if problems:
        raise FieldError("; ".join(problems), where=cases[0].name, remedy="ask for times between frames that all hold the same fields")
    if not all(case.mesh.same_cells(cases[0].mesh) for case in cases):
        raise InvalidMeshError("the connectivity changes", where=cases[0].name, remedy="resample all frames on one mesh first")
    wanted = np.clip(wanted, series.times[0], series.times[-1])

    def through(rows: Sequence[np.ndarray]) -> np.ndarray:
        return CubicSpline(series.times, np.stack(rows))(wanted)

    fields = {name: through([case.fields[name].values for case in cases]) for name in names}
    moving = any(not np.array_equal(case.mesh.points, cases[0].mesh.points) for case in cases)
    points = through([case.mesh.points for case in cases]) if moving else None
    made = []
    for k, when in enumerate(wanted.tolist()):
        mesh = cases[0].mesh if points is None else cases[0].mesh.moved(points[k])
        items = {name: Field(cases[0].fields[name].quantity, rows[k], cases[0].fields[name].location) for name, rows in fields.items()}
        made.append(replace(cases[0], mesh=mesh, fields=items, time=when))
    return Series(wanted, tuple(made), series.parameter)
