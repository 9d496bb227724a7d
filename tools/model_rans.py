"""airfoil-rans-surface: surface pressure of sections in turbulent flow, what real RANS solutions differ by from a panel method with displacement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import rans_surface
import studies_rans
from model_recipe import Card, Once, Recipe, Row, Table
from rans_surface import CP, DISPLACED, FOLDS, SEEDS, SIZES, cases, in_physical_units, member, physical
from studies_rans import GAUSSIAN, SHIPPED

from geoop.io.dataset import Dataset
from geoop.mesh.transform import mirrored
from geoop.results.confidence.calibrating import CaseErrors, errors_of, fitted
from geoop.results.confidence.ensemble import Ensemble
from geoop.results.confidence.latent_code import latent_code
from geoop.results.confidence.latent_distance import LatentCloud
from geoop.results.section_solutions import RING_POINTS
from geoop.results.surrogate import Surrogate
from geoop.scaling.envelope import TrainingEnvelope

NAME = "airfoil-rans-surface"


def build(folder: Path) -> Path:
    """Members on all cases, calibrated on what members of the five folds said of the cases that they were not trained on."""
    best = folder / "best.safetensors"
    if not best.exists():
        data = cases(folder)
        records = [record for fold in range(FOLDS) for record in left_out(folder, data, fold)]
        members = [member(folder, seed) for seed in SEEDS]
        # of the cases themselves, without their mirror images: a verdict on ranges of single numbers would take the section of one for the angle of the other
        envelope = TrainingEnvelope.of_descriptors([members[0].framing.describe(case) for k in range(FOLDS) for case in data.cases(f"fold-{k}")])
        ensemble = Ensemble(tuple(replace(in_physical_units(own), envelope=envelope) for own in members))
        source = {"dataset": data.name, "dataset_hash": data.hash, "split": f"all {len(records)} cases, each by members trained on the other folds"}
        calibration = fitted(records, cloud(ensemble.surrogates[0], data, range(FOLDS)), source=source)
        replace(ensemble, calibration=calibration).save(best)
    return best


def left_out(folder: Path, data: Dataset, fold: int) -> list[CaseErrors]:
    """Errors on one fold of members that were trained on the others; distances in the space of their own codes."""
    ensemble = Ensemble(tuple(in_physical_units(member(folder, seed, fold)) for seed in SEEDS))
    known = cloud(ensemble.surrogates[0], data, [k for k in range(FOLDS) if k != fold])
    found = []
    for case in map(physical, data.cases(f"fold-{fold}")):
        result, evidence = next(iter(ensemble.weighed([ensemble.placed(case, surface_only=True)])))
        record = errors_of(result, evidence, case)
        found.append(replace(record, signals={**record.signals, "latent": known.distance(record.code)}))
    return found


def cloud(surrogate: Surrogate, data: Dataset, folds: Iterable[int]) -> LatentCloud:
    """Codes of the cases of some folds and of their mirror images."""
    own = [physical(data.case(name)) for k in folds for name in data.splits[f"fold-{k}"]]
    return LatentCloud.fit([latent_code(surrogate.decoders([seen])[0].latent) for case in own for seen in (case, mirrored(case))])


def measure(surrogate: Surrogate | Ensemble, folder: Path, once: Once) -> None:
    """Rows of the five folds, never of the weights that are shipped, which have seen all cases."""
    studies_rans.rows_of(folder, lambda key, make: once(f"{NAME}/{key.removeprefix('rans/')}", make))


def card(surrogate: Surrogate | Ensemble, rows: Mapping[str, Row]) -> Card:
    """Every number is of the rows."""
    folds = {key.split("/", 2)[2]: row for key, row in rows.items() if key.startswith(f"{NAME}/five folds/")}
    best, stated = folds[SHIPPED], rows[f"{NAME}/stated errors/five folds"]
    heads = [
        "predictor",
        "mean (95 %)",
        "median",
        "fold 0",
        "Cp RMSE by length",
        "better than the GP",
        "Spearman of CL",
        "mean abs. dCL",
        "parameters",
    ]
    table = [
        [
            name,
            f"{r['mean']:.2e} ({r['95 %'][0]:.1e} to {r['95 %'][1]:.1e})",
            f"{r['median']:.1e}",
            f"{r['fold 0']:.2e}",
            f"{r['Cp RMSE by length']:.4f}",
            f"{r['better than the Gaussian process']} of {r['cases']}",
            f"{r['Spearman of CL']:.4f}",
            f"{r['mean |dCL|']:.4f}",
            r["parameters"] or None,
        ]
        for name, r in sorted(folds.items(), key=lambda item: -item[1]["mean"])
    ]
    worst = [[name, f"{error:.1e}"] for name, error in best["worst five"]]
    return Card(
        name=NAME,
        summary="surface pressure of NACA-like sections in fully turbulent flow at Re 2e6..6e6 and -5..15 degrees: a panel method, corrected to RANS",
        errors=f"Cp RMSE {best['Cp RMSE by length']:.3f}, CL {best['mean |dCL|']:.3f} on sections left out (five folds of 100); no drag",
        use='```python\nmodel = geoop.load("airfoil-rans-surface")\npoint = geoop.OperatingPoint(50.0, 4.0, density=1.225, viscosity=1.8e-5)\n'
        'result = model.predict(geoop.Case(geoop.read("section.dat"), point))\nresult["pressure_coefficient"], geoop.forces(result).CL\n```',
        inputs="A section (any points, one closed outline, sharp or blunt trailing edge) and an operating point with a viscosity. The section is put on a ring of "
        f"{RING_POINTS} points that ends 0.001 chords ahead of the trailing edge, a blunt edge closed over the last 5 % of the chord (the notes of the mesh say so). "
        "geoop solves its panel equations, computes the turbulent boundary layer, and solves them again on the body with its displacement thickness; "
        "the networks are given that pressure and answer what RANS differs by.",
        outputs="`pressure_coefficient` on the ring, its spread over the members and its band; CL and CM by the pressure. No friction: `forces` says "
        "`none (pressure only)` for drag. No field around the section.",
        data={
            "source": "AirfRANS (Bonnet, Mazari, Cinnella, Gallinari, arXiv 2212.07564), RANS k-omega SST, incompressible; surface extracted by "
            "sankalpjena/airfoilGNN (arXiv 2503.18638)",
            "cases": f"{best['cases']}; every member holds every {rans_surface.HELD}-th in order of angle for validation, each other ones",
            "divisions": f"{FOLDS} folds, case k of the file in fold k mod {FOLDS}; the shipped weights have seen all cases, the errors below are of others, "
            "trained on four folds in the same way",
        },
        tables=[
            Table(
                f"Normalised mean square error of Cp, {best['cases']} cases, five folds, each predicted by what was trained on the others",
                heads,
                table,
            ),
            Table(f"Worst five cases of the {SHIPPED}: speed, angle, NACA digits", ["case", "its error"], worst),
            Table(
                "Expected errors that the verdict states, by split-conformal prediction (90 %)",
                ["quantity", "bound", "covered, fold by fold"],
                [[q, f"{stated[f'{q}: expected error']:.3g}", f"{100 * stated[f'{q}: covered']:.0f} %"] for q in ("Cp", "CL")],
            ),
        ],
        refuses=[
            "Several bodies, open or crossing outlines, round trailing edges, trailing edges below 3 degrees: an error that says so.",
            "An operating point without viscosity: an error; the Reynolds number matters.",
            "A flow that does not part at the nose (very large angles): an error.",
            "Nothing else: sections, angles and Reynolds numbers beyond the training ranges get the verdict `edge` or `outside`, with the descriptor that decided.",
        ],
        limits=[
            "Fully turbulent, incompressible, steady RANS: no transition, no laminar bubble, no Mach number, no experiment.",
            "Pressure alone: no friction, so no drag; the pressure's part of the drag is no replacement.",
            "At stall (above 12 degrees) errors are several times those of the mean: five cases carry "
            f"{100 * best['share of worst five']:.0f} % of the square error.",
            "The expected errors come from members trained on 80 cases each; the shipped ones had all 100, and may be better, not measured.",
            "A section that is meant to push down (camber below the chord) is beyond the ranges: mirror it and its angle, the answer is the mirror image.",
            "The file of the training data divides a kinematic pressure by a dynamic pressure with density 1.184 (its stagnation points have 0.845, not 1); the "
            "model learned those numbers and its answers are multiplied by 1.184. Tables of Cp errors are in the file's numbers, lift and the stated errors physical.",
            "Trained on NACA sections of four and five digits with sharp trailing edges.",
        ],
        licence="Weights: derived from a database under the Open Database License 1.0 (https://opendatacommons.org/licenses/odbl/1-0/). Contains information from "
        "AirfRANS, made available here under the ODbL; keep this notice with the weights and with whatever is made of them. The file of the surface "
        "pressures is of the repository sankalpjena/airfoilGNN (AGPL-3.0), whose code is not used. No data are part of geoop; recipe and code: geoop's own licence.",
        command=f"tools/make_models {NAME}",
        training={
            "members": f"{len(SEEDS)} of {SIZES}, seeds {SEEDS}; the mean is the answer",
            "prior and input": DISPLACED,
            "learned": CP,
            "control": GAUSSIAN,
        },
    )


RECIPE = Recipe(NAME, build, measure, card)
