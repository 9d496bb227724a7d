"""Finite elements on a mesh, by scikit-fem."""

from ..errors import MissingDependencyError

try:
    import skfem as _skfem  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(
        "finite elements need scikit-fem, which is not installed", where="geoop.fem", remedy="pip install geoop[truth]"
    ) from error
