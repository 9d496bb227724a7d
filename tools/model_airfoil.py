"""airfoil-potential: any section with a sharp or slightly blunt trailing edge, potential flow at any angle."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import geoop
from geoop.models.superposition import Superposition
from geoop.train.fit import FitSettings

NAME = "airfoil-potential"
CASES, SEED = 5000, 0
SETTINGS = FitSettings(cpu_minutes=18, field_points=128, wall_points=96, wall_weight=1.0, reflect=False, validate_every=3)


def build(folder: Path) -> Path:
    """Data and training, as far as they are missing."""
    best = folder / "run" / "best.safetensors"
    data = geoop.generate("sections-potential", folder / "data", n=CASES, seed=SEED)
    state = folder / "run" / "last.ckpt"
    if not (folder / "run" / "finished").exists():
        geoop.fit(data, folder / "run", model=partial(Superposition, sizes={"width": 64}), settings=SETTINGS, resume=state.exists())
        (folder / "run" / "finished").touch()
    return best
