"""The named data sets: name -> module of this package that makes it, imported when it is asked for."""

from __future__ import annotations

import difflib
from importlib import import_module

from ...errors import ConfigurationError
from .named import NamedDataset

#: Data set -> module with a ``DATASET``.
DATASETS: dict[str, str] = {
    "bodies-3d": "bodies_3d",
    "kt-airfoils": "kt_airfoils",
    "sections-panel": "sections_panel",
    "sections-potential": "sections_potential",
    "two-element": "two_element",
    "void-elasticity": "void_elasticity",
    "uiuc-panel": "uiuc_panel",
    "bluff-channel": "bluff_channel",
    "cylinder-wake": "cylinder_wake",
    "poisson-c-sines": "poisson_c_sines",
    "poisson-gauss": "poisson_gauss",
    "nonlinear-poisson": "nonlinear_poisson",
    "nonlinear-poisson-disk": "nonlinear_poisson_disk",
    "polyhedra-laplace": "polyhedra_laplace",
    "polygons-laplace": "polygons.laplace",
    "polygons-mixed": "polygons.mixed",
    "polygons-darcy": "polygons.darcy",
    "polygons-heat": "polygons.heat",
    "polygons-heat-steps": "polygons.heat_steps",
    "polygons-nonlinear": "polygons.nonlinear",
    "polygons-poisson": "polygons.poisson",
    "polygons-elasticity": "polygons.elasticity",
    "burgers": "burgers",
}


def named_dataset(name: str) -> NamedDataset:
    """How a named data set is made.

    Raises:
        ConfigurationError: no data set of that name; says the nearest one.
    """
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1, cutoff=0.3)
        found = f"no data set '{name}'" + (f", did you mean '{near[0]}'?" if near else "")
        raise ConfigurationError(found, where="generate", remedy=f"data sets: {', '.join(DATASETS)}")
    return import_module(f".{DATASETS[name]}", __package__).DATASET
