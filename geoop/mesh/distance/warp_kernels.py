"""Closest-point and winding-number queries in kernels of warp: imported where they are used, as warp is heavy and prints at its first import."""

# Kernels are compiled by warp, whose stubs do not know the arithmetic of its vectors.
# pyright: reportOperatorIssue=false, reportIndexIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from .face_tree import LEAF, FaceTree
from .warp_start import quiet_warp

quiet_warp()

_ACCURACY = 3.0  # a cluster of facets is replaced by its expansion beyond so many of its radii (Barill et al. 2018): errors of about 1e-3

_DIPOLE = 4.0  # the same, of the first order only, where the winding number is found in double: errors of about 1e-2

_FAR = 1.0e9  # scaled points beyond are not searched for in single precision

_SLACK = 1.0e-7  # relative: more than rounding errors of a height, and of the root of a difference of squares

_LEAF = wp.constant(LEAF)


# Warp hands out only the sign of this function of its own library; how far the number is from an integer is what tells
# how much a sign can be trusted.
@wp.func_native("return mesh_query_winding_number(id, p, accuracy);")
def _winding_number(id: wp.uint64, p: wp.vec3, accuracy: wp.float32) -> wp.float32: ...  # type: ignore[empty-body]


@wp.func
def _along(p: wp.vec3d, a: wp.vec3d, b: wp.vec3d):
    """Place in [0, 1] of the point of segment a-b closest to p."""
    edge = b - a
    square = wp.dot(edge, edge)
    t = wp.float64(0.0)
    if square > wp.float64(0.0):
        t = wp.clamp(wp.dot(p - a, edge) / square, wp.float64(0.0), wp.float64(1.0))
    return t


@wp.func
def _normal(a: wp.vec3d, b: wp.vec3d, c: wp.vec3d):
    """Normal by the two shorter edges: of a needle as exact as its corners are."""
    ab = b - a
    ac = c - a
    bc = c - b
    n = wp.cross(ab, ac)
    if wp.dot(ac, ac) >= wp.dot(ab, ab) and wp.dot(ac, ac) >= wp.dot(bc, bc):
        n = wp.cross(ab, bc)
    elif wp.dot(ab, ab) >= wp.dot(bc, bc):
        n = wp.cross(ac, bc)
    return n


@wp.func
def _weights(p: wp.vec3d, a: wp.vec3d, b: wp.vec3d, c: wp.vec3d):
    """Barycentric weights of the point of triangle (a, b, c) closest to p: the best of its edges and of its inside.

    The inside by volumes, which cancel less in needles than products of dot products (Ericson 2004, section 5.1.5) do.
    """
    zero = wp.float64(0.0)
    one = wp.float64(1.0)
    t = _along(p, a, b)
    w = wp.vec3d(one - t, t, zero)
    square = wp.length_sq(p - (w[0] * a + w[1] * b))
    t = _along(p, b, c)
    other = wp.length_sq(p - ((one - t) * b + t * c))
    if other < square:
        square = other
        w = wp.vec3d(zero, one - t, t)
    t = _along(p, c, a)
    other = wp.length_sq(p - ((one - t) * c + t * a))
    if other < square:
        square = other
        w = wp.vec3d(t, zero, one - t)
    n = _normal(a, b, c)
    va = wp.dot(n, wp.cross(b - p, c - p))
    vb = wp.dot(n, wp.cross(c - p, a - p))
    vc = wp.dot(n, wp.cross(a - p, b - p))
    if va > zero and vb > zero and vc > zero:
        total = va + vb + vc
        v = wp.vec3d(va / total, vb / total, vc / total)
        if wp.length_sq(p - (v[0] * a + v[1] * b + v[2] * c)) < square:
            w = v
    return w


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


@wp.func
def _after(node: wp.int32):
    """The node to look at when all below this one is done; the root where none is left."""
    following = node + 1
    while following % 2 == 0:
        following = following / 2
    return following


@wp.func
def _outside_box(p: wp.vec3d, low: wp.vec3d, high: wp.vec3d):
    """Squared distance of p from a box, infinite from an empty one."""
    zero = wp.float64(0.0)
    square = zero
    for k in range(3):
        beyond = wp.max(wp.max(low[k] - p[k], p[k] - high[k]), zero)
        square += beyond * beyond
    return square


@wp.func
def _outside_disk(disk: wp.array2d(dtype=wp.float64), slot: wp.int32, p: wp.vec3d):  # type: ignore[valid-type]
    """A squared distance that p is at least away from a disk: a bit less than it is, for rounding."""
    zero = wp.float64(0.0)
    offset = p - wp.vec3d(disk[slot, 0], disk[slot, 1], disk[slot, 2])
    height = wp.abs(wp.dot(offset, wp.vec3d(disk[slot, 3], disk[slot, 4], disk[slot, 5])))
    square = wp.length_sq(offset)
    slack = wp.float64(_SLACK) * wp.sqrt(square)
    along = wp.sqrt(wp.max(square - height * height, zero)) - disk[slot, 6]
    along = wp.max(along - slack, zero)
    height = wp.max(height - slack, zero)
    return along * along + height * height


@wp.func
def _far_off(q: wp.vec3):
    """Whether a scaled point is so far away that squares of single precision are of no use."""
    return not (wp.max(wp.max(wp.abs(q[0]), wp.abs(q[1])), wp.abs(q[2])) < wp.float32(_FAR))


@wp.kernel(enable_backward=False)
def _nearest(
    mesh: wp.uint64,
    vertices: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    triangles: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    order: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    low: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    high: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    disk: wp.array2d(dtype=wp.float64),  # type: ignore[valid-type]
    n_leaves: wp.int32,
    middle: wp.vec3d,
    size: wp.float64,
    points: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    face: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    weights: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    closest: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
):
    i = wp.tid()
    p = points[i]
    best = order[0]
    q = _scaled(p, middle, size)
    if not _far_off(q):
        query = wp.mesh_query_point_no_sign(mesh, q, 2.0 * _FAR)
        if query.result:
            best = query.face
    if order[0] >= 0:
        w = _on_triangle(vertices, triangles, best, p)
        x = _place(vertices, triangles, best, w)
        square = wp.length_sq(p - x)
        node = wp.int32(1)
        walking = wp.int32(1)
        while walking == 1:  # single precision gave a bound that is nearly the answer: few boxes are nearer
            following = _after(node)
            if _outside_box(p, low[node], high[node]) < square:
                if node < n_leaves:
                    following = 2 * node
                else:
                    for k in range(_LEAF):
                        other = order[(node - n_leaves) * _LEAF + k]
                        if other >= 0 and _outside_disk(disk, (node - n_leaves) * _LEAF + k, p) <= square:
                            v = _on_triangle(vertices, triangles, other, p)
                            y = _place(vertices, triangles, other, v)
                            if wp.length_sq(p - y) < square:
                                square = wp.length_sq(p - y)
                                best = other
                                w = v
                                x = y
            node = following
            if node == 1:
                walking = wp.int32(0)
        weights[i] = w
        closest[i] = x
    face[i] = best


@wp.kernel(enable_backward=False)
def _winding(
    mesh: wp.uint64,
    middle: wp.vec3d,
    size: wp.float64,
    accuracy: wp.float32,
    points: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    winding: wp.array(dtype=wp.float32),  # type: ignore[valid-type]
):
    i = wp.tid()
    q = _scaled(points[i], middle, size)
    if not _far_off(q):  # else zero to all digits
        winding[i] = _winding_number(mesh, q, accuracy)


@wp.func
def _solid_angle(a: wp.vec3d, b: wp.vec3d, c: wp.vec3d):
    """Half the solid angle of a triangle seen from the origin (van Oosterom and Strackee 1983)."""
    la = wp.length(a)
    lb = wp.length(b)
    lc = wp.length(c)
    over = wp.dot(a, wp.cross(b, c))
    under = la * lb * lc + wp.dot(a, b) * lc + wp.dot(b, c) * la + wp.dot(c, a) * lb
    return wp.atan2(over, under)


@wp.kernel(enable_backward=False)
def _exact_winding(
    vertices: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    triangles: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    order: wp.array(dtype=wp.int32),  # type: ignore[valid-type]
    center: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    radius: wp.array(dtype=wp.float64),  # type: ignore[valid-type]
    area: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    n_leaves: wp.int32,
    points: wp.array(dtype=wp.vec3d),  # type: ignore[valid-type]
    winding: wp.array(dtype=wp.float64),  # type: ignore[valid-type]
):
    i = wp.tid()
    p = points[i]
    near = wp.float64(0.0)
    far = wp.float64(0.0)
    node = wp.int32(1)
    walking = wp.int32(1)
    while walking == 1:
        following = _after(node)
        offset = center[node] - p
        away = wp.length(offset)
        if away > wp.float64(_DIPOLE) * radius[node]:  # far off, facets are dipoles (Barill et al. 2018)
            far += wp.dot(area[node], offset / away) / (away * away)
        elif node < n_leaves:
            following = 2 * node
        else:
            for k in range(_LEAF):
                face = order[(node - n_leaves) * _LEAF + k]
                if face >= 0:
                    near += _solid_angle(
                        vertices[triangles[3 * face]] - p, vertices[triangles[3 * face + 1]] - p, vertices[triangles[3 * face + 2]] - p
                    )
        node = following
        if node == 1:
            walking = wp.int32(0)
    winding[i] = (wp.float64(2.0) * near + far) / wp.float64(4.0 * 3.141592653589793)


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
        tree = FaceTree.of(vertices, triangles)
        self.n_leaves = len(tree.order) // LEAF
        with wp.ScopedDevice(device):
            self.order = wp.array(tree.order, dtype=wp.int32)
            self.low, self.high, self.center, self.area = (wp.array(part, dtype=wp.vec3d) for part in (tree.low, tree.high, tree.center, tree.area))
            self.disk = wp.array(tree.disk, dtype=wp.float64, ndim=2)
            self.radius = wp.array(tree.radius, dtype=wp.float64)
            self.vertices = wp.array(np.ascontiguousarray(vertices), dtype=wp.vec3d)
            self.mesh = wp.Mesh(
                points=wp.array(((vertices - middle) / size).astype(np.float32), dtype=wp.vec3),
                indices=wp.array(np.ascontiguousarray(triangles, dtype=np.int32).ravel(), dtype=wp.int32),
                support_winding_number=winding,
            )

    def nearest(self, points: Any, chunk: int) -> tuple[Any, Any, Any]:
        """Nearest triangle (n,), -1 where all are slivers, barycentric weights (n, 3) and closest points (n, 3), all by double precision."""
        face, weights, closest = _empty(points, "int32"), _empty(points, "float64", 3), _empty(points, "float64", 3)
        tree = (self.order, self.low, self.high, self.disk, self.n_leaves)
        inputs = (self.mesh.id, self.vertices, self.mesh.indices, *tree, self.middle, self.size)
        self._launch(_nearest, inputs, points, (face, weights, closest), (wp.int32, wp.vec3d, wp.vec3d), chunk)
        return face.astype(np.int64) if isinstance(face, np.ndarray) else face.long(), weights, closest

    def winding(self, points: Any, chunk: int, accuracy: float = _ACCURACY) -> Any:
        """(n,) winding number of the triangles about each point: solid angle / 4 pi, 1 inside a body turned outward."""
        winding = _empty(points, "float32")
        self._launch(_winding, (self.mesh.id, self.middle, self.size, wp.float32(accuracy)), points, (winding,), (wp.float32,), chunk)
        return winding.astype(np.float64) if isinstance(winding, np.ndarray) else winding.double()

    def exact_winding(self, points: Any, chunk: int) -> Any:
        """The same in double: right next to needles and within thin plates, where single precision is nothing but rounding.

        Facets near the point are summed exactly, distant ones within about 1e-2 altogether. It fails only nearer to a facet than
        about 1e-7 of the facet's length.
        """
        winding = _empty(points, "float64")
        inputs = (self.vertices, self.mesh.indices, self.order, self.center, self.radius, self.area, self.n_leaves)
        self._launch(_exact_winding, inputs, points, (winding,), (wp.float64,), chunk)
        return winding

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
