"""What a model is asked about is checked before anything is computed: conditions, functions, samples, chunks."""

from dataclasses import replace

import pytest
import torch

from geoop.errors import ShapeError
from geoop.graph.pointset import Inputs, PointSet
from geoop.models.ports import Ports

PORTS = Ports(scalars_in=2, vectors_in=1, functions=(("source", 1), ("wall", 2)))


def inputs(samples=3):
    ptr = torch.arange(samples + 1) * 4
    functions = {name: PointSet(torch.rand(4 * samples, 2), torch.rand(4 * samples, count), ptr=ptr) for name, count in PORTS.functions}
    return Inputs(torch.zeros(samples, 2), torch.zeros(samples, 1, 2), functions)


def test_what_fits_passes_and_functions_of_others_do_not_matter():
    given = inputs()
    PORTS.require(given, 3, "here")
    PORTS.require(replace(given, functions={**given.functions, "more": given.functions["wall"]}), 3, "here")


def test_everything_that_is_wrong_is_said_at_once():
    given = inputs()
    wrong = Inputs(given.scalars[:, :1], given.vectors[:2], {"wall": given.functions["source"]})
    with pytest.raises(ShapeError, match="here") as error:
        PORTS.require(wrong, 3, "here")
    for text in (
        "global scalars of shape (3, 1), not (3, 2)",
        "global vectors",
        "no function 'source'",
        "'wall' has 3 samples in 2-D with 1 channels",
    ):
        assert text in str(error.value)


def test_samples_must_be_those_of_the_geometry():
    with pytest.raises(ShapeError, match="not 2 in 2-D"):
        PORTS.require(inputs(), 2, "here")
