"""Memory of encoding large clouds and of decoding many queries around one section: peak megabytes per stage, each size in a process of its own.

Encoding: the cloud around a section has as many points as asked for, everything from framing to the latent state. Decoding: a cloud of 512 points and as many
queries as asked for, in chunks; what grows with the queries should be the answer alone. A size whose peak, taken from the smaller one in proportion, would pass
``--limit`` is not run but printed as expected. Weights are untrained: memory does not depend on their values.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

MEGA = 2**20
MODELS = ("GraphNeuralOperator", "LowRankOperator", "Transolver")
#: Points of the cloud while queries are counted.
SMALL = 512
STAGES = ("frame", "prepare", "encode")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmark memory", description=str(__doc__).split("\n")[0])
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--preset", default="small", choices=("small", "medium", "large"))
    parser.add_argument("--points", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="of the cloud, ascending")
    parser.add_argument("--queries", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--limit", type=float, default=6000, help="megabytes that a process may take")
    parser.add_argument("--one", nargs=3, metavar=("MODEL", "POINTS", "QUERIES"), help="measure this in this process and print JSON")
    given = parser.parse_args(arguments)
    if given.one:
        print(json.dumps(measure(given.one[0], given.preset, int(given.one[1]), int(given.one[2]))))
        return
    encoding(given.models, given.preset, given.points, given.limit)
    decoding(given.models, given.preset, given.queries)


def encoding(models: Sequence[str], preset: str, points: Sequence[int], limit: float) -> None:
    """One row per model and size; bytes per point are the growth over the size before."""
    if not points:
        return
    print(f"\nencoding, preset {preset}: peak [MB] of the process in every stage, seconds of one thread, bytes per point beyond the row before\n")
    print("| model | points | framing | graphs | encode | latent state | seconds of each | bytes per point |\n" + "| --- " * 8 + "|", flush=True)
    for model in models:
        before: tuple[int, float] | None = None
        older: tuple[int, float] | None = None
        for count in points:
            expected = extrapolated(older, before, count)
            if expected > limit:
                print(f"| {model} | {count} | not run: {expected:.0f} expected, limit {limit:.0f}" + " | -" * 5 + " |", flush=True)
                continue
            found = in_own_process(model, preset, count, 0)
            real, peak = int(found["points"]), max(found[stage] for stage in STAGES)
            each = f"{MEGA * (peak - before[1]) / (real - before[0]):.0f}" if before else "-"
            cells = [f"{found[stage]:.0f}" for stage in STAGES] + [
                f"{found['latent']:.1f}",
                ", ".join(f"{found[f'{stage} seconds']:.1f}" for stage in STAGES),
                each,
            ]
            print(f"| {model} | {real} | " + " | ".join(cells) + " |", flush=True)
            older, before = before, (real, peak)


def extrapolated(older: tuple[int, float] | None, before: tuple[int, float] | None, count: int) -> float:
    """Megabytes of that many points on the line through two smaller sizes (points, megabytes); 0 where there are not two."""
    if older is None or before is None:
        return 0.0
    slope = max(before[1] - older[1], 0.0) / (before[0] - older[0])
    return before[1] + slope * (count - before[0])


def decoding(models: Sequence[str], preset: str, queries: Sequence[int]) -> None:
    """One row per model and number of queries."""
    print(
        f"\ndecoding, preset {preset}, cloud of {SMALL} points: peak [MB] beyond the process before, the queries and the answer; seconds of one thread\n"
    )
    print("| model | queries | queries and answer [MB] | peak beyond them [MB] | seconds |\n" + "| --- " * 5 + "|", flush=True)
    for model in models:
        for count in queries:
            found = in_own_process(model, preset, SMALL, count)
            beyond = found["decode"] - found["idle"] - found["answer"]
            print(f"| {model} | {count} | {found['answer']:.0f} | {beyond:.0f} | {found['decode seconds']:.1f} |", flush=True)


def in_own_process(model: str, preset: str, points: int, queries: int) -> dict[str, float]:
    """As :func:`measure`, in a fresh process on one thread."""
    command = [sys.executable, str(Path(__file__).resolve()), "--preset", preset, "--one", model, str(points), str(queries)]
    return last_line_of(command)


def last_line_of(command: Sequence[str]) -> dict[str, float]:
    """What the last line that a fresh process prints says in JSON. Peaks are only comparable in such a process: memory that an old one holds hides them."""
    # arrays above a megabyte go back to the system when they are freed: else old peaks would be counted in later stages
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "MALLOC_MMAP_THRESHOLD_": str(MEGA),
        "MALLOC_TRIM_THRESHOLD_": "0",
    }
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def status(name: str) -> float:
    """A number of /proc/self/status in megabytes: VmHWM is the peak, VmRSS what is held now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {name} in the status of the process: this needs Linux")


@contextmanager
def peak(into: dict[str, float], name: str) -> Iterator[None]:
    """Peak memory of the process within the block, whose mark the system sets back before, and seconds of computing time."""
    Path("/proc/self/clear_refs").write_text("5")
    started = time.process_time()
    yield
    into[name], into[f"{name} seconds"] = status("VmHWM"), time.process_time() - started


def measure(name: str, preset: str, count: int, queries: int) -> dict[str, float]:
    """Peaks in megabytes by stage, and seconds of computing time."""
    import numpy as np
    import torch

    import geoop
    from geoop.mesh.case import Case
    from geoop.mesh.primitives import naca4
    from geoop.models.named import model_classes
    from geoop.models.ports import Ports
    from geoop.models.presets import PRESETS
    from geoop.scaling.framing import Framing

    torch.manual_seed(0)
    case = Case(naca4("2412"), geoop.OperatingPoint(60.0, 4.0))
    framing = Framing(domain="around", domain_points=count, reach=2.0)
    model = model_classes()[name](Ports(vectors_out=1, vectors_in=1, surface_scalars=framing.surface_scalars, body=True), **PRESETS[name][preset])
    small = Framing(domain="around", domain_points=SMALL, reach=2.0)
    _encoded(model, small, case, {})  # what is loaded on first use is nobody's cost
    out: dict[str, float] = {}
    latent, framed = _encoded(model, framing, case, out)
    assert framed.geometry.domain is not None
    out |= {"points": len(framed.geometry.domain), "latent": bytes_of(latent.latents) / MEGA}
    if queries:
        where = np.random.default_rng(0).uniform((-1.0, 0.2), (2.0, 1.5), (queries, 2)).astype(np.float32)
        asked = framed.local_queries(where[:1000])
        asked = asked.take(torch.arange(queries) % 1000)
        model.decode(latent, asked.take(torch.arange(min(1000, queries))))
        out["idle"] = status("VmRSS")
        with peak(out, "decode"):
            answer = model.decode(latent, asked)
        # the parts of the answer and the whole are alive together for a moment
        out["answer"] = 2 * bytes_of((answer.scalars, answer.vectors)) / MEGA
    return out


def bytes_of(item: Any) -> int:
    """Bytes of all tensors inside of a cloud, a mapping or a sequence."""
    if hasattr(item, "element_size"):
        return item.numel() * item.element_size()
    if is_dataclass(item):
        return sum(bytes_of(getattr(item, part.name)) for part in fields(item))
    if isinstance(item, Mapping):
        return sum(bytes_of(part) for part in item.values())
    return sum(bytes_of(part) for part in item) if isinstance(item, tuple | list) else 0


def _encoded(model, framing, case, into: dict[str, float]):
    """Framed, prepared and encoded, with the peak of every stage."""
    import torch

    with torch.no_grad():
        with peak(into, "frame"):
            framed = framing.of(case)
        with peak(into, "prepare"):
            prepared = model.prepare(framed.geometry)
        with peak(into, "encode"):
            latent = model.encode(prepared, framing.inputs(case, framed))
    return latent, framed


if __name__ == "__main__":
    main(sys.argv[1:])
