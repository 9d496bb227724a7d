"""The optimiser and the average of the weights."""

import pytest
import torch
from torch import nn

from geoop.train.loop import Loop, LoopSettings
from geoop.train.muon import MuonAdamW, orthogonalise


class Pair(nn.Module):
    """Two vectors, of which one may have no gradient."""

    def __init__(self):
        super().__init__()
        self.first, self.late = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(3))


def test_the_first_step_of_a_parameter_has_the_size_of_the_rate_whenever_it_comes():
    """The corrections of AdamW count the steps of each parameter, not those of its neighbours."""
    model = Pair()
    optimizer = MuonAdamW(model, lr=0.01)
    for _ in range(100):
        model.first.grad, model.late.grad = torch.ones(3), None
        optimizer.step()
    assert torch.equal(model.late, torch.zeros(3))
    model.late.grad = torch.tensor([2.0, -3.0, 0.5])
    optimizer.step()
    assert torch.allclose(model.late, torch.tensor([-0.01, 0.01, -0.01]), rtol=1e-5)


def test_without_hidden_matrices_it_is_adamw():
    ours, theirs = Pair(), Pair()
    mine = MuonAdamW(ours, lr=0.02, betas=(0.9, 0.98))
    other = torch.optim.AdamW(theirs.parameters(), lr=0.02, betas=(0.9, 0.98), weight_decay=0.0)
    draw = torch.Generator().manual_seed(0)
    for _ in range(7):
        gradient = torch.randn(2, 3, generator=draw)
        for model in (ours, theirs):
            model.first.grad, model.late.grad = gradient[0].clone(), gradient[1].clone()
        mine.step()
        other.step()
    assert torch.allclose(ours.first, theirs.first, atol=1e-7) and torch.allclose(ours.late, theirs.late, atol=1e-7)


@pytest.mark.parametrize("shape", [(16, 40), (40, 16), (24, 24)])
def test_orthogonal_updates_have_singular_values_about_one_and_the_same_directions(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    found = orthogonalise(matrix[None])[0]
    values = torch.linalg.svdvals(found)
    assert 0.6 < float(values.min()) and float(values.max()) < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    core = left.mT @ found @ right.mT  # diagonal: the singular vectors stay
    assert float((core - core.diagonal().diag()).abs().max()) < 0.05 and float(core.diagonal().min()) > 0.6


class Falling(Loop):
    """A number that falls at a constant slope."""

    words = "test"

    def loss(self, draw):
        return self.model.weight.sum()

    def identity(self):
        return {}


def test_the_average_of_the_weights_is_the_exponential_one():
    """a_n = d_n a_(n-1) + (1 - d_n) w_n with the decay d_n = min(0.998, (1 + n) / (10 + n)) that forgets the start."""
    model = nn.Linear(1, 1, bias=False)
    loop = Falling(model, LoopSettings(steps=6, rate=0.1), ())
    mean = float(loop.average.weight)
    for n in range(6):
        loop.step()
        decay = min(0.998, (1 + n) / (10 + n))
        mean = decay * mean + (1 - decay) * float(model.weight.detach())
        assert float(loop.average.weight) == pytest.approx(mean, abs=1e-6)
    assert abs(float(loop.average.weight) - float(model.weight.detach())) > 1e-3
