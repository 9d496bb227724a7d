"""The online stage: the problems that an iteration meets, as cases with exact solutions, beside those that an operator was trained on."""

from dataclasses import replace

import numpy as np
import pytest

import geoop
from geoop.errors import ConfigurationError, DatasetError
from geoop.io.dataset import Dataset
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.polygons import area_of
from geoop.mesh.measure import point_weights
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import Field, Quantity
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.results.local_surrogate import LocalSurrogate
from geoop.solve.equations import SOLUTION, Diffusion, Elasticity, HeatWindow, NonlinearDiffusion
from geoop.solve.schwarz.local_exact import FiniteElementSolver
from geoop.solve.schwarz.settings import SchwarzSettings
from geoop.train.online import _union, completed, online, random_regions, traces, with_cases
from geoop.train.settings import FitSettings

PLAIN = SchwarzSettings(parts=4, coarse=None)
FLUX = Quantity("boundary_flux", "g", "1/m")


def strip(n: int = 12) -> Mesh:
    """A rectangle 3 m by 1 m with a patch per side."""
    x, y = np.linspace(0, 3, 3 * n + 1), np.linspace(0, 1, n + 1)
    points = np.stack([a.ravel() for a in np.meshgrid(x, y, indexing="ij")], axis=1)
    i = np.arange(len(points)).reshape(len(x), len(y))
    a, b, c, d = i[:-1, :-1].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel(), i[:-1, 1:].ravel()
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    sides = {"left": i[0], "right": i[-1], "bottom": i[:, 0], "top": i[:, -1]}
    return Mesh(points, Cells.of(triangle=triangles), {name: Cells.of(line=np.stack([s[:-1], s[1:]], 1)) for name, s in sides.items()}, name="strip")


def given(mesh, function, patches=None):
    return {name: {"solution": Field(SOLUTION, function(mesh.points[mesh.patch_points(name)]))} for name in patches or mesh.patches}


def region(seed: int = 0) -> Case:
    random = np.random.default_rng(seed)
    mesh = random_regions(random, 1, size=0.2, scale=(2.0, 2.5))[0]
    return Case(mesh, None, {}, given(mesh, lambda x: random.random(len(x))))


def ramp(x):
    return 2.0 * x[:, 0] - 5.0 * x[:, 1] + 3.0


def bend(case: Case) -> float:
    """How far a solution is from an affine function of position."""
    u, at = case.fields["solution"].values, np.column_stack([np.ones(len(case.mesh.points)), case.mesh.points])
    return float(np.abs(at @ np.linalg.lstsq(at, u, rcond=None)[0] - u).max())


def test_problems_of_a_finished_iteration_are_pieces_of_the_solution_and_those_of_the_first_sweep_are_not():
    """A ramp on the strip, with the flux that it has through its top: affine in every part only if fluxes are scaled as values are."""
    mesh = strip()
    boundary = given(mesh, ramp, ("left", "right", "bottom")) | {"top": {"boundary_flux": Field(FLUX, np.full(len(mesh.patch_points("top")), -5.0))}}
    equation, case = Diffusion(), Case(mesh, None, {}, boundary)
    met = traces(FiniteElementSolver(equation), equation, [case], replace(PLAIN, tolerance=1e-9), sweeps=(1, 35))
    first, last = met[:4], met[4:]
    assert len(met) == 8 and max(bend(item) for item in last) < 1e-6 < 1e-2 < max(bend(item) for item in first)
    assert all("neumann" in item.boundary for item in met) and {tuple(sorted(item.mesh.patches)) for item in met} == {("dirichlet", "neumann")}


@pytest.mark.parametrize("equation", [Diffusion(), Diffusion(reaction=8.0), NonlinearDiffusion()], ids=["laplace", "screened", "nonlinear"])
def test_every_problem_carries_its_solution_in_the_range_and_box_of_training(equation):
    met = traces(FiniteElementSolver(equation), equation, [region(), region(1)], PLAIN, sweeps=(1, 3))
    assert len(met) >= 8 and len({case.name for case in met}) == len(met)
    assert {case.name.rpartition("_")[0] for case in met} == {"met_0001", "met_0002"}
    for case in met:
        u, rim = case.fields["solution"], case.boundary["dirichlet"]["solution"]
        np.testing.assert_allclose(equation.discrete(case).solve(), u.values, atol=1e-9)
        np.testing.assert_array_equal(u.values[case.mesh.patch_points("dirichlet")], rim.values)
        assert np.ptp(case.mesh.bounds, axis=0).max() == pytest.approx(1.0)
        assert u.quantity == SOLUTION and set(case.fields) == {"solution", *equation.parameters(1.0)}
        assert rim.values.min() >= -1e-12 and rim.values.max() <= 1 + 1e-12
        if equation.shifts:
            assert np.ptp(rim.values) == pytest.approx(1.0)


def test_sources_vectors_and_windows_in_time():
    mesh = strip(6)
    source = Field(Quantity("source", "f", "1/m^2"), np.sin(mesh.points[:, 0]))
    poisson = traces(FiniteElementSolver(Diffusion()), Diffusion(), [Case(mesh, None, {"source": source}, given(mesh, ramp))], PLAIN, sweeps=(1,))
    assert all(np.abs(case.fields["source"].values).max() > 0 for case in poisson)
    equation = Elasticity()
    held = {name: {"displacement": Field(equation.quantity, mesh.points[mesh.patch_points(name)] ** 2)} for name in ("left", "right")}
    elastic = traces(FiniteElementSolver(equation), equation, [Case(mesh, None, {}, held)], PLAIN, sweeps=(2,))
    assert all(case.fields["displacement"].values.shape == case.mesh.points.shape for case in elastic)
    assert all(not case.boundary["neumann"]["traction"].values.any() for case in elastic)  # a free side: no traction, said
    window = HeatWindow(steps=1)
    initial = Field(Quantity("initial", "u0", "1"), np.cos(mesh.points[:, 1]))
    heat = traces(FiniteElementSolver(window), window, [Case(mesh, None, {"initial": initial}, given(mesh, ramp))], PLAIN, sweeps=(1,))
    assert all({"initial", "diffusivity", "solution"} == set(case.fields) for case in heat)
    units = {"solution": "1", "previous_solution": "1", "diffusivity": "m^2/s"}
    assert set(completed(heat[0], window, units).fields) == set(units)


def test_only_the_sweeps_that_are_asked_for_are_kept_and_constants_teach_nothing():
    def count(sweeps, case):
        return len(traces(FiniteElementSolver(Diffusion()), Diffusion(), [case], PLAIN, sweeps=sweeps))

    mesh = strip()
    case = Case(mesh, None, {}, given(mesh, ramp))
    assert (count((1,), case), count((3,), case), count((1, 2, 4), case)) == (4, 4, 12)
    assert count((1, 2), Case(mesh, None, {}, given(mesh, lambda x: np.full(len(x), 7.0)))) == 0


def test_fields_of_another_name_and_fields_that_are_not_there():
    mesh = strip(6)
    case = traces(FiniteElementSolver(Diffusion()), Diffusion(), [Case(mesh, None, {}, given(mesh, ramp))], PLAIN, sweeps=(1,))[0]
    assert completed(case, Diffusion(), {"solution": "1"}) is case
    filled = completed(case, Diffusion(), {"solution": "1", "source": "1/m^2"})
    assert not filled.fields["source"].values.any() and filled.fields["source"].quantity.unit == "1/m^2"
    with pytest.raises(ConfigurationError, match="conductivity"):
        completed(case, Diffusion(), {"solution": "1", "source": "1/m^2", "conductivity": "1"})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return geoop.generate("polygons-laplace", tmp_path_factory.mktemp("data") / "laplace", n=40)


@pytest.fixture(scope="module")
def met():
    cases = traces(FiniteElementSolver(Diffusion()), Diffusion(), [region(seed) for seed in range(5)], PLAIN, sweeps=(1,))
    assert {case.name.rpartition("_")[0] for case in cases} == {f"met_000{k}" for k in range(1, 6)}
    return cases


def test_new_cases_stand_beside_the_old_ones(data, met, tmp_path):
    both = with_cases(data, tmp_path / "both", met)
    both.verify()
    names = {split: [case.name for case in met if case.name.startswith("met_0005") == (split == "val")] for split in ("train", "val")}
    assert both.splits == {split: [*data.splits[split], *names[split]] for split in ("train", "val")}  # and no target among them
    old, new = data.splits["train"][0], met[0]
    np.testing.assert_array_equal(both.case(old).fields["solution"].values, data.case(old).fields["solution"].values)
    np.testing.assert_allclose(both.case(new.name).boundary["dirichlet"]["solution"].values, new.boundary["dirichlet"]["solution"].values)
    assert with_cases(data, tmp_path / "both", met).hash == both.hash != data.hash
    with pytest.raises(DatasetError, match="another data set"):
        with_cases(data, tmp_path / "both", met[:3])
    for cases in ([], [met[0], met[0]], [replace(met[0], name=data.splits["train"][0])]):
        with pytest.raises(DatasetError, match="new cases"):
            with_cases(data, tmp_path / "bad", cases)
    again = with_cases(both, tmp_path / "more", [replace(case, name=case.name.replace("met", "later")) for case in met[:2]])
    assert again.name == both.name == "polygons-laplace-online" and len(again) == len(both) + 2


def fit(data, directory, start=None, **options):
    settings = FitSettings(**{"epochs": 2, "batch": 8, "domain_points": 1000, "vary_points": 1.0, "validate_every": 1, **options})
    model = None if start else lambda ports: BoundaryKernel(ports, width=8, hidden=8, depth=1, heads=2)
    return geoop.fit(
        data, directory, quantities=["solution"], inputs=["boundary solution"], model=model, settings=settings, start=start, progress=False
    )


def error(surrogate, cases) -> float:
    return float(
        np.mean(
            [np.linalg.norm(surrogate.predict(case)["solution"] - u) / np.linalg.norm(u) for case in cases for u in [case.fields["solution"].values]]
        )
    )


def test_rounds_of_iterating_and_training(data, tmp_path):
    start = fit(data, tmp_path / "start")
    shapes = [region(seed) for seed in range(10, 16)]
    settings = FitSettings(epochs=5, batch=8, domain_points=1000, vary_points=1.0, validate_every=5)
    arguments = {"schwarz": PLAIN, "settings": settings, "sweeps": (1, 2), "replay": 10, "progress": False}
    after = online(data, tmp_path / "run", start, Diffusion(), shapes, rounds=2, **arguments)
    first, second = (Dataset.open(tmp_path / "run" / f"round-{k}" / "cases") for k in (1, 2))
    assert [name for name in first.splits["train"] if name.startswith("laplace")] == [n for n in second.splits["train"] if n.startswith("laplace")]
    assert len([name for name in first.splits["train"] if name.startswith("laplace")]) == 10
    assert set(first.splits["train"]) < set(second.splits["train"]) and any(name.startswith("round-2_") for name in second.splits["train"])
    assert after.normaliser == start.normaliser and after.about["start"]["dataset"] == "polygons-laplace-online"
    fresh = traces(LocalSurrogate(start), Diffusion(), [region(99)], PLAIN, sweeps=(1, 4))  # of a region that neither has seen
    control = fit(data, tmp_path / "control", start, epochs=20, validate_every=5)  # as many steps, on polygons alone
    assert error(after, fresh) < error(control, fresh) < error(start, fresh)


def test_unions_of_outlines():
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], dtype=float)
    (corner,) = _union(square, square + [1.0, 0.7])
    assert area_of(corner) == pytest.approx(8 - 1.3)
    cup = np.array([[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3]], dtype=float)
    lid = np.array([[-0.5, 2.5], [3.5, 2.5], [3.5, 3.5], [-0.5, 3.5]])
    areas = sorted(area_of(loop) for loop in _union(cup, lid))  # closes the cup: a hole, clockwise
    assert areas == pytest.approx([-1.5, 3 * 2.5 + 4.0])
    assert len(_union(square, square + 10.0)) == len(_union(square, 0.1 * square + 0.5)) == 1


def test_random_regions_are_what_they_should_be():
    meshes = random_regions(np.random.default_rng(3), 6, size=0.2)
    for mesh in meshes:
        edges = mesh.points[np.asarray(mesh.cells.connectivity).reshape(-1, 3)]
        assert np.linalg.norm(edges - np.roll(edges, 1, axis=1), axis=2).max() < 0.35
        assert list(mesh.patches) == ["wall"] and np.ptp(mesh.points, axis=0).max() > 1.0
    again = random_regions(np.random.default_rng(3), 6, size=0.2)
    assert all(np.array_equal(a.points, b.points) for a, b in zip(meshes, again, strict=True))
    assert len({round(float(point_weights(mesh).sum()), 6) for mesh in meshes}) == 6


def test_bad_input(data, tmp_path):
    solver, equation = FiniteElementSolver(Diffusion()), Diffusion()
    for shapes, sweeps in (([], (1,)), ([region()], ()), ([region()], (0, 1))):
        with pytest.raises(ConfigurationError, match="regions, sweeps"):
            traces(solver, equation, shapes, sweeps=sweeps)
    for arguments in ({"rounds": 0}, {"rounds": 2}, {"replay": 0}):
        with pytest.raises(ConfigurationError):
            online(data, tmp_path, None, equation, [region()], **arguments)
    for count, size, scale in ((0, 0.1, (2.0, 4.0)), (1, 0.0, (2.0, 4.0)), (1, 0.1, (4.0, 2.0)), (1, 3.0, (2.0, 4.0))):
        with pytest.raises(ConfigurationError, match="regions of"):
            random_regions(np.random.default_rng(0), count, size=size, scale=scale)
