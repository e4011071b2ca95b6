"""Calls that classes with a ``__torch_dispatch__`` get: one operator each, below autograd.

A class's handler runs with the recording of derivatives off, and what it returns gets its place in the graph here:

a. Operators whose derivatives are operators (products, convolutions, norms ...) are nodes of ``nodes``.
b. Any other is run a second time on shadows, tensors of the meta device of the same sizes, whose nodes then are given the real tensors
   in the shadows' place (``autograd.shadows.transplant``): their derivatives call operators on these, which the class sees.
c. Where a node has kept what only the computation itself knows, the function's own code runs, and the class sees what it calls.
d. A kernel has one more operator for a derivative, which computes it anew from the arguments (``whole``).

Source: the order of ``__torch_function__``, autograd, modes and classes in PyTorch 2.13's dispatcher.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda._aten import nodes as rules, whole as anew
from taeda._aten.operators import INNER, OpOverloadPacket, aten
from taeda._aten.overloads import overload_of
from taeda._override import Overridable, dispatched_args, is_casting, set_casting
from taeda.autograd.grad_mode import _set_grad_enabled
from taeda.autograd.shadows import take_place, transplant
from taeda.func.pytree import tree_leaves, tree_map
from taeda.ops import return_types
from taeda.registry import NoStorage
from taeda.stand_ins import count_write, is_wrapper_tensor, twin_of
from taeda.tensor import Tensor

__all__ = ["answered", "ask", "places", "plain_like", "written_by_index"]

_RULES = {
    "_log_softmax.default": rules.softmax_rule("_log_softmax_backward_data"),
    "_softmax.default": rules.softmax_rule("_softmax_backward_data"),
    "addmm.default": rules.addmm_rule,
    "bmm.default": rules.bmm_rule,
    "convolution.default": rules.convolution_rule,
    "max_pool2d_with_indices.default": rules.pool_rule,
    "mm.default": rules.mm_rule,
    "native_group_norm.default": rules.group_norm_rule,
    "native_layer_norm.default": rules.layer_norm_rule,
    "nll_loss_forward.default": rules.nll_rule,
}

# What tells about a tensor, and has no derivative
_TELL = frozenset(("_local_scalar_dense", "is_same_size", "equal", "sym_size", "sym_stride", "sym_numel", "sym_storage_offset"))


def ask(op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what the classes of ``over``, arguments of an operator, say that it gives, with its place in the graph."""
    records = op._opname not in _TELL and taeda.is_grad_enabled() and any(
        isinstance(x, Tensor) and x.requires_grad for x in tree_leaves((args, kwargs)))
    found = (_recorded if records else _below)(op, over, args, kwargs)
    if type(found) in (tuple, list):                    # with the names of its parts
        kind = getattr(return_types, op._opname, None)
        return found if kind is None else kind(found)
    return found


def answered(op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Ask each class until one answers; no derivative is recorded meanwhile, and autocast changes nothing."""
    types = tuple(type(x) for x in over)
    was, casting = _set_grad_enabled(False), is_casting()
    if casting:
        set_casting(False)
    try:
        for x in over:
            found = type(x).__torch_dispatch__(op, types, args, kwargs)
            if found is not NotImplemented:
                return found
        told = "".join(f"\n  - tensor subclass {cls!r}" for cls in types)
        raise TypeError(f"[{op}] Multiple dispatch failed for '{op}'; all __torch_dispatch__ handlers returned NotImplemented:\n{told}")
    finally:
        _set_grad_enabled(was)
        if casting:
            set_casting(True)


def _below(op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Ask the classes; an operator that writes gives what it has written to."""
    found = answered(op, over, args, kwargs)
    written = _written(op, args, kwargs)
    if written is None:
        return found
    for x in tree_leaves(written):
        count_write(x)
    return written                      # whatever the handler has returned


def _written(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What an operator writes into, and returns; None if it makes something new."""
    if kwargs.get("out") is not None:
        return kwargs["out"]
    name = op._opname
    return args[0] if name.endswith("_") and not name.endswith("__") and args and isinstance(args[0], Tensor) else None


# -- derivatives ---------------------------------------------------------------------------------------


class _Shadows:
    """Tensors without data in the place of others, of their sizes, dtypes and places in the graph."""

    def __init__(self) -> None:
        self.originals: dict[int | None, tuple[Tensor, Tensor]] = {}
        self.made: dict[int, Tensor] = {}

    def of(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return taeda.device("meta") if isinstance(x, taeda.device) else x
        found = self.made.get(id(x))
        if found is None:
            found = self.made[id(x)] = taeda.empty_strided(tuple(x.shape), x.stride(), dtype=x.dtype, device="meta")
            take_place(found, x)
            self.originals[id(found.untyped_storage())] = found, x
        return found


# Pointwise operators whose derivatives read their operands, in the dtype of the result
_PROMOTING = frozenset((
    "addcdiv", "addcmul", "atan2", "copysign", "div", "fmax", "fmin", "fmod", "hypot", "lerp", "logaddexp", "logaddexp2", "maximum",
    "minimum", "mul", "pow", "remainder", "true_divide", "xlogy",
))  # fmt: skip
# Operators with integers that point somewhere, which nodes save in rows of int64
_POINTING = frozenset((
    "embedding_bag", "gather", "index", "index_add", "index_copy", "index_fill", "index_put", "index_select", "put", "scatter",
    "scatter_add", "scatter_reduce", "take", "take_along_dim",
))  # fmt: skip


def _in_rows(x: Any) -> Any:
    if not isinstance(x, Tensor) or x.dtype not in (taeda.int32, taeda.int64):
        return x
    if x.dtype is taeda.int32:
        x = aten._to_copy.default(x, dtype=taeda.int64)
    return x if x.is_contiguous() else aten.clone.default(x, memory_format=taeda.contiguous_format)


_INDEXED = frozenset(("index", "index_put", "index_put_"))


def _by_places(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put in the place of each mask among the indices the places that it takes: a shadow does not know how many they are."""
    return args[0], places(args[1]), *args[2:]


def places(indices: Any) -> list[Any]:
    """The indices with integers in place of each mask."""
    found: list[Any] = []
    for i in indices:
        masks = isinstance(i, Tensor) and i.dtype in (taeda.bool, taeda.uint8)
        found.extend(aten.nonzero.default(i.detach()).unbind(1) if masks else [i])
    return found


def written_by_index(x: Tensor, steps: list[Any], indices: list[Any], value: Any, write: Any) -> None:
    """Call ``write``, which assigns value to the part of x that views and then index tensors take, and record its derivative.

    steps: the operators of the views, (name, overload, arguments).
    """
    if x.requires_grad and x.is_leaf:
        raise RuntimeError("[setitem] a leaf Variable that requires grad is being used in an in-place operation.")
    shadows = _Shadows()
    if not steps and not indices:                       # all of it: as one slice of a tensor of one
        steps = [("unsqueeze", "default", (0,)), ("slice", "Tensor", (0, 0, 1))]
    wholes = [shadows.of(x)]
    for name, overload, args in steps:
        wholes.append(getattr(getattr(aten, name), overload)(wholes[-1], *args))
    part = wholes.pop()
    new = shadows.of(value).to(x.dtype) if isinstance(value, Tensor) else taeda.empty((), dtype=x.dtype, device="meta")
    if indices:
        part = aten.index_put.default(part, [shadows.of(i) for i in places(indices)], new)
    else:
        part = new.reshape(new.shape[max(new.ndim - part.ndim, 0) :]).expand(part.shape)
    for (name, _, args), whole in zip(reversed(steps), reversed(wholes), strict=True):
        part = part.squeeze(*args) if name == "unsqueeze" else getattr(aten, f"{name}_scatter").default(whole, part, *args)
    with taeda.no_grad():
        write()
    count_write(x)
    if part.requires_grad and not transplant([(part, x)], shadows.originals):
        raise RuntimeError(f"[setitem] the derivative of this write needs values that a tensor of {type(x).__name__} does not have")


def _recorded(op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operator below autograd and give what it returns a place in the graph: by a rule, or by a run on shadows without data."""
    rule = _RULES.get(op.__name__)
    if rule is not None and not kwargs:
        return rules._Node.apply(op, rule, *args)
    if op.__name__ in anew.NAMES or isinstance(op.overloadpacket._function, anew.Derivative):
        return anew.recorded(op, args, kwargs)
    if op.__name__ in _CHOOSE and kwargs.get("out") is None:
        return _chosen(op, args, kwargs)
    if op._opname.removesuffix("_") in _POINTING:
        args, kwargs = tree_map(_in_rows, (args, kwargs))
    shadows = _Shadows()
    given_args, given_kwargs = _shadowed(op, shadows, args, kwargs)
    written = _written(op, args, kwargs)
    try:
        like = op.overloadpacket(*given_args, **given_kwargs)
    except (NotImplementedError, RuntimeError, TypeError, ValueError):
        if written is not None:                         # a leaf must not be written to
            raise
        return _in_pieces(op, args, kwargs)
    for shadow, x in shadows.originals.values():
        if like is shadow and written is None:          # the operator gives its argument itself
            return x
    if not any(isinstance(x, Tensor) and x.requires_grad for x in tree_leaves(like)):
        found = _below(op, over, args, kwargs)
        if op._opname == "detach_":
            take_place(args[0], taeda.empty(0, device="meta"))
        return found
    if op._opname.removesuffix("_") in _PROMOTING and any(isinstance(x, Tensor) and x.dtype != like.dtype for x in args):
        same = (aten._to_copy.default(x, dtype=like.dtype) if isinstance(x, Tensor) and x.dtype != like.dtype else x for x in args)
        return op(*same, **kwargs)                      # the node would have saved what the kernel makes of the others
    if written is not None:
        return _write_recorded(op, over, args, kwargs, shadows, like, written)
    return _result_recorded(op, over, args, kwargs, shadows, like)


def _shadowed(op: Any, shadows: _Shadows, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call's arguments with shadows for its tensors; a number that it computes with counts as one."""
    given_args, given_kwargs = tree_map(shadows.of, (_by_places(args) if op._opname in _INDEXED else args, kwargs))
    if given_kwargs.get("device") is not None:
        given_kwargs["device"] = "meta"
    numbers = [x for x in tree_leaves((args, kwargs)) if type(x) in (int, float, complex)]
    if len(numbers) == 1 and ("Scalar" in op._overloadname or op._opname.removesuffix("_") in _PROMOTING):   # not a dim
        shadows.originals[None] = None, lambda dtype: taeda.tensor(numbers[0], dtype=dtype)  # type: ignore[assignment]
    return given_args, given_kwargs


def _write_recorded(
    op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any], shadows: _Shadows, like: Any, written: Any
) -> Any:
    """Run an operator that writes to ``written``, which takes the place in the graph that ``like`` has."""
    key = op.__name__, tuple(isinstance(x, Tensor) and x.requires_grad for x in args)
    if key not in _fits:                                # tried on a result that nobody sees
        trial = [(x, taeda.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta")) for x in tree_leaves(like)]
        _fits[key] = transplant(trial, shadows.originals)
        return _recorded(op, over, args, kwargs)
    if not _fits[key]:
        return _copied_in(op, over, args, kwargs)
    _below(op, over, args, kwargs)
    transplant(list(zip(tree_leaves(like), tree_leaves(written), strict=True)), shadows.originals)
    return written


def _result_recorded(op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any], shadows: _Shadows, like: Any) -> Any:
    """Run an operator that makes tensors, which take the places in the graph that those of ``like`` have."""
    state = taeda.get_rng_state()
    found = _below(op, over, args, kwargs)
    taken = {id(x) for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
    # a result that already is in a graph, or is an argument, is not to be moved
    found = tree_map(lambda x: twin_of(x) if isinstance(x, Tensor) and (id(x) in taken or x.requires_grad) else x, found)
    tensors = [x for x in tree_leaves(found) if isinstance(x, Tensor)]
    shadow_results = [x for x in tree_leaves(like) if isinstance(x, Tensor)]
    if len(tensors) != len(shadow_results):
        return found
    given = {id(shadow): x for shadow, x in shadows.originals.values() if shadow is not None}
    if any(id(s) in given for s in shadow_results):      # results that are arguments themselves
        itself = {id(x): given[id(s)] for s, x in zip(shadow_results, tensors, strict=True) if id(s) in given}
        found = tree_map(lambda x: itself.get(id(x), x), found)
    pairs = [(s, x) for s, x in zip(shadow_results, tensors, strict=True) if s.requires_grad and id(s) not in given]
    if not transplant(pairs, shadows.originals):
        taeda.set_rng_state(state)                      # what is drawn again is the same
        found = _in_pieces(op, args, kwargs)
    return found


# Operators that give values and where they stand: the gradient goes to these places.  Where ``dim`` and ``keepdim`` come by position
_CHOOSE = {
    "cummax.default": (1, None), "cummin.default": (1, None), "kthvalue.default": (2, 3), "max.dim": (1, 2), "median.dim": (1, 2),
    "min.dim": (1, 2), "mode.default": (1, 2), "nanmedian.dim": (1, 2), "sort.default": (1, None), "sort.stable": (1, None),
    "topk.default": (2, None),
}  # fmt: skip


def _chosen(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    dim_at, keep_at = _CHOOSE[op.__name__]
    dim = args[dim_at] if len(args) > dim_at else kwargs.get("dim", -1)
    keepdim = keep_at is None or (args[keep_at] if len(args) > keep_at else kwargs.get("keepdim", False))

    @rules.kept(1)
    def rule(wants: Any, g: Tensor, given: Any, results: Any) -> Any:
        places, x = results[1], given[0]
        if not keepdim and x.ndim:
            g, places = aten.unsqueeze.default(g, dim), aten.unsqueeze.default(places, dim)
        add = aten.scatter_add.default if op._opname in ("cummax", "cummin") else aten.scatter.src
        return add(aten.new_zeros.default(g, list(x.shape)), dim, places, g), *[None] * (len(given) - 1)

    return rules._Node.apply(lambda *given: tuple(op(*given, **kwargs)), rule, *args)


# operators in place, and who requires grad -> whether their nodes save what there is
_fits: dict[Any, bool] = {}


def _copied_in(op: Any, over: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A write whose derivative reads what was there before: by the operator that makes a new tensor of a copy, which comes back."""
    anew = getattr(getattr(aten, op._opname.removesuffix("_"), None), op._overloadname, None)
    if anew is None or kwargs.get("out") is not None:
        raise RuntimeError(f"[{op}] the derivative of this write in place needs values that a tensor of {type(over[0]).__name__} does not "
                           "have; hint: use the operator that makes a new tensor")
    x = args[0]
    found = anew(aten.clone.default(x), *args[1:], **kwargs)
    if found.dtype != x.dtype:
        found = aten._to_copy.default(found, dtype=x.dtype)
    with taeda.no_grad():
        aten.copy_.default(x, found)
    take_place(x, found)
    return x


def _in_pieces(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the function's own code: what it calls is dispatched, and has derivatives; a kernel is differentiated as a whole."""
    function = op.overloadpacket._function
    inner = INNER.get(op._opname, function.function if isinstance(function, Overridable) else function)
    try:
        found = inner(*args, **kwargs)
        if any(isinstance(x, Tensor) and x.requires_grad for x in tree_leaves(found)):
            return found
    except NoStorage:
        pass
    anew.NAMES.add(op.__name__)
    return anew.recorded(op, args, kwargs)


# -- kernels -----------------------------------------------------------------------------------------


def by_kernel(name: str, call: Any, tensors: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    """Ask the classes of tensors what a kernel gives of them, as an operator of its name: derivatives call some kernels themselves."""
    packet = None if options else getattr(aten, name, None)
    if packet is None:
        return told(name, call, (*tensors, *options))
    return getattr(packet, overload_of(name, tensors, {}))(*tensors)


def told(name: str, call: Any, args: tuple[Any, ...]) -> Any:
    """Call an operator that has no function of its name."""
    return OpOverloadPacket(name, call).default(*args)


# -- sizes -------------------------------------------------------------------------------------------


def plain_like(x: Tensor) -> Tensor:
    """Return a tensor that has the sizes and strides of x, to find out what a view would have; x's class is not asked."""
    if is_wrapper_tensor(x) or dispatched_args((x,), {}):
        return taeda.empty_strided(tuple(x.shape), x.stride(), dtype=x.dtype, device="meta")
    return x.detach()

