"""The GINO of the package neuraloperator behind geoop's interface of models: prepare a geometry, encode a condition, decode anywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from geoop.graph.geometry import Queries
from geoop.graph.graph import Graph
from geoop.graph.hierarchy import Connection
from geoop.graph.lattice import Chart, lattice_nodes
from geoop.graph.neighbors import radius
from geoop.graph.pointset import Inputs, PointSet
from geoop.models.cloud_model import CloudModel, CloudState, PreparedCloud
from geoop.models.gino import place_features
from geoop.models.ports import Ports

#: Rim around the cloud's box, as a share of it.
RIM = 1 / 16


class PeerGINO(CloudModel):
    """The package's GINO with the information that geoop's models have: nothing of geoop learns here.

    Input points carry all features of a place (signed distance, normals, closest point, curvature, free stream); nodes of the latent grid carry
    their coordinates, signed distance, normal and the free stream as latent features. Queries are positions, as the package has it; with
    ``distance`` the signed distance is a third coordinate of all points, which its kernels then see at the queries too.

    Its ``forward`` takes one geometry and searches neighbours densely in every call. Here its parts are called in the same order for a batch, with
    neighbours from a tree and those of the input kernel kept with the geometry: the same numbers (a test compares), in less time.

    Args:
        ports: channels in and out.
        width: channels of the Fourier layers.
        resolution: nodes of the latent grid along every axis.
        modes: of the Fourier layers, both signs counted.
        depth: Fourier layers.
        gather, reach: radii of input and output kernels in spacings of the grid.
        hidden: widths inside of the kernels' perceptrons.
        frequencies: of the embedding of positions.
        norm: of the Fourier blocks; ``none`` for none.
        smooth: the window of the output kernel, as in the package's 2-D recipe; otherwise its plain sum.
        nonlinear: the input kernel sees the function, too.
        chart: the grid is finer near the body, as in geoop's GINO; otherwise uniform over the box of the cloud.
        distance: weight of the signed distance as a further coordinate, in spacings; 0 for none.
    """

    reference = ("li-2023-gino",)

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        width: int = 32,
        *,
        resolution: int = 24,
        modes: int = 12,
        depth: int = 4,
        gather: float = 1.2,
        reach: float = 1.5,
        hidden: int = 32,
        frequencies: int = 5,
        norm: str = "group_norm",
        smooth: bool = True,
        nonlinear: bool = False,
        chart: bool = True,
        distance: float = 1.0,
    ) -> None:
        sizes: dict[str, Any] = {"resolution": resolution, "modes": modes, "depth": depth, "gather": gather, "reach": reach, "hidden": hidden}
        sizes |= {"frequencies": frequencies, "norm": norm, "smooth": smooth, "nonlinear": nonlinear, "chart": chart, "distance": distance}
        super().__init__(ports, width, **sizes)
        del self.lift, self.ask, self.head
        from neuralop.models import GINO

        d, known = self.ports.dimension, self.ports.features
        self.resolution, self.uses_chart, self.distance = resolution, chart, distance / (resolution - 1)
        volume = math.pi * reach**2 if d == 2 else 4 / 3 * math.pi * reach**3
        self.gino = GINO(
            in_channels=known,
            out_channels=self.ports.out,
            latent_feature_channels=2 * d + 3 + self.ports.scalars_in + d * self.ports.vectors_in,
            gno_coord_dim=d + (distance > 0),
            in_gno_radius=gather / (resolution - 1),
            out_gno_radius=reach / (resolution - 1),
            in_gno_transform_type="nonlinear" if nonlinear else "linear",
            gno_weighting_function="half_cos" if smooth else None,
            gno_weight_function_scale=2 / volume,
            in_gno_pos_embed_type="nerf",
            out_gno_pos_embed_type="nerf",
            gno_embed_channels=frequencies,
            fno_in_channels=known,
            fno_n_modes=(modes,) * d,
            fno_hidden_channels=width,
            fno_n_layers=depth,
            fno_norm=None if norm == "none" else norm,
            in_gno_channel_mlp_hidden_layers=[hidden, hidden],
            out_gno_channel_mlp_hidden_layers=[hidden, hidden],
            gno_use_open3d=False,
        )

    def connect(self, domain: PointSet, surface: PointSet) -> dict[str, Connection | PointSet]:
        chart = Chart.of(domain, surface) if self.uses_chart else Box.of(domain)
        nodes = lattice_nodes(self.resolution, domain.dimension, domain.pos)
        lattice = PointSet(nodes.repeat(domain.batch_size, 1), ptr=len(nodes) * torch.arange(domain.batch_size + 1))
        lattice = lattice.with_features(scalars=place_features(lattice, chart.outside(lattice.pos, lattice.batch), surface))
        cloud = self._joined(chart.inside(domain.pos, domain.batch), self._near(domain))
        found = radius(cloud, self._nodes(lattice), self.gino.in_gno_radius, domain.ptr, lattice.ptr, at_least_one=False)
        return {"chart": chart.keep(), "lattice": lattice, "found": found}

    def encode(self, prepared: PreparedCloud, inputs: Inputs) -> CloudState:
        return CloudState(prepared, inputs, self.process(prepared.domain, prepared, inputs))

    def process(self, points: PointSet, prepared: PreparedCloud, inputs: Inputs) -> dict[str, PointSet]:
        """The latent function, channels at the nodes of every sample."""
        lattice = prepared.points("lattice")
        nodes = self._nodes(lattice)
        cloud = self._coordinates(prepared, points)
        taken = integral(self.gino.gno_in, prepared.graph("found"), cloud, nodes, self._known(points, inputs))
        given = torch.cat([inputs.scalars, inputs.vectors.flatten(1)], dim=1)[lattice.batch]
        latent = torch.cat([taken, lattice.scalars, given], dim=1)
        latent = self.gino.latent_embedding(latent.reshape(lattice.batch_size, *(self.resolution,) * self.ports.dimension, -1))
        return {"lattice": lattice.with_features(scalars=latent.flatten(2).transpose(1, 2).flatten(0, 1)), "nodes": PointSet(nodes, ptr=lattice.ptr)}

    def field(self, latent: CloudState, queries: Queries) -> PointSet:
        out = self.read(latent, self._placed(queries, latent.prepared.surface))
        scalars, vectors = out.split([self.ports.scalars_out, self.ports.dimension * self.ports.vectors_out], dim=1)
        return queries.points.with_features(scalars, vectors.reshape(len(vectors), self.ports.vectors_out, self.ports.dimension))

    def read(self, state: CloudState, queries: PointSet) -> Tensor:
        """(n, ports.out) fields; of a query the package sees its position alone, and its signed distance where that is a coordinate."""
        lattice, nodes = state.latents["lattice"], state.latents["nodes"]
        places = self._coordinates(state.prepared, queries)
        found = radius(nodes.pos, places, self.gino.out_gno_radius, nodes.ptr, queries.ptr, at_least_one=False)
        out = integral(self.gino.gno_out, found, nodes.pos, places, lattice.scalars)
        return self.gino.projection(out.T[None])[0].T

    def _near(self, places: PointSet) -> Tensor:
        """(n,) distance / (|distance| + 0.1), as it stands among the features of a place."""
        return places.scalars[:, 4 * self.ports.dimension + 4]

    def _nodes(self, lattice: PointSet) -> Tensor:
        return self._joined(lattice.pos, lattice.scalars[:, self.ports.dimension + 1])  # the same number there

    def _coordinates(self, prepared: PreparedCloud, places: PointSet) -> Tensor:
        chart = (Chart if self.uses_chart else Box).read(prepared.points("chart"))
        return self._joined(chart.inside(places.pos, places.batch), self._near(places))

    def _joined(self, places: Tensor, near: Tensor) -> Tensor:
        """Positions, and what is known of the distance as a further coordinate where that is wanted."""
        return torch.cat([places, self.distance * near[:, None]], dim=1) if self.distance else places


def integral(block: nn.Module, found: Graph, source: Tensor, target: Tensor, values: Tensor) -> Tensor:
    """What the package's GNOBlock does with the neighbours that its dense search would have found: (n_target, channels)."""
    y, x = (places if block.pos_embedding is None else block.pos_embedding(places) for places in (source, target))
    neighbours = {"neighbors_index": found.source, "neighbors_row_splits": found.ptr}
    if block.integral_transform.weighting_fn is not None:
        neighbours["weights"] = (source[found.source] - target[found.target]).square().sum(dim=1)
    return block.integral_transform(y=y, x=x, neighbors=neighbours, f_y=values[None])[0]


@dataclass(frozen=True, eq=False)
class Box:
    """Coordinates in which the box of every sample's cloud is [-1/2, 1/2]^d, less a rim, scaled alike along all axes.

    Attributes:
        centre: (b, d).
        width: (b, 1).
    """

    centre: Tensor
    width: Tensor

    @classmethod
    def of(cls, domain: PointSet) -> Box:
        low, high = (torch.stack([getattr(part.pos, name)(0) for part in domain.split()]) for name in ("amin", "amax"))
        return cls((low + high) / 2, (high - low).amax(dim=1, keepdim=True) * (1 + 2 * RIM))

    @classmethod
    def read(cls, kept: PointSet) -> Box:
        """From what :meth:`keep` gave."""
        return cls(kept.pos, kept.scalars)

    def keep(self) -> PointSet:
        """One point per sample."""
        return PointSet(self.centre, self.width, ptr=torch.arange(len(self.centre) + 1))

    def inside(self, pos: Tensor, batch: Tensor) -> Tensor:
        """(n, d) positions -> coordinates; what lies beyond the box is taken to its rim."""
        return ((pos - self.centre[batch]) / self.width[batch]).clamp(-0.5, 0.5)

    def outside(self, coordinates: Tensor, batch: Tensor) -> Tensor:
        """(n, d) coordinates -> positions."""
        return self.centre[batch] + coordinates * self.width[batch]
