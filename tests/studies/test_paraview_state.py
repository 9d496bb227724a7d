"""The ParaView script of a study: what it names, and what real ParaView makes of it."""

import ast
import os
import re
import shutil
import subprocess

import matplotlib.image
import pytest
import pyvista as pv

from geoop.studies.report.paraview_state import write_paraview_state
from geoop.studies.report.study_folder import StudyFolder
from tests.studies.synthetic_study import EVIL, section_study, sphere_study


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    folder = section_study(tmp_path_factory.mktemp("state") / "two sections", ("0012", "2412"), (0.0, 4.0, 8.0))
    write_paraview_state(StudyFolder.open(folder))
    return folder


def table(folder):
    """GEOMETRIES of the script."""
    tree = ast.parse((folder / "open.py").read_text(encoding="ascii"))
    found = next(node for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "GEOMETRIES")
    return ast.literal_eval(found.value)


def test_the_script_compiles_and_the_files_that_it_names_are_there(sections):
    compile((sections / "open.py").read_text(encoding="ascii"), "open.py", "exec")
    shown = table(sections)
    assert [item["name"] for item in shown] == ["naca0012", "naca2412"]  # the failed geometry has no file
    for item in shown:
        assert (sections / item["field"]).is_file() and item["array"] == "pressure_coefficient [1]" and item["plane"] and item["loops"] == 1
        assert not os.path.isabs(item["field"]) and not os.path.isabs(item["wall"])
        reader = pv.PVDReader(str(sections / item["wall"]))
        assert reader.time_values == [0.0, 4.0, 8.0]
        reader.set_active_time_point(1)
        assert item["array"] in reader.read()[0].array_names
        low, high = item["extent"]
        assert low < item["range"][0] < -0.3 and 0.9 < item["range"][1] <= high <= 1.0


def test_names_of_users_never_become_code(sections, tmp_path):
    folder = section_study(tmp_path / "study", ("0012",), (0.0, 4.0), fields=False)
    text = (folder / "study.json").read_text()
    (folder / "study.json").write_text(text.replace("Two sections", '\\"\\"\\"; raise SystemExit(7) \\\\ @GEOMETRIES@ \\u00e9'))
    name = "é'\"\\ @WRITTEN@ {time} %d"
    rows = (folder / "table.csv").read_text().replace(",naca0012,", ',"' + name.replace('"', '""') + '",')
    (folder / "table.csv").write_text(rows, encoding="utf-8")
    write_paraview_state(StudyFolder.open(folder))
    tree = ast.parse((folder / "open.py").read_text(encoding="ascii"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and "SystemExit" in ast.unparse(node)]
    assert [item["name"] for item in table(folder)] == [name]
    assert EVIL  # the failed case of that name is left out


def test_several_speeds_are_numbered_as_cases(tmp_path):
    folder = section_study(tmp_path / "study", ("0012",), (0.0, 4.0), (20.0, 60.0), fields=False)
    write_paraview_state(StudyFolder.open(folder))
    (item,) = table(folder)
    assert item["field"] is None and not item["angles"]
    assert pv.PVDReader(str(folder / item["wall"])).time_values == [0.0, 1.0, 2.0, 3.0]


def run(command, script, *words):
    """Real ParaView without a display of its own, in a folder that is not the study's."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "VTK_"))}
    full = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", shutil.which(command) or command, *words[:1], str(script), *words[1:]]
    return subprocess.run(
        [word for word in full if word], capture_output=True, text=True, timeout=300, env=environment, check=False, cwd=script.parents[1]
    )


@pytest.mark.paraview
@pytest.mark.parametrize("kind", ["sections", "one speed", "sphere"])
def test_pvpython_draws_it_wherever_it_lies(sections, tmp_path, kind):
    if kind == "sections":
        folder = tmp_path / "moved elsewhere"
        shutil.copytree(sections, folder)
    else:
        make = sphere_study if kind == "sphere" else section_study
        folder = make(tmp_path / "made", **({} if kind == "sphere" else {"codes": ("2412",), "alphas": (0.0, 4.0), "fields": False}))
        write_paraview_state(StudyFolder.open(folder))
    done = run("pvpython", folder / "open.py", "", str(tmp_path / "shown.png"))
    assert done.returncode == 0 and "Traceback" not in done.stderr + done.stdout, done.stderr[-2000:]
    image = matplotlib.image.imread(tmp_path / "shown.png")[..., :3]
    height, width = image.shape[:2]
    assert (height, width) == (620, 1600)
    left, right = image[:, : int(0.5 * width)], image[:, int(0.6 * width) :]
    assert left.std() > 0.02 and right.std() > 0.02
    red, blue = left[..., 0] - left[..., 2] > 0.2, left[..., 2] - left[..., 0] > 0.2
    assert red.sum() > 50 and blue.sum() > 50  # pressure and suction


@pytest.mark.paraview
def test_the_desktop_runs_it_by_its_name(sections, tmp_path):
    if shutil.which("paraview") is None:
        pytest.skip("no paraview desktop: apt-get install --no-install-recommends paraview")
    folder = tmp_path / "moved"
    shutil.copytree(sections, folder)
    script = (folder / "open.py").read_text()
    (folder / "open.py").write_text(script + f"\nSaveScreenshot({str(tmp_path / 'desktop.png')!r}, GetLayout())\nos._exit(0)\n")
    done = run("paraview", folder / "open.py", "--dr")
    assert (tmp_path / "desktop.png").is_file(), done.stderr[-2000:]
    image = matplotlib.image.imread(tmp_path / "desktop.png")[..., :3]
    lines = image[:, int(0.6 * image.shape[1]) : -120]
    assert (lines[..., 2] - lines[..., 0] > 0.3).sum() > 300  # the curve of Cp is drawn


def test_the_template_names_nothing_twice(sections):
    text = (sections / "open.py").read_text(encoding="ascii")
    assert not re.findall(r"@[A-Z]+@", text)
