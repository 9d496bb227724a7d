"""inv(g x, g p) = inv(x, p) for the group that a bi-invariant claims, and for no larger one; what is left of a point is enough to find it again."""

import math

import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.layers.bi_invariants import BI_INVARIANTS, BiInvariant, Periodic, bi_invariant, right_handed
from geoop.layers.operator import Symmetry

EXACT = 1e-12
GROUPS = {
    Symmetry.NONE: set(),
    Symmetry.TRANSLATION: {"translation"},
    Symmetry.SE: {"translation", "rotation"},
    Symmetry.E: {"translation", "rotation", "reflection"},
}


def pairs(dimension: int, vectors: int, count: int = 50, seed: int = 0):
    """Points, positions and unit vectors of poses."""
    g = torch.Generator().manual_seed(seed)
    x, p = (torch.randn(count, dimension, generator=g, dtype=torch.float64) for _ in range(2))
    v = torch.randn(count, vectors, dimension, generator=g, dtype=torch.float64)
    return x, p, v / v.norm(dim=-1, keepdim=True)


def motion(kind: str, dimension: int, seed: int):
    """A random matrix and shift of that kind."""
    g = torch.Generator().manual_seed(seed)
    one = torch.eye(dimension, dtype=torch.float64)
    if kind == "translation":
        return one, torch.randn(dimension, generator=g, dtype=torch.float64) * 3
    a = torch.randn(dimension, dimension, generator=g, dtype=torch.float64)
    if kind == "rotation":
        turn = torch.linalg.qr(a).Q
        turn[0] *= torch.linalg.det(turn).sign()
        return turn, torch.zeros(dimension, dtype=torch.float64)
    normal = a[0] / a[0].norm()
    return one - 2 * torch.outer(normal, normal), torch.zeros(dimension, dtype=torch.float64)


def change(invariant: BiInvariant, dimension: int, kind: str, seed: int) -> float:
    """Largest change of the invariants under one motion of points, positions and vectors together."""
    x, p, v = pairs(dimension, dimension)
    matrix, shift = motion(kind, dimension, seed)
    return float((invariant.of(x @ matrix.T + shift, p @ matrix.T + shift, v @ matrix.T) - invariant.of(x, p, v)).abs().max())


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("name", [*BI_INVARIANTS, "periodic"])
def test_the_claimed_group_and_no_larger_one(name, dimension):
    invariant = bi_invariant(name, [1.0, 2.0, 3.0][:dimension])
    for kind in ("translation", "rotation", "reflection"):
        changes = [change(invariant, dimension, kind, seed) for seed in range(20)]
        if kind in GROUPS[invariant.symmetry]:
            assert max(changes) < EXACT
        else:
            assert min(changes) > 1e-3, f"{name} is not known to keep {kind}, yet it does"


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("name", [*BI_INVARIANTS, "periodic"])
def test_width_is_what_it_says(name, dimension):
    invariant = bi_invariant(name, [1.0] * dimension)
    for vectors in range(dimension - 1 if name == "oriented" else 0, 4):
        assert invariant.of(*pairs(dimension, vectors)).shape == (50, invariant.width(dimension, vectors))


def test_the_box_of_a_torus_has_no_ends():
    invariant = Periodic((1.0, 2.5))
    x, p, v = pairs(2, 0)
    turns = torch.tensor([[3.0, -5.0]], dtype=torch.float64)  # whole boxes along either axis
    other = x + turns * torch.tensor([1.0, 2.5], dtype=torch.float64)
    assert torch.allclose(invariant.of(other, p, v), invariant.of(x, p, v), atol=EXACT)
    assert torch.allclose(invariant.squared_distance(other, p), invariant.squared_distance(x, p), atol=EXACT)
    half = invariant.of(x + torch.tensor([0.5, 0.0], dtype=torch.float64), p, v) - invariant.of(x, p, v)
    assert float(half.abs().max()) > 1  # a part of a box is a move
    near = p + 1e-4 * (x - p)  # close by the smooth distance is the distance
    assert torch.allclose(invariant.squared_distance(near, p), (near - p).square().sum(dim=1), rtol=1e-6)


@pytest.mark.parametrize("dimension", [2, 3])
def test_components_along_independent_vectors_determine_the_offset(dimension):
    x, p, v = pairs(dimension, dimension)
    seen = bi_invariant("components").of(x, p, v)
    found = torch.linalg.solve(v, seen[:, :dimension, None]).squeeze(2)
    assert torch.allclose(found, x - p, atol=1e-9)


@pytest.mark.parametrize("dimension", [2, 3])
def test_one_vector_less_leaves_the_side_of_a_mirror_open_and_nothing_else(dimension):
    """Points that d - 1 components and the distance cannot tell apart are mirror images in the plane of the vectors."""
    x, p, v = pairs(dimension, dimension - 1)
    seen = bi_invariant("components").of(x, p, v)
    frame = right_handed(v)
    unseen = frame[:, -1]  # normal to all vectors
    side = ((x - p) * unseen).sum(dim=1, keepdim=True)
    twin = x - 2 * side * unseen
    assert torch.allclose(bi_invariant("components").of(twin, p, v), seen, atol=EXACT)
    within = torch.linalg.lstsq(v, seen[:, : dimension - 1, None]).solution.squeeze(2)  # the part in the plane of the vectors
    height = (seen[:, -1] ** 2 - within.square().sum(dim=1)).clamp_min(0).sqrt()
    assert torch.allclose(height, side[:, 0].abs(), atol=1e-5)
    assert not torch.allclose(bi_invariant("oriented").of(twin, p, v), bi_invariant("oriented").of(x, p, v), atol=1e-3)  # which knows the side


@pytest.mark.parametrize("dimension", [2, 3])
def test_frames_are_right_handed(dimension):
    frame = right_handed(pairs(dimension, dimension - 1)[2])
    assert torch.allclose(frame @ frame.mT, torch.eye(dimension, dtype=torch.float64).expand_as(frame), atol=EXACT)
    assert torch.allclose(torch.linalg.det(frame), torch.ones(len(frame), dtype=torch.float64), atol=EXACT)


def test_oriented_in_the_plane_is_the_published_one():
    x, p, _ = pairs(2, 0)
    angle = torch.linspace(0, 2 * math.pi, len(x), dtype=torch.float64)
    n = torch.stack([angle.cos(), angle.sin()], dim=1)
    across = torch.stack([-angle.sin(), angle.cos()], dim=1)
    expected = torch.stack([((x - p) * n).sum(dim=1), ((x - p) * across).sum(dim=1)], dim=1)
    assert torch.allclose(bi_invariant("oriented").of(x, p, n[:, None]), expected, atol=EXACT)


@pytest.mark.parametrize("name", ["distance", "components"])
def test_a_point_in_the_pose_itself_can_be_differentiated(name):
    x, p, v = pairs(2, 1)
    x = p.clone().requires_grad_()
    (slope,) = torch.autograd.grad(bi_invariant(name).of(x, p, v).sum(), x)
    assert torch.isfinite(slope).all()


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: bi_invariant("angle"), "angle"),
        (lambda: bi_invariant("periodic"), "period"),
        (lambda: Periodic((1.0, -1.0)), "period"),
        (lambda: Periodic((1.0,)).width(2, 0), "period"),
        (lambda: bi_invariant("oriented").width(3, 1), "frame"),
    ],
)
def test_bad_settings_say_what_to_do(make, word):
    with pytest.raises(ConfigurationError, match=word) as caught:
        make()
    assert caught.value.remedy
