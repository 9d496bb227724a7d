"""A trained mesh mover with what a move needs: a box found in the mesh, a gate that no folded cell passes, and a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import CheckpointError, ConfigurationError, FieldError, InvalidMeshError
from ..graph.pointset import PointSet
from ..interfaces.moving import Monitor, Moved
from ..interfaces.outcome import Outcome
from ..io.checkpoint import Checkpoint, class_path, read_checkpoint, resolve, write_checkpoint
from ..mesh.mesh import Mesh
from ..mesh.topology import edges
from ..models.mesh_mover import AbstractMeshMover, UnrolledMover

#: Share of a cell's corner areas that a move has to leave.
LEAST_AREA = 1e-3
#: Share of the network's displacement below which the mesh is given back as it was.
LEAST_SHARE = 1e-2
#: Distance from the side of the box within which a point lies on it, in lengths of the box.
ON_SIDE = 1e-9
#: Places decoded at once.
CHUNK = 20_000
_CORNERS = {"triangle": ((0, 1, 2),), "quad": ((0, 1, 2), (1, 2, 3), (2, 3, 0), (3, 0, 1))}


@dataclass(frozen=True, eq=False)
class NeuralMover:
    """Moves plane meshes that fill a box by one evaluation of a network: a :class:`~geoop.interfaces.moving.Mover`.

    Points of a side slide along it and corners stay, exactly. The network says how far; the gate takes the largest share of that for which no cell loses
    all of its area, found from the areas themselves, which are quadratic in the share::

        mover = geoop.load("mover.safetensors")
        moved = mover.move(mesh, hessian_monitor(mesh, values))

    Attributes:
        model: in evaluation mode.
        about: family, settings and scores, for people.
    """

    model: AbstractMeshMover
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model.eval()

    def move(self, mesh: Mesh, monitor: Monitor) -> Moved:
        """The mesh with its points where the network puts them for the monitor.

        In a box that is no square, the map is found in the square: it spreads the monitor as evenly, along other ways.

        Raises:
            InvalidMeshError: not a plane mesh of triangles and quads that fills a box, or a box whose patches meet elsewhere than at its corners; all
                that is wrong in one error.
            FieldError: densities that are not finite and positive.
        """
        begun = time.perf_counter()
        box = _Box.of(mesh)
        displacement = box.displacement(self._unit(mesh, monitor, box))
        share = largest_share(mesh, displacement)
        seconds = time.perf_counter() - begun
        if share < LEAST_SHARE:
            return Moved(mesh, Outcome("tangled", f"cells fold at {share:.1e} of the way"), folded(mesh, mesh.points + displacement), 1, seconds)
        if share == 1.0:
            return Moved(mesh.moved(mesh.points + displacement), Outcome("converged"), 0, 1, seconds)
        outcome = Outcome(
            "repaired",
            f"moved {share:.0%} of the way: {folded(mesh, mesh.points + displacement)} cells would fold farther on",
            "nothing to do; a weaker or smoother monitor, or a finer mesh, lets the points go all the way",
        )
        return Moved(mesh.moved(mesh.points + share * displacement), outcome, 0, 1, seconds)

    def _unit(self, mesh: Mesh, monitor: Monitor, box: _Box) -> np.ndarray:
        """(n, 2) displacements in the unit square, before the sides are seen to."""
        points = box.unit(mesh.points)
        with torch.no_grad():
            if isinstance(self.model, UnrolledMover):
                m = self.model.monitor_nodes
                place = (np.arange(m) + 0.5) / m
                nodes = np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1).reshape(-1, 2)
                log_m = self._log(monitor, box.world(nodes)).view(1, m, m)
                latent = self.model.solve(log_m)
            else:
                latent = self.model.encode(self._cloud(points, self._log(monitor, mesh.points)))
            if isinstance(self.model, UnrolledMover):
                latent = latent.double()  # a series is evaluated in double precision: neighbours in thin layers differ by less than float32 tells
            place = torch.from_numpy(points).to(latent.dtype)[None]
            parts = [self.model.displacement(latent, part) for part in place.split(CHUNK, dim=1)]
        found = torch.cat(parts, dim=1)[0].double().numpy()
        if not np.isfinite(found).all():
            raise FieldError("the network answers values that are not finite", where="NeuralMover", remedy="train it again, or use another mover")
        return found

    def _cloud(self, points: np.ndarray, log_m: torch.Tensor) -> PointSet:
        pos = torch.from_numpy(points).float()
        return PointSet(pos, log_m[:, None], weight=torch.full((len(pos),), 1.0 / len(pos)))

    def _log(self, monitor: Monitor, points: np.ndarray) -> torch.Tensor:
        """(k,) log m at points (k, 2), float32, less its mean."""
        values = np.asarray(monitor.at(points), dtype=np.float64)
        sound = values.shape == (len(points),) and bool(np.isfinite(values).all()) and bool((values > 0).all())
        if not sound:
            bad = values.size if values.shape != (len(points),) else int((~(np.isfinite(values) & (values > 0))).sum())
            raise FieldError(
                f"the monitor answers shape {values.shape} for {len(points)} points; {bad} values are not finite and positive",
                where=type(monitor).__name__,
                remedy="a density of points is one positive number per point: clean the field it comes from, or add a constant",
            )
        return torch.from_numpy(np.log(values) - np.log(values).mean()).float()

    def save(self, path: str | Path) -> Path:
        """Write the checkpoint: one safetensors file, atomically; ``geoop.load`` reads it.

        Raises:
            CheckpointError: the model is not a class of geoop.
        """
        header = {"mover": {"class": class_path(type(self.model)), "arguments": self.model.arguments}, "about": dict(self.about)}
        return write_checkpoint(path, Checkpoint(header, {f"model.{key}": value for key, value in self.model.state_dict().items()}))

    @classmethod
    def load(cls, source: str | Path | Checkpoint) -> NeuralMover:
        """A mover from a checkpoint.

        Raises:
            CheckpointError: missing, truncated, a pickle, not a mover, or with weights that do not fit its own header.
        """
        checkpoint = source if isinstance(source, Checkpoint) else read_checkpoint(source)
        try:
            header = checkpoint.header["mover"]
            model = resolve(header["class"], (AbstractMeshMover,))(**header["arguments"])
            model.load_state_dict(checkpoint.part("model"))
        except (KeyError, TypeError, RuntimeError, ConfigurationError) as error:
            where = "" if isinstance(source, Checkpoint) else str(source)
            remedy = "give the file that NeuralMover.save wrote, or train again"
            raise CheckpointError(f"the header is not that of a mover, or does not fit the arrays: {error}", where=where, remedy=remedy) from error
        return cls(model, checkpoint.header.get("about", {}))


def largest_share(mesh: Mesh, displacement: np.ndarray) -> float:
    """The largest share s <= 1 of a displacement (n, 2) [m] for which every corner of every cell keeps :data:`LEAST_AREA` of its area on the whole way.

    The area between three points that move in straight lines is quadratic in s: the first root is found for each, nothing is tried out.
    """
    share = 1.0
    for corners in _corner_triangles(mesh):
        p, v = mesh.points[corners], displacement[corners]
        a, b, da, db = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0], v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]
        c0, c1, c2 = _cross(a, b), _cross(a, db) + _cross(da, b), _cross(da, db)
        sign = np.sign(c0)
        c0, c1, c2 = (1 - LEAST_AREA) * sign * c0, sign * c1, sign * c2
        # the smaller positive root of c0 + c1 s + c2 s^2, in the form that does not cancel; c0 > 0
        inside = c1**2 - 4 * c0 * c2
        root = np.sqrt(np.maximum(inside, 0.0))
        below = np.where(c1 > 0, c1 + root, c1 - root)
        with np.errstate(divide="ignore", invalid="ignore"):
            roots = np.stack([-2 * c0 / below, -below / (2 * c2)])
        roots = np.where((inside >= 0) & np.isfinite(roots) & (roots > 0), roots, np.inf)
        share = min(share, float(roots.min(initial=np.inf)))
    return share


def folded(mesh: Mesh, points: np.ndarray) -> int:
    """Cells with a corner that is turned round, or flat, when the mesh is put on other points (n, 2)."""
    count = 0
    for name, frames in _CORNERS.items():
        cells = mesh.cells.block(name)
        bad = np.zeros(len(cells), dtype=bool)
        for frame in frames:
            before, after = (_cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]) for p in (mesh.points[cells[:, frame]], points[cells[:, frame]]))
            bad |= before * after <= 0
        count += int(bad.sum())
    return count


def _corner_triangles(mesh: Mesh) -> list[np.ndarray]:
    return [mesh.cells.block(name)[:, frame] for name, frames in _CORNERS.items() if len(mesh.cells.block(name)) for frame in frames]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


@dataclass(frozen=True, eq=False)
class _Box:
    """The box that a mesh fills, and which points lie on its sides."""

    low: np.ndarray
    length: np.ndarray
    on_side: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> _Box:
        problems = list(_unsuited(mesh))
        if problems:
            raise InvalidMeshError(
                "; ".join(problems),
                where=mesh.name,
                remedy="a network for boxes moves triangles and quads that fill a rectangle parallel to the axes; take the variational mover for other regions",
            )
        low, high = mesh.bounds
        return cls(low, high - low, _on_sides(mesh))

    def unit(self, points: np.ndarray) -> np.ndarray:
        return (points - self.low) / self.length

    def world(self, points: np.ndarray) -> np.ndarray:
        return self.low + points * self.length

    def displacement(self, unit: np.ndarray) -> np.ndarray:
        """[m], of points on a side along it alone, from displacements in the unit square."""
        return np.where(self.on_side, 0.0, unit * self.length)


def _on_sides(mesh: Mesh) -> np.ndarray:
    """(n, 2) whether a point lies on a side normal to x, to y."""
    low, high = mesh.bounds
    return np.minimum(np.abs(mesh.points - low), np.abs(mesh.points - high)) <= ON_SIDE * (high - low).max()


def _unsuited(mesh: Mesh):
    """What keeps a mesh from being moved as a box, in words."""
    if mesh.dimension != 2 or mesh.cell_dimension != 2:
        yield f"cells of dimension {mesh.cell_dimension} in {mesh.dimension}-D"
        return
    index = np.flatnonzero(mesh.cells.dimensions == 2)
    known = sum(len(mesh.cells.block(name)) for name in _CORNERS)
    if known != len(index):
        yield f"{len(index) - known} cells are neither triangles nor quads"
    flat = sum(int((_cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]) == 0).sum()) for p in (mesh.points[c] for c in _corner_triangles(mesh)))
    if flat:
        yield f"{flat} corners of cells have no area"
    listed = edges(mesh.cells, np.arange(len(mesh.points)))
    lonely = listed.corners[listed.counts[listed.group] == 1]
    on_side = _on_sides(mesh)
    off = ~(on_side[lonely[:, 0]] & on_side[lonely[:, 1]]).any(axis=1)
    if off.any():
        yield f"{int(off.sum())} of {len(lonely)} edges of the boundary do not lie on the sides of the box round the mesh"
    count = np.zeros(len(mesh.points), dtype=np.int64)
    for name in mesh.patches:
        count[mesh.patch_points(name)] += 1
    between = (count > 1) & ~on_side.all(axis=1)
    if between.any():
        yield f"patches meet at {int(between.sum())} points that are not corners of the box"
