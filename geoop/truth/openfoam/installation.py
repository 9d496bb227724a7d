"""The programs of OpenFOAM on this machine, and the environment that they need."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ...errors import MissingDependencyError

INSTALL = "apt-get install --no-install-recommends openfoam"
#: Where Debian's package keeps ``etc/controlDict``, without which every program dies.
_PROJECT = "/usr/share/openfoam"


def program(name: str) -> str:
    """The path of one of OpenFOAM's programs, or of ``mpirun``.

    Raises:
        MissingDependencyError: it is not on PATH, with the command that installs it.
    """
    found = shutil.which(name)
    if found is None:
        package = "apt-get install --no-install-recommends openmpi-bin" if name == "mpirun" else INSTALL
        raise MissingDependencyError(
            f"the program '{name}' is not on PATH",
            where="OpenFOAM",
            remedy=f"{package} (Debian, Ubuntu), or `source` the bashrc of your OpenFOAM" + ("; or run on one processor" if name == "mpirun" else ""),
        )
    return found


def is_installed() -> bool:
    """Whether a steady laminar case could be run here."""
    return all(shutil.which(name) for name in ("simpleFoam", "checkMesh"))


def environment() -> dict[str, str]:
    """The environment of this process, with ``WM_PROJECT_DIR`` set where it is missing and one thread per process.

    Raises:
        MissingDependencyError: ``WM_PROJECT_DIR`` is not set and OpenFOAM does not lie where Debian puts it.
    """
    variables = dict(os.environ)
    if not variables.get("WM_PROJECT_DIR"):
        if not Path(_PROJECT, "etc", "controlDict").is_file():
            raise MissingDependencyError(
                f"WM_PROJECT_DIR is not set, and there is no {_PROJECT}/etc/controlDict",
                where="OpenFOAM",
                remedy=f"`source` the bashrc of your OpenFOAM, or {INSTALL}",
            )
        variables["WM_PROJECT_DIR"] = _PROJECT
    variables["OMP_NUM_THREADS"] = "1"
    variables.setdefault("OMPI_MCA_rmaps_base_oversubscribe", "1")  # more processes than cores: the user has asked for them
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # containers: Open MPI refuses without both
        variables |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return variables
