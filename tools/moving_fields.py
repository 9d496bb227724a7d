"""Known fields for ``tools/benchmark moving``: what classical movers gain on them, beside a converged reference, exact maps and the clock.

Gain is the L2 error of linear interpolation (or the energy error of a finite-element solution) on the mesh that was given over that on the
moved mesh: above 1 moving pays. All monitors are Hessian monitors of strength 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from moving_meshes import cube, disk_of, holed_cube, l_shape, plate, square
from scipy.fft import dctn, idctn

from geoop.fem.diffusion import Diffusion
from geoop.fem.integrals import h1_error
from geoop.fem.space import Space
from geoop.interfaces.moving import Monitor, Mover
from geoop.mesh.cells import Cells
from geoop.mesh.measure import cell_measures
from geoop.mesh.mesh import Mesh
from geoop.solve.monitors import FunctionMonitor, hessian_monitor
from geoop.solve.movers.equidistribution import Equidistribution
from geoop.solve.movers.monge_ampere import MongeAmpere
from geoop.solve.movers.tangling import inverted_cells
from geoop.solve.movers.variational import Variational

Function = Callable[[np.ndarray], np.ndarray]
MOVERS: dict[str, Mover] = {"Monge-Ampere": MongeAmpere(), "variational": Variational()}
#: Nodes per side whose cost is measured.
SIDES = (48, 100, 160, 224, 317)
STRENGTH = 5.0


def _radius(points: np.ndarray, middle: tuple[float, float] = (0.5, 0.5)) -> np.ndarray:
    return np.linalg.norm(points - np.array(middle), axis=1)


def ring(width: float, radius: float = 0.25, middle: tuple[float, float] = (0.5, 0.5)) -> Function:
    """tanh((|x - c| - radius) / width)."""
    return lambda x: np.tanh((_radius(x, middle) - radius) / width)


#: The five fields of METHODS C.5.
FIELDS: dict[str, Function] = {
    "ring .05": ring(0.05),
    "ring .02": ring(0.02),
    "front": lambda x: np.tanh((x[:, 0] + x[:, 1] - 1.0) / 0.05),
    "Gaussian": lambda x: np.exp(-(_radius(x) ** 2) / (2.0 * 0.05**2)),
    "smooth": lambda x: np.sin(2.0 * np.pi * x[:, 0]) * np.sin(2.0 * np.pi * x[:, 1]),
}


def measure(output: Path, once: Callable[[str, Callable[[], dict[str, Any]]], None]) -> None:
    """All rows of this file; ``once(key, measure)`` measures a row unless it is there. Nothing is written to ``output``."""
    for name in FIELDS:
        once(f"movers/square/{name}", lambda n=name: square_row(n))
    once("movers/identity", identity_row)
    once("movers/line", line_row)
    for name in RADIAL:
        once(f"movers/disk/{name}", lambda n=name: disk_row(n))
    for region in REGIONS:
        for width in (0.05, 0.02):
            once(f"movers/{region}/ring {width}", lambda r=region, w=width: region_row(r, w))
    for mover in MOVERS:
        for side in SIDES:
            once(f"movers/cost/{mover}/{side**2}", lambda m=mover, s=side: cost_row(m, s))
    for region, sides in SPACE.items():
        for mover in MOVERS if region == "cube" else ("variational",):
            for side in sides:
                once(f"movers/space/{region}, {mover}/{side}", lambda r=region, m=mover, s=side: space_row(r, m, s))
    for layer in LAYERS:
        once(f"movers/solve/{layer}", lambda n=layer: layer_row(n))


def interpolation_error(mesh: Mesh, function: Function) -> float:
    """L2 norm of a function minus its linear interpolant: on triangles by a rule of degree 4 on every quarter, on tetrahedra by one of degree 9."""
    if mesh.dimension == 3:
        return _space_error(mesh, function)
    a, b = 0.445948490915965, 0.091576213509771
    corner = np.array([[1 - 2 * a, a, a], [a, 1 - 2 * a, a], [a, a, 1 - 2 * a], [1 - 2 * b, b, b], [b, 1 - 2 * b, b], [b, b, 1 - 2 * b]])
    weight = np.repeat([0.223381589678011, 0.109951743655322], 3) / 4.0
    half = 0.5 * np.array([[2.0, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 0], [0, 1, 1], [1, 0, 1]])
    quarters = half[[[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]]]
    places = np.einsum("qk,rkc->rqc", corner, quarters).reshape(-1, 3)
    rows = mesh.cells.block("triangle")
    x = np.einsum("qk,mkd->mqd", places, mesh.points[rows])
    exact = function(x.reshape(-1, 2)).reshape(x.shape[:2])
    linear = np.einsum("qk,mk->mq", places, function(mesh.points)[rows])
    return float(np.sqrt((cell_measures(mesh)[:, None] * np.tile(weight, 4) * (exact - linear) ** 2).sum()))


def _space_error(mesh: Mesh, function: Function) -> float:
    x, w = np.polynomial.legendre.leggauss(6)
    x, w = 0.5 * (x + 1.0), 0.5 * w
    a, b, c = (part.ravel() for part in np.meshgrid(x, x, x, indexing="ij"))  # the cube collapsed onto a tetrahedron
    weight = 6.0 * np.einsum("i,j,k->ijk", w, w, w).ravel() * (1.0 - a) ** 2 * (1.0 - b)
    share = np.stack([(1 - a) * (1 - b) * (1 - c), a, (1 - a) * b, (1 - a) * (1 - b) * c], axis=1)
    rows, values, measure, total = mesh.cells.block("tetra"), function(mesh.points), cell_measures(mesh), 0.0
    for start in range(0, len(rows), 20000):
        part = slice(start, start + 20000)
        places = np.einsum("qk,mkd->mqd", share, mesh.points[rows[part]])
        exact = function(places.reshape(-1, 3)).reshape(places.shape[:2])
        total += float((measure[part, None] * weight * (exact - values[rows[part]] @ share.T) ** 2).sum())
    return float(np.sqrt(total))


def unevenness(mesh: Mesh, monitor: Monitor) -> float:
    """Standard deviation over mean of the monitor's integral over the triangles."""
    mass = monitor.at(mesh.points[mesh.cells.block("triangle")].mean(axis=1)) * cell_measures(mesh)
    return float(mass.std() / mass.mean())


def moved_row(mesh: Mesh, function: Function, monitor: Monitor, mover: Mover) -> dict[str, Any]:
    """What a mover gains on a field."""
    moved = mover.move(mesh, monitor)
    return {
        "gain": interpolation_error(mesh, function) / interpolation_error(moved.mesh, function),
        "outcome": moved.outcome.status,
        "inverted": int(inverted_cells(mesh, moved.mesh.points).sum()),
        "unevenness": unevenness(moved.mesh, monitor),
        "steps": moved.steps,
        "seconds": moved.seconds,
    }


# ---- the unit square


def square_row(name: str, side: int = 48) -> dict[str, Any]:
    """Both movers on one of the five fields, beside the converged finite-difference reference on the same grid."""
    mesh, function = square(side), FIELDS[name]
    monitor = hessian_monitor(mesh, function(mesh.points), strength=STRENGTH)
    points, residual, sweeps = reference_map(monitor, side)
    reference = mesh.moved(points)
    before = interpolation_error(mesh, function)
    found: dict[str, Any] = {"section": "square", "points": len(mesh.points), "error": before, "unevenness": unevenness(mesh, monitor)}
    found["reference"] = {
        "gain": before / interpolation_error(reference, function),
        "inverted": int(inverted_cells(mesh, points).sum()),
        "unevenness": unevenness(reference, monitor),
        "residual": residual,
        "steps": sweeps,
    }
    found |= {key: moved_row(mesh, function, monitor, mover) for key, mover in MOVERS.items()}
    return {**found, "share of the reference": found["Monge-Ampere"]["gain"] / found["reference"]["gain"]}


def reference_map(monitor: Monitor, side: int, *, tolerance: float = 1e-9, sweeps: int = 3000) -> tuple[np.ndarray, float, int]:
    """Points (side^2, 2) of the Monge-Ampere map of the unit square by finite differences, relaxed by cosine transforms until converged.

    Mirror symmetry keeps the sides; phi grows by the solution of a Poisson equation with the imbalance on the right, as in Budd and
    Williams' parabolic method. Nothing of it is shared with the mover.

    Returns:
        the points, the largest imbalance |m det / mean - 1| left, and the sweeps.
    """
    h = 1.0 / (side - 1)
    t = np.linspace(0.0, 1.0, side)
    grid = np.stack(np.meshgrid(t, t, indexing="ij"), axis=-1)
    mode = (2.0 - 2.0 * np.cos(np.pi * np.arange(side) / (side - 1))) / h**2
    inverse = mode[:, None] + mode[None]
    inverse[0, 0] = np.inf
    weight = np.ones(side)
    weight[[0, -1]] = 0.5
    weight = np.outer(weight, weight) / (side - 1) ** 2
    phi, worst, sweep = np.zeros((side, side)), np.inf, 0
    density = monitor.at(grid.reshape(-1, 2))
    step = float((density.reshape(side, side) * weight).sum() / density.max())  # of the linear problem: stable below twice that
    while sweep < sweeps:
        sweep += 1
        p = np.pad(phi, 1, mode="reflect")
        slope = np.stack([p[2:, 1:-1] - p[:-2, 1:-1], p[1:-1, 2:] - p[1:-1, :-2]], axis=-1) / (2.0 * h)
        xx, yy = ((q[2:] - 2.0 * q[1:-1] + q[:-2]) / h**2 for q in (p[:, 1:-1], p[1:-1].T))
        xy = (p[2:, 2:] - p[2:, :-2] - p[:-2, 2:] + p[:-2, :-2]) / (4.0 * h**2)
        points = (grid + slope).reshape(-1, 2)
        mass = monitor.at(points).reshape(side, side) * ((1.0 + xx) * (1.0 + yy.T) - xy**2)
        imbalance = mass / (mass * weight).sum() - 1.0
        worst = float(np.abs(imbalance).max())
        if worst <= tolerance:
            break
        phi += step * idctn(dctn(imbalance, type=1) / inverse, type=1)
    return points, worst, sweep


def identity_row() -> dict[str, Any]:
    """Largest movement under a constant monitor [m], in regions of extent 1."""
    even = FunctionMonitor(lambda x: np.full(len(x), 3.7))
    meshes = {"square": square(48), "disk": disk_of(27), "L": l_shape(0.02), "plate": plate(0.02)}
    found: dict[str, Any] = {"section": "identity"}
    for name, mesh in meshes.items():
        for key, mover in MOVERS.items():
            if name in ("square", "disk") or key == "variational":
                found[f"{name}, {key}"] = float(np.abs(mover.move(mesh, even).mesh.points - mesh.points).max())
    return found


def line_row() -> dict[str, Any]:
    """Largest distance from the analytic map on the unit interval, monitors 1 + 7 x and 1 / (x + 1e-3), 48 nodes."""
    n, e = 48, 1e-3
    share = np.linspace(0.0, 1.0, n)
    mesh = Mesh(np.stack([share, 0.0 * share], axis=1), Cells.of(line=np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)))
    exact = {
        "1 + 7 x": (lambda p: 1.0 + 7.0 * p[:, 0], (np.sqrt(1.0 + 63.0 * share) - 1.0) / 7.0),
        "1 / (x + 1e-3)": (lambda p: 1.0 / (p[:, 0] + e), e * ((1.0 + e) / e) ** share - e),
    }
    errors = {key: np.abs(Equidistribution().move(mesh, FunctionMonitor(m)).mesh.points[:, 0] - x).max() for key, (m, x) in exact.items()}
    return {"section": "line", "points": n, **{key: float(value) for key, value in errors.items()}}


# ---- the disk, where radial monitors have an exact map

Profile = tuple[Function, Function, Function]


def _tanh(width: float) -> Profile:
    value = lambda r: np.tanh((r - 0.25) / width)  # noqa: E731
    return value, lambda r: (1.0 - value(r) ** 2) / width, lambda r: -2.0 * value(r) * (1.0 - value(r) ** 2) / width**2


def _bell(width: float) -> Profile:
    value = lambda r: np.exp(-(r**2) / (2.0 * width**2))  # noqa: E731
    return value, lambda r: -r / width**2 * value(r), lambda r: (r**2 / width**4 - 1.0 / width**2) * value(r)


#: Fields of the radius with their first and second derivatives, on the disk of radius 1/2.
RADIAL: dict[str, Profile] = {
    "ring .05": _tanh(0.05),
    "ring .02": _tanh(0.02),
    "Gaussian": _bell(0.05),
    "smooth": (
        lambda r: np.cos(2.0 * np.pi * r),
        lambda r: -2.0 * np.pi * np.sin(2.0 * np.pi * r),
        lambda r: -4.0 * np.pi**2 * np.cos(2.0 * np.pi * r),
    ),
}


def radial_density(profile: Profile) -> Function:
    """1 + 5 |H| / max |H| with the exact Hessian: u'' and u' / r; (k,) radii -> (k,) densities."""
    _, first, second = profile
    size = lambda r: np.hypot(second(r), np.where(r > 1e-9, first(r) / np.maximum(r, 1e-9), second(r)))  # noqa: E731
    largest = size(np.linspace(0.0, 0.5, 100001)).max()
    return lambda r: 1.0 + STRENGTH * size(r) / largest


def exact_radius(density: Function) -> Function:
    """Where each radius goes: the density's integral up to there is the share of the disk that was inside."""
    r = np.linspace(0.0, 0.5, 400001)
    ring_mass = density(r) * r
    mass = np.concatenate([[0.0], np.cumsum(0.5 * (ring_mass[1:] + ring_mass[:-1]))])
    return lambda radius: np.interp((radius / 0.5) ** 2, mass / mass[-1], r)


def disk_row(name: str, rings: tuple[int, ...] = (14, 27, 54, 108)) -> dict[str, Any]:
    """Distance of the nodes from the exact map under refinement, its order, and the gain beside that of the exact map at about 2304 nodes."""
    profile = RADIAL[name]
    density = radial_density(profile)
    place, function = exact_radius(density), lambda x: profile[0](_radius(x))
    found: dict[str, Any] = {"section": "disk", "levels": []}
    for count in rings:
        mesh = disk_of(count)
        moved = MongeAmpere().move(mesh, FunctionMonitor(lambda x: density(_radius(x))))
        r = _radius(mesh.points)[:, None]
        target = 0.5 + (mesh.points - 0.5) * np.divide(place(r), r, out=np.ones_like(r), where=r > 0.0)
        gap = np.linalg.norm(moved.mesh.points - target, axis=1)
        before = interpolation_error(mesh, function)
        row = {"points": len(gap), "node error rms": float(np.sqrt((gap**2).mean())), "node error max": float(gap.max())}
        row |= {
            "gain": before / interpolation_error(moved.mesh, function),
            "gain of the exact map": before / interpolation_error(mesh.moved(target), function),
        }
        row |= {"outcome": moved.outcome.status, "inverted": int(inverted_cells(mesh, moved.mesh.points).sum()), "seconds": moved.seconds}
        found["levels"].append(row)
    first, last = found["levels"][0], found["levels"][-1]
    return {**found, "order": float(np.log(first["node error rms"] / last["node error rms"]) / np.log(rings[-1] / rings[0]))}


# ---- regions that are not convex

#: Name -> mesh, and middle and radius of the ring.
REGIONS: dict[str, tuple[Callable[[float], Mesh], tuple[float, float], float]] = {
    "L": (l_shape, (0.5, 0.5), 0.25),
    "plate": (plate, (0.5, 0.5), 0.35),
}


def region_row(name: str, width: float, size: float = 1.0 / 48.0) -> dict[str, Any]:
    """The variational mover on a ring that meets the re-entrant corner's sides, or runs round the hole."""
    build, middle, radius = REGIONS[name]
    mesh, function = build(size), ring(width, radius, middle)
    monitor = hessian_monitor(mesh, function(mesh.points), strength=STRENGTH)
    found = moved_row(mesh, function, monitor, MOVERS["variational"])
    return {"section": "region", "points": len(mesh.points), **found, "unevenness before": unevenness(mesh, monitor)}


# ---- cost


def cost_row(mover: str, side: int) -> dict[str, Any]:
    """Seconds of the monitor and of the move on a square of side^2 nodes, ring .05; wall clock and computing time of this process."""
    mesh, function = square(side), FIELDS["ring .05"]
    started = time.perf_counter()
    monitor = hessian_monitor(mesh, function(mesh.points), strength=STRENGTH)
    prepared, cpu = time.perf_counter() - started, time.process_time()
    found = moved_row(mesh, function, monitor, MOVERS[mover])
    return {"section": "cost", "points": side**2, "monitor seconds": prepared, **found, "cpu seconds": time.process_time() - cpu}


#: Solids -> nodes per side that are measured; the last ones have about 1e5 nodes in all.
SPACE = {"cube": (10, 16, 22, 31, 46), "holed cube": (10, 16, 22, 33)}


def space_row(region: str, mover: str, side: int) -> dict[str, Any]:
    """A spherical shell tanh((|x - c| - radius) / 0.05) in a cube, or round the hole of one: gain over the mesh that was given, and cost."""
    mesh, radius = (cube(side), 0.25) if region == "cube" else (holed_cube(side), 0.35)
    function = lambda x: np.tanh((np.linalg.norm(x - 0.5, axis=1) - radius) / 0.05)  # noqa: E731
    monitor, cpu = hessian_monitor(mesh, function(mesh.points), strength=STRENGTH), time.process_time()
    moved = MOVERS[mover].move(mesh, monitor)
    cpu = time.process_time() - cpu
    found = {"section": "space", "points": len(mesh.points), "tetrahedra": len(mesh.cells)}
    found |= {"gain": interpolation_error(mesh, function) / interpolation_error(moved.mesh, function), "outcome": moved.outcome.status}
    found |= {"inverted": int(inverted_cells(mesh, moved.mesh.points).sum()), "detail": moved.outcome.detail}
    return {**found, "steps": moved.steps, "seconds": moved.seconds, "cpu seconds": cpu}


# ---- a finite-element solution on the moved mesh


def _boundary_layer(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """u = exp(-x / 0.03) cos(pi y): value, slopes, minus the Laplacian."""
    e, y = np.exp(-x[:, 0] / 0.03), np.pi * x[:, 1]
    u = e * np.cos(y)
    return u, np.stack([-u / 0.03, -np.pi * e * np.sin(y)], axis=1), (np.pi**2 - 1.0 / 0.03**2) * u


def _interior_layer(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """u = tanh((|x| - 0.7) / 0.04), a quarter of a circle round a corner: value, slopes, minus the Laplacian."""
    r = np.maximum(np.linalg.norm(x, axis=1), 1e-12)
    u = np.tanh((r - 0.7) / 0.04)
    first = (1.0 - u**2) / 0.04
    return u, x * (first / r)[:, None], 2.0 * u * first / 0.04 - first / r


#: Exact solutions of -div grad u = f on the unit square.
LAYERS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]] = {
    "boundary layer": _boundary_layer,
    "interior layer": _interior_layer,
}


def layer_row(name: str, side: int = 48) -> dict[str, Any]:
    """Energy errors of linear elements on the square and on meshes moved by the Hessian of the solution computed there; equal nodes."""
    layer, mesh = LAYERS[name], square(side)
    error, solution = _energy_error(mesh, layer)
    found: dict[str, Any] = {"section": "solve", "points": len(mesh.points), "energy error": error}
    monitor = hessian_monitor(mesh, solution, strength=STRENGTH)
    for key, mover in MOVERS.items():
        moved = mover.move(mesh, monitor)
        after = _energy_error(moved.mesh, layer)[0]
        found[key] = {"energy error": after, "gain": error / after, "inverted": int(inverted_cells(mesh, moved.mesh.points).sum())}
    return found


def _energy_error(mesh: Mesh, layer: Callable) -> tuple[float, np.ndarray]:
    sides = tuple(mesh.patches)
    problem = Diffusion(Space.of(mesh, 1, order=6), dirichlet=sides)
    values = problem.solve(lambda x: layer(x)[2], dirichlet=dict.fromkeys(sides, lambda x: layer(x)[0]))
    return h1_error(problem.space, values, lambda x: layer(x)[1]), problem.space.at_mesh_points(values)
