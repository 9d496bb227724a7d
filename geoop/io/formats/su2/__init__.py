"""SU2 meshes and solutions."""
