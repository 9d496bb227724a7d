"""The commands of confidence: calibrate a model on cases that it was not trained on, and judge what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from .printing import Json, counting, show_result


def calibrate(
    model: Annotated[Path, typer.Argument(help="checkpoint of a surrogate or an ensemble, .safetensors")],
    data: Annotated[Path, typer.Argument(help="data-set folder, with the training cases")],
    output: Annotated[Path, typer.Option("--output", "-o", help="calibrated checkpoint, .safetensors")],
    split: Annotated[str, typer.Option(help="cases to calibrate on, none of them seen in training")] = "val",
    coverage: Annotated[float, typer.Option(help="share of the cases that bands and bounds are to cover")] = 0.9,
    as_json: Json = False,
) -> None:
    """Conformal bands, bounds on coefficients and limits of the verdict from validation cases, into a new checkpoint."""
    from ..results.confidence.calibrating import calibrate as run
    from ..results.confidence.ensemble import Ensemble
    from ..results.surrogate import Surrogate, load

    if output.suffix != ".safetensors":
        raise ConfigurationError(f"the output is '{output.name}'", where="--output", remedy="-o calibrated.safetensors")
    predictor = load(model)
    if not isinstance(predictor, Surrogate | Ensemble):
        raise ConfigurationError("holds no surrogate of fields", where=str(model), remedy="calibrate a checkpoint of geoop fit, or an ensemble")
    with counting("cases") as progress:
        made = run(predictor, data, split, coverage=coverage, progress=progress)  # type: ignore[type-var]
    made.save(output)
    assert made.calibration is not None
    bounds = {name: bound.quantile for name, bound in made.calibration.errors.items()}
    text = [f"{100 * coverage:g} % bounds from {made.calibration.cases} cases of split '{split}', dimensionless, for a case of the usual kind:"]
    text += [f"  {name:<30}{value:.3g}" for name, value in bounds.items()]
    show_result(
        {"output": str(output), "coverage": coverage, "cases": made.calibration.cases, "bounds": bounds},
        "\n".join([*text, f"written: {output}"]),
        as_json,
    )


def judge(
    model: Annotated[Path, typer.Argument(help="calibrated checkpoint, .safetensors")],
    data: Annotated[Path, typer.Argument(help="data-set folder")],
    split: Annotated[str, typer.Option(help="test, ood, ...")] = "test",
    usual: Annotated[
        str | None, typer.Option(help="split of the training's kind, whose errors say what is a bad one: of --split unless given")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="picture of risk-coverage curves and of stated beside actual errors, .png, .svg or .pdf")] = None,
    as_json: Json = False,
) -> None:
    """Whether bands cover, stated errors rank the actual ones, and verdicts flag the bad cases, on a split of a data set."""
    from ..results.confidence.judging import judge as run
    from ..results.surrogate import load_predictor

    if plot is not None and plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ConfigurationError(f"the plot is '{plot.name}'", where="--plot", remedy="--plot confidence.png")
    predictor = load_predictor(model)
    with counting("cases") as progress:
        found = run(predictor, data, split, progress=progress)
        other = run(predictor, data, usual, progress=progress) if usual else found
    flags = {name: found.flags(name, other) for name in found.names}
    lines = [str(found)]
    for name, row in flags.items():
        bad, good = (f"{row[word]} {word}" + _shares(row, word) for word in ("bad", "good"))
        lines.append(f"  {name}: {bad}; {good} (bad: more than twice {row['limit']:.3g}, which 95 % of {usual or split} stay below)")
    if plot is not None:
        from ..studies.plots.confidence import confidence_plot

        confidence_plot({split: found} | ({usual: other} if usual else {}), plot)
        lines.append(f"written: {plot}")
    show_result({**found.to_dict(), "flags": flags}, "\n".join(lines), as_json)


def _shares(row: dict[str, float | int | None], word: str) -> str:
    outside, beyond = row[f"{word} outside"], row[f"{word} not inside"]
    return "" if outside is None or beyond is None else f", {100 * outside:.0f} % called outside, {100 * beyond:.0f} % not inside"
