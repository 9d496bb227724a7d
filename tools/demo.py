"""The main job: predict with a model that comes with geoop, then generate, train, predict, each beside the panel method; files for ParaView. Run it by tools/demo."""

from __future__ import annotations

import argparse
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import geoop
from geoop.io.paraview import write_series
from geoop.mesh.body import body
from geoop.mesh.chord import chord_line
from geoop.results.evaluation import evaluate
from geoop.results.metrics import relative_l2
from geoop.studies.plots.pictures import field_picture, pressure_plot
from geoop.train.settings import FitSettings
from geoop.truth.exact.karman_trefftz import KarmanTrefftz
from geoop.truth.panels.system import panel_flow

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
SHIPPED = "airfoil-potential"
console = Console(soft_wrap=True, highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="training budget; the README's accuracy table takes 10")
    parser.add_argument("--output", type=Path, default=ROOT / "out", help="folder for everything that is written")
    parser.add_argument("--alpha", type=float, default=4.0, help="angle of attack of the single predictions [deg]")
    arguments = parser.parse_args()
    out: Path = arguments.output
    started = time.perf_counter()

    console.rule(f"1  {SHIPPED}, which comes with geoop: a polar in seconds")
    polar(out)

    console.rule("2  ground truth: exact Karman-Trefftz flows")
    data = generate(out / "kt-airfoils")

    console.rule(f"3  training the default model for {arguments.minutes:g} minutes")
    run = out / time.strftime("run-%Y%m%d-%H%M%S")
    surrogate = geoop.fit(data, run, settings=FitSettings(minutes=arguments.minutes))
    parameters = sum(p.numel() for p in surrogate.model.parameters())
    console.print(f"{parameters} parameters, {surrogate.about['epochs']} epochs; checkpoint {run / 'best.safetensors'}")
    console.print(str(evaluate(surrogate, data, "test")))

    console.rule("4  real sections from outside, and the panel method on the same shapes")
    point = geoop.OperatingPoint(velocity=60.0, alpha=arguments.alpha)
    table = Table("section", "points", "velocity", "Cp", "CL predicted", "CL panels", "CL exact", "verdict", title="relative L2 against 200 panels")
    predicted = {}
    for name, mesh, exact in sections(point):
        result = surrogate.predict(geoop.Case(mesh, point, name=name))
        panels = panel_flow(body(result.mesh, result.case.wall), point)
        truth = panels.solve_case(result.case)
        errors = [relative_l2(result[q], truth.field(q).values) for q in ("velocity", "pressure_coefficient")]
        lift = geoop.forces(result, reference_length=chord_line(body(result.mesh, result.case.wall)).length).CL
        result.write(out / f"{name}.vtu", patches=True)
        predicted[name] = (result, truth)
        table.add_row(
            name,
            str(len(result.mesh.points)),
            *(f"{100 * e:.2f} %" for e in errors),
            f"{lift:.4f}",
            f"{panels.lift_coefficient:.4f}",
            "-" if exact is None else f"{exact:.4f}",
            result.verdict.level,
        )
    Console(width=120).print(table)
    for name, (result, _) in predicted.items():
        console.print(f"{name}: {result.verdict}")

    console.rule("5  a series over angles of attack, and pictures")
    name, (result, truth) = next(iter(predicted.items()))
    angles = np.arange(-4.0, 9.0, 2.0)
    series = surrogate.predict_many(next(iter(sections(point)))[1], [geoop.OperatingPoint(60.0, float(a)) for a in angles])
    write_series(geoop.Series(angles, tuple(r.case for r in series), "alpha [deg]"), out / f"{name}_angles.pvd")
    pressure_plot({"geoop": result.case, "- panel method": truth}, out / f"{name}_cp.png", title=f"{name}, alpha {point.alpha:g} deg")
    field_picture(result.case, "velocity", out / f"{name}_velocity.png")

    console.rule("done")
    console.print(f"{time.perf_counter() - started:.0f} s. Written to {out}:")
    for path in sorted(p for p in out.iterdir() if p.suffix in (".vtu", ".vtp", ".pvd", ".png")):
        console.print(f"  {path.name}")
    console.print(f"Open the series in ParaView: paraview {out / (name + '_angles.pvd')}", markup=False)
    console.print("(Apply, colour by 'velocity [m/s]', press play: the time is the angle of attack)", markup=False)


def polar(out: Path) -> None:
    """Lift over the angle of attack, fields and pressures of one section by the shipped model, beside the panel method at the same angles."""
    started = time.perf_counter()
    surrogate = geoop.load(SHIPPED)
    name, mesh, _ = next(iter(sections(geoop.OperatingPoint(60.0))))
    points = [geoop.OperatingPoint(60.0, alpha=float(alpha)) for alpha in np.arange(-4.0, 13.0, 2.0)]
    results = surrogate.predict_many(mesh, points)
    wall = body(results[0].mesh, results[0].case.wall)
    chord = chord_line(wall).length
    lifts = [geoop.forces(result, reference_length=chord).CL for result in results]
    seconds = time.perf_counter() - started
    truths = [panel_flow(wall, point) for point in points]
    table = Table("alpha", "CL predicted", "CL panels", "verdict", title=f"{name}: {len(points)} angles at {len(results[0].mesh.points)} points each")
    for point, lift, truth, result in zip(points, lifts, truths, results, strict=True):
        table.add_row(f"{point.alpha:g}", f"{lift:.4f}", f"{truth.lift_coefficient:.4f}", result.verdict.level)
    Console(width=120).print(table)
    console.print(f"loaded, predicted and integrated in {seconds:.1f} s")
    write_series(geoop.Series([p.alpha for p in points], tuple(r.case for r in results), "alpha [deg]"), out / "shipped_angles.pvd")
    results[4].write(out / "shipped.vtu", patches=True)
    truth = truths[4].solve_case(results[4].case)
    pressure_plot({SHIPPED: results[4].case, "- panel method": truth}, out / "shipped_cp.png", title=f"{name}, alpha {points[4].alpha:g} deg")
    field_picture(results[4].case, "velocity", out / "shipped_velocity.png")


def generate(directory: Path):
    with Progress(console=console) as bar:
        task = bar.add_task("kt-airfoils", total=None)
        data = geoop.generate("kt-airfoils", directory, progress=lambda done, total: bar.update(task, completed=done, total=total))
    console.print(f"{sum(len(v) for v in data.splits.values())} cases in {directory}, hash {data.hash[:12]}")
    return data


def sections(point: geoop.OperatingPoint):
    """(name, mesh, exact lift coefficient or None): real files when they lie beside the project, formulas otherwise."""
    archive = SHARED / "geometry" / "uiuc_airfoils.tar.gz"
    if archive.exists():
        with tarfile.open(archive) as tar, tempfile.TemporaryDirectory() as folder:
            member = next(m for m in tar.getmembers() if Path(m.name).name.lower() == "clarky.dat")
            file = Path(folder) / "clarky.dat"
            file.write_bytes(tar.extractfile(member).read())
            yield "clarky", geoop.read(file), None
    else:
        yield "naca4415", geoop.read(ROOT / "meshes" / "naca4415.dat"), None
    volume = SHARED / "su2" / "naca0012_euler_fixedcl" / "mesh_NACA0012_inv.su2"
    if volume.exists():
        yield "naca0012_su2", geoop.read(volume), None
    yield "naca2412", geoop.read(ROOT / "meshes" / "naca2412.dat"), None
    section = KarmanTrefftz(mu_x=-0.09, mu_y=0.06, tau=12.0)
    yield "karman-trefftz", section.outline(200), section.lift_coefficient(point)


if __name__ == "__main__":
    main()
