"""The shapes that the benchmark of curvature measures on are what it says they are."""

import benchmark_curvature
import numpy as np
import pytest


def test_points_and_curvatures_of_the_torus():
    """Points lie on it, evenly over the area, and the Gauss curvature over it adds up to zero (Gauss-Bonnet)."""
    points, mean, gauss = benchmark_curvature.torus(40_000, 0.25, np.random.default_rng(0))
    ring = np.hypot(points[:, 0], points[:, 1]) - 1
    np.testing.assert_allclose(np.hypot(ring, points[:, 2]), 0.25, rtol=1e-12)
    assert abs(gauss.mean()) < 0.02 * np.abs(gauss).mean()
    assert (mean**2 >= gauss).all()


def test_errors_are_small_without_noise_and_grow_with_it():
    clean, noisy = (benchmark_curvature.errors("sphere", 5000, noise, None, 4, 0) for noise in (0.0, 1e-3))
    assert clean[2] < 1e-3 and noisy[0] > 10 * clean[2]


def test_the_grids_of_the_benchmark_are_sound_on_a_section_and_not_on_a_line():
    import benchmark_grids

    from geoop.mesh.primitives import naca4, ring

    bow_tie = ring(np.array([[0, 0], [1, 1], [1, 0], [0, 1.0]]), "bow tie")
    for make in benchmark_grids.GRIDS.values():
        assert benchmark_grids._sound(make, naca4("2412", 120)) and not benchmark_grids._sound(make, bow_tie)


@pytest.mark.parametrize("name", ["benchmark_curvature", "benchmark_grids"])
def test_help_is_there(name, capsys):
    with pytest.raises(SystemExit):
        __import__(name).main(["-h"])
    assert "tools/benchmark" in capsys.readouterr().out
