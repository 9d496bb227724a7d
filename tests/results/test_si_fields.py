"""Forces of fields in the units that their files state: converted, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from geoop.errors import UnitError
from geoop.mesh.case import Case
from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.operating_point import OperatingPoint
from geoop.mesh.primitives import box, circle
from geoop.mesh.quantity import Field, Quantity
from geoop.results.forces import forces
from geoop.results.ideal_gas import with_gas_pressure
from geoop.results.momentum.control_surface import control_surface_forces

STREAM = OperatingPoint(30.0, density=1.2)
MESH = box(divisions=2)
PRESSURE = -1000.0 * MESH.points[:, 2]  # on a cube of 1 m^3: 1000 N upward


def case(unit: str, factor: float, name: str = "pressure") -> Case:
    return Case(MESH, fields={name: Field(Quantity(name, "p", unit), PRESSURE / factor)})


@pytest.mark.parametrize(("unit", "factor"), [("kPa", 1e3), ("psi", 6894.757293168), ("mbar", 100.0), ("N/m^2", 1.0), ("Pa", 1.0)])
@pytest.mark.parametrize("said", [None, "Pa"])
def test_a_pressure_in_any_unit_is_the_same_pressure(unit, factor, said):
    found = forces(case(unit, factor), pressure_unit=said)
    assert found.force == pytest.approx([0.0, 0.0, 1000.0], abs=1e-9)
    assert (f"{unit} in the file" in found.references.pressure) == (unit != "Pa")


@pytest.mark.parametrize("unit", ["foo", "m/s"])
@pytest.mark.parametrize("said", [None, "Pa", "m^2/s^2"])
def test_a_unit_that_is_none_of_a_pressure_is_refused_by_name(unit, said):
    with pytest.raises(UnitError, match=f"'pressure' is in '{unit}'"):
        forces(case(unit, 1.0), pressure_unit=said, density=1.0)


def test_a_kinematic_pressure_by_name_or_unit_is_taken_times_the_density():
    for other in (case("m2/s2", 1.2), case("m^2/s^2", 1.2, "kinematic_pressure")):
        assert forces(other, density=1.2).force[2] == pytest.approx(1000.0)
    with pytest.raises(UnitError, match="pressure_unit='Pa' was given"):
        forces(case("m2/s2", 1.2), pressure_unit="Pa", density=1.2)


def flow(pressure: str, speed: str, factor: float) -> Case:
    """A potential flow with circulation round a cylinder, whose lift is rho U Gamma."""
    mesh = ogrid(circle(120, 0.5), n_wall=120, n_normal=60)
    z = mesh.points[:, 0] + 1j * mesh.points[:, 1]
    w = 30.0 * (1.0 - 0.25 / z**2) + 1j * 20.0 / (2.0 * np.pi * z)
    p = 0.6 * (900.0 - np.abs(w) ** 2)
    velocity = np.stack([w.real, -w.imag], axis=1)
    fields = (Field(Quantity("pressure", "p", pressure), p / 1e3), Field(Quantity("velocity", "u", speed, 1), velocity * factor))
    return Case(mesh, STREAM, wall=("wall",)).with_fields(*fields)


def test_cuts_through_the_field_convert_speed_and_pressure():
    lift = control_surface_forces(flow("kPa", "km/h", 3.6)).lift
    assert lift == pytest.approx(1.2 * 30.0 * 20.0, rel=0.01)
    with pytest.raises(UnitError, match="'velocity' is in 'furlong'"):
        control_surface_forces(flow("kPa", "furlong", 1.0))


def test_the_gas_law_converts_the_density():
    mesh, n = MESH, len(MESH.points)
    fields = [Field(Quantity("density", "rho", "g/cm^3"), np.full(n, 1.2e-3)), Field(Quantity("velocity", "u", "km/h", 1), np.full((n, 3), 36.0))]
    energy = Field(Quantity("Energy", "E", "J/m^3"), np.full(n, 1e5 / 0.4 + 0.6 * 300.0))
    assert with_gas_pressure(Case(mesh).with_fields(*fields, energy), 1.4).field("pressure").values == pytest.approx(1e5)
