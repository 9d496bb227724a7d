"""What counts of a mesh report mean, in sentences, each with the command that helps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

#: The command that repairs; ``FILE`` and ``OUT`` are for the reader to fill in.
REPAIR = "geoop inspect FILE --repair OUT"
#: Kinds of mesh that :func:`geoop.mesh.repair.repair` works on in full.
_BOUNDARIES = ("outline", "surface")

#: (count, what was found, what to do, what to do on an outline or surface where that differs). {edges} and {facets} are the words of
#: the kind of mesh.
_SENTENCES: tuple[tuple[str, str, str, str], ...] = (
    (
        "non_manifold_edges",
        "{edges} belong to more than two {facets}, so inside and outside are ambiguous there",
        "remove inner walls and repeated cells",
        "inner walls must be removed where the shape was made",
    ),
    (
        "inconsistent_edges",
        "{edges} lie between {facets} that disagree about which side is out",
        "turn them with geoop.mesh.outline.oriented(mesh)",
        f"`{REPAIR}` turns them",
    ),
    (
        "inverted_cells",
        "cells are inside out (negative area or volume)",
        "check the order of their points, or the quality settings of the mesh generator",
        "",
    ),
    (
        "duplicate_points",
        "points lie on top of others",
        f"`{REPAIR} --tolerance LENGTH` merges them, unless they separate parts on purpose",
        f"`{REPAIR}` merges them",
    ),
    ("unused_points", "points belong to no cell", f"`{REPAIR}` drops them", ""),
    (
        "degenerate_cells",
        "cells have no length, area or volume, hence no normal",
        "check the mesh generator: taking them out would tear the mesh",
        f"`{REPAIR}` takes them out and keeps the surface closed",
    ),
    ("repeated_cells", "cells repeat another one, so areas and forces count twice", f"`{REPAIR}` keeps one of each", ""),
    (
        "unpatched_facets",
        "boundary facets belong to no named patch, so no force can be asked for there",
        "name them in the mesh generator",
        "",
    ),
)


def findings(found: dict[str, Any], *, crack: float | None, max_hole: float) -> Iterator[str]:
    """Sentences for what is not as it should be, each with its remedy.

    Args:
        found: the numbers of a :class:`geoop.mesh.quality.MeshReport`.
        crack: width of the cracks that the openings are, if they are [m]; 0 if it is rounding.
        max_hole: share of the size up to which a repair closes holes unless asked otherwise.
    """
    boundary = found["kind"] in _BOUNDARIES
    edges, facets = {"outline": ("end points", "segments"), "volume mesh": ("faces", "cells")}.get(found["kind"], ("edges", "facets"))
    if found["open_edges"]:
        yield _open(found, edges, facets, crack, max_hole)
    for key, what, remedy, on_boundary in _SENTENCES:
        if found[key]:
            if key == "non_manifold_edges" and boundary and found["repeated_cells"]:
                on_boundary = f"`{REPAIR}` drops repeated {facets}; {on_boundary}"
            advice = ((on_boundary if boundary else "") or remedy).replace("LENGTH", _hair(found["bounds"]))
            yield f"{found[key]} {what.format(edges=edges, facets=facets)}: {advice}."
    if found["self_intersections"]:
        yield _crossing(found)
    if (found["enclosed"] or 0.0) < 0:
        yield f"the normals point into the body: `{REPAIR}` turns them outward."


def _open(found: dict[str, Any], edges: str, facets: str, crack: float | None, max_hole: float) -> str:
    holes = found["holes"]
    what = f"{found['open_edges']} {edges} belong to one of the {facets} only, so the shape is not closed"
    if not holes:
        return f"{what}, and forces and enclosed volume are unreliable: check its {facets} without length."
    place = ", ".join(f"{value:.4g}" for value in holes[0].center)
    word = "gaps" if found["kind"] == "outline" else "openings"
    what += f", and forces and enclosed volume are unreliable; {len(holes)} {word}, the largest {holes[0].size:.3g} across at ({place})"
    if crack == 0.0:
        return f"{what}: they are rounding, `{REPAIR}` closes them."
    if crack is not None:
        return f"{what}: they are cracks, `{REPAIR} --tolerance {_above(crack)}` closes them."
    closable = [hole.share for hole in holes if hole.closed or found["kind"] == "outline"]
    if not closable:
        return f"{what}: their rims end at edges of more than two {facets}, whose inner walls must be removed first, where the shape was made."
    share = closable[0]
    if share <= max_hole:
        return f"{what}: `{REPAIR}` closes them."
    small = sum(value <= max_hole for value in closable)
    some = f"`{REPAIR}` closes {small} of them, up to {max_hole:.0%} of the size, and " if small else ""
    if share >= 0.9:
        return f"{what}: {some}the largest is no hole but the rim of an open shape: complete it where it was made."
    return f"{what}: {some}`{REPAIR} --max-hole {_above(share)}` larger ones too."


def _hair(bounds: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    """A length that is nothing beside the mesh."""
    return f"{1e-12 * math.dist(*bounds) or 1e-12:.0e}"


def _above(value: float) -> str:
    """A number a little larger than this one, short."""
    return f"{value * 1.02:.2g}" if float(f"{value * 1.02:.2g}") > value else f"{value * 1.1:.2g}"


def _crossing(found: dict[str, Any]) -> str:
    if found["kind"] == "outline":
        return f"{found['self_intersections']} pairs of segments cross, so the outline cuts itself: check the order of its points, often at the trailing edge."
    return (
        f"{found['self_intersections']} pairs of triangles cut through each other, so inside and outside are not defined there: "
        "unite overlapping bodies where the shape was made (boolean union), or wrap it with a mesh generator."
    )
