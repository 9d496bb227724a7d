"""Exodus II (NetCDF classic and HDF5) through VTK's reader in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ....errors import UnreadableFileError
from ...blocks import Block, joined
from ...contents import Contents, chosen_time
from ...field_names import with_known_names
from ...isolated import read_isolated
from ...source import Source
from ..vtk.blocks import block_of, leaves
from ..vtk.messages import captured
from .netcdf import check_netcdf

#: Arrays that number things and are no results.
_NUMBERS = {"ObjectId", "GlobalNodeId", "GlobalElementId", "ImplicitNodeId", "ImplicitElementId", "PedigreeNodeId", "PedigreeElementId"}
_SIDES = {"SourceElementId", "SourceElementSide"}
#: Groups of VTK's tree: element blocks are the mesh, side sets its boundaries.
_MESH, _SIDE_SETS, _NODE_SETS = "Element Blocks", "Side Sets", "Node Sets"


def read_exodus(source: Source) -> Contents:
    """Element blocks as zones over common points, side sets as patches by name, nodal and element results of one step.

    Node sets and other sets are noted. Displacements are results and are not added to the points. No unit is stated: metres.

    Raises:
        UnreadableFileError: damaged, truncated, or no Exodus file.
        UnsupportedFormatError: elements that geoop does not have.
        ConfigurationError: the wanted time is not there.
    """
    with source.file() as path:
        check_netcdf(path, source.where)
        return read_isolated("exodus.reading:file_contents", path, source.time, source.where)


def file_contents(path: Path, time: float | None, where: str) -> Contents:
    """What :func:`read_exodus` returns; runs in the child."""
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline as Pipeline
    from vtkmodules.vtkIOExodus import vtkExodusIIReader

    with captured() as complaints:
        reader = vtkExodusIIReader()
        reader.SetFileName(str(path))
        reader.ApplyDisplacementsOff()
        reader.GenerateImplicitNodeIdArrayOn()
        reader.UpdateInformation()
        information = reader.GetOutputInformation(0)
        times = tuple(float(t) for t in information.Get(Pipeline.TIME_STEPS()) or ()) if information.Has(Pipeline.TIME_STEPS()) else ()
        if len(times) != reader.GetNumberOfTimeSteps():
            times = tuple(float(step) for step in range(reader.GetNumberOfTimeSteps()))
        _choose_all(reader)
        now = None
        if times:
            step = chosen_time(times, time, where)
            now = times[step]
            information.Set(Pipeline.UPDATE_TIME_STEP(), now)
            reader.SetTimeStep(step)
        reader.Update()
        problems = complaints()
        blocks, notes = _blocks(reader, where)
    if problems or not blocks:
        said = "; ".join(dict.fromkeys(problems[:3])) or "no element blocks"
        raise UnreadableFileError(f"VTK cannot read it: {said}", where=where, remedy="export it again, or save it as .vtu in ParaView")
    contents = with_known_names(joined(blocks, where))
    return replace(contents, notes=(*contents.notes, *notes), time=now, times=tuple(sorted(set(times))))


def _choose_all(reader: Any) -> None:
    """All results and sets: VTK reads next to nothing unless told."""
    for kind in (reader.ELEM_BLOCK, reader.SIDE_SET, reader.NODE_SET):
        for i in range(reader.GetNumberOfObjects(kind)):
            reader.SetObjectStatus(kind, i, 1)
    for kind in (reader.NODAL, reader.ELEM_BLOCK, reader.SIDE_SET):
        for i in range(reader.GetNumberOfObjectArrays(kind)):
            reader.SetObjectArrayStatus(kind, reader.GetObjectArrayName(kind, i), 1)


def _blocks(reader: Any, where: str) -> tuple[list[Block], list[str]]:
    blocks, sets, others = [], [], []
    changed: dict[str, None] = {}
    names = {kind: _names(reader, kind) for kind in (reader.ELEM_BLOCK, reader.SIDE_SET)}
    seen = {_MESH: 0, _SIDE_SETS: 0}
    for path, data in leaves(reader.GetOutput()):
        group = path[0] if path else ""
        if group in seen:
            number, seen[group] = seen[group], seen[group] + 1
            kind = reader.ELEM_BLOCK if group == _MESH else reader.SIDE_SET
            name = names[kind][number] if number < len(names[kind]) else path[-1]
            block, said = block_of(data, name, where, patch=group == _SIDE_SETS, ids="ImplicitNodeId")
            changed.update(dict.fromkeys(said))
            dropped = _NUMBERS | _SIDES
            blocks.append(replace(block, arrays=tuple(array for array in block.arrays if array.label not in dropped)))
        elif group == _NODE_SETS and data is not None:
            sets.append(path[-1])
        elif data is not None and data.IsA("vtkDataSet") and data.GetNumberOfPoints():
            others.append(" / ".join(path))
    notes = [f"node sets are left out: {', '.join(sets)}"] if sets else []
    notes += [f"left out: {', '.join(others)}"] if others else []
    return blocks, [*notes, *changed]


def _names(reader: Any, kind: int) -> list[str]:
    """Names of blocks or sets as the file says them; one without a name is called by its id."""
    word = "block" if kind == reader.ELEM_BLOCK else "side set"
    names = []
    for i in range(reader.GetNumberOfObjects(kind)):
        name = (reader.GetObjectName(kind, i) or "").strip()
        unnamed = name.lower().startswith("unnamed") or not name
        names.append(f"{word} {reader.GetObjectId(kind, i)}" if unnamed else name)
    return names
