"""Local problems on random polygons, and the shapes that a method assembled from them is tested on: one module per equation."""
