"""Rollouts of wakes behind bodies that no stepper has seen: errors, phases, Strouhal numbers, divergence, and what other steppers do in the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from moving_wakes import COARSE, FINE, INTERVAL, wakes

from geoop.io.dataset import Dataset
from geoop.models.presets import PRESETS
from geoop.models.time_deeponet import TimeDeepONet
from geoop.models.time_increment import TimeIncrement
from geoop.results.rollout_diagnostics import diagnose
from geoop.results.stepping import SurrogateStepper, rollout
from geoop.results.surrogate import Surrogate, load
from geoop.train.stepping import BEST, SteppingSettings, fit_stepper

#: What a row reports: a row is kept once it is measured.
Once = Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]

HISTORY, LEADS = 6, 8
#: In the wake on the middle line, 2.5, 4 and 7 heights behind the middle of the body [m].
PROBES = np.array([[9.5, 8.0], [11.0, 8.0], [14.0, 8.0]])
#: Periods over which Strouhal numbers are counted, and after which phase and velocity are looked at.
LONG, LOOK = 9.0, 2.0
#: Settings that all steppers share: six past states, lead times up to eight intervals.
SETTINGS: dict[str, Any] = {"history": HISTORY, "leads": LEADS, "frame": "region", "batch": 8, "points": 384, "domain_points": 512, "pushes": 3}


def _inside(name: str, **more: Any) -> Callable[..., TimeIncrement]:
    sizes = dict(PRESETS[name]["small"])
    width = sizes.pop("width", 48)
    return partial(TimeIncrement, width=width, inner=name, sizes={**sizes, **more})


#: Stepper -> model and computing time of its training [min]. ``lead_time=0``: RIGNO's norms follow the first condition, which is the lead time.
STEPPERS: dict[str, tuple[Callable[..., Any], float]] = {
    "time DeepONet, as published": (partial(TimeDeepONet, gates=None), 5.0),
    "time DeepONet with the sum over past states": (TimeDeepONet, 8.0),
    "time DeepONet, as published, 2 min": (partial(TimeDeepONet, gates=None), 2.0),
    "time DeepONet with the sum over past states, 2 min": (TimeDeepONet, 2.0),
    "Transolver": (_inside("Transolver"), 2.0),
    "RIGNO": (_inside("RIGNO", lead_time=0), 2.0),
    "GAOT": (_inside("GAOT"), 2.0),
    "MeshGraphNet": (_inside("MeshGraphNet"), 2.0),
}
#: Those that are trained on the meshes of the named data set too.
ON_FINE = ("Transolver", "time DeepONet, as published, 2 min", "time DeepONet with the sum over past states, 2 min")


def measure(output: Path, once: Once) -> None:
    """All rows: per stepper one for every way to restart on the validation series, then the best of these on the test series.

    Steppers trained on coarse meshes are asked on those of the named data set too, as they were chosen.

    Args:
        output: folder for data and trained steppers.
        once: ``once(key, make)`` keeps a row by its key.
    """
    coarse, fine = wakes(output / "wakes", finer=COARSE), wakes(output / "fine-wakes", finer=FINE)
    for name in STEPPERS:
        best = _chosen(name, coarse, output / "steppers", "wakes", once)
        if name in ON_FINE:
            trained = partial(_trained, name, coarse, output / "steppers")
            once(f"wakes/trained coarse, asked fine/{name}, restart {best}, test", partial(_row, trained, fine, "test", best))
            _chosen(name, fine, output / "fine-steppers", "wakes/fine", once)


def _chosen(name: str, data: Dataset, folder: Path, kind: str, once: Once) -> int:
    """Rows of one stepper on one data set; the restart that was best on its validation series."""
    trained = partial(_trained, name, data, folder)
    rows = [once(f"{kind}/{name}, restart {k}, val", partial(_row, trained, data, "val", k)) for k in (1, 4, 8)]
    best = int(min(rows, key=lambda row: row["velocity error"])["restart"])
    once(f"{kind}/{name}, restart {best}, test", partial(_row, trained, data, "test", best))
    return best


def _trained(name: str, data: Dataset, folder: Path) -> Surrogate:
    """The stepper, trained where it is not there yet."""
    model, minutes = STEPPERS[name]
    run = folder / name.replace(" ", "-").replace(",", "")
    if not (run / BEST).exists():
        fit_stepper(data, run, model=model, settings=SteppingSettings(cpu_minutes=minutes, **SETTINGS), resume=run.exists(), progress=False)
    return load(run / BEST)


def _row(trained: Callable[[], Surrogate], data: Dataset, split: str, restart: int) -> dict[str, Any]:
    """The worst and the mean over the series of a split."""
    surrogate = trained()
    found = [judged(surrogate, data, name, restart) for name in data.series_names(split)]
    row: dict[str, Any] = {"restart": restart, "series": len(found), "parameters": sum(p.numel() for p in surrogate.model.parameters())}
    row |= {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    row |= {f"worst {key}": float(np.max([one[key] for one in found])) for key in ("velocity error", "phase error", "Strouhal error")}
    return row


def judged(surrogate: Surrogate, data: Dataset, name: str, restart: int) -> dict[str, float]:
    """One series: phase after two periods, errors over the period about then, Strouhal over nine.

    Two whole periods after a frame of a periodic flow standing still is right again; so errors are means over the period from 1.5 to 2.5. The phase is
    that of the velocity across the stream, the largest of the probes; so is the error of the Strouhal number, beside that of the solver's own lift.
    """
    truth = data.series(name)
    strouhal = float(truth.cases[0].fields["strouhal_number"].values)
    period, last = 1.0 / strouhal, truth.times[SurrogateStepper(surrogate).history - 1]
    begun = time.process_time()
    steps = int(np.ceil(LONG * period / INTERVAL)) + 1
    rolled = rollout(surrogate, truth.cases[: SurrogateStepper(surrogate).history], last + INTERVAL * np.arange(1, steps + 1), restart=restart)
    seconds = (time.process_time() - begun) / steps
    if len(rolled.series) - rolled.given < len(truth) - rolled.given:
        return dict.fromkeys(_COLUMNS, np.inf) | {"diverged": 1.0}
    found = diagnose(rolled.series, truth, given=rolled.given, probes=PROBES)
    look = (found.times > last + (LOOK - 0.5) * period) & (found.times <= last + (LOOK + 0.5) * period)
    values = (
        found.error[look].mean(),
        found.change_error[look].mean(),
        found.persistence[look].mean(),
        found.error[0],
        found.identity.mean(),
        max(abs(probe.phase_error_at(last + LOOK * period)) for probe in found.probes),
        max(abs(probe.strouhal / strouhal - 1.0) for probe in found.probes),
        found.divergence[look].mean(),
        found.reference_divergence[look].mean(),
        seconds,
    )
    return dict(zip(_COLUMNS, map(float, values), strict=True)) | {"diverged": float(rolled.diverged_at is not None)}


_COLUMNS = (
    "velocity error",
    "error over what changes",
    "standing still",
    "first step",
    "the true frame before",
    "phase error",
    "Strouhal error",
    "divergence",
    "divergence of the truth",
    "CPU seconds a frame",
)
