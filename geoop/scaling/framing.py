"""How cases become what a model sees: fitted on the training cases, stored in the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from ..errors import CheckpointError, ConfigurationError, DatasetError
from ..graph.geometry import Geometry
from ..graph.pointset import BOUNDARY, Inputs, PointSet
from ..mesh.body import body, body_cells, wall_patches
from ..mesh.case import Case
from ..mesh.cells import Cells
from ..mesh.mesh import Mesh
from ..mesh.outline import loops
from ..mesh.quantity import Quantity
from .body_frame import BodyFrame
from .casting import OUTLINE_SCALARS, FramedBody
from .clouds import Cloud, around, outside, thinned
from .conditions import FAR, Conditions
from .descriptors import describe
from .framed import NO_CONDITIONS, Framed, single
from .functions import InputFunction, known
from .region import REGION_SCALARS, framed_region, framed_surface, on_boundary
from .region_descriptors import describe_region
from .region_frame import RegionFrame

Domain = Literal["none", "around", "mesh"]
Frame = Literal["auto", "body", "bodies", "region"]


@dataclass(frozen=True, eq=False)
class Framing:
    """The way from a case to tensors, the same in training and in prediction.

    A section in an unbounded flow is looked at in its own frame, resampled. Several bodies, or bodies in space, are looked at in the frame of
    all of them, by their surfaces as they are. A flow between walls is looked at in the box of its mesh, scaled by its
    operating point. Any other problem in a region is looked at in the common box of the training cases, unscaled.

    Attributes:
        region: whether fields live inside of the boundary.
        bodies: whether fields live outside of any closed surfaces, not of one section.
        domain: where the points of an operator on clouds come from: generated ``around`` a body, thinned from the ``mesh``, or ``none``.
        surface_points: vertices of the resampled outline of a body.
        domain_points: how many points the cloud has, about.
        reach: distance from the middle of the body to which training points went, in its length; infinite for a region.
        conditions: the scalar conditions that a model is told.
        functions: the known functions that it is given.
        kinds: names of boundary patches that it can tell apart in a region.
        box: (2, d) the common box [m] of a region without operating point; None for the box of each case.
        beyond: (quantity, known point field) pairs: the model learns by how much the quantity differs from the field, e.g. from an inviscid
            solution.
        wall_only: whether the training cases were bare surfaces: nothing is known of the field around them.
    """

    region: bool = False
    bodies: bool = False
    domain: Domain = "none"
    surface_points: int = 200
    domain_points: int = 0
    reach: float = np.inf
    conditions: Conditions = NO_CONDITIONS
    functions: tuple[InputFunction, ...] = ()
    kinds: tuple[str, ...] = ()
    box: np.ndarray | None = None
    wall_only: bool = False
    beyond: tuple[tuple[str, str], ...] = ()

    @classmethod
    def fit(
        cls,
        cases: Sequence[Case],
        *,
        frame: Frame = "auto",
        inputs: Sequence[str] = (),
        beyond: Mapping[str, str] | None = None,
        surface_points: int = 200,
        domain_points: int = 0,
    ) -> Framing:
        """Look at the training cases.

        Args:
            cases: all of one kind: flows around a body, or regions.
            frame: ``body``, ``bodies`` and ``region`` as above; ``auto`` looks for an operating point and counts bodies. A body in a narrow
                channel is better seen as a region: the channel is then always in the same place.
            inputs: names of known functions, see :class:`InputFunction`.
            beyond: quantity -> known point field from which the difference is learned.
            surface_points: vertices of the resampled outline of a body.
            domain_points: points of the cloud that operators work on; 0 where a model places its own.

        Raises:
            DatasetError: some cases have an operating point and some have none.
            ConfigurationError: ``body`` or ``bodies`` for cases without free stream.
        """
        kind = _kind(frame, cases)
        pairs = tuple(sorted((beyond or {}).items()))
        plain = cls(kind == "region", kind == "bodies", surface_points=surface_points, domain_points=domain_points, beyond=pairs)
        framing = _of_regions(plain, cases) if plain.region else _of_bodies(plain, cases)
        names = sorted(set(inputs))
        frames = [framing.frame(case) for case in cases] if names else []
        return replace(framing, functions=tuple(InputFunction.fit(name, cases, frames) for name in names))

    @property
    def surface_scalars(self) -> int:
        """What every boundary vertex says about itself, in numbers."""
        return REGION_SCALARS + len(self.kinds) if self.region or self.bodies else len(OUTLINE_SCALARS)

    def of(self, case: Case) -> Framed:
        """A case in its frame, with the points of the domain where there are any.

        Raises:
            InvalidMeshError: no body, an open outline, a bare cloud, or a region where a body was trained on.
        """
        framed = _framed(self, case)
        if self.domain == "none":
            return framed
        cloud = self.cloud(case, framed)
        domain = framed.local_queries(cloud.points, cloud.on_wall, weight=cloud.weight)
        geometry = framed.geometry
        return replace(framed, geometry=Geometry(geometry.surface, geometry.facets, geometry.facet_ptr, domain))

    def frame(self, case: Case) -> BodyFrame | RegionFrame:
        """The frame alone."""
        if self.region:
            return RegionFrame.of(case.mesh) if self.box is None else RegionFrame.of_box(self.box)
        return BodyFrame.of(body(case.mesh, case.wall)) if self.bodies else FramedBody.of(case, self.surface_points).frame

    def cloud(self, case: Case, framed: Framed) -> Cloud:
        """The points of the domain in the frame."""
        if self.domain == "around":
            return (outside if self.bodies else around)(framed.mesh, self.domain_points, self.reach)
        cloud = self.thinned(case)
        d = case.mesh.cell_dimension  # bare points have no measure
        return replace(cloud, points=framed.frame.points_in(cloud.points), weight=cloud.weight / framed.frame.length**d)

    def inputs(self, case: Case, framed: Framed) -> Inputs:
        """Conditions and functions of one case, standardised.

        Raises:
            ConditionError: no operating point, or a condition that varied in training is not stated.
            ConfigurationError: a function is missing.
        """
        plain = framed.inputs(case, self.conditions)
        cloud = self.thinned(case) if any(not item.name.startswith(BOUNDARY) for item in self.functions) else None
        functions = {}
        for item in self.functions:
            number, values = item.of(case, framed.frame)
            domain = framed.geometry.domain
            if not item.name.startswith(BOUNDARY) and cloud is not None:
                values = cloud.means(values) if item.averaged else values[cloud.number]
                # the very points of the domain, so that nothing is searched or interpolated there
                if domain is not None and self.domain == "mesh":
                    functions[item.name] = PointSet(domain.points.pos, single(values), weight=domain.points.weight)
                    continue
                number = cloud.number
            functions[item.name] = PointSet(single(framed.frame.points_in(case.mesh.points[number])), single(values))
        return Inputs(plain.scalars, plain.vectors, functions)

    def prior(self, case: Case, quantity: Quantity) -> np.ndarray | float:
        """What the learned difference of a quantity is added to, at the points of the case's mesh; 0 where the quantity itself is learned.

        Raises:
            ConfigurationError: the case does not have the known field.
        """
        name = dict(self.beyond).get(quantity.name)
        if name is None:
            return 0.0
        values = known(name, case, quantity.unit)[1]
        return values[:, 0] if values.shape[1] == 1 else values

    def on_wall(self, case: Case) -> np.ndarray:
        """(n,) which points of the mesh lie on a boundary by definition: the body's, or all of a region's."""
        return on_boundary(case.mesh) if self.region else _on(case.mesh, body_cells(case.mesh, case.wall))

    def on_body(self, case: Case) -> np.ndarray:
        """(n,) which points lie on the wall of a body, where losses and forces are taken apart from the field; none where there is no flow."""
        cells = Cells.empty() if case.operating_point is None else body_cells(case.mesh, case.wall)
        return _on(case.mesh, cells)

    def describe(self, case: Case) -> dict[str, float]:
        """Named numbers of a case for the verdict."""
        row = describe_region(case, self.frame(case)) if self.region else describe(case)
        if self.functions:
            frame = self.frame(case)
            row |= {name: value for item in self.functions for name, value in item.described(case, frame).items()}
        return row

    def thinned(self, case: Case) -> Cloud:
        """The points of the mesh [m] that known functions are given at."""
        return thinned(case, self.on_wall(case), self.domain_points or len(case.mesh.points))

    def to_dict(self) -> dict[str, Any]:
        """JSON data for the checkpoint header."""
        return {
            "region": self.region,
            "bodies": self.bodies,
            "domain": self.domain,
            "surface_points": self.surface_points,
            "domain_points": self.domain_points,
            "reach": self.reach if np.isfinite(self.reach) else None,
            "conditions": self.conditions.to_dict(),
            "functions": [item.to_dict() for item in self.functions],
            "kinds": list(self.kinds),
            "box": None if self.box is None else self.box.tolist(),
            "wall_only": self.wall_only,
            "beyond": [list(pair) for pair in self.beyond],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`.

        Raises:
            CheckpointError: the header is damaged.
        """
        try:
            return cls(
                bool(data["region"]),
                bool(data["bodies"]),
                data["domain"],
                int(data["surface_points"]),
                int(data["domain_points"]),
                np.inf if data["reach"] is None else float(data["reach"]),
                Conditions.from_dict(data["conditions"]),
                tuple(InputFunction.from_dict(item) for item in data["functions"]),
                tuple(str(name) for name in data["kinds"]),
                None if data["box"] is None else np.array(data["box"], dtype=np.float64),
                bool(data["wall_only"]),
                tuple((str(quantity), str(name)) for quantity, name in data["beyond"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the framing in the header is damaged: {error!r}", remedy="train again") from error


def _framed(framing: Framing, case: Case) -> Framed:
    """The boundary of a case in its frame, without points of the domain."""
    if framing.region:
        return framed_region(case, framing.frame(case), framing.kinds)
    if framing.bodies:
        return framed_surface(body(case.mesh, case.wall), framing.frame(case), framing.kinds, side=1)
    return FramedBody.of(case, framing.surface_points)


def _on(mesh: Mesh, cells: Cells) -> np.ndarray:
    """(n,) which points of the mesh these cells use."""
    found = np.zeros(len(mesh.points), dtype=bool)
    found[cells.connectivity] = True
    return found


def _kind(frame: Frame, cases: Sequence[Case]) -> Frame:
    """How cases are looked at: ``body``, ``bodies`` or ``region``."""
    without = [case.name for case in cases if case.operating_point is None]
    if 0 < len(without) < len(cases):
        raise DatasetError(
            f"{len(without)} of {len(cases)} training cases have no operating point, such as {without[0]}",
            where="Framing",
            remedy="train on flows, or on cases without a free stream: two models, or state the operating point of every case",
        )
    if without and frame in ("body", "bodies"):
        raise ConfigurationError(
            f"frame '{frame}' is for flows, and {without[0]} has no operating point",
            where="Framing",
            remedy="frame='region' (or 'auto'); or state the free stream: Case(mesh, OperatingPoint(velocity=..., alpha=...))",
        )
    if frame != "auto":
        return frame
    if without:
        return "region"
    if all(case.mesh.dimension == 2 and len(loops(body(case.mesh, case.wall))) < 2 for case in cases):
        return "body"
    return "region" if any(not case.mesh.is_surface and is_bounded(case) for case in cases) else "bodies"


def _of_bodies(plain: Framing, cases: Sequence[Case]) -> Framing:
    frames = [plain.frame(case) for case in cases]
    reach = max(float(np.linalg.norm(frame.points_in(case.mesh.points), axis=1).max()) for frame, case in zip(frames, cases, strict=True))
    bounded = any(is_bounded(case) for case in cases)
    domain: Domain = "none" if not plain.domain_points else "mesh" if bounded else "around"
    bare = all(case.mesh.is_surface and not len(case.mesh.cells.where("vertex")) for case in cases)
    if plain.bodies:
        plain = replace(plain, kinds=tuple(sorted({name for case in cases for name in body(case.mesh, case.wall).patches})))
    return replace(plain, domain=domain, reach=reach, conditions=Conditions.fit(cases, frames), wall_only=bare)


def _of_regions(plain: Framing, cases: Sequence[Case]) -> Framing:
    kinds = sorted({name for case in cases for name in case.mesh.patches})
    box = None
    if not any(case.operating_point is not None for case in cases):
        bounds = np.stack([case.mesh.bounds for case in cases])
        box = np.stack([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)])
    plain = replace(plain, kinds=tuple(kinds), box=box, domain="mesh" if plain.domain_points else "none")
    return replace(plain, conditions=Conditions.fit(cases, [plain.frame(case) for case in cases]))


def is_bounded(case: Case) -> bool:
    """Whether a cloud must stay within the case's own mesh: a bare section, or a mesh with boundaries other than the body and a far field."""
    mesh = case.mesh
    if mesh.is_surface or mesh.is_cloud:
        return not len(mesh.cells.where("vertex"))
    walls = case.wall if case.wall is not None else wall_patches(mesh)
    others = [name for name in mesh.patches if name not in walls]
    return bool(others) and not any(FAR.search(name) for name in others)
