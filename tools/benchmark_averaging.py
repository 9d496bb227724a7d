"""Measure what thinned clouds keep of a source: the Newton potential made from its samples, or from its means, beside that of the whole mesh."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from benchmark_operators import dataset
from rich.console import Console
from rich.table import Table

from geoop.mesh.case import Case
from geoop.scaling.clouds import Cloud, quadrature_weights
from geoop.scaling.framing import Framing
from geoop.scaling.newton_potential import newton_potential


def main(arguments: Sequence[str] | None = None) -> None:
    """Print relative L2 errors of the potential without its mean [%], each the mean over validation cases."""
    parser = argparse.ArgumentParser(prog="tools/benchmark averaging", description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=["nonlinear-poisson", "poisson-gauss"], default=["nonlinear-poisson", "poisson-gauss"])
    parser.add_argument("--points", type=int, nargs="+", default=[512, 1024, 2048, 4096], help="of the clouds")
    parser.add_argument("--cases", type=int, default=8, help="evenly spread over the validation split")
    options = parser.parse_args(arguments)
    table = Table(title="Newton potential of a source, from what a cloud knows of it")
    for heading in ("set", "cases", "points of the mesh", "of the cloud", "variance left out [%]", "samples: error [%]", "means: error [%]"):
        table.add_column(heading, justify="right")
    for name in options.tasks:
        cases = dataset(name).cases("val")
        cases = cases[:: max(1, len(cases) // options.cases)][: options.cases]
        for count in options.points:
            found = 100 * np.mean([errors(case, cloud(case, count)) for case in cases], axis=0)
            sizes = f"{np.mean([len(case.mesh.points) for case in cases]):.0f}"
            table.add_row(name, str(len(cases)), sizes, str(count), *(f"{value:.3g}" for value in found))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def cloud(case: Case, count: int) -> Cloud:
    """As operators get it."""
    return Framing.fit([case], inputs=["source"], domain_points=count).thinned(case)


def errors(case: Case, known: Cloud) -> tuple[float, float, float]:
    """Share of the variance that means leave out, and relative errors of the potential from samples and from means, spread over what they stand for."""
    weight, source = quadrature_weights(case), np.asarray(case.field("source").values, dtype=np.float64).reshape(len(case.mesh.points), -1)
    whole = newton_potential(case.mesh.points, weight, source)

    def error(values: np.ndarray) -> float:
        change = newton_potential(case.mesh.points, weight, values[known.member] - source)
        off, exact = (part - weight @ part / weight.sum() for part in (change, whole))
        return float(np.sqrt((weight @ off**2).sum() / (weight @ exact**2).sum()))

    within, total = known.variances(source)
    return within / max(total, 1e-300), error(source[known.number]), error(known.means(source))
