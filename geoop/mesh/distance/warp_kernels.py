"""Closest-point and winding-number queries of warp: imported where they are used, as warp is heavy and prints at its first import."""

# Kernels are compiled by warp, whose stubs do not know the arithmetic of its vectors.
# pyright: reportOperatorIssue=false, reportIndexIssue=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from .warp_start import quiet_warp

quiet_warp()

_ACCURACY = 3.0  # a cluster of facets is replaced by its expansion beyond so many of its radii (Barill et al. 2018): errors of about 1e-3

_HUB = 64  # triangles at a vertex up to which they are compared in double


# Warp hands out only the sign of this function of its own library; how far the number is from an integer is what tells
# how much a sign can be trusted.
@wp.func_native("return mesh_query_winding_number(id, p, accuracy);")
def _winding_number(id: wp.uint64, p: wp.vec3, accuracy: wp.float32) -> wp.float32: ...  # type: ignore[empty-body]


@wp.func
def _clear(x: wp.float64):
    """A divisor that is not zero; where it was, the quotient is not used or its numerator is zero as well."""
    y = x
    if x == wp.float64(0.0):
        y = wp.float64(1.0)
    return y


@wp.func
def _weights(p: wp.vec3d, a: wp.vec3d, b: wp.vec3d, c: wp.vec3d):
    """Barycentric weights of the point of triangle (a, b, c) closest to p (Ericson 2004, section 5.1.5)."""
    zero = wp.float64(0.0)
    one = wp.float64(1.0)
    ab = b - a
    ac = c - a
    d1 = wp.dot(ab, p - a)
    d2 = wp.dot(ac, p - a)
    if d1 <= zero and d2 <= zero:
        return wp.vec3d(one, zero, zero)
    d3 = wp.dot(ab, p - b)
    d4 = wp.dot(ac, p - b)
    if d3 >= zero and d4 <= d3:
        return wp.vec3d(zero, one, zero)
    vc = d1 * d4 - d3 * d2
    if vc <= zero and d1 >= zero and d3 <= zero:
        t = d1 / _clear(d1 - d3)
        return wp.vec3d(one - t, t, zero)
    d5 = wp.dot(ab, p - c)
    d6 = wp.dot(ac, p - c)
    if d6 >= zero and d5 <= d6:
        return wp.vec3d(zero, zero, one)
    vb = d5 * d2 - d1 * d6
    if vb <= zero and d2 >= zero and d6 <= zero:
        t = d2 / _clear(d2 - d6)
        return wp.vec3d(one - t, zero, t)
    va = d3 * d6 - d5 * d4
    if va <= zero and d4 - d3 >= zero and d5 - d6 >= zero:
        t = (d4 - d3) / _clear((d4 - d3) + (d5 - d6))
        return wp.vec3d(zero, one - t, t)
    total = _clear(va + vb + vc)
    return wp.vec3d(one - vb / total - vc / total, vb / total, vc / total)


@wp.func
def _scaled(p: wp.vec3d, middle: wp.vec3d, size: wp.float64):
    q = (p - middle) / size
    return wp.vec3(wp.float32(q[0]), wp.float32(q[1]), wp.float32(q[2]))


@wp.func
def _on_triangle(
    vertices: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    triangles: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    face: wp.int32,
    p: wp.vec3d,
):
    return _weights(p, vertices[triangles[3 * face]], vertices[triangles[3 * face + 1]], vertices[triangles[3 * face + 2]])


@wp.func
def _place(
    vertices: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    triangles: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    face: wp.int32,
    w: wp.vec3d,
):
    return w[0] * vertices[triangles[3 * face]] + w[1] * vertices[triangles[3 * face + 1]] + w[2] * vertices[triangles[3 * face + 2]]


@wp.kernel
def _nearest(
    mesh: wp.uint64,
    vertices: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    triangles: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    around: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    around_start: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    middle: wp.vec3d,
    size: wp.float64,
    points: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    face: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    weights: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    closest: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
):
    i = wp.tid()
    query = wp.mesh_query_point_no_sign(mesh, _scaled(points[i], middle, size), 1.0e9)
    face[i] = -1
    if query.result:
        best = query.face
        w = _on_triangle(vertices, triangles, best, points[i])
        x = _place(vertices, triangles, best, w)
        square = wp.length_sq(points[i] - x)
        for k in range(3):  # of neighbours that single precision cannot tell apart, double finds the nearest
            corner = triangles[3 * query.face + k]
            for slot in range(around_start[corner], around_start[corner + 1]):
                other = around[slot]
                v = _on_triangle(vertices, triangles, other, points[i])
                y = _place(vertices, triangles, other, v)
                if wp.length_sq(points[i] - y) < square:
                    square = wp.length_sq(points[i] - y)
                    best = other
                    w = v
                    x = y
        face[i] = best
        weights[i] = w
        closest[i] = x


@wp.kernel
def _winding(
    mesh: wp.uint64,
    middle: wp.vec3d,
    size: wp.float64,
    accuracy: wp.float32,
    points: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    winding: wp.array(dtype=wp.float32),  # type: ignore[valid-type]
):
    i = wp.tid()
    winding[i] = _winding_number(mesh, _scaled(points[i], middle, size), accuracy)


class FaceSearch:
    """Triangles on one device, ready to be asked for the nearest one and for their winding number.

    Points are numpy arrays, or torch tensors on the device of the search; answers are of the same kind.

    Args:
        vertices: (v, 3) [m].
        triangles: (t, 3).
        middle, size: the search runs in single precision on (x - middle) / size.
        winding: whether winding numbers will be asked for.
        device: ``cpu`` or ``cuda:0``.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray, middle: np.ndarray, size: float, *, winding: bool, device: str) -> None:
        self.device, self.middle, self.size = device, wp.vec3d(*middle), wp.float64(size)
        around, start = _around(vertices, triangles)
        with wp.ScopedDevice(device):
            self.around, self.around_start = wp.array(around, dtype=wp.int32), wp.array(start, dtype=wp.int32)
            self.vertices = wp.array(np.ascontiguousarray(vertices), dtype=wp.vec3d)
            self.mesh = wp.Mesh(
                points=wp.array(((vertices - middle) / size).astype(np.float32), dtype=wp.vec3),
                indices=wp.array(np.ascontiguousarray(triangles, dtype=np.int32).ravel(), dtype=wp.int32),
                support_winding_number=winding,
            )

    def nearest(self, points: Any, chunk: int) -> tuple[Any, Any, Any]:
        """Nearest triangle (n,), -1 where all are slivers, barycentric weights (n, 3) and closest points (n, 3) in double."""
        face, weights, closest = _empty(points, "int32"), _empty(points, "float64", 3), _empty(points, "float64", 3)
        inputs = (self.mesh.id, self.vertices, self.mesh.indices, self.around, self.around_start, self.middle, self.size)
        self._launch(_nearest, inputs, points, (face, weights, closest), (wp.int32, wp.vec3d, wp.vec3d), chunk)
        return face.astype(np.int64) if isinstance(face, np.ndarray) else face.long(), weights, closest

    def winding(self, points: Any, chunk: int, accuracy: float = _ACCURACY) -> Any:
        """(n,) winding number of the triangles about each point: solid angle / 4 pi, 1 inside a body turned outward."""
        winding = _empty(points, "float32")
        self._launch(_winding, (self.mesh.id, self.middle, self.size, wp.float32(accuracy)), points, (winding,), (wp.float32,), chunk)
        return winding.astype(np.float64) if isinstance(winding, np.ndarray) else winding.double()

    def _launch(self, kernel: Any, inputs: tuple, points: Any, outputs: tuple, kinds: tuple, chunk: int) -> None:
        with self._stream(points):
            for at in range(0, len(points), chunk):
                part = _shared(points[at : at + chunk], wp.vec3d)
                parts = [_shared(output[at : at + chunk], kind) for output, kind in zip(outputs, kinds, strict=True)]
                wp.launch(kernel, dim=len(part), inputs=[*inputs, part, *parts], device=self.device)

    def _stream(self, points: Any) -> Any:
        """Tensors on a GPU: in the order of torch's own work there."""
        if isinstance(points, np.ndarray) or points.device.type == "cpu":
            return wp.ScopedDevice(self.device)
        import torch

        return wp.ScopedStream(wp.stream_from_torch(torch.cuda.current_stream(points.device)))


def _around(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The triangles at each vertex, end to end, and where those of each begin (v + 1,); without slivers, and none of a hub."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    sound = np.abs(np.cross(b - a, c - a)).max(axis=1) > 0
    valence = np.bincount(triangles.ravel(), minlength=len(vertices))
    slots = np.flatnonzero(np.repeat(sound, 3) & (valence[triangles.ravel()] <= _HUB))
    corner = triangles.ravel()[slots]
    start = np.concatenate([[0], np.cumsum(np.bincount(corner, minlength=len(vertices)))])
    return (slots[np.argsort(corner, kind="stable")] // 3).astype(np.int32), start.astype(np.int32)


def _empty(points: Any, kind: str, columns: int = 0) -> Any:
    shape = (len(points), columns) if columns else (len(points),)
    if isinstance(points, np.ndarray):
        return np.zeros(shape, dtype=kind)
    import torch

    return torch.zeros(shape, dtype=getattr(torch, kind), device=points.device)


def _shared(array: Any, kind: Any) -> Any:
    """The same memory as a warp array."""
    if isinstance(array, np.ndarray):
        return wp.array(array, dtype=kind, device="cpu", copy=False)
    return wp.from_torch(array, dtype=kind)
