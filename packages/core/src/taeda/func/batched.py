"""BatchedTensor: what a function under ``vmap`` sees in place of a batch, and how its calls find a rule.

A BatchedTensor looks like one sample: its sizes, strides and dtype are those of a sample, and it has no data.  The batch
is in ``_value``, dimension 0 first; with vmap inside vmap the value is itself a BatchedTensor of an outer level.
It takes over every call through ``__torch_function__``:

a. The innermost level among the arguments goes first; its rule calls the same function on the values.
b. Random functions follow the level's ``randomness`` (rules_random).
c. A function without a rule is tried as what it is made of, since most compose others.  Kernels refuse stand-ins, so
   nothing wrong can come of it; where one does, the function runs once per sample and the results are stacked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from taeda import ops
from taeda.func.pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten
from taeda.generator import default_generator
from taeda.stand_ins import is_stand_in, stand_in
from taeda.tensor import Tensor

RULES: dict[str, Callable[..., Any]] = {}        # name of a function -> rule(function, level, args, kwargs)

ITEM = (
    "[item] vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, please "
    "try to rewrite what you're doing with other operations."
)
FLOW = (
    "[bool] vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet; "
    "use taeda.where, or take the condition out of the function."
)

# Results whose shape depends on the data, and answers that would be one for each sample.
DYNAMIC = {"nonzero", "unique", "unique_consecutive"}
ANSWERS = {"allclose", "equal", "is_nonzero"}


class NotForBatches(RuntimeError):
    """A batch was asked for what one sample alone has: its value, as a number or a condition, or as many elements as its values say."""


class SharedTarget(NotForBatches):
    """A batch was to be written into a tensor that is the same for all samples."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"[{name}] vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args "
            "that has more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in "
            "a vmap. Please try to use out-of-place operators instead of inplace arithmetic.")


for _kind in (NotForBatches, SharedTarget):
    _kind.__name__ = _kind.__qualname__ = "RuntimeError"                 # what users see, as of PyTorch


class Level:
    """One vmap that is running: its number (1 is the outermost), the size of its batch, what random functions do.

    ``tangents``: only tangents are batches of it, and no function that is differentiated meets one.
    ``lifted``: an input without a batch of it was given one to differentiate by (`Tape`).
    """

    def __init__(self, number: int, size: int, randomness: str, tangents: bool = False) -> None:
        self.number, self.size, self.randomness, self.tangents = number, size, randomness, tangents
        self.lifted = False


class _Running(threading.local):
    def __init__(self) -> None:
        self.levels: list[Level] = []
        self.tapes: list[int] = []          # of each transform that differentiates: the vmaps around it, if cotangents lead back


_running = _Running()


def levels() -> list[Level]:
    """Return the vmaps that are running in this thread, the innermost last."""
    return _running.levels


@contextmanager
def differentiating(mode: Any, backward: bool = False) -> Iterator[None]:
    """A block, inside of ``mode``, in which a function runs that is being differentiated, ``backward``: by cotangents."""
    _running.tapes.append(len(_running.levels) if backward else 0)
    try:
        with mode:
            yield
    finally:
        _running.tapes.pop()


def differentiates_samples() -> bool:
    """Whether a transform inside of the innermost vmap that is running takes gradients of each sample."""
    return max(_running.tapes, default=0) == len(_running.levels) > 0


def are_active() -> bool:
    """Whether a transform, of any kind, is running a function in this thread."""
    return bool(_running.levels or _running.tapes)


def size_of(level: int) -> int:
    """Return the size of a level's batch."""
    return _running.levels[level - 1].size


class BatchedTensor(Tensor, attributes=False):  # type: ignore[call-arg]
    """A batch of tensors that looks like one of them."""

    _looks_inside = True                # of the functions of nn that are made of others

    _value: Any
    _level: int
    _origin: tuple[Any, int] | None = None      # the tensor that the batch was given as and where its samples lie in it, if not in front

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return call(func, args, kwargs or {})

    def __repr__(self) -> str:
        value, dim = origin_of(self)
        inner = repr(value).replace("\n", "\n    ")
        return f"BatchedTensor(lvl={self._level}, bdim={dim}, value=\n    {inner}\n)"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("[pickle] a tensor inside of vmap cannot be pickled")

    def __deepcopy__(self, memo: Any) -> Any:
        return self.clone()

    # -- autograd follows the batch -----------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        return self._value.requires_grad

    @requires_grad.setter
    def requires_grad(self, on: bool) -> None:
        self.requires_grad_(on)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        raise RuntimeError(
            "[requires_grad_] You are attempting to call Tensor.requires_grad_() (or perhaps using taeda.autograd.functional.* APIs) "
            "inside of a function being transformed by a functorch transform. This is unsupported, please attempt to use the "
            "transforms of taeda.func (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a function being "
            "transformed instead."
        )

    @property
    def grad_fn(self) -> Any:
        return self._value.grad_fn

    @property
    def is_leaf(self) -> bool:
        return self._value.is_leaf

    @property  # type: ignore[misc]
    def grad(self) -> Any:
        return None

    @property  # type: ignore[misc]
    def data(self) -> Any:
        return batched(self._value.data, self._level)

    @property
    def _version(self) -> int:
        return self._value._version

    # -- where it is ------------------------------------------------------------------------------

    @property
    def device(self) -> Any:
        return self._value.device

    @property
    def is_cpu(self) -> bool:
        return self._value.is_cpu

    @property
    def is_meta(self) -> bool:
        return self._value.is_meta

    # -- what asks for data -----------------------------------------------------------------------

    def item(self) -> Any:
        raise NotForBatches(ITEM)

    def __bool__(self) -> bool:
        raise NotForBatches(FLOW)

    is_nonzero = __bool__
    __int__ = __index__ = __float__ = __complex__ = item

    def _no_data(self, *args: Any, **kwargs: Any) -> Any:
        raise NotForBatches("[vmap] Cannot access data pointer of Tensor that doesn't have storage: inside of vmap it stands for a batch")

    tolist = numpy = __array__ = data_ptr = untyped_storage = storage = __dlpack__ = apply_ = map_ = _no_data

    def backward(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("[backward] a tensor inside of vmap has no backward of its own; use taeda.func.grad in the function")


def batched(value: Any, level: int, dim: int = 0) -> Any:
    """Return a batch, whose samples lie along ``dim``, as one tensor of a level."""
    front = value.movedim(dim, 0) if dim else value
    made = Tensor._make_subclass(BatchedTensor, front)
    made._level = level
    become(made, front)
    if dim:
        made._origin = value, dim % value.dim()
    return made


def origin_of(x: Any) -> tuple[Any, int]:
    """Return a batch as the tensor that it was given as, and the dimension along which the samples lie in it."""
    return x._origin or (x._value, 0)


def become(made: Any, value: Any) -> None:
    """Stand for another batch from now on."""
    stand_in(made, value, 0)
    made._value, made._origin = value, None


def at(x: Any, level: int) -> bool:
    """Whether x is a batch of this very level."""
    return type(x) is BatchedTensor and x._level == level


def is_batch_of(x: Any, level: int) -> bool:
    """Whether x is a batch of this level, at its top or below others."""
    while type(x) is BatchedTensor:
        if x._level == level:
            return True
        x = x._value
    return False


def value_at(x: Any, level: int) -> Any:
    """Return the batch of a level with dimension 0 first; what does not vary is expanded."""
    return x._value if at(x, level) else x.expand((size_of(level), *x.shape))


def deepest(tree: Any) -> int:
    """Return the innermost level among the tensors of nested arguments, 0 if there is none."""
    return max((x._level for x in tree_leaves(tree) if type(x) is BatchedTensor), default=0)


def wrap(tree: Any, level: int) -> Any:
    """Return a result of values as a result of the level."""
    if isinstance(tree, Tensor):
        return batched(tree, level)
    return tree_map(lambda x: batched(x, level) if isinstance(x, Tensor) else x, tree)


def call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a function some of whose arguments are batches."""
    level = deepest((args, kwargs))
    name = func.__name__
    if name in DYNAMIC:
        raise NotForBatches(f"[{name}] vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over "
                            f"{name}.")
    if name in ANSWERS:
        raise NotForBatches(f"[{name}] vmap over taeda.{name} isn't supported yet: it has an answer for each sample")
    rule = RULES.get(name)
    if rule is not None and kwargs.get("out") is None:
        found = rule(func, level, args, kwargs)
        if found is not NotImplemented:
            return found
    if writes(name) or kwargs.get("out") is not None:
        return loop_in_place(func, level, args, kwargs)
    found = in_pieces(func, args, kwargs)
    return loop(drawing(func, level, kwargs), level, args, kwargs) if found is NotImplemented else found


def writes(name: str) -> bool:
    """Whether a function of this name writes into its first argument."""
    return name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))


def in_pieces(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the function's own code on the batches: the functions that it calls have rules.  NotImplemented where one has not."""
    inner = getattr(func, "function", None)
    if inner is None:
        return NotImplemented
    try:
        found = inner(*args, **kwargs)
    except Exception:  # whatever is really wrong with the arguments comes up again in the loop
        return NotImplemented
    if any(is_stand_in(x) and type(x) is not BatchedTensor for x in tree_leaves(found)):
        return NotImplemented
    return found


def sample(tree: Any, level: int, i: int) -> Any:
    """Return arguments with sample i in place of each batch of a level."""
    return tree_map(lambda x: x._value.select(0, i) if at(x, level) else x, tree)


def loop(func: Any, level: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a function once per sample and stack what it returns."""
    size = size_of(level)
    if size == 0:
        return empty_result(func, level, args, kwargs)
    runs = []
    for i in range(size):
        part_args, part_kwargs = sample((args, kwargs), level, i)
        runs.append(tree_flatten(func(*part_args, **part_kwargs)))
    columns = zip(*[leaves for leaves, _ in runs], strict=True)
    return tree_unflatten([stacked(func, column, level) for column in columns], runs[0][1])


def outside(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a function as if the innermost vmap were not there."""
    inner = _running.levels.pop()
    _running.tapes.append(0)                 # a transform is still running
    try:
        return function(*args, **kwargs)
    finally:
        _running.tapes.pop()
        _running.levels.append(inner)


class Outside:
    """A function as the level outside of the innermost one calls it."""

    def __init__(self, function: Any) -> None:
        self.function, self.__name__ = function, function.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return outside(self.function, args, kwargs)


class Again(Outside):
    """The same, where every sample draws what the first one did."""

    def __init__(self, function: Any, generator: Any) -> None:
        super().__init__(function)
        self.generator = generator or default_generator
        self.state = self.generator.get_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.generator.set_state(self.state)
        return super().__call__(*args, **kwargs)


def drawing(func: Any, level: int, kwargs: dict[str, Any]) -> Any:
    """Return a function of one sample that may draw: its own numbers or those of all samples, as the vmap wants it."""
    innermost = _running.levels[-1]
    if innermost.number != level or innermost.randomness == "error":           # which is for the draw itself to say
        return func
    return Outside(func) if innermost.randomness == "different" else Again(func, kwargs.get("generator"))


def stacked(func: Any, column: tuple[Any, ...], level: int) -> Any:
    """Return the results of all samples as one; a value that is not a tensor must be the same for all."""
    if not isinstance(column[0], Tensor):
        if any(x != column[0] for x in column):
            raise NotForBatches(f"[{func.__name__}] vmap: the result is no tensor and differs between samples: {column[:3]}")
        return column[0]
    if any(x.shape != column[0].shape for x in column):
        raise NotForBatches(f"[{func.__name__}] vmap: We do not support batching operators that can output dynamic shape. Attempted to "
                            f"vmap over {func.__name__}, whose results have shapes {[tuple(x.shape) for x in column[:3]]}.")
    return batched(ops.stack(list(column)), level)


def empty_result(func: Any, level: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the empty results for a batch without samples, their shapes found with one sample of zeros."""
    part_args, part_kwargs = tree_map(lambda x: x._value.new_zeros(x.shape) if at(x, level) else x, (args, kwargs))
    found = func(*part_args, **part_kwargs)
    return tree_map(lambda x: batched(x.new_empty((0, *x.shape)), level) if isinstance(x, Tensor) else x, found)


def check_target(name: str, target: Any, level: int) -> None:
    """Raise SharedTarget where batches would be written into a tensor that is the same for all samples."""
    if not at(target, level):
        raise SharedTarget(name)


def loop_in_place(func: Any, level: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a function that writes once per sample, each into its own part of the batch."""
    target = kwargs["out"] if kwargs.get("out") is not None else args[0]
    for t in tree_leaves(target):
        check_target(func.__name__, t, level)
    for i in range(size_of(level)):
        part_args, part_kwargs = sample((args, kwargs), level, i)
        func(*part_args, **part_kwargs)
    return None if func.__name__ == "__setitem__" else target
