"""Found again by content, never by shape; bounded by bytes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from geoop.errors import ConfigurationError
from geoop.graph.cache import ContentCache, content_key
from geoop.graph.neighbors import knn
from geoop.graph.pointset import PointSet


def test_two_clouds_of_equal_size_do_not_share():
    cache = ContentCache()
    one, other = torch.rand(50, 2), torch.rand(50, 2)

    def neighbours(pos):
        return cache.fetch(lambda: knn(pos, pos, 4), "knn", pos, 4)

    assert not torch.equal(neighbours(one).source, neighbours(other).source)
    assert torch.equal(neighbours(other).source, knn(other, other, 4).source)
    assert neighbours(one.clone()) is neighbours(one) and len(cache) == 2
    one[0] += 1e-6  # the smallest change of the content is another key
    assert torch.equal(neighbours(one).source, knn(one, one, 4).source) and len(cache) == 3


def test_keys_tell_apart_what_differs():
    x = torch.arange(6.0)
    different = [
        (x,),
        (x.double(),),
        (x.bfloat16(),),
        (x.view(2, 3),),
        (x.view(3, 2),),
        (x.numpy(),),
        (x, 1),
        (x, 1.0),
        (x, True),
        (x, None),
        ("ab", "c"),
        ("a", "bc"),
        (("a",), "bc"),
        ({"a": 1},),
        ({"a": 2},),
        (torch.zeros(0),),
        (torch.zeros(0, 2),),
        (PointSet(x.view(3, 2)),),
        (PointSet(x.view(3, 2), ptr=torch.tensor([0, 1, 3])),),
    ]
    keys = [content_key(*items) for items in different]
    assert len(set(keys)) == len(keys)
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
    assert content_key(x.view(2, 3).T) == content_key(x.view(2, 3).T.contiguous())
    assert content_key(np.float64(1.5), np.int64(3)) == content_key(1.5, 3)
    with pytest.raises(ConfigurationError, match="ndarray"):
        content_key(np.array([object()]))
    with pytest.raises(ConfigurationError, match="function"):
        content_key(content_key)


def test_the_least_recently_used_goes_first():
    cache = ContentCache(max_bytes=2000)
    calls = []

    def fetch(i):
        def compute():
            calls.append(i)
            return {"table": np.full(100, float(i)), "more": (torch.zeros(0),)}

        return cache.fetch(compute, i)["table"][0]

    for i in (0, 1, 0, 2, 0, 1):  # two results of 800 bytes fit
        assert fetch(i) == i
    assert calls == [0, 1, 2, 1] and len(cache) == 2 and cache.bytes == 1600
    big = cache.fetch(lambda: torch.zeros(1000), "big")
    assert big.shape == (1000,) and len(cache) == 2
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)


def test_a_failure_is_not_stored():
    cache = ContentCache()
    with pytest.raises(ZeroDivisionError):
        cache.fetch(lambda: 1 / 0, "x")
    assert cache.fetch(lambda: 3, "x") == 3
