"""The shipped model of sections in potential flow: real sections of families never seen, beside controls; the splits of its data; seconds.

Real sections: coordinates of the UIUC database as :func:`geoop.truth.datasets.uiuc.section` smooths them: read at chord 1, one cubic spline through all points
of either side, 400 points on it at cosines of the arc length, and a blunt base closed over the last 5 % of the chord. How far that is from the points
of the file is a row. Truth is the panel method on the very same points.
"""

from __future__ import annotations

import functools
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import studies_airfoil_linear

import geoop
from geoop.baselines.gaussian_process_modes import GaussianProcessModes
from geoop.baselines.nearest_shape import NearestShape
from geoop.errors import GeoopError
from geoop.mesh.body import body
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.distance import signed_distance
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import ring
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.evaluation import evaluate
from geoop.results.metrics import relative_l2
from geoop.results.surrogate import Surrogate
from geoop.truth.datasets import sections_potential, uiuc
from geoop.truth.datasets.circle_plane import CirclePlane, field_points
from geoop.truth.panels.section_curve import section_curve
from geoop.truth.panels.system import PanelSystem

NAME = "airfoil-potential"
SECTIONS, PANELS = 300, 200
ANGLES = tuple(float(a) for a in range(-6, 17, 2))
Row = dict[str, Any]
#: Of one section at several conditions: what can be asked for its pressure coefficient by name, per condition.
Predict = Callable[[Mesh, Sequence[OperatingPoint]], Sequence[Any]]


def measure(output: Path, once, surrogate: Surrogate | None = None, data: Path | None = None) -> None:
    """Every row; the data set is made in ``output`` unless it is given."""
    model = surrogate or geoop.load(NAME)
    assert isinstance(model, Surrogate)
    once(f"{NAME}/smoothing/300 real sections", smoothing)
    once(f"{NAME}/real sections/{NAME}", lambda: judged(of_surrogate(model), verdicts=verdicts(model)))
    once(f"{NAME}/files as they are/{NAME}", lambda: from_files(model))
    once(f"{NAME}/truth/{PANELS} panels beside {2 * PANELS}", label_error)
    once(f"{NAME}/left out/UIUC database", left_out)
    speed(once, model)
    folder = data or output / "airfoil" / "data"
    dataset = geoop.generate("sections-potential", folder, n=int(model.about.get("cases", 5000)))
    for split in ("val", "test", "ood"):
        once(f"{NAME}/splits/{split}", lambda split=split: split_row(model, dataset, split))
    for name, learn in (("nearest shape, Cp by Bernoulli", nearest), ("Gaussian process on modes, Cp by Bernoulli", process)):
        once(f"{NAME}/real sections/{name}", lambda learn=learn: controlled(learn, dataset))
    once(f"{NAME}/real sections/kernel ridge of the unit streams, surface only", lambda: linear(int(model.about.get("cases", 5000))))


# ---- real sections ------------------------------------------------------------------------------------------------------


def names() -> list[str]:
    """Real sections of families that are held out of the training data, seed 0."""
    return sections_potential.parts(0)["ood"][:SECTIONS]


def points() -> list[OperatingPoint]:
    return [OperatingPoint(60.0, alpha=alpha, reference_length=1.0) for alpha in ANGLES]


def smoothing() -> Row:
    """Distance of the points of the files from the sections that are used [chords]."""
    ahead, all_of_it, blunt = [], [], 0
    for name in names():
        file = _file(name).points
        distance = np.abs(signed_distance(uiuc.section(name), file).distance)
        x = (file[:, 0] - file[:, 0].min()) / np.ptp(file[:, 0])
        ahead.append(distance[x < 1.0 - uiuc.CLOSING].max())
        all_of_it.append(distance.max())
        blunt += distance.max() > 1e-3
    return {
        "sections": len(all_of_it),
        "largest distance ahead of 95 % of the chord: median [chords]": float(np.median(ahead)),
        "the same: largest": float(np.max(ahead)),
        "largest distance anywhere (a blunt base is closed): median": float(np.median(all_of_it)),
        "the same: 95th percentile": float(np.quantile(all_of_it, 0.95)),
        "the same: largest ": float(np.max(all_of_it)),
        "sections moved by more than 1e-3 anywhere": int(blunt),
    }


def from_files(surrogate: Surrogate) -> Row:
    """As a user has it: the coordinates of the file as they are, blunt bases open, beside panels on the same outline, at the file's own points.

    Lift is integrated over the few points of the file, for both alike.
    """
    rows, refused = [], Counter()
    for name in names():
        try:
            mesh = _file(name)
            system = PanelSystem(mesh, PANELS)
            truth = system.surface_velocity(mesh.points, points())
        except GeoopError as error:
            refused["trailing edge below 5 degrees" if "trailing-edge angle" in error.message else error.message.split(";")[0][:60]] += 1
            continue
        for result, velocity, point in zip(surrogate.predict_many(mesh, points(), surface_only=True), truth, points(), strict=True):
            expected = 1.0 - (velocity**2).sum(axis=1) / point.velocity**2
            found = result["pressure_coefficient"]
            gap = lift(mesh, point, found) - lift(mesh, point, expected)
            rows.append(
                (name, point.alpha, relative_l2(found, expected), relative_l2(found, expected, _shares(mesh.points)), gap, result.verdict.level)
            )
    return {**summary(rows), "files that panels refuse": dict(refused)}


def _file(name: str) -> Mesh:
    """A section as its file has it, chord 1."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "section.dat")
        path.write_bytes(uiuc.texts()[name])
        return geoop.read(path, chord=1.0)


def judged(predict: Predict, verdicts: Callable[[Mesh], str] | None = None) -> Row:
    """Errors of a predictor on the real sections at all angles against panels at the same points."""
    rows, started = [], time.process_time()
    for name in names():
        section = uiuc.section(name)
        system = PanelSystem(section, PANELS)
        item = system.bodies[0]
        wall = np.stack([item.ring.real, item.ring.imag], axis=1)
        truth = system.surface_velocity(wall, points())
        mesh = ring(wall, name)
        level = verdicts(mesh) if verdicts else ""
        found = predict(mesh, points())
        for k, point in enumerate(points()):
            expected = 1.0 - (truth[k] ** 2).sum(axis=1) / point.velocity**2
            error = relative_l2(found[k]["pressure_coefficient"], expected)
            weighted = relative_l2(found[k]["pressure_coefficient"], expected, _shares(wall))
            exact = float(system.lift_coefficient([point])[0])
            rows.append((name, point.alpha, error, weighted, lift(mesh, point, found[k]["pressure_coefficient"]) - exact, level))
    return {**summary(rows), "CPU seconds, panels included": round(time.process_time() - started, 1)}


def summary(rows: Sequence[tuple]) -> Row:
    """Means, medians and the worst of (section, alpha, Cp error, the same by arc length, dCL, verdict)."""
    pressure, weighted, lifts = (np.array([row[k] for row in rows]) for k in (2, 3, 4))
    sections = list(dict.fromkeys(row[0] for row in rows))
    mean_of = {name: float(np.mean([row[2] for row in rows if row[0] == name])) for name in sections}
    lift_of = {name: float(np.mean([abs(row[4]) for row in rows if row[0] == name])) for name in sections}
    worst = sorted(sections, key=lambda name: -mean_of[name])[:10]
    levels = Counter(row[5] for row in rows if row[1] == ANGLES[0])
    known = [row for row in rows if row[5] in ("inside", "")]
    return {
        "sections": len(sections),
        "angles": len(ANGLES),
        "Cp relative L2 on the surface, mean [%]": 100 * float(pressure.mean()),
        "the same, median": 100 * float(np.median(pressure)),
        "the same, 95th percentile": 100 * float(np.quantile(pressure, 0.95)),
        "the same, weighted by arc length, mean": 100 * float(weighted.mean()),
        "|dCL|, mean": float(np.abs(lifts).mean()),
        "|dCL|, median": float(np.median(np.abs(lifts))),
        "|dCL|, 95th percentile": float(np.quantile(np.abs(lifts), 0.95)),
        "|dCL|, largest": float(np.abs(lifts).max()),
        "Cp at alpha -6, 4, 16: mean [%]": [round(100 * float(np.mean([row[2] for row in rows if row[1] == a])), 3) for a in (-6.0, 4.0, 16.0)],
        "|dCL| at alpha -6, 4, 16: mean": [round(float(np.mean([abs(row[4]) for row in rows if row[1] == a])), 5) for a in (-6.0, 4.0, 16.0)],
        "verdicts at alpha -6": dict(levels),
        "Cp of those inside, mean [%]": 100 * float(np.mean([row[2] for row in known])) if known else None,
        "worst ten: section, Cp [%], |dCL|, verdict": [
            [name, round(100 * mean_of[name], 2), round(lift_of[name], 4), next(row[5] for row in rows if row[0] == name)] for name in worst
        ],
    }


def label_error() -> Row:
    """What the truth itself is uncertain by: twice as many panels, at the nodes of the fewer."""
    error, lifts = {}, []
    for name in names():
        section = uiuc.section(name)
        coarse, fine = PanelSystem(section, PANELS), PanelSystem(section, 2 * PANELS)
        item = coarse.bodies[0]
        wall = np.stack([item.ring.real, item.ring.imag], axis=1)
        pairs = zip(*(1.0 - (one.surface_velocity(wall, points()) ** 2).sum(axis=2) / 60.0**2 for one in (coarse, fine)), strict=True)
        error[name] = float(np.mean([relative_l2(a, b) for a, b in pairs]))
        lifts.append(np.abs(coarse.lift_coefficient(points()) - fine.lift_coefficient(points())).mean())
    worst = sorted(error, key=lambda name: -error[name])[:10]
    return {
        "Cp relative L2, mean [%]": 100 * float(np.mean(list(error.values()))),
        "Cp relative L2, median [%]": 100 * float(np.median(list(error.values()))),
        "|dCL|, mean": float(np.mean(lifts)),
        "worst ten: section, Cp [%]": [[name, round(100 * error[name], 2)] for name in worst],
    }


def of_surrogate(surrogate: Surrogate) -> Predict:
    return lambda mesh, conditions: surrogate.predict_many(mesh, list(conditions), surface_only=True)


def verdicts(surrogate: Surrogate) -> Callable[[Mesh], str]:
    return lambda mesh: surrogate.predict(Case(mesh, points()[0]), surface_only=True).verdict.level


def lift(mesh: Mesh, point: OperatingPoint, pressure: np.ndarray) -> float:
    """CL of a pressure on a bare section."""
    case = Case(mesh, point, {"pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], pressure)})
    return float(geoop.forces(case, reference_length=1.0).CL)  # type: ignore[arg-type]


def _shares(wall: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(np.roll(wall, -1, axis=0) - wall, axis=1)
    return 0.5 * (length + np.roll(length, 1))


def left_out() -> Row:
    """What of the database is refused before any prediction, with the reasons of its census."""
    reasons = uiuc.excluded()
    return {"files": len(uiuc.texts()), "usable": len(uiuc.candidates()), **dict(Counter(reasons.values()).most_common())}


# ---- controls -----------------------------------------------------------------------------------------------------------


def surfaces(dataset) -> list[Case]:
    """Training cases with a sharp trailing edge as bare surfaces: real and NACA sections."""
    chosen = [name for name in dataset.splits["train"] if not name.startswith("varied-")]
    found = []
    for name in chosen:
        case = dataset.case(name)
        wall = body(case.mesh, case.wall)
        count = len(wall.points)
        velocity = Field(QUANTITIES["velocity"], case.field("velocity").values[:count])
        found.append(Case(ring(wall.points, name), case.operating_point, {"velocity": velocity}, name=name))
    return found


def nearest(dataset):
    cases = surfaces(dataset)
    return NearestShape(shapes=24).fit(cases, ("velocity",)), len(cases)


def process(dataset):
    cases = surfaces(dataset)
    return GaussianProcessModes(shapes=24).fit(cases, ("velocity",)), len(cases)


def controlled(learn, dataset) -> Row:
    started = time.process_time()
    fitted, count = learn(dataset)
    seconds = round(time.process_time() - started, 1)

    def predict(mesh, conditions):
        answers = []
        for point in conditions:
            velocity = np.nan_to_num(fitted.predict(Case(mesh, point))["velocity"].values)
            answers.append({"pressure_coefficient": 1.0 - (velocity**2).sum(axis=1) / point.velocity**2})
        return answers

    return {**judged(predict), "training cases": count, "CPU seconds of training": seconds}


def linear(cases: int) -> Row:
    """The control that is told that potential flow is linear in the stream, as the model is."""
    started = time.process_time()
    ridge, count = studies_airfoil_linear.fitted(cases)
    seconds = round(time.process_time() - started, 1)
    chosen = dict(zip(("modes", "power", "width", "penalty"), ridge.chosen, strict=True))
    return {**judged(ridge.predict), "training cases": count, "CPU seconds of training": seconds, "chosen on validation sections": chosen}


# ---- splits -------------------------------------------------------------------------------------------------------------


def split_row(surrogate: Surrogate, dataset, split: str) -> Row:
    found = evaluate(surrogate, dataset, split)
    error = np.abs(found.lift[:, 1] - found.lift[:, 0])
    fields = {f"{item.quantity}, {item.region}, mean relative L2 [%]": 100 * float(np.mean(item.l2)) for item in found.scores.rows}
    return {"cases": len(error), "|dCL|, mean": float(error.mean()), "|dCL|, median": float(np.median(error)), **fields}


# ---- seconds ------------------------------------------------------------------------------------------------------------


def speed(once, model: Surrogate) -> None:
    """Each beside the panel method on the same machine; wall seconds and computing seconds, as others may use the machine."""
    once(f"{NAME}/speed/one section, 30 angles, 200 wall and 5000 field points: model", lambda: _sweep(_by(model)))
    once(f"{NAME}/speed/one section, 30 angles, 200 wall and 5000 field points: panels", lambda: _sweep(_panels))
    once(f"{NAME}/speed/first result of a new process", _cold)
    once(f"{NAME}/speed/1000 sections, 10 angles, surface and CL: model", lambda: _many(model))
    once(f"{NAME}/speed/1000 sections, 10 angles, surface and CL: panels", lambda: _many(None))


def _timed(work: Callable[[], Any]) -> Row:
    clock, computing = time.perf_counter(), time.process_time()
    work()
    return {"seconds": round(time.perf_counter() - clock, 2), "CPU seconds": round(time.process_time() - computing, 2)}


def _around() -> tuple[Mesh, np.ndarray]:
    """A section with 5000 points around it."""
    section = uiuc.section("clarky") if "clarky" in uiuc.texts() else uiuc.section(names()[0])
    z, _ = field_points((CirclePlane.of(section_curve(section)),), 5000, np.random.default_rng(0))
    field = np.stack([z.real, z.imag], axis=1)
    base = ring(section.points[::2], "section")
    lines, vertices = base.cells, Cells.of(vertex=np.arange(len(base.points), len(base.points) + len(field))[:, None])
    mesh = Mesh(np.concatenate([base.points, field]), Cells.concatenate([lines, vertices]), {"wall": lines}, name="section")
    return mesh, field


def _by(model: Surrogate):
    def work(mesh: Mesh, field: np.ndarray, conditions: list[OperatingPoint]) -> None:
        for result in model.predict_many(mesh, conditions, wall=("wall",)):
            geoop.forces(result, reference_length=1.0)

    return work


def _panels(mesh: Mesh, field: np.ndarray, conditions: list[OperatingPoint]) -> None:
    system = PanelSystem(body(mesh, ("wall",)), PANELS)
    system.surface_velocity(mesh.points[: len(mesh.points) - len(field)], conditions)
    system.velocity(field, conditions)
    system.lift_coefficient(conditions)


def _sweep(work) -> Row:
    mesh, field = _around()
    conditions = [OperatingPoint(60.0, alpha=float(a), reference_length=1.0) for a in np.linspace(-6.0, 16.0, 30)]
    row = _timed(lambda: work(mesh, field, conditions))
    moved = mesh.moved(mesh.points * [1.0, 1.02])  # nothing is kept of another shape, but everything is imported
    return {**_timed(lambda: work(moved, field * [1.0, 1.02], conditions)), "the first time, seconds": row["seconds"]}


def _cold() -> Row:
    """import, load, read a file, predict, forces: a process of its own."""
    program = (
        f"import geoop; s = geoop.load({NAME!r}); m = geoop.read('meshes/naca2412.dat');"
        "r = s.predict(geoop.Case(m, geoop.OperatingPoint(60.0, alpha=4.0)), surface_only=True); print(geoop.forces(r).CL)"
    )
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).resolve().parent.parent, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(time.perf_counter() - clock, 2), "CPU seconds": round(used, 2)}


@functools.cache
def _thousand() -> list[Mesh]:
    """Variants of real sections that no other row sees, on about 200 points each."""
    sections = [sections_potential.outline(1, f"varied-{k:05d}") for k in range(1000)]
    return [ring(section.points[:: max(1, len(section.points) // 200)], section.name) for section in sections]


def _many(model: Surrogate | None) -> Row:
    sections = _thousand()
    conditions = [OperatingPoint(60.0, alpha=float(a), reference_length=1.0) for a in np.linspace(-6.0, 16.0, 10)]

    def work() -> None:
        for section in sections:
            if model is None:
                system = PanelSystem(section, PANELS)
                system.surface_velocity(section.points, conditions)
                system.lift_coefficient(conditions)
            else:
                for result in model.predict_many(section, conditions, surface_only=True):
                    geoop.forces(result, reference_length=1.0)

    return _timed(work)
