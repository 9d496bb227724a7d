"""A body as source panels and points around it: what :class:`~geoop.results.panel_correction.PanelCorrection` looks at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..errors import InvalidMeshError
from ..interfaces.verdict import Verdict
from ..mesh.body import body, body_cells
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.coarsen import with_faces
from ..mesh.distance import signed_distance
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.outward import outward_triangles
from ..mesh.topology import sides, welded
from ..truth.panels3d.source_panels import SourcePanels

#: Triangles of the panels: surfaces with more than the first are coarsened to the second, those with fewer and long edges are cut up.
BORNE, MOST_FACES = 6000, 4000
#: Flow through the panels from which their solution is not to be trusted, in free streams: training bodies stay below.
LEAK = 0.03


@dataclass(frozen=True, eq=False)
class PanelScene:
    """The flow of the panels for any operating point.

    Attributes:
        mesh: the panels' surface, patch ``wall``, with the points around it behind, as single points.
        panels: solved.
        flows: (n, 3, 3) velocity at the points of ``mesh`` per unit of free stream.
        on_wall: (n,) which points belong to the surface.
        answered: the mesh that the answer is given on.
        corners, weights: (m, 3) of every point of ``answered``: points of ``mesh`` and their shares.
        open_edges: edges of the body that belong to one face only.
        unsided: pairs of neighbouring faces that look to opposite sides however they are turned.
        changes: what was done to the faces of the file, a sentence each.
    """

    mesh: Mesh
    panels: SourcePanels
    flows: np.ndarray
    on_wall: np.ndarray
    answered: Mesh
    corners: np.ndarray
    weights: np.ndarray
    open_edges: int = 0
    unsided: int = 0
    changes: tuple[str, ...] = ()

    @classmethod
    def of(cls, case: Case, surface_only: bool = False) -> PanelScene:
        """Panels for the body of a case, its faces turned outward, coarsened or cut up where that is needed.

        The answer is on the points of the file; in a closed cavity, where the air rests at a pressure that no force depends on, it is zero.

        Raises:
            InvalidMeshError: no body of faces, or one without area.
        """
        mesh = case.mesh
        if not mesh.is_surface and mesh.is_cloud:
            raise InvalidMeshError("points without faces", where=mesh.name, remedy="pass a surface: an STL file, or a mesh with a wall patch")
        surface = body(mesh, case.wall)
        sound = outward_triangles(surface)
        skin = with_faces(sound.mesh, MOST_FACES, bearable=BORNE)
        skin = skin.submesh(skin.cells, patches=skin.patches)  # points of no face would count in what is measured of the flow at the wall
        given = surface if surface_only else mesh
        wall = np.zeros(len(given.points), dtype=bool)
        wall[np.arange(len(given.points)) if surface_only else np.unique(body_cells(mesh, case.wall).connectivity)] = True
        scene = cls._solved(skin, given.points[~wall])
        count = len(skin.points)
        corners = np.zeros((len(given.points), 3), dtype=np.int64)
        weights = np.tile([1.0, 0.0, 0.0], (len(given.points), 1))
        corners[~wall] = (count + np.arange(int((~wall).sum())))[:, None]
        found = signed_distance(skin, given.points[wall], signed=False)
        corners[wall], weights[wall] = found.corners, np.where(sound.sealed[:, None], 0.0, found.parameter)
        open_edges, told = _open_edges(sound.mesh), replace(given, notes=(*given.notes, *sound.changes)) if sound.changes else given
        kept = {"open_edges": open_edges, "unsided": sound.unsided, "changes": sound.changes}
        return replace(scene, answered=told, corners=corners, weights=weights, **kept)

    @classmethod
    def exactly(cls, case: Case) -> PanelScene:
        """Panels on the very faces of a training case, whose points it keeps in their order."""
        mesh = case.mesh
        cells = body_cells(mesh, case.wall)
        panels = SourcePanels.of(mesh.submesh(cells), outward=True)
        on_wall = np.zeros(len(mesh.points), dtype=bool)
        on_wall[np.unique(cells.connectivity)] = True
        own = np.repeat(np.arange(len(mesh.points))[:, None], 3, axis=1)
        return cls(mesh, panels, _flows(panels, mesh.points, on_wall), on_wall, mesh, own, np.tile([1.0, 0.0, 0.0], (len(own), 1)))

    @classmethod
    def _solved(cls, skin: Mesh, points: np.ndarray, panels: SourcePanels | None = None) -> PanelScene:
        panels = SourcePanels.of(skin, outward=True) if panels is None else panels
        count = len(skin.points)
        alone = Cells.of(vertex=np.arange(count, count + len(points))[:, None])
        mesh = Mesh(np.concatenate([skin.points, points]), Cells.concatenate([skin.cells, alone]), {"wall": skin.cells}, name=skin.name)
        on_wall = np.arange(len(mesh.points)) < count
        none = np.zeros((0, 3))
        return cls(mesh, panels, _flows(panels, mesh.points, on_wall), on_wall, mesh, none.astype(np.int64), none)

    def around(self, points: np.ndarray) -> PanelScene:
        """The same body with other points around it, which then are the last of ``mesh``."""
        return self._solved(self.skin, np.asarray(points, dtype=np.float64), self.panels)

    @property
    def skin(self) -> Mesh:
        """The surface alone."""
        cells = self.mesh.patches["wall"]
        return Mesh(self.mesh.points[self.on_wall], cells, {"wall": cells}, name=self.mesh.name)

    def inside(self, points: np.ndarray) -> np.ndarray:
        """(n,) which points lie inside the body."""
        return signed_distance(self.skin, points).distance < 0.0

    def velocity(self, point: OperatingPoint) -> np.ndarray:
        """(n, 3) of the panels at the points of ``mesh`` [m/s]."""
        found = self.flows @ (point.velocity * point.direction(3))
        found[self.on_wall] = self.panels.limited(found[self.on_wall])
        return found

    def at_given(self, values: np.ndarray) -> np.ndarray:
        """Values at the points of ``answered`` from those at the points of ``mesh``."""
        return np.einsum("nk,nk...->n...", self.weights, values[self.corners])

    @cached_property
    def _leak(self) -> np.ndarray:
        return self.panels.leak()

    def leak(self, point: OperatingPoint) -> float:
        """Root mean square of the flow through the panels beside their centroids, in free streams."""
        direction = point.direction(3)
        return float(np.sqrt(max(direction @ self._leak @ direction, 0.0)))

    def judged(self, verdict: Verdict, point: OperatingPoint) -> Verdict:
        """The verdict of the network, or what makes the panels themselves doubtful: an open body, one without sides, or triangles that do not
        resolve the flow. What was done to the faces of the file is said in any case."""
        problems, leak = [], self.leak(point)
        if self.open_edges:
            problems.append(f"the surface is open: {self.open_edges} edges belong to one face only, and the model has seen closed bodies alone")
        if self.unsided:
            problems.append(f"the surface has no outside: {self.unsided} pairs of neighbouring faces look to opposite sides however they are turned")
        if leak > LEAK:
            problems.append(
                f"the triangles let {leak:.1%} of the stream through (training: below {LEAK:.0%}): finer ones at sharp edges, alike on both sides of thin ones"
            )
        level = "outside" if problems else verdict.level
        reasons = problems + [verdict.reason] * (verdict.level == level)
        return Verdict(level, "; ".join([*reasons, *self.changes]), verdict.expected_errors)


def _flows(panels: SourcePanels, points: np.ndarray, on_wall: np.ndarray) -> np.ndarray:
    out = np.empty((len(points), 3, 3))
    out[on_wall] = panels.vertex_velocity()
    out[~on_wall] = panels.velocity(points[~on_wall])
    return np.nan_to_num(out, copy=False)


def _open_edges(surface: Mesh) -> int:
    return int((sides(surface, welded(surface.points)).counts == 1).sum())
