"""Results to look at: a scene of VTK files over a sweep, in a window, as a picture without a display, or behind a page in a browser."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigurationError, GeoopError, UnreadableFileError, UnsupportedFormatError
from ..io.atomic import replacing
from ..io.reading import read_case
from ..mesh.body import body
from ..mesh.quantity import parse_label
from .plot_fields import off_screen, pressure_colours
from .plot_polars import curves_of
from .plot_style import INK
from .study_folder import StudyFolder, number, parted

#: Files that are shown as they are; others are converted first.
SUFFIXES = (".vtu", ".vtp", ".vtk", ".vts", ".vtr", ".vtm", ".pvd")
#: Fields that are shown unless another is named, the first that is there.
_FIRST = ("pressure_coefficient", "pressure", "velocity")
#: Arrays that number things.
_NUMBERS = ("patch", "vtkOriginalPointIds", "vtkOriginalCellIds", "vtkGhostType")
#: Steps from which the range of the colours is taken.
_SAMPLED = 7
WINDOW = (1200, 780)


@dataclass(frozen=True)
class Sweep:
    """Files over a sweep.

    Attributes:
        name: what is shown.
        labels: one per step: ``alpha = 4 deg``.
        files: one or several per step, such as field and wall.
    """

    name: str
    labels: tuple[str, ...]
    files: tuple[tuple[Path, ...], ...]

    @classmethod
    def open(cls, path: str | os.PathLike[str], geometry: str | None = None) -> Sweep:
        """Of a file that VTK reads, a collection, or a study folder.

        Args:
            path: of .vtu, .vtp, .pvd and their like, or of a folder.
            geometry: of a study; the first one that has files unless given.

        Raises:
            UnreadableFileError: no such file, or one that is damaged.
            UnsupportedFormatError: another kind of file.
            ConfigurationError: no such geometry, or a geometry for a file.
            DatasetError: a folder without a study.
        """
        path = Path(path).expanduser()
        if path.is_dir():
            return _of_study(StudyFolder.open(path), geometry)
        if geometry is not None:
            raise ConfigurationError(f"a geometry, '{geometry}', of a single file", where=str(path), remedy="leave it out, or give a study folder")
        if not path.is_file():
            raise UnreadableFileError("there is no such file", where=str(path), remedy="check the path")
        if path.suffix.lower() not in SUFFIXES:
            remedy = f"geoop convert {path.name} {path.stem}.vtu, then view that"
            raise UnsupportedFormatError(f"'{path.suffix}' is not shown directly", where=str(path), remedy=remedy)
        return _of_collection(path) if path.suffix.lower() == ".pvd" else cls(path.stem, (path.stem,), ((path,),))

    def read(self, step: int) -> list[Any]:
        """The data sets of a step, as pyvista has them.

        Raises:
            UnreadableFileError: a file is missing or damaged.
        """
        import pyvista as pv

        found = []
        for file in self.files[step]:
            try:
                with warnings.catch_warnings(action="ignore", category=UserWarning):  # what VTK says of a damaged file: it comes back empty
                    data = pv.read(file)
            except (OSError, ValueError, RuntimeError) as error:
                raise UnreadableFileError(f"cannot be read: {error}", where=str(file), remedy="make it again") from error
            found += list(data.recursive_iterator()) if isinstance(data, pv.MultiBlock) else [data]
        if not any(data.n_points for data in found):
            raise UnreadableFileError("holds no points", where=str(self.files[step][0]), remedy="make it again")
        return found


class Scene:
    """What a plotter shows of a sweep: one step, coloured by one field, with one range of colours for all steps.

    Args:
        sweep: what there is.
        plotter: of pyvista.
        field: name, with or without its unit; the most telling one if None.
        step: that is shown first; the middle one if None.

    Raises:
        ConfigurationError: no such field or step.
    """

    def __init__(self, sweep: Sweep, plotter: Any, field: str | None = None, step: int | None = None) -> None:
        self.sweep, self.plotter = sweep, plotter
        self.step = len(sweep.labels) // 2 if step is None else step
        if not 0 <= self.step < len(sweep.labels):
            raise ConfigurationError(f"no step {step}", where=sweep.name, remedy=f"0 to {len(sweep.labels) - 1}")
        self.parts = sweep.read(self.step)
        self.fields = _fields(self.parts)
        self.field = _chosen(self.fields, field, sweep.name)
        self._limits: dict[str, tuple[float, float]] = {}
        self._draw()
        self._look()

    def show_step(self, step: int) -> None:
        """Show another step of the sweep; the camera stays."""
        self.step = int(np.clip(step, 0, len(self.sweep.labels) - 1))
        self.parts = self.sweep.read(self.step)
        self._draw()

    def show_field(self, field: str) -> None:
        """Colour by another field.

        Raises:
            ConfigurationError: no such field.
        """
        self.field = _chosen(self.fields, field, self.sweep.name)
        self._draw()

    @property
    def label(self) -> str:
        """The step in words."""
        return self.sweep.labels[self.step]

    def _draw(self) -> None:
        plotter = self.plotter
        camera = plotter.camera.copy() if plotter.renderer.camera_set else None
        plotter.clear_actors()
        plotter.scalar_bars.clear()  # else the bar of the step before is taken for there
        name, unit = parted(self.field or "")
        bar = {"title": name.replace("_", " ") + (f" [{unit}]" if unit not in ("", "1", "?") else ""), "vertical": True, "height": 0.6}
        bar |= {"position_x": 0.88, "position_y": 0.2, "color": INK, "title_font_size": 16, "label_font_size": 14}
        for part in self.parts:
            shown, options = _drawn(part)
            coloured = self.field in shown.array_names
            if coloured:
                limits = self._range()
                colours = pressure_colours(limits) if name == "pressure_coefficient" else "viridis"
                options |= {"scalars": self.field, "clim": limits, "cmap": colours, "scalar_bar_args": bar, "show_scalar_bar": True}
            plotter.add_mesh(shown, name=None, reset_camera=False, color=None if coloured else "lightgrey", copy_mesh=False, **options)
        said = self.label if self.label == self.sweep.name else f"{self.sweep.name}: {self.label}"
        plotter.add_text(said, font_size=11, color=INK, position=(0.02, 0.94), viewport=True, name="label")
        if camera is not None:
            plotter.camera = camera

    def _range(self) -> tuple[float, float]:
        """Of the field over the sweep: 1st to 99th percentile of a few steps, so that colours mean the same in all."""
        field = self.field or ""
        if field not in self._limits:
            values = []
            for step in np.unique(np.linspace(0, len(self.sweep.labels) - 1, _SAMPLED).round().astype(int)):
                for part in self.parts if step == self.step else self.sweep.read(int(step)):
                    if self.field in part.array_names:
                        found = np.asarray(part[self.field], dtype=np.float64)
                        values.append(np.linalg.norm(found, axis=1) if found.ndim > 1 else found)
            joined = np.concatenate(values)
            joined = joined[np.isfinite(joined)]
            low, high = np.percentile(joined, [1.0, 99.0]) if len(joined) else (0.0, 1.0)
            self._limits[field] = (float(low), float(high if high > low else low + 1.0))
        return self._limits[field]

    def _look(self) -> None:
        """The camera on the body where the file says what that is, else on everything."""
        bounds = _body_bounds(self.sweep.files[self.step], self.parts)
        size, middle = bounds[1] - bounds[0], 0.5 * (bounds[0] + bounds[1])
        camera = self.plotter.camera
        camera.focal_point = middle
        if size[2] <= 1e-9 * size.max():
            camera.position, camera.up = middle + [0.0, 0.0, 3.0 * size.max()], (0.0, 1.0, 0.0)
            self.plotter.enable_parallel_projection()
            camera.parallel_scale = 0.62 * size.max()
        else:
            camera.position, camera.up = middle + np.array([-1.6, -1.9, 1.1]) * float(np.linalg.norm(size)) * 0.75, (0.0, 0.0, 1.0)
        self.plotter.renderer.camera_set = True
        self.plotter.reset_camera_clipping_range()


def picture(sweep: Sweep, path: str | Path, *, field: str | None = None, step: int | None = None, size: tuple[int, int] = WINDOW) -> Path:
    """A picture of one step, drawn without a display.

    Args:
        sweep: what there is.
        path: .png or .jpg.
        field, step: as for :class:`Scene`.
        size: pixels.

    Raises:
        ConfigurationError: no such field or step, or another kind of picture.
        MissingDependencyError: VTK finds nothing to draw with.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ConfigurationError(f"a picture '{path.suffix}'", where=str(path), remedy="write .png or .jpg")
    with off_screen(size) as plotter:
        Scene(sweep, plotter, field, step)
        with replacing(path) as beside:
            plotter.screenshot(str(beside))
    return path


def window(sweep: Sweep, *, field: str | None = None, step: int | None = None) -> None:
    """A window with a slider over the sweep; the key ``f`` goes to the next field. Returns when it is closed.

    Raises:
        ConfigurationError: no such field or step.
    """
    import pyvista as pv

    plotter: Any = pv.Plotter(window_size=list(WINDOW), title=f"geoop: {sweep.name}")
    plotter.set_background("white")
    scene = Scene(sweep, plotter, field, step)
    plotter.add_axes(color=INK)
    plotter.add_key_event("f", lambda: scene.show_field(after(scene.fields, scene.field)))
    if len(sweep.labels) > 1:
        last = len(sweep.labels) - 1
        move = moved(scene)
        plotter.add_slider_widget(move, (0, last), value=scene.step, title="step", fmt="%.0f", pointa=(0.3, 0.08), pointb=(0.7, 0.08), color=INK)
    plotter.show()


def moved(scene: Scene) -> Callable[[float], None]:
    """What a slider does: its value is rounded to a step, which is read only when it is another one."""

    def move(value: float) -> None:
        if round(value) != scene.step:
            scene.show_step(round(value))

    return move


def after(names: Sequence[str], name: str | None) -> str:
    """The name that follows, the first after the last."""
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]


def has_display() -> bool:
    """Whether a window can be opened: on Linux some variable says where, elsewhere there always is a place."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _of_collection(path: Path) -> Sweep:
    import pyvista as pv

    try:
        sets = pv.PVDReader(str(path)).datasets
    except (OSError, ValueError, RuntimeError, LookupError, SyntaxError) as error:
        raise UnreadableFileError(f"is no collection: {error}", where=str(path), remedy="make it again") from error
    times = sorted({item.time for item in sets})
    if not times:
        raise UnreadableFileError("names no files", where=str(path), remedy="make it again")
    files = tuple(tuple(path.parent / item.path for item in sets if item.time == time) for time in times)
    return Sweep(path.stem, tuple(f"{time:g}" for time in times), files)


def _of_study(study: StudyFolder, geometry: str | None) -> Sweep:
    if geometry is not None and geometry not in study.geometries:
        raise ConfigurationError(f"no geometry '{geometry}'", where=str(study.path), remedy=f"choose one of {list(study.geometries)[:20]}")
    for name in study.geometries if geometry is None else (geometry,):
        over, curves = curves_of(study, study.of(name))
        labels, files = [], []
        for curve in curves:
            for row in curve.rows:
                own = tuple(file for suffix in (".vtu", ".vtp") if (file := study.file(row, suffix)) is not None)
                said, unit = parted(over)
                value = number(row, over)
                if own:
                    files.append(own)
                    labels.append(f"{row['case']}, {said} = {value:g} {unit}".strip() if value is not None else row["case"])
        if files:
            return Sweep(name, tuple(labels), tuple(files))
    raise ConfigurationError("no case has a file to look at", where=str(study.path), remedy='make the study with files = "all" or "surface"')


def _fields(parts: Sequence[Any]) -> list[str]:
    """Names of the arrays with numbers at points or cells."""
    names = [name for part in parts for store in (part.point_data, part.cell_data) for name in store if store[name].dtype.kind in "fiu"]
    return [name for name in dict.fromkeys(names) if name not in _NUMBERS]


def _chosen(names: Sequence[str], wanted: str | None, where: str) -> str | None:
    """The array that a name stands for; None where a file has none and none is wanted."""
    for name in (wanted,) if wanted is not None else (*_FIRST, *names[:1]):
        match = next((item for item in names if name in (item, parse_label(item)[0])), None)
        if match is not None:
            return match
    if wanted is not None:
        raise ConfigurationError(f"no field '{wanted}'", where=where, remedy=f"choose one of {[parse_label(name)[0] for name in names]}")
    return None


def _drawn(part: Any) -> tuple[Any, dict[str, Any]]:
    """What is drawn of a data set, and how: solids by a section along their middle, lines thick, clouds as points."""
    highest = _dimension(part)
    if highest == 3:
        return part.slice(normal="y", origin=part.center), {"lighting": False}
    if highest == 0:
        return part, {"style": "points", "point_size": 6, "lighting": False}
    curved = highest == 2 and np.ptp(part.points[:, 2]) > 1e-9 * part.length
    return part, {"line_width": 5, "lighting": curved, "ambient": 0.35, "diffuse": 0.7, "smooth_shading": curved}


def _dimension(part: Any) -> int:
    """Highest dimension of the cells: 0 for points alone."""
    import pyvista as pv

    if isinstance(part, pv.PolyData):
        return 2 if part.n_cells > part.n_lines + part.n_verts else 1 if part.n_lines else 0
    if isinstance(part, pv.UnstructuredGrid):
        return max((_DIMENSION.get(int(kind), 3) for kind in np.unique(part.celltypes)), default=0)
    return sum(count > 1 for count in part.dimensions)


#: VTK's number of a cell -> its dimension; what is not named is solid.
_DIMENSION = {1: 0, 2: 0, 3: 1, 4: 1, 21: 1, 35: 1, 68: 1, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 22: 2, 23: 2, 28: 2, 30: 2, 34: 2, 36: 2, 69: 2, 70: 2}


def _body_bounds(files: Sequence[Path], parts: Sequence[Any]) -> np.ndarray:
    """(2, 3) corners of the body, or of all that there is."""
    for file in reversed(files):  # of a case the wall comes last
        try:
            case = read_case(file)
            low, high = body(case.mesh, case.wall).bounds
        except GeoopError:
            continue
        if (high > low).any():
            return np.pad(np.stack([low, high]), ((0, 0), (0, 3 - len(low))))
    corners = np.array([part.bounds for part in parts if part.n_points]).reshape(-1, 3, 2)
    return np.stack([corners[:, :, 0].min(axis=0), corners[:, :, 1].max(axis=0)])
