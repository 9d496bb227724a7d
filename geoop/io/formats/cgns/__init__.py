"""CGNS, own reader over the tree of either container."""
