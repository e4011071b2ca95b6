"""Contractions of any tensors, made of permutations and batched matrix products.

``einsum`` reads its equation into one list of labels per operand and contracts two operands at a time:
labels that both have and the result keeps are a batch, labels that both have and nothing else needs are
summed by the product, the rest are rows and columns.  Derivatives come from the parts.
"""

from __future__ import annotations

import functools
from typing import Any

from taeda.dtype import promote_types
from taeda.ops.matmul import bmm, matmul, write_result
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
        raise RuntimeError(f"[einsum] must provide at least one operand; got none for equation '{equation}'")
    for x in operands:
        if not isinstance(x, TensorBase):
            raise TypeError(f"[einsum] operands must be Tensors, not {type(x).__name__}")
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
        if not (c.isalpha() and c.isascii()):
            raise RuntimeError(f"[einsum] operand subscript must be in [a-zA-Z] but found '{c}' in '{equation}'")
        out.append(c)
        i += 1
    return out


@functools.lru_cache(maxsize=512)
def _parse(equation, ranks):
    """Return the labels of each operand and of the result; dimensions of the ellipsis are negative numbers."""
    left, arrow, right = equation.replace(" ", "").partition("->")
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
    x, labels = _sum_out(x, labels, [t for t in labels if t not in output])
    for t in ellipsis:                 # dimensions that no operand has are of size 1
        if t in output and t not in labels:
            x = x.unsqueeze(0)
            labels = [t, *labels]
    return x.permute([labels.index(t) for t in output])


def _pair(a, la, b, lb, needed, output):
    """Contract two operands; return the product and its labels, in the result's order where that is cheap."""
    # labels that only one has and nobody needs are summed first; so are broadcast ones (size 1 on one side)
    a, la = _sum_out(a, la, [t for t in la if t not in lb and t not in needed])
    b, lb = _sum_out(b, lb, [t for t in lb if t not in la and t not in needed])
    if a.dtype != b.dtype:             # one was summed, which makes integers int64
        a, b = a.to(promote_types(a.dtype, b.dtype)), b.to(promote_types(a.dtype, b.dtype))
    shared = [t for t in la if t in lb]
    for t in shared:
        na, nb = a.shape[la.index(t)], b.shape[lb.index(t)]
        if na != nb and t not in needed:
            if na == 1:
                b, lb = _sum_out(b, lb, [t])
            else:
                a, la = _sum_out(a, la, [t])
    one_sided = [t for t in shared if t in la and t in lb and a.shape[la.index(t)] != b.shape[lb.index(t)]]
    for t in one_sided:                # a kept label of size 1 on one side broadcasts: drop it there
        if a.shape[la.index(t)] == 1:
            a, la = a.squeeze(la.index(t)), [u for u in la if u != t]
        else:
            b, lb = b.squeeze(lb.index(t)), [u for u in lb if u != t]
    batch = [t for t in la if t in lb and t in needed]
    summed = [t for t in la if t in lb and t not in needed]
    rows = [t for t in la if t not in lb]
    cols = [t for t in lb if t not in la]
    size = {**dict(zip(lb, b.shape, strict=True)), **dict(zip(la, a.shape, strict=True))}
    place = {t: i for i, t in enumerate(output)}
    if rows and cols and max(place.get(t, 99) for t in cols) < min(place.get(t, 99) for t in rows):
        a, la, rows, b, lb, cols = b, lb, cols, a, la, rows

    def count(labels):
        n = 1
        for t in labels:
            n *= size[t]
        return n

    a = a.permute([la.index(t) for t in batch + rows + summed])
    b = b.permute([lb.index(t) for t in batch + summed + cols])
    shape = [size[t] for t in batch + rows + cols]
    if not summed:
        b = b.reshape([size[t] for t in batch] + [1] * len(rows) + [size[t] for t in cols]) if rows else b
        y = (a.reshape(list(a.shape) + [1] * len(cols)) if cols else a) * b
    elif batch:
        y = bmm(a.reshape(count(batch), count(rows), count(summed)), b.reshape(count(batch), count(summed), count(cols)))
        y = y.reshape(shape)
    else:
        y = matmul(a.reshape(count(rows), count(summed)), b.reshape(count(summed), count(cols))).reshape(shape)
    return y, batch + rows + cols


def _sum_out(x, labels, gone):
    if not gone:
        return x, labels
    return x.sum([labels.index(t) for t in gone]), [t for t in labels if t not in gone]


def tensordot(a, b, dims=2, out=None):
    """Sum products over the last ``dims`` dimensions of a and the first of b, or over two lists of dimensions.

    RuntimeError where the sizes of paired dimensions differ.

    >>> import taeda
    >>> taeda.tensordot(taeda.ones(2, 3, 4), taeda.ones(3, 4, 5)).shape
    taeda.Size([2, 5])
    """
    for x in (a, b):
        if not isinstance(x, TensorBase):
            raise TypeError(f"[tensordot] argument must be a Tensor, not {type(x).__name__}")
    if isinstance(dims, TensorBase):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"[tensordot] expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"[tensordot] expects dims < ndim_a or ndim_b, but got dims={dims} for shapes "
                               f"{tuple(a.shape)} and {tuple(b.shape)}")
        left, right = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
    if len(left) != len(right):
        raise RuntimeError(f"[tensordot] both dimension lists should have same length, got {left} and {right}")
    left, right = _wrapped(left, a), _wrapped(right, b)
    for i, j in zip(left, right, strict=True):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(f"[tensordot] contracted dimensions need to match, but first has size {a.shape[i]} in dim "
                               f"{i} and second has size {b.shape[j]} in dim {j}; shapes {tuple(a.shape)}, {tuple(b.shape)}")
    for i, j in zip(left, right, strict=True):      # a size of 1 broadcasts against the sum of the other
        if a.shape[i] != b.shape[j]:
            if a.shape[i] == 1:
                b = b.sum(j, keepdim=True)
            else:
                a = a.sum(i, keepdim=True)
    keep_a = [d for d in range(a.ndim) if d not in left]
    keep_b = [d for d in range(b.ndim) if d not in right]
    n = 1
    for d in left:
        n *= a.shape[d]
    rows = [a.shape[d] for d in keep_a]
    cols = [b.shape[d] for d in keep_b]
    count = [1, 1]
    for k, sizes in enumerate((rows, cols)):
        for s in sizes:
            count[k] *= s
    y = matmul(a.permute(keep_a + left).reshape(count[0], n), b.permute(right + keep_b).reshape(n, count[1]))
    y = y.reshape(rows + cols)
    return write_result(out, y, "tensordot")


def _wrapped(dims, x):
    out = []
    for d in dims:
        if not -x.ndim <= d < max(x.ndim, 1):
            raise IndexError(f"[tensordot] Dimension out of range (expected to be in range of [{-x.ndim}, {x.ndim - 1}], "
                             f"but got {d})")
        out.append(d + x.ndim if d < 0 else d)
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
    row, col = chain[0].ndim == 1, chain[-1].ndim == 1
    if row:
        chain[0] = chain[0].unsqueeze(0)
    if col:
        chain[-1] = chain[-1].unsqueeze(1)
    for k, x in enumerate(chain):
        if x.ndim != 2:
            raise RuntimeError(f"[multi_dot] tensor {k} must be 2D, got shape {tuple(x.shape)}")
        if k and chain[k - 1].shape[1] != x.shape[0]:
            raise RuntimeError(f"[multi_dot] tensors {k - 1} and {k} with shapes {tuple(chain[k - 1].shape)} and "
                               f"{tuple(x.shape)} cannot be multiplied")
    n = len(chain)
    p = [x.shape[0] for x in chain] + [chain[-1].shape[1]]
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min((cost[i][k] + cost[k + 1][j] + p[i] * p[k + 1] * p[j + 1], k)
                                          for k in range(i, j))

    def product(i, j):
        return chain[i] if i == j else matmul(product(i, split[i][j]), product(split[i][j] + 1, j))

    y = product(0, n - 1)
    if row:
        y = y.squeeze(0)
    if col:
        y = y.squeeze(-1)
    return write_result(out, y, "multi_dot")


def chain_matmul(*matrices, out=None):
    """Multiply two or more matrices in the cheapest order (``multi_dot`` of its arguments).

    >>> import taeda
    >>> taeda.chain_matmul(taeda.ones(2, 3), taeda.ones(3, 1)).shape
    taeda.Size([2, 1])
    """
    for k, x in enumerate(matrices):
        if not isinstance(x, TensorBase) or x.ndim != 2:
            raise RuntimeError(f"[chain_matmul] Tensor {k} must be a 2-D tensor")
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices, out=out)
