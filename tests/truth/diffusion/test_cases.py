"""Solved problems as cases: fields, boundary data, units, and the way through a file."""

import numpy as np
import pytest

from geoop.errors import FieldError, PatchError
from geoop.io.paraview import write_case
from geoop.io.reading import read_case
from geoop.mesh.generate.disk import disk
from geoop.truth.diffusion.cases import diffusion_case


def test_case_keeps_everything_through_a_file(tmp_path):
    mesh = disk(3)
    rng = np.random.default_rng(0)
    u, f, a, g = rng.random(len(mesh.points)), rng.random(len(mesh.points)), rng.random(len(mesh.points)), rng.random(18)
    case = diffusion_case(mesh, u, source=f, conductivity=a, dirichlet={"boundary": g}, neumann={"boundary": 2.0}, time=0.5, name="c")
    back = read_case(write_case(case, tmp_path / "c.vtu"))
    for name, values in (("solution", u), ("source", f), ("conductivity", a)):
        assert np.array_equal(back.field(name).values, values)
    assert back.field("source").quantity.unit == "1/m^2" and back.time == 0.5
    assert np.array_equal(back.boundary["boundary"]["solution"].values, g) and back.boundary["boundary"]["solution"].location == "point"
    assert float(back.boundary["boundary"]["boundary_flux"].values) == 2.0


def test_bad_input():
    mesh = disk(2)
    with pytest.raises(FieldError, match="3 values"):
        diffusion_case(mesh, np.zeros(3))
    with pytest.raises(PatchError, match="no patch 'wall'"):
        diffusion_case(mesh, np.zeros(19), dirichlet={"wall": 0.0})
