"""Schwarz stitching: exact and learned local operators on shapes that nobody trained on, beside a sparse direct solve; resumable.

Rows are kept under out/schwarz. The first column of the learned tables is wall time over that of one sparse direct solve: what is sold is geometry transfer
and bounded memory, not speed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from kept_rows import keep, rows
from rich.console import Console
from rich.progress import track
from schwarz_noise import SHARES, plateau
from schwarz_problems import LAWS, PROBLEMS, SHAPES, imposed, shape
from schwarz_stages import CONTROLS, control, stages
from schwarz_tables import report
from schwarz_training import local_errors, trained

from geoop.interfaces.local import LocalSolver
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.results.local_surrogate import LocalSurrogate
from geoop.results.surrogate import Surrogate
from geoop.solve.equations import Diffusion, Equation
from geoop.solve.schwarz.iteration import Schwarz
from geoop.solve.schwarz.settings import SchwarzSettings
from geoop.solve.schwarz.windows import following

ROOT = Path(__file__).resolve().parent.parent
MEASURED = Path(__file__).resolve().parent / "measured" / "schwarz.json"
OUTPUT = ROOT / "out" / "schwarz"
PARTS, OVERLAP = 12, 2
#: Data sets that the direct network, and the least error of a longer run, are measured on.
DIRECT, LONGER = 5, 10
#: The network on the whole at once.
WHOLE = SchwarzSettings(parts=1, sweeps=1, fallback=False)
#: Rules of METHODS B.6: name -> settings.
RULES: dict[str, dict[str, Any]] = {
    "additive, 0.1": {"rule": "additive", "relaxation": 0.1},
    "additive, 1/t": {"rule": "additive"},
    "averaged": {"rule": "restricted"},
    "multiplicative": {"rule": "multiplicative"},
    "averaged, coarse constants": {"rule": "restricted", "coarse": "constants"},
    "averaged, spectral coarse space": {"rule": "restricted", "coarse": "spectral"},
    "Robin": {"rule": "restricted", "blend": "owner", "transmission": "robin"},
}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmark schwarz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sections = {
        "exact": exact,
        "scaling": scaling,
        "noise": noise,
        "learned": learned,
        "time": timed,
        "large": large,
        "smooth": smooth,
        "holed": holed,
        "space": space,
        "controls": controls,
        "online": further,
    }
    parser.add_argument("--sections", nargs="*", default=list(sections), choices=list(sections))
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS), help="equations of the section 'learned'")
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--laws", nargs="*", default=list(LAWS), choices=list(LAWS), help="kinds of boundary data of the section 'learned'")
    parser.add_argument("--cpu-minutes", type=float, default=10.0, help="computing time of the training of each local operator")
    parser.add_argument("--cases", type=int, default=100, help="boundary data per shape")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with holed_poisson")
    parser.add_argument("--report", action="store_true", help="only print the tables of what was measured")
    given = parser.parse_args(arguments)
    if not given.report:
        for name in given.sections:
            sections[name](given)
    report(rows(MEASURED, OUTPUT / "rows"), Console())


def once(key: str, measure: Callable[[], dict[str, Any]]) -> None:
    """Measure a row unless it is there."""
    if key not in rows(MEASURED, OUTPUT / "rows"):
        keep(OUTPUT / "rows", {"key": key, **measure()})


def operator(name: str, given: argparse.Namespace) -> Surrogate:
    """The local operator of an equation, with a row of its errors on unseen polygons."""
    surrogate = trained(name, OUTPUT, given.cpu_minutes)

    def measure() -> dict[str, Any]:
        about = surrogate.about
        sizes = {"parameters": sum(p.numel() for p in surrogate.model.parameters()), "cpu_minutes": given.cpu_minutes}
        return {"section": "local", "problem": name, **sizes, "epochs": about["epochs"], "errors": local_errors(name, surrogate, OUTPUT)}

    once(f"local/{name}/cpu{given.cpu_minutes:g}", measure)
    return surrogate


# ---- exact local solves


def exact(given: argparse.Namespace) -> None:
    """Sweeps to 2 % and 0.1 % by every rule, and how far from the global solution they end."""
    for name in ("a", "b", "c"):
        for rule, settings in RULES.items():
            for overlap in (1, 2):
                once(f"exact/{name}/{rule}/overlap{overlap}", lambda n=name, s=settings, o=overlap: _counted(n, s, o))


def _counted(name: str, settings: dict[str, Any], overlap: int) -> dict[str, Any]:
    case = PROBLEMS["laplace"].draw(np.random.default_rng(0), shape(name), "white")
    given = SchwarzSettings(**{"parts": 10, "overlap": overlap, "coarse": None, "sweeps": 6000, "tolerance": 1e-11, **settings})
    iteration = Schwarz(case, Diffusion(), None, given)
    result, truth = iteration.solve(), iteration.problem.solve()
    found = {"section": "exact", "points": len(truth), "parts": len(iteration.decomposition), "share": iteration.decomposition.most}
    found |= {f"to {share:g}": sweeps_to(iteration, truth, share, result.relaxation) for share in (0.02, 0.001)}
    return {**found, "error": float(np.abs(result.u - truth).max() / np.abs(truth).max()), "sweeps": result.sweeps}


def sweeps_to(iteration: Schwarz, truth: np.ndarray, share: float, relaxation: float = 1.0, most: int = 6000) -> int:
    """Sweeps until the relative L2 error is below a share."""
    u = iteration.problem.start()
    for k in range(most):
        u = iteration.sweep(u, relaxation)
        if np.linalg.norm(u - truth) <= share * np.linalg.norm(truth):
            return k + 1
    return most


def scaling(given: argparse.Namespace) -> None:
    """Parts of 24 x 24 nodes, one layer of overlap, error 1e-6: sweeps and GMRES steps (to 1e-7) with and without a coarse space."""
    for per_side in (2, 4, 8):
        for coarse in (None, "constants", "spectral"):
            once(f"scaling/{per_side**2}/{coarse}", lambda k=per_side, c=coarse: _scaled(k, c))


def _scaled(per_side: int, coarse: Any) -> dict[str, Any]:
    mesh = square(24 * per_side)
    case = Case(mesh, None, {}, imposed(mesh, "wall", np.random.default_rng(0).random(len(mesh.patch_points("wall")))))
    settings = SchwarzSettings(parts=per_side**2, overlap=1, coarse=coarse, sweeps=3000)
    iteration = Schwarz(case, Diffusion(), None, settings)
    truth = iteration.problem.solve()
    krylov = Schwarz(case, Diffusion(), None, replace(settings, acceleration="gmres", tolerance=1e-7)).solve()
    return {"section": "scaling", "parts": per_side**2, "points": len(truth), "sweeps": sweeps_to(iteration, truth, 1e-6), "gmres": krylov.sweeps}


def square(n: int) -> Mesh:
    """The unit square in 2 n^2 triangles, patch ``wall``."""
    x = np.linspace(0.0, 1.0, n + 1)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    i = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], axis=-1).reshape(-1, 4)
    ring = np.concatenate([i[:-1, 0], i[-1, :-1], i[:0:-1, -1], i[0, :0:-1]])
    wall = Cells.of(line=np.stack([ring, np.roll(ring, -1)], axis=1))
    return Mesh(points, Cells.of(triangle=np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])), {"wall": wall}, name="square")


def noise(given: argparse.Namespace) -> None:
    """Where the error of exact answers with noise comes to rest."""
    for name in ("a", "b", "c"):
        for rule in ("additive", "averaged"):
            for share in SHARES:
                once(f"noise/{name}/{rule}/{share:g}", lambda n=name, r=rule, c=share: plateau(n, r, c))


# ---- learned local operators


def learned(given: argparse.Namespace) -> None:
    """Every equation on every shape: stitched, and the same network on the whole at once."""
    for name in given.problems:
        surrogate = operator(name, given)
        for law in (law for law in PROBLEMS[name].laws if law in given.laws):
            for target in given.shapes:
                once(
                    f"learned/{name}/{law}/{target}/cpu{given.cpu_minutes:g}",
                    lambda n=name, w=law, t=target, s=surrogate: _stitched(n, s, t, w, given.cases),
                )


def _stitched(name: str, surrogate: Surrogate, target: str, law: str, count: int, scale: float = 1.0, parts: int = PARTS) -> dict[str, Any]:
    """Means over data sets; seconds are medians of one solve, preparation beside."""
    problem, mesh = PROBLEMS[name], shape(target, scale)
    found: dict[str, list[float]] = {
        key: [] for key in ("error", "varied", "direct", "best", "sweeps", "seconds", "preparation", "fem", "mean", "repaired", "factor")
    }
    random = np.random.default_rng(1)
    stitched, direct = (Prepared(problem.equation, LocalSurrogate(surrogate), settings) for settings in (SchwarzSettings(parts, OVERLAP), WHOLE))
    for k in track(range(count), f"{name}, {law}, {target}"):
        case = problem.draw(random, mesh, law)
        one = _marched(problem, case, stitched, best=k < LONGER)
        for key, value in one.items():
            found[key].append(value)
        if k < DIRECT and scale <= 3.0:  # the network on all of a larger domain has too many pairs of points
            found["direct"].append(_marched(problem, case, direct)["error"])
    means = {key: float(np.mean(item)) for key, item in found.items() if item}
    middle = {
        "seconds": float(np.median(found["seconds"])),
        "fem": float(np.median(found["fem"])),
        "preparation": float(np.max(found["preparation"])),
    }
    spread = {"deviation": float(np.std(found["error"])), "most sweeps": float(np.max(found["sweeps"])), "median": float(np.median(found["error"]))}
    over = [e / b for e, b in zip(found["error"], found["best"], strict=False)]
    sizes = {"points": len(mesh.points), "cases": count, "parts": parts, "law": law, "problem": name, "shape": target, "scale": scale}
    return {"section": "learned", **sizes, **means, **middle, **spread, "over best": float(np.max(over)) if over else None}


class Prepared:
    """Iterations of an equation, prepared again only where the geometry or its coefficients are others."""

    def __init__(self, equation: Equation, solver: LocalSolver, settings: SchwarzSettings) -> None:
        self.equation, self.solver, self.settings = equation, solver, settings
        self._last: tuple[Case, Schwarz] | None = None

    def of(self, case: Case) -> tuple[Schwarz, float]:
        """The iteration, and the seconds that its preparation took."""
        begun = time.perf_counter()
        if self._last is None or self._last[0].mesh is not case.mesh or any(name in case.fields for name in self.equation.coefficients):
            made = Schwarz(case, self.equation, self.solver, self.settings)
            made.sweep(made.problem.start(made.first_guess()))  # parts are prepared when they are first asked
            self._last = case, made
        return self._last[1], time.perf_counter() - begun


def _marched(problem: Any, case: Case, prepared: Prepared, best: bool = False) -> dict[str, float]:
    """One solve (of all windows, in time) beside the discrete solution; errors are relative L2 [%]."""
    equation: Equation = problem.equation
    total = {"sweeps": 0.0, "seconds": 0.0, "fem": 0.0, "repaired": 0.0, "preparation": 0.0, "factor": 0.0}
    iteration, total["preparation"] = prepared.of(case)
    exact_case, square_error, square_truth, square_varied, lowest = case, 0.0, 0.0, 0.0, np.inf
    for window in range(problem.windows):
        begun = time.perf_counter()
        reference = equation.discrete(exact_case)
        truth = reference.solve()
        total["fem"] += time.perf_counter() - begun
        result = iteration.solve(case)
        square_error += float(((result.u - truth) ** 2).sum())
        square_truth += float((truth**2).sum())
        square_varied += float(((truth - truth[reference.free].mean())[reference.free] ** 2).sum())
        total["sweeps"] = max(total["sweeps"], result.sweeps)
        total["seconds"] += result.seconds
        total["repaired"] += len(result.repaired)
        total["factor"] = max(total["factor"], result.contraction.factor if result.contraction else 0.0)
        if best and window == 0 and problem.windows == 1:
            lowest = _lowest(iteration, truth, 3 * len(result.history))
        if window + 1 < problem.windows:
            case, exact_case = (following(item, equation, reference.nodes, u) for item, u in ((case, result.u), (exact_case, truth)))
    total["error"] = 100 * np.sqrt(square_error / square_truth)
    total["varied"] = 100 * np.sqrt(square_error / square_varied)
    guess = np.where(reference.free, truth[reference.fixed].mean() if len(reference.fixed) else 0.0, truth)
    total["mean"] = 100 * float(np.linalg.norm(guess - truth) / np.linalg.norm(truth))
    return {**total, **({"best": lowest} if np.isfinite(lowest) else {})}


def _lowest(iteration: Schwarz, truth: np.ndarray, sweeps: int) -> float:
    """The least error [%] of all sweeps of a run three times as long: what only someone who knows the truth could have stopped at."""
    u, lowest = iteration.problem.start(iteration.first_guess()), np.inf
    for _ in range(sweeps):
        u, _ = iteration.settled(u)
        lowest = min(lowest, 100 * float(np.linalg.norm(u - truth) / np.linalg.norm(truth)))
    return lowest


def large(given: argparse.Namespace) -> None:
    """Domains 3 and 10 times as large with 10 and 100 times the parts."""
    surrogate = operator("laplace", given)
    for target in ("a", "b", "c"):
        for scale, parts, cases in ((1.0, PARTS, 20), (3.0, 10 * PARTS, 5), (10.0, 100 * PARTS, 2)):
            for law in ("white", "smooth"):
                key = f"large/{target}/{law}/{scale:g}/cpu{given.cpu_minutes:g}"
                once(key, lambda t=target, w=law, s=scale, p=parts, c=cases: {**_stitched("laplace", surrogate, t, w, c, s, p), "section": "large"})


def timed(given: argparse.Namespace) -> None:
    """Seconds of Laplace on every shape, once prepared and not, stitched and by one direct solve of the whole."""
    solver = LocalSurrogate(operator("laplace", given))
    for target in given.shapes:
        once(f"time/{target}/cpu{given.cpu_minutes:g}", lambda t=target: _timed(solver, t))


def _timed(solver: LocalSolver, target: str, repeats: int = 15) -> dict[str, Any]:
    mesh, random = shape(target), np.random.default_rng(2)
    cases = [PROBLEMS["laplace"].draw(random, mesh, "white") for _ in range(repeats)]
    prepared = Prepared(Diffusion(), solver, SchwarzSettings(PARTS, OVERLAP))
    iteration, preparation = prepared.of(cases[0])
    begun = time.perf_counter()
    problem = Diffusion().discrete(cases[0])
    problem.solve()
    whole = time.perf_counter() - begun
    seconds: dict[str, list[float]] = {"stitched": [], "direct": []}
    for case in cases:
        begun = time.perf_counter()
        problem.driven_by(case).solve()
        seconds["direct"].append(time.perf_counter() - begun)
        seconds["stitched"].append(iteration.solve(case).seconds)
    middle = {key: float(np.median(item)) for key, item in seconds.items()}
    return {"section": "time", "shape": target, "preparation": preparation, "direct with assembly": whole, **middle}


def smooth(given: argparse.Namespace) -> None:
    """Harmonic polynomials Re (x + iy)^k, k to 4, over the extent of the shape: closed forms."""
    solver = LocalSurrogate(operator("laplace", given))
    for target in given.shapes:
        for k in range(5):
            once(f"smooth/{target}/{k}/cpu{given.cpu_minutes:g}", lambda t=target, k=k: _harmonic(solver, t, k))


def _harmonic(solver: LocalSolver, target: str, k: int) -> dict[str, Any]:
    mesh = shape(target)
    at = (mesh.points - mesh.bounds.mean(axis=0)) / (0.5 * np.ptp(mesh.bounds, axis=0).max())
    truth = ((at[:, 0] + 1j * at[:, 1]) ** k).real
    iteration = Schwarz(
        Case(mesh, None, {}, imposed(mesh, "wall", truth[mesh.patch_points("wall")])), Diffusion(), solver, SchwarzSettings(PARTS, OVERLAP)
    )
    result = iteration.solve()
    off = [100 * float(np.linalg.norm(u - truth) / np.linalg.norm(truth)) for u in (result.u, iteration.problem.solve())]
    return {"section": "smooth", "shape": target, "degree": k, "error": off[0], "fem": off[1], "sweeps": result.sweeps}


def holed(given: argparse.Namespace) -> None:
    """Real meshes of others: the Poisson operator against their stored solutions, and certified."""
    solver = LocalSurrogate(operator("poisson", given))
    once(f"holed/cpu{given.cpu_minutes:g}", lambda: _holed(solver, given.data / "holed_poisson"))


def _holed(solver: LocalSolver, folder: Path) -> dict[str, Any]:
    from schwarz_real import holed_cases

    errors, proofs, sweeps, steps, saved = [], [], [], [], []
    for case, stored in track(holed_cases(folder), "holed_poisson"):
        result = Schwarz(case, Diffusion(), solver, SchwarzSettings(PARTS, OVERLAP)).solve()
        proof = Schwarz(case, Diffusion(), solver, SchwarzSettings(PARTS, OVERLAP, certify=1e-8)).solve()
        assert proof.certificate is not None
        errors.append(100 * float(np.linalg.norm(result.u - stored) / np.linalg.norm(stored)))
        proofs.append(float(np.linalg.norm(proof.u - stored) / np.linalg.norm(stored)))
        sweeps.append(result.sweeps)
        steps.append(proof.certificate.steps)
        saved.append(proof.certificate.saved)
    found = {"error": np.mean(errors), "worst": np.max(errors), "certified": np.max(proofs), "sweeps": np.max(sweeps)}
    return {
        "section": "holed",
        "cases": len(errors),
        **{k: float(v) for k, v in found.items()},
        "steps": float(np.mean(steps)),
        "saved": float(np.mean(saved)),
    }


def space(given: argparse.Namespace) -> None:
    """Laplace on more than 1e5 nodes of tetrahedra: stitched with memory bounded by a few parts, and certified."""
    from schwarz_space import measured_in_space

    once(f"space/cpu{given.cpu_minutes:g}", lambda: measured_in_space(OUTPUT, given.cpu_minutes))


def controls(given: argparse.Namespace) -> None:
    """Other networks for two CPU-minutes each, beside the kernel with as much."""
    for kind in CONTROLS:
        once(f"controls/{kind}", lambda k=kind: control(k, OUTPUT, 2.0))


def further(given: argparse.Namespace) -> None:
    """The online stage: two CPU-minutes on what iterations meet, and as long on old data."""
    surrogate = operator("laplace", given)
    once(f"online/cpu{given.cpu_minutes:g}", lambda: stages(OUTPUT, surrogate, 2.0))
