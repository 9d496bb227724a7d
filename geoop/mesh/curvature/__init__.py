"""Curvature of surfaces and outlines by local polynomials, of meshes and of raw point clouds, and by angles as Gauss and Bonnet count it."""

from .cloud import cloud_curvature as cloud_curvature
from .cloud import cloud_normals as cloud_normals
from .discrete import angle_defects as angle_defects
from .discrete import mixed_areas as mixed_areas
from .jets import Curvature as Curvature
from .jets import shape_index as shape_index
from .laplace_beltrami import cloud_laplacian as cloud_laplacian
from .laplace_beltrami import curve_curvature as curve_curvature
from .mesh import mesh_curvature as mesh_curvature
from .outline import outline_curvature as outline_curvature
