"""Fields carried from one mesh to another: by interpolation, conservatively, or through nothing but points."""
