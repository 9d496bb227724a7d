"""Meshes and point sets made around a body."""
