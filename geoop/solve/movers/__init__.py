"""Classical movers, one method per file: they put the points of a mesh where a monitor wants them."""
