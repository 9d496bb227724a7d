"""Memory of encoding and decoding: what is counted, and what is foretold."""

import sys
from pathlib import Path

import benchmark_memory as study
import pytest
import torch

from geoop.graph.pointset import PointSet


def test_help_is_there(capsys):
    with pytest.raises(SystemExit):
        study.main(["-h"])
    assert "benchmark memory" in capsys.readouterr().out


def test_sizes_are_foretold_on_a_line():
    assert study.extrapolated((100, 10.0), (200, 20.0), 1000) == 100.0
    assert study.extrapolated(None, (200, 20.0), 1000) == 0.0
    assert study.extrapolated((100, 30.0), (200, 20.0), 1000) == 20.0


def test_bytes_of_clouds_and_mappings():
    points = PointSet(torch.zeros(10, 2), torch.zeros(10, 3))
    assert study.bytes_of(points) == 4 * (10 * 2 + 10 * 3 + 10) + 8 * 2
    assert study.bytes_of({"a": torch.zeros(5), "b": (torch.zeros(2), None)}) == 28


PEAKS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import benchmark_memory as study
found = {}
with study.peak(found, "large"):
    block = np.ones(8 * study.MEGA)
    del block
with study.peak(found, "small"):
    pass
print(json.dumps(found))
"""


def test_a_peak_is_seen_and_forgotten():
    found = study.last_line_of([sys.executable, "-c", PEAKS, str(Path(study.__file__).parent)])
    assert found["large"] == pytest.approx(found["small"] + 64, abs=4)


def test_a_small_run_in_a_process_of_its_own():
    found = study.in_own_process("LowRankOperator", "small", 200, 500)
    assert found["points"] > 150 and found["answer"] > 0
    assert found["decode"] > found["idle"] - 1 > 0, "the system counts pages in batches: a megabyte may be missing"
