"""How far the RANS settings of a case have been validated, in one sentence that goes with every result."""

from __future__ import annotations

from pathlib import Path

from ...io.openfoam.dictionary import Dictionary, find_file, load
from .settings import Schemes, Turbulence

#: What is said about RANS by any other settings.
EXPERIMENTAL = "experimental: RANS with this model and these schemes has not been shown to meet published lift and drag within 3 %"
#: Spalart-Allmaras, LUST for the velocity, limitedLinear for nuTilda, exact wall distance, relaxation 0.7; all six runs judged converged
#: (residuals below 2.1e-5). NACA 0012 at Re 6e6, far field 500 chords away, grids of parabolic_cgrid with 96, 160 and 256 cells per
#: side, against CL 1.091 and CD 0.0081 / 0.0123 (NASA's Turbulence Modeling Resource):
#: cells   CD at 0            CL at 10          CD at 10
#: 19584   0.00847 (+4.6 %)   1.069 (-2.0 %)    0.01329 (+8.1 %)
#: 50176   0.00826 (+2.0 %)   1.073 (-1.7 %)    0.01268 (+3.1 %)
#: 113920  0.00819 (+1.1 %)   1.074 (-1.6 %)    0.01247 (+1.4 %)
VALIDATED = (
    "RANS by Spalart-Allmaras with LUST: within 3 % of published lift and drag of NACA 0012 at Re 6e6, alpha 0 and 10, on 114 000 cells "
    "(drag up to 3.1 % high on 50 000, 8.1 % on 20 000); other sections, conditions and coarser grids are not validated"
)


def standing(turbulence: Turbulence, schemes: Schemes) -> str:
    """:data:`VALIDATED` or :data:`EXPERIMENTAL` for settings."""
    known = (
        turbulence.model == "SpalartAllmaras"
        and turbulence.walls == "resolved"
        and schemes.convection == "LUST"
        and schemes.turbulence == "limitedLinear"
    )
    return VALIDATED if known else EXPERIMENTAL


def standing_of(folder: Path) -> str | None:
    """The same for a case on disk; None for laminar flow.

    Raises:
        UnreadableFileError: damaged dictionaries.
    """
    model = _entry(folder, "constant/turbulenceProperties", "RAS", "RASModel") or _entry(folder, "constant/momentumTransport", "RAS", "model")
    if model is None:
        kind = _entry(folder, "constant/turbulenceProperties", "", "simulationType") or _entry(
            folder, "constant/momentumTransport", "", "simulationType"
        )
        return EXPERIMENTAL if kind not in (None, "laminar") else None
    convection = (_entry(folder, "system/fvSchemes", "divSchemes", "div(phi,U)") or "").split()
    transported = (_entry(folder, "system/fvSchemes", "divSchemes", "div(phi,nuTilda)") or "").split()
    exact = _entry(folder, "system/fvSchemes", "wallDist", "method") == "exactDistance"
    path = find_file(folder / "0", "nut")
    functions = path is None or b"nutUSpalding" in path.read_bytes()
    known = model == "SpalartAllmaras" and "LUST" in convection and "limitedLinear" in transported and exact and not functions
    return VALIDATED if known else EXPERIMENTAL


def _entry(folder: Path, file: str, sub: str, name: str) -> str | None:
    path = find_file((folder / file).parent, Path(file).name)
    found = Dictionary.of(load(path), folder) if path else None
    found = found.sub(sub) if found is not None and sub else found
    return found.word(name) or None if found is not None else None
