"""Zoo entries of models that know about geometry: exact boundary values, finite-element functions, geometric neural operators."""

from __future__ import annotations

from geoop.models.exact_dirichlet import ExactDirichlet
from geoop.models.gnp import GeometricNeuralOperator
from geoop.models.spon import StructurePreservingOperator

from .zoo import Entry

#: a small model to be wrapped
INNER = {"tokens": 40, "depth": 2, "heads": 2, "neighbours": 0}


def structure_preserving(ports):
    return StructurePreservingOperator(ports, 24, tokens=40, depth=2, heads=2, neighbours=0)


def quadratic(ports):
    return StructurePreservingOperator(ports, 24, tokens=24, depth=2, heads=2, neighbours=6, degree=2)


def lifted(ports):
    # the fields of the claims do not take the boundary values that they are given: test_exact_boundary.py runs the claims with fields that do
    return ExactDirichlet(ports, 24, inner="StructurePreservingOperator", sizes={**INNER, "tokens": 24}, fields=[])


def geometric(ports):
    return GeometricNeuralOperator(ports, 24, depth=2, tokens=40, gains=8, neighbours=6, near=4, heads=2)


ENTRIES: dict[str, Entry] = {
    # tokens are picked from the cloud, and those of a finer cloud lie elsewhere: no claim of convergence
    "structure-preserving operator network, P1": Entry(structure_preserving, converges=False, compiles=False),
    "structure-preserving operator network, P2": Entry(quadratic, converges=False, compiles=False),
    "around it, exact Dirichlet values of no field": Entry(lifted, converges=False, compiles=False),
    "geometric neural operator": Entry(geometric, converges=False, compiles=False),
}
