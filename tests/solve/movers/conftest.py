"""Makes the meshes beside the tests, and those of the finite elements, importable."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "fem")]
