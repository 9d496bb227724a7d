"""Solvers that are driven by protocols and know no network: overlapping Schwarz iterations, certified solves."""
