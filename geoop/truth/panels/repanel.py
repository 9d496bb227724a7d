"""Distribute panels over a section: cosine-clustered at leading and trailing edge, corners kept as nodes."""

from __future__ import annotations

import numpy as np

from ...errors import ConfigurationError
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from .section_curve import SectionCurve, section_curve

#: Fewest panels that still follow a nose and an edge.
FEWEST_PANELS = 20


def cosine_parameters(curve: SectionCurve, n_panels: int) -> np.ndarray:
    """(n_panels + 1,) increasing curve parameters, from the upper to the lower trailing edge.

    Half of the panels lie on either side of the leading edge, spaced as (1 - cos)/2 of the arc length between the edges. The
    node nearest to every corner is moved onto it.

    Raises:
        ConfigurationError: fewer than 20 panels, or fewer than four per corner.
    """
    fewest = max(FEWEST_PANELS, 4 * (len(curve.corners) + 1))
    if n_panels < fewest:
        raise ConfigurationError(f"{n_panels} panels are too few", where=curve.name, remedy=f"ask for at least {fewest}")
    upper = n_panels // 2
    nose, total = curve.nose, curve.length[-1]
    first = nose * 0.5 * (1.0 - np.cos(np.pi * np.arange(upper) / upper))
    second = nose + (total - nose) * 0.5 * (1.0 - np.cos(np.pi * np.arange(n_panels - upper + 1) / (n_panels - upper)))
    s = np.concatenate([first, second])
    taken: set[int] = {0, n_panels}
    for corner in curve.corners:
        order = np.argsort(np.abs(s - corner))
        index = next(int(i) for i in order if int(i) not in taken)
        s[index] = corner
        taken.add(index)
    return np.sort(s)


def repanel(outline: Mesh, n: int = 200) -> Mesh:
    """The same section on n panels, counter-clockwise from the upper trailing edge; a blunt base is one line more.

    Args:
        outline: one closed loop, see :func:`geoop.truth.panels.section_curve.section_curve`.
        n: panels on the surface.

    Returns:
        outline with line cells and the patch ``wall`` (or the only patch that the outline had).

    Raises:
        InvalidMeshError: not one closed, simple loop.
        ConfigurationError: too few panels.
    """
    curve = section_curve(outline)
    z = curve.points(cosine_parameters(curve, n))
    if curve.gap == 0.0:
        z = z[:-1]
    index = np.arange(len(z))
    lines = Cells.of(line=np.stack([index, np.roll(index, -1)], axis=1))
    patch = next(iter(outline.patches)) if len(outline.patches) == 1 else "wall"
    return Mesh(np.stack([z.real, z.imag], axis=1), lines, {patch: lines}, name=outline.name, notes=outline.notes)
