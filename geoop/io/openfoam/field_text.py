"""The text of a field file: from the file that is there, with other values inside, or new."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...errors import FieldError, UnreadableFileError
from .dictionary import FoamFile
from .field_file import field_kind
from .lists import COMPONENTS, Layout, decode, encode
from .poly_mesh import Patch
from .syntax import Entry, entries_of

_REMEDY = "give another template=, a field file with an internalField of its own"
_LIST = re.compile(rb"(\s*(?:nonuniform\s+)?List<(\w+)>\s*)\d")
_OWN_VALUES = re.compile(rb"\$\{?internalField\}?")
#: Patch types that are conditions themselves.
_CONSTRAINTS = re.compile(r"empty|symmetry|symmetryPlane|wedge|cyclic.*|processor.*")
_BANNER = b"// * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * //\n"


def from_template(template: FoamFile, values: np.ndarray, folder: Path, name: str, layout: Layout) -> bytes:
    """A field file as it is, with the given values inside; its boundary conditions and everything else stay word by word.

    What must change with them is changed: the header, lists on patches when the number format differs, ``$internalField`` on
    patches (it meant the old value), and the way to included files when the file goes to another folder.

    Args:
        template: a cell field.
        values: (n,) or (n, k) in OpenFOAM's component order.
        folder: that the new file goes to.
        name: of the field.
        layout: how numbers are to be stored.

    Raises:
        FieldError: the template has no internalField of its own, or its patches mean the old one where it was not uniform.
    """
    kind = field_kind(template.kind)
    assert kind is not None
    top = entries_of(template.data, template.layout, template.where, template.start)
    inside = next((item for item in reversed(top) if item.keyword in ("internalField", "value") and item.children is None), None)
    if inside is None:
        raise FieldError("the template has no internalField of its own", where=template.where, remedy=_REMEDY)
    key = inside.keyword.encode()
    header = _header(template.kind, folder.name, name, layout)
    edits = [(inside.start, inside.stop, key + b"   nonuniform List<%s>\n" % kind[1].encode() + encode(values, kind[1], layout) + b";")]
    edits.append((template.header.start, template.header.stop, header) if template.header else (0, 0, header))
    for item in top:
        if item is not inside:
            edits += _edits(item, inside, template, folder, layout)
    text = template.data
    for start, stop, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[stop:]
    return text


def from_nothing(
    values: np.ndarray, kind: str, dimensions: str, patches: Sequence[Patch], imposed: dict[str, np.ndarray], target: Path, layout: Layout
) -> bytes:
    """A field file where there was none: what the patch types ask for, no slip of a velocity at walls, imposed values, no gradient elsewhere.

    Args:
        values: (n,) or (n, k) in OpenFOAM's component order.
        kind: ``scalar``, ``vector``, ...
        dimensions: ``[0 1 -1 0 0 0 0]``.
        patches: of the mesh.
        imposed: patch -> the one value that is imposed there.
        target: the file; its folder and name go into the header.
        layout: how numbers are to be stored.
    """
    lines = []
    for patch in patches:
        if _CONSTRAINTS.fullmatch(patch.kind):
            inner = f"type            {patch.kind};"
        elif patch.name in imposed:
            value = np.asarray(imposed[patch.name]).reshape(-1).tolist()
            shown = repr(value[0]) if len(value) == 1 else f"({' '.join(map(repr, value))})"
            inner = f"type            fixedValue;\n        value           uniform {shown};"
        elif patch.kind == "wall" and target.name == "U":
            inner = "type            noSlip;"
        else:
            inner = "type            zeroGradient;"
        lines.append(f"    {patch.name}\n    {{\n        {inner}\n    }}\n")
    head = _header(f"vol{kind[0].upper()}{kind[1:]}Field", target.parent.name, target.name, layout) + b"\n" + _BANNER
    body = b"\ndimensions      %s;\n\ninternalField   nonuniform List<%s>\n" % (dimensions.encode(), kind.encode())
    return head + body + encode(values, kind, layout) + b";\n\nboundaryField\n{\n" + "".join(lines).encode() + b"}\n"


def _header(kind: str, location: str, name: str, layout: Layout) -> bytes:
    arch = f'    arch        "{"LSB" if layout.order == "<" else "MSB"};label={layout.label * 8};scalar={layout.scalar * 8}";\n'
    return (
        f"FoamFile\n{{\n    version     2.0;\n    format      {'binary' if layout.binary else 'ascii'};\n{arch}"
        f'    class       {kind};\n    location    "{location}";\n    object      {name};\n}}'
    ).encode()


def _edits(item: Entry, inside: Entry, template: FoamFile, folder: Path, layout: Layout) -> Iterator[tuple[int, int, bytes]]:
    """Changes below one entry: (first byte, last byte + 1, new text)."""
    if item.children is not None:
        for child in item.children:
            yield from _edits(child, inside, template, folder, layout)
        return
    start = item.value[0]
    if item.keyword.startswith("#include"):
        name = re.search(rb'"([^"]+)"', item.raw)
        if name and not name[1].startswith((b"/", b"$", b"<", b"~")) and folder.resolve() != template.path.parent.resolve():
            way = os.path.relpath(template.path.parent / name[1].decode("latin-1"), folder)
            yield start + name.start(1), start + name.end(1), way.encode("latin-1")
        return
    found = _LIST.match(item.raw)
    if found and found[2].decode() in COMPONENTS:
        if layout != template.layout:
            kind = found[2].decode()
            values, end = decode(template.data, start + found.end(1), kind, template.layout, template.where)
            yield start + found.end(1), end, encode(values, kind, layout)
        return
    for macro in _OWN_VALUES.finditer(item.raw[: 1 << 16]):
        old = inside.raw.strip()
        if not old.startswith(b"uniform"):
            raise FieldError(
                f"'{item.keyword}' of a patch is '$internalField', which is not uniform in the template",
                where=template.where,
                remedy=_REMEDY,
            )
        yield start + macro.start(), start + macro.end(), old


def template_layout(template: FoamFile | None, mesh_file: FoamFile, binary: bool) -> Layout:
    """How numbers of a new file are stored: text or binary as asked, sizes as in the files beside it that say them."""
    said = [file for file in (template, mesh_file) if file is not None and file.header is not None and b"arch" in file.header.raw]
    sizes = said[0].layout if said else Layout()
    return Layout(binary, sizes.label, sizes.scalar, sizes.order)


def check_template(template: FoamFile) -> str:
    """The value type of a template, ``scalar`` or such.

    Raises:
        UnreadableFileError: it is no cell field.
    """
    kind = field_kind(template.kind)
    if kind is None or kind[0] != "cell":
        raise UnreadableFileError(f"is a '{template.kind}', not a field at cells", where=template.where, remedy=_REMEDY)
    return kind[1]
