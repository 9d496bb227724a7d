"""Declared symmetries of all models on clouds, the absence of all others, and that neither the order of facets nor that of edges matters. In float64."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from geoop.graph.geometry import Geometry, Queries
from geoop.graph.graph import Graph
from geoop.graph.hierarchy import Hierarchy
from geoop.graph.pointset import Inputs, PointSet
from geoop.layers.operator import Symmetry
from geoop.models.cloud_model import PreparedCloud
from geoop.models.enf2enf import Enf2Enf, PreparedEnf
from geoop.models.model import AbstractModel
from geoop.models.ports import Ports

from .test_claims import EXACT, build, difference, run, sample, zoo
from .zoo import BARE, PORTS, Entry

Sample = tuple[Geometry, Inputs, Queries]
ONE, NONE = torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
TURN = torch.linalg.matrix_exp(torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64))
MIRROR = torch.diag(torch.tensor([-1.0, 1.0], dtype=torch.float64))
MOVES = {"translation": (ONE, NONE + 3.7), "rotation": (TURN, NONE), "reflection": (MIRROR, NONE)}
CLAIMED = {
    Symmetry.NONE: set(),
    Symmetry.TRANSLATION: {"translation"},
    Symmetry.SE: {"translation", "rotation"},
    Symmetry.E: {"translation", "rotation", "reflection"},
}
#: graphs from the corners to a facet or a cell, whose order is part of what a facet is: that of the facets themselves is another test
CORNERS = ("facets", "dirichlet_facets", "potential_facets", "cells")
#: graph -> what its edges know, one row per edge, where the name of the rows does not say it
ROWS = {
    "boxes": ("means",),
    "coarse_mesh": ("coarse_edges",),
    "encode": ("edges",),
    "encoder": ("edges",),
    "blend": ("share",),
    "laplacian": ("entries",),
    "prolong": ("shares",),
    "near": ("pairs", "entries"),
}


def moved(points: PointSet, matrix: Tensor, shift: Tensor) -> PointSet:
    return replace(points, pos=points.pos @ matrix.T + shift, vectors=points.vectors @ matrix.T)


def moved_sample(given: Sample, matrix: Tensor, shift: Tensor) -> Sample:
    """Geometry, conditions and queries together; a mirror turns the order of the vertices of a facet, by which its side is known."""
    geometry, conditions, queries = given
    assert geometry.domain is not None
    domain = replace(geometry.domain, points=moved(geometry.domain.points, matrix, shift))
    facets = geometry.facets if torch.det(matrix) > 0 else geometry.facets.flip(1)
    functions = {name: moved(function, matrix, shift) for name, function in conditions.functions.items()}
    return (
        replace(geometry, surface=moved(geometry.surface, matrix, shift), facets=facets, domain=domain),
        replace(conditions, vectors=conditions.vectors @ matrix.T, functions=functions),
        replace(queries, points=moved(queries.points, matrix, shift)),
    )


def kept(model: AbstractModel, given: Sample) -> set[str]:
    """The moves that the answer follows: scalars stay and vectors turn."""
    expected, found = run(model, *given), set()
    for name, move in MOVES.items():
        error = difference(run(model, *moved_sample(given, *move)), moved(expected, *move))
        if error < EXACT:
            found.add(name)
        else:
            assert error > 1e-4, f"{name} is broken by {error:.1e} only: rounding or a real dependence?"
    return found


@pytest.mark.parametrize("ports", [BARE, PORTS], ids=["bare", "with conditions and functions"])
@zoo()
def test_declared_symmetry_holds_and_no_other(entry, ports):
    torch.manual_seed(0)
    model = entry.make(ports).double().eval()
    assert kept(model, sample(80, 1, ports)) == CLAIMED[model.symmetry]


@pytest.mark.parametrize(
    ("options", "symmetry"),
    [({}, Symmetry.NONE), ({"encoder": "meta", "shape": {"width": 16}}, Symmetry.NONE)],
    ids=["a body", "contexts fitted on a grid"],
)
def test_a_frame_that_the_model_reads_leaves_no_symmetry(options, symmetry):
    """In their own coordinates: what makes whole predictions move with a body is that its frame does, see test_enf2enf.py."""
    torch.manual_seed(0)
    ports = replace(PORTS, body=not options)
    model = Enf2Enf(ports, 16, latents=24, depth=1, **options).double().eval()
    assert model.symmetry is symmetry
    assert kept(model, sample(80, 1, ports)) == CLAIMED[symmetry]


def test_a_false_claim_is_found():
    """The controls: vectors that do not turn, a model that claims what it does not have, and one that has more than it claims."""

    class _StiffVectors(Enf2Enf):
        def field(self, latent, queries):
            out = super().field(latent, queries)
            return replace(out, vectors=out.scalars[:, :1, None] * out.vectors.new_tensor([1.0, 0.5]))

    def stiff(ports: Ports) -> AbstractModel:
        return _StiffVectors(ports, 16, latents=24, depth=1)

    def modest(ports: Ports) -> AbstractModel:
        model = Enf2Enf(ports, 16, latents=24, depth=1)
        model.symmetry = Symmetry.SE
        return model

    for make in (stiff, modest):
        with pytest.raises(AssertionError):
            test_declared_symmetry_holds_and_no_other(Entry(make), PORTS)


@zoo()
def test_the_order_of_facets_does_not_matter(entry):
    model, (given, conditions, queries) = build(entry), sample(80, 1)
    order = torch.randperm(len(given.facets), generator=torch.Generator().manual_seed(1))
    shuffled = replace(given, facets=given.facets[order])
    assert difference(run(model, shuffled, conditions, queries), run(model, given, conditions, queries)) < EXACT


def with_other_order(prepared: PreparedCloud | PreparedEnf, *, rows: bool = True) -> tuple[PreparedCloud | PreparedEnf, int]:
    """The edges of every target in another order, and the number of graphs whose edges know something: it moves along, unless ``rows`` is False."""
    if isinstance(prepared, PreparedEnf):
        near = prepared.latents.near
        assert near is not None
        return replace(prepared, latents=replace(prepared.latents, near=_taken(near, _other_order(near)))), 0
    parts, told = dict(prepared.connections), 0
    levels = {key: value for key, value in parts.items() if isinstance(value, Hierarchy)}
    inside = {key: dict(value.points) for key, value in levels.items()}
    graphs = [(None, name, graph) for name, graph in parts.items() if isinstance(graph, Graph)]
    graphs += [(key, name, graph) for key, value in levels.items() for name, graph in value.graphs.items()]
    shuffled: dict[str, dict[str, Graph]] = {key: dict(value.graphs) for key, value in levels.items()}
    for key, name, graph in graphs:
        if name in CORNERS:
            continue
        order = _other_order(graph)
        for known in (f"{name}_edges", f"pairs_{name}", name.replace("graph", "edges"), *ROWS.get(name, ())):
            at = parts if key is None or known in parts else inside[key]
            points = at.get(known)
            if isinstance(points, PointSet) and len(points) == graph.n_edges:
                told += 1
                if rows:
                    at[known] = replace(points.take(order), ptr=points.ptr)
        (parts if key is None else shuffled[key])[name] = _taken(graph, order)
    parts |= {key: Hierarchy(inside[key], shuffled[key]) for key in levels}
    return replace(prepared, connections=parts), told


def _other_order(graph: Graph) -> Tensor:
    """(e,) the edges in random order, stably sorted by target."""
    order = torch.randperm(graph.n_edges, generator=torch.Generator().manual_seed(1))
    return order[torch.argsort(graph.target[order], stable=True)]


def _taken(graph: Graph, order: Tensor) -> Graph:
    return Graph(graph.source[order], graph.target[order], graph.n_source, graph.n_target)


@zoo()
def test_the_order_of_edges_does_not_matter(entry):
    """Edges of the meshes, balls and boxes between the points that a model works on; a model without any has nothing to shuffle.

    The control: edges that are shuffled without what they know give another answer.
    """
    model, (given, conditions, queries) = build(entry), sample(80, 1)
    prepared = model.prepare(given)
    (other, told), (torn, _) = with_other_order(prepared), with_other_order(prepared, rows=False)
    with torch.no_grad():
        expected = model(prepared, conditions, queries)
        assert difference(model(other, conditions, queries), expected) < EXACT
        assert not told or difference(model(torn, conditions, queries), expected) > 1e-5
