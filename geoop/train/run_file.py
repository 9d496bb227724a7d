"""run.toml: a training run as a file, for ``geoop fit run.toml``."""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path

from ..errors import ConfigurationError
from ..io.settings import build, check_keys, read_toml
from ..models.body_field import BodyField
from ..results.surrogate import Surrogate
from .fit import FitSettings, fit

#: Arguments of the model that a file may set; the others follow from the data.
_MODEL = frozenset(inspect.signature(BodyField).parameters) - {"scalars_out", "vectors_out", "scalars_in", "vectors_in"}


def fit_file(path: str | Path, *, resume: bool = False, progress: bool = True) -> tuple[Surrogate, Path]:
    """Train as run.toml says; paths in it are relative to the file.

        data = "data/kt"                                    # data-set folder
        directory = "runs/kt"                               # where the run is kept
        quantities = ["velocity", "pressure_coefficient"]   # optional
        [settings]                                          # optional: keys of FitSettings
        minutes = 10
        [model]                                             # optional: width, depth, densities, surface_points
        width = 64

    Returns:
        the best surrogate, and the path of its checkpoint.

    Raises:
        ConfigurationError: unknown or missing keys, values of another type, or another run in the directory.
    """
    path = Path(path)
    table = read_toml(path)
    check_keys(table, {"data", "directory", "quantities", "settings", "model"}, str(path))
    missing = [key for key in ("data", "directory") if not isinstance(table.get(key), str)]
    if missing:
        raise ConfigurationError(f"no text under {missing}", where=str(path), remedy="name the data-set folder and the folder of the run")
    quantities = table.get("quantities", ["velocity", "pressure_coefficient"])
    if not isinstance(quantities, list) or not all(isinstance(name, str) for name in quantities):
        raise ConfigurationError(f"quantities = {quantities!r} is not a list of names", where=str(path), remedy='quantities = ["velocity"]')
    sizes = table.get("model", {})
    check_keys(sizes, _MODEL, f"{path} [model]")
    settings = build(FitSettings, table.get("settings", {"minutes": 10.0}), f"{path} [settings]")
    directory = path.parent / table["directory"]
    surrogate = fit(
        path.parent / table["data"],
        directory,
        quantities=quantities,
        model=partial(BodyField, **sizes),
        settings=settings,
        resume=resume,
        progress=progress,
    )
    return surrogate, directory / "best.safetensors"
