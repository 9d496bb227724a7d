"""Potential flow is linear in the free stream: a model of the flows of the unit streams answers every angle, and Bernoulli the pressure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..graph.geometry import Geometry, Queries
from ..graph.pointset import Inputs, PointSet
from .model import AbstractModel, ShapeStage
from .named import model_class
from .ports import Ports
from .units import Units


@dataclass(frozen=True, eq=False)
class BasisState:
    """An encoded batch.

    Attributes:
        basis: what the model inside made of the geometries: one latent state for all unit streams, or one for each. Knows no free stream, so that
            all conditions of a sweep share it.
        stream: (b, d) direction of the free stream of every sample, in the frame.
    """

    basis: tuple[Any, ...]
    stream: Tensor


class Superposition(AbstractModel):
    """u = sum_k U_k V_k and Cp = 1 - |u|^2: flows of the unit free streams along the axes of the frame, superposed.

    Laplace's equation, the impermeable wall and the Kutta condition (the wake, too, as long as it does not follow the stream) are linear in the free
    stream U (Katz & Plotkin 2001, sec. 3.2 and 4.1), so d velocity fields V_k of a body contain all its flows, of every direction. They are learned;
    the angle of attack is not. The pressure follows from Bernoulli's equation for incompressible, irrotational flow (sec. 2.3 there), exactly
    consistent with the velocity. A sweep costs one encoding and one decoding of the d fields, whatever the number of angles.

    Args:
        ports: channels in and out: the free stream and nothing else in; one velocity out, and at most one scalar, the pressure coefficient.
        inner: name of the class in :mod:`geoop.models` that answers the velocity fields.
        sizes: its other arguments.
        together: the model inside sees the geometry alone and answers all d fields at once, from one latent state; False asks it once per unit stream, which
            it is told as a free stream.

    Raises:
        ConfigurationError: other channels: a Reynolds or Mach number has no influence on potential flow, and no other quantity is superposed.
    """

    reference = ("katz-plotkin-2001",)

    def __init__(
        self,
        ports: Ports | Mapping[str, Any],
        *,
        inner: str = "BodyField",
        sizes: Mapping[str, Any] | None = None,
        together: bool = True,
    ) -> None:
        super().__init__()
        self.ports, sizes = Ports.of(ports), dict(sizes or {})
        self.arguments = {"ports": self.ports.to_dict(), "inner": inner, "sizes": sizes, "together": together}
        p, found = self.ports, []
        if p.vectors_in != 1 or p.scalars_in or p.functions:
            found.append(f"{p.vectors_in} global vectors, {p.scalars_in} scalar conditions and {len(p.functions)} functions in")
        if p.vectors_out != 1 or p.scalars_out > 1:
            found.append(f"{p.vectors_out} vector and {p.scalars_out} scalar fields out")
        if found:
            raise ConfigurationError(
                f"{'; '.join(found)}: potential flow is the free stream alone in, its velocity and pressure coefficient out",
                where="Superposition",
                remedy='learn ("velocity", "pressure_coefficient") from cases whose operating points state no viscosity and no Mach number',
            )
        streams = 0 if together else 1
        kind = model_class(inner, "inner")
        if kind.fit_units is not AbstractModel.fit_units:  # of fields that it does not have here: the basis is standardised as no field is
            raise ConfigurationError(
                f"{inner} must know the units of the fields, and answers a basis of them here",
                where="inner",
                remedy="name another model, such as BodyField",
            )
        inside = replace(p, scalars_out=0, vectors_in=streams, vectors_out=p.dimension if together else 1)
        self.inner: AbstractModel = kind(inside, **sizes)
        self.together, self.on_clouds = together, self.inner.on_clouds
        self.reference = tuple(dict.fromkeys((*type(self).reference, *self.inner.reference)))
        #: root mean square of the velocity's perturbation; mean and deviation of the pressure coefficient
        self.velocity_scale: Tensor
        self.pressure_scale: Tensor
        self.register_buffer("velocity_scale", torch.ones(()))
        self.register_buffer("pressure_scale", torch.tensor([0.0, 1.0]))

    @property
    def outline_points(self) -> int | None:
        return self.inner.outline_points

    @property
    def shape_stage(self) -> ShapeStage | None:
        """That of the model inside, whose prepared geometries are those of this one."""
        return self.inner.shape_stage

    def fit_units(self, units: Units) -> None:
        """Take over in what units the outputs are.

        Raises:
            ConfigurationError: they are not a velocity and a pressure coefficient.
        """
        wrong = [q.name for q in units.quantities if not q.is_velocity and q.name != "pressure_coefficient"]
        if wrong:
            raise ConfigurationError(
                f"{wrong} cannot be superposed",
                where="Superposition",
                remedy='quantities = ["velocity", "pressure_coefficient"], or the velocity alone',
            )
        for quantity, middle, size in zip(units.quantities, units.mean, units.deviation, strict=True):
            if quantity.rank:
                self.velocity_scale.fill_(size)
            else:
                self.pressure_scale.copy_(self.pressure_scale.new_tensor([middle, size]))

    def prepare(self, geometry: Geometry) -> Any:
        return self.inner.prepare(geometry)

    def concatenate(self, prepared: list[Any]) -> Any:
        return self.inner.concatenate(prepared)

    def fit_geometries(self, prepared: Sequence[Any]) -> None:
        self.inner.fit_geometries(prepared)

    def encode(self, prepared: Any, inputs: Inputs) -> BasisState:
        return self.encode_many(prepared, [inputs])[0]

    def encode_many(self, prepared: Any, inputs: Sequence[Inputs]) -> list[BasisState]:
        """One basis for all conditions."""
        first = inputs[0]
        for item in inputs:  # the model inside is told of unit streams, not of these
            self.ports.check_inputs(item, len(first.vectors), "Superposition")
        if self.together:
            basis = (self.inner.encode(prepared, replace(first, vectors=first.vectors[:, :0])),)
        else:
            units = torch.eye(self.ports.dimension, dtype=first.vectors.dtype, device=first.vectors.device)
            basis = tuple(self.inner.encode(prepared, replace(first, vectors=unit.expand_as(first.vectors))) for unit in units)
        return [BasisState(basis, item.vectors[:, 0]) for item in inputs]

    def field(self, latent: BasisState, queries: Queries) -> PointSet:
        return self.field_many([latent], queries)[0]

    def field_many(self, latents: Sequence[BasisState], queries: Queries) -> list[PointSet]:
        """The basis is decoded once for all conditions that share it."""
        fields: dict[int, Tensor] = {}
        for latent in latents:
            if id(latent.basis) not in fields:
                fields[id(latent.basis)] = self._basis(latent.basis, queries)
        return [self._superposed(fields[id(latent.basis)], latent.stream, queries) for latent in latents]

    def _basis(self, basis: tuple[Any, ...], queries: Queries) -> Tensor:
        """(n, d, d) perturbations of the unit streams, stream by component, in units of the velocity's scale."""
        return torch.cat([self.inner.field(latent, queries).vectors for latent in basis], dim=1)

    def _superposed(self, fields: Tensor, stream: Tensor, queries: Queries) -> PointSet:
        points = queries.points
        at = stream[points.batch]
        perturbation = (at[:, :, None] * fields).sum(dim=1)
        velocity = at + self.velocity_scale * perturbation
        mean, deviation = self.pressure_scale
        pressure = (1.0 - velocity.square().sum(dim=1, keepdim=True) - mean) / deviation
        return points.with_features(pressure[:, : self.ports.scalars_out], perturbation[:, None])
