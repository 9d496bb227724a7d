"""Meshes, fields, cases, and the geometry that is computed from them."""
