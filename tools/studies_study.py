"""Sweeps: 1000 real sections at 10 angles, what the study costs beside the bare predictions, a cold start, a kill in flight.

CPU seconds are of all processes together; on two idle cores half of them pass. Sections are those of the UIUC database that can be used, in the order of
their names; where it is not on the machine, NACA sections between the digits.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geoop
from geoop.errors import GeoopError
from geoop.interfaces.protocols import Predictor
from geoop.results.shipped import shipped_models
from geoop.studies.sweep.running import recorded
from geoop.studies.sweep.study_file import read_study
from geoop.studies.sweep.study_model import StudyModel
from geoop.truth.datasets import uiuc

MODEL = "airfoil-potential"
SECTIONS, ANGLES, WORKERS = 1000, "-4:14:2", 2
#: Sections of the comparison with bare predictions.
FEW = 60
Row = dict[str, Any]


def measure(output: Path, once, model: str | Predictor | None = None) -> None:
    """Every row; with the shipped model of sections where it is there, else with the panel method.

    Args:
        output: for nothing but the signature: studies are made in temporary folders.
        once: keeps a row by its key.
        model: another model.
    """
    known = model or (MODEL if MODEL in shipped_models() else "panels")
    name = Path(StudyModel.of(known).name).stem
    for files in ("none", "surface"):
        once(f"study/sweep of {SECTIONS} real sections at 10 angles/{name}, files {files}", lambda files=files: sweep(known, files))
    once(f"study/overhead on {FEW} sections at 10 angles/{name}", lambda: overhead(known))
    once("study/cold start of the command, one section, one angle/panels", lambda: cold("panels"))
    if isinstance(known, str) and known != "panels":
        once(f"study/cold start of the command, one section, one angle/{name}", lambda: cold(known))
    once("study/killed in flight/cases of 0.2 s, one process", killed)


def sections(count: int) -> dict[str, Any]:
    """A table of geometries."""
    try:
        names = uiuc.candidates()
    except GeoopError:
        return {"naca": {"camber": "0:6", "position": "25:60", "thickness": "8:18"}, "count": count}
    return {"uiuc": names[:count]}


def sweep(model: str | Predictor, files: str) -> Row:
    """The whole study: sections read, checked, predicted, integrated and written."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu, done = timed(
            lambda: geoop.study(
                model=model,
                geometry=sections(SECTIONS),
                alpha=ANGLES,
                velocity=60.0,
                output=Path(folder, "study"),
                settings={"surface_only": True, "files": files, "report": False},
                workers=WORKERS,
            )
        )
    return {
        "cases": len(done.rows),
        "failed": len(done.failed),
        "workers": WORKERS,
        "seconds": seconds,
        "CPU seconds": cpu,
        "load": os.getloadavg()[0],
    }


def overhead(model: str | Predictor) -> Row:
    """CPU seconds of the study beside those of ``predict_many`` on the same meshes."""
    spec = read_study({"model": model, "geometry": sections(FEW), "conditions": {"alpha": ANGLES, "velocity": 60.0}})
    predict = StudyModel.of(model)
    list(predict.results(spec.geometries[0], [c.operating_point(1.0) for c in spec.conditions[:1]], True))  # what is loaded once
    points = [c.operating_point(1.0) for c in spec.conditions]

    def bare() -> int:
        return sum(len(list(answered(predict, shape, points))) for shape in spec.geometries)

    _, alone, count = timed(bare)
    rows: Row = {"cases": count, "predict_many, CPU seconds": alone}
    for files in ("none", "surface"):
        with tempfile.TemporaryDirectory() as folder:
            settings = {"surface_only": True, "files": files, "report": False}
            table = {
                "model": StudyModel.of(model).predictor,
                "geometry": sections(FEW),
                "conditions": {"alpha": ANGLES, "velocity": 60.0},
                **settings,
            }
            _, cpu, _ = timed(lambda table=table, folder=folder: geoop.study(table, Path(folder, "study")))
        rows[f"study, files {files}, CPU seconds"] = cpu
        rows[f"beyond it per case, files {files} [ms]"] = 1e3 * (cpu - alone) / count
    return rows


def answered(model: StudyModel, shape: Any, points: Any) -> list[Any]:
    """Results of a shape; none where it cannot be predicted, which the study lists as failed cases."""
    try:
        return list(model.results(shape, points, True))
    except GeoopError:
        return []


def cold(model: str) -> Row:
    """A fresh process: `geoop study`, table only."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["study", "--model", model, "--geometry", "naca2412", "--alpha", "2", "--velocity", "60", "--table-only", "--no-report"]
        command = [sys.executable, "-m", "geoop", *words, "--surface-only", "-o", str(Path(folder, "study"))]
        seconds, cpu, _ = timed(lambda: subprocess.run(command, check=True, capture_output=True))
    return {"seconds": seconds, "CPU seconds": cpu, "load": os.getloadavg()[0]}


_SLOW = """
import sys, time
import geoop
from geoop.truth.panels.predictor import PanelPredictor

class Slow:
    panels = PanelPredictor()
    def predict(self, case):
        with open(sys.argv[2], "a") as log:
            log.write("x\\n")
        time.sleep(0.2)
        return self.panels.predict(case, surface_only=True)

settings = {"surface_only": True, "report": False}
geoop.study(model=Slow(), geometry=["naca2412", "naca0012"], alpha="0:9:1", velocity=60, output=sys.argv[1], settings=settings)
"""


def killed() -> Row:
    """SIGKILL ten times at any moment, started again after each: how many cases were computed more than once."""
    folder = Path(tempfile.mkdtemp())
    study, log, kills = folder / "study", folder / "log", 0
    command = [sys.executable, "-c", _SLOW, str(study), str(log)]
    try:
        while len(recorded(study, "naca2412")) + len(recorded(study, "naca0012")) < 20 and kills < 10:
            before = len(log.read_text().splitlines()) if log.exists() else 0
            run = subprocess.Popen(command)
            while run.poll() is None and (len(log.read_text().splitlines()) if log.exists() else 0) < before + 3:
                time.sleep(0.01)
            time.sleep(0.02 * kills)
            if run.poll() is None:
                run.send_signal(signal.SIGKILL)
                kills += 1
            run.wait()
        subprocess.run(command, check=True)
        computed = len(log.read_text().splitlines())
        rows = sum(len(recorded(study, name)) for name in ("naca2412", "naca0012"))
    finally:
        shutil.rmtree(folder)
    return {"cases": rows, "kills": kills, "computed again": computed - rows, "lost per kill": (computed - rows) / max(1, kills)}


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, CPU seconds of this process and of those that it started and waited for, and the answer."""
    start, before = time.perf_counter(), _cpu()
    answer = work()
    return time.perf_counter() - start, _cpu() - before, answer


def _cpu() -> float:
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in parts)
