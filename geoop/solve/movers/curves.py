"""Polylines that points slide along: the boundary of a plane region between two corners, an edge of a solid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

_STRAIGHT = 1e-6  # largest distance from the line through the ends, relative to the length, of a polyline that counts as straight
_CANDIDATES = 8


@dataclass(frozen=True, eq=False)
class Curve:
    """A polyline through points of a mesh.

    Attributes:
        nodes: (k,) points of the mesh in order; the first again at the end of a loop. The ends of an open one stay.
        vertices: (k, d) where they are at first [m].
        held: whether a loop has a corner where it begins, such as a trailing edge, which stays.
    """

    nodes: np.ndarray
    vertices: np.ndarray
    held: bool = False

    @property
    def closed(self) -> bool:
        """Whether it ends where it begins, with no corner there."""
        return bool(self.nodes[0] == self.nodes[-1]) and not self.held

    @property
    def sliding(self) -> np.ndarray:
        """(s,) points of the mesh that slide: all of a closed curve, all but the ends of an open one."""
        return self.nodes[:-1] if self.closed else self.nodes[1:-1]

    @cached_property
    def arc(self) -> np.ndarray:
        """(k,) length along the curve up to every vertex [m]."""
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.vertices, axis=0), axis=1))])

    @property
    def sliding_arc(self) -> np.ndarray:
        """(s,) length up to every sliding point at first [m]."""
        return self.arc[:-1] if self.closed else self.arc[1:-1]

    @cached_property
    def _reduced(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and lengths with a straight curve as one segment."""
        ends = self.vertices[[0, -1]]
        span = ends[1] - ends[0]
        length = np.linalg.norm(span)
        if not self.closed and length > 0:
            offset = self.vertices - ends[0]
            off = np.linalg.norm(offset - np.outer(offset @ span, span) / length**2, axis=1)
            if off.max() <= _STRAIGHT * length and (np.diff(offset @ span) > 0).all():
                return ends, np.array([0.0, self.arc[-1]])
        return self.vertices, self.arc

    @property
    def straight(self) -> bool:
        """Whether it is one segment."""
        return len(self._reduced[0]) == 2

    def _within(self, arc: np.ndarray) -> np.ndarray:
        return np.mod(arc, self.arc[-1]) if self.closed else np.clip(arc, 0.0, self.arc[-1])

    def at(self, arc: np.ndarray) -> np.ndarray:
        """(s, d) places at lengths (s,) along the curve [m]; beyond an end the end, round and round a closed curve."""
        vertices, lengths = self._reduced
        arc = self._within(arc)
        return np.stack([np.interp(arc, lengths, vertices[:, k]) for k in range(vertices.shape[1])], axis=1)

    def tangents(self, arc: np.ndarray) -> np.ndarray:
        """(s, d) unit direction of the segments at lengths (s,) along the curve."""
        vertices, lengths = self._reduced
        segment = np.clip(np.searchsorted(lengths, self._within(arc), side="right") - 1, 0, len(lengths) - 2)
        step = np.diff(vertices, axis=0)[segment]
        return step / np.linalg.norm(step, axis=1, keepdims=True)

    @cached_property
    def _pieces(self) -> tuple[cKDTree, np.ndarray]:
        """Tree of points that lie evenly on the curve, and the segment of each."""
        vertices, lengths = self._reduced
        step = np.median(np.diff(lengths))
        count = np.maximum(1, np.ceil(np.diff(lengths) / step).astype(np.int64))
        segment = np.repeat(np.arange(len(count)), count)
        place = (np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[segment]
        return cKDTree(vertices[segment] + place[:, None] * np.diff(vertices, axis=0)[segment]), segment

    def nearest(self, positions: np.ndarray) -> np.ndarray:
        """(s,) lengths along the curve of the places nearest to positions (s, d) [m]."""
        vertices, lengths = self._reduced
        tree, segment = self._pieces
        count = min(_CANDIDATES, len(segment))
        tried = segment[tree.query(positions, k=count)[1].reshape(len(positions), count)]
        a, step = vertices[tried], np.diff(vertices, axis=0)[tried]
        size = np.einsum("skd,skd->sk", step, step)
        t = np.clip(np.einsum("skd,skd->sk", positions[:, None] - a, step) / size, 0.0, 1.0)
        gap = np.linalg.norm(a + t[..., None] * step - positions[:, None], axis=2)
        rows, best = np.arange(len(positions)), np.argmin(gap, axis=1)
        return lengths[tried[rows, best]] + t[rows, best] * np.sqrt(size[rows, best])


def curves_of(points: np.ndarray, edges: np.ndarray, stops: np.ndarray) -> list[Curve]:
    """The curves that edges (k, 2) form between the points that are marked (n,) as stops; closed ones where there is none.

    Points at which other than two edges meet have to be stops.
    """
    start = np.concatenate([edges[:, 0], edges[:, 1]])
    order = np.argsort(start, kind="stable")
    edge_of = np.tile(np.arange(len(edges)), 2)[order]
    first = np.searchsorted(start[order], np.arange(len(points) + 1))
    free, found = np.ones(len(edges), dtype=bool), []
    begins = np.concatenate([np.flatnonzero(stops[edges[:, 0]]), np.flatnonzero(stops[edges[:, 1]]), np.arange(len(edges))])
    for edge in begins:
        if not free[edge]:
            continue
        here = edges[edge, 1] if not stops[edges[edge, 0]] and stops[edges[edge, 1]] else edges[edge, 0]
        chain = [here]
        while edge >= 0:
            free[edge] = False
            here = edges[edge, 0] + edges[edge, 1] - here
            chain.append(here)
            around = edge_of[first[here] : first[here + 1]]
            following = around[free[around]]
            edge = following[0] if len(following) and not stops[here] else -1
        nodes = np.array(chain, dtype=np.int64)
        found.append(Curve(nodes, points[nodes], held=bool(stops[nodes[0]])))
    return found
