"""Fluent: case and data files, text, binary and HDF5."""
