"""Known functions that vary within what one point of an operator stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..mesh.case import Case
from ..scaling.derived import POTENTIAL
from ..scaling.framing import Framing
from ..scaling.functions import known
from .progress import note

#: Share of a function's variance that the points of the operator may miss before it is said.
UNRESOLVED = 0.25
#: Cases that are looked at for it.
_LOOKED_AT = 16


def unresolved(framing: Framing, cases: Sequence[Case]) -> dict[str, float]:
    """The share of the variance within the cases, of every known function, that the points of the operator do not see: they know its means.

    Queries see the function itself, so that it is not lost; what operators make of it is that of the means.

    Raises:
        ConfigurationError: a function is missing.
    """
    names = [item.name for item in framing.functions if item.averaged and framing.domain_points]
    sums = np.zeros((len(names), 2))
    for case in cases if names else ():
        cloud = framing.thinned(case)
        sums += [cloud.variances(known(name, case)[1]) for name in names]
    return {name: float(within / whole) if whole > 0 else 0.0 for name, (within, whole) in zip(names, sums, strict=True)}


def said_unresolved(framing: Framing, cases: Sequence[Case], shown: bool) -> dict[str, float]:
    """:func:`unresolved` of some cases, to three digits; much of it is said, with what helps, where it is to be shown."""
    shares = {name: round(share, 3) for name, share in unresolved(framing, cases[:_LOOKED_AT]).items()}
    for words in _words(shares, framing):
        note(words, shown)
    return shares


def _words(shares: Mapping[str, float], framing: Framing) -> list[str]:
    """Nothing is said of a source whose potential is given, too."""
    channels = {item.name: item.channels for item in framing.functions}
    words = []
    for name, share in shares.items():
        if share > UNRESOLVED and POTENTIAL + name not in channels:
            source = framing.region and channels[name] == 1 and not name.startswith(POTENTIAL)
            other = f", or, for the source of a Poisson problem, give '{POTENTIAL}{name}', too" if source else ""
            words.append(
                f"{100 * share:.0f} % of the variance of '{name}' lies within what one of {framing.domain_points} points stands for, and operators"
                f" see its mean there: take more domain_points{other}"
            )
    return words
