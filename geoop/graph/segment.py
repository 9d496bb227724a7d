"""Reductions over the neighbours of every target point: sum, mean, max, softmax, and weighted sums of source values.

Three back ends stand behind every function and give the same numbers; ``auto`` takes the fastest that was measured:

- ``csr`` (CPU, real numbers): product with a sparse matrix. A weighted sum with fixed weights then never builds its edges x channels
  array and its gradient is the product with the transposed matrix; about ten times faster than gather and index_add.
- ``scatter`` (when torch-scatter is importable; on the GPU, and on the CPU for the largest of few channels with its gradient):
  ``segment_csr``, one pass in the order of the edges.
- ``torch``: ``index_add_`` on the CPU and ``segment_reduce`` on the GPU, for everything else and wherever torch-scatter is missing.

All are deterministic: edges are sorted by target and every target is summed in that order, without atomics. Half precision accumulates in
float32. A target without edges gets 0, from every function. All gradients can be differentiated again.
"""

from __future__ import annotations

import inspect
import math
import warnings
from functools import cache
from types import ModuleType
from typing import Literal

import torch
from torch import Tensor
from torch.autograd import Function

from ..axes import check
from ..errors import ConfigurationError, MissingDependencyError, ShapeError
from .graph import Graph

Backend = Literal["auto", "torch", "csr", "scatter"]

#: channels from which scatter_reduce is faster than segment_reduce on a CPU (measured: 4x slower at 8, equal at 16)
_WIDE = 16


#: largest number of a point or an edge for which sparse products count in 32 bits, which is faster (measured: by a fifth, converting included)
_INT32 = 2**31 - 1


def segment_sum(values: Tensor, segments: Graph | Tensor, *, backend: Backend = "auto") -> Tensor:
    """Sum over the edges of every target: (e, ...) -> (n_target, ...).

    Args:
        values: (e, ...) one entry per edge, in the order of the graph.
        segments: the graph, or (n_target+1,) start of every target's edges.
        backend: see the module.

    Raises:
        ShapeError: ``values`` does not have one entry per edge.
        MissingDependencyError: ``scatter`` is asked for and torch-scatter is not importable.
    """
    ptr, index = _layout(values, segments)
    return _Sum.apply(values, ptr, index, None, _choose(backend, values))


def segment_mean(values: Tensor, segments: Graph | Tensor, *, backend: Backend = "auto") -> Tensor:
    """Mean over the edges of every target: (e, ...) -> (n_target, ...); 0 for a target without edges. Arguments as :func:`segment_sum`."""
    ptr, index = _layout(values, segments)
    count = ptr.diff().clamp(min=1).reshape(-1, *[1] * (values.ndim - 1))
    wide = _wide(values)
    return (_Sum.apply(wide, ptr, index, None, _choose(backend, wide)) / count).to(values.dtype)


def segment_max(values: Tensor, segments: Graph | Tensor, *, backend: Backend = "auto") -> Tensor:
    """Largest value over the edges of every target: (e, ...) -> (n_target, ...); 0, not minus infinity, for a target without edges.

    Equal largest values share the gradient; torch-scatter gives it to the first of them. Arguments as :func:`segment_sum`.
    """
    ptr, index = _layout(values, segments)
    if backend == "auto" and values.requires_grad and values[:1].numel() < _WIDE and _import_torch_scatter() is not None:
        backend = "scatter"  # it remembers where the largest was: measured 1.3 to 2.3x faster with the gradient, also on a CPU
    method = _choose(backend, values)
    if method == "scatter":
        return _torch_scatter().segment_csr(_wide(values).contiguous(), ptr, reduce="max").to(values.dtype)
    return _Max.apply(values, ptr, index, method)


def segment_softmax(logits: Tensor, segments: Graph | Tensor, *, backend: Backend = "auto") -> Tensor:
    """Softmax over the edges of every target: (e, ...) -> (e, ...).

    Add the logarithm of the quadrature weight to the logits for a softmax over a measure, which converges when the cloud is refined.
    A logit of minus infinity leaves its edge out; a target with nothing but such edges gets zeros. Arguments as :func:`segment_sum`.
    """
    ptr, index = _layout(logits, segments)
    wide = _wide(logits)
    return _Softmax.apply(wide, ptr, index, _choose(backend, wide)).to(logits.dtype)


def take_source(x: Tensor, graph: Graph, *, backend: Backend = "auto") -> Tensor:
    """Values of the source point of every edge: (n_source, ...) -> (e, ...), with a gradient that is summed in order of source."""
    check({"n_source": graph.n_source}, x=(_rows(x), "n_source c"))
    if not _differentiated(x):
        return x.index_select(0, graph.source)  # spares the order by source, which the gradient alone needs
    ptr, _, order = graph.by_source
    return _Take.apply(x, ptr, graph.source, order, _choose(backend, x))


def take_target(x: Tensor, graph: Graph, *, backend: Backend = "auto") -> Tensor:
    """Values of the target point of every edge: (n_target, ...) -> (e, ...), with a gradient that is summed in order of target."""
    check({"n_target": graph.n_target}, x=(_rows(x), "n_target c"))
    if not _differentiated(x):
        return x.index_select(0, graph.target)
    return _Take.apply(x, graph.ptr, graph.target, None, _choose(backend, x))


def weighted_sum(x: Tensor, graph: Graph, edge_weight: Tensor | None = None, *, backend: Backend = "auto") -> Tensor:
    """y_i = sum over edges j -> i of w_ij x_j: (n_source, ...) -> (n_target, ...).

    Args:
        x: (n_source, ...) values at the source points.
        graph: the edges.
        edge_weight: (e,) one weight per edge, (e, ...) one per edge and channel, or None for ones. One per edge and without gradient is
            the fast path: the sparse matrix is multiplied, and its transpose in the backward pass.
        backend: see the module.

    Raises:
        ShapeError: sizes do not fit the graph.
        ConfigurationError: ``csr`` is asked for with weights that need a gradient or depend on the channel.
    """
    fixed = edge_weight is None or (edge_weight.ndim == 1 and not edge_weight.requires_grad)
    if edge_weight is not None:
        check({"e": graph.n_edges}, edge_weight=(_rows(edge_weight), "e c"))
    if backend == "csr" and not fixed:
        raise ConfigurationError("a sparse product needs one weight per edge, without gradient", where="backend", remedy="use backend='auto'")
    method = _choose(backend, x)
    if fixed and method == "csr":
        check({"n_source": graph.n_source}, x=(_rows(x), "n_source c"))
        wide = _wide(x)
        weight = wide.new_ones(graph.n_edges) if edge_weight is None else edge_weight.to(wide.dtype)
        rows = (graph.ptr, graph.source, None)
        columns = graph.by_source if _differentiated(x) else None
        return _Product.apply(wide, weight, rows, columns).to(x.dtype)
    if edge_weight is None:
        return segment_sum(_wide(take_source(x, graph, backend=backend)), graph, backend=backend).to(x.dtype)
    check({"n_source": graph.n_source}, x=(_rows(x), "n_source c"))
    if edge_weight.shape[1:] == x.shape[1:] and edge_weight.dtype == x.dtype == _wide(x).dtype:
        order = graph.by_source if _differentiated(x) else (None, None, None)
        return _Modulated.apply(x, edge_weight, (graph.ptr, graph.target), (order[0], graph.source, order[2]), method)
    edges = _wide(take_source(x, graph, backend=backend))
    edges = edges * edge_weight.reshape(*edge_weight.shape, *[1] * (edges.ndim - edge_weight.ndim))
    return segment_sum(edges, graph, backend=backend).to(x.dtype)


def _signed(function: type[Function]) -> type[Function]:
    """torch reads the signature of ``forward`` anew in every call, which takes longer than a small sum (0.1 ms); here it is read once."""
    function.forward.__signature__ = inspect.signature(function.forward)  # type: ignore[attr-defined]
    return function


@_signed
class _Sum(Function):
    """y_i = sum of v[order[k]] over k in ptr[i]:ptr[i+1]; ``index`` names the segment of every entry of v. Its gradient is :class:`_Take`."""

    @staticmethod
    def forward(values: Tensor, ptr: Tensor, index: Tensor, order: Tensor | None, method: str) -> Tensor:
        with torch.autocast(values.device.type, enabled=False):
            return _reduce(values, ptr, index, order, method)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        _, ptr, index, order, ctx.method = inputs
        ctx.save_for_backward(ptr, index, order)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        return _Take.apply(grad, *ctx.saved_tensors, ctx.method), None, None, None, None


@_signed
class _Take(Function):
    """y_k = x[index[k]]. Its gradient is :class:`_Sum`: one pass in order instead of atomics."""

    @staticmethod
    def forward(x: Tensor, ptr: Tensor, index: Tensor, order: Tensor | None, method: str) -> Tensor:
        return x.index_select(0, index)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        _, ptr, index, order, ctx.method = inputs
        ctx.save_for_backward(ptr, index, order)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        return _Sum.apply(grad, *ctx.saved_tensors, ctx.method), None, None, None, None


@_signed
class _Modulated(Function):
    """y_i = sum of w_k * x[source_k] over the edges k of i, one weight per edge and channel.

    Gathers x a second time in its gradient instead of keeping it on every edge, and multiplies in place: half the memory traffic of its parts.
    ``targets``: (start of every target's edges, target of every edge); ``sources``: (start of every source's edges, source of every edge, order by source).
    """

    @staticmethod
    def forward(x: Tensor, weight: Tensor, targets: tuple, sources: tuple, method: str) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return _reduce(x.index_select(0, sources[1]).mul_(weight), *targets, None, method)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        x, weight, ctx.targets, ctx.sources, ctx.method = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        x, weight = ctx.saved_tensors
        (start, target), (first, source, order), method = ctx.targets, ctx.sources, ctx.method
        by_x = by_weight = None
        if torch.is_grad_enabled():  # the gradient is differentiated again: out of functions that know how
            over = _Take.apply(grad, start, target, None, method)
            if ctx.needs_input_grad[1]:
                by_weight = over * _Take.apply(x, first, source, order, method)
            if ctx.needs_input_grad[0]:
                by_x = _Sum.apply(over * weight, first, source, order, method)
        else:
            over = grad.index_select(0, target)
            if ctx.needs_input_grad[1]:
                by_weight = x.index_select(0, source).mul_(over)
            if ctx.needs_input_grad[0]:
                by_x = _reduce(over.mul_(weight), first, source, order, method)
        return by_x, by_weight, None, None, None


@_signed
class _Max(Function):
    """Largest of every segment; the gradient goes in equal parts to the entries that reach it."""

    @staticmethod
    def forward(values: Tensor, ptr: Tensor, index: Tensor, method: str) -> Tensor:
        return _largest(values, ptr, index, method)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        values, ptr, index, ctx.method = inputs
        ctx.save_for_backward(values, output, ptr, index)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        values, largest, ptr, index = ctx.saved_tensors
        reached = (values == largest.index_select(0, index)).to(grad.dtype)
        count = _Sum.apply(reached, ptr, index, None, ctx.method).clamp(min=1)
        return reached * _Take.apply(grad / count, ptr, index, None, ctx.method), None, None, None


@_signed
class _Softmax(Function):
    """a = exp(l) / sum exp(l) over every segment; dl = a (g - sum a g). Keeps nothing but its result."""

    @staticmethod
    def forward(logits: Tensor, ptr: Tensor, index: Tensor, method: str) -> Tensor:
        lowest, smallest = torch.finfo(logits.dtype).min, torch.finfo(logits.dtype).tiny
        with torch.autocast(logits.device.type, enabled=False):
            top = _largest(logits, ptr, index, method).clamp_(min=lowest)  # a segment of minus infinities must not give inf - inf
            result = (logits - top.index_select(0, index)).exp_()
            total = _reduce(result, ptr, index, None, method).clamp_(min=smallest)
            return result.div_(total.index_select(0, index))

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        _, ptr, index, ctx.method = inputs
        ctx.save_for_backward(output, ptr, index)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        result, ptr, index = ctx.saved_tensors
        mean = _Sum.apply(result * grad, ptr, index, None, ctx.method)
        return result * (grad - _Take.apply(mean, ptr, index, None, ctx.method)), None, None, None


@_signed
class _Product(Function):
    """y = A x. ``rows``: start of the rows of A, column of every entry, order of the weights (None: as they are); ``columns``: of its transpose."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, rows: tuple, columns: tuple | None) -> Tensor:
        ptr, index, order = rows
        with torch.autocast(x.device.type, enabled=False):
            return _multiply(ptr, index, weight if order is None else weight.index_select(0, order), x)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        _, weight, ctx.rows, ctx.columns = inputs
        ctx.save_for_backward(weight)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        return _Product.apply(grad, ctx.saved_tensors[0], ctx.columns, ctx.rows), None, None, None


def _reduce(values: Tensor, ptr: Tensor, index: Tensor, order: Tensor | None, method: str) -> Tensor:
    wide = _wide(values)
    if method == "csr" and values.numel() and len(ptr) > 1:
        small = torch.int32 if len(values) <= _INT32 else torch.int64
        order = torch.arange(len(values), dtype=small, device=values.device) if order is None else order
        return _multiply(ptr, order, wide.new_ones(len(values)), wide).to(values.dtype)
    if method == "scatter" or values.is_cuda:
        ordered = wide.contiguous() if order is None else wide.index_select(0, order)
        if method == "scatter":
            out = _torch_scatter().segment_csr(ordered, ptr, reduce="sum")
        else:
            out = torch.segment_reduce(ordered, "sum", offsets=ptr, axis=0, unsafe=True, initial=0)
        return out.to(values.dtype)
    return wide.new_zeros(len(ptr) - 1, *values.shape[1:]).index_add_(0, index, wide).to(values.dtype)


def _largest(values: Tensor, ptr: Tensor, index: Tensor, method: str) -> Tensor:
    if method == "scatter":
        return _torch_scatter().segment_csr(values.contiguous(), ptr, reduce="max")
    if values[:1].numel() < _WIDE and values.device.type == "cpu" and values.is_floating_point():
        found = torch.segment_reduce(values.contiguous(), "max", offsets=ptr, axis=0, unsafe=True, initial=-math.inf)
        return found.masked_fill_((ptr.diff() == 0).reshape(-1, *[1] * (values.ndim - 1)), 0)
    where = index.reshape(-1, *[1] * (values.ndim - 1)).expand_as(values)
    return values.new_zeros(len(ptr) - 1, *values.shape[1:]).scatter_reduce_(0, where, values, "amax", include_self=False)


def _multiply(ptr: Tensor, columns: Tensor, weight: Tensor, x: Tensor) -> Tensor:
    """Sparse matrix times (n, ...)."""
    _silence_beta_warning()
    if max(len(columns), len(x)) <= _INT32:
        ptr, columns = ptr.int(), columns.int()
    matrix = torch.sparse_csr_tensor(ptr, columns, weight, (len(ptr) - 1, len(x)))
    return (matrix @ _rows(x)).reshape(len(ptr) - 1, *x.shape[1:])


def _layout(values: Tensor, segments: Graph | Tensor) -> tuple[Tensor, Tensor]:
    """Start of every segment, and the segment of every entry."""
    if isinstance(segments, Graph):
        ptr, index = segments.ptr, segments.target
    else:
        ptr = segments
        index = torch.repeat_interleave(torch.arange(len(ptr) - 1, device=ptr.device), ptr.diff(), output_size=len(values))
    if len(values) != len(index):
        raise ShapeError(f"{len(values)} values for {len(index)} edges", where="values", remedy="give one value per edge, in the order of the graph")
    return ptr, index


def _differentiated(x: Tensor) -> bool:
    """Whether autograd will ask for a gradient by ``x``."""
    return torch.is_grad_enabled() and x.requires_grad


def _rows(x: Tensor) -> Tensor:
    """(n, ...) as (n, c), also where c is 0."""
    return x.flatten(1) if x.ndim > 1 else x[:, None]


def _wide(values: Tensor) -> Tensor:
    """Half precision as float32: a sum of many small terms would stop growing."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def _choose(backend: Backend, values: Tensor) -> str:
    """The back end that does the work."""
    if backend == "auto":
        if values.is_cuda:
            return "scatter" if _import_torch_scatter() is not None else "torch"
        return "csr" if values.device.type == "cpu" and values.is_floating_point() else "torch"
    if backend == "scatter":
        _torch_scatter()
    elif backend not in ("torch", "csr"):
        raise ConfigurationError(f"unknown back end '{backend}'", where="backend", remedy="use 'auto', 'torch', 'csr' or 'scatter'")
    return backend


@cache
def _import_torch_scatter() -> ModuleType | None:
    try:
        import torch_scatter  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError):  # OSError: built for another version of torch
        return None
    return torch_scatter


def _torch_scatter() -> ModuleType:
    module = _import_torch_scatter()
    if module is None:
        raise MissingDependencyError(
            "torch-scatter is not importable", where="backend='scatter'", remedy="install the extra: pip install --no-build-isolation geoop[scatter]"
        )
    return module


@cache
def _silence_beta_warning() -> None:
    """torch announces once per process that sparse rows are in beta; a library does not pass that on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zero = torch.zeros(1, dtype=torch.int64)
        torch.sparse_csr_tensor(torch.tensor([0, 1]), zero, torch.ones(1), (1, 1))
