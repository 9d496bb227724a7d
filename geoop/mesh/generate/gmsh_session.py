"""The one door to gmsh: silent, single-threaded, without signal handlers, and always closed again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import ConfigurationError, GeoopError, MissingDependencyError

_LOCK = threading.Lock()  # gmsh keeps one state per process
_OPTIONS = {
    "General.Terminal": 0,
    "General.Verbosity": 1,
    "General.NumThreads": 1,
    "Mesh.MaxNumThreads1D": 1,
    "Mesh.MaxNumThreads2D": 1,
    "Mesh.MaxNumThreads3D": 1,
    "Mesh.RandomSeed": 1,
    "Mesh.Algorithm": 6,  # frontal Delaunay: the most regular triangles
}


@contextmanager
def gmsh_session(failure: type[GeoopError], *, where: str, remedy: str) -> Iterator[Any]:
    """The gmsh module with a fresh, silent state; nothing of it is left afterwards, whatever happens in between.

    One session at a time: other threads wait. The same calls give the same mesh, whatever was meshed before.

    Args:
        failure: error that gmsh's own errors become.
        where, remedy: of that error.

    Raises:
        MissingDependencyError: gmsh or a system library of it is not installed.
        ConfigurationError: the caller's own gmsh session is open; it would be destroyed.
    """
    gmsh = _module()
    with _LOCK:
        if gmsh.isInitialized():
            raise ConfigurationError("a gmsh session of your own is open, and gmsh has only one", where=where, remedy="call gmsh.finalize() first")
        gmsh.initialize([], readConfigFiles=False, interruptible=False)
        try:
            for name, value in _OPTIONS.items():
                gmsh.option.setNumber(name, value)
            gmsh.model.add("geoop")
            yield gmsh
        except GeoopError:
            raise
        except Exception as error:  # gmsh raises bare exceptions with the last line of its log
            raise failure(f"gmsh gave up: {error or type(error).__name__}", where=where, remedy=remedy) from error
        finally:
            gmsh.finalize()


def _module() -> Any:
    try:
        import gmsh
    except (ImportError, OSError) as error:  # OSError: the wheel is there, a library of the window system is not
        raise MissingDependencyError(
            f"triangle meshing and CAD files need gmsh: {error}",
            remedy="pip install geoop[cad]; if a library such as libGLU.so.1 is missing: apt-get install libglu1-mesa libxcursor1 libxft2 libxinerama1",
            where="gmsh",
        ) from error
    return gmsh
