"""body-potential: surface pressure and near field of closed bodies in space, source panels corrected by a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from model_recipe import Card, Once, Recipe, Row, Table

import geoop
from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import write_dataset
from geoop.mesh.case import Case
from geoop.models.enf2enf import Enf2Enf
from geoop.results.panel_correction import INPUTS, LEARNED, PanelCorrection, with_corrections
from geoop.results.panel_scene import PanelScene
from geoop.results.surrogate import Surrogate
from geoop.train.fit import fit
from geoop.train.preparing import Preparation, TrainingData
from geoop.train.samples import Sample
from geoop.train.settings import FitSettings
from geoop.truth.datasets import bodies_3d

NAME = "body-potential"
CASES, SEED = 400, 0
#: No mirror images: the network answers a mirrored body by the mirrored flow.
SETTINGS = FitSettings(cpu_minutes=13, batch=4, field_points=256, wall_points=256, wall_weight=1.5, reflect=False, validate_every=3)
#: A second training that begins with the weights of the first, at half its rates.
SECOND = replace(SETTINGS, cpu_minutes=6.5, rate=1e-3, muon_rate=7.5e-3, seed=1)
PREPARATION = Preparation(frame="bodies", vary_points=1.0, reflect=False, domain_points=64)


def build(folder: Path) -> Path:
    """Data, the panels' flows and the training, as far as they are missing; the path of the model."""
    best = folder / "body-potential.safetensors"
    if not best.exists():
        first = _stage(folder, "run", SETTINGS, None)
        PanelCorrection(_stage(folder, "run2", SECOND, first)).save(best)
    return best


def _stage(folder: Path, name: str, settings: FitSettings, start: Surrogate | None) -> Surrogate:
    """A training, or what one that has ended gave."""
    if (folder / name / "finished").exists():
        return geoop.load(folder / name / "best.safetensors")  # type: ignore[return-value]
    data = against_the_flow(TrainingData.of(panels(folder), LEARNED, INPUTS, PREPARATION, start=start))
    resume = (folder / name / "last.ckpt").exists()
    found = fit(data, folder / name, model=None if start else Enf2Enf, settings=settings, start=start, resume=resume)
    (folder / name / "finished").touch()
    return found


def panels(folder: Path) -> Dataset:
    """bodies-3d with what source panels on the bodies' own faces say of every case, and by how much they are off."""
    data = geoop.generate("bodies-3d", folder / "data", n=CASES, seed=SEED)
    plan = replace(bodies_3d.plan(CASES, SEED), name="bodies-3d-panels")
    return write_dataset(folder / "panels", plan, _maker(data))


def _maker(data: Dataset) -> Callable[[str], Case]:
    """Cases with their corrections; the panels of a geometry are solved once for the cases that follow each other."""
    kept: dict[str, PanelScene] = {}

    def make(name: str) -> Case:
        shape, case = name.rsplit("_", 1)[0], data.case(name)
        if shape not in kept:
            kept.clear()
            kept[shape] = PanelScene.exactly(case)
        return with_corrections(case, kept[shape])

    return make


def against_the_flow(data: TrainingData) -> TrainingData:
    """Samples whose errors count relative to the pressure and the disturbance of the whole flow, not to the correction that is learned."""
    deviation = {q.name: value for q, value in zip(data.normaliser.quantities, data.normaliser.deviation, strict=True)}
    scale = np.array([deviation[LEARNED[1]], *[deviation[LEARNED[0]]] * 3])

    def fixed(sample: Sample) -> Sample:
        return replace(sample, reference=torch.tensor(_sizes(data.dataset.case(sample.name)) / scale, dtype=torch.float32))

    return replace(data, train=[fixed(s) for s in data.train], validation=[fixed(s) for s in data.validation])


def _sizes(case: Case) -> np.ndarray:
    """(2, 4) root mean squares of the pressure, and of a component of the disturbance, in the field and on the wall."""
    point = case.operating_point
    assert point is not None
    wall = np.zeros(len(case.mesh.points), dtype=bool)
    wall[np.unique(case.mesh.patches["wall"].connectivity)] = True
    disturbance = np.linalg.norm(case.field("velocity").values / point.velocity - point.direction(3), axis=1) / np.sqrt(3.0)
    sizes = [(case.field("pressure_coefficient").values, disturbance)]
    return np.array([[np.sqrt((values[part] ** 2).mean()) for values in (sizes[0][0], *[sizes[0][1]] * 3)] for part in (~wall, wall)])


def measure(model: Surrogate, folder: Path, once: Once) -> None:
    import studies_body  # which imports this file

    studies_body.measure(folder, once, model, folder)  # type: ignore[arg-type]


_USE = """```python
import geoop
from geoop import Case, OperatingPoint

body = geoop.read("body.stl", unit="m")  # x backward, y to starboard, z up
result = geoop.load("body-potential").predict(Case(body, OperatingPoint(velocity=30.0, alpha=4.0, beta=0.0)))
print(result.verdict)  # do not use what is "outside"
result["pressure_coefficient"], result.at([[0.0, 1.5, 0.2]])["velocity"]
result.write("body.vtp")
```

```
geoop predict body-potential body.stl --unit m --velocity 30 --alpha 4 -o body.vtp
```"""


def card(model: Surrogate, rows: Mapping[str, Row]) -> Card:
    """The card, from measured rows alone."""
    test, ood = rows[f"{NAME}/test/{NAME}"], rows[f"{NAME}/ood/{NAME}"]
    first = rows[f"{NAME}/after the first training/test"]
    mean, area = "Cp on the surface: mean [%]", "the same by area: mean [%]"
    return Card(
        name=NAME,
        summary="velocity and pressure on and around a closed body in space, wings with lift among them: incompressible, inviscid",
        errors=(
            f"bodies never seen, against panels: surface Cp {test[mean]:.1f} % (median {test['Cp on the surface: median']:.1f} %, by area {test[area]:.1f} %);"
            f" out of distribution {ood[mean]:.1f} %"
        ),
        use=_USE,
        inputs="A closed surface (any triangles or quads, any unit and place), x backward, y to starboard, z up, or a mesh around one; speed, alpha and beta.",
        outputs=(
            "`velocity` and `pressure_coefficient` at the points of the mesh, and anywhere by `result.at`. Constant sources on the faces and, behind sharp edges"
            " that face downstream, a doublet sheet (Hess 1974) are solved on up to 6000 triangles (finer surfaces are coarsened to 4000 first, large faces cut"
            " up); the network adds what they miss: curvature, thin edges, tips. `source panels alone` in the tables is that solution without the network."
        ),
        data={
            "what": f"geoop generate bodies-3d -n {CASES} --seed {SEED}: superellipsoids, car-like bodies, wings with a wake, by panels of second order",
            "cases trained on": "280 of 140 bodies; 40 of 20 for validation, by which the weights were chosen",
            "hash above": "of the data set with the panels' flow beside the labels",
        },
        tables=_tables(rows),
        refuses=[
            "Plane meshes, clouds without faces, surfaces without area, a Mach number, no operating point: an error that says what to do.",
            "Open surfaces, several bodies, shapes and angles unlike the training's, and triangles through which more than 3 % of the stream leaks (sharp-edged"
            " boxes; thin edges whose two sides are cut differently): an answer with the verdict `outside` and the reason; do not use it.",
        ],
        limits=[
            "No separation and no boundary layer: the base of a car, stall and drag are not in it. The ground is not there either.",
            "A wing of more than 6000 triangles is coarsened; then its two sides no longer match at the trailing edge, and the verdict is `outside`. Export wings"
            " coarser, with the same points on both sides.",
            "The verdict also looks at the network's state, which depends on how fine a surface is: training bodies have about 1500 vertices, and one of 600 may"
            " be called `outside` although its pressure is good.",
            "Errors of wings sit at their tips, where the labels themselves are least sure (see the table of labels).",
        ],
        licence="Weights: Apache-2.0, as geoop. Data: computed by geoop, CC0-1.0.",
        command=f"tools/make_models {NAME}",
        training={
            "two trainings": f"the first with {SETTINGS.cpu_minutes:g} CPU-minutes from random weights, the second, whose settings these are, with its weights",
            "after the first": f"test {first[mean]:.2f} %, validation {rows[f'{NAME}/after the first training/val'][mean]:.2f} % (surface Cp, mean)",
        },
    )


def _tables(rows: Mapping[str, Row]) -> list[Table]:
    def split(name: str, title: str) -> Table:
        found = {key.rpartition("/")[2]: row for key, row in rows.items() if key.startswith(f"{NAME}/{name}/")}
        columns = [key for key in found[NAME] if key != "key" and "velocity" not in key]
        columns += [key for key in found[NAME] if "velocity" in key and "median" not in key]
        return Table(title, ["predictor", *columns], [[who, *(row.get(c) for c in columns)] for who, row in found.items()])

    def plain(name: str, title: str, note: str = "") -> Table:
        found = {key.rpartition("/")[2]: row for key, row in rows.items() if key.startswith(f"{NAME}/{name}/")}
        columns = [key for key in next(iter(found.values())) if key != "key"]
        return Table(title, ["", *columns], [[who, *(row.get(c) for c in columns)] for who, row in found.items()], note)

    floor = "Wings: on twice the strips. Others: four times the panels. No model trained on these labels can be shown to be better than they are."
    return [
        split("test", "Test split: bodies of the training's laws never seen; relative L2 over vertices [%]"),
        split("ood", "Split ood: sharper superellipsoids, longer cars with higher cabins, slenderer wings with more sweep"),
        split("val", "Validation split, by which the model was chosen"),
        plain("exact", "Bodies whose flow is known in closed form, stream along x"),
        plain("labels", "Labels of test bodies against finer panels", floor),
        plain("leak", "Flow through the panels [free streams]"),
        plain("speed", "CPU seconds, one thread"),
    ]


RECIPE = Recipe(NAME, build, measure, card)
