"""geoop: a mesh and an operating condition become fields, forces and ParaView files.

Importing geoop imports none of its rooms: each public name below is fetched from its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .io.collecting.collect import collect as collect
    from .io.converting import convert as convert
    from .io.dataset import Dataset as Dataset
    from .io.inspection import inspect as inspect
    from .io.reading import read as read
    from .io.reading import read_case as read_case
    from .io.reading import read_series as read_series
    from .io.repair import repair_file as repair_file
    from .io.writing import write as write
    from .mesh.case import Case as Case
    from .mesh.case import Series as Series
    from .mesh.mesh import Mesh as Mesh
    from .mesh.operating_point import OperatingPoint as OperatingPoint
    from .mesh.quantity import Field as Field
    from .mesh.quantity import Quantity as Quantity
    from .results.adapting import adapt as adapt
    from .results.confidence.calibrating import calibrate as calibrate
    from .results.confidence.ensemble import Ensemble as Ensemble
    from .results.confidence.judging import judge as judge
    from .results.deforming import deform as deform
    from .results.encoded_shape import EncodedShape as EncodedShape
    from .results.evaluation import evaluate as evaluate
    from .results.forces import forces as forces
    from .results.shape_gradient import shape_gradient as shape_gradient
    from .results.stepping import rollout as rollout
    from .results.stitching import schwarz as schwarz
    from .results.surrogate import load as load
    from .studies.data_card import describe as describe
    from .studies.optimisation.optimise import optimise as optimise
    from .studies.sweep.study import study as study
    from .train.encode import encode as encode
    from .train.fit import fit as fit
    from .truth.generate import generate as generate

_MODULES = {
    "Case": "mesh.case",
    "Dataset": "io.dataset",
    "Ensemble": "results.confidence.ensemble",
    "EncodedShape": "results.encoded_shape",
    "Field": "mesh.quantity",
    "Mesh": "mesh.mesh",
    "OperatingPoint": "mesh.operating_point",
    "Quantity": "mesh.quantity",
    "Series": "mesh.case",
    "adapt": "results.adapting",
    "calibrate": "results.confidence.calibrating",
    "collect": "io.collecting.collect",
    "convert": "io.converting",
    "deform": "results.deforming",
    "describe": "studies.data_card",
    "encode": "train.encode",
    "evaluate": "results.evaluation",
    "fit": "train.fit",
    "forces": "results.forces",
    "generate": "truth.generate",
    "inspect": "io.inspection",
    "judge": "results.confidence.judging",
    "load": "results.surrogate",
    "optimise": "studies.optimisation.optimise",
    "read": "io.reading",
    "read_case": "io.reading",
    "read_series": "io.reading",
    "repair_file": "io.repair",
    "rollout": "results.stepping",
    "schwarz": "results.stitching",
    "shape_gradient": "results.shape_gradient",
    "study": "studies.sweep.study",
    "write": "io.writing",
}

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    try:
        module = _MODULES[name]
    except KeyError:
        raise AttributeError(f"module 'geoop' has no attribute '{name}'") from None
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
