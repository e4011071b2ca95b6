"""Covariance, correlation and quantiles."""

from __future__ import annotations

import warnings
from numbers import Real

from taeda.autograd.node import own
from taeda.dtype import bool_, float32, float64, int64
from taeda.operands import need_tensor, wrapped_dim
from taeda.ops.matmul import write_result
from taeda.tensor_base import TensorBase

__all__ = ["corrcoef", "cov", "nanquantile", "quantile"]
PUBLIC = ("corrcoef", "cov", "nanquantile", "quantile")


# -- covariance -------------------------------------------------------------------------------------------


def cov(input, *, correction=1, fweights=None, aweights=None):
    """Return the covariance matrix of variables in rows, observations in columns.

    c_jk = sum_i w_i (x_ji - m_j) (x_ki - m_k) / (sum_i w_i - correction), m the weighted means; with ``aweights``
    the correction is multiplied by sum_i w_i a_i / sum_i w_i.

    Args:
        input: (variables, observations), or one variable, whose covariance has no dimensions.
        correction: 1 divides by n - 1, 0 by n.
        fweights: (observations,) integers, how often each was made.
        aweights: (observations,) floats, how much each counts.

    Raises:
        RuntimeError: of bool, of more than two dimensions, or where weights do not fit, are negative or sum to 0.

    >>> import taeda
    >>> taeda.cov(taeda.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    need_tensor("cov", "input", input)
    if input.ndim > 2:
        raise RuntimeError(f"[cov] expected input to have two or fewer dimensions but got shape {tuple(input.shape)}")
    if input.dtype is bool_:
        raise RuntimeError("[cov] bool dtype is not supported for input; convert it with .float()")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    n = x.shape[1]
    if fweights is not None:
        _check_weights("fweights", fweights, n)
        if fweights.is_floating_point() or fweights.is_complex() or fweights.dtype is bool_:
            raise RuntimeError(f"[cov] expected fweights to have integral dtype but got {fweights.dtype}")
    if aweights is not None:
        _check_weights("aweights", aweights, n)
        if not aweights.is_floating_point():
            raise RuntimeError(f"[cov] expected aweights to have floating point dtype but got {aweights.dtype}")
    w = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    if w is None:
        total = n
        norm = n - correction
        if norm <= 0:
            warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
                          UserWarning, stacklevel=2)
        mean = x.sum(1, keepdim=True) / n if n else x.sum(1, keepdim=True) / x.new_zeros((), dtype=float32)
    else:
        total = w.sum()
        if n and not total.is_meta and total == 0:
            raise RuntimeError("[cov] weights sum to zero, can't be normalized")
        mean = (x * w).sum(1, keepdim=True) / total
        norm = total - correction * ((w * aweights).sum() / total if aweights is not None else 1)
    away = x - mean
    weighted = away if w is None else away * w
    if away.dtype is not weighted.dtype:
        away = away.to(weighted.dtype)
    product = away @ (weighted.conj() if weighted.is_complex() else weighted).t()
    # no observations to spare: 0 / 0 or x / 0, not a negative divisor
    y = product / (norm.clamp(min=0) if isinstance(norm, TensorBase) else product.new_full((), max(norm, 0)))
    return y.squeeze()


def _check_weights(name, w, n):
    need_tensor("cov", name, w)
    if w.ndim > 1:
        raise RuntimeError(f"[cov] expected {name} to have one or fewer dimensions but got shape {tuple(w.shape)}")
    if w.numel() != n:
        raise RuntimeError(f"[cov] expected {name} to have the same numel as there are observations in the input but got "
                           f"{w.numel()} != {n}")
    if n and not w.is_meta and (w < 0).any():
        raise RuntimeError(f"[cov] {name} cannot be negative")


def corrcoef(input):
    """Return the matrix of Pearson's correlation coefficients of variables in rows: c_jk / sqrt(c_jj c_kk).

    >>> import taeda
    >>> taeda.corrcoef(taeda.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    need_tensor("corrcoef", "input", input)
    if input.ndim > 2:
        raise RuntimeError(f"[corrcoef] expected input to have two or fewer dimensions but got shape {tuple(input.shape)}")
    c = cov(input)
    if c.ndim == 0:
        return c / c
    d = c.diag()
    d = (d.real if d.is_complex() else d).sqrt()
    y = c / d.unsqueeze(1) / d.unsqueeze(0)
    return y if y.is_complex() else y.clamp(-1, 1)


# -- quantiles --------------------------------------------------------------------------------------------

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _shares(op, input, q):
    """Check what is asked for; return it as a tensor of the input's dtype."""
    if isinstance(q, TensorBase):
        if q.ndim > 1:
            raise RuntimeError(f"[{op}] q must be a scalar or 1D tensor, got shape {tuple(q.shape)}")
        if q.dtype is not input.dtype:
            raise RuntimeError(f"[{op}] q tensor must be same dtype as the input tensor, got {q.dtype} and {input.dtype}")
        if not q.is_meta and not ((q >= 0) & (q <= 1)).all():  # type: ignore[attr-defined, operator]
            raise RuntimeError(f"[{op}] q values must be in the range [0, 1]")
        return q
    if isinstance(q, Real):                    # NumPy's floats too
        q = float(q)
        if not 0 <= q <= 1:
            raise RuntimeError(f"[{op}] q must be in the range [0, 1] but got {q}")
        return input.new_full((), q)
    raise TypeError(f"[{op}] argument 'q' must be float or Tensor, not {type(q).__name__}")


def _along(op, input, dim):
    """Return the input with the dimension ``dim``, or all of it, as the last one, and the sizes that are left with 1 in its place."""
    if dim is None:
        return input.reshape(-1), [1] * input.ndim
    d = wrapped_dim(op, dim, input.ndim)
    return input.reshape(1) if input.ndim == 0 else input.movedim(d, -1), [1 if i == d else s for i, s in enumerate(input.shape)]


def _quantile(op, input, q, dim, keepdim, interpolation, out, ignore_nan):
    need_tensor(op, "input", input)
    if input.dtype not in (float32, float64):
        raise RuntimeError(f"[{op}] input tensor must be either float or double dtype, got {input.dtype}; convert it with .float()")
    q = _shares(op, input, q)
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(f"[{op}] interpolation must be one of {', '.join(_INTERPOLATIONS)}, but got {interpolation}")
    if input.numel() == 0:
        raise RuntimeError(f"[{op}] input tensor must be non-empty, got shape {tuple(input.shape)}")
    if out is not None and isinstance(out, TensorBase) and out.dtype is not input.dtype:
        raise RuntimeError(f"[{op}] out tensor must be same dtype as the input tensor, got {out.dtype} and {input.dtype}")
    x, kept = _along(op, input, dim)
    x = x.sort(-1).values                      # nan last
    rows = list(x.shape[:-1])
    last = x.shape[-1] - 1
    if ignore_nan:
        ranks = q * ((~x.isnan()).sum(-1, keepdim=True) - 1).to(x.dtype).clamp(min=0)
    else:                                      # a nan stands at the end, where it is the answer for every q
        ranks = (q * last).expand([*rows, q.numel()]).masked_fill(x.narrow(-1, last, 1).isnan(), last)
    ranks = ranks.reshape([*rows, q.numel()])
    y = _between(x, ranks, interpolation)      # (..., q)
    y = y.movedim(-1, 0)
    shape = ([q.numel()] if q.ndim else []) + (kept if keepdim else rows)
    return write_result(out, own(y.reshape(shape), "SqueezeBackward4"), op)


def _between(x, ranks, interpolation):
    """The elements of the sorted rows x at fractional places."""
    if interpolation in ("lower", "higher", "nearest"):
        at = ranks.floor() if interpolation == "lower" else ranks.ceil() if interpolation == "higher" else ranks.round()
        return x.gather(-1, at.to(int64))
    below = ranks.floor()
    weight = ranks - below if interpolation == "linear" else below.new_full(below.shape, 0.5)
    return x.gather(-1, below.to(int64)).lerp(x.gather(-1, ranks.ceil().to(int64)), weight)


def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """Return the q-quantiles of all elements, or of those along ``dim``; nan where there is a nan.

    The place of a quantile among n sorted elements is q (n - 1).  Between two elements, i below and j above it,
    "linear" gives i + (j - i) fraction, "lower" i, "higher" j, "midpoint" (i + j) / 2, and "nearest" the nearer one
    (the even place of two equally near).

    Args:
        q: number in [0, 1], or a (k,) tensor of them: then the result has a first dimension of k.

    Raises:
        RuntimeError: ``input`` is empty or neither float32 nor float64, or a q lies outside [0, 1] or has another dtype.

    >>> import taeda
    >>> taeda.quantile(taeda.tensor([0.0, 1.0, 4.0]), taeda.tensor([0.25, 0.5]))
    tensor([0.5000, 1.0000])
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, out, False)


def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """Return the q-quantiles of the elements that are not nan; see :func:`quantile`.

    >>> import taeda
    >>> taeda.nanquantile(taeda.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, out, True)


METHODS = {"corrcoef": corrcoef, "cov": cov, "nanquantile": nanquantile, "quantile": quantile}
