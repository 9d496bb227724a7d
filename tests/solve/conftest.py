"""Makes the cases beside the tests importable, and the meshes of the finite elements."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fem")]
