"""A trained mesh mover with what a move needs: a box found in the mesh, a gate that no folded cell passes, a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import CheckpointError, ConfigurationError, FieldError, InvalidMeshError
from ..fem.simplices import corner_simplices
from ..graph.pointset import PointSet
from ..interfaces.moving import Monitor, Moved
from ..interfaces.outcome import Outcome
from ..io.checkpoint import Checkpoint, class_path, read_checkpoint, resolve, write_checkpoint
from ..mesh.measure import point_weights
from ..mesh.mesh import Mesh
from ..models.mesh_mover import AbstractMeshMover, UnrolledMover
from ..solve.monitors import sound_densities
from ..solve.movers.boundary import require_one_zone
from ..solve.movers.tangling import Folding

#: Distance from the side of the box within which a point lies on it, in lengths of the box.
ON_SIDE = 1e-9
#: By how much the area of all cells may differ from that of the box, as a share.
COVERED = 1e-6
#: Places decoded at once: few enough for their waves to stay in the cache of a processor.
CHUNK = 4096


@dataclass(frozen=True, eq=False)
class NeuralMover:
    """Moves plane meshes that fill a box by one evaluation of a network: a :class:`~geoop.interfaces.moving.Mover`.

    Points of a side slide along it and corners stay, exactly. The network says how far; what leaves no cell folded of that is done, the whole nearly always::

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
            FieldError: densities that are not finite and positive, or a network that answers so.

        Returns:
            the moved mesh; outcome ``converged``; ``repaired``: a share of the move, the whole would fold cells; ``tangled``: the mesh that was given.
        """
        begun = time.perf_counter()
        require_one_zone(mesh)
        box = _Box.of(mesh)
        folding = Folding(mesh)
        if len(mesh.cells.block("quad")):  # triangles whose areas add up to that of the box are sound: folded ones would count twice
            folding.require_sound(corner_simplices(mesh)[0])
        whole = mesh.points + box.displacement(self._unit(mesh, monitor, box))
        points, share, bad = folding.untangled(whole, lambda tried: tried)  # the sides are straight: any share of the way stays on them
        moved = mesh.moved(points) if share else mesh
        return Moved(moved, _outcome(share, bad), 0 if share else bad, 1, time.perf_counter() - begun)

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
                latent = self.model.encode(self._cloud(points, self._log(monitor, mesh.points), point_weights(mesh)))
            if isinstance(self.model, UnrolledMover):
                latent = latent.double()  # a series is evaluated in double precision: neighbours in thin layers differ by less than float32 tells
            place = torch.from_numpy(points).to(latent.dtype)[None]
            parts = [self.model.displacement(latent, part) for part in place.split(CHUNK, dim=1)]
        found = torch.cat(parts, dim=1)[0].double().numpy()
        if not np.isfinite(found).all():
            raise FieldError("the network answers values that are not finite", where="NeuralMover", remedy="train it again, or use another mover")
        return found

    def _cloud(self, points: np.ndarray, log_m: torch.Tensor, weight: np.ndarray) -> PointSet:
        pos = torch.from_numpy(points).float()
        return PointSet(pos, log_m[:, None], weight=torch.from_numpy(weight / weight.sum()).float())

    def _log(self, monitor: Monitor, points: np.ndarray) -> torch.Tensor:
        """(k,) log m at points (k, 2), float32, less its mean."""
        log_m = np.log(sound_densities(monitor, points))
        return torch.from_numpy(log_m - log_m.mean()).float()

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


def _outcome(share: float, bad: int) -> Outcome:
    if share == 1.0:
        return Outcome("converged", "one evaluation of a network")
    if share == 0.0:
        return Outcome("tangled", f"{bad} cells inverted, at every share of the move")
    return Outcome(
        "repaired",
        f"{share:.0%} of the move, the whole inverts {bad} cells",
        "nothing to do; a weaker or smoother monitor, or a finer mesh, lets the points go all the way",
    )


@dataclass(frozen=True, eq=False)
class _Box:
    """The box that a mesh fills, and which points lie on its sides."""

    low: np.ndarray
    length: np.ndarray
    on_side: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> _Box:
        low, high = mesh.bounds
        on_side = np.minimum(np.abs(mesh.points - low), np.abs(mesh.points - high)) <= ON_SIDE * (high - low).max()
        problems = list(_unsuited(mesh, on_side))
        if problems:
            raise InvalidMeshError(
                "; ".join(problems),
                where=mesh.name,
                remedy="a network for boxes moves triangles and quads that fill a rectangle parallel to the axes; take the variational mover for other regions",
            )
        return cls(low, high - low, on_side)

    def unit(self, points: np.ndarray) -> np.ndarray:
        return (points - self.low) / self.length

    def world(self, points: np.ndarray) -> np.ndarray:
        return self.low + points * self.length

    def displacement(self, unit: np.ndarray) -> np.ndarray:
        """[m], of points on a side along it alone, from displacements in the unit square."""
        return np.where(self.on_side, 0.0, unit * self.length)


def _unsuited(mesh: Mesh, on_side: np.ndarray) -> Iterator[str]:
    """What keeps a mesh from being moved as a box, in words; ``on_side`` (n, 2) whether a point lies on a side normal to x, to y."""
    if mesh.dimension != 2 or mesh.cell_dimension != 2:
        yield f"cells of dimension {mesh.cell_dimension} in {mesh.dimension}-D"
        return
    index = np.flatnonzero(mesh.cells.dimensions == 2)
    blocks = [mesh.cells.block(name) for name in ("triangle", "quad")]
    known = sum(len(rows) for rows in blocks)
    if known != len(index):
        yield f"{len(index) - known} cells are neither triangles nor quads"
    covered = sum(_area(mesh.points, rows) for rows in blocks) / float(np.prod(np.ptp(mesh.bounds, axis=0)))
    if abs(covered - 1.0) > COVERED:
        yield f"the cells cover {covered:.3%} of the box round the mesh" + (": some are folded, or lie on others" if covered > 1.0 else "")
    count = np.zeros(len(mesh.points), dtype=np.int64)
    for name in mesh.patches:
        count[mesh.patch_points(name)] += 1
    between = (count > 1) & ~on_side.all(axis=1)
    if between.any():
        yield f"patches meet at {int(between.sum())} points that are not corners of the box"


def _area(points: np.ndarray, rows: np.ndarray) -> float:
    """Area of all triangles or quads, whichever way they turn: half the product of the two diagonals; of a triangle two sides."""
    x, y = np.ascontiguousarray(points.T)[:, rows.T]
    return 0.5 * float(np.abs((x[2] - x[0]) * (y[-1] - y[1]) - (y[2] - y[0]) * (x[-1] - x[1])).sum())
