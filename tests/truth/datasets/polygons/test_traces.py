"""Laws of random data: ranges, kinds, covariance of the process, poles outside."""

import numpy as np
import pytest

from geoop.truth.datasets.polygons import traces

RIM = np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 60, endpoint=False)), np.sin(t)], axis=1) * 0.4


@pytest.mark.parametrize("kind", traces.MIXTURE)
def test_boundary_values_lie_in_the_unit_range_and_follow_their_function(kind):
    for seed in range(20):
        trace = traces.boundary_trace(np.random.default_rng(seed), kind, RIM, traces.Extent())
        assert 0.0 <= trace.values.min() and trace.values.max() <= 1.0 + 1e-12
        assert (trace.function is None) == (kind == traces.WHITE)
        if trace.function is not None:
            assert np.ptp(trace.values) >= 0.05 * (1 - 1e-12)
            np.testing.assert_allclose(trace.function(RIM), trace.values, atol=1e-12)


def test_kinds_have_their_shares():
    random = np.random.default_rng(0)
    drawn = [traces.kind_of(random, traces.MIXTURE) for _ in range(4000)]
    for kind, share in traces.MIXTURE.items():
        assert drawn.count(kind) / 4000 == pytest.approx(share, abs=0.04)
    assert sum(traces.MIXTURE.values()) == pytest.approx(1.0)


def test_process_has_unit_variance_and_smoothness_of_its_length():
    """Over many draws: mean 0, variance 1; and a region ten times as large has lengths ten times as large."""
    values = np.stack([traces.process(np.random.default_rng(seed), traces.Extent())(RIM) for seed in range(800)])
    assert np.abs(values.mean()) < 0.1 and values.var() == pytest.approx(1.0, abs=0.1)
    large = traces.process(np.random.default_rng(5), traces.Extent((0.0, 0.0), 10.0))(10.0 * RIM)
    np.testing.assert_allclose(large, traces.process(np.random.default_rng(5), traces.Extent())(RIM), atol=1e-10)


def test_poles_lie_outside_the_bounding_square():
    for seed in range(50):
        function = traces.harmonic(np.random.default_rng(seed), traces.Extent((2.0, 1.0), 3.0))
        assert np.abs(function.poles - [2.0, 1.0]).max(axis=1).min() > 0.5 * 3.0
