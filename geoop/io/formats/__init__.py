"""One file per format: a reader takes a ``Source`` and returns ``Contents`` in the file's own unit."""
