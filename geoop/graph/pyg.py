"""The border to PyTorch Geometric: point sets and graphs out to ``Data``, and back from ``Data`` or ``Batch``.

Names on PyG's side: ``pos``, ``x`` (our scalars), ``vectors``, ``weight``, ``edge_index``. PyG batches by attribute name (whatever
contains ``index`` or ``face`` is shifted), so nothing else is ever stored there; everything of ours passes through these functions.
torch-geometric is imported when one of them is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import ShapeError
from .graph import Graph
from .pointset import PointSet

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data, HeteroData
    from torch_geometric.loader import DataLoader


def to_data(points: PointSet, graph: Graph | None = None) -> Data:
    """One sample as ``Data``, with the edges of the cloud to itself where they are given.

    Raises:
        ShapeError: the point set holds several samples, or the graph is not of this cloud.
    """
    from torch_geometric.data import Data

    data = Data(**_attributes(points))
    if graph is not None:
        _check_sizes(graph, points, points)
        data.edge_index = edge_index(graph)
    return data


def from_data(data: Data | Batch) -> PointSet:
    """``Data`` or a ``Batch`` of any sizes as a point set; samples go by ``ptr``. ``x``, ``vectors`` and ``weight`` may be missing.

    Raises:
        ShapeError: there is no ``pos``, or arrays disagree.
    """
    return _points(data.to_dict(), "Data")


def graph_from_data(data: Data | Batch) -> Graph:
    """The edges of ``Data`` or ``Batch`` as a graph of its cloud to itself, sorted by target.

    Raises:
        ShapeError: there is no ``edge_index``.
    """
    if data.edge_index is None:
        raise ShapeError("the Data has no edge_index", where="edge_index", remedy="search neighbours with geoop.graph.neighbors.knn or radius")
    return from_edge_index(data.edge_index, data.num_nodes or 0, data.num_nodes or 0)


def to_hetero(clouds: Mapping[str, PointSet], graphs: Mapping[tuple[str, str], Graph] | None = None) -> HeteroData:
    """Several named clouds of one sample (surface, latents, queries, ...) and the graphs between them as ``HeteroData``.

    Args:
        clouds: name -> one sample.
        graphs: (source name, target name) -> graph.

    Raises:
        ShapeError: a point set holds several samples, or a graph does not fit its clouds.
    """
    from torch_geometric.data import HeteroData

    data = HeteroData()
    for name, points in clouds.items():
        for key, value in _attributes(points).items():
            data[name][key] = value
    for (source, target), graph in (graphs or {}).items():
        _check_sizes(graph, clouds[source], clouds[target])
        data[source, "to", target].edge_index = edge_index(graph)
    return data


def from_hetero(data: HeteroData | Batch) -> tuple[dict[str, PointSet], dict[tuple[str, str], Graph]]:
    """Clouds and graphs of ``HeteroData``, or of a ``Batch`` of them: samples go by every cloud's own ``ptr``."""
    clouds = {name: _points(dict(data[name].items()), name) for name in data.node_types}
    graphs = {}
    for source, _, target in data.edge_types:
        index = data[source, "to", target].edge_index
        graphs[source, target] = from_edge_index(index, len(clouds[source]), len(clouds[target]))
    return clouds, graphs


def loader(samples: Sequence[Data] | Sequence[HeteroData], batch_size: int, *, shuffle: bool = False, seed: int = 0) -> DataLoader:
    """PyG's loader over samples of any sizes; the order is the seed's, and another one in every epoch.

    >>> batches = loader([to_data(points) for points in clouds], batch_size=4, shuffle=True)   # doctest: +SKIP
    >>> points = from_data(next(iter(batches)))                                                # doctest: +SKIP
    """
    from torch_geometric.loader import DataLoader

    return DataLoader(list(samples), batch_size=batch_size, shuffle=shuffle, generator=torch.Generator().manual_seed(seed))  # type: ignore[arg-type]


def edge_index(graph: Graph) -> Tensor:
    """(2, e) source over target, as PyG's layers take it (``flow="source_to_target"``)."""
    return torch.stack([graph.source, graph.target])


def from_edge_index(edges: Tensor, n_source: int, n_target: int) -> Graph:
    """A graph from (2, e) source over target in any order."""
    return Graph.sorted(edges[0], edges[1], n_source, n_target)


def _attributes(points: PointSet) -> dict[str, Tensor]:
    if points.batch_size != 1:
        raise ShapeError(f"{points.batch_size} samples in one Data", where="PointSet", remedy="convert each of points.split(), and batch with loader")
    return {"pos": points.pos, "x": points.scalars, "vectors": points.vectors, "weight": points.weight}


def _points(values: Mapping[str, Tensor], where: str) -> PointSet:
    if values.get("pos") is None:
        raise ShapeError("no positions", where=where, remedy="give the Data an attribute pos of shape (n, d)")
    pos = values["pos"]
    rest = (values.get(name) for name in ("x", "vectors", "weight"))
    return PointSet(pos, *(None if v is None else v.to(pos.dtype) for v in rest), ptr=values.get("ptr"))  # type: ignore[arg-type]


def _check_sizes(graph: Graph, source: PointSet, target: PointSet) -> None:
    if (graph.n_source, graph.n_target) != (len(source), len(target)):
        raise ShapeError(
            f"the graph leads from {graph.n_source} to {graph.n_target} points, the clouds have {len(source)} and {len(target)}",
            where="graph",
            remedy="search it between these clouds",
        )
