"""Contractions of any tensors, made of permutations and batched matrix products.

``einsum`` reads its equation into one list of labels per operand and contracts two operands at a time:
labels that both have and the result keeps are a batch, labels that both have and nothing else needs are
summed by the product, the rest are rows and columns.  Derivatives come from the parts.

How two operands are brought together depends on labels and sizes alone and is remembered (``_pairing``), and so is the whole of an
equation of one operand without diagonals (``_one``), or of two without diagonals, sums beforehand or broadcasting (``_two``): a small
product costs no more than its parts.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from taeda._override import is_casting
from taeda.dtype import bool_, promote_types
from taeda.operands import tensor_from
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
    elif len(operands) == 2:
        a, b = operands
        plan = _two(equation, tuple(a.shape), tuple(b.shape)) if a.dtype is b.dtype else None
        if plan is not None:
            y = _multiply(a, b, plan[0])
            return y if plan[1] is None else y.permute(plan[1])
    inputs, output, ellipsis = _parse(equation, tuple([x.ndim for x in operands]))
    return _contract(equation, list(operands), [list(labels) for labels in inputs], output, ellipsis)


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


def _contract(equation, operands, inputs, output, ellipsis):
    """Take diagonals, check sizes, then multiply operands from left to right."""
    sizes: dict = {}
    for k, labels in enumerate(inputs):
        for t in [t for t in dict.fromkeys(labels) if labels.count(t) > 1]:
            while labels.count(t) > 1:
                i = labels.index(t)
                j = labels.index(t, i + 1)
                if operands[k].shape[i] != operands[k].shape[j]:
                    raise RuntimeError(f"[einsum] subscript {t} is repeated for operand {k} but the sizes don't match, "
                                       f"{operands[k].shape[i]} != {operands[k].shape[j]} in '{equation}'")
                operands[k] = operands[k].diagonal(0, i, j)
                del labels[j], labels[i]
                labels.append(t)
        for t, size in zip(labels, operands[k].shape, strict=True):
            if sizes.get(t, 1) == 1:
                sizes[t] = size
            elif size not in (1, sizes[t]):
                shapes = ", ".join(str(tuple(x.shape)) for x in operands)
                raise RuntimeError(f"[einsum] operands do not broadcast: subscript {t if isinstance(t, str) else '...'} has "
                                   f"size {sizes[t]} and {size} in '{equation}' with shapes {shapes}")
    x, labels = operands[0], inputs[0]
    for k in range(1, len(operands)):
        needed = set(output).union(*inputs[k + 1:])
        x, labels = _pair(x, labels, operands[k], inputs[k], needed, output)
    for t in ellipsis:                 # dimensions that no operand has are of size 1
        if t in output and t not in labels:
            x = x.unsqueeze(0)
            labels = [t, *labels]
    x, labels = _sum_out(x, labels, [t for t in labels if t not in output], output)
    return x.permute([labels.index(t) for t in output])


def _pair(a, la, b, lb, needed, output):
    """Contract two operands; return the product and its labels, in the result's order where that is cheap."""
    # labels that only one has and nobody needs are summed first; so are broadcast ones (size 1 on one side)
    a, la = _sum_out(a, la, [t for t in la if t not in lb and t not in needed], output)
    b, lb = _sum_out(b, lb, [t for t in lb if t not in la and t not in needed], output)
    if a.dtype != b.dtype:             # one was summed, which makes integers int64
        a, b = a.to(promote_types(a.dtype, b.dtype)), b.to(promote_types(a.dtype, b.dtype))
    shared = [t for t in la if t in lb]
    for t in shared:
        na, nb = a.shape[la.index(t)], b.shape[lb.index(t)]
        if na != nb and t not in needed:
            if na == 1:
                b, lb = _sum_out(b, lb, [t], output)
            else:
                a, la = _sum_out(a, la, [t], output)
    one_sided = [t for t in shared if t in la and t in lb and a.shape[la.index(t)] != b.shape[lb.index(t)]]
    for t in one_sided:                # a kept label of size 1 on one side broadcasts: drop it there
        if a.shape[la.index(t)] == 1:
            a, la = a.squeeze(la.index(t)), [u for u in la if u != t]
        else:
            b, lb = b.squeeze(lb.index(t)), [u for u in lb if u != t]
    pairing = _pairing(tuple(la), tuple(a.shape), tuple(lb), tuple(b.shape), frozenset(needed), tuple(output))
    return _multiply(a, b, pairing), list(pairing.labels)


class _Pairing(NamedTuple):
    """How two operands become factors of a product; None stands for what changes nothing."""

    swap: bool
    permute_a: tuple[int, ...] | None
    shape_a: list[int] | None
    permute_b: tuple[int, ...] | None
    shape_b: list[int] | None
    by_elements: bool                  # nothing is summed
    outer: bool                        # nor that, but the product is one of columns and rows
    shape: list[int] | None
    labels: tuple


@functools.lru_cache(maxsize=512)
def _pairing(la, sa, lb, sb, needed, output):
    """Plan the product of two operands whose shared labels have the same sizes."""
    batch = [t for t in la if t in lb and t in needed]
    summed = [t for t in la if t in lb and t not in needed]
    rows = [t for t in la if t not in lb]
    cols = [t for t in lb if t not in la]
    size = {**dict(zip(lb, sb, strict=True)), **dict(zip(la, sa, strict=True))}
    place = {t: i for i, t in enumerate(output)}
    # in the result's order, as PyTorch's: a program may take a view of what lies without gaps there
    batch, rows, cols = (sorted(labels, key=lambda t: place.get(t, 99)) for labels in (batch, rows, cols))
    swap = bool(rows and cols) and max(place.get(t, 99) for t in cols) < min(place.get(t, 99) for t in rows)
    swap = swap and size.get(output[-1]) != 1              # as PyTorch's, whose strides a view of the result depends on
    if swap:
        la, rows, lb, cols = lb, cols, la, rows

    def permutation(labels, wanted):
        order = tuple(labels.index(t) for t in wanted)
        return None if order == tuple(range(len(order))) else order

    def sizes(labels):
        return [size[t] for t in labels]

    labels = batch + rows + cols
    outer = False
    if not summed:                                         # in the result's order, so that nothing is permuted afterwards
        labels = sorted(labels, key=lambda t: place.get(t, -1))
        first, last = len(batch), len(labels) - len(cols)
        outer = bool(rows and cols) and set(labels[:first]) == set(batch) and set(labels[first:last]) == set(rows)
    shape_a: list[int] | None
    shape_b: list[int] | None
    shape: list[int] | None = sizes(labels)
    if outer:                                              # batches of a column and a row
        batch, rows, cols = labels[:first], labels[first:last], labels[last:]
        shape_a, shape_b = [*sizes(batch), math.prod(sizes(rows)), 1], [*sizes(batch), 1, math.prod(sizes(cols))]
        if len(rows) == len(cols) == 1:
            shape = None
    elif not summed:
        shape_a = [size[t] if t in la else 1 for t in labels] if cols else None
        shape_b = [size[t] if t in lb else 1 for t in labels] if rows else None
        batch, rows, cols, shape = labels, [], [], None
    elif len(rows) == len(cols) == len(summed) == 1:       # a batch of matrices as it is: nothing is copied to join its dimensions
        shape_a = shape_b = shape = None
    else:
        shape_a = sizes(batch) + [math.prod(sizes(rows)), math.prod(sizes(summed))]
        shape_b = sizes(batch) + [math.prod(sizes(summed)), math.prod(sizes(cols))]
    order_a = permutation(la, [t for t in batch + rows + summed if t in la])
    order_b = permutation(lb, [t for t in batch + summed + cols if t in lb])
    return _Pairing(swap, order_a, shape_a, order_b, shape_b, not summed and not outer, outer, shape, tuple(labels))


def _multiply(a, b, p):
    """Multiply two operands as planned; the result's dimensions are the plan's labels."""
    if p.swap:
        a, b = b, a
    if p.permute_a is not None:
        a = a.permute(p.permute_a)
    if p.shape_a is not None:
        a = a.reshape(p.shape_a)
    if p.permute_b is not None:
        b = b.permute(p.permute_b)
    if p.shape_b is not None:
        b = b.reshape(p.shape_b)
    # there is no product of bool matrices, and autocast leaves alone what sums nothing
    by_elements = p.by_elements or (p.outer and (a.dtype is bool_ or is_casting()))
    y = a * b if by_elements else matmul(a, b)
    return y if p.shape is None else y.reshape(p.shape)


@functools.lru_cache(maxsize=512)
def _one(equation, rank):
    """Plan a whole equation of one operand: an order of its dimensions and those that are summed then; None where it takes a diagonal."""
    (labels,), output, _ = _parse(equation, (rank,))
    if len(set(labels)) != rank or {*output} - {*labels}:
        return None
    order = tuple([labels.index(t) for t in [*output, *[t for t in labels if t not in output]]])
    summed = tuple(range(len(output), rank))
    return None if summed and order == tuple(range(rank)) else order, summed


@functools.lru_cache(maxsize=512)
def _two(equation, sa, sb):
    """Plan a whole equation of two operands: the pairing and the last permutation; None where it takes more than a product."""
    (la, lb), output, _ = _parse(equation, (len(sa), len(sb)))
    size = dict(zip(la, sa, strict=True))
    single = len(size) == len(la) and len(set(lb)) == len(lb)
    if not single or any(size.get(t, n) != n for t, n in zip(lb, sb, strict=True)) or ({*la} ^ {*lb}) - {*output} or {*output} - {*la, *lb}:
        return None
    pairing = _pairing(tuple(la), sa, tuple(lb), sb, frozenset(output), tuple(output))
    order = tuple(pairing.labels.index(t) for t in output)
    return pairing, None if order == tuple(range(len(order))) else order


def _sum_out(x, labels, gone, output):
    """Sum over labels; the others come in the result's order, as PyTorch's, so that a program may take views of what comes of them."""
    if not gone:
        return x, labels
    kept = sorted([t for t in labels if t not in gone], key=lambda t: output.index(t) if t in output else len(output))
    return x.permute([labels.index(t) for t in [*kept, *gone]]).sum(list(range(len(kept), len(labels)))), kept


def tensordot(a, b, dims=2, out=None):
    """Sum products over the last ``dims`` dimensions of a and the first of b, or over two lists of dimensions.

    RuntimeError where the sizes of paired dimensions differ.

    >>> import taeda
    >>> taeda.tensordot(taeda.ones(2, 3, 4), taeda.ones(3, 4, 5)).shape
    taeda.Size([2, 5])
    """
    for x in (a, b):
        if not isinstance(x, TensorBase):
            raise TypeError(f"[tensordot] argument must be Tensor, not {type(x).__name__}{tensor_from(x)}")
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
    out = []
    for d in dims:
        if not -rank <= d < max(rank, 1):
            raise IndexError(f"[tensordot] Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {d})")
        out.append(d + rank if d < 0 else d)
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

    Raises RuntimeError for what is no matrix.
    """
    warn_once("chain_matmul", "taeda.chain_matmul is deprecated and will be removed in a future release; use taeda.linalg.multi_dot, which "
              "takes a list of tensors", 2)
    for k, x in enumerate(matrices):
        if not isinstance(x, TensorBase) or x.ndim != 2:
            raise RuntimeError(f"[chain_matmul] Tensor {k} must be a 2-D tensor")
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices, out=out)
