"""What ``tools/benchmark schwarz`` trains and solves: equations, local data sets, target shapes and data on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.solve.equations import SOLUTION, Diffusion, Elasticity, Equation, HeatWindow, NonlinearDiffusion
from geoop.truth.datasets.polygons import elasticity as elastic_family
from geoop.truth.datasets.polygons import traces
from geoop.truth.datasets.targets import target

#: Those of METHODS B.5, and five of our own.
SHAPES = ("a", "b", "c", "dolphin", "gear", "plate", "thin-l", "annulus")
#: Kinds of boundary data: ``white``, independent at every point as published, and ``smooth``, a Gaussian process.
LAWS = ("white", "smooth")

Draw = Callable[[np.random.Generator, Mesh, str], Case]


@dataclass(frozen=True)
class Problem:
    """One equation.

    Attributes:
        equation: it.
        dataset, n: what its local operator is trained on.
        quantities, inputs: what is learned, from what.
        draw: (generator, mesh, law) -> case with data.
        asked, published: mean relative errors in per cent; published ones of shapes a, b, c.
        sizes: of the local operator, over the small preset.
        windows: of an equation in time.
        laws: of the data that are tried.
    """

    equation: Equation
    dataset: str
    n: int
    inputs: tuple[str, ...]
    draw: Draw
    asked: float
    published: str = "-"
    quantities: tuple[str, ...] = ("solution",)
    sizes: Mapping[str, Any] = field(default_factory=dict)
    windows: int = 1
    laws: tuple[str, ...] = LAWS


@lru_cache(maxsize=4)
def shape(name: str, scale: float = 1.0) -> Mesh:
    """A target shape meshed with the patch ``wall``; ``scale`` times as large with cells of the same size."""
    made = target(name, scale)
    return mesh_inside(made.outline(name), size=made.size)


def values(random: np.random.Generator, points: np.ndarray, law: str, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """(k,) values between two numbers: independent, or a Gaussian process that fills the range."""
    kind = traces.WHITE if law == "white" else traces.PROCESS
    return low + (high - low) * traces.unit_trace(random, kind, points, traces.Extent.of(points)).values


def imposed(mesh: Mesh, patch: str, given: np.ndarray, quantity: Quantity = SOLUTION) -> dict[str, dict[str, Field]]:
    """Boundary values of one patch."""
    return {patch: {quantity.name: Field(quantity, given)}}


def _laplace(random: np.random.Generator, mesh: Mesh, law: str) -> Case:
    return Case(mesh, None, {}, imposed(mesh, "wall", values(random, mesh.points[mesh.patch_points("wall")], law)))


def _mixed(random: np.random.Generator, mesh: Mesh, law: str) -> Case:
    """Fluxes in [-1, 1] per metre on an arc of 10 to 50 % of the outer loop, in one piece, as in polygons-mixed; holes are held."""
    lines = np.asarray(mesh.patches["wall"].connectivity).reshape(-1, 2)
    loop = _outer_loop(mesh, lines)
    length = np.linalg.norm(np.diff(mesh.points[lines[loop]], axis=1)[:, 0], axis=1)
    way = np.cumsum(length) / length.sum()
    start, share = random.random(), 0.1 + 0.4 * random.random()
    free = np.zeros(len(lines), dtype=bool)
    free[loop] = (way - start) % 1.0 < share
    patches = {"dirichlet": Cells.of(line=lines[~free]), "neumann": Cells.of(line=lines[free])}
    cut = Mesh(mesh.points, mesh.cells, patches, name=mesh.name)
    on, through = (cut.points[cut.patch_points(name)] for name in patches)
    flux = Quantity("boundary_flux", "g", "1/m")
    boundary = imposed(cut, "dirichlet", values(random, on, law)) | imposed(cut, "neumann", values(random, through, law, -1.0, 1.0), flux)
    return Case(cut, None, {}, boundary)


def _outer_loop(mesh: Mesh, lines: np.ndarray) -> np.ndarray:
    """(k,) the lines of the loop that reaches farthest, in order along it."""
    starts = {int(a): k for k, (a, _) in enumerate(lines)}
    first = int(np.argmax(mesh.points[lines[:, 0], 0]))
    order = [first]
    while (following := starts[int(lines[order[-1], 1])]) != first:
        order.append(following)
    return np.array(order)


def _darcy(random: np.random.Generator, mesh: Mesh, law: str) -> Case:
    """As published: conductivity and source of the same kind as the boundary values, those times a factor in [0.3, 1]."""
    made = _laplace(random, mesh, law)
    wall = 0.3 + 0.7 * random.random()
    fields = {
        "conductivity": Field(Quantity("conductivity", "a", "1"), values(random, mesh.points, law, 0.05, 1.0)),
        "source": Field(Quantity("source", "f", "1/m^2"), values(random, mesh.points, law)),
    }
    return Case(mesh, None, fields, imposed(mesh, "wall", wall * made.boundary["wall"]["solution"].values))


def _poisson(random: np.random.Generator, mesh: Mesh, law: str) -> Case:
    source = Field(Quantity("source", "f", "1/m^2"), values(random, mesh.points, law, -5.0, 5.0))
    return replace(_laplace(random, mesh, law), fields={"source": source})


def _heat(random: np.random.Generator, mesh: Mesh, law: str) -> Case:
    """Boundary values constant in time; the start is of the same kind."""
    start = Field(Quantity("initial", "u0", "1"), values(random, mesh.points, law))
    return replace(_laplace(random, mesh, law), fields={"initial": start})


def _elastic(random: np.random.Generator, mesh: Mesh, law: str) -> Case:
    """Displacements of up to a twentieth of the extent; smooth ones are two Gaussian processes."""
    at, displacement = mesh.points[mesh.patch_points("wall")], QUANTITIES["displacement"]
    extent = traces.Extent.of(mesh.points)
    pattern = elastic_family._pattern(random, traces.WHITE if law == "white" else traces.PROCESS, at, extent)
    return Case(mesh, None, {}, imposed(mesh, "wall", 0.05 * extent.size / np.linalg.norm(pattern, axis=1).max() * pattern, displacement))


PROBLEMS: dict[str, Problem] = {
    "laplace": Problem(Diffusion(), "polygons-laplace", 6000, ("boundary solution",), _laplace, 1.5, "2.2, 2.1, 2.1"),
    "nonlinear": Problem(
        NonlinearDiffusion(), "polygons-nonlinear", 4000, ("boundary solution",), _laplace, 1.5, "2.0, 2.2, 2.2", sizes={"nonlinear": True}
    ),
    "mixed": Problem(Diffusion(), "polygons-mixed", 5000, ("boundary solution", "boundary boundary_flux"), _mixed, 4.0, "6, 7, 6"),
    "poisson": Problem(Diffusion(), "polygons-poisson", 5000, ("boundary solution", "source"), _poisson, 3.0),
    "darcy": Problem(Diffusion(), "polygons-darcy", 5000, ("boundary solution", "source", "conductivity"), _darcy, 4.0, "8, 8, 5.4"),
    "heat": Problem(
        HeatWindow(0.01, 10, 1.0),
        "polygons-heat-steps",
        5000,
        ("boundary solution", "previous_solution", "diffusivity"),
        _heat,
        4.0,
        "5.3, 11, 5.8",
        windows=5,
    ),
    "elasticity": Problem(
        Elasticity(),
        "polygons-elasticity",
        4000,
        ("boundary displacement",),
        _elastic,
        4.0,
        quantities=("displacement",),
        sizes={"roles": {"values": "boundary displacement"}},
        laws=("smooth", "white"),
    ),
}
