"""What a predictor says of its errors beside what they are: risk-coverage curves, and stated against actual errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import ConfigurationError
from ...results.confidence.judging import Judgement, risk_coverage
from .style import COLOURS, CONTROL, FAINT, figure, save

#: Verdict -> marker.
_MARKS = {"inside": "o", "edge": "D", "outside": "x"}


def confidence_plot(judgements: Mapping[str, Judgement], path: str | Path, *, names: tuple[str, ...] | None = None) -> Path:
    """A row per quantity: left the mean error of the cases that are kept against their share, those of least stated error first, beside a perfect
    ranking and none; right the actual error of every case against the stated bound, by verdict: below the diagonal the bound held.

    Args:
        judgements: by name of the split.
        path: .png, .svg or .pdf.
        names: quantities and coefficients; None takes all.

    Raises:
        ConfigurationError: nothing to draw.
    """
    first = next(iter(judgements.values()), None)
    shown = names or (first.names if first is not None else ())
    if first is None or not shown:
        raise ConfigurationError("there is no judgement to draw", where="confidence_plot", remedy="give what geoop judge returned")
    made, axes = figure((9.6, 3.6 * len(shown)), len(shown), 2)
    for (left, right), name in zip(axes, shown, strict=True):
        for k, (split, found) in enumerate(judgements.items()):
            colour, errors = COLOURS[k % len(COLOURS)], found.errors(name)
            left.plot(*found.risk_coverage(name), color=colour, label=split)
            left.plot(*risk_coverage(errors, errors), color=colour, linestyle=":", linewidth=1.0, label=f"{split}, perfect ranking")
            left.axhline(float(errors.mean()), color=FAINT, linestyle="--", linewidth=1.0)
            levels = np.array([case.level for case in found.cases])
            for level, mark in _MARKS.items():
                here = levels == level
                if here.any():
                    right.plot(found.expected(name)[here], errors[here], mark, color=colour, markersize=4, alpha=0.7, label=f"{split}, {level}")
        stated = np.concatenate([found.expected(name) for found in judgements.values()])
        line = np.array([stated.min(), stated.max()])
        right.plot(line, line, color=CONTROL, linewidth=1.0)
        if all((found.errors(name) > 0).all() and (found.expected(name) > 0).all() for found in judgements.values()):
            right.set_xscale("log")
            right.set_yscale("log")
        left.set_xlabel("share of the cases kept")
        left.set_ylabel(f"mean error of these,\n{name} [dimensionless]")
        right.set_xlabel(f"stated bound, {name} [dimensionless]")
        right.set_ylabel("actual error")
        left.legend(fontsize=8, frameon=False)
        right.legend(fontsize=8, frameon=False)
    return save(made, path)
