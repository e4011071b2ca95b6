"""Contractions of any tensors, made of permutations and batched matrix products.

``einsum`` reads its equation into one list of labels per operand and contracts two operands at a time, from left to right:
labels that both have and the result keeps are a batch, labels that both have and nothing else needs are
summed by the product, the rest are rows and columns.  Derivatives come from the parts.  How the result lies in memory is PyTorch's,
for programs take views of it: the parts come in the result's order, and a label of size 1 counts as one of the columns.

What is done depends on equation and sizes alone and is remembered (``_plan``; ``_one`` for one operand without diagonals): a small
product costs no more than its parts.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from taeda.dtype import promote_types
from taeda.operands import need_tensor, wrapped_dim
from taeda.ops.linalg import warn_once
from taeda.ops.matmul import dot, matmul, write_result
from taeda.tensor_base import TensorBase

__all__ = ["chain_matmul", "einsum", "multi_dot", "tensordot"]
PUBLIC = ("einsum", "tensordot", "chain_matmul")
METHODS: dict = {}

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(*args):
    """Sum products of elements over the labels that the result does not have (Einstein's convention).

    ``einsum("ij,jk->ik", a, b)`` names each dimension with a letter; ``...`` stands for dimensions that
    broadcast; a letter twice in one operand takes its diagonal; without ``->`` the result has the letters
    that occur once, in alphabetical order.  ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` says the same with
    numbers.  RuntimeError where the equation and the shapes do not fit.

    >>> import taeda
    >>> taeda.einsum("ii", taeda.eye(3))
    tensor(3.)
    >>> taeda.einsum("bij,bjk->bik", taeda.ones(2, 3, 4), taeda.ones(2, 4, 5)).shape
    taeda.Size([2, 3, 5])
    """
    if not args:
        raise ValueError("[einsum] must specify the equation string and at least one operand, or at least one operand "
                         "and its list of labels")
    if isinstance(args[0], TensorBase):
        equation, operands = _from_lists(args)
    else:
        equation, operands = args[0], args[1:]
        if not isinstance(equation, str):
            raise TypeError(f"[einsum] equation must be a str, not {type(equation).__name__}")
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = operands[0]
    if not operands:
        raise ValueError(f"[einsum] must provide at least one operand; got none for equation '{equation}'")
    for x in operands:
        if not isinstance(x, TensorBase):
            raise TypeError(f"[einsum] operands must be Tensors, not {type(x).__name__}")
    if len(operands) == 1:
        single = _one(equation, operands[0].ndim)
        if single is not None:
            x = operands[0] if single[0] is None else operands[0].permute(single[0])
            return x.sum(single[1]) if single[1] else x
    diagonals, steps, first, order, shape = _plan(equation, tuple([tuple(x.shape) for x in operands]))
    if diagonals:
        operands = list(operands)
        for k, i, j in diagonals:
            operands[k] = operands[k].diagonal(0, i, j)
    y = operands[0]
    for k, step in enumerate(steps, 1):
        y = _multiply(y, operands[k], step)
    if first is not None:
        y = _summed(y, first)
    if order is not None:
        y = y.permute(order)
    return y if shape is None else y.reshape(shape)


def _from_lists(args):
    """Turn operand, labels, operand, labels, ..., [labels of the result] into an equation."""
    operands, lists = list(args[:-1:2] if len(args) % 2 else args[::2]), list(args[1::2])

    def text(labels):
        out = ""
        for n in labels:
            if n is Ellipsis:
                out += "..."
            elif isinstance(n, int) and 0 <= n < len(_LETTERS):
                out += _LETTERS[n]
            else:
                raise ValueError(f"[einsum] expected labels to be Ellipsis or in range [0, 52), but got {n!r}")
        return out

    equation = ",".join(text(labels) for labels in lists)
    if len(args) % 2:
        equation += "->" + text(args[-1])
    return equation, operands


def _tokens(equation, term):
    """Split 'ab...c' into ['a', 'b', None, 'c']; None stands for the ellipsis."""
    out: list[Any] = []
    i = 0
    while i < len(term):
        c = term[i]
        if c == ".":
            if term[i:i + 3] != "..." or None in out:
                raise RuntimeError(f"[einsum] found '.' in '{equation}' that is not part of any ellipsis, or a second one")
            out.append(None)
            i += 3
            continue
        if c == " ":
            i += 1
            continue
        if not (c.isalpha() and c.isascii()):
            raise RuntimeError(f"[einsum] operand subscript must be in [a-zA-Z] but found '{c}' in '{equation}'")
        out.append(c)
        i += 1
    return out


@functools.lru_cache(maxsize=512)
def _parse(equation, ranks):
    """Return the labels of each operand and of the result; dimensions of the ellipsis are negative numbers."""
    left, arrow, right = equation.partition("->")
    terms = [_tokens(equation, term) for term in left.split(",")]
    if len(terms) != len(ranks):
        raise RuntimeError(f"[einsum] the equation '{equation}' has {len(terms)} operands, but {len(ranks)} were given")
    inputs, widest = [], 0
    for number, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        named = sum(t is not None for t in term)
        hidden = rank - named
        if hidden < 0 or (hidden and None not in term):
            raise RuntimeError(f"[einsum] the number of subscripts in the equation ({named}) does not match the number of "
                               f"dimensions ({rank}) of operand {number} in '{equation}'")
        widest = max(widest, hidden if None in term else 0)
        labels: list[Any] = []
        for t in term:
            labels += range(-hidden, 0) if t is None else [t]
        inputs.append(labels)
    ellipsis = list(range(-widest, 0))
    if arrow:
        output: list[Any] = []
        for t in _tokens(equation, right):
            output += ellipsis if t is None else [t]
        known = {t for labels in inputs for t in labels}
        for t in output:
            if output.count(t) > 1 and isinstance(t, str):
                raise RuntimeError(f"[einsum] output subscript {t} appears more than once in the output of '{equation}'")
            if isinstance(t, str) and t not in known:
                raise RuntimeError(f"[einsum] output subscript {t} does not appear in the equation for any input operand: "
                                   f"'{equation}'")
    else:
        letters = [t for term in terms for t in term if t is not None]
        output = ellipsis + sorted(t for t in set(letters) if letters.count(t) == 1)
    return inputs, output, ellipsis


class _Step(NamedTuple):
    """How two operands become factors of a product; None stands for what changes nothing."""

    sum_a: tuple | None                # an order, and the dimensions that are summed then
    sum_b: tuple | None
    swap: bool
    permute_a: tuple[int, ...] | None
    shape_a: Any                       # where nothing is summed, how many dimensions of size 1 are added
    permute_b: tuple[int, ...] | None
    shape_b: Any
    by_elements: bool                  # nothing is summed
    shape: list[int] | None


class _Plan(NamedTuple):
    """All that an equation does with operands of given shapes."""

    diagonals: list                    # operand, and the two dimensions
    steps: list
    first: tuple | None                # of one operand: an order, and the dimensions that are summed then
    order: tuple[int, ...] | None
    shape: list[int] | None            # where dimensions of size 1 are missing, or left over


@functools.lru_cache(maxsize=512)
def _plan(equation, shapes):
    """Check sizes, and plan diagonals, products and the last permutation."""
    inputs, output, _ = _parse(equation, tuple([len(shape) for shape in shapes]))
    diagonals: list = []
    operands = [_diagonals(equation, k, list(inputs[k]), list(shape), diagonals) for k, shape in enumerate(shapes)]
    sizes: dict = {}
    for size in operands:
        for t, n in size.items():
            if sizes.get(t, 1) == 1:
                sizes[t] = n
            elif n not in (1, sizes[t]):
                raise RuntimeError(f"[einsum] operands do not broadcast: subscript {t if isinstance(t, str) else '...'} has size "
                                   f"{sizes[t]} and {n} in '{equation}' with shapes {', '.join(str(shape) for shape in shapes)}")
    # every label has a place: those of the result first, in its order
    order = [*output, *sorted([t for t in sizes if t not in output], key=lambda t: (isinstance(t, int), t))]
    left = {t: sum(size.get(t, 1) != 1 for size in operands) for t in order if t not in output}
    first = None
    x, steps = operands[0], []
    for y in operands[1:]:
        x, step = _step(x, y, order, left)
        steps.append(step)
    if not steps:
        first, x = _sum_first(x, [t for t in x if t not in output], order)
    last = [t for t in output if t in x]
    last += [t for t in x if t not in last]                # of size 1
    return _Plan(diagonals, steps, first, _permutation(x, last), None if last == output else [sizes.get(t, 1) for t in output])


def _diagonals(equation, k, labels, shape, diagonals):
    """The sizes of an operand's labels in the order of its dimensions, after the diagonals of those that occur twice."""
    for t in [t for t in dict.fromkeys(labels) if labels.count(t) > 1]:
        while labels.count(t) > 1:
            i = labels.index(t)
            j = labels.index(t, i + 1)
            if shape[i] != shape[j]:
                raise RuntimeError(f"[einsum] subscript {t} is repeated for operand {k} but the sizes don't match, "
                                   f"{shape[i]} != {shape[j]} in '{equation}'")
            diagonals.append((k, i, j))
            labels.append(labels.pop(i))
            shape.append(shape.pop(i))
            del labels[j - 1], shape[j - 1]
    return dict(zip(labels, shape, strict=True))


def _sum_first(x, gone, order):
    """Plan a sum over labels; the others come in the result's order, as PyTorch's."""
    if not gone:
        return None, x
    labels = list(x)
    kept = [t for t in order if t in x and t not in gone]
    return (_permutation(labels, [*kept, *gone]), list(range(len(kept), len(labels)))), {t: x[t] for t in kept}


def _permutation(labels, wanted):
    labels = list(labels)
    order = tuple([labels.index(t) for t in wanted])
    return None if order == tuple(range(len(order))) else order


def _step(a, b, order, left):
    """Plan the product of two operands; ``left`` counts the operands that still have each label that is summed."""
    summed, alone = [], []
    for t in left:
        if a.get(t, 1) != 1 and b.get(t, 1) != 1:
            left[t] -= 1
            if left[t] == 1:
                summed.append(t)
        elif left[t] == 1:             # nobody else has it: it is summed beforehand
            alone.append(t)
    sum_a, a = _sum_first(a, [t for t in alone if a.get(t, 1) != 1], order)
    sum_b, b = _sum_first(b, [t for t in alone if b.get(t, 1) != 1], order)
    size = {t: b[t] if a.get(t, 1) == 1 and t in b else a.get(t, 1) for t in order}
    if not summed:
        (order_a, shape_a), (order_b, shape_b) = _all_labels(a, order), _all_labels(b, order)
        return size, _Step(sum_a, sum_b, False, order_a, shape_a, order_b, shape_b, True, None)
    kept = [t for t in order if t not in summed and (t not in left or size[t] != 1) and (t in a or t in b)]
    batch = [t for t in kept if a.get(t, 1) != 1 and b.get(t, 1) != 1]
    rows = [t for t in kept if a.get(t, 1) != 1 and t not in batch]
    cols = [t for t in kept if t not in batch and t not in rows]
    others = [i for i, t in enumerate(order) if t not in batch and t not in rows and t not in summed]
    swap = bool(rows and others) and others[-1] < order.index(rows[0])
    if swap:
        a, rows, b, cols = b, cols, a, rows
    labels = batch + rows + cols
    order_a, order_b = batch + [t for t in rows if t in a] + summed, batch + summed + [t for t in cols if t in b]
    ones_a, ones_b = [t for t in a if t not in order_a], [t for t in b if t not in order_b]
    shape_a = shape_b = shape = None
    if not (len(rows) == len(cols) == len(summed) == 1) or len(order_a) + len(order_b) != 2 * len(batch) + 4 or ones_a or ones_b:
        sizes, n = [size[t] for t in batch], math.prod(a[t] for t in summed)
        shape_a, shape_b = [*sizes, math.prod(size[t] for t in rows), n], [*sizes, n, math.prod(size[t] for t in cols)]
        shape = [size[t] for t in labels]
    order_a, order_b = _permutation(a, order_a + ones_a), _permutation(b, order_b + ones_b)
    return {t: size[t] for t in labels}, _Step(sum_a, sum_b, swap, order_a, shape_a, order_b, shape_b, False, shape)


def _all_labels(x, order):
    """Plan a permutation after dimensions of size 1 for the labels that x lacks, and the number of these."""
    labels = [*x, *[t for t in order if t not in x]]
    return _permutation(labels, order), len(labels) - len(x)


def _summed(x, plan):
    """Permute and sum as planned."""
    return (x if plan[0] is None else x.permute(plan[0])).sum(plan[1])


def _with_all(x, order, ones):
    """x with so many dimensions of size 1 more, permuted."""
    for _ in range(ones):
        x = x.unsqueeze(-1)
    return x if order is None else x.permute(order)


def _multiply(a, b, step):
    """Multiply two operands as planned."""
    sum_a, sum_b, swap, permute_a, shape_a, permute_b, shape_b, by_elements, shape = step
    mixed = a.dtype is not b.dtype     # which only products of elements promote
    if sum_a is not None:
        a = _summed(a, sum_a)
    if sum_b is not None:
        b = _summed(b, sum_b)
    if a.dtype is not b.dtype and not mixed:          # one was summed, which makes integers int64
        dtype = promote_types(a.dtype, b.dtype)
        a, b = a.to(dtype), b.to(dtype)
    if by_elements:
        return _with_all(a, permute_a, shape_a) * _with_all(b, permute_b, shape_b)
    if swap:
        a, b = b, a
    if permute_a is not None:
        a = a.permute(permute_a)
    if shape_a is not None:
        a = a.reshape(shape_a)
    if permute_b is not None:
        b = b.permute(permute_b)
    if shape_b is not None:
        b = b.reshape(shape_b)
    y = matmul(a, b)
    return y if shape is None else y.reshape(shape)


@functools.lru_cache(maxsize=512)
def _one(equation, rank):
    """Plan a whole equation of one operand: an order of its dimensions and those that are summed then; None where it takes a diagonal."""
    (labels,), output, _ = _parse(equation, (rank,))
    if len(set(labels)) != rank or {*output} - {*labels}:
        return None
    order = tuple([labels.index(t) for t in [*output, *[t for t in labels if t not in output]]])
    summed = tuple(range(len(output), rank))
    return None if summed and order == tuple(range(rank)) else order, summed


def tensordot(a, b, dims=2, out=None):
    """Sum products over the last ``dims`` dimensions of a and the first of b, or over two lists of dimensions.

    RuntimeError where the sizes of paired dimensions differ.

    >>> import taeda
    >>> taeda.tensordot(taeda.ones(2, 3, 4), taeda.ones(3, 4, 5)).shape
    taeda.Size([2, 5])
    """
    need_tensor("tensordot", "a", a)
    need_tensor("tensordot", "b", b)
    if isinstance(dims, TensorBase):
        dims = dims.tolist()
    if not isinstance(dims, int):
        dims = tuple([d if isinstance(d, int) else tuple(d) for d in dims])
    sum_a, sum_b, order_a, order_b, shape_a, shape_b, shape = _matrices(tuple(a.shape), tuple(b.shape), dims)
    if sum_a or sum_b:                              # a size of 1 broadcasts against the sum of the other
        a = a.sum(sum_a, keepdim=True, dtype=a.dtype) if sum_a else a
        b = b.sum(sum_b, keepdim=True, dtype=b.dtype) if sum_b else b
    a, b = _as_matrix(a, order_a, shape_a), _as_matrix(b, order_b, shape_b)
    y = matmul(a, b) if shape != [] else dot(a.reshape(-1), b.reshape(-1))              # which autocast leaves alone
    return write_result(out, y if shape is None else y.reshape(shape), "tensordot")


@functools.lru_cache(maxsize=512)
def _matrices(sa, sb, dims):
    """Plan a tensordot: dimensions summed beforehand, orders and sizes that make matrices, the result's shape; None changes nothing."""
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"[tensordot] expects dims >= 0, but got dims={dims}")
        if dims > min(len(sa), len(sb)):
            raise RuntimeError(f"[tensordot] expects dims < ndim_a or ndim_b, but got dims={dims} for shapes {sa} and {sb}")
        left, right = list(range(len(sa) - dims, len(sa))), list(range(dims))
    else:
        left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(left) != len(right):
        raise RuntimeError(f"[tensordot] both dimension lists should have same length, got {left} and {right}")
    left, right = _wrapped(left, len(sa)), _wrapped(right, len(sb))
    for i, j in zip(left, right, strict=True):
        if sa[i] != sb[j] and 1 not in (sa[i], sb[j]):
            raise RuntimeError(f"[tensordot] contracted dimensions need to match, but first has size {sa[i]} in dim "
                               f"{i} and second has size {sb[j]} in dim {j}; shapes {sa}, {sb}")
    uneven = [(i, j) for i, j in zip(left, right, strict=True) if sa[i] != sb[j]]
    sum_a, sum_b = [i for i, j in uneven if sb[j] == 1], [j for i, j in uneven if sa[i] == 1]
    keep_a = [d for d in range(len(sa)) if d not in left]
    keep_b = [d for d in range(len(sb)) if d not in right]
    n = math.prod(1 if d in sum_a else sa[d] for d in left)
    rows, cols = [sa[d] for d in keep_a], [sb[d] for d in keep_b]

    def order(wanted):
        return None if wanted == list(range(len(wanted))) else wanted

    return (sum_a, sum_b, order(keep_a + left), order(right + keep_b), None if len(sa) == 2 and len(left) == 1 else (math.prod(rows), n),
            None if len(sb) == 2 and len(right) == 1 else (n, math.prod(cols)), None if len(rows) == len(cols) == 1 else rows + cols)


def _as_matrix(x, order, shape):
    """x with its dimensions in another order, as a matrix; None changes nothing."""
    if order is not None:
        x = x.permute(order)
    return x if shape is None else x.reshape(shape)


def _wrapped(dims, rank):
    if dims and rank == 0:
        raise IndexError(f"[tensordot] Dimension specified as {dims[0]} but tensor has no dimensions")
    out = [wrapped_dim("tensordot", d, rank) for d in dims]
    if len(set(out)) != len(out):
        raise RuntimeError(f"[tensordot] a dimension appears more than once in {dims}")
    return out


def multi_dot(tensors, *, out=None):
    """Multiply a chain of matrices in the order that needs the fewest multiplications.

    The first and the last may be vectors.  Source: the matrix chain ordering of Cormen et al., Introduction
    to Algorithms, section 15.2.

    >>> import taeda
    >>> taeda.ops.multi_dot([taeda.ones(2, 3), taeda.ones(3, 4), taeda.ones(4, 1)]).shape
    taeda.Size([2, 1])
    """
    chain = list(tensors)
    if len(chain) < 2:
        raise RuntimeError(f"[multi_dot] expected at least 2 tensors but got {len(chain)}")
    for x in chain:
        if not isinstance(x, TensorBase):
            raise TypeError(f"[multi_dot] argument 'tensors' must be tuple of Tensors, but found {type(x).__name__}")
    order, row, col = _chain(tuple([x.shape for x in chain]))
    if row:
        chain[0] = chain[0].unsqueeze(0)
    if col:
        chain[-1] = chain[-1].unsqueeze(1)
    y = _in_order(chain, order)
    if row:
        y = y.squeeze(0)
    if col:
        y = y.squeeze(-1)
    return write_result(out, y, "multi_dot")


@functools.lru_cache(maxsize=512)
def _chain(shapes):
    """The cheapest order of a chain, a number or a pair of two orders that are multiplied, and whether it begins and ends with a vector."""
    row, col = len(shapes[0]) == 1, len(shapes[-1]) == 1
    whole = [tuple(shape) for shape in shapes]
    if row:
        whole[0] = (1, *whole[0])
    if col:
        whole[-1] = (*whole[-1], 1)
    for k, shape in enumerate(whole):
        if len(shape) != 2:
            raise RuntimeError(f"[multi_dot] tensor {k} must be 2D, got shape {shape}")
        if k and whole[k - 1][1] != shape[0]:
            raise RuntimeError(f"[multi_dot] tensors {k - 1} and {k} with shapes {whole[k - 1]} and {shape} cannot be multiplied")
    n, sizes = len(whole), [shape[0] for shape in whole] + [whole[-1][1]]
    cost = [[0] * n for _ in range(n)]
    order: list[list[Any]] = [[k] * n for k in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], k = min((cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))
            order[i][j] = order[i][k], order[k + 1][j]
    return order[0][n - 1], row, col


def _in_order(chain, order):
    return chain[order] if isinstance(order, int) else matmul(_in_order(chain, order[0]), _in_order(chain, order[1]))


def chain_matmul(*matrices, out=None):
    """Multiply two or more matrices in the cheapest order; the former interface of :func:`taeda.linalg.multi_dot`.

    Raises RuntimeError for what is not a matrix.
    """
    warn_once("chain_matmul", "taeda.chain_matmul is deprecated and will be removed in a future release; use taeda.linalg.multi_dot, which "
              "takes a list of tensors", 2)
    for k, x in enumerate(matrices):
        if not isinstance(x, TensorBase) or x.ndim != 2:
            raise RuntimeError(f"[chain_matmul] Tensor {k} must be a 2-D tensor")
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices, out=out)
