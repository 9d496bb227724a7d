"""Rows of a resumable benchmark: what came with the project, and one file per row that this machine added, so that several measurements at once do not clash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def rows(measured: Path | None, folder: Path) -> dict[str, dict[str, Any]]:
    """Everything measured so far, by key: the file ``measured`` of the project, if there is one, then the files of ``folder``."""
    found = json.loads(measured.read_text()) if measured is not None and measured.exists() else {}
    for path in sorted(folder.glob("*.json")):
        row = json.loads(path.read_text())
        found[row["key"]] = row
    return found


def keep(folder: Path, row: Mapping[str, Any]) -> None:
    """Write a row under its key, whole or not at all."""
    sign = hashlib.sha256(row["key"].encode()).hexdigest()[:8]  # keys that differ in signs that no file name has
    path = folder / (re.sub(r"[^A-Za-z0-9.,+%=-]+", lambda found: "-" if found[0] == " " else "_", row["key"]) + f"-{sign}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    partly = path.with_suffix(".partial")
    partly.write_text(json.dumps(row, indent=1))
    partly.replace(path)
