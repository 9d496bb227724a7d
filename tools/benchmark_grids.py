"""Make an O-grid and a C-grid around every section of the UIUC collection and count those whose cells are all positive."""

from __future__ import annotations

import argparse
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import track

import geoop
from geoop.errors import GeoopError
from geoop.mesh.generate.cgrid import cgrid
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.measure import signed_measures
from geoop.mesh.mesh import Mesh

ROOT = Path(__file__).resolve().parent.parent
GRIDS: dict[str, Callable[[Mesh], Mesh]] = {
    "O-grid": lambda section: ogrid(section, n_wall=120, n_normal=40),
    "C-grid": lambda section: cgrid(section, n_wall=120, n_wake=40, n_normal=40),
}


def main(arguments: list[str] | None = None) -> None:
    """Print how many sections each kind of grid succeeds on, and the names of those where it does not."""
    parser = argparse.ArgumentParser(prog="tools/benchmark grids", description=__doc__)
    parser.add_argument("--archive", type=Path, default=ROOT.parent / "shared" / "data" / "geometry" / "uiuc_airfoils.tar.gz")
    parser.add_argument("--every", type=int, default=1, help="only every n-th section; all of them take about twenty minutes")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 150)
    unreadable: list[str] = []
    failed: dict[str, list[str]] = {kind: [] for kind in GRIDS}
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(options.archive) as archive:
            for member in archive:
                if member.isfile() and member.name.lower().endswith(".dat"):
                    (Path(folder) / Path(member.name).name).write_bytes(archive.extractfile(member).read())
        files = sorted(Path(folder).iterdir())[:: options.every]
        for path in track(files, "sections", console=console, transient=True):
            try:
                section = geoop.read(path)
            except GeoopError:
                unreadable.append(path.name)
                continue
            for kind, make in GRIDS.items():
                if not _sound(make, section):
                    failed[kind].append(path.name)
    readable = len(files) - len(unreadable)
    console.print(f"{len(files)} sections, {readable} readable; not readable: {', '.join(unreadable) or 'none'}")
    for kind, names in failed.items():
        console.print(f"{kind}: {readable - len(names)} of {readable}; failed: {', '.join(names) or 'none'}")


def _sound(make: Callable[[Mesh], Mesh], section: Mesh) -> bool:
    try:
        return bool((signed_measures(make(section)) > 0).all())
    except GeoopError:
        return False


if __name__ == "__main__":
    main()
