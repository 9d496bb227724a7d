"""The continuous field of one case: encoded once, evaluated anywhere in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ..errors import NonFiniteError
from ..mesh.case import Case
from ..mesh.quantity import Field, Quantity
from ..models.model import AbstractModel
from ..scaling.framed import Framed
from ..scaling.framing import Framing
from ..scaling.known_functions import KnownFunctions
from ..scaling.normaliser import Normaliser
from ..scaling.scattered import Scattered

#: Points this far inside the body (in body lengths) still count as on its wall: two samplings of one curve differ by less.
SKIN = 1e-3
#: Scalars that vanish far from a body; others (a Mach number, an absolute pressure) keep the value at the rim.
VANISHING = frozenset({"pressure_coefficient"})


@dataclass(frozen=True, eq=False)
class Decoder:
    """An encoded case.

    Attributes:
        model: the network.
        normaliser: of its outputs.
        case: mesh and operating point.
        framed: the case in its frame.
        framing: how it came there.
        known: the input functions, for every query.
        latent: what ``model.encode`` returned.
        chunk: points decoded at once; the answer does not depend on it.

    Beyond the reach of the training points around a body a network extrapolates without bound. There the field is that at the rim in the same
    direction, and what vanishes in the free stream (velocity perturbation, pressure coefficient) decays from it as 1/r, in space as 1/r^2: the
    far field of a body with lift.
    """

    model: AbstractModel
    normaliser: Normaliser
    case: Case
    framed: Framed
    framing: Framing
    known: KnownFunctions
    latent: Any
    chunk: int

    @classmethod
    def of(cls, model: AbstractModel, normaliser: Normaliser, framing: Framing, case: Case, framed: Framed, prepared: Any, *, chunk: int) -> Decoder:
        """Encode a prepared geometry at the case's condition."""
        return cls.of_all(model, normaliser, framing, [case], framed, prepared, chunk=chunk)[0]

    @staticmethod
    def of_all(
        model: AbstractModel, normaliser: Normaliser, framing: Framing, cases: Sequence[Case], framed: Framed, prepared: Any, *, chunk: int
    ) -> list[Decoder]:
        """Encode a prepared geometry at the conditions of several cases on it."""
        device = next(model.parameters()).device
        with torch.no_grad():
            latents = model.encode_many(prepared.to(device), [framing.inputs(case, framed).to(device) for case in cases])
        known = [KnownFunctions.of(framing.functions, case, framed.frame) for case in cases]
        rows = zip(cases, known, latents, strict=True)
        return [Decoder(model, normaliser, case, framed, framing, given, latent, chunk) for case, given, latent in rows]

    def on_mesh(self) -> list[Field]:
        """As :meth:`all_on_mesh`, of one case."""
        return self.all_on_mesh([self])[0]

    @staticmethod
    def all_on_mesh(decoders: Sequence[Decoder]) -> list[list[Field]]:
        """Fields at the points of the mesh that the cases of the decoders share; wall points are taken to lie on the wall exactly.

        Raises:
            NonFiniteError: the network returned NaN or infinity.
        """
        first = decoders[0]
        mesh, wall = first.case.mesh, first.framing.on_wall(first.case)
        # known functions are asked at the queries, and they may differ from case to case
        groups = [[one] for one in decoders] if first.framing.functions else [decoders]
        found = [fields for group in groups for fields in _decoded(group, mesh.points, wall, number=np.arange(len(mesh.points)))]
        return [one._checked(fields) for one, fields in zip(decoders, found, strict=True)]

    def _checked(self, fields: list[Field]) -> list[Field]:
        fields = [Field(item.quantity, item.values + self.framing.prior(self.case, item.quantity)) for item in fields]
        bad = [item.name for item in fields if not np.isfinite(item.values).all()]
        if bad:
            raise NonFiniteError(
                f"the prediction of {bad} is not finite", where=self.case.name, remedy="check the mesh with `geoop inspect`, or retrain"
            )
        return fields

    def at(self, points: np.ndarray) -> dict[str, Field]:
        """Fields at any points (n, d) [m]; NaN inside a body or outside a region, where there is no field."""
        fields = _decoded([self], points, np.zeros(len(points), dtype=bool), blank_inside=True)[0]
        return {item.name: Field(item.quantity, item.values + self._prior(item.quantity, points)) for item in fields}

    def _prior(self, quantity: Quantity, points: np.ndarray) -> np.ndarray | float:
        """The known field that a difference is added to, by inverse squared distances from the three nearest points of the case's mesh."""
        values = self.framing.prior(self.case, quantity)
        if isinstance(values, float):
            return values
        near, share, _ = self._nodes.around(points)
        return (share.reshape(*share.shape, *[1] * (values.ndim - 1)) * values[near]).sum(axis=1)

    @cached_property
    def _nodes(self) -> Scattered:
        return Scattered(self.case.mesh.points)

    def _restored(self, scalars: torch.Tensor, vectors: torch.Tensor, decay: np.ndarray) -> list[Field]:
        """Outputs of the model as fields in SI units, in the far field as they decay."""
        direction = self.framed.direction(self.case)
        restored = self.normaliser.restore(scalars, vectors, direction)
        for quantity, item in restored.items():
            if quantity.is_velocity or quantity.name in VANISHING:
                far = direction if quantity.is_velocity else 0.0
                restored[quantity] = far + (item - far) * (decay[:, None] if quantity.rank else decay)
        values = self.framed.frame.fields_out(restored, self.case.operating_point)
        return [Field(q, values[q.name]) for q in self.normaliser.quantities]

    def _within_reach(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points moved to the rim of what training reached, and the factor (n,) by which perturbations have decayed."""
        frame = self.framed.frame
        local = frame.points_in(points)
        radius = np.linalg.norm(local, axis=1)
        share = np.minimum(1.0, self.framing.reach / np.maximum(radius, 1e-12))
        far, decay = share < 1.0, share ** (points.shape[1] - 1)
        if not far.any():
            return points, decay
        return np.where(far[:, None], frame.points_out(local * share[:, None]), points), decay


@torch.no_grad()
def _decoded(
    decoders: Sequence[Decoder], points: np.ndarray, wall: np.ndarray, *, number: np.ndarray | None = None, blank_inside: bool = False
) -> list[list[Field]]:
    """Fields of several conditions of one geometry at the same points: where they lie is found out once."""
    first = decoders[0]
    points, decay = first._within_reach(points)
    found: list[list[tuple[torch.Tensor, torch.Tensor]]] = [[] for _ in decoders]
    device = next(first.model.parameters()).device
    for start in range(0, max(len(points), 1), first.chunk):
        part = slice(start, start + first.chunk)
        own = None if number is None or (decay[part] < 1.0).any() else number[part]
        queries = first.known.seen_by(first.framed.queries(points[part], wall[part], skin=SKIN), own)
        inside = (queries.points.scalars[:, :1] < 0) & blank_inside
        for parts, out in zip(found, first.model.field_many([one.latent for one in decoders], queries.to(device)), strict=True):
            scalars = torch.where(inside, torch.nan, out.scalars.cpu())
            parts.append((scalars, torch.where(inside[:, :, None], torch.nan, out.vectors.cpu())))
    columns = [[torch.cat(column) for column in zip(*parts, strict=True)] for parts in found]
    return [one._restored(scalars, vectors, decay) for one, (scalars, vectors) in zip(decoders, columns, strict=True)]
