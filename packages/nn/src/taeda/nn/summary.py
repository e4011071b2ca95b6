"""A table of a model's layers: output shapes, parameters, multiply-adds, memory.

The model is run on the meta device, where tensors have shapes and no data: nothing is computed and no weight
is copied.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import taeda
from taeda import Tensor
from taeda.nn.modules.attention import MultiheadAttention
from taeda.nn.modules.conv import _ConvNd
from taeda.nn.modules.linear import Bilinear, Linear
from taeda.nn.modules.module import Module
from taeda.nn.modules.rnn import RNNBase, RNNCellBase
from taeda.nn.parameter import Parameter, is_lazy
from taeda.nn.utils.parametrize import is_parametrized, type_before_parametrizations

__all__ = ["Summary", "summary"]


class Row(NamedTuple):
    """One call of one layer."""

    name: str
    layer: str
    output: Any  # shape, or a tuple of shapes
    parameters: int
    multiply_adds: int
    bytes: int  # of the output


class Summary:
    """What ``summary`` returns: ``rows`` and the totals; ``str`` gives the table."""

    def __init__(self, rows: list[Row], parameters: int, trainable: int, parameter_bytes: int) -> None:
        self.rows = rows
        self.total_parameters = parameters
        self.trainable_parameters = trainable
        self.parameter_bytes = parameter_bytes
        self.total_multiply_adds = sum(r.multiply_adds for r in rows)
        self.output_bytes = sum(r.bytes for r in rows)

    def __str__(self) -> str:
        head = ("layer", "output", "parameters", "multiply-adds")
        body = [
            (f"{r.name} ({r.layer})" if r.name else r.layer, str(r.output), f"{r.parameters:,}", f"{r.multiply_adds:,}")
            for r in self.rows
        ]
        widths = [max(len(line[i]) for line in [head, *body]) for i in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
            for a, b, c, d in [head, *body]
        ]
        rule = "-" * max(len(line) for line in lines)
        lines[1:1] = [rule]
        frozen = self.total_parameters - self.trainable_parameters
        lines += [
            rule,
            f"parameters: {self.total_parameters:,} ({self.trainable_parameters:,} trainable, {frozen:,} not)",
            f"multiply-adds: {self.total_multiply_adds:,}",
            f"memory: parameters {_size(self.parameter_bytes)}, outputs {_size(self.output_bytes)}",
        ]
        return "\n".join(lines)

    __repr__ = __str__


def _size(n: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.2f} {unit}"
        n /= 1024
    raise AssertionError


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, (list, tuple)) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        return [t for v in value for t in _tensors(v)]
    return []


def _multiply_adds(module: Module, args: tuple[Any, ...], output: Tensor) -> int:
    """Count the multiplications of a layer with weights; 0 for the others."""
    if isinstance(module, Linear):
        return output.numel() * module.in_features
    if isinstance(module, Bilinear):
        return output.numel() * module.in1_features * module.in2_features
    if isinstance(module, _ConvNd):
        if module.transposed:  # each input element meets each weight of its channel
            return int(args[0].numel() * module.weight.numel() // module.weight.shape[0])
        return output.numel() * (module.in_channels // module.groups) * math.prod(module.kernel_size)
    if isinstance(module, (RNNBase, RNNCellBase)):  # each row of each step meets every weight
        return output.numel() // output.shape[-1] * sum(p.numel() for p in module.parameters() if p.dim() == 2)
    if isinstance(module, MultiheadAttention):
        return _of_attention(module, *args[:3]) if len(args) > 2 else 0
    return 0


def _of_attention(module: MultiheadAttention, query: Tensor, key: Tensor, value: Tensor) -> int:
    """Count the four projections, the scores and the weighted values."""
    width = module.embed_dim
    keys = key.shape[1 if module.batch_first and key.ndim == 3 else 0]
    projections = 2 * query.numel() + key.numel() + value.numel()
    return int(width * projections + 2 * query.numel() * keys)


def _on_meta(model: Module) -> Module:
    """Copy the model's structure; its parameters and buffers become shapes only."""
    memo: dict[int, Any] = {}
    made: Any
    # Tensors that are plain attributes too: those of older weight norms and prunings are results and refuse a copy.
    plain = (v for m in model.modules() for v in vars(m).values() if isinstance(v, Tensor))
    for t in (*model.parameters(), *model.buffers(), *plain):
        if id(t) in memo:
            continue
        if is_lazy(t):
            made = copy.deepcopy(t)
            made.data = made.data.to("meta")
        elif isinstance(t, Parameter):
            # All of them want a gradient, so that no layer takes a way past its children.
            made = Parameter(taeda.empty_like(t.detach(), device="meta"), t.is_floating_point() or t.is_complex())
        else:
            made = taeda.empty_like(t.detach(), device="meta")
        memo[id(t)] = made
    return copy.deepcopy(model, memo)


def _layers(model: Module) -> list[tuple[str, Module, list[Parameter]]]:
    """Return what gets a row: name, module and the parameters that are its own, parametrised ones included."""
    found: list[tuple[str, Module, list[Parameter]]] = []
    inside: tuple[str, ...] = ()  # parts of parametrised layers, which are called when the weight is read
    for name, module in model.named_modules():
        if name.startswith(inside or "\0"):
            continue
        own = list(module.parameters(recurse=False))
        if is_parametrized(module):
            part = module.get_submodule("parametrizations")
            own += part.parameters()
            inside += (f"{name}.parametrizations" if name else "parametrizations",)
        if isinstance(module, MultiheadAttention):  # it uses the weights of its child itself
            own = list(module.parameters())
        if own or not any(True for _ in module.children()):
            found.append((name, module, own))
    return found


def _record(rows: list[Row], seen: set[int], name: str, own: list[Parameter], module: Module, args: Any, output: Any) -> None:
    """Add the row of a call: a forward hook, once all but its last three arguments are given."""
    outs = _tensors(output)
    shapes = [tuple(t.shape) for t in outs]
    count = sum(p.numel() for p in own if id(p) not in seen)  # shared weights count once
    seen.update(id(p) for p in own)
    multiply_adds = _multiply_adds(module, args, outs[0]) if outs else 0
    size = sum(t.numel() * t.element_size() for t in outs)
    shape: Any = shapes[0] if len(shapes) == 1 else tuple(shapes)
    rows.append(Row(name, type_before_parametrizations(module).__name__, shape, count, multiply_adds, size))


def summary(model: Module, input_size: Sequence[Any] | None = None, *, dtypes: Sequence[Any] | None = None) -> Summary:
    """Return a table of the layers that a forward of ``model`` calls, in order.

    Args:
        model: any module.
        input_size: shape of the input, the batch included, or a list of shapes for several inputs.
        dtypes: of the inputs (float32; int64 for indices).

    Raises:
        whatever the model's forward raises for inputs of these shapes.

    >>> from taeda import nn
    >>> print(nn.summary(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), (3, 2, 2)))
    layer        output  parameters  multiply-adds
    ----------------------------------------------
    0 (Flatten)  (3, 4)           0              0
    1 (Linear)   (3, 2)          10             24
    ----------------------------------------------
    parameters: 10 (10 trainable, 0 not)
    multiply-adds: 24
    memory: parameters 40 B, outputs 72 B
    """
    if input_size is None:
        raise TypeError("[summary] input_size is needed: the shape of the input, the batch included")
    sizes = [tuple(input_size)] if all(isinstance(n, int) for n in input_size) else [tuple(s) for s in input_size]
    kinds = list(dtypes) if dtypes is not None else [None] * len(sizes)
    inputs = [taeda.empty(s, device="meta", dtype=d) for s, d in zip(sizes, kinds, strict=True)]
    meta = _on_meta(model)
    rows: list[Row] = []
    seen: set[int] = set()
    handles = []
    for name, module, own in _layers(meta):
        handles.append(module.register_forward_hook(partial(_record, rows, seen, name, own)))
    try:
        with taeda.enable_grad():
            meta(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    params = list(meta.parameters())  # the same, with the shapes that lazy ones have got
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    return Summary(
        rows,
        sum(p.numel() for p in params),
        sum(p.numel() for name, p in meta.named_parameters() if name not in frozen),
        sum(p.numel() * p.element_size() for p in params),
    )
