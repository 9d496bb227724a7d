"""Closest-point queries of warp: imported where they are used, as warp is heavy and prints at its first import."""

import numpy as np
import warp as wp

from .warp_start import quiet_warp

quiet_warp()


@wp.kernel
def _signed(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),  # type: ignore[valid-type]
    face: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    sign: wp.array(dtype=wp.float32),  # type: ignore[valid-type]
):
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(mesh, points[i], 1.0e9)
    face[i] = -1
    sign[i] = 1.0
    if query.result:
        face[i] = query.face
        sign[i] = query.sign


@wp.kernel
def _unsigned(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),  # type: ignore[valid-type]
    face: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    sign: wp.array(dtype=wp.float32),  # type: ignore[valid-type]
):
    i = wp.tid()
    query = wp.mesh_query_point_no_sign(mesh, points[i], 1.0e9)
    face[i] = -1
    sign[i] = 1.0
    if query.result:
        face[i] = query.face


class FaceSearch:
    """A surface on one device, ready to be asked for its nearest triangles.

    Args:
        vertices: (v, 3) of order one: the search runs in single precision.
        triangles: (t, 3).
        signed: whether signs will be asked for.
        device: ``cpu`` or ``cuda:0``.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray, *, signed: bool, device: str) -> None:
        self.device, self.kernel = device, _signed if signed else _unsigned
        with wp.ScopedDevice(device):
            self.mesh = wp.Mesh(
                points=wp.array(vertices.astype(np.float32), dtype=wp.vec3),
                indices=wp.array(triangles.astype(np.int32).ravel(), dtype=wp.int32),
                support_winding_number=signed,
            )

    def nearest(self, points: np.ndarray, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        """Nearest triangle (n,), -1 where all are slivers, and sign (n,) by winding number, ``chunk`` points per launch."""
        faces, signs = np.empty(len(points), dtype=np.int64), np.empty(len(points))
        with wp.ScopedDevice(self.device):
            for at in range(0, len(points), chunk):
                part = wp.array(np.ascontiguousarray(points[at : at + chunk], dtype=np.float32), dtype=wp.vec3)
                face, sign = (wp.empty(len(part), dtype=kind) for kind in (wp.int32, wp.float32))  # type: ignore[arg-type]
                wp.launch(self.kernel, dim=len(part), inputs=[self.mesh.id, part, face, sign])
                faces[at : at + chunk], signs[at : at + chunk] = face.numpy(), sign.numpy()
        return faces, signs
