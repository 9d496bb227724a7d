"""The command that makes a field of one shape, and shows how far it is off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigurationError
from .options import Chord, Unit
from .printing import Json, show_result

if TYPE_CHECKING:
    from ..results.encoded_shape import EncodedShape
    from ..results.shape_deviation import ShapeDeviation


def encode(
    shape: Annotated[Path, typer.Argument(help="outline, surface, volume mesh, or point cloud with a vector column 'normals'")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the field, .safetensors; never over the input")],
    minutes: Annotated[float | None, typer.Option(help="of the fit; 2 unless given")] = None,
    steps: Annotated[int | None, typer.Option(help="of the fit in place of minutes: repeatable on the same machine")] = None,
    latents: Annotated[int | None, typer.Option(help="number; by the size of the file unless given")] = None,
    context: Annotated[int, typer.Option(help="channels of each latent")] = 16,
    thickness: Annotated[float, typer.Option(help="of sheets that have the outside on both sides, over the length; 0 leaves them out")] = 5e-3,
    surface: Annotated[Path | None, typer.Option(help="write the zero set as a mesh here: .vtu, .stl, ...")] = None,
    resolution: Annotated[int | None, typer.Option(help="of --surface: grid cells along the longest side; 128 in space, 512 in the plane")] = None,
    unit: Unit = None,
    chord: Chord = None,
    seed: Annotated[int, typer.Option(help="of weights and samples")] = 0,
    as_json: Json = False,
) -> None:
    """Fit the signed distance of one shape as an equivariant neural field; the table says how far its zero set is off the body."""
    from ..io.units import metres_per
    from ..io.writing import WRITERS, write
    from ..train.encode import encode as run

    if output.suffix != ".safetensors" or output.resolve() == shape.resolve():
        raise ConfigurationError(f"output '{output.name}'", where="--output", remedy="a name that ends in .safetensors and is not the input")
    if surface is None and resolution is not None:
        raise ConfigurationError("--resolution without --surface", where="geoop encode", remedy="say where the surface goes: --surface out.vtu")
    if surface is not None and (surface.suffix.lower() not in WRITERS or surface.resolve() == shape.resolve()):
        raise ConfigurationError(f"surface '{surface.name}'", where="--surface", remedy="another file than the input, e.g. out.vtu or out.stl")
    factor = metres_per(unit) if unit else 1.0
    encoded = run(
        shape,
        minutes=minutes,
        steps=steps,
        latents=latents,
        context=context,
        thickness=thickness,
        unit=unit,
        chord=chord,
        seed=seed,
        progress=not as_json,
    )
    encoded.save(output)
    written = [str(output)]
    if surface is not None:
        mesh = encoded.surface(resolution or (512 if encoded.dimension == 2 else 128))
        in_unit = unit if WRITERS[surface.suffix.lower()].unit else None
        written.append(str(write(mesh, surface, unit=in_unit).path))
    data = {"output": str(output), "surface": None if surface is None else str(surface), **{k: encoded.about.get(k) for k in _SHOWN}}
    show_result(data, "\n".join([*table(encoded, unit or "m", factor), f"written: {', '.join(written)}"]), as_json)


_SHOWN = ("deviation", "control", "verdict", "findings", "latents", "parameters", "steps", "samples", "seconds", "settings")


def table(encoded: EncodedShape, unit: str, factor: float) -> list[str]:
    """Lines of the deviations, in the unit of the user's file (``factor`` metres) and as shares of the length."""
    about, found, control = encoded.about, encoded.deviation, encoded.control
    assert found is not None and control is not None
    size = 4 * sum(v.numel() for v in [*encoded.field.state_dict().values(), encoded.latents.pos, encoded.latents.scalars, encoded.latents.vectors])
    head = f"{about['name']}: {about['latents']} latents, {about['parameters']} parameters, {size / 1024:.0f} kB, length {found.length / factor:.4g} {unit}"
    lines = [head, f"fitted {about['seconds']:.0f} s, {about['steps']} steps, {about['samples']} samples", ""]
    lines += [f"{'deviation':<30}{'mean':>22}{'95 %':>22}{'max':>22}"]
    lines += _rows(found, unit, factor) + ["before the fit (tangent planes of the latents)"] + _rows(control, unit, factor, ("to_field", "value"))
    lines += [f"{found.astray:.2%} of the zero set is further than 1 % of the length from the body (before the fit {control.astray:.2%})"]
    if found.jumps > 0:
        lines += [f"  {found.jumps:.2%} of it lie in openings, where the exact side itself changes without a surface"]
    return [*lines, f"the shape: {encoded.verdict or 'closed, no doubt about its inside'}"]


def _rows(found: ShapeDeviation, unit: str, factor: float, names: tuple[str, ...] = ("to_body", "to_field", "value")) -> list[str]:
    from ..results.shape_deviation import ROWS

    out = []
    for name in names:
        spread = getattr(found, name)
        cells = [f"{value / factor:.3g} {unit} {100 * value / found.length:.4f} %" for value in (spread.mean, spread.most, spread.max)]
        out.append(f"  {ROWS[name]:<28}" + "".join(f"{cell:>22}" for cell in cells))
    return out
