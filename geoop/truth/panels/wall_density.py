"""From the speed at the nodes of a body to the complex velocity density on its curved panels."""

from __future__ import annotations

import numpy as np

from .bodies import BodyPanels
from .influence import PanelDensity


def body_density(item: BodyPanels, gamma: np.ndarray) -> PanelDensity:
    """The density on the panels of one body, its base among them.

    Args:
        item: the panels.
        gamma: (n+1, k) speed at the nodes, counter-clockwise [m/s].
    """
    span = np.diff(item.nodes)
    first, last = gamma[:-1] * np.conj(item.tangents[:, :1]), gamma[1:] * np.conj(item.tangents[:, 1:])
    ratio = (item.arc_length / span)[:, None]
    bubble = 3.0 * (ratio * (gamma[:-1] + gamma[1:]) - (first + last))
    bulge = np.stack([(item.tangents[:, k] / span).imag / (item.tangents[:, k] / span).real for k in range(2)], axis=1)
    start = item.nodes[:-1]
    if item.blunt:
        leaving = 0.5 * (gamma[-1:] - gamma[:1]) * np.conj(item.downstream)
        start, span = item.nodes, np.append(span, item.nodes[0] - item.nodes[-1])
        first, last = np.concatenate([first, leaving]), np.concatenate([last, leaving])
        bubble, bulge = np.concatenate([bubble, 0.0 * leaving]), np.concatenate([bulge, np.zeros((1, 2))])
    return PanelDensity(start, span, first, last, bubble, bulge)
