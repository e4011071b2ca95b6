"""``taeda.ops.aten``: PyTorch's operators by their internal names, ``aten.add.Tensor(x, y)``, as far as taeda has them.

Nothing is dispatched by overload here: a packet finds the one function of its name, and each of its overloads calls that.  The names
are those of the top level, of tensors' methods and of ``taeda.ops``, in this order; a few that only PyTorch's compiler meets are below.
"""

from __future__ import annotations

import functools
import importlib
import math
import sys
from collections.abc import Callable
from numbers import Number
from typing import Any, Self

import taeda
from taeda import _above, ops
from taeda._aten.backward import BACKWARD
from taeda._override import dispatched_args, mode_stack
from taeda._override_protocol import replace_modes
from taeda.dtype import int64
from taeda.operands import wrapped_dim
from taeda.tensor import Tensor

__all__ = ["OpOverload", "OpOverloadPacket", "aten"]

# Names of overloads: what stands after the second dot tells the kinds of arguments, which the functions find out for themselves.
_KINDS = """
default out Tensor Tensor_out Tensor_mode Tensor_Tensor Tensor_Scalar Tensor_out_mode Scalar Scalar_out Scalar_Tensor Scalar_mode
ScalarSelf self dim dim_IntList dim_out dims dim_max dim_min IntList IntList_out int int_out str vec other value values source start
start_step start_out step correction correction_out names p p_out sizes size array memory_format device dtype grid Dimname
dim_self unbiased indices sections n mode reduce value_reduce two vector min max names_out float_out low low_dtype low_out
float src dim_int decimals int_Scalar int_Tensor
ScalarOpt_dim ScalarOpt_dim_dtype ScalarOpt_dtype dim_values stable descending ord ord_str Int Int_out functional other_dtype
"""
_OVERLOADS = frozenset(_KINDS.split())
# What takes numbers of a generator and writes to no argument: graphs keep such calls, so that those after them draw the same.
_DRAWING = frozenset((
    "alpha_dropout", "bernoulli", "binomial", "dropout", "feature_alpha_dropout", "feature_dropout", "multinomial", "native_dropout",
    "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "rrelu", "rrelu_with_noise",
))


def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    if x.ndim == 0:
        raise RuntimeError("[slice] slice() cannot be applied to a 0-dim tensor.")
    return x[(slice(None),) * wrapped_dim("slice", dim, x.ndim) + (slice(start, end, step),)]


def _softmax(name: str) -> Callable[..., Any]:
    def call(x: Any, dim: int, half_to_float: bool = False) -> Any:
        return getattr(ops, name)(x, dim, dtype=taeda.float32 if half_to_float else None)

    return call


def _index(x: Any, indices: Any) -> Any:
    return x[tuple(slice(None) if i is None else i for i in indices)]


def _in_front(x: Any, indices: Any, values: Any) -> tuple[list[int], Any, Any]:
    """For a list of index tensors with None in it: x's dimensions with those that they point into first, the tensors, and the values so."""
    given = tuple(i for i in indices if i is not None)
    pointed: list[int] = []
    at = 0
    for i in indices:
        many = i.ndim if i is not None and i.dtype in (taeda.bool, taeda.uint8) else 1
        if i is not None:
            pointed.extend(range(at, at + many))
        at += many
    before = next((k for k, i in enumerate(indices) if i is not None), 0)
    if before and all(i is not None for i in indices[before : before + len(given)]):        # side by side: their results stand there, too
        width = max(1 if i.dtype in (taeda.bool, taeda.uint8) else i.ndim for i in given)
        values = values.expand(_index(x.detach(), indices).shape).movedim(tuple(range(before, before + width)), tuple(range(width)))
    return [*pointed, *(d for d in range(x.ndim) if d not in pointed)], given, values


def _index_put_(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Write where the tensors of a list point; None in their place takes a dimension whole."""
    given: Any = tuple(indices)
    if all(i is not None for i in given):
        return ops.index_put_(x, given, values, accumulate)
    order, given, values = _in_front(x, indices, values)
    ops.index_put_(x.permute(order), given, values, accumulate)
    return x


def _index_put(x: Any, indices: Any, values: Any, accumulate: bool = False, put: Any = ops.index_put) -> Any:
    given: Any = tuple(indices)
    if all(i is not None for i in given):
        return put(x, given, values, accumulate)
    order, given, values = _in_front(x, indices, values)
    return put(x.permute(order), given, values, accumulate).permute([order.index(d) for d in range(x.ndim)])


def _pad(mode: str, pad: Any = ops.pad) -> Any:
    return lambda x, padding: pad(x, padding, mode)


_PADS = (("reflection", "reflect"), ("replication", "replicate"))


def _safe_softmax(x: Any, dim: int, dtype: Any = None) -> Any:
    """The softmax along a dimension; 0 where all is -inf."""
    nothing = (x == -math.inf).all(dim, keepdim=True)
    return ops.softmax(x.masked_fill(nothing, 0), dim, dtype=dtype).masked_fill(nothing, 0)      # 0 has no part in the derivative


def _softmax_backward(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    """The cotangent of what softmax made the output of."""
    return (output * (grad_output - (grad_output * output).sum(dim, keepdim=True))).to(input_dtype)


def _log_softmax_backward(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    """The cotangent of what log_softmax made the output of."""
    return (grad_output - output.exp() * grad_output.sum(dim, keepdim=True)).to(input_dtype)


def _sparse_addmm(x: Any, a: Any, b: Any, **options: Any) -> Any:
    return importlib.import_module("taeda.sparse").addmm(x, a, b, **options)


def _sparse_mm_reduce(a: Any, b: Any, reduce: str) -> Any:
    """The product and, in PyTorch, where largest terms came from, which only its derivative reads."""
    return importlib.import_module("taeda.sparse").mm(a, b, reduce), b.new_empty(0, dtype=int64)


def _nll_loss_forward(x: Any, target: Any, weight: Any, reduction: int, ignore_index: int) -> Any:
    """The loss and the sum of the weights of what it counts."""
    loss = ops.nll_loss(x, target, weight, ignore_index=ignore_index, reduction=("none", "mean", "sum")[reduction])
    if reduction == 0:
        return loss, x.new_zeros(())
    counted = target[target != ignore_index]
    return loss, x.new_tensor(float(counted.numel())) if weight is None else weight.detach()[counted].sum()


def _max_pool2d_with_indices(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
                             ceil_mode: bool = False) -> Any:
    return ops.max_pool2d(x, kernel_size, stride or None, padding, dilation, ceil_mode, True)


def _mse_loss(x: Any, target: Any, reduction: int = 1) -> Any:
    return ops.mse_loss(x, target, reduction=("none", "mean", "sum")[reduction])


def _attention(query: Any, key: Any, value: Any, dropout_p: float = 0.0, is_causal: bool = False, attn_mask: Any = None,
               scale: float | None = None) -> Any:
    """The attention and, of each query, the logarithm of the sum of its weights."""
    found = ops.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale=scale)
    scores = query.detach() @ key.detach().transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(taeda.ones(scores.shape[-2:], dtype=taeda.bool).triu(1), -math.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == taeda.bool else scores + attn_mask
    return found, scores.logsumexp(-1)


def _resampled(mode: str) -> Callable[..., Any]:
    def call(x: Any, size: Any, *more: Any) -> Any:
        corners, scales = (None, more) if mode == "nearest" else (more[0] or None, more[1:])
        by: dict[str, Any] = {"size": tuple(size)} if not scales or scales[0] is None else {"scale_factor": tuple(scales)}
        return ops.interpolate(x, **by, mode=mode, align_corners=corners)

    return call


# What has no function of the same name and arguments
_OWN: dict[str, Callable[..., Any]] = {
    # the four last arguments choose between libraries of kernels
    "_convolution": lambda x, weight, bias, *options: ops.convolution(x, weight, bias, *options[:6]),
    "_local_scalar_dense": Tensor.item,
    "_log_softmax": _softmax("log_softmax"),
    "_log_softmax_backward_data": _log_softmax_backward,
    "_pin_memory": Tensor.pin_memory,
    "_safe_softmax": _safe_softmax,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_softmax": _softmax("softmax"),
    "_softmax_backward_data": _softmax_backward,
    "_sparse_addmm": _sparse_addmm,
    "_sparse_mm_reduce_impl": _sparse_mm_reduce,
    "_to_copy": lambda x, **options: x.to(**{"copy": True, **options}),
    "_unsafe_view": lambda x, size: x.view(size),
    "_adaptive_avg_pool2d": lambda x, size: ops.adaptive_avg_pool2d(x, size),
    "alias": lambda x: x.view_as(x),
    "index": _index,
    "index_put": _index_put,
    "index_put_": _index_put_,
    "is_same_size": lambda x, y: x.shape == y.shape,
    "lift_fresh": lambda x: x,
    "max_pool2d_with_indices": _max_pool2d_with_indices,
    "mse_loss": _mse_loss,
    "nll_loss_forward": _nll_loss_forward,
    "native_dropout_backward": lambda g, mask, scale: g * (mask * scale),
    **{f"{kind}_pad{n}d": _pad(mode) for kind, mode in _PADS for n in (1, 2, 3)},
    "scalar_tensor": lambda s, **options: ops.scalar_tensor_(s, **options),
    "sigmoid_backward": lambda g, y: g * (1 - y.conj()) * y.conj(),
    "slice": _slice,
    "sym_numel": Tensor.numel,
    "sym_size": Tensor.size,
    "sym_storage_offset": Tensor.storage_offset,
    "sym_stride": Tensor.stride,
    "tanh_backward": lambda g, y: g * (1 - y.conj() * y.conj()),
    "threshold_backward": lambda g, x, threshold: g.masked_fill(x <= threshold, 0),
    "upsample_bicubic2d": _resampled("bicubic"),
    "upsample_bilinear2d": _resampled("bilinear"),
    "upsample_linear1d": _resampled("linear"),
    "upsample_nearest1d": _resampled("nearest"),
    "upsample_nearest2d": _resampled("nearest"),
    "upsample_nearest3d": _resampled("nearest"),
    "upsample_trilinear3d": _resampled("trilinear"),
}


def _behind(function: Any) -> Any:
    return function.function


# What operators of these names run where the class is to see what they call: the functions behind those that are called above
INNER: dict[str, Callable[..., Any]] = {
    "index_put": functools.partial(_index_put, put=_behind(ops.index_put)),
    **{f"{kind}_pad{n}d": _pad(mode, _behind(ops.pad)) for kind, mode in _PADS for n in (1, 2, 3)},
}


def _is_operation(found: Any) -> bool:
    return callable(found) and not isinstance(found, type)


def find(name: str) -> Any:
    """Return the function of an operator's name, or None."""
    if name in _OWN:
        return _OWN[name]
    if name in BACKWARD:
        return BACKWARD[name]
    if name.startswith("__"):
        return None
    for place in (taeda, Tensor, ops):
        found = getattr(place, name, None)
        if _is_operation(found):
            return found
    if name.endswith("_with_indices"):                  # made by the package nn
        found = getattr(taeda.nn.functional, name, None)
        return found if _is_operation(found) else None
    for room in ("linalg", "special", "fft"):
        if name.startswith(f"{room}_"):
            found = getattr(getattr(taeda, room), name.removeprefix(f"{room}_"), None)
            return found if _is_operation(found) else None
    return None


def local_scalar(x: Any) -> Any:
    """Return the only element of a tensor whose class is told of operators."""
    found = aten._local_scalar_dense.default(x)
    if not isinstance(found, (Number, taeda.SymInt, taeda.SymFloat, taeda.SymBool)):
        raise RuntimeError(f"[item] Cannot cast {type(found).__name__} to number; the __torch_dispatch__ of {type(x).__name__} gave it")
    return found


def ask(op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Ask the classes of ``over`` what an operator gives; the room that knows is loaded when there is such a class."""
    return _above.ask_classes(op, over, args, kwargs)


def record(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the Proxy of an operator's call where ``taeda.fx`` traces and an argument is one, otherwise None."""
    fx: Any = sys.modules.get("taeda.fx._patching")
    proxy = None if fx is None else fx.find_proxy(args, kwargs)
    return None if proxy is None else proxy.tracer.create_proxy("call_function", op, args, kwargs)


class _Unique:
    """There is one object for a name: copies are it itself."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def __reduce__(self) -> Any:
        return _named, (str(self),)


def _named(path: str) -> Any:
    """Return the operator, or the overload, that a pickle names."""
    return functools.reduce(getattr, path.split("."), taeda.ops)


class OpOverload(_Unique):
    """One overload of an operator: calls the function of the operator's name."""

    def __init__(self, packet: OpOverloadPacket, overload: str) -> None:
        self.overloadpacket, self._overload = packet, overload
        self.__name__ = f"{packet.__name__}.{overload}"
        self.namespace = packet.namespace
        self._opname, self._overloadname = packet.__name__, overload

    @property
    def _writes(self) -> bool:
        """Whether a call changes an argument."""
        return self._overload.endswith("out") or self.overloadpacket._writes

    @property
    def _nondeterministic_seeded(self) -> bool:
        return self.overloadpacket._nondeterministic_seeded

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        recorded = record(self, args, kwargs)
        if recorded is not None:
            return recorded
        modes = mode_stack()
        mode: Any = modes[-1] if modes else None
        if hasattr(mode, "__torch_dispatch__"):         # one that sees operators, and is not asked again inside
            over = dispatched_args(args, kwargs)
            were = replace_modes(modes[:-1])
            try:
                found = mode.__torch_dispatch__(self, tuple(type(x) for x in over), args, kwargs)
            finally:
                replace_modes(were)
            if found is not NotImplemented:             # no outer mode is asked instead
                return found
            if over:
                return ask(self, over, args, kwargs)
            raise TypeError(f"[{self}] Multiple dispatch failed for '{self}'; all __torch_dispatch__ handlers returned NotImplemented: "
                            f"mode object {mode!r}")
        over = dispatched_args(args, kwargs)
        return ask(self, over, args, kwargs) if over else self.overloadpacket(*args, **kwargs)

    def name(self) -> str:
        """Return the name with its namespace, as ``aten::add.Tensor``."""
        base = f"{self.namespace}::{self.overloadpacket.__name__}"
        return base if self._overload == "default" else f"{base}.{self._overload}"

    @property
    def _name(self) -> str:
        return self.name()

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.overloadpacket}', overload='{self._overload}')>"


class OpOverloadPacket(_Unique):
    """All overloads of an operator: attributes by their names."""

    def __init__(self, name: str, function: Callable[..., Any], namespace: str = "aten") -> None:
        self.__name__, self._function, self.namespace = name, function, namespace

    @property
    def _writes(self) -> bool:
        """Whether a call changes an argument, whichever overload takes it."""
        return self.__name__.endswith("_") and not self.__name__.endswith("__")

    @property
    def _nondeterministic_seeded(self) -> bool:
        return self.__name__ in _DRAWING

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        recorded = record(self, args, kwargs)
        if recorded is not None:
            return recorded
        if "self" in kwargs:
            return self._function(kwargs.pop("self"), *args, **kwargs)
        return self._function(*args, **kwargs)

    def __getattr__(self, name: str) -> OpOverload:
        if name not in _OVERLOADS:
            raise AttributeError(f"[aten] The underlying op of '{self}' has no overload name '{name}'")
        made = OpOverload(self, name)
        setattr(self, name, made)                       # the same object each time
        return made

    def overloads(self) -> list[str]:
        """Return the names that overloads may have; the function finds out for itself what it is given."""
        return sorted(_OVERLOADS)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"


class _Aten:
    """The namespace: an operator is made when it is first asked for."""

    def __getattr__(self, name: str) -> OpOverloadPacket:
        function = find(name)
        if function is None:
            raise AttributeError(f"[aten] there is no operator 'aten.{name}' in taeda")
        made = OpOverloadPacket(name, function)
        setattr(self, name, made)
        return made

    def __repr__(self) -> str:
        return "<taeda.ops.aten>"


aten = _Aten()
