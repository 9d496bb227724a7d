"""Derivatives of coefficients by the shape: at the points of a section, by parameters, and as a vector field for ParaView."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import spsolve

from ..errors import ConfigurationError, ShapeError
from ..interfaces.verdict import LEVELS, Verdict
from ..io.paraview import write_case
from ..mesh.case import Case
from ..mesh.measure import point_normals, point_weights
from ..mesh.mesh import Mesh
from ..mesh.operating_point import OperatingPoint
from ..mesh.quantity import QUANTITIES, Field, Quantity
from ..mesh.resample import CORNER_ANGLE
from .layer_drag import LayerDrag
from .surface_function import SurfaceFunction, SurfaceReference, as_told, finite
from .surrogate import Surrogate

#: Coefficients that have a shape gradient.
Coefficient = Literal["CL", "CD", "CM"]
COEFFICIENTS: tuple[Coefficient, ...] = ("CL", "CD", "CM")
_NAMES = {"CL": "lift_coefficient", "CD": "drag_coefficient", "CM": "moment_coefficient"}


@dataclass(frozen=True, eq=False)
class ShapeGradient:
    """The derivative of a coefficient by the points of a section.

    Attributes:
        quantity: ``CL``, ``CD`` or ``CM``.
        value: of the coefficient.
        outline: the section, its lines turned outward.
        by_point: (n, 2) derivative by every point [1/m]; what other points do meanwhile is nothing.
        by_alpha: derivative by the angle of attack [1/deg].
        operating_point: of the derivative.
        verdict: of the surrogate on this section at this condition, with its expected errors. It judges values; a derivative can be wrong where the value
            is right.
        notes: what the number is made of.
    """

    quantity: Coefficient
    value: float
    outline: Mesh
    by_point: np.ndarray
    by_alpha: float
    operating_point: OperatingPoint
    verdict: Verdict
    notes: tuple[str, ...] = ()

    @property
    def normals(self) -> np.ndarray:
        """(n, 2) outward unit normals at the points."""
        return point_normals(self.outline)

    @property
    def weights(self) -> np.ndarray:
        """(n,) length of wall that belongs to every point [m]."""
        return point_weights(self.outline)

    @property
    def density(self) -> np.ndarray:
        """(n,) change of the coefficient per unit of outward displacement and of length [1/m^2].

        The representation in L2: integrated against a displacement of the wall it gives the change. Unlike :attr:`by_point`, which shrinks as points are
        added, it does not depend on the mesh.
        """
        normal = (self.by_point * self.normals).sum(axis=1)
        return normal / np.maximum(self.weights, 1e-300)

    def smoothed(self, length: float) -> np.ndarray:
        """(n,) the density of the gradient in H1 with this length: (1 - length^2 d^2/ds^2) g = density, linear elements along the wall (Jameson 1988; Mohammadi and
        Pironneau 2010, sec. 6). A step along it keeps the wall smooth, and corners, which have no normal, in place; the coefficient still rises along it.

        Args:
            length: [m], e.g. 0.03 chords; 0 gives :attr:`density` but for the corners.

        Raises:
            ConfigurationError: negative.
        """
        if not (np.isfinite(length) and length >= 0):
            raise ConfigurationError(f"length is {length}", where="ShapeGradient.smoothed", remedy="give metres, 0 or more")
        lines = self.outline.cells.block("line")
        size = np.maximum(np.linalg.norm(np.diff(self.outline.points[lines], axis=1)[:, 0], axis=1), 1e-300)
        a, b = lines.T
        count, weights = len(self.outline.points), np.maximum(self.weights, 1e-300)
        rows, columns = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        stiff = coo_array((np.concatenate([1 / size, 1 / size, -1 / size, -1 / size]), (rows, columns)), shape=(count, count))
        free = np.flatnonzero(~self._corners)
        system = (diags_array(weights) + length**2 * stiff).tocsr()[free][:, free]
        found = np.zeros(count)
        found[free] = spsolve(system.tocsc(), (weights * self.density)[free])
        return found

    @property
    def _corners(self) -> np.ndarray:
        """(n,) points where the outline turns by more than 40 degrees, such as a trailing edge."""
        lines = self.outline.cells.block("line")
        side = np.diff(self.outline.points[lines], axis=1)[:, 0]
        before, after = np.zeros((2, len(self.outline.points), 2))
        before[lines[:, 1]], after[lines[:, 0]] = side, side
        turn = np.arctan2(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0], (before * after).sum(axis=1))
        return np.abs(turn) > np.radians(CORNER_ANGLE)

    def along(self, displacement: np.ndarray) -> float:
        """Change of the coefficient to first order when the points move by (n, 2) [m].

        Raises:
            ShapeError: another number of points.
        """
        return float(self.to_parameters(np.asarray(displacement, dtype=np.float64)[..., None])[0])

    def to_parameters(self, jacobian: np.ndarray) -> np.ndarray:
        """(m,) derivatives by parameters, by the chain rule.

        Args:
            jacobian: (n, 2, m) derivatives of the points by the parameters [m per unit of the parameter], such as
                :meth:`geoop.mesh.section_shapes.SectionShape.jacobian`.

        Raises:
            ShapeError: not one row per point.
        """
        jacobian = np.asarray(jacobian, dtype=np.float64)
        if jacobian.ndim != 3 or jacobian.shape[:2] != self.by_point.shape:
            raise ShapeError(
                f"a jacobian of shape {jacobian.shape} for {self.by_point.shape} points",
                where="ShapeGradient",
                remedy="give (n, 2, m): how every point of gradient.outline moves with every parameter",
            )
        return np.einsum("nd,ndm->m", self.by_point, jacobian)

    def case(self, smoothing: float = 0.0) -> Case:
        """The section with its derivatives as fields: a vector along the normal [1/m^2], the same smoothed, and the raw derivative by point [1/m]."""
        name, normals = self.quantity, self.normals
        fields = [
            Field(Quantity(f"gradient_{name}", f"d{name}", "1/m^2", 1), self.density[:, None] * normals),
            Field(Quantity(f"gradient_{name}_by_point", f"d{name}/dx", "1/m", 1), self.by_point),
            Field(QUANTITIES[_NAMES[name]], np.array(self.value), "global"),
            Field(Quantity(f"gradient_{name}_by_alpha", f"d{name}/dalpha", "1/deg"), np.array(self.by_alpha), "global"),
            Field(Quantity("verdict_level", "verdict"), np.array(float(LEVELS.index(self.verdict.level))), "global"),
        ]
        if smoothing:
            fields.append(Field(Quantity(f"gradient_{name}_smoothed", f"d{name}", "1/m^2", 1), self.smoothed(smoothing)[:, None] * normals))
        return Case(self.outline, self.operating_point, {item.name: item for item in fields}, name=self.outline.name)

    def write(self, path: str | Path, *, smoothing: float = 0.0) -> Path:
        """Write for ParaView (.vtp, .vtu): arrows along the wall's normal say where to move it out, or in, for a larger coefficient.

        Args:
            path: of the file. smoothing: length [m] of a smoothed field beside it; 0 leaves it out.

        Raises:
            UnwritableFileError, UnsupportedFormatError: see :func:`geoop.io.paraview.write_case`.
        """
        return write_case(self.case(smoothing), path)

    def to_dict(self) -> dict[str, object]:
        """Plain data, for ``--json`` output."""
        return {
            "quantity": self.quantity,
            "value": self.value,
            "by_alpha": self.by_alpha,
            "points": self.outline.points.tolist(),
            "by_point": self.by_point.tolist(),
            "density": self.density.tolist(),
            "verdict": self.verdict.to_dict(),
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return f"ShapeGradient({self.quantity} {self.value:.5f} of {self.outline!r}, {self.verdict.level})"

    def __str__(self) -> str:
        density, points = self.density, self.outline.points
        most = int(np.argmax(np.abs(self.smoothed(0.02 * float(np.ptp(points, axis=0).max())))))
        lines = [
            f"{self.quantity} {self.value:.5f} of '{self.outline.name}' at alpha {self.operating_point.alpha:g} deg",
            f"  d{self.quantity}/dalpha {self.by_alpha:.5f} per degree",
            f"  strongest near x {points[most, 0]:.4g} m, y {points[most, 1]:.4g} m: {density[most]:.4g} per m of outward displacement and m of wall",
            f"  verdict {self.verdict}",
        ]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def shape_gradient(
    surrogate: Surrogate,
    case: Case,
    quantity: Coefficient = "CL",
    *,
    reference: SurfaceReference | None = None,
    softness: float = 0.0,
) -> ShapeGradient:
    """The derivative of a predicted coefficient by every point of a section, by automatic differentiation through frame, resampling, signed distance,
    encoder, decoder and quadrature.

    The derivative is that of the model, exact to rounding; how far it is from that of the flow is another matter (`tools/benchmark studies`).
    CD of an inviscid model is that of the boundary layer on the predicted pressure, whose derivative by the pressure is taken by central differences.

    Args:
        surrogate: as :class:`geoop.results.surface_function.SurfaceFunction` takes.
        case: a section, or a mesh around one, with its operating point; CD of an inviscid model needs its viscosity.
        quantity: ``CL``, ``CD`` or ``CM`` (about the quarter chord, nose up positive).
        reference: length and point of the coefficients; None takes the operating point's length or else the chord, and the quarter chord, which
            follow the section.
        softness: of the model's neighbourhoods, see :class:`geoop.layers.neighborhood.SoftNearest`.

    Raises:
        ConfigurationError: an unknown quantity, or a model without shape gradients. ConditionError: no operating point, or no viscosity for CD.
        InvalidMeshError: not one closed outline. NonFiniteError: points that coincide or a model that diverged.
    """
    if quantity not in COEFFICIENTS:
        raise ConfigurationError(f"no shape gradient of '{quantity}'", where="shape_gradient", remedy=f"choose one of {list(COEFFICIENTS)}")
    function = SurfaceFunction(surrogate, case, reference, softness=softness)
    point = function.point
    points = torch.from_numpy(np.array(function.points)).requires_grad_()
    alpha = torch.tensor(point.alpha, dtype=torch.float64, requires_grad=True)
    values = function.at(points, alpha)
    notes: tuple[str, ...] = ()
    if quantity == "CD" and values.friction is None and (values.slips or not surrogate.viscous):
        scalar, notes = LayerDrag(function).differentiable(values, points, alpha)
    else:
        scalar = values.coefficients[quantity]
        if quantity == "CD" and values.friction is None:
            notes = ("pressure drag only: the model predicts no friction on the wall",)
    by_point, by_alpha = torch.autograd.grad(scalar, (points, alpha))
    verdict = surrogate.predict(Case(function.outline, as_told(surrogate, point), name=case.name), surface_only=True).verdict
    return ShapeGradient(
        quantity, float(scalar.detach()), function.outline, finite(by_point, case.name).numpy(), float(by_alpha), point, verdict, notes
    )
