"""Pictures of studies: what is drawn, to scale, the right way up, and told apart by everybody."""

import itertools
import shutil

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.case import Case
from geoop.mesh.cells import Cells
from geoop.mesh.mesh import Mesh
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import QUANTITIES, Field
from geoop.studies.plots import fields, polars, pressure, style
from geoop.studies.plots.fields import field_view, pressure_colours
from geoop.studies.plots.polars import comparison_plot, curves_of, map_plot, polar_plot
from geoop.studies.plots.pressure import WallPressure, chosen_rows, pressure_picture
from geoop.studies.plots.study import file_stems
from geoop.studies.report.study_folder import StudyFolder
from geoop.truth.panels.system import PanelSystem
from tests.studies.synthetic_study import section_study


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return StudyFolder.open(section_study(tmp_path_factory.mktemp("plots") / "a", fields=False))


@pytest.fixture(scope="module")
def speeds(tmp_path_factory):
    alphas, speeds = (-4.0, 0.0, 4.0, 8.0), (20.0, 40.0, 60.0)
    return StudyFolder.open(section_study(tmp_path_factory.mktemp("plots") / "b", ("2412",), alphas, speeds, fields=False, drag=False))


@pytest.fixture
def drawn(monkeypatch):
    """The figures that would be written."""
    figures = []
    for module in (polars, pressure, fields):
        monkeypatch.setattr(module, "save", lambda made, path: figures.append(made) or path)
    return figures


def cp_case(section, alpha=5.0, angle=0.0, scale=1.0, shift=(0.0, 0.0), clockwise=False):
    """The wall of a section by panels, turned, scaled and moved as a whole, the free stream with it."""
    flow = PanelSystem(section, 120).flow(OperatingPoint(10.0, alpha))
    c, s = np.cos(angle), np.sin(angle)
    points = scale * flow.surface.points @ np.array([[c, s], [-s, c]]) + shift
    ring = np.stack([np.arange(len(points)), np.roll(np.arange(len(points)), -1)], 1)
    cells = Cells.of(line=ring[:, ::-1] if clockwise else ring)
    return Case(Mesh(points, cells), fields={"pressure_coefficient": Field(QUANTITIES["pressure_coefficient"], flow.surface.pressure_coefficient)})


def test_pressure_over_the_chord_does_not_depend_on_place_size_or_order():
    reference = WallPressure.of(cp_case(naca4("2412")))
    moved = WallPressure.of(cp_case(naca4("2412"), angle=0.4, scale=0.02, shift=(7.0, -3.0), clockwise=True))
    for wall in (reference, moved):
        assert np.abs(wall.outline[[wall.outline[:, 0].argmax(), wall.outline[:, 0].argmin()]] - [[1, 0], [0, 0]]).max() < 5e-3
        assert 0.8 < wall.values[wall.stagnation] <= 1.0 and wall.outline[wall.stagnation, 1] < 0 < wall.outline[wall.suction_peak, 1]
    assert moved.outline[moved.suction_peak] == pytest.approx(reference.outline[reference.suction_peak], abs=1e-9)
    assert np.sort(moved.values[:-1]) == pytest.approx(np.sort(reference.values[:-1]))  # the first point is repeated
    area = 0.5 * np.sum(moved.outline[:-1, 0] * moved.outline[1:, 1] - moved.outline[1:, 0] * moved.outline[:-1, 1])
    assert area == pytest.approx(0.0817, abs=1e-3)  # counter-clockwise; that of a section of 12 %
    assert WallPressure.of(Case(naca4("2412"))) is None


def test_axis_of_pressure_is_reversed_and_the_section_true_to_scale(sections, drawn, tmp_path):
    pressure_picture(sections, "naca2412", tmp_path / "cp.png")
    beneath, above = drawn[0].axes
    assert above.yaxis_inverted() and above.get_xlim() == beneath.get_xlim()
    size = beneath.get_window_extent()
    assert np.diff(beneath.get_ylim())[0] / np.diff(beneath.get_xlim())[0] == pytest.approx(size.height / size.width, rel=1e-6)
    assert [line.get_label() for line in above.lines if line.get_label().startswith("$")] == [
        rf"$\alpha$ = {value}°" for value in ("−4", "0", "4", "8", "12")
    ]
    widths = [np.ptp(band.get_paths()[0].vertices[:, 1]) for band in above.collections]
    assert len(widths) == 10 and min(widths) > 0.1  # a band on either side of each of five sections


def test_rows_outside_are_left_out_where_others_suffice(sections):
    over, rows = chosen_rows(sections, "naca0012", 5)
    assert over == "alpha [deg]" and [row["alpha [deg]"] for row in rows] == [-4, 0, 4, 8, 12]
    assert [row["alpha [deg]"] for row in chosen_rows(sections, "naca0012", 2)[1]] == [-4, 12]


def test_bands_are_the_expected_errors_and_controls_are_drawn(sections, drawn, tmp_path):
    polar_plot(sections, "naca2412", tmp_path / "polar.png")
    lift = drawn[0].axes[0]
    band = lift.collections[0].get_paths()[0].vertices
    for row in sections.of("naca2412"):
        at = band[np.isclose(band[:, 0], row["alpha [deg]"]), 1]
        assert (at.max() - at.min()) / 2 == pytest.approx(row["CL error"])
    curve, control = lift.lines[0], lift.lines[-1]
    assert list(curve.get_ydata()) == [row["CL"] for row in sections.of("naca2412")]
    assert list(control.get_ydata()) == [row["CL panels"] for row in sections.of("naca2412")] and control.get_linestyle() == "--"
    marks = {line.get_marker(): len(line.get_xdata()) for line in lift.lines if line.get_linestyle() == "None"}
    assert marks == {"o": 4, "D": 1, "x": 1}  # inside, edge, outside
    assert [axes.get_ylabel() for axes in drawn[0].axes] == ["$C_L$", "$C_M$", "$C_L$", "$L/D$"]
    assert drawn[0].axes[0].get_xlabel() == r"$\alpha$ [°]" and drawn[0].axes[2].get_xlabel() == "$C_D$"


def test_a_curve_per_speed_and_a_map_of_both(speeds, drawn, tmp_path):
    over, curves = curves_of(speeds, speeds.of("naca2412"))
    assert over == "alpha [deg]" and [curve.label for curve in curves] == [f"velocity = {speed} m/s" for speed in (20, 40, 60)]
    assert all([row["alpha [deg]"] for row in curve.rows] == [-4, 0, 4, 8] for curve in curves)
    polar_plot(speeds, "naca2412", tmp_path / "polar.png")
    assert [axes.get_ylabel() for axes in drawn[0].axes] == ["$C_L$", "$C_M$", "$C_{p,min}$"] and drawn[0].axes[2].yaxis_inverted()
    map_plot(speeds, "naca2412", tmp_path / "map.png")
    axes, bar = drawn[1].axes
    assert axes.get_ylabel() == "velocity [m/s]" and bar.get_ylabel() == "$C_L$"
    low, high = bar.get_ylim()
    assert low <= min(row["CL"] for row in speeds.of("naca2412")) and high >= max(row["CL"] for row in speeds.of("naca2412"))


def test_failed_cases_are_marked_where_they_are_missing(sections, drawn, tmp_path):
    comparison_plot(sections, tmp_path / "all.png")
    ticks = [line for line in drawn[0].axes[0].lines if line.get_marker() == "|"]
    assert [list(line.get_xdata()) for line in ticks] == [[0.0]]
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels[:2] == ["naca0012", "naca2412"] and "failed" in labels and "panel method" in labels


def test_what_cannot_be_drawn_is_said(sections, tmp_path):
    for draw in (polar_plot, pressure_picture, map_plot):
        with pytest.raises(ConfigurationError):
            draw(sections, "nothing", tmp_path / "a.png")
    with pytest.raises(ConfigurationError, match="two inputs"):
        map_plot(sections, "naca0012", tmp_path / "a.png")
    with pytest.raises(ConfigurationError, match="fields at points"):
        field_view(Case(naca4("0012")), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_names_with_dollars_and_slashes_are_drawn(sections, tmp_path):
    folder = shutil.copytree(sections.path, tmp_path / "copy")
    text = (folder / "table.csv").read_text().replace(",naca0012,", ",$\\frac{/../x_%,")
    (folder / "table.csv").write_text(text)
    study = StudyFolder.open(folder)
    name = study.geometries[0]
    assert polar_plot(study, name, tmp_path / "a.png").stat().st_size > 10_000
    assert file_stems((name, "a b", "a/b", "A_B", "..")) == {name: "frac_.._x", "a b": "a_b", "a/b": "a_b_2", "A_B": "A_B_3", "..": "geometry"}


def test_a_cloud_around_a_section_is_filled_but_not_inside_it(tmp_path):
    system, random = PanelSystem(naca4("0015"), 100), np.random.default_rng(0)
    wall = system.flow(OperatingPoint(10.0, 4.0)).surface.points
    points = np.concatenate([wall, random.uniform([-0.6, -0.7], [1.6, 0.7], (3000, 2))])
    velocity = np.nan_to_num(system.velocity(points, [OperatingPoint(10.0, 4.0)])[0])
    inside = (velocity == 0).all(axis=1) & (np.arange(len(points)) >= len(wall))
    points, velocity = points[~inside], velocity[~inside]
    lines = Cells.of(line=np.stack([np.arange(len(wall)), np.roll(np.arange(len(wall)), -1)], 1))
    cells = Cells.concatenate([lines, Cells.of(vertex=np.arange(len(wall), len(points))[:, None])])
    case = Case(
        Mesh(points, cells, {"wall": lines}),
        OperatingPoint(10.0, 4.0),
        {"velocity": Field(QUANTITIES["velocity"], velocity)},
        wall=("wall",),
        name="cloud",
    )
    image = matplotlib.image.imread(field_view(case, tmp_path / "cloud.png"))[..., :3]
    rows, columns = np.flatnonzero((image.std(axis=2) > 0.05).mean(axis=1) > 0.3), np.flatnonzero((image.std(axis=2) > 0.05).mean(axis=0) > 0.3)
    middle = image[(rows[0] + rows[-1]) // 2]
    left, right = columns[0], columns[columns < 0.8 * image.shape[1]][-1]
    at = [int(left + (right - left) * (x + 0.45) / 1.9) for x in (-0.3, 0.3, 1.3)]
    assert (middle[at[1]] > 0.99).all() and (middle[at[0]].min() < 0.9) and (middle[at[2]].min() < 0.9)


def test_pressure_is_white_at_zero_red_above_and_blue_below():
    for low, high in ((-6.0, 1.0), (-0.5, 1.0)):
        colours = pressure_colours((low, high))
        zero = np.array(colours(-low / (high - low))[:3])
        assert np.ptp(zero) < 0.05 and zero.min() > 0.8
        least, most = np.array(colours(0.0)), np.array(colours(1.0))
        assert least[2] > least[0] + 0.4 and most[0] > most[2] + 0.4
    assert np.array(pressure_colours((0.2, 1.0))(0.0))[0] > 0.8  # nothing below zero: nothing blue


#: Machado, Oliveira and Fernandes 2009: what linear RGB becomes for those without green cones, and without red ones.
NO_GREEN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
NO_RED = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])


@pytest.mark.parametrize("sight", [np.eye(3), NO_GREEN, NO_RED], ids=["all cones", "no green", "no red"])
def test_everybody_tells_the_curves_apart(sight):
    def perceived(colour):
        linear = np.array(matplotlib.colors.to_rgb(colour)) ** 2.2
        return np.clip(sight @ linear, 0, 1) ** (1 / 2.2)

    distances = [np.linalg.norm(perceived(a) - perceived(b)) for a, b in itertools.combinations(style.COLOURS, 2)]
    assert min(distances) > 0.15
    if sight is NO_RED:  # the measure itself: these two are taken for one another
        assert np.linalg.norm(perceived("red") - perceived("green")) < 0.15
