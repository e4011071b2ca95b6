# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Distances between all pairs of rows: what cdist and pdist are made of.

One kernel computes the distances, one the derivative; differences are never written.  While the graph of the
gradient is wanted too, the derivative is written with tensor operations instead (``slopes``).
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, any_needs_grad, contiguous, define, empty_like, empty_shape, launch, record
from taeda.kernels.cpu.abi cimport Param, View
from taeda.tensor_base cimport TensorBase

from taeda.ops.triangles import triu_indices

__all__ = []
PUBLIC = ()
METHODS = {}


def slopes(d, y, p):
    """The derivative of the p-norms y (..., 1) of the last dimension by d, the differences: 0 where the norm is 0."""
    if p == 0:
        return d * 0
    if p == 1:
        return d.sign()
    if p == float("inf"):
        return d.sign() * (d.abs() == y)
    none = y == 0
    if p == 2:
        return (d / y.masked_fill(none, 1)).masked_fill(none, 0)
    return (d.sign() * (d.abs().masked_fill(d == 0, 1) / y.masked_fill(none, 1)) ** (p - 1)).masked_fill(none, 0)


cdef int fill(Param* q, int64_t B, int64_t P, int64_t R, int64_t M, double p, bint second) except -1:
    q[0].i, q[1].i, q[2].i, q[3].i, q[4].f, q[5].i = B, P, R, M, p, second
    return 0


cdef Op CDIST_BACKWARD = define("cdist_backward", NULL)

cdef TensorBase cdist_slope(TensorBase g, TensorBase a, TensorBase b, TensorBase y, double p, bint second):
    """The derivative by a; `second`: g and y have a's rows as their second dimension."""
    cdef TensorBase ga = empty_like(a)
    cdef View* t[5]
    cdef Param q[6]
    fill(q, a.view.shape[0], a.view.shape[1], b.view.shape[1], a.view.shape[2], p, second)
    t[0], t[1], t[2], t[3], t[4] = &ga.view, &g.view, &a.view, &b.view, &y.view
    if ga.view.numel:
        launch(CDIST_BACKWARD, a.view.dtype, a.device, 1, 5, t, q, a.view.numel * b.view.shape[1])
    return ga

cdef object cdist_vjp(Node n, object g):
    """g sign(a - b) (|a - b| / y)^(p - 1), summed over the rows of the other."""
    a, b, y, p = n.load(0), n.load(1), n.load(2), n.extra
    if any_needs_grad((g, a, b)):
        slope = slopes(a.unsqueeze(-2) - b.unsqueeze(-3), y.unsqueeze(-1), p) * g.unsqueeze(-1)
        return slope.sum(-2) if n.needs(0) else None, -slope.sum(-3) if n.needs(1) else None
    g = contiguous(<TensorBase>g)
    return (cdist_slope(g, a, b, y, p, False) if n.needs(0) else None, cdist_slope(g, b, a, y, p, True) if n.needs(1) else None)

cdef Op CDIST = define("cdist", cdist_vjp)

def cdist_rows(TensorBase a not None, TensorBase b not None, double p):
    """Distances (B, P, R) of the rows of a (B, P, M) to those of b (B, R, M)."""
    cdef TensorBase y
    cdef View* t[3]
    cdef Param q[6]
    a, b = contiguous(a), contiguous(b)
    y = empty_shape((a.view.shape[0], a.view.shape[1], b.view.shape[1]), a.view.dtype, a.device)
    fill(q, a.view.shape[0], a.view.shape[1], b.view.shape[1], a.view.shape[2], p, False)
    t[0], t[1], t[2] = &y.view, &a.view, &b.view
    if y.view.numel:
        launch(CDIST, a.view.dtype, a.device, 1, 3, t, q, a.view.numel * b.view.shape[1])
    record(CDIST, y, (a, b), (a, b, y), p)
    return y


cdef Op PDIST_BACKWARD = define("pdist_backward", NULL)

cdef object pdist_vjp(Node n, object g):
    """The derivative of each distance goes to one row, and minus it to the other."""
    cdef TensorBase a = n.load(0), y = n.load(1), gy, ga
    cdef View* t[4]
    cdef Param q[6]
    p, first, second = n.extra[0], None, None
    if any_needs_grad((g, a)):
        first, second = triu_indices(a.view.shape[0], a.view.shape[0], 1, device=(<object>a).device)
        x = <object>a
        slope = slopes(x.index_select(0, first) - x.index_select(0, second), (<object>y).unsqueeze(-1), p) * g.unsqueeze(-1)
        return x.new_zeros(x.shape).index_add(0, first, slope).index_add(0, second, -slope)
    ga, gy = empty_like(a), contiguous(<TensorBase>g)
    fill(q, 1, a.view.shape[0], 0, a.view.shape[1], p, False)
    t[0], t[1], t[2], t[3] = &ga.view, &gy.view, &a.view, &y.view
    if ga.view.numel:
        launch(PDIST_BACKWARD, a.view.dtype, a.device, 1, 4, t, q, a.view.numel * a.view.shape[0])
    return ga

cdef Op PDIST = define("pdist", pdist_vjp)

def pdist_rows(TensorBase a not None, double p):
    """Distances of all pairs of rows of a (n, M), (0, 1), (0, 2), ... one after another."""
    cdef TensorBase y
    cdef View* t[2]
    cdef Param q[6]
    cdef int64_t n = a.view.shape[0]
    a = contiguous(a)
    y = empty_shape((n * (n - 1) // 2,), a.view.dtype, a.device)
    fill(q, 1, n, 0, a.view.shape[1], p, False)
    t[0], t[1] = &y.view, &a.view
    if y.view.numel:
        launch(PDIST, a.view.dtype, a.device, 1, 2, t, q, a.view.numel * n)
    record(PDIST, y, (a,), (a, y), (p,))
    return y
