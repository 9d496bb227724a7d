"""Two processes give the answer of one."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
from fem_shapes import square
from schwarz_cases import darcy

from geoop.solve.equations import Diffusion
from geoop.solve.schwarz.iteration import schwarz
from geoop.solve.schwarz.settings import SchwarzSettings

SCRIPT = """
    import sys
    sys.path[:0] = {path!r}
    import numpy as np
    import torch.distributed as dist
    from fem_shapes import square
    from schwarz_cases import darcy
    from geoop.solve.equations import Diffusion
    from geoop.solve.schwarz.iteration import schwarz
    from geoop.solve.schwarz.settings import SchwarzSettings
    dist.init_process_group("gloo")
    result = schwarz(darcy(square(16)), Diffusion(), None, SchwarzSettings(parts=7, certify=1e-10))
    np.save({out!r} + str(dist.get_rank()) + ".npy", result.u)
    dist.destroy_process_group()
"""


def test_two_processes_give_the_answer_of_one(tmp_path):
    here = Path(__file__).resolve().parent.parent
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SCRIPT.format(path=[str(here), str(here.parent / "fem")], out=str(tmp_path / "u"))))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(launch, capture_output=True, text=True, timeout=300, cwd=here.parent.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    alone = schwarz(darcy(square(16)), Diffusion(), None, SchwarzSettings(parts=7, certify=1e-10))
    for rank in (0, 1):
        np.testing.assert_allclose(np.load(tmp_path / f"u{rank}.npy"), alone.u, atol=1e-6 * np.abs(alone.u).max())
