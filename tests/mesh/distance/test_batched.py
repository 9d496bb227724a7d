"""A batch is its parts end to end."""

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.mesh.distance import batched_distance, signed_distance
from geoop.mesh.primitives import box, circle, icosphere, naca4


@pytest.mark.parametrize("tensors", [False, True])
@pytest.mark.parametrize("bodies", [[circle(9), naca4("2412", 40), circle(9)], [icosphere(2), box((0, 0, 0), (1, 1, 1))]], ids=["plane", "space"])
def test_a_batch_equals_its_parts(bodies, tensors):
    rng = np.random.default_rng(0)
    sizes = [5, 0, 7][: len(bodies)]
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    p = rng.normal(size=(ptr[-1], bodies[0].dimension))
    points = torch.from_numpy(p).requires_grad_() if tensors else p
    found = batched_distance(bodies, points, torch.from_numpy(ptr) if tensors else ptr)
    for i, body in enumerate(bodies):
        alone = signed_distance(body, points[ptr[i] : ptr[i + 1]])
        for name, value in vars(alone).items():
            part = getattr(found, name)[ptr[i] : ptr[i + 1]]
            np.testing.assert_array_equal(*(np.asarray(x.detach() if tensors else x) for x in (part, value)))
    if tensors:
        found.distance.sum().backward()
        np.testing.assert_allclose(np.linalg.norm(points.grad.numpy(), axis=1), 1.0)
    assert batched_distance(bodies, p, ptr, signed=False).winding is None


@pytest.mark.parametrize("ptr", [[0, 3], [0, 1, 2], [0, 5, 3], [1, 2, 3], []])
def test_bounds_that_do_not_fit_are_named(ptr):
    with pytest.raises(ConfigurationError, match="ptr"):
        batched_distance([circle(5), circle(6)], np.zeros((3, 2)), ptr)
