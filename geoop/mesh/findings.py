"""What counts of a mesh report mean, in sentences, each with the command that helps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

#: The command that repairs; ``FILE`` and ``OUT`` are for the reader to fill in.
REPAIR = "geoop inspect FILE --repair OUT"
#: Kinds of mesh that :func:`geoop.mesh.repair.repair` works on in full.
_BOUNDARIES = ("outline", "surface")

#: (count, what was found: one and several, what to do, what to do on an outline or surface where that differs). {edge}, {edges} and
#: {facets} are the words of the kind of mesh.
_SENTENCES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "non_manifold_edges",
        "{edge} belongs to more than two {facets}, so inside and outside are ambiguous there",
        "{edges} belong to more than two {facets}, so inside and outside are ambiguous there",
        "remove inner walls and repeated cells",
        "inner walls must be removed where the shape was made",
    ),
    (
        "inconsistent_edges",
        "{edge} lies between {facets} that disagree about which side is out",
        "{edges} lie between {facets} that disagree about which side is out",
        "turn them with geoop.mesh.outline.oriented(mesh)",
        f"`{REPAIR}` turns them",
    ),
    (
        "inverted_cells",
        "cell is inside out (negative area or volume)",
        "cells are inside out (negative area or volume)",
        "check the order of points, or the quality settings of the mesh generator",
        "",
    ),
    (
        "duplicate_points",
        "point lies on top of another one",
        "points lie on top of others",
        f"`{REPAIR} --tolerance LENGTH` merges them, unless they separate parts on purpose",
        f"`{REPAIR}` merges them",
    ),
    ("unused_points", "point belongs to no cell", "points belong to no cell", f"`{REPAIR}` drops what no cell needs", ""),
    (
        "degenerate_cells",
        "cell has no length, area or volume, hence no normal",
        "cells have no length, area or volume, hence no normal",
        "check the mesh generator: taking such cells out would tear the mesh",
        f"`{REPAIR}` takes such cells out and keeps the surface closed",
    ),
    (
        "repeated_cells",
        "cell repeats another one, so areas and forces count twice",
        "cells repeat another one, so areas and forces count twice",
        f"`{REPAIR}` keeps one of each",
        "",
    ),
    (
        "unpatched_facets",
        "boundary facet belongs to no named patch, so no force can be asked for there",
        "boundary facets belong to no named patch, so no force can be asked for there",
        "name all boundaries in the mesh generator",
        "",
    ),
)


def number_of(count: int, one: str, many: str) -> str:
    """``1 edge``, ``2 edges``."""
    return f"{count} {one if count == 1 else many}"


def findings(found: dict[str, Any], *, crack: float | None, max_hole: float) -> Iterator[str]:
    """Sentences for what is not as it should be, each with its remedy.

    Args:
        found: the numbers of a :class:`geoop.mesh.quality.MeshReport`.
        crack: width of the cracks that the openings are, if they are [m]; 0 if it is rounding.
        max_hole: share of the size up to which a repair closes holes unless asked otherwise.
    """
    boundary = found["kind"] in _BOUNDARIES
    words = {"outline": ("end point", "end points", "segments"), "volume mesh": ("face", "faces", "cells")}
    edge, edges, facets = words.get(found["kind"], ("edge", "edges", "facets"))
    if found["open_edges"]:
        yield _open(found, (edge, edges, facets), crack, max_hole)
    for key, one, many, remedy, on_boundary in _SENTENCES:
        if found[key]:
            if key == "non_manifold_edges" and boundary and found["repeated_cells"]:
                on_boundary = f"`{REPAIR}` drops repeated {facets}; {on_boundary}"
            advice = ((on_boundary if boundary else "") or remedy).replace("LENGTH", _hair(found["bounds"]))
            yield f"{number_of(found[key], one, many).format(edge=edge, edges=edges, facets=facets)}: {advice}."
    if found["self_intersections"]:
        yield _crossing(found)
    if found["inward_facets"]:
        wrong = number_of(found["inward_facets"], facets[:-1], facets)
        verb = "faces" if found["inward_facets"] == 1 else "face"
        yield f"{wrong} {verb} the wrong way as a whole part, the normals point into the body or out of a cavity: `{REPAIR}` turns them."


def _open(found: dict[str, Any], words: tuple[str, str, str], crack: float | None, max_hole: float) -> str:
    edge, edges, facets = words
    holes = found["holes"]
    what = number_of(found["open_edges"], f"{edge} belongs", f"{edges} belong")
    what += f" to one of the {facets} only, so the shape is not closed, and forces and enclosed volume are unreliable"
    if not holes:
        return f"{what}: check its {facets} without length."
    place = ", ".join(f"{value:.4g}" for value in holes[0].center)
    many = len(holes) > 1
    word = number_of(len(holes), *(("gap", "gaps") if found["kind"] == "outline" else ("opening", "openings")))
    what += f"; {word}, {'the largest ' if many else ''}{holes[0].size:.3g} across at ({place})"
    if crack == 0.0:
        return f"{what}: {'they are' if many else 'it is'} rounding, `{REPAIR}` closes {'them' if many else 'it'}."
    if crack is not None:
        return f"{what}: {'they are cracks' if many else 'it is a crack'}, `{REPAIR} --tolerance {_above(crack)}` closes {'them' if many else 'it'}."
    closable = [hole.share for hole in holes if hole.closed or found["kind"] == "outline"]
    if not closable:
        return f"{what}: {'their rims end' if many else 'its rim ends'} at edges of more than two {facets}, whose inner walls must be removed first, where the shape was made."
    share = closable[0]
    if share <= max_hole:
        return f"{what}: `{REPAIR}` closes {'them' if many else 'it'}."
    small = sum(value <= max_hole for value in closable)
    some = f"`{REPAIR}` closes {small} of them, up to {max_hole:.0%} of the size, and " if small else ""
    if share >= 0.9:
        subject = "the largest" if many else "it"
        return f"{what}: {some}{subject} is no hole but the rim of an open shape: complete it where it was made."
    closes = ("larger ones too" if small else "closes them") if many else "closes it"
    return f"{what}: {some}`{REPAIR} --max-hole {_above(share)}` {closes}."


def _hair(bounds: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    """A length that is nothing beside the mesh."""
    return f"{1e-12 * math.dist(*bounds) or 1e-12:.0e}"


def _above(value: float) -> str:
    """A number a little larger than this one, short."""
    return f"{value * 1.02:.2g}" if float(f"{value * 1.02:.2g}") > value else f"{value * 1.1:.2g}"


def _crossing(found: dict[str, Any]) -> str:
    if found["kind"] == "outline":
        pairs = number_of(found["self_intersections"], "pair of segments crosses", "pairs of segments cross")
        return f"{pairs}, so the outline cuts itself: check the order of its points, often at the trailing edge."
    pairs = number_of(found["self_intersections"], "pair of triangles cuts", "pairs of triangles cut")
    return (
        f"{pairs} through each other, so inside and outside are not defined there: "
        "unite overlapping bodies where the shape was made (boolean union), or wrap it with a mesh generator."
    )
