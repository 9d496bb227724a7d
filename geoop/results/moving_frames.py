"""One motion at many times, into a .pvd file, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import GeoopError, UnwritableFileError
from ..interfaces.moving import Deformer, Moved
from ..interfaces.outcome import Outcome
from ..io.atomic import replacing
from ..io.paraview import write_series
from ..mesh.case import Case
from ..mesh.mesh import Mesh
from ..solve.deformers.motions import Motion
from ..solve.deformers.moving_series import Progress, moving_series
from ..solve.deformers.validity import smallest_quality

#: Of files with the points of one frame, and length of the digest that they begin with [bytes].
_SUFFIX, _DIGEST = ".frame", hashlib.sha256().digest_size


@dataclass(frozen=True, eq=False)
class MovingFrames:
    """What became of a motion.

    Attributes:
        path: the .pvd file.
        times: (t,) [s].
        quality: (t,) smallest scaled Jacobian of the cells at each time.
        kept: how many frames an earlier run had made.
    """

    path: Path
    times: np.ndarray
    quality: np.ndarray
    kept: int

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        return {"times": self.times.tolist(), "quality": self.quality.tolist(), "kept": self.kept, "files": [str(self.path)]}


def write_frames(
    case: Case,
    motion: Mapping[str, Motion],
    times: Sequence[float] | np.ndarray,
    deformer: Deformer,
    path: str | Path,
    *,
    progress: Progress | None = None,
) -> MovingFrames:
    """Deform a mesh for every time and write the series, with ``mesh_velocity``, as :func:`geoop.io.paraview.write_series` does.

    Points of finished frames are kept in a folder beside the file, ``NAME.frames``, until the series is written. A run that is
    interrupted, and started again with the same mesh, motion, times and deformer, takes them from there; what differs is made anew.

    Args:
        case: at rest.
        motion: patch -> what its points do.
        times: [s], increasing.
        deformer: that carries the inside along.
        path: ``.pvd``.
        progress: told of every frame.

    Raises:
        ConvergenceError: the mesh tangles at one of the times.
        The errors of :func:`geoop.solve.deformers.moving_series.moving_series` and of the writer.
    """
    target = Path(path)
    keeping = _Keeping(deformer, target.with_name(f"{target.stem}.frames"))
    try:
        series = moving_series(case, motion, times, keeping, progress=progress)
        written = write_series(series, target)
    except UnwritableFileError:  # a full disk or a folder that may not be written: what was made is good once there is room
        raise
    except GeoopError:  # the same words would fail again: there is nothing to go on with
        keeping.clear()
        raise
    keeping.clear()
    return MovingFrames(written, series.times, np.array([smallest_quality(item.mesh, case.mesh) for item in series.cases]), keeping.found)


@dataclass(eq=False)
class _Keeping:
    """A deformer that writes down where the points went, and looks there first."""

    deformer: Deformer
    folder: Path
    found: int = 0
    _mesh: str = field(default="")

    def deform(self, mesh: Mesh, displacement: Mapping[str, np.ndarray]) -> Moved:
        """See :class:`~geoop.interfaces.moving.Deformer`."""
        self._mesh = self._mesh or mesh.content_hash
        digest = hashlib.sha256(f"{self._mesh}{self.deformer!r}".encode())
        for patch in sorted(displacement):
            digest.update(patch.encode() + np.ascontiguousarray(displacement[patch], dtype=np.float64).tobytes())
        file = self.folder / f"{digest.hexdigest()}{_SUFFIX}"
        points = _points(file, mesh)
        if points is not None:
            self.found += 1
            return Moved(mesh.moved(points), Outcome("converged", "from an earlier run"))
        moved = self.deformer.deform(mesh, displacement)
        if moved.outcome.ok:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(file) as beside, beside.open("wb") as stream:
                stream.write(_sealed(moved.mesh.points))
        return moved

    def clear(self) -> None:
        """Remove what was kept, and the folder unless somebody else has files in it."""
        with suppress(OSError):
            for file in self.folder.glob(f"*{_SUFFIX}"):
                file.unlink()
            self.folder.rmdir()


def _sealed(points: np.ndarray) -> bytes:
    """Points with the digest of their bytes before them, which tells a file that was damaged."""
    content = np.ascontiguousarray(points, dtype=np.float64).tobytes()
    return hashlib.sha256(content).digest() + content


def _points(file: Path, mesh: Mesh) -> np.ndarray | None:
    """What a file keeps; None where there is none, or one that is damaged or does not fit."""
    try:
        found = file.read_bytes()
    except OSError:
        return None
    content = found[_DIGEST:]
    if hashlib.sha256(content).digest() != found[:_DIGEST] or len(content) != 8 * mesh.points.size:
        return None
    return np.frombuffer(content, dtype=np.float64).reshape(mesh.points.shape)
