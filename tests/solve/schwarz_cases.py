"""Cases and local solvers that tests of Schwarz iterations share."""

from dataclasses import dataclass, field, replace

import numpy as np
from fem_shapes import cube, square

from geoop.fem.elastic_laws import LinearElastic
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.solve.equations import SOLUTION, Diffusion, Elasticity, HeatWindow, NonlinearDiffusion
from geoop.solve.schwarz.local_exact import FiniteElementSolver


def given(name, values, rank=0, location="point"):
    """A field of a quantity without a unit of interest."""
    return Field(Quantity(name, name, "1", rank), values, location)


def dirichlet(mesh, seed=0, patches=None):
    """Random values on some or all patches."""
    random = np.random.default_rng(seed)
    return {name: {"solution": Field(SOLUTION, random.random(len(mesh.patch_points(name))))} for name in patches or mesh.patches}


def laplace(mesh, seed=0):
    return Case(mesh, None, {}, dirichlet(mesh, seed))


def darcy(mesh, seed=0):
    """Values on two sides, a flux on one, one insulated; source and conductivity at random."""
    random, n = np.random.default_rng(seed + 1), len(mesh.points)
    fields = {"source": given("source", random.standard_normal(n)), "conductivity": given("conductivity", 0.05 + random.random(n))}
    flux = {"top": {"boundary_flux": given("boundary_flux", random.random(len(mesh.patch_points("top"))))}}
    return Case(mesh, None, fields, {**dirichlet(mesh, seed, ("left", "right")), **flux})


def clamped(mesh, ends=("left", "right")):
    """Held on one side, pulled on the other."""
    d, (held, pulled) = mesh.dimension, ends
    zero = np.zeros((len(mesh.patch_points(held)), d))
    pull = given("traction", np.array([1.0, 0.3, 0.1])[:d], 1, "global")
    return Case(mesh, None, {}, {held: {"displacement": Field(QUANTITIES["displacement"], zero)}, pulled: {"traction": pull}})


def heated(mesh, steps, seed=0):
    random = np.random.default_rng(seed)
    boundary = {name: {"solution": given("solution", random.random((len(mesh.patch_points(name)), steps)), 1)} for name in mesh.patches}
    return Case(mesh, None, {"initial": given("initial", random.random(len(mesh.points)))}, boundary)


#: name -> (equation, case): every equation, in the plane and in space.
CASES = {
    "laplace, quads and triangles": (Diffusion(), lambda: laplace(square(14, "mixed", 0))),
    "darcy": (Diffusion(), lambda: darcy(square(14, "triangle", 1))),
    "reaction": (Diffusion(reaction=20.0), lambda: darcy(square(12, "quad", 1))),
    "nonlinear": (NonlinearDiffusion(), lambda: laplace(square(10, "triangle", 2))),
    "elasticity": (Elasticity(), lambda: clamped(square(12, "triangle", 3))),
    "heat": (HeatWindow(steps=4), lambda: heated(square(10, "triangle", 4), 4)),
    "laplace in space": (Diffusion(), lambda: laplace(cube(7))),
    "elasticity in space": (Elasticity(LinearElastic(1.0, 0.3, "solid")), lambda: clamped(cube(6), ("x_min", "x_max"))),
}


def strip(n):
    """A row of n quads along [0, 1]: with insulated sides a problem in one dimension."""
    x = np.linspace(0.0, 1.0, n + 1)
    points = np.concatenate([np.column_stack([x, np.full(n + 1, y)]) for y in (0.0, 1.0 / n)])
    a = np.arange(n)
    ends = {"left": Cells.of(line=[[0, n + 1]]), "right": Cells.of(line=[[n, 2 * n + 1]])}
    return Mesh(points, Cells.of(quad=np.stack([a, a + 1, a + n + 2, a + n + 1], axis=1)), ends, name="strip")


@dataclass
class Wrapped:
    """Finite elements that pass for a learned operator; ``change`` is applied to every answer: (answer, data, part) -> answer."""

    equation: object
    change: object = lambda answer, data, part: answer
    exact: bool = False
    accepts: frozenset = frozenset(("dirichlet", "neumann"))
    batches: list = field(default_factory=list)
    seen: list = field(default_factory=list)

    def prepare(self, problems):
        solve = FiniteElementSolver(self.equation).prepare(problems)
        self.batches.append(len(problems))

        def changed(data):
            self.seen.append([replace(item) for item in data])
            return [self.change(answer, item, k) for k, (answer, item) in enumerate(zip(solve(data), data, strict=True))]

        return changed
