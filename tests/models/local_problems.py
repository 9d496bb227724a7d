"""Local problems with finite-element solutions on small polygons, and untrained kernels for them with weights of some size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from geoop.fem.diffusion import Diffusion
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.generate.triangles import mesh_inside
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import ring
from geoop.mesh.quantity import QUANTITIES, Field, Quantity
from geoop.models.boundary_kernel import BoundaryKernel
from geoop.models.ports import Ports
from geoop.scaling.framing import Framing
from geoop.scaling.normaliser import Normaliser
from geoop.truth.diffusion.cases import SOLUTION, SOURCE, diffusion_case

SHAPES = (
    [[-0.5, -0.4], [0.45, -0.5], [0.5, 0.3], [0.05, 0.0], [-0.3, 0.5]],
    [[-0.4, -0.5], [0.5, -0.2], [0.1, 0.5]],
    [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]],
)
PREVIOUS = Quantity("previous_solution", "u0", "1")
DIFFUSIVITY = Quantity("diffusivity", "alpha", "m^2/s")
DISPLACEMENT = QUANTITIES["displacement"]
#: kind of problem -> input functions.
INPUTS = {
    "laplace": ("boundary solution",),
    "nonlinear": ("boundary solution",),
    "mixed": ("boundary solution", "boundary boundary_flux"),
    "poisson": ("boundary solution", "source"),
    "darcy": ("boundary solution", "source", "conductivity"),
    "heat": ("boundary solution", "previous_solution", "diffusivity"),
    "elasticity": ("boundary displacement",),
}


def polygon(shape: int = 0, size: float = 0.2, free: bool = False) -> Mesh:
    """A polygon in triangles, patch ``dirichlet``; its right end ``neumann`` if ``free``."""
    mesh = mesh_inside(ring(np.array(SHAPES[shape]), f"shape {shape}"), size=size)
    lines = np.asarray(mesh.patches["wall"].connectivity).reshape(-1, 2)
    right = mesh.points[lines, 0].mean(axis=1) > 0.2 if free else np.zeros(len(lines), dtype=bool)
    patches = {"dirichlet": Cells.of(line=lines[~right])} | ({"neumann": Cells.of(line=lines[right])} if free else {})
    return Mesh(mesh.points, mesh.cells, patches, name=mesh.name)


def problem(kind: str, shape: int = 0, seed: int = 0, mesh: Mesh | None = None) -> Case:
    """A case of that kind with random data. Its solution is that of the finite elements where the equation is -div(a grad u) = f, else arbitrary."""
    random = np.random.default_rng([seed, shape])
    mesh = mesh or polygon(shape, free=kind == "mixed")
    n, rim = len(mesh.points), mesh.patch_points("dirichlet")
    if kind == "elasticity":
        values = random.standard_normal((n, mesh.dimension))
        return Case(mesh, None, {"displacement": Field(DISPLACEMENT, values)}, {"dirichlet": {"displacement": Field(DISPLACEMENT, values[rim])}})
    g, f = random.random(len(rim)), random.standard_normal(n)
    a = 0.2 + random.random(n)
    if kind == "heat":
        made = diffusion_case(mesh, random.random(n), dirichlet={"dirichlet": g})
        return made.with_fields(Field(PREVIOUS, random.random(n)), Field(DIFFUSIVITY, np.array(0.5 + seed / 10), "global"))
    flux = {"neumann": random.standard_normal(len(mesh.patch_points("neumann")))} if "neumann" in mesh.patches else {}
    source, conductivity = (f if kind in ("poisson", "darcy") else None), (a if kind == "darcy" else None)
    solver = Diffusion(mesh, conductivity=1.0 if conductivity is None else conductivity, degree=1, dirichlet=("dirichlet",))
    u = solver.space.at_mesh_points(solver.solve(0.0 if source is None else source, dirichlet={"dirichlet": g}, neumann=flux))
    return diffusion_case(mesh, u, source=source, conductivity=conductivity, dirichlet={"dirichlet": g}, neumann=flux)


def framing_of(cases: Sequence[Case], kind: str) -> tuple[Framing, Normaliser]:
    """Fitted on cases, functions standardised as training does it."""
    quantity = DISPLACEMENT if kind == "elasticity" else SOLUTION
    framing = Framing.fit(cases, inputs=INPUTS[kind], domain_points=10_000)
    d = cases[0].mesh.dimension
    normaliser = Normaliser.fit([quantity], [({quantity.name: case.fields[quantity.name].values}, np.zeros(d)) for case in cases])
    return replace(framing, functions=tuple(item.beside(normaliser) for item in framing.functions)), normaliser


def ports_of(kind: str, framing: Framing, dimension: int = 2) -> Ports:
    vector = kind == "elasticity"
    functions = tuple((item.name, item.channels) for item in framing.functions)
    return Ports(dimension, int(not vector), int(vector), surface_scalars=framing.surface_scalars, functions=functions)


def kernel(kind: str, framing: Framing, dimension: int = 2, seed: int = 0) -> BoundaryKernel:
    """Heads of some size, so that claims are those of any weights and not of the first guess."""
    torch.manual_seed(seed)
    roles = {"values": "boundary displacement"} if kind == "elasticity" else {}
    model = BoundaryKernel(ports_of(kind, framing, dimension), 16, hidden=16, depth=1, roles=roles, nonlinear=kind == "nonlinear")
    for name, parameter in model.named_parameters():
        if "head" in name or "exchange" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.double().eval()


def tensors(case: Case, framing: Framing):
    """(geometry, inputs, queries) of a case at the points of its mesh, in double precision."""
    framed = framing.of(case)
    queries = framed.queries(case.mesh.points, framing.on_wall(case), skin=1e-3)
    inputs = framing.inputs(case, framed)
    return framed.geometry.to(torch.float64), inputs.to(torch.float64), queries.to(torch.float64)


__all__ = ["DISPLACEMENT", "INPUTS", "SOURCE", "framing_of", "kernel", "polygon", "ports_of", "problem", "tensors"]
