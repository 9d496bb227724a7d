"""Scalar diffusion problems as cases: what is given, what comes out, with names and units."""
