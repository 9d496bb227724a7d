"""The recipe of ``airfoil-rans-surface``: its data, its divisions and its members; every part is made where it is missing.

Fixed beforehand on divisions of folds 1 to 4 (train on three, look at the fourth), fold 0 not among them: the class and its sizes, the
displaced panel flow as input and as the field that the difference is added to, and that the answer is the mean of members that differ in their random
numbers and in the cases held for validation.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import geoop
from geoop.io.dataset import Dataset
from geoop.io.dataset_writing import DatasetPlan, write_dataset
from geoop.mesh.case import Case
from geoop.mesh.quantity import Field
from geoop.models.low_rank import LowRankOperator
from geoop.results.section_solutions import PUBLISHED_DENSITY, REFERRED, with_solutions
from geoop.results.surrogate import Surrogate
from geoop.train.fit import fit
from geoop.train.settings import FitSettings

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = ROOT.parent / "shared" / "data" / "airfrans_surface"
FOLDS = 5
CP, INVISCID, DISPLACED = "pressure_coefficient", "inviscid_pressure_coefficient", "displaced_pressure_coefficient"
#: Members of the shipped model, by their seeds.
SEEDS = (0, 1)
#: Of the training cases in order of their angle every so many-th is for validation; every seed takes other ones.
HELD = 12
SIZES = {"width": 48, "layers": 4, "rank": 8, "heads": 4, "hidden": 24}
SETTINGS = FitSettings(
    cpu_minutes=1.0,
    batch=4,
    wall_points=200,
    field_points=8,
    loss="square",
    wall_weight=1.0,
    validate_every=10,
    frame="body",
    domain_points=256,
    vary_points=1.0,
    rate=1e-3,
    muon_rate=5e-3,
    beyond={CP: DISPLACED},
)


def cases(folder: Path) -> Dataset:
    """The published cases in five folds, with the two solutions of geoop at their points; what the file says of a panel method is not used."""
    if (folder / "data").exists():
        return Dataset.open(folder / "data")
    plain = geoop.collect(PUBLIC, folder / "published") if not (folder / "published").exists() else Dataset.open(folder / "published")

    def make(name: str) -> Case:
        case = plain.case(name)
        bare = Case(case.mesh, case.operating_point, {CP: case.field(CP)}, wall=case.wall, name=case.name)
        return with_solutions([bare], (INVISCID, DISPLACED))[0]

    about = f"{plain.manifest.description} Beside it geoop's own panel method on the section, and on the section with its displacement."
    splits = {key: tuple(names) for key, names in plain.splits.items()}
    return write_dataset(folder / "data", DatasetPlan("airfrans_surface-solved", about, splits, licence=plain.manifest.licence), make)


def divided(data: Dataset, folds: Sequence[int], seed: int, test: int | None = None) -> Dataset:
    """Folds to train on, some of their cases for validation, evenly spread over the angle of attack; the fold ``test``, if there is one, as test."""
    own = [name for k in folds for name in data.splits[f"fold-{k}"]]
    order = sorted(own, key=lambda name: data.operating_point(name).alpha)
    # the ends of the range stay with the training, whatever the seed
    held = order[1 + seed % (HELD - 2) : -1 : HELD]
    rest = {} if test is None else {"test": data.splits[f"fold-{test}"]}
    return data.with_splits({"train": [name for name in own if name not in held], "val": held, **rest})


def member(folder: Path, seed: int, test: int | None = None) -> Surrogate:
    """One member, trained on the folds other than ``test``, on all of them for None; not trained again where it was."""
    own = folder / "members" / f"seed{seed}-{'all' if test is None else f'fold{test}'}"
    if not (own / "finished").exists():
        shutil.rmtree(own, ignore_errors=True)  # a minute of computing: not worth resuming
        data = divided(cases(folder), [k for k in range(FOLDS) if k != test], seed, test)
        fit(
            data,
            own,
            quantities=(CP,),
            inputs=(DISPLACED,),
            model=partial(LowRankOperator, **SIZES),
            settings=replace(SETTINGS, seed=seed),
            progress=False,
        )
        (own / "finished").touch()
    found = geoop.load(own / "best.safetensors")
    assert isinstance(found, Surrogate)
    return found


def physical(case: Case) -> Case:
    """A case with the pressure coefficient that is 1 at a stagnation point, and what a physical surrogate adds its answer to."""
    values = case.fields[CP].values * PUBLISHED_DENSITY
    prior = case.fields[DISPLACED].values * PUBLISHED_DENSITY
    return case.with_fields(replace(case.fields[CP], values=values), Field(REFERRED, prior))


def in_physical_units(surrogate: Surrogate) -> Surrogate:
    """A surrogate that learned the file's numbers, answering with the pressure coefficient that is 1 at a stagnation point: both parts times 1.184."""
    own = surrogate.normaliser
    scaled = replace(own, mean=tuple(PUBLISHED_DENSITY * m for m in own.mean), deviation=tuple(PUBLISHED_DENSITY * d for d in own.deviation))
    return replace(
        surrogate, normaliser=scaled, framing=replace(surrogate.framing, beyond=((CP, REFERRED.name),)), calibration=None, expected_errors={}
    )
