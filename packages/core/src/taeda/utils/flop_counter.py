"""Floating-point operations counted as a program runs: PyTorch's ``torch.utils.flop_counter``.

Counted are products: ``mm``, ``addmm``, ``bmm``, ``baddbmm``, convolutions, and what is made of them (``matmul``, ``linear``,
``tensordot``, ``inner``, ``einsum`` of two operands, attention that is not fused), a multiplication and an addition as two.

A. Forward: a ``TorchFunctionMode`` sees the calls, and their arguments' shapes say what is done (``count``).
B. Backward: derivatives run below Python's sight. The node that a counted call recorded is hooked instead; when it runs, each
   gradient that this pass computes is counted by formula. So derivatives of derivatives are not counted.
C. Operators with a formula of a program's own are seen by a ``TorchDispatchMode``, which is in force only where there are any.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from math import prod
from typing import Any, NamedTuple

import taeda
from taeda._aten.operators import OpOverloadPacket, aten
from taeda._operator_names import OpOverloadPacket as OwnPacket
from taeda.autograd.passes import current_id, current_pass
from taeda.overrides import TorchFunctionMode
from taeda.utils._python_dispatch import TorchDispatchMode
from taeda.utils._pytree import tree_map
from taeda.utils.module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

flop_registry: dict[Any, Callable[..., int]] = {}       # of operators of a program's own


class Count(NamedTuple):
    """What a call does: operations forward, and backward for each operand that may want a gradient."""

    op: str
    forward: int
    backward_op: str
    backward: list[tuple[Any, int]]         # (tensor, operations)


# -- formulas ----------------------------------------------------------------------------------------------------


def product(op: str, backward_op: str, a: Any, b: Any, flops: int) -> Count:
    """A product of two operands: each one's gradient costs what the product does."""
    return Count(op, flops, backward_op, [(a, flops), (b, flops)])


def folds(a: Any, b: Any) -> bool:
    """Whether matmul makes one product of a batch and a matrix, as PyTorch decides it."""
    t1, t2 = (a, b) if a.ndim >= b.ndim else (b.mT if b.ndim > 1 else b, a)
    if t1.ndim < 3 or t2.ndim > 2:
        return False
    if t2.requires_grad:
        return True
    if a.ndim == 2:
        return False
    shape, stride = t1.shape, t1.stride()
    return t1.numel() == 0 or all(stride[i] == stride[i + 1] * shape[i + 1] for i in range(t1.ndim - 2))


def matmul(a: Any, b: Any, out: Any) -> Count | None:
    """``a @ b``: matrices by ``mm``, batches by ``bmm``; a matrix and a vector are not counted."""
    if a.ndim == b.ndim == 3 and a.shape[0] != b.shape[0]:          # one matrix against a batch
        folded = folds(a[0], b) if a.shape[0] == 1 else folds(a, b[0])
    else:
        folded = folds(a, b)
    if (max(a.ndim, b.ndim) <= 2 and b.ndim == 1) or (folded and min(a.ndim, b.ndim) == 1):
        return None
    op = "mm" if folded or max(a.ndim, b.ndim) <= 2 else "bmm"
    return product(op, op, a, b, 2 * out.numel() * a.shape[-1])


def linear(x: Any, weight: Any, bias: Any, out: Any) -> Count | None:
    """``x @ weight.T + bias``: one ``addmm`` where the rows of x lie together."""
    if weight.ndim == 1:
        return matmul(x, weight, out)
    flops = 2 * x.numel() * weight.shape[0]
    if bias is None or (x.ndim > 2 and not x.is_contiguous()):
        count = matmul(x, weight.mT, out)
        return count and count._replace(backward=[(x, flops), (weight, flops)])
    return product("addmm", "mm", x, weight, flops)


def convolution(x: Any, weight: Any, out: Any, transposed: bool) -> Count:
    """Each tap of the kernel at each place of the output (transposed: of the input); PyTorch's formulas, groups not minded backward."""
    spatial = weight.ndim - 2
    batch = x.shape[0] if x.ndim == weight.ndim else 1
    places = prod((x if transposed else out).shape[-spatial:])
    taps = prod(weight.shape[2:])
    both = 2 * batch * places * taps
    channels = x.shape[-spatial - 1] * out.shape[-spatial - 1]
    forward = both * weight.shape[0] * weight.shape[1]
    return Count("convolution", forward, "convolution_backward", [(x, forward), (weight, both * channels)])


def attention(q: Any, k: Any, v: Any, mask: Any, dropout: float) -> Count | None:
    """Two batched products. The fused kernel, of four dimensions without dropout, is not counted, as PyTorch's for the CPU."""
    fused = q.ndim == k.ndim == v.ndim == 4 and not dropout and (mask is None or not mask.requires_grad)
    if fused and q.shape[-1] == k.shape[-1] == v.shape[-1]:
        return None
    scores, mixed = 2 * q.numel() * k.shape[-2], 2 * prod(q.shape[:-1]) * k.shape[-2] * v.shape[-1]
    both = taeda.is_grad_enabled() and (q.requires_grad or k.requires_grad)
    return Count("bmm", scores + mixed, "bmm", [(q, scores), (k, scores), (v, mixed), (q if q.requires_grad else k, mixed * both)])


def contracted(op: str, a: Any, b: Any, size: int) -> Count:
    """A contraction over ``size`` pairs of elements."""
    return product(op, op, a, b, 2 * a.numel() * b.numel() // max(size, 1))


def tensordot(a: Any, b: Any, dims: Any) -> Count:
    """Contract the last dims of a with the first of b, or those named."""
    which = range(a.ndim - dims, a.ndim) if isinstance(dims, int) else dims[0]
    which = [which] if isinstance(which, int) else which
    return contracted("mm", a, b, prod(a.shape[i] for i in which))


def einsum(equation: Any, operands: tuple[Any, ...]) -> Count | None:
    """Two operands with something to sum over: one batched product."""
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    if not isinstance(equation, str) or len(operands) != 2 or "." in equation:
        return None
    left, _, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if "->" not in equation:
        right = "".join(c for c in set(left) - {","} if left.count(c) == 1)
    sizes = {c: n for term, x in zip(terms, operands, strict=True) for c, n in zip(term, x.shape, strict=True)}
    shared = set(terms[0]) & set(terms[1])
    if not shared - set(right):
        return None
    return product("bmm", "bmm", *operands, 2 * prod(sizes[c] for c in shared | set(right)))


# -- (A) the rules, by the name of the function -------------------------------------------------------------------------

PRODUCTS = {            # name: (its first operand's place, the operands' names, the op of its gradients)
    "mm": (0, "input", "mat2", "mm"), "addmm": (1, "mat1", "mat2", "mm"),
    "bmm": (0, "input", "mat2", "bmm"), "baddbmm": (1, "batch1", "batch2", "bmm"),
}


def count(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> Count | None:
    """Return what a call did; None for what is not counted."""
    def given(i: int, word: str, default: Any = None) -> Any:
        return args[i] if i < len(args) else kwargs.get(word, default)

    name = name.rstrip("_") if name in ("addmm_", "baddbmm_") else name
    if name in PRODUCTS:
        first, left, right, backward_op = PRODUCTS[name]
        a, b = given(first, left), given(first + 1, right)
        return product(name, backward_op, a, b, 2 * a.numel() * b.shape[-1])
    if name in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"):
        return convolution(given(0, "input"), given(1, "weight"), out, "transpose" in name)
    if name in ("matmul", "linalg_matmul"):
        return matmul(given(0, "input"), given(1, "other"), out)
    if name == "linear":
        return linear(given(0, "input"), given(1, "weight"), given(2, "bias"), out)
    if name == "scaled_dot_product_attention":
        return attention(given(0, "query"), given(1, "key"), given(2, "value"), given(3, "attn_mask"), given(4, "dropout_p", 0.0))
    if name == "tensordot":
        return tensordot(given(0, "a"), given(1, "b"), given(2, "dims", 2))
    if name == "inner" and out.ndim:
        return contracted("mm", given(0, "input"), given(1, "other"), given(0, "input").shape[-1])
    if name == "einsum":
        return einsum(args[0], args[1:])
    return None


# -- the mode ----------------------------------------------------------------------------------------------------


class FlopCounterMode:
    """In this block, count floating-point operations, forward and backward, by module and op.

    ``depth`` is how deep ``get_table`` lists modules; with ``display`` the table is printed at the end. ``custom_mapping`` maps
    further functions, or operators such as ``taeda.ops.aten.add``, to formulas, called with the arguments, their tensors as shapes, and
    ``out_shape``; a formula with a true attribute ``_get_raw`` gets the tensors, and ``out_val``. ``mods`` is not needed.

    >>> import taeda
    >>> from taeda.utils.flop_counter import FlopCounterMode
    >>> x = taeda.ones(3, 4, requires_grad=True)
    >>> with FlopCounterMode(display=False) as counter:
    ...     (x @ taeda.ones(4, 5)).sum().backward()
    >>> counter.get_flop_counts()
    {'Global': {<OpOverloadPacket(op='aten.mm')>: 240}}
    """

    def __init__(
        self, mods: Any = None, depth: int | None = 2, display: bool = True, custom_mapping: dict[Any, Callable[..., int]] | None = None,
    ) -> None:
        if mods is not None:
            warnings.warn("mods argument is not needed anymore, you can stop passing it", stacklevel=2)
        self.flop_counts: dict[str, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
        self.depth = depth
        self.display = display
        self.custom_mapping = dict(custom_mapping or {})
        self.flop_registry = {**flop_registry, **{op: adapted(f) for op, f in self.custom_mapping.items()}}
        self.mod_tracker = ModuleTracker()
        self.mode: Calls | None = None
        self.operators: Operators | None = None

    def get_total_flops(self) -> int:
        """Return the operations of all modules together."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """Return the operations by the module's name ("Global": all), then by op (``taeda.ops.aten.mm``)."""
        return {module: dict(ops) for module, ops in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """Return the counts as a table of modules down to a depth."""
        depth = depth or self.depth or 999999
        total = self.get_total_flops()
        listed = [name for name in sorted(self.flop_counts) if name != "Global" and name.count(".") < depth]
        one_has_all = any(sum(self.flop_counts[name].values()) >= total for name in listed)
        rows = []
        if self.flop_counts.get("Global") and not one_has_all:
            rows = self._rows("Global", "", total)
        margin = " " if rows else ""
        for name in listed:
            rows += self._rows(name, margin + " " * name.count("."), total)
        return table(["Module", "FLOP", "% Total"], rows or [["Global", "0", "0%"]])

    def _rows(self, module: str, margin: str, total: int) -> list[list[str]]:
        ops = self.flop_counts[module]
        counts = [(module, sum(ops.values()))] + [(f" - {op}", n) for op, n in ops.items()]
        step = max(0, min(4, (len(str(total)) - 2) // 3))
        share = [f"{n / total:.2%}" if total else "0%" for _, n in counts]
        figures = [f"{n / 1000**step:.3f}{'KMBT'[step - 1]}" if step else str(n) for _, n in counts]
        return [[margin + label, *cells] for (label, _), *cells in zip(counts, figures, share, strict=True)]

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        if any(isinstance(op, PACKETS) for op in self.flop_registry):
            self.operators = Operators(self)
            self.operators.__enter__()
        self.mode = Calls(self)
        self.mode.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        mode, self.mode = self.mode, None
        if mode is not None:
            mode.__exit__(*error)
        operators, self.operators = self.operators, None
        if operators is not None:
            operators.__exit__(*error)
        self.mod_tracker.__exit__()
        if self.display:
            print(self.get_table(self.depth))

    def add(self, op: Any, flops: int) -> None:
        """Count operations for every module that runs."""
        for module in self.mod_tracker.parents:
            self.flop_counts[module][op] += flops


class Calls(TorchFunctionMode):
    """The calls of a block, counted; and their nodes, hooked (B)."""

    _looks_inside = True                # of the functions of nn that are made of others

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter = counter
        self.running: Any = None              # the backward pass in which a node runs that is counted by formula

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if self.running is not None and self.running == current_id():
            return out
        if not isinstance(func, PACKETS):
            formula = self.counter.flop_registry.get(func)
            if formula is not None:
                self.counter.add(func, formula(*args, out_val=out, **kwargs))
                return out
        found = count(getattr(func, "__name__", ""), args, kwargs, out)
        if found is not None:
            op = getattr(aten, found.op)
            if op not in self.counter.flop_registry:
                self.counter.add(op, found.forward)
            if out.grad_fn is not None:
                self._watch(out.grad_fn, found)
        return out

    def _watch(self, node: Any, found: Count) -> None:
        wanted = [(x if x.grad_fn is None else x.grad_fn, flops) for x, flops in found.backward if x.requires_grad]
        op = getattr(aten, found.backward_op)
        if op in self.counter.flop_registry:
            return

        def before(_: Any) -> None:
            if self.counter.mode is self:
                self.running = current_id()

        def after(*_: Any) -> None:
            if self.counter.mode is self:
                self.running = None
                run = current_pass()
                for target, flops in wanted:
                    if run.will_run(target):
                        self.counter.add(op, flops)

        node.register_prehook(before)
        node.register_hook(after)


class Operators(TorchDispatchMode):
    """The operators of a block that have formulas of a program's own (C)."""

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter = counter

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        op = getattr(func, "overloadpacket", None)
        formula = self.counter.flop_registry.get(op)
        if formula is not None:
            self.counter.add(op, formula(*args, out_val=out, **kwargs))
        return out


PACKETS = (OpOverloadPacket, OwnPacket)


def adapted(formula: Callable[..., int]) -> Callable[..., int]:
    """Return a formula that is called with tensors and ``out_val``; one that asks for it is that already."""
    if getattr(formula, "_get_raw", False):
        return formula

    def of_shapes(*args: Any, out_val: Any = None, **kwargs: Any) -> int:
        args, kwargs, out = tree_map(lambda x: x.shape if isinstance(x, taeda.Tensor) else x, (args, kwargs, out_val))
        return formula(*args, out_shape=out, **kwargs)

    return of_shapes


def register_flop_formula(targets: Any, get_raw: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Register the decorated formula for an operator, or several, in all counters that are made from here on.

    Args:
        targets: ``taeda.ops.mylib.name``, or a sequence of such.
        get_raw: whether the formula wants tensors, and ``out_val``, instead of shapes and ``out_shape``.

    Raises:
        ValueError: a target is not an operator.
        RuntimeError: it has a formula.

    >>> import taeda
    >>> from taeda.utils.flop_counter import FlopCounterMode, register_flop_formula
    >>> @taeda.library.custom_op("mine::triple", mutates_args=())
    ... def triple(x: taeda.Tensor) -> taeda.Tensor:
    ...     return x * 3
    >>> @register_flop_formula(taeda.ops.mine.triple)
    ... def triple_flops(x_shape, out_shape=None):
    ...     return x_shape.numel()
    >>> with FlopCounterMode(display=False) as counter:
    ...     y = triple(taeda.ones(4, 5))
    >>> counter.get_flop_counts()
    {'Global': {<OpOverloadPacket(op='mine.triple')>: 20}}
    """

    def register(formula: Callable[..., int]) -> Callable[..., int]:
        taken = formula if get_raw else adapted(formula)
        for target in targets if isinstance(targets, Iterable) else (targets,):
            if not isinstance(target, PACKETS):
                raise ValueError(f"[register_flop_formula] expected each target to be an operator such as taeda.ops.mylib.foo, "
                                 f"got {target!r} of type {type(target).__name__}")
            if target in flop_registry:
                raise RuntimeError(f"[register_flop_formula] duplicate registrations for {target}")
            flop_registry[target] = taken
        return formula

    return register


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return rows under a header, the first column to the left and the others to the right."""
    widths = [max(len(header[i]) + 2, *(len(row[i]) for row in rows)) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True)))
                     for line in lines)
