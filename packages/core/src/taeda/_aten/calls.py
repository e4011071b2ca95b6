"""Which of PyTorch's operators a call of a function is made of: what modes below autograd are told (utils/_python_dispatch).

``make`` makes a call by operators, ``aten.addmm.default`` and kin, each of which asks the mode.  A linear layer becomes a transpose and a
product, a softmax ``_softmax``; what stands in no table is told by its own name, with the overload of its kinds of arguments.  Where a
derivative is an operator of its own (products, convolutions, norms, pools ...), the call is a node of ``nodes``; all other nodes'
derivatives are told by what they happen to call.  Source: what PyTorch 2.13 dispatches for the same calls.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import taeda
from taeda._aten.classes import plain_like, written_by_index
from taeda._aten.composites import MADE as COMPOSITES
from taeda._aten.layers import MADE as LAYERS
from taeda._aten.nodes import (
    Told,
    addmm_rule,
    asking,
    aten,
    batch_norm_rule,
    bmm_rule,
    convolution_rule,
    kept,
    layer_norm_rule,
    mm_rule,
    nll_rule,
    node,
    pool_rule,
    softmax_rule,
    up_to_defaults,
)
from taeda._aten.operators import OpOverloadPacket, aten as plain_aten
from taeda._aten.overloads import overload_of, placed
from taeda._aten.views import MADE as VIEWS
from taeda._override import has_torch_function, is_casting
from taeda.stand_ins import is_wrapper_tensor
from taeda.tensor import Tensor

__all__ = ["make"]

# -- calls made of several operators, or of one with other arguments --------------------------------------
# Each gets the function's arguments by its own names, defaults included; NotImplemented: told by its own name after all.


def _reshaped(x: Tensor, shape: Sequence[int]) -> Any:
    """A view of x in another shape, of a copy where there is none."""
    try:
        plain_like(x).view(shape)
    except RuntimeError:
        return aten._unsafe_view.default(aten.clone.default(x, memory_format=taeda.contiguous_format), list(shape))
    return aten.view.default(x, list(shape))


def _linear(a: Any) -> Any:
    x, weight, bias = a.input, a.weight, a.bias
    if weight.ndim != 2 or x.ndim < 1:
        return NotImplemented
    if bias is None and x.ndim == 1:
        turned = aten.t.default(weight)
        return aten.squeeze.dim(node(aten.mm.default, mm_rule, aten.unsqueeze.default(x, 0), turned), 0)
    if bias is None:
        return _matmul(SimpleNamespace(input=x, other=aten.t.default(weight)))
    if bias.shape != weight.shape[:1]:  # one that broadcasts
        return NotImplemented
    flat = x if x.ndim == 2 else _reshaped(x, [math.prod(x.shape[:-1]), x.shape[-1]])
    turned = aten.t.default(weight)
    y = node(aten.addmm.default, addmm_rule, bias, flat, turned)
    return y if x.ndim == 2 else aten.view.default(y, [*x.shape[:-1], weight.shape[0]])


def _matmul(a: Any) -> Any:
    x, y = a.input, a.other
    if x.ndim == 2 and y.ndim == 2:
        return node(aten.mm.default, mm_rule, x, y)
    if x.ndim > 2 and y.ndim == 2:
        flat = _reshaped(x, [math.prod(x.shape[:-1]), x.shape[-1]])
        return aten._unsafe_view.default(node(aten.mm.default, mm_rule, flat, y), [*x.shape[:-1], y.shape[1]])
    if y.ndim == 1 and x.ndim in (1, 2):
        return aten.mv.default(x, y) if x.ndim == 2 else aten.dot.default(x, y)
    if min(x.ndim, y.ndim) < 2:
        return NotImplemented
    batch = list(taeda.broadcast_shapes(x.shape[:-2], y.shape[:-2]))
    flat = [_reshaped(aten.expand.default(t, [*batch, *t.shape[-2:]]), [math.prod(batch), *t.shape[-2:]]) for t in (x, y)]
    return aten._unsafe_view.default(node(aten.bmm.default, bmm_rule, *flat), [*batch, x.shape[-2], y.shape[-1]])


def _addmm(a: Any) -> Any:
    plain = a.input.ndim == 1 and getattr(a, "beta", 1) == 1 and getattr(a, "alpha", 1) == 1
    fits = plain and a.input.shape[0] == a.mat2.shape[1]
    return node(aten.addmm.default, addmm_rule, a.input, a.mat1, a.mat2) if fits else NotImplemented


def _several(n: int, x: Any) -> list[int]:
    return [x] * n if isinstance(x, int) else list(x)


def _conv(n: int) -> Callable[[Any], Any]:
    def make(a: Any) -> Any:
        if isinstance(a.padding, str) or a.input.ndim not in (n + 1, n + 2):
            return NotImplemented
        if a.input.ndim == n + 1:
            return aten.squeeze.dim(make(SimpleNamespace(**{**vars(a), "input": aten.unsqueeze.default(a.input, 0)})), 0)
        return node(
            aten.convolution.default,
            convolution_rule,
            a.input,
            a.weight,
            a.bias,
            *(_several(n, s) for s in (a.stride, a.padding, a.dilation)),
            False,
            [0] * n,
            a.groups,
        )

    return make


def _conv_transpose(n: int) -> Callable[[Any], Any]:
    def make(a: Any) -> Any:
        if a.input.ndim == n + 1:
            return aten.squeeze.dim(make(SimpleNamespace(**{**vars(a), "input": aten.unsqueeze.default(a.input, 0)})), 0)
        if a.input.ndim != n + 2:
            return NotImplemented
        stride, padding, output_padding, dilation = (_several(n, s) for s in (a.stride, a.padding, a.output_padding, a.dilation))
        return node(
            aten.convolution.default, convolution_rule, a.input, a.weight, a.bias, stride, padding, dilation, True, output_padding, a.groups
        )

    return make


def _softmax_of(name: str, backward: str) -> Callable[[Any], Any]:
    def make(a: Any) -> Any:
        x = a.input if a.dtype is None or a.dtype == a.input.dtype else aten._to_copy.default(a.input, dtype=a.dtype)
        return node(getattr(aten, name).default, softmax_rule(backward), x, a.dim, False)

    return make


_softmax = _softmax_of("_softmax", "_softmax_backward_data")
_log_softmax = _softmax_of("_log_softmax", "_log_softmax_backward_data")
_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


def _nll_loss(a: Any) -> Any:
    if a.input.ndim > 2:
        return NotImplemented
    return node(aten.nll_loss_forward.default, nll_rule, a.input, a.target, a.weight, _REDUCTIONS[a.reduction], a.ignore_index)[0]


def _cross_entropy(a: Any) -> Any:
    if a.input.ndim > 2 or a.label_smoothing or a.target.is_floating_point():
        return NotImplemented
    return _nll_loss(
        SimpleNamespace(**{**vars(a), "input": _log_softmax(SimpleNamespace(input=a.input, dim=a.input.ndim - 1, dtype=None))})
    )


def _layer_norm(a: Any) -> Any:
    return node(aten.native_layer_norm.default, layer_norm_rule, a.input, list(a.normalized_shape), a.weight, a.bias, a.eps)[0]


def _batch_norm(a: Any) -> Any:
    buffers, options = (a.running_mean, a.running_var), (a.training, a.momentum, a.eps)
    if not a.training:
        return node(aten.native_batch_norm.default, batch_norm_rule, a.input, a.weight, a.bias, *buffers, *options)[0]

    # the buffers change with every call, and no derivative reads them: they are not saved
    def op(x: Tensor, weight: Any, bias: Any) -> Any:
        return aten.native_batch_norm.default(x, weight, bias, *buffers, *options)

    @kept(1, 2)
    def rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
        return batch_norm_rule(wants, g, (*args, *buffers, *options), results)[:3]

    return node(op, rule, a.input, a.weight, a.bias)[0]


def _max_pool2d(a: Any) -> Any:
    if getattr(a, "return_indices", False):
        return NotImplemented
    kernel, padding, dilation = (_several(2, s) for s in (a.kernel_size, a.padding, a.dilation))
    stride = kernel if a.stride is None else _several(2, a.stride)
    more = up_to_defaults([padding, dilation, a.ceil_mode], ([0, 0], [1, 1], False))
    return node(aten.max_pool2d_with_indices.default, pool_rule, a.input, kernel, stride, *more)[0]


def _dropout(a: Any) -> Any:
    if not a.training or a.p == 0:
        return a.input
    if a.inplace or not 0 < a.p < 1:
        return NotImplemented
    keep = 1 - a.p
    noise = aten.div_.Scalar(aten.bernoulli_.float(aten.empty_like.default(a.input), *([keep] if keep != 0.5 else [])), keep)
    return aten.mul.Tensor(a.input, noise)


def _attention(a: Any) -> Any:
    if a.query.ndim == a.key.ndim == a.value.ndim == 3:
        given = {k: x if x is None or x.ndim < 3 else aten.unsqueeze.default(x, 1)
                 for k, x in (("query", a.query), ("key", a.key), ("value", a.value), ("attn_mask", a.attn_mask))}
        y = _attention(SimpleNamespace(**{**vars(a), **given}))
        return y if y is NotImplemented else aten.squeeze.dim(y, 1)
    if a.enable_gqa or a.dropout_p or a.query.ndim != 4 or (a.attn_mask is not None and a.attn_mask.requires_grad):
        return NotImplemented
    options = {name: x for name, x in (("attn_mask", a.attn_mask), ("scale", a.scale)) if x is not None}

    @kept(0, 1)
    def rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
        found = aten._scaled_dot_product_flash_attention_for_cpu_backward.default(
            g, *args[:3], results[0], results[1], 0.0, a.is_causal, **{"attn_mask": None, **options}
        )
        return (*found, *[None] * (len(args) - 3))

    op = aten._scaled_dot_product_flash_attention_for_cpu.default
    return node(functools.partial(op, **options), rule, a.query, a.key, a.value, *([0.0, True] if a.is_causal else []))[0]


def _by_output(name: str, backward: str, *more: Any) -> Callable[[Any], Any]:
    rule = kept(0)(lambda wants, g, args, results: (getattr(aten, backward).default(g, results[0], *more),))
    return lambda a: node(getattr(aten, name).default, rule, a.input)


def _gelu(a: Any) -> Any:
    options = {} if a.approximate == "none" else {"approximate": a.approximate}
    op = aten.gelu.default if not options else functools.partial(aten.gelu.default, **options)
    return node(op, lambda wants, g, args, results: (aten.gelu_backward.default(g, args[0], **options),), a.input)


def _silu(a: Any) -> Any:
    return node(aten.silu.default, lambda wants, g, args, results: (aten.silu_backward.default(g, args[0]),), a.input)


def _mse_loss(a: Any) -> Any:
    if a.input.shape != a.target.shape or getattr(a, "weight", None) is not None:
        return NotImplemented
    more = [] if a.reduction == "mean" else [_REDUCTIONS[a.reduction]]

    def rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
        reduction = _REDUCTIONS[a.reduction]
        return (
            aten.mse_loss_backward.default(g, args[0], args[1], reduction) if wants[0] else None,
            aten.mse_loss_backward.default(g, args[1], args[0], reduction) if wants[1] else None,
            *[None] * len(more),
        )

    return node(aten.mse_loss.default, rule, a.input, a.target, *more)


def _embedding(a: Any) -> Any:
    if a.sparse or not hasattr(a, "input"):  # taeda.embedding itself
        return NotImplemented
    padding = -1 if a.padding_idx is None else a.padding_idx % a.weight.shape[0]
    more = up_to_defaults([padding, a.scale_grad_by_freq], (-1, False))

    def rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
        g = aten.embedding_dense_backward.default(g, args[1], args[0].shape[0], padding, a.scale_grad_by_freq)
        return (g, *[None] * (1 + len(more)))

    return node(aten.embedding.default, rule, a.weight, a.input, *more)


def _to(a: Any) -> Any:
    old = a.input
    if is_wrapper_tensor(old):          # what would become of such a tensor
        old = taeda.empty([1] * old.ndim, dtype=old.dtype, device=old.device)
    like = old.to(
        *a.args, dtype=a.dtype, device=a.device, memory_format=a.memory_format, **({} if a.other is None else {"other": a.other})
    )
    if like is old and not a.copy:
        return a.input
    options = {k: v for k, v, now in (("dtype", like.dtype, a.input.dtype), ("device", like.device, a.input.device)) if v != now}
    if a.memory_format is not taeda.preserve_format:
        options["memory_format"] = a.memory_format
    return aten._to_copy.default(a.input, **options)


def _sizes(given: Any) -> list[int]:
    return list(given[0]) if len(given) == 1 and not isinstance(given[0], int) else list(given)


def _reshape(a: Any) -> Any:
    return _reshaped(a.input, list(plain_like(a.input).reshape(_sizes(a.sizes) if a.shape is None else a.shape).shape))


def _chunk(a: Any) -> Any:
    size = a.input.shape[a.dim] if a.input.ndim else 0
    return aten.split.Tensor(a.input, -(-size // a.chunks), *([a.dim] if a.dim else [])) if size and a.chunks > 0 else NotImplemented


def _unflatten(a: Any) -> Any:
    return aten.view.default(a.input, list(plain_like(a.input).unflatten(a.dim, a.sizes).shape))


def _flatten(a: Any) -> Any:
    shape = list(plain_like(a.input).flatten(a.start_dim, a.end_dim).shape)
    return a.input if shape == list(a.input.shape) else _reshaped(a.input, shape)


def _parts(x: Tensor, index: Any) -> tuple[list[Any], list[Any]] | None:
    """The views that an index takes, and the list of tensors, or None for a whole dimension, that points into the last one."""
    steps: list[Any] = []
    indices: list[Any] = []
    parts = [taeda.tensor(p) if isinstance(p, list) else p for p in (index if isinstance(index, tuple) else (index,))]
    taken = [p.ndim if isinstance(p, Tensor) and p.dtype in (taeda.bool, taeda.uint8) else int(p is not None and p is not Ellipsis)
             for p in parts]
    dim = at = 0                                        # of the view, and of x
    for p, many in zip(parts, taken, strict=True):
        if p is Ellipsis:
            many = x.ndim - sum(taken)
            dim, at, indices = dim + many, at + many, indices + [None] * many
        elif p is None:
            steps.append(("unsqueeze", "default", (dim,)))
            dim, indices = dim + 1, [*indices, None]
        elif isinstance(p, slice):
            if p != slice(None):
                start, _, step = p.indices(x.shape[at])
                stop = sys.maxsize if p.stop is None else p.stop
                steps.append(("slice", "Tensor", (dim, start, stop, step) if step != 1 else (dim, start, stop)))
            dim, at, indices = dim + 1, at + 1, [*indices, None]
        elif isinstance(p, Tensor) and p.ndim:
            dim, at, indices = dim + many, at + many, [*indices, p]
        elif isinstance(p, bool) or not isinstance(p, (int, Tensor)) or many == 0:
            return None
        else:
            steps.append(("select", "int", (dim, int(p))))
            at += 1
    return steps, indices if any(i is not None for i in indices) else []


def _viewed(x: Tensor, steps: list[Any]) -> Tensor:
    for name, overload, args in steps:
        x = getattr(getattr(aten, name), overload)(x, *args)
    return x


def _getitem(x: Tensor, index: Any) -> Any:
    """One operator for each part of an index that is a view, ``index`` for all tensors together; ``alias`` where none is needed."""
    found = _parts(x, index)
    if found is None:
        return NotImplemented
    steps, indices = found
    viewed = _viewed(x, steps)
    if indices:
        return aten.index.Tensor(viewed, indices)
    return viewed if steps else aten.alias.default(x)


def _setitem(x: Tensor, index: Any, value: Any) -> Any:
    if not isinstance(value, (Tensor, int, float, complex)):
        return NotImplemented
    found = _parts(x, index)
    if found is None:
        return NotImplemented
    steps, indices = found
    given = value

    def write() -> None:
        place, value = _viewed(x, steps), given
        if indices:
            held = value if isinstance(value, Tensor) else taeda.tensor(value, dtype=x.dtype, device=x.device)
            aten.index_put_.default(place, indices, held)
        elif isinstance(value, Tensor):
            while value.ndim > place.ndim and value.shape[0] == 1:
                value = aten.squeeze.dim(value, 0)
            aten.copy_.default(aten.alias.default(place) if place is x else place, value)
        else:
            aten.fill_.Scalar(aten.alias.default(place) if place is x else place, value)

    if is_wrapper_tensor(x) and taeda.is_grad_enabled() and (x.requires_grad or (isinstance(value, Tensor) and value.requires_grad)):
        written_by_index(x, steps, indices, value, write)
    else:
        write()
    return None


def _where(a: Any) -> Any:
    x, y = a.input, a.other
    if x is None and y is None:
        c = a.condition
        return aten.unbind.int(aten.nonzero.default(c if c.ndim else aten.unsqueeze.default(c, 0)), 1)
    return aten.where.self(a.condition, x, y) if isinstance(x, Tensor) and isinstance(y, Tensor) else NotImplemented


def _pad(a: Any) -> Any:
    if a.mode == "constant":
        return aten.constant_pad_nd.default(a.input, list(a.pad), 0.0 if a.value is None else a.value)
    kind = {"reflect": "reflection", "replicate": "replication"}.get(a.mode)
    return NotImplemented if kind is None else getattr(aten, f"{kind}_pad{len(a.pad) // 2}d").default(a.input, list(a.pad))


def _norm(a: Any) -> Any:
    p = 2 if a.p is None or a.p == "fro" else a.p
    dim, keepdim = (a.dim if a.axis is None else a.axis), bool(a.keepdim or a.keepdims)
    if isinstance(p, str) or isinstance(dim, Tensor):
        return NotImplemented
    more = up_to_defaults([p, [dim] if isinstance(dim, int) else dim, keepdim], (2, None, False))
    return aten.linalg_vector_norm.default(a.input, *more, **({} if a.dtype is None else {"dtype": a.dtype}))


_MADE: dict[str, Callable[[Any], Any]] = {
    **COMPOSITES,
    **LAYERS,
    **VIEWS,
    "_softmax": _softmax,
    "addmm": _addmm,
    "batch_norm": _batch_norm,
    "bmm": lambda a: node(aten.bmm.default, bmm_rule, a.input, a.mat2),
    "conv1d": _conv(1),
    "conv2d": _conv(2),
    "conv3d": _conv(3),
    "conv_transpose1d": _conv_transpose(1),
    "conv_transpose2d": _conv_transpose(2),
    "conv_transpose3d": _conv_transpose(3),
    "chunk": _chunk,
    "unflatten": _unflatten,
    "contiguous": lambda a: a.input if a.input.is_contiguous() else aten.clone.default(a.input, memory_format=taeda.contiguous_format),
    "cross_entropy": _cross_entropy,
    "dropout": _dropout,
    "embedding": _embedding,
    "flatten": _flatten,
    "gelu": _gelu,
    "layer_norm": _layer_norm,
    "linear": _linear,
    "log_softmax": _log_softmax,
    "matmul": _matmul,
    "max_pool2d": _max_pool2d,
    "mm": lambda a: _matmul(SimpleNamespace(input=a.input, other=a.mat2)),
    "mse_loss": _mse_loss,
    "nll_loss": _nll_loss,
    "norm": _norm,
    "pad": _pad,
    "polygamma": lambda a: aten.polygamma.default(a.n, a.input),
    "ravel": lambda a: _flatten(SimpleNamespace(input=a.input, start_dim=0, end_dim=-1)),
    "reshape_as": lambda a: _reshaped(a.input, list(a.other.shape)),
    "relu": _by_output("relu", "threshold_backward", 0),
    "reshape": _reshape,
    "scaled_dot_product_attention": _attention,
    "sigmoid": _by_output("sigmoid", "sigmoid_backward"),
    "silu": _silu,
    "softmax": _softmax,
    "tanh": _by_output("tanh", "tanh_backward"),
    "to": _to,
    "where": _where,
}

# -- names and overloads of all others --------------------------------------------------------------------

_SIZED = frozenset((
    "view", "expand", "flip", "permute", "repeat", "zeros", "ones", "empty", "rand", "randn", "new_zeros", "new_ones", "new_empty",
))  # fmt: skip
_NAMES = {
    "norm": "linalg_vector_norm",
    "item": "_local_scalar_dense",
    "tensor": "lift_fresh",
    "type_as": "_to_copy",
    "concat": "cat",
    "concatenate": "cat",
}
# Other names of operators, which PyTorch tells by the first one
_ALIASES = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2",
    "arctanh": "atanh", "clip": "clamp", "divide": "div", "fix": "trunc", "greater": "gt", "greater_equal": "ge", "less": "lt",
    "less_equal": "le", "multiply": "mul", "negative": "neg", "not_equal": "ne", "subtract": "sub", "true_divide": "div",
}  # fmt: skip
_NAMES.update({name + end: first + end for name, first in _ALIASES.items() for end in ("", "_")})
_OVER_DIMS = ("amax", "amin", "logsumexp", "mean", "std", "std_mean", "sum", "var", "var_mean")
_OF_NUMBERS = ("tensor", "as_tensor", "asarray", "from_numpy", "new_tensor")
# What tells about a tensor, or is not an operator of PyTorch's
_SILENT_WORDS = """
dim element_size get_device is_complex is_contiguous is_floating_point numel register_hook requires_grad_ retain_grad size
storage_offset stride backward data_ptr is_same_size type cpu numpy tolist
"""
_SILENT = frozenset(_SILENT_WORDS.split())


_own: dict[Any, OpOverloadPacket] = {}  # of functions that have no operator of their name and arguments


def _inner(function: Any) -> Any:
    """Return what a function that classes may take over calls itself."""
    return getattr(function, "function", function)


def _packet(name: str, func: Callable[..., Any]) -> OpOverloadPacket:
    name = f"_{name}" if name.startswith("fused_") else _NAMES.get(name, name)
    found = getattr(plain_aten, name, None)
    if found is not None and (_inner(found._function) is _inner(func) or name in ("index_put", "index_put_")):   # which take None, too
        return found
    if func not in _own:
        _own[func] = OpOverloadPacket(name, func)
    return _own[func]


@functools.cache
def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def make(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], mode: Any) -> Any:
    """Make a call of a function of taeda by PyTorch's operators, of which the mode is told; without one, classes of arguments are."""
    name = func.__name__
    if mode is None:
        name = getattr(func.reported, "__name__", name)
        if name == "is_contiguous":
            return plain_like(args[0]).is_contiguous(*args[1:], **kwargs)
        if name == "new_tensor":        # of data, not of the tensor
            return taeda.tensor(*args[1:], **{"dtype": args[0].dtype, "device": args[0].device, **kwargs})
        if name == "einsum":            # by the products that it comes down to
            return func.function(*args, **kwargs)
    if name in _SILENT or (name.startswith("__") and name not in ("__getitem__", "__setitem__")):
        return func(*args, **kwargs) if mode is not None else _inner(func)(*args, **kwargs)
    with asking(mode):
        return _made(name, func, args, kwargs)


def _made(name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make the call by the operators that PyTorch makes it of, else by the one that has the function's name."""
    # autocast chooses by functions: under it they are told whole
    plain = kwargs.get("out") is None and not has_torch_function(args) and not is_casting()
    if name == "__getitem__":
        found = _getitem(*args) if plain else NotImplemented
        return Told(OpOverloadPacket("index", func).Tensor)(*args) if found is NotImplemented else found
    if name == "__setitem__":
        found = _setitem(*args) if plain else NotImplemented
        return Told(OpOverloadPacket("index_put_", func).default)(*args) if found is NotImplemented else found
    made = _MADE.get(name)
    signature = _signature(_inner(func))
    if made is not None and plain and signature is not None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        found = made(SimpleNamespace(**bound.arguments))
        if found is not NotImplemented:
            return found
    if name in _OF_NUMBERS and not any(isinstance(a, Tensor) for a in args[name == "new_tensor" :][:1]):
        return aten.lift_fresh.default(func(*args, **kwargs))
    given, kwargs = placed(name, signature, args, kwargs)
    word = {"max": "other", "min": "other", "scatter": "value", "scatter_": "value"}.get(name)
    if word in kwargs:                                  # an overload of its own
        given.append(kwargs.pop(word))
    args = tuple(given)
    if name in _SIZED:
        first = 0 if name in ("zeros", "ones", "empty", "rand", "randn") else 1
        if len(args) > first and isinstance(args[first], (int, tuple, list)):  # a view may be in another dtype
            args = (*args[:first], _sizes(args[first:]))
    elif name in _OVER_DIMS and len(args) > 1 and isinstance(args[1], int) and not isinstance(args[1], bool):
        args = (args[0], [args[1]], *args[2:])
    elif name == "roll":
        args = (args[0], *([x] if isinstance(x, int) else list(x) for x in args[1:]))
    elif name in ("max", "min") and len(args) > 1 and isinstance(args[1], Tensor) and plain:
        return (aten.maximum if name == "max" else aten.minimum).default(*args)
    elif name == "split" and len(args) > 1 and isinstance(args[1], (list, tuple)) and plain:
        return aten.split_with_sizes.default(args[0], list(args[1]), *args[2:], **kwargs)
    packet = _packet(name, func)
    return Told(getattr(packet, overload_of(packet.__name__, args, kwargs)))(*args, **kwargs)
