"""Pictures of meshes that move: as many as are given, in the window that is asked for; solids and nothing are refused."""

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.generate.disk import disk
from geoop.mesh.primitives import icosphere
from geoop.studies.plots.moving import before_and_after, meshes_side_by_side


def test_meshes_are_drawn_side_by_side(tmp_path):
    import matplotlib.image

    mesh = disk(6)
    sizes = []
    for count in (1, 2, 4):
        path = meshes_side_by_side({f"mesh {k}": mesh.moved((1 + k) * mesh.points) for k in range(count)}, tmp_path / f"{count}.png")
        sizes.append(matplotlib.image.imread(path).shape[1])
    assert sizes[0] <= sizes[1] < sizes[2]
    whole = before_and_after(mesh, mesh.moved(mesh.points + [0.0, 0.5]), tmp_path / "all.png", window=(-2, 2, -2, 2))
    assert np.ptp(matplotlib.image.imread(whole)) > 0.5


def test_what_cannot_be_drawn_is_refused(tmp_path):
    for wrong, words in (({}, "nothing"), ({"ball": icosphere()}, "solids")):
        with pytest.raises(ConfigurationError, match=words):
            meshes_side_by_side(wrong, tmp_path / "x.png")
    with pytest.raises(ConfigurationError, match="solids"):
        before_and_after(icosphere(), icosphere(), tmp_path / "x.png")
    with pytest.raises(ConfigurationError, match="window"):
        before_and_after(disk(3), disk(3), tmp_path / "x.png", window=(1.0, 0.0, 0.0, 1.0))
