"""GAOT and RIGNO NetCDF files (Wen et al. 2025; Mousavi et al. 2025): arrays ``u``, ``c``, ``x`` of all samples in one ``NAME.nc``.

Checked in camlab-ethz/GAOT (``data_processor.py``): u (samples, times, nodes, channels), c likewise or absent, x (samples, times, nodes, d) or the same
for all, first samples train and last ones test, sizes by the configuration; in camlab-ethz/rigno (``dataset.py``): names of the arrays, names of the
channels by data set, domains and times. NetCDF 4 is HDF5; the classic format is read too. No connectivity is published: the nodes stay points.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DatasetError, UnreadableFileError
from ...mesh.case import Case
from ...mesh.mesh import Mesh
from ...mesh.quantity import Field, Quantity
from ..collecting.choices import Choices
from ..collecting.collection import Collection
from ..collecting.splitting import random_splits
from .layout import Layout, Published, collection_of, variant_of

#: Beginning of a file's name without signs -> names of the channels of u and of c, times; as the RIGNO loader lists them.
_KNOWN: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[float, float] | None]] = {
    "airfoilli": (("density", "velocity_x", "velocity_y", "pressure", "mach_number"), ("signed_distance",), None),
    "elasticity": (("sigma",), ("signed_distance",), None),
    "poissoncsines": (("u",), ("f",), None),
    "wavecsinesuv": (("u", "u_t"), (), (0.0, 0.1)),
    "wavecsines": (("u",), (), (0.0, 0.1)),
    "heatlsines": (("u",), (), (0.0, 0.002)),
    "ns": (("velocity_x", "velocity_y"), (), (0.0, 1.0)),
    "ce": (("density", "velocity_x", "velocity_y", "pressure"), (), (0.0, 1.0)),
    "poissongauss": (("u",), ("f",), None),
}


@dataclass(frozen=True)
class _Arrays:
    """u (s, t, n, k), c likewise or None, x (s or 1, t or 1, n, d)."""

    u: np.ndarray
    c: np.ndarray | None
    x: np.ndarray


def recognise(root: Path) -> bool:
    """Whether a NetCDF file of the folder has arrays ``u`` and ``x``."""
    for path in sorted(root.glob("*.nc"))[:3]:
        try:
            return {"u", "x"} <= set(_names(path))
        except (OSError, ValueError, TypeError):
            continue
    return False


def survey(root: Path, choices: Choices) -> Collection:
    """The samples of one file (``--variant`` names it where there are several), split 70 : 10 : 20 at random.

    Raises:
        UnreadableFileError: the file is damaged or has other arrays.
        DatasetError: shapes that do not fit.
    """
    files = {path.stem: path for path in sorted(root.glob("*.nc"))}
    stem = variant_of(choices, list(files), str(root))
    arrays = _arrays(files[stem])
    word = "".join(sign for sign in stem.lower() if sign.isalnum())
    known = next((found for key, found in _KNOWN.items() if word.startswith(key)), ((), (), None))
    samples, steps, _, channels = arrays.u.shape
    names_u = known[0] if len(known[0]) == channels else tuple(f"u_{k}" for k in range(channels))
    n_c = 0 if arrays.c is None else arrays.c.shape[3]
    names_c = known[1] if len(known[1]) == n_c else tuple(f"c_{k}" for k in range(n_c))
    times = np.linspace(*known[2], steps) if known[2] is not None and steps > 1 else np.arange(steps, dtype=np.float64)
    cases = {}
    series = {}
    for sample in range(samples):
        own = f"{stem}_{sample:05d}".replace(" ", "_")
        frames = range(steps) if choices.times == "all" and steps > 1 else [steps - 1]
        for frame in frames:
            name = f"{own}_t{frame:04d}" if len(frames) > 1 else own
            cases[name] = (sample, frame)
            if len(frames) > 1:
                series[name] = own
    notes = [
        "connectivity is not published: the nodes are points without cells",
        "units are not published: dimensionless where the loader names the channel, else ?",
    ]
    if names_u != known[0]:
        notes.append(f"the channels of '{stem}' are not known by name: u_0 .. u_{channels - 1}; name them with --map u_0=density:1")
    if len(arrays.x) == 1:
        notes.append("all samples share their nodes: one geometry")
    if steps > 1 and known[2] is None:
        notes.append("the times are not published in the file: frames are counted")
    notes.append("the publications split by the order of the samples and by a configuration that is not in the file: random 70 : 10 : 20 here")
    found = Published(
        "gaot",
        random_splits({name: f"sample_{sample:05d}" for name, (sample, _) in cases.items()}, choices.seed, "sample"),
        lambda name: load(arrays, cases[name], (names_u, names_c), times if steps > 1 else None, stem),
        {},
        {name: {"sample": sample, "frame": frame} for name, (sample, frame) in cases.items()},
        series,
        licence="see the publication",
        about=f"GAOT / RIGNO data set '{stem}': fields on nodes.",
        facts={"file": files[stem].name, "citation": "arXiv 2505.18781 and 2501.19205"},
        notes=notes,
        files=[files[stem]],
    )
    return collection_of(found, root, choices)


def load(arrays: _Arrays, at: tuple[int, int], names: tuple[tuple[str, ...], tuple[str, ...]], times: np.ndarray | None, stem: str) -> Case:
    """One sample at one time: its nodes, the solution and the condition as fields."""
    sample, frame = at
    x = arrays.x[min(sample, len(arrays.x) - 1)]
    points = np.array(x[min(frame, len(x) - 1)], dtype=np.float64)
    fields = {}
    for own, values in ((names[0], arrays.u), (names[1], arrays.c)):
        if values is None:
            continue
        part = values[sample][min(frame, values.shape[1] - 1)]
        rows = {name: np.array(part[:, k], dtype=np.float64) for k, name in enumerate(own)}
        if {"velocity_x", "velocity_y"} <= set(rows):
            rows["velocity"] = np.stack([rows.pop("velocity_x"), rows.pop("velocity_y")], axis=1)
        for name, row in rows.items():
            unit = "?" if name[:2] in ("u_", "c_") and name[2:].isdigit() else "1"
            fields[name] = Field(Quantity(name, name, unit, row.ndim - 1), row)
    return Case(Mesh(points, name=f"{stem}_{sample}"), fields=fields, time=None if times is None else float(times[frame]))


def _arrays(path: Path) -> _Arrays:
    try:
        u, c, x = (_read(path, name) for name in ("u", "c", "x"))
    except (OSError, ValueError, TypeError) as error:
        raise UnreadableFileError(f"cannot be read as NetCDF: {error}", where=str(path), remedy="download it again") from error
    if u is None or x is None:
        raise UnreadableFileError(
            f"has no arrays u and x but {', '.join(_names(path))}", where=str(path), remedy="give a file of the published layout"
        )
    x = x.reshape((1,) * (4 - x.ndim) + x.shape)
    fits = u.ndim == 4 and x.ndim == 4 and x.shape[2] == u.shape[2] and x.shape[3] in (2, 3) and len(x) in (1, len(u))
    if not fits or (c is not None and (c.ndim != 4 or len(c) != len(u) or c.shape[2] != u.shape[2])):
        raise DatasetError(
            f"shapes do not fit: u {u.shape}, x {x.shape}, c {None if c is None else c.shape}",
            where=str(path),
            remedy="expected u and c (samples, times, nodes, channels), x (samples or 1, times, nodes, dimension)",
        )
    return _Arrays(u, c, x)


def _names(path: Path) -> list[str]:
    if _is_hdf5(path):
        import h5py

        with h5py.File(path, "r") as handle:
            return list(handle)
    from scipy.io import netcdf_file

    with netcdf_file(path, "r", mmap=False) as handle:
        return list(handle.variables)


def _read(path: Path, name: str) -> np.ndarray | None:
    """An array of the file; None if it has none of that name."""
    if name not in _names(path):
        return None
    if _is_hdf5(path):
        import h5py

        with h5py.File(path, "r") as handle:
            return np.asarray(handle[name][()])
    from scipy.io import netcdf_file

    with netcdf_file(path, "r", mmap=False) as handle:
        return np.array(handle.variables[name][:])


def _is_hdf5(path: Path) -> bool:
    with open(path, "rb") as handle:
        return handle.read(4) == b"\x89HDF"


LAYOUT = Layout("gaot", "GAOT / RIGNO NetCDF files", "NAME.nc with arrays u, x and mostly c", recognise, survey)
