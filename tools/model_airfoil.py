"""airfoil-potential: potential flow around any section with a trailing edge, at any angle; data, training, card. tools/make_models airfoil-potential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import studies_airfoil
from model_recipe import Card, Once, Recipe, Row, Table

import geoop
from geoop.models.superposition import Superposition
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope
from geoop.train.fit import FitSettings

NAME = studies_airfoil.NAME
CASES, SEED = 5000, 0
SIZES = {"width": 64}
#: Angles to the chord line beyond this are those of a section taken the other way round [deg].
TURNED = 90.0
SETTINGS = FitSettings(cpu_minutes=18, field_points=128, wall_points=96, wall_weight=1.0, reflect=False, validate_every=3)

_USE = """```python
import geoop

surrogate = geoop.load("airfoil-potential")
section = geoop.read("section.dat")  # or any outline, or a mesh around one
points = [geoop.OperatingPoint(velocity=50.0, alpha=a) for a in range(-6, 17)]
for result in surrogate.predict_many(section, points):  # all angles for the price of one
    print(geoop.forces(result).CL, result.verdict)
result.write("section.vtu")
```

```
geoop predict airfoil-potential section.dat --velocity 50 --alpha 4 -o section.vtu
```"""


def build(folder: Path) -> Path:
    """Data and training, as far as they are missing; and an envelope without the cases whose chord line was found from tail to nose."""
    run, made = folder / "run", folder / "model.safetensors"
    data = geoop.generate("sections-potential", folder / "data", n=CASES, seed=SEED)
    if not (run / "finished").exists():
        resume = (run / "last.ckpt").exists()
        geoop.fit(data, run, model=partial(Superposition, sizes=SIZES), settings=SETTINGS, resume=resume)
        (run / "finished").touch()
    surrogate = geoop.load(run / "best.safetensors")
    assert isinstance(surrogate, Surrogate)
    envelope = surrogate.envelope
    sound = envelope.rows[:, envelope.names.index("alpha_to_chord [deg]")] < TURNED
    return replace(surrogate, envelope=TrainingEnvelope(envelope.names, envelope.rows[sound], envelope.margin)).save(made)


def measure(surrogate: Surrogate, folder: Path, once: Once) -> None:
    studies_airfoil.measure(folder, once, surrogate, folder / "data")


def card(surrogate: Surrogate, rows: Mapping[str, Row]) -> Card:
    """The card, from measured rows alone."""
    real, truth = rows[f"{NAME}/real sections/{NAME}"], rows[f"{NAME}/truth/200 panels beside 400"]
    kinds = {key.rpartition("/")[2]: row for key, row in rows.items() if key.startswith(f"{NAME}/real sections/")}
    smooth, left = rows[f"{NAME}/smoothing/300 real sections"], rows[f"{NAME}/left out/UIUC database"]
    pressure, lift = "Cp relative L2 on the surface, mean [%]", "|dCL|, mean"
    errors = (
        f"{real['sections']} real sections of families never seen, alpha -6..16, against panels: surface Cp {real[pressure]:.2f} %"
        f" (median {real['the same, median']:.2f} %), mean |dCL| {real[lift]:.4f}"
    )
    return Card(
        name=NAME,
        summary="velocity and pressure around an aerofoil section, in the field and on its surface, at any angle of attack: incompressible, inviscid",
        errors=errors,
        use=_USE,
        inputs="One closed outline in the plane, sharp or blunt behind, any unit, place, angle and number of points; a speed and an angle of attack.",
        outputs=(
            "`velocity` and `pressure_coefficient`, at any point. The velocity is linear in the free stream, and Cp = 1 - |u|^2/U^2, both exactly, whatever"
            " the weights. `geoop.forces` gives CL and CM; there is no drag in this flow."
        ),
        data={
            "what": f"geoop generate sections-potential -n {CASES} --seed {SEED}: real sections (UIUC), NACA sections, variants of both; panel method",
            "sections that are left out of the data": ", ".join(
                f"{n} {reason}" for reason, n in left.items() if reason not in ("key", "files", "usable")
            ),
        },
        tables=_tables(rows, kinds, real, smooth, truth),
        refuses=[
            "Open, self-crossing, several or three-dimensional outlines: an InvalidMeshError that says what to do.",
            "A trailing edge below 5 degrees, where the panel method that taught it cannot be trusted, rounded shapes without an edge, thick bodies and"
            " angles beyond -8..18 degrees: they get an answer with the verdict `outside` (or `edge`) and the reason; do not use `outside`.",
            "A viscosity in the operating point has no influence; the verdict says so.",
        ],
        limits=[
            "No stall, no boundary layer, no compressibility: above about 10 degrees real lift is lower.",
            "The suction peak of noses sharper than those of training is rounded off; the worst sections are in the table.",
            "Within 1 % of the chord of a trailing edge the velocity of the panel method itself is uncertain.",
            "On the surface alone a kernel ridge that is told the same linearity in the stream is about level: see the table.",
            "Families are told by names: about 11 of the 300 real sections have relatives in the training under another name (nasasc2-0714 is sc20714).",
        ],
        licence="Weights: Apache-2.0, as geoop. Data: computed by geoop; coordinates of the UIUC airfoil coordinate database as distributed with AeroSandbox"
        " (MIT), terms of the originals not established; none of them is in this file.",
        command=f"tools/make_models {NAME}",
        training={"budget": "in computing time of one core: made again on another machine, the weights are not bit-equal"},
    )


def _tables(rows: Mapping[str, Row], kinds: Mapping[str, Row], real: Row, smooth: Row, truth: Row) -> list[Table]:
    columns = [
        "Cp relative L2 on the surface, mean [%]",
        "the same, median",
        "the same, 95th percentile",
        "|dCL|, mean",
        "|dCL|, median",
        "|dCL|, largest",
    ]
    note = (
        "Smoothing: one spline through the file's points on either side, 400 points on it, blunt bases closed over the last 5 % of the chord. Distance of the"
        f" file's points from that, largest of a section, ahead of the last 5 %: median {smooth['largest distance ahead of 95 % of the chord: median [chords]']:.1e},"
        f" largest {smooth['the same: largest']:.1e} chords; anywhere: median {smooth['largest distance anywhere (a blunt base is closed): median']:.1e},"
        f" largest {smooth['the same: largest ']:.1e}. Errors at the 200 panel nodes; CL against Kutta-Joukowski of the panels."
    )
    order = sorted(kinds, key=lambda name: name != NAME)
    files = rows[f"{NAME}/files as they are/{NAME}"]
    body = [[name, *(kinds[name][c] for c in columns), kinds[name].get("training cases")] for name in order]
    body.append([f"{NAME}, files as they are ({files['sections']} that panels take)", *(files[c] for c in columns), None])
    splits = {key.rpartition("/")[2]: row for key, row in rows.items() if key.startswith(f"{NAME}/splits/")}
    names = [name for name in next(iter(splits.values())) if name != "key"]
    seconds = {key.rpartition("/")[2]: row for key, row in rows.items() if key.startswith(f"{NAME}/speed/")}
    return [
        Table(
            f"{real['sections']} real sections of families never seen, {real['angles']} angles -6..16 degrees, truth: panels",
            ["predictor", *columns, "training cases"],
            body,
            note,
        ),
        Table(
            "The worst ten of them, means over the angles",
            ["section", "Cp [%]", "mean |dCL|", "verdict"],
            real["worst ten: section, Cp [%], |dCL|, verdict"],
            f"Verdicts of all at -6 degrees: {real['verdicts at alpha -6']}; Cp error of those inside: {real['Cp of those inside, mean [%]']:.2f} %."
            f" The truth itself moves by {truth['Cp relative L2, mean [%]']:.2f} % (median {truth['Cp relative L2, median [%]']:.2f} %, |dCL|"
            f" {truth['|dCL|, mean']:.1e}) with twice as many panels, most where the coordinates have a kink in the nose:"
            f" {', '.join(f'{name} {value} %' for name, value in truth['worst ten: section, Cp [%]'])}.",
        ),
        Table(
            "Splits of its data (val and test: sections never seen of known families; ood: unknown families)",
            ["split", *names],
            [[split, *(row[n] for n in names)] for split, row in splits.items()],
        ),
        Table(
            "Seconds, one thread, beside light work (CPU seconds are those of the process)",
            ["what", "seconds", "CPU seconds"],
            [[what, row["seconds"], row["CPU seconds"]] for what, row in seconds.items()],
        ),
    ]


RECIPE = Recipe(NAME, build, measure, card)
