"""EnSight 6 and Gold."""
