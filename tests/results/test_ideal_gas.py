"""Pressure from conservative variables: the equation of state, real files, refusals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import geoop
from geoop.errors import ConditionError, FieldError
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import Field, Quantity
from geoop.results.ideal_gas import ENERGIES, with_gas_pressure

SU2 = Path(__file__).parents[3] / "shared" / "data" / "su2"


def gas(gamma=1.4, name="Energy", flow="momentum"):
    """A case of random states whose pressure is known."""
    mesh, random = naca4("0012", 60), np.random.default_rng(0)
    n = len(mesh.points)
    density, pressure, velocity = random.uniform(0.5, 2.0, n), random.uniform(5e4, 2e5, n), random.uniform(-200, 200, (n, 2))
    energy = pressure / (gamma - 1.0) + 0.5 * density * (velocity**2).sum(axis=1)
    moved = (
        Field(Quantity("velocity", "u", "m/s", 1), velocity)
        if flow == "velocity"
        else Field(Quantity("momentum", "rho u", "kg/m^2/s", 1), velocity * density[:, None])
    )
    fields = (Field(Quantity("density", "rho", "kg/m^3"), density), moved, Field(Quantity(name, "E", "J/m^3"), energy))
    return geoop.Case(mesh).with_fields(*fields), pressure


@pytest.mark.parametrize("gamma", [1.1, 1.4, 5 / 3])
@pytest.mark.parametrize(("name", "flow"), [(ENERGIES[0], "momentum"), (ENERGIES[1], "velocity"), (ENERGIES[2], "momentum")])
def test_it_inverts_the_energy_of_an_ideal_gas(gamma, name, flow):
    case, pressure = gas(gamma, name, flow)
    found = with_gas_pressure(case, gamma).field("pressure")
    np.testing.assert_allclose(found.values, pressure, rtol=1e-12)
    assert found.quantity.unit == "Pa"


def test_names_of_cgns_are_known():
    case, pressure = gas(name="EnergyStagnationDensity")
    moved = case.fields["momentum"]
    other = {
        **{name: item for name, item in case.fields.items() if name != "momentum"},
        "Momentum": Field(replace(moved.quantity, name="Momentum"), moved.values),
    }
    np.testing.assert_allclose(with_gas_pressure(replace(case, fields=other), 1.4).field("pressure").values, pressure, rtol=1e-12)


def test_a_pressure_that_is_there_stays():
    case, _ = gas()
    known = with_gas_pressure(case, 1.4)
    assert with_gas_pressure(known, 1.2) is known


@pytest.mark.skipif(not SU2.is_dir(), reason="../shared/data is not there")
def test_it_is_the_pressure_that_su2_writes():
    folder = SU2 / "naca0012_euler_fixedcl"
    case = geoop.read_case(folder / "mesh_NACA0012_inv.su2", solution=folder / "solution_flow.csv")
    bare = replace(case, fields={name: item for name, item in case.fields.items() if name not in ("pressure", "pressure_coefficient")})
    np.testing.assert_allclose(with_gas_pressure(bare, 1.4).field("pressure").values, case.field("pressure").values, rtol=1e-12)


@pytest.mark.parametrize("gamma", [1.0, 0.4, float("nan"), float("inf")])
def test_gamma_is_above_one(gamma):
    with pytest.raises(ConditionError, match="gamma"):
        with_gas_pressure(gas()[0], gamma)


def test_what_is_no_conservative_state_is_refused():
    case, _ = gas()
    with pytest.raises(FieldError, match="density, momentum and the energy"):
        with_gas_pressure(replace(case, fields={"density": case.fields["density"]}), 1.4)
    specific = Field(case.fields["Energy"].quantity, case.fields["Energy"].values / case.fields["density"].values - 3e5)
    with pytest.raises(FieldError, match="per volume"):
        with_gas_pressure(case.with_fields(specific), 1.4)
