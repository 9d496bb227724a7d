"""CGNS files, own reader over the tree: every zone, boundary condition and solution kept by name."""

from __future__ import annotations

import numpy as np

from ....errors import UnreadableFileError
from ...blocks import Block, joined
from ...contents import Contents, chosen_time
from ...field_names import with_known_names
from ...source import Source
from .tree import Node, read_tree
from .zone import STATED_LENGTH, Step, zone_block


def read_cgns(source: Source) -> Contents:
    """All zones of all bases, structured and unstructured, as zones of one mesh; boundary conditions as patches.

    A boundary condition gives its name, or that of its family where it only points to one; types are noted, and those of
    walls say what the body is. Solutions at
    vertices and at cell centres are kept, ghost values (Rind) cut off, components joined to vectors. Lengths in another unit than
    metres are converted where the file states it. Quantities that the file calls non-dimensional carry the unit ``1``.

    Raises:
        UnreadableFileError: damaged, truncated, linked to files that are elsewhere, or without a zone.
        UnsupportedFormatError: element types without a name in the standard.
    """
    with source.file() as path:
        root = read_tree(path, source.where)
        bases = root.of("CGNSBase_t")
        zones = [(base, zone) for base in bases for zone in base.of("Zone_t")]
        if not zones:
            raise UnreadableFileError("the file has no zone, hence no mesh", where=source.where, remedy="export it again, with its grid")
        stated = _times(bases)
        times = stated if len(stated) > 1 else ()
        step = Step(chosen_time(times, source.time, source.where) if times else None)
        names = [zone.name for _, zone in zones]
        blocks: list[Block] = []
        notes: list[str] = []
        types: dict[str, str] = {}
        for base, zone in zones:
            name = " ".join((zone.name if names.count(zone.name) == 1 else f"{base.name}/{zone.name}").split())
            block, kinds, said = zone_block(base, zone, name, step, source.where)
            blocks.append(block)
            notes += said
            types |= kinds
    contents = with_known_names(joined(blocks, source.where))
    notes += [f"boundary types: {', '.join(f'{name} {kind}' for name, kind in types.items())}"] if types else []
    return Contents(
        contents.points,
        contents.cells,
        contents.patches,
        contents.zones,
        contents.arrays,
        (*contents.notes, *dict.fromkeys(notes)),
        boundary=contents.boundary,
        time=times[step.index] if step.index is not None else next(iter(stated), None),
        times=times,
        wall=tuple(name for name, kind in types.items() if kind.startswith("Wall")),
        length_unit="m" if any(note.startswith(STATED_LENGTH) for note in notes) else "",
    )


def _times(bases: list[Node]) -> tuple[float, ...]:
    """Times of the iterative data, ascending; a single one is the time of a state and no series."""
    for base in bases:
        for data in base.of("BaseIterativeData_t"):
            node = data.get("TimeValues")
            values = None if node is None else node.value
            if values is not None and values.dtype.kind == "f" and len(np.ravel(values)) and (np.diff(np.ravel(values)) > 0).all():
                return tuple(float(value) for value in np.ravel(values))
    return ()
