"""Which files are runs, in folders as solvers and people leave them."""

from pathlib import Path

import numpy as np
import pytest

from geoop.errors import ConfigurationError, UnreadableFileError
from geoop.io.collecting.collection import plain_names
from geoop.io.collecting.folder import Run, find_runs, inputs_hash, natural, stem_of


def made(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def keys(found):
    return [run.key for run in found.runs]


def test_one_file_per_run_in_natural_order(tmp_path):
    found = find_runs(made(tmp_path, "run10.vtu", "run9.vtu", "run1.VTU.gz", "notes.txt", "plot.png", ".hidden.vtu"))
    assert keys(found) == ["run1.VTU.gz", "run9.vtu", "run10.vtu"]


def test_members_of_a_collection_are_no_runs(tmp_path):
    made(tmp_path, "a/part_0.vtu", "a/part_1.vtu", "a/lone.vtu")
    (tmp_path / "a" / "flow.pvd").write_text(
        '<VTKFile type="Collection"><DataSet timestep="0" file="part_0.vtu"/><DataSet file="part_1.vtu"/></VTKFile>'
    )
    found = find_runs(tmp_path)
    assert keys(found) == ["a/flow.pvd"]
    assert "a/lone.vtu" in found.notes[0]


def test_openfoam_cases_are_found_at_any_depth_and_not_entered(tmp_path):
    made(tmp_path, "a/b/case1/system/controlDict", "a/b/case1/VTK/x.vtu", "case2/constant/polyMesh/points", "case2/postProcessing/s.vtp")
    assert keys(find_runs(tmp_path)) == ["a/b/case1", "case2"]


def test_solutions_take_the_su2_mesh_beside_or_above_them(tmp_path):
    made(tmp_path, "wing.su2", "a2/restart_flow.dat", "a4/restart_flow.csv", "a4/restart_flow.dat", "a4/flow.vtu", "a4/history.csv")
    found = find_runs(tmp_path)
    assert keys(found) == ["a2/restart_flow.dat", "a4/restart_flow.dat"]
    assert {run.path.name for run in found.runs} == {"wing.su2"}
    beside = find_runs(made(tmp_path / "x", "m.su2", "solution_flow_sa.dat", "solution_flow_sst.dat"))
    assert keys(beside) == ["solution_flow_sa.dat", "solution_flow_sst.dat"]
    several = find_runs(made(tmp_path / "y", "fluid.su2", "solid.su2", "solution_0.dat"))
    assert keys(several) == ["fluid.su2", "solid.su2"]
    assert "solution_0.dat" in several.notes[0]


def test_numbered_files_of_a_folder_are_frames_unless_the_table_names_them(tmp_path):
    made(tmp_path, *(f"{run}/f_{k}.vtu" for run in "ab" for k in (2, 10, 1)))
    found = find_runs(tmp_path)
    assert keys(found) == ["a", "b"]
    assert [path.name for path in found.runs[0].frames] == ["f_1.vtu", "f_2.vtu", "f_10.vtu"]
    made(tmp_path / "t", *(f"naca/aoa{k}.vtu" for k in (2, 10, 1)))
    assert keys(find_runs(tmp_path / "t", known=["aoa1", "aoa2", "aoa10"])) == ["naca/aoa1.vtu", "naca/aoa2.vtu", "naca/aoa10.vtu"]


def test_surfaces_lie_beside_the_volume(tmp_path):
    found = find_runs(made(tmp_path, "a/internal.vtu", "a/wing.vtp", "b/internal.vtu"))
    assert keys(found) == ["a/internal.vtu", "b/internal.vtu"]
    assert [path.name for path in found.runs[0].beside] == ["wing.vtp"]


def test_a_pattern_chooses_files_of_any_kind(tmp_path):
    made(tmp_path, "a/flow.vtu", "a/other.vtu", "b/flow.vtu", "points.csv")
    assert keys(find_runs(tmp_path, "flow.vtu")) == ["a/flow.vtu", "b/flow.vtu"]
    assert keys(find_runs(tmp_path, "*.csv")) == ["points.csv"]
    with pytest.raises(ConfigurationError, match="no file fits"):
        find_runs(tmp_path, "*.xyz")


def test_the_output_and_the_table_are_no_runs(tmp_path):
    made(tmp_path, "a.vtu", "b.vtu", "data/cases/c.vtu")
    assert keys(find_runs(tmp_path, leave_out=[tmp_path / "data"])) == ["a.vtu", "b.vtu"]
    with pytest.raises(UnreadableFileError, match="is not a folder"):
        find_runs(tmp_path / "a.vtu")


def test_names():
    assert sorted(["r10", "r2", "R1"], key=natural) == ["R1", "r2", "r10"]
    assert [stem_of(Path(name)) for name in ("a.vtu", "a.vtu.gz", "x.cas.h5", "alpha2.5", "b/alpha2.5.vtu")] == [
        "a",
        "a",
        "x",
        "alpha2.5",
        "alpha2.5",
    ]
    assert plain_names(["x/a", "y/b"]) == {"x/a": "a", "y/b": "b"}
    assert plain_names(["x/a", "y/a", "y/b"]) == {"x/a": "x_a", "y/a": "y_a", "y/b": "b"}
    assert list(plain_names(["é é", "ö ö", "…"]).values()) == ["run", "run_2", "run_3"]


def test_the_fingerprint_is_of_names_and_content(tmp_path):
    made(tmp_path, "a.vtu")
    run = Run("a.vtu", tmp_path / "a.vtu")
    first = inputs_hash([run])
    assert inputs_hash([run]) == first
    (tmp_path / "a.vtu").write_bytes(np.arange(3).tobytes())
    assert inputs_hash([run]) != first


def test_files_left_out_for_one_reason_are_one_note_however_many_runs_there_are(tmp_path):
    for k in range(30):
        made(tmp_path, *(f"run{k}/{kind}_{step}.{suffix}" for step in range(2) for kind, suffix in (("flow", "vtu"), ("wall", "vtp"))))
    found = find_runs(tmp_path)
    assert len(found.runs) == 30
    (note,) = found.notes
    assert "run0/wall_0.vtp" in note and "and 56 more" in note
