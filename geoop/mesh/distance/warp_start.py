"""Warp, started without a word: its native part writes a notice to stderr on every machine that has no GPU."""

from __future__ import annotations

import os
import sys
from functools import cache
from types import ModuleType


@cache
def quiet_warp() -> ModuleType:
    """The warp module, initialised.

    Raises:
        ImportError: warp is not installed.
    """
    import warp

    warp.config.quiet = True  # versions before log_level listen to this
    warp.config.log_level = getattr(warp, "LOG_ERROR", 40)
    sys.stderr.flush()
    kept = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, 2)  # the notice comes from C++, below sys.stderr
        warp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silence)
    return warp
