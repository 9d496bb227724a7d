"""Gmsh 2.2 and 4.1."""
