"""The online stage of a local operator: it is trained further on the local problems that Schwarz iterations with it really meet.

Boundary data drawn from a mixture are not what an iteration asks for: its traces are smooth where it has been, have kinks where parts meet, and carry the
operator's own errors. Here they are collected on regions of the caller's choice, labelled with finite elements, and added to the training cases, as data
set aggregation does for policies (S. Ross, G. Gordon, D. Bagnell, AISTATS 2011). The parts are shapes of their own kind, too: cut along edges of cells,
on meshes of several gradings. Measured for Laplace, that was the whole gain: boundary data of the mixture, drawn anew on the same parts, helped as much.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError, ConvergenceError, DatasetError, InvalidMeshError
from ..interfaces.local import LocalData, LocalProblem, LocalSolve, LocalSolver
from ..io.dataset import Dataset
from ..io.dataset_resuming import CASES, StoredCase
from ..io.dataset_writing import DatasetPlan, Outcome, Runner, Store, serially, write_dataset
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.generate.polygons import area_of, random_polygon, random_star
from ..mesh.generate.rings import holds
from ..mesh.generate.triangles import mesh_inside
from ..mesh.mesh import Mesh
from ..mesh.quantity import Field, Quantity
from ..results.local_surrogate import LocalSurrogate
from ..results.surrogate import Surrogate
from ..solve.equations import Equation
from ..solve.schwarz.iteration import Schwarz
from ..solve.schwarz.local_exact import FiniteElementSolver, driven
from ..solve.schwarz.settings import SchwarzSettings
from .fit import fit
from .progress import tracked
from .settings import FitSettings
from .starting import origin

SWEEPS = (1, 2, 4, 8)
_HELD_OUT = 5  # every fifth region's problems are for validation
_ATTEMPTS = 50


def traces(
    solver: LocalSolver, equation: Equation, shapes: Sequence[Case], settings: SchwarzSettings | None = None, *, sweeps: Sequence[int] = SWEEPS
) -> list[Case]:
    """The local problems that iterations with a local operator meet, with their solutions by finite elements.

    The parts are in their own unit boxes and their values in [0, 1] where the equation allows it, exactly as the operator is given them. Iterations run
    plainly, without acceleration or certificate; one that has converged meets no more. Problems whose solution is zero everywhere, and those of an iterate
    that is not finite, teach nothing and are left out.

    Args:
        solver: the operator. An exact solver gives the traces of exact iterates.
        equation: that it solves.
        shapes: whole regions with data, such as :func:`random_regions` with boundary values; never those that the operator is tested on.
        settings: how they are cut and put together; None for the defaults.
        sweeps: numbers of the sweeps, from 1, whose problems are kept.

    Returns:
        cases with the solution as a point field and boundary values on the patches ``dirichlet`` and ``neumann``, named ``met_REGION_NUMBER``: those of one
        region belong to one split.

    Raises:
        ConfigurationError: no regions, no sweeps or numbers below 1; a solver that does not accept what the parts ask for.
    """
    if not shapes or not sweeps or min(sweeps) < 1:
        raise ConfigurationError(f"{len(shapes)} regions, sweeps {list(sweeps)}", where="traces", remedy="give at least one region, sweeps from 1 on")
    s = settings or SchwarzSettings()
    relaxation = s.relaxation or (None if s.rule == "additive" else 1.0)
    s = replace(s, sweeps=max(sweeps), relaxation=relaxation, acceleration="none", certify=None)
    found = []
    for number, shape in enumerate(shapes, start=1):
        recorder = _Recorder(solver, frozenset(sweeps))
        iteration = Schwarz(shape, equation, recorder, s)
        recorder.sweep = 1
        iteration.solve(progress=recorder.next_sweep)
        labelled = _labelled(equation, recorder.met)
        found += [replace(case, name=f"met_{number:04d}_{k:04d}") for k, case in enumerate(labelled, start=1)]
    return found


def online(
    data: Dataset | str | Path,
    run_folder: str | Path,
    start: Surrogate,
    equation: Equation,
    shapes: Sequence[Case],
    *,
    schwarz: SchwarzSettings | None = None,
    settings: FitSettings | None = None,
    rounds: int = 1,
    sweeps: Sequence[int] = SWEEPS,
    replay: int | None = None,
    progress: bool = True,
) -> Surrogate:
    """Train a local operator further on what its own iterations meet.

    Every round iterates with the newest operator on its share of the regions, writes the data set ``run_folder/round-K/cases`` with the training cases so
    far and the problems met (those of every fifth region for validation), and trains from the operator's weights in ``run_folder/round-K/run``.

    Args:
        data: that it was trained on; its splits ``train`` and ``val`` are kept in training, so that nothing is forgotten.
        run_folder: for data sets and runs.
        start: the operator.
        equation: that it solves.
        shapes: regions with data, dealt out to the rounds.
        schwarz: of the iterations.
        settings: of every round's training; None for one minute of computing at a quarter of the usual rates.
        rounds: how many.
        sweeps: see :func:`traces`.
        replay: training cases of ``data`` that are kept, evenly chosen; None for all.
        progress: show bars.

    Returns:
        the operator of the last round, best by the loss on both kinds of validation cases.

    Raises:
        ConfigurationError: fewer regions than rounds, an operator of another kind, or one that is given fields that the problems do not have.
        DatasetError: another data set is in the folder.
    """
    if not 1 <= rounds <= len(shapes):
        raise ConfigurationError(f"{rounds} rounds on {len(shapes)} regions", where="online", remedy="give at least one region per round")
    if replay is not None and replay < 1:
        raise ConfigurationError(f"{replay} cases to replay", where="online", remedy="keep at least one, or None for all")
    data = data if isinstance(data, Dataset) else Dataset.open(data)
    settings = settings or FitSettings(cpu_minutes=1.0, rate=5e-4, muon_rate=4e-3, vary_points=1.0)
    quantities, inputs = [q.name for q in start.normaliser.quantities], [item.name for item in start.framing.functions]
    known = _replayed(data, replay)
    for k in range(1, rounds + 1):
        solver, met = LocalSurrogate(start), []
        for number, shape in enumerate(tracked(list(shapes[k - 1 :: rounds]), f"iterations of round {k}", progress), start=1):
            found = traces(solver, equation, [shape], schwarz, sweeps=sweeps)
            met += [replace(case, name=f"round-{k}_{number:04d}_{case.name.rpartition('_')[2]}") for case in found]
        folder = Path(run_folder) / f"round-{k}"
        known = with_cases(known, folder / "cases", [completed(case, equation, data.units) for case in met], about={"round": k, **origin(start)})
        start = fit(known, folder / "run", quantities=quantities, inputs=inputs, settings=settings, start=start, progress=progress)
    return start


def with_cases(data: Dataset, folder: str | Path, cases: Sequence[Case], *, about: Mapping[str, object] | None = None) -> Dataset:
    """A data set of the training and validation cases of another one and of new cases, those of every fifth region for validation.

    Files of the old cases are linked where the file system can, else copied.

    Args:
        data: the old one.
        folder: for the new one.
        cases: named ``..._REGION_NUMBER``.
        about: for the manifest.

    Raises:
        DatasetError: no new cases, two cases of one name, another data set in the folder.
    """
    made = {case.name: case for case in cases}
    doubled = len(cases) - len(made) + len(made.keys() & data.manifest.cases.keys())
    if not made or doubled:
        raise DatasetError(f"{len(cases)} new cases, {doubled} names twice", where=data.name, remedy="give cases with names of their own")
    regions = list(dict.fromkeys(name.rpartition("_")[0] for name in made))
    later = set(regions[_HELD_OUT - 1 :: _HELD_OUT])
    new = {"train": [n for n in made if n.rpartition("_")[0] not in later], "val": [n for n in made if n.rpartition("_")[0] in later]}
    old = {split: data.splits.get(split, []) for split in new}
    entries = data.manifest.cases
    kept = [name for names in old.values() for name in names]
    plan = DatasetPlan(
        f"{data.name.removesuffix('-online')}-online",
        f"{data.manifest.description} With {len(cases)} local problems that Schwarz iterations met on {len(regions)} regions.",
        {split: (*old[split], *new[split]) for split in new},
        {**data.manifest.generator, "online": {"problems": len(cases), "beside": data.hash, **(about or {})}},
        {name: entries[name].parameters for name in kept if entries[name].parameters},
        {**{name: entries[name].geometry for name in kept if entries[name].geometry}, **{name: name.rpartition("_")[0] for name in made}},
        seed=data.manifest.seed,
        licence=data.manifest.licence,
    )
    return write_dataset(folder, plan, made.__getitem__, run=_beside(data, made))


def completed(case: Case, equation: Equation, units: Mapping[str, str]) -> Case:
    """A local problem with the fields that the cases of a data set have.

    What drives a problem inside may have another name there, and is zero where the iteration had none.

    Args:
        case: from :func:`traces`.
        equation: that it solves.
        units: field name -> unit of the data set.

    Raises:
        ConfigurationError: fields that the problem does not have.
    """
    missing = sorted(set(units) - set(case.fields))
    if not missing:
        return case
    if len(missing) > 1 or (equation.source in case.fields and equation.source in units):
        raise ConfigurationError(
            f"the cases have {missing}, local problems of a {type(equation).__name__} have {sorted(case.fields)}",
            where="online",
            remedy="go on with the data set of that equation",
        )
    name, kind = missing[0], equation.datum(equation.source)
    fields = dict(case.fields)
    given = fields.pop(equation.source, None)
    shape = (len(case.mesh.points), case.mesh.dimension) if kind.rank else (len(case.mesh.points),)
    values = np.zeros(shape) if given is None else given.values
    return replace(case, fields={**fields, name: Field(Quantity(name, kind.symbol, units[name], kind.rank), values)})


def random_regions(random: np.random.Generator, count: int, *, size: float = 0.1, scale: tuple[float, float] = (2.0, 4.0)) -> list[Mesh]:
    """Meshes of regions several boxes large: random stars and polygons, and unions of two of them, with holes where these enclose some.

    Args:
        random: generator.
        count: how many.
        size: longest edge [m].
        scale: smallest and largest side of the box [m] of a single outline.

    Raises:
        ConfigurationError: an argument out of range.
        ConvergenceError: too many regions in a row that cannot be meshed, such as those with necks far thinner than an edge.
    """
    if count < 1 or not 0 < size < scale[0] <= scale[1] < np.inf:
        raise ConfigurationError(
            f"{count} regions of {scale} m with edges of {size} m",
            where="random_regions",
            remedy="edges shorter than the region, for example 0.1 and (2, 4)",
        )
    found: list[Mesh] = []
    failed = 0
    while len(found) < count:
        loops = [_outline(random, size, scale)]
        if random.random() < 0.5:
            way = random.standard_normal(2)
            loops = _union(loops[0], _outline(random, size, scale) + 0.4 * scale[0] * way / np.linalg.norm(way))
        loops = [_spaced(loop, 0.4 * size) for loop in loops]
        loops = [loop for loop in loops if len(loop) > 2 and abs(area_of(loop)) > (3.0 * size) ** 2]
        try:
            found += [mesh_inside(_rings(loops, f"region-{len(found) + 1:04d}"), size=size)] if loops else []
            failed = 0 if loops else failed + 1
        except (InvalidMeshError, ConvergenceError):
            failed += 1
        if failed > _ATTEMPTS:
            raise ConvergenceError(f"{failed} regions in a row could not be meshed", where="random_regions", remedy="take another size or scale")
    return found


class _Recorder:
    """A local solver that keeps what it is asked in some sweeps; sweep 0 is everything before the first."""

    exact = False

    def __init__(self, solver: LocalSolver, sweeps: frozenset[int]) -> None:
        self.solver, self.sweeps, self.accepts = solver, sweeps, solver.accepts
        self.sweep, self.met = 0, []

    def prepare(self, problems: Sequence[LocalProblem]) -> LocalSolve:
        solve = self.solver.prepare(problems)

        def noted(data: Sequence[LocalData]) -> list[np.ndarray]:
            if self.sweep in self.sweeps:
                self.met += zip(problems, data, strict=True)
            return solve(data)

        return noted

    def next_sweep(self, note: object) -> None:
        self.sweep += 1


def _labelled(equation: Equation, met: Sequence[tuple[LocalProblem, LocalData]]) -> Iterator[Case]:
    elements, solvers = FiniteElementSolver(equation), {}
    for problem, data in met:
        if len(problem.free_rim) and data.flux is None:
            vectors = equation.datum(equation.flux).rank
            count = len(problem.free_rim)
            data = replace(data, flux=np.zeros((count, problem.case.mesh.dimension) if vectors else count))
        if not all(np.isfinite(item).all() for item in (data.rim, data.source, data.flux) if item is not None):
            continue
        if id(problem) not in solvers:
            solvers[id(problem)] = elements.prepare([problem])
        solution = np.asarray(solvers[id(problem)]([data])[0])
        if np.abs(solution).max(initial=0.0) > 0.0:
            quantity = replace(equation.quantity, rank=solution.ndim - 1)
            yield driven(equation, problem, data).with_fields(Field(quantity, solution))


def _replayed(data: Dataset, replay: int | None) -> Dataset:
    names = data.splits.get("train", [])
    if replay is None or replay >= len(names):
        return data
    chosen = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, replay).round().astype(int))]
    return data.with_splits({"train": chosen, "val": data.splits.get("val", [])})


def _beside(data: Dataset, made: Mapping[str, Case]) -> Runner:
    """Stores new cases, and takes over the files of old ones."""

    def run(store: Store, folder: Path, groups: Sequence[Sequence[str]]) -> Iterator[Outcome]:
        names = [name for group in groups for name in group]
        (folder / CASES).mkdir(exist_ok=True)
        for name in (name for name in names if name not in made):
            entry = data.manifest.cases[name]
            place = f"{CASES}/{Path(entry.file).name}"
            _linked(data.directory / entry.file, folder / place)
            yield name, StoredCase(replace(entry, file=place), data.units)
        yield from serially(store, folder, [[name for name in names if name in made]])

    return run


def _linked(file: Path, place: Path) -> None:
    place.unlink(missing_ok=True)
    try:
        os.link(file, place)
    except OSError:  # another file system, or one without links
        shutil.copyfile(file, place)


def _outline(random: np.random.Generator, size: float, scale: tuple[float, float]) -> np.ndarray:
    """(n, 2) a star or a polygon."""
    length = scale[0] + (scale[1] - scale[0]) * random.random()
    if random.random() < 0.5:
        return length * random_star(random, max(24, round(np.pi * length / size)))
    return length * random_polygon(random, int(random.integers(4, 10)), clearance=0.15)


def _union(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Loops round what lies in one or both of two counter-clockwise outlines in general position; the first alone where they do not cross."""
    (p, r), (q, s) = ((loop, np.roll(loop, -1, axis=0) - loop) for loop in (a, b))
    across = _cross(r[:, None], s[None])
    away = q[None] - p[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        t, u = _cross(away, s[None]) / across, _cross(away, r[:, None]) / across
    i, j = np.nonzero((t > 0) & (t < 1) & (u > 0) & (u < 1))
    if not len(i):
        return [a]
    points = np.concatenate([a, b, p[i] + t[i, j][:, None] * r[i]])
    shared = len(a) + len(b) + np.arange(len(i))
    after: dict[int, int] = {}
    for loop, other, edge, place, first in ((a, b, i, t[i, j], 0), (b, a, j, u[i, j], len(a))):
        along = np.concatenate([np.arange(len(loop), dtype=np.float64), edge + place])
        order = np.concatenate([first + np.arange(len(loop)), shared])[np.argsort(along)]
        for one, two in zip(order.tolist(), np.roll(order, -1).tolist(), strict=True):
            if not holds(other, 0.5 * (points[one] + points[two])):
                after[one] = two
    loops: list[np.ndarray] = []
    while after:
        way = [next(iter(after))]
        while (following := after.pop(way[-1], None)) is not None and following != way[0]:
            way.append(following)
        loops.append(points[way])
    return loops


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _spaced(loop: np.ndarray, least: float) -> np.ndarray:
    """The loop without points that are nearer to the one before than that."""
    kept = [loop[0]]
    for point in loop[1:]:
        if np.linalg.norm(point - kept[-1]) >= least:
            kept.append(point)
    return np.array(kept[1:] if len(kept) > 1 and np.linalg.norm(kept[0] - kept[-1]) < least else kept)


def _rings(loops: Sequence[np.ndarray], name: str) -> Mesh:
    starts = np.cumsum([0, *(len(loop) for loop in loops)])
    numbers = [start + np.arange(len(loop)) for start, loop in zip(starts, loops, strict=False)]
    lines = Cells.of(line=np.concatenate([np.stack([k, np.roll(k, -1)], axis=1) for k in numbers]))
    return Mesh(np.concatenate(loops), lines, {"wall": lines}, name=name)
