"""A shape as a field: its signed distance anywhere, its gradient, its surface, and how far they are off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import CheckpointError, NonFiniteError, ShapeError
from ..graph.pointset import PointSet
from ..io.checkpoint import Checkpoint, class_path, read_checkpoint, resolve, write_checkpoint
from ..mesh.mesh import Mesh
from ..models.local_shape_field import LocalShapeField
from .shape_deviation import ShapeDeviation

KIND = "encoded-shape"
#: Points in one go: bounds the memory (about 10 kB per point), never changes the answer beyond rounding.
CHUNK = 4096
_PARTS = ("pos", "vectors", "weight", "scalars")


@dataclass(frozen=True)
class ShapeFrame:
    """Where a shape lies, and how large it is.

    Attributes:
        origin: (d,) of the frame [m].
        length: one unit of the frame [m].
        low, high: (d,) box around the body in units of the frame.
        radius: of the ball about the origin in which the field was fitted, in units of the frame.
    """

    origin: tuple[float, ...]
    length: float
    low: tuple[float, ...]
    high: tuple[float, ...]
    radius: float

    def into(self, points: np.ndarray) -> np.ndarray:
        """Points [m] in units of the frame; its axes are those of the file."""
        return (points - np.array(self.origin)) / self.length

    def out_of(self, points: np.ndarray) -> np.ndarray:
        """Points of the frame in metres."""
        return points * self.length + np.array(self.origin)


class EncodedShape:
    """The signed distance of one body as an equivariant neural field: latents on its skin, and the network that reads them.

    What :func:`geoop.encode` returns and ``geoop encode`` writes. Inside the ball that the field was fitted in, it is evaluated; a point further
    out gets the value at the ball's nearest point plus the distance to there, which is continuous and off by no more than the body is long.

    Args:
        field: the network.
        latents: poses with contexts as ``scalars``, in the frame.
        frame: of the shape.
        about: what is known of it: name, unit of its file, patches, verdict, deviations, settings, time used; plain data.
    """

    def __init__(self, field: LocalShapeField, latents: PointSet, frame: ShapeFrame, about: Mapping[str, Any]) -> None:
        self.field = field.requires_grad_(False).eval()
        self.latents = PointSet(*(getattr(latents, part).detach() for part in ("pos", "scalars", "vectors", "weight")))
        self.frame, self.about = frame, MappingProxyType(dict(about))

    @property
    def dimension(self) -> int:
        return self.field.dimension

    @property
    def deviation(self) -> ShapeDeviation | None:
        """How far the field is off its body, as it was measured after the fit."""
        found = self.about.get("deviation")
        return None if found is None else ShapeDeviation.from_dict(found)

    @property
    def control(self) -> ShapeDeviation | None:
        """The same before the fit: of the distances to the tangent planes of the latents."""
        found = self.about.get("control")
        return None if found is None else ShapeDeviation.from_dict(found)

    @property
    def verdict(self) -> str:
        """What was guessed about the shape, in sentences; empty for a closed sound surface."""
        return str(self.about.get("verdict", ""))

    def at(self, points: np.ndarray, *, chunk: int = CHUNK) -> np.ndarray:
        """(n,) signed distance [m] at points (n, d) [m], negative inside.

        Raises:
            ShapeError: points of another dimension.
            NonFiniteError: a point, or the field there, is not finite.
        """
        out = [self._beyond(x)[1] + self._unit(ball).detach().double().numpy() for x, ball in self._chunks(points, chunk)]
        return self._finite(np.concatenate(out) if out else np.zeros(0)) * self.frame.length

    def gradient(self, points: np.ndarray, *, chunk: int = CHUNK) -> np.ndarray:
        """(n, d) derivative of the signed distance at points (n, d) [m]; near a unit vector out of the body.

        Raises:
            ShapeError, NonFiniteError: as :meth:`at`.
        """
        out = []
        for x, ball in self._chunks(points, chunk):
            with torch.inference_mode(False), torch.enable_grad():
                at = ball.clone().requires_grad_()
                (slope,) = torch.autograd.grad(self._unit(at).sum(), at)
            inner = slope.double().numpy()
            away, distance = self._beyond(x)
            if (distance > 0).any():  # through the projection onto the ball, plus the way to there
                radial = (inner * away).sum(axis=1, keepdims=True) * away
                shrink = (self.frame.radius / np.maximum(np.linalg.norm(x, axis=1), self.frame.radius))[:, None]
                inner = np.where(distance[:, None] > 0, shrink * (inner - radial) + away, inner)
            out.append(inner)
        return self._finite(np.concatenate(out) if out else np.zeros((0, self.dimension)))

    def surface(self, resolution: int = 128) -> Mesh:
        """The zero set as a mesh [m]: line cells in 2-D, triangles in 3-D, facing out.

        Args:
            resolution: cells of the grid along the longest side of the body's box; only cells near the zero set are evaluated.

        Raises:
            InvalidMeshError: the field has no zero.
            ConfigurationError: a resolution outside 4 .. 2048.
        """
        from ..io.contour import contour
        from ..mesh.zero_set import narrow_band

        low, high = (self.frame.out_of(np.array(corner)) for corner in (self.frame.low, self.frame.high))
        margin = 0.05 * float((high - low).max())
        return contour(narrow_band(self.at, low - margin, high + margin, resolution), f"{self.about.get('name', 'shape')} encoded")

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file: a JSON header with everything but the arrays, and the arrays."""
        header = {
            "kind": KIND,
            "class": class_path(type(self.field)),
            "arguments": self.field.arguments,
            "frame": asdict(self.frame) | {"axes": np.eye(self.dimension).tolist(), "unit": "m"},
            "about": dict(self.about),
        }
        arrays = {f"field.{k}": v for k, v in self.field.state_dict().items()}
        arrays |= {f"latents.{part}": getattr(self.latents, part) for part in _PARTS}
        return write_checkpoint(path, Checkpoint(header, arrays))

    @classmethod
    def load(cls, path: str | Path) -> EncodedShape:
        """Read what :meth:`save` wrote; runs no code from the file.

        Raises:
            CheckpointError: missing, damaged, or no encoded shape.
        """
        found = read_checkpoint(path)
        if found.header.get("kind") != KIND:
            raise CheckpointError(
                "this file of geoop holds no encoded shape", where=str(path), remedy="make one: geoop encode wing.stl -o wing.safetensors"
            )
        kind = resolve(found.header["class"], (LocalShapeField,))
        try:
            field = kind(**found.header["arguments"])
            field.load_state_dict(found.part("field"))
            latents = found.part("latents")
            frame = {key: tuple(v) if isinstance(v, list) else v for key, v in found.header["frame"].items() if key not in ("axes", "unit")}
            points = PointSet(latents["pos"], latents["scalars"], latents["vectors"], latents["weight"])
            return cls(field, points, ShapeFrame(**frame), found.header["about"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise CheckpointError(f"incomplete: {error}", where=str(path), remedy="encode the shape again with `geoop encode`") from error

    def _chunks(self, points: np.ndarray, chunk: int) -> Iterator[tuple[np.ndarray, Tensor]]:
        """Points in the frame, and their nearest points in the ball as single-precision tensors."""
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.dimension:
            raise ShapeError(f"points {points.shape}", where="EncodedShape", remedy=f"give (n, {self.dimension}) in metres")
        if not np.isfinite(points).all():
            raise NonFiniteError("points are NaN or infinite", where="EncodedShape", remedy="drop those rows")
        for start in range(0, len(points), max(1, chunk)):
            x = self.frame.into(points[start : start + max(1, chunk)])
            away, beyond = self._beyond(x)
            yield x, torch.from_numpy((x - beyond[:, None] * away).astype(np.float32))

    def _beyond(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) directions from the origin, (n,) how far points are outside of the ball; both in the frame."""
        far = np.linalg.norm(x, axis=1)
        return x / np.maximum(far, 1e-300)[:, None], np.maximum(far - self.frame.radius, 0.0)

    def _unit(self, x: Tensor) -> Tensor:
        """(n,) signed distance in the frame."""
        return self.field(self.latents, PointSet(x))[:, 0]

    def _finite(self, values: np.ndarray) -> np.ndarray:
        if not np.isfinite(values).all():
            raise NonFiniteError("the field is not finite", where=str(self.about.get("name", "")), remedy="encode again with another seed")
        return values
