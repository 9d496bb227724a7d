"""Models, equations and iterations joined: finite elements against the direct solve, surrogates by path, object and part, and what does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import CheckpointError, ConfigurationError
from geoop.interfaces.local import LocalSolver
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.primitives import ring
from geoop.mesh.quantity import Field, Quantity
from geoop.results.local_surrogate import LocalSurrogate
from geoop.results.region import read_region
from geoop.results.stitching import equation_of, local_solver, settings_for, solved_directly
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.solve.equations import Diffusion, Elasticity, HeatWindow, NonlinearDiffusion
from geoop.solve.from_case import driven_case
from geoop.solve.schwarz.local_exact import FiniteElementSolver
from geoop.solve.schwarz.settings import SchwarzSettings

from ..models.local_problems import framing_of, kernel, problem

MESHES = Path(__file__).resolve().parents[2] / "meshes"
LINK = MESHES / "link.msh"
HEAT = Diffusion()


def surrogate(kind, side=1.0):
    """An untrained kernel: by construction it keeps constants and the maximum principle, so that it can be stitched."""
    cases = [problem(kind, shape) for shape in (0, 1, 2)]
    framing, normaliser = framing_of(cases, kind)
    framing = replace(framing, box=side * np.array([[-0.5, -0.5], [0.5, 0.5]]))
    torch.manual_seed(0)
    envelope = TrainingEnvelope.of_descriptors([framing.describe(case) for case in cases])
    return Surrogate(kernel(kind, framing).float(), normaliser, envelope, framing)


def link(**said):
    return driven_case(read_region(LINK), HEAT, **said)


@pytest.fixture(scope="module")
def imposed():
    case = read_region(LINK)
    return driven_case(case, HEAT, dirichlet=dict.fromkeys(case.mesh.patches, "x + y/2"))


@pytest.fixture(scope="module")
def triangles():
    corners = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [1.0, 1.0], [1.0, 2.0], [0.0, 2.0]])
    return geoop.Case(mesh_inside(ring(corners, "L"), size=0.12))


@pytest.mark.parametrize("model", [None, "exact"])
def test_finite_elements_are_the_direct_solution(model):
    case = link(dirichlet={"left hole": 1, "bar": "0.1*x"}, source="x*y")
    seen = []
    result = geoop.schwarz(case, model, progress=seen.append)
    direct = solved_directly(case, HEAT)
    assert result.outcome.status == "converged" and direct.difference(result.u) < 1e-7
    assert [note.sweep for note in seen] == list(range(1, result.sweeps + 1)) and direct.seconds > 0.0
    assert direct.difference(2.0 * direct.u) == pytest.approx(1.0)


@pytest.mark.parametrize("equation", ["diffusion", "nonlinear", "elasticity"])
def test_a_local_solver_by_its_equation(triangles, equation):
    law = equation_of(None, 2, equation, young=2e11)
    loads = {"source": (0.0, -1e3)} if equation == "elasticity" else {"source": "x*y"}
    case = driven_case(triangles, law, dirichlet={"wall": "0.01*x, -0.01*y^2" if equation == "elasticity" else "sin(x) + y"}, **loads)
    result = geoop.schwarz(case, FiniteElementSolver(law))
    assert solved_directly(case, law).difference(result.u) < 1e-7 and {"part", "part_residual"} <= set(result.case.fields)


def test_a_path_and_its_surrogate_and_its_solver_are_one(imposed, tmp_path):
    model = surrogate("laplace")
    path = model.save(tmp_path / "laplace.safetensors")
    settings = SchwarzSettings(parts=6, sweeps=3)
    found = [geoop.schwarz(imposed, item, settings=settings).u for item in (path, str(path), model, LocalSurrogate(model))]
    for u in found[1:]:
        np.testing.assert_allclose(u, found[0], atol=1e-6)
    assert isinstance(local_solver(model), LocalSolver)


def test_start_and_parts_that_are_exact_are_passed_on(imposed):
    direct = solved_directly(imposed, HEAT)
    settings = SchwarzSettings(parts=4, sweeps=1, relaxation=1.0, coarse=None)
    assert direct.difference(geoop.schwarz(imposed, None, settings=settings, start=direct.u).u) < 1e-9
    everything = geoop.schwarz(imposed, surrogate("laplace"), settings=SchwarzSettings(parts=4), exact=range(4))
    assert everything.exact and everything.repaired == () and direct.difference(everything.u) < 1e-7


def test_the_equation_is_that_of_the_model():
    assert type(equation_of(None, 2)) is Diffusion and equation_of(None, 2).quantity.name == "solution"
    assert isinstance(equation_of(local_solver(surrogate("nonlinear")), 2), NonlinearDiffusion)
    assert isinstance(equation_of(local_solver(surrogate("elasticity")), 2, poisson=0.2), Elasticity)
    assert isinstance(equation_of(local_solver(surrogate("laplace")), 2, "nonlinear"), NonlinearDiffusion)
    reacting = Diffusion(reaction=3.0)
    assert equation_of(FiniteElementSolver(reacting), 2) is reacting
    model = surrogate("laplace")
    warm = replace(model, normaliser=replace(model.normaliser, quantities=(Quantity("temperature", "T", "K"),)))
    named = replace(warm, framing=replace(warm.framing, functions=(replace(warm.framing.functions[0], name="boundary temperature"),)))
    assert equation_of(local_solver(named), 2).quantity.name == "temperature"


def test_a_model_with_time_steps_needs_its_window_said():
    solver = local_solver(surrogate("heat"))
    with pytest.raises(ConfigurationError, match="steps in time") as caught:
        equation_of(solver, 2)
    assert HeatWindow.__name__ in caught.value.remedy


def test_parts_come_in_the_size_of_the_training(imposed):
    solver = local_solver(surrogate("laplace", side=7.0))
    assert settings_for(solver, SchwarzSettings(parts=3)).size == pytest.approx(7.0)
    assert settings_for(None, SchwarzSettings(size=2.0)).size == 2.0


class Trained:
    """Stands for a network: finite elements for a modulus of 1, on parts that were moved and scaled, and not known to be exact."""

    exact, accepts = False, frozenset(("dirichlet", "neumann"))

    def prepare(self, problems):
        return FiniteElementSolver(Elasticity()).prepare(problems)


def test_a_model_is_asked_in_units_of_youngs_modulus(triangles):
    """The parts' sources are weighed by elements of the parts, which is the same at points off their rims; the data come back in the user's units."""
    steel = equation_of(None, 2, "elasticity", young=2e11)
    case = driven_case(triangles, steel, dirichlet={"wall": "0.01*x, -0.01*y^2"}, source=(4e9, -1e9))
    result = geoop.schwarz(case, Trained(), steel, SchwarzSettings(tolerance=1e-8))
    assert solved_directly(case, steel).difference(result.u) < 1e-5
    assert result["body_force"][0].tolist() == [4e9, -1e9] and result.case.boundary == case.boundary
    assert {"part", "part_residual", "displacement"} <= set(result.case.fields)


def test_what_does_not_fit(imposed, tmp_path):
    free = link(dirichlet={"left hole": 1})
    with pytest.raises(ConfigurationError, match=r"88|120") as caught:
        geoop.schwarz(free, surrogate("laplace"))
    assert all(name in str(caught.value) for name in ("right hole", "left end", "bar")) and "left hole" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="has a source"):
        geoop.schwarz(imposed.with_fields(Field(Quantity("source", "f"), np.ones(len(imposed.mesh.points)))), surrogate("laplace"))
    with pytest.raises(ConfigurationError, match="answers residuals as sources"):
        geoop.schwarz(imposed, surrogate("laplace"), settings=SchwarzSettings(certify=1e-8, preconditioner="learned"))
    solid = read_region(MESHES / "bracket.stl", unit="mm")
    with pytest.raises(ConfigurationError, match="region is in 3-D, and the model was trained in 2-D"):
        geoop.schwarz(driven_case(solid, HEAT, dirichlet={"foot": 1}), surrogate("laplace"))
    with pytest.raises(ConfigurationError, match="exchange values only"):
        geoop.schwarz(imposed, surrogate("laplace"), settings=SchwarzSettings(transmission="robin"))
    with pytest.raises(ConfigurationError, match="solves no local problems"):
        geoop.schwarz(imposed, 3.0)
    with pytest.raises(CheckpointError):
        geoop.schwarz(imposed, tmp_path / "nothing.safetensors")
    with pytest.raises(ConfigurationError, match="no equation 'wave'"):
        geoop.schwarz(imposed, None, "wave")
    with pytest.raises(ConfigurationError, match="displacement"):
        geoop.schwarz(imposed, surrogate("elasticity"), HEAT)
