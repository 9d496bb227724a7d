"""An atlas of shapes: the latents of many, which of them are alike, what lies between two, how they lie on a map, and what is foreign to them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..errors import CheckpointError, ConfigurationError, ShapeError
from ..graph.pointset import PointSet
from ..io.checkpoint import Checkpoint, class_path, read_checkpoint, resolve, write_checkpoint
from ..io.contour import contour
from ..io.dataset import Dataset
from ..mesh.body import body
from ..mesh.mesh import Mesh
from ..mesh.sampling import simplex_measures, simplices
from ..mesh.zero_set import narrow_band
from ..models.shape_field import PreparedShape, ShapeField

KIND = "shape-atlas"
#: Points in the box of the field at which shapes on different poses are compared, about.
PROBES = 600
#: Neighbours whose mean distance tells how foreign a shape is.
NEIGHBOURS = 3
#: Shapes encoded at once, and points decoded at once.
_SHAPES, _POINTS = 16, 8192
_PARTS = ("pos", "scalars", "vectors", "weight", "ptr")
How = Literal["latents", "distances"]


@dataclass(frozen=True)
class Placement:
    """Where a shape lies, and how large it is.

    Attributes:
        origin: (d,) middle of its surface [m].
        length: twice the largest distance of a vertex from there [m].
    """

    origin: tuple[float, ...]
    length: float

    def into(self, points: np.ndarray) -> np.ndarray:
        """Points [m] in lengths of the shape, from its middle."""
        return (points - np.array(self.origin)) / self.length

    def out_of(self, points: np.ndarray) -> np.ndarray:
        """(n, d) such points in metres."""
        return points * self.length + np.array(self.origin)


@dataclass(frozen=True)
class Neighbour:
    """A shape of the atlas and how far it is, see :attr:`Atlas.codes`."""

    name: str
    distance: float


@dataclass(frozen=True)
class Foreignness:
    """How far a shape is from those of an atlas.

    Attributes:
        distance: mean to its nearest :data:`NEIGHBOURS` shapes, see :attr:`Atlas.codes`.
        quantile: share of the atlas' own shapes that are nearer to their neighbours, each without itself: 1 is further than all of them.
        misfit: root mean square error of the field that the latents stand for, in lengths of the shape: latents can be near where the shape is not.
        misfit_quantile: share of the atlas' own shapes with a smaller misfit.
    """

    distance: float
    quantile: float
    misfit: float
    misfit_quantile: float

    def flagged(self, level: float = 0.99) -> bool:
        """Whether either of the two is beyond that share of the atlas."""
        return max(self.quantile, self.misfit_quantile) > level


@dataclass(frozen=True, eq=False)
class Map:
    """Shapes in the plane: the two directions in which their codes differ most.

    Attributes:
        positions: (n, 2), in the unit of the codes.
        explained: (2,) share of the variance along each.
        mean, axes: (k,) and (2, k) of the codes. The largest entry of an axis is positive, so that a map does not depend on the order of the shapes.
    """

    positions: np.ndarray
    explained: np.ndarray
    mean: np.ndarray
    axes: np.ndarray

    def place(self, codes: np.ndarray) -> np.ndarray:
        """(m, 2) where shapes of these (m, k) codes lie."""
        return (codes - self.mean) @ self.axes.T


@dataclass(frozen=True, eq=False)
class Atlas:
    """Latents of many shapes. Shapes are compared in frames of their own: neither size nor place counts, direction does.

    Attributes:
        field: what the latents are read by.
        names: of the shapes, each once.
        placements: of the shapes [m].
        latents: poses with contexts, one sample per shape, in their frames.
        misfits: (n,) root mean square error of every shape's field at its samples, in its lengths.
    """

    field: ShapeField
    names: tuple[str, ...]
    placements: tuple[Placement, ...]
    latents: PointSet
    misfits: np.ndarray

    @classmethod
    def of(cls, shapes: Mapping[str, Mesh] | Sequence[Mesh] | Dataset, field: ShapeField, *, split: str = "train") -> Atlas:
        """Encode shapes.

        Args:
            shapes: surfaces [m] by name, or with names of their own, or a data set, of which the bodies are taken.
            field: trained on shapes brought into their frames by :func:`placed`.
            split: of the data set.

        Raises:
            ConfigurationError: fewer than two shapes, or names that repeat.
            ShapeError: a shape in another dimension than the field.
            InvalidMeshError: a surface without inside or extent.
        """
        named = list(_named(shapes, split))
        names = tuple(name for name, _ in named)
        if len(names) < 2 or len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            found = f"the names {twice[:4]} repeat" if twice else f"{len(names)} shapes"
            raise ConfigurationError(found, where="Atlas", remedy="give at least two shapes, each with a name of its own: {name: mesh}")
        parts = [_encoded(field, [mesh for _, mesh in named[k : k + _SHAPES]]) for k in range(0, len(named), _SHAPES)]
        placements = tuple(place for part in parts for place in part[0])
        return cls(field, names, placements, PointSet.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts]))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def codes(self) -> np.ndarray:
        """(n, k) what shapes are compared by; the distance of two shapes is the root mean square of the difference of their codes.

        Latents on a grid: their contexts, in order of position, over the root mean square by which those of the atlas differ from their mean. Latents on
        bodies: the signed distance that they stand for, at common points of the frame, in lengths of the shape. There a context says what to
        add to the planes of just these poses, so that equal shapes with latents at different places differ in all contexts; their fields do not.
        """
        return self._codes(self.latents)

    def nearest(self, shape: str | Mesh, count: int = 5) -> list[Neighbour]:
        """The most similar shapes of the atlas, nearest first; of a shape of the atlas the first is itself.

        Args:
            shape: a name of the atlas, or a surface [m].
            count: of shapes.
        """
        distance = _distances(self._code(shape)[None], self.codes)[0]
        return [Neighbour(self.names[k], float(distance[k])) for k in np.argsort(distance, kind="stable")[:count]]

    def between(self, one: str | Mesh, other: str | Mesh, share: float = 0.5, *, how: How | None = None, resolution: int = 128) -> Mesh:
        """The surface of a shape between two [m]; place and length are interpolated, too.

        Args:
            one, other: names of the atlas or surfaces [m].
            share: 0 is the first, 1 the second.
            how: ``latents`` interpolates contexts, for latents on a grid; ``distances``, the control, the signed distances. None takes the first that can be.
            resolution: cells along the longest side of the box.

        Raises:
            ConfigurationError: latents on bodies, which have no counterparts, are to be interpolated, or a resolution is out of range.
            InvalidMeshError: there is no surface between them.
        """
        how = how or ("latents" if self.field.poses == "grid" else "distances")
        if how == "latents" and self.field.poses != "grid":
            raise ConfigurationError(
                "latents on two bodies have no counterparts", where="Atlas.between", remedy="how='distances', or a field with poses='grid'"
            )
        (at, a), (to, b) = (self._latents(shape) for shape in (one, other))
        mixed = a.with_features(scalars=torch.lerp(a.scalars, b.scalars, share)) if how == "latents" else None

        def distance(points: np.ndarray) -> np.ndarray:
            if mixed is not None:
                return _decoded(self.field, mixed, points)
            return (1 - share) * _decoded(self.field, a, points) + share * _decoded(self.field, b, points)

        origin = (1 - share) * np.array(at.origin) + share * np.array(to.origin)
        place = Placement(tuple(origin.tolist()), (1 - share) * at.length + share * to.length)
        low, high = self.field.box.double().numpy()
        found = contour(narrow_band(distance, low, high, resolution), f"{_name(one)} to {_name(other)} at {share:g}")
        return found.moved(place.out_of(found.points))

    def surface(self, shape: str | Mesh, resolution: int = 128) -> Mesh:
        """The surface that the latents of one shape stand for [m]. Raises as :meth:`between`."""
        return self.between(shape, shape, 0.0, how="distances", resolution=resolution)

    def map(self) -> Map:
        """The shapes in a plane, by principal components of their codes."""
        codes = self.codes
        mean = codes.mean(axis=0)
        _, sizes, rows = np.linalg.svd(codes - mean, full_matrices=False)
        # an atlas of two shapes has one direction only
        axes = np.concatenate([rows, np.zeros_like(rows[:1])])[:2]
        axes = axes * np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
        explained = np.append(np.square(sizes), 0.0)[:2] / max(np.square(sizes).sum(), 1e-300)
        return Map((codes - mean) @ axes.T, explained, mean, axes)

    def foreignness(self, shape: Mesh) -> Foreignness:
        """How far a new shape is from those of the atlas: what a verdict on it can be made of."""
        _, latents, misfit = _encoded(self.field, [shape])
        codes, own = self.codes, self._left_out()
        distance = float(np.sort(_distances(self._codes(latents), codes)[0])[:NEIGHBOURS].mean())
        return Foreignness(distance, float((own < distance).mean()), float(misfit[0]), float((self.misfits < misfit[0]).mean()))

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file; an interruption leaves the old one."""
        header = {
            "kind": KIND,
            "class": class_path(type(self.field)),
            "arguments": self.field.arguments,
            "names": list(self.names),
            "placements": [[list(p.origin), p.length] for p in self.placements],
            "unit": "m",
        }
        arrays = {f"field.{k}": v for k, v in self.field.state_dict().items()} | {f"latents.{part}": getattr(self.latents, part) for part in _PARTS}
        return write_checkpoint(path, Checkpoint(header, arrays | {"atlas.misfits": torch.from_numpy(self.misfits)}))

    @classmethod
    def load(cls, path: str | Path) -> Atlas:
        """Read what :meth:`save` wrote.

        Raises:
            CheckpointError: damaged, or no atlas.
        """
        found = read_checkpoint(path)
        if found.header.get("kind") != KIND:
            raise CheckpointError(f"this is a {found.header.get('kind', 'surrogate')}", where=str(path), remedy="give a file that Atlas.save wrote")
        field = resolve(found.header["class"], (ShapeField,))(**found.header["arguments"])
        field.load_state_dict(found.part("field"))
        latents = PointSet(**{part: found.part("latents")[part] for part in _PARTS})
        placements = tuple(Placement(tuple(origin), length) for origin, length in found.header["placements"])
        return cls(field, tuple(found.header["names"]), placements, latents, found.part("atlas")["misfits"].numpy())

    def _codes(self, latents: PointSet) -> np.ndarray:
        """(b, k) of the samples of a batch."""
        parts = latents.split()
        if self.field.poses == "body":
            probes = _probes(self.field.box)
            return np.stack([_decoded(self.field, part, probes) for part in parts])
        return np.stack([_in_order(part) for part in parts]) / self._unit()

    def _unit(self) -> float:
        """By how much contexts of the atlas differ from their mean."""
        own = np.stack([_in_order(part) for part in self.latents.split()])
        return max(float(np.sqrt(np.square(own - own.mean(axis=0)).mean())), 1e-12)

    def _left_out(self) -> np.ndarray:
        """(n,) mean distance of every shape of the atlas to its nearest, without itself."""
        apart = _distances(self.codes, self.codes)
        np.fill_diagonal(apart, np.inf)
        count = min(NEIGHBOURS, len(self) - 1)
        return np.sort(apart, axis=1)[:, :count].mean(axis=1)

    def _latents(self, shape: str | Mesh) -> tuple[Placement, PointSet]:
        if isinstance(shape, Mesh):
            places, latents, _ = _encoded(self.field, [shape])
            return places[0], latents
        if shape not in self.names:
            raise ConfigurationError(f"no shape '{shape}'", where="Atlas", remedy=f"one of {', '.join(self.names[:5])}, ..., or a mesh")
        k = self.names.index(shape)
        return self.placements[k], self.latents.split()[k]

    def _code(self, shape: str | Mesh) -> np.ndarray:
        return self._codes(self._latents(shape)[1])[0]


def placed(mesh: Mesh) -> tuple[Mesh, Placement]:
    """A surface in a frame of its own, about one unit long: what a field is to be trained on, and what an atlas encodes. The frame moves and grows with
    the surface and does not depend on how it is cut into facets; its axes stay those of the file.

    Raises:
        InvalidMeshError: not a surface.
    """
    corners = mesh.points[simplices(mesh)[0]]
    size = simplex_measures(corners)
    origin = (size[:, None] * corners.mean(axis=1)).sum(axis=0) / max(float(size.sum()), 1e-300)
    place = Placement(tuple(origin.tolist()), max(2.0 * float(np.linalg.norm(mesh.points - origin, axis=1).max()), 1e-300))
    return mesh.moved(place.into(mesh.points)), place


@torch.no_grad()
def _encoded(field: ShapeField, meshes: Sequence[Mesh]) -> tuple[list[Placement], PointSet, np.ndarray]:
    """Placements, latents and misfits of a few shapes."""
    for mesh in meshes:
        if mesh.dimension != field.dimension:
            raise ShapeError(
                f"a shape in {mesh.dimension}-D for a field in {field.dimension}-D", where=mesh.name, remedy="make an atlas per dimension"
            )
    framed = [placed(mesh) for mesh in meshes]
    prepared = PreparedShape.concatenate([field.prepare(mesh) for mesh, _ in framed])
    latents = field.encode(prepared)
    samples = prepared.observed.samples
    assert samples is not None
    errors = [
        np.sqrt(np.square(_decoded(field, z, s.pos.double().numpy()) - s.scalars[:, 0].double().numpy()).mean())
        for z, s in zip(latents.split(), samples.split(), strict=True)
    ]
    return [place for _, place in framed], latents, np.array(errors)


@torch.no_grad()
def _decoded(field: ShapeField, latents: PointSet, points: np.ndarray) -> np.ndarray:
    """(n,) signed distance at points of the frame, in chunks."""
    x = torch.from_numpy(np.ascontiguousarray(points, dtype=np.float32))
    return torch.cat([field.field(latents, PointSet(part))[:, 0] for part in x.split(_POINTS)]).double().numpy()


def _in_order(latents: PointSet) -> np.ndarray:
    """(L c,) contexts in order of position: the order in which latents are listed says nothing."""
    order = np.lexsort(latents.pos.double().numpy().T)
    return latents.scalars.double().numpy()[order].reshape(-1)


def _probes(box: Tensor) -> np.ndarray:
    """(p, d) centres of nearly cubic cells of the box."""
    low, high = box.double().numpy()
    size = float(((high - low).prod() / PROBES) ** (1 / len(low)))
    counts = np.maximum(2, np.round((high - low) / size)).astype(int)
    axes = [a + (b - a) * (np.arange(n) + 0.5) / n for a, b, n in zip(low, high, counts, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(low))


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(a, b) root mean square of the differences of codes."""
    return np.sqrt(np.stack([np.square(other - row).mean(axis=1) for row in one]))


def _named(shapes: Mapping[str, Mesh] | Sequence[Mesh] | Dataset, split: str) -> Iterator[tuple[str, Mesh]]:
    if isinstance(shapes, Dataset):
        for name in shapes.splits[split]:
            case = shapes.case(name)
            yield name, body(case.mesh, case.wall)
    elif isinstance(shapes, Mapping):
        yield from shapes.items()
    else:
        yield from ((mesh.name, mesh) for mesh in shapes)


def _name(shape: str | Mesh) -> str:
    return shape if isinstance(shape, str) else shape.name
