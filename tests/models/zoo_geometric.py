"""Zoo entries of models that know about geometry: exact boundary values, finite-element functions, geometric neural operators."""

from __future__ import annotations

from geoop.models.exact_dirichlet import ExactDirichlet
from geoop.models.gnp import GeometricNeuralOperator
from geoop.models.spon import StructurePreservingOperator

from .zoo import Entry

#: a small model to be wrapped
INNER = {"tokens": 24, "depth": 2, "heads": 2, "smoothings": 1}
NEAREST = "a query's kernels are means over so many nearest points, which feel how these lie and not only how much they stand for"
CONTRADICTION = "the fields of that test do not take the boundary values that this model is given: test_exact_boundary.py overfits fields that do"


def structure_preserving(ports):
    return StructurePreservingOperator(ports, 24, tokens=32, depth=2, heads=2, smoothings=0)


def smoothed(ports):
    return StructurePreservingOperator(ports, 24, tokens=40, depth=2, heads=2)


def quadratic(ports):
    return StructurePreservingOperator(ports, 24, tokens=24, depth=2, heads=2, degree=2)


def lifted(ports):
    return ExactDirichlet(ports, 24, inner="StructurePreservingOperator", sizes=INNER, fields=[])


def pinned(ports):
    """The boundary values of one field where there are any, else of zero."""
    known = "boundary" if any(name == "boundary" for name, _ in ports.functions) else None
    return ExactDirichlet(ports, 24, inner="DeepONet", sizes={"modes": 16, "tokens": 4}, dirichlet=known, fields=[0])


def geometric(ports):
    return GeometricNeuralOperator(ports, 24, depth=2, tokens=40, gains=8, neighbours=6, near=4, heads=2)


ENTRIES: dict[str, Entry] = {
    "structure-preserving operator network, P1": Entry(structure_preserving, order=2, lattices=(20, 40, 80), steps=3000),
    # a step of a smoother reaches one cell far, and the zoo's cells at the boundary's vertices do not shrink evenly: no order
    "structure-preserving operator network, P1, smoothed": Entry(smoothed, lattices=(20, 40, 80, 160), transfer=0.15),
    "structure-preserving operator network, P2": Entry(quadratic, lattices=(20, 40, 80, 160), transfer=0.2),
    "around it, exact Dirichlet values of no field": Entry(lifted, lattices=(20, 40, 80, 160), transfer=0.2),
    "around a DeepONet, exact Dirichlet values of one field": Entry(pinned, order=2, overfits=False, why=CONTRADICTION),
    "geometric neural operator": Entry(geometric, converges=False, why=NEAREST),
}
