"""vmap: run a function of one sample on a batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from taeda import ops
from taeda._override import watch_functions
from taeda.func import rules_indexing, rules_matmul, rules_nn, rules_pointwise, rules_random, rules_shape, rules_spectral  # noqa: F401
from taeda.func.batched import BatchedTensor, Level, at, batched, levels, origin_of
from taeda.func.pytree import TreeSpec, broadcast_prefix, tree_flatten, tree_unflatten
from taeda.random import get_rng_state, set_rng_state
from taeda.tensor import Tensor

rules_random.watch()


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return a function that runs ``func``, written for one sample, on a batch of samples at once.

    Args:
        func: takes and returns tensors, also inside of tuples, lists and dicts.
        in_dims: the dimension of each argument along which the samples lie, None for one that is the same for all; a number
            for all arguments, or a tuple that matches them.
        out_dims: where that dimension goes in the results.
        randomness: what random functions do: "error", "same" draw for all samples, or "different" ones.
        chunk_size: how many samples are run at once; None for all.

    Raises:
        ValueError: in_dims or out_dims do not match, sizes of the mapped dimension differ, a result is not a tensor.
        RuntimeError: ``func`` asks for a value (``.item()``, ``if x > 0``), or writes a batch into a tensor that has none.

    >>> import taeda
    >>> a, b = taeda.ones(3, 4), taeda.arange(12.0).reshape(3, 4)
    >>> taeda.vmap(taeda.dot)(a, b)
    tensor([ 6., 22., 38.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"[vmap] Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"[vmap] vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        name = getattr(func, "__name__", repr(func))
        size, dims, flat, spec = inputs_of(name, in_dims, args)
        if chunk_size is None or chunk_size >= size:
            return run(func, name, size, dims, flat, spec, out_dims, randomness, kwargs)
        parts = []
        state = get_rng_state() if randomness == "same" else None         # all chunks draw the same, too
        for start in range(0, size, chunk_size):
            if state is not None and start:
                set_rng_state(state)
            n = min(chunk_size, size - start)
            part = [x if d is None else x.narrow(d, start, n) for x, d in zip(flat, dims, strict=True)]
            parts.append(run(func, name, n, dims, part, spec, out_dims, randomness, kwargs))
        return joined(name, parts, out_dims)

    return mapped


def opens_itself(x: Any) -> bool:
    """Whether x is a container, as TensorDict is one, that puts its tensors into a level and takes them out by methods of its own."""
    return hasattr(x, "_add_batch_dim") and hasattr(x, "_maybe_remove_batch_dim")


def inputs_of(name: str, in_dims: Any, args: tuple[Any, ...]) -> tuple[int, list[int | None], list[Any], TreeSpec]:
    """Check in_dims against the arguments; return the batch's size, the dimension of each leaf, the leaves, their structure."""
    where = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(f"[vmap] {where}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
                         f"got: {type(in_dims)}.")
    if not args:
        raise ValueError(f"[vmap] vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
                         "function with no inputs. The latter is unsupported.")
    flat, spec = tree_flatten(args, opens_itself)
    dims = broadcast_prefix(in_dims, spec)
    if dims is None:
        raise ValueError(f"[vmap] {where}: in_dims is not compatible with the structure of `inputs`. in_dims has structure "
                         f"{tree_flatten(in_dims)[1]} but inputs has structure {spec}.")
    sizes = []
    for i, (x, d) in enumerate(zip(flat, dims, strict=True)):
        if d is None:
            continue
        if not isinstance(d, int):
            raise ValueError(f"[vmap] {where}: Got in_dim={d} for an input but in_dim must be either an integer dimension or None.")
        if not isinstance(x, Tensor) and not opens_itself(x):
            raise ValueError(f"[vmap] {where}: Got in_dim={d} for an input but the input is of type {type(x)}. We cannot vmap over "
                             "non-Tensor arguments, please use None as the respective in_dim")
        if not -x.dim() <= d < x.dim():
            raise ValueError(f"[vmap] {where}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {x.dim()} so "
                             f"expected in_dim to satisfy -{x.dim()} <= in_dim < {x.dim()}.")
        dims[i] = d % x.dim()
        sizes.append((x.shape if isinstance(x, Tensor) else x.batch_size)[dims[i]])
    if not sizes:
        raise ValueError(f"[vmap] {where}: Expected at least one Tensor to vmap over, but every in_dim is None")
    if any(s != sizes[0] for s in sizes):
        raise ValueError(f"[vmap] vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
                         "mapped dimension")
    return sizes[0], dims, flat, spec


def run(
    func: Any, name: str, size: int, dims: list[int | None], flat: list[Any], spec: TreeSpec, out_dims: Any, randomness: str, kwargs: Any,
    tangents: bool = False,
) -> Any:
    """Run the function once, inside of a level of its own; ``tangents``: see :class:`Level`."""
    running = levels()
    level = Level(len(running) + 1, size, randomness, tangents)
    running.append(level)
    watch_functions(1)
    try:
        inputs = [x if d is None else x._add_batch_dim(in_dim=d, vmap_level=level.number) if opens_itself(x)
                  else batched(x, level.number, d) for x, d in zip(flat, dims, strict=True)]
        found = func(*tree_unflatten(inputs, spec), **kwargs)
        return outputs_of(name, found, out_dims, level)
    finally:
        watch_functions(-1)
        running.pop()


def out_dims_of(name: str, out_dims: Any, spec: TreeSpec) -> list[Any]:
    """Return the place of the batch's dimension in each result."""
    dims = broadcast_prefix(out_dims, spec)
    if dims is None and spec.is_leaf() and isinstance(out_dims, tuple) and len(out_dims) == 1:      # of one result, not in a tuple
        dims = list(out_dims)
    if dims is None:
        raise ValueError(f"[vmap] vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of "
                         f"`outputs`. out_dims has structure {tree_flatten(out_dims)[1]} but outputs has structure {spec}.")
    for d in dims:
        if d is not None and not isinstance(d, int):
            raise ValueError(f"[vmap] vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of "
                             "ints representing where in the outputs the vmapped dimension should appear.")
    return dims


def outputs_of(name: str, found: Any, out_dims: Any, level: Level) -> Any:
    """Take the results out of the level, with the batch's dimension where out_dims wants it."""
    flat, spec = tree_flatten(found, opens_itself)
    dims = out_dims_of(name, out_dims, spec)
    results = []
    for x, d in zip(flat, dims, strict=True):
        if opens_itself(x):
            results.append(x._maybe_remove_batch_dim(name, vmap_level=level.number, batch_size=level.size, out_dim=d))
            continue
        if d is None:
            if at(x, level.number):
                raise ValueError(f"[vmap] vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
            results.append(x)
            continue
        if not isinstance(x, Tensor):
            raise ValueError(f"[vmap] vmap({name}, ...): `{name}` must only return Tensors, got type {type(x)}. Did you mean to set "
                             "out_dims= to None for output?")
        value = x._value if at(x, level.number) else x.expand((level.size, *x.shape))
        results.append(value.movedim(0, d) if d else value)
    return tree_unflatten(results, spec)


def joined(name: str, parts: list[Any], out_dims: Any) -> Any:
    """Put the results of chunks together."""
    flats = [tree_flatten(p) for p in parts]
    spec = flats[0][1]
    dims = out_dims_of(name, out_dims, spec)
    columns = zip(*[flat for flat, _ in flats], strict=True)
    return tree_unflatten([c[0] if d is None else ops.cat(list(c), d) for c, d in zip(columns, dims, strict=True)], spec)


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """Return the batch behind a tensor inside of vmap (of all levels, or of the innermost), for looking at it.

    >>> import taeda
    >>> def f(x):
    ...     print(x.shape, taeda.func.debug_unwrap(x).shape)
    ...     return x
    >>> _ = taeda.vmap(f)(taeda.ones(2, 3))
    taeda.Size([3]) taeda.Size([2, 3])
    """
    if not isinstance(tensor, BatchedTensor):
        return tensor
    value = origin_of(tensor)[0]
    return debug_unwrap(value) if recurse else value
