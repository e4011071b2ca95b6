"""What an operator's registrations promise, tried on arguments: ``taeda.library.opcheck``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import _operator_names
from taeda._aten.operators import OpOverload, OpOverloadPacket
from taeda._operator import CustomOpDef
from taeda.func.pytree import tree_flatten, tree_map
from taeda.tensor import Tensor

__all__ = ["OpCheckError", "opcheck"]


class OpCheckError(Exception):
    """A registration does not do what it promises."""


def _copies(tree: Any) -> Any:
    """The arguments with a leaf of its own for each tensor, which wants a gradient where the tensor does."""
    return tree_map(lambda x: x.detach().clone().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x, tree)


def _tensors(tree: Any) -> list[Any]:
    return [x for x in tree_flatten(tree)[0] if isinstance(x, Tensor)]


def _declared(op: Any, args: Any, kwargs: Any) -> list[Any]:
    """The tensors that the operator may change."""
    if not isinstance(op, CustomOpDef):
        name = (op.overloadpacket if isinstance(op, OpOverload) else op).__name__
        return _tensors(args[:1] if name.endswith("_") else ()) + _tensors(kwargs.get("out"))
    given = {a.name: value for a, value in zip(op._info.arguments, args, strict=False)} | kwargs
    return [t for a in op._info.arguments if a.mutable and a.name in given for t in _tensors(given[a.name])]


def _schema(op: Any, args: Any, kwargs: Any) -> None:
    """Only the arguments that are said to change do, and results are new."""
    with taeda.no_grad():
        args, kwargs = _copies((args, kwargs))
        before = [(t, t.clone()) for t in _tensors((args, kwargs))]
        declared = {id(t) for t in _declared(op, args, kwargs)}
        op(*args, **kwargs)
    for number, (t, old) in enumerate(before):
        if id(t) not in declared and not bool(((t == old) | ((t != t) & (old != old))).all()):
            raise RuntimeError(f"[opcheck] Argument {number} (of shape {tuple(t.shape)}) is not defined as mutable but was mutated")


def _autograd(op: Any, args: Any, kwargs: Any) -> None:
    """What wants a gradient of an operator with a derivative has a grad_fn."""
    args, kwargs = _copies((args, kwargs))
    if not isinstance(op, CustomOpDef) or op._backward is None or not any(t.requires_grad for t in _tensors((args, kwargs))):
        return
    found = [t for t in _tensors(op(*args, **kwargs)) if t.is_floating_point() or t.is_complex()]
    if found and not any(t.requires_grad for t in found):
        raise RuntimeError("[opcheck] a gradient is registered, but no result requires one although an input does")


def _fake(op: Any, args: Any, kwargs: Any) -> None:
    """Results on the meta device have the shapes, dtypes and strides of real ones."""
    with taeda.no_grad():
        real = _tensors(op(*_copies(args), **_copies(kwargs)))
        on_meta = tree_map(lambda x: x.detach().to("meta") if isinstance(x, Tensor) else x, (args, kwargs))
        fake = _tensors(op(*on_meta[0], **on_meta[1]))
    if len(real) != len(fake):
        raise RuntimeError(f"[opcheck] {len(fake)} results on the meta device, {len(real)} of real tensors")
    for a, b in zip(real, fake, strict=True):
        for what in ("shape", "dtype"):
            if getattr(a, what) != getattr(b, what):
                raise RuntimeError(f"[opcheck] mismatched tensor metadata: on the meta device the {what} is {getattr(b, what)}, of a real "
                                   f"tensor {getattr(a, what)}")
        if a.numel() > 1 and a.stride() != b.stride():
            raise RuntimeError(f"[opcheck] mismatched tensor metadata: on the meta device strides are {b.stride()}, of a real "
                               f"tensor {a.stride()}")


def _backward(op: Any, args: Any, kwargs: Any, atol: float | None, rtol: float | None) -> None:
    """Two runs agree, results and gradients, and gradients have the shapes of their inputs."""
    runs = []
    for _ in range(2):
        run_args, run_kwargs = _copies((args, kwargs))
        leaves = [t for t in _tensors((run_args, run_kwargs)) if t.requires_grad]
        found = _tensors(op(*run_args, **run_kwargs))
        outs = [t for t in found if t.requires_grad]
        grads = taeda.autograd.grad(outs, leaves, [taeda.ones_like(t) for t in outs], allow_unused=True) if outs and leaves else ()
        for leaf, g in zip(leaves, grads, strict=False):
            if g is not None and g.shape != leaf.shape:
                raise RuntimeError(f"[opcheck] a gradient of shape {tuple(g.shape)} for an input of shape {tuple(leaf.shape)}")
        runs.append([t.detach() for t in (*found, *(g for g in grads if g is not None))])
    for a, b in zip(*runs, strict=True):
        taeda.testing.assert_close(a, b, atol=atol, rtol=rtol, equal_nan=True)


_TESTS = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")
_KNOWN = (*_TESTS[:3], "test_aot_dispatch_static", _TESTS[3])


def opcheck(
    op: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, *, test_utils: str | Sequence[str] = _TESTS,
    raise_exception: bool = True, atol: float | None = None, rtol: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Try a custom operator on arguments: does it keep what its registrations promise?

    ``test_schema``: it changes no argument but those that it names.  ``test_autograd_registration``: its results have the history
    that its derivative promises.  ``test_faketensor``: results on the meta device look as real ones do.  ``test_aot_dispatch_static``
    and ``_dynamic``: it runs forwards and backwards, the same way twice.

    Returns "SUCCESS" or the exception of each test.  Raises OpCheckError for the first that fails if ``raise_exception``, ValueError
    for what is not an operator, or an unknown test.

    >>> import taeda
    >>> @taeda.library.custom_op("checked::twice", mutates_args=())
    ... def twice(x: taeda.Tensor) -> taeda.Tensor:
    ...     return 2 * x
    >>> taeda.library.opcheck(twice, (taeda.ones(2),), test_utils="test_schema")
    {'test_schema': 'SUCCESS'}
    """
    op = op._of if isinstance(op, (_operator_names.OpOverload, _operator_names.OpOverloadPacket)) else op
    if not isinstance(op, (CustomOpDef, OpOverload, OpOverloadPacket)):
        raise ValueError(f"[opcheck] op must be an operator, e.g. taeda.ops.aten.sin.default or what custom_op makes, got "
                         f"{type(op).__name__}")
    wanted = (test_utils,) if isinstance(test_utils, str) else tuple(test_utils)
    if not set(wanted) <= set(_KNOWN):
        raise ValueError(f"[opcheck] expected test_utils to be subset of {_KNOWN} but it was {wanted}")
    tests: dict[str, Callable[[], None]] = {
        "test_schema": lambda: _schema(op, args, kwargs or {}),
        "test_autograd_registration": lambda: _autograd(op, args, kwargs or {}),
        "test_faketensor": lambda: _fake(op, args, kwargs or {}),
        "test_aot_dispatch_static": lambda: _backward(op, args, kwargs or {}, atol, rtol),
        "test_aot_dispatch_dynamic": lambda: _backward(op, args, kwargs or {}, atol, rtol),
    }
    results: dict[str, Any] = {}
    for name in wanted:
        try:
            tests[name]()
            results[name] = "SUCCESS"
        except Exception as error:
            if raise_exception:
                raise OpCheckError(f"[opcheck] {name} failed with {error}") from error
            results[name] = error
    return results
