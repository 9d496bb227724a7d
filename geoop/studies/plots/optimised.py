"""A section before and after an optimisation, with the pressure on both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...mesh.section_shapes import ChordwiseRing
from .style import COLOURS, figure, save

if TYPE_CHECKING:
    from ..optimisation.result import Optimised


def optimised_plot(found: Optimised, path: str | Path) -> Path:
    """Cp of the panel method over the chord (axis reversed), the sections beneath, and the history of the objective.

    Args:
        found: an optimisation. path: .png, .svg or .pdf.
    """
    made, axes = figure((8.0, 8.2), rows=3)
    pressure, outline, history = axes[:, 0]
    for colour, label, item in ((COLOURS[0], "before", found.start), (COLOURS[1], "after", found.best)):
        section = found.design.section(item.x)
        ring = ChordwiseRing.of(section)
        values = found.pressure(item)
        drawn = np.append(np.arange(len(ring.points)), 0)
        outline.plot(ring.along[drawn], ring.height[drawn], color=colour, label=label, linewidth=1.3)
        if values is not None and len(values) == len(drawn) - 1:
            numbers = ", ".join(f"{key} {item.checked[key]:.4g}" for key in ("CL", "CD", "CM") if key in item.checked)
            pressure.plot(ring.along[drawn], values[drawn], color=colour, linewidth=1.4, label=f"{label}: alpha {item.alpha:.3g} deg, {numbers}")
    pressure.invert_yaxis()
    pressure.set(xlabel="x/c", ylabel="$C_p$", title=f"{found.problem.objective}: '{found.problem.name}', checked with the panel method")
    outline.set(xlabel="x/c", ylabel="y/c")
    outline.set_aspect("equal", adjustable="datalim")
    for start in sorted({row.start for row in found.history}):
        rows = [row for row in found.history if row.start == start]
        history.plot(
            [row.iteration for row in rows],
            [row.objective for row in rows],
            marker=".",
            color=COLOURS[start % len(COLOURS)],
            label=f"start {start + 1}",
        )
    history.set(xlabel="iteration", ylabel="objective, as the solver saw it")
    for item in (pressure, outline, history):
        item.legend(frameon=False, fontsize=8)
    return save(made, path)
