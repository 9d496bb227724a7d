"""Forces: the same lift from wall, circulation and control surfaces in exact, panel and predicted flows; drag of predicted against panel wall speeds.

The rows of the shipped model are there once the package has it; a small model, one CPU minute on generated sections, is measured in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import geoop
from geoop.errors import GeoopError
from geoop.interfaces.outcome import Outcome
from geoop.interfaces.result import Result
from geoop.interfaces.verdict import Verdict
from geoop.mesh.bodies import WingShape, wing_body
from geoop.mesh.case import Case
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.results.momentum.balance import ForceBalance, force_balance
from geoop.results.section_drag import boundary_layer_drag
from geoop.results.sectional_loads import sectional_loads
from geoop.results.shipped import shipped_models
from geoop.results.surrogate import Surrogate
from geoop.train.fit import FitSettings
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.predictor import PanelPredictor
from geoop.truth.panels3d.system import panel_flow

Row = dict[str, Any]
Once = Callable[[str, Callable[[], Row]], Row]

COMMAND = "tools/benchmark studies --sections forces"
SHIPPED, SMALL = "airfoil-potential", "small model, 1 CPU minute"
CODES = ("0009", "0012", "0018", "1408", "2412", "4412", "4415", "6409")
ANGLES = tuple(range(-4, 13, 2))
REYNOLDS = 3e6
WINGS = ((24, 12), (40, 16), (56, 28))


def measure(output: Path, once: Once) -> None:
    """Every row that is not there yet."""
    for name, make in (("exact flow", lambda: _lifts(exact_flows())), ("panels, 200", lambda: _lifts(_panel_results()))):
        once(f"forces/lift of sections/{name}", make)
    for count in WINGS:
        once(f"forces/wing/{count[0]} x {count[1]} panels", lambda count=count: _wing(*count))
    for name, model in _models(output).items():
        measure_model(name, model, once)


def measure_model(name: str, model: Callable[[], Surrogate], once: Once) -> None:
    """The rows of one surrogate of sections."""
    once(f"forces/lift of sections/{name}", lambda: _lifts(_predicted(model())))
    once(f"forces/drag of sections/{name}", lambda: _drags(model()))


def _models(output: Path) -> dict[str, Callable[[], Surrogate]]:
    """Name -> loader; the small one is trained where it is asked for first."""

    def small() -> Surrogate:
        folder = output / "forces"
        best = folder / "run" / "best.safetensors"
        if not best.exists():
            data = geoop.generate("kt-airfoils", folder / "kt-airfoils", n=600, seed=0)
            geoop.fit(data, folder / "run", settings=FitSettings(cpu_minutes=1))
        return geoop.load(best)

    shipped = {SHIPPED: lambda: geoop.load(SHIPPED)} if SHIPPED in shipped_models() else {}
    return {SMALL: small, **shipped}


def _points() -> list[geoop.OperatingPoint]:
    return [geoop.OperatingPoint(50.0, alpha=float(a)) for a in ANGLES]


def exact_flows() -> Iterator[tuple[Result, float]]:
    """Results whose fields are exact, with the lift coefficient known in closed form."""
    for section in (KarmanTrefftz(-0.05, 0.0, 10.0), KarmanTrefftz(-0.1, 0.05, 15.0), KarmanTrefftz(-0.15, 0.1, 20.0)):
        for point in _points():
            yield _exact(section, point), section.lift_coefficient(point)


def _exact(section: KarmanTrefftz, point: geoop.OperatingPoint) -> Result:
    def evaluate(points: np.ndarray) -> dict[str, Field]:
        zeta = section.preimage(points)
        return {
            "velocity": Field(QUANTITIES["velocity"], section.velocity(zeta, point)),
            "pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], section.pressure_coefficient(zeta, point)),
        }

    mesh = section.outline(400)
    point = replace(point, reference_length=section.chord)
    return Result(Case(mesh, point, fields=evaluate(mesh.points)), Outcome("converged"), Verdict("inside", "exact"), evaluate)


def _panel_results() -> Iterator[tuple[Result, float]]:
    for mesh in map(naca4, CODES):
        predictor = PanelPredictor()
        system = predictor.system(mesh)
        for result, point in zip(predictor.predict_many(mesh, _points()), _points(), strict=True):
            yield result, float(system.lift_coefficient([point])[0])


def _predicted(model: Surrogate) -> Iterator[tuple[Result, float]]:
    for mesh in map(naca4, CODES):
        known = PanelPredictor().system(mesh).lift_coefficient(_points())
        yield from zip(model.predict_many(mesh, _points()), map(float, known), strict=True)


def _lifts(flows: Iterator[tuple[Result, float]]) -> Row:
    """Errors of every way to the lift against the known one, and how well the ways agree among themselves."""
    begin, found, known = perf_counter(), [], []
    for result, lift in flows:
        found.append(force_balance(result))
        known.append(lift)
    ways = {"wall": 0, "circulation, 0.5 diagonals off": 2, "control surface, 0.5 diagonals off": 5}
    errors = {f"|dCL| by {name}, mean": float(np.mean([abs(_lift(b, k) - c) for b, c in zip(found, known, strict=True)])) for name, k in ways.items()}
    return {
        "cases": len(found),
        **errors,
        "largest difference between ways, mean": float(np.mean([b.largest_lift_difference for b in found])),
        "pressure CD on the wall, mean size": float(np.mean([abs(b.rows[0].CD or 0.0) for b in found])),
        "CD by control surface, mean size": float(np.mean([abs(b.rows[ways["control surface, 0.5 diagonals off"]].CD or 0.0) for b in found])),
        "mass lost by the cuts, mean": float(np.mean([b.mass_imbalance for b in found])),
        "seconds": perf_counter() - begin,
        "command": COMMAND,
    }


def _lift(balance: ForceBalance, row: int) -> float:
    return float(balance.rows[row].CL or 0.0)


def _drags(model: Surrogate) -> Row:
    """CD by the boundary layer on predicted wall speeds against that on the panels' own, where neither says that the flow separates."""
    begin, pairs, separated, failed = perf_counter(), [], [], 0
    for mesh in map(naca4, CODES):
        for mine, known in zip(model.predict_many(mesh, _points()), PanelPredictor().predict_many(mesh, _points()), strict=True):
            control = boundary_layer_drag(known, reynolds=REYNOLDS)
            try:
                found = boundary_layer_drag(mine, reynolds=REYNOLDS)
            except GeoopError:
                failed += 1
                continue
            separated.append(found.separated == control.separated)
            if not (found.separated or control.separated):
                pairs.append((found.CD, control.CD))
    both = np.array(pairs)
    return {
        "cases": len(separated) + failed,
        "attached in both": len(both),
        "without a layer": failed,
        "Re": REYNOLDS,
        "mean |dCD|": float(np.abs(both[:, 0] - both[:, 1]).mean()) if len(both) else float("nan"),
        "mean CD of the control": float(both[:, 1].mean()) if len(both) else float("nan"),
        "mean |dCD| of a constant CD": float(np.abs(both[:, 1] - both[:, 1].mean()).mean()) if len(both) else float("nan"),
        "correlation": float(np.corrcoef(both.T)[0, 1]) if len(both) > 2 else float("nan"),
        "agree on separation [%]": 100.0 * float(np.mean(separated)) if separated else float("nan"),
        "parameters": sum(p.numel() for p in model.model.parameters()),
        "seconds": perf_counter() - begin,
        "command": COMMAND,
    }


def _wing(around: int, strips: int) -> Row:
    """An elliptic wing of aspect ratio 20: strips against the circulation of the wake behind them, and the mirror image of the load."""
    begin = perf_counter()
    shape, point = WingShape(5.0 * np.pi, 1.0, section="0012"), geoop.OperatingPoint(50.0, alpha=4.0)
    mesh, edge = wing_body(shape, around, strips)
    flow = panel_flow(mesh, point, trailing_edge=edge, reference_area=shape.area)
    case = flow.solve_case(Case(mesh, point))
    ends = _ends(flow.system.surface.skin.points, flow.system.edge.edges)
    order = np.argsort(ends.mean(axis=1))
    planes = np.append(ends.min(axis=1)[order], ends.max())
    loads = sectional_loads(case, stations=planes[1:-1].tolist(), reference_length=1.0)
    known = point.density * point.velocity * flow.circulation[order]
    return {
        "strips": len(known),
        "CL by strips": float(loads.force.sum(axis=0) @ point.lift_direction(3)) / point.dynamic_pressure / shape.area,
        "CL by the wake": flow.lift_coefficient,
        "strips - total, largest over total": float(np.abs(loads.force.sum(axis=0) - loads.total_force).max() / np.abs(loads.total_force).max()),
        "strip lift against rho U Gamma, mean [%]": 100.0
        * float(np.abs((loads.lift - known) * loads.width).sum() / np.abs(known * loads.width).sum()),
        "load against its mirror image, mean [%]": 100.0
        * float((np.abs(loads.lift - loads.lift[::-1]) * loads.width).sum() / (loads.lift * loads.width).sum()),
        "bending right over left": loads.bending[0] / loads.bending[1],
        "seconds": perf_counter() - begin,
        "command": COMMAND,
    }


def _ends(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return points[edges][:, :, 1]
