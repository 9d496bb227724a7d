"""Computing time and peak memory of the multipole kernel against the number of points, each number in a process of its own; one thread."""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

MEGA = 2**20
COLUMNS = {"connect": "graphs [s]", "forward": "forward [s]", "backward": "forward + backward [s]", "memory": "memory [MB]"}


def main(arguments: list[str] | None = None) -> None:
    """Print a markdown table with the exponents p of seconds ~ N^p and bytes ~ N^p, fitted to all rows, and of the last two alone."""
    parser = argparse.ArgumentParser(prog="tools/benchmark operators-scaling", description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=2, help="the fastest of that many counts")
    parser.add_argument("--one", type=int, help="measure this number of points in this process and print JSON")
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measure(options.one, options.channels, options.repeat)))
        return
    rows = []
    for n in options.points:
        rows.append(in_own_process(n, options.channels, options.repeat))
        print(f"{n}: {rows[-1]}", file=sys.stderr)
    print(table(options.points, rows))


def in_own_process(n: int, channels: int, repeat: int) -> dict[str, float]:
    """As :func:`measure`, in a fresh process on one thread, whose peak memory is nobody else's."""
    command = [sys.executable, str(Path(__file__).resolve()), "--one", str(n), "--channels", str(channels), "--repeat", str(repeat)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    found = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(found.stdout.splitlines()[-1])


def measure(n: int, channels: int, repeat: int) -> dict[str, float]:
    """Seconds of finding levels and graphs, of a forward pass without gradients and of one with its gradient; growth of the peak memory in MB.

    Points lie in the unit square, graded to one edge as a mesh is to a wall. Levels shrink by four down to 64 points.
    """
    import torch

    from geoop.graph.pointset import PointSet
    from geoop.layers.neighborhood import Nearest
    from geoop.operators.multipole import Levels, MultipoleKernel, level_sizes

    torch.manual_seed(0)
    pos = torch.rand(n, 2) ** torch.tensor([1.0, 2.0])
    points = PointSet(pos, torch.randn(n, channels), weight=2 * pos[:, 1].sqrt() / n)
    levels = Levels(level_sizes(n), channels, gains=channels, hidden=channels, neighbours=6)
    operator = MultipoleKernel(channels, channels, levels=levels, target_channels=channels, near=Nearest(8, smooth=True))
    warm = PointSet(pos[:64], points.scalars[:64])
    operator(warm, warm, operator.connect(warm, warm)).scalars.sum().backward()  # what is loaded on first use is nobody's cost
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found: dict[str, float] = {}

    started = time.process_time()
    graphs = operator.connect(points, points)
    found["connect"] = time.process_time() - started

    def fastest(run) -> float:
        seconds = []
        for _ in range(repeat):
            started = time.process_time()
            run()
            seconds.append(time.process_time() - started)
        return min(seconds)

    with torch.no_grad():
        found["forward"] = fastest(lambda: operator(points, points, graphs))
    found["backward"] = fastest(lambda: operator(points, points, graphs).scalars.square().mean().backward())
    found["memory"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / MEGA
    return found


def exponent(points: list[int], values: list[float]) -> float:
    """p of values ~ points^p, least squares in logarithms."""
    x, y = [math.log(n) for n in points], [math.log(max(v, 1e-9)) for v in values]
    centre, height = sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - centre) ** 2 for a in x)
    return sum((a - centre) * (b - height) for a, b in zip(x, y, strict=True)) / spread if spread else math.nan


def table(points: list[int], rows: list[dict[str, float]]) -> str:
    """The rows in markdown, and the exponents under them."""
    lines = ["| N | " + " | ".join(COLUMNS.values()) + " |", "| ---: " * (1 + len(COLUMNS)) + "|"]
    for n, row in zip(points, rows, strict=True):
        lines.append(f"| {n:,} | " + " | ".join(f"{row[key]:.0f}" if key == "memory" else f"{row[key]:.2f}" for key in COLUMNS) + " |")
    if len(points) > 1:
        for label, part in (("exponent", slice(None)), ("of the last two", slice(-2, None))):
            fitted = (exponent(points[part], [row[key] for row in rows[part]]) for key in COLUMNS)
            lines.append(f"| {label} | " + " | ".join(f"{p:.2f}" for p in fitted) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
