"""Solvers that are driven by protocols and know no network: equations and their discrete problems, Schwarz iterations, movers."""
