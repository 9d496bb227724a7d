"""One file per written format; :mod:`geoop.io.writing` is the door to them."""
