"""Transforms that differentiate: grad, vjp, jvp, and Jacobians made of them with vmap."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from taeda import ops
from taeda.autograd import dual, forward_ad
from taeda.autograd.engine import reaches_others
from taeda.autograd.function import keep_for_tangents
from taeda.autograd.grad_mode import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad
from taeda.autograd.graph import saved_tensors_hooks
from taeda.autograd.saved import ChangedInPlace
from taeda.func.batched import Level, NotForBatches, differentiating, is_batch_of, levels, loop
from taeda.func.pytree import TreeSpec, tree_flatten, tree_map, tree_unflatten
from taeda.func.tape import Tape, cut
from taeda.func.vmap import run, vmap
from taeda.random import get_rng_state, set_rng_state
from taeda.tensor import Tensor

Argnums = int | tuple[int, ...]


def _positions(op: str, argnums: Any, count: int) -> list[int]:
    """Return argnums as positions counted from the front; RuntimeError for what is none."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"[{op}] argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    given = (argnums,) if isinstance(argnums, int) else argnums
    if not given:
        raise RuntimeError(f"[{op}] argnums must be non-empty")
    found = []
    for a in given:
        if not isinstance(a, int):
            raise RuntimeError(f"[{op}] argnums elements must be int, got {type(a)}")
        if not -count <= a < count:
            raise RuntimeError(f"[{op}] Got argnum={a}, but only {count} positional inputs")
        found.append(a % count)
    if len(set(found)) != len(found):
        raise RuntimeError(f"[{op}] argnums elements must be unique, got {argnums}")
    return found


def _partial(func: Callable[..., Any], args: tuple[Any, ...], at: list[int], kwargs: Any) -> Callable[..., Any]:
    """Return the function of the arguments at the given positions alone."""

    def of(*chosen: Any) -> Any:
        full = list(args)
        for i, x in zip(at, chosen, strict=True):
            full[i] = x
        return func(*full, **kwargs)

    return of


def _split_aux(op: str, found: Any, has_aux: bool) -> tuple[Any, Any]:
    if not has_aux:
        return found, None
    if not (isinstance(found, tuple) and len(found) == 2):
        raise RuntimeError(f"[{op}] output of function f should be a tuple: (output, aux) if has_aux is True")
    return found


def _leave(tape: Tape, aux: Any) -> Any:
    """Return auxiliary results, which must be tensors, as those outside see them."""
    return tree_map(tape.out, _only_tensors(aux))


def _only_tensors(tree: Any) -> Any:
    for x in tree_flatten(tree)[0]:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"[func] Expected tensors, got unsupported type {type(x)}")
    return tree


def _check_outputs(op: str, flat: list[Any], call: str = "") -> None:
    """Raise RuntimeError for results that are no tensors; also for none at all where the ``call`` is told."""
    if call and not flat:
        raise RuntimeError(f"[{op}] {call}: Expected f to be a function that has non-empty output")
    for y in flat:
        if not isinstance(y, Tensor):
            raise RuntimeError(f"[{op}] expected f(*primals) to return only tensors, got unsupported type {type(y)}")


def _without_inference(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a transform outside of inference mode, which keeps no graphs; to others than itself its results have no history."""
    with inference_mode(False), no_grad():
        return call(*args, **kwargs)


def _or_by_sample(op: str, argnums: Argnums, transform: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return ``transform(*args, **kwargs)``, which makes batches of inputs that are none inside of vmap.

    A function that asks for what a batch has not, the value of such an input, or writes it into a tensor of its own, runs once for each
    sample instead, on inputs that are no batches; not if it knows of a batch besides its arguments, or draws for each sample.
    """
    level = levels()[-1] if levels() else None
    inputs = [] if level is None else tree_flatten(tuple(args[i] for i in _positions(op, argnums, len(args))))[0]
    if level is None or level.tangents or level.randomness == "different" or all(is_batch_of(x, level.number) for x in inputs):
        return transform(*args, **kwargs)
    state = get_rng_state() if level.randomness == "same" else None
    try:
        return transform(*args, **kwargs)
    except NotForBatches as error:
        again = _BySample(transform, level, error, state)
        level.tangents = True
        try:
            return loop(again, level.number, args, kwargs)
        finally:
            level.tangents = False


class _BySample:
    """A transform as the loop over samples calls it: what it returns must not be a batch."""

    __name__ = "grad"

    def __init__(self, transform: Callable[..., Any], level: Level, error: Exception, state: Any) -> None:
        self.transform, self.level, self.error, self.state = transform, level, error, state

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.state is not None:
            set_rng_state(self.state)
        found = self.transform(*args, **kwargs)
        if any(is_batch_of(x, self.level.number) for x in tree_flatten(found)[0]):
            raise self.error
        return found


def _copied(x: Any) -> Any:
    return x.clone() if isinstance(x, Tensor) else x


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes ``(gradient, value)`` of ``func``, or ``(gradient, (value, aux))``.

    >>> import taeda
    >>> taeda.func.grad_and_value(lambda x: x**3)(taeda.tensor(2.0))
    (tensor(12.), tensor(8.))
    """

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if is_inference_mode_enabled():
            return _without_inference(_or_by_sample, "grad", argnums, both, args, kwargs)
        return _or_by_sample("grad", argnums, both, args, kwargs)

    def both(*args: Any, **kwargs: Any) -> Any:
        at = _positions("grad", argnums, len(args))
        flat, spec = tree_flatten(tuple(args[i] for i in at))
        tape = Tape(flat)
        with differentiating(enable_grad(), backward=True):
            found = _partial(func, args, at, kwargs)(*tree_unflatten(tape.inputs, spec))
            value, aux = _split_aux("grad_and_value(f)(*args)", found, has_aux)
            if not isinstance(value, Tensor):
                raise RuntimeError(f"[grad] grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(value)}")
            if value.dim() != 0:
                raise RuntimeError(f"[grad] grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                                   f"{value.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?")
            if value.is_complex():
                raise RuntimeError(f"[grad] grad can be implicitly created only for real scalar outputs but got {value.dtype}")
            grads = tape.pull([value], [ops.ones_like(value)], False)
            value, aux = tape.out(value), _leave(tape, aux) if has_aux else None
            tape.close()
        result = tree_unflatten(grads, spec)
        return (result[0] if isinstance(argnums, int) else result), ((value, aux) if has_aux else value)

    return wrapped


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the gradient of ``func``, which returns a scalar.

    Args:
        func: returns a 0-d tensor, or ``(tensor, aux)`` with has_aux.
        argnums: the positional arguments to differentiate with regard to: a number, or a tuple for a tuple of gradients.
        has_aux: whether ``func`` returns more that is passed through.

    Raises:
        RuntimeError: ``func`` returns no scalar tensor.
        ValueError: an argument to differentiate with regard to is not a tensor.

    >>> import taeda
    >>> from taeda.func import grad
    >>> grad(taeda.sin)(taeda.tensor(0.0)), grad(grad(taeda.sin))(taeda.tensor(0.0))
    (tensor(1.), tensor(-0.))
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        g, value = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return wrapped


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return ``(output, vjp_fn)``: ``vjp_fn(cotangents)`` gives the tuple of the primals' cotangents.

    >>> import taeda
    >>> y, pull = taeda.func.vjp(taeda.square, taeda.tensor([1.0, 2.0]))
    >>> pull(taeda.ones(2))
    (tensor([2., 4.]),)
    """
    if is_inference_mode_enabled():
        return _without_inference(vjp, func, *primals, has_aux=has_aux)
    flat, spec = tree_flatten(primals)
    recorded = is_grad_enabled()
    with differentiating(enable_grad(), backward=True):
        tape = Tape(flat, recorded)                    # of a pass that may be asked for where gradients are on again
        found = func(*tree_unflatten(tape.inputs, spec))
        value, aux = _split_aux("vjp(f, *primals)", found, has_aux)
        outputs, out_spec = tree_flatten(value)
        _check_outputs("vjp", outputs, "vjp(f, *primals)")
        result = tree_unflatten([tape.out(y) for y in outputs], out_spec)
        aux = _leave(tape, aux) if has_aux else None
        tape.close()

    def pull(cotangents: Any) -> Any:
        given, given_spec = tree_flatten(cotangents)
        if given_spec != out_spec:
            raise RuntimeError("[vjp] Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                               f"function. cotangents: {given_spec}, primal output: {out_spec}")
        for i, (y, g) in enumerate(zip(outputs, given, strict=True)):
            if not isinstance(g, Tensor):
                raise RuntimeError(f"[vjp] expected the cotangents to be tensors, got unsupported type {type(g)}")
            if g.shape != y.shape:
                raise RuntimeError(f"[vjp] Mismatch in shape: grad_output[{i}] has a shape of {tuple(g.shape)} and output[{i}] has a shape "
                                   f"of {tuple(y.shape)}.")
        recording = is_grad_enabled()
        with enable_grad():
            found = tape.pull(outputs, given, recording)
        return tree_unflatten(found if recording else [cut(g) for g in found], spec)

    # no function here refers to itself: the graph would live until the collector finds it
    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        return _without_inference(lambda: pull(tree_map(_copied, cotangents))) if is_inference_mode_enabled() else pull(cotangents)

    return (result, vjp_fn, aux) if has_aux else (result, vjp_fn)


def _same_structure(op: str, primals: Any, tangents: Any) -> tuple[list[Any], list[Any], TreeSpec]:
    """Flatten primals and tangents; RuntimeError where their structure, sizes or types differ."""
    flat, spec = tree_flatten(primals)
    along, along_spec = tree_flatten(tangents)
    if spec != along_spec:
        raise RuntimeError(f"[{op}] {op}(f, primals, tangents): Expected primals and tangents to have the same python structure. For "
                           f"example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with structure {spec} and "
                           f"tangents with structure {along_spec}")
    if not flat:
        raise RuntimeError(f"[{op}] {op}(f, primals, tangents): Expected primals to contain at least one Tensor.")
    for x, t in zip(flat, along, strict=True):
        for y, what in ((x, "primals"), (t, "tangents")):
            if not isinstance(y, Tensor):
                raise RuntimeError(f"[{op}] {op}(f, primals, tangents): Expected {what} to only contain Tensors, got unsupported type "
                                   f"{type(y)}")
        if x.shape != t.shape:
            raise RuntimeError(f"[{op}] Trying to set a forward gradient that has a different size than that of the original Tensor, "
                               f"this is not supported. Tensor is of size {list(x.shape)} while the given forward gradient is of size "
                               f"{list(t.shape)}.")
    return flat, along, spec


def _independent(strict: bool) -> None:
    if strict:
        raise RuntimeError("[jvp] jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not "
                           "allowed with strict=True.")


def _without_inner(x: Any) -> Any:
    """Return a tensor (or None) without a history that only leads into transforms that are over."""
    return x if x is None or not x.requires_grad or reaches_others([x], []) else x.detach()


def _travelling(
    func: Callable[..., Any], flat: list[Any], along: list[Any], spec: TreeSpec, has_aux: bool, strict: bool,
) -> tuple[Any, ...]:
    """Return what :func:`jvp` does, by tangents that go along with the function: nothing of its graph is kept."""
    with differentiating(forward_ad.dual_level()):
        duals = [forward_ad.make_dual(x, t) for x, t in zip(flat, along, strict=True)]
        value, aux = _split_aux("jvp(f, primals, tangents)", func(*tree_unflatten(duals, spec)), has_aux)
        outputs, out_spec = tree_flatten(value)
        _check_outputs("jvp", outputs, "jvp(f, primals, tangents)")
        pairs = [tuple(map(_without_inner, forward_ad.unpack_dual(y))) for y in outputs]
        if has_aux:
            aux = _only_tensors(aux)
    if any(t is None for _, t in pairs):
        _independent(strict)
    found = [ops.zeros_like(y) if t is None else t for y, t in pairs]
    result = tree_unflatten([y for y, _ in pairs], out_spec), tree_unflatten(found, out_spec)
    return (*result, aux) if has_aux else result


def _itself(x: Any) -> Any:
    return x


def _transposed(
    func: Callable[..., Any], flat: list[Any], along: list[Any], spec: TreeSpec, has_aux: bool, strict: bool, copies: bool = False,
) -> tuple[Any, ...]:
    """Return what :func:`jvp` does, from the graph: the pass of a cotangent is linear in it, with the Jacobian's transpose.

    The derivative of that pass is the product wanted.  It takes tangents in batches, and nests with itself.  A function that writes
    over what its graph needs, as tangents that go along with it allow, runs once more, on a graph that keeps copies.
    """
    tape = Tape(flat, writable=True)
    state = get_rng_state()
    with differentiating(enable_grad()), keep_for_tangents():
        with saved_tensors_hooks(Tensor.clone, _itself) if copies else contextlib.nullcontext():
            found = func(*tree_unflatten(tape.inputs, spec))
        value, aux = _split_aux("jvp(f, primals, tangents)", found, has_aux)
        outputs, out_spec = tree_flatten(value)
        _check_outputs("jvp", outputs, "jvp(f, primals, tangents)")
        if any(not y.requires_grad for y in outputs):
            _independent(strict)
        try:
            tape.prepare_push(outputs)
            found = tape.push(along, tape.outer)
        except ChangedInPlace:
            if copies:
                raise
            copies = True
        else:
            result = tree_unflatten([tape.out(y) for y in outputs], out_spec), tree_unflatten(found, out_spec)
            aux = _leave(tape, aux) if has_aux else None
            tape.close()
            return (*result, aux) if has_aux else result
        tape.close()
    set_rng_state(state)
    return _transposed(func, flat, along, spec, has_aux, strict, copies)


def _in_batches(
    func: Callable[..., Any], flat: list[Any], along: list[Any], spec: TreeSpec, has_aux: bool, strict: bool,
) -> tuple[Any, ...]:
    """Return what :func:`_transposed` does inside of vmap, where it makes batches of the primals too.

    A function that goes by their values runs once more, on primals that are no batches, if no result of it is one.
    """
    state = get_rng_state() if any(level.randomness != "error" for level in levels()) else None
    try:
        return _transposed(func, flat, along, spec, has_aux, strict)
    except NotForBatches:
        alone = [level for level in levels() if not level.tangents and not any(is_batch_of(x, level.number) for x in flat)]
        if not alone:
            raise
        if state is not None:
            set_rng_state(state)
        for level in alone:
            level.tangents = True
        try:
            found = _transposed(func, flat, along, spec, has_aux, strict)
        finally:
            for level in alone:
                level.tangents = False
        if any(is_batch_of(y, level.number) for y in tree_flatten(found[0])[0] for level in alone):
            raise
        return found


def jvp(
    func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, strict: bool = False, has_aux: bool = False,
) -> tuple[Any, ...]:
    """Return ``(output, tangent)``: the Jacobian at the primals times the tangents.

    ``strict``: an output that does not depend on the inputs raises RuntimeError; its tangent is zero otherwise.

    >>> import taeda
    >>> taeda.func.jvp(taeda.square, (taeda.tensor(3.0),), (taeda.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError("[jvp] jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    flat, along, spec = _same_structure("jvp", primals, tangents)
    # one level of tangents can be open; inside of vmap a tangent may be a batch where its primal is none
    way = _in_batches if levels() else _transposed if dual.current_level() or dual.is_asleep() else _travelling
    if not is_inference_mode_enabled():
        return way(func, flat, along, spec, has_aux, strict)
    with inference_mode(False):                      # which keeps neither tangents nor graphs
        flat, along = ([x.clone() if x.is_inference() else x for x in xs] for xs in (flat, along))
        return way(func, flat, along, spec, has_aux, strict)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """Return ``(output, jvp_fn)``: ``jvp_fn(*tangents)`` is the jvp at the primals, without running ``func`` again.

    >>> import taeda
    >>> y, push = taeda.func.linearize(taeda.square, taeda.tensor(3.0))
    >>> push(taeda.tensor(2.0))
    tensor(12.)
    """
    if is_inference_mode_enabled():
        return _without_inference(linearize, func, *primals)
    flat, spec = tree_flatten(primals)
    tape = Tape(flat)
    with differentiating(enable_grad()), keep_for_tangents(keep=True):
        outputs, out_spec = tree_flatten(func(*tree_unflatten(tape.inputs, spec)))
        _check_outputs("linearize", outputs)
        tape.prepare_push(outputs)
        result = tree_unflatten([tape.out(y) for y in outputs], out_spec)
        tape.close()

    def push(tangents: tuple[Any, ...]) -> Any:
        along = _same_structure("linearize", primals, tangents)[1]
        recording = is_grad_enabled()
        with enable_grad():
            return tree_unflatten(tape.push(along, recording), out_spec)

    def jvp_fn(*tangents: Any) -> Any:
        return _without_inference(lambda: push(tree_map(_copied, tangents))) if is_inference_mode_enabled() else push(tangents)

    return result, jvp_fn


def _check_real(op: str, what: str, xs: list[Any]) -> None:
    """Raise RuntimeError for complex tensors, of which it is not said which derivative a Jacobian holds."""
    for x in xs:
        if isinstance(x, Tensor) and x.is_complex():
            raise RuntimeError(f"[{op}] {op}: Expected all {what} to be real but received complex tensor of dtype {x.dtype}; "
                               "view_as_real tells the parts apart")


def _unit_rows(xs: list[Any]) -> tuple[list[Any], int]:
    """Return, for each tensor, its part of the identity matrix of them all: (total, *shape)."""
    total = sum(x.numel() for x in xs)
    rows, start = [], 0
    for x in xs:
        eye = ops.zeros(total, x.numel(), dtype=x.dtype if x.is_floating_point() or x.is_complex() else None, device=x.device)
        eye.narrow(0, start, x.numel()).diagonal().fill_(1)
        rows.append(eye.reshape((total, *x.shape)))
        start += x.numel()
    return rows, total


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of ``func`` by cotangents: of shape (*output, *input) for each pair.

    ``chunk_size``: how many rows are computed at once; None for all.

    >>> import taeda
    >>> taeda.func.jacrev(taeda.square)(taeda.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size < 1:
        raise ValueError("[jacrev] jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return _or_by_sample("jacrev", argnums, jacobian, args, kwargs)

    def jacobian(*args: Any, **kwargs: Any) -> Any:
        at = _positions("jacrev", argnums, len(args))
        chosen = tuple(args[i] for i in at)
        _check_real("jacrev", "inputs", tree_flatten(chosen)[0])
        result = vjp(_partial(func, args, at, kwargs), *chosen, has_aux=has_aux)
        outputs, out_spec = tree_flatten(result[0])
        _check_real("jacrev", "outputs", outputs)
        basis, total = _unit_rows(outputs)
        rows = vmap(lambda *g: result[1](tree_unflatten(g, out_spec)), chunk_size=chunk_size)(*basis) if total else None
        columns, spec = tree_flatten(chosen if rows is None else rows)
        if rows is None:
            columns = [x.new_zeros((0, *x.shape)) for x in columns]
        per_output = []
        start = 0
        for y in outputs:
            n = y.numel()
            parts = [c.narrow(0, start, n).reshape((*y.shape, *c.shape[1:])) for c in columns]
            tree = tree_unflatten(parts, spec)
            per_output.append(tree[0] if isinstance(argnums, int) else tree)
            start += n
        found = tree_unflatten(per_output, out_spec)
        return (found, result[2]) if has_aux else found

    return wrapped


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error",
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of ``func`` by tangents: of shape (*output, *input) for each pair.

    >>> import taeda
    >>> taeda.func.jacfwd(taeda.square)(taeda.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        at = _positions("jacfwd", argnums, len(args))
        chosen = tuple(args[i] for i in at)
        of = _partial(func, args, at, kwargs)
        inputs, spec = tree_flatten(chosen)
        for x in inputs:
            if not isinstance(x, Tensor):
                raise ValueError(f"[jacfwd] Thing passed to transform API must be Tensor, got {type(x)}")
        _check_real("jacfwd", "inputs", inputs)
        basis, total = _unit_rows(inputs)

        def push(*tangents: Any) -> Any:
            result = jvp(of, chosen, tree_unflatten(tangents, spec), has_aux=has_aux)
            _check_real("jacfwd", "outputs", tree_flatten(result[0])[0])
            return result[1:] if has_aux else result[1]

        basis, rows = tree_flatten(tuple(basis))
        pushed = functools.partial(run, push, "jacfwd", total, [0] * len(basis), basis, rows, (-1, 0) if has_aux else -1, randomness, {})
        # The function runs once, on the primals alone, unless it draws for each tangent.
        found = pushed(tangents=randomness != "different")
        aux = None
        if has_aux:
            found, aux = found
            aux = tree_map(lambda a: a[0], aux)          # the function ran once for each tangent, on the same primals
        if levels():                                     # each sample's Jacobian in one piece of memory, as PyTorch's lie
            found = tree_map(lambda y: y.movedim(-1, 0).contiguous().movedim(0, -1), found)

        def by_input(columns: Any) -> Any:
            parts, start = [], 0
            for x in inputs:
                parts.append(columns.narrow(-1, start, x.numel()).reshape((*columns.shape[:-1], *x.shape)))
                start += x.numel()
            tree = tree_unflatten(parts, spec)
            return tree[0] if isinstance(argnums, int) else tree

        found = tree_map(by_input, found)
        return (found, aux) if has_aux else found

    return wrapped


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return a function that computes the second derivatives of ``func``: the Jacobian by tangents of that by cotangents.

    >>> import taeda
    >>> taeda.func.hessian(lambda x: (x**3).sum())(taeda.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """Return a function with the results of ``func``.  taeda does not trace programs, so there is nothing to take out of them.

    >>> import taeda
    >>> taeda.func.functionalize(lambda x: x.clone().add_(1))(taeda.zeros(2))
    tensor([1., 1.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(f"[functionalize] functionalize(f, remove='mutations'): received invalid argument for remove={remove}. Valid "
                           "options are: remove='mutations', remove='mutations_and_views'")

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return wrapped
