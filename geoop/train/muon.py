"""Muon for hidden matrices, AdamW for everything else, in one optimiser whose state resumes exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def orthogonalise(update: Tensor, steps: int = 5) -> Tensor:
    """Replace the singular values of every matrix in a (k, m, n) stack by about 1.

    Quintic Newton-Schulz iteration with the coefficients of Jordan et al. 2024, which trade accuracy for speed: singular
    values end in about 0.7..1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = update / (update.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class MuonAdamW(Optimizer):
    """Muon (Jordan et al. 2024) on the hidden matrices of a model, AdamW (Loshchilov & Hutter 2019) on the rest.

    Matrices of one shape are orthogonalised as one stack, which on a CPU costs a fraction of one call per matrix.

    Args:
        module: the model.
        lr: peak rate of AdamW.
        muon_lr: peak rate of Muon; updates are scaled by 0.2 sqrt(max(m, n)), the size of an AdamW update.
        weight_decay: decoupled, on matrices only.
        betas: of AdamW.
        momentum: of Muon (Nesterov).
        exclude: substrings of parameter names that stay with AdamW although they are matrices, such as output layers.
    """

    def __init__(
        self,
        module: nn.Module,
        lr: float = 3e-3,
        muon_lr: float = 2e-2,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.98),
        momentum: float = 0.95,
        exclude: Iterable[str] = (),
    ) -> None:
        exclude = tuple(exclude)
        matrices, rest = [], []
        for name, parameter in module.named_parameters():
            hidden = parameter.dim() == 2 and min(parameter.shape) >= 16 and not any(word in name for word in exclude)
            (matrices if hidden else rest).append(parameter)
        groups = [
            {"params": rest, "muon": False, "lr": lr, "peak_lr": lr},
            {"params": matrices, "muon": True, "lr": muon_lr, "peak_lr": muon_lr},
        ]
        super().__init__([g for g in groups if g["params"]], {"weight_decay": weight_decay, "betas": betas, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            (self._muon if group["muon"] else self._adamw)(group)
        return loss

    def _adamw(self, group: dict) -> None:
        parameters = [p for p in group["params"] if p.grad is not None]
        if not parameters:
            return
        for p in parameters:
            if not self.state[p]:
                self.state[p].update(step=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
            self.state[p]["step"] += 1
        gradients = [p.grad for p in parameters]
        means = [self.state[p]["mean"] for p in parameters]
        squares = [self.state[p]["square"] for p in parameters]
        first, second = group["betas"]
        # each by its own count: a parameter may get its first gradient late
        steps = [self.state[p]["step"] for p in parameters]
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        scale = torch._foreach_sqrt(squares)
        torch._foreach_div_(scale, [math.sqrt(1 - second**step) for step in steps])
        torch._foreach_add_(scale, 1e-8)
        decayed = [p for p in parameters if p.dim() >= 2]
        if group["weight_decay"] and decayed:
            torch._foreach_mul_(decayed, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_addcdiv_(parameters, means, scale, [-group["lr"] / (1 - first**step) for step in steps])

    def _muon(self, group: dict) -> None:
        stacks: dict[tuple[int, ...], list[Tensor]] = {}
        for p in group["params"]:
            if p.grad is not None:
                stacks.setdefault(tuple(p.shape), []).append(p)
        for shape, parameters in stacks.items():
            for p in parameters:
                if not self.state[p]:
                    self.state[p]["momentum"] = torch.zeros_like(p)
            buffers = [self.state[p]["momentum"] for p in parameters]
            gradients = [p.grad for p in parameters]
            torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
            nesterov = torch._foreach_lerp(gradients, buffers, group["momentum"])
            update = orthogonalise(torch.stack(nesterov))
            if group["weight_decay"]:
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(parameters, list(update.unbind()), alpha=-group["lr"] * 0.2 * math.sqrt(max(shape)))
