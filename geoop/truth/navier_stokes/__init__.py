"""Incompressible viscous flow in the plane: steady and in time."""
