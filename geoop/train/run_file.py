"""run.toml: a training run as a file, for ``geoop fit run.toml``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..io.settings import build, check_keys, read_toml
from ..models.model import AbstractModel
from ..models.ports import Ports
from ..results.surrogate import Surrogate
from .fit import fit
from .model_choice import maker_of
from .settings import FitSettings


def fit_file(path: str | Path, *, resume: bool = False, progress: bool = True) -> tuple[Surrogate, Path]:
    """Train as run.toml says; paths in it are relative to the file.

        data = "data/kt"                                    # data-set folder
        directory = "runs/kt"                               # where the run is kept
        quantities = ["velocity", "pressure_coefficient"]   # optional
        inputs = []                                         # optional: known functions: "source", "boundary solution", ...
        start = "runs/panels/best.safetensors"              # optional: a surrogate to go on from; see geoop.fit
        [settings]                                          # optional: keys of FitSettings
        minutes = 10
        [model]                                             # optional: a class of geoop.models, a preset, and sizes
        class = "BodyField"
        preset = "small"
        width = 64

    Returns:
        the best surrogate, and the path of its checkpoint.

    Raises:
        ConfigurationError: unknown or missing keys, values of another type, or another run in the directory.
    """
    path = Path(path)
    table = read_toml(path)
    check_keys(table, {"data", "directory", "quantities", "inputs", "start", "settings", "model"}, str(path))
    missing = [key for key in ("data", "directory") if not isinstance(table.get(key), str)]
    if missing:
        raise ConfigurationError(f"no text under {missing}", where=str(path), remedy="name the data-set folder and the folder of the run")
    quantities = table.get("quantities", ["velocity", "pressure_coefficient"])
    inputs = table.get("inputs", [])
    for key, names in (("quantities", quantities), ("inputs", inputs)):
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConfigurationError(f"{key} = {names!r} is not a list of names", where=str(path), remedy='quantities = ["velocity"]')
    start = table.get("start")
    if start is not None and not isinstance(start, str):
        raise ConfigurationError(f"start = {start!r} is no path", where=str(path), remedy='start = "runs/panels/best.safetensors"')
    settings = build(FitSettings, table.get("settings", {"minutes": 10.0}), f"{path} [settings]")
    directory = path.parent / table["directory"]
    surrogate = fit(
        path.parent / table["data"],
        directory,
        quantities=quantities,
        inputs=inputs,
        model=None if start and "model" not in table else _maker(dict(table.get("model", {})), f"{path} [model]"),
        settings=settings,
        start=path.parent / start if start else None,
        resume=resume,
        progress=progress,
    )
    return surrogate, directory / "best.safetensors"


def _maker(table: dict[str, Any], where: str) -> Callable[[Ports], AbstractModel]:
    """The class, the preset's sizes, and the sizes that were given."""
    return maker_of(table.pop("class", "BodyField"), where, table.pop("preset", "small"), table)
