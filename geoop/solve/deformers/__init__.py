"""Meshes carried along with a motion that is given on patches: one file per method, behind :class:`geoop.interfaces.moving.Deformer`."""
