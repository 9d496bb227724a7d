"""body-potential against the panels of its data, and beside its controls: panels alone, the nearest shape, Gaussian processes that know the parameters."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import model_body
import numpy as np
from scipy.spatial import cKDTree

import geoop
import geoop.mesh.body
from geoop.io.dataset import Dataset
from geoop.mesh.bodies import superellipsoid
from geoop.mesh.case import Case
from geoop.mesh.operating_point import OperatingPoint
from geoop.results.metrics import relative_l2
from geoop.results.panel_correction import LEARNED, PanelCorrection
from geoop.results.panel_scene import PanelScene
from geoop.truth.datasets import bodies_3d
from geoop.truth.panels3d.source_panels import SourcePanels
from geoop.truth.panels3d.system import PanelSystem

NAME = model_body.NAME
Row = dict[str, Any]
Once = Callable[[str, Callable[[], Row]], Row]
#: Case -> Cp on the wall and the velocity over that of the stream in the field (None where a control gives none).
Predictor = Callable[[Case], tuple[np.ndarray, np.ndarray | None]]
MOTORBIKE = Path(__file__).resolve().parents[2] / "shared" / "data" / "geometry" / "motorBike.obj.gz"
#: Test bodies whose labels are compared with finer panels.
FLOOR = 2


def measure(output: Path, once: Once, model: PanelCorrection | None = None, folder: Path | None = None) -> None:
    """All rows; the model and its data are those of the package and of tools/make_models unless given."""
    model = geoop.load(NAME) if model is None else model  # type: ignore[assignment]
    assert isinstance(model, PanelCorrection)
    data = model_body.panels(folder or output.parent / "models" / NAME)
    fitted = lru_cache(lambda kind: kind(data))  # the controls are made once, and only where a row is missing
    for split in ("test", "ood", "val"):
        once(f"{NAME}/{split}/{NAME}", partial(row, data, split, partial(corrected, model)))
        run = (folder or output.parent / "models" / NAME) / "run" / "best.safetensors"
        once(f"{NAME}/after the first training/{split}", lambda split=split, run=run: first_stage(data, split, run))
        once(f"{NAME}/{split}/source panels alone", partial(row, data, split, panels_alone))
        for name, kind in {"nearest shape": Nearest, "Gaussian process on modes, given family and parameters": Processes}.items():
            if split != "val":
                once(f"{NAME}/{split}/{name}", lambda split=split, kind=kind: row(data, split, fitted(kind)))
    for name, make in EXACT.items():
        once(f"{NAME}/exact/{name}", partial(exact_row, model, make))
    once(f"{NAME}/leak/validation bodies", partial(leaks, data))
    once("body/what it is not to be used for/motorbike", partial(motorbike, model))
    once(f"{NAME}/speed/prediction", partial(seconds, model, data))
    for family in bodies_3d.FAMILIES:
        once(f"{NAME}/labels/{family}", partial(floor, data, family))


def first_stage(data: Dataset, split: str, run: Path) -> Row:
    """Errors of the weights that the second training began with."""
    return row(data, split, partial(corrected, PanelCorrection(geoop.load(run))))  # type: ignore[arg-type]


def corrected(model: PanelCorrection, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """As :meth:`PanelCorrection.predict`, from the panels that the data set keeps: the same numbers in a third of the time."""
    point, wall = case.operating_point, on_wall(case)
    assert point is not None
    names = ("panel_pressure_coefficient",)
    given = Case(case.mesh, point, wall=("wall",), name=case.name).with_fields(*(case.fields[name] for name in names))
    found = model.surrogate.predict(given)
    # the panels' velocity is the true one without what it is off by
    velocity = case.field("velocity").values / point.velocity - case.field(LEARNED[0]).values + found[LEARNED[0]]
    return np.minimum(case.field(names[0]).values + found[LEARNED[1]], 1.0)[wall], velocity[~wall]


def panels_alone(case: Case) -> tuple[np.ndarray, np.ndarray]:
    wall, point = on_wall(case), case.operating_point
    assert point is not None
    velocity = case.field("velocity").values / point.velocity - case.field(LEARNED[0]).values
    return case.field("panel_pressure_coefficient").values[wall], velocity[~wall]


class Nearest:
    """The training case with the nearest parameters in their deviations, of the same family: its Cp at the same vertex."""

    def __init__(self, data: Dataset) -> None:
        self.families = {}
        for family, names in by_family(data, "train").items():
            rows = np.array([numbers(name) for name in names])
            self.families[family] = rows.std(axis=0), cKDTree(rows / rows.std(axis=0)), [wall_pressure(data.case(name)) for name in names]

    def __call__(self, case: Case) -> tuple[np.ndarray, None]:
        deviation, tree, pressures = self.families[family_of(case.name)]
        return pressures[int(tree.query(numbers(case.name) / deviation)[1])], None


class Processes:
    """For each family Gaussian processes from the parameters of its law and the angles to the first modes of Cp at the vertices, which correspond."""

    def __init__(self, data: Dataset, modes: int = 16) -> None:
        from sklearn.decomposition import PCA
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, WhiteKernel

        self.families = {}
        for family, names in by_family(data, "train").items():
            rows = np.array([numbers(name) for name in names])
            mean, deviation = rows.mean(axis=0), rows.std(axis=0)
            pca = PCA(modes, random_state=0).fit(np.array([wall_pressure(data.case(name)) for name in names]))
            values = pca.transform(np.array([wall_pressure(data.case(name)) for name in names]))
            kernel = RBF(np.full(rows.shape[1], 3.0), (0.3, 100.0)) + WhiteKernel(1e-3, (1e-6, 1.0))
            processes = [
                GaussianProcessRegressor(kernel, normalize_y=True, random_state=0).fit((rows - mean) / deviation, column) for column in values.T
            ]
            self.families[family] = mean, deviation, pca, processes

    def __call__(self, case: Case) -> tuple[np.ndarray, None]:
        mean, deviation, pca, processes = self.families[family_of(case.name)]
        row = (numbers(case.name) - mean)[None] / deviation
        return pca.inverse_transform(np.array([[process.predict(row)[0] for process in processes]]))[0], None


def row(data: Dataset, split: str, predict: Predictor) -> Row:
    """Errors of a predictor over the cases of a split [%]."""
    started, found = time.process_time(), []
    for case in data.cases(split):
        wall, point = on_wall(case), case.operating_point
        assert point is not None
        truth, area = case.field("pressure_coefficient").values[wall], case.field("quadrature_weight").values[wall]
        pressure, velocity = predict(case)
        errors = [relative_l2(pressure, truth), relative_l2(pressure, truth, area), np.nan]
        if velocity is not None:
            errors[2] = relative_l2(velocity, case.field("velocity").values[~wall] / point.velocity, offset=point.direction(3))
        found.append((family_of(case.name), *(100 * e for e in errors)))
    used = time.process_time() - started
    values = np.array([item[1:] for item in found])
    out: Row = {"cases": len(found)}
    for k, title in enumerate(("Cp on the surface", "the same by area", "velocity in the field, of the disturbance")):
        column = values[:, k]
        if np.isfinite(column).all():
            out |= {f"{title}: mean [%]": round(float(column.mean()), 2), f"{title}: median": round(float(np.median(column)), 2)}
            for family in bodies_3d.FAMILIES:
                own = column[[item[0] == family for item in found]]
                out |= {f"{title}: {family}, mean": round(float(own.mean()), 2), f"{title}: {family}, median": round(float(np.median(own)), 2)}
    return out | {"CPU seconds per case": round(used / len(found), 2)}


def exact_row(model: PanelCorrection, make: Callable[[], tuple[geoop.Mesh, np.ndarray]]) -> Row:
    """Cp on a body whose flow along x is known in closed form [%]."""
    mesh, truth = make()
    point = OperatingPoint(30.0)
    result = model.predict(Case(mesh, point))
    scene = PanelScene.of(Case(mesh, point))
    alone = scene.at_given(1.0 - (scene.velocity(point) ** 2).sum(axis=1) / point.velocity**2)
    return {
        "vertices": len(mesh.points),
        "panels": len(scene.panels.centers),
        "Cp [%]": round(100 * relative_l2(result["pressure_coefficient"], truth), 2),
        "source panels alone": round(100 * relative_l2(alone, truth), 2),
        "verdict": str(result.verdict.level),
    }


def _ellipsoid(axes: tuple[float, float, float], n: int) -> tuple[geoop.Mesh, np.ndarray]:
    """A spheroid (b = c) in a stream along its axis: Cp = 1 - (1 + k)^2 (1 - n_x^2) with the added mass k (Lamb, Hydrodynamics, section 114)."""
    mesh = superellipsoid(axes, 1.0, 1.0, n)
    normal = mesh.points / np.array(axes) ** 2
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    e = np.sqrt(1.0 - (axes[1] / axes[0]) ** 2)
    first = 2.0 * (1.0 - e**2) / e**3 * (np.arctanh(e) - e) if e > 0 else 2.0 / 3.0
    return mesh, 1.0 - (1.0 + first / (2.0 - first)) ** 2 * (1.0 - normal[:, 0] ** 2)


EXACT = {
    "spheroid 3 : 1, 1538 vertices": partial(_ellipsoid, (1.5, 0.5, 0.5), 16),
    "spheroid 2 : 1, 866 vertices": partial(_ellipsoid, (1.0, 0.5, 0.5), 12),
    "spheroid 2 : 1, 38402 vertices": partial(_ellipsoid, (1.0, 0.5, 0.5), 80),
    "sphere, 866 vertices": partial(_ellipsoid, (0.5, 0.5, 0.5), 12),
}


def leaks(data: Dataset) -> Row:
    """Flow through the panels beside their centroids, in free streams: from 0.03 on the verdict is outside."""
    found = {}
    for name in data.splits["val"][::2]:
        case = data.case(name)
        assert case.operating_point is not None
        direction = case.operating_point.direction(3)
        leak = SourcePanels.of(geoop.mesh.body.body(case.mesh, ("wall",))).leak()
        found.setdefault(family_of(name), []).append(float(np.sqrt(direction @ leak @ direction)))
    return {f"{family}, largest of {len(values)}": round(max(values), 4) for family, values in found.items()}


def motorbike(model: PanelCorrection) -> Row:
    """What is said of an open surface of many parts that is coarsened: its leak, and the verdict."""
    case = Case(geoop.read(MOTORBIKE, unit="m"), OperatingPoint(20.0))
    scene = PanelScene.of(case, surface_only=True)
    assert case.operating_point is not None
    return {
        "triangles in the file": len(case.mesh.cells),
        "part of the stream through the faces": round(scene.leak(case.operating_point), 3),
        "verdict": model.predict(case, surface_only=True).verdict.level,
    }


def seconds(model: PanelCorrection, data: Dataset) -> Row:
    """CPU seconds of one prediction, and of the panels of the data set beside it."""
    case = data.case(next(name for name in data.splits["test"] if family_of(name) == "wing"))
    bare = Case(case.mesh, case.operating_point, wall=("wall",), name=case.name)

    def taken(call: Callable[[], object]) -> float:
        started = time.process_time()
        call()
        return round(time.process_time() - started, 2)

    body = geoop.mesh.body.body(case.mesh, ("wall",))
    values = bodies_3d.drawn(model_body.SEED, shape_of(case.name))
    fine, edge = bodies_3d.shape_of(values, strips=bodies_3d.STRIPS_SOLVED)
    return {
        "geometry": f"wing, {len(body.points)} vertices and {len(case.mesh.points) - len(body.points)} field points",
        "source panels": taken(lambda: SourcePanels.of(body)),
        "first prediction, panels and field included": taken(lambda: model.predict(bare)),
        "another angle": taken(lambda: model.predict(bare)),
        "panels of the labels, solved": taken(lambda: PanelSystem(fine, trailing_edge=edge)),
    }


def floor(data: Dataset, family: str) -> Row:
    """Cp of the labels against finer panels at the same vertices [%], test bodies: twice the divisions, or twice the strips of a wing's labels."""
    found = []
    for name in dict.fromkeys(shape_of(name) for name in by_family(data, "test")[family]):
        if len(found) == FLOOR:
            break
        case = data.case(f"{name}_01")
        wall, values = on_wall(case), bodies_3d.drawn(model_body.SEED, name)
        wing = family == "wing"
        mesh, edge = bodies_3d.shape_of(values, refine=1 if wing else 2, strips=2 * bodies_3d.STRIPS_SOLVED if wing else 1)
        system = PanelSystem(mesh, trailing_edge=edge)
        assert case.operating_point is not None
        velocity = system.surface_velocity(case.mesh.points[wall], [case.operating_point])
        if wing:
            bodies_3d.beside_edge(velocity, bodies_3d.shape_of(values)[1])  # type: ignore[arg-type]
        fine = 1.0 - (velocity[0] ** 2).sum(axis=1) / case.operating_point.velocity**2
        area = case.field("quadrature_weight").values[wall]
        truth = case.field("pressure_coefficient").values[wall]
        found.append((100 * relative_l2(truth, fine), 100 * relative_l2(truth, fine, area)))
    mean = np.mean(found, axis=0)
    return {"bodies": len(found), "Cp on the surface: mean [%]": round(float(mean[0]), 2), "the same by area: mean [%]": round(float(mean[1]), 2)}


def on_wall(case: Case) -> np.ndarray:
    """(n,) which points lie on the body."""
    found = np.zeros(len(case.mesh.points), dtype=bool)
    found[np.unique(case.mesh.patches["wall"].connectivity)] = True
    return found


def wall_pressure(case: Case) -> np.ndarray:
    return case.field("pressure_coefficient").values[on_wall(case)]


def shape_of(name: str) -> str:
    return name.rsplit("_", 1)[0]


@lru_cache(maxsize=4096)
def family_of(name: str) -> str:
    return bodies_3d.drawn(model_body.SEED, shape_of(name))["family"]


def numbers(name: str) -> np.ndarray:
    """The parameters of a case: of its shape's law, and both angles."""
    values = {**bodies_3d.drawn(model_body.SEED, shape_of(name)), **bodies_3d.drawn_flow(model_body.SEED, name)}
    return np.array([value for key, value in values.items() if key != "family"])


def by_family(data: Dataset, split: str) -> dict[str, list[str]]:
    """Family -> names of its cases."""
    return {family: [name for name in data.splits[split] if family_of(name) == family] for family in bodies_3d.FAMILIES}
