"""Random functions under vmap: refused, or the same draw for all samples, or one for each.

They have to be noticed without a batch among their arguments too, so each of them is watched while a vmap is running.
"""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda._override import call_overrides, overloaded_args
from taeda.func.batched import (
    Again,
    BatchedTensor,
    Outside,
    at,
    batched,
    deepest,
    levels,
    loop,
    loop_in_place,
    outside,
    size_of,
    value_at,
)
from taeda.func.rules_shape import sizes_of
from taeda.tensor import Tensor

ERROR = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness flags on "
    "vmap or perform the randomness operation out of vmap"
)
SAME = "Vmap does not currently support same randomness with a batched tensor input; draw outside of vmap"
UNBATCHED = (
    "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same randomness. If this is "
    "necessary for your usage, use an out-of-place function, or a batched tensor"
)
SIZED = ("rand", "randn")
FACTORIES = (*SIZED, "randint", "randperm")
LIKE = ("rand_like", "randn_like", "randint_like")
POINTWISE = (
    "bernoulli", "normal", "poisson", "multinomial", "dropout", "alpha_dropout", "binomial", "_standard_gamma", "_sample_dirichlet",
)
BY_CHANNEL = ("feature_dropout", "feature_alpha_dropout")
DIFFERENTIABLE = ("alpha_dropout", "feature_alpha_dropout", "_standard_gamma")      # in more than a factor
IN_PLACE = (
    "uniform_", "normal_", "bernoulli_", "exponential_", "cauchy_", "log_normal_", "geometric_", "random_", "dropout_", "feature_dropout_",
)


def watch() -> None:
    """Let the random functions ask here first."""
    for name in (*FACTORIES, *LIKE, *POINTWISE, *BY_CHANNEL, *IN_PLACE):
        for place in (ops.PUBLIC, ops.METHODS, vars(ops)):
            function = place.get(name)
            if function is not None:
                function.watcher = draw


def draw(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a random function, by the innermost level's rule where a vmap is running."""
    running = levels()
    if not running:
        over = overloaded_args((*args, *kwargs.values()))
        return call_overrides(function, function.function, over, args, kwargs) if over else function.function(*args, **kwargs)
    name, level = function.__name__, running[-1].number
    if name in (*POINTWISE, *BY_CHANNEL) and "dropout" in name and not drops(args, kwargs):
        return args[0]
    if running[-1].randomness == "error":
        raise RuntimeError(f"[{name}] {ERROR}")
    if running[-1].randomness == "same":
        return same(function, level, args, kwargs)
    return different(function, level, args, kwargs)


def drops(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a dropout draws at all."""
    p = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
    training = args[2] if len(args) > 2 else kwargs.get("training", True)
    return bool(training) and p != 0


def same(function: Any, level: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One draw for all samples."""
    name = function.__name__
    if deepest((args, kwargs)) < level:
        return outside(function, args, kwargs)
    x: Any = args[0] if args else None
    alone = of_one_sample(level, args, kwargs) if name not in (*IN_PLACE, "dropout", "feature_dropout") else None
    if alone is not None:
        if name in DIFFERENTIABLE and at(x, level) and x.requires_grad:                  # each sample has a gradient of its own
            return loop(Again(function, kwargs.get("generator")), level, args, kwargs)
        return outside(function, *alone)
    if not at(x, level) or deepest((args[1:], kwargs)) == level:
        raise RuntimeError(f"[{name}] {SAME}")
    first = x._value.select(0, 0)
    if name in IN_PLACE and "dropout" not in name:
        x._value.copy_(outside(function, (ops.empty_like(first), *args[1:]), kwargs).expand(x._value.shape))
        return x
    if name in LIKE:
        return outside(function, (first, *args[1:]), kwargs)
    if "alpha_dropout" in name and name not in IN_PLACE:              # which adds to what it scales
        return loop(Again(function, kwargs.get("generator")), level, args, kwargs)
    if "dropout" in name and name not in IN_PLACE:
        mask = outside(function, (ops.ones_like(first), *args[1:]), kwargs)
        return x * mask
    raise RuntimeError(f"[{name}] {SAME}")


def of_one_sample(level: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Return the arguments without this level's batch where all samples are alike.

    Inputs of a differentiation are given a batch whether or not they have one (`Tape`): one without it is seen here as equal samples.
    """
    if not levels()[-1].lifted:
        return None
    found = {}
    for x in (*args, *kwargs.values()):
        if at(x, level):
            inner, front = x._value, 0
            while type(inner) is BatchedTensor:
                inner, front = inner._value, front + 1
            first = inner.narrow(front, 0, 1)
            if not ops.equal(inner, first.expand(inner.shape)):
                return None
            found[id(x)] = x._value.select(0, 0)
    return tuple(found.get(id(a), a) for a in args), {k: found.get(id(v), v) for k, v in kwargs.items()}


def different(function: Any, level: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A draw for each sample."""
    name = function.__name__
    if name in FACTORIES or (name == "normal" and not any(isinstance(a, Tensor) for a in args)):
        sizes = sizes_of((None, *args), {k: v for k, v in kwargs.items() if k == "size"}) if name in SIZED else None
        if sizes is not None:
            options = {k: v for k, v in kwargs.items() if k != "size"}
            return batched(outside(function, (size_of(level), *sizes), options), level)
        size = kwargs.get("size", args[2] if len(args) == 3 else None) if name == "normal" else None
        if size is not None:                     # in one draw: of 16 numbers and more the stream is another one
            return batched(outside(function, args[:2], {**kwargs, "size": (size_of(level), *size)}), level)
        return batched(ops.stack([outside(function, args, kwargs) for _ in range(size_of(level))]), level)
    if name in IN_PLACE:
        x = args[0]
        if not at(x, level):
            raise RuntimeError(f"[{name}] {UNBATCHED}")
        if name == "bernoulli_" and len(args) > 1 and at(args[1], level) and args[1].ndim <= x.ndim:       # one draw, as without vmap
            p = args[1]._value
            p = p.reshape(p.shape[0], *[1] * (x.ndim - args[1].ndim), *p.shape[1:])
            outside(function, (x._value, p, *args[2:]), kwargs)
            return x
        if deepest((args[1:], kwargs)) == level or name in BY_CHANNEL:
            return loop_in_place(Outside(function), level, args, kwargs)
        outside(function, (x._value, *args[1:]), kwargs)
        return x
    if name in BY_CHANNEL:
        return loop(Outside(function), level, (batched(value_at(args[0], level), level), *args[1:]), kwargs)
    if name == "multinomial":
        return batched(of_rows(function, value_at(args[0] if args else kwargs["input"], level), args[1:], kwargs), level)
    tensors = {id(a): value_at(a, level) for a in args if isinstance(a, Tensor)}
    return batched(outside(function, tuple(tensors.get(id(a), a) for a in args), kwargs), level)


def of_rows(function: Any, p: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Draw from the rows of a batch of matrices: `multinomial` itself takes one matrix, whose rows these become."""
    options = {name: value for name, value in kwargs.items() if name != "input"}
    if p.ndim != 3:
        return outside(function, (p, *args), options)
    drawn = outside(function, (p.flatten(0, 1), *args), options)
    return drawn.unflatten(0, p.shape[:2])
