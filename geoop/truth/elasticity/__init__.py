"""Solids that deform: linear elasticity, and neo-Hookean solids at large strains."""
