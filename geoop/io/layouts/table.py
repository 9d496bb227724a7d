"""The published layouts that geoop reads, and how a folder shows which one it is."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigurationError, UnreadableFileError
from .layout import Layout

#: Name that says: not a published layout, the user's own runs.
OWN = "own"
#: Modules with a ``LAYOUT`` each, the more specific first.
_MODULES = ("airfrans", "airfrans_surface", "holed_poisson", "shapenet_car", "caeml", "drivaernet", "meshgraphnets", "geofno", "gaot", "plaid")


def layouts() -> dict[str, Layout]:
    """Name -> layout, in the order in which they are tried."""
    from importlib import import_module

    found = [import_module(f".{name}", __package__).LAYOUT for name in _MODULES]
    return {layout.name: layout for layout in found}


def layout_of(root: Path, name: str | None, *, own: bool) -> Layout | None:
    """The layout of a folder; None for own runs.

    Args:
        root: the folder.
        name: what the user says; None recognises it.
        own: whether a table of conditions is given, which only own runs have.

    Raises:
        ConfigurationError: no layout of that name, or the folder does not look like it.
        UnreadableFileError: there is no such folder.
    """
    if not root.is_dir():
        raise UnreadableFileError("there is no such folder", where=str(root), remedy="check the path")
    if name == OWN or (name is None and own):
        return None
    known = layouts()
    if name is None:
        return next((layout for layout in known.values() if layout.recognise(root)), None)
    if name not in known:
        raise ConfigurationError(f"no layout is called '{name}'", where="--layout", remedy=f"choose one of {', '.join([*known, OWN])}")
    if not known[name].recognise(root):
        raise ConfigurationError(
            f"the folder does not look like {name}: {known[name].looks_like}",
            where=str(root),
            remedy=f"give the folder that holds these, or --layout {OWN}",
        )
    return known[name]
