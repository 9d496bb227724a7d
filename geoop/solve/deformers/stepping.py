"""A motion in steps that are halved where cells turn inside out; what comes back is a valid mesh, or the one that was given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...errors import ConfigurationError
from ...interfaces.moving import Moved
from ...interfaces.outcome import Outcome
from ...mesh.distance import signed_distance
from ...mesh.mesh import Mesh
from .given_motion import GivenMotion, require_free_way, sliding_directions
from .path import way
from .validity import Validity

#: How often a step may be halved before the motion counts as impossible.
_HALVINGS = 5
#: Stages at which patches are looked at for crossings: one per so many sizes of the smallest patch that moves.
_STAGE, _MOST_STAGES = 0.5, 8
#: A patch whose normals differ by less is plane: points that slide on it stay on it by themselves.
_PLANE = 1e-9

#: Mesh as it is now, displacement of its boundary in this step -> (n, d) displacement of all points [m].
Follow = Callable[[Mesh, GivenMotion], np.ndarray]


def carried(mesh: Mesh, displacement: Mapping[str, np.ndarray], follow: Follow, *, slide: Sequence[str] = (), steps: int = 1) -> Moved:
    """The mesh moved by a rule that says how the inside follows its boundary.

    Every step starts from the mesh that the last one left. After each the cells are looked at (:class:`Validity`); a step that turns
    one inside out is taken back and halved, at most five times.

    Args:
        mesh: that moves; it does not change.
        displacement: patch -> (k, d) [m].
        follow: the rule.
        slide: patches along which points slide.
        steps: at first.

    Returns:
        the moved mesh; the given one with the outcome ``tangled`` where no step is short enough.

    Raises:
        PatchError, InvalidMeshError: see :meth:`GivenMotion.of`; cells without measure before the move.
        ConfigurationError: a patch is moved through another one or through itself, or a number of steps below 1.
    """
    begun = time.perf_counter()
    if steps < 1:
        raise ConfigurationError(f"steps is {steps}", where="deform", remedy="give 1 or more")
    motion = GivenMotion.of(mesh, displacement, slide)
    validity, at = Validity.of(mesh), way(motion)
    require_free_way(mesh, _stages(motion, at), motion.moving, slide)
    points, done, length, taken, shortest = mesh.points.copy(), 0.0, 1.0 / steps, 0, 0.5**_HALVINGS / steps
    inverted = 0
    while done < 1.0 - 1e-12 and motion.largest > 0:
        share = min(1.0, done + length)
        now = mesh.moved(points) if taken else mesh  # itself: what was prepared for it serves the next frame of a series
        target = mesh.points[motion.points] + at(share)
        tangents = sliding_directions(now, slide, motion.points)[1]  # a bent patch has turned under points that slid along it
        step = GivenMotion(now, motion.points, target - points[motion.points], motion.sliding, tangents, motion.moving)
        tried = points + follow(now, step)
        tried[motion.points] = target
        _put_back(mesh, tried, motion.sliding, slide)
        inverted = int(validity.inverted(tried).sum())
        if inverted:
            length /= 2
            if length < shortest:
                return _tangled(mesh, inverted, done, taken, time.perf_counter() - begun)
            continue
        points, done, taken = tried, share, taken + 1
    inside = float(np.linalg.norm(points - mesh.points, axis=1).max(initial=0.0))
    detail = f"{taken} step{'s' * (taken != 1)}, patches move up to {motion.largest:.3g} m, points inside up to {inside:.3g} m"
    return Moved(mesh.moved(points), Outcome("converged", detail), steps=taken, seconds=time.perf_counter() - begun)


def _tangled(mesh: Mesh, inverted: int, done: float, taken: int, seconds: float) -> Moved:
    outcome = Outcome(
        "tangled",
        f"{inverted} cells turn inside out beyond {100 * done:.3g} % of the motion, however short the steps; the mesh is the one that was given",
        "try another method (elastic or rbf), let patches in the way slide, move less, or mesh the moved geometry anew and transfer the fields",
    )
    return Moved(mesh, outcome, inverted=inverted, steps=taken, seconds=seconds)


def _stages(motion: GivenMotion, at: Callable[[float], np.ndarray]) -> list[np.ndarray]:
    """Places of the boundary along the way, close enough that a patch cannot jump over another unseen."""
    mesh = motion.mesh
    sizes = [float(np.linalg.norm(np.ptp(mesh.points[mesh.patch_points(name)], axis=0))) for name in motion.moving]
    count = int(np.clip(np.ceil(motion.largest / max(_STAGE * min(sizes), 1e-300)), 1, _MOST_STAGES))
    places = []
    for k in range(1, count + 1):
        stage = mesh.points.copy()
        stage[motion.points] += at(k / count)
        places.append(stage)
    return places


def _put_back(mesh: Mesh, points: np.ndarray, sliding: np.ndarray, slide: Sequence[str]) -> None:
    """Points that slid along one bent patch, onto it again; in place."""
    if not len(sliding):
        return
    patches = [np.isin(sliding, mesh.patch_points(name)) for name in slide]
    alone = np.sum(patches, axis=0) == 1
    for name, there in zip(slide, patches, strict=True):
        index, surface = sliding[there & alone], mesh.patch(name)
        spread = np.linalg.svd(surface.points - surface.points.mean(axis=0), compute_uv=False)
        if len(index) and spread[-1] > _PLANE * spread[0]:
            points[index] = signed_distance(surface, points[index], signed=False).closest
