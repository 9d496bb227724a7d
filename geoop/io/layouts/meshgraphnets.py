"""MeshGraphNets (Pfaff et al., ICLR 2021) as HDF5 or npz: a trajectory per group or file, in ``train``, ``valid`` and ``test``.

Checked in echowve/meshGraphNets_pytorch (``parse_tfrecord.py``): groups ``"0"``, ``"1"``, ... with ``pos`` (t, n, 2), ``node_type`` (t, n, 1), ``velocity``
(t, n, 2), ``cells`` (t, m, 3), ``pressure`` (t, n, 1); files ``train.h5``, ``valid.h5``, ``test.h5``; ``meta.json`` of the original beside the TFRecords.
Checked in copies of ``common.py`` of google-deepmind/deepmind-research: node types 0 normal, 1 obstacle, 2 aerofoil, 3 handle, 4 inflow,
5 outflow, 6 wall. From memory: ``dt`` in ``meta.json``; array ``mesh_pos`` where the original name is kept. TFRecords themselves need
TensorFlow and are not read. No units are published: SI is taken, and said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UnreadableFileError
from ...mesh.case import Case
from ...mesh.cells import Cells
from ...mesh.mesh import Mesh
from ...mesh.operating_point import OperatingPoint
from ...mesh.quantity import Field
from ...mesh.rim import BODY, rim_parts
from ..collecting.choices import Choices
from ..collecting.collection import Collection
from ..collecting.folder import natural
from ..collecting.splitting import Splits
from ..fields import field_of
from .layout import Layout, Published, collection_of, constant

_SPLITS = {"train": "train", "valid": "val", "validation": "val", "val": "val", "test": "test"}
_POSITIONS = ("mesh_pos", "pos")
AEROFOIL, OBSTACLE, INFLOW, OUTFLOW, WALL = 2, 1, 4, 5, 6
_PATCHES = {AEROFOIL: "airfoil", OBSTACLE: "obstacle", INFLOW: "inflow", OUTFLOW: "outflow", WALL: "wall"}
_LABELS: dict[str, str] = {"velocity": "velocity [m/s]", "pressure": "pressure [Pa]", "density": "density [kg/m^3]"}


@dataclass(frozen=True)
class _Trajectory:
    """A trajectory: its file, the group in it (empty for npz), its number of frames."""

    path: Path
    group: str
    frames: int


def recognise(root: Path) -> bool:
    """Whether the folder holds trajectories: one is opened."""
    first = next(iter(_files(root)), None)
    if first is None:
        return False
    try:
        with _opened(first[1]) as groups:
            return any(_is_trajectory(arrays) for _, arrays in list(groups.items())[:1])
    except (OSError, ValueError, KeyError):
        return False


def survey(root: Path, choices: Choices) -> Collection:
    """The last frame of every trajectory, or all of them as series (``--times all``); splits as published.

    Raises:
        UnreadableFileError: no trajectory is there.
    """
    found: dict[str, _Trajectory] = {}
    parts: dict[str, list[str]] = {}
    notes: list[str] = []
    for split, path in _files(root):
        try:
            with _opened(path) as groups:
                for group, arrays in sorted(groups.items(), key=lambda pair: natural(pair[0])):
                    name = f"{split}_{group or path.stem}"
                    if not _is_trajectory(arrays):
                        notes.append(f"'{path.name}/{group}' is no trajectory and left out")
                        continue
                    found[name] = _Trajectory(path, group, int(arrays["velocity"].shape[0]))
                    parts.setdefault(split, []).append(name)
        except (OSError, ValueError, KeyError) as error:
            notes.append(f"'{path.name}' cannot be read and is left out: {error}")
    if not found:
        raise UnreadableFileError("no trajectory can be read" + (f"; {notes[0]}" if notes else ""), where=str(root), remedy="download it again")
    step = _time_step(root, notes)
    cases, series = _cases(found, parts, choices)
    splits = {split: tuple(cases_of) for split, cases_of in _by_split(cases, parts).items()}
    published = Published(
        "meshgraphnets",
        Splits(splits, {name: trajectory for name, (trajectory, _) in cases.items()}, ("splits as published",)),
        lambda name: load(found[cases[name][0]], cases[name][1], step, choices),
        {},
        {name: {"trajectory": trajectory, "frame": frame} for name, (trajectory, frame) in cases.items()},
        series,
        licence="Apache-2.0 (code); see the publication for the data",
        about="MeshGraphNets: trajectories on triangle meshes.",
        facts={"time_step": step if step is not None else "unknown: frames are counted", "citation": "Pfaff et al., arXiv 2010.03409"},
        notes=(*notes, "no units are published: SI is taken; density 1 kg/m^3 and no viscosity unless --density and --viscosity say them",
               "the speed of the condition is the largest at an inflow node of the frame (at any node where there is no inflow)"),
        takes=("velocity", "alpha", "density", "viscosity", "reference_length"),
        files=sorted({item.path for item in found.values()}),
    )  # fmt: skip
    return collection_of(published, root, choices)


def load(trajectory: _Trajectory, frame: int, step: float | None, choices: Choices) -> Case:
    """One frame: triangles, patches by node type (the inner rims of a wall are ``body``), all arrays at points.

    Raises:
        UnreadableFileError: the file is damaged.
    """
    try:
        with _opened(trajectory.path) as groups:
            arrays = groups[trajectory.group]
            at = {key: np.asarray(_frame(value, frame, trajectory.frames)) for key, value in arrays.items()}
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableFileError(f"cannot be read: {error}", where=str(trajectory.path), remedy="download it again") from error
    points = at[next(key for key in _POSITIONS if key in at)].astype(np.float64)
    kinds = at["node_type"].reshape(-1)
    mesh = Mesh(points, Cells.of(triangle=at["cells"].astype(np.int64)), name=trajectory.path.stem)
    patches = _patches(mesh, kinds)
    wall = tuple(name for name in patches if name in ("airfoil", "obstacle") or name.startswith(BODY))
    speed = np.linalg.norm(at["velocity"], axis=-1)
    inflow = kinds == INFLOW
    free = float(speed[inflow].max() if inflow.any() else speed.max()) or 1.0
    fields: dict[str, Field] = {}
    for key, values in at.items():
        if key in (*_POSITIONS, "cells") or len(values) != len(points):
            continue
        values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        item = field_of(str(_LABELS.get(key, key)), values, "point")
        fields[item.name] = item
    point = OperatingPoint(
        constant(choices, "velocity", free) or free,
        constant(choices, "alpha", 0.0) or 0.0,
        density=constant(choices, "density", 1.0) or 1.0,
        viscosity=constant(choices, "viscosity", None),
        reference_length=constant(choices, "reference_length", None),
    )
    time = float(frame if step is None else frame * step)
    return Case(Mesh(mesh.points, mesh.cells, patches, name=mesh.name), point, fields, wall=wall, time=time)


def _patches(mesh: Mesh, kinds: np.ndarray) -> dict[str, Cells]:
    """Boundary edges by the types of their ends; edges between two types belong to the one that is no wall."""
    found: dict[str, Cells] = {}
    for part, cells in rim_parts(mesh).items():
        ends = kinds[cells.block("line")]
        kind = np.where(ends[:, 0] == ends[:, 1], ends[:, 0], np.where(np.isin(ends[:, 0], (WALL, 0)), ends[:, 1], ends[:, 0]))
        for value in np.unique(kind):
            name = _PATCHES.get(int(value), f"type_{int(value)}")
            name = part if name == "wall" and part.startswith(BODY) else name
            own = cells.take(np.flatnonzero(kind == value))
            found[name] = Cells.concatenate([found[name], own]) if name in found else own
    return found


def _cases(found: Mapping[str, _Trajectory], parts: Mapping[str, list[str]], choices: Choices) -> tuple[dict[str, tuple[str, int]], dict[str, str]]:
    """Case -> (trajectory, frame), and case -> series."""
    cases: dict[str, tuple[str, int]] = {}
    series: dict[str, str] = {}
    for name in (name for own in parts.values() for name in own):
        frames = found[name].frames
        if choices.times != "all":
            cases[name] = (name, frames - 1)
            continue
        for frame in range(frames):
            cases[f"{name}_t{frame:04d}"] = (name, frame)
            series[f"{name}_t{frame:04d}"] = name
    return cases, series


def _by_split(cases: Mapping[str, tuple[str, int]], parts: Mapping[str, list[str]]) -> dict[str, list[str]]:
    split_of = {name: split for split, own in parts.items() for name in own}
    found: dict[str, list[str]] = {split: [] for split in parts}
    for case, (trajectory, _) in cases.items():
        found[split_of[trajectory]].append(case)
    return found


def _files(root: Path) -> list[tuple[str, Path]]:
    """(split, file): ``train.h5``, ``train.npz``, ``train/*.npz``, ``train/*.h5``."""
    found = []
    for word, split in _SPLITS.items():
        for suffix in (".h5", ".hdf5", ".npz"):
            found += [(split, root / f"{word}{suffix}")] if (root / f"{word}{suffix}").is_file() else []
            found += [(split, item) for item in sorted(root.glob(f"{word}/*{suffix}"), key=lambda item: natural(item.name))]
    return found


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, Any]]:
    """Group -> arrays by name; of a file without groups one with an empty name."""
    if path.suffix == ".npz":
        with np.load(path) as data:
            yield {"": {key: data[key] for key in data.files}}
        return
    import h5py

    with h5py.File(path, "r") as handle:
        if any(isinstance(item, h5py.Dataset) for item in handle.values()):
            yield {"": dict(handle.items())}
        else:
            yield {key: dict(item.items()) for key, item in handle.items()}


def _is_trajectory(arrays: Mapping[str, Any]) -> bool:
    return {"cells", "node_type", "velocity"} <= set(arrays) and any(key in arrays for key in _POSITIONS) and arrays["velocity"].ndim == 3


def _frame(values: Any, frame: int, frames: int) -> Any:
    """A frame of an array with a time axis; a static array as it is."""
    return values[frame if values.shape[0] == frames else 0] if values.ndim == 3 else values[()]


def _time_step(root: Path, notes: list[str]) -> float | None:
    path = root / "meta.json"
    try:
        step = float(json.loads(path.read_text(encoding="utf-8"))["dt"])
        notes.append(f"time step {step:g} s as meta.json says")
        return step
    except (OSError, ValueError, KeyError, TypeError):
        notes.append("no meta.json says the time step: times are numbers of frames")
        return None


LAYOUT = Layout(
    "meshgraphnets",
    "MeshGraphNets trajectories as HDF5 or npz",
    "train.h5, valid.h5, test.h5 (or .npz) with mesh_pos or pos, cells, node_type, velocity",
    recognise,
    survey,
)
