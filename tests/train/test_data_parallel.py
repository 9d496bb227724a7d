"""The user's script runs unchanged under torchrun: two processes, one run, one surrogate."""

import os
import subprocess
import sys

import pytest

import geoop

SCRIPT = """
import sys
from functools import partial
import geoop
from geoop.models.body_field import BodyField
from geoop.train.settings import FitSettings

surrogate = geoop.fit(
    sys.argv[1], sys.argv[2], model=partial(BodyField, width=32, depth=1, densities=4),
    settings=FitSettings(epochs=2, batch=4, validate_every=1), progress=False,
)
print("steps", surrogate.about["steps"], "hash", sum(float(p.sum()) for p in surrogate.model.parameters()))
"""


@pytest.mark.slow
def test_two_processes_share_a_run(tmp_path):
    data = geoop.generate("kt-airfoils", tmp_path / "kt", n=20)
    (tmp_path / "train.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(tmp_path / "train.py")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*command, str(data.directory), str(tmp_path / "run")], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("steps")]
    assert len(lines) == 2
    assert lines[0] == lines[1]  # both ended with the same, best surrogate
    # 14 training cases and their mirror images in batches of 4 on two processes: 14 // 4 = 3 steps per epoch
    assert lines[0].split()[1] == "6"
    geoop.load(tmp_path / "run" / "best.safetensors")
